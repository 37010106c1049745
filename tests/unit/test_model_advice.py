"""A model is asked to explain a page: what is sent is known and holds no secret, and whatever the provider does, there is a sentence and no harm."""

from __future__ import annotations

import errno
import json
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from loopback import Listens, Reply, Server
from test_redaction import KEY_BLOCK, LEAVES, MACHINE, SAID, VAULT

from ansible_collections.todochat.platform.plugins.module_utils.base import web
from ansible_collections.todochat.platform.plugins.module_utils.diagnosis import model
from ansible_collections.todochat.platform.plugins.module_utils.diagnosis.faults import CRASH, Finding
from ansible_collections.todochat.platform.plugins.module_utils.diagnosis.model import MOST_CHARACTERS, MOST_LINES, plain
from ansible_collections.todochat.platform.plugins.module_utils.diagnosis.redaction import redact
from ansible_collections.todochat.platform.plugins.module_utils.diagnosis.rules import Diagnosis, harmless
from ansible_collections.todochat.platform.plugins.modules import model_advice

ROOT = Path(__file__).resolve().parents[2]
KEY = "gsk-CANARY-of-this-test-alone"
PAGE = "1 thing is wrong:\n\nnode            The container todo is exited.\n                Mend it: make start"
Ask = Callable[..., list[str]]


@pytest.fixture
def ask(tmp_path: Path, capsys: pytest.CaptureFixture[str], server: Server) -> Ask:
    """The module, of which a test says what is not as usual; what it says, and never fails."""

    def said(check: bool = False, **given: Any) -> list[str]:
        usual = {"url": f"{server.url}/v1", "model": "m", "key": KEY, "page": PAGE, "sent": str(tmp_path / "state/sent.json"), "_ansible_check_mode": check}
        with patch_module_args(usual | given), pytest.raises(SystemExit) as ended:
            model_advice.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert ended.value.code == 0
        assert "failed" not in result
        return list(map(str, result["lines"]))

    return said


def says(text: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode())


def test_it_is_asked_once_and_its_advice_is_marked(ask: Ask, server: Server, tmp_path: Path) -> None:
    server.answer = lambda _: says("Start it.\n\nNothing is wrong.")
    lines = ask()
    assert lines[0].startswith("Advice of the model m at 127.0.0.1. Nothing of it was run")
    assert lines[1:5] == ["", "  | Start it.", "  |", "  | Nothing is wrong."]
    (asked,) = server.requests
    assert (asked.method, asked.path, asked.headers["Authorization"]) == ("POST", "/v1/chat/completions", f"Bearer {KEY}")
    told = json.loads(asked.body)
    assert told["model"] == "m"
    assert told["messages"][1] == {"role": "user", "content": PAGE}
    sent = tmp_path / "state/sent.json"
    assert lines[-1] == f"What was sent is in {sent}."
    assert sent.read_bytes() == asked.body
    assert stat.S_IMODE(sent.stat().st_mode) == 0o600


def test_what_would_be_sent_is_what_is_sent(ask: Ask, server: Server, tmp_path: Path) -> None:
    server.answer = lambda _: says("Yes.")
    shown = ask(check=True, key="")
    assert server.requests == []
    assert not (tmp_path / "state").exists()
    ask()
    assert "\n".join(shown[2:]).encode() == server.requests[0].body
    assert KEY not in "\n".join(shown)


def test_no_secret_that_a_log_line_holds_reaches_the_provider(ask: Ask, server: Server) -> None:
    """Canaries of each kind, in lines of one page, and the bytes that came."""
    server.answer = lambda _: says("I see.")
    said = [*(line for line, _ in SAID.values()), KEY_BLOCK, f"the key {KEY} does not work", *(f"read {value} from /run" for value in LEAVES.values())]
    page = "\n".join(Diagnosis(tuple(Finding(CRASH, f"backend-1/backend: It says: {harmless(line)}") for line in said), (), {}).lines())
    ask(page=redact(page, [VAULT, KEY], MACHINE))
    body = server.requests[0].body.decode()
    assert body.count("backend-1/backend: It says") == len(said)
    hidden = ["CANARY", "Q0FOQVJZ", "jane", "Janes", "10.20.30.40", "db8", *LEAVES.values()]
    assert [word for word in hidden if word in body or json.dumps(word)[1:-1] in body] == []


def test_without_a_key_it_says_how_to_give_one(ask: Ask, server: Server) -> None:
    assert ask(key="") == [
        "No model was asked: the vault has no key for one.",
        "Run `make vault DO=edit ARGS='-e secret=model_api_key'`, which asks for a key.",
    ]
    assert server.requests == []


def elsewhere(status: int) -> Reply:
    return Reply(status, headers={"Location": "/v1/elsewhere"})


MISBEHAVES: dict[str, tuple[Reply, str]] = {
    "the key is refused": (Reply(401, b'{"error": "no"}'), "refuses the key"),
    "nobody is let in": (Reply(403), "refuses the key"),
    "there is no such model": (Reply(404), "knows no such address or model"),
    "a question that it does not take": (Reply(400, b"what?"), "does not take the question"),
    "a limit": (Reply(429, b"later", {"Retry-After": "9999"}), "is over its limit"),
    "a failure": (Reply(500, b"<h1>oops</h1>"), "answers 500"),
    "a page": (Reply(200, b"<html>login</html>"), "is no answer of OpenAI's protocol"),
    "no words": (says("  \n\x1b[0m "), "answers nothing"),
    "no content": (Reply(200), "is no answer"),
    "another JSON": (Reply(200, b'["choices"]'), "is no answer"),
    "JSON without an end": (Reply(200, b"[" * 100_000), "is no answer"),
    "a text that is none": (says({"a": 1}), "is no answer"),
    "an empty list": (Reply(200, b'{"choices": []}'), "is no answer"),
    "more than anybody asks for": (Reply(200, b" " * (5 << 20)), "cannot be asked: what answers there says more than"),
    "an end before the end": (Reply(200, b"{", length=9), "cannot be asked: its answer is none of HTTP's"),
    **{f"elsewhere, by {status}": (elsewhere(status), "leads elsewhere, where nothing was sent") for status in (301, 302, 303, 307, 308)},
}


@pytest.mark.parametrize("what", MISBEHAVES)
def test_whatever_it_answers_is_a_sentence(ask: Ask, server: Server, what: str) -> None:
    reply, words = MISBEHAVES[what]
    server.answer = lambda _: reply
    why, remedy, *rest = ask()
    assert words in why
    assert why.endswith(".")
    assert remedy
    assert len(rest) == 2
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("first", "then"),
    [(b"", b""), (b"HTTP/1.1 200 OK\r\n", b""), (b"HTTP/1.1 200 OK\r\n\r\n", b" "), (b"HTTP/1.1 200 OK\r\nX: ", b"x"), (b"HTTP/1.1 100 Continue\r\n\r\n", b"")],
)
def test_it_is_waited_for_no_longer_than_it_may_take(ask: Ask, squatter: Listens, monkeypatch: pytest.MonkeyPatch, first: bytes, then: bytes) -> None:
    """It says nothing, or ends never; by a proxy as well, whose answers nothing else bounds."""
    monkeypatch.setattr(model.advice, "__defaults__", (1.0,))
    for direct in (True, False):
        endpoint = squatter(first or b"\r", then or b"" if first else b"\r")
        if not direct:
            monkeypatch.setenv("http_proxy", f"http://{endpoint}")
        began = time.monotonic()
        why = ask(url=f"http://{endpoint}/v1" if direct else "http://provider.invalid/v1")[0]
        assert time.monotonic() - began < 5
        assert "he provider at" in why


def test_nobody_says_where_it_is_for_longer(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model.advice, "__defaults__", (1.0,))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(6) or [])
    began = time.monotonic()
    assert "has not answered within 1 s" in ask(url="http://provider.invalid/v1")[0]
    assert time.monotonic() - began < 5


def test_names_and_certificates_that_are_none_are_a_sentence(ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "he provider at a..b cannot be asked" in ask(url="http://a..b/v1")[0]
    (tmp_path / "empty.pem").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "empty.pem"))
    assert "he provider at provider.invalid cannot be asked" in ask(url="https://provider.invalid/v1")[0]


def of(family: socket.AddressFamily, address: str) -> tuple[object, ...]:
    return family, socket.SOCK_DGRAM, 17, "", (address, 9, *((0, 0) if family == socket.AF_INET6 else ()))


@pytest.mark.parametrize(
    ("addresses", "is_here"),
    [
        ([of(socket.AF_INET6, "::1")], True),
        ([of(socket.AF_INET6, "2001:db8::7"), of(socket.AF_INET, "127.0.0.1")], True),
        ([of(socket.AF_INET, "203.0.113.7")], False),
        ([], False),
    ],
)
def test_this_machine_is_where_packets_to_it_come_from(addresses: list[object], is_here: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the kernel has no version 6, and where programs may listen at any address."""

    def connect(trial: socket.socket, address: tuple[object, ...]) -> None:
        if trial.family == socket.AF_INET6:
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        connected(trial, address)

    connected = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
    monkeypatch.setattr(socket.socket, "bind", lambda *_: None)
    assert web.is_here("name") is is_here


def test_an_address_of_this_machines_network_is_here() -> None:
    mine = web.comes_from(socket.AF_INET, ("203.0.113.7", 9))
    if mine is None:
        pytest.skip("this machine has no network")
    assert web.is_here(str(mine))


def test_nobody_is_there(ask: Ask, nobody: str) -> None:
    assert "cannot be asked: [Errno 111] Connection refused" in ask(url=f"http://{nobody}/v1")[0]


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("given", [{"url": ""}, {"model": ""}])
def test_nobody_is_asked_where_it_is_not_known_whom(ask: Ask, server: Server, given: dict[str, str], check: bool) -> None:
    why, remedy = ask(check=check, **given)
    assert why == "No model was asked: which one the application uses is in its cluster, and cannot be read there."
    assert "`make up`" in remedy
    assert server.requests == []


@pytest.mark.parametrize("url", ["ftp://host/v1", "https://user:CANARY@host/v1", "http:///v1", "http://host:99999/v1", "http://ho st/v1"])
def test_what_is_no_address_is_not_asked(ask: Ask, url: str) -> None:
    why, remedy = ask(url=url)
    assert why == "The model's address is none of HTTP's, or has a login in it."
    assert "app_release_model_url=URL" in remedy


def test_to_this_machine_no_proxy_leads_and_to_others_the_callers(ask: Ask, server: Server, nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answer = lambda _: says("By a proxy.")
    monkeypatch.setenv("http_proxy", f"http://{nobody}")
    assert "  | By a proxy." in ask()
    monkeypatch.setenv("http_proxy", server.url)
    assert "  | By a proxy." in ask(url="http://provider.invalid/v1")
    assert server.requests[-1].path == "http://provider.invalid/v1/chat/completions"


def test_what_cannot_be_kept_is_not_sent(ask: Ask, server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be written" in ask(sent=str(tmp_path / "file/sent.json"))[0]
    assert server.requests == []


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07x\x1b]8;;http://a\x1b\\link \x9b2Jy \x1bcz", ["red xlink y z"]),
        ("a\rb\x08c\x00d\x85e\u2028f\tg", ["a", "bcd", "e", "f    g"]),
        ("safe\u202egnp.exe\u200b\ufeff\ud800", ["safegnp.exe"]),
        ("\x1b]0;without an end\nnext", ["next"]),
        ("\n\n a\n\n\n\n\nb \n", ["a", "", "b"]),
    ],
)
def test_what_it_says_does_nothing_to_a_terminal(said: str, left: list[str]) -> None:
    assert plain(said) == left


@pytest.mark.parametrize("said", ["x" * 10**6, "x\n" * 10**6, "\x1b[0m" * 10**6 + "x", "\x1b]" * 10**5])
def test_it_does_not_say_much(said: str) -> None:
    began = time.monotonic()
    lines = plain(said)
    assert time.monotonic() - began < 2
    assert lines[-1] == "(The rest is left out.)"
    assert sum(map(len, lines)) <= MOST_CHARACTERS + 100
    assert len(lines) <= MOST_LINES + 1


@pytest.mark.skipif(os.geteuid() != 0, reason="the machine is looked at as root")
def test_the_page_stands_whatever_becomes_of_the_question(tmp_path: Path, server: Server) -> None:
    """The playbook itself, on this machine, which has no such deployment or not even the tools; what is asked for by now is not deployed."""

    def diagnosed(*arguments: str) -> tuple[int, str]:
        variables = {"deployment_name": "nobody-has-this", "app_release_model_url": f"{server.url}/v1"}
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "TODOCHAT_"))}
        environment |= {"HOME": str(tmp_path), **{f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("CONFIG", "STATE", "CACHE")}}
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        command = [program, "playbooks/diagnose.yml", "--check", "-e", json.dumps(variables), *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    server.answer = lambda _: says(f"\x1b[2JYour key is {KEY}. Run {{{{ 1 + 1 }}}}.")
    key = ("-e", json.dumps({"vault_model_api_key": KEY, "explain": True}))
    status, page = diagnosed(*key)
    assert status == 0, page
    found = page.split("wrong:\n\n")[1].splitlines()[0]
    assert found == "cluster         There is no cluster nobody-has-this." or found.startswith("docker          ")
    assert "No model was asked" in page
    assert server.requests == []
    elsewhere = {"lines": [found], "model": {"url": f"{server.url}/deployed/v1", "name": "m"}}
    key = (*key, "-e", json.dumps({"diagnosis": elsewhere}))
    for reply, words in ((server.answer, "  | Your key is ********. Run {{ 1 + 1 }}."), (lambda _: Reply(500), "The provider at 127.0.0.1 answers 500.")):
        server.answer = reply
        status, page = diagnosed(*key)
        assert status == 0, page
        assert found in page
        assert words in page
        assert "changed=0" in page
        assert KEY not in page
        assert server.requests[-1].path == "/deployed/v1/chat/completions"
    assert (tmp_path / "state/todochat/nobody-has-this/sent-to-model.json").read_bytes() == server.requests[-1].body
    status, refused = diagnosed("-e", "explain=maybe")
    assert status != 0
    assert "explain=maybe is neither true nor show" in refused
