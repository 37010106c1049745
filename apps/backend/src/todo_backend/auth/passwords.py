"""Password hashing that fits into a small container."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from todo_backend import metrics

AT_ONCE = 2
WAITING = 24
"""For one account; more are turned away."""
WAITING_IN_ALL = 64


class BusyError(Exception):
    """Too many wait for their hash already."""


@dataclass
class _Account:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class Passwords:
    """argon2id in threads, two hashes at a time, and a third for browsers that are known.

    OWASP's smallest recommended setting, 19 MiB, instead of the library's 64 MiB, and never more than that at once:
    a crowd logging in together must not exhaust the container's memory. Of one account one at a time, so that who
    guesses at one keeps nobody else waiting.
    """

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._slots = {False: asyncio.Semaphore(AT_ONCE), True: asyncio.Semaphore(1)}
        self._accounts: dict[str, _Account] = {}
        self._nobodys_hash = self._hasher.hash("the password of nobody")

    async def hash(self, password: str, account: str) -> str:
        """Return the hash to keep. Raises BusyError."""
        async with self._slot(account, known=False):
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str, account: str, *, known: bool = False) -> bool:
        """Tell whether the password fits. No hash (an unknown account) takes as long as a wrong password.

        Raises BusyError.
        """
        async with self._slot(account, known=known):
            fits = await asyncio.to_thread(self._verify, password_hash or self._nobodys_hash, password)
        return fits and password_hash is not None

    @asynccontextmanager
    async def _slot(self, name: str, *, known: bool) -> AsyncIterator[None]:
        account = self._accounts.setdefault(name, _Account())
        if account.waiting >= WAITING or sum(one.waiting for one in self._accounts.values()) >= WAITING_IN_ALL:
            raise BusyError
        account.waiting += 1
        metrics.HASHES_WAITING.inc()
        try:
            async with account.turn, self._slots[known]:
                yield
        finally:
            account.waiting -= 1
            metrics.HASHES_WAITING.dec()
            if not account.waiting:
                self._accounts.pop(name, None)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except VerifyMismatchError:
            return False
