"""Bring the database's schema up to this version: python3 -m todo_backend.migrate.

Any number may run at once. Exit status: 0 done, 2 faulty configuration, 3 database out of reach, 4 schema unknown.
"""

import logging
import sys
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from todo_backend import logs
from todo_backend.database import connection_arguments
from todo_backend.settings import ConfigurationError, load

log = logging.getLogger("todo_backend.migrate")

_LOCK = 0x746F646F  # "todo": any number will do that nothing else in this database locks
_PAUSE_SECONDS = 1


class UnknownSchemaError(Exception):
    """The database was migrated by another, probably newer, version of this service."""


def migrate(url: URL, wait_seconds: float) -> None:
    """Apply what is missing, in one transaction.

    Raises OperationalError when the database is out of reach for longer than `wait_seconds`, UnknownSchemaError when it
    knows a revision that this version does not.
    """
    engine = create_engine(url, poolclass=NullPool, connect_args=connection_arguments(url), hide_parameters=True)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    with _connected(engine, wait_seconds) as connection:
        if _revision(connection, scripts) == scripts.get_current_head():
            log.info("schema is up to date", extra={"revision": scripts.get_current_head()})
            return
    with engine.begin() as connection:
        # Held until the transaction ends, so it also holds behind a pooler that shares connections.
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        before = _revision(connection, scripts)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    log.info("schema is up to date", extra={"revision": scripts.get_current_head(), "before": before})


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


def _revision(connection: Connection, scripts: ScriptDirectory) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if revision is not None and revision not in known:
        raise UnknownSchemaError(
            f"The database's schema is at revision {revision}, which this version does not know. "
            "Deploy the version that made it, or restore a dump from before."
        )
    return revision


def main() -> int:
    """Run the migrations. Returns the exit status."""
    try:
        settings, secrets = load()
    except ConfigurationError as error:
        logs.configure("info")
        log.critical("%s", error)
        return 2
    logs.configure(settings.log_level)
    try:
        migrate(secrets.sqlalchemy_url, settings.database_wait_seconds)
    except OperationalError as error:
        log.critical("the database cannot be used: %s", str(error.orig).strip())
        return 3
    except UnknownSchemaError as error:
        log.critical("%s", error)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
