"""How often one may try, counted in the database for all replicas together."""

import hashlib
import time
from datetime import timedelta

from sqlalchemy import case, delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from todo_backend.auth.models import Attempts

REMEMBERED_SECONDS = 1
"""For how long a process refuses without looking again: an operator's new password begins the count anew."""


class TooManyError(Exception):
    """It was tried too often; it may be tried again in `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many attempts. Try again in {seconds} s.")
        self.seconds = seconds


def key_of(*parts: str) -> bytes:
    """The key of a count; it tells nothing about whose it is."""
    return hashlib.sha256("\x00".join(parts).encode()).digest()


class Throttle:
    """Refuses who has tried too often.

    What it has just refused it refuses again without asking the database, so that who goes on trying takes nothing
    from the others.
    """

    def __init__(self) -> None:
        self._refused: dict[bytes, tuple[float, float]] = {}
        """When each was, by the monotonic clock, and when its count begins anew."""

    def refuse_again(self, key: bytes) -> None:
        """Raises TooManyError where this was refused a moment ago."""
        now = time.monotonic()
        refused_at, until = self._refused.get(key, (-REMEMBERED_SECONDS, 0))
        if now < min(refused_at + REMEMBERED_SECONDS, until):
            raise TooManyError(max(1, round(until - now)))

    async def take(self, session: AsyncSession, key: bytes, limit: int, window: timedelta) -> int:
        """Count one before it is done, so that many at once are no more than that; return how many there have been.

        A count begins anew when its window is over. Raises TooManyError, with which the transaction counts none.
        """
        self.refuse_again(key)
        is_over = Attempts.ends_at <= func.now()
        query = (
            insert(Attempts)
            .values(key=key, count=1, ends_at=func.now() + window)
            .on_conflict_do_update(
                index_elements=[Attempts.key],
                set_={
                    "count": case((is_over, 1), else_=Attempts.count + 1),
                    "ends_at": case((is_over, func.now() + window), else_=Attempts.ends_at),
                },
            )
            .returning(Attempts.count, func.extract("epoch", Attempts.ends_at - func.now()))
        )
        count, left = (await session.execute(query)).one()
        if count > limit:
            now = time.monotonic()
            fresh = {old: one for old, one in self._refused.items() if now < one[0] + REMEMBERED_SECONDS}
            self._refused = {**fresh, key: (now, now + float(left))}
            raise TooManyError(max(1, round(left)))
        return int(count)


async def give_back(session: AsyncSession, key: bytes) -> None:
    """Count one less."""
    await session.execute(update(Attempts).where(Attempts.key == key).values(count=Attempts.count - 1))


async def clear(session: AsyncSession, *keys: bytes) -> None:
    """Begin anew."""
    await session.execute(delete(Attempts).where(Attempts.key.in_(keys)))
