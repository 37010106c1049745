"""Backups by a schedule: what systemd is told, which files go, and what a drill says."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import script
from ansible.module_utils.testing import patch_module_args
from test_backup import ME, write

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.words import age
from ansible_collections.todochat.platform.plugins.module_utils.database import series
from ansible_collections.todochat.platform.plugins.module_utils.machine.timer import Task, Timer, backups
from ansible_collections.todochat.platform.plugins.modules import backup_schedule, database_backup, database_drill

GIVEN = {
    "deployment": "todo",
    "every": "daily",
    "user": ME,
    "checkout": "/home/me/to do",
    "variables": {"HOME": "/home/me", "XDG_STATE_HOME": "", "ANSIBLE_VAULT_PASSWORD_FILE": '/a b/100%"$x\\'},
    "settings": {"deployment_name": "todo", "artifact_store": "/a '$HOME' 100%/\"store\""},
}
# Says what it was asked, and that the timer waits for its time where it was enabled.
SYSTEMCTL = """#!/bin/sh
echo "$*" >> {folder}/asked
case $1 in
enable) touch {folder}/enabled ;;
disable) rm {folder}/enabled ;;
is-*) test -e {folder}/enabled ;;
show) cat {folder}/shown ;;
esac
"""


@pytest.fixture
def timer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Timer:
    """The timer of a machine whose systemd is a script."""
    program = tmp_path / "bin/systemctl"
    program.parent.mkdir()
    program.write_text(SYSTEMCTL.format(folder=tmp_path))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    return backups("todo", tmp_path)


def daily(every: str = "daily", keep: int = 7) -> Task:
    return backup_schedule.task({**GIVEN, "every": every}, keep)


def test_a_schedule_is_written_once_changed_and_taken_away(timer: Timer, tmp_path: Path) -> None:
    assert (timer.is_there(), timer.line(), timer.does(daily())) == (False, "", False)
    timer.let_do(daily())
    assert timer.does(daily())
    assert not timer.does(daily("weekly"))
    assert not timer.does(daily(keep=8))
    (tmp_path / "enabled").unlink()  # somebody has stopped it
    assert not timer.does(daily())
    timer.let_do(daily("weekly"))
    assert timer.does(daily("weekly"))
    assert "Persistent=true" in timer.timer.read_text()
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [line for line in asked if not line.startswith("is-")][:3] == [
        "daemon-reload",
        f"enable --quiet {timer.name}.timer",
        f"restart {timer.name}.timer",
    ]
    timer.remove()
    assert not timer.is_there()
    assert not (tmp_path / "enabled").exists()
    assert list((tmp_path / "etc/systemd/system").iterdir()) == []


@pytest.mark.parametrize(
    ("shown", "line"),
    [
        ("ActiveState=inactive\nResult=success\nExecMainStartTimestamp=Fri 10:00", "daily, the last run Fri 10:00"),
        ("ActiveState=inactive\nResult=success\nExecMainStartTimestamp=", "daily, the last run not known"),
        ("ActiveState=failed\nResult=exit-code\nExecMainStartTimestamp=Fri", "daily, the last run Fri, which failed: journalctl -u todochat-todo-backup"),
        ("ActiveState=activating\nResult=success\nExecMainStartTimestamp=Fri 10:00", "daily, runs now, since Fri 10:00"),
    ],
)
def test_the_state_tells_how_the_last_run_went(timer: Timer, tmp_path: Path, shown: str, line: str) -> None:
    timer.let_do(daily())
    (tmp_path / "shown").write_text(f"{shown}\n")
    assert timer.line() == line


def test_systemd_reads_what_was_meant(timer: Timer) -> None:
    timer.let_do(daily())
    lines = [line.partition("=") for line in timer.service.read_text().splitlines() if "=" in line and not line.startswith("#")]

    def read(value: str, special: str) -> list[str]:
        assert set(special) & set(value.replace("%%", "").replace("$$", "")) == set()
        # within its quotes systemd takes the same for special as a shell's parser
        return [one.replace("%%", "%") for one in shlex.split(value)]

    told = {name: [read(value, "%$" if name == "ExecStart" else "%") for other, _, value in lines if other == name] for name, _, _ in lines}
    assert told["User"] == [[ME]]
    assert told["Environment"] == [["HOME=/home/me"], ['ANSIBLE_VAULT_PASSWORD_FILE=/a b/100%"$x\\']]
    commands = [[one.replace("$$", "$") for one in command] for command in told["ExecStart"]]
    assert commands == [list(command) for command in daily().commands]
    assert [json.loads(command[8]) for command in commands] == [GIVEN["settings"]] * 2
    assert "keep=7" in commands[0]
    if analyze := shutil.which("systemd-analyze"):
        timer.service.write_text(timer.service.read_text().replace("/home/me/to do", "/").replace("User=", "User=root\n#"))
        done = subprocess.run([analyze, "verify", timer.service, timer.timer], capture_output=True, text=True, check=False)
        assert timer.name not in done.stdout + done.stderr


def test_nobody_is_asked_for_a_password_at_night() -> None:
    never = script.loaded("bootstrap").NEVER_ROOT
    assert all(never & set(command) for command in daily().commands)


def ran(module: Any, capsys: pytest.CaptureFixture[str], check: bool = False, **given: Any) -> dict[str, Any]:
    """What a module answers."""
    with patch_module_args({**given, "_ansible_check_mode": check}), pytest.raises(SystemExit):
        module.main()
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


@pytest.mark.parametrize(
    ("more", "system", "words"),
    [
        ({"every": "nightly"}, "systemd", "every=nightly is none of hourly, daily, weekly, monthly, off"),
        ({"keep": "0"}, "systemd", "keep=0 is not how many backups are to stay"),
        ({"keep": "seven"}, "systemd", "keep=seven is not how many"),
        ({}, "none", "systemd does not run here, so it cannot start backups. Have what starts tasks here, such as cron, run `make backup` and `make drill` as"),
        ({}, "systemd", f"{ME} cannot use Docker, nor could the group docker, and at night nobody is there to give a password"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_touched(
    timer: Timer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], more: dict[str, str], system: str, words: str
) -> None:
    docker = timer.root / "bin/docker"
    docker.write_text("#!/bin/sh\nexit 1\n")
    docker.chmod(0o755)
    monkeypatch.setattr(backup_schedule, "init_system", lambda: system)
    monkeypatch.setattr(backup_schedule, "backups", lambda _: timer)
    answer = ran(backup_schedule, capsys, **{**GIVEN, "keep": "7", **more})
    assert answer["failed"]
    assert words in answer["msg"]
    assert not timer.is_there()


def test_check_mode_says_what_would_be_and_a_second_time_is_none(timer: Timer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(backup_schedule, "group_for", lambda _: "")
    monkeypatch.setattr(backup_schedule, "backups", lambda _: timer)

    def schedule(every: str, check: bool = False) -> tuple[list[str], bool]:
        return ran(backup_schedule, capsys, check, **{**GIVEN, "every": every, "keep": "7"})["would"], timer.is_there()

    assert schedule("daily", check=True) == ([f"{timer.name} would run daily as {ME}, and keeps 7 backups"], False)
    assert schedule("daily") == ([f"{timer.name} runs daily as {ME}, and keeps 7 backups"], True)
    assert schedule("daily") == ([], True)
    assert schedule("off", check=True) == ([f"{timer.name} would be taken away"], True)
    assert schedule("off") == ([f"{timer.name} is taken away"], False)
    assert schedule("off") == ([], False)


def test_who_declined_the_group_docker_is_backed_up_with_it_and_told_what_that_means(
    timer: Timer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(backup_schedule, "backups", lambda _: timer)
    monkeypatch.setattr(backup_schedule, "init_system", lambda: "systemd")
    monkeypatch.setattr(backup_schedule.grp, "getgrnam", lambda name: SimpleNamespace(gr_gid={"docker": 4242}[name]))
    monkeypatch.setattr(backup_schedule, "may_use_docker", lambda account: 4242 in account.groups)
    given = {**GIVEN, "keep": "7"}
    runs, rights = ran(backup_schedule, capsys, True, **given)["would"]
    assert f"would run daily as {ME}" in runs
    assert rights.startswith(f"these runs have the group docker, in which {ME} is not: whatever can change that user's files")
    assert ran(backup_schedule, capsys, **given)["rights"] == rights
    assert f"User={ME}\n" in timer.service.read_text()
    assert "SupplementaryGroups=docker\n" in timer.service.read_text()
    monkeypatch.setattr(backup_schedule, "may_use_docker", lambda _: True)  # in the group by now
    assert ran(backup_schedule, capsys, **given)["rights"] == ""
    assert "SupplementaryGroups" not in timer.service.read_text()


SERIES = [f"todo-2026010{day}T030405Z-scheduled.tar" for day in range(1, 6)]
OTHERS = [
    *("todo-20250101T030405Z.tar", "todo-20250101T030405Z-before-7.tar", "todo-20250101T030405Z-before-restore.tar"),
    *("todo-2-20250101T030405Z-scheduled.tar", "todo-last-scheduled.tar", "copy of todo-20250101T030405Z-scheduled.tar"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a schedule's backups the first four, beside those that people and migrations made."""
    for name in (*SERIES[:4], *OTHERS):
        (tmp_path / name).touch()
    (tmp_path / "todo-20250102T030405Z-scheduled.tar").symlink_to(tmp_path / OTHERS[0])
    return tmp_path


@pytest.mark.parametrize(("keep", "going"), [(1, SERIES[:4]), (3, SERIES[:2]), (4, SERIES[:1]), (5, []), (9, [])])
def test_the_oldest_of_the_schedules_backups_go_and_no_others(folder: Path, keep: int, going: list[str]) -> None:
    assert [file.name for file in series.surplus(folder / SERIES[4], keep)] == going


def test_the_new_one_stays_whatever_the_clock_says(folder: Path) -> None:
    assert [file.name for file in series.surplus(folder / "todo-20240101T030405Z-scheduled.tar", 1)] == SERIES[:4]


def test_a_file_of_ones_own_is_no_schedules(folder: Path) -> None:
    with pytest.raises(UserError, match=r"keep=3 is about the backups of a schedule, and \S+mine.tar is not one of them"):
        series.surplus(folder / "mine.tar", 3)


class Nothing:
    """A container, or a session, that is not needed."""

    def __init__(self, *_: Any) -> None: ...

    def __enter__(self) -> Nothing:
        return self

    def __exit__(self, *_: object) -> None: ...

    def session(self, _: str) -> Nothing:
        return self

    def ask(self, _: str) -> None: ...


def taken(_: Any, __: Any, path: Path, *___: Any) -> Any:
    return write(path)


def not_taken(*_: Any) -> Any:
    raise UserError("The backup was not kept", "Mend it.")


@pytest.mark.parametrize(("take", "gone"), [(taken, SERIES[:2]), (not_taken, [])])
def test_old_backups_go_when_there_is_a_new_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], take: Callable[..., Any], gone: list[str]
) -> None:
    monkeypatch.setattr(database_backup, "Workbench", Nothing)
    monkeypatch.setattr(database_backup, "take", take)
    before = {path.name for path in folder.iterdir()}
    given = {"url": "postgresql://u:p@h/d", "image": "i", "file": str(folder / SERIES[4]), "owner": ME, "keep": "3"}
    answer = ran(database_backup, capsys, **given)
    assert answer.get("removed", []) == [str(folder / name) for name in gone]
    assert {path.name for path in folder.iterdir()} == before - set(gone) | ({SERIES[4]} if gone else set())
    answer = ran(database_backup, capsys, **{**given, "keep": "-1"})
    assert "keep=-1 is not how many backups are to stay" in answer["msg"]


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """What comes out of the next trial."""
    monkeypatch.setattr(database_drill, "Workbench", Nothing)
    monkeypatch.setattr(database_drill, "by_digest", lambda name: name)
    monkeypatch.setattr(database_drill, "known_revisions", lambda image: ["0003", "0002"] if image == "newer" else ["0001"])
    monkeypatch.setattr(database_drill, "need_room_for_a_trial", lambda _: None)
    return lambda wrong: monkeypatch.setattr(database_drill, "wrong_in", lambda *_: wrong)


def test_a_drill_says_in_one_sentence_that_it_passed(tmp_path: Path, trial: Callable[[str], None], capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "todo.tar"
    write(path)
    trial("")
    answer = ran(database_drill, capsys, image="i", application="newer", file=str(path))
    assert not answer["changed"]
    assert answer["would"].startswith(f"The drill passed: {path}, ")
    assert "old, holds todos 3; all of it came back in 0 s" in answer["would"]
    trial("it is not asked")
    assert ran(database_drill, capsys, True, image="i", file=str(path))["would"].startswith(f"would restore for a trial: {path}, ")


def test_a_drill_that_fails_names_the_file(tmp_path: Path, trial: Callable[[str], None], capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "todo.tar"
    write(path)
    trial("what comes out of it is not what went into it: todos (3 77 became 2 70)")
    words = ran(database_drill, capsys, image="i", file=str(path))["msg"]
    assert f"The backup {path} did not pass: what comes out of it" in words
    assert "schema is 0002, which the application's image does not know" in ran(database_drill, capsys, image="i", application="older", file=str(path))["msg"]
    path.write_bytes(path.read_bytes()[:5000] + b"x" + path.read_bytes()[5001:])
    assert f"The backup {path} is damaged" in ran(database_drill, capsys, image="i", file=str(path))["msg"]


@pytest.mark.parametrize(("seconds", "words"), [(-5, "0 s"), (1, "1 s"), (119, "119 s"), (150, "2 min"), (3 * 3600, "3 h"), (3 * 86400, "3 days")])
def test_a_span_has_the_unit_that_a_person_would_choose(seconds: float, words: str) -> None:
    assert age(seconds) == words
