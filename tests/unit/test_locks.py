"""Locks: whoever has no business with one cannot hold it, and what is taken away is no lock any more."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.todochat.platform.plugins.module_utils.base import locks
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.images.pushed import Pushed
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store

ROOT = Path(__file__).resolve().parents[2]
# Locks all that it can open in a folder, the folder too, then says so.
HOLDS = """
import fcntl, os, sys, time
for there in (sys.argv[1], *(os.path.join(found, name) for found, folders, files in os.walk(sys.argv[1]) for name in (*folders, *files))):
    try:
        fcntl.flock(os.open(there, os.O_RDONLY), fcntl.LOCK_EX)
    except PermissionError:
        pass
print("held", flush=True)
time.sleep(60)
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another account")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """One that everybody can look into; pytest's own are closed to others."""
    closed = [path for path in (tmp_path, *tmp_path.parents[:2]) if not path.stat().st_mode & 0o005]
    before = [path.stat().st_mode for path in closed]
    for path in closed:
        path.chmod(0o755)
    yield tmp_path
    for path, mode in zip(closed, before, strict=True):
        path.chmod(mode)


def store(folder: Path) -> None:
    artifact = next(artifact for artifact in Lock(ROOT / "artifacts.lock.yml").artifacts.values() if not artifact.is_image)
    with Store(folder).adding(artifact, origin="built") as target:
        target.write_bytes(b"content")


def pushed(folder: Path) -> None:
    Pushed(folder / "images.json").keep("image", "tag", "sha256:0")


@as_root
@pytest.mark.parametrize("use", [store, pushed])
def test_nobody_else_can_hold_it(folder: Path, monkeypatch: pytest.MonkeyPatch, use: Callable[[Path], None]) -> None:
    use(folder)
    monkeypatch.setattr("ansible_collections.todochat.platform.plugins.module_utils.store.store.WORK_SECONDS", 2)
    monkeypatch.setattr("ansible_collections.todochat.platform.plugins.module_utils.images.pushed.ANSWER_SECONDS", 2)
    other = subprocess.Popen(["/usr/bin/python3", "-c", HOLDS, str(folder)], stdout=subprocess.PIPE, text=True, user=65534, group=65534, extra_groups=[])
    assert other.stdout
    assert other.stdout.readline() == "held\n"
    try:
        use(folder)
    finally:
        other.kill()
        other.communicate()


def planted(how: str, path: Path) -> None:
    if how == "a link":
        path.symlink_to("/etc/passwd")
    elif how == "a queue":
        os.mkfifo(path, 0o600)
    else:
        path.touch()
        path.chmod(0o644 if how == "one that all can open" else 0o600)
        os.chown(path, *((65534, 65534) if how == "another's" else (os.geteuid(), os.getegid())))


@pytest.mark.parametrize("how", ["a link", "a queue", "one that all can open", pytest.param("another's", marks=as_root)])
def test_what_somebody_has_put_there_is_no_lock(tmp_path: Path, how: str) -> None:
    planted(how, tmp_path / "lock")
    with pytest.raises(UserError, match=f"The lock {tmp_path}/lock "), locks.alone(tmp_path / "lock", 1, "another"):
        pass


def test_one_that_is_had_is_waited_for_and_told(tmp_path: Path) -> None:
    late = pytest.raises(UserError, match=r"Waiting for another run took more than 0 s\.")
    with locks.alone(tmp_path / "lock", 1, "another"), late, locks.alone(tmp_path / "lock", 0.3, "another run"):
        pass
    with locks.alone(tmp_path / "lock", 0.3, "another run"):
        pass


def test_one_that_was_taken_away_meanwhile_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lock"

    def taken(descriptor: int, *_: object) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        monkeypatch.undo()
        path.unlink()

    monkeypatch.setattr(locks, "acquire", taken)
    with locks.alone(path, 1, "another"), path.open() as there, pytest.raises(BlockingIOError):
        fcntl.flock(there, fcntl.LOCK_EX | fcntl.LOCK_NB)
