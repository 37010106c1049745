"""How many everyday requests a language model gets right: each is said by a user with the list of test_utterances.

A provider is asked where the file `evaluation` is beside the other secrets, which bench/evaluation.py puts there: JSON
with `url`, `model`, `key`, and `count`, how many are said. How it counts is tested with the fake.
"""

import json
import os
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import URL

from tests.conftest import Person, serving, sign_up
from tests.provider import Reply, Told, calls, provider, refuses, says
from tests.test_utterances import NOW, Case, cases, judge, made_list
from todo_backend.chat import tools, turns
from todo_backend.todos.schemas import TodoView

GIVEN = Path(os.environ.get("TODO_SECRETS_DIR", "/run/secrets/todochat"), "evaluation")
ENOUGH = 10**9


@dataclass
class Score:
    """What came of the requests."""

    counts: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)

    def note(self, case: Case, verdict: str, reply: str) -> None:
        """Count a request, and keep what was not right."""
        self.counts[verdict] += 1
        if verdict != "right":
            self.lines.append(f"{verdict}: {case['say']} → {' '.join(reply.split())}")


@asynccontextmanager
async def asked_model(database_url: URL, url: str, model: str, key: str) -> AsyncIterator[Any]:
    """The application with this model alone, on the day of the requests."""
    settings: dict[str, Any] = {"model_url": url, "model": model, "model_fallback": ""}
    settings |= {"model_tokens_per_user": ENOUGH, "model_tokens": ENOUGH}
    with pytest.MonkeyPatch.context() as patch:
        for module in (tools, turns):
            patch.setattr(module, "now_in", lambda _name: NOW)
        async with serving(database_url, model_api_key=key, **settings) as client:
            yield client


async def todos_of(person: Person) -> list[TodoView]:
    """A person's list."""
    return [TodoView.model_validate(todo) for todo in (await person.request("GET", "/todos")).json()]


async def evaluate(client: Any, said: Sequence[Case]) -> Score:
    """Say each; what the built-in assistant answered in the model's place counts as `unanswered`."""
    score = Score()
    for case in said:
        person = await sign_up(client)
        await made_list(person)
        before = await todos_of(person)
        answer = (await person.request("POST", "/chat", {"message": case["say"]})).json()
        if answer.get("notice") or "reply" not in answer:
            score.note(case, "unanswered", answer.get("notice") or str(answer))
            continue
        is_right, is_wrong = judge(case, answer["reply"], before, await todos_of(person))
        score.note(case, "right" if is_right else "wrong change" if is_wrong else "missed", answer["reply"])
    return score


def obeys(told: Told) -> Reply:
    """A model that adds, completes by number, and else talks."""
    last = told["messages"][-1]
    if last["role"] == "tool":
        return says("Done.")
    if found := re.fullmatch(r"add (.*)", last["content"]):
        return calls(("add_todo", {"title": found[1]}))
    if found := re.fullmatch(r"complete (\d+)", last["content"]):
        return calls(("complete_todo", {"number": int(found[1])}))
    return refuses(500) if last["content"] == "break" else says("I am here.")


async def test_each_request_is_said_to_a_list_as_it_was_and_judged_by_what_is_on_it_then(database_url: URL) -> None:
    said: list[Case] = [
        {"say": "add eggs", "expect": {"add": [{"title": "eggs"}]}},
        {"say": "complete 1", "expect": {"complete": [1]}},
        {"say": "complete 1", "expect": {"complete": [2]}},
        {"say": "tick the first", "expect": {"complete": [1]}},
        {"say": "hello", "expect": {"talk": True}},
        {"say": "break", "expect": {"talk": True}},
    ]
    with provider() as fake:
        fake.always = obeys
        fake.models = ["one"]
        async with asked_model(database_url, fake.url, "one", "the key") as client:
            score = await evaluate(client, said)
    assert score.counts == {"right": 3, "wrong change": 1, "missed": 1, "unanswered": 1}
    assert [line.partition(":")[0] for line in score.lines] == ["wrong change", "missed", "unanswered"]


@pytest.mark.skipif(not GIVEN.is_file(), reason="bench/evaluation.py asks a provider")
async def test_a_provider(database_url: URL, capsys: pytest.CaptureFixture[str]) -> None:
    given = json.loads(GIVEN.read_text())  # noqa: ASYNC240 - nothing else runs yet
    said = cases("unseen")
    every = max(1, len(said) // given["count"])
    async with asked_model(database_url, given["url"], given["model"], given["key"]) as client:
        score = await evaluate(client, said[::every][: given["count"]])
    total = score.counts.total()
    shares = ", ".join(f"{count / total:.1%} {verdict}" for verdict, count in sorted(score.counts.items()))
    with capsys.disabled():
        sys.stdout.write("\n".join(["", *score.lines, f"{given['model']}: of {total} requests {shares}", ""]))
