"""What every domain's endpoints need."""

import logging
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute

from todo_backend.database import ClashError, Database
from todo_backend.settings import Settings

log = logging.getLogger(__name__)


class RetriedRoute(APIRoute):
    """An endpoint that is called once more where a transaction of its own made room for another's.

    Nothing of it was done; what one before it did in the same request, counting an attempt, is done twice.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what handles a request."""
        handle = super().get_route_handler()

        async def handle_twice(request: Request) -> Response:
            try:
                return await handle(request)
            except ClashError:
                log.info("trying again")
                return await handle(request)

        return handle_twice


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


# A Database, not an open session: endpoints say themselves how long they hold a connection.
Db = Annotated[Database, Depends(_database)]


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


Config = Annotated[Settings, Depends(_settings)]
