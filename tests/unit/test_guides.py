"""Guides: each block for the shell is run on a fresh system, or says why not; and what is shown is compared with what is seen."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import test_commands
from guide import Step, missing, steps

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = (ROOT / "molecule/guides/tests/test_guides.py").read_text(encoding="utf-8")
GUIDES = re.findall(r'"(docs/[\w-]+\.md)"', SCENARIO)
SHELL = {document: [step for step in steps(document) if step.runs] for document in test_commands.DOCUMENTS if document in GUIDES}
SOURCE = Path("apps/backend/src/todo_backend/chat/replies.py")
# Blocks that no test runs as they stand: of guides, those that say so; of the other documents, those with a command of test_commands.REASONS.
NOT_RUN = {"docs/own-playbook.md": 1, "docs/troubleshooting.md": 1, "docs/upgrade.md": 1}
WITH_A_REASON = {"README.md": 1, "docs/cloud.md": 1, "docs/testing.md": 2}


def test_few_blocks_are_not_run_and_each_says_why() -> None:
    marked = {document: [step for step in found if step.not_run] for document, found in SHELL.items()}
    assert {document: len(found) for document, found in marked.items() if found} == NOT_RUN
    assert [step.place for found in marked.values() for step in found if len(step.not_run.split()) < 4] == []


def test_of_the_other_documents_few_blocks_have_a_command_that_no_scenario_runs() -> None:
    """Of each of their other commands, test_commands shows that a scenario runs it."""
    found = {}
    for document in test_commands.DOCUMENTS:
        if document not in GUIDES:
            commands = [[line.partition(" #")[0].strip() for line in block.splitlines()] for block in test_commands.shell(document)]
            found[document] = sum(any(test_commands.reason(command) for command in block) for block in commands)
    assert {document: count for document, count in found.items() if count} == WITH_A_REASON


def test_the_tutorial_edits_what_is_there_and_takes_it_back(tmp_path: Path) -> None:
    (tmp_path / SOURCE).parent.mkdir(parents=True)
    before = (ROOT / SOURCE).read_bytes()
    (tmp_path / SOURCE).write_bytes(before)
    edits = [step for step in SHELL["docs/tutorial.md"] if str(SOURCE) in step.runs]
    contents = []
    for step in edits:
        commands = "\n".join(line for line in step.runs.splitlines() if not line.startswith("make "))
        done = subprocess.run(["sh", "-ec", commands], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert commands != step.runs.strip() or missing(step.shown, done.stdout) == ""
        contents.append((tmp_path / SOURCE).read_bytes())
    assert contents[0] != before
    assert contents[-1] == before


def test_what_the_assistant_is_shown_to_say_is_what_it_says_before_and_after_the_edit() -> None:
    said = [step.shown.strip() for step in steps("docs/tutorial.md") if step.says]
    edit = next(step.runs for step in steps("docs/tutorial.md") if "sed -i" in step.runs)
    old, new = re.search(r"s/([^/]+)/([^/]+)/", edit).groups()  # type: ignore[union-attr]
    assert said == [said[0], said[0].replace(old, new), said[0]]
    assert f'"greet": "{said[0]}"' in (ROOT / SOURCE).read_text(encoding="utf-8")


def guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> list[Step]:
    monkeypatch.setattr("guide.ROOT", tmp_path)
    (tmp_path / "a.md").write_text(text, encoding="utf-8")
    return steps("a.md")


def test_a_guide_is_read_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """Do

```sh
make up
```

and see

```
Open
```

<!-- say: hello -->
```
Hi
```

<!-- not run: it needs a cloud -->
```sh
make cloud
```

```yaml
of: nobody
```
"""
    assert guide(tmp_path, monkeypatch, text) == [
        Step("a.md:3", runs="make up\n", shown="Open\n"),
        Step("a.md:14", says="hello", shown="Hi\n"),
        Step("a.md:19", runs="make cloud\n", not_run="it needs a cloud"),
    ]


def test_a_block_in_a_list_is_read_without_its_indentation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "1. Do\n\n   ```sh\n   make up\n     more\n   ```\n\n   ```\n   Open\n   ```\n"
    assert guide(tmp_path, monkeypatch, text) == [Step("a.md:3", runs="make up\n  more\n", shown="Open\n")]


def test_what_is_shown_belongs_to_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match=r"a\.md:1 shows something, and nothing was run"):
        guide(tmp_path, monkeypatch, "```\nOpen\n```\n")


@pytest.mark.parametrize(
    ("shown", "seen", "lacks"),
    [
        ("Open  http://a\n", "x\n   Open         http://a\n", ""),
        ("a\nb\n", "a\nsomething\nb\n", ""),
        ("a\nb\n", "b\na\n", "b"),
        ("pod-... 1/1 ...\n", "pod-x7 1/1 3m\n", ""),
        ("pod-... 1/1\npod-... 1/1\n", "pod-x7 1/1\n", "pod-... 1/1"),
        ("pod-... 1/1\n", "pod-x7 0/1\nother 1/1\n", "pod-... 1/1"),
        ("(all is well)\n", "all is well\n", "(all is well)"),
        ("", "anything\n", ""),
    ],
)
def test_what_is_not_to_be_seen_is_named(shown: str, seen: str, lacks: str) -> None:
    assert missing(shown, seen) == lacks
