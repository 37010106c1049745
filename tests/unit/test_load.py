"""The load that the scenario `rollout` puts on the application: against a server that plays it, and breaks one thing at a time."""

from __future__ import annotations

import json
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

LOAD = Path(__file__).resolve().parents[2] / "molecule/rollout/load.py"
PER_SECOND = 40
# Answers until both clients have begun, one after the other; until they have been at work for a while; and until they are told to stop.
BEGUN, AT_WORK, ENOUGH = 20, 50, 200
SCRIPT = "/_next/static/chunks/page.js"
ANSWER_SECONDS = 3
# Other times than the real ones, so that the tests are quick.
HURRIED = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import load
load.ANSWER_SECONDS, load.SETTLED_SECONDS = int(sys.argv.pop(1)), int(sys.argv.pop(1))
sys.exit(load.main())
"""
Answer = tuple[int, Any]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # on a busy machine connections wait


class Application:
    """The frontend as its users see it. ``turn`` may replace the answer to a request, or break the connection by returning None."""

    def __init__(self) -> None:
        self.accounts: dict[str, dict[str, Any]] = {}
        self.served = 0
        self.turn: Callable[[Handler, Answer], Answer | None] = lambda _, answer: answer
        handler = type("Bound", (Handler,), {"application": self})
        self.http = Server(("127.0.0.1", 0), handler)
        self.lock = threading.Lock()

    def answer(self, method: str, path: str, headers: Any, body: dict[str, Any]) -> Answer:
        if method != "GET" and headers["Origin"] != f"http://{headers['Host']}":
            return 403, {"detail": "This request did not come from the application's own pages."}
        if path == "/api/auth/signup":
            self.accounts[body["email"]] = {"todos": {}, "messages": []}
            return 201, {"user": {"email": body["email"]}}
        account = self.accounts.get((headers["Cookie"] or "").removeprefix("session="))
        if account is None:
            return 401, {"detail": "Your session has ended."}
        todos: dict[str, dict[str, Any]] = account["todos"]
        if (method, path) == ("GET", "/api/todos"):
            return 200, list(todos.values())
        if (method, path) == ("POST", "/api/todos"):
            return 201, self.added(todos, body["title"])
        if path == "/api/chat":
            account["messages"].append(body["message"])
            said = body["message"].removeprefix("add ")
            actions = [] if said == "hello" else [{"tool": "add_todo", "todo": self.added(todos, said)}]
            return 200, {"reply": f"Added “{said}” to your list.", "actions": actions, "conversation_id": "1"}
        if method == "PATCH":
            todos[path.rpartition("/")[2]]["completed"] = True
            return 200, todos[path.rpartition("/")[2]]
        if path.startswith("/_next/static/"):
            return 200, "script()"
        if is_page(path):
            shown = [*(todo["title"] for todo in todos.values()), *account["messages"], *self.accounts, "Sign in"]
            return 200, f"<script src='{SCRIPT}'></script><body>{shown}</body>"
        del self.accounts[(headers["Cookie"] or "").removeprefix("session=")]
        return 204, None

    @staticmethod
    def added(todos: dict[str, dict[str, Any]], title: str) -> dict[str, Any]:
        identifier = str(uuid.uuid4())
        todos[identifier] = {"id": identifier, "title": title, "completed": False}
        return todos[identifier]


def is_page(path: str) -> bool:
    return path in ("/todos", "/history", "/account", "/login?reason=expired")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    application: Application
    requests = 0
    """Those on this connection."""

    def _any(self) -> None:
        self.requests += 1
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        with self.application.lock:
            self.application.served += 1
            turned = self.application.turn(self, self.application.answer(self.command, self.path, self.headers, body))
        if turned is None:
            self.close_connection = True
            return
        status, content = turned
        sent = b"" if content is None else (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        if self.path == "/api/auth/signup":
            self.send_header("set-cookie", f"session={body['email']}; Path=/; HttpOnly")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    do_GET = do_POST = do_DELETE = do_PATCH = _any  # noqa: N815 - http.server gives the names

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def reset(self) -> None:
        """The connection ends with a reset instead of an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.fixture
def application() -> Iterator[Application]:
    """One that works."""
    made = Application()
    thread = threading.Thread(target=made.http.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.http.shutdown()
    thread.join()
    made.http.server_close()


def load(
    application: Application, tmp_path: Path, *options: str, until: Callable[[], bool] | None = None, settled: int = 1
) -> tuple[int, dict[str, Any], str]:
    """The exit status, the report and what was printed meanwhile, of a load that is told to stop after some requests, or ``until``."""
    stop = tmp_path / "stop"
    url = f"http://127.0.0.1:{application.http.server_port}"
    times = (str(ANSWER_SECONDS), str(settled))
    command = [sys.executable, "-B", "-c", HURRIED, str(LOAD.parent), *times, *options, url, str(stop), str(PER_SECOND)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 20
        while not (until() if until else application.served > ENOUGH) and time.monotonic() < end and process.poll() is None:
            time.sleep(0.01)
        stop.touch()
        out, said = process.communicate(timeout=60)
    return process.returncode, json.loads(out), said


def once(condition: Callable[[Handler], bool], instead: Callable[[Handler, Answer], Answer | None]) -> Callable[[Handler, Answer], Answer | None]:
    """A turn that replaces one answer, the first after a while that fits."""
    done = False

    def turn(request: Handler, answer: Answer) -> Answer | None:
        nonlocal done
        if done or request.application.served < AT_WORK or not condition(request):
            return answer
        done = True
        return instead(request, answer)

    return turn


def test_an_application_that_works_has_no_failures_and_no_account_afterwards(application: Application, tmp_path: Path) -> None:
    status, report, said = load(application, tmp_path)
    assert (status, report["failures"]) == (0, [])
    assert report["requests"] > 50
    assert report["acknowledged"] == report["read_back"] > 20
    assert (report["resent"], report["tolerated"], report["right_since"]) == (0, 0, None)
    assert (report["names"], report["gone"]) == (1, [])
    assert application.accounts == {}
    assert "FAILED" not in said


def is_on_a_new_connection(request: Handler) -> bool:
    return bool(request.headers["Connection"] == "close")


WRONG: dict[str, tuple[Callable[[Handler], bool], Callable[[Handler, Answer], Answer | None], str]] = {
    "a status": (lambda r: r.path == "/api/todos", lambda *_: (500, {"detail": "broken"}), "500: .*broken"),
    "a session that ended": (lambda r: r.path == "/todos", lambda *_: (307, "/login"), "307"),
    "a list without a todo": (lambda r: (r.command, r.path) == ("GET", "/api/todos"), lambda _, a: (200, a[1][1:]), "missing: todo-000000"),
    "a list with a stranger's todo": (
        lambda r: (r.command, r.path) == ("GET", "/api/todos"),
        lambda _, a: (200, [*a[1], {"title": "theirs", "completed": False}]),
        "never added: theirs",
    ),
    "another body": (lambda r: r.command == "POST" and r.path == "/api/todos", lambda _, a: (201, a[1] | {"title": "else"}), "else"),
    "an assistant that did nothing": (lambda r: r.path == "/api/chat", lambda _, a: (200, a[1] | {"actions": []}), "actions"),
    "a page that says it is away": (lambda r: r.path == "/todos", lambda *_: (200, "<body>Your list is out of reach</body>"), "out of reach"),
    "an answer of another shape": (lambda r: r.path == "/api/chat", lambda *_: (200, []), "TypeError"),
    "a page whose script is not there": (lambda r: r.path.startswith("/_next/"), lambda *_: (404, "Not Found"), "404: Not Found"),
    "a page without scripts": (lambda r: r.path == "/todos", lambda _, a: (200, a[1].replace(".js", "")), "<body>"),
    "another page that says it is away": (lambda r: r.path == "/account", lambda *_: (200, "<body>Your account is out of reach</body>"), "out of reach"),
    "no JSON": (lambda r: r.command == "PATCH", lambda *_: (200, "<html>"), "<html>"),
    "a new connection that is closed": (is_on_a_new_connection, lambda *_: None, "no answer: closed"),
    "a backend that is away": (lambda r: r.path == "/api/chat", lambda *_: (503, {}), "503"),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_wrong_answer_is_one_failure(application: Application, tmp_path: Path, name: str) -> None:
    condition, instead, says = WRONG[name]
    application.turn = once(condition, instead)
    status, report, said = load(application, tmp_path)
    assert status == 1
    [failure] = report["failures"]
    assert failure["client"] in ("new", "kept")
    assert re.search(says, failure["came"])
    assert f"FAILED: {failure['time']} {failure['client']}: " in said
    assert application.accounts == {}


def forget(request: Handler, answer: Answer) -> Answer:
    """Acknowledges a todo that is not kept."""
    account = request.application.accounts[request.headers["Cookie"].removeprefix("session=")]
    del account["todos"][answer[1]["id"]]
    return answer


def forget_message(request: Handler, answer: Answer) -> Answer:
    """Acknowledges a message that is not kept."""
    request.application.accounts[request.headers["Cookie"].removeprefix("session=")]["messages"].pop()
    return answer


def test_a_todo_that_is_forgotten_is_missed_at_once_and_when_it_is_read_back(application: Application, tmp_path: Path) -> None:
    application.turn = once(lambda r: r.command == "POST" and r.path == "/api/todos", forget)
    status, report, said = load(application, tmp_path)
    assert status == 1
    assert report["acknowledged"] == report["read_back"] + 1
    assert "missing: todo-" in report["failures"][-1]["came"]
    assert said.count("FAILED") == len(report["failures"]) > 1


def test_a_message_that_is_forgotten_is_missed_when_it_is_read_back(application: Application, tmp_path: Path) -> None:
    application.turn = once(lambda r: r.path == "/api/chat", forget_message)
    status, report, _ = load(application, tmp_path)
    assert status == 1
    assert report["acknowledged"] == report["read_back"] + 1
    [failure] = report["failures"]
    assert "one without: add chat-" in failure["came"]


def roll_out(request: Handler, answer: Answer) -> Answer:
    """From then on pages are of another build."""
    newer = request.application.served > BEGUN and is_page(request.path)
    return (200, answer[1].replace(SCRIPT, "/_next/static/chunks/newer.js")) if newer else answer


def test_what_pages_load_is_told_and_that_it_is_another_build_by_the_end(application: Application, tmp_path: Path) -> None:
    application.turn = roll_out
    status, report, _ = load(application, tmp_path)
    assert (status, report["failures"]) == (0, [])
    assert (report["names"], report["gone"]) == (2, [SCRIPT])
    assert report["files"] > 20


def test_what_an_open_tab_has_is_asked_for_at_the_end(application: Application, tmp_path: Path) -> None:
    def forget_it(request: Handler, answer: Answer) -> Answer:
        gone = request.application.served > BEGUN and request.path == SCRIPT
        return (404, "Not Found") if gone else roll_out(request, answer)

    application.turn = forget_it
    status, report, _ = load(application, tmp_path)
    assert status == 1
    assert [failure["client"] for failure in report["failures"]] == ["new", "kept"]
    assert all(failure["expected"].startswith(f"GET {SCRIPT} ") for failure in report["failures"])


@pytest.mark.parametrize("reset", [False, True], ids=["end", "reset"])
def test_a_request_on_an_idle_connection_that_was_closed_is_sent_again_once(application: Application, tmp_path: Path, reset: bool) -> None:
    """What a server does that restarts: it answers, and closes the connection that it had offered to keep."""

    def close(request: Handler, answer: Answer) -> Answer:
        request.close_connection = True
        if reset:
            request.reset()
        return answer

    application.turn = once(lambda r: not is_on_a_new_connection(r) and r.requests > 2, close)
    status, report, said = load(application, tmp_path)
    assert (status, report["failures"], report["resent"]) == (0, [], 1)
    assert said.count("resent: ") == 1


def test_a_write_that_is_done_and_not_answered_is_done_twice_and_named(application: Application, tmp_path: Path) -> None:
    application.turn = once(lambda r: r.path == "/api/todos" and r.command == "POST" and r.requests > 1, lambda *_: None)
    status, report, _ = load(application, tmp_path)
    assert (status, report["resent"]) == (1, 1)
    assert "there more than once: todo-" in report["failures"][-1]["came"]


def test_half_an_answer_on_an_idle_connection_is_a_failure(application: Application, tmp_path: Path) -> None:
    def half(request: Handler, _: Answer) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[")

    application.turn = once(lambda r: r.requests > 1 and r.path == "/todos", half)
    status, report, _ = load(application, tmp_path)
    assert (status, report["resent"]) == (1, 0)
    [failure] = report["failures"]
    assert "half an answer: IncompleteRead" in failure["came"]


def test_a_stall_is_no_pause_for_others_and_fails_after_its_time(application: Application, tmp_path: Path) -> None:
    """Three requests get no answer in time; each is a failure, and what is due meanwhile is sent."""
    stalled: list[int] = []

    served_then = 0

    def turn(request: Handler, answer: Answer) -> Answer | None:
        nonlocal served_then
        if request.application.served > AT_WORK and len(stalled) < 3 and is_on_a_new_connection(request) and request.path == "/todos":
            stalled.append(request.application.served)
            request.application.lock.release()
            try:
                time.sleep(ANSWER_SECONDS + 1)
            finally:
                request.application.lock.acquire()
                served_then = request.application.served
        return answer

    application.turn = turn
    status, report, _ = load(application, tmp_path, until=lambda: served_then > 0)
    assert status == 1
    assert [failure["came"] for failure in report["failures"]] == [f"nothing within {ANSWER_SECONDS} s"] * 3
    assert served_then > stalled[-1] + 30  # of 4 s in which 320 are due
    assert report["slowest"] >= ANSWER_SECONDS


def test_a_backend_that_is_away_is_tolerated_where_that_is_asked(application: Application, tmp_path: Path) -> None:
    since: list[float] = []

    def turn(request: Handler, answer: Answer) -> Answer:
        if request.application.served < AT_WORK or len(since) > 30:
            return answer
        since.append(time.time())
        return (200, "<body>Your list is out of reach</body>") if is_page(request.path) else (503, {"detail": "away"})

    application.turn = turn
    status, report, _ = load(application, tmp_path, "--tolerant", until=lambda: len(since) > 30 and time.time() - since[-1] > 2)
    assert (status, report["failures"]) == (0, [])
    assert report["tolerated"] > 10
    # done and not acknowledged: it may be there
    assert report["acknowledged"] == report["read_back"]
    assert report["right_since"] is not None


def test_one_that_is_still_away_at_the_end_or_forgot_a_write_is_not_tolerated(application: Application, tmp_path: Path) -> None:
    application.turn = once(lambda r: r.path == "/api/chat", lambda *_: (503, {}))
    status, report, _ = load(application, tmp_path, "--tolerant", settled=60)
    assert (status, report["tolerated"]) == (1, 1)
    [failure] = report["failures"]
    assert "all to be right for 60 s before the end" in failure["expected"]


def test_the_load_does_not_begin_where_nobody_answers(nobody: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, LOAD, f"http://{nobody}", tmp_path / "stop"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "The load cannot begin: expected POST /api/auth/signup" in done.stderr
    assert "refused" in done.stderr
