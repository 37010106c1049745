"""Runs jobs side by side, each with its output in a file of its own, and says meanwhile what runs and how long the rest will take."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

TELL_SECONDS = 60
# The systems of all jobs share one user's: a booted one with a cluster of three nodes takes up to 100. Without, systemd's units fail.
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_OF_A_JOB = 256
# In which what is broken off takes away what it has made.
END_SECONDS = 60
LAST_LINES = 60
# Many times of what it should take, and no short while: then it hangs, and its last lines tell where.
HANGS_TIMES, HANGS_SECONDS = 4, 20 * 60


@dataclass
class Job:
    """A command that is proof of something.

    ``seconds`` is how long it should take, ``needs`` the name of a job that has to pass first. Nothing runs beside one that is ``alone``.
    ``before`` and ``after`` are called around it: the latter with whether it passed, and seconds; it returns what is still wrong, or nothing.
    ``broken_off`` is called instead of the latter where it was: what it has made, and could not take away itself, goes.
    """

    name: str
    command: Sequence[str]
    seconds: float
    log: Path
    needs: str = ""
    alone: bool = False
    first: bool = False
    before: Callable[[], None] = lambda: None
    after: Callable[[bool, float], str] = lambda passed, _: "" if passed else "it failed"
    broken_off: Callable[[], None] = lambda: None
    began: float = field(default=0, init=False)


def order(jobs: Sequence[Job]) -> list[Job]:
    """What others wait for, then the longest first, what runs alone at last."""
    return sorted(jobs, key=lambda job: (job.alone, not job.first, -job.seconds))


def estimate(jobs: Sequence[Job], workers: int) -> float:
    """The seconds that all of them take, so many at a time."""
    ends: dict[str, float] = {}
    free = [0.0] * workers
    for job in order(jobs):
        worker = free.index(min(free))
        start = max(free) if job.alone else max(free[worker], ends.get(job.needs, 0.0))
        ends[job.name] = start + job.seconds
        free = [ends[job.name]] * workers if job.alone else [*free[:worker], ends[job.name], *free[worker + 1 :]]
    return max(free, default=0.0)


class Pool:
    """Runs jobs; an interruption ends what runs, with all that it has started, and starts no more."""

    def __init__(self, folder: Path, workers: int, say: Callable[[str], None]) -> None:
        self.folder = folder
        self.workers = workers
        self.say = say
        self.processes: set[subprocess.Popen[bytes]] = set()
        self.ending = threading.Event()

    def run(self, jobs: Sequence[Job]) -> dict[str, str]:
        """What is wrong with each job that has not passed, by name."""
        waiting, running = order(jobs), dict[Future[str], Job]()
        names = {job.name for job in jobs}
        passed: set[str] = set()
        wrong: dict[str, str] = {}
        told = time.monotonic()
        with inotify_instances(INOTIFY_OF_A_JOB * self.workers), ThreadPoolExecutor(self.workers) as threads:
            try:
                while waiting or running:
                    for job in [job for job in waiting if job.needs in wrong]:
                        waiting.remove(job)
                        wrong[job.name] = f"{job.needs} has not passed"
                    while ready := [job for job in waiting if self._may_start(job, running, passed, names)]:
                        job = ready[0]
                        waiting.remove(job)
                        job.began = time.monotonic()
                        self.say(f"{job.name} begins, about {minutes(job.seconds)}; to follow it: tail -f {job.log}")
                        running[threads.submit(self._one, job)] = job
                    ended, _ = wait(running, timeout=TELL_SECONDS, return_when=FIRST_COMPLETED)
                    for future in ended:
                        job = running.pop(future)
                        if problem := future.result():
                            wrong[job.name] = problem
                            last = job.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
                            self.say("\n".join([*(f"    {line}" for line in last), f"{job.name} has not passed: {problem}. All of it: {job.log}"]))
                        else:
                            passed.add(job.name)
                            self.say(f"{job.name} passed in {minutes(time.monotonic() - job.began)}, {len(waiting) + len(running)} to go")
                    if time.monotonic() - told > TELL_SECONDS and running:
                        told = time.monotonic()
                        self.say(self._state(waiting, list(running.values())))
            except BaseException:
                self.ending.set()
                self._end(list(self.processes))
                raise
        return wrong

    def _end(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        """They end, with all that they have started, and have a while to take away what they have made."""
        deadline = time.monotonic() + END_SECONDS
        for process in processes:
            signal_all(process, signal.SIGTERM)
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            signal_all(process, signal.SIGKILL)

    def _may_start(self, job: Job, running: dict[Future[str], Job], passed: set[str], names: set[str]) -> bool:
        if len(running) >= self.workers or any(other.alone for other in running.values()) or (running and job.alone):
            return False
        return job.needs not in names or job.needs in passed

    def _state(self, waiting: Sequence[Job], running: Sequence[Job]) -> str:
        now = time.monotonic()
        left = [Job(job.name, (), max(job.seconds - (now - job.began), 30), job.log) for job in running]
        runs = ", ".join(f"{job.name} ({minutes(now - job.began)} of about {minutes(job.seconds)})" for job in running)
        return f"  runs: {runs}; {len(waiting)} wait; about {minutes(estimate([*left, *waiting], self.workers))} left"

    def _one(self, job: Job) -> str:
        job.before()
        job.log.parent.mkdir(parents=True, exist_ok=True)
        with job.log.open("wb") as log:
            process = subprocess.Popen(job.command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
            self.processes.add(process)
            if self.ending.is_set():  # in between
                self._end([process])
            longest, hangs = max(HANGS_SECONDS, HANGS_TIMES * job.seconds), False
            try:
                process.wait(longest)
            except subprocess.TimeoutExpired:
                hangs = True
                self._end([process])
            self.processes.discard(process)
        if hangs or self.ending.is_set():
            job.broken_off()
        if self.ending.is_set():
            return "it was broken off"
        wrong = job.after(process.returncode == 0 and not hangs, time.monotonic() - job.began)
        return f"it was broken off after {minutes(longest)}, as it hangs" if hangs else wrong


@contextmanager
def inotify_instances(wanted: int) -> Iterator[None]:
    """At least so many for each user of this machine, for as long as this lasts."""
    found = INOTIFY.read_text(encoding="ascii")
    if int(found) >= wanted or not os.access(INOTIFY, os.W_OK):
        yield
        return
    INOTIFY.write_text(f"{wanted}\n", encoding="ascii")
    try:
        yield
    finally:
        INOTIFY.write_text(found, encoding="ascii")


def signal_all(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Tells a process, which began a session, and all in it."""
    with suppress(ProcessLookupError):  # they have ended
        os.killpg(process.pid, number)


def minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
