"""Transactions that the database takes back for the sake of others; PostgreSQL says so itself, by its own codes."""

import logging
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from tests.conftest import Person, in_database
from todo_backend.todos import service

DEADLOCK, SERIALIZATION, CANCELED = "40P01", "40001", "57014"
# A sequence goes on counting also where a transaction is taken back.
REFUSING = """
CREATE SEQUENCE refusals;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('refusals') <= {times} THEN RAISE EXCEPTION USING ERRCODE = '{code}'; END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER refuse AFTER INSERT ON changes FOR EACH ROW EXECUTE FUNCTION refuse()
"""


@pytest.fixture
def database_url(migrated_database: Callable[[], URL]) -> URL:
    """A database of its own, for what is changed about it."""
    return migrated_database()


def refuse(database_url: URL, code: str, times: int) -> None:
    """Take back the first so many transactions that change a todo, with this code."""
    in_database(database_url, REFUSING.format(code=code, times=times))


def asked(database_url: URL) -> int:
    """How often a change was tried."""
    [(count,)] = in_database(database_url, "SELECT last_value FROM refusals")
    return int(count)


@pytest.mark.parametrize("code", [DEADLOCK, SERIALIZATION])
@pytest.mark.parametrize(
    ("path", "body", "title"), [("/todos", {"title": "buy milk"}, "buy milk"), ("/chat", {"message": "add x"}, "x")]
)
async def test_what_was_taken_back_once_is_done_the_next_time(
    ann: Person, database_url: URL, code: str, path: str, body: object, title: str
) -> None:
    refuse(database_url, code, times=1)
    answer = await ann.request("POST", path, body)
    assert answer.status_code in {200, 201}, answer.text
    assert (await ann.titles(), asked(database_url)) == ([title], 2)
    assert len((await ann.request("GET", "/changes")).json()) == 1


@pytest.mark.parametrize(
    ("code", "tries", "detail"),
    [(DEADLOCK, 2, "Too many want to change the same just now."), (CANCELED, 1, "This takes too long just now.")],
)
async def test_what_is_taken_back_again_is_told_and_is_no_loss_of_the_database(
    ann: Person, database_url: URL, code: str, tries: int, detail: str, caplog: pytest.LogCaptureFixture
) -> None:
    refuse(database_url, code, times=10)
    with caplog.at_level(logging.INFO, "todo_backend"):
        answer: httpx.Response = await ann.request("POST", "/todos", {"title": "buy milk"})
    assert (answer.status_code, answer.headers["Retry-After"], asked(database_url)) == (503, "2", tries)
    assert answer.json()["detail"] == f"{detail} Try again in a moment."
    assert "database unavailable" not in caplog.messages
    assert await ann.titles() == []


async def test_who_has_gone_silent_in_a_change_keeps_nobody_waiting(
    ann: Person, database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "SILENT_SECONDS", 1)
    await ann.add("buy milk")
    [(user,)] = in_database(database_url, "SELECT user_id FROM todos")
    engine = create_async_engine(database_url)
    gone = AsyncSession(engine)  # of a process whose machine has lost its power
    await service.take_turn(gone, user)
    answer = await ann.request("POST", "/todos", {"title": "buy bread"})
    await gone.invalidate()
    await engine.dispose()
    assert answer.status_code == 201, answer.text
