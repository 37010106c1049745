"""The faults that are known, each with its name, what it looks like, and the commands that mend it; docs/troubleshooting.md has them as a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from string import Formatter

from ansible_collections.todochat.platform.plugins.module_utils.cluster.moved import SERVE

MOVE_BACK = "make move TO=inventory/local.yml ARGS='-i inventory/work.yml -e replace=todo'"
PLACES = {"kubectl": "kubectl -n todo", "system": "kubectl -n kube-system", "deployment": "todo", "database": "todo-database", "back": MOVE_BACK}
"""What stands for a place of a command in the documentation; a place that is not here is written in capitals."""


@dataclass(frozen=True)
class Fault:
    """A kind of fault. ``mends`` are commands, to be given in this order, with places such as ``{name}``."""

    name: str
    looks: str
    mends: tuple[str, ...]

    def commands(self, places: dict[str, str]) -> list[str]:
        """The commands with all places filled in."""
        return [command.format(**places) for command in self.mends]

    def row(self) -> str:
        """The fault in the table of the documentation."""
        named = {place: PLACES.get(place, place.upper()) for command in self.mends for _text, place, *_unused in Formatter().parse(command) if place}
        return f"| `{self.name}` | {self.looks} | {', then '.join(f'`{command.format(**named)}`' for command in self.mends)} |"


@dataclass(frozen=True)
class Finding:
    """A fault that is there: what shows it, and what the places of its commands are filled with."""

    fault: Fault
    evidence: str
    places: dict[str, str] = field(default_factory=dict)
    of: str = ""
    """What it is about where several parts may have it, such as the pods of a release: it is told once for each."""
    by: Fault | None = None
    """Another one, whose commands mend this one as it is."""

    def commands(self, places: dict[str, str]) -> list[str]:
        """What mends it."""
        return (self.by or self.fault).commands(places | self.places)


# In the order in which they are told: what others follow from comes first.
DOCKER = Fault("docker", "Docker does not answer", ("make start",))
DOCKER_ABSENT = Fault("docker", "Docker does not answer, and nothing was made with it yet", ("make doctor", "make up"))
FOREIGN = Fault("cluster", "the node's container is not this deployment's", ("make up ARGS='-e deployment_name=NAME'",))
ABSENT = Fault("cluster", "there is no cluster, or it was not made to its end", ("make up",))
UNREACHED = Fault("cluster", "a cluster that others run does not answer, or not to this account any more", ("make up ARGS='--tags existing_cluster'",))
CLOCK = Fault("clock", "this machine's clock differs from Docker's, or from what the cluster has written", ("sudo timedatectl set-ntp true", "make start"))
DISK = Fault("disk", "a file system of this machine, or of the node, is full", ("docker system df", "docker image prune"))
NODE_STOPPED = Fault("node", "the node's container is stopped", ("make start",))
NODE_PAUSED = Fault("node", "the node's container is paused", ("docker unpause {deployment}",))
NODE_PART = Fault("node", "kubelet or containerd does not run in the node", ("make start",))
API = Fault("node", "the node runs, and its Kubernetes does not answer", ("make start",))
NOT_READY = Fault("node", "Kubernetes says that the node is not ready", ("make logs ARGS='-e service=cluster'", "make start"))
CERTIFICATE = Fault("certificate", "a certificate of the cluster's has run out, will within a week, or is not valid yet", ("make stop", "make start"))
REGISTRY = Fault("registry", "the registry's container is stopped", ("make start",))
REGISTRY_ABSENT = Fault("registry", "there is no container of the registry, or it does not answer", ("make up ARGS='--tags image_registry'",))
DATABASE = Fault("database", "the database's container is stopped, or not healthy", ("make start",))
DATABASE_PAUSED = Fault("database", "the database's container is paused", ("docker unpause {database}",))
DATABASE_ABSENT = Fault("database", "there is no container of the database", ("make up ARGS='--tags database'",))
DATABASE_REFUSES = Fault(
    "database",
    "the database runs, and the backend does not reach it, or is refused for another reason than its password",
    ("make logs ARGS='-e service=backend,database'",),
)
PASSWORD = Fault(
    "secret",
    "the database does not take the password in the Secret",
    ("make up ARGS='--tags app_secrets'", "{kubectl} rollout restart deployment/{name}"),
)
SECRET = Fault("secret", "a Secret that the pods need is not there, or lacks a key", ("make up ARGS='--tags app_secrets,app_release'",))
CONFIG = Fault("configuration", "a ConfigMap that the pods need is not there", ("make up ARGS='--tags app_release'",))
DNS_SCALED = Fault("dns", "CoreDNS is scaled to 0", ("{system} scale deployment/coredns --replicas=1",))
DNS = Fault("dns", "no pod of CoreDNS is ready, so that the services do not find each other", ("{system} rollout restart deployment/coredns",))
SYSTEM = Fault("cluster", "another of the cluster's own pods is not ready", ("make logs ARGS='-e service=cluster'", "make start"))
QUOTA = Fault("quota", "a ResourceQuota leaves no room for the pods", ("{kubectl} delete resourcequota/{name}",))
ADMISSION = Fault("admission", "the API server refuses the pods, as Pod Security does", ("make up ARGS='--tags app_release'",))
POLICY = Fault("network policy", "a NetworkPolicy that is not this deployment's holds back its pods", ("{kubectl} delete networkpolicy/{name}",))
CORDONED = Fault("scheduling", "the node takes no new pods (cordoned)", ("{kubectl} uncordon {name}",))
UNDO = Fault(
    "rollout",
    "what is wrong with new pods, by one of the names here, while pods of the version before still serve",
    ("{kubectl} rollout undo deployment/{name}",),
)
ROOM = Fault(
    "scheduling", "no node takes a pod: CPU, memory, or what else it asks for", ("make up ARGS='-e minikube_on_drift=recreate -e minikube_memory=MIB'",)
)
IMAGE = Fault("image", "the registry does not have a pod's image", ("make up ARGS='--tags app_images,app_release'",))
PULL = Fault("image", "a pod's image cannot be pulled", ("make up ARGS='--tags image_registry'",))
MEMORY = Fault("memory", "a container was ended for using more memory than its limit", ("make logs ARGS='-e service=backend,frontend'", "make up"))
SCHEMA = Fault("schema", "the database's schema is one that the image does not know", ("make rollback",))
CRASH = Fault("crash", "a container ends again and again", ("make logs ARGS='-e service=backend,frontend'", "make up"))
START = Fault("start", "a container cannot be started, or a volume not be mounted", ("{kubectl} describe pods", "make up"))
PROBE = Fault("probe", "a container runs, and its readiness probe does not succeed", ("make logs ARGS='-e service=backend,frontend'", "make up"))
EVICTED = Fault("disk", "a pod was put out for what it had written", ("{kubectl} delete pod/{name}",))
RELEASE = Fault("release", "a release is not installed, or was not finished", ("make up",))
MOVED = Fault("moved", "people have moved to another deployment, and nothing is served here", ("{back}",))
MOVING = Fault("moved", "a move to another deployment has not ended, and nothing is served here meanwhile", (SERVE,))
REPLICAS = Fault("scale", "a Deployment is scaled to 0", ("make up ARGS='--tags app_release'",))
SERVICE = Fault("service", "a Service is not there", ("make up ARGS='--tags app_release'",))
SELECTOR = Fault("service", "a Service leads to none of the pods that are ready", ("{kubectl} delete service/{name}", "make up ARGS='--tags app_release'"))
PORT_TAKEN = Fault("port", "the port on this machine belongs to another program, so that the node cannot start: end that program", ("make start",))
PORT_UNPUBLISHED = Fault("port", "the node does not publish the port on this machine", ("make down", "make up"))
PORT_SERVICE = Fault(
    "port", "the frontend's Service is not at the port that the node publishes", ("{kubectl} delete service/{name}", "make up ARGS='--tags app_release'")
)
PORT_SILENT = Fault("port", "all is ready, and nothing answers at the port", ("make stop", "make start"))
METRICS = Fault("metrics", "the autoscaler has no metrics, so that it adds no pods", ("make up ARGS='--tags metrics_server'",))
PROVIDER = Fault("provider", "the language model's provider cannot be reached", ("make up ARGS='-e app_release_model_url=URL'",))
KEY = Fault("provider", "the provider refuses the key", ("make vault DO=edit ARGS='-e secret=model_api_key'", "make up"))
LIMIT = Fault("provider", "the model is over its limit, too slow, withdrawn, or its answers could not be used", ("make status",))

FAULTS = tuple(value for value in globals().values() if isinstance(value, Fault))

OF_THE_APPLICATION = {
    *(UNREACHED, DATABASE_REFUSES, PASSWORD, SECRET, CONFIG, ADMISSION, UNDO, IMAGE, MEMORY, SCHEMA, CRASH, START, PROBE, EVICTED, RELEASE, REPLICAS),
    *(MOVED, MOVING, SERVICE, SELECTOR, PROVIDER, KEY, LIMIT),
}
"""What their own commands mend also on a cluster that others run; for the rest there is THEIRS."""
THEIRS = "tell whoever runs the cluster"


def table(faults: Iterable[Fault] = FAULTS) -> str:
    """All faults, as docs/troubleshooting.md has them."""
    return "\n".join(["| name | what is wrong | what mends it |", "|---|---|---|", *(fault.row() for fault in faults)]) + "\n"
