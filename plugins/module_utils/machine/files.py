"""Taking files and folders away, with care for what is mounted below them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.base.environment import is_alive
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for

PRIVATE = Path("/var/lib/todochat/run")


def take(path: Path) -> None:
    """Removes a file, or a folder with all in it."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        waiting_for(f"removing {path}")
        empty(path)
        remove_empty(path)


def empty(folder: Path) -> None:
    """Removes all in a folder; on what is mounted there nothing can be said, so it stays."""
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.is_symlink() or not entry.is_dir():
            entry.unlink()
        elif not entry.is_mount():
            shutil.rmtree(entry)


@contextmanager
def private(place: Path = PRIVATE) -> Iterator[Path]:
    """A folder for what nobody else may read, while the block lasts. What killed processes could not take away goes as well."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.chmod(0o700)
    for left in place.glob("[0-9]*-*"):
        if not is_alive(left.name.partition("-")[0]):
            shutil.rmtree(left, ignore_errors=True)  # another process may do so too
    with tempfile.TemporaryDirectory(prefix=f"{os.getpid()}-", dir=place) as folder:
        yield Path(folder)


def remove_empty(*folders: Path) -> None:
    """Removes the folders, in this order, that have nothing in them."""
    for folder in folders:
        with suppress(OSError):  # not there, not empty, or a mount point
            folder.rmdir()
