"""The service while it starts, while its database is away, and while it stops."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL

from tests.conftest import Cable, process_environment, serving, sign_up, wait_for
from todo_backend import database as databases
from todo_backend.database import ClashError, Database, SlowError
from todo_backend.health.state import Health
from todo_backend.settings import ConfigurationError, load


async def _until_ready(client: httpx.AsyncClient, status: int) -> httpx.Response:
    async with asyncio.timeout(10):
        while (response := await client.get("/health/ready")).status_code != status:  # noqa: ASYNC110 - as a kubelet asks
            await asyncio.sleep(0.05)
    return response


async def test_a_healthy_service_says_so(client: httpx.AsyncClient) -> None:
    await _until_ready(client, 200)
    for probe in ("startup", "live", "ready"):
        response = await client.get(f"/health/{probe}")
        assert response.status_code == 200
        assert response.json() == {"status": "ok"}


async def test_readiness_outlives_a_short_loss_and_ends_with_a_long_one(database_url: URL, cable: Cable) -> None:
    url = database_url.set(host="127.0.0.1", port=cable.port)
    async with serving(url, database_tolerance_seconds=2, database_probe_seconds=0.2) as client:
        person = await sign_up(client)
        await _until_ready(client, 200)

        await cable.cut()
        lost_at = time.monotonic()
        failed = await person.request("GET", "/todos")
        assert failed.status_code == 503
        assert failed.json() == {"detail": "The database cannot be reached. Try again in a moment."}
        assert (await client.get("/health/ready")).status_code == 200

        lost = await _until_ready(client, 503)
        assert time.monotonic() - lost_at >= 2
        assert lost.json()["detail"].startswith("The database has not answered for ")
        assert (await client.get("/health/live")).status_code == 200

        await cable.mend()
        await _until_ready(client, 200)
        assert (await person.request("GET", "/todos")).status_code == 200


async def test_the_first_lost_request_wakes_a_probe_that_seldom_asks(database_url: URL, cable: Cable) -> None:
    url = database_url.set(host="127.0.0.1", port=cable.port)
    async with serving(url, database_tolerance_seconds=0.5, database_probe_seconds=3600) as client:
        person = await sign_up(client)
        await cable.cut()
        assert (await person.request("GET", "/todos")).status_code == 503
        await _until_ready(client, 503)
        await cable.mend()
        await _until_ready(client, 200)


async def test_a_service_that_never_reached_its_database_gets_no_traffic(database_url: URL) -> None:
    async with serving(database_url.set(host="127.0.0.1", port=1)) as client:
        response = await client.get("/health/ready")
        assert response.status_code == 503
        assert response.json() == {"detail": "The database has not answered yet."}
        assert (await client.get("/health/startup")).status_code == 200
        assert (await client.get("/health/live")).status_code == 200


async def test_a_request_that_takes_too_long_is_ended_and_says_so(
    database_url: URL,
) -> None:
    async def never_whole() -> AsyncIterator[bytes]:
        yield b'{"title": '
        await asyncio.Event().wait()

    headers = {"Content-Type": "application/json", "X-Request-ID": "slow"}
    async with asyncio.timeout(10), serving(database_url, request_seconds=0.2) as client:
        response = await client.post("/api/v1/auth/login", headers=headers, content=never_whole())
    assert response.status_code == 503
    assert response.json() == {"detail": "This took longer than 0.2 s (request slow)."}
    assert response.headers["Connection"] == "close"


async def test_a_request_keeps_its_id_and_a_forged_one_is_replaced(client: httpx.AsyncClient) -> None:
    kept = await client.get("/health/live", headers={"X-Request-ID": "abc-123"})
    assert kept.headers["X-Request-ID"] == "abc-123"
    replaced = await client.get("/health/live", headers={"X-Request-ID": 'x", "level": "critical'})
    assert replaced.headers["X-Request-ID"].isalnum()


def test_the_process_answers_and_stops_on_sigterm_without_losing_a_request(secrets_dir: Path, unused_port: int) -> None:
    settings = {"TODO_HOST": "127.0.0.1", "TODO_PORT": str(unused_port), "TODO_DRAIN_SECONDS": "1"}
    environment = process_environment(secrets_dir, settings)
    process = subprocess.Popen([sys.executable, "-m", "todo_backend"], env=environment, stdout=subprocess.PIPE)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{unused_port}") as client:
            wait_for(client, "/health/ready")
            assert client.get("/health/live").headers.get("Connection") is None

            process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + 5
            while (ready := client.get("/health/ready")).status_code == 200:
                assert time.monotonic() < deadline
            assert ready.json() == {"detail": "Shutting down."}
            answer = client.get("/health/live")
            assert answer.status_code == 200
            assert answer.headers["Connection"] == "close"
        output, _ = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    lines = [json.loads(line) for line in output.splitlines()]
    assert all({"time", "level", "message"} <= line.keys() for line in lines)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("database_url", None, "database_url: Field required"),
        ("database_url", "mysql://u:hunter2@h/d", "the URL's scheme must be postgresql"),
        ("database_url", "hunter2", "write it as postgresql://"),
        ("jwt_keys", '{"active": "b", "keys": {"a": "hunter2"}}', "the active key 'b' is not among the keys"),
        ("jwt_keys", '{"active": "a", "keys": {"a": "hunter2"}}', "the key 'a' has"),
        ("jwt_keys", '{"active": "a", "keys": {"a": "hunter2!"}}', "the key 'a' is not base64url"),
        ("jwt_keys", "hunter2", "jwt_keys"),
    ],
)
def test_a_faulty_secret_is_named_and_not_shown(
    secrets_dir: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: str | None, message: str
) -> None:
    if content is None:
        (secrets_dir / name).unlink()
        monkeypatch.setenv("DATABASE_URL", "postgresql://from:environment@nowhere/never")
    else:
        (secrets_dir / name).write_text(content)
    monkeypatch.setenv("TODO_SECRETS_DIR", str(secrets_dir))

    with pytest.raises(ConfigurationError) as raised:
        load()

    assert message in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("origin", ["https://App.example", "https://app.example:443", "http://[::1]:80"])
def test_an_origin_that_no_browser_sends_is_named(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("TODO_CORS_ORIGINS", f"http://app.example:443,https://app.example:80,{origin}")
    with pytest.raises(ConfigurationError) as raised:
        load()
    assert f"'{origin}' is no browser's origin" in str(raised.value)
    assert "app.example:80'" not in str(raised.value)


def test_a_faulty_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TODO_CORS_ORIGINS", "*")
    with pytest.raises(ConfigurationError, match=r"TODO_cors_origins.*'\*' is no origin"):
        load()


async def test_a_deadlock_is_no_loss_of_the_database(database_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    health = Health(tolerance_seconds=0)
    database = Database(database_url, health)
    both = asyncio.Barrier(2)

    async def lock(first: int, second: int) -> None:
        async with database.transaction() as session:
            await session.execute(text(f"SELECT pg_advisory_xact_lock({first})"))
            await both.wait()
            await session.execute(text(f"SELECT pg_advisory_xact_lock({second})"))

    async with database.transaction() as session:
        await session.execute(text("SELECT 1"))
    told: list[str] = []
    monkeypatch.setattr(health, "database_failed", lambda: told.append("failed"))
    ends = await asyncio.gather(lock(701, 702), lock(702, 701), return_exceptions=True)
    await database.close()
    assert [type(end) for end in ends if end is not None] == [ClashError]
    assert told == []


async def test_what_takes_too_long_is_no_loss_of_the_database(
    database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    health = Health(tolerance_seconds=0)
    database = Database(database_url, health)
    told: list[str] = []
    monkeypatch.setattr(health, "database_failed", lambda: told.append("failed"))
    with pytest.raises(SlowError):
        async with database.transaction(seconds=0.5) as session:
            await session.execute(text("SELECT pg_sleep(60)"))
    await database.close()
    assert told == []


async def test_connections_that_are_all_in_use_are_no_loss_of_the_database(
    database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "POOL_SECONDS", 0.1, raising=False)
    health = Health(tolerance_seconds=0)
    database = Database(database_url, health)
    all_held, enough = asyncio.Barrier(11), asyncio.Event()

    async def hold() -> None:
        async with database.transaction() as session:
            await session.execute(text("SELECT 1"))
            await all_held.wait()
            await enough.wait()

    holders = [asyncio.create_task(hold()) for _ in range(10)]
    await all_held.wait()
    probe = asyncio.create_task(database.watch(0.1))
    try:
        async with asyncio.timeout(3):
            while health.why_not_ready() is not None:  # noqa: ASYNC110 - as a kubelet asks
                await asyncio.sleep(0.05)
        with pytest.raises(SlowError):
            async with database.transaction() as session:
                await session.execute(text("SELECT 1"))
        assert health.why_not_ready() is None
    finally:
        probe.cancel()
        enough.set()
        await asyncio.gather(*holders)
        await database.close()
