"""A vault is made and filled with unusual values, and the whole site runs with them, all of it as verbosely as can be.

The order matters.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import subprocess
import urllib.parse

from conftest import SYSTEM
from vault_commands import CONFIG, UNUSUAL, give, keep, note_values, passes, read_vault, root, secret_now

pytest_plugins = ["vault_commands"]

# Until somebody reads a terminal as Ansible does: without waiting for a key.
READS = """timeout 60 sh -c 'until grep --quiet --no-messages "^flags:.*[4567]...$" $(
    find /proc/[0-9]*/fd/0 -lname "/dev/pts/*" 2>/dev/null | sed s,/fd/,/fdinfo/,) /dev/null; do sleep 0.1; done'"""


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
    inside = f"cd todochat && timeout 300 script --quiet --return --command {shlex.quote(command)} /dev/null"
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
        root(READS)  # what was typed before is thrown away
        process.stdin.write(answer.encode() + b"\r")
        process.stdin.flush()
        seen += process.stdout.read()
    keep(f"{command} (at a terminal)", seen.decode(errors="replace"))
    assert process.returncode == 0, seen
    return seen.decode(errors="replace")


def test_the_whole_site_runs_with_these_values() -> None:
    passes("make plan ARGS='-vvv --diff'")
    passes("make up ARGS='-vvv --diff'")
    assert urllib.parse.quote(UNUSUAL["database_password"], safe="") in secret_now("database_url")
    assert secret_now("model_api_key") == UNUSUAL["model_api_key"]
    assert "changed=0" in passes("make up")
    assert "Assistant " in passes("make status")
    passes("make status logs ARGS='-vvv --diff'")
    passes("make status logs")
