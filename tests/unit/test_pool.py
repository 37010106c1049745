"""Jobs side by side: what waits for what, what runs alone, what is said, and how an interruption ends them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import pool
from pool import Job, Pool, estimate, order

TESTS = Path(__file__).resolve().parents[1]


class Bench:
    """Makes jobs that write down when they begin and end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes = folder / "notes"
        self.notes.touch()
        self.said: list[str] = []

    def job(self, name: str, does: str = "sleep 0.2", seconds: float = 1, needs: str = "", alone: bool = False, first: bool = False) -> Job:
        script = f"echo begin {name} >> {self.notes}; {does}; status=$?; echo end {name} >> {self.notes}; exit $status"
        return Job(name, ["sh", "-c", script], seconds, self.folder / f"{name}.log", needs, alone, first)

    def run(self, *jobs: Job, workers: int = 2) -> dict[str, str]:
        return Pool(self.folder, workers, self.said.append).run(jobs)

    def noted(self) -> list[str]:
        return self.notes.read_text().splitlines()

    def beside(self, name: str) -> set[str]:
        """The jobs that ran at some moment at which this one did."""
        lines = self.noted()
        running: set[str] = set()
        found: set[str] = set()
        for line in lines:
            what, which = line.split()
            running = running | {which} if what == "begin" else running - {which}
            found |= running if name in running else set()
        return found - {name}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(pool, "INOTIFY", tmp_path / "max_user_instances")
    pool.INOTIFY.write_text("128\n")
    return Bench(tmp_path)


def test_there_are_inotify_instances_for_all_of_them_and_afterwards_as_many_as_before(bench: Bench) -> None:
    assert bench.run(bench.job("a", f"test $(cat {pool.INOTIFY}) -ge 512"), workers=2) == {}
    assert pool.INOTIFY.read_text() == "128\n"
    pool.INOTIFY.write_text("4096\n")
    assert bench.run(bench.job("b", f"test $(cat {pool.INOTIFY}) = 4096"), workers=2) == {}


def test_as_many_run_side_by_side_as_there_is_room_for(bench: Bench) -> None:
    meet = f"for n in $(seq 100); do test $(grep -c begin {bench.notes}) -ge 2 && exit 0; sleep 0.05; done; exit 1"
    assert bench.run(bench.job("a", meet), bench.job("b", meet)) == {}


def test_never_more_than_that(bench: Bench) -> None:
    bench.run(*(bench.job(name) for name in "abc"), workers=1)
    assert bench.noted() == [f"{what} {name}" for name in "abc" for what in ("begin", "end")]


def test_what_asserts_seconds_runs_alone(bench: Bench) -> None:
    assert bench.run(bench.job("quick", alone=True, seconds=99), bench.job("a"), bench.job("b"), bench.job("c")) == {}
    assert bench.beside("quick") == set()
    assert bench.beside("a") | bench.beside("b") | bench.beside("c") != set()


def test_what_stands_on_a_state_waits_for_it(bench: Bench) -> None:
    bench.run(bench.job("cluster", needs="docker", first=True), bench.job("docker", first=True), bench.job("app", needs="cluster", seconds=99))
    noted = bench.noted()
    assert noted.index("end docker") < noted.index("begin cluster") < noted.index("end cluster") < noted.index("begin app")


def test_what_waits_for_a_job_that_need_not_run_begins_at_once(bench: Bench) -> None:
    assert bench.run(bench.job("app", needs="a state that is there")) == {}


def test_what_hangs_is_broken_off_and_shown(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "HANGS_SECONDS", 0.5)
    wrong = bench.run(bench.job("hangs", "echo asks for a word; sleep 600 & wait", seconds=0.1), bench.job("a"))
    assert wrong == {"hangs": "it was broken off after 0 s, as it hangs"}
    assert any("asks for a word" in text for text in bench.said)


def test_a_failure_is_shown_and_the_others_go_on(bench: Bench) -> None:
    wrong = bench.run(bench.job("bad", "echo the reason; false"), bench.job("on-bad", needs="bad"), bench.job("good"))
    assert wrong == {"bad": "it failed", "on-bad": "bad has not passed"}
    assert "end good" in bench.noted()
    assert "begin on-bad" not in bench.noted()
    assert any("the reason" in line and str(bench.folder / "bad.log") in line for line in bench.said)


def test_each_output_is_kept_apart(bench: Bench) -> None:
    bench.run(bench.job("a", "echo of a; echo error of a >&2"), bench.job("b", "echo of b"))
    assert (bench.folder / "a.log").read_text() == "of a\nerror of a\n"
    assert (bench.folder / "b.log").read_text() == "of b\n"


def test_what_is_wrong_after_a_pass_counts(bench: Bench) -> None:
    job = bench.job("a")
    job.after = lambda passed, seconds: f"{passed} after {seconds > 0}"
    assert bench.run(job) == {"a": "True after True"}


def test_the_longest_begins_first(bench: Bench) -> None:
    jobs = [bench.job("short", seconds=1), bench.job("alone", seconds=9, alone=True), bench.job("long", seconds=5), bench.job("state", first=True)]
    assert [job.name for job in order(jobs)] == ["state", "long", "short", "alone"]


@pytest.mark.parametrize(
    ("seconds", "alone", "workers", "whole"),
    [((6, 3, 3), False, 2, 6), ((6, 3, 3), False, 1, 12), ((6, 3, 3), True, 2, 12), ((), False, 2, 0)],
)
def test_the_whole_time_is_told_from_each_ones(bench: Bench, seconds: tuple[int, ...], alone: bool, workers: int, whole: int) -> None:
    jobs = [bench.job(str(number), seconds=each, alone=alone) for number, each in enumerate(seconds)]
    assert estimate(jobs, workers) == whole


def test_the_whole_time_counts_what_is_waited_for(bench: Bench) -> None:
    assert estimate([bench.job("state", seconds=5, first=True), bench.job("app", seconds=5, needs="state")], 2) == 10


def test_an_interruption_ends_what_runs_and_begins_no_more(bench: Bench) -> None:
    script = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background ignores it
sys.path.insert(0, {str(TESTS)!r})
from pathlib import Path
from pool import Job, Pool
folder = Path({str(bench.folder)!r})
note = lambda passed, seconds: (folder / "noted").write_text("") and ""
left = lambda: (folder / "removed").open("a").write("x") and None
starts = f"sleep 60 & echo $! >> {{folder}}/started; echo begin >> {{folder}}/notes; wait"
jobs = [Job(name, ["sh", "-c", starts], 1, folder / f"{{name}}.log", after=note, broken_off=left) for name in "abc"]
Pool(folder, 2, print).run(jobs)
"""
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 20
        while len(bench.noted()) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) != 0
    assert time.monotonic() - began < 20
    assert bench.noted() == ["begin", "begin"]
    assert not (bench.folder / "noted").exists(), "what was broken off has not failed"
    assert (bench.folder / "removed").read_text() == "xx"
    started = (bench.folder / "started").read_text().split()
    assert len(started) == 2
    assert [process for process in started if Path("/proc", process, "exe").exists()] == []
