"""Password hashing that fits into a small container."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError


class Passwords:
    """argon2id in threads, two hashes at a time.

    OWASP's smallest recommended setting, 19 MiB, instead of the library's 64 MiB, and never more than two at once:
    a crowd logging in together must not exhaust the container's memory.
    """

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._slots = asyncio.Semaphore(2)
        self._nobodys_hash = self._hasher.hash("the password of nobody")

    async def hash(self, password: str) -> str:
        """Return the hash to keep."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Tell whether the password fits. No hash (an unknown account) takes as long as a wrong password."""
        async with self._slots:
            fits = await asyncio.to_thread(self._verify, password_hash or self._nobodys_hash, password)
        return fits and password_hash is not None

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except VerifyMismatchError:
            return False
