"""What asks this machine gets an answer in time, of bearable size, or says that it does not, whoever listens there."""

from __future__ import annotations

import time

import pytest
from loopback import Listens, Reply, Server

from ansible_collections.todochat.platform.plugins.module_utils import acceptance
from ansible_collections.todochat.platform.plugins.module_utils.acceptance import JourneyError, Visitor
from ansible_collections.todochat.platform.plugins.module_utils.base.web import MOST, ask, inside
from ansible_collections.todochat.platform.plugins.module_utils.images import registry
from ansible_collections.todochat.platform.plugins.module_utils.images.content import ImageError

HEAD = b"HTTP/1.1 200 OK\r\n"
BODY = HEAD + b"\r\n"


ANSWERS = {
    "a head that never ends": (HEAD + b"X: ", b"x", "timed out"),
    "a body that never ends": (BODY, b"x", "timed out"),
    "all that there is": (BODY, b"x" * (1 << 20), f"more than {MOST} bytes"),
    "no HTTP": (b"220 mail.example ESMTP\r\n", b"", "none of HTTP's: BadStatusLine"),
    "an answer that breaks off": (HEAD + b"Content-Length: 9\r\n\r\n{}", b"", "none of HTTP's: IncompleteRead"),
    "nothing": (b"", b"", "Remote end closed connection"),
}


@pytest.mark.parametrize(("first", "then", "words"), ANSWERS.values(), ids=ANSWERS)
def test_whoever_listens_there_holds_nobody_up(squatter: Listens, monkeypatch: pytest.MonkeyPatch, first: bytes, then: bytes, words: str) -> None:
    for module in (acceptance, registry):
        monkeypatch.setattr(module, "ANSWER_SECONDS", 1)
    began = time.monotonic()
    with pytest.raises(ImageError, match=f"The registry at .* does not answer .*{words}.*--tags image_registry"):
        registry.Registry(squatter(first, then)).has("todo/backend", "sha256:0")
    with pytest.raises(JourneyError, match=f"sign up: GET .* gets no answer: .*{words}"):
        Visitor(f"http://{squatter(first, then)}").call("sign up", "GET", "/")
    assert time.monotonic() - began < 10


def test_an_answer_is_passed_on_whatever_its_status(server: Server) -> None:
    server.answer = lambda request: Reply(404 if request.path == "/not" else 201, b"x" * MOST)
    assert ask(inside(), f"{server.url}/", 10) == (201, b"x" * MOST)
    assert ask(inside(), f"{server.url}/not", 10)[0] == 404
