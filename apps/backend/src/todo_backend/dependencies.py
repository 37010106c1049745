"""What every domain's endpoints need."""

from typing import Annotated

from fastapi import Depends, Request

from todo_backend.database import Database
from todo_backend.settings import Settings


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


# A Database, not an open session: endpoints say themselves how long they hold a connection.
Db = Annotated[Database, Depends(_database)]


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


Config = Annotated[Settings, Depends(_settings)]
