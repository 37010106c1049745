"""Password hashing that fits into a small container."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from todo_backend import metrics

TRANSACTIONS_AT_ONCE = 4
"""Of attempts: connections to the database stay free for everybody else."""
WAITING = 24
"""For one account; more are turned away."""
WAITING_IN_ALL = 64
"""Who is known is not counted among them."""


class BusyError(Exception):
    """Too many wait for their turn already."""


@dataclass
class _Queue:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class Passwords:
    """argon2id in threads, four hashes at a time at most.

    OWASP's smallest recommended setting, 19 MiB, instead of the library's 64 MiB, and never more than that at once:
    a crowd logging in together must not exhaust the container's memory. Two threads are for passwords that may be
    right, a third one for those from known browsers, and the fourth for unknown accounts and for new passwords: nobody
    who is right waits for that one.
    """

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._lanes = {False: ThreadPoolExecutor(2), True: ThreadPoolExecutor(1)}
        self._slow_lane = ThreadPoolExecutor(1)
        self._transactions = asyncio.Semaphore(TRANSACTIONS_AT_ONCE)
        self._queues: dict[bytes, _Queue] = {}
        self._waiting = 0
        self._nobodys_hash = self._hasher.hash("the password of nobody")

    @asynccontextmanager
    async def turn(self, account: bytes, *, known: bool = False) -> AsyncIterator[AbstractAsyncContextManager[None]]:
        """Wait until nobody else tries this account, so that who guesses at one keeps nobody else waiting.

        Yields what each transaction of the attempt has to be in. Raises BusyError.
        """
        queue = self._queues.get(account) or _Queue()
        if queue.waiting >= WAITING or (not known and self._waiting >= WAITING_IN_ALL):
            raise BusyError
        self._queues[account] = queue
        queue.waiting += 1
        self._waiting += not known
        metrics.HASHES_WAITING.inc()
        try:
            async with queue.turn:
                yield nullcontext() if known else self._transactions
        finally:
            queue.waiting -= 1
            self._waiting -= not known
            metrics.HASHES_WAITING.dec()
            if not queue.waiting:
                self._queues.pop(account, None)

    async def hash(self, password: str) -> str:
        """Return the hash to keep."""
        composed = unicodedata.normalize("NFC", password)
        return await asyncio.get_running_loop().run_in_executor(self._slow_lane, self._hasher.hash, composed)

    async def verify(self, password_hash: str | None, password: str, *, known: bool = False) -> bool:
        """Tell whether the password fits. No hash (an unknown account) takes as long as a wrong password."""
        loop = asyncio.get_running_loop()
        if password_hash is None:
            await loop.run_in_executor(self._slow_lane, self._verify, self._nobodys_hash, password)
        elif await loop.run_in_executor(self._lanes[known], self._verify, password_hash, password):
            return True
        else:  # waits where unknown accounts wait as well, so that a crowd of those does not tell which is which
            await loop.run_in_executor(self._slow_lane, int)
        return False

    def _verify(self, password_hash: str, password: str) -> bool:
        # Operating systems type accents in different forms; 0.1 kept each as it came.
        return any(self._fits(password_hash, form) for form in {unicodedata.normalize("NFC", password), password})

    def _fits(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except VerifyMismatchError:
            return False
