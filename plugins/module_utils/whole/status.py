"""A deployment as it is right now: observed in a few seconds whatever state it is in, and told in a few lines."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import run
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.web import ask, of
from ansible_collections.todochat.platform.plugins.module_utils.base.words import human, short
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.cluster.profile import Minikube, Status
from ansible_collections.todochat.platform.plugins.module_utils.images.pushed import Pushed
from ansible_collections.todochat.platform.plugins.module_utils.images.registry import Registry
from ansible_collections.todochat.platform.plugins.module_utils.machine import docker_engine, timer
from ansible_collections.todochat.platform.plugins.module_utils.release.helm import owner
from ansible_collections.todochat.platform.plugins.module_utils.release.running_images import wrong_images
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.support import bases_line, in_use, past_support_line

ANSWER_SECONDS = 5
"""What does not answer by then is shown as not answering."""
# What a database without the application's tables answers with fewer lines, not with a failure.
DATABASE_SQL = """SET statement_timeout = 2000;
SELECT pg_database_size(current_database());
SELECT 'migration ' || version_num FROM alembic_version;
SELECT 'todos: ' || count(*) FROM todos;
"""


@dataclass(frozen=True)
class Service:
    """A release as it runs."""

    name: str
    status: str = "absent"
    """Helm's word for it."""
    revision: int = 0
    ready: int = 0
    wanted: int = 0
    restarts: int = 0
    digest: str = ""
    built: str = ""
    """The digest of what was built last; empty where nothing was."""
    as_built: bool = False


@dataclass(frozen=True)
class Assistant:
    """Which assistant a backend answers with, and of a language model its provider, whether it can be asked or not."""

    name: str
    provider: str = ""
    notice: str = ""
    """Why the model cannot be asked; empty where it can, and where there is none."""


@dataclass(frozen=True)
class Deployment:
    """All that is told. Docker's version is empty where it does not answer."""

    url: str
    answers: bool = False
    docker: str = ""
    cluster: Status = field(default_factory=lambda: Status("absent"))
    problem: str = ""
    """Why the cluster could not be asked."""
    services: tuple[Service, ...] = ()
    assistant: Assistant | None = None
    """None where no backend says so."""
    database: str = "absent"
    """The state of its container; of an external one, its host."""
    database_facts: tuple[str, ...] = ()
    external: bool = False
    registry: str = "absent"
    registry_endpoint: str = ""
    backups: str = ""
    """How their schedule is; empty where there is none."""
    versions: Mapping[str, str] = field(default_factory=dict)
    disk: Mapping[str, int] = field(default_factory=dict)
    """Bytes of each part, and ``free``."""
    bases: str = ""
    past_support: str = ""
    """What nobody mends any more; empty where there is nothing of that."""

    def advice(self) -> tuple[str, str]:
        """The next sensible command, and why it is that."""
        beside = [state for state in ([self.registry] if self.external else [self.registry, self.database]) if state != "of others"]
        if self.cluster.state == "foreign":
            return "make up ARGS='-e deployment_name=NAME'", "the container of this name is somebody else's"
        if self.cluster.state == "absent":
            return "make up", "there is no cluster"
        if self.cluster.state == "unfinished":
            return "make up", "the cluster was not finished"
        if not self.docker and self.registry != "of others":
            return "make start", "Docker does not answer"
        if self.problem:
            return "make up", "the cluster cannot be asked"
        if "absent" in beside:
            return "make up", "a part is missing"
        if self.cluster.state == "stopped" or not all(state.startswith("running") for state in beside):
            return "make start", "a part is stopped"
        if any(service.status != "deployed" for service in self.services):
            return "make up", "a release is missing or unfinished"
        if any(service.built not in ("", service.digest) for service in self.services):
            return "make up", "what runs is not what was built"
        if not self.answers or any(service.ready < service.wanted for service in self.services):
            return "make logs", "not everything is ready"
        if not self.cluster.comes_back:
            return "make up", "the cluster would not come back by itself after a reboot"
        return "make open", "all is well"

    @property
    def built(self) -> bool:
        """Whether it is known what was built of every service."""
        return all(service.built for service in self.services)

    def lines(self) -> list[str]:
        """The table that a person reads."""
        command, reason = self.advice()
        rows = [
            ("Application", f"{self.url} {'answers' if self.answers else 'does not answer'}"),
            ("Cluster", self._cluster()),
            *((service.name.capitalize(), service_line(service)) for service in self.services),
            ("Assistant", assistant_line(self.assistant) if self.assistant else ""),
            ("Database", ", ".join((f"external, at {self.database}" if self.external else self.database, *self.database_facts))),
            ("Backups", self.backups),
            ("Registry", f"{self.registry} at {self.registry_endpoint}" if self.registry != "absent" else "absent"),
            ("Versions", ", ".join(f"{name} {version}" for name, version in self._versions().items())),
            ("Base images", self.bases),
            ("Past support", self.past_support),
            ("Disk", ", ".join(f"{part} {human(size)}" for part, size in self.disk.items())),
            ("Next", f"{command}   ({reason})"),
        ]
        return [f"{name:<12} {text}" for name, text in rows if text]

    def _cluster(self) -> str:
        state, actual = self.cluster.state, self.cluster.actual
        if self.problem:
            return self.problem
        if self.cluster.away:
            state = f"not whole: {' and '.join(self.cluster.away)} {'is' if len(self.cluster.away) == 1 else 'are'} down"
        elif state == "stopped" and self.cluster.up:
            state = "not ready: its node is up, Kubernetes is not"
        if actual is None and self.cluster.version:
            return f"of others, Kubernetes {self.cluster.version}"
        if actual is None:
            return {"foreign": "somebody else's container has its name", "unfinished": "broken off while it was made"}.get(state, state)
        facts = [state, f"Kubernetes {actual.kubernetes_version}", f"node {self.cluster.address}", f"{actual.cpus} CPUs", f"{actual.memory} MiB"]
        return ", ".join([*facts, f"the first of {actual.nodes} such nodes"] if actual.nodes > 1 else facts)

    def _versions(self) -> dict[str, str]:
        return {"Docker": self.docker or "does not answer", **self.versions}


def service_line(service: Service) -> str:
    """A release in a line."""
    if not service.revision:
        return "not installed"
    status = "" if service.status == "deployed" else f" ({service.status})"
    if service.as_built:
        image = "as built"
    elif service.built and service.built != service.digest:
        image = f"built was {short(service.built)}"
    else:
        image = "not running everywhere" if service.built else "nothing was built here to compare with"
    restarts = f"{service.restarts} restart{'' if service.restarts == 1 else 's'}"
    return f"{service.ready} of {service.wanted} pods ready, {restarts}, Helm revision {service.revision}{status}, image {short(service.digest)} ({image})"


def assistant_line(assistant: Assistant) -> str:
    """Who answers in the chat, in a line."""
    if not assistant.provider:
        return "built-in"
    return f"built-in ({assistant.provider}: {assistant.notice})" if assistant.notice else f"{assistant.name} at {assistant.provider}"


def services(names: Iterable[str], helm: Iterable[Mapping[str, Any]], items: list[dict[str, Any]], built: Mapping[str, str]) -> tuple[Service, ...]:
    """The releases, from what ``helm list``, ``kubectl get deployments,replicasets,pods`` and the registry say.

    Pods of a Deployment that is no more are not counted, nor those that are leaving.
    """
    listed = {entry["name"]: entry for entry in helm}
    found = []
    for name in names:
        mine = [item for item in items if item["metadata"].get("labels", {}).get("app.kubernetes.io/instance") == name]
        deployments = [item for item in mine if item["kind"] == "Deployment"]
        uids = {item["metadata"]["uid"] for item in deployments}
        sets = {item["metadata"]["uid"] for item in mine if item["kind"] == "ReplicaSet" and owner(item) in uids}
        pods = [item for item in mine if item["kind"] == "Pod" and owner(item) in sets and "deletionTimestamp" not in item["metadata"]]
        images = [container["image"] for item in deployments for container in item["spec"]["template"]["spec"]["containers"]]
        digest = built.get(name, "")
        found.append(
            Service(
                name=name,
                status=listed.get(name, {}).get("status", "absent"),
                revision=int(listed.get(name, {}).get("revision", 0)),
                ready=sum(item.get("status", {}).get("readyReplicas", 0) for item in deployments),
                wanted=sum(item["spec"].get("replicas", 1) for item in deployments),
                restarts=sum(container["restartCount"] for pod in pods for container in pod.get("status", {}).get("containerStatuses", [])),
                digest=images[0].rpartition("@")[2] if images else "",
                built=digest,
                as_built=bool(digest) and not wrong_images(pods, {name: digest}),
            )
        )
    return tuple(found)


@dataclass(frozen=True)
class Observer:
    """Where the parts of a deployment are. Nothing that it asks changes anything."""

    url: str
    minikube: Minikube | None
    """None for a cluster that others run, as are the registry and the database then."""
    cluster: Cluster
    registry: Registry
    repository: str
    releases: tuple[str, ...]
    registry_container: str
    database_container: str
    database: str
    database_host: str
    """Of an external database; empty for the container."""
    store: Path
    lock: Lock
    node: str
    """The Node.js of the frontend's image."""

    def observe(self) -> Deployment:
        """Asks all parts at once; what does not answer in time counts as not answering."""
        docker, today = docker_engine.answering_version(), datetime.datetime.now(tz=datetime.UTC).date()
        states = self._containers() if docker else {}
        with ThreadPoolExecutor() as pool:
            status = pool.submit(self._status)
            answers = pool.submit(self._answers)
            built = pool.submit(self._built)
            facts = pool.submit(self._database_facts) if states.get(self.database_container, "").startswith("running") else None
            versions = pool.submit(self._versions)
            disk = pool.submit(self._disk, bool(docker))
            cluster, problem = status.result()
            found: tuple[Service, ...] = ()
            assistant = None
            if cluster.state == "running" or cluster.away:
                asked = pool.submit(self._assistant)
                try:
                    found = self._services(built.result())
                except UserError as error:
                    problem = first_line(error)
                assistant = asked.result()
            return Deployment(
                url=self.url,
                answers=answers.result(),
                docker=docker,
                cluster=cluster,
                problem=problem,
                services=found,
                assistant=assistant,
                database=self.database_host or states.get(self.database_container, "absent"),
                database_facts=facts.result() if facts else (),
                external=bool(self.database_host),
                registry=states.get(self.registry_container, "absent") if self.minikube else "of others",
                registry_endpoint=self.registry.endpoint,
                backups=timer.backups(self.repository).line(),
                versions=versions.result(),
                disk=disk.result(),
                bases=bases_line(self.lock.debian, today) if self.lock.debian else "",
                past_support=past_support_line(in_use(self.lock, self.node), today),
            )

    def _status(self) -> tuple[Status, str]:
        try:
            if self.minikube is None:
                return Status("running", version=self.cluster.version, comes_back=True), ""
            return self.minikube.status(), ""
        except UserError as error:
            return Status("unknown"), first_line(error)

    def _answers(self) -> bool:
        try:
            return ask(of(urlsplit(self.url).hostname or ""), f"{self.url}/health/ready", ANSWER_SECONDS)[0] == 200
        except OSError:
            return False

    def _containers(self) -> dict[str, str]:
        """The state of the containers beside the cluster, by name; those that do not exist are missing."""
        asked = _docker("container", "inspect", self.registry_container, self.database_container)
        return {entry["Name"].lstrip("/"): container_state(entry["State"]) for entry in json.loads(asked or "[]")}

    def _built(self) -> dict[str, str]:
        try:
            return {name: Pushed().current(f"{self.registry.endpoint}/{self.repository}/{name}") for name in self.releases}
        except UserError:
            return {}

    def _services(self, built: Mapping[str, str]) -> tuple[Service, ...]:
        helm = json.loads(self.cluster.run("helm", "list", "--all", "--output=json").stdout or "[]")
        items = self.cluster.json("deployments,replicasets,pods", f"--request-timeout={ANSWER_SECONDS}s")["items"]
        return services(self.releases, helm, items, built)

    def _assistant(self) -> Assistant | None:
        """What one of the backend's pods says. A version before this one does not know."""
        path = f"/api/v1/namespaces/{self.cluster.namespace}/services/backend:http/proxy/health/assistant"
        try:
            told = json.loads(self.cluster.run("kubectl", "get", f"--raw={path}", f"--request-timeout={ANSWER_SECONDS}s").stdout)
            return Assistant(told["assistant"], told["provider"] or "", told["notice"] or "")
        except (UserError, ValueError, KeyError, TypeError):
            return None

    def _database_facts(self) -> tuple[str, ...]:
        psql = ("psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--username=postgres", f"--dbname={self.database}")
        facts = _docker("exec", "--interactive", self.database_container, *psql, stdin=DATABASE_SQL).splitlines()
        return tuple(human(int(fact)) if fact.isdigit() else fact for fact in facts)

    def _versions(self) -> dict[str, str]:
        found = {
            "minikube": self.minikube.version() if self.minikube else "",
            "kubectl": _run(self.cluster.kubectl, "version", "--client").partition("Client Version: ")[2].partition("\n")[0],
            "Helm": _run(self.cluster.helm, "version", "--template={{.Version}}"),
        }
        return {name: version.strip() for name, version in found.items() if version}

    def _disk(self, docker: bool) -> dict[str, int]:
        """Bytes of the volumes and of the store, and what is free where Docker keeps its own."""
        if self.minikube is None:
            return {}
        volumes = {"cluster": self.minikube.nodes(), "images": [self.registry_container], "data": [self.database_container]}
        form = "{{.Name}} {{.Mountpoint}}"
        listed = _docker("volume", "inspect", f"--format={form}", *chain(*volumes.values())) if docker else ""
        mounted = dict(line.split(" ", 1) for line in listed.splitlines() if " " in line)
        folders = {part: [Path(mounted[name]) for name in names if name in mounted] for part, names in volumes.items()} | {"store": [self.store]}
        with ThreadPoolExecutor() as pool:
            sizes = dict(zip(folders, pool.map(lambda paths: sum(map(size_of, paths)), folders.values()), strict=True))
        anywhere = next(folder for folder in (Path("/var/lib/docker"), Path("/")) if folder.is_dir())
        return {part: size for part, size in sizes.items() if size} | {"free": shutil.disk_usage(anywhere).free}


def container_state(state: Mapping[str, Any]) -> str:
    """Docker's word for a container's state, with that of its health check where it is not well."""
    word, health = str(state["Status"]), state.get("Health", {}).get("Status", "healthy")
    if word == "running" and health not in ("healthy", "none"):
        return f"running, {health}"
    return "stopped" if word in ("exited", "created") else word


def first_line(error: Exception) -> str:
    """What is wrong, for a line of the table."""
    return str(error.why if isinstance(error, UserError) else error).partition("\n")[0]


def size_of(folder: Path) -> int:
    """Bytes on disk; 0 where there is no such folder, and where counting would take too long."""
    listed = _run("du", "--summarize", "--block-size=1", str(folder))
    return int(listed.split()[0]) if listed else 0


def _run(*command: str, stdin: str = "") -> str:
    """What a command prints; nothing where it does not exist or does not end in time."""
    try:
        return run(*command, stdin=stdin, seconds=ANSWER_SECONDS).stdout
    except (OSError, UserError):
        return ""


def _docker(*arguments: str, stdin: str = "") -> str:
    try:
        return docker_engine.docker(*arguments, stdin=stdin, seconds=ANSWER_SECONDS).stdout
    except UserError:
        return ""
