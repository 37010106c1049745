"""What the measurement of the deployed application makes of what it was answered."""

from __future__ import annotations

import json
import math
import socket
import time
from http.client import HTTPConnection
from types import SimpleNamespace
from typing import Any

import pytest
import slow_provider
from loopback import Reply, Server

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from bench import service, streams
from bench.service import AnswerError, Client, Measured, Pod


def pod(name: str, release: str, ready: str = "True", **metadata: str) -> dict[str, Any]:
    """What kubectl says of a pod that was started at 12:00:00 and is ready, or not, since 12:00:04."""
    ports = [{"name": "metrics", "containerPort": 9464}, {"name": "http", "containerPort": 8001}]
    container = {"image": f"127.0.0.1:5000/todo/{release}@sha256:01", "ports": ports, "resources": {"limits": {"memory": "1Gi"}}}
    return {
        "metadata": {"name": name, "labels": {"app.kubernetes.io/instance": release}, **metadata},
        "spec": {"nodeName": "todo", "containers": [container]},
        "status": {
            "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": "2026-01-01T12:00:04Z"}],
            "containerStatuses": [{"state": {"running": {"startedAt": "2026-01-01T12:00:00Z"}}}],
        },
    }


def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert [service.percentile(values, share) for share in (0.01, 0.5, 0.95, 1)] == [1, 50, 95, 100]
    assert service.percentile([3.0, 1.0, 2.0], 0.5) == 2
    assert service.percentile([7.0], 0.5) == service.percentile([7.0], 0.95) == 7
    assert math.isnan(service.percentile([], 0.5))


def test_the_slope_is_that_of_a_line_whatever_the_number_of_samples() -> None:
    for samples in (15, 16, 89, 90):
        found = service.slope([(at / 360, 100 + 12 * at / 360) for at in range(samples)])
        assert found == pytest.approx((12, 0), abs=1e-6)
    assert service.slope([(at / 360, 100.0) for at in range(14)]) is None
    # what goes up and down within seconds says nothing about hours
    assert service.slope([(at / 360, 100.0 + at % 3) for at in range(90)]) == pytest.approx((0, 0), abs=1e-6)


def test_the_interval_of_a_slope_is_that_of_the_textbook() -> None:
    """Values 0, 1, 0, 1, ...: the slope is 0 by symmetry, of its variance only the rest counts."""
    points = [(float(at), float(at % 2)) for at in range(15)]
    rest = sum((value - 7 / 15) ** 2 for _, value in points)
    assert service.slope(points) == pytest.approx((0, 2.160 * math.sqrt(rest / 13 / 280)))


def test_memory_is_shown_by_pod_and_only_a_slope_outside_of_its_interval_as_one() -> None:
    pods = service.pods_of([pod("backend-1", "backend"), pod("frontend-1", "frontend")])
    before = [(0.0, {"backend-1": 500.0, "frontend-1": 90.0})]
    even = [(at / 60, {"backend-1": 100 + at, "frontend-1": 80.0 + at % 3}) for at in range(15)]
    rows = service.memory_rows(pods, {"backend-1": 64.0}, [*before, *even], len(before))
    assert rows[1] == ["backend-1", "64.0", "500.0", "1Gi", "+60.0 ± 0.0", "4", "< 30"]
    assert rows[2][:3] == ["frontend-1", "nan", "90.0"]
    assert rows[2][4] == "+2.1 ± 6.7, not significant"
    assert [row[4] for row in service.memory_rows(pods, {}, before, 1)[1:]] == ["", ""], "nothing was measured for it"


def test_each_figure_stands_beside_its_quotient_by_the_baseline_of_the_same_pod() -> None:
    found = {service.LIVE: Measured([0.002] * 100, [], 1), "log in": Measured([0.1] * 5, ["POST answers 503"], 2)}
    head, live, log_in = service.load_rows("backend-1", found)
    assert (head[0], head[-1]) == ("backend-1", "wrong")
    assert live == [service.LIVE, "100.0", "1", "2.0", "1", "2.0", "1", "0"]
    assert log_in == ["log in", "2.5", "0.025", "100.0", "50", "100.0", "50", "1"]
    nothing = service.load_rows("backend-1", {service.LIVE: Measured([], ["no answer"], 1)})[1]
    assert nothing == [service.LIVE, "0.0", "", "nan", "nan", "nan", "nan", "1"]


def test_only_pods_that_serve_are_used_and_each_release_has_to_have_one() -> None:
    serving = [pod("frontend-1", "frontend"), pod("backend-1", "backend")]
    leaving = pod("backend-3", "backend", deletionTimestamp="2026-01-01T12:00:05Z")
    others = [pod("backend-2", "backend", "False"), leaving, pod("backend-test", "backend-test")]
    assert service.pods_of([*serving, *others]) == [
        Pod("backend-1", "backend", "todo", "127.0.0.1:5000/todo/backend@sha256:01", 8001, "1Gi", 4),
        Pod("frontend-1", "frontend", "todo", "127.0.0.1:5000/todo/frontend@sha256:01", 8001, "1Gi", 4),
    ]
    with pytest.raises(UserError, match=r"No pod of backend serves\."):
        service.pods_of([serving[0], *others])


def test_the_load_ends_by_time_or_by_number_and_says_what_was_wrong() -> None:
    def every_second(client: Client) -> None:
        calls.append(client)
        if len(calls) % 2:
            raise AnswerError("GET / answers 500")

    calls: list[Client] = []
    client = Client("backend", 9)
    found = service.use([client], [every_second], seconds=60, times=10)
    assert (len(calls), len(found.took), found.wrong) == (10, 5, ["GET / answers 500"] * 5)
    begin = time.monotonic()
    found = service.use([client], [lambda _: None], seconds=0.2, times=10**9)
    assert 0.2 <= found.seconds <= time.monotonic() - begin
    assert len(service.use([client], [lambda _: None], seconds=0.35, times=100, every=0.1).took) <= 4


def test_what_the_backend_adds_to_a_models_words_is_measured_beside_the_models_own(server: Server) -> None:
    """Of each answer the first words and the end count; one without words, or by another assistant, is wrong."""
    said = [{"type": "start"}, {"type": "text-delta", "delta": "hello"}, {"type": "data-reply", "data": {"notice": None}}]
    instead = [*said[:2], {"type": "data-reply", "data": {"notice": "The language model cannot be reached just now."}}]
    bodies = [said, said[:1], instead]
    server.answer = lambda _: Reply(200, b"".join(b"data: %s\n\n" % json.dumps(part).encode() for part in bodies.pop(0)) + b"data: [DONE]\n\n")
    connection = HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    heard = streams.of_the_backend([SimpleNamespace(connection=connection, headers={})], times=3, seconds=10)
    connection.close()
    assert len(heard.first) == len(heard.whole) == 1
    assert 0 < heard.first[0] <= heard.whole[0] <= heard.seconds
    assert ["without words" in heard.wrong[0], "cannot be reached" in heard.wrong[1], len(heard.wrong)] == [True, True, 2]


def test_the_slow_provider_speaks_as_it_is_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with slow_provider.provider("127.0.0.1", port, 0):
        heard = streams.of_the_provider(f"127.0.0.1:{port}", 2)
    assert (len(heard.first), heard.wrong) == (2, [])
