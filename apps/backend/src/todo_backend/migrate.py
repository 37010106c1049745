"""Bring the database's schema up to this version: python3 -m todo_backend.migrate.

Any number may run at once. Exit status: 0 done, 2 faulty configuration, 3 database out of reach, 4 schema unknown.
With the argument `head` it prints the revision that this version is made for, and asks no database.
"""

import argparse
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import Connection, Engine, create_engine, delete, event, insert, inspect, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from todo_backend import logs
from todo_backend.database import connection_arguments, schema_readers
from todo_backend.settings import ConfigurationError, load

log = logging.getLogger("todo_backend.migrate")

_LOCK = 0x746F646F  # "todo": any number will do that nothing else in this database locks
_LOCK_SECONDS = 3
_PAUSE_SECONDS = 1


class UnknownSchemaError(Exception):
    """The database was migrated by another, probably newer, version of this service, and this one cannot use it."""


def migrate(url: URL, wait_seconds: float) -> None:
    """Apply what is missing, each migration for itself; do nothing to a newer schema that says this version can use it.

    Broken off at any moment, the next one goes on from there. Raises OperationalError when the database is out of
    reach, or its tables are locked, for longer than `wait_seconds`, UnknownSchemaError when it is at a revision that
    this version neither knows nor can use, ConfigurationError when it is not in UTF-8.
    """
    engine = create_engine(url, poolclass=NullPool, connect_args=connection_arguments(url), hide_parameters=True)
    event.listen(engine, "connect", _in_utf8, insert=True)  # before SQLAlchemy reads the server's answers as text
    config, scripts = _scripts()
    with _connected(engine, wait_seconds) as connection:
        if _fits(connection, scripts):
            return
    deadline = time.monotonic() + wait_seconds
    while True:
        with _turn(engine):
            started = time.monotonic()
            try:
                _apply(engine, config, scripts)
            except OperationalError as error:
                if time.monotonic() > started + 2 * _LOCK_SECONDS:  # it did more than wait
                    deadline = time.monotonic() + wait_seconds
                if not isinstance(error.orig, LockNotAvailable | DeadlockDetected) or time.monotonic() > deadline:
                    raise
                log.warning("waiting for a lock", extra={"reason": str(error.orig).strip()})
            else:
                return
        time.sleep(_PAUSE_SECONDS)


def _in_utf8(connection: psycopg.Connection, _record: object) -> None:
    """Refuse a database that would not keep every text as it was written."""
    if (encoding := connection.info.parameter_status("server_encoding")) != "UTF8":
        raise ConfigurationError(
            f"database_url: the database {connection.info.dbname} is in {encoding}, and has to be in UTF8: CREATE "
            "DATABASE another_name ENCODING 'UTF8' TEMPLATE template0, and name that one in the URL."
        )


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Wait until nobody else migrates."""
    while True:
        with engine.begin() as connection:
            # Its transaction's, so it also holds behind a pooler that shares connections. Asked for again and again:
            # an index that is made concurrently would wait for a statement that waits for it.
            if connection.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}):
                connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
                yield
                return
        time.sleep(_PAUSE_SECONDS)


def _apply(engine: Engine, config: Config, scripts: ScriptDirectory) -> None:
    """Apply what is missing. Raises OperationalError where somebody holds a lock for long: others wait behind this."""
    with engine.connect() as connection:
        if _fits(connection, scripts):  # somebody else was faster
            return
        before = _revision(connection)
        connection.rollback()
        event.listen(connection, "begin", _give_way)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    log.info("schema is up to date", extra={"revision": scripts.get_current_head(), "before": before})


def _give_way(connection: Connection) -> None:
    """Wait for no lock long. What commits by itself cannot be told so; it has to be what others do not wait behind."""
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")


def _scripts() -> tuple[Config, ScriptDirectory]:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    config.attributes["on_version_apply"] = partial(_applied, scripts)
    return config, scripts


def _applied(scripts: ScriptDirectory, *, ctx: MigrationContext, heads: set[str], **_: object) -> None:
    """Keep who can work with the schema as it is by now, in the same transaction: an older version may ask any time."""
    if ctx.connection is not None and inspect(ctx.connection).has_table(schema_readers.name):
        ctx.connection.execute(delete(schema_readers))
        readers = [{"revision": revision} for revision in _readers(scripts, *heads)]
        ctx.connection.execute(insert(schema_readers), readers)


def _readers(scripts: ScriptDirectory, revision: str) -> Iterator[str]:
    """Yield the heads whose code works with this revision's schema: from it back to the newest that broke."""
    for script in scripts.iterate_revisions(revision, "base"):
        yield script.revision
        if script.module.breaks_previous:
            return


def _connected(engine: Engine, wait_seconds: float) -> Connection:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return engine.connect()
        except OperationalError as error:
            left = deadline - time.monotonic()
            if left <= 0:
                raise
            log.warning(
                "waiting for the database", extra={"reason": str(error.orig).strip(), "seconds_left": round(left)}
            )
            time.sleep(_PAUSE_SECONDS)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _fits(connection: Connection, scripts: ScriptDirectory) -> bool:
    """Tell whether this version works with the schema as it is. Raises UnknownSchemaError."""
    revision, head = _revision(connection), scripts.get_current_head()
    if revision == head:
        log.info("schema is up to date", extra={"revision": revision})
        return True
    if revision is None or revision in {script.revision for script in scripts.walk_revisions()}:
        return False
    known = inspect(connection).has_table(schema_readers.name)
    # Its own revision too: whoever migrated past this table did not keep it.
    if not known or not {revision, head} <= set(connection.scalars(select(schema_readers.c.revision))):
        raise UnknownSchemaError(
            f"The database's schema is at revision {revision}; this version is made for {head}, and does not work with "
            "it. Deploy the version that made it or a newer one, or `make restore` the backup from before it."
        )
    log.info("schema is newer, and works with this version", extra={"revision": revision, "made_for": head})
    return True


def main() -> int:
    """Run the migrations, or print the head. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="todo_backend.migrate", description="Bring the database's schema up to date.")
    parser.add_argument("show", nargs="?", choices=["head"], help="print the revision this version is made for")
    if parser.parse_args().show:
        sys.stdout.write(f"{_scripts()[1].get_current_head()}\n")
        return 0
    try:
        settings, secrets = load()
    except ConfigurationError as error:
        logs.configure("info")
        log.critical("%s", error)
        return 2
    logs.configure(settings.log_level)
    try:
        migrate(secrets.sqlalchemy_url, settings.database_wait_seconds)
    except ConfigurationError as error:
        log.critical("%s", error)
        return 2
    except OperationalError as error:
        log.critical("the database cannot be used: %s", str(error.orig).strip())
        return 3
    except UnknownSchemaError as error:
        log.critical("%s", error)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
