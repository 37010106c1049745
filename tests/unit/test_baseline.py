"""What was on the machine before: written once, whole, and never over what is there."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.machine import baseline

BEFORE = baseline.Before(packages=["bash"], users=["root"], groups={"docker": ["me"]})


def test_it_is_read_as_it_was_written_and_by_everybody(tmp_path: Path) -> None:
    path = tmp_path / "todochat/before.json"
    assert baseline.read(path) is None
    baseline.write(BEFORE, path)
    assert baseline.read(path) == BEFORE
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o644, 0o755)
    assert [entry.name for entry in path.parent.iterdir()] == ["before.json"]


def test_the_first_record_counts(tmp_path: Path) -> None:
    path = tmp_path / "todochat/before.json"
    baseline.write(BEFORE, path)
    baseline.write(baseline.Before(packages=["bash", "docker.io"], users=[], groups={}), path)
    assert baseline.read(path) == BEFORE


def test_this_machine_is_observed() -> None:
    found = baseline.observe()
    assert "root" in found.users
    assert "root" in found.groups
    assert isinstance(found.packages, list)
