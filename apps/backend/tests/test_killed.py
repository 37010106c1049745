"""Processes that are killed or stand still at each boundary of their work on a turn: all is done once, by another.

TODO_KILLED_TURNS=1000 in the environment makes it so many turns; by default each boundary has one, and a few have two
deaths.
"""

import asyncio
import itertools
import json
import os
import signal
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import URL

from tests.conftest import Person, in_database, served, sign_up, wait_for
from tests.mortal import mortal, servers
from tests.provider import Fake, Reply, Told, calls, provider, says
from tests.test_turns import seen

AT_ONCE = 4
"""Processes that are to be killed."""
WAITING = 24
"""Turns, most of which wait for a lease to end."""
TWICE = 4
"""Turns whose second process is killed as well."""
LEASE_ENDS_WHERE_FREE = """
UPDATE turns SET lease_until = now()
WHERE id = (SELECT id FROM turns WHERE id = :id AND reply IS NULL FOR UPDATE SKIP LOCKED) RETURNING id
"""
LEASE_ENDS = "UPDATE turns SET lease_until = now() WHERE id = :id AND epoch = 1"


@dataclass
class World:
    """What all turns share: the service that is never killed, and how the others are started."""

    address: str
    secrets_dir: Path
    database_url: URL
    settings: dict[str, object]
    fake: Fake
    asked: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """For each message the steps that the model was asked for."""
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    deaths: int = 0


@pytest.fixture
def world(secrets_dir: Path, database_url: URL, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The provider, and one process."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # which would make it half as fast
    (secrets_dir / "model_api_key").write_text("the key")
    with provider() as fake:
        settings = {"model_url": fake.url, "model": "first", "model_fallback": "", "model_tokens": 10**12}
        with served(secrets_dir, **settings, sign_ups_per_minute=10**6, log_level="warning") as address:
            made = World(address, secrets_dir, database_url, settings, fake)
            words = itertools.count()

            def answer(told: Told) -> Reply:
                roles = [message["role"] for message in told["messages"]]
                step = roles.count("assistant")
                made.asked[told["messages"][roles.index("user")]["content"]].append(step)
                return next_step(step, next(words))

            fake.always = answer
            yield made


def next_step(step: int, word: int) -> Reply:
    """What the model does in a step. Asked for it again it says something else, so that what is done twice shows."""
    return (
        lambda: calls(
            ("add_todo", {"title": f"first {word}"}), ("add_todo", {"title": f"second {word}"}), text="A moment."
        ),
        lambda: calls(("update_todo", {"number": 1, "notes": f"{word}"}), ("complete_todo", {"number": 2})),
        lambda: calls(("delete_todo", {"number": 1}), text=f"Now {word}."),
        lambda: says(f"All of {word} is done."),
    )[step]()


async def read_on(person: Person, message: dict[str, Any], parts: list[dict[str, Any]]) -> None:
    """Go on with a stream from the last part that was seen, to its end or to that of the process."""
    said = {**message, "after": parts[-1]["place"] if parts else ""}
    headers = {"Authorization": f"Bearer {person.token}"}
    place = ""
    try:
        async with person.client.stream("POST", "/api/v1/chat/stream", json=said, headers=headers) as answer:
            assert answer.status_code == 200, await answer.aread()
            async for line in answer.aiter_lines():
                kind, _, value = line.partition(": ")
                if kind == "id":
                    place = value
                elif kind == "data" and value != "[DONE]":
                    parts.append({"place": place, **json.loads(value)})
    except httpx.TransportError:
        pass  # the process has ended


@asynccontextmanager
async def one_that_dies(
    world: World, at: int, passed: "Synchronized[int] | None" = None, sent: signal.Signals = signal.SIGKILL
) -> AsyncIterator[tuple[httpx.AsyncClient, BaseProcess]]:
    """A client of a process that dies, or gets another signal, at a boundary."""
    with mortal(world.secrets_dir, world.settings, at, passed, sent) as (address, process):
        async with httpx.AsyncClient(base_url=address, timeout=60) as client:
            with httpx.Client(base_url=address) as probe:
                await asyncio.to_thread(wait_for, probe, "/health/live")
            yield client, process


async def was_killed(process: BaseProcess) -> bool:
    """Whether this process ends by the trap."""
    await asyncio.to_thread(process.join, 10)
    assert process.exitcode in (None, -signal.SIGKILL)
    return process.exitcode is not None


async def one_turn(world: World, *deaths: int) -> None:
    """A turn whose processes are killed, each at its boundary; the next one goes on."""
    async with httpx.AsyncClient(base_url=world.address, timeout=60) as client:
        ann = await sign_up(client)
        message = {"message": f"do it, {uuid.uuid4()}", "id": str(uuid.uuid4())}
        parts: list[dict[str, Any]] = []
        killed = 0
        async with world.room:
            for dies_at in deaths:
                async with one_that_dies(world, dies_at) as (elsewhere, process):
                    if killed:  # the second does not wait for the lease of the first
                        in_database(world.database_url, LEASE_ENDS, id=message["id"])
                    await read_on(Person(elsewhere, ann.id, ann.email, ann.token), message, parts)
                    if not (parts and parts[-1]["type"] == "finish"):
                        assert await was_killed(process), f"the stream ended at {parts[-1:]}, and no process did"
                    killed += process.exitcode is not None
        if killed == 1 and len(deaths) == 1:
            await answered(ann)  # by whoever looks after what others have left: nobody asks again
        while not (parts and parts[-1]["type"] == "finish"):
            await read_on(ann, message, parts)
        world.deaths += killed
        await is_done_once(world, ann, message, parts, killed)


async def answered(person: Person) -> None:
    """Return once the only message has its answer, or was not kept at all."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        begun = (await person.request("GET", "/chat/conversations")).json()
        if not begun:
            return
        kept = await person.request("GET", f"/chat/conversations/{begun[0]['id']}")
        if len(kept.json()["messages"]) == 2:
            return
        await asyncio.sleep(0.5)
    pytest.fail("Nobody went on with a turn that was left.")


async def is_done_once(
    world: World, person: Person, message: dict[str, Any], parts: list[dict[str, Any]], killed: int
) -> None:
    """The list, the history, the conversation and what was streamed are those of a turn that nothing happened to."""
    again = (await person.request("POST", "/chat", message)).json()
    assert again["assistant"] == "first", again
    [left] = (await person.request("GET", "/todos")).json()
    assert (left["number"], left["title"].split()[0], left["completed"]) == (2, "second", True)
    changes = (await person.request("GET", "/changes")).json()[::-1]
    effects = [(change["kind"], (change["after"] or change["before"])["title"]) for change in changes]
    first, second = effects[0][1], left["title"]
    assert first.removeprefix("first") == second.removeprefix("second")  # of one answer, and not of two
    assert effects == [
        ("add", first), ("add", second), ("update", first), ("complete", second), ("delete", first),
    ]  # fmt: skip
    assert parts[-2] == {"place": parts[-2]["place"], "type": "data-reply", "data": again}
    # the history says besides what stands in the way of taking one back
    assert again["changes"] == [{name: one[name] for name in one if name != "obstacle"} for one in changes]
    assert [action["tool"] for action in again["actions"]] == [
        "add_todo", "add_todo", "update_todo", "complete_todo", "delete_todo",
    ]  # fmt: skip
    text, _ = seen(parts)
    assert text == again["reply"]
    [conversation] = (await person.request("GET", "/chat/conversations")).json()
    said = (await person.request("GET", f"/chat/conversations/{conversation['id']}")).json()["messages"]
    assert [(one["role"], one["content"]) for one in said] == [("user", message["message"]), ("assistant", text)]
    asked = world.asked[message["message"]]
    assert len(asked) <= 4 + killed, asked  # an answer that is kept is not asked for again


async def boundaries_of(world: World) -> int:
    """How many boundaries a turn has that nothing happens to."""
    counted = servers.Value("i", 0)
    async with one_that_dies(world, 0, counted) as (client, _), httpx.AsyncClient(base_url=world.address) as known:
        ann = await sign_up(known)
        message, parts = {"message": "do it", "id": str(uuid.uuid4())}, list[dict[str, Any]]()
        await read_on(Person(client, ann.id, ann.email, ann.token), message, parts)
        await is_done_once(world, ann, message, parts, 0)
    boundaries: int = counted.value
    assert boundaries > 35, "the traps are not where they were"
    return boundaries


async def test_processes_that_are_killed_at_each_boundary(world: World) -> None:
    boundaries = await boundaries_of(world)
    wanted = int(os.environ.get("TODO_KILLED_TURNS", boundaries + TWICE))
    turns = iter(range(wanted))

    async def some() -> None:
        for number in turns:
            deaths = [1 + number % boundaries]
            if number >= boundaries:
                deaths.append(1 + (number // boundaries + 7 * number) % boundaries)
            try:
                await one_turn(world, *deaths)
            except Exception as error:
                error.add_note(f"turn {number}, whose processes died at {deaths} of {boundaries} boundaries")
                raise

    async with asyncio.TaskGroup() as group:
        for _ in range(WAITING):
            group.create_task(some())
    print(f"{wanted} turns, {boundaries} boundaries, {world.deaths} processes killed")  # noqa: T201 - shown by -s
    assert world.deaths >= wanted


def wait_until_it_stands_still(process: BaseProcess) -> None:
    """Return once a process is stopped."""
    stat = Path(f"/proc/{process.pid}/stat")
    while stat.read_text().rpartition(") ")[2][0] != "T":
        time.sleep(0.01)


async def test_a_process_that_stands_still_and_comes_back_when_another_has_gone_on(world: World) -> None:
    """It does nothing more to the list, and who follows it sees what the other one did."""
    boundaries = await boundaries_of(world)
    taken_over = 0
    for at in range(2, boundaries, 4):
        async with (
            one_that_dies(world, at, None, signal.SIGSTOP) as (elsewhere, process),
            httpx.AsyncClient(base_url=world.address, timeout=60) as client,
        ):
            ann = await sign_up(client)
            message, its_parts = {"message": f"do it, {at}", "id": str(uuid.uuid4())}, list[dict[str, Any]]()
            its = asyncio.create_task(read_on(Person(elsewhere, ann.id, ann.email, ann.token), message, its_parts))
            await asyncio.to_thread(wait_until_it_stands_still, process)
            # In the middle of a transaction it keeps others out; else its lease ends.
            if in_database(world.database_url, LEASE_ENDS_WHERE_FREE, id=message["id"]):
                taken_over += 1
                parts: list[dict[str, Any]] = []
                await read_on(ann, message, parts)
                await is_done_once(world, ann, message, parts, 1)
            assert process.pid
            os.kill(process.pid, signal.SIGCONT)
            await its
            await is_done_once(world, ann, message, its_parts, 1)
    assert taken_over > 5
