"""Migrations beside what else uses the database: somebody's lock, and the version before."""

import itertools
import logging
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from tests.conftest import process_environment, write_secrets
from tests.test_migrate import HEAD, READERS
from todo_backend import migrate as migrations
from todo_backend.database import TRANSACTION_SECONDS
from todo_backend.migrate import migrate

BEFORE = "0002"
QUICK_SECONDS = 5
"""For what comes while the migration waits: more than `_LOCK_SECONDS` here, less than for ever."""


@pytest.fixture
def before(new_database: Callable[[], URL]) -> URL:
    """A database as the version before has left it, with rows."""
    url = new_database()
    with _engine(url) as engine:
        _go(engine, command.upgrade, BEFORE)
    with _engine(url) as engine, engine.begin() as connection:
        _write_as_before(connection, "first@todochat.example", 3)
    return url


@contextmanager
def _engine(url: URL) -> Iterator[Engine]:
    engine = create_engine(url, connect_args={"options": "-c statement_timeout=10s"})  # a test that fails ends
    try:
        yield engine
    finally:
        engine.dispose()


def _go(engine: Engine, way: Callable[[Config, str], None], revision: str) -> None:
    """Upgrade or downgrade to a revision."""
    config, _ = migrations._scripts()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        way(config, revision)


def _readers(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT revision FROM schema_readers ORDER BY 1")))


def _write_as_before(connection: Connection, email: str, todos: int) -> None:
    """Write what the version before writes of its own: all that it names, and nothing else."""
    user = "INSERT INTO users (id, email, password_hash) VALUES (gen_random_uuid(), :email, 'none') RETURNING id"
    user_id = connection.scalar(text(user), {"email": email})
    todo = "INSERT INTO todos (id, user_id, title) SELECT gen_random_uuid(), :user, n::text"
    connection.execute(text(f"{todo} FROM generate_series(1, :todos) AS n"), {"user": user_id, "todos": todos})


def _revision(url: URL) -> str | None:
    with _engine(url) as engine, engine.connect() as connection:
        return migrations._revision(connection)


@pytest.mark.parametrize(
    ("lock", "reached"), [("SELECT count(*) FROM todos", "0003"), ("SELECT 1 FROM users FOR UPDATE", BEFORE)]
)
def test_who_comes_while_a_migration_waits_for_a_lock_is_served(
    before: URL, lock: str, reached: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
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
        assert _revision(before) == reached
        holder.rollback()
        waiting.join(timeout=60)
    assert failures == []
    assert _revision(before) == HEAD
    assert slowest < QUICK_SECONDS


def test_a_lock_that_nobody_lets_go_ends_the_migration_and_the_version_before_goes_on(before: URL) -> None:
    with _engine(before) as engine, engine.connect() as holder:
        holder.execute(text("SELECT count(*) FROM todos"))
        started = time.monotonic()
        with pytest.raises(OperationalError) as given_up:
            migrate(before, wait_seconds=1)
        assert isinstance(given_up.value.orig, LockNotAvailable)
        assert time.monotonic() - started < 20
        assert _revision(before) == "0003"
        assert _readers(engine) == [BEFORE, "0003"]
        _write_as_before(holder, "second@todochat.example", 2)


def test_what_the_version_before_writes_goes_on_working(before: URL) -> None:
    """So that `schema_readers`, which lists it, tells a rollback the truth."""
    migrate(before, wait_seconds=0)
    with _engine(before) as engine, engine.begin() as connection:
        assert _readers(engine) == READERS
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


def test_what_the_version_before_types_is_kept_in_the_composed_form_and_found(before: URL) -> None:
    decomposed, composed, growing = "cafe\u0301", "caf\u00e9", "\ufb1d" * 150  # of which each is two when composed
    add = text("INSERT INTO todos (id, user_id, title) SELECT gen_random_uuid(), id, :title FROM users LIMIT 1")
    with _engine(before) as engine:
        for revision in (BEFORE, "0004", HEAD):
            _go(engine, command.upgrade, revision)
            for title in (decomposed, growing):
                with engine.begin() as connection:
                    connection.execute(add, {"title": title})
        with engine.connect() as connection:
            kept = connection.scalars(text("SELECT title FROM todos WHERE length(title) > 1 ORDER BY number")).all()
            assert kept == [composed, growing] * 3
            found = "SELECT count(*) FROM todos WHERE strpos(search, searchable(:title)) > 0"
            assert [connection.scalar(text(found), {"title": title}) for title in (decomposed, "CAFÉ", growing)] == [
                3
            ] * 3
            assert connection.scalars(text("SELECT DISTINCT version FROM todos")).all() == [1]


def test_numbers_that_another_gives_meanwhile_stay(before: URL) -> None:
    """As one does whose process has ended, and whose statement PostgreSQL goes on with."""
    with _engine(before) as engine, engine.connect() as other, engine.connect() as watch:
        _go(engine, command.upgrade, "0004")
        other.execute(text("UPDATE users SET last_number = 30"))
        other.execute(text("UPDATE todos SET number = 10 * title::int"))
        second = threading.Thread(target=migrate, args=(before, 60), daemon=True)
        second.start()
        waits = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = :event")
        end = time.monotonic() + 30
        while not watch.scalar(waits, {"event": "transactionid"}):
            assert time.monotonic() < end
            watch.rollback()
        watch.rollback()
        other.commit()
        second.join(timeout=60)
        assert _revision(before) == HEAD
        assert watch.scalars(text("SELECT number FROM todos ORDER BY 1")).all() == [10, 20, 30]


def test_an_index_that_was_not_made_whole_is_made_again(before: URL) -> None:
    with _engine(before) as engine, engine.connect() as holder:
        _go(engine, command.upgrade, "0005")
        holder.execute(text("UPDATE todos SET title = 'held'"))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as broken_off:
            broken_off.execute(text("SET statement_timeout = '200ms'"))
            with pytest.raises(OperationalError):
                broken_off.execute(
                    text("CREATE UNIQUE INDEX CONCURRENTLY ix_todos_user_id_number ON todos (user_id, number)")
                )
        holder.rollback()
        valid = text("SELECT indisvalid, count(*) FROM pg_index WHERE indrelid = 'todos'::regclass GROUP BY 1")
        assert {row[0]: row[1] for row in holder.execute(valid)} == {True: 2, False: 1}
        holder.rollback()
        migrate(before, wait_seconds=0)
        assert {row[0]: row[1] for row in holder.execute(valid)} == {True: 7}


def test_the_way_back_leaves_what_the_version_before_made(before: URL) -> None:
    with _engine(before) as engine:
        tables = sorted(inspect(engine).get_table_names())
        for _ in range(2):
            _go(engine, command.upgrade, HEAD)
            _go(engine, command.downgrade, BEFORE)
            assert sorted(inspect(engine).get_table_names()) == tables
            assert [column["name"] for column in inspect(engine).get_columns("todos")] == TODOS_BEFORE
            assert _readers(engine) == [BEFORE]
            with engine.begin() as connection:
                _write_as_before(connection, f"{uuid.uuid4()}@todochat.example", 2)
        migrate(before, wait_seconds=0)
        with engine.connect() as connection:
            assert connection.scalars(text(MISNUMBERED)).all() == []
            assert connection.scalar(text("SELECT count(*) FROM todos")) == 7


TODOS_BEFORE = ["id", "user_id", "title", "created_at", "completed_at"]
MISNUMBERED = """
SELECT id FROM (
    SELECT id, number, row_number() OVER (PARTITION BY user_id ORDER BY created_at, id) AS right_one FROM todos
) AS numbered WHERE number IS DISTINCT FROM right_one
"""
MANY = """
WITH people AS (
    INSERT INTO users (id, email, password_hash)
    SELECT gen_random_uuid(), n || '@many.example', 'none' FROM generate_series(1, 2000) AS n RETURNING id
)
INSERT INTO todos (id, user_id, title, created_at)
SELECT gen_random_uuid(), id, 'todo', now() - n * interval '1 min' FROM people, generate_series(1, 100) AS n
"""


class Visitors(threading.Thread):
    """Work as the version before does, one thing after the other, until told to stop; see how long each takes."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(daemon=True)
        self.longest: dict[str, float] = {}
        self.failure: Exception | None = None
        self._engine = engine
        self._left = threading.Event()

    def run(self) -> None:
        with self._engine.connect() as connection:
            people = connection.scalars(text("SELECT id FROM users ORDER BY random()")).all()
        for user in itertools.cycle(people):
            if self._left.is_set() or self.failure:
                return
            try:
                self._visit(user)
            except Exception as error:  # noqa: BLE001 - told by the test
                self.failure = error

    def _visit(self, user: uuid.UUID) -> None:
        for name, statement in {
            "read": "SELECT id, title, created_at, completed_at FROM todos WHERE user_id = :user ORDER BY created_at",
            "add": "INSERT INTO todos (id, user_id, title) VALUES (gen_random_uuid(), :user, 'of before')",
            "complete": "UPDATE todos SET completed_at = now() WHERE user_id = :user AND title = 'of before'",
            # nothing of it is migrated: so long one waits on this machine anyway
            "elsewhere": "INSERT INTO elsewhere SELECT id, title FROM elsewhere WHERE id = :user",
            "sign up": "INSERT INTO users (id, email, password_hash) "
            "VALUES (gen_random_uuid(), gen_random_uuid()::text, 'none')",
        }.items():
            started = time.monotonic()
            with self._engine.begin() as connection:
                connection.execute(text(statement), {"user": user})
            self.longest[name] = max(self.longest.get(name, 0), time.monotonic() - started)

    def leave(self) -> None:
        """Stop, and tell of a failure."""
        self._left.set()
        self.join(timeout=30)
        if self.failure:
            raise self.failure


def test_two_hundred_thousand_todos_are_migrated_while_the_version_before_works_and_by_two_who_are_cut_off(
    before: URL, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_secrets(tmp_path, before)
    command_line = [sys.executable, "-m", "todo_backend.migrate"]
    environment = process_environment(tmp_path, {})
    with _engine(before) as engine:
        with engine.begin() as connection:
            connection.execute(text(MANY))
            connection.execute(text("CREATE TABLE elsewhere AS SELECT id, title FROM todos"))
        visitors = Visitors(engine)
        visitors.start()
        started = time.monotonic()
        for share in (0.2, 0.6):
            with subprocess.Popen(command_line, env=environment, stdout=subprocess.DEVNULL) as cut_off:
                while _numbered(engine) < share:
                    assert cut_off.poll() is None
                cut_off.kill()
            _end_of_others(engine)
            assert share <= _numbered(engine) < 1
        migrate(before, wait_seconds=60)
        took = time.monotonic() - started
        visitors.leave()
        with engine.connect() as connection:
            assert connection.scalars(text(MISNUMBERED)).all() == []
            added = connection.scalar(text("SELECT count(*) FROM todos WHERE title = 'of before'"))
            assert connection.scalar(text("SELECT count(*) FROM todos")) == 200_003 + added
            assert connection.scalar(text("SELECT count(*) FROM users WHERE last_number IS NULL")) == 0
    assert _revision(before) == HEAD
    with capsys.disabled():
        longest = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in visitors.longest.items())
        print(f"\n200,000 todos migrated in {took:.1f} s; meanwhile {added} added; the longest: {longest}")  # noqa: T201
    allowed = max(TRANSACTION_SECONDS / 5, 3 * visitors.longest.pop("elsewhere"))
    assert max(visitors.longest.values()) < allowed


def _numbered(engine: Engine) -> float:
    """Which share of the people who were there before have numbers."""
    with engine.connect() as connection:
        if "last_number" not in {column["name"] for column in inspect(connection).get_columns("users")}:
            return 0
        share = text("SELECT avg((last_number IS NOT NULL)::int) FROM users WHERE email LIKE '%@many.example'")
        return float(connection.scalar(share))


def _end_of_others(engine: Engine) -> None:
    """End what the one who was cut off has begun: PostgreSQL would go on with it, and not notice for long."""
    with engine.connect() as connection:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        connection.execute(text(f"{others} AND query LIKE '%FOR somebody IN%' AND pid <> pg_backend_pid()"))
