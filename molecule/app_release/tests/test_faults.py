"""Faults of a release on a real cluster: each is named within 15 s of the cluster's first sign, and the next run mends it."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from conftest import Tester

TAGS = "--tags app_release"
TEMPLATE = "todochat/apps/backend/chart/templates/deployment.yaml"
NO_DIGEST = "sha256:" + "0" * 64
NAMED_SECONDS = 15


@dataclass(frozen=True)
class Fault:
    """What is edited in the checkout, which of the cluster's events is the first sign (of a crash: the start before it), and what is said."""

    file: str
    old: str
    new: str
    reason: str
    message: str
    container: str
    said: tuple[str, ...]
    arguments: str = ""


FAULTS = {
    "wrong digest": Fault(
        "todochat/roles/app_release/vars/main.yml",
        '"{{ (__app_images | default({})).images | default({}) }}"',
        json.dumps({"backend": {"repository": "127.0.0.1:5000/todo/backend", "digest": NO_DIGEST}}),
        "Failed",
        "not found",
        "migrations",
        ("ErrImagePull", f"{NO_DIGEST}: not found"),
    ),
    "crash on start": Fault(
        TEMPLATE,
        "        - name: backend\n",
        "        - name: backend\n          command: [python3, -c, raise SystemExit('it cannot start')]\n",
        "Started",
        "",
        "backend",
        ("exit code 1", "it cannot start"),
    ),
    "failing readiness": Fault(
        TEMPLATE, "/health/ready", "/health/nowhere", "Unhealthy", "Readiness", "backend", ("does not get ready: Readiness probe failed", "404")
    ),
    "unschedulable": Fault(
        TEMPLATE,
        "",
        "",
        "FailedScheduling",
        "Insufficient cpu",
        "",
        ("no node takes it", "Insufficient cpu"),
        """-e '{"app_release_backend_values": {"resources": {"requests": {"cpu": "90"}, "limits": {"cpu": "90"}}}}'""",
    ),
    "missing Secret": Fault(
        TEMPLATE, "{{ .Values.secret.name }}", "nowhere", "FailedMount", "not found", "", ('secret "nowhere" not found',)
    ),
    "failing migration": Fault(
        TEMPLATE, "todo_backend.migrate", "todo_backend.nowhere", "Started", "", "migrations", ("exit code 1", "No module named todo_backend.nowhere")
    ),
}


@pytest.fixture(params=FAULTS.values(), ids=FAULTS)
def fault(request: pytest.FixtureRequest, tester: Tester) -> Iterator[Fault]:
    """A fault that is in the checkout for as long as the test runs."""
    found: Fault = request.param
    content = tester.sees(f"cp {found.file} as-it-was && cat {found.file}").replace(found.old, found.new)
    tester.sees(f"printf '%s\\n' {shlex.quote(content)} > {found.file}")
    yield found
    tester.sees(f"mv as-it-was {found.file}")


def when(event: dict[str, Any]) -> float:
    return datetime.fromisoformat(event.get("firstTimestamp") or event["eventTime"]).timestamp()


def test_a_fault_is_named_in_time(fault: Fault, tester: Tester) -> None:
    began = time.time()
    tester.refused(f"{TAGS} {fault.arguments}", "The rollout of backend fails", *fault.said)
    lines = [json.loads(line) for line in tester.events().splitlines()]
    named = min(line["time"] for line in lines if fault.said[0] in line.get("waiting_for", "").partition("the rollout fails: ")[2])
    signs = [
        when(event)
        for event in tester.kubectl("get events")["items"]
        if event["reason"] == fault.reason
        and fault.message in event["message"]
        and f"{{{fault.container}}}" in event["involvedObject"].get("fieldPath", "{}")
        and when(event) >= began - 1
    ]
    assert signs, "the cluster shows no sign of the fault"
    assert named - min(signs) <= NAMED_SECONDS


def test_after_all_of_them_the_application_is_as_asked(tester: Tester) -> None:
    passed, output = tester.up(TAGS)
    assert passed, output
    tester.up_changes_nothing(TAGS)
