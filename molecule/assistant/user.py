#!/usr/bin/env python3
"""What a user's programs do through the frontend's port, run on the system where it is, with the packages of requirements/assistant.txt.

    user.py stream MESSAGE...    signs up, says these, prints a line of JSON for each: the parts of the stream, and the todos then
    user.py tools                signs up, makes access tokens, and works on the list by a client of MCP; prints a line of JSON
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import time
import urllib.error
import urllib.request
import uuid
from typing import Any

from httpx2 import AsyncClient  # type: ignore[import-not-found]
from mcp.client.client import Client  # type: ignore[import-not-found]
from mcp.client.streamable_http import streamable_http_client  # type: ignore[import-not-found]

from ansible_collections.todochat.platform.plugins.module_utils.acceptance import Visitor

URL = "http://127.0.0.1:30000"
TURN_SECONDS = 70


def signed_up() -> Visitor:
    visitor = Visitor(URL)
    visitor.call("sign up", "POST", "/api/auth/signup", {"email": f"speaking-{time.time_ns()}@example.com", "password": "a password for this test alone"})
    return visitor


def said(visitor: Visitor, message: str) -> list[dict[str, Any]]:
    """The parts that a message's stream has, as a browser asks for it."""
    body = json.dumps({"id": str(uuid.uuid4()), "message": message}).encode()
    headers = {"Origin": URL, "Content-Type": "application/json", "Accept-Encoding": "gzip"}
    request = urllib.request.Request(f"{URL}/api/chat/stream", body, headers)
    with visitor._opener.open(request, timeout=TURN_SECONDS) as response:
        content = response.read()
        if response.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
    lines = content.decode().splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]


def todos(visitor: Visitor) -> list[str]:
    return [todo["title"] for todo in visitor.call("list", "GET", "/api/todos")]


def stream(*messages: str) -> None:
    visitor = signed_up()
    for message in messages:
        print(json.dumps({"parts": said(visitor, message), "todos": todos(visitor)}), flush=True)


async def by_a_client(token: str, name: str, **arguments: object) -> tuple[list[str], bool]:
    """The names of the tools, and whether this one did what was asked."""
    async with AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http, Client(streamable_http_client(f"{URL}/mcp", http_client=http)) as client:
        listed = await client.list_tools()
        return sorted(tool.name for tool in listed.tools), not (await client.call_tool(name, arguments)).is_error


def tools() -> None:
    visitor = signed_up()
    made = {scope: visitor.call("token", "POST", "/api/account/tokens", {"name": f"to {scope}", "scope": scope}) for scope in ("read", "write")}
    names, added = asyncio.run(by_a_client(made["write"]["token"], "add_todo", title="by a client"))
    _, read_added = asyncio.run(by_a_client(made["read"]["token"], "add_todo", title="never"))
    _, read_listed = asyncio.run(by_a_client(made["read"]["token"], "list_todos"))
    revoked = made["write"]
    visitor.call("revoke", "DELETE", f"/api/account/tokens/{revoked['access_token']['id']}")
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    headers = {"Authorization": f"Bearer {revoked['token']}", "Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    try:
        status = urllib.request.urlopen(urllib.request.Request(f"{URL}/mcp", json.dumps(asked).encode(), headers), timeout=20).status
    except urllib.error.HTTPError as error:
        status = error.code
    found = {"names": names, "added": added, "read_added": read_added, "read_listed": read_listed, "revoked": status, "todos": todos(visitor)}
    print(json.dumps(found))


if __name__ == "__main__":
    {"stream": stream, "tools": tools}[sys.argv[1]](*sys.argv[2:])
