"""Whose browsers may call the API: the origins of the settings', no other, and no one's by default."""

import httpx
import pytest
from sqlalchemy.engine import URL

from tests.conftest import serving, sign_up

OURS, OTHER = "https://app.example", "https://evil.example"
METHODS = {"GET", "POST", "PATCH", "DELETE"}


def may_read(answer: httpx.Response, origin: str) -> bool:
    """Tell whether a browser shows the answer to a page of this origin."""
    return bool(answer.headers.get("Access-Control-Allow-Origin") == origin)


async def preflight(client: httpx.AsyncClient, origin: str, method: str) -> httpx.Response:
    """Ask as a browser does before a request that a form could not send."""
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,x-request-id",
    }
    return await client.options("/api/v1/todos", headers=headers)


@pytest.mark.parametrize(("origin", "allowed"), [(OURS, True), ("http://127.0.0.1:30000", True), (OTHER, False)])
async def test_only_an_origin_of_the_settings_is_told_that_it_may(
    database_url: URL, origin: str, allowed: bool
) -> None:
    async with serving(database_url, cors_origins=f"{OURS}, http://127.0.0.1:30000") as client:
        for method in METHODS:
            asked = await preflight(client, origin, method)
            assert (may_read(asked, origin), asked.status_code == 200) == (allowed, allowed)

        person = await sign_up(client)
        headers = {"Origin": origin, "Authorization": f"Bearer {person.token}"}
        added = await client.post("/api/v1/todos", headers=headers, json={"title": "buy milk"})
        assert (added.status_code, may_read(added, origin)) == (201, allowed)
        removed = await client.delete(f"/api/v1/todos/{added.json()['id']}", headers=headers)
        assert (removed.status_code, may_read(removed, origin)) == (204, allowed)
        shown = set(removed.headers["Access-Control-Expose-Headers"].split(", "))
        assert shown == {"Link", "Retry-After", "X-Change-ID", "X-Request-ID"}
        refused = await client.get("/api/v1/todos", headers={"Origin": origin})
        assert (refused.status_code, may_read(refused, origin)) == (401, allowed)


async def test_no_cookie_is_ever_asked_for(database_url: URL) -> None:
    async with serving(database_url, cors_origins=OURS) as client:
        asked = await preflight(client, OURS, "POST")
        assert may_read(asked, OURS)
        assert "Access-Control-Allow-Credentials" not in asked.headers


async def test_without_a_setting_nobody_may(client: httpx.AsyncClient) -> None:
    for method in METHODS:
        asked = await preflight(client, OURS, method)
        assert asked.status_code == 405
        assert not may_read(asked, OURS)
    answer = await client.get("/api/v1/openapi.json", headers={"Origin": OURS})
    assert answer.status_code == 200
    assert not may_read(answer, OURS)
