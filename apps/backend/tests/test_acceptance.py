"""The check of a running backend, as `helm test` runs it."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from tests.conftest import process_environment, wait_for, write_secrets
from todo_backend.acceptance import REQUEST_SECONDS
from todo_backend.migrate import migrate

STEPS = ["live", "ready", "sign up", "log in", "ask the assistant", "list the todos", "delete the account"]


def _check(url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "todo_backend.acceptance", url]
    environment = process_environment(Path("/nowhere"), {"http_proxy": "http://127.0.0.1:1"})
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_running_backend_passes_and_keeps_nothing(
    new_database: Callable[[], URL], tmp_path: Path, unused_port: int
) -> None:
    url = new_database()
    migrate(url, wait_seconds=0)
    write_secrets(tmp_path, url)
    settings = {"TODO_HOST": "127.0.0.1", "TODO_PORT": str(unused_port), "TODO_DRAIN_SECONDS": "0"}
    environment = process_environment(tmp_path, settings)
    with subprocess.Popen(
        [sys.executable, "-m", "todo_backend"], env=environment, stdout=subprocess.DEVNULL
    ) as process:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{unused_port}") as client:
                wait_for(client, "/health/ready")
            done = _check(f"http://127.0.0.1:{unused_port}/")
        finally:
            process.terminate()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"{step}: passed" for step in STEPS]
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM users")) == 0
        assert connection.scalar(text("SELECT last_value FROM messages_id_seq")) == 2  # it was there
    engine.dispose()


def test_where_nothing_listens_the_first_step_is_named(unused_port: int) -> None:
    done = _check(f"http://127.0.0.1:{unused_port}")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"live: expected 200 from GET http://127.0.0.1:{unused_port}/health/live, "
        "got no answer: [Errno 111] Connection refused\n"
    )


class _Faulty(BaseHTTPRequestHandler):
    """A backend that does one thing wrong: `wrong` is a step's request, `answer` its status and body."""

    wrong = ""
    answer: tuple[int, str] = (500, "")
    asked: list[str] = []  # noqa: RUF012 - made anew for each test

    def _any(self) -> None:
        request = f"{self.command} {self.path}"
        self.asked.append(request)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        right = {
            "POST /api/v1/auth/signup": (201, {"access_token": "t"}),
            "POST /api/v1/auth/login": (200, {"access_token": "t"}),
            "POST /api/v1/chat": (200, {"reply": "Added."}),
            "GET /api/v1/todos": (200, [{"title": "buy milk"}]),
            "DELETE /api/v1/auth/me": (204, None),
        }.get(request, (200, {}))
        status, content = self.answer if request == self.wrong else (right[0], json.dumps(right[1]) if right[1] else "")
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content.encode())

    do_GET = do_POST = do_DELETE = _any  # noqa: N815 - the library's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def faulty() -> Iterator[Callable[[str, int, str], tuple[str, list[str]]]]:
    """Serve a backend that answers a request wrongly; return its address and what it was asked."""
    servers: list[ThreadingHTTPServer] = []

    def serve(wrong: str, status: int, content: str) -> tuple[str, list[str]]:
        asked: list[str] = []
        handler = type("Faulty", (_Faulty,), {"wrong": wrong, "answer": (status, content), "asked": asked})
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_address[1]}", asked

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("wrong", "status", "content", "said"),
    [
        ("GET /health/ready", 503, '{"detail":\n"no"}', 'ready: expected 200 from GET {}, got 503: {"detail": "no"}'),
        ("POST /api/v1/auth/signup", 409, "", "sign up: expected 201 from POST {}, got 409: nothing else"),
        ("POST /api/v1/auth/signup", 201, "{}", "sign up: expected an access token, got none"),
        ("POST /api/v1/auth/login", 401, "no", "log in: expected 200 from POST {}, got 401: no"),
        ("POST /api/v1/chat", 200, '{"reply": ""}', "ask the assistant: expected a reply, got {'reply': ''}"),
        ("POST /api/v1/chat", 200, "<html>", "ask the assistant: expected 200 from POST {}, got no JSON: <html>"),
        ("GET /api/v1/todos", 200, "[]", "list the todos: expected ['buy milk'], got []"),
        ("DELETE /api/v1/auth/me", 503, "", "delete the account: expected 204 from DELETE {}, got 503: nothing else"),
    ],
)
def test_the_step_that_fails_is_named_in_one_line_and_the_account_deleted(
    faulty: Callable[[str, int, str], tuple[str, list[str]]], wrong: str, status: int, content: str, said: str
) -> None:
    url, asked = faulty(wrong, status, content)
    done = _check(url)
    assert done.returncode == 1
    assert done.stderr == said.replace("{}", url + wrong.split()[1], 1 if "from" in said else 0) + "\n"
    signed_up = f"{STEPS[2]}: passed" in done.stdout and "access token" not in said
    assert ("DELETE /api/v1/auth/me" in asked) is signed_up


def test_what_a_language_model_makes_of_it_is_its_own_matter(
    faulty: Callable[[str, int, str], tuple[str, list[str]]],
) -> None:
    url, _ = faulty("POST /api/v1/chat", 200, '{"reply": "Which milk?", "assistant": "some/model"}')
    done = _check(url)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_whole_way_ends_within_a_minute() -> None:
    assert len(STEPS) * REQUEST_SECONDS < 60
