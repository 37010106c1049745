"""Commands that have to do with the vault, and all of what they print, with every value that the vault or its password has meanwhile.

Values reach the system on standard input only, so that whatever of them shows in a process or a file was put there by the product.
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
from typing import Any

import pytest
import yaml
from conftest import OUTPUT, SYSTEM

CONFIG = "/home/tester/.config/todochat"
KUBECTL = "KUBECONFIG=/home/tester/.local/state/todochat/todo/kubeconfig /opt/todochat/bin/kubectl"
HELM = "KUBECONFIG=/home/tester/.local/state/todochat/todo/kubeconfig /opt/todochat/bin/helm --namespace todo"
PROCESSES = "/root/processes"
# Fits the schema and breaks whatever does not quote it; made anew each time, for this file is on the system too.
UNUSUAL = {
    "database_password": f"""{os.urandom(6).hex()}"'1/2?3&4%25=+@#:$(id)\\{{{{x}}}}""",
    "model_api_key": f"""gsk_{os.urandom(6).hex()}'"$(id)`\\&%s""",
    "checksum_key": f"""`{os.urandom(6).hex()}`-"$HOME"'\\%s""",
}
values: dict[str, str] = {}
"""Every value the vault or its password ever had, by a name that may be shown."""
states: set[str] = set()
"""The states of the vault and its password whose values are known."""
printed: dict[str, str] = {}
"""All that was printed, by command."""


@pytest.fixture(scope="session", autouse=True)
def _seen() -> Iterator[None]:
    """Whoever starts a process meanwhile is seen, and what the vault says to begin with is known."""
    OUTPUT.mkdir(exist_ok=True)
    root(f"rm -f {PROCESSES}; mkdir -p /root; systemctl reset-failed sampler 2> /dev/null; true")
    root(f"systemd-run --quiet --unit=sampler python3 /home/tester/todochat/molecule/vault/sampler.py {PROCESSES}")
    note_values()
    yield
    root("systemctl stop sampler; true")


def root(script: str, stdin: str = "", check: bool = True) -> str:
    """What a script of root's prints in the system."""
    done = subprocess.run(["docker", "exec", "-i", SYSTEM, "bash", "-c", script], input=stdin, capture_output=True, text=True, errors="replace", check=False)
    assert not check or done.returncode == 0, f"{script}: {done.stdout}{done.stderr}"
    return done.stdout


def give(command: str, stdin: str = "") -> tuple[bool, str]:
    """Whether a command of the user's succeeds, and what it prints, which is kept."""
    inside = ["docker", "exec", "-i", SYSTEM, "su", "--login", "tester", "--command", f"cd todochat && {command} 2>&1"]
    done = subprocess.run(inside, input=stdin, capture_output=True, text=True, errors="replace", check=False)
    keep(command, done.stdout + done.stderr)
    note_values()
    return done.returncode == 0, done.stdout + done.stderr


def keep(command: str, output: str) -> None:
    """What a command printed is searched later."""
    (OUTPUT / f"{SYSTEM}-{len(printed):02}.log").write_text(f"{command}\n{output}")
    printed[f"{len(printed):02} {command}"] = output


def passes(command: str, stdin: str = "") -> str:
    """What a command of the user's prints that must succeed."""
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
    known = set(values.values())
    content = read_vault()
    # a login's name is no secret
    found = {name: value for name, value in content.items() if isinstance(value, str) and name != "vault_database_login"}
    found |= {f"vault_jwt_keys {kid}": key for kid, key in content.get("vault_jwt_keys", {}).get("keys", {}).items()}
    if url := content.get("vault_database_url"):
        found["the password in vault_database_url"] = urllib.parse.unquote(urllib.parse.urlsplit(url).password or "")
    found["the vault password"] = root(f"cat {CONFIG}/vault-password 2> /dev/null || true").strip()
    values.update({f"{name} (number {len(values)})": value for name, value in found.items() if value and value not in known})


def forms(value: str) -> set[str]:
    """A value as it may be written: as it is, in JSON, quoted for a shell, for an address, in hexadecimal and in base64 as part of anything."""
    raw = value.encode()
    found = {value, json.dumps(value)[1:-1], repr(value)[1:-1], shlex.quote(value), urllib.parse.quote(value, safe=""), urllib.parse.quote(value), raw.hex()}
    found |= {urllib.parse.quote_plus(value), value.replace("'", "''"), raw.hex().upper()}
    for before, start in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(b"\0" * before + raw).decode()[start : (before + len(raw)) * 8 // 6]
        found |= {encoded, encoded.replace("+", "-").replace("/", "_")}
    return found


def shown_in(text: str) -> list[str]:
    """The names of the values that a text shows in any form."""
    return sorted(name for name, value in values.items() if any(form in text for form in forms(value)))


def secret_now(name: str) -> str:
    """A value of the Secret in the cluster."""
    return base64.b64decode(root(f"{KUBECTL} -n todo get secret backend-secrets -o jsonpath='{{.data.{name}}}'")).decode()


# What makes commands fail


@contextmanager
def done_and_undone(do: str, undo: str) -> Iterator[None]:
    """Something that root does is so meanwhile."""
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
