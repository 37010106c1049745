"""What is logged: JSON lines with the id of their request, and nothing that is somebody's own."""

import asyncio
import gc
import json
import logging
import secrets
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError

from tests.conftest import Cable, process_environment, serving, sign_up, wait_for
from todo_backend import logs


@contextmanager
def logging_as_the_service_does() -> Iterator[None]:
    """Log to standard output; pytest has its own handlers otherwise."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("info")
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


class Story:
    """Somebody's requests, each with an id of its own, and all that is theirs alone."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.statuses: dict[str, int] = {}
        self.private: set[str] = set()
        self.token = ""

    def own(self, kind: str = "") -> str:
        """A word that nobody else knows."""
        word = f"{kind}{secrets.token_hex(8)}"
        self.private.add(word)
        return word

    def ask(self, method: str, path: str, body: object = None, **more: Any) -> Any:
        """Send a request; its answer's JSON."""
        given = f"story-{len(self.statuses)}"
        headers = {"X-Request-ID": given} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        answer = self.client.request(method, f"/api/v1{path}", headers=headers, json=body, **more)
        self.statuses[given] = answer.status_code
        assert answer.headers["X-Request-ID"] == given
        return answer.json() if answer.content else None


@contextmanager
def backend(secrets_dir: Path, port: int, output: Path) -> Iterator[httpx.Client]:
    """Run the service, with every line that it can log."""
    settings = {"TODO_PORT": str(port), "TODO_HOST": "127.0.0.1", "TODO_LOG_LEVEL": "debug", "TODO_DRAIN_SECONDS": "0"}
    command = [sys.executable, "-m", "todo_backend"]
    with (
        output.open("w") as said,
        subprocess.Popen(command, env=process_environment(secrets_dir, settings), stdout=said, stderr=said) as service,
    ):
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
                wait_for(client, "/health/ready")
                yield client
        finally:
            service.terminate()


def test_a_whole_story_is_told_by_its_ids_and_without_what_is_in_it(
    secrets_dir: Path, unused_port: int, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    with backend(secrets_dir, unused_port, output) as client:
        story = Story(client)
        email, password = f"{story.own()}@todochat.example", story.own("password ")
        account = {"email": email, "password": password, "refresh": True, "browser": story.own()}
        begun = story.ask("POST", "/auth/signup", account)
        story.ask("POST", "/auth/signup", account)
        story.ask("POST", "/auth/login", {**account, "password": story.own()})
        story.ask("POST", "/auth/login", {"email": story.own(), "password": story.own()})
        begun = story.ask("POST", "/auth/login", account)
        story.token = begun["access_token"]
        story.private |= {begun["access_token"], begun["refresh_token"], begun["browser"], begun["user"]["id"]}
        todo = story.ask("POST", "/todos", {"title": story.own("buy "), "notes": story.own()})
        story.ask("PATCH", f"/todos/{todo['id']}", {"title": story.own("sell ")})
        story.ask("POST", "/todos", {"title": story.own() * 100})
        story.ask("GET", f"/todos?q={story.own()}")
        story.ask("GET", f"/todos/{story.own()}")
        story.ask("GET", f"/{story.own()}/{story.own()}")
        for message in ("add ", "delete ", "what about "):
            story.private.add(story.ask("POST", "/chat", {"message": story.own(message)})["reply"])
        story.ask("DELETE", f"/todos/{todo['id']}")
        refreshed = story.ask("POST", "/auth/refresh", {"refresh_token": begun["refresh_token"]})
        story.private |= {refreshed["access_token"], refreshed["refresh_token"]}
        story.ask("POST", "/auth/me/password", {"password": password, "new_password": story.own("password ")})
        story.ask("GET", "/auth/me/export")
        story.token = story.own()
        story.ask("GET", "/auth/me")
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    asked = {
        line["request_id"]: line for line in lines if line["message"] == "request" and "/health/" not in line["route"]
    }
    assert {given: line["status"] for given, line in asked.items()} == story.statuses
    assert {200, 201, 204, 401, 404, 409, 422} <= set(story.statuses.values())
    assert len(story.private) > 25
    assert [word for word in story.private if word in output.read_text()] == []


async def test_every_line_of_a_request_has_its_id(
    database_url: URL, cable: Cable, capsys: pytest.CaptureFixture[str]
) -> None:
    url = database_url.set(host="127.0.0.1", port=cable.port)
    with logging_as_the_service_does():
        async with serving(url, database_probe_seconds=3600) as client:
            person = await sign_up(client)
            await cable.cut()
            headers = {"Authorization": f"Bearer {person.token}", "X-Request-ID": "of-the-lost"}
            assert (await client.get("/api/v1/todos", headers=headers)).status_code == 503
            await cable.mend()
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    of_it = [line["message"] for line in told if line.get("request_id") == "of-the-lost"]
    assert of_it == ["database unavailable", "request"]


@pytest.mark.parametrize("forged", ["a b", "x" * 65, "ü", 'x", "level": "critical', ""])
async def test_an_id_that_is_none_is_replaced(client: httpx.AsyncClient, forged: str) -> None:
    answer = await client.get("/health/live", headers={b"X-Request-ID": forged.encode()})
    assert uuid.UUID(answer.headers["X-Request-ID"]).version == 4


def test_an_error_is_told_by_its_place_and_kind_and_not_by_the_row_that_it_quotes(
    database_url: URL, capsys: pytest.CaptureFixture[str]
) -> None:
    email = f"{secrets.token_hex(8)}@todochat.example"
    add = text("INSERT INTO users (id, email, password_hash) VALUES (gen_random_uuid(), :email, 'none')")
    engine = create_engine(database_url, hide_parameters=True)
    with engine.connect() as connection:
        connection.execute(add, {"email": email})
        with pytest.raises(IntegrityError) as refused:
            connection.execute(add, {"email": email})
    engine.dispose()
    assert email in str(refused.value)
    with logging_as_the_service_does():
        logging.getLogger("todo_backend").error("it failed", exc_info=refused.value)
    line = capsys.readouterr().out
    assert email not in line
    told = json.loads(line)["exception"]
    assert "sqlalchemy.exc.IntegrityError" in told
    assert "psycopg.errors.UniqueViolation 23505 users uq_users_email" in told
    assert "tests/test_logs.py" in told


def test_a_task_that_nobody_waited_for_is_told_without_what_its_error_says(capsys: pytest.CaptureFixture[str]) -> None:
    row = secrets.token_hex(8)

    async def fail() -> None:
        raise ValueError(row)

    async def forget() -> None:
        task = asyncio.create_task(fail())
        await asyncio.wait([task])
        del task
        gc.collect()

    with logging_as_the_service_does():
        asyncio.run(forget())
    line = capsys.readouterr().out
    assert row not in line
    told = json.loads(line)
    assert told["message"] == "Task exception was never retrieved"
    assert told["exception"].endswith("builtins.ValueError")
