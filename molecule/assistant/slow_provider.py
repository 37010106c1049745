#!/usr/bin/env python3
"""A provider that speaks OpenAI's protocol slowly: it calls `add_todo` for "add X", and then says so word by word, for some seconds.

    slow_provider.py ADDRESS PORT
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "slow"
TEXT = "It is on your list now, and I say so slowly, as somebody does who has all the time there is."
PAUSE = 0.4


def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return f"data: {json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'created': 0, 'model': MODEL, 'choices': [choice]})}\n\n".encode()


def answer(messages: list[dict[str, Any]]) -> Iterator[bytes]:
    """A call for what the user has just said, or words where the call has been answered."""
    last = messages[-1]
    if last["role"] == "user":
        arguments = json.dumps({"title": last["content"].removeprefix("add ")})
        time.sleep(PAUSE)
        yield chunk({"tool_calls": [{"index": 0, "id": "call", "type": "function", "function": {"name": "add_todo", "arguments": ""}}]})
        for piece in (arguments[:8], arguments[8:]):
            time.sleep(PAUSE)
            yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
        yield chunk({}, "tool_calls")
    else:
        for word in TEXT.split():
            time.sleep(PAUSE)
            yield chunk({"content": f"{word} "})
        yield chunk({}, "stop")
    yield b"data: [DONE]\n\n"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._begin("application/json")
        self.wfile.write(json.dumps({"object": "list", "data": [{"id": MODEL, "object": "model"}]}).encode())

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._begin("text/event-stream")
        for part in answer(asked["messages"]):
            self.wfile.write(part)

    def _begin(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
