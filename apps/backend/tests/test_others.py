"""What belongs to one user, and another one who asks for it: every operation that there is, by the OpenAPI document."""

import json
import re
import uuid
from typing import Any

import httpx
import pytest

from tests.conftest import Person
from tests.operations import PUBLIC, belongings, document

DOCUMENT = document()
OPERATIONS = {
    (method.upper(), path): operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
VALID = {"title": "stolen", "notes": "stolen", "completed": True, "due": "today", "priority": "high", "message": "list"}
CHOSEN = "id"
"""A field of this name is the sender's own choice for something new."""


def fields(operation: dict[str, Any]) -> dict[str, Any]:
    """The fields of a request's body, with their schemas."""
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    found: dict[str, Any] = DOCUMENT["components"]["schemas"].get(body.get("$ref", "").rpartition("/")[2], {})
    return found.get("properties", {}) if body else {}


def ids(operation: dict[str, Any]) -> list[str]:
    """The names by which it takes ids: everything in its path, and each UUID in a query or a body."""
    parameters = operation.get("parameters", [])
    places = [one["name"] for one in parameters if one["in"] == "path" or '"uuid"' in json.dumps(one["schema"])]
    return places + [name for name, field in fields(operation).items() if '"uuid"' in json.dumps(field)]


TAKING_IDS = {key: found for key, one in OPERATIONS.items() if (found := [name for name in ids(one) if name != CHOSEN])}


async def everything(person: Person) -> dict[str, Any]:
    """All that is kept about somebody."""
    response = await person.request("GET", "/auth/me/export")
    assert response.status_code == 200
    kept: dict[str, Any] = response.json()
    return kept


@pytest.mark.parametrize(("method", "path"), TAKING_IDS, ids=map(" ".join, TAKING_IDS))
async def test_ids_of_somebody_else_are_nothing_that_there_is(ann: Person, bob: Person, method: str, path: str) -> None:
    hers = await belongings(ann)
    before = await everything(ann)
    operation = OPERATIONS[method, path]
    body = {name: VALID[name] for name in fields(operation).keys() & VALID.keys()}
    body |= {name: hers[name] for name in fields(operation).keys() & set(TAKING_IDS[method, path])}
    query = {one["name"]: hers.get(one["name"]) for one in operation.get("parameters", []) if one["in"] == "query"}
    place = path.removeprefix("/api/v1").format_map(hers)
    given = httpx.QueryParams({name: value for name, value in query.items() if value})
    answer = await bob.request(method, f"{place}?{given}", body or None)
    assert answer.status_code == 404, answer.text
    assert await everything(ann) == before
    assert (await bob.request("GET", "/changes")).json() == []
    confirmed = await ann.request("POST", f"/confirmations/{hers['confirmation_id']}")
    assert confirmed.status_code == 200
    assert len(confirmed.json()["deleted"]) == 2


async def test_nothing_of_somebody_else_is_listed(ann: Person, bob: Person) -> None:
    hers = {**await belongings(ann), "user": ann.id}
    del hers["change_id"]  # a number like any other
    places = [path for method, path in OPERATIONS if method == "GET" and "{" not in path and path.startswith("/api/")]
    assert places
    for path in places:
        answer = await bob.request("GET", path.removeprefix("/api/v1"))
        assert answer.status_code == 200, path
        assert not [name for name, value in hers.items() if value in answer.text], path


async def test_an_id_that_somebody_else_chose_tells_and_changes_nothing(ann: Person, bob: Person) -> None:
    todo, turn = str(uuid.uuid4()), str(uuid.uuid4())
    await ann.request("POST", "/todos", {"id": todo, "title": "Secret"})
    await ann.request("POST", "/chat", {"id": turn, "message": "add Another"})
    before = await everything(ann)
    refused = await bob.request("POST", "/todos", {"id": todo, "title": "stolen"})
    assert (refused.status_code, "Secret" in refused.text) == (409, False)
    answered = await bob.request("POST", "/chat", {"id": turn, "message": "add Milk"})
    assert (answered.status_code, "Another" in answered.text) == (200, False)
    assert await bob.titles() == ["Milk"]
    streamed = await bob.request("POST", "/chat/stream", {"id": turn, "message": "add Milk"})
    assert (streamed.status_code, "Another" in streamed.text) == (200, False)
    assert await bob.titles() == ["Milk"]
    assert await everything(ann) == before
    choosing = {key for key, operation in OPERATIONS.items() if CHOSEN in ids(operation)}
    assert choosing == {("POST", "/api/v1/todos"), ("POST", "/api/v1/chat"), ("POST", "/api/v1/chat/stream")}


async def test_who_is_not_logged_in_gets_what_is_public_alone(client: httpx.AsyncClient) -> None:
    assert {key for key, operation in OPERATIONS.items() if not operation.get("security")} == PUBLIC
    for method, path in OPERATIONS:
        place = re.sub(r"\{\w+\}", str(uuid.uuid4()), path)
        for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic YTpi"}):
            answer = await client.request(method, place, headers=headers)
            assert (answer.status_code == 401) is ((method, path) not in PUBLIC), (method, path, answer.text)
