"""What pages and programs of version 0.1 send, and at least what they read in the answers: they go on working."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import jwt
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from sqlalchemy.engine import URL

from tests.conftest import PASSWORD, new_key, new_ring, serving, sign_up
from todo_backend.settings import JwtKeys


class Shape(BaseModel):
    """Fields as 0.1 gave them; others may be there as well."""

    model_config = ConfigDict(strict=True)


class User(Shape):
    id: uuid.UUID
    email: str


class Session(Shape):
    access_token: str = Field(min_length=1)
    token_type: Literal["bearer"]
    expires_in: int = Field(ge=12 * 60 * 60)  # nothing of 0.1 refreshes it
    user: User


class Todo(Shape):
    id: uuid.UUID
    title: str = Field(min_length=1, max_length=200)
    completed: bool
    created_at: datetime
    completed_at: datetime | None


class Action(Shape):
    tool: Literal["add_todo", "complete_todo", "delete_todo"]
    todo: Todo


class ChatReply(Shape):
    conversation_id: uuid.UUID
    reply: str = Field(min_length=1)
    assistant: Literal["rule-based"]  # the page fails at any other
    actions: list[Action]


class Message(Shape):
    role: Literal["user", "assistant"]
    content: str
    created_at: datetime


class ConversationSummary(Shape):
    id: uuid.UUID
    created_at: datetime


class Conversation(Shape):
    id: uuid.UUID
    messages: list[Message]


class Problem(Shape):
    detail: str = Field(min_length=1)


class Status(Shape):
    status: Literal["ok"]


CREDENTIALS = {"email": "{email}", "password": PASSWORD}
WAY: list[tuple[str, str, object, int, Any]] = [
    ("GET", "/health/startup", None, 200, Status),
    ("GET", "/health/live", None, 200, Status),
    ("POST", "/api/v1/auth/signup", CREDENTIALS, 201, Session),
    ("POST", "/api/v1/auth/signup", CREDENTIALS, 409, Problem),
    ("POST", "/api/v1/auth/signup", {"email": "nobody", "password": PASSWORD}, 422, Problem),
    ("POST", "/api/v1/auth/login", {**CREDENTIALS, "password": "wrong horse"}, 401, Problem),
    ("POST", "/api/v1/auth/login", CREDENTIALS, 200, Session),
    ("GET", "/api/v1/auth/me", None, 200, User),
    ("GET", "/api/v1/todos", None, 200, list[Todo]),
    ("POST", "/api/v1/todos", {"title": " "}, 422, Problem),
    ("POST", "/api/v1/todos", {"title": "buy milk"}, 201, Todo),
    ("GET", "/api/v1/todos", None, 200, list[Todo]),
    ("PATCH", "/api/v1/todos/{id}", {"completed": True}, 200, Todo),
    ("PATCH", "/api/v1/todos/{id}", {"completed": False}, 200, Todo),
    ("PATCH", "/api/v1/todos/{id}", {"title": "buy oats", "completed": True}, 200, Todo),
    ("PATCH", "/api/v1/todos/{id}", {"title": ""}, 422, Problem),
    ("GET", "/api/v1/todos", None, 200, list[Todo]),
    ("DELETE", "/api/v1/todos/{id}", None, 204, None),
    ("DELETE", "/api/v1/todos/{id}", None, 404, Problem),
    ("PATCH", "/api/v1/todos/{id}", {"completed": True}, 404, Problem),
    ("GET", "/api/v1/chat/conversations", None, 200, list[ConversationSummary]),
    ("POST", "/api/v1/chat", {"message": "add buy milk"}, 200, ChatReply),
    ("POST", "/api/v1/chat", {"message": "list", "conversation_id": "{conversation_id}"}, 200, ChatReply),
    ("POST", "/api/v1/chat", {"message": "done buy milk", "conversation_id": "{conversation_id}"}, 200, ChatReply),
    ("POST", "/api/v1/chat", {"message": "delete buy milk", "conversation_id": "{conversation_id}"}, 200, ChatReply),
    ("POST", "/api/v1/chat", {"message": "how are you?", "conversation_id": None}, 200, ChatReply),
    ("POST", "/api/v1/chat", {"message": ""}, 422, Problem),
    ("POST", "/api/v1/chat", {"message": "list", "conversation_id": "{unknown}"}, 404, Problem),
    ("GET", "/api/v1/chat/conversations", None, 200, list[ConversationSummary]),
    ("GET", "/api/v1/chat/conversations/{conversation_id}", None, 200, Conversation),
    ("GET", "/api/v1/chat/conversations/{unknown}", None, 404, Problem),
    ("DELETE", "/api/v1/auth/me", None, 204, None),
    ("GET", "/api/v1/auth/me", None, 401, Problem),
    ("POST", "/api/v1/auth/login", CREDENTIALS, 401, Problem),
]


def filled(body: object, known: dict[str, str]) -> object:
    """The body with what earlier answers gave."""
    if not isinstance(body, dict):
        return body
    return {name: value.format_map(known) if isinstance(value, str) else value for name, value in body.items()}


async def test_all_that_the_version_before_sends_is_answered_as_it_was(database_url: URL) -> None:
    known = {"email": f"acceptance+{uuid.uuid4().hex}@todochat.example", "unknown": str(uuid.uuid4())}
    async with serving(database_url) as client:
        for step in WAY:
            method, path, body, status, shape = step
            headers = {"Authorization": f"Bearer {known['access_token']}"} if "access_token" in known else {}
            answer = await client.request(method, path.format_map(known), headers=headers, json=filled(body, known))
            assert answer.status_code == status, (step, answer.text)
            if shape is None:
                assert answer.content == b"", step
                continue
            TypeAdapter(shape).validate_json(answer.content)
            if isinstance(answer.json(), dict):
                known |= answer.json()


def made(hours: int) -> str:
    """The id of a key that was made so long ago."""
    return f"{datetime.now(UTC) - timedelta(hours=hours):%Y%m%dT%H%M%SZ}-0a1b2c3d"


async def test_who_is_logged_in_stays_so_for_as_long_as_was_promised(database_url: URL) -> None:
    """Also where the keys were rotated since: by a token that 0.1 issued, and by one as 0.1 asks for it."""
    older, newer = made(hours=3), made(hours=2)
    keys = {older: new_key(), newer: new_key()}
    before = JwtKeys.model_validate({"active": older, "keys": {older: keys[older]}})
    async with serving(database_url, before) as client:
        person = await sign_up(client)
    since = datetime.now(UTC) - timedelta(hours=3)
    claims = {"sub": person.id, "iat": since, "exp": since + timedelta(hours=12)}
    theirs = jwt.encode(claims, before.secret(older), algorithm="HS256", headers={"kid": older})
    async with serving(database_url, JwtKeys.model_validate({"active": newer, "keys": keys})) as client:
        person.client = client
        for token in (person.token, theirs):
            person.token = token
            assert (await person.request("GET", "/todos")).status_code == 200


async def test_tokens_are_read_by_the_version_before_and_those_of_the_next_one_here(database_url: URL) -> None:
    """Pods of two versions answer the same people during a rollout, and after a rollback."""
    ring = new_ring()
    key = ring.secret("first")
    async with serving(database_url, ring) as client:
        person = await sign_up(client)
        credentials = {"email": person.email, "password": PASSWORD}
        for refresh in (False, True):
            answer = await client.post("/api/v1/auth/login", json={**credentials, "refresh": refresh})
            # as 0.1 reads it
            claims = jwt.decode(
                answer.json()["access_token"], key, ["HS256"], options={"require": ["sub", "iat", "exp"]}
            )
            assert claims["sub"] == person.id
        for audience, status in (("todochat", 200), ("another", 401)):
            headers = {"kid": "first", "typ": "at+jwt"}
            person.token = jwt.encode({**claims, "aud": audience}, key, algorithm="HS256", headers=headers)
            assert (await person.request("GET", "/todos")).status_code == status
