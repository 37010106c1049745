"""docs/security.md names tests: each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
FOLDERS = {"backend": "apps/backend/tests", "frontend": "apps/frontend/tests", "e2e": "tests/e2e", "tests": "tests/charts"}
NAMED = sorted(set(re.findall(r"`(\w+)::([^`]+)`", PAGE)))


def test_it_names_many() -> None:
    assert len(NAMED) > 30
    assert {folder for folder, _ in NAMED} >= set(FOLDERS)


@pytest.mark.parametrize(("folder", "name"), NAMED)
def test_a_test_that_it_names_is_there(folder: str, name: str) -> None:
    files = [file for file in (ROOT / FOLDERS.get(folder, f"molecule/{folder}/tests")).iterdir() if file.suffix in (".py", ".ts")]
    begins = re.compile(rf'^(?:async )?def {name}\(|^test\("{re.escape(name)}"|^from \w+ import .*\b{re.escape(name)}\b', re.MULTILINE)
    assert [file.name for file in files if begins.search(file.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("row", re.findall(r"^\| (?!may not|---)(.*) \|$", PAGE, re.MULTILINE))
def test_each_row_says_by_which_test_it_is_shown(row: str) -> None:
    assert "::" in row.rpartition(" | ")[2]
