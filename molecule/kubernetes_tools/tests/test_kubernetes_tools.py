"""The programs run in the pinned versions, and nobody's own program is replaced."""

from __future__ import annotations

import os
import secrets
import shlex
import subprocess
from collections.abc import Iterator

import pytest
import yaml
from conftest import SYSTEM, Tester
from testinfra.host import Host

SUDOERS = "/etc/sudoers.d/tester"
PROMPT = "[sudo] password for tester: "
UP = "cd todochat && make up ARGS='--tags kubernetes_tools'"
COMMANDS = {"kubectl": "kubectl version --client", "helm": "helm version --short", "minikube": "minikube version"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_pinned_version_runs(tester: Tester, name: str) -> None:
    locked = yaml.safe_load(tester.sees("cat todochat/artifacts.lock.yml"))["artifacts"]
    assert locked[name]["version"] in tester.sees(COMMANDS[name])


def test_somebody_elses_program_stays(host: Host, tester: Tester) -> None:
    host.check_output("rm /usr/local/bin/helm && printf '#!/bin/sh\\necho mine\\n' > /usr/local/bin/helm && chmod +x /usr/local/bin/helm")
    tester.up_changes_nothing("--tags kubernetes_tools")
    assert tester.sees("helm") == "mine"


def test_a_damaged_program_is_replaced(host: Host, tester: Tester) -> None:
    host.check_output("echo damaged > /opt/todochat/bin/kubectl")
    passed, output = tester.up("--tags kubernetes_tools")
    assert passed, output
    assert "gitVersion" in tester.sees("kubectl version --client --output json")


def test_nothing_unfinished_is_left(host: Host) -> None:
    assert sorted(host.file("/opt/todochat/bin").listdir()) == ["helm", "kubectl", "minikube"]


# Where sudo asks


@pytest.fixture
def password(host: Host) -> Iterator[str]:
    """What sudo wants to hear from now on; and there is work for root."""
    password, before = secrets.token_hex(8), host.file(SUDOERS).content_string
    host.check_output("echo tester:%s | chpasswd", password)
    host.check_output("echo 'tester ALL=(ALL) ALL' > %s", SUDOERS)
    host.check_output("rm --force /opt/todochat/bin/minikube")
    yield password
    host.check_output("printf %s > %s", before, SUDOERS)
    assert host.file("/opt/todochat/bin/minikube").exists


def at_a_terminal(command: str, *answers: str) -> str:
    """What a command shows that succeeds at a terminal, where these passwords are typed, one whenever it asks."""
    inside = f"timeout 300 script --quiet --return --command {shlex.quote(command)} /dev/null"
    docker = ["docker", "exec", "--interactive", SYSTEM, "su", "--login", "tester", "--command", inside]
    with subprocess.Popen(docker, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        shown = b""
        for number, answer in enumerate(answers, 1):
            while shown.count(PROMPT.encode()) < number:
                block = os.read(process.stdout.fileno(), 4096)
                assert block, shown.decode()
                shown += block
            process.stdin.write(f"{answer}\r".encode())
            process.stdin.flush()
        shown += process.stdout.read()
    assert process.returncode == 0, shown.decode()
    return shown.decode()


def test_without_a_terminal_nobody_is_asked(tester: Tester, password: str) -> None:
    tester.refused("--tags kubernetes_tools", "sudo asks for a password and there is no terminal to type it at")
    at_a_terminal(UP, password)


def test_the_password_is_asked_for_again_after_a_slip_and_never_shown(password: str) -> None:
    shown = at_a_terminal(UP, "not-the-password", password)
    assert shown.count("sudo does not accept this password.") == 1
    assert password not in shown


def test_a_password_given_to_sudo_a_moment_before_counts_for_nothing(password: str) -> None:
    at_a_terminal(f"sudo --validate && {UP}", password, "not-the-password", password)
