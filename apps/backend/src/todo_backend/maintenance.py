"""What the service does for itself, now and then."""

import asyncio
import logging
from typing import Any

from sqlalchemy import ColumnElement, delete, func, inspect, select, tuple_

from todo_backend.auth import sessions
from todo_backend.chat import service as chat
from todo_backend.database import Base, Database, DatabaseUnavailableError
from todo_backend.todos import service as todos

log = logging.getLogger(__name__)

_EVERY_SECONDS = 3600
_LOCK = 0x746F6467  # any number that nothing else in this database locks
_AT_ONCE = 1000


async def forget_what_is_old(database: Database) -> None:
    """Delete for good, every hour, what is kept for a while only; of several replicas one does it at a time."""
    while True:
        try:
            for table, is_old in (todos.OLD | chat.OLD | sessions.OLD).items():
                await _forget(database, table, is_old)
        except DatabaseUnavailableError:
            pass  # it will be there the next time
        except Exception:  # it has to go on, whatever this was
            log.exception("forgetting what is old failed")
        await asyncio.sleep(_EVERY_SECONDS)


async def _forget(database: Database, table: type[Base], is_old: ColumnElement[bool]) -> None:
    """Delete some at a time, each time in a transaction of its own: what was done stays done, however it ends."""
    key = tuple_(*inspect(table).primary_key)
    old: Any = select(*inspect(table).primary_key).where(is_old).limit(_AT_ONCE).with_for_update(skip_locked=True)
    deleted, last = 0, _AT_ONCE
    try:
        while last == _AT_ONCE:
            async with database.transaction() as session:
                if not await session.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
                    return
                gone = await session.execute(delete(table).where(key.in_(old)).returning(*key))
                last = len(gone.all())
            deleted += last
    finally:
        if deleted:
            log.info("forgot what is old", extra={"table": table.__tablename__, "rows": deleted})
