"""What a module is waiting for right now, as lines of JSON in one file that the view of the run follows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import IO, Any

VARIABLE = "TODOCHAT_EVENTS"
"""Environment variable that names the file; the callback plugin makes the file and sets it."""


def waiting_for(what: str) -> None:
    """Appends {"time": seconds since 1970, "waiting_for": what}. Without a file to write to, nothing happens."""
    path = os.environ.get(VARIABLE)
    if not path:
        return
    # an address may carry a user's name and password
    what = re.sub(r"://[^/\s@]*@", "://", what)
    line = json.dumps({"time": round(time.time(), 3), "waiting_for": what}) + "\n"
    try:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)  # root may write here: never make or follow anything
    except OSError:
        return  # a view that is gone must not stop the work
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def follow(command: Sequence[str], heard: Callable[[str], None], **options: Any) -> tuple[int, list[str]]:
    """Runs a command; returns its exit status and all lines it printed, each of which ``heard`` was given at once."""
    lines: list[str] = []
    options |= {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, text=True, errors="replace", **options) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            heard(lines[-1])
    return process.returncode, lines


def copy(source: IO[bytes], target: IO[bytes], what: str, size: int) -> None:
    """Copies a stream and tells, once a second, how far it is. ``size`` is 0 where nobody knows."""
    copied, told = 0, 0.0
    while block := source.read(1 << 20):
        target.write(block)
        copied += len(block)
        if time.monotonic() - told >= 1:
            waiting_for(f"{what}: {copied / 1e6:.0f}{f' of {size / 1e6:.0f}' if size else ''} MB")
            told = time.monotonic()
