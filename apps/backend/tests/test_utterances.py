"""Everyday requests to the built-in assistant, written by people who had not seen its rules, and what comes of them.

utterances/SPEC.md says how they were written. `learnt` were looked at while the rules were written, and `unseen` never:
their score is what can be expected of requests that nobody has thought of. A wrong change is one that was not asked
for: another todo, another date, another priority.
"""

import contextlib
import json
import re
import sys
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncSession

from tests.conftest import Person, serving, sign_up
from todo_backend.auth.models import User
from todo_backend.chat import tools as chat_tools
from todo_backend.chat.rules import RuleBasedAssistant
from todo_backend.chat.tools import TodoTools
from todo_backend.database import Database
from todo_backend.health.state import Health
from todo_backend.todos.schemas import TodoView
from todo_backend.todos.service import Actor

FOLDER = Path(__file__).parent / "utterances"
NOW = datetime(2026, 3, 11, 10, 0, tzinfo=ZoneInfo("Europe/Berlin"))
LIST: list[dict[str, Any]] = [
    {"title": "buy milk"},
    {"title": "call mum", "due": "2026-03-11"},
    {"title": "pay rent", "due": "2026-03-31", "priority": "high"},
    {"title": "Zahnarzt anrufen", "due": "2026-03-12"},
    {"title": "book flight to Lisbon", "due": "2026-03-20"},
    {"title": "finish tax return", "due": "2026-03-09", "priority": "high"},
    {"title": "water the plants", "priority": "low", "completed": True},
    {"title": "Geschenk für Oma kaufen", "due": "2026-03-14"},
    {"title": "read Dune"},
    {"title": "call the plumber", "due": "2026-03-13T09:00"},
    {"title": "Müll rausbringen", "completed": True},
    {"title": "renew passport", "priority": "medium"},
]
LEAST_RIGHT = 0.85
Case = Mapping[str, Any]


def cases(part: str) -> list[Case]:
    """Return the utterances of a part, `learnt` or `unseen`."""
    return [
        json.loads(line) for file in sorted(FOLDER.glob(f"{part}-*.jsonl")) for line in file.read_text().splitlines()
    ]


class _UndoneError(Exception):
    """Rolls back what an utterance did."""


async def made_list(person: Person) -> None:
    """Put the todos that the requests are about onto somebody's list."""
    for todo in LIST:
        made = await person.request(
            "POST", "/todos", {name: value for name, value in todo.items() if name != "completed"}
        )
        if todo.get("completed"):
            await person.request("PATCH", f"/todos/{made.json()['id']}", {"completed": True})


async def answer(session: AsyncSession, person: Person, say: str) -> tuple[str, list[TodoView], list[TodoView]]:
    """Return the reply to an utterance, and the todos before and after it."""
    user = await session.get_one(User, uuid.UUID(person.id))
    tools = TodoTools(session, user, Actor("built-in"), most=1000)
    before = await tools.list_todos()
    reply = await RuleBasedAssistant().answer(say, tools)
    return reply, before, await tools.list_todos()


def judge(case: Case, reply: str, before: list[TodoView], after: list[TodoView]) -> tuple[bool, bool]:
    """Return whether all happened that was expected, and whether something was changed wrongly."""
    expected = case["expect"]
    there = {todo.number: todo for todo in after}
    known = {todo.number: todo for todo in before}
    added = [todo for number, todo in there.items() if number not in known]
    deleted = {number for number in known if number not in there}
    changed = {number: dict(_changes(known[number], there[number])) for number in known if number in there}
    wanted = _wanted(expected)
    adds = expected.get("add", [])
    is_right = (
        len(added) == len(adds)
        and all(
            _is_added(todo, add) and todo.title.casefold() in _titles(add)
            for todo, add in zip(added, adds, strict=True)
        )
        and deleted == set(expected.get("delete", []))
        and {number for number, change in changed.items() if change} == set(wanted)
        and all(change == {} or _is_wanted(change, wanted[number], whole=True) for number, change in changed.items())
        and _is_shown(expected, {int(number) for number in re.findall(r"^(\d+)\. ", reply, re.MULTILINE)})
        and not (expected.get("talk") and reply.startswith(("Sorry, I did not", "Das habe ich leider nicht")))
    )
    is_wrong = (
        not deleted <= set(expected.get("delete", []))
        or bool(added and len(added) != len(adds))
        or (len(added) == len(adds) and not all(map(_is_added, added, adds)))
        or not all(_is_wanted(change, wanted.get(number, {})) for number, change in changed.items())
    )
    return is_right, is_wrong


def _changes(one: TodoView, other: TodoView) -> Iterator[tuple[str, object]]:
    for name in ("title", "due", "priority", "completed"):
        if (value := getattr(other, name)) != getattr(one, name):
            yield name, value.casefold() if name == "title" else value


def _wanted(expected: Mapping[str, Any]) -> dict[int, dict[str, list[object]]]:
    wanted: dict[int, dict[str, list[object]]] = {}
    for name, value in (("complete", True), ("reopen", False)):
        for number in expected.get(name, []):
            wanted.setdefault(number, {})["completed"] = [value]
    for update in expected.get("update", []):
        for name, value in update.items():
            if name != "no":
                values = value if isinstance(value, list) else [value]
                wanted.setdefault(update["no"], {})[name] = [
                    one.casefold() if name == "title" else one for one in values
                ]
    return wanted


def _is_wanted(change: Mapping[str, object], wanted: Mapping[str, list[object]], *, whole: bool = False) -> bool:
    return (not whole or set(change) == set(wanted)) and all(
        value in wanted.get(name, []) for name, value in change.items()
    )


def _titles(add: Mapping[str, Any]) -> list[str]:
    titles = add["title"] if isinstance(add["title"], list) else [add["title"]]
    return [title.casefold() for title in titles]


def _is_added(todo: TodoView, add: Mapping[str, Any]) -> bool:
    dues = add.get("due")
    return todo.due in (dues if isinstance(dues, list) else [dues]) and todo.priority == add.get("priority")


def _is_shown(expected: Mapping[str, Any], shown: set[int]) -> bool:
    sets = [*expected.get("show_any_of", []), *([expected["show"]] if "show" in expected else [])]
    return not sets or any(shown == set(one) for one in sets)


@pytest.mark.parametrize("part", sorted({file.name.partition("-")[0] for file in FOLDER.glob("*-*.jsonl")}))
async def test_everyday_requests(
    part: str, database_url: URL, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(chat_tools, "now_in", lambda _name: NOW)
    database = Database(database_url, Health(60))
    async with serving(database_url) as client:
        person = await sign_up(client)
        await made_list(person)
    missed, wrong, kinds = [], [], Counter[str]()
    for case in cases(part):
        with contextlib.suppress(_UndoneError):
            async with database.transaction() as session:
                reply, before, after = await answer(session, person, case["say"])
                raise _UndoneError
        is_right, is_wrong = judge(case, reply, before, after)
        line = f"{case['say']} → {reply}"
        missed += [] if is_right else [line]
        wrong += [line] if is_wrong else []
        kinds[f"{'+'.join(case['expect'])}: {'right' if is_right else 'missed'}"] += 1
    await database.close()
    share = 1 - len(missed) / kinds.total()
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    with capsys.disabled():
        sys.stdout.write(f"\nutterances, {part}: {share:.1%} of {kinds.total()} right, {len(wrong)} wrong; {counts}\n")
    shown = part == "learnt"  # of the unseen nothing is but how many
    assert len(wrong) == 0, "\n".join(wrong if shown else [])
    assert share >= LEAST_RIGHT, "\n".join(missed if shown else [])
