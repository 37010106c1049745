"""Every operation of the API, as its OpenAPI document has them, and what somebody has whose ids they take."""

import uuid
from typing import Any

from tests.conftest import Person, new_ring
from todo_backend.app import create_app
from todo_backend.settings import Secrets, Settings

PUBLIC = {
    ("POST", "/api/v1/auth/signup"),
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/refresh"),
    ("GET", "/health/startup"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/health/assistant"),
}
"""What one does not log in for."""


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    secrets = {"database_url": "postgresql://nobody@nowhere/nothing", "jwt_keys": new_ring()}
    return create_app(Settings(), Secrets.model_validate(secrets)).openapi()


async def belongings(person: Person) -> dict[str, str]:
    """Give somebody one of each thing that has an id; the ids by the names that the operations' parameters have."""
    todo = await person.add("buy milk")
    await person.add("buy oats")
    turn_id = str(uuid.uuid4())
    asked = (await person.request("POST", "/chat", {"message": "delete everything", "id": turn_id})).json()
    token = (await person.request("POST", "/auth/tokens", {"name": "my editor"})).json()
    [change, *_] = (await person.request("GET", "/changes")).json()
    [session, *_] = (await person.request("GET", "/auth/sessions")).json()
    return {
        "todo_id": todo["id"],
        "change_id": str(change["id"]),
        "confirmation_id": asked["confirmation"]["id"],
        "conversation_id": asked["conversation_id"],
        "after": asked["conversation_id"],
        "session_id": session["id"],
        "turn_id": turn_id,
        "token_id": token["access_token"]["id"],
    }
