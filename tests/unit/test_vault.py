"""The vault's password script, its schema, and the action that makes and checks it."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret, VaultSecretsContext

from ansible_collections.todochat.platform.plugins.action import vault_file
from ansible_collections.todochat.platform.plugins.module_utils import vault
from ansible_collections.todochat.platform.plugins.module_utils.errors import UserError

CHECKOUT = Path(__file__).resolve().parents[2]
SECRETS = [("default", VaultSecret(b"vault password of the tests"))]


class Script:
    """scripts/vault-password, in a home and a checkout of its own."""

    def __init__(self, directory: Path) -> None:
        self.checkout = directory / "checkout"
        (self.checkout / "scripts").mkdir(parents=True)
        self.path = self.checkout / "scripts" / "vault-password"
        self.path.write_bytes((CHECKOUT / "scripts" / "vault-password").read_bytes())
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


def changed(**changes: Any) -> dict[str, Any]:
    """A good vault with `changes`; None takes a variable away."""
    return {name: value for name, value in {**vault.new_vault(), **changes}.items() if value is not None}


def test_a_new_vault_fits_and_is_never_the_same_twice() -> None:
    first, second = vault.new_vault(), vault.new_vault()
    assert vault.problems(first) == []
    assert set(first) == {"vault_database_password", "vault_jwt_keys", "vault_checksum_key"}
    assert all(first[name] != second[name] for name in first)
    assert vault.problems(yaml.safe_load(yaml.safe_dump(first))) == []


KEY = vault.random_key()


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
        (changed(vault_database_url="postgres.example/canary"), "must look like postgresql://"),
        (changed(vault_database_url="postgresql://u:<canary>@h/d"), "without placeholders"),
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
        vault_file.create(path, yaml.safe_dump(vault.new_vault()))
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert b"vault_" not in path.read_bytes()
        vault_file.check(path)
        before = path.read_bytes()
        with pytest.raises(UserError, match="Another run made the vault"):
            vault_file.create(path, "x: y")
        assert path.read_bytes() == before
        assert [entry.name for entry in path.parent.iterdir()] == ["vault.yml"]

    def test_another_password_is_said_to_be_that(self, tmp_path: Path) -> None:
        path = tmp_path / "vault.yml"
        self.write(path, yaml.safe_dump(vault.new_vault()), b"another password")
        with pytest.raises(UserError, match=r"vault\.yml does not open with the vault password in force"):
            vault_file.check(path)

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
            vault_file.check(path)
        message = str(caught.value)
        assert words in message
        assert f"ansible-vault edit {path}" in message
        assert "canary" not in message

    def test_clear_text_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "vault.yml"
        path.write_text(yaml.safe_dump(vault.new_vault()))
        with pytest.raises(UserError, match=r"is not encrypted\. Run `ansible-vault encrypt"):
            vault_file.check(path)
