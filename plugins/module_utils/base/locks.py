"""Locks that are waited for, for a while."""

from __future__ import annotations

import fcntl
import time

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for

POLL_SECONDS = 0.2


def acquire(descriptor: int, seconds: float, what: str) -> None:
    """Locks an open file for this process alone; whatever ends a process gives back what it had locked.

    ``what`` is who may have it, as in "another run that adds to the store". Raises UserError when it is not free in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                remedy = "Wait until that has ended, or end it, then run the same command again."
                raise UserError(f"Waiting for {what} took more than {seconds:.0f} s", remedy) from None
        waiting_for(f"waiting for {what}")
        time.sleep(POLL_SECONDS)
