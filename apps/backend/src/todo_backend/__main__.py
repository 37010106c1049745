"""Serve the API: python3 -m todo_backend. One process; Kubernetes keeps as many as are wanted."""

import logging
import math
import sys
import time
from types import FrameType

import uvicorn

from todo_backend import logs, metrics
from todo_backend.app import create_app
from todo_backend.health.state import Health
from todo_backend.settings import ConfigurationError, load

log = logging.getLogger("todo_backend")

KEEP_ALIVE_SECONDS = 75  # longer than any client keeps an idle connection, so that the client closes it, not we
AFTER_THE_LAST_REQUEST_SECONDS = 2
"""For its answer to leave."""


class DrainingServer(uvicorn.Server):
    """After SIGTERM goes on answering for a moment, closing each connection with its answer, before it stops.

    Otherwise a client that keeps its connections loses the request it sends into the closing one. A connection that is
    still open after that moment has been idle throughout; the frontend has closed it by then, see `drain_seconds`.
    """

    def __init__(self, config: uvicorn.Config, health: Health, drain_seconds: float) -> None:
        super().__init__(config)
        self._health = health
        self._drain_seconds = drain_seconds
        self._stop_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature is the library's
        """Begin to drain; stop at once when asked a second time."""
        if self._stop_at is None:
            self._health.draining = True
            self._stop_at = time.monotonic() + self._drain_seconds
        else:
            self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Stop when drained; called every 0.1 s."""
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            self.should_exit = True
        return await super().on_tick(counter)


def main() -> int:
    """Serve until told to stop. Returns the exit status: 0, or 2 for a faulty configuration."""
    try:
        settings, secrets = load()
    except ConfigurationError as error:
        logs.configure("info")
        log.critical("%s", error)
        return 2
    logs.configure(settings.log_level)
    app = create_app(settings, secrets)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.request_seconds) + AFTER_THE_LAST_REQUEST_SECONDS,
    )
    if settings.metrics_port:
        try:
            metrics.serve(settings.host, settings.metrics_port)
        except OSError as error:
            log.critical("TODO_METRICS_PORT %d cannot be listened on: %s", settings.metrics_port, error)
            return 3
    server = DrainingServer(config, app.state.health, settings.drain_seconds)
    server.run()
    return 0 if server.started else 3


if __name__ == "__main__":
    sys.exit(main())
