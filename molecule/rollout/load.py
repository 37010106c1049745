#!/usr/bin/env python3
"""Two clients use the application at a fixed rate until they are told to stop, and name every answer that is not right.

    load.py [--tolerant] URL STOPFILE [PER_SECOND]    URL is the frontend's; ends when STOPFILE is there; requests a second of each client, 5

One client opens a connection for each request and sends nothing twice. The other keeps connections alive, as browsers do: a request on
an idle one that was closed before any byte came back is sent once more, which is counted and printed. Both load pages with their scripts and
styles, each page once at the beginning and once at the end; then also what the first ones had is asked for once more, as by a tab that stayed
open. An answer is right when its status and its body are, within the time that a browser on the page waits, from the moment at which the
request was due: the next requests do not wait for it, so that a stall counts. How long the slowest took is told.
At the end all that was acknowledged is read back, and the accounts are deleted.

With --tolerant the backend may be away meanwhile (503, 504, no answer in time); what it acknowledged has to be there nevertheless, and
all has to be right again for 5 s before the end.

Each failure is printed at once to standard error. Standard output gets one line of JSON: requests, files (scripts and styles that were loaded),
names (how many different ones), gone (names that the first pages had and the last ones have not), failures, tolerated, acknowledged, read_back,
resent, slowest (seconds), and right_since, the first second after which all was right (null where nothing was tolerated).
The exit status is 1 where there are failures. Needs nothing but Python, and no checkout.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import secrets
import socket
import sys
import time
import urllib.parse
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPMessage
from pathlib import Path
from threading import Lock
from typing import Any

ANSWER_SECONDS = 35
SETTLED_SECONDS = 5
# More than can be due at once while nothing is answered.
THREADS = 256
# Idle connections that are used in turn, so that they lead to more than one pod.
KEPT_CONNECTIONS = 4
SHOWN = 300
# The page shows the last 50 messages of a conversation; every second one is an answer.
SHOWN_MESSAGES = 20
AWAY = {503, 504}
FILE = re.compile(r"/_next/static/[^\"'\\\\?]+\.(?:js|css)")
# The list is loaded each time, of the others one in turn.
LIST, OTHERS = "/todos", ("/history", "/account", "/login?reason=expired")
AWAY_PAGE = "is out of reach"


class WrongError(Exception):
    """What was expected and what came; ``away`` where a backend that is away explains it."""

    def __init__(self, expected: str, came: str, away: bool = False) -> None:
        super().__init__(f"expected {expected}, came {came}")
        self.expected = expected
        self.came = came
        self.away = away


class UnansweredError(Exception):
    """The connection was closed, or never opened, and not one byte of an answer came."""


@dataclass(frozen=True)
class Answer:
    status: int
    content: str
    headers: HTTPMessage


class Connections:
    """The way to the server: a connection for each request, or some that are kept."""

    def __init__(self, host: str, port: int, keep: bool) -> None:
        self.host, self.port = host, port
        self.keep = keep
        self.resent = 0
        self._idle: deque[HTTPConnection] = deque()
        self._lock = Lock()

    def exchange(self, method: str, path: str, body: bytes | None, headers: dict[str, str], deadline: float) -> Answer:
        """Sends a request. Raises UnansweredError, or OSError or HTTPException where an answer began; TimeoutError at the deadline."""
        with self._lock:
            idle = self._idle.popleft() if len(self._idle) >= KEPT_CONNECTIONS else None
        if idle:
            try:
                return self._exchange(idle, method, path, body, headers, deadline)
            except UnansweredError as error:
                with self._lock:
                    self.resent += 1
                say(f"resent: {method} {path}, as an idle connection was closed: {error}")
        return self._exchange(HTTPConnection(self.host, self.port), method, path, body, headers, deadline)

    def _exchange(self, connection: HTTPConnection, method: str, path: str, body: bytes | None, headers: dict[str, str], deadline: float) -> Answer:
        try:
            connection.timeout = max(0.001, deadline - time.monotonic())
            if connection.sock:
                connection.sock.settimeout(connection.timeout)
            try:
                connection.request(method, path, body, headers if self.keep else {**headers, "Connection": "close"})
                if not connection.sock.recv(1, socket.MSG_PEEK):
                    raise UnansweredError("closed")
            except TimeoutError:
                raise
            except OSError as error:
                raise UnansweredError(str(error)) from error
            response = connection.getresponse()
            answer = Answer(response.status, response.read().decode(errors="replace"), response.headers)
        except BaseException:
            connection.close()
            raise
        if self.keep and not response.will_close:
            with self._lock:
                self._idle.append(connection)
        else:
            connection.close()
        return answer

    def close(self) -> None:
        while self._idle:
            self._idle.popleft().close()


class Client:
    """Somebody with an account, who adds todos, by hand and by the assistant, completes and reads them."""

    def __init__(self, name: str, url: str, keep: bool, tolerant: bool) -> None:
        address = urllib.parse.urlsplit(url)
        self.name = name
        self.origin = f"{address.scheme}://{address.netloc}"
        self.connections = Connections(address.hostname or "", address.port or 80, keep)
        self.tolerant = tolerant
        self.requests = 0
        self.slowest = 0.0
        self.failures: list[dict[str, Any]] = []
        self.tolerated: list[dict[str, Any]] = []
        self.attempted: set[str] = set()
        self.acknowledged: dict[str, str] = {}
        """The ids of todos by title."""
        self.completed: set[str] = set()
        self.files = 0
        """Of pages that were loaded whole."""
        self.names: set[str] = set()
        self.first: dict[str, set[str]] = {}
        """The names of the files that each page had at first."""
        self.last: dict[str, set[str]] = {}
        self.messages: deque[str] = deque(maxlen=SHOWN_MESSAGES)
        self._completing: set[str] = set()
        self._account = {"email": f"load-{name}+{secrets.token_hex(8)}@todochat.example", "password": secrets.token_urlsafe(16)}
        self._cookie = ""
        self._conversation: str | None = None
        self._lock = Lock()

    def ask(self, due: float, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """What a right answer holds: its JSON, or the text of a page. Raises WrongError."""
        headers = {"Origin": self.origin, "Content-Type": "application/json"} | ({"Cookie": self._cookie} if self._cookie else {})
        expected = f"{method} {path} to answer {status} within {ANSWER_SECONDS} s"
        data = None if body is None else json.dumps(body).encode()
        try:
            answer = self.connections.exchange(method, path, data, headers, due + ANSWER_SECONDS)
        except TimeoutError:
            raise WrongError(expected, f"nothing within {ANSWER_SECONDS} s", away=True) from None
        except UnansweredError as error:
            raise WrongError(expected, f"no answer: {error}") from error
        except (OSError, HTTPException) as error:
            raise WrongError(expected, f"half an answer: {error!r}") from error
        if answer.status != status:
            raise WrongError(expected, f"{answer.status}: {answer.content[:SHOWN]}", away=answer.status in AWAY)
        if time.monotonic() > due + ANSWER_SECONDS:
            raise WrongError(expected, f"an answer after {time.monotonic() - due:.1f} s", away=True)
        if "Set-Cookie" in answer.headers:
            self._cookie = answer.headers["Set-Cookie"].partition(";")[0]
        if not path.startswith("/api/"):
            return answer.content
        try:
            return json.loads(answer.content) if answer.content else None
        except ValueError:
            raise WrongError(f"{method} {path} to answer with JSON", answer.content[:SHOWN]) from None

    def begin(self) -> None:
        """Signs up, begins a conversation, and loads each page; raises WrongError."""
        now = time.monotonic()
        user = self.ask(now, "POST", "/api/auth/signup", self._account, 201)
        expect(user["user"]["email"] == self._account["email"], "the account", user)
        self._conversation = self.ask(now, "POST", "/api/chat", {"message": "hello"})["conversation_id"]
        for path in (LIST, *OTHERS):
            self.load(path, time.monotonic())

    def step(self, number: int, due: float) -> None:
        """Does what is due, and keeps what was wrong with it."""
        sent = time.time() - (time.monotonic() - due)
        steps = (self.add, self.read, self.chat, self.complete, self.page)
        self.judged(sent, lambda: steps[number % len(steps)](number, due))
        with self._lock:
            self.requests += 1
            self.slowest = max(self.slowest, time.monotonic() - due)

    def judged(self, sent: float, act: Callable[[], None]) -> None:
        try:
            act()
        except WrongError as error:
            self.failed(sent, error.expected, error.came, self.tolerant and error.away)
        except Exception as error:  # noqa: BLE001 - an answer of another shape is a wrong answer, and has to end in the report
            self.failed(sent, "an answer of the usual shape", repr(error))

    def failed(self, sent: float, expected: str, came: str, tolerated: bool = False) -> None:
        failure = {"time": clock(sent), "sent": sent, "client": self.name, "expected": expected, "came": came}
        (self.tolerated if tolerated else self.failures).append(failure)
        say(f"{'tolerated' if tolerated else 'FAILED'}: {failure['time']} {self.name}: expected {expected}, came {came}")

    def add(self, number: int, due: float) -> None:
        title = f"todo-{number:06}"
        self._attempt(title)
        todo = self.ask(due, "POST", "/api/todos", {"title": title}, 201)
        expect(todo["title"] == title and todo["completed"] is False, f"the open todo {title}", todo)
        self._acknowledge(title, todo["id"])

    def chat(self, number: int, due: float) -> None:
        title = f"chat-{number:06}"
        self._attempt(title)
        answer = self.ask(due, "POST", "/api/chat", {"message": f"add {title}", "conversation_id": self._conversation})
        added = [action["todo"]["title"] for action in answer["actions"] if action["tool"] == "add_todo"]
        right = added == [title] and title in answer["reply"] and answer["conversation_id"] == self._conversation
        expect(right, f"the assistant to add {title}", answer)
        self._acknowledge(title, answer["actions"][0]["todo"]["id"])
        with self._lock:
            self.messages.append(f"add {title}")

    def complete(self, number: int, due: float) -> None:
        with self._lock:
            title = next((title for title in reversed(self.acknowledged) if title not in self._completing), "")
            self._completing.add(title)
        if not title:
            self.read(number, due)
            return
        todo = self.ask(due, "PATCH", f"/api/todos/{self.acknowledged[title]}", {"completed": True})
        expect(todo["title"] == title and todo["completed"] is True, f"the completed todo {title}", todo)
        with self._lock:
            self.completed.add(title)

    def read(self, _number: int, due: float) -> None:
        with self._lock:
            acknowledged, completed = set(self.acknowledged), set(self.completed)
        todos = self.ask(due, "GET", "/api/todos")
        self.judge_list(todos, acknowledged, completed)

    def judge_list(self, todos: list[dict[str, Any]], acknowledged: set[str], completed: set[str]) -> None:
        titles = Counter(todo["title"] for todo in todos)
        done = {todo["title"] for todo in todos if todo["completed"]}
        with self._lock:
            strange = set(titles) - self.attempted
        wrong = {
            "missing": acknowledged - set(titles),
            "not completed": completed - done - (acknowledged - set(titles)),
            "never added": strange,
            "there more than once": {title for title, times in titles.items() if times > 1},
        }
        said = "; ".join(f"{what}: {', '.join(sorted(which))}" for what, which in wrong.items() if which)
        expect(not said, f"GET /api/todos to list the {len(acknowledged)} todos that were acknowledged", said)

    def page(self, number: int, due: float) -> None:
        for path in (LIST, OTHERS[number % len(OTHERS)]):
            self.load(path, due)

    def load(self, path: str, due: float) -> None:
        """A page with all its scripts and styles, as somebody loads it who was never here. Raises WrongError."""
        with self._lock:
            newest = next(reversed(self.acknowledged), "")
        shows = {"/account": self._account["email"], "/login?reason=expired": "Sign in"}.get(path, newest)
        page = self.ask(due, "GET", path)
        if shows not in page:
            raise WrongError(f"GET {path} to show {shows}", text_of(page), away=AWAY_PAGE in page)
        files = set(FILE.findall(page))
        expect(bool(files), f"GET {path} to name its scripts", text_of(page))
        for file in sorted(files):
            self.ask(due, "GET", file)
        with self._lock:
            self.files += len(files)
            self.names |= files
            self.first.setdefault(path, files)
            self.last[path] = files

    def come_back(self) -> None:
        """What the first pages had is there to the end, as a tab that stays open loads more of it later; and each page is loaded once more."""
        for file in sorted(all_of(self.first)):
            self.judged(time.time(), partial(self.ask, time.monotonic(), "GET", file))
        for path in (LIST, *OTHERS):
            self.judged(time.time(), partial(self.load, path, time.monotonic()))

    def read_back(self) -> int:
        """How many of the acknowledged writes are there; what is not becomes failures, as nothing is tolerated any more."""
        self.tolerant = False
        found = 0

        def list_everything() -> None:
            nonlocal found
            todos = self.ask(time.monotonic(), "GET", "/api/todos")
            found += len(self.acknowledged.keys() & {todo["title"] for todo in todos})
            found += len(self.completed & {todo["title"] for todo in todos if todo["completed"]})
            self.judge_list(todos, set(self.acknowledged), self.completed)

        def show_the_conversation() -> None:
            nonlocal found
            page = self.ask(time.monotonic(), "GET", "/todos")
            missing = sorted(message for message in self.messages if message not in page)
            found += len(self.messages) - len(missing)
            expect(not missing, "GET /todos to show the end of the conversation", f"one without: {', '.join(missing)}")

        self.judged(time.time(), list_everything)
        self.judged(time.time(), show_the_conversation)
        return found

    def writes(self) -> int:
        """Acknowledged ones: a todo by hand counts once, one by the assistant as a todo and, while the page shows it, a message, a completion once."""
        return len(self.acknowledged) + len(self.completed) + len(self.messages)

    def end(self) -> None:
        """Deletes the account."""
        self.judged(time.time(), lambda: self.ask(time.monotonic(), "DELETE", "/api/account", status=204))
        self.connections.close()

    def _attempt(self, title: str) -> None:
        with self._lock:
            self.attempted.add(title)

    def _acknowledge(self, title: str, identifier: str) -> None:
        with self._lock:
            self.acknowledged[title] = identifier


def all_of(pages: dict[str, set[str]]) -> set[str]:
    return set[str]().union(*pages.values())


def expect(right: bool, expected: str, came: Any) -> None:
    """Raises WrongError where it is not right."""
    if not right:
        raise WrongError(expected, str(came)[:SHOWN])


def text_of(page: str) -> str:
    """The part of a page that tells what it is."""
    start = page.find("<body")
    return page[max(start, 0) :][:SHOWN]


def clock(seconds: float) -> str:
    """A time of day in UTC, in ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def run(clients: list[Client], stop: Path, per_second: float) -> None:
    """Has each client do its steps when they are due, in turn, until the file is there and all is answered."""
    start, number = time.monotonic(), 0
    with ThreadPoolExecutor(THREADS) as pool:
        while not stop.exists():
            due = start + number / (per_second * len(clients))
            time.sleep(max(0.0, due - time.monotonic()))
            pool.submit(clients[number % len(clients)].step, number // len(clients), due)
            number += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tolerant", action="store_true")
    parser.add_argument("url")
    parser.add_argument("stop", type=Path)
    parser.add_argument("per_second", type=float, nargs="?", default=5.0)
    given = parser.parse_args()
    clients = [Client(name, given.url, keep, given.tolerant) for name, keep in (("new", False), ("kept", True))]
    try:
        for client in clients:
            client.begin()
    except WrongError as error:
        sys.exit(f"The load cannot begin: {error}")
    say("Both clients are signed up, and the load begins.")
    run(clients, given.stop, given.per_second)
    ended = time.time()
    last_away = max((failure["sent"] for client in clients for failure in client.tolerated), default=None)
    if last_away is not None and ended - last_away < SETTLED_SECONDS:
        clients[0].failed(last_away, f"all to be right for {SETTLED_SECONDS} s before the end", "an answer that had to be tolerated")
    for client in clients:
        client.come_back()
    read_back = sum(client.read_back() for client in clients)
    acknowledged = sum(client.writes() for client in clients)
    for client in clients:
        client.end()
    failures = [failure for client in clients for failure in client.failures]
    report = {
        "requests": sum(client.requests for client in clients),
        "files": sum(client.files for client in clients),
        "names": len(set[str]().union(*(client.names for client in clients))),
        "gone": sorted({name for client in clients for name in all_of(client.first) - all_of(client.last)}),
        "failures": failures,
        "tolerated": sum(len(client.tolerated) for client in clients),
        "acknowledged": acknowledged,
        "read_back": read_back,
        "resent": sum(client.connections.resent for client in clients),
        "slowest": round(max(client.slowest for client in clients), 3),
        "right_since": None if last_away is None else clock(math.floor(last_away) + 1),
    }
    print(json.dumps(report), flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
