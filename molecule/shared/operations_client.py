#!/usr/bin/env python3
"""A real client of MCP that starts scripts/operations as `make mcp` says, asks for its tools and calls some; run with the packages of that.

operations_client.py CONFIGURATION CALLS    CALLS is [[tool, {argument: value}], ...]; prints one line of JSON
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from mcp.client.client import Client  # type: ignore[import-not-found]
from mcp.client.stdio import StdioServerParameters, stdio_client  # type: ignore[import-not-found]
from mcp.shared.exceptions import MCPError  # type: ignore[import-not-found]


async def asked(server: dict[str, Any], calls: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """The tools as they are listed, and what each call is answered."""
    async with Client(stdio_client(StdioServerParameters(**server))) as client:
        tools = [tool.model_dump(mode="json") for tool in (await client.list_tools()).tools]
        answers = []
        for name, given in calls:
            try:
                answer = await client.call_tool(name, given)
                answers.append({"error": bool(answer.is_error), "text": "".join(part.text for part in answer.content)})
            except MCPError as error:
                answers.append({"error": True, "text": str(error)})
        return {"tools": tools, "answers": answers}


if __name__ == "__main__":
    ((_, configured),) = json.loads(sys.argv[1])["mcpServers"].items()
    print(json.dumps(asyncio.run(asked(configured, json.loads(sys.argv[2])))))
