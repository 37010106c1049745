"""Everything that is kept about somebody: whole or broken off, and never in memory as a whole; and how much that is."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.engine import URL

from tests.conftest import PASSWORD, Person, in_database, served, sign_up, write_secrets
from todo_backend.auth.models import User
from todo_backend.chat.service import KEPT_MESSAGES, KEPT_TURNS, LONGEST_REPLY
from todo_backend.database import Database
from todo_backend.export import Export, stream
from todo_backend.health.state import Health
from todo_backend.settings import Settings
from todo_backend.todos.service import KEPT_CHANGES, KEPT_CONFIRMATIONS

MIB = 2**20
MOST_TODOS = Settings().todos_per_user

TODOS = """
INSERT INTO todos (id, user_id, title, notes) SELECT gen_random_uuid(), :user, 'todo ' || n, repeat('x', :length)
FROM generate_series(1, :count) n
"""
CHANGES = """
INSERT INTO changes (user_id, todo_id, actor, kind, before, after)
SELECT :user, gen_random_uuid(), 'user', 'update', jsonb_build_object('n', n, 'notes', repeat('x', :length)),
    jsonb_build_object('n', n, 'notes', repeat('x', :length)) FROM generate_series(1, :count) n
"""
CONVERSATIONS = """
WITH begun AS (
    INSERT INTO conversations (id, user_id, created_at)
    SELECT gen_random_uuid(), :user, now() - interval '1 day' + n * interval '1 second'
    FROM generate_series(1, :conversations) n RETURNING id, created_at
)
INSERT INTO messages (conversation_id, role, content)
SELECT id, 'user', n || repeat('x', :length) FROM begun, generate_series(1, :count / :conversations) n
ORDER BY n, created_at
"""
TURNS = """
INSERT INTO turns (user_id, id, message, reply, created_at)
SELECT :user, gen_random_uuid(), 'said ' || n, jsonb_build_object('reply', repeat('x', :length)),
    now() - interval '1 day' + n * interval '1 second' FROM generate_series(1, :count) n
"""
CONFIRMATIONS = """
INSERT INTO confirmations (id, user_id, actor, todos, created_at)
SELECT gen_random_uuid(), :user, 'built-in',
    (SELECT jsonb_object_agg(gen_random_uuid(), 1) FROM generate_series(1, :length)),
    now() - interval '1 day' + n * interval '1 second' FROM generate_series(1, :count) n
"""


def count(url: URL, person: Person, *tables: str) -> list[int]:
    """How many rows of these tables are somebody's."""
    statement = "SELECT count(*) FROM {} WHERE user_id = :user"
    return [in_database(url, statement.format(table), user=person.id)[0][0] for table in tables]


async def exported(person: Person) -> Export:
    """All that is kept about somebody, as the OpenAPI document describes it."""
    return TypeAdapter(Export).validate_json((await person.request("GET", "/auth/me/export")).content, strict=False)


async def test_what_is_exported_is_everything_in_its_order(ann: Person, bob: Person, database_url: URL) -> None:
    await bob.say("add Secret")
    for title in ("a", "b"):
        await ann.add(title)
    asked = (await ann.request("POST", "/chat", {"message": "delete everything"})).json()
    await ann.request("POST", "/auth/me/password", {"password": PASSWORD, "new_password": "battery staple"})
    in_database(database_url, CONVERSATIONS, user=ann.id, conversations=150, count=450, length=10)
    in_database(database_url, TODOS, user=ann.id, count=250, length=10)
    in_database(database_url, "INSERT INTO conversations (id, user_id) VALUES (gen_random_uuid(), :user)", user=ann.id)
    kept = await exported(ann)
    assert [todo.number for todo in kept.todos] == list(range(1, 253))
    assert [change.kind for change in kept.changes] == ["add", "add"]
    assert [str(one.id) for one in kept.confirmations] == [asked["confirmation"]["id"]]
    assert len(kept.confirmations[0].todos) == 2
    [turn] = kept.turns
    assert turn.message == "delete everything"
    assert turn.reply is not None
    assert turn.reply["confirmation"] == {"id": asked["confirmation"]["id"]}  # its todos are many
    assert kept.password_changed_at is not None
    assert (len(kept.sessions), len(kept.browsers)) == (1, 1)
    told = [(one.created_at, [message.content[:1] for message in one.messages]) for one in kept.conversations]
    assert told[:150] == sorted((when, ["1", "2", "3"]) for when, _ in told[:150])
    assert [len(said) for _, said in told[150:]] == [2, 0]
    whole = (await ann.request("GET", "/auth/me/export")).text
    assert "Secret" not in whole
    assert "hash" not in whole


@pytest.fixture
def url(migrated_database: Callable[[], URL]) -> URL:
    """A database of its own, for what is changed about it."""
    return migrated_database()


@pytest.fixture
def backend(url: URL, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """The service as a process on that database: its address, and the process's id."""
    write_secrets(tmp_path, url)
    before = children()
    with served(tmp_path, request_seconds=120) as address:
        [process] = children() - before
        yield address, process


def children() -> set[int]:
    """The processes that this one has started."""
    found = [tasks.read_text().split() for tasks in Path("/proc/self/task").glob("*/children")]
    return {int(process) for one in found for process in one}


def peak(process: int) -> float:
    """The most memory that it has had, in MiB."""
    [line] = [one for one in Path(f"/proc/{process}/status").read_text().splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


class Sizes(list[bytes]):
    """Takes pieces, and keeps how much they were together."""

    total = 0

    def append(self, piece: bytes, /) -> None:
        """Take another piece."""
        self.total += len(piece)


async def read_export(person: Person, pieces: list[bytes]) -> httpx.Response:
    """Read all that is kept about somebody as it comes."""
    headers = {"Authorization": f"Bearer {person.token}"}
    async with person.client.stream("GET", "/api/v1/auth/me/export", headers=headers) as answer:
        assert answer.status_code == 200
        async for piece in answer.aiter_raw():
            pieces.append(piece)
    return answer


async def test_an_account_that_has_as_much_as_one_may_have_is_exported_in_little_memory(
    backend: tuple[str, int], url: URL
) -> None:
    address, process = backend
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        person = await sign_up(client)
        in_database(url, TODOS, user=person.id, count=MOST_TODOS, length=5000)
        in_database(url, CHANGES, user=person.id, count=KEPT_CHANGES, length=5000)
        in_database(
            url, CONVERSATIONS, user=person.id, conversations=KEPT_MESSAGES // 2, count=KEPT_MESSAGES, length=2000
        )
        in_database(url, TURNS, user=person.id, count=KEPT_TURNS, length=LONGEST_REPLY)
        in_database(url, CONFIRMATIONS, user=person.id, count=KEPT_CONFIRMATIONS, length=MOST_TODOS)
        assert (await person.request("GET", "/todos?limit=10")).status_code == 200
        before, pieces = peak(process), Sizes()
        answer = await read_export(person, pieces)
        took = answer.elapsed.total_seconds()
    grown, size = peak(process) - before, pieces.total
    print(f"{size / MIB:.0f} MiB in {took:.1f} s; most memory before {before:.0f} MiB, and {grown:.0f} MiB more")  # noqa: T201
    assert size > 250 * MIB
    assert grown < 100


async def test_what_fails_on_the_way_is_no_whole_document(backend: tuple[str, int], url: URL) -> None:
    async with httpx.AsyncClient(base_url=backend[0]) as client:
        person = await sign_up(client)
        await person.add("buy milk")
        in_database(url, "ALTER TABLE messages RENAME TO lost")
        read: list[bytes] = []
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
            await read_export(person, read)
        assert b"buy milk" in b"".join(read)


async def test_an_account_that_is_deleted_on_the_way_is_no_whole_document(ann: Person, database_url: URL) -> None:
    database = Database(database_url, Health(tolerance_seconds=0))
    async with database.transaction() as session:
        user = (await session.scalars(select(User).where(User.id == uuid.UUID(ann.id)))).one()
    pieces = stream(database, user, None)
    await anext(pieces)
    assert (await ann.request("DELETE", "/auth/me")).status_code == 204
    with pytest.raises(Exception, match="No row was found"):
        [piece async for piece in pieces]
    await database.close()


async def test_of_what_one_changes_and_says_the_newest_is_kept(ann: Person, bob: Person, database_url: URL) -> None:
    url = database_url
    kept = ("changes", "turns", "confirmations", "conversations")
    for person in (ann, bob):
        in_database(url, CHANGES, user=person.id, count=KEPT_CHANGES + 10, length=10)
        in_database(url, TURNS, user=person.id, count=KEPT_TURNS + 10, length=10)
        in_database(url, CONFIRMATIONS, user=person.id, count=KEPT_CONFIRMATIONS + 10, length=2)
        in_database(url, CONVERSATIONS, user=person.id, conversations=5, count=KEPT_MESSAGES, length=10)
    in_database(url, CONVERSATIONS, user=bob.id, conversations=1, count=1, length=10)
    others = count(url, bob, *kept)

    await ann.add("buy milk")
    assert count(url, ann, "changes") == [KEPT_CHANGES + 1]  # the one that was made is known only then
    [[least]] = in_database(url, "SELECT min((after->>'n')::int) FROM changes WHERE user_id = :user", user=ann.id)
    assert least == 11
    for _ in range(2):
        await ann.add("buy oats")
    assert count(url, ann, "changes") == [KEPT_CHANGES + 1]
    asked = (await ann.request("POST", "/chat", {"message": "delete everything"})).json()
    assert count(url, ann, "turns", "confirmations", "conversations") == [KEPT_TURNS, KEPT_CONFIRMATIONS, 6]
    assert (await exported(ann)).turns[0].message == "said 12"
    assert (await ann.request("POST", f"/confirmations/{asked['confirmation']['id']}")).status_code == 200
    messages = [one.messages for one in (await exported(ann)).conversations]
    assert [len(one) for one in messages] == [1999, 1999, 2000, 2000, 2000, 2]
    assert count(url, bob, *kept) == others


async def test_a_conversation_of_which_no_message_is_kept_goes(ann: Person, database_url: URL) -> None:
    in_database(database_url, CONVERSATIONS, user=ann.id, conversations=1, count=2, length=10)
    in_database(database_url, CONVERSATIONS, user=ann.id, conversations=1, count=KEPT_MESSAGES, length=10)
    assert count(database_url, ann, "conversations") == [2]
    said = (await ann.request("POST", "/chat", {"message": "help"})).json()
    listed = (await ann.request("GET", "/chat/conversations")).json()
    assert len(listed) == 2
    assert said["conversation_id"] == listed[0]["id"]
