"""GitHub takes .github/workflows as they are, as far as actionlint knows; tests/unit/test_release.py is about what they call."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from chart import ROOT
from test_conformance import tools

__all__ = ["tools"]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def found(tools: Path, *files: Path) -> str:
    """What actionlint finds, by shellcheck as well."""
    done = subprocess.run([tools / "actionlint", "-shellcheck=shellcheck", "-pyflakes=", *files], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def test_actionlint_finds_nothing(tools: Path) -> None:
    assert WORKFLOWS
    assert found(tools, *WORKFLOWS) == ""


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("needs: publish\n", "needs: nothing\n", "needs job"),
        ("steps.publish.outputs.backend", "steps.absent.outputs.backend", "absent"),
        ("runs-on: ubuntu-24.04", "runs-on: ubuntu-24", "label"),
        ('--username "$GITHUB_ACTOR"', "--username $GITHUB_ACTOR", "SC2086"),
        ("needs.publish.outputs.frontend", "needs.publish.outputs.absent", "absent"),
    ],
)
def test_what_would_not_work_is_found(tools: Path, tmp_path: Path, before: str, after: str, said: str) -> None:
    text = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    assert before in text
    file = tmp_path / ".github/workflows/release.yml"
    file.parent.mkdir(parents=True)
    file.write_text(text.replace(before, after), encoding="utf-8")
    assert said in found(tools, file)
