"""What one observation of a deployment says is wrong. Pure; module_utils/diagnosis/look.py observes.

What only starts is no fault: a sign counts once it has been there for longer than it may while all is well, by the times that Kubernetes and
Docker have written down themselves. A fault that follows from another one is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import sentence
from ansible_collections.todochat.platform.plugins.module_utils.base.words import human
from ansible_collections.todochat.platform.plugins.module_utils.cluster.moved import MOVED, mark
from ansible_collections.todochat.platform.plugins.module_utils.cluster.quantities import number
from ansible_collections.todochat.platform.plugins.module_utils.cluster.system_pods import SYSTEM as SYSTEM_NAMESPACE
from ansible_collections.todochat.platform.plugins.module_utils.cluster.system_pods import unready_pods
from ansible_collections.todochat.platform.plugins.module_utils.diagnosis import faults
from ansible_collections.todochat.platform.plugins.module_utils.diagnosis.faults import FAULTS, Fault, Finding
from ansible_collections.todochat.platform.plugins.module_utils.diagnosis.redaction import AUTHORIZATION, COOKIE, COOKIES, LISTED, LOGIN, NAMED
from ansible_collections.todochat.platform.plugins.module_utils.diagnosis.terminal import inert
from ansible_collections.todochat.platform.plugins.module_utils.release.helm import owner
from ansible_collections.todochat.platform.plugins.module_utils.release.watch import (
    INSTANCE,
    NOT_STARTING,
    PATIENCE,
    PULLING,
    Rollout,
    Sign,
    condition,
    not_there_yet,
    statuses,
    unfinished,
)

Item = Mapping[str, Any]

START_SECONDS = 120
"""In which a node that was just started brings everything back."""
SHOWN_SECONDS = 2
"""For a sign that waiting does not help with. The command takes longer to begin, so it finds all that was there before it."""
LEAD_SECONDS = 5
"""In which a Service leads to a pod that has got ready."""
PATIENT_SECONDS = 45
"""In which the backend finds a database again that was away."""
DNS_SECONDS = 30
"""In which CoreDNS starts."""
LATER_SECONDS = 90
"""For what comes a while after all else, such as the first metrics."""
RECENT_SECONDS = 600
"""What a pod suffered before that, and has overcome, is past."""
ROLLOUT_SECONDS = 600
"""In which Helm ends what it began."""
CLOCK_SECONDS = 60
CERTIFICATE_SECONDS = 7 * 24 * 3600
LEAST_BYTES = 512 << 20
"""Free on a file system; kubelet's own limits are off in minikube's nodes."""
MOST_WORDS = 300
SECRET_KEYS = ("database_url", "jwt_keys")
MODEL_KEY = "model_api_key"
# What PostgreSQL and its client say, in the backend's lines.
REFUSED = re.compile(r"password authentication failed|no password supplied|is not permitted to log in|role \\?\"[^\"]+\" does not exist")
UNREACHABLE = re.compile(
    r"database unavailable|waiting for the database|connection failed: |the database system is|too many clients|remaining connection slots|"
    r"database \\?\"[^\"]+\" does not exist"
)
# A probe has been told, which is not so where a machine is only slow.
ANSWERED = re.compile(r"statuscode: (?!503)|connection refused")
UNKNOWN_SCHEMA = re.compile(r"does not work with it|UnknownSchemaError")
FULL = re.compile("No space left on device")
# What a quota counts of pods.
OF_PODS = re.compile(r"(count/)?pods|((requests|limits)\.)?(cpu|memory|ephemeral-storage)")
SAID = ((REFUSED, faults.PASSWORD), (UNKNOWN_SCHEMA, faults.SCHEMA), (FULL, faults.DISK), (UNREACHABLE, faults.DATABASE_REFUSES))
UNDONE = (faults.IMAGE, faults.CRASH, faults.PROBE, faults.ROOM, faults.START, faults.MEMORY)
"""What a Deployment itself is the cause of, so that the one before it mends it."""
NOTICES = {"refuses the key": faults.KEY, "cannot be reached": faults.PROVIDER, "budget": None}


@dataclass(frozen=True)
class NodeSaid:
    """What the node itself says: KiB of its file system, its services, and of each certificate from when until when it holds."""

    free: int = 1 << 40
    services: Mapping[str, str] = field(default_factory=dict)
    certificates: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """One observation. Times are seconds since 1970."""

    now: float
    deployment: str = "todo"
    registry: str = "todo-registry"
    database: str = "todo-database"
    """The database's container; empty where the database is an external one."""
    other_nodes: tuple[str, ...] = ()
    """The containers of the cluster's nodes but the first."""
    releases: tuple[str, ...] = ("backend", "frontend")
    url: str = "http://127.0.0.1:30000"
    docker: str = ""
    """Why Docker does not answer."""
    docker_now: float | None = None
    """What Docker's machine takes for now."""
    containers: Mapping[str, Item] = field(default_factory=dict)
    """Of ours, those that there are, as Docker inspects them."""
    of_others: bool = False
    """Whether others run the cluster, of which nothing on this machine is a part."""
    is_ours: bool = True
    is_finished: bool = True
    registry_problem: str = ""
    """Why a registry that runs does not answer."""
    silent: str = ""
    """Why nothing answers at the application's address."""
    listener: str = ""
    """The process of this machine that listens at the application's port, where that is not the node's."""
    node: NodeSaid = field(default_factory=NodeSaid)
    cluster_problem: str = ""
    """Why Kubernetes does not answer."""
    items: Sequence[Item] = ()
    """The namespace's objects, and the nodes."""
    system: Sequence[Item] = ()
    """Those of kube-system."""
    secrets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The keys of each Secret."""
    helm: Sequence[Item] = ()
    lines: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The last lines of the containers that are not well, by pod/container."""
    notice: str = ""
    """Why the language model does not answer, in the backend's words."""
    provider_problem: str = ""
    """Why its address cannot be reached."""
    free: Mapping[str, int] = field(default_factory=dict)
    """Bytes free on this machine's file systems, by a path on each."""
    certificates: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Those by which this machine asks the cluster."""

    @property
    def port(self) -> int:
        address = urlsplit(self.url)
        return address.port or (443 if address.scheme == "https" else 80)

    def of(self, kind: str) -> list[Item]:
        return [item for item in self.items if item["kind"] == kind]

    def named(self, kind: str, name: str) -> Item | None:
        return next((item for item in self.of(kind) if item["metadata"]["name"] == name), None)

    def state(self, name: str) -> Item:
        """Docker's word on a container; empty where there is none."""
        found: Item = self.containers.get(name, {}).get("State", {})
        return found

    @property
    def down(self) -> set[str]:
        """Those of the other nodes whose containers do not run."""
        return {name for name in self.other_nodes if not self.state(name).get("Running") or self.state(name).get("Paused")}

    def ago(self, when: object) -> float:
        """Seconds since a time that Kubernetes or Docker wrote down; none where it did not."""
        at = seconds(when)
        return self.now - at if at else 0.0

    def since(self, when: object) -> str:
        """The same in words, in this machine's time."""
        return f", since {datetime.fromtimestamp(at, UTC).astimezone().strftime('%H:%M:%S')}" if (at := seconds(when)) else ""

    @property
    def settings(self) -> Mapping[str, str]:
        """What the backend is told; nothing where that is not known."""
        return (self.named("ConfigMap", "backend") or {}).get("data") or {}

    @property
    def is_starting(self) -> bool:
        """Whether the node has just been started."""
        state = self.state(self.deployment)
        return bool(state.get("Running")) and self.ago(state.get("StartedAt")) < START_SECONDS


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong, and what only starts."""

    findings: tuple[Finding, ...]
    starting: tuple[str, ...]
    places: dict[str, str]
    of_others: bool = False

    @property
    def names(self) -> list[str]:
        return [finding.fault.name for finding in self.findings]

    def lines(self) -> list[str]:
        """The page that a person reads."""
        count = len(self.findings)
        if count:
            lines = [f"{count} thing{' is' if count == 1 else 's are'} wrong:"]
        else:
            lines = ["Nothing is wrong, and not all has started yet." if self.starting else "Nothing is wrong."]
        for finding in self.findings:
            is_theirs = self.of_others and not finding.by and finding.fault not in faults.OF_THE_APPLICATION
            first, *then = [faults.THEIRS] if is_theirs else finding.commands(self.places)
            lines += ["", f"{finding.fault.name:<15} {finding.evidence}", f"{'':<15} Mend it: {first}", *(f"{'':<15} then:    {one}" for one in then)]
        if self.starting:
            lines += ["", *(f"{'starting':<15} {what}" for what in self.starting)]
        return lines


def seconds(when: object) -> float:
    """A time as Kubernetes or Docker writes it, in seconds since 1970; 0 where there is none."""
    if not isinstance(when, str) or when.startswith("0001-"):
        return 0.0
    try:
        return datetime.fromisoformat(re.sub(r"\.\d+", "", when).replace("Z", "+00:00")).astimezone(UTC).timestamp()
    except ValueError:
        return 0.0


def harmless(words: str) -> str:
    """Somebody else's words in one line, of bearable length, without what may be secret, or do something to a terminal."""
    line = " ".join(inert(words).split())
    for pattern in (LOGIN, LISTED, AUTHORIZATION, COOKIE, COOKIES, NAMED):
        line = re.sub(pattern, r"\1...", line)
    return line if len(line) <= MOST_WORDS else f"{line[:MOST_WORDS]}..."


def diagnose(seen: Seen, kubectl: str) -> Diagnosis:
    """All that is wrong, in the order in which the faults are listed. ``kubectl`` is how a person runs it against this cluster."""
    found = list(machine(seen))
    starting: list[str] = []
    if not seen.docker:
        found += [*beside(seen), *node(seen)]
        if running(seen) and not seen.cluster_problem:
            of_cluster, starting = cluster(seen, {finding.fault for finding in found})
            found += of_cluster
        elif running(seen) and seen.is_starting:
            starting = [f"The node {seen.deployment} was started {seen.ago(seen.state(seen.deployment)['StartedAt']):.0f} s ago."]
    once: dict[tuple[Fault, str], Finding] = {}
    for finding in found:
        once.setdefault((finding.fault, finding.of), finding)
    order = sorted(once.values(), key=lambda finding: FAULTS.index(finding.fault))
    places = {
        "kubectl": f"{kubectl} --namespace {seen.deployment}",
        "system": f"{kubectl} --namespace {SYSTEM_NAMESPACE}",
        "deployment": seen.deployment,
        "database": seen.database,
    }
    return Diagnosis(tuple(order), tuple(starting), places, seen.of_others)


def running(seen: Seen) -> bool:
    state = seen.state(seen.deployment)
    return seen.of_others or bool(seen.is_ours and state.get("Running") and not state.get("Paused"))


# The machine, and what stands on it in Docker


def machine(seen: Seen) -> Iterator[Finding]:
    """Docker, disk, clock, and what is known of certificates without asking the cluster."""
    if seen.docker:
        yield Finding(faults.DOCKER if seen.is_ours else faults.DOCKER_ABSENT, sentence(harmless(seen.docker)))
    if seen.docker_now is not None and abs(seen.docker_now - seen.now) > CLOCK_SECONDS:
        yield Finding(faults.CLOCK, f"Docker's clock differs from this machine's by {seen.docker_now - seen.now:+.0f} s.")
    for path, free in seen.free.items():
        if free < LEAST_BYTES:
            yield Finding(faults.DISK, f"The file system of {path} has {human(free)} left.", of=path)
    if running(seen) and seen.node.free << 10 < LEAST_BYTES:
        yield Finding(faults.DISK, f"The node's file system has {human(seen.node.free << 10)} left.", of="node")
    for name, (begin, end) in {**seen.node.certificates, **seen.certificates}.items():
        until = datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%d %H:%M UTC")
        if begin > seen.now + CLOCK_SECONDS:
            at = datetime.fromtimestamp(begin, UTC).strftime("%Y-%m-%d %H:%M UTC")
            yield Finding(faults.CERTIFICATE, f"{name} holds from {at} on only: this machine's clock may be wrong.")
        elif end < seen.now:
            yield Finding(faults.CERTIFICATE, f"{name} has run out on {until}.")
        elif end < seen.now + CERTIFICATE_SECONDS:
            yield Finding(faults.CERTIFICATE, f"{name} runs out on {until}.")


def container_finding(seen: Seen, name: str, absent: Fault, paused: Fault, stopped: Fault) -> Finding | None:
    """What is wrong with a container that is to run."""
    state = seen.state(name)
    if not state:
        return Finding(absent, f"There is no container {name}.")
    if state.get("Paused"):
        return Finding(paused, f"The container {name} is paused.")
    if not state.get("Running"):
        said = f": {harmless(state['Error'])}" if state.get("Error") else ""
        how = f"is {state.get('Status')} (exit code {state.get('ExitCode')}{seen.since(state.get('FinishedAt'))})"
        return Finding(stopped, sentence(f"The container {name} {how}{said}"))
    health = state.get("Health", {})
    if health.get("Status") == "unhealthy":
        said = harmless((health.get("Log") or [{}])[-1].get("Output", "")).strip()
        return Finding(stopped, sentence(f"The container {name} runs, and is not healthy{': ' if said else ''}{said}"))
    return None


def beside(seen: Seen) -> Iterator[Finding]:
    """The registry and the database. Where nothing was made, it is the cluster that is missing."""
    if not seen.is_ours or seen.of_others:
        return
    if registry := container_finding(seen, seen.registry, faults.REGISTRY_ABSENT, faults.REGISTRY, faults.REGISTRY):
        yield registry
    elif seen.registry_problem and seen.ago(seen.state(seen.registry).get("StartedAt")) > SHOWN_SECONDS:
        yield Finding(faults.REGISTRY_ABSENT, sentence(f"The container {seen.registry} runs, and does not answer: {harmless(seen.registry_problem)}"))
    if seen.database and (database := container_finding(seen, seen.database, faults.DATABASE_ABSENT, faults.DATABASE_PAUSED, faults.DATABASE)):
        yield database


def node(seen: Seen) -> Iterator[Finding]:
    """The node's container, its port, and what runs in it."""
    container = seen.containers.get(seen.deployment)
    if seen.of_others:
        if seen.cluster_problem:
            yield Finding(faults.UNREACHED, sentence(f"The cluster does not answer: {harmless(seen.cluster_problem)}"))
        return
    if not seen.is_ours:
        if container:
            yield Finding(faults.FOREIGN, f"The container {seen.deployment} was not made by this deployment.")
        else:
            yield Finding(faults.ABSENT, f"There is no cluster {seen.deployment}.")
        return
    if not container or not seen.is_finished:
        yield Finding(faults.ABSENT, f"The cluster {seen.deployment} {'was not made to its end' if container else 'has lost its node'}.")
        return
    error = str(container["State"].get("Error", ""))
    if not container["State"].get("Running") and (seen.listener or re.search("address already in use|port is already allocated", error)):
        said = f" ({harmless(error)})" if error else ""
        yield Finding(faults.PORT_TAKEN, f"The node is stopped, and port {seen.port} is held by {seen.listener or 'another program'}{said}.")
        return
    if stopped := container_finding(seen, seen.deployment, faults.ABSENT, faults.NODE_PAUSED, faults.NODE_STOPPED):
        yield stopped
        return
    for name in seen.other_nodes:
        if gone := container_finding(seen, name, faults.ABSENT, faults.NODE_PAUSED, faults.NODE_STOPPED):
            yield replace(gone, places={"deployment": name}, of=name)
    published = [one.get("HostPort") for ports in (container.get("NetworkSettings", {}).get("Ports") or {}).values() for one in ports or []]
    if str(seen.port) not in published:
        yield Finding(faults.PORT_UNPUBLISHED, f"The container {seen.deployment} publishes {', '.join(map(str, published)) or 'no port'}, and not {seen.port}.")
    if seen.is_starting:
        return
    down = [f"{name} is {state}" for name, state in seen.node.services.items() if state not in ("active", "activating", "reloading")]
    if down:
        yield Finding(faults.NODE_PART, f"In the node, {' and '.join(down)}.")
    elif "x509: certificate has expired" in seen.cluster_problem:
        yield Finding(faults.CERTIFICATE, sentence(harmless(seen.cluster_problem)))
    elif seen.cluster_problem:
        yield Finding(faults.API, sentence(f"The node runs, and its Kubernetes does not answer: {harmless(seen.cluster_problem)}"))


# What the cluster says


def cluster(seen: Seen, known: set[Fault]) -> tuple[list[Finding], list[str]]:
    """What is wrong in a cluster that answers, and what only starts. ``known`` are the faults that this may follow from."""
    if gone := list(away(seen)):
        return [*ahead(seen), *nodes(seen), *gone], []
    found = [*ahead(seen), *nodes(seen), *needed(seen), *dns(seen), *limits(seen), *releases(seen), *services(seen)]
    known |= {finding.fault for finding in found}
    if seen.database and seen.ago(seen.state(seen.database).get("StartedAt")) < PATIENT_SECONDS:
        known.add(faults.DATABASE)  # it has been away until just now
    rolled_out, starting = pods(seen, known)
    found += rolled_out
    known |= {finding.fault for finding in found}
    found += [*autoscalers(seen), *provider(seen)]
    if not seen.is_starting:
        found += system_pods(seen, known)
    if seen.silent and not starting and not found and not known:
        found.append(Finding(faults.PORT_SILENT, sentence(f"All pods are ready, and {seen.url} does not answer: {harmless(seen.silent)}")))
    return found, starting


def ahead(seen: Seen) -> Iterator[Finding]:
    """What was written at a time that is still to come."""
    for item in (*seen.items, *seen.system):
        at = max(seconds(item["metadata"].get("creationTimestamp")), seconds(item.get("lastTimestamp")))
        if at > seen.now + CLOCK_SECONDS:
            what = f"{item['kind']} {item['metadata']['name']}"
            yield Finding(faults.CLOCK, f"{what} is of a time that is {at - seen.now:.0f} s ahead: this machine's clock was set back.")
            return


def nodes(seen: Seen) -> Iterator[Finding]:
    """The nodes' own conditions."""
    for item in seen.of("Node"):
        name = item["metadata"]["name"]
        for one in item.get("status", {}).get("conditions", []):
            said = f"{one.get('message', '')}{seen.since(one.get('lastTransitionTime'))}"
            if one["type"] == "Ready" and one["status"] != "True" and not seen.is_starting and name not in seen.down:
                yield Finding(faults.NOT_READY, sentence(f"The node {name} is not ready: {harmless(said)}"), of=name)
            elif one["type"] == "DiskPressure" and one["status"] == "True":
                yield Finding(faults.DISK, sentence(f"The node {name} is short of disk: {harmless(said)}"), of="node")
            elif one["type"] in ("MemoryPressure", "PIDPressure") and one["status"] == "True":
                yield Finding(faults.MEMORY, sentence(f"The node {name} is short of memory or processes: {harmless(said)}"), of=name)
        if item.get("spec", {}).get("unschedulable"):
            yield Finding(faults.CORDONED, f"The node {name} takes no new pods: it is cordoned.", {"name": name}, of=name)


def away(seen: Seen) -> Iterator[Finding]:
    """Where people are, if they have been moved: nothing else is missed here then."""
    for deployment in seen.of("Deployment"):
        if found := mark(deployment):
            yield Finding(faults.MOVED if found.state == MOVED else faults.MOVING, harmless(found.sentence), {"back": found.back})


def needed(seen: Seen) -> Iterator[Finding]:
    """The Secrets and ConfigMaps that pods are made with."""
    maps = {item["metadata"]["name"] for item in seen.of("ConfigMap")}
    for item in seen.of("Deployment"):
        name, spec = item["metadata"]["name"], item["spec"]["template"]["spec"]
        containers = [*spec.get("initContainers", []), *spec.get("containers", [])]
        sources = [source for container in containers for source in container.get("envFrom", [])]
        secrets = {volume["secret"]["secretName"] for volume in spec.get("volumes", []) if "secret" in volume and not volume["secret"].get("optional")}
        secrets |= {source["secretRef"]["name"] for source in sources if "secretRef" in source}
        for secret in sorted(secrets):
            lacks = [key for key in SECRET_KEYS if key not in seen.secrets.get(secret, SECRET_KEYS)]
            if secret not in seen.secrets:
                undo = faults.UNDO if older(seen, item) and any(secret not in secrets_of(one) for one in older(seen, item)) else None
                yield Finding(faults.SECRET, f"There is no Secret {secret}, which the pods of {name} need.", {"name": name}, name, undo)
            elif lacks and name in seen.releases:
                yield Finding(faults.SECRET, f"The Secret {secret}, which the pods of {name} need, lacks {' and '.join(lacks)}.", of=name)
        for config in sorted({source["configMapRef"]["name"] for source in sources if "configMapRef" in source} - maps):
            yield Finding(faults.CONFIG, f"There is no ConfigMap {config}, which the pods of {name} need.", of=name)


def older(seen: Seen, deployment: Item) -> list[Item]:
    """A Deployment's ReplicaSets before the newest that still have pods that are ready."""
    newest = {one["metadata"]["uid"] for one in Rollout(str(deployment["metadata"].get("labels", {}).get(INSTANCE)), seen.items).newest}
    sets = [item for item in seen.of("ReplicaSet") if owner(item) == deployment["metadata"]["uid"]]
    return [one for one in sets if one["metadata"]["uid"] not in newest and one.get("status", {}).get("readyReplicas")]


def secrets_of(workload: Item) -> set[str]:
    """The Secrets that a workload's pods mount."""
    volumes = workload.get("spec", {}).get("template", {}).get("spec", {}).get("volumes", [])
    return {volume["secret"]["secretName"] for volume in volumes if "secret" in volume}


def dns(seen: Seen) -> Iterator[Finding]:
    """The cluster's DNS: without it, services do not find each other."""
    coredns = next((item for item in seen.system if item["kind"] == "Deployment" and item["metadata"]["name"] == "coredns"), None)
    if coredns is None:
        return
    if coredns["spec"].get("replicas", 1) == 0:
        yield Finding(faults.DNS_SCALED, "The Deployment coredns in kube-system is scaled to 0: names are not resolved.")
    elif not coredns.get("status", {}).get("readyReplicas") and not seen.is_starting:
        conditions = coredns.get("status", {}).get("conditions", [])
        since: object = next((one.get("lastTransitionTime") for one in conditions if one["type"] == "Available" and one["status"] == "False"), None)
        pods_of_it = [item for item in seen.system if item["kind"] == "Pod" and item["metadata"]["name"].startswith("coredns-")]
        reasons = {container.get("state", {}).get("waiting", {}).get("reason", "") for pod in pods_of_it for container in statuses(pod)}
        why = sorted(reasons & (PULLING | NOT_STARTING | {"CrashLoopBackOff"}))
        if why or seen.ago(since) > DNS_SECONDS:
            yield Finding(faults.DNS, f"No pod of coredns in kube-system is ready{f' ({why[0]})' if why else ''}{seen.since(since)}.")


def limits(seen: Seen) -> Iterator[Finding]:
    """Quotas that are used up, and policies of somebody else's."""
    for item in seen.of("ResourceQuota"):
        hard, used = item.get("status", {}).get("hard", item["spec"].get("hard", {})), item.get("status", {}).get("used", {})
        of_pods = {what: (number(used.get(what, "0")), most) for what, most in hard.items() if OF_PODS.fullmatch(what)}
        full = [f"{what}={most}" for what, (now, most) in of_pods.items() if now > number(most) or not number(most)]
        if full:
            name = item["metadata"]["name"]
            yield Finding(faults.QUOTA, f"The ResourceQuota {name} leaves no room for pods: it allows {', '.join(full)}.", {"name": name}, of=name)
    labels = [item["spec"]["template"]["metadata"].get("labels", {}) for item in seen.of("Deployment")]
    for item in seen.of("NetworkPolicy"):
        name, spec = item["metadata"]["name"], item["spec"]
        wanted = (spec.get("podSelector") or {}).get("matchLabels", {})
        is_ours = item["metadata"].get("labels", {}).get("app.kubernetes.io/part-of") == "todochat"
        is_plain = not (spec.get("podSelector") or {}).get("matchExpressions")
        if is_plain and not is_ours and any(wanted.items() <= one.items() for one in labels):
            kinds = spec.get("policyTypes", ["Ingress"])
            ways = " and ".join({"Ingress": "what is asked of them", "Egress": "what they ask"}.get(kind, kind) for kind in kinds if not spec.get(kind.lower()))
            if ways:
                said = f"The NetworkPolicy {name} is not this deployment's, and holds back {ways}, where the cluster's network enforces policies."
                yield Finding(faults.POLICY, said, {"name": name}, of=name)


def releases(seen: Seen) -> Iterator[Finding]:
    """What Helm knows, and the Deployments that it has made."""
    listed = {entry["name"]: entry for entry in seen.helm}
    for name in seen.releases:
        entry, deployment = listed.get(name), seen.named("Deployment", name)
        if entry is None:
            yield Finding(faults.RELEASE, f"The release {name} is not installed.", of=name)
        elif entry["status"] != "deployed" and not (str(entry["status"]).startswith("pending") and helm_ago(seen, entry) < ROLLOUT_SECONDS):
            yield Finding(faults.RELEASE, f"Helm's revision {entry['revision']} of {name} is {entry['status']}.", of=name)
        elif deployment is None:
            yield Finding(faults.RELEASE, f"The Deployment {name} is not there, although Helm has installed it.", of=name)
        elif deployment["spec"].get("replicas", 1) == 0:
            yield Finding(faults.REPLICAS, f"The Deployment {name} is scaled to 0: it has no pods.", of=name)


def helm_ago(seen: Seen, entry: Item) -> float:
    """Seconds since Helm last did something for a release."""
    match = re.match(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)\S* ([+-]\d{4})", str(entry.get("updated", "")))
    return seen.ago(f"{match[1]}T{match[2]}{match[3][:3]}:{match[3][3:]}") if match else 0.0


def services(seen: Seen) -> Iterator[Finding]:
    """The Services of the releases, and where they lead."""
    slices = seen.of("EndpointSlice")
    for name in seen.releases:
        deployment, service = seen.named("Deployment", name), seen.named("Service", name)
        if deployment is None:
            continue
        is_outer = name == "frontend"
        if service is None:
            yield Finding(faults.SERVICE, f"There is no Service {name}{f': nothing leads to port {seen.port}' if is_outer else ''}.", of=name)
            continue
        ports = [port.get("nodePort") for port in service["spec"].get("ports", [])]
        if is_outer and seen.port not in ports and not seen.of_others:
            at = f"node port {', '.join(str(port) for port in ports if port)}" if any(ports) else "no node port"
            said = f"The Service {name} is of type {service['spec'].get('type')} with {at}, and port {seen.port} is the one that is published."
            yield Finding(faults.PORT_SERVICE, said, {"name": name}, of=name)
        mine = [one for one in slices if one["metadata"].get("labels", {}).get("kubernetes.io/service-name") == name]
        leads = any(one.get("conditions", {}).get("ready") is not False for part in mine for one in part.get("endpoints") or [])
        ready = [one for pod in Rollout(name, seen.items).pods if (one := condition(pod, "Ready")) and seen.ago(one["lastTransitionTime"]) > LEAD_SECONDS]
        if ready and not leads:
            yield Finding(faults.SELECTOR, f"The Service {name} leads to no pod, although {len(ready)} of {name} are ready.", {"name": name}, of=name)


# Pods


def pods(seen: Seen, known: set[Fault]) -> tuple[list[Finding], list[str]]:
    """What keeps pods from serving, by the rules of the roll-out's watch, and what only takes its time."""
    found: list[Finding] = []
    starting: list[str] = []
    for name in seen.releases:
        rollout = Rollout(name, seen.items)
        signs = [] if seen.is_starting else rollout.signs({})
        old = [one for item in rollout.deployments for one in older(seen, item)]
        # how the containers of a pod that was put out have ended is no fault of their own
        out = {pod["metadata"]["name"] for pod in rollout.pods if is_put_out(pod)}
        due = [sign for sign in signs if sign.where.partition("/")[0] not in out and age(seen, rollout, sign) >= patience(sign)]
        for sign in due:
            if told := named(seen, sign, known):
                fault, evidence = told
                undo = faults.UNDO if old and fault in UNDONE else None
                evidence += " Pods of the version before still serve." if undo else ""
                found.append(Finding(fault, evidence, {"name": name}, name, undo))
        for where in (where for pod in rollout.pods if (container := not_there_yet(pod)) and (where := f"{pod['metadata']['name']}/{container['name']}")):
            if (
                not seen.is_starting
                and where not in {sign.where for sign in due}
                and (told := of_lines(seen.lines.get(where, ()), f"{where} does not get ready.", known))
            ):
                found.append(Finding(*told, {"name": name}, name))
        found += overcome(seen, rollout)
        if not found and (problems := unfinished(rollout.deployments)) and not {faults.REPLICAS, faults.QUOTA} & known:
            waits = [what for what, pod in zip(rollout.doing(), rollout.pods, strict=True) if not_there_yet(pod) or not statuses(pod)]
            starting += ["; ".join([*problems, *waits])]
    return found, starting


def patience(sign: Sign) -> float:
    """Seconds for which a sign has to have been there: the roll-out's watch begins with it, and this comes later."""
    sure = bool(ANSWERED.search(sign.what)) if sign.kind == "readiness" else sign.patience <= PATIENCE
    return min(SHOWN_SECONDS, sign.patience) if sure else sign.patience


def age(seen: Seen, rollout: Rollout, sign: Sign) -> float:
    """Seconds since a sign has been there, by what Kubernetes has written down."""
    pod = next((one for one in rollout.pods if one["metadata"]["name"] == sign.where.partition("/")[0]), None)
    if sign.kind == "refused":
        refused = next(one for one in rollout.newest if one["metadata"]["name"] == sign.where)
        return max(seen.ago(one.get("lastTransitionTime")) for one in refused["status"]["conditions"] if one["type"] == "ReplicaFailure")
    if pod is None:
        return 0.0
    if sign.kind == "room":
        return seen.ago((condition(pod, "PodScheduled", "False") or {}).get("lastTransitionTime"))
    reason = {"volume": "FailedMount", "image": "Failed", "start": "Failed", "readiness": "Unhealthy"}.get(sign.kind, "")
    events = [e for e in seen.of("Event") if e["involvedObject"].get("uid") == pod["metadata"]["uid"] and e.get("reason") == reason]
    if sign.kind == "readiness":
        events = [event for event in events if "Readiness" in event.get("message", "")]
    first = min((seconds(e.get("firstTimestamp") or e.get("eventTime")) or seconds(e.get("lastTimestamp")) for e in events), default=0.0)
    if sign.kind == "readiness":
        unready = seen.ago((condition(pod, "Ready", "False") or {}).get("lastTransitionTime"))
        # a pod is unready from its beginning; without a word of its probe's, that may just have begun to ask
        return min(unready, seen.now - first) if first else unready - START_SECONDS
    return seen.now - first if first else seen.ago(pod["metadata"].get("creationTimestamp"))


def named(seen: Seen, sign: Sign, known: set[Fault]) -> tuple[Fault, str] | None:
    """Which fault a sign is of, with its evidence; None where it follows from another one that is known."""
    evidence = sentence(harmless(f"{sign.where} {sign.what}" if sign.kind == "readiness" else f"{sign.where}: {sign.what}"))
    lines = [line for where, said in seen.lines.items() if where == sign.where for line in said]
    if sign.kind == "room":
        return None if faults.CORDONED in known else (faults.ROOM, evidence)
    if sign.kind == "refused":
        return (None if faults.QUOTA in known else (faults.QUOTA, evidence)) if "exceeded quota" in sign.what else (faults.ADMISSION, evidence)
    if sign.kind == "image":
        lost = any(words in sign.what.lower() for words in ("not found", "notfound", "manifest unknown", "invalid"))
        return None if not lost and {faults.REGISTRY, faults.REGISTRY_ABSENT} & known else (faults.IMAGE if lost else faults.PULL, evidence)
    if sign.kind in ("start", "volume"):
        if "InvalidImageName" in sign.what or "ErrImageNeverPull" in sign.what:
            return faults.IMAGE, evidence
        if re.search(r"secret|references non-existent", sign.what, re.IGNORECASE):
            return None if {faults.SECRET, faults.UNDO} & known else (faults.SECRET, evidence)
        if "configmap" in sign.what.lower():
            return None if faults.CONFIG in known else (faults.CONFIG, evidence)
        return faults.START, evidence
    return of_lines(lines, evidence, known) or of_run(seen, sign, evidence, known)


def of_lines(lines: Iterable[str], evidence: str, known: set[Fault]) -> tuple[Fault, str] | None:
    """Which fault a container's own last lines tell; the newest line counts."""
    down = {faults.DATABASE, faults.DATABASE_PAUSED, faults.DATABASE_ABSENT} & known
    for line in reversed(list(lines)):
        for pattern, fault in SAID:
            if pattern.search(line) and not (down and fault is faults.DATABASE_REFUSES):
                return fault, f"{evidence} It says: {harmless(line)}"
    return None


def of_run(seen: Seen, sign: Sign, evidence: str, known: set[Fault]) -> tuple[Fault, str] | None:
    """The fault of a container that ends, or is not ready, whose own lines do not tell it."""
    if {faults.DATABASE, faults.DATABASE_PAUSED, faults.DATABASE_ABSENT} & known and sign.where.startswith("backend"):
        return None
    if sign.kind == "readiness":
        return None if {faults.DNS, faults.DNS_SCALED} & known else (faults.PROBE, evidence)
    if "OOMKilled" in sign.what:
        return faults.MEMORY, evidence
    last = next((line for line in reversed(list(seen.lines.get(sign.where, ()))) if line.strip()), "")
    return faults.CRASH, f"{evidence} Its last line: {harmless(last)}" if last else evidence


def is_put_out(pod: Item) -> bool:
    """Whether the kubelet has ended a pod for good, for what it used of the node; its ReplicaSet makes another."""
    return bool(pod.get("status", {}).get("reason") == "Evicted")


def overcome(seen: Seen, rollout: Rollout) -> Iterator[Finding]:
    """What a release's pods have just suffered, although they may serve again."""
    for pod in rollout.pods:
        for container in statuses(pod):
            ended = container.get("lastState", {}).get("terminated", {})
            if ended.get("reason") == "OOMKilled" and 0 < seen.ago(ended.get("finishedAt")) < RECENT_SECONDS:
                where = f"{pod['metadata']['name']}/{container['name']}"
                evidence = f"{where} was ended for using more memory than its limit{seen.since(ended['finishedAt'])}."
                yield Finding(faults.MEMORY, evidence, of=rollout.release)
        status = pod.get("status", {})
        out = condition(pod, "DisruptionTarget") or {}
        if is_put_out(pod) and seen.ago(out.get("lastTransitionTime") or status.get("startTime")) < RECENT_SECONDS:
            name = pod["metadata"]["name"]
            yield Finding(faults.EVICTED, sentence(f"The pod {name} was put out: {harmless(status.get('message', ''))}"), {"name": name}, of=rollout.release)


# What the pods make use of


def autoscalers(seen: Seen) -> Iterator[Finding]:
    """Autoscalers that cannot see what the pods use."""
    scalers = seen.of("HorizontalPodAutoscaler")
    server = next((item for item in seen.system if item["kind"] == "Deployment" and item["metadata"]["name"] == "metrics-server"), None)
    if not scalers or seen.is_starting:
        return
    if not seen.of_others and (server is None or server["spec"].get("replicas", 1) == 0):
        yield Finding(faults.METRICS, f"The Deployment metrics-server in kube-system is {'scaled to 0' if server else 'not there'}.")
        return
    for item in scalers:
        blind: Item = next((one for one in item.get("status", {}).get("conditions", []) if one["type"] == "ScalingActive" and one["status"] == "False"), {})
        lately = server is not None and seen.ago(server["metadata"].get("creationTimestamp")) < START_SECONDS
        if blind.get("reason", "").startswith("FailedGet") and seen.ago(blind.get("lastTransitionTime")) > LATER_SECONDS and not lately:
            yield Finding(faults.METRICS, sentence(f"The autoscaler {item['metadata']['name']}: {harmless(blind.get('message', ''))}"))


def provider(seen: Seen) -> Iterator[Finding]:
    """The language model's provider, where there is a key for one."""
    if not any(MODEL_KEY in keys for keys in seen.secrets.values()):
        return
    if seen.provider_problem:
        yield Finding(faults.PROVIDER, sentence(harmless(seen.provider_problem)))
    elif seen.notice:
        fault = next((fault for words, fault in NOTICES.items() if words in seen.notice), faults.LIMIT)
        if fault:  # a budget that is used up is as it was asked
            yield Finding(fault, sentence(harmless(seen.notice)))


def system_pods(seen: Seen, known: set[Fault]) -> Iterator[Finding]:
    """The cluster's own pods, but those of which something more exact is known."""
    told = {"coredns": {faults.DNS, faults.DNS_SCALED}}
    gone = {item["metadata"]["name"] for item in seen.of("Node") if condition(item, "Ready", "Unknown")}
    unready = set(unready_pods([item for item in seen.system if item["kind"] == "Pod"], {}))
    for item in seen.system:
        name = item["metadata"]["name"]
        if item["kind"] != "Pod" or name not in unready or any(name.startswith(begin) and of & known for begin, of in told.items()):
            continue
        if item.get("spec", {}).get("nodeName") in gone:
            continue
        since = (condition(item, "Ready", "False") or {}).get("lastTransitionTime") or item["metadata"].get("creationTimestamp")
        ended = "deletionTimestamp" in item["metadata"] or item.get("status", {}).get("phase") == "Succeeded"
        if not ended and seen.ago(since) > START_SECONDS:
            yield Finding(faults.SYSTEM, f"The pod {name} in kube-system is not ready{seen.since(since)}.")
