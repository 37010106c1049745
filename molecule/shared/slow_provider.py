#!/usr/bin/env python3
"""A provider that speaks OpenAI's protocol: it calls `add_todo` for "add X", and says a sentence word by word for all else.

    slow_provider.py ADDRESS PORT PAUSE    PAUSE is the seconds before each piece
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "slow"
TEXT = "It is on your list now, and I say so slowly, as somebody does who has all the time there is."


def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return f"data: {json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'created': 0, 'model': MODEL, 'choices': [choice]})}\n\n".encode()


def answer(messages: list[dict[str, Any]], pause: float) -> Iterator[bytes]:
    """A call for what the user has just asked to add, else words."""
    last = messages[-1]
    if last["role"] == "user" and last["content"].startswith("add "):
        arguments = json.dumps({"title": last["content"].removeprefix("add ")})
        for name, piece in (("add_todo", ""), ("", arguments[:8]), ("", arguments[8:])):
            time.sleep(pause)
            named = {"id": "call", "type": "function"} if name else {}
            yield chunk({"tool_calls": [{"index": 0, **named, "function": {**({"name": name} if name else {}), "arguments": piece}}]})
        yield chunk({}, "tool_calls")
    else:
        for word in TEXT.split():
            time.sleep(pause)
            yield chunk({"content": f"{word} "})
        yield chunk({}, "stop")
    yield b"data: [DONE]\n\n"


class Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        self._begin("application/json")
        self.wfile.write(json.dumps({"object": "list", "data": [{"id": MODEL, "object": "model"}]}).encode())

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._begin("text/event-stream")
        for part in answer(asked["messages"], self.server.pause):
            self.wfile.write(part)

    def _begin(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Provider(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: str, port: int, pause: float) -> None:
        super().__init__((address, port), Handler)
        self.pause = pause


@contextmanager
def provider(address: str, port: int, pause: float) -> Iterator[Provider]:
    """It serves meanwhile. Raises OSError where it cannot."""
    server = Provider(address, port, pause)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    Provider(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])).serve_forever()
