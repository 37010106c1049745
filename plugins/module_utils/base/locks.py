"""Locks that are waited for, for a while."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import TAKES_NO_MORE, UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for

POLL_SECONDS = 0.2


def opened(path: Path, owner: tuple[int, int] | None = None) -> int:
    """A lock file, for its owner and root alone: whoever can open a file can lock it, for as long as they like. Raises UserError."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        if error.errno in TAKES_NO_MORE:
            raise
        raise UserError(f"The lock {path} cannot be used: {error.strerror}", "Mend that, then run the same command again.") from None
    found = os.fstat(descriptor)
    if owner and os.geteuid() == 0 == found.st_uid:  # what root makes is its owner's
        os.fchown(descriptor, *owner)
    if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077 or found.st_uid not in {0, os.geteuid(), *(owner or ())[:1]}:
        os.close(descriptor)
        raise UserError(f"The lock {path} is not this user's alone, so anybody could hold it", "Remove it, then run the same command again.")
    return descriptor


def is_locked(descriptor: int) -> bool:
    """Whether a lock is this process's now."""
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def is_there(descriptor: int, path: Path) -> bool:
    """Whether an open lock is the one that others find; who held it may have taken it away."""
    with suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    return False


def acquire(descriptor: int, seconds: float, what: str) -> None:
    """Locks an open file for this process alone; whatever ends a process gives back what it had locked.

    ``what`` is who may have it, as in "another run that adds to the store". Raises UserError when it is not free in time.
    """
    deadline = time.monotonic() + seconds
    while not is_locked(descriptor):
        if time.monotonic() > deadline:
            remedy = "Wait until that has ended, or end it, then run the same command again."
            raise UserError(f"Waiting for {what} took more than {seconds:.0f} s", remedy)
        waiting_for(f"waiting for {what}")
        time.sleep(POLL_SECONDS)


@contextmanager
def alone(path: Path, seconds: float, what: str, owner: tuple[int, int] | None = None) -> Iterator[None]:
    """This process has a lock file meanwhile. Raises as `opened` and `acquire` do."""
    descriptor = opened(path, owner)
    try:
        acquire(descriptor, seconds, what)
        while not is_there(descriptor, path):
            os.close(descriptor)
            descriptor = opened(path, owner)
            acquire(descriptor, seconds, what)
        yield
    finally:
        os.close(descriptor)
