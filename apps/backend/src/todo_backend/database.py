"""The database: one pool of connections, short transactions, a verdict on whether it can be reached."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled, SerializationFailure
from sqlalchemy import Column, MetaData, Table, Text, event, text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction

from todo_backend import metrics
from todo_backend.health.state import Health

log = logging.getLogger(__name__)

TRANSACTION_SECONDS = 15
POOL_SECONDS = 10
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


class SlowError(RefusedError):
    """What was asked takes longer than it may."""


class ClashError(RefusedError):
    """Two transactions waited for each other, and this one made room: tried again, it is done."""


def connection_arguments(url: URL) -> dict[str, object]:
    """Return psycopg's arguments for this URL; what the URL itself says wins."""
    defaults = {name: value for name, value in _CONNECTION_DEFAULTS.items() if name not in url.query}
    # Prepared statements do not survive a pooler that shares connections between transactions.
    return {**defaults, "prepare_threshold": None}


_CONNECTED = "connected"


@event.listens_for(Session, "after_begin")
def _connected(session: Session, _transaction: SessionTransaction, _connection: Connection) -> None:
    session.info[_CONNECTED] = True


class Database:
    """Transactions on PostgreSQL; reports to `health` what it learns about the connection."""

    def __init__(self, url: URL, health: Health) -> None:
        self._health = health
        self._engine = _engine(url, pool_size=5, max_overflow=5)
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)
        # The probe waits for nobody: that all connections are in use says nothing about the database.
        self._probe_engine = _engine(url, pool_size=1, max_overflow=0)
        self._probe_sessions = async_sessionmaker(self._probe_engine)

    @asynccontextmanager
    async def transaction(
        self, seconds: float = TRANSACTION_SECONDS, *, is_probe: bool = False
    ) -> AsyncIterator[AsyncSession]:
        """Yield a session; commit at the end, roll back on an error.

        Keep it short: a pooled connection is held meanwhile. Raises DatabaseUnavailableError when the database cannot
        be reached or does not answer within `seconds`, and one of its kinds when it refuses.
        """
        session = (self._probe_sessions if is_probe else self._sessions)()
        try:
            async with asyncio.timeout(seconds), session, session.begin():
                yield session
        except (OperationalError, InterfaceError, PoolTimeoutError, TimeoutError) as error:
            cause = getattr(error, "orig", None)
            reason = {"reason": str(cause or repr(error))}
            ended_by_us = isinstance(error, TimeoutError) and _CONNECTED in session.info and not is_probe
            if isinstance(error, PoolTimeoutError) or isinstance(cause, QueryCanceled) or ended_by_us:
                log.warning("transaction too slow", extra=reason)
                raise SlowError from error
            if isinstance(cause, DeadlockDetected | SerializationFailure | LockNotAvailable):
                log.warning("transaction refused", extra=reason)
                raise (RefusedError if isinstance(cause, LockNotAvailable) else ClashError) from error
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
                    async with self.transaction(PROBE_SECONDS, is_probe=True) as session:
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
        await self._probe_engine.dispose()


def _engine(url: URL, *, pool_size: int, max_overflow: int) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=POOL_SECONDS,
        pool_pre_ping=True,
        pool_recycle=240,
        connect_args=connection_arguments(url),
        hide_parameters=True,  # parameters hold e-mail addresses and password hashes, and errors are logged
    )
