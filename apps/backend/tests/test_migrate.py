"""The schema, however often and however many pods at once bring it up to date."""

import logging
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

from tests.conftest import process_environment, write_secrets
from todo_backend.chat import models as _chat  # noqa: F401 - fills the metadata
from todo_backend.database import Base
from todo_backend.migrate import UnknownSchemaError, migrate
from todo_backend.todos import models as _todos  # noqa: F401


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
        assert tables == {"users", "todos", "conversations", "messages", "alembic_version"}
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    engine.dispose()


def test_the_models_and_the_migrated_schema_say_the_same(database_url: URL) -> None:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_a_schema_from_the_future_is_left_alone(new_database: Callable[[], URL]) -> None:
    url = new_database()
    migrate(url, wait_seconds=0)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'tomorrow'"))
    engine.dispose()

    with pytest.raises(UnknownSchemaError, match="revision tomorrow"):
        migrate(url, wait_seconds=0)


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
