"""What docs/reference.md and docs/openapi.json say of the backend, as JSON; run in the environment in which `make check` looks at it (see references.py)."""

from __future__ import annotations

import base64
import json
from typing import Any

from sqlalchemy.dialects import postgresql
from todo_backend.app import create_app
from todo_backend.chat import toolbox
from todo_backend.database import Base
from todo_backend.settings import Secrets, Settings


def tables() -> list[dict[str, Any]]:
    """Each table, with what its class says of itself; one that migrations alone write has none."""
    about = {mapper.local_table.name: mapper.class_.__doc__ or "" for mapper in Base.registry.mappers}
    return [
        {
            "name": table.name,
            "about": about.get(table.name, ""),
            "columns": [
                {
                    "name": column.name,
                    "type": column.type.compile(dialect=postgresql.dialect()).lower(),  # type: ignore[no-untyped-call]
                    "empty": bool(column.nullable),
                    "key": bool(column.primary_key),
                    "unique": bool(column.unique),
                    "refers": [key.target_fullname for key in sorted(column.foreign_keys, key=lambda key: key.target_fullname)],
                }
                for column in table.columns
            ],
        }
        for table in sorted(Base.metadata.tables.values(), key=lambda table: table.name)
    ]


def api() -> dict[str, Any]:
    """The document that the backend serves of its API."""
    ring = {"active": "one", "keys": {"one": base64.urlsafe_b64encode(bytes(32)).decode().rstrip("=")}}
    secrets = Secrets.model_validate({"database_url": "postgresql://nobody@nowhere/nothing", "jwt_keys": ring})
    return create_app(Settings(), secrets).openapi()


def tools() -> list[dict[str, Any]]:
    """Each tool of the language model and of outside clients."""
    return [{"name": one.name, "about": one.description, "takes": one.schema, "writes": one.writes} for one in toolbox.TOOLS.values()]


if __name__ == "__main__":
    print(json.dumps({"tables": tables(), "api": api(), "tools": tools()}))
