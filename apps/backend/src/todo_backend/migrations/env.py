"""Alembic's entry: with the connection that todo_backend.migrate hands over, or one of its own for developers."""

from alembic import context
from sqlalchemy import Connection, create_engine

from todo_backend.auth import models as _auth  # noqa: F401 - fills the metadata
from todo_backend.chat import models as _chat  # noqa: F401
from todo_backend.database import Base, connection_arguments
from todo_backend.settings import load
from todo_backend.todos import models as _todos  # noqa: F401


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        transaction_per_migration=True,
        on_version_apply=context.config.attributes.get("on_version_apply"),
    )
    with context.begin_transaction():
        context.run_migrations()


if (given := context.config.attributes.get("connection")) is not None:
    _run(given)
else:
    url = load()[1].sqlalchemy_url
    with create_engine(url, connect_args=connection_arguments(url)).connect() as own:
        _run(own)
