"""Whose turn it is on a deployment, whichever account calls. Each account's own lock says nothing to another; this record is root's."""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import re
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.environment import VARIABLE, began, is_alive
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for

POLL_SECONDS = 0.5
RECORDS = Path("/var/lib/todochat")
MODULE = re.compile(rb"AnsiballZ_|^[^\0]*python[\d.]*\0$")
"""How a module is called: as a file, or read from standard input."""


def in_the_way(records: Path = RECORDS) -> str:
    """Who else is at work on this run's deployment, in a sentence, after as long a wait as the run was told; empty where it has its turn, or only looks."""
    told = re.fullmatch(r"(.*/([^/]+))/environment-(\d+)\.json", os.environ.get(VARIABLE, ""))
    if os.geteuid() != 0 or not told or not records.is_dir():  # the first installation makes the folder
        return ""
    lock, run = Path(told[1], "run.lock"), int(told[3])
    mine = read(lock)
    if mine.get("pid") != run:
        return ""
    mine |= {"began": began(str(run)), "user": lock.stat().st_uid, "folder": told[1]}
    deadline = time.monotonic() + mine.get("wait", 0)
    while other := holder(records / f"{told[2]}.turn", mine):
        if time.monotonic() >= deadline:
            return other
        waiting_for(other)
        time.sleep(POLL_SECONDS)
    return ""


def holder(path: Path, mine: dict[str, Any]) -> str:
    """Who has the turn, or what is left of who had it; empty where it is this run's from now on, which the record says then."""
    record = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(record, fcntl.LOCK_EX)  # root's alone, and for a moment
        held = read(path)
        if held == mine:
            return ""
        if held.get("began") and held["began"] == began(str(held["pid"])):
            since = datetime.fromtimestamp(held["since"], UTC).astimezone().strftime("%H:%M:%S")
            return f"`{held['command']}` of {name_of(held['user'])}, process {held['pid']}, is at work on this deployment since {since}."
        if held.get("folder") and (left := left_at_work(Path(held["folder"]))):
            return left
        words = json.dumps(mine).encode()
        os.pwrite(record, words, 0)
        os.truncate(record, len(words))
        return ""
    finally:
        os.close(record)


def real_user(process: Path) -> int:
    """Who has started a process, whatever it has become since."""
    return int((process / "status").read_text().partition("\nUid:")[2].split(maxsplit=1)[0])


def left_at_work(folder: Path) -> str:
    """What a run that has ended, as by Ctrl-C, had begun and is not done: Ansible does not end a module that works as root."""
    of_a_run = re.compile(re.escape(f"{VARIABLE}={folder}".encode()) + rb"/environment-(\d+)\.json")
    left = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            if real_user(process) not in (0, os.geteuid()):
                continue  # anybody can call a process whatever they like, and have root's sudo ask for a password meanwhile
            command = (process / "cmdline").read_bytes()
            found = of_a_run.search(command)  # which sudo was told
            if not found and MODULE.search(command):
                with suppress(PermissionError):
                    found = of_a_run.search((process / "environ").read_bytes())
            if found and not is_alive(found[1].decode()):
                left.append(process.name)
    return f"What a run had begun that was ended is still at work on this deployment: process {', '.join(sorted(left, key=int))}." if left else ""


def read(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    return {}


def name_of(user: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(user).pw_name
    return f"user {user}"
