"""What a person is told of a deployment, and which command is named next."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from loopback import Reply, Server

from ansible_collections.todochat.platform.plugins.module_utils.base.words import human
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster as Kubernetes
from ansible_collections.todochat.platform.plugins.module_utils.cluster.profile import Cluster, Minikube, Status
from ansible_collections.todochat.platform.plugins.module_utils.images.registry import Registry
from ansible_collections.todochat.platform.plugins.module_utils.store import support
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.whole.status import (
    Assistant,
    Deployment,
    Observer,
    Service,
    container_state,
    service_line,
    services,
)

LOCK = Path(__file__).resolve().parents[2] / "artifacts.lock.yml"
# Recorded from a cluster after the second upgrade of the frontend
RECORDED = json.loads((Path(__file__).parent / "fixtures" / "frontend.json").read_text())["items"]
DIGEST = RECORDED[0]["spec"]["template"]["spec"]["containers"][0]["image"].rpartition("@")[2]
OTHER = "sha256:" + "0" * 64
HELM = [{"name": "frontend", "status": "deployed", "revision": "2"}]

SERVICE = Service("frontend", "deployed", 2, ready=2, wanted=2, restarts=0, digest=DIGEST, built=DIGEST, as_built=True)
ACTUAL = Cluster("docker", "containerd", "v1.35.1", 2, 6144, 1, "todo", ("127.0.0.1:30000:30000",))
RUNNING = Status("running", ACTUAL, "192.168.85.2", up=True, comes_back=True)
WELL = Deployment(
    url="http://127.0.0.1:30000",
    answers=True,
    docker="26.1.5",
    cluster=RUNNING,
    services=(replace(SERVICE, name="backend"), SERVICE),
    assistant=Assistant("rule-based"),
    database="running",
    database_facts=("8 MB", "migration 0001", "todos: 3"),
    registry="running",
    registry_endpoint="127.0.0.1:5000",
    versions={"minikube": "v1.38.1"},
    disk={"cluster": 2_100_000_000, "store": 900_000, "free": 12_000_000_000},
    bases="Debian as of 2026-11-29 (0 days)",
    past_support="Helm 2 since 2020-11-13; see docs/artifacts.md",
)
NOTHING = Deployment("http://127.0.0.1:30000")


def told(found: Deployment) -> dict[str, str]:
    """The lines, by their first word."""
    return dict(line.split(None, 1) for line in found.lines())


# Which command comes next


@pytest.mark.parametrize(
    ("found", "command", "reason"),
    [
        (WELL, "make open", "all is well"),
        (replace(WELL, external=True, database="db.example.com"), "make open", "all is well"),
        (NOTHING, "make up", "no cluster"),
        (replace(NOTHING, docker="26.1.5"), "make up", "no cluster"),
        (replace(WELL, cluster=Status("unfinished")), "make up", "not finished"),
        (replace(WELL, cluster=Status("foreign")), "make up ARGS='-e deployment_name=NAME'", "somebody else's"),
        (replace(WELL, docker="", cluster=replace(RUNNING, state="stopped"), database="absent", registry="absent"), "make start", "Docker"),
        (replace(WELL, cluster=replace(RUNNING, state="stopped", up=False)), "make start", "stopped"),
        (replace(WELL, database="stopped"), "make start", "stopped"),
        (replace(WELL, registry="stopped"), "make start", "stopped"),
        (replace(WELL, registry="absent"), "make up", "missing"),
        (replace(WELL, database="absent"), "make up", "missing"),
        (replace(WELL, cluster=Status("unknown"), problem="The record cannot be read."), "make up", "cannot be asked"),
        (replace(WELL, services=(SERVICE, Service("backend"))), "make up", "release"),
        (replace(WELL, services=(replace(SERVICE, status="pending-upgrade"),)), "make up", "release"),
        (replace(WELL, services=(replace(SERVICE, built=OTHER, as_built=False),)), "make up", "not what was built"),
        (replace(WELL, services=(replace(SERVICE, ready=1),)), "make logs", "not everything is ready"),
        (replace(WELL, answers=False), "make logs", "not everything is ready"),
        (replace(WELL, cluster=replace(RUNNING, comes_back=False)), "make up", "after a reboot"),
    ],
)
def test_the_next_command_fits_what_there_is(found: Deployment, command: str, reason: str) -> None:
    assert found.advice()[0] == command
    assert reason in found.advice()[1]
    assert told(found)["Next"].startswith(f"{command} ")


# What is told


def test_a_deployment_that_is_well_is_told_in_a_few_lines() -> None:
    lines = told(WELL)
    assert lines["Application"] == "http://127.0.0.1:30000 answers"
    assert lines["Cluster"] == "running, Kubernetes v1.35.1, node 192.168.85.2, 2 CPUs, 6144 MiB"
    image = DIGEST.removeprefix("sha256:")[:12]
    assert lines["Backend"] == lines["Frontend"] == f"2 of 2 pods ready, 0 restarts, Helm revision 2, image {image} (as built)"
    assert lines["Database"] == "running, 8 MB, migration 0001, todos: 3"
    assert lines["Registry"] == "running at 127.0.0.1:5000"
    assert lines["Versions"] == "Docker 26.1.5, minikube v1.38.1"
    assert lines["Disk"] == "cluster 2.1 GB, store 900 kB, free 12.0 GB"
    assert lines["Base"] == "images  Debian as of 2026-11-29 (0 days)"
    assert lines["Past"] == "support Helm 2 since 2020-11-13; see docs/artifacts.md"
    assert len(lines) <= 12
    assert "Backups" not in lines
    assert told(replace(WELL, backups="daily, the last run Fri"))["Backups"] == "daily, the last run Fri"


def test_where_nothing_is_there_is_still_something_to_tell() -> None:
    lines = told(NOTHING)
    assert (lines["Application"], lines["Cluster"]) == ("http://127.0.0.1:30000 does not answer", "absent")
    assert (lines["Database"], lines["Registry"], lines["Versions"]) == ("absent", "absent", "Docker does not answer")


@pytest.mark.parametrize(
    ("day", "line"),
    [
        ("2026-11-29", "Debian as of 2026-11-29 (0 days)"),
        ("2026-11-30", "Debian as of 2026-11-29 (1 day)"),
        ("2027-01-28", "Debian as of 2026-11-29 (60 days)"),
        ("2027-01-29", "Debian as of 2026-11-29 (61 days); `make lock`, then `make up`, takes newer packages"),
    ],
)
def test_old_base_images_are_told_with_the_command_that_makes_newer_ones(day: str, line: str) -> None:
    assert support.bases_line(date(2026, 11, 29), date.fromisoformat(day)) == line


def test_what_nobody_mends_any_more_is_told_from_the_day_after_its_last_one() -> None:
    used = ["Helm 3", "Node.js 20", "Python 3.13", "something else 1"]
    assert support.past_support_line(used, date(2026, 4, 30)) == ""
    assert support.past_support_line(used, date(2026, 5, 1)) == "Node.js 20 since 2026-04-30 (-e app_images_node=24 takes 24); see docs/artifacts.md"
    assert "Helm 3 since 2027-02-10" in support.past_support_line(used, date(2027, 2, 11))


@pytest.mark.parametrize(("node", "other"), [("20", "24"), ("24", "20")])
def test_of_all_that_the_lock_file_installs_the_end_of_support_is_known(node: str, other: str) -> None:
    used = support.in_use(Lock(LOCK), node)
    assert f"Node.js {node}" in used
    assert f"Node.js {other}" not in used
    assert [name for name in used if name not in support.UNTIL] == []


def test_of_an_external_database_the_host_alone_is_told() -> None:
    assert told(replace(WELL, external=True, database="db.example.com", database_facts=()))["Database"] == "external, at db.example.com"


@pytest.mark.parametrize(
    ("assistant", "line"),
    [
        (Assistant("rule-based"), "built-in"),
        (Assistant("gpt-oss", "api.example"), "gpt-oss at api.example"),
        (Assistant("rule-based", "api.example", "The provider refuses the key."), "built-in (api.example: The provider refuses the key.)"),
    ],
)
def test_it_is_told_who_answers_and_why(assistant: Assistant, line: str) -> None:
    assert told(replace(WELL, assistant=assistant))["Assistant"] == line


def test_of_a_backend_that_does_not_say_who_answers_nothing_is_told() -> None:
    assert "Assistant" not in told(replace(WELL, assistant=None))


@pytest.mark.parametrize(
    ("service", "words"),
    [
        (Service("backend"), "not installed"),
        (replace(SERVICE, restarts=1), "1 restart,"),
        (replace(SERVICE, status="failed"), "Helm revision 2 (failed)"),
        (replace(SERVICE, built=OTHER, as_built=False), "(built was 000000000000)"),
        (replace(SERVICE, ready=0, as_built=False), "(not running everywhere)"),
        (replace(SERVICE, built="", as_built=False), "(nothing was built here to compare with)"),
    ],
)
def test_a_release_is_told_with_what_is_wrong_about_it(service: Service, words: str) -> None:
    assert words in service_line(service)


def test_several_nodes_are_told_and_those_that_are_down() -> None:
    several = replace(RUNNING, actual=replace(ACTUAL, nodes=3))
    assert told(replace(WELL, cluster=several))["Cluster"].endswith("2 CPUs, 6144 MiB, the first of 3 such nodes")
    away = replace(WELL, cluster=replace(several, state="stopped", away=("todo-m02",)))
    assert told(away)["Cluster"].startswith("not whole: todo-m02 is down, Kubernetes v1.35.1")
    assert away.advice()[0] == "make start"


def test_a_cluster_is_told_with_what_is_wrong_about_it() -> None:
    assert told(replace(WELL, cluster=replace(RUNNING, state="stopped")))["Cluster"].startswith("not ready: its node is up")
    assert told(replace(WELL, cluster=replace(RUNNING, state="stopped", up=False)))["Cluster"].startswith("stopped, Kubernetes")
    assert told(replace(WELL, cluster=Status("foreign")))["Cluster"] == "somebody else's container has its name"
    assert told(replace(WELL, cluster=Status("unknown"), problem="The record cannot be read."))["Cluster"] == "The record cannot be read."


@pytest.mark.parametrize(("size", "text"), [(999, "999 B"), (1000, "1 kB"), (70_400_000, "70 MB"), (1_640_000_000, "1.6 GB"), (2e12, "2000.0 GB")])
def test_sizes_have_the_unit_that_a_person_would_choose(size: float, text: str) -> None:
    assert human(size) == text


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ({"Status": "running", "Health": {"Status": "healthy"}}, "running"),
        ({"Status": "running", "Health": {"Status": "unhealthy"}}, "running, unhealthy"),
        ({"Status": "running"}, "running"),
        ({"Status": "exited", "Health": {"Status": "unhealthy"}}, "stopped"),
        ({"Status": "restarting"}, "restarting"),
    ],
)
def test_a_container_has_a_word_that_a_person_knows(state: dict[str, Any], word: str) -> None:
    assert container_state(state) == word


# What is observed


def test_a_recorded_release_is_read() -> None:
    [found] = services(["frontend"], HELM, RECORDED, {"frontend": DIGEST})
    assert (found.status, found.revision, found.ready, found.wanted) == ("deployed", 2, 2, 2)
    assert (found.digest, found.built, found.as_built) == (DIGEST, DIGEST, True)


def test_a_newer_image_in_the_registry_is_seen() -> None:
    [found] = services(["frontend"], HELM, RECORDED, {"frontend": OTHER})
    assert (found.digest, found.built, found.as_built) == (DIGEST, OTHER, False)


def test_restarts_are_those_of_pods_that_stay() -> None:
    items = copy.deepcopy(RECORDED)
    pods = [item for item in items if item["kind"] == "Pod"]
    for pod in pods:
        pod["status"]["containerStatuses"][0]["restartCount"] = 3
    pods[0]["metadata"]["deletionTimestamp"] = "2026-11-24T06:30:00Z"
    [found] = services(["frontend"], HELM, items, {})
    assert found.restarts == 3 * (len(pods) - 1)


def test_a_release_that_is_not_there_is_absent() -> None:
    assert services(["backend"], HELM, RECORDED, {"backend": DIGEST}) == (Service("backend", built=DIGEST),)


class World:
    """A machine with stand-ins for docker, du and the tools; what ``folder`` lacks is not installed."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        self.folder = folder
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        monkeypatch.setattr(
            "ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine.answering_version",
            lambda: "26.1.5" if (folder / "docker").exists() else "",
        )
        self.observer = Observer(
            url=url,
            minikube=Minikube(folder / "minikube", "todo", folder / "home", "root"),
            cluster=Kubernetes(str(folder / "helm"), str(folder / "kubectl"), str(folder / "kubeconfig"), "todo"),
            registry=Registry(url.removeprefix("http://")),
            repository="todo",
            releases=("backend", "frontend"),
            registry_container="todo-registry",
            database_container="todo-database",
            database="todo",
            database_host="",
            store=folder / "store",
            lock=Lock(LOCK),
            node="20",
        )

    def has(self, name: str, script: str) -> None:
        (self.folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.folder / name).chmod(0o755)


def test_a_bare_machine_is_observed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nobody: str) -> None:
    found = World(tmp_path, monkeypatch, f"http://{nobody}").observer.observe()
    assert (found.answers, found.docker, found.cluster.state, found.services, found.database) == (False, "", "absent", (), "absent")
    assert list(found.disk) == ["free"]


def test_what_stands_beside_the_cluster_is_observed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    server.answer = lambda request: Reply(200 if request.path == "/health/ready" else 404)
    world = World(tmp_path, monkeypatch, server.url)
    (tmp_path / "store").mkdir()
    world.has(
        "docker",
        'case "$*" in\n'
        "container*) echo '[{\"Name\": \"/todo-database\", \"State\": {\"Status\": \"running\"}}]' ; exit 1 ;;\n"
        'exec*psql*) grep -q pg_database_size && printf "7890000\\ntodos: 3\\n" ;;\n'
        f'volume*) echo "todo-database {tmp_path}" ; exit 1 ;;\n'
        "*) exit 1 ;;\nesac",
    )
    found = world.observer.observe()
    assert found.answers
    assert (found.registry, found.database, found.database_facts) == ("absent", "running", ("8 MB", "todos: 3"))
    assert {"data", "store", "free"} == set(found.disk)


@pytest.mark.parametrize(
    ("answer", "assistant"),
    [
        ('{"assistant": "gpt-oss", "provider": "api.example", "notice": null}', Assistant("gpt-oss", "api.example")),
        ('{"assistant": "rule-based", "provider": null, "notice": null}', Assistant("rule-based")),
        ('{"detail": "Not Found"}', None),  # a version before this one
        ("", None),
    ],
)
def test_a_backends_pod_is_asked_who_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nobody: str, answer: str, assistant: Assistant | None) -> None:
    world = World(tmp_path, monkeypatch, f"http://{nobody}")
    monkeypatch.setattr(Minikube, "status", lambda _: RUNNING)
    world.has("helm", "echo '[]'")
    path = "/api/v1/namespaces/todo/services/backend:http/proxy/health/assistant"
    world.has("kubectl", f"case \"$*\" in *--raw={path}*) echo '{answer}' ;; *) echo '{{\"items\": []}}' ;; esac")
    found = world.observer.observe()
    assert (found.assistant, found.problem) == (assistant, "")


def test_a_missing_program_of_an_existing_cluster_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nobody: str) -> None:
    world = World(tmp_path, monkeypatch, f"http://{nobody}")
    profile = tmp_path / "home/profiles/todo"
    profile.mkdir(parents=True)
    (profile / "config.json").write_text((Path(__file__).parent / "fixtures/minikube-profile.json").read_text())
    (profile / "finished").touch()
    found = world.observer.observe()
    assert found.cluster.state == "unknown"
    assert "There is no" in told(found)["Cluster"]
