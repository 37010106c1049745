#!/usr/bin/env python3
"""A provider that speaks OpenAI's protocol, whole answers only: it has an assistant look at pods by a tool of the assistant's, then says what it was told.

    provider.py ADDRESS PORT KEY TOOL ARGUMENTS LOG    KEY is the file of the key that it asks for, ARGUMENTS are JSON, LOG gets each request
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        knows = self.headers["Authorization"] == f"Bearer {self.server.key}"
        with self.server.log.open("a", encoding="utf-8") as log:
            log.write(json.dumps({"path": self.path, "knows": knows, **asked}) + "\n")
        self._say(401, {"error": {"message": "who is that?"}}) if not knows else self._say(200, self._completion(asked))

    def _completion(self, asked: dict[str, Any]) -> dict[str, Any]:
        told = [message["content"] for message in asked["messages"] if message["role"] == "tool"]
        if told:
            message: dict[str, Any] = {"role": "assistant", "content": f"I was told: {told[-1]}"}
        else:
            call = {"id": "call_1", "type": "function", "function": {"name": self.server.tool, "arguments": self.server.arguments}}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        choice = {"index": 0, "message": message, "finish_reason": "stop" if told else "tool_calls"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return {"id": "c", "object": "chat.completion", "created": 0, "model": asked["model"], "choices": [choice], "usage": usage}

    def _say(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Provider(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: str, port: str, key: str, tool: str, arguments: str, log: str) -> None:
        super().__init__((address, int(port)), Handler)
        self.key = Path(key).read_text(encoding="utf-8").strip()
        self.tool, self.arguments, self.log = tool, arguments, Path(log)


if __name__ == "__main__":
    Provider(*sys.argv[1:]).serve_forever()
