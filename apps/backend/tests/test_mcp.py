"""Outside clients: personal access tokens, and the tools by a real MCP client over real HTTP."""

import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from httpx2 import AsyncClient
from mcp import MCPError
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from sqlalchemy.engine import URL

from tests.conftest import PASSWORD, Person, in_database, new_ring, plain, sign_up
from todo_backend.app import create_app
from todo_backend.mcp_server import CHANGES_A_MINUTE
from todo_backend.settings import Secrets, Settings


@contextmanager
def served(database_url: URL) -> Iterator[str]:
    """The application on a port of 127.0.0.1; its address."""
    secrets = {"database_url": plain(database_url), "jwt_keys": new_ring()}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        app = create_app(Settings(sign_ups_per_minute=10**6), Secrets.model_validate(secrets))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=2))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def address(database_url: URL) -> Iterator[str]:
    """Where the application is."""
    with served(database_url) as url:
        yield url


@pytest.fixture
async def ann(address: str) -> AsyncIterator[Person]:
    """Somebody with an account there."""
    async with httpx.AsyncClient(base_url=address) as client:
        yield await sign_up(client)


async def new_token(person: Person, **wanted: object) -> dict[str, Any]:
    """A new token of this person's."""
    answer = await person.request("POST", "/auth/tokens", {"name": "my editor", "scope": "write", **wanted})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


@asynccontextmanager
async def connected(address: str, token: str) -> AsyncIterator[Client]:
    """A client, connected with a token."""
    async with (
        AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http,
        Client(streamable_http_client(f"{address}/mcp", http_client=http)) as client,
    ):
        yield client


async def call(client: Client, name: str, **arguments: object) -> Any:
    """What a tool answers."""
    result = await client.call_tool(name, arguments)
    assert not result.is_error, result.content
    return result.structured_content


async def refused(client: Client, name: str, **arguments: object) -> str:
    """What a tool says that it does not do."""
    result = await client.call_tool(name, arguments)
    assert result.is_error
    [content] = result.content
    return str(getattr(content, "text", ""))


async def test_a_client_works_on_its_users_list(ann: Person, address: str) -> None:
    made = await new_token(ann)
    assert made["access_token"]["used_at"] is None
    async with connected(address, made["token"]) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {
            "add_todo", "list_todos", "find_todos", "complete_todo", "update_todo", "delete_todo",
        }  # fmt: skip
        added = await call(client, "add_todo", title="Buy milk", due="2030-03-01", priority="high")
        assert added["added"]["number"] == 1
        assert (await call(client, "find_todos", words="milk"))["todos"] == [added["added"]]
        assert (await call(client, "update_todo", number=1, title="Buy oat milk", due="none"))["updated"] == {
            "number": 1, "title": "Buy oat milk", "priority": "high", "completed": False,
        }  # fmt: skip
        assert (await call(client, "complete_todo", number=1))["completed"]["completed"] is True
        assert "There is no todo 9" in await refused(client, "complete_todo", number=9)
        assert "There is no such tool" in await refused(client, "drop_table")
        assert (await call(client, "list_todos", state="all"))["todos"][0]["title"] == "Buy oat milk"
    changes = (await ann.request("GET", "/changes")).json()
    assert {(change["actor"], change["actor_name"]) for change in changes} == {("client", "my editor")}
    [listed] = (await ann.request("GET", "/auth/tokens")).json()
    assert listed["used_at"] is not None


async def test_a_token_that_reads_does_not_write(ann: Person, address: str) -> None:
    await ann.add("Buy milk")
    made = await new_token(ann, scope="read")
    async with connected(address, made["token"]) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {"list_todos", "find_todos"}
        assert (await call(client, "list_todos"))["todos"][0]["title"] == "Buy milk"
        for name, arguments in (
            ("add_todo", {"title": "x"}),
            ("complete_todo", {"number": 1}),
            ("update_todo", {"number": 1, "title": "x"}),
            ("delete_todo", {"number": 1}),
        ):
            assert "may read and not write" in await refused(client, name, **arguments)
    assert [todo["title"] for todo in (await ann.request("GET", "/todos")).json()] == ["Buy milk"]


async def test_a_client_reaches_nobody_elses_todos(ann: Person, address: str) -> None:
    await ann.add("Ann's own")
    async with httpx.AsyncClient(base_url=address) as http:
        eve = await sign_up(http)
        async with connected(address, (await new_token(eve))["token"]) as client:
            assert (await call(client, "list_todos", state="all"))["todos"] == []
            assert (await call(client, "find_todos", words="own"))["todos"] == []
            for name in ("complete_todo", "update_todo", "delete_todo"):
                assert "There is no todo 1" in await refused(client, name, number=1)
            for name, arguments in (("list_todos", {}), ("add_todo", {"title": "x"}), ("complete_todo", {"number": 1})):
                assert "user_id" in await refused(client, name, **arguments, user_id=ann.id)
            assert (await call(client, "add_todo", title="Eve's own"))["added"]["number"] == 1
        assert [todo["title"] for todo in (await eve.request("GET", "/todos")).json()] == ["Eve's own"]
    assert [(one["title"], one["version"]) for one in (await ann.request("GET", "/todos")).json()] == [("Ann's own", 1)]


async def test_a_client_is_out_once_its_token_is_revoked(ann: Person, address: str) -> None:
    made = await new_token(ann)
    async with connected(address, made["token"]) as client:
        await call(client, "add_todo", title="Buy milk")
        assert (await ann.request("DELETE", f"/auth/tokens/{made['access_token']['id']}")).status_code == 204
        with pytest.raises(MCPError, match="error response"):
            await client.call_tool("add_todo", {"title": "Buy bread"})
    assert await ann.titles() == ["Buy milk"]


async def test_a_client_deletes_few_todos_at_once(ann: Person, address: str) -> None:
    for number in range(5):
        await ann.add(f"todo {number}")
    async with connected(address, (await new_token(ann))["token"]) as client:
        for number in (1, 2, 3):
            assert (await call(client, "delete_todo", number=number))["deleted"]["number"] == number
        assert "for the user to do" in await refused(client, "delete_todo", number=4)
    assert len((await ann.request("GET", "/todos")).json()) == 2


async def test_a_client_that_goes_in_circles_is_stopped(ann: Person, address: str) -> None:
    await ann.add("milk")
    async with connected(address, (await new_token(ann))["token"]) as client:
        for number in range(CHANGES_A_MINUTE):
            await call(client, "update_todo", number=1, title=f"milk {number}")
        assert "60 changes a minute" in await refused(client, "update_todo", number=1, title="more milk")
        assert (await call(client, "list_todos"))["todos"][0]["title"] == f"milk {CHANGES_A_MINUTE - 1}"
    await ann.add("bread")  # the user is nobody's client
    assert len(await ann.titles()) == 2


async def test_nothing_else_opens_the_door(ann: Person, database_url: URL) -> None:
    made, other = await new_token(ann, days=1), await new_token(ann)
    initialize = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    headers = {"Accept": "application/json, text/event-stream"}

    async def status(authorization: str, **more: str) -> int:
        named = {**headers, **more, **({"Authorization": authorization} if authorization else {})}
        return (await ann.client.post("/mcp", json=initialize, headers=named)).status_code

    assert await status(f"Bearer {made['token']}") == 200
    for wrong in ("", "Bearer", f"Bearer {ann.token}", "Bearer todo_nonsense", f"Basic {made['token']}"):
        assert await status(wrong) == 401, wrong
    assert await status("", Cookie=f"session={ann.token}; token={made['token']}") == 401
    in_database(
        database_url, "UPDATE access_tokens SET expires_at = now() WHERE id = :id", id=made["access_token"]["id"]
    )
    assert await status(f"Bearer {made['token']}") == 401
    path = f"/auth/tokens/{other['access_token']['id']}"
    assert (await ann.request("DELETE", path)).status_code == 204
    assert (await ann.request("DELETE", path)).status_code == 404
    assert await status(f"Bearer {other['token']}") == 401
    # another password ends it
    fourth = (await new_token(ann))["token"]
    assert await status(f"Bearer {fourth}") == 200
    for method in ("GET", "DELETE"):  # nothing is ever told without being asked
        answer = await ann.client.request(method, "/mcp", headers={**headers, "Authorization": f"Bearer {fourth}"})
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    changed = await ann.request("POST", "/auth/me/password", {"password": PASSWORD, "new_password": PASSWORD + "!"})
    assert changed.status_code == 204
    assert await status(f"Bearer {fourth}") == 401
    # and it opens no other door
    third = (await new_token(ann))["token"]
    answer = await ann.client.get("/api/v1/todos", headers={"Authorization": f"Bearer {third}"})
    assert answer.status_code == 401


async def test_tokens_are_ones_own_shown_once_and_kept_as_hashes(ann: Person, address: str, database_url: URL) -> None:
    made = await new_token(ann, days=30)
    token = made["token"]
    ends = datetime.fromisoformat(made["access_token"]["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < ends <= timedelta(days=30)
    kept = in_database(database_url, "SELECT row_to_json(access_tokens)::text FROM access_tokens")
    assert token not in str(kept)
    assert token.removeprefix("todo_") not in str(kept)
    for path in ("/auth/tokens", "/auth/me/export"):
        assert token not in (await ann.request("GET", path)).text
    async with httpx.AsyncClient(base_url=address) as client:
        eve = await sign_up(client)
        assert (await eve.request("GET", "/auth/tokens")).json() == []
        assert (await eve.request("DELETE", f"/auth/tokens/{made['access_token']['id']}")).status_code == 404
        async with connected(address, (await new_token(eve))["token"]) as outside:
            assert (await call(outside, "list_todos"))["todos"] == []
    for _ in range(49):
        await new_token(ann)
    answer = await ann.request("POST", "/auth/tokens", {"name": "one more"})
    assert answer.status_code == 409
    assert "revoke one" in answer.json()["detail"]
