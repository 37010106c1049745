"""One run at a time changes a deployment, also where two accounts call."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.todochat.platform.plugins.module_utils.base import environment
from ansible_collections.todochat.platform.plugins.module_utils.base.turn import in_the_way

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the record is root's")
Run = Callable[[str, bool], subprocess.Popen[bytes]]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Begins a run of an account, as which the modules that follow are begun; it may only look."""
    (tmp_path / "records").mkdir()
    begun = []

    def begin(account: str, looks: bool = False) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(["sleep", "60"])
        begun.append(process)
        state = tmp_path / account / "todochat/todo"
        state.mkdir(parents=True, exist_ok=True)
        if not looks:
            (state / "run.lock").write_text(json.dumps({"command": "make up", "pid": process.pid, "since": 1.0}))
        monkeypatch.setenv(environment.VARIABLE, str(state / f"environment-{process.pid}.json"))
        return process

    yield begin
    for process in begun:
        process.kill()
        process.wait()


def test_another_accounts_run_is_named_until_it_has_ended(tmp_path: Path, begin: Run) -> None:
    records = tmp_path / "records"
    first = begin("one", False)
    assert [in_the_way(records), in_the_way(records)] == ["", ""]
    second = begin("two", False)
    assert in_the_way(records).startswith(f"`make up` of root, process {first.pid}, is at work on this deployment since ")
    first.kill()
    os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)  # nobody has asked yet how it ended
    assert in_the_way(records) == ""
    begin("one", False)
    assert f"process {second.pid}," in in_the_way(records)


def test_it_is_waited_for_as_long_as_the_run_was_told(tmp_path: Path, begin: Run) -> None:
    records = tmp_path / "records"
    first = begin("one", False)
    assert in_the_way(records) == ""
    second = begin("two", False)
    lock = tmp_path / "two/todochat/todo/run.lock"
    lock.write_text(json.dumps({"command": "make up", "pid": second.pid, "since": 2.0, "wait": 60}))
    ends = threading.Timer(1, first.kill)
    ends.start()
    began = time.monotonic()
    assert in_the_way(records) == ""
    assert 0.9 < time.monotonic() - began < 30


def test_what_is_left_of_another_accounts_run_is_in_the_way(tmp_path: Path, begin: Run) -> None:
    """Where a run is ended by SIGTERM, so is sudo, and nothing is left but root's Python, which nobody else can look into."""
    records = tmp_path / "records"
    first = begin("one", False)
    assert in_the_way(records) == ""
    with subprocess.Popen([sys.executable], stdin=subprocess.PIPE) as module:
        first.kill()
        first.wait()
        begin("two", False)
        assert in_the_way(records) == f"What a run had begun that was ended is still at work on this deployment: process {module.pid}."
        module.kill()
    assert in_the_way(records) == ""


def test_who_looks_is_in_nobodys_way_and_nobody_in_theirs(tmp_path: Path, begin: Run) -> None:
    records = tmp_path / "records"
    begin("one", True)
    assert in_the_way(records) == ""
    begin("two", False)
    assert in_the_way(records) == ""
    begin("one", True)
    assert in_the_way(records) == ""


def test_a_number_that_another_process_has_now_is_no_run(tmp_path: Path, begin: Run) -> None:
    records = tmp_path / "records"
    first = begin("one", False)
    assert in_the_way(records) == ""
    (record,) = records.iterdir()
    held = json.loads(record.read_text())
    assert held["pid"] == first.pid
    record.write_text(json.dumps(held | {"began": "1"}))
    begin("two", False)
    assert in_the_way(records) == ""


def test_nobody_else_can_read_the_record_or_hold_it(tmp_path: Path, begin: Run) -> None:
    begin("one", False)
    in_the_way(tmp_path / "records")
    (record,) = (tmp_path / "records").iterdir()
    assert stat.S_IMODE(record.stat().st_mode) == 0o600


def test_before_anything_is_installed_nothing_is_written(tmp_path: Path, begin: Run) -> None:
    begin("one", False)
    assert in_the_way(tmp_path / "nowhere") == ""
    assert not (tmp_path / "nowhere").exists()
