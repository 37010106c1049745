#!/usr/bin/env python3
"""A provider that speaks OpenAI's protocol, answers the same to each question, and keeps the whole of the last one in a file.

provider.py PORT FILE
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

SAYS = "Undo the rollout. \x1b[2J\x1b]0;title\x07Then look again."


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        Path(sys.argv[2]).write_bytes(b"%s\n%s\n%s" % (self.requestline.encode(), bytes(self.headers), asked))
        body = json.dumps({"choices": [{"message": {"role": "assistant", "content": SAYS}}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
