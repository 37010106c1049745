"""A rollout under watch: each fault is named in time, and a release that is only slow is never called failed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.todochat.platform.plugins.module_utils.release.watch import Clock, Rollout, Sign, unfinished

# Recorded from a cluster after the second upgrade of the frontend
RECORDED = json.loads((Path(__file__).parent / "fixtures" / "frontend.json").read_text())["items"]
NAMED_SECONDS = 15
"""Within this time of the cluster's first sign a fault is named; asking the cluster takes up to 2 s of it."""

REVISION = "deployment.kubernetes.io/revision"
LABELS = {"app.kubernetes.io/instance": "backend"}

Item = dict[str, Any]


def backend(*pods: Item, events: Iterable[Item] = (), refused: str = "", observed: int = 2) -> list[Item]:
    """A backend that is being upgraded, with these pods of its newest ReplicaSet beside a ready one of the revision before."""
    return [
        {
            "kind": "Deployment",
            "metadata": {"uid": "deployment", "name": "backend", "labels": LABELS, "generation": 2, "annotations": {REVISION: "2"}},
            "spec": {"replicas": 2},
            "status": {"observedGeneration": observed, "replicas": 3, "updatedReplicas": 1, "availableReplicas": 2},
        },
        replicaset("old", "1"),
        replicaset("new", "2", [{"type": "ReplicaFailure", "status": "True", "message": refused}] if refused else []),
        pod("backend-old-1", running(ready=True), of="old"),
        *pods,
        *events,
    ]


def replicaset(uid: str, revision: str, conditions: Iterable[Item] = ()) -> Item:
    metadata = {"uid": uid, "name": f"backend-{uid}", "labels": LABELS, "annotations": {REVISION: revision}}
    return {"kind": "ReplicaSet", "metadata": metadata | {"ownerReferences": [{"uid": "deployment"}]}, "status": {"conditions": conditions}}


MIGRATED = {"name": "migrations", "restartCount": 0, "ready": True, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}


def pod(name: str = "backend-new-1", service: Item | None = None, migrations: Item = MIGRATED, of: str = "new", **changes: Any) -> Item:
    """A pod with its init container and its service; without either where it has no node yet."""
    status: Item = {"conditions": []}
    if service is not None:
        status |= {
            "initContainerStatuses": [{"name": "migrations", "restartCount": 0, "ready": False, **migrations}],
            "containerStatuses": [{"name": "backend", "restartCount": 0, "ready": False, "started": False, **service}],
        }
    return {
        "kind": "Pod",
        "metadata": {"uid": name, "name": name, "labels": LABELS, "ownerReferences": [{"uid": of}], **changes.get("metadata", {})},
        "spec": {"containers": [{"name": "backend", "readinessProbe": changes.get("probe", {"periodSeconds": 2})}]},
        "status": status | {"conditions": changes.get("conditions", [])},
    }


def waiting(reason: str, message: str = "", **more: Any) -> Item:
    return {"state": {"waiting": {"reason": reason, "message": message}}, **more}


def running(*, started: bool = True, ready: bool = False, **more: Any) -> Item:
    return {"state": {"running": {}}, "started": started, "ready": ready, **more}


def ended(code: int, restarts: int = 0) -> Item:
    return {"state": {"terminated": {"exitCode": code, "reason": "Error"}}, "restartCount": restarts}


def crash_loop(code: int, restarts: int) -> Item:
    state = waiting("CrashLoopBackOff", "back-off 10s restarting failed container")
    return {**state, "restartCount": restarts, "lastState": {"terminated": {"exitCode": code, "reason": "Error"}}}


def event(reason: str, message: str, second: int = 1, name: str = "backend-new-1", field: str = "") -> Item:
    involved = {"kind": "Pod", "name": name, "uid": name, "fieldPath": field}
    timestamp = f"2026-11-25T20:{second // 60:02}:{second % 60:02}Z"
    return {"kind": "Event", "type": "Warning", "metadata": {}, "involvedObject": involved, "reason": reason, "message": message, "lastTimestamp": timestamp}


NO_NODE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient cpu."}
SANDBOX = {"type": "PodReadyToStartContainers", "status": "True"}
NOT_STARTED = waiting("PodInitializing")
NOT_FOUND = 'failed to pull and unpack image "r:5000/todo/backend@sha256:00": failed to resolve reference: r:5000/todo/backend@sha256:00: not found'
PULLS = waiting("ContainerCreating")
LEAVING = pod("frontend-old-2", running(), metadata={"deletionTimestamp": "2026-11-25T20:00:00Z", "labels": {}})
NO_SECRET = event("FailedMount", 'MountVolume.SetUp failed for volume "secrets" : secret "backend-secrets" not found')


def readiness(answer: str, second: int = 1) -> Item:
    return event("Unhealthy", f"Readiness probe failed: {answer}", second, field="spec.containers{backend}")


def watch(at: Callable[[int], list[Item]], seconds: int) -> tuple[int, Sign] | None:
    """When, and by which sign, a release is called failed that at each second is as ``at`` says."""
    clock = Clock()
    for second in range(seconds):
        if sign := clock.ended(Rollout("backend", at(second)).signs({}), second):
            return second, sign
    return None


def steps(*parts: tuple[int, list[Item]]) -> Callable[[int], list[Item]]:
    """States one after the other, each with the second at which it begins."""
    return lambda second: [state for begin, state in parts if begin <= second][-1]


# Faults

FAULTS: dict[str, tuple[Callable[[int], list[Item]], str, tuple[str, ...]]] = {
    "wrong digest": (
        steps(
            (0, backend(pod(service=NOT_STARTED, migrations=waiting("ErrImagePull", NOT_FOUND)))),
            (3, backend(pod(service=NOT_STARTED, migrations=waiting("ImagePullBackOff", f"Back-off: ErrImagePull: {NOT_FOUND}")))),
        ),
        "backend-new-1/migrations",
        ("sha256:00: not found",),
    ),
    "wrong digest, of which only an event knows": (
        steps(
            (
                0,
                backend(
                    pod(service=NOT_STARTED, migrations=waiting("ImagePullBackOff", "Back-off pulling image")),
                    events=[event("Failed", f"Failed to pull image: {NOT_FOUND}", field="spec.initContainers{migrations}")],
                ),
            )
        ),
        "backend-new-1/migrations",
        ("sha256:00: not found",),
    ),
    "crash on start": (
        steps(
            (0, backend(pod(service=ended(1)))),
            (1, backend(pod(service=running(started=False, restartCount=1)))),
            (4, backend(pod(service=ended(1, restarts=1)))),
            (5, backend(pod(service=crash_loop(1, restarts=1)))),
        ),
        "backend-new-1/backend",
        ("exit code 1",),
    ),
    "crash on start, seen late": (
        steps((0, backend(pod(service=crash_loop(137, restarts=0))))),
        "backend-new-1/backend",
        ("CrashLoopBackOff", "exit code 137"),
    ),
    "a service that ends without an error": (steps((0, backend(pod(service=ended(0, restarts=1))))), "backend-new-1/backend", ("exit code 0",)),
    "failing readiness": (
        steps((0, backend(pod(service=running()), events=[readiness("HTTP probe failed with statuscode: 404")]))),
        "backend-new-1/backend",
        ("does not get ready: Readiness probe failed", "404"),
    ),
    "unschedulable": (steps((0, backend(pod(conditions=[NO_NODE])))), "backend-new-1", ("no node takes it: 0/1 nodes are available: 1 Insufficient cpu.",)),
    "missing Secret": (steps((0, backend(pod(service=NOT_STARTED, migrations=NOT_STARTED), events=[NO_SECRET]))), "backend-new-1", ('"backend-secrets"',)),
    "failing migration": (
        steps(
            (0, backend(pod(service=NOT_STARTED, migrations=ended(4)))),
            (1, backend(pod(service=NOT_STARTED, migrations=running(started=False, restartCount=1)))),
            (6, backend(pod(service=NOT_STARTED, migrations=crash_loop(4, restarts=1)))),
        ),
        "backend-new-1/migrations",
        ("exit code 4",),
    ),
    "refused by Pod Security": (
        steps((0, backend(refused='pods "backend-new-1" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'))),
        "backend-new",
        ("no pod can be made", 'violates PodSecurity "restricted:latest"'),
    ),
    "an environment from a Secret that is not there": (
        steps((0, backend(pod(service=waiting("CreateContainerConfigError", 'secret "backend-secrets" not found'))))),
        "backend-new-1/backend",
        ('secret "backend-secrets" not found',),
    ),
}


@pytest.mark.parametrize(("at", "where", "words"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named_in_time(at: Callable[[int], list[Item]], where: str, words: tuple[str, ...]) -> None:
    found = watch(at, 60)
    assert found
    second, sign = found
    assert second <= NAMED_SECONDS - 2
    assert sign.where == where
    for word in words:
        assert word in sign.what


@pytest.mark.parametrize("fault", ["crash on start", "failing readiness", "failing migration"])
def test_whose_lines_explain_a_fault_is_told(fault: str) -> None:
    found = watch(FAULTS[fault][0], 60)
    assert found
    assert f"{found[1].pod}/{found[1].container}" == found[1].where


@pytest.mark.parametrize("fault", ["wrong digest", "unschedulable", "missing Secret", "refused by Pod Security"])
def test_what_never_ran_has_no_lines(fault: str) -> None:
    found = watch(FAULTS[fault][0], 60)
    assert found
    assert found[1].pod == ""


# A release that is only slow

AWAY = [readiness("HTTP probe failed with statuscode: 503")]
STARTUP = [event("Unhealthy", "Startup probe failed: connection refused", field="spec.containers{backend}")]
SLOW: dict[str, Callable[[int], list[Item]]] = {
    "an image that takes minutes": steps((0, backend(pod(service=NOT_STARTED, migrations=PULLS, conditions=[SANDBOX])))),
    "a registry that is away for 30 s": steps(
        (0, backend(pod(service=NOT_STARTED, migrations=waiting("ErrImagePull", "dial tcp 192.168.85.3:5000: connect: connection refused")))),
        (30, backend(pod(service=PULLS, conditions=[SANDBOX]))),
    ),
    "migrations that take minutes": steps((0, backend(pod(service=NOT_STARTED, migrations=running(started=False))))),
    "a start that uses up its startup probe": steps(
        (0, backend(pod(service=running(started=False)), events=STARTUP)),
        (60, backend(pod(service=running()), events=STARTUP)),
        (62, backend(pod(service=running(ready=True)), events=STARTUP)),
    ),
    "a database that is away for 30 s while it starts": steps(
        (0, backend(pod(service=running(started=False)), events=STARTUP)),
        (3, backend(pod(service=running()), events=STARTUP)),
        (5, backend(pod(service=running()), events=[*STARTUP, *AWAY])),
        (38, backend(pod(service=running(ready=True)), events=[*STARTUP, *AWAY])),
    ),
    "a database that is away, of which no event tells": steps(
        (0, backend(pod(service=running()), events=STARTUP)),
        (30, backend(pod(service=running(ready=True)), events=STARTUP)),
    ),
    "a database that is away, after another answer": steps(
        (0, backend(pod(service=running()), events=[*AWAY, readiness("connection refused", 0)])),
        (30, backend(pod(service=running(ready=True)))),
    ),
    "readiness that comes and goes": lambda second: backend(
        pod(service=running(ready=second % 8 == 0)), events=[readiness("context deadline exceeded", second)]
    ),
    "a readiness probe that asks late": steps(
        (0, backend(pod(service=running(), probe={"initialDelaySeconds": 20, "periodSeconds": 10}))),
        (21, backend(pod(service=running(), probe={"initialDelaySeconds": 20, "periodSeconds": 10}), events=[readiness("statuscode: 500")])),
        (32, backend(pod(service=running(ready=True)))),
    ),
    "one crash": steps(
        (0, backend(pod(service=ended(1)))),
        (1, backend(pod(service=running(started=False, restartCount=1)))),
        (50, backend(pod(service=running(ready=True, restartCount=1)))),
    ),
    "room that another pod makes when it has left": steps(
        (0, backend(pod(conditions=[NO_NODE]), LEAVING)),
        (45, backend(pod(conditions=[NO_NODE]))),
        (50, backend(pod(service=NOT_STARTED, migrations=PULLS))),
    ),
    "a quota that a leaving pod still uses up": steps(
        (0, backend(LEAVING, refused="exceeded quota: pods=4")),
        (45, backend(refused="exceeded quota: pods=4")),
        (47, backend(pod(service=running(ready=True)))),
    ),
    "a Secret that came in the meantime": steps(
        (0, backend(pod(service=NOT_STARTED, migrations=NOT_STARTED), events=[NO_SECRET])),
        (8, backend(pod(service=NOT_STARTED, migrations=PULLS, conditions=[SANDBOX]), events=[NO_SECRET])),
    ),
    "a failure of the revision before": steps((0, backend(pod("backend-old-2", crash_loop(1, restarts=9), of="old")))),
    "a failure of a pod that leaves": steps(
        (0, backend(pod(service=ended(1, restarts=1), metadata={"deletionTimestamp": "2026-11-25T20:00:00Z"}))),
    ),
    "an upgrade that the controller has not seen": steps((0, backend(pod(service=crash_loop(1, restarts=9)), observed=1))),
    "a test of the release": steps((0, backend({**pod("backend-test", ended(1, restarts=1)), "metadata": {"name": "backend-test", "uid": "test"}}))),
}


@pytest.mark.parametrize("at", SLOW.values(), ids=SLOW)
def test_what_is_only_slow_is_not_called_failed(at: Callable[[int], list[Item]]) -> None:
    assert watch(at, 150) is None


def test_a_database_that_stays_away_is_named_at_last() -> None:
    found = watch(steps((0, backend(pod(service=running()), events=AWAY))), 150)
    assert found
    assert "503" in found[1].what


def test_restarts_of_before_the_watch_are_not_counted() -> None:
    """As after a restart of the node, when all containers have ended once more."""
    rollout = Rollout("backend", backend(pod(service=ended(255, restarts=3))))
    assert rollout.signs({"backend-new-1/backend": 3}) == []
    assert [sign.patience for sign in rollout.signs({"backend-new-1/backend": 2})] == [0]


# What is told meanwhile


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (pod(), "backend-new-1 is scheduled"),
        (pod(conditions=[NO_NODE]), "backend-new-1 waits for a node: 0/1 nodes are available: 1 Insufficient cpu."),
        (pod(service=NOT_STARTED, migrations=PULLS), 'backend-new-1/migrations ContainerCreating: Pulling image "r:5000/todo/backend"'),
        (pod(service=NOT_STARTED, migrations=running(started=False)), "backend-new-1/migrations starts"),
        (pod(service=running(started=False)), "backend-new-1/backend starts"),
        (pod(service=running()), "backend-new-1/backend runs, not ready"),
        (pod(service=ended(1)), "backend-new-1/backend ended"),
        (pod(service=crash_loop(1, 1)), "backend-new-1/backend CrashLoopBackOff"),
        (pod(service=running(ready=True)), "backend-new-1 is ready"),
    ],
)
def test_what_a_pod_is_doing_is_told_by_its_first_container_that_is_not_there(found: Item, words: str) -> None:
    pulling = event("Pulling", 'Pulling image "r:5000/todo/backend"')
    assert Rollout("backend", backend(found, LEAVING, events=[pulling])).doing() == [words]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({}, []),
        ({"observedGeneration": 2}, ["frontend: not yet seen by the controller"]),
        ({"updatedReplicas": 1, "replicas": 3}, ["frontend: 1 of 2 pods are new"]),
        ({"replicas": 3}, ["frontend: 1 old pods are leaving"]),
        ({"availableReplicas": 1}, ["frontend: 1 of 2 pods are available"]),
    ],
)
def test_a_rollout_is_complete_when_all_pods_are_new_and_available(change: dict[str, int], sentence: list[str]) -> None:
    deployment = copy.deepcopy(RECORDED[0])
    deployment["status"] |= change
    assert unfinished([deployment]) == sentence


def test_a_deployment_that_was_made_a_moment_ago_is_not_complete() -> None:
    assert unfinished([{**RECORDED[0], "status": {}}]) == ["frontend: not yet seen by the controller"]


def test_an_autoscaler_that_changes_the_number_meanwhile_changes_what_is_waited_for() -> None:
    deployment = copy.deepcopy(RECORDED[0])
    deployment["spec"]["replicas"] = 3
    assert unfinished([deployment]) == ["frontend: 2 of 3 pods are new"]
    deployment["status"] |= {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}
    assert unfinished([deployment]) == []
