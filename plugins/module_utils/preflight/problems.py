"""What must be so before anything is touched: what was asked against what this machine is. Pure; the module observes."""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.database.roles import verifies
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import LABEL, NODE_LABEL, refusal
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import ARCHITECTURES, Artifact

OLDEST_ENGINE = 24
RELEASES = ("12", "13")
TESTED_ARCHITECTURE = "x86_64"
UNTESTED = "This machine {}: all of it may work here, but nobody has tested it."
RECOMMENDED_CORES = 4
# minikube v1.38 itself refuses less: cmd/minikube/cmd/start_flags.go, minimumCPUS and minUsableMem
LEAST_CORES = 2
LEAST_MEMORY = 1800
MEMORY_BESIDE = 1024
"""MiB beside the nodes: Docker, the registry, PostgreSQL, the system."""
NODE_PORTS = range(30000, 32768)
INOTIFY_INSTANCES = 40
"""What the systemd, containerd, kubelet and pods of each node hold, of those that root may have: 26 measured, with room for more pods."""
# What a node in a privileged container uses; <linux/capability.h>. CAP_SYS_RESOURCE is not among it: the node image does without.
CAPABILITIES = {
    "CHOWN": 0,
    "DAC_OVERRIDE": 1,
    "FOWNER": 3,
    "KILL": 5,
    "SETGID": 6,
    "SETUID": 7,
    "SETPCAP": 8,
    "NET_ADMIN": 12,
    "NET_RAW": 13,
    "SYS_CHROOT": 18,
    "SYS_ADMIN": 21,
    "MKNOD": 27,
}
# MiB, measured with `du` on amd64 and rounded up
BUILD_CACHE = 11 * 1024
"""Go's module cache (4.5 GB), build cache (5.8 GB) and toolchain (0.3 GB) when the last program is built."""
STORED_FILE = 100
STORED_IMAGE = 250
"""On average in a store of 2.5 GB, with what an image's root file system takes twice while it is assembled."""
DOCKER = 4 * 1024
"""The images loaded and built, the node's volume and the registry's after a first run: 3.2 GB."""
DOCKER_NODE = 2 * 1024
"""What each further node's volume takes, by the sizes of the programs and images that come there."""
DOCKER_LATER = 1024
"""What newly built images take where the cluster is there."""
CLUSTER_CACHE = 1024
"""Minikube's cache of programs and image archives: 0.8 GB."""


@dataclass(frozen=True)
class Wanted:
    """What was asked. ``cpus`` and ``memory``, in MiB, are of each node; ``addresses`` and ``endpoints`` are named by their variables."""

    deployment: str = "todo"
    registry: str = "todo-registry"
    database: str = "todo-database"
    """The database's container; empty where the database is an external one."""
    subnet: str = "192.168.85.0/24"
    addresses: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    node_port: int = 30000
    cpus: int = 2
    memory: int = 6144
    nodes: int = 1
    replace_older: bool = False
    login: str = "todo_app"
    password: str = field(default="", repr=False)
    reset_password: bool = False


@dataclass(frozen=True)
class Machine:
    """What this machine is. ``memory`` is in MiB."""

    architecture: str
    distribution: str
    release: str
    pretty_name: str
    cores: int
    memory: int
    routes: tuple[str, ...] = ()
    occupants: Mapping[str, str] = field(default_factory=dict)
    """Who listens at an endpoint that cannot be had."""
    inotify_instances: int = 1 << 16
    """Those that root may still have."""
    installed_engine: str = ""
    stand_in: str = ""
    """What there is in Docker's place."""
    missing_packages: tuple[str, ...] = ()
    apt_knows_debian: bool = True


@dataclass(frozen=True)
class Engine:
    """The Docker engine that answers, by its API's own words, and whether the cluster in it was made by this deployment."""

    info: Mapping[str, Any]
    networks: Sequence[Mapping[str, Any]] = ()
    containers: Sequence[Mapping[str, Any]] = ()
    volumes: Sequence[str] = ()
    capabilities: int | None = None
    """Bounding set of the daemons that start containers; None where they cannot be seen."""
    nodes: Collection[str] = ()
    """The containers of the nodes of the cluster that this deployment has made, or begun."""
    verifier: str | None = None
    """What the database stores of the login's password; None where that cannot be asked, or where the login is not in use."""

    def owns(self, deployment: str, labels: Mapping[str, str] | None) -> bool:
        """Whether something with these labels is the deployment's."""
        found = labels or {}
        return found.get(LABEL) == deployment or found.get(NODE_LABEL) in self.nodes


@dataclass(frozen=True)
class Space:
    """The file system that a path is on, or will be on. ``free`` is in MiB."""

    mount: str
    free: int


def problems(wanted: Wanted, machine: Machine, engine: Engine | None, cluster_is_made: bool) -> list[UserError]:
    """All that is wrong. ``engine`` is None where none answers."""
    found = [*asked_problems(wanted), *system_problems(wanted, machine)]
    if not cluster_is_made:
        found += [*size_problems(wanted, machine), *address_problems(wanted)]
    if engine:
        found += [*engine_problems(engine), *owner_problems(wanted, engine), *moved_problems(wanted, engine), *database_problems(wanted, engine)]
    return [*found, *port_problems(wanted, machine, engine), *subnet_problems(wanted, machine, engine)]


def warnings(machine: Machine, engine: Engine | None, cluster_is_made: bool, nodes: int = 1) -> list[str]:
    """What works, but not well, or was never tried; said while the cluster is still to be made."""
    said = [UNTESTED.format(what) for what in untested(machine)] if not cluster_is_made else []
    if not cluster_is_made and LEAST_CORES <= machine.cores < RECOMMENDED_CORES:
        said.append(f"This machine has {machine.cores} cores; with {RECOMMENDED_CORES} all of it is faster.")
    if not cluster_is_made and machine.inotify_instances < (instances := nodes * INOTIFY_INSTANCES):
        said.append(
            f"This machine leaves root {machine.inotify_instances} inotify instances, and a cluster takes up to {instances}: where the node "
            "does not become ready, raise the limit with `sudo sysctl fs.inotify.max_user_instances=512`."
        )
    if not cluster_is_made and engine and engine.info.get("Driver") == "vfs":
        said.append("Docker stores images with the driver vfs, which copies each layer whole: slow, and several times as large.")
    return said


def untested(machine: Machine) -> list[str]:
    """What of this machine the tests know nothing of. What is known not to work is said as a problem."""
    found = []
    if machine.distribution != "debian" or machine.release not in RELEASES:
        found.append(f"is {machine.pretty_name}, and not Debian {' or '.join(RELEASES)}")
    if machine.architecture in ARCHITECTURES and machine.architecture != TESTED_ARCHITECTURE:
        found.append(f"has the architecture {machine.architecture}, and not {TESTED_ARCHITECTURE}")
    return found


def asked_problems(wanted: Wanted) -> list[UserError]:
    """Values that fit no machine."""
    found = []
    if not re.fullmatch("[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", wanted.deployment):
        found.append(
            UserError(
                f"deployment_name={wanted.deployment} cannot name a Kubernetes namespace and its companions.",
                "Choose up to 40 lower-case letters, digits and hyphens, with no hyphen at either end.",
            )
        )
    if wanted.node_port not in NODE_PORTS:
        found.append(
            UserError(
                f"deployment_frontend_port={wanted.node_port} is not a port that Kubernetes publishes.",
                f"Choose one from {NODE_PORTS[0]} to {NODE_PORTS[-1]}.",
            )
        )
    if wanted.cpus < LEAST_CORES:
        found.append(UserError(f"minikube_cpus={wanted.cpus} is too little for Kubernetes.", f"Ask for {LEAST_CORES} or more."))
    if wanted.memory < LEAST_MEMORY:
        found.append(UserError(f"minikube_memory={wanted.memory} (MiB) is too little for Kubernetes.", f"Ask for {LEAST_MEMORY} or more."))
    if wanted.nodes < 1:
        found.append(UserError(f"minikube_nodes={wanted.nodes} is no number of nodes.", "Ask for 1 or more."))
    return found


def system_problems(wanted: Wanted, machine: Machine) -> list[UserError]:
    """A machine for which nothing is made, or on which Docker cannot be installed."""
    found = []
    if machine.architecture not in ARCHITECTURES:
        found.append(
            UserError(
                f"This machine's architecture is {machine.architecture}, for which there are no artifacts.",
                f"Use a machine of {' or '.join(ARCHITECTURES)}.",
            )
        )
    if machine.stand_in:
        return [*found, refusal(machine.stand_in)]
    major = re.match(r"\d+", machine.installed_engine)
    if major and int(major[0]) < OLDEST_ENGINE and not wanted.replace_older:
        found.append(
            UserError(
                f"Docker {machine.installed_engine} is installed, and {OLDEST_ENGINE} or newer is needed.",
                "Upgrade it the way it was installed, or "
                "with -e container_engine_replace_older=true have it replaced by Debian's, which stops its containers meanwhile.",
            )
        )
    if not machine.missing_packages:
        return found
    missing = ", ".join(machine.missing_packages)
    if machine.distribution != "debian" or machine.release not in RELEASES:
        found.append(
            UserError(
                f"This is {machine.pretty_name}, and {missing}, which is missing here, is installed on Debian {' and '.join(RELEASES)} only.",
                f"Install Docker {OLDEST_ENGINE} or newer with buildx and compose, then run this again.",
            )
        )
    elif not machine.apt_knows_debian:
        found.append(
            UserError(
                f"apt has no source for this release's main archive, so {missing} cannot be installed.",
                "Configure one in /etc/apt/sources.list.d (`apt-get indextargets` shows what apt knows).",
            )
        )
    return found


def size_problems(wanted: Wanted, machine: Machine) -> list[UserError]:
    """Too little CPU or memory for the cluster that is to be made."""
    found = []
    if machine.cores < LEAST_CORES:
        found.append(UserError(f"This machine has {machine.cores} core, and Kubernetes needs {LEAST_CORES}.", "Use a machine with more."))
    elif wanted.cpus > machine.cores:
        found.append(
            UserError(
                f"minikube_cpus={wanted.cpus} asks for more cores than this machine has ({machine.cores}).",
                f"Run it with -e minikube_cpus={machine.cores} or less.",
            )
        )
    most = (machine.memory - MEMORY_BESIDE) // max(1, wanted.nodes)
    if wanted.memory > most:
        several = wanted.nodes > 1
        each = f" for each of minikube_nodes={wanted.nodes}" if several else ""
        larger = "Use a machine with more memory, or fewer nodes." if several else "Use a machine with 8 GB of memory or more."
        found.append(
            UserError(
                f"minikube_memory={wanted.memory}{each} asks for more than this machine can give ({machine.memory} MiB, "
                f"of which {MEMORY_BESIDE} are for what runs beside the cluster).",
                f"Run it with -e minikube_memory={most} or less." if most >= LEAST_MEMORY else larger,
            )
        )
    return found


def address_problems(wanted: Wanted) -> list[UserError]:
    """Addresses that minikube gives to the nodes, the first ones after the gateway's, and that are asked for something else."""
    try:
        addresses = {name: ipaddress.IPv4Address(address) for name, address in wanted.addresses.items()}
    except ValueError:
        return []  # subnet_problems says it
    gateway = addresses.pop("deployment_gateway", None)
    return [
        UserError(
            f"{name}={address} is that of a node: minikube gives them the first {wanted.nodes} after deployment_gateway={gateway}.",
            f"Choose another address, with -e {name}=..., or another gateway.",
        )
        for name, address in addresses.items()
        if gateway and 1 <= int(address) - int(gateway) <= wanted.nodes
    ]


def engine_problems(engine: Engine) -> list[UserError]:
    """A Docker that answers but cannot run a node."""
    options = {option.split(",")[0].removeprefix("name=") for option in engine.info.get("SecurityOptions") or []}
    remedy = "Run Docker as root without user namespaces (take userns-remap out of /etc/docker/daemon.json), or use another machine."
    found = [
        UserError(f"Docker runs {how}, in which a cluster's node cannot be privileged.", remedy)
        for option, how in (("rootless", "rootless"), ("userns", "with userns-remap"))
        if option in options
    ]
    if engine.capabilities is not None:
        lacking = [f"CAP_{name}" for name, bit in CAPABILITIES.items() if not engine.capabilities >> bit & 1]
        if lacking:
            found.append(
                UserError(
                    f"Docker runs without {', '.join(lacking)}, which a cluster's node needs.",
                    "Start Docker with all capabilities (where it runs in a container, that one has to be privileged).",
                )
            )
    return found


def owner_problems(wanted: Wanted, engine: Engine) -> list[UserError]:
    """What has our names but is somebody else's."""
    ours = (wanted.deployment, *(f"{wanted.deployment}-m{number:02}" for number in range(2, wanted.nodes + 1)), wanted.registry, wanted.database)
    taken = [
        ("container", name, container.get("Labels"))
        for container in engine.containers
        for name in (path.removeprefix("/") for path in container["Names"])
        if name in ours
    ]
    taken += [("Docker network", network["Name"], network.get("Labels")) for network in engine.networks if network["Name"] == wanted.deployment]
    return [
        UserError(
            f"A {kind} named {name} exists that this deployment did not make{', a minikube profile' if NODE_LABEL in (labels or {}) else ''}.",
            f"Choose another deployment_name than {wanted.deployment}, or remove that {kind.split()[-1]} yourself; it was not touched.",
        )
        for kind, name, labels in taken
        if not engine.owns(wanted.deployment, labels)
    ]


def database_problems(wanted: Wanted, engine: Engine) -> list[UserError]:
    """A vault that does not fit the existing database, or that is gone while the data is still there."""
    if not wanted.database or wanted.reset_password:
        return []
    if not wanted.password and (engine.verifier or wanted.database in engine.volumes):
        return [
            UserError(
                f"There is data in the volume {wanted.database}, but not the vault that holds its password.",
                "Put the vault back where it was, or with -e database_reset_password=true have a new one made whose password the database is given.",
            )
        ]
    if engine.verifier and not verifies(engine.verifier, wanted.password):
        return [
            UserError(
                f"The database {wanted.database} holds data whose login {wanted.login} has another password than the vault says.",
                "Put the vault back that belongs to it, or with -e database_reset_password=true give the login the vault's password.",
            )
        ]
    return []


def port_problems(wanted: Wanted, machine: Machine, engine: Engine | None) -> list[UserError]:
    """Ports on this machine that are taken by anything but this deployment's own containers."""
    found = []
    for variable, endpoint in wanted.endpoints.items():
        host, _unused, port = endpoint.rpartition(":")
        publishing = [
            container
            for container in (engine.containers if engine else ())
            if any(
                str(published.get("PublicPort")) == port and published.get("IP") in (host, "0.0.0.0", "::", "", None)
                for published in container.get("Ports") or []
            )
        ]
        if publishing:
            foreign = [container for container in publishing if engine and not engine.owns(wanted.deployment, container.get("Labels"))]
            occupant = f"the container {foreign[0]['Names'][0].removeprefix('/')}" if foreign else ""
        else:
            occupant = machine.occupants.get(endpoint, "")
        if occupant:
            found.append(
                UserError(
                    f"Port {port} at {host}, which {variable} asks for, is taken by {occupant}.",
                    f"Stop that, or choose another with -e {variable}={'127.0.0.1:PORT' if variable.endswith('endpoint') else 'PORT'} instead.",
                )
            )
    return found


def moved_problems(wanted: Wanted, engine: Engine) -> list[UserError]:
    """Another address than that by which a cluster that is there knows its images, the registry or the way out."""
    names = {name.removeprefix("/"): container for container in engine.containers for name in container["Names"]}
    if wanted.deployment not in names:
        return []
    registry = names.get(wanted.registry, {})
    published = {f"{port.get('IP')}:{port['PublicPort']}" for port in registry.get("Ports") or [] if port.get("PublicPort")}
    joined = registry.get("NetworkSettings", {}).get("Networks", {}).get(wanted.deployment) or {}
    address = (joined.get("IPAMConfig") or {}).get("IPv4Address") or joined.get("IPAddress")  # a container that stands still has the first alone
    networks = [network["IPAM"].get("Config") or [] for network in engine.networks if network["Name"] == wanted.deployment]
    gateways = {config["Gateway"] for configs in networks for config in configs if config.get("Gateway")}
    asked = {**wanted.endpoints, **wanted.addresses}
    return [
        UserError(
            f"{variable}={asked[variable]}, but {what} {' and '.join(sorted(there))}, where it finds {it}.",
            f"Leave it at {variable}={min(there)}, or take the cluster away before (`make down`): images, data and vault stay.",
        )
        for variable, there, what, it in (
            ("image_registry_endpoint", published, "the images of the cluster that is there are named by", "them"),
            ("deployment_registry_address", {str(address)} if address else set[str](), "the cluster that is there has its registry at", "it"),
            ("deployment_gateway", gateways, "the cluster that is there has its gateway at", "it"),
        )
        if variable in asked and there and asked[variable] not in there
    ]


def subnet_problems(wanted: Wanted, machine: Machine, engine: Engine | None) -> list[UserError]:
    """A network that cannot be made as asked, because it is none, or because its addresses are in use."""
    try:
        subnet = ipaddress.ip_network(wanted.subnet)
        outside = [f"{name}={address}" for name, address in wanted.addresses.items() if ipaddress.ip_address(address) not in subnet]
    except ValueError as error:
        return [UserError(f"deployment_subnet={wanted.subnet} or an address in it is not valid: {error}.", "Give it like 192.168.85.0/24.")]
    if outside:
        return [
            UserError(
                f"{' and '.join(outside)} {'lies' if len(outside) == 1 else 'lie'} outside deployment_subnet={subnet}.",
                f"Give {', '.join(wanted.addresses)} addresses in it.",
            )
        ]
    networks = engine.networks if engine else ()
    subnets = {network["Name"]: [config["Subnet"] for config in network["IPAM"].get("Config") or []] for network in networks}
    own = subnets.pop(wanted.deployment, None)  # whose it is, owner_problems says
    if own is not None:
        if own == [str(subnet)]:
            return []
        return [
            UserError(
                f"The Docker network {wanted.deployment} has the subnet {', '.join(own) or 'of nobody'}, and deployment_subnet asks for {subnet}.",
                "Ask for what is there, or take it away with `make down`, then `make up` makes both anew; the data stays.",
            )
        ]
    uses = [(f"the Docker network {name} ({other})", other) for name, others in subnets.items() for other in others]
    known = {other for _unused, other in uses}
    # One that leads to public addresses and private ones alike is a piece of a default route, as tunnels make them of two halves.
    others = (route for route in machine.routes if route not in known and (ipaddress.ip_network(route).is_private or not subnet.is_private))
    uses += [(f"a route of this machine ({route})", route) for route in others]
    return [
        UserError(
            f"deployment_subnet={subnet} overlaps {what}.",
            f"Choose a free range with -e deployment_subnet=..., and in it {', '.join(wanted.addresses)}.",
        )
        for what, other in uses
        if (network := ipaddress.ip_network(other, strict=False)).version == subnet.version and network.overlaps(subnet)
    ]


def store_need(missing: Iterable[Artifact]) -> int:
    """MiB that the missing artifacts will take in the store."""
    return sum(STORED_IMAGE if "suite" in artifact.build.get("image", {}) else STORED_FILE for artifact in missing)


def build_need(to_build: Iterable[Artifact], every: Iterable[Artifact], kept: int) -> int:
    """MiB that compilers will add to their caches, where ``kept`` MiB are there from a broken-off build."""

    def seconds(artifacts: Iterable[Artifact]) -> int:
        return sum(artifact.seconds for artifact in artifacts if "go" in artifact.build)

    share = seconds(to_build) / max(1, seconds(every))
    return round(max(0, min(BUILD_CACHE * share, BUILD_CACHE - kept)))


def disk_problems(phases: Iterable[Mapping[str, int]], spaces: Mapping[str, Space]) -> list[UserError]:
    """File systems with too little space. A phase is what is needed at one time, in MiB by path; ``spaces`` knows each path."""
    needed: dict[Space, tuple[int, list[str]]] = {}
    for phase in phases:
        sums: dict[Space, int] = defaultdict(int)
        for path, size in phase.items():
            sums[spaces[path]] += size
        for space, total in sums.items():
            if total > needed.get(space, (0, []))[0]:
                needed[space] = (total, [f"{path} {gigabytes(size)}" for path, size in phase.items() if spaces[path] == space and size])
    return [
        UserError(
            f"The file system {space.mount} has {gigabytes(space.free)} free, and {gigabytes(total)} are needed.",
            "Free space there, or put the store and the build cache elsewhere with -e artifact_store=... and -e bundle_build_cache=... instead.",
            "Needed for " + ", ".join(parts) + ".",
        )
        for space, (total, parts) in needed.items()
        if total > space.free
    ]


def gigabytes(mebibytes: int) -> str:
    return f"{mebibytes / 1024:.1f} GB"
