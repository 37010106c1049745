"""What this process knows about its own fitness."""

import asyncio
import time


class Health:
    """Readiness from what was last heard of the database; a short loss is tolerated.

    All replicas share one database: were each to leave the Service at the first lost query, a blink of the database
    would take the whole application away.
    """

    def __init__(self, tolerance_seconds: float) -> None:
        self.draining = False
        self._tolerance = tolerance_seconds
        self._answered_at: float | None = None
        self._failing_since: float | None = None
        self._doubt = asyncio.Event()

    def database_answered(self) -> None:
        """Note that the database just answered."""
        self._answered_at = time.monotonic()
        self._failing_since = None
        self._doubt.clear()

    def database_failed(self) -> None:
        """Note that the database just could not be used."""
        if self._failing_since is None:
            self._failing_since = time.monotonic()
        self._doubt.set()

    def database_silent_for(self, seconds: float) -> bool:
        """Tell whether nothing good was heard of the database for so long, or something bad since."""
        return (
            self._answered_at is None
            or self._failing_since is not None
            or time.monotonic() - self._answered_at >= seconds
        )

    async def wait_for_doubt(self, seconds: float) -> None:
        """Return when the database fails somebody, or after this time."""
        try:
            async with asyncio.timeout(seconds):
                await self._doubt.wait()
        except TimeoutError:
            pass

    def why_not_ready(self) -> str | None:
        """Return why this process should get no traffic, None when it should."""
        if self.draining:
            return "Shutting down."
        if self._answered_at is None:
            return "The database has not answered yet."
        if self._failing_since is not None:
            lost_for = time.monotonic() - self._failing_since
            if lost_for >= self._tolerance:
                return f"The database has not answered for {lost_for:.0f} s."
        return None
