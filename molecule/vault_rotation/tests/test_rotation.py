"""Secrets of a deployed application are rotated, and the password of the vaults is changed, also where that was broken off.

The order matters.
"""

from __future__ import annotations

import base64
import json
import os
import shlex
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from vault_commands import (
    CONFIG,
    KUBECTL,
    done_and_undone,
    note_values,
    passes,
    read_only_database,
    read_vault,
    refused,
    root,
    secret_now,
    unchangeable_secret,
)

pytest_plugins = ["vault_commands"]
ROUNDS = "/root/rounds"


@contextmanager
def somebody_at_work() -> Iterator[None]:
    """A user works with the application meanwhile, and nothing fails."""
    environment = "--property=WorkingDirectory=/home/tester/todochat --setenv=PYTHONPATH=.ansible/collections"
    root(f"rm -f {ROUNDS}; systemd-run --quiet --unit=user {environment} python3 -B molecule/vault/user.py {ROUNDS}")
    root(f"timeout 30 sh -c 'until test -s {ROUNDS}; do sleep 0.2; done'")
    try:
        yield
        before = len(root(f"cat {ROUNDS}").splitlines())
        # what follows the last restart counts too
        root(f"timeout 60 sh -c 'until test $(wc -l < {ROUNDS}) -ge {before + 10}; do sleep 0.2; done'")
    finally:
        root("systemctl stop user")
    rounds = root(f"cat {ROUNDS}").splitlines()
    assert [line for line in rounds if line != "well"] == []
    print(f"{len(rounds)} rounds of a user's, and all went well")


def pods(service: str) -> str:
    return root(f"{KUBECTL} -n todo get pods -l app.kubernetes.io/instance={service} --field-selector=status.phase=Running -o name")


def logins() -> dict[str, bool]:
    """The database's logins, and whether each can log in."""
    sql = "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname LIKE 'todo_app%'"
    rows = root(f"docker exec todo-database psql --username=postgres --tuples-only --no-align --command {shlex.quote(sql)}").split()
    return {name: can == "t" for name, can in (row.split("|") for row in rows)}


def the_password_is_brought_everywhere() -> None:
    """The login that the vault names is the only one that can log in, and the application has it."""
    vault = read_vault()
    login = vault["vault_database_login"]
    assert {name for name, can in logins().items() if can} == {login}
    assert f"//{login}:{urllib.parse.quote(vault['vault_database_password'], safe='')}@" in secret_now("database_url")
    assert "changed=0" in passes("make up")


@pytest.mark.parametrize("name", ["checksum_key", "jwt_keys", "database_password"])
def test_a_rotated_secret_is_in_what_runs_and_nobody_notices(name: str) -> None:
    before, backend, frontend = read_vault(), pods("backend"), pods("frontend")
    assert "changed=1" in passes(f"make vault DO=rotate ARGS='--check -e secret={name}'")
    assert read_vault() == before
    with somebody_at_work():
        passes(f"make vault DO=rotate ARGS='-vvv --diff -e secret={name}'")
    after = read_vault()
    also = {"vault_database_login"} if name == "database_password" else set()
    assert {key for key in after if after[key] != before.get(key)} == {f"vault_{name}"} | also
    root(f"{KUBECTL} -n todo wait --for=delete --timeout=60s {' '.join(backend.split())}")
    assert pods("frontend") == frontend
    if name == "jwt_keys":
        old, new = before["vault_jwt_keys"], after["vault_jwt_keys"]
        assert new["active"] not in old["keys"]
        assert new["keys"].items() > old["keys"].items()
        assert json.loads(secret_now("jwt_keys")) == new
    if name == "database_password":
        assert logins() == {"todo_app": False, "todo_app_2": True}
        the_password_is_brought_everywhere()


ROTATE = "make vault DO=rotate ARGS='-e secret=database_password'"


def test_a_setting_that_no_role_takes_is_refused_before_the_secret_has_a_new_value() -> None:
    before = read_vault()
    text = ROTATE.replace("-e", "-e app_release_backend_values=replicaCount=1 -e", 1)
    refused("Every setting is one that its role takes", text, "app_release_backend_values=replicaCount=1 is a text, not a mapping")
    assert read_vault() == before


def test_a_rotation_that_was_broken_off_is_finished_by_the_next_run() -> None:
    with read_only_database():
        refused("The database has its owner and its login", ROTATE, "read-only transaction")
    # the vault alone says so yet
    assert not logins()[read_vault()["vault_database_login"]]
    with somebody_at_work():
        passes("make up")
    the_password_is_brought_everywhere()
    with unchangeable_secret():
        refused("The backend finds its secrets in a namespace that admits restricted pods only", ROTATE, "no changes today")
    assert all(logins().values())
    before = read_vault()
    refused("The other login is free", ROTATE, "was broken off", "`make up`")
    assert read_vault() == before
    with somebody_at_work():
        passes("make up")
    the_password_is_brought_everywhere()
    refused("Both releases are as charts, images and secrets say", ROTATE.replace("-e", "-e app_release_timeout=1 -e", 1), "The rollout of backend")
    assert all(logins().values())
    with somebody_at_work():
        passes("make up")
    the_password_is_brought_everywhere()


def test_a_teams_vault_is_rotated_as_well() -> None:
    team = "/home/tester/todochat/group_vars/all/vault.yml"
    with done_and_undone(f"mv {CONFIG}/todo/vault.yml {team}", f"mv {team} {CONFIG}/todo/vault.yml"):
        passes(ROTATE)
    note_values()
    the_password_is_brought_everywhere()


def test_the_login_before_is_locked_by_the_next_run_where_that_was_not_done() -> None:
    (other,) = (name for name, can in logins().items() if not can)
    root(f"""docker exec todo-database psql --quiet --username=postgres --command "ALTER ROLE {other} LOGIN PASSWORD 'of before'" """)
    with read_only_database():
        refused("The other login is locked", "make up", "read-only transaction")
    # what runs may have it still
    passes("make up ARGS='--tags database,app_release'")
    assert all(logins().values())
    passes("make up")
    the_password_is_brought_everywhere()


def test_the_password_of_all_vaults_is_changed() -> None:
    before, password = read_vault(), root(f"cat {CONFIG}/vault-password")
    passes("make vault DO=create ARGS='-e deployment_name=second'")
    assert "would make" in passes("make vault DO=rekey ARGS=--check")
    assert root(f"cat {CONFIG}/vault-password") == password
    passes("make vault DO=rekey ARGS='-vvv --diff'")
    assert root(f"cat {CONFIG}/vault-password") != password
    assert read_vault() == before
    passes("make vault ARGS='-e deployment_name=second'")
    assert root(f"find {CONFIG} -type f | sort").split() == [f"{CONFIG}/{name}" for name in ("second/vault.yml", "todo/vault.yml", "vault-password")]
    root(f"rm -r {CONFIG}/second")


def test_a_change_of_the_password_that_was_broken_off_is_finished_by_the_next_command() -> None:
    before = read_vault()
    script = (
        "import runpy, sys; from pathlib import Path; v = runpy.run_path('plugins/plugin_utils/vault_password.py')\n"
        "v['switch'].__globals__['finish'] = lambda *_: None  # the power goes off here\n"
        f"c = Path('{CONFIG}'); v['switch'](c / 'vault-password', sys.stdin.buffer.read(), {{c / 'todo/vault.yml': Path('/dev/shm/new').read_bytes()}})"
    )
    new = base64.urlsafe_b64encode(os.urandom(32)).decode()
    encrypt = (
        f"cd todochat && cat > /dev/shm/p && cp {CONFIG}/todo/vault.yml /dev/shm/new && "
        ".venv/bin/ansible-vault rekey --new-vault-password-file /dev/shm/p /dev/shm/new"
    )
    root(f"su --login tester --command {shlex.quote(encrypt)}", new)
    root(f"su --login tester --command {shlex.quote(f'cd todochat && python3 -B -c {shlex.quote(script)}')}", new)
    root("rm /dev/shm/p /dev/shm/new")
    assert root(f"cat {CONFIG}/vault-password").strip() != new
    passes("make vault")
    assert root(f"cat {CONFIG}/vault-password").strip() == new
    assert read_vault() == before
    assert root(f"find {CONFIG} -type f | sort").split() == [f"{CONFIG}/todo/vault.yml", f"{CONFIG}/vault-password"]
