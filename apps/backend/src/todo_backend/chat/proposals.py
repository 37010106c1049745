"""Todos that a text of somebody's may mean: notes of a meeting, a list from elsewhere. Nothing is written."""

import re
from collections.abc import Iterator
from datetime import datetime

from todo_backend.chat.adding import UnclearDateError, new_todos
from todo_backend.chat.reading import New, Reader, new_todo
from todo_backend.text import shortened, visible_line

TITLE, NOTES = 200, 5000
READ = 500
"""Characters of a line that are looked at: who reads takes longer than they are many."""
_END = re.compile(r"(?<=[.;!?])\s+(?=\S)")
_MARK = re.compile(r"(?:[-*+•‣◦–—·▪☐□]|\[\s?\]|\(?\d{1,3}[.)])\s+")  # noqa: RUF001
_DONE = re.compile(r"(?:[-*+]\s+)?(?:\[[xX✓✔]\]|[☑☒✓✔✅])\s")
_HEADING = re.compile(r"#{1,6}\s|.*:\s*\Z")


def proposals(text: str, now: datetime) -> list[tuple[New, str]]:
    """Return a todo for each line, or each part of a single one, with what does not fit into its title, in their order.

    Headings and what is ticked off are left out, as is what is said twice.
    """
    found: dict[str, tuple[New, str]] = {}
    for new, whole in _read(text, now):
        try:
            title = visible_line(new.title)
        except ValueError:
            continue
        notes = whole[:NOTES] if len(title) > TITLE or len(whole) > READ else ""
        title = shortened(title, TITLE)
        found.setdefault(f"{title.casefold()} {new.due}", (New(title, new.due, new.priority), notes))
    return list(found.values())


def _read(text: str, now: datetime) -> Iterator[tuple[New, str]]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) == 1 and not _MARK.match(lines[0]):
        for sentence in _END.split(lines[0]):
            for new in _in_a_sentence(sentence[:READ], now):
                yield new, sentence
        return
    for line in lines:
        if _DONE.match(line) or _HEADING.match(line):
            continue
        while mark := _MARK.match(line):
            line = line[mark.end() :]
        yield new_todo(line[:READ], now), line


def _in_a_sentence(sentence: str, now: datetime) -> list[New]:
    """As the assistant reads it."""
    try:
        return new_todos(Reader(f"add {sentence}", now)) or [new_todo(sentence, now)]
    except UnclearDateError:
        return [new_todo(sentence, now)]
