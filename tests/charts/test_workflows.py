"""GitHub takes .ci/github as .github/workflows, as far as actionlint knows; tests/unit/test_release.py is about what they call."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from chart import ROOT
from test_conformance import tools

__all__ = ["tools"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One that has them."""
    (tmp_path / ".git").mkdir()
    shutil.copytree(ROOT / ".ci/github", tmp_path / ".github/workflows")
    return tmp_path


def found(tools: Path, repository: Path) -> str:
    """What actionlint finds, by shellcheck as well."""
    command = [tools / "actionlint", "-shellcheck=shellcheck", "-pyflakes="]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def test_actionlint_finds_nothing(tools: Path, repository: Path) -> None:
    assert found(tools, repository) == ""


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("uses: ./.github/workflows/check.yml", "uses: ./.github/workflows/absent.yml", "absent.yml"),
        ("needs: publish\n", "needs: nothing\n", "needs job"),
        ("steps.publish.outputs.backend", "steps.absent.outputs.backend", "absent"),
        ("runs-on: ubuntu-24.04", "runs-on: ubuntu-24", "label"),
        ('--username "$GITHUB_ACTOR"', "--username $GITHUB_ACTOR", "SC2086"),
        ("needs.publish.outputs.frontend", "needs.publish.outputs.absent", "absent"),
    ],
)
def test_what_would_not_work_is_found(tools: Path, repository: Path, before: str, after: str, said: str) -> None:
    file = repository / ".github/workflows/release.yml"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")
    assert said in found(tools, repository)
