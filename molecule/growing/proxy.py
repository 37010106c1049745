#!/usr/bin/env python3
"""Stands for the name by which people find the application: each request goes to the address that a file holds at that moment.

proxy.py PORT FILE
"""

from __future__ import annotations

import sys
import urllib.parse
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

OF_A_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length"}
SECONDS = 60


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        address = urllib.parse.urlsplit(Path(sys.argv[2]).read_text(encoding="utf-8").strip())
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        connection = HTTPConnection(address.hostname or "", address.port or 80, timeout=SECONDS)
        try:
            connection.request(self.command, self.path, body or None, {name: value for name, value in self.headers.items() if name.lower() != "connection"})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in OF_A_CONNECTION:
                self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - as http.server names them

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
