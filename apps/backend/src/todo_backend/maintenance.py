"""What the service does for itself, now and then."""

import asyncio
import logging

from sqlalchemy import func, select

from todo_backend.auth import sessions
from todo_backend.chat import service as chat
from todo_backend.database import Database, DatabaseUnavailableError
from todo_backend.todos import service as todos

log = logging.getLogger(__name__)

_EVERY_SECONDS = 3600
_LOCK = 0x746F6467  # any number that nothing else in this database locks


async def forget_what_is_old(database: Database) -> None:
    """Delete for good, every hour, what is kept for a while only; of several replicas one does it."""
    while True:
        try:
            async with database.transaction() as session:
                if await session.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
                    await todos.forget(session)
                    await chat.forget(session)
                    await sessions.forget(session)
        except DatabaseUnavailableError:
            pass  # it will be there the next time
        except Exception:  # it has to go on, whatever this was
            log.exception("forgetting what is old failed")
        await asyncio.sleep(_EVERY_SECONDS)
