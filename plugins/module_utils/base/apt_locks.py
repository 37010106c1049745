"""Waiting for whoever else is at work on Debian's packages, as at a machine's first boot. Plain Python: `bootstrap` uses it before there is anything else."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable

SECONDS = 300
POLL_SECONDS = 1
BUSY = re.compile(r"Could not get lock \S+(?: It is held by (process \d+(?: \([^)]*\))?))?|was locked by another (process)(?: with pid (\d+))?")
"""As apt says it, then dpkg."""


def patiently(run: Callable[[], subprocess.CompletedProcess[str]], tell: Callable[[str], object]) -> subprocess.CompletedProcess[str]:
    """What apt or dpkg has done as soon as it had its locks, or the last time it was told that it cannot have them. ``tell`` is given who has them."""
    deadline = time.monotonic() + SECONDS
    while (done := run()).returncode and (busy := BUSY.search(f"{done.stdout}{done.stderr or ''}")) and time.monotonic() < deadline:
        tell(f"waiting for {' '.join(filter(None, busy.groups())) or 'another process'}, which is at work on Debian's packages")
        time.sleep(POLL_SECONDS)
    return done
