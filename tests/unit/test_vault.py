"""The vault's password script, its schema, and the actions that make, check, edit and re-key it."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import FileVaultSecret, VaultLib, VaultSecret, VaultSecretsContext, get_file_vault_secret
from ansible.utils.display import Display

from ansible_collections.todochat.platform.plugins.action import vault_file, vault_rekey, vault_variable
from ansible_collections.todochat.platform.plugins.module_utils import vault
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.plugin_utils import vault_password, vaults

CHECKOUT = Path(__file__).resolve().parents[2]
SECRETS = [("default", VaultSecret(b"vault password of the tests"))]


class Script:
    """scripts/vault-password, in a home and a checkout of its own."""

    def __init__(self, directory: Path) -> None:
        self.checkout = directory / "checkout"
        for name in ("scripts/vault-password", "plugins/plugin_utils/vault_password.py", "plugins/plugin_utils/public_passwords.json"):
            self.path = self.checkout / name
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_bytes((CHECKOUT / name).read_bytes())
        self.path = self.checkout / "scripts/vault-password"
        self.home = directory / "home"
        self.home.mkdir()
        self.password = self.home / ".config" / "todochat" / "vault-password"

    def __call__(self, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if name != "XDG_CONFIG_HOME"}
        return subprocess.run(
            [sys.executable, str(self.path)],
            env={**kept, "HOME": str(self.home), **environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """The script, before its first run."""
    return Script(tmp_path)


def test_script_is_executable() -> None:
    assert os.access(CHECKOUT / "scripts" / "vault-password", os.X_OK)


def test_script_makes_the_password_once_and_prints_it_alone(script: Script) -> None:
    first, second = script(), script()
    assert (first.returncode, first.stderr) == (0, "")
    assert len(first.stdout.strip()) >= 43
    assert first.stdout == second.stdout == script.password.read_text()
    assert script.password.stat().st_mode & 0o777 == 0o600
    assert script.password.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in script.password.parent.iterdir()] == ["vault-password"]


def test_script_follows_xdg_config_home(script: Script, tmp_path: Path) -> None:
    assert script(XDG_CONFIG_HOME=str(tmp_path / "xdg")).stdout == (tmp_path / "xdg/todochat/vault-password").read_text()
    assert not script.password.exists()


def test_first_runs_at_the_same_time_agree(script: Script) -> None:
    with ThreadPoolExecutor(8) as pool:
        printed = {done.stdout for done in pool.map(lambda _: script(), range(8))}
    assert printed == {script.password.read_text()}


@pytest.mark.parametrize("where", ["home/.config/todochat/todo/vault.yml", "checkout/group_vars/all/vault.yml"])
def test_script_makes_no_password_that_an_existing_vault_would_not_fit(script: Script, tmp_path: Path, where: str) -> None:
    found = tmp_path / where
    found.parent.mkdir(parents=True)
    found.write_text("$ANSIBLE_VAULT;1.1;AES256\n")
    done = script()
    assert (done.returncode, done.stdout) == (1, "")
    for words in (str(script.password), str(found), "ANSIBLE_VAULT_PASSWORD_FILE"):
        assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert not script.password.exists()


@pytest.mark.parametrize(("text", "mode", "words"), [("secret\n", 0o644, "chmod 600"), ("secret\n", 0o640, "chmod 600"), ("\n", 0o600, "is empty")])
def test_script_refuses_a_password_that_is_open_or_empty(script: Script, text: str, mode: int, words: str) -> None:
    script.password.parent.mkdir(parents=True)
    script.password.write_text(text)
    script.password.chmod(mode)
    done = script()
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert "secret" not in done.stderr


def test_script_finishes_a_change_of_the_password_that_was_broken_off(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(script.home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    old = script().stdout
    files = [script.checkout / "group_vars/all/vault.yml", script.password.parent / "todo/vault.yml", script.password.parent / "second/vault.yml"]
    files.append(script.home / "another checkout/vault.yml")  # it is not there that it is finished
    for file in files:
        file.parent.mkdir(parents=True)
        file.write_text("$ANSIBLE_VAULT;old")
    renamed = Path.replace

    def switch() -> None:
        vault_password.switch(script.password, b"new password\n", dict.fromkeys(files, b"$ANSIBLE_VAULT;new"))

    # The power goes off before each single step in turn; it takes one more for each vault and one for the password.
    for steps in range(len(files) + 1):
        left = iter(range(steps))

        def until_then(path: Path, target: Path, left: Any = left) -> Path:
            if next(left, None) is None:
                raise KeyboardInterrupt
            return renamed(path, target)

        monkeypatch.setattr(Path, "replace", until_then)
        with pytest.raises(KeyboardInterrupt):
            switch()
        monkeypatch.setattr(Path, "replace", renamed)
        assert script.password.read_text() == old
        assert script().stdout == "new password\n"
        assert {file.read_text() for file in files} == {"$ANSIBLE_VAULT;new"}
        assert script.password.stat().st_mode & 0o777 == 0o600
        assert not list(script.home.rglob("*.next-*"))
        for file in files:
            file.write_text("$ANSIBLE_VAULT;old")
        script.password.write_text(old)


def test_nothing_has_changed_where_a_new_password_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [tmp_path / "a/vault.yml", tmp_path / "b/vault.yml"]
    for file in files:
        file.parent.mkdir()
        file.write_text("old")
    create = vault_password.create

    def full(path: Path, content: bytes) -> None:
        if "b" in path.parts:
            raise OSError(28, "No space left on device", str(path))
        create(path, content)

    monkeypatch.setattr(vault_password, "create", full)
    with pytest.raises(OSError, match="No space"):
        vault_password.switch(tmp_path / "password", b"new", dict.fromkeys(files, b"new"))
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == ["a/vault.yml", "b/vault.yml"]
    assert {file.read_text() for file in files} == {"old"}


def changed(**changes: Any) -> dict[str, Any]:
    """A good vault with `changes`; None takes a variable away."""
    return {name: value for name, value in {**vault.new_vault(), **changes}.items() if value is not None}


def test_a_new_vault_fits_and_is_never_the_same_twice() -> None:
    first, second = vault.new_vault(), vault.new_vault()
    assert vault.problems(first) == []
    assert set(first) == {"vault_database_password", "vault_jwt_keys", "vault_checksum_key"}
    assert all(first[name] != second[name] for name in first)
    assert vault.problems({**first, "vault_database_login": "todo_app_2"}) == []
    assert vault.problems(yaml.safe_load(yaml.safe_dump(first))) == []


KEY = vault.random_key()


def test_a_new_key_signs_and_older_ones_stay_until_their_last_token_has_expired() -> None:
    start = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    first = vault.next_jwt_keys(None, start)
    assert re.fullmatch("20260102T030405Z-[0-9a-f]{8}", first["active"])
    second = vault.next_jwt_keys(first, start + timedelta(days=30))
    assert second["active"] not in first["keys"]
    assert second["keys"].items() > first["keys"].items()
    third = vault.next_jwt_keys(second, start + timedelta(days=37, seconds=-1))
    assert third["keys"].items() > second["keys"].items()
    fourth = vault.next_jwt_keys(third, start + timedelta(days=37))
    assert list(fourth["keys"]) == [fourth["active"], third["active"], second["active"]]
    fifth = vault.next_jwt_keys(fourth, start + timedelta(days=300))
    assert set(fifth["keys"]) == {fifth["active"], fourth["active"]}
    assert all(vault.jwt_keys_problem(ring) is None for ring in (first, second, third, fourth, fifth))


def test_keys_that_do_not_say_when_they_were_made_are_the_oldest() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    undated = {"active": "b", "keys": {"a": KEY, "b": KEY}}
    once = vault.next_jwt_keys(undated, now)
    assert list(once["keys"]) == [once["active"], "b"]
    twice = vault.next_jwt_keys(once, now + timedelta(days=1))
    assert list(twice["keys"]) == [twice["active"], once["active"], "b"]
    assert list(vault.next_jwt_keys(twice, now + timedelta(days=7))["keys"])[1:] == [twice["active"], once["active"]]


def test_keys_stay_as_long_as_the_backend_lets_a_token_live() -> None:
    settings = (CHECKOUT / "apps/backend/src/todo_backend/settings.py").read_text(encoding="utf-8")
    (most,) = re.findall(r"access_token_minutes: int = Field\(.*\ble=([\d *]+)", settings)
    assert timedelta(minutes=math.prod(map(int, most.split("*")))) == vault.LONGEST_TOKEN


def test_a_new_password_of_the_database_is_the_other_logins() -> None:
    content = vault.new_vault()
    for login in ("todo_app_2", "todo_app", "todo_app_2"):
        changes = vault.rotated("vault_database_password", content)
        assert set(changes) == {"vault_database_password", "vault_database_login"}
        assert changes["vault_database_password"] != content["vault_database_password"]
        assert changes["vault_database_login"] == login
        content |= changes
        assert vault.problems(content) == []
    assert set(vault.rotated("vault_checksum_key", content)) == {"vault_checksum_key"}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "empty"),
        ("", "empty"),
        pytest.param(vault.random_key(), "random", id="key"),
        ("chosen by somebody", "set"),
        (vault.next_jwt_keys(), "random"),
        (vault.next_jwt_keys(vault.next_jwt_keys()), "random, 2 keys"),
        ({"active": "a", "keys": {"a": KEY + "AAAA"}}, "set"),
    ],
)
def test_a_value_is_told_by_what_it_is(value: Any, words: str) -> None:
    assert vault.state(value) == words


def test_the_listing_has_each_variable_and_no_value() -> None:
    content = vault.new_vault()
    lines = vault.listing(content)
    assert [line.split()[0] for line in lines] == list(vault.SCHEMA)
    assert not [value for value in content.values() if str(value) in "\n".join(lines)]


COMMENTED = """---
# ours
vault_checksum_key: old  # by hand
# the ring
vault_jwt_keys:
  active: a
  keys:
    a: b  # first

# the last one
vault_database_password: "quoted"
"""


@pytest.mark.parametrize(
    ("name", "value", "gone"),
    [
        ("vault_checksum_key", "n\"e'w: {{ #", ["vault_checksum_key: old  # by hand"]),
        ("vault_jwt_keys", {"active": "x", "keys": {"x": "y"}}, ["  active: a", "    a: b  # first"]),
        ("vault_database_password", "new", ['vault_database_password: "quoted"']),
        ("vault_database_url", "added", []),
        ("vault_jwt_keys", None, ["vault_jwt_keys:", "  active: a", "  keys:", "    a: b  # first"]),
    ],
)
def test_only_one_value_of_the_text_changes(name: str, value: Any, gone: list[str]) -> None:
    edited = vault.with_value(COMMENTED, name, value)
    content = yaml.safe_load(edited)
    assert content.pop(name, None) == value
    assert content == {key: old for key, old in yaml.safe_load(COMMENTED).items() if key != name}
    assert [line for line in COMMENTED.splitlines() if line not in edited.splitlines()] == gone


@pytest.mark.parametrize("text", ["{a: 1, b: 2}", "a: 1\nb: 2", "a: 1\nb: 2\n...\n"])
def test_a_text_in_some_other_style_is_right_too(text: str) -> None:
    assert yaml.safe_load(vault.with_value(text, "b", "new")) == {"a": 1, "b": "new"}
    assert yaml.safe_load(vault.with_value(text, "c", "new")) == {"a": 1, "b": 2, "c": "new"}
    assert yaml.safe_load(vault.with_value(text, "a", None)) == {"b": 2}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "must be a mapping"),
        (["a"], "must be a mapping"),
        (changed(vault_database_password=None), "vault_database_password is missing"),
        (changed(vault_databse_password="x"), "vault_databse_password is not known"),
        (changed(vault_database_password=12345678901234567890), "must be a string, and is a int"),
        (changed(vault_database_password="short-canary"), "at least 16 characters"),
        (changed(vault_database_password="with spaces canary canary"), "without spaces"),
        *[
            (changed(vault_checksum_key=text), "vault_checksum_key is empty or a placeholder")
            for text in (
                "",
                "  ",
                "changeme",
                "CHANGE_ME please, really",
                "<a long random canary>",
                "{{ canary_canary_canary }}",
                "your-password-canary-here",
                "xxxxxxxxxxxxxxxxxx",
            )
        ],
        (changed(vault_jwt_keys=KEY), "exactly the keys active and keys"),
        (changed(vault_jwt_keys={"active": "a", "keys": {}}), "at least one key"),
        (changed(vault_jwt_keys={"active": "b", "keys": {"a": KEY}}), "active key that is not under keys"),
        (changed(vault_jwt_keys={"active": "a", "keys": {"a": "canary!"}}), "not base64url"),
        (changed(vault_jwt_keys={"active": "a", "keys": {"a": KEY[:22]}}), "of 16 bytes"),
        (changed(vault_jwt_keys={"active": 1, "keys": {1: KEY}}), "not a string"),
        (changed(vault_database_login="canary"), "must be todo_app or todo_app_2"),
        (changed(vault_database_login=["canary"]), "must be todo_app or todo_app_2"),
        (changed(vault_database_url="postgres.example/canary"), "does not begin with postgresql://"),
        (changed(vault_database_url="postgresql://u:<canary>@h/d"), "holds a placeholder"),
    ],
)
def test_each_fault_is_named_without_its_value(content: Any, words: str) -> None:
    found = vault.problems(content)
    assert len(found) == 1
    assert words in found[0]
    assert "canary" not in found[0]
    assert KEY not in found[0]


@pytest.mark.parametrize("url", ["postgresql://u:p@host/db", "postgresql://u:p%2Fq@ep-x.neon.example:5432/db?sslmode=require&channel_binding=require"])
def test_an_external_database_may_be_named(url: str) -> None:
    assert vault.problems(changed(vault_database_url=url)) == []


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ansible knows the vault password."""
    monkeypatch.setattr(VaultSecretsContext, "_current", VaultSecretsContext(SECRETS))


@pytest.mark.usefixtures("opened")
class TestFile:
    """The file, as the action makes and checks it."""

    def write(self, path: Path, text: str, secret: bytes = b"vault password of the tests") -> None:
        """An encrypted file."""
        path.write_bytes(VaultLib(SECRETS).encrypt(text, VaultSecret(secret)))

    def test_made_once_private_encrypted_and_complete(self, tmp_path: Path) -> None:
        path = tmp_path / "todo" / "vault.yml"
        path.parent.mkdir(mode=0o700)
        vaults.write(path, yaml.safe_dump(vault.new_vault()), new=True)
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert b"vault_" not in path.read_bytes()
        vaults.opened(path)
        before = path.read_bytes()
        with pytest.raises(UserError, match="Another run made the vault"):
            vaults.write(path, "x: y", new=True)
        assert path.read_bytes() == before
        assert [entry.name for entry in path.parent.iterdir()] == ["vault.yml"]

    def test_another_password_is_said_to_be_that(self, tmp_path: Path) -> None:
        path = tmp_path / "vault.yml"
        self.write(path, yaml.safe_dump(vault.new_vault()), b"another password")
        with pytest.raises(UserError, match=r"vault\.yml does not open with the vault password in force"):
            vaults.opened(path)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (yaml.safe_dump(changed(vault_checksum_key="<canary>")), "vault_checksum_key is empty or a placeholder"),
            ("vault_database_password: [canary", "is not valid YAML"),
            ("vault_database_password: !canary x", "is not valid YAML"),
            ("", "must be a mapping"),
        ],
    )
    def test_faults_name_the_file_and_the_way_out(self, tmp_path: Path, text: str, words: str) -> None:
        path = tmp_path / "vault.yml"
        self.write(path, text)
        with pytest.raises(UserError) as caught:
            vaults.opened(path)
        message = str(caught.value)
        assert words in message
        assert f"ansible-vault edit {path}" in message
        assert "canary" not in message

    def test_clear_text_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "vault.yml"
        path.write_text(yaml.safe_dump(vault.new_vault()))
        with pytest.raises(UserError, match=r"is not encrypted\. Run `ansible-vault encrypt"):
            vaults.opened(path)

    def test_what_cannot_be_written_leaves_all_as_it_was(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "vault.yml"
        self.write(path, "old")
        before = path.read_bytes()

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(UserError, match=r"cannot be written: No space left on device\."):
            vaults.write(path, "new", new=False)
        assert path.read_bytes() == before
        assert [entry.name for entry in tmp_path.iterdir()] == ["vault.yml"]

    def test_written_over_it_is_private_and_a_link_stays_one(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        path = tmp_path / "vault.yml"
        path.symlink_to("real/vault.yml")
        (tmp_path / "real/vault.yml").touch(mode=0o644)
        vaults.write(path, yaml.safe_dump(vault.new_vault()), new=False)
        assert path.is_symlink()
        assert path.stat().st_mode & 0o777 == 0o600
        vaults.opened(path)


class Task:
    """As much of Ansible's task as an action looks at."""

    def __init__(self, check_mode: bool) -> None:
        self.check_mode = check_mode
        self.diff = True


class Deployment:
    """A home with a vault, and the actions on it."""

    def __init__(self, directory: Path) -> None:
        self.config = directory / "todochat"
        self.path = self.config / "todo/vault.yml"
        self.team = directory / "team.yml"
        self.password = self.config / "vault-password"
        self.path.parent.mkdir(parents=True)
        self.password.write_text("vault password of the tests\n")
        self.password.chmod(0o600)

    def run(self, action: Any, check_mode: bool = False, **arguments: Any) -> dict[str, Any]:
        made = object.__new__(action.ActionModule)
        made._task = Task(check_mode)
        result: dict[str, Any] = made.act({"path": str(self.path), "team_path": str(self.team), **arguments})
        return result

    def edit(self, name: str, check_mode: bool = False, random: bool = False, from_file: str | None = None) -> dict[str, Any]:
        return self.run(vault_variable, check_mode, name=name, random=random, from_file=from_file)

    def rekey(self, check_mode: bool = False) -> dict[str, Any]:
        return self.run(vault_rekey, check_mode, script=str(CHECKOUT / "scripts/vault-password"))

    def content(self) -> dict[str, Any]:
        return vaults.opened(self.path)[1]


@pytest.fixture
def deployment(tmp_path: Path, opened: None, monkeypatch: pytest.MonkeyPatch) -> Deployment:  # noqa: ARG001 - it is what makes the vault open
    """A deployment whose vault was made just now."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    made = Deployment(tmp_path)
    made.run(vault_file)
    return made


def typed(monkeypatch: pytest.MonkeyPatch, answer: Any) -> list[str]:
    """Somebody answers so at the terminal; what was asked."""
    asked: list[str] = []

    def prompt(_: Any, text: str, private: bool) -> Any:
        assert private
        asked.append(text)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(Display, "prompt_until", prompt)
    return asked


def piped(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """There is no terminal; this is on standard input."""
    typed(monkeypatch, AnsiblePromptNoninteractive("no terminal"))
    reader, writer = os.pipe()
    os.write(writer, text.encode())
    os.close(writer)
    monkeypatch.setattr(vault_variable, "STANDARD_INPUT", reader)


class TestEdit:
    """One value of the vault."""

    def test_made_as_announced_by_name_alone(self, tmp_path: Path, opened: None) -> None:  # noqa: ARG002 - as above
        made = Deployment(tmp_path)
        announced = made.run(vault_file, check_mode=True)
        assert (announced["changed"], announced["exists"], made.path.exists()) == (True, False, False)
        assert "+vault_jwt_keys: (random)" in announced["diff"]["prepared"]

    def test_typed_at_the_terminal(self, deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = typed(monkeypatch, b"typed-0123456789")
        assert deployment.edit("checksum_key")["changed"]
        assert deployment.content()["vault_checksum_key"] == "typed-0123456789"
        assert "not shown" in asked[0]
        assert not deployment.edit("vault_checksum_key")["changed"]

    def test_read_from_standard_input(self, deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
        piped(monkeypatch, "piped-0123456789\n")
        deployment.edit("checksum_key")
        assert deployment.content()["vault_checksum_key"] == "piped-0123456789"

    def test_read_from_a_file(self, deployment: Deployment, tmp_path: Path) -> None:
        file = tmp_path / "ring"
        file.write_text(json.dumps({"active": "a", "keys": {"a": KEY}}))
        result = deployment.edit("jwt_keys", from_file=str(file))
        assert deployment.content()["vault_jwt_keys"]["keys"] == {"a": KEY}
        assert KEY not in str(result)

    def test_an_external_database_is_set_and_removed(self, deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
        typed(monkeypatch, b"postgresql://u:p@h/d")
        deployment.edit("database_url")
        with pytest.raises(UserError, match="not in use"):
            deployment.edit("database_password", random=True)
        typed(monkeypatch, b"")
        assert "removed vault_database_url" in deployment.edit("database_url")["msg"]
        assert "vault_database_url" not in deployment.content()

    def test_a_language_models_key_is_set_and_removed(self, deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "vault_model_api_key" not in deployment.content()
        key = f"gsk_{KEY}"
        piped(monkeypatch, f"{key}\n")
        result = deployment.edit("model_api_key")
        assert deployment.content()["vault_model_api_key"] == key
        assert key not in str(result)
        typed(monkeypatch, b"")
        assert "removed vault_model_api_key" in deployment.edit("model_api_key")["msg"]
        assert "vault_model_api_key" not in deployment.content()

    @pytest.mark.parametrize(
        ("name", "answer", "words"),
        [
            ("model_api_key", b"canary", "must have at least 16 characters"),
            ("model_api_key", b"<your canary here>", "placeholder"),
            ("checksum_key", b"canary", "must have at least 16 characters"),
            ("checksum_key", b"", "is empty or a placeholder"),
            ("checksum_key", b"changeme", "placeholder"),
            ("checksum_key", b"canary canary \xff canary", "printable ASCII"),
            ("jwt_keys", b"canary: [", "is not valid YAML or JSON"),
            ("jwt_keys", b"canary", "must be a mapping"),
            ("database_url", b"mysql://canary", "does not begin with postgresql://"),
            ("canarie", b"x", f"'canarie'.* {vault.short_names()}"),
            ("registry_login", b"canary", "must be like name:password"),
            ("mirror_login", b"canary", "must be like name:password"),
            ("", b"x", "which secret"),
            ("checksum_key", AnsiblePromptInterrupt("Ctrl-C"), "Ctrl-C"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, deployment: Deployment, monkeypatch: pytest.MonkeyPatch, name: str, answer: Any, words: str) -> None:
        before = deployment.path.read_bytes()
        typed(monkeypatch, answer)
        with pytest.raises(UserError, match=words) as caught:
            deployment.edit(name)
        assert "canary" not in str(caught.value)
        assert deployment.path.read_bytes() == before

    def test_no_value_is_no_value(self, deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
        piped(monkeypatch, "")
        with pytest.raises(UserError, match="standard input is empty"):
            deployment.edit("database_url")
        with pytest.raises(UserError, match="/no/file cannot be read: No such file"):
            deployment.edit("database_url", from_file="/no/file")

    @pytest.mark.parametrize("name", ["database_password", "jwt_keys", "checksum_key"])
    def test_a_new_random_value(self, deployment: Deployment, name: str) -> None:
        before = deployment.content()
        assert deployment.edit(name, random=True, check_mode=True)["changed"]
        assert deployment.content() == before
        result = deployment.edit(name, random=True)
        assert result["changed"]
        after = deployment.content()
        also = {"vault_database_login"} if name == "database_password" else set()
        assert {key for key in after if after[key] != before.get(key)} == {f"vault_{name}"} | also
        assert not re.search("[A-Za-z0-9_-]{43}", result["msg"].replace(str(deployment.path), ""))

    def test_what_others_keep_is_not_made_up(self, deployment: Deployment) -> None:
        with pytest.raises(UserError, match=r"not ours to change.*DO=edit"):
            deployment.edit("database_url", random=True)
        with pytest.raises(UserError, match=r"made by the language model's provider.*DO=edit.*secret=model_api_key"):
            deployment.edit("model_api_key", random=True)
        with pytest.raises(UserError, match=r"those who run what it opens.*DO=edit.*secret=mirror_login"):
            deployment.edit("mirror_login", random=True)
        with pytest.raises(UserError, match="rotate database_password"):
            deployment.edit("database_login", random=True)

    def test_check_mode_asks_nobody_and_changes_nothing(self, deployment: Deployment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        before = deployment.path.read_bytes()
        asked = typed(monkeypatch, b"typed-0123456789")
        assert deployment.edit("checksum_key", check_mode=True)["msg"].startswith("would set vault_checksum_key")
        (tmp_path / "short").write_text("short")
        with pytest.raises(UserError, match="at least 16"):
            deployment.edit("checksum_key", check_mode=True, from_file=str(tmp_path / "short"))
        assert asked == []
        assert deployment.path.read_bytes() == before

    def test_the_teams_vault_counts(self, deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
        deployment.team.write_bytes(deployment.path.read_bytes())
        before = deployment.path.read_bytes()
        typed(monkeypatch, b"typed-0123456789")
        deployment.edit("checksum_key")
        assert deployment.path.read_bytes() == before
        assert vaults.opened(deployment.team)[1]["vault_checksum_key"] == "typed-0123456789"


class TestRekey:
    """The password of all vaults."""

    def force(self, monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
        """Ansible's vault password is what this file holds, or prints."""
        secret: FileVaultSecret = get_file_vault_secret(str(file), loader=DataLoader())
        secret.load()
        monkeypatch.setattr(VaultSecretsContext, "_current", VaultSecretsContext([("default", secret)]))

    @pytest.mark.parametrize("ours", [True, False])
    def test_all_vaults_of_the_password(self, deployment: Deployment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ours: bool) -> None:
        password = deployment.password if ours else tmp_path / "elsewhere"
        password.write_bytes(deployment.password.read_bytes())
        password.chmod(0o600)
        second, foreign = deployment.config / "second/vault.yml", deployment.config / "foreign/vault.yml"
        for path in (second, foreign):
            path.parent.mkdir()
        second.write_bytes(deployment.path.read_bytes())
        foreign.write_bytes(VaultLib(SECRETS).encrypt("x: y", VaultSecret(b"another password")))
        deployment.team.write_bytes(VaultLib(SECRETS).encrypt("# of the team\nx: y", SECRETS[0][1], "team"))
        kept = foreign.read_bytes()
        content = deployment.content()
        source = CHECKOUT / "scripts/vault-password" if ours else password
        self.force(monkeypatch, source)
        before = {path: path.read_bytes() for path in (password, second, deployment.path, deployment.team)}

        assert deployment.rekey(check_mode=True)["changed"]
        assert {path: path.read_bytes() for path in before} == before
        result = deployment.rekey()

        assert {str(path) for path in before if str(path) in result["msg"]} == {str(path) for path in before}
        assert f"left alone: {foreign}" in result["msg"]
        assert foreign.read_bytes() == kept
        assert password.stat().st_mode & 0o777 == 0o600
        assert password.read_text().strip() not in result["msg"]
        self.force(monkeypatch, source)
        assert deployment.content() == content == vaults.opened(second)[1]
        assert deployment.team.read_bytes().startswith(b"$ANSIBLE_VAULT;1.2;AES256;team\n")
        assert not list(tmp_path.rglob("*.next-*"))

    def test_one_that_was_broken_off_is_finished_and_said(self, deployment: Deployment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        password = tmp_path / "elsewhere"
        password.write_bytes(deployment.password.read_bytes())
        self.force(monkeypatch, password)
        content = deployment.content()
        with monkeypatch.context() as power:
            power.setattr(vault_password, "finish", lambda *_: False)
            deployment.rekey()
        with pytest.raises(UserError, match="was finished now"):
            deployment.rekey()
        self.force(monkeypatch, password)
        assert deployment.content() == content
        assert deployment.rekey()["changed"]

    def test_a_program_of_somebody_else_is_refused(self, deployment: Deployment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        program = tmp_path / "program"
        program.write_text("#!/bin/sh\necho vault password of the tests\n")
        program.chmod(0o755)
        self.force(monkeypatch, program)
        before = deployment.path.read_bytes()
        with pytest.raises(UserError, match=f"comes from the program {program}"):
            deployment.rekey()
        assert deployment.path.read_bytes() == before

    @pytest.mark.parametrize("secrets", [SECRETS, [], SECRETS * 2])
    def test_a_password_of_no_file_is_refused(self, deployment: Deployment, monkeypatch: pytest.MonkeyPatch, secrets: Any) -> None:
        monkeypatch.setattr(VaultSecretsContext, "_current", VaultSecretsContext(secrets))
        with pytest.raises(UserError, match="does not come from one file"):
            deployment.rekey()


class TestPublicPassword:
    """A script that Ansible cannot execute would be taken for a file that holds the password."""

    @pytest.fixture
    def in_force(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
        def force(file: Path) -> None:
            secret: FileVaultSecret = get_file_vault_secret(str(file), loader=DataLoader())
            secret.load()
            monkeypatch.setattr(VaultSecretsContext, "_current", VaultSecretsContext([("default", secret)]))

        return force

    @pytest.fixture
    def not_executable(self, script: Script) -> Path:
        script.path.chmod(0o644)
        return script.path

    @pytest.mark.parametrize("label", [None, "team"])
    def test_what_opens_a_vault_is_known_without_ansible(self, label: str | None) -> None:
        made = VaultLib(SECRETS).encrypt("x: y\n" * 100, SECRETS[0][1], label)
        assert vault_password.opens(made, b"vault password of the tests")
        assert not vault_password.opens(made, b"another one")
        assert not vault_password.opens(made[:-20] + made[-9:], b"vault password of the tests")
        assert not vault_password.opens(b"x: y\n", b"vault password of the tests")

    def test_no_vault_is_made_with_it(self, tmp_path: Path, not_executable: Path, in_force: Callable[[Path], None]) -> None:
        in_force(not_executable)
        with pytest.raises(UserError, match=rf"would be the text of {not_executable}, as Ansible cannot execute it\. Make it executable"):
            vaults.write(tmp_path / "vault.yml", "x: y", new=True)
        assert not (tmp_path / "vault.yml").exists()

    def test_no_password_is_written_over_the_script(self, deployment: Deployment, in_force: Callable[[Path], None], not_executable: Path) -> None:
        text = not_executable.read_bytes()
        in_force(not_executable)
        with pytest.raises(UserError, match="cannot be executed, so its text would be the vault password"):
            deployment.run(vault_rekey, script=str(not_executable))
        assert not_executable.read_bytes() == text

    def test_every_text_that_the_script_had_is_known(self) -> None:
        """`scripts/vault-password` with another text needs that in plugins/plugin_utils/public_passwords.json too."""
        known, script = vault_password.public_passwords(), CHECKOUT / "scripts/vault-password"
        texts = [script.read_bytes()]
        git = ["git", "-C", str(CHECKOUT)]
        for commit in subprocess.run([*git, "log", "--format=%H", "--", script], capture_output=True, text=True, check=False).stdout.split():
            texts.append(subprocess.run([*git, "show", f"{commit}:scripts/vault-password"], capture_output=True, check=True).stdout)
        assert [text.splitlines()[:3] for text in texts if text.strip() not in known] == []
        assert [text.splitlines()[:3] for text in texts if text.replace(b"\n", b"\r\n").strip() not in known] == []

    @pytest.mark.parametrize("ours", [True, False], ids=["none yet", "a password file of ours"])
    @pytest.mark.parametrize("of_team", [True, False], ids=["of the team", "of one deployment"])
    @pytest.mark.parametrize("number", [0, 1, -2, -1], ids=["the first", "with CRLF", "the last", "with CRLF"])
    def test_a_vault_that_was_is_named_and_gets_a_password_of_its_own(
        self, deployment: Deployment, script: Script, in_force: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch, number: int, of_team: bool, ours: bool
    ) -> None:
        """Without git, and whatever password there is by now; what that one opens is lost by nothing."""
        monkeypatch.setenv("HOME", str(deployment.config.parent))
        script.path.chmod(0o755)
        content = yaml.safe_load(yaml.safe_dump(vault.new_vault()))
        second = deployment.config / "second/vault.yml"
        if ours:
            second.parent.mkdir()
            second.write_bytes(deployment.path.read_bytes())
        else:
            deployment.password.unlink()
        deployment.path.unlink()
        path, kept = deployment.path, [second] if ours else []
        if of_team:
            path = script.checkout / "group_vars/all/vault.yml"
            path.parent.mkdir(parents=True)
        path.write_bytes(VaultLib(SECRETS).encrypt(yaml.safe_dump(content), VaultSecret(vault_password.public_passwords()[number])))

        in_force(script.path)
        if of_team:  # Ansible reads it with all other variables
            assert VaultLib(VaultSecretsContext.current().secrets).decrypt(path.read_bytes())
        with pytest.raises(UserError, match=r"opens with the text of scripts/vault-password, which is public.*`make vault DO=rekey.*DO=rotate .*checksum_key"):
            vaults.opened(path)
        deployment.run(vault_rekey, script=str(script.path), team_path=str(script.checkout / "group_vars/all/vault.yml"))
        in_force(script.path)
        assert vaults.opened(path)[1] == content
        assert not vault_password.public_password(path.read_bytes())
        assert [vaults.opened(each)[1].keys() for each in kept] == [content.keys()] * len(kept)
        in_force(script.path)
        assert script().stdout.strip() not in map(bytes.decode, vault_password.public_passwords())
