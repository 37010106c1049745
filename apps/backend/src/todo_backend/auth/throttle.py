"""How often one may try, counted in the database for all replicas together."""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import case, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from todo_backend.auth.models import Attempts


class TooManyError(Exception):
    """It was tried too often; it may be tried again in `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many attempts. Try again in {seconds} s.")
        self.seconds = seconds


def key_of(*parts: str) -> bytes:
    """The key of a count; it tells nothing about whose it is."""
    return hashlib.sha256("\x00".join(parts).encode()).digest()


async def check(session: AsyncSession, key: bytes, most: int) -> None:
    """Raises TooManyError where that many attempts have been counted."""
    query = select(Attempts.count, Attempts.ends_at, func.now()).where(Attempts.key == key)
    if (found := (await session.execute(query)).one_or_none()) and found[0] >= most and found[1] > found[2]:
        raise TooManyError(_seconds(found[1], found[2]))


async def count(session: AsyncSession, key: bytes, window: timedelta) -> None:
    """Count one; a count begins anew when its window is over."""
    now = func.now()
    first = insert(Attempts).values(key=key, count=1, ends_at=now + window)
    is_over = Attempts.ends_at <= now
    await session.execute(
        first.on_conflict_do_update(
            index_elements=[Attempts.key],
            set_={
                "count": case((is_over, 1), else_=Attempts.count + 1),
                "ends_at": case((is_over, now + window), else_=Attempts.ends_at),
            },
        )
    )


async def clear(session: AsyncSession, key: bytes) -> None:
    """Begin anew."""
    await session.execute(delete(Attempts).where(Attempts.key == key))


def _seconds(until: datetime, now: datetime) -> int:
    return max(1, round((until - now).total_seconds()))
