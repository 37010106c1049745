"""The vault's life on a real system, then every task that handles a secret failed once, then a search for every value there ever was.

The order matters. All that is printed is kept and searched too. Values reach the system on standard input only, so that whatever of them
shows in a process or a file was put there by the product.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import subprocess
import urllib.parse
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

SYSTEM = "todochat-vault"
OUTPUT = Path(__file__).resolve().parents[3] / "tests/output"
CONFIG = "/home/tester/.config/todochat"
KUBECTL = "KUBECONFIG=/home/tester/.local/state/todochat/todo/kubeconfig /opt/todochat/bin/kubectl"
HELM = "KUBECONFIG=/home/tester/.local/state/todochat/todo/kubeconfig /opt/todochat/bin/helm --namespace todo"
NEEDLES = "/dev/shm/needles"
PROCESSES = "/root/processes"
ROUNDS = "/root/rounds"
# Fits the schema and breaks whatever does not quote it; made anew each time, for this file is on the system too.
UNUSUAL = {
    "database_password": f"""{os.urandom(6).hex()}"'1/2?3&4%25=+@#:$(id)\\{{{{x}}}}""",
    "checksum_key": f"""`{os.urandom(6).hex()}`-"$HOME"'\\%s""",
}
canaries: dict[str, str] = {}
"""Every value the vault or its password ever had, by a name that may be shown."""
states: set[str] = set()
"""The states of the vault and its password whose values are known."""
printed: dict[str, str] = {}
"""All that was printed, by command."""


def root(script: str, stdin: str = "", check: bool = True) -> str:
    """What a script of root's prints in the system."""
    done = subprocess.run(["docker", "exec", "-i", SYSTEM, "bash", "-c", script], input=stdin, capture_output=True, text=True, errors="replace", check=False)
    assert not check or done.returncode == 0, f"{script}: {done.stdout}{done.stderr}"
    return done.stdout


def give(command: str, stdin: str = "") -> tuple[bool, str]:
    """Whether a command of the user's succeeds, and what it prints, which is kept."""
    inside = ["docker", "exec", "-i", SYSTEM, "su", "--login", "tester", "--command", f"cd todochat && {command} 2>&1"]
    done = subprocess.run(inside, input=stdin, capture_output=True, text=True, errors="replace", check=False)
    printed[f"{len(printed):02} {command}"] = done.stdout + done.stderr
    (OUTPUT / f"{SYSTEM}-{len(printed) - 1:02}.log").write_text(f"{command}\n{done.stdout}{done.stderr}")
    note_values()
    return done.returncode == 0, done.stdout + done.stderr


def passes(command: str, stdin: str = "") -> str:
    passed, output = give(command, stdin)
    assert passed, f"{command}\n{output[-6000:]}"
    return output


def refused(task: str, command: str, *phrases: str, verbosely: bool = False) -> None:
    """The command fails at that task, and the end of what it prints says all of this; then also with -vvv, for the search."""
    passed, output = give(command)
    assert not passed, output
    end = " ".join(output[output.rindex("Failed: ") :].split())
    assert re.search(rf"^Failed: (.*: )?{re.escape(task)} \(after", end), end
    assert [phrase for phrase in ("Why: ", "What to do: ", *phrases) if phrase not in end] == [], output[-4000:]
    found = shown_in(output)
    assert not found, f"{command} shows {found}"
    if verbosely:
        passed, output = give(command.replace("ARGS='", "ARGS='-vvv --diff "))
        assert not passed, output


def read_vault() -> dict[str, Any]:
    """The vault, opened; the empty one where there is none."""
    view = f"test ! -e {CONFIG}/todo/vault.yml || su --login tester --command 'cd todochat && .venv/bin/ansible-vault view {CONFIG}/todo/vault.yml'"
    return yaml.safe_load(root(view)) or {}


def note_values() -> None:
    """What the vault says now is searched for later."""
    state = root(f"cat {CONFIG}/todo/vault.yml {CONFIG}/vault-password 2> /dev/null | sha256sum")
    if state in states:
        return
    states.add(state)
    known = set(canaries.values())
    content = read_vault()
    # a login's name is no secret
    values = {name: value for name, value in content.items() if isinstance(value, str) and name != "vault_database_login"}
    values |= {f"vault_jwt_keys {kid}": key for kid, key in content.get("vault_jwt_keys", {}).get("keys", {}).items()}
    if url := content.get("vault_database_url"):
        values["the password in vault_database_url"] = urllib.parse.unquote(urllib.parse.urlsplit(url).password or "")
    values["the vault password"] = root(f"cat {CONFIG}/vault-password 2> /dev/null || true").strip()
    canaries.update({f"{name} (number {len(canaries)})": value for name, value in values.items() if value and value not in known})


def forms(value: str) -> set[str]:
    """A value as it may be written: as it is, in JSON, quoted for a shell, for an address, in hexadecimal and in base64 as part of anything."""
    raw = value.encode()
    found = {value, json.dumps(value)[1:-1], repr(value)[1:-1], shlex.quote(value), urllib.parse.quote(value, safe=""), urllib.parse.quote(value), raw.hex()}
    found |= {urllib.parse.quote_plus(value), value.replace("'", "''"), raw.hex().upper()}
    for before, start in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(b"\0" * before + raw).decode()[start : (before + len(raw)) * 8 // 6]
        found |= {encoded, encoded.replace("+", "-").replace("/", "_")}
    return found


def needles() -> dict[str, str]:
    """All forms of all values, with the name of the value."""
    return {form: name for name, value in canaries.items() for form in forms(value)}


def shown_in(text: str) -> list[str]:
    """The names of the values that a text shows in any form."""
    return sorted({name for form, name in needles().items() if form in text})


def found_by(script: str) -> list[str]:
    """The names of the values in what a script of root's prints, or, as FILE:FORM, in the files its grep names; see $NEEDLES there."""
    known = needles()
    root(f"umask 077; cat > {NEEDLES}", "\n".join(known) + "\n")
    try:
        lines = root(f"NEEDLES={NEEDLES}; {script}", check=False).splitlines()
    finally:
        root(f"rm {NEEDLES}")
    hits = []
    for line in lines:
        where = next((f"{line[: -len(form)]}{name}" for form, name in known.items() if line.endswith(form)), line)
        hits.append(where)
    return sorted(set(hits))


def secret_now(name: str) -> str:
    """A value of the Secret in the cluster."""
    return base64.b64decode(root(f"{KUBECTL} -n todo get secret backend-secrets -o jsonpath='{{.data.{name}}}'")).decode()


@pytest.fixture(scope="module", autouse=True)
def _life() -> Iterator[None]:
    """Whoever starts a process meanwhile is seen."""
    OUTPUT.mkdir(exist_ok=True)
    root(f"rm -f {PROCESSES}; mkdir -p /root; systemctl reset-failed sampler 2> /dev/null; true")
    root(f"systemd-run --quiet --unit=sampler python3 /home/tester/todochat/molecule/vault/sampler.py {PROCESSES}")
    yield
    root("systemctl stop sampler; true")


# The vault's life


def test_a_vault_is_made_once_and_listed_without_values() -> None:
    passed, output = give("make vault")
    assert not passed
    assert "make vault DO=create" in output
    assert "would create" in passes("make vault DO=create ARGS=--check")
    assert "changed=1" in passes("make vault DO=create ARGS='-vvv --diff'")
    assert root(f"stat -c %a:%U {CONFIG}/todo/vault.yml {CONFIG}/vault-password").split() == ["600:tester"] * 2
    assert "changed=0" in passes("make vault DO=create")
    output = passes("make vault")
    assert re.search("vault_database_password +random", output)
    assert re.search("vault_database_url +empty", output)
    passes("make vault ARGS=-vvv")


def test_a_secret_is_set_from_standard_input_a_file_and_a_terminal() -> None:
    for name, value in UNUSUAL.items():
        passes(f"make vault DO=edit ARGS='-vvv --diff -e secret={name}'", value + "\n")
        assert read_vault()[f"vault_{name}"] == value
    key = base64.urlsafe_b64encode(os.urandom(33)).decode()
    root("umask 077; cat > /dev/shm/value; chown tester /dev/shm/value", json.dumps({"active": "kanarie", "keys": {"kanarie": key}}))
    passes("make vault DO=edit ARGS='-vvv --diff -e secret=jwt_keys -e from_file=/dev/shm/value'")
    assert read_vault()["vault_jwt_keys"]["keys"] == {"kanarie": key}
    assert "changed=0" in passes("make vault DO=edit ARGS='-e secret=jwt_keys -e from_file=/dev/shm/value'")
    root("rm /dev/shm/value")
    value = f"kanarie-typed-{os.urandom(12).hex()}"
    typed = at_a_terminal("make vault DO=edit ARGS='-e secret=checksum_key'", "not shown", value)
    assert read_vault()["vault_checksum_key"] == value
    assert value not in typed
    note_values()


def at_a_terminal(command: str, asks: str, answer: str) -> str:
    """What a command shows that asks for something at a terminal."""
    inside = f"cd todochat && script --quiet --return --command {shlex.quote(command)} /dev/null"
    with subprocess.Popen(
        ["docker", "exec", "-i", SYSTEM, "su", "--login", "tester", "--command", inside], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        seen = b""
        while asks.encode() not in seen:
            block = os.read(process.stdout.fileno(), 4096)
            assert block, seen
            seen += block
        process.stdin.write(answer.encode() + b"\r")
        process.stdin.flush()
        seen += process.stdout.read()
    printed[f"{len(printed):02} {command} (at a terminal)"] = seen.decode(errors="replace")
    assert process.returncode == 0, seen
    return seen.decode(errors="replace")


def test_what_is_given_wrongly_has_one_message_and_changes_nothing() -> None:
    before = read_vault()
    edit = "The secret is as given"
    rotate = "The secret can have a new value"
    names = "database_password, database_login, database_url, jwt_keys, checksum_key"
    refused(edit, "make vault DO=edit ARGS='-e secret=kanarienvogel' < /dev/null", "kanarienvogel", names)
    refused(edit, "make vault DO=edit ARGS='' < /dev/null", "It is not said which secret", "-e secret=NAME")
    refused(edit, "make vault DO=edit ARGS='-e secret=jwt_keys' < /dev/null", "standard input is empty", "from_file")
    refused(edit, "echo kanarie-is-no-ring | make vault DO=edit ARGS='-e secret=jwt_keys'", "must be a mapping", verbosely=True)
    refused(edit, "make vault DO=edit ARGS='-e secret=checksum_key -e from_file=/no/such'", "/no/such cannot be read: No such file")
    refused(rotate, "make vault DO=rotate ARGS='-e secret=database_url'", "external database", "DO=edit")
    assert read_vault() == before


def test_the_whole_site_runs_with_these_values() -> None:
    passes("make plan ARGS='-vvv --diff'")
    passes("make up ARGS='-vvv --diff'")
    assert urllib.parse.quote(UNUSUAL["database_password"], safe="") in secret_now("database_url")
    assert "changed=0" in passes("make up")
    passes("make status logs ARGS='-vvv --diff'")
    passes("make status logs")


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
        "import sys; from pathlib import Path; sys.path.insert(0, 'plugins/plugin_utils'); import vault_password as v\n"
        "v.finish = lambda *_: None  # the power goes off here\n"
        f"c = Path('{CONFIG}'); v.switch(c / 'vault-password', sys.stdin.buffer.read(), {{c / 'todo/vault.yml': Path('/dev/shm/new').read_bytes()}})"
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


# Every task that handles a secret fails once: its cause is readable. tests/unit/test_secrets.py knows which there are.


@contextmanager
def another_config(size: str = "1m") -> Iterator[str]:
    """A configuration folder of the user's in memory, with this vault and its password; the prefix that uses it."""
    root(f"mkdir -p /mnt/other && mount -t tmpfs -o size={size},mode=700,uid=$(id -u tester) tmpfs /mnt/other && cp -a {CONFIG} /mnt/other/todochat")
    try:
        yield "XDG_CONFIG_HOME=/mnt/other "
    finally:
        root("umount /mnt/other")


@contextmanager
def done_and_undone(do: str, undo: str) -> Iterator[None]:
    root(do)
    try:
        yield
    finally:
        root(undo)


def read_only_database() -> AbstractContextManager[None]:
    """Nothing can be changed in the database."""
    psql = "docker exec todo-database psql --quiet --username=postgres --command"
    readonly = f"{psql} 'ALTER SYSTEM SET default_transaction_read_only = on' --command 'SELECT pg_reload_conf()'"
    writable = (
        f"{psql} 'SET default_transaction_read_only = off; ' --command 'ALTER SYSTEM RESET default_transaction_read_only' --command 'SELECT pg_reload_conf()'"
    )
    return done_and_undone(readonly, writable)


def fill(folder: str) -> None:
    root(f"dd if=/dev/zero of={folder}/full bs=4k 2> /dev/null; true")


def test_a_vault_that_does_not_fit_stops_every_way_before_anything_is_touched() -> None:
    task = "A vault that is there opens and is complete"
    with another_config() as elsewhere:
        root("cp /mnt/other/todochat/todo/vault.yml /mnt/other/kept; echo 'another password of the vault' > /mnt/other/todochat/vault-password")
        refused(task, f"{elsewhere}make up ARGS='--tags app_secrets'", "does not open with the vault password in force", "ANSIBLE_VAULT_PASSWORD_FILE")
        text = yaml.safe_dump({**read_vault(), "vault_checksum_key": "changeme"})
        encrypt = "cd todochat && cat > $V && XDG_CONFIG_HOME=/mnt/other .venv/bin/ansible-vault encrypt $V".replace("$V", "/mnt/other/todochat/todo/vault.yml")
        root(f"su --login tester --command {shlex.quote(encrypt)}", text)
        for command in ("make stop ARGS=''", "make plan ARGS='--tags app_secrets'"):
            refused(task, elsewhere + command, "vault_checksum_key is empty or a placeholder", "ansible-vault edit /mnt/other")
        playbook = f"{elsewhere}python3 bootstrap -- ansible-playbook playbooks/app.yml"
        refused(task, playbook, "vault_checksum_key is empty or a placeholder")


def test_a_vault_that_cannot_be_written_is_as_before() -> None:
    before = read_vault()
    with another_config("64k") as elsewhere:
        fill("/mnt/other")
        value = "echo kanarie-never-written-0815 |"
        refused("The secret is as given", f"{value} {elsewhere}make vault DO=edit ARGS='-e secret=checksum_key'", "cannot be written: No space left")
        refused("The secret has a new value", f"{elsewhere}make vault DO=rotate ARGS='-e secret=jwt_keys'", "cannot be written: No space left")
        refused("The vaults have a new password", f"{elsewhere}make vault DO=rekey ARGS=''", "No space left")
        root(f"diff --recursive {CONFIG} /mnt/other/todochat")
        root("rm /mnt/other/todochat/todo/vault.yml; chmod 500 /mnt/other/todochat/todo")
        arguments = "ARGS='-e database_reset_password=true --tags vault'"
        refused("The vault opens and is complete", f"{elsewhere}make up {arguments}", "cannot be written: Permission denied")
        refused("The vault opens and is complete", f"{elsewhere}make vault DO=create ARGS=''", "cannot be written: Permission denied")
        refused("There is a password", f"{elsewhere}make up ARGS='-e database_reset_password=true --tags database_configure'", "--tags vault")
    assert read_vault() == before


def test_a_password_that_comes_from_a_program_is_refused() -> None:
    script = "/home/tester/my-password"
    with done_and_undone(f"printf '#!/bin/sh\\ncat {CONFIG}/vault-password\\n' > {script}; chmod 755 {script}", f"rm {script}"):
        command = f"ANSIBLE_VAULT_PASSWORD_FILE={script} make vault DO=rekey ARGS=''"
        refused("The vaults have a new password", command, f"comes from the program {script}")


def test_a_database_that_cannot_be_asked_is_named() -> None:
    hba = "/var/lib/docker/volumes/todo-database/_data/pgdata/pg_hba.conf"
    again = "docker kill --signal HUP todo-database"
    with done_and_undone(f"cp -p {hba} {hba}.kept && sed -i '1i local all all reject' {hba} && {again}", f"mv {hba}.kept {hba} && {again}"):
        refused("The database is compared with what is asked", "make up ARGS='--tags database'", "todo-database refused", "pg_hba.conf rejects connection")
    with done_and_undone("docker pause todo-database", "docker unpause todo-database"):
        refused("The database has its owner and its login", "make up ARGS='--tags database'", "does not accept connections (it is paused")
    away = "docker stop todo-database"
    with done_and_undone(away, "docker start todo-database"):
        refused("What runs is what was built, and a user's way through the application works", "make up ARGS='--tags app_check'", "todo-database")
        refused("An earlier revision serves again", "make rollback TO=99", "There is no revision 99")
    # another container has its address
    taken = "docker rm --force todo-database && docker run --detach --name taken --network todo --ip 192.168.85.251 --entrypoint sleep"
    image = "$(docker container inspect --format '{{.Config.Image}}' todo-registry) 600"
    with done_and_undone(f"{taken} {image}", "docker rm --force taken"):
        refused("The database container runs on its volume", "make up ARGS='--tags database'", "Address already in use")
    passes("make up ARGS='--tags database'")


def test_an_external_database_that_does_not_answer_is_named_without_its_password() -> None:
    passes("make vault DO=edit ARGS='-e secret=database_url'", f"postgresql://u:{os.urandom(9).hex()}%2F@127.0.0.1:9/d\n")
    refused("The external database can be reached", "make up ARGS='--tags database'", "127.0.0.1:9", "ansible-vault edit")
    passes("make vault DO=edit ARGS='-e secret=database_url'", "\n")


def test_another_password_than_the_databases_is_refused_until_a_reset_is_asked_for() -> None:
    passes("make vault DO=edit ARGS='-e secret=database_password'", f"kanarie-other-{os.urandom(12).hex()}\n")
    refused(
        "What was asked fits this machine, its Docker and the database",
        "make up ARGS='--tags preflight'",
        "has another password than the vault says",
        verbosely=True,
    )
    with read_only_database():
        refused(
            "The database has its owner and its login",
            "make up ARGS='-e database_reset_password=true --tags database'",
            "read-only transaction",
            verbosely=True,
        )


REFUSAL = [
    {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "no-changes"},
        "spec": {
            "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["secrets"]}]},
            "validations": [{"expression": "object.metadata.name != 'backend-secrets'", "message": "no changes today"}],
        },
    },
    {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "no-changes"},
        "spec": {"policyName": "no-changes", "validationActions": ["Deny"]},
    },
]


@contextmanager
def unchangeable_secret() -> Iterator[None]:
    """The cluster takes no change of the Secret."""
    touch = f"{KUBECTL} -n todo annotate secret backend-secrets --overwrite --dry-run=server touched=now"
    refuse = f"{KUBECTL} apply -f - > /dev/null; timeout 60 sh -c 'while {touch} > /dev/null 2>&1; do sleep 0.2; done'"
    root(refuse, json.dumps({"apiVersion": "v1", "kind": "List", "items": REFUSAL}))
    try:
        yield
    finally:
        root(f"{KUBECTL} delete validatingadmissionpolicybinding,validatingadmissionpolicy no-changes; timeout 60 sh -c 'until {touch}; do sleep 0.2; done'")


def test_a_cluster_that_refuses_or_does_not_answer_is_named() -> None:
    task = "The backend finds its secrets in a namespace that admits restricted pods only"
    arguments = "-e database_reset_password=true --tags app_secrets"
    with unchangeable_secret():
        refused(task, f"make up ARGS='{arguments}'", "the cluster refused the Secret", "no changes today", verbosely=True)
    config = "/home/tester/.local/state/todochat/todo/kubeconfig"
    root(f"sed 's,\\(server: https://[^:]*\\):.*,\\1:1,' {config} > /home/tester/nobody; chown tester /home/tester/nobody")
    refused(task, f"make up ARGS='{arguments} -e app_secrets_kubeconfig=/home/tester/nobody'", "the cluster cannot be asked", "refused")
    root("rm /home/tester/nobody")


def test_a_wrong_login_is_named_by_the_rollout() -> None:
    # the Secret has the vault's password, the database another one
    arguments = "-e database_reset_password=true -e app_release_timeout=30 --tags app_secrets,app_release"
    refused("Both releases are as charts, images and secrets say", f"make up ARGS='{arguments}'", "The rollout of backend", verbosely=True)
    assert all("password authentication failed for user" in text for text in list(printed.values())[-2:])
    passes("make up ARGS='-e database_reset_password=true'")
    assert "changed=0" in passes("make up")


# The search


KEPT = {
    f"{CONFIG}/vault-password": "the password itself, its owner's alone",
    "/var/lib/docker/volumes/todo/_data/lib/minikube/etcd": "etcd's data: the Secret lives there",
}
"""Where a value has to be. The encrypted vault needs no exception, and neither does PostgreSQL, which keeps a verifier."""
PLACES = {
    "processes, by command line and environment": f"grep -aoFf $NEEDLES {PROCESSES}",
    "all revisions of the releases": f"""
        for release in backend frontend; do
            for revision in $({HELM} history $release -o json | grep -o '"revision":[0-9]*' | cut -d: -f2); do
                {HELM} get all $release --revision $revision
            done
        done | grep -aoFf $NEEDLES""",
    "all objects of the cluster but the Secret": f"""
        for kind in $({KUBECTL} api-resources --verbs=list -o name); do
            {KUBECTL} get $kind -A -o yaml $([ $kind != secrets ] || echo --field-selector=metadata.name!=backend-secrets)
        done | grep -aoFf $NEEDLES""",
    "logs of all pods": f"""
        {KUBECTL} get pods -A --no-headers | while read -r namespace pod rest; do
            {KUBECTL} -n $namespace logs --all-containers $pod
            {KUBECTL} -n $namespace logs --all-containers --previous $pod
        done 2> /dev/null | grep -aoFf $NEEDLES""",
    "logs and settings of all containers": "for id in $(docker ps -aq); do docker logs $id; docker inspect $id; done 2>&1 | grep -aoFf $NEEDLES",
    "journals": "{ journalctl --no-pager; docker exec todo journalctl --no-pager; } | grep -aoFf $NEEDLES",
    "layers of all images": "docker save $(docker images -q) | grep -aoFf $NEEDLES",
    "compressed layers in the registry and in the node": """
        cd /var/lib/docker/volumes
        find todo-registry/_data todo/_data/lib/containerd/io.containerd.content.v1.content -type f -exec zgrep -aoFHf $NEEDLES {} +""",
    "what the node has in memory": "docker exec -i todo grep -raoFHf /dev/stdin /run /tmp --exclude-dir=rootfs < $NEEDLES",
    "all files": "grep -raoFHf $NEEDLES --devices=skip --exclude=processes $(find / -maxdepth 1 -type d ! -name / ! -name proc ! -name sys ! -name dev)",
}


def test_nothing_that_was_printed_shows_a_value() -> None:
    assert {command: found for command, text in printed.items() if (found := shown_in(text))} == {}
    assert len(canaries) > 12, sorted(canaries)


@pytest.mark.parametrize("place", PLACES)
def test_no_value_is_found_in(place: str) -> None:
    root("systemctl stop sampler; true")
    found = [hit for hit in found_by(PLACES[place]) if not any(hit.startswith(f"{path}{end}") for path in KEPT for end in (":", "/"))]
    assert found == []


def test_the_search_finds_what_is_planted() -> None:
    """Each place can be searched: a value that is there is found, in each form."""
    value = next(iter(canaries.values()))
    for number, form in enumerate(sorted(forms(value))):
        assert shown_in(f"x{form}y"), number
    root("cat > /var/lib/planted", f"before {base64.b64encode(value.encode()).decode()}")
    try:
        assert [hit for hit in found_by("grep -raoFHf $NEEDLES /var/lib/planted") if hit.startswith("/var/lib/planted:")]
    finally:
        root("rm /var/lib/planted")
