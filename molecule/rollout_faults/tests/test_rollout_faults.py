"""A release that cannot work is named with its cause at once, brought back by itself, and nobody notices meanwhile; a database may go."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import EVENTS, OUTPUT, SYSTEM
from deployed import PROJECT, ROLL_OUT, Deployment, until
from old_pods import assert_old_pods_serve

pytest_plugins = ["deployed"]
# As asked for, from a container's start until it is ready.
START_SECONDS = {"frontend": 15, "backend": 30}
AWAY_SECONDS = 30
RECOVERY_SECONDS = 30
# In which what still fails is told: the frontend waits for the backend for 10 s, but for a chat.
QUIET_SECONDS = 12
# What two pods of each service bear on two cores beside a roll-out that compares, waits and takes back.
PER_SECOND = 1.5
# The addresses of Services: one that has no pod for a moment is nobody's. Where a network answers at any address it is somebody's then.
SERVICES = "10.96.0.0/12"
CHARTS = "/home/tester/faulty"
SECONDS = 15
TEMPLATE = "backend/chart/templates/deployment.yaml"


@dataclass(frozen=True)
class Fault:
    """A line of a chart that is another one, and what has to be said of it."""

    file: str
    old: str
    new: str
    sign: tuple[str, str]
    """Reason and part of the event, or of what it is about, that shows it first in the cluster."""
    cause: tuple[str, ...]
    """Parts of the reason that is given."""
    lines: str = ""
    """Part of the container's last lines."""


FAULTS = {
    "a wrong digest": Fault(
        "chart/templates/_deployment.tpl", "@{{ .Values.image.digest }}", "@sha256:" + "0" * 64, ("Failed", "0000"), ("sha256:0000", "not found")
    ),
    "a crash on start": Fault(
        TEMPLATE,
        "        - name: backend\n",
        """        - name: backend\n          command: [python3, -c, "raise SystemExit('broken on purpose')"]\n""",
        ("Started", "{backend}"),
        ("/backend: ", "exit code 1"),
        "broken on purpose",
    ),
    "failing readiness": Fault(TEMPLATE, "/health/ready", "/health/nothing", ("Unhealthy", "Readiness"), ("/backend: ", "does not get ready", "404")),
    "an unschedulable pod": Fault(
        TEMPLATE,
        "      initContainers:\n",
        "      nodeSelector:\n        kubernetes.io/hostname: nowhere\n      initContainers:\n",
        ("FailedScheduling", ""),
        ("no node takes it: ",),
    ),
    "a missing Secret": Fault(
        TEMPLATE, "secretName: {{ .Values.secret.name }}", "secretName: nobody-made-this", ("FailedMount", ""), ('secret "nobody-made-this" not found',)
    ),
}


def named(deployment: Deployment, arguments: str, sign: tuple[str, str], cause: tuple[str, ...], lines: str) -> None:
    """The rollout fails with this cause, soon after the cluster showed it first; nobody notices."""
    since = int(deployment.host.check_output("date +%s"))
    passed, output = deployment.run(f'make up ARGS="{ROLL_OUT} {arguments}"')
    assert not passed, output
    end = " ".join(output[output.rindex("Failed: ") :].split())
    assert [part for part in ("The rollout of backend fails: ", *cause, "What to do: ") if part not in end] == [], output[-6000:]
    assert lines in output
    took = int(failed_at(deployment)) - first_shown(deployment, since, *sign)
    with (OUTPUT / f"{SYSTEM}-named.log").open("a", encoding="utf-8") as log:
        log.write(f"{took} s after the cluster's first sign: {end}\n")
    assert took <= SECONDS


def failed_at(deployment: Deployment) -> float:
    """When the last run gave the rollout up, in seconds since 1970."""
    events = [json.loads(line) for line in str(deployment.host.file(EVENTS).content_string).splitlines()]
    return float(next(event["time"] for event in events if event.get("waiting_for", "").startswith("the rollout fails: ")))


def first_shown(deployment: Deployment, since: int, reason: str, part: str) -> int:
    """When the cluster first said so, in seconds since 1970."""

    def seconds(event: dict[str, Any]) -> int:
        time = event.get("firstTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"]
        return int(datetime.fromisoformat(time).timestamp())

    found = [event for event in deployment.get("events") if event["reason"] == reason and part in json.dumps([event["message"], event["involvedObject"]])]
    times = [seconds(event) for event in found if seconds(event) >= since and event["involvedObject"]["name"].startswith("backend-")]
    assert times, f"no event {reason} of a pod of the backend"
    return min(times)


def test_pods_are_ready_in_time_at_their_limits(deployment: Deployment) -> None:
    deployment.passes("kubectl --namespace todo delete pods --all")
    deployment.settle()
    for pod in deployment.get("pods"):
        ready = next(condition for condition in pod["status"]["conditions"] if condition["type"] == "Ready")
        started = pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
        took = datetime.fromisoformat(ready["lastTransitionTime"]) - datetime.fromisoformat(started)
        assert took.total_seconds() < START_SECONDS[pod["metadata"]["labels"]["app.kubernetes.io/instance"]]


def test_postgresql_is_gone_for_a_while(deployment: Deployment) -> None:
    before = deployment.all_pods()
    deployment.host.check_output(f"ip route add blackhole {SERVICES}")
    with deployment.load("postgresql-gone", "--tolerant", per_second=PER_SECOND) as report:
        deployment.host.check_output("docker stop todo-database")
        time.sleep(AWAY_SECONDS)
        deployment.host.check_output("docker start todo-database")
        started = time.time()
        log = Path(report["log"])
        until(lambda: time.time() - max(started, log.stat().st_mtime) > QUIET_SECONDS, RECOVERY_SECONDS + QUIET_SECONDS)
    assert report["tolerated"] > 0, "nobody noticed"
    assert datetime.fromisoformat(report["right_since"]).timestamp() - started < RECOVERY_SECONDS
    assert_old_pods_serve(deployment, before)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_and_taken_back_while_the_old_pods_serve(deployment: Deployment, name: str) -> None:
    fault = FAULTS[name]
    content = (PROJECT / "apps" / fault.file).read_text(encoding="utf-8")
    assert fault.old in content, f"{fault.old!r} is not in {fault.file} any more"
    deployment.passes(f"rm -rf {CHARTS} && mkdir {CHARTS} && cd apps && cp -r --parents chart backend/chart frontend/chart {CHARTS}")
    deployment.give(f"{CHARTS}/{fault.file}", content.replace(fault.old, fault.new))
    before = deployment.all_pods()
    with deployment.load(name.replace(" ", "-"), per_second=PER_SECOND):
        named(deployment, f"-e app_release_charts={CHARTS}", fault.sign, (*fault.cause, "serves again"), fault.lines)
        deployment.settle()
    assert_old_pods_serve(deployment, before)


def test_a_failing_migration_is_named_while_the_old_pods_serve(deployment: Deployment) -> None:
    """The database says that a version unknown to this one has migrated it; those pods that run do not ask any more."""
    before = deployment.all_pods()
    psql = "docker exec todo-database psql --username=postgres --dbname=todo --no-psqlrc --quiet --tuples-only --no-align --command"
    known = deployment.passes(f"{psql} 'SELECT version_num FROM alembic_version'").strip()
    with deployment.load("failing-migration", per_second=PER_SECOND):
        deployment.passes(f"""{psql} "UPDATE alembic_version SET version_num = 'unknown'\"""")
        try:
            values = "-e \\\"{'app_release_backend_values': {'autoscaling': {'cpuPercent': 500}, 'config': {'logLevel': 'debug'}}}\\\""
            named(deployment, values, ("Started", "{migrations}"), ("/migrations: ", "exit code 4", "serves again"), "does not work with it")
        finally:
            deployment.passes(f"""{psql} "UPDATE alembic_version SET version_num = '{known}'\"""")
        deployment.up(ROLL_OUT)
    assert_old_pods_serve(deployment, before)


def test_all_that_was_made_is_there_and_nothing_was_killed(deployment: Deployment) -> None:
    deployment.settle()
    assert deployment.killed() == []
    assert "changed=0" in deployment.up("")
