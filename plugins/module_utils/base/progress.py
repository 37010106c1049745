"""What a module is waiting for right now, as lines of JSON in one file that the view of the run follows."""

from __future__ import annotations

import json
import os
import re
import time
from typing import IO

COPY_SECONDS = 24 * 3600.0
"""For whatever is copied, however much that is."""
VARIABLE = "TODOCHAT_EVENTS"
"""Environment variable that names the file; the callback plugin makes the file and sets it."""


class TooLongError(OSError):
    """Something has not come to its end in the time that anything may take."""


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


def copy(source: IO[bytes], target: IO[bytes], what: str, size: int, copied: int = 0) -> None:
    """Copies a stream and tells, once a second, how far it is. ``size`` is 0 where nobody knows; ``copied`` is what was there before.

    Raises TooLongError.
    """
    told, deadline = 0.0, time.monotonic() + COPY_SECONDS
    read = getattr(source, "read1", source.read)  # what is there, so that a source of single bytes is noticed
    while block := read(1 << 20):
        target.write(block)
        copied += len(block)
        now = time.monotonic()
        if now > deadline:
            raise TooLongError(f"not at its end after {COPY_SECONDS:.0f} s and {copied} bytes")
        if now - told >= 1:
            waiting_for(f"{what}: {copied / 1e6:.0f}{f' of {size / 1e6:.0f}' if size else ''} MB")
            told = now
