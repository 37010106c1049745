"""The database: one engine for each process, short transactions, a verdict on whether it can be reached."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled, SerializationFailure
from sqlalchemy import Column, MetaData, Table, Text, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from todo_backend import metrics
from todo_backend.health.state import Health

log = logging.getLogger(__name__)

TRANSACTION_SECONDS = 15
PROBE_SECONDS = 5
PROBE_PAUSE_IN_DOUBT_SECONDS = 1

_CONNECTION_DEFAULTS = {
    "connect_timeout": 10,  # a serverless database takes seconds to wake
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


class Base(DeclarativeBase):
    """Parent of all tables. Constraints get predictable names, so that a migration can name what it changes."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


# The heads (schema revisions) whose code works with the schema as it is, so that an older version knows whether it may.
schema_readers = Table("schema_readers", Base.metadata, Column("revision", Text, primary_key=True))


class DatabaseUnavailableError(Exception):
    """The database did not answer; whether the transaction was committed is unknown."""


class RefusedError(DatabaseUnavailableError):
    """The database answers, and did nothing of the transaction, which others kept waiting."""


class ClashError(RefusedError):
    """Two transactions waited for each other, and this one made room: tried again, it is done."""


def connection_arguments(url: URL) -> dict[str, object]:
    """Return psycopg's arguments for this URL; what the URL itself says wins."""
    defaults = {name: value for name, value in _CONNECTION_DEFAULTS.items() if name not in url.query}
    # Prepared statements do not survive a pooler that shares connections between transactions.
    return {**defaults, "prepare_threshold": None}


class Database:
    """Transactions on PostgreSQL; reports to `health` what it learns about the connection."""

    def __init__(self, url: URL, health: Health) -> None:
        self._health = health
        self._engine = create_async_engine(
            url,
            pool_size=5,
            max_overflow=5,
            pool_timeout=10,
            pool_pre_ping=True,
            pool_recycle=240,
            connect_args=connection_arguments(url),
            hide_parameters=True,  # parameters hold e-mail addresses and password hashes, and errors are logged
        )
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self, seconds: float = TRANSACTION_SECONDS) -> AsyncIterator[AsyncSession]:
        """Yield a session; commit at the end, roll back on an error.

        Keep it short: a pooled connection is held meanwhile. Raises DatabaseUnavailableError when the database cannot
        be reached or does not answer within `seconds`, and one of its kinds when it refuses.
        """
        try:
            async with asyncio.timeout(seconds), self._sessions.begin() as session:
                yield session
        except (OperationalError, InterfaceError, PoolTimeoutError, TimeoutError) as error:
            cause = getattr(error, "orig", None)
            reason = {"reason": str(cause or repr(error))}
            if isinstance(cause, DeadlockDetected | SerializationFailure | LockNotAvailable | QueryCanceled):
                log.warning("transaction refused", extra=reason)
                clashed = isinstance(cause, DeadlockDetected | SerializationFailure)
                raise (ClashError if clashed else RefusedError) from error
            log.warning("database unavailable", extra=reason)
            self._health.database_failed()
            metrics.DATABASE_UP.set(0)
            raise DatabaseUnavailableError from error
        self._health.database_answered()
        metrics.DATABASE_UP.set(1)

    async def watch(self, interval_seconds: float) -> None:
        """Ask the database now and then, for ever: only when nobody else did lately, and often while in doubt."""
        while True:
            if self._health.database_silent_for(interval_seconds):
                try:
                    async with self.transaction(PROBE_SECONDS) as session:
                        await session.execute(text("SELECT 1"))
                except DatabaseUnavailableError:
                    await asyncio.sleep(PROBE_PAUSE_IN_DOUBT_SECONDS)
                    continue
                except Exception:  # it has to go on, whatever this was
                    log.exception("the database's probe failed")
            await self._health.wait_for_doubt(interval_seconds)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
