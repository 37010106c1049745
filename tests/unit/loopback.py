"""A web server on loopback that plays whatever the code under test talks to."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Listens = Callable[[bytes, bytes], str]
"""Somebody who says something at once, and something else again and again; its host:port."""


@dataclass
class Request:
    """What the server was asked."""

    method: str
    path: str
    headers: Message
    body: bytes


@dataclass
class Reply:
    """What it answers; ``length`` announces more than is sent, as when a connection breaks off."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None


class Server:
    """The server's address, and the requests it had. ``answer`` is set by the test."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Reply] = lambda _: Reply(404)
        handler = type("Handler", (_Handler,), {"owner": self})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.endpoint = f"127.0.0.1:{self.http.server_port}"
        self.url = f"{'https' if tls else 'http'}://{self.endpoint}"
        if tls:
            self.http.socket = tls.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)

    def serves(self, files: dict[str, bytes]) -> None:
        """Answers with files by path, and 404 to everything else."""
        self.answer = lambda request: Reply(200, files[request.path]) if request.path in files else Reply(404)


@contextmanager
def served(tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that answers meanwhile."""
    made = Server(tls)
    thread = threading.Thread(target=made.http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.http.shutdown()
        thread.join()
        made.http.server_close()


class _Handler(BaseHTTPRequestHandler):
    owner: Server

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, self.headers, body)
        self.owner.requests.append(request)
        reply = self.owner.answer(request)
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(reply.length or len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _any  # noqa: N815 - http.server gives the names

    def log_message(self, *_: object) -> None:
        """Says nothing."""
