"""How programs are run: as whom, in which environment, and for how long at most. Nothing else in this collection starts one."""

from __future__ import annotations

import codecs
import os
import pwd
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

from ansible_collections.todochat.platform.plugins.module_utils.base.certain import certain
from ansible_collections.todochat.platform.plugins.module_utils.base.environment import of_a_program, path
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError

ANSWER_SECONDS = 120.0
"""For what answers a question."""
WORK_SECONDS = 3600.0
"""For what does something; well above the slowest that was seen."""
END_SECONDS = 5.0
POLL_SECONDS = 0.05
LAST_LINES = 30
NOTHING_MORE: Mapping[str, str] = MappingProxyType({})


class MissingProgramError(UserError):
    """There is no such program."""

    def __init__(self, program: str) -> None:
        super().__init__(f"There is no {program} on this machine", "Run `make up`, which installs what is missing.")


class StuckProgramError(UserError):
    """A program did not end in its time, and was ended."""

    def __init__(self, command: Sequence[str], seconds: float, details: str = "") -> None:
        shown = " ".join((os.path.basename(command[0]), *command[1:3]))
        super().__init__(
            f"`{shown}` did not end within {seconds:.0f} s, and was ended",
            "See what it waits for, such as a Docker that hangs (`docker info`) or a full disk (`df -h`), then run the same command again.",
            details,
        )


@dataclass(frozen=True)
class Account:
    """Whom a program runs as. ``groups`` are those besides the first."""

    user: int
    group: int
    groups: Sequence[int] = ()

    @classmethod
    def named(cls, name: str) -> Account:
        """A user, in the groups of now. Raises KeyError where there is none of that name."""
        found = pwd.getpwnam(name)
        return cls(found.pw_uid, found.pw_gid, tuple(os.getgrouplist(name, found.pw_gid)))


def run(
    *command: str,
    stdin: str | IO[bytes] = "",
    seconds: float = ANSWER_SECONDS,
    account: Account | None = None,
    variables: Mapping[str, str] = NOTHING_MORE,
    folder: Path | None = None,
    outside: bool = False,
) -> subprocess.CompletedProcess[str]:
    """What a program printed, and its exit status, whatever that is. Raises MissingProgramError and StuckProgramError.

    ``outside`` is whether it talks to others than this machine, so that proxies are for it.
    """
    text = stdin if isinstance(stdin, str) else None
    streams = {"stdin": stdin if text is None else subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with _running(command, folder, {**streams, "text": True, "errors": "replace", **_how(account, variables, folder, outside)}) as process:
        try:
            said, beside = process.communicate(text, seconds)
        except subprocess.TimeoutExpired as late:
            before = b"".join(part for part in (late.stdout, late.stderr) if isinstance(part, bytes))
            raise StuckProgramError(command, seconds, before.decode(errors="replace")) from None
    return subprocess.CompletedProcess(command, process.returncode, said, beside)


def must(*command: str, seconds: float = ANSWER_SECONDS, variables: Mapping[str, str] = NOTHING_MORE) -> str:
    """What a program prints that has to succeed. Raises UserError with its own words where it does not."""
    done = run(*command, seconds=seconds, variables=variables)
    if done.returncode:
        raise UserError(
            f"`{' '.join(command[:6])}` failed with exit status {done.returncode}.",
            "Mend what it says above, then run the same command again, which goes on where this one stopped.",
            done.stdout + done.stderr,
        )
    return done.stdout


def follow(
    command: Sequence[str],
    heard: Callable[[str], None],
    *,
    seconds: float = WORK_SECONDS,
    account: Account | None = None,
    variables: Mapping[str, str] = NOTHING_MORE,
    folder: Path | None = None,
    outside: bool = False,
) -> tuple[int, list[str]]:
    """A program's exit status, and all lines it printed, each of which ``heard`` was given at once. Raises as `run` does."""
    lines: list[str] = []
    deadline = time.monotonic() + seconds
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with _running(command, folder, {**streams, **_how(account, variables, folder, outside)}) as process:
        output = certain(process.stdout)
        decoder, rest = codecs.getincrementaldecoder("utf-8")("replace"), ""
        while select.select([output], [], [], max(0.0, deadline - time.monotonic()))[0]:
            block = os.read(output.fileno(), 1 << 16)
            *whole, rest = (rest + decoder.decode(block, final=not block)).split("\n")
            for line in [*whole, *([rest] if rest and not block else [])]:
                lines.append(line.rstrip())
                heard(lines[-1])
            if not block:
                with suppress(subprocess.TimeoutExpired):
                    return process.wait(max(0.0, deadline - time.monotonic())), lines
                break
        raise StuckProgramError(command, seconds, "\n".join(lines[-LAST_LINES:]))


def which(program: str) -> str | None:
    """Where a program is, None where there is none."""
    return shutil.which(program, path=path())


def start(command: Sequence[str], variables: Mapping[str, str] = NOTHING_MORE, **streams: Any) -> subprocess.Popen[bytes]:
    """A program to be talked to, within `within`; who starts it ends it. ``streams`` are its stdin, stdout and stderr, as Popen takes them."""
    try:
        return subprocess.Popen(command, **streams, **_how(None, variables, None, False))
    except FileNotFoundError as error:
        raise _missing(command, None, error) from None


@contextmanager
def within(seconds: float, process: subprocess.Popen[bytes]) -> Iterator[None]:
    """What is done with a process meanwhile ends in time: else it is ended, and StuckProgramError raised."""
    late = threading.Event()

    def end() -> None:
        late.set()
        _end(process)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if late.is_set():
            raise StuckProgramError([str(word) for word in process.args] if isinstance(process.args, list | tuple) else [str(process.args)], seconds)


@contextmanager
def _running(command: Sequence[str], folder: Path | None, options: Mapping[str, Any]) -> Iterator[subprocess.Popen[Any]]:
    """A program that runs meanwhile. Whatever breaks the block off ends it, with all that it has started: Ctrl-C and the signals below too."""

    early: list[int] = []
    starting = True

    def asked_to_end(number: int, _unused: object) -> None:
        if starting:  # what is not there yet cannot be ended
            early.append(number)
        elif number == signal.SIGINT:
            raise KeyboardInterrupt
        else:
            raise SystemExit(128 + number)

    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_DFL}
    ours = [number for number, handler in usual.items() if signal.getsignal(number) == handler]
    before = {number: signal.signal(number, asked_to_end) for number in ours if threading.current_thread() is threading.main_thread()}
    try:
        with subprocess.Popen(command, **options) as process:
            try:
                starting = False
                for number in early:
                    asked_to_end(number, None)
                yield process
            except BaseException:
                _end(process)
                raise
    except FileNotFoundError as error:
        raise _missing(command, folder, error) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(process: subprocess.Popen[Any]) -> None:
    """It ends, with all that it has started, which is the rest of its session; they have a moment for that."""
    deadline = time.monotonic() + END_SECONDS
    with suppress(ProcessLookupError):  # there is nothing left of it
        try:
            os.killpg(process.pid, signal.SIGTERM)
            while time.monotonic() < deadline:
                process.poll()  # who has ended is there until it was asked
                os.killpg(process.pid, 0)
                time.sleep(POLL_SECONDS)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def _how(account: Account | None, variables: Mapping[str, str], folder: Path | None, outside: bool) -> dict[str, Any]:
    user = os.geteuid() if account is None else account.user
    other = account is not None and user != os.geteuid()
    switch = {"user": account.user, "group": account.group, "extra_groups": list(account.groups)} if account is not None and other else {}
    return {"env": of_a_program(user, variables, outside), "cwd": folder, "umask": 0o022, "start_new_session": True, **switch}


def _missing(command: Sequence[str], folder: Path | None, error: FileNotFoundError) -> UserError:
    if folder and error.filename == str(folder):
        return UserError(f"There is no folder {folder}", "Put it back, then run the same command again.")
    return MissingProgramError(command[0])
