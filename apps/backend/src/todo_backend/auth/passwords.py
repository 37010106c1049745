"""Password hashing that fits into a small container."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from todo_backend import metrics

AT_ONCE = 2
ATTEMPTS_AT_ONCE = 4
"""With all that belongs to them: connections to the database stay free for everybody else."""
WAITING = 24
"""For one account; more are turned away."""
WAITING_IN_ALL = 64


class BusyError(Exception):
    """Too many wait for their turn already."""


@dataclass
class _Queue:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class Passwords:
    """argon2id in threads, two hashes at a time, and a third for browsers that are known.

    OWASP's smallest recommended setting, 19 MiB, instead of the library's 64 MiB, and never more than that at once:
    a crowd logging in together must not exhaust the container's memory.
    """

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._slots = {False: asyncio.Semaphore(AT_ONCE), True: asyncio.Semaphore(1)}
        self._attempts = asyncio.Semaphore(ATTEMPTS_AT_ONCE)
        self._queues: dict[bytes, _Queue] = {}
        self._nobodys_hash = self._hasher.hash("the password of nobody")

    @asynccontextmanager
    async def turn(self, account: bytes, *, known: bool = False) -> AsyncIterator[None]:
        """Wait until nobody else tries this account, so that who guesses at one keeps nobody else waiting.

        All that an attempt takes belongs into it, not the hash alone. Raises BusyError.
        """
        queue = self._queues.setdefault(account, _Queue())
        if queue.waiting >= WAITING or sum(one.waiting for one in self._queues.values()) >= WAITING_IN_ALL:
            raise BusyError
        queue.waiting += 1
        metrics.HASHES_WAITING.inc()
        try:
            async with queue.turn, nullcontext() if known else self._attempts:
                yield
        finally:
            queue.waiting -= 1
            metrics.HASHES_WAITING.dec()
            if not queue.waiting:
                self._queues.pop(account, None)

    async def hash(self, password: str) -> str:
        """Return the hash to keep."""
        async with self._slots[False]:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str, *, known: bool = False) -> bool:
        """Tell whether the password fits. No hash (an unknown account) takes as long as a wrong password."""
        async with self._slots[known]:
            fits = await asyncio.to_thread(self._verify, password_hash or self._nobodys_hash, password)
        return fits and password_hash is not None

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except VerifyMismatchError:
            return False
