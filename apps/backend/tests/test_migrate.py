"""The schema, however often and however many pods at once bring it up to date."""

import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

import todo_backend
from tests.conftest import process_environment, write_secrets
from todo_backend.chat import models as _chat  # noqa: F401 - fills the metadata
from todo_backend.database import Base
from todo_backend.migrate import UnknownSchemaError, migrate
from todo_backend.todos import models as _todos  # noqa: F401

HEAD, NEXT = "0010", "0011"
READERS = [f"{number:04}" for number in range(2, int(HEAD) + 1)]


def test_four_pods_at_once_and_one_more_make_one_schema(new_database: Callable[[], URL], tmp_path: Path) -> None:
    url = new_database()
    write_secrets(tmp_path, url)
    environment = process_environment(tmp_path, {"TODO_DATABASE_WAIT_SECONDS": "0"})
    command = [sys.executable, "-m", "todo_backend.migrate"]
    pods = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in range(4)]
    outputs = [pod.communicate(timeout=60)[0].decode() for pod in pods]
    assert [pod.returncode for pod in pods] == [0, 0, 0, 0], outputs
    again = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60)
    assert "schema is up to date" in again.stdout.decode()

    engine = create_engine(url)
    with engine.connect() as connection:
        tables = set(inspect(connection).get_table_names())
        assert tables == set(Base.metadata.tables) | {"alembic_version"}
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    engine.dispose()


def test_a_database_that_is_not_in_utf8_is_refused_by_name(server_url: URL, tmp_path: Path) -> None:
    name = "todo_in_ascii"
    admin = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"))
    write_secrets(tmp_path, server_url.set(database=name))
    environment = process_environment(tmp_path, {"TODO_DATABASE_WAIT_SECONDS": "0"})
    command = [sys.executable, "-m", "todo_backend.migrate"]
    ended = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()

    said = ended.stdout.decode()
    assert ended.returncode == 2, said
    assert "todo_in_ascii is in SQL_ASCII, and has to be in UTF8" in said
    assert "Traceback" not in said + ended.stderr.decode()


def test_the_models_and_the_migrated_schema_say_the_same(database_url: URL) -> None:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


@pytest.mark.parametrize("listed", [["tomorrow"], [HEAD], []])
def test_a_schema_from_the_future_is_left_alone(new_database: Callable[[], URL], listed: list[str]) -> None:
    url = _at_tomorrow(new_database(), listed)

    with pytest.raises(UnknownSchemaError, match=rf"revision tomorrow; this version is made for {HEAD}.*make restore"):
        migrate(url, wait_seconds=0)


def test_a_schema_from_before_there_were_readers_is_left_alone(new_database: Callable[[], URL]) -> None:
    url = _at_tomorrow(new_database(), [], "DROP TABLE schema_readers")

    with pytest.raises(UnknownSchemaError, match="revision tomorrow"):
        migrate(url, wait_seconds=0)


def test_a_schema_from_the_future_that_lists_this_version_is_used(
    new_database: Callable[[], URL], caplog: pytest.LogCaptureFixture
) -> None:
    url = _at_tomorrow(new_database(), [HEAD, "tomorrow"])

    with caplog.at_level(logging.INFO):
        migrate(url, wait_seconds=0)

    assert "schema is newer, and works with this version" in caplog.text
    assert _column(url, "SELECT version_num FROM alembic_version") == ["tomorrow"]
    assert _column(url, "SELECT revision FROM schema_readers ORDER BY 1") == [HEAD, "tomorrow"]


def test_the_readers_are_the_heads_since_the_newest_migration_that_broke(new_database: Callable[[], URL]) -> None:
    url = new_database()
    migrate(url, wait_seconds=0)
    assert _column(url, "SELECT revision FROM schema_readers ORDER BY 1") == READERS


@pytest.mark.parametrize(("breaks", "readers"), [(False, [*READERS, NEXT]), (True, [NEXT])])
def test_a_version_rolled_back_reads_the_next_ones_schema_unless_that_breaks_it(
    new_database: Callable[[], URL], tmp_path: Path, breaks: bool, readers: list[str]
) -> None:
    """The next version is a copy of this one with one more migration."""
    url = new_database()
    write_secrets(tmp_path, url)
    package = Path(todo_backend.__file__).parent
    shutil.copytree(package, tmp_path / "next/todo_backend")
    migrations = tmp_path / "next/todo_backend/migrations/versions"
    another = next(migrations.glob("0002_*.py")).read_text()
    changes = {
        '"0002"': f'"{NEXT}"',
        '"0001"': f'"{HEAD}"',
        "schema_readers": "more",
        "bool = True": f"bool = {breaks}",
    }
    for old, new in changes.items():
        another = another.replace(old, new)
    (migrations / f"{NEXT}_more.py").write_text(another)
    this = process_environment(tmp_path, {})
    following = this | {"PYTHONPATH": f"{tmp_path / 'next'}{os.pathsep}{this['PYTHONPATH']}"}
    command = [sys.executable, "-m", "todo_backend.migrate"]

    for environment in (this, following, following):
        subprocess.run(command, env=environment, check=True, timeout=60, capture_output=True)
    assert _column(url, "SELECT revision FROM schema_readers ORDER BY 1") == readers
    back = subprocess.run(command, env=this, check=False, timeout=60, capture_output=True, text=True)

    assert back.returncode == (4 if breaks else 0)
    assert ("and does not work with it" if breaks else "schema is newer") in back.stdout
    again = subprocess.run([*command, "head"], env=following, check=True, timeout=60, capture_output=True, text=True)
    assert again.stdout == f"{NEXT}\n"


def test_the_head_is_told_without_settings_or_a_database() -> None:
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "TODO_SECRETS_DIR": "/nowhere"}
    command = [sys.executable, "-m", "todo_backend.migrate", "head"]
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=60)
    assert told.stdout == f"{HEAD}\n"


def test_every_migration_says_whether_it_breaks_what_was_before() -> None:
    folder = Path(todo_backend.__file__).parent / "migrations"
    files = [*folder.glob("versions/*.py"), folder / "script.py.mako"]
    assert len(files) > 2
    silent = [
        file.name for file in files if not re.search(r"^breaks_previous: bool = (True|False)$", file.read_text(), re.M)
    ]
    assert silent == []


def test_a_database_that_is_late_is_waited_for(
    new_database: Callable[[], URL], caplog: pytest.LogCaptureFixture
) -> None:
    url = new_database()
    with socket.socket() as front:
        front.bind(("127.0.0.1", 0))
        port = front.getsockname()[1]
        late = threading.Timer(1.5, _forward, (front, url))
        late.daemon = True
        late.start()
        with caplog.at_level(logging.WARNING):
            migrate(url.set(host="127.0.0.1", port=port), wait_seconds=30)
    assert "waiting for the database" in caplog.text


def test_a_database_that_does_not_come_is_given_up(database_url: URL) -> None:
    started = time.monotonic()
    with pytest.raises(OperationalError):
        migrate(database_url.set(host="127.0.0.1", port=1), wait_seconds=1.5)
    assert time.monotonic() - started < 10


def _at_tomorrow(url: URL, readers: list[str], *more: str) -> URL:
    """Migrate a database, then make it look as if version `tomorrow` had done it, which lists these readers."""
    migrate(url, wait_seconds=0)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'tomorrow'"))
        connection.execute(text("DELETE FROM schema_readers"))
        for revision in readers:
            connection.execute(text("INSERT INTO schema_readers VALUES (:revision)"), {"revision": revision})
        for statement in more:
            connection.execute(text(statement))
    engine.dispose()
    return url


def _column(url: URL, query: str) -> list[str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        values = [str(value) for value in connection.scalars(text(query))]
    engine.dispose()
    return values


def _forward(front: socket.socket, url: URL) -> None:
    """Pass connections on to the database, for as long as the front socket is open."""
    front.listen()
    while True:
        try:
            near, _ = front.accept()
        except OSError:
            return
        far = socket.create_connection((url.host or "127.0.0.1", url.port or 5432))
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with source, sink:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
