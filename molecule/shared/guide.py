"""What a guide has its reader do, in order, and what the reader sees then.

A block for the shell is run. A block without a language right after it, or after one that is said, is what is seen: its lines come in this order,
`...` stands for anything, and how many spaces there are does not matter. A comment before a block says more of it:

    <!-- say: hello -->           the block is what the assistant answers to that
    <!-- not run: the reason -->  the block is for a machine that no test has
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(
    r"(?:^ *<!-- (?P<mark>say|not run): (?P<words>[^\n]+) -->\n)?"
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass
class Step:
    """Something to run, or to say to the assistant."""

    place: str
    """The file and the line, for people."""
    runs: str = ""
    says: str = ""
    not_run: str = ""
    """The reason why no test does."""
    shown: str = ""


def steps(document: str) -> list[Step]:
    """The steps of a guide."""
    text = (ROOT / document).read_text(encoding="utf-8")
    found: list[Step] = []
    for block in FENCE.finditer(text):
        place = f"{document}:{text.count(chr(10), 0, block.start('text'))}"
        words = block["words"] or ""
        content = re.sub(f"^{block['indent']}", "", block["text"], flags=re.MULTILINE)
        if block["language"] == "sh":
            found.append(Step(place, runs=content, not_run=words if block["mark"] == "not run" else ""))
        elif block["mark"] == "say":
            found.append(Step(place, says=words, shown=content))
        elif not block["language"]:
            assert found, f"{place} shows something, and nothing was run"
            assert not found[-1].shown, f"{place} shows something of what has been shown"
            found[-1].shown = content
    return found


def blocks(document: str, language: str) -> list[str]:
    """What a guide shows in a language, such as a file to write."""
    return [block["text"] for block in FENCE.finditer((ROOT / document).read_text(encoding="utf-8")) if block["language"] == language]


def missing(shown: str, seen: str) -> str:
    """The first line of what a guide shows that is not to be seen, or not after those before it; nothing where all are."""
    rest = iter([" ".join(line.split()) for line in seen.splitlines()])
    for line in filter(None, (" ".join(line.split()) for line in shown.splitlines())):
        looked_for = re.compile(re.escape(line).replace(re.escape("..."), ".+"))
        if not any(looked_for.search(one) for one in rest):
            return line
    return ""
