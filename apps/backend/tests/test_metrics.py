"""What Prometheus is told, and what it is not."""

import secrets
import socket
import subprocess
import sys
from pathlib import Path

import httpx
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import Person, process_environment, wait_for


def value(name: str, **labels: str) -> float:
    """A figure as it is now."""
    return REGISTRY.get_sample_value(name, labels) or 0


async def test_requests_are_counted_by_their_route(ann: Person) -> None:
    labels = {"method": "GET", "route": "/todos/{todo_id}", "status": "404"}
    before, waits = value("todo_requests_total", **labels), value("todo_requests_in_progress")
    for _ in range(2):
        await ann.request("GET", "/todos/00000000-0000-0000-0000-000000000000")
    assert value("todo_requests_total", **labels) == before + 2
    assert value("todo_requests_in_progress") == waits
    for method, status in (("POST", "401"), ("GET", "405")):
        labels = {"method": method, "route": "/mcp", "status": status}
        before = value("todo_requests_total", **labels)
        await ann.client.request(method, "/mcp")
        assert value("todo_requests_total", **labels) == before + 1
    path = secrets.token_hex(8)
    await ann.client.get(f"/{path}")
    assert not [one for family in REGISTRY.collect() for one in family.samples if path in str(one.labels)]


async def test_changes_and_turns_are_counted_without_what_they_are_about(ann: Person) -> None:
    added = {"kind": "add", "actor": "built-in"}
    before, turns = value("todo_changes_total", **added), value("todo_turns_total", assistant="rule-based")
    title = secrets.token_hex(8)
    await ann.say(f"add {title}")
    assert value("todo_changes_total", **added) == before + 1
    assert value("todo_turns_total", assistant="rule-based") == turns + 1
    told = str([family.samples for family in REGISTRY.collect()])
    assert title not in told
    assert ann.email not in told


def test_they_are_served_on_a_port_of_their_own(secrets_dir: Path, unused_ports: tuple[int, int]) -> None:
    port, metrics_port = unused_ports
    settings = {"TODO_PORT": str(port), "TODO_METRICS_PORT": str(metrics_port), "TODO_HOST": "127.0.0.1"}
    command = [sys.executable, "-m", "todo_backend"]
    with subprocess.Popen(
        command, env=process_environment(secrets_dir, settings), stdout=subprocess.DEVNULL
    ) as service:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
                wait_for(client, "/health/ready")
                assert client.get("/metrics").status_code == 404
            text = httpx.get(f"http://127.0.0.1:{metrics_port}/metrics").text
        finally:
            service.terminate()
    names = {family.name for family in text_string_to_metric_families(text)}
    assert {"todo_requests", "todo_database_up", "process_resident_memory_bytes"} <= names


def test_a_port_that_is_taken_is_named(secrets_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = {"TODO_METRICS_PORT": str(taken.getsockname()[1]), "TODO_HOST": "127.0.0.1"}
        command = [sys.executable, "-m", "todo_backend"]
        ended = subprocess.run(
            command, env=process_environment(secrets_dir, settings), capture_output=True, check=False
        )
    assert ended.returncode == 3
    assert f"TODO_METRICS_PORT {settings['TODO_METRICS_PORT']} cannot be listened on" in ended.stdout.decode()
