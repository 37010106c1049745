"""A real user's way through the application, by HTTP, with an account that is gone afterwards."""

from __future__ import annotations

import http.cookiejar
import json
import secrets
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.locks import acquire
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.base.web import ask, of
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import docker

ANSWER_SECONDS = 20
CHECK_SECONDS = 300
LOOK = "See which part does not run with `make status`, and why with `make logs`, then run the same command again."
# What a language model makes of a request is its own matter; what this assistant does is known.
BUILT_IN = "rule-based"
# Reserved for checks; accounts of this shape are deleted with all their rows.
ACCOUNT = "acceptance+{}@todochat.example"


class JourneyError(UserError):
    """The step that failed, and what came back."""

    def __init__(self, why: str, remedy: str = LOOK) -> None:
        super().__init__(why, remedy)


class Visitor:
    """A browser's worth of HTTP: cookies are kept, writes carry an Origin. ``url`` is the frontend's; ``public_url`` is what people open in its
    place, where that is set: then a proxy stands between, which this goes past."""

    def __init__(self, url: str, public_url: str = "") -> None:
        self.url = url.rstrip("/")
        self._origin = public_url.rstrip("/") or self.url
        # Cookies that are for https alone come from, and go back to, this machine.
        policy = http.cookiejar.DefaultCookiePolicy(secure_protocols=("http", "https")) if public_url else None
        self._opener = of(urlsplit(self.url).hostname or "", urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar(policy)))

    def call(self, step: str, method: str, path: str, body: Any = None) -> Any:
        """Sends one request; returns the answer's JSON, or None. Raises JourneyError naming the step."""
        waiting_for(step)
        headers = {"Origin": self._origin, "Content-Type": "application/json", "Accept": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            status, content = ask(self._opener, request, ANSWER_SECONDS)
        except OSError as error:
            raise JourneyError(f"{step}: {method} {self.url}{path} gets no answer: {error}") from error
        if not 200 <= status < 300:
            said = content[:300].decode(errors="replace").strip() or "nothing else"
            raise JourneyError(f"{step}: {method} {self.url}{path} answers {status}: {said}")
        try:
            return json.loads(content) if content else None
        except ValueError:
            raise JourneyError(
                f"{step}: {method} {self.url}{path} does not answer with JSON: {content[:300].decode(errors='replace')}"
            ) from None


@contextmanager
def account(visitor: Visitor) -> Iterator[tuple[str, str]]:
    """A fresh account, signed in; it is deleted at the end, also after a failure."""
    email, password = ACCOUNT.format(secrets.token_hex(8)), secrets.token_urlsafe(16)
    visitor.call("sign up", "POST", "/api/auth/signup", {"email": email, "password": password})
    try:
        yield email, password
    except BaseException as failure:
        try:
            visitor.call("delete the account", "DELETE", "/api/account")
        except JourneyError as error:
            raise JourneyError(f"{getattr(failure, 'why', str(failure)).removesuffix('.')}; and then {error.why}") from failure
        raise
    visitor.call("delete the account", "DELETE", "/api/account")


def travel(visitor: Visitor, stored_titles: Callable[[str], list[str]] | None) -> list[str]:
    """Goes the whole way; returns its steps. ``stored_titles`` reads an account's todos from the database itself."""
    steps = ["sign up"]
    with account(visitor) as (email, password):
        visitor.call("log in", "POST", "/api/auth/login", {"email": email, "password": password})
        steps.append("log in")
        visitor.call("add a todo", "POST", "/api/todos", {"title": "water the plants"})
        steps.append("add a todo")
        answer = visitor.call("ask the assistant", "POST", "/api/chat", {"message": "add buy milk"})
        if not (answer or {}).get("reply"):
            raise JourneyError(f"ask the assistant: the answer has no reply: {answer}")
        assistant = answer.get("assistant", BUILT_IN)
        steps.append(f"ask the assistant ({assistant})")
        titles = [todo["title"] for todo in visitor.call("list the todos", "GET", "/api/todos")]
        if assistant == BUILT_IN and sorted(titles) != ["buy milk", "water the plants"]:
            raise JourneyError(f"list the todos: expected 'buy milk' and 'water the plants', found {titles}")
        if "water the plants" not in titles:
            raise JourneyError(f"list the todos: expected 'water the plants', found {titles}")
        steps.append("list the todos")
        if stored_titles is not None:
            waiting_for("read the rows from PostgreSQL")
            stored = stored_titles(email)
            if sorted(stored) != sorted(titles):
                raise JourneyError(f"read the rows from PostgreSQL: the list shows {titles}, the table holds {stored}")
            steps.append("read the rows from PostgreSQL")
    if stored_titles is not None and (left := stored_titles(email)):
        raise JourneyError(f"delete the account: its rows are still there: {left}")
    return [*steps, "delete the account"]


class StoredRows:
    """The rows behind the application, over the local socket of its PostgreSQL container, as its administrator."""

    def __init__(self, container: str, database: str) -> None:
        self.container = container
        self.database = database

    def titles(self, email: str) -> list[str]:
        """An account's todos."""
        return self._psql(f"SELECT title FROM todos JOIN users ON users.id = todos.user_id WHERE users.email = '{email}';")

    def forget_killed_checks(self) -> None:
        """Deletes the accounts of checks that were killed and so could not do it themselves."""
        self._psql(f"DELETE FROM users WHERE email LIKE '{ACCOUNT.format('%')}';")

    def _psql(self, sql: str) -> list[str]:
        options = ("--username=postgres", f"--dbname={self.database}", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1")
        done = docker("exec", "--interactive", self.container, "psql", *options, stdin=sql)
        if done.returncode:
            raise JourneyError(
                f"Read the rows from PostgreSQL: psql in {self.container} says: {done.stderr.strip()}",
                "Run `make up`, which brings the database back where it is missing.",
            )
        return done.stdout.splitlines()


def check_as_user(url: str, rows: StoredRows | None, cluster: Cluster) -> list[str]:
    """Goes the whole way while nobody else does, who would hold the kubeconfig; returns its steps. What a killed check left is deleted first."""
    with Path(cluster.kubeconfig).open(encoding="utf-8") as one_at_a_time:
        # so that an account which is there is a killed check's
        acquire(one_at_a_time.fileno(), CHECK_SECONDS, "another check of the application")
        if rows:
            rows.forget_killed_checks()
        public_url = cluster.json("configmap", "frontend").get("data", {}).get("PUBLIC_URL", "")
        return travel(Visitor(url, public_url), rows.titles if rows else None)
