"""The Python environment: when it is made, and when what is there is trusted."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import script


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, for an environment of its own with locks that name no package."""
    module = script.loaded("bootstrap")
    for name in ("controller", "test"):
        (tmp_path / f"{name}.txt").write_text("# nothing\n")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "INSTALLED", tmp_path / ".venv/installed-locks.json")
    monkeypatch.setattr(module, "LOCKS", {name: tmp_path / f"{name}.txt" for name in ("controller", "test")})
    return module


def empty_module(bootstrap: ModuleType) -> Path:
    """A file as a power cut leaves it: there, without its content."""
    file: Path = bootstrap.VENV / "lib/cut.py"
    file.touch()
    return file


def test_an_environment_is_made_anew_only_where_its_installation_was_broken_off(bootstrap: ModuleType) -> None:
    bootstrap.make_environment("controller")
    there = empty_module(bootstrap)
    bootstrap.make_environment("controller")
    assert there.exists()
    bootstrap.LOCKS["controller"].write_text("# nothing else\n")
    bootstrap.make_environment("controller")
    assert there.exists()
    bootstrap.INSTALLED.unlink()  # it is written last
    bootstrap.make_environment("controller")
    assert bootstrap.INSTALLED.exists()
    assert not there.exists()
