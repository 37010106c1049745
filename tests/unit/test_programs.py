"""How programs are run: their environment, their user, and their time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.todochat.platform.plugins.module_utils.base import commands
from ansible_collections.todochat.platform.plugins.module_utils.base.commands import (
    Account,
    MissingProgramError,
    StuckProgramError,
    follow,
    run,
    start,
    which,
    within,
)
from ansible_collections.todochat.platform.plugins.module_utils.base.environment import VARIABLE, of_a_run

SAYS = "import json, os; os.umask(umask := os.umask(0)); print(json.dumps({**os.environ, 'umask': umask, 'folder': os.getcwd()}))"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run programs as somebody else")
Starter = Callable[[list[str], float], object]


def told(**options: object) -> dict[str, str]:
    """What a program is told."""
    done = run(sys.executable, "-c", SAYS, **options)  # type: ignore[arg-type]
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("LC_ALL", "de_AT.UTF-8"), ("LANG", "C"), ("LANGUAGE", "de"), ("TMPDIR", "/root/tmp"), ("TZ", "Asia/Kathmandu"), ("CDPATH", "/"), ("IFS", "x")),
        *(("PYTHONPATH", "/nowhere"), ("PYTHONHOME", "/nowhere"), ("PYTHONSTARTUP", "/nowhere"), ("LD_PRELOAD", "/nowhere.so"), ("BASH_ENV", "/x")),
        *(("KUBECONFIG", "/nowhere"), ("HELM_NAMESPACE", "other"), ("HELM_DRIVER", "configmap"), ("MINIKUBE_HOME", "/x"), ("MINIKUBE_PROFILE", "x")),
        *(("DOCKER_HOST", "tcp://192.0.2.1:2375"), ("DOCKER_CONTEXT", "other"), ("DOCKER_CONFIG", "/x"), ("BUILDX_BUILDER", "x")),
        *(("PGHOST", "192.0.2.1"), ("PGSERVICE", "x"), ("GIT_DIR", "/x"), ("GREP_OPTIONS", "-v"), ("MAKEFLAGS", "-n"), ("NODE_OPTIONS", "--x")),
        *(("ANSIBLE_CONFIG", ""), ("ANSIBLE_INVENTORY", "/x"), ("VIRTUAL_ENV", "/x"), ("COMPOSE_FILE", "/x"), ("XDG_CONFIG_HOME", "/x")),
    ],
)
def test_what_a_shell_has_left_reaches_no_program(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    without = told()
    monkeypatch.setenv(name, value)
    assert told() == without


def test_what_people_set_on_purpose_reaches_programs_and_proxies_only_those_that_go_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_INDEX_URL", "NPM_CONFIG_REGISTRY", "npm_config_registry", "GOPROXY", "SSL_CERT_FILE", "HTTPS_PROXY", "no_proxy"):
        monkeypatch.setenv(name, f"of {name}")
    assert {"PIP_INDEX_URL", "NPM_CONFIG_REGISTRY", "npm_config_registry", "GOPROXY", "SSL_CERT_FILE"} <= set(told())
    assert not {"HTTPS_PROXY", "no_proxy"} & set(told())
    assert told(outside=True)["HTTPS_PROXY"] == "of HTTPS_PROXY"


def test_the_callers_settings_come_in_a_private_file_where_another_user_runs_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    file.write_text('{"PIP_INDEX_URL": "https://user:password@index.example"}')
    monkeypatch.setenv(VARIABLE, str(file))
    monkeypatch.setenv("PIP_INDEX_URL", "roots own")
    assert told()["PIP_INDEX_URL"] == "https://user:password@index.example"


def test_a_locale_and_a_umask_are_always_the_same() -> None:
    before = os.umask(0o077)
    try:
        found = told()
    finally:
        os.umask(before)
    assert (found["LC_ALL"], found["umask"]) == ("C.UTF-8", 0o022)


@AS_ROOT
def test_a_program_of_another_user_has_that_users_home_and_groups() -> None:
    done = run("sh", "-c", "id -u; echo $HOME; echo $USER; pwd", account=Account.named("nobody"), folder=Path("/"))
    user, *rest = done.stdout.split()
    assert user != "0"
    assert rest == [os.path.expanduser("~nobody"), "nobody", "/"]


def ends(command: list[str], seconds: float) -> object:
    return run(*command, seconds=seconds)


def is_followed(command: list[str], seconds: float) -> object:
    return follow(command, lambda _: None, seconds=seconds)


def is_talked_to(command: list[str], seconds: float) -> object:
    process = start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process, within(seconds, process):
        assert process.stdout
        return process.stdout.read()


@pytest.mark.parametrize("way", [ends, is_followed, is_talked_to])
def test_what_does_not_end_is_ended_in_time_and_told(way: Starter) -> None:
    began = time.monotonic()
    with pytest.raises(StuckProgramError, match=r"`sh -c .*` did not end within 1 s, and was ended\. See what it waits for"):
        way(["sh", "-c", "echo first; exec sleep 60"], 1)
    assert time.monotonic() - began < 20


def has_ended(file: Path) -> bool:
    """Whether the process has ended whose number stands in a file, or does so in a moment: that which is killed is so a little later."""
    stat, deadline = Path("/proc", file.read_text().strip(), "stat"), time.monotonic() + 2
    while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z":
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("then", ["wait", "exit"], ids=["is waited for", "holds the pipe"])
@pytest.mark.parametrize("deaf", ["", "trap '' TERM; "], ids=["listens", "does not listen"])
@pytest.mark.parametrize("way", [ends, is_followed, is_talked_to])
def test_what_it_has_started_ends_with_it(way: Starter, deaf: str, then: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "END_SECONDS", 1)
    file = tmp_path / "process"
    with pytest.raises(StuckProgramError):
        way(["sh", "-c", f"{deaf}sleep 60 & echo $! > {file}; {then}"], 1)
    assert has_ended(file)


# Whoever is started by nohup, or in the background, does not hear of these.
HEARD = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); signal.signal(signal.SIGHUP, signal.SIG_DFL); "


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("call", ["run(*command)", "follow(command, print)"])
def test_who_ends_the_caller_ends_that_as_well(call: str, number: signal.Signals, tmp_path: Path) -> None:
    file = tmp_path / "process"
    command = ["sh", "-c", f"sleep 60 & echo $! > {file}.new; mv {file}.new {file}; wait"]
    code = f"{HEARD}from {follow.__module__} import follow, run; command = {command}; {call}"
    caller = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    deadline = time.monotonic() + 30
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    caller.send_signal(number)
    assert caller.wait(30) != 0
    assert has_ended(file)


# Popen returns once the program runs; here the signal comes before.
EARLY = """
import os, subprocess, time
class Popen(subprocess.Popen):
    def _execute_child(self, *arguments):
        super()._execute_child(*arguments)
        while not os.path.exists({file!r}): time.sleep(0.01)
        os.kill(os.getpid(), {number})
subprocess.Popen = Popen
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_program_that_has_just_been_started_is_ended_as_well(number: signal.Signals, tmp_path: Path) -> None:
    file = tmp_path / "process"
    command = ["sh", "-c", f"sleep 60 & echo $! > {file}.new; mv {file}.new {file}; wait"]
    code = HEARD + EARLY.format(file=str(file), number=int(number)) + f"from {follow.__module__} import run\nrun(*{command})"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL, env=environment, timeout=30, check=False)
    assert ended.returncode != 0
    assert has_ended(file)


def test_a_program_that_says_no_more_is_ended_as_well() -> None:
    with pytest.raises(StuckProgramError):
        is_followed(["sh", "-c", "exec sleep 60 >&- 2>&-"], 1)


def test_what_was_said_before_is_told() -> None:
    with pytest.raises(StuckProgramError) as raised:
        ends(["sh", "-c", "echo first; exec sleep 60"], 1)
    assert raised.value.details == "first"


@pytest.mark.parametrize("way", [ends, is_followed, is_talked_to])
def test_a_program_that_is_not_there_is_told(way: Starter) -> None:
    with pytest.raises(MissingProgramError, match=r"There is no no-such-program on this machine\. Run `make up`"):
        way(["no-such-program"], 5)
    assert which("no-such-program") is None


def test_lines_are_heard_one_by_one_whatever_they_hold() -> None:
    heard: list[str] = []
    status, lines = follow(["sh", "-c", "printf 'gr\\303\\274n\\n\\377\\n\\nlast'; echo error >&2; exit 3"], heard.append)
    assert (status, heard) == (3, lines)
    assert lines[:3] == ["grün", "\ufffd", ""]
    assert "last" in lines[3]


def test_a_run_keeps_what_it_is_asked_by() -> None:
    given = {"HOME": "/home/me", "TERM": "xterm", "EDITOR": "nano", "XDG_STATE_HOME": "/state", "PIP_INDEX_URL": "i", "https_proxy": "p", "MAKEFLAGS": "n"}
    found = of_a_run(given, os.geteuid(), Path("/venv/bin"))
    assert found.items() >= {key: value for key, value in given.items() if key != "MAKEFLAGS"}.items()
    assert "MAKEFLAGS" not in found
    assert found["PATH"].startswith("/venv/bin:/usr/local/sbin:")
