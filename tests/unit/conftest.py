"""What the tests of everything that talks over the network share."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from loopback import Listens, Server, served


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that answers 404 until the test says otherwise."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with served() as made:
        yield made


@pytest.fixture
def nobody() -> str:
    """A loopback endpoint (host:port) where nothing listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as closed:
        return f"127.0.0.1:{closed.server_port}"


@pytest.fixture
def squatter() -> Iterator[Listens]:
    """Somebody who listens where a service should: says something at once, and something else again and again, until nobody listens."""
    ended = threading.Event()
    threads = []

    def listens(first: bytes, then: bytes) -> str:
        listening = socket.create_server(("127.0.0.1", 0))

        def say() -> None:
            with suppress(OSError), listening, listening.accept()[0] as client:
                client.recv(1 << 16)
                client.sendall(first)
                while then and not ended.wait(0.05 if len(then) < 100 else 0):
                    client.sendall(then)

        threads.append(threading.Thread(target=say, daemon=True))
        threads[-1].start()
        return f"127.0.0.1:{listening.getsockname()[1]}"

    yield listens
    ended.set()
    for thread in threads:
        thread.join(10)
