"""What a module is waiting for right now, as lines of JSON in one file that the view of the run follows."""

from __future__ import annotations

import json
import os
import time

VARIABLE = "TODOCHAT_EVENTS"
"""Environment variable that names the file; the callback plugin makes the file and sets it."""


def waiting_for(what: str) -> None:
    """Appends {"time": seconds since 1970, "waiting_for": what}. Without a file to write to, nothing happens."""
    path = os.environ.get(VARIABLE)
    if not path:
        return
    line = json.dumps({"time": round(time.time(), 3), "waiting_for": what}) + "\n"
    try:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)  # root may write here: never make or follow anything
    except OSError:
        return  # a view that is gone must not stop the work
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)
