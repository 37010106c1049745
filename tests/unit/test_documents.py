"""Documents: no link leads nowhere, README is short, and each test that docs/security.md and docs/accessibility.md name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(file for pattern in ("*.md", "docs/*.md", "roles/*/README.md", "apps/*/README.md", "k8s/*.md") for file in ROOT.glob(pattern))
PAGE, CRITERIA = ((ROOT / f"docs/{name}.md").read_text(encoding="utf-8") for name in ("security", "accessibility"))
FOLDERS = {"backend": "apps/backend/tests", "frontend": "apps/frontend/tests", "e2e": "tests/e2e", "tests": "tests/charts"}
NAMED = sorted(set(re.findall(r"`(\w+)::([^`]+)`", PAGE + CRITERIA)))


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


@pytest.mark.parametrize("row", re.findall(r"^\| \d(.*) \|$", CRITERIA, re.MULTILINE))
def test_each_criterion_says_by_which_test_it_is_met_or_that_none_shows_it(row: str) -> None:
    shown = row.rpartition(" | ")[2]
    assert "::" in shown or shown == "looked at in code"


def anchors(text: str) -> set[str]:
    """Of each heading, as GitHub makes them."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_each_link_leads_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", document.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


def test_readme_is_read_to_its_end() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 150


def test_readme_leads_to_each_guide() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [file.name for file in ROOT.glob("docs/*.md") if f"(docs/{file.name}" not in readme] == []


def sentences(text: str) -> set[str]:
    """The sentences of six words or more, as they are read; what is generated, tables and blocks aside."""
    text = re.sub(r"<!-- generated.*?<!-- end -->|^```.*?^```|^\|.*?$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    found = (one.strip(" .:*-!").lower() for part in text.split("\n\n") for one in re.split(r"(?<=[.:?!])\s+", " ".join(part.split())))
    return {one for one in found if len(one.split()) >= 6}


def test_no_sentence_stands_in_two_documents() -> None:
    said: dict[str, list[str]] = {}
    for document in (ROOT / "README.md", *ROOT.glob("docs/*.md")):
        for sentence in sentences(document.read_text(encoding="utf-8")):
            said.setdefault(sentence, []).append(document.name)
    assert len(said) > 500
    assert {sentence: names for sentence, names in said.items() if len(names) > 1} == {}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_a_file_of_settings_that_a_document_names_counts_after_those_that_come_with_this(document: Path) -> None:
    """Ansible reads them in the order of the alphabet, and the last one counts."""
    for name in re.findall(r"group_vars/all/([\w.-]+)", document.read_text(encoding="utf-8")):
        assert name >= "main.yml"
