"""A provider of language models that answers as it is told to, over real HTTP, and misbehaves on purpose.

    python3 -m tests.provider PORT    serves one that obeys every order it reads, as the worst model would

Each request takes the next thing to say from the script; where that is used up, the model answers "ok".
"""

import asyncio
import gzip
import json
import re
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

Reply = Callable[[Request], Awaitable[Response]]
Told = dict[str, Any]


def chunk(delta: dict[str, Any], finish: str | None = None, **more: object) -> str:
    """A chunk of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    data = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice], **more}
    return f"data: {json.dumps(data)}\n\n"


USAGE = f"data: {json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'created': 0, 'model': 'm', 'choices': [], 'usage': {'prompt_tokens': 60, 'completion_tokens': 40, 'total_tokens': 100}})}\n\n"  # noqa: E501 - one line of a stream
END = "data: [DONE]\n\n"


def stream(*parts: str | float, status: int = 200) -> Reply:
    """Parts of a stream; numbers are seconds of silence."""

    async def send() -> AsyncIterator[str]:
        for part in parts:
            if isinstance(part, str):
                yield part
            else:
                await asyncio.sleep(part)

    async def reply(_request: Request) -> Response:
        return StreamingResponse(send(), status, media_type="text/event-stream")

    return reply


def says(text: str, pause: float = 0) -> Reply:
    """A text, word by word."""
    words: list[str | float] = []
    for word in re.findall(r"\S+\s*", text):
        words += [chunk({"content": word}), pause]
    return stream(*words, chunk({}, "stop"), USAGE, END)


def calls(*tools: tuple[str, dict[str, Any] | str], text: str = "") -> Reply:
    """Calls of tools, each by its name and its arguments, in pieces."""
    parts = [chunk({"role": "assistant", "content": text})]
    for index, (name, given) in enumerate(tools):
        arguments = given if isinstance(given, str) else json.dumps(given)
        middle = len(arguments) // 2
        first = {"index": index, "id": f"x{index}", "type": "function", "function": {"name": name, "arguments": ""}}
        parts.append(chunk({"tool_calls": [first]}))
        for piece in (arguments[:middle], arguments[middle:]):
            parts.append(chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}))
    return stream(*parts, chunk({}, "tool_calls"), USAGE, END)


def refuses(status: int, code: str = "", **headers: str) -> Reply:
    """An error."""

    async def reply(_request: Request) -> Response:
        error = {"message": "no", "type": "error", "code": code}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return JSONResponse({"error": error}, status_code=status, headers=named)

    return reply


async def compressed(_request: Request) -> Response:
    """An answer that is small only until it is read."""
    content = gzip.compress((chunk({"content": "Hello."}, "stop") + END).encode())
    return Response(content, headers={"Content-Encoding": "gzip", "Content-Type": "text/event-stream"})


async def redirects(_request: Request) -> Response:
    """Somewhere else."""
    return Response(status_code=307, headers={"Location": "/v1/elsewhere"})


def obeys(told: Told) -> Reply:
    """What the worst model does: whatever is ordered, by the user or by anything that it reads."""
    last = told["messages"][-1]
    if last["role"] == "user" and not last["content"].startswith("DO "):
        return calls(("list_todos", {"state": "all"}))
    orders = re.findall(r"DO (\w+) (\{[^{}]*\})", str(last["content"]).replace('\\"', '"'))
    return calls(*orders[:8]) if orders else says("I did all of that.")


@dataclass
class Fake:
    """The provider: where it is, what it will say, what it was told."""

    url: str
    script: list[Reply] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    models: Sequence[str] | None = ("first", "second")
    lists: Reply | None = None
    always: Callable[[Told], Reply] = lambda _told: says("ok")

    def will(self, *replies: Reply) -> None:
        """Say these, in this order."""
        self.script[:] = replies
        self.told.clear()

    async def list_models(self, request: Request) -> Response:
        """GET /v1/models."""
        if self.lists:
            return await self.lists(request)
        if self.models is None:
            return JSONResponse({"error": {"message": "no"}}, status_code=404)
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "me"} for name in self.models]
        return JSONResponse({"object": "list", "data": listed})

    async def complete(self, request: Request) -> Response:
        """POST /v1/chat/completions."""
        told = await request.json()
        self.told.append({**told, "key": request.headers.get("authorization")})
        reply = self.script.pop(0) if self.script else self.always(told)
        return await reply(request)


def application(fake: Fake) -> Starlette:
    """The provider as an application."""
    return Starlette(
        routes=[
            Route("/v1/models", fake.list_models),
            Route("/v1/chat/completions", fake.complete, methods=["POST"]),
            Route("/v1/elsewhere", fake.complete, methods=["POST"]),
        ]
    )


@contextmanager
def provider() -> Iterator[Fake]:
    """Serve one on a port of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        fake = Fake(f"http://127.0.0.1:{listening.getsockname()[1]}/v1")
        # As real ones do it keeps an idle connection longer than a client: no request comes into its close.
        config = uvicorn.Config(application(fake), log_config=None, timeout_graceful_shutdown=1, timeout_keep_alive=60)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield fake
        finally:
            server.should_exit = True
            thread.join()


if __name__ == "__main__":
    uvicorn.run(application(Fake("", models=None, always=obeys)), port=int(sys.argv[1]), host="0.0.0.0")  # noqa: S104
