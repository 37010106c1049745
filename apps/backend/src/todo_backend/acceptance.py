"""A real user's way through a running backend: python3 -m todo_backend.acceptance URL.

Prints each step that passed. Exit status: 0, or 1 with one line that says which step failed, what it expected and what
came. The account is deleted at the end, also after a failure.
"""

import argparse
import http.client
import json
import secrets
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

REQUEST_SECONDS = 8  # seven requests stay under a minute
# Reserved for checks: whoever cleans up after one that was killed deletes the accounts of this shape.
ACCOUNT = "acceptance+{}@todochat.example"
TITLE = "buy milk"
BUILT_IN = "rule-based"
"""What a language model makes of a request is its own matter; what this assistant does is known."""


class StepError(Exception):
    """The step that failed, what it expected and what came, in one line."""


class Backend:
    """The backend at an address such as http://backend:8001, for one user."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # it is never behind a proxy
        self._headers = {"Content-Type": "application/json", "Connection": "close"}

    def log_in(self, token: str) -> None:
        """Send what follows in the name of the token's user."""
        self._headers["Authorization"] = f"Bearer {token}"

    def call(self, step: str, expected: int, method: str, path: str, body: object = None) -> object:
        """Send one request and return the answer's JSON, None where there is none; print the step. Raises StepError."""
        wanted = f"{step}: expected {expected} from {method} {self._url}{path}, got"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, self._headers, method=method)  # noqa: S310
        try:
            with self._opener.open(request, timeout=REQUEST_SECONDS) as response:
                status, content = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
        except (OSError, http.client.HTTPException) as error:
            raise StepError(f"{wanted} no answer: {getattr(error, 'reason', error) or repr(error)}") from error
        if status != expected:
            raise StepError(f"{wanted} {status}: {_one_line(content)}")
        try:
            answer: object = json.loads(content) if content else None
        except ValueError:
            raise StepError(f"{wanted} no JSON: {_one_line(content)}") from None
        sys.stdout.write(f"{step}: passed\n")
        return answer


def travel(backend: Backend) -> None:
    """Go the whole way. Raises StepError."""
    backend.call("live", 200, "GET", "/health/live")
    backend.call("ready", 200, "GET", "/health/ready")
    with _account(backend):
        reply = backend.call("ask the assistant", 200, "POST", "/api/v1/chat", {"message": f"add {TITLE}"})
        if not (isinstance(reply, dict) and reply.get("reply")):
            raise StepError(f"ask the assistant: expected a reply, got {_one_line(reply)}")
        todos = backend.call("list the todos", 200, "GET", "/api/v1/todos")
        titles = [todo.get("title") for todo in todos] if isinstance(todos, list) else todos
        if reply.get("assistant", BUILT_IN) == BUILT_IN and titles != [TITLE]:
            raise StepError(f"list the todos: expected ['{TITLE}'], got {_one_line(titles)}")


@contextmanager
def _account(backend: Backend) -> Iterator[None]:
    """Sign up and log in; delete the account at the end, also after a failure."""
    credentials = {"email": ACCOUNT.format(secrets.token_hex(8)), "password": secrets.token_urlsafe(16)}
    backend.log_in(_token("sign up", backend.call("sign up", 201, "POST", "/api/v1/auth/signup", credentials)))
    try:
        backend.log_in(_token("log in", backend.call("log in", 200, "POST", "/api/v1/auth/login", credentials)))
        yield
    except BaseException as failure:
        try:
            backend.call("delete the account", 204, "DELETE", "/api/v1/auth/me")
        except StepError as error:
            raise StepError(f"{failure}; and then {error}") from failure
        raise
    backend.call("delete the account", 204, "DELETE", "/api/v1/auth/me")


def _token(step: str, session: object) -> str:
    if not (isinstance(session, dict) and isinstance(session.get("access_token"), str)):
        raise StepError(f"{step}: expected an access token, got none")
    token: str = session["access_token"]
    return token


def _one_line(said: object) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return " ".join(text[:300].split()) or "nothing else"


def main() -> int:
    """Go the way. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="todo_backend.acceptance", description="Go a user's way through a backend.")
    parser.add_argument("url", help="the backend's address, such as http://backend:8001")
    try:
        travel(Backend(parser.parse_args().url))
    except StepError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
