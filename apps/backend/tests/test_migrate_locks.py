"""Migrations beside what else uses the database: somebody's lock, and the version before."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from alembic import command
from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from todo_backend import migrate as migrations
from todo_backend.migrate import migrate

BEFORE, HEAD = "0002", migrations._scripts()[1].get_current_head()
QUICK_SECONDS = 5
"""For what comes while the migration waits: more than `_LOCK_SECONDS` here, less than for ever."""


@pytest.fixture
def before(new_database: Callable[[], URL]) -> URL:
    """A database as the version before has left it, with rows."""
    url = new_database()
    config, _ = migrations._scripts()
    with _engine(url) as engine, engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE)
        connection.execute(text("INSERT INTO schema_readers VALUES (:revision)"), {"revision": BEFORE})
        _write_as_before(connection, "first@todochat.example", 3)
    return url


@contextmanager
def _engine(url: URL) -> Iterator[Engine]:
    engine = create_engine(url, connect_args={"options": "-c statement_timeout=10s"})  # a test that fails ends
    try:
        yield engine
    finally:
        engine.dispose()


def _write_as_before(connection: Connection, email: str, todos: int) -> None:
    """Write what the version before writes of its own: all that it names, and nothing else."""
    user = "INSERT INTO users (id, email, password_hash) VALUES (gen_random_uuid(), :email, 'none') RETURNING id"
    user_id = connection.scalar(text(user), {"email": email})
    todo = "INSERT INTO todos (id, user_id, title) SELECT gen_random_uuid(), :user, n::text"
    connection.execute(text(f"{todo} FROM generate_series(1, :todos) AS n"), {"user": user_id, "todos": todos})


def _revision(url: URL) -> str | None:
    with _engine(url) as engine, engine.connect() as connection:
        return migrations._revision(connection)


@pytest.mark.parametrize("lock", ["SELECT count(*) FROM todos", "SELECT 1 FROM users FOR UPDATE"])
def test_who_comes_while_a_migration_waits_for_a_lock_is_served(
    before: URL, lock: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "_LOCK_SECONDS", 0.5)
    failures: list[Exception] = []

    def run() -> None:
        try:
            migrate(before, wait_seconds=60)
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    waiting = threading.Thread(target=run, daemon=True)
    with _engine(before) as engine, engine.connect() as holder, caplog.at_level(logging.WARNING):
        holder.execute(text(lock))
        waiting.start()
        slowest, refusals = 0.0, 0
        end = time.monotonic() + 60
        while refusals < 2:  # it has given way, and tried again
            assert time.monotonic() < end
            started = time.monotonic()
            with engine.begin() as visitor:
                visitor.execute(text("SELECT count(*) FROM todos"))
                visitor.execute(text("UPDATE todos SET title = 'seen' WHERE title = '1'"))
            slowest = max(slowest, time.monotonic() - started)
            refusals = caplog.text.count("waiting for a lock")
        assert waiting.is_alive()
        assert _revision(before) == BEFORE
        holder.rollback()
        waiting.join(timeout=60)
    assert failures == []
    assert _revision(before) == HEAD
    assert slowest < QUICK_SECONDS


def test_a_lock_that_nobody_lets_go_ends_the_migration_and_changes_nothing(before: URL) -> None:
    with _engine(before) as engine, engine.connect() as holder:
        holder.execute(text("SELECT count(*) FROM todos"))
        started = time.monotonic()
        with pytest.raises(OperationalError) as given_up:
            migrate(before, wait_seconds=1)
        assert isinstance(given_up.value.orig, LockNotAvailable)
        assert time.monotonic() - started < 20
        assert _revision(before) == BEFORE
        assert "sessions" not in inspect(engine).get_table_names()
        readers = holder.scalars(text("SELECT revision FROM schema_readers")).all()
        assert list(readers) == [BEFORE]


def test_what_the_version_before_writes_goes_on_working(before: URL) -> None:
    """So that `schema_readers`, which lists it, tells a rollback the truth."""
    migrate(before, wait_seconds=0)
    with _engine(before) as engine, engine.begin() as connection:
        readers = connection.scalars(text("SELECT revision FROM schema_readers ORDER BY 1")).all()
        assert list(readers) == [BEFORE, HEAD]
        _write_as_before(connection, "second@todochat.example", 2)
        connection.execute(text("UPDATE todos SET completed_at = now() WHERE title = '2'"))
        numbers = (
            "SELECT email, array_agg(number ORDER BY number) FROM todos JOIN users ON users.id = user_id GROUP BY 1"
        )
        found = {email: list(given) for email, given in connection.execute(text(numbers))}
        assert found == {"first@todochat.example": [1, 2, 3], "second@todochat.example": [1, 2]}
        connection.execute(text("DELETE FROM todos WHERE title = '1'"))
        connection.execute(text("DELETE FROM users"))
        assert connection.scalar(text("SELECT count(*) FROM todos")) == 0
