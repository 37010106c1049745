#!/usr/bin/python
# MIT (see LICENSE), or GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt), as you choose.
# SPDX-License-Identifier: MIT OR GPL-3.0-or-later
"""Ansible module: what was asked fits this machine, said before anything is touched."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: What was asked fits this machine
description:
  - Compares what was asked with the machine, its Docker and the database, and fails with all that stands in the way at
    once. Changes nothing, in check mode or not.
  - The action plugin of this name fills the options in, by the variables of all roles.
  - Needs root, because the engine's socket and other users' processes do.
options:
  deployment: {type: str, required: true, description: 'Name of the deployment, of its network and of its profile.'}
  registry: {type: str, required: true, description: The registry's container.}
  endpoints:
    description: Where something will listen on this machine (host:port), by the variable that says so.
    type: dict
    required: true
  node_port: {type: int, required: true, description: The frontend's port on the node.}
  subnet: {type: str, required: true, description: 'The network''s subnet, in CIDR notation.'}
  addresses: {type: dict, required: true, description: 'Addresses that lie in it, by the variable that gives them.'}
  cpus: {type: int, required: true, description: CPUs of each node.}
  memory: {type: int, required: true, description: 'Memory of each node, in MiB.'}
  nodes: {type: int, required: true, description: Number of nodes.}
  kubernetes_version: {type: str, required: true, description: Kubernetes version of a cluster that is to be made.}
  minikube_state: {type: str, required: true, description: 'The state that is asked of the cluster, as for M(todochat.platform.minikube).'}
  on_drift: {type: str, required: true, description: 'Whether a cluster that differs is made anew (C(recreate)).'}
  minikube_user: {type: str, required: true, description: The user who runs minikube; need not exist yet.}
  minikube_home: {type: path, required: true, description: 'The MINIKUBE_HOME; a leading ~USER is filled in where the user exists.'}
  lock: {type: path, required: true, description: The lock file.}
  store: {type: path, required: true, description: The folder that holds finished artifacts.}
  build_cache: {type: path, required: true, description: The folder for compiler caches.}
  source: {type: str, required: true, description: 'Where artifacts come from, as for M(todochat.platform.artifact).'}
  optional:
    description: 'Artifacts that are wanted besides, of those that the lock file calls optional, as for M(todochat.platform.artifact).'
    type: list
    elements: str
    required: true
  replace_older: {type: bool, required: true, description: Whether an engine older than 24 may be replaced.}
  database: {type: str, required: true, description: The database's container and volume; empty where it is an external one.}
  owner: {type: str, required: true, description: Role that owns the database.}
  login: {type: str, required: true, description: Role that logs in.}
  password: {type: str, required: true, description: 'Its password; empty where there is no vault yet.'}
  reset_password: {type: bool, required: true, description: Whether a login that has another password is given this one.}
  chart_values:
    description: The files of the charts' own values.
    type: dict
    required: true
    suboptions:
      backend: {type: path, required: true, description: That of the backend.}
      frontend: {type: path, required: true, description: That of the frontend.}
  values: {type: dict, required: true, description: 'For each service, values over its chart''s own.'}
  tags: {type: list, elements: str, required: true, description: 'What the run was limited to, as in C(ansible_run_tags).'}
  skip_tags: {type: list, elements: str, required: true, description: 'What the run leaves out, as in C(ansible_skip_tags).'}
  kubectl: {type: path, required: true, description: The kubectl program.}
  helm: {type: path, required: true, description: The helm program.}
  minikube: {type: path, required: true, description: The minikube program.}
  kubeconfig: {type: path, required: true, description: How to reach the cluster.}
author: todochat (@todochat)
"""

EXAMPLES = r"""
- name: What was asked fits this machine
  ansible.builtin.import_role:
    name: todochat.platform.preflight
"""

RETURN = r"""
warnings: {type: list, elements: str, returned: always, description: 'What works, but not well.'}
"""

import os
import platform
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import StuckProgramError, run
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError, fail, together, told
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.cluster.profile import Minikube, differs, not_locked
from ansible_collections.todochat.platform.plugins.module_utils.database.roles import NOTHING, PSQL, QUIETLY, Actual, observation
from ansible_collections.todochat.platform.plugins.module_utils.database.roles import Wanted as WantedRoles
from ansible_collections.todochat.platform.plugins.module_utils.images.pushed import Pushed
from ansible_collections.todochat.platform.plugins.module_utils.images.registry import registry
from ansible_collections.todochat.platform.plugins.module_utils.machine import apt, docker_engine, host
from ansible_collections.todochat.platform.plugins.module_utils.preflight import capacity, needs
from ansible_collections.todochat.platform.plugins.module_utils.preflight.problems import (
    CLUSTER_CACHE,
    DOCKER,
    DOCKER_LATER,
    DOCKER_NODE,
    LEAST_CORES,
    LEAST_MEMORY,
    Engine,
    Machine,
    Space,
    Wanted,
    build_need,
    disk_problems,
    problems,
    store_need,
    warnings,
)
from ansible_collections.todochat.platform.plugins.module_utils.store import supplies
from ansible_collections.todochat.platform.plugins.module_utils.store.download import Source
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import ARCHITECTURES, Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store

RELEASES = ("backend", "frontend")
SECRET = "backend-secrets"
DATABASE_SECONDS = 20
LISTENS = "0A"  # the state of a socket in /proc/net/tcp
PARAMETERS: dict[str, dict[str, Any]] = {
    **{
        name: {"type": "str", "required": True}
        for name in ("deployment", "registry", "subnet", "kubernetes_version", "minikube_state", "on_drift", "minikube_user")
    },
    **{name: {"type": "str", "required": True} for name in ("source", "database", "owner", "login")},
    **{name: {"type": "int", "required": True} for name in ("node_port", "cpus", "memory", "nodes")},
    **{name: {"type": "path", "required": True} for name in ("lock", "store", "build_cache", "kubectl", "helm", "minikube", "kubeconfig", "minikube_home")},
    **{name: {"type": "list", "elements": "str", "required": True} for name in ("tags", "skip_tags", "optional")},
    **{name: {"type": "dict", "required": True} for name in ("endpoints", "addresses", "values")},
    "chart_values": {"type": "dict", "required": True, "options": {name: {"type": "path", "required": True} for name in RELEASES}},
    **{name: {"type": "bool", "required": True, "no_log": False} for name in ("replace_older", "reset_password")},
    "password": {"type": "str", "required": True, "no_log": True},
}


def observe_machine(endpoints: Iterable[str]) -> Machine:
    """This machine as it is."""
    system = platform.freedesktop_os_release()
    distribution, release = system.get("ID", ""), system.get("VERSION_ID", "")
    installed = docker_engine.answering_version() or docker_engine.installed_version()
    missing = docker_engine.missing_packages(installed)
    targets = apt.apt_targets() if missing else ""
    return Machine(
        architecture=platform.machine(),
        distribution=distribution,
        release=release,
        pretty_name=system.get("PRETTY_NAME", platform.system()),
        cores=len(os.sched_getaffinity(0)),
        memory=host.memory(),
        routes=tuple(routes(Path("/proc/net/route").read_text(encoding="utf-8"))),
        inotify_instances=inotify_instances(),
        occupants={endpoint: occupant for endpoint in endpoints if (occupant := occupant_of(endpoint))},
        installed_engine=installed,
        stand_in=docker_engine.stand_in(),
        missing_packages=tuple(missing),
        apt_knows_debian=not missing or apt.debian_repository(targets, system.get("VERSION_CODENAME", "")) is not None,
    )


def routes(table: str) -> list[str]:
    """Destinations in /proc/net/route, without the default one; a tunnel's may be a single address."""
    found = []
    for line in table.splitlines()[1:]:
        fields = line.split()
        destination, mask = (int.from_bytes(bytes.fromhex(fields[column])[::-1], "big") for column in (1, 7))
        if mask:
            found.append(f"{socket.inet_ntoa(destination.to_bytes(4, 'big'))}/{mask.bit_count()}")
    return found


def inotify_instances() -> int:
    """How many more root may have; what other users' processes hold does not count."""
    held = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == 0:
                held += sum(os.readlink(file) == "anon_inode:inotify" for file in (process / "fd").iterdir())
        except OSError:
            continue  # it has ended meanwhile
    return int(Path("/proc/sys/fs/inotify/max_user_instances").read_text(encoding="utf-8")) - held


def occupant_of(endpoint: str) -> str:
    """Who listens where something of ours is to listen, "" where nobody does."""
    host, _unused, port = endpoint.rpartition(":")
    with socket.socket() as asked:
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            asked.bind((host, int(port)))
        except (OSError, OverflowError, ValueError) as error:
            return process_at(int(port)) if port.isdigit() and int(port) < 1 << 16 else f"nobody, and it is no endpoint ({error})"
    return ""


def process_at(port: int) -> str:
    """The process that listens at a port."""
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text(encoding="utf-8").splitlines()[1:] if table.is_file() else []:
            fields = line.split()
            if fields[3] == LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(file) in inodes for file in (process / "fd").iterdir()):
                return f"the process {(process / 'comm').read_text(encoding='utf-8').strip()} ({process.name})"
        except OSError:
            continue  # it has ended meanwhile
    return "something that this machine does not show"


def observe_engine(given: dict[str, Any], minikube: Minikube) -> Engine | None:
    """The Docker engine that answers, None where none does."""
    info, networks, containers, volumes = map(docker_engine.ask, ("/info", "/networks", "/containers/json?all=1", "/volumes"))
    if not isinstance(info, dict) or not all((isinstance(networks, list), isinstance(containers, list), isinstance(volumes, dict))):
        return None
    running = any(f"/{given['database']}" in found["Names"] and found["State"] == "running" for found in containers)
    return Engine(
        info,
        networks,
        containers,
        [volume["Name"] for volume in volumes.get("Volumes") or []],
        bounding_capabilities(),
        minikube.nodes(),
        verifier(given) if running else None,
    )


def bounding_capabilities() -> int | None:
    """What the daemons of this machine can give to a container, None where they cannot be seen."""
    found = None
    for process in Path("/proc").glob("[0-9]*"):
        try:
            name = (process / "comm").read_text(encoding="utf-8").strip()
            # a node has daemons of its own, in a process namespace of its own
            if name not in ("dockerd", "containerd") or os.readlink(process / "ns/pid") != os.readlink("/proc/self/ns/pid"):
                continue
            bounding = int(re.findall(r"CapBnd:\s+(\w+)", (process / "status").read_text(encoding="utf-8"))[0], 16)
        except OSError:
            continue
        found = bounding if found is None else found & bounding
    return found


def verifier(given: dict[str, Any]) -> str | None:
    """What the database stores of the login's password; None where it does not answer now, or would let nobody in with it."""
    wanted = WantedRoles("postgres", given["owner"], given["login"], "")
    command = ["exec", "--interactive", given["database"], *PSQL]
    query = QUIETLY + observation(wanted)
    try:
        asked = docker_engine.docker(*command, stdin=query, seconds=DATABASE_SECONDS)
    except UserError:
        return None
    found = Actual.parse(asked.stdout) if asked.returncode == 0 else NOTHING
    return found.login_verifier if found.login_can_login else None


def disk(given: dict[str, Any], lock: Lock, engine: Engine | None, cluster_is_made: bool) -> list[UserError]:
    """What is still to be done, against the file systems on which it will be done."""
    store = Store(Path(given["store"]))
    wanted = [artifact for artifact in lock.artifacts.values() if not artifact.optional or artifact.name in given["optional"]]
    missing = [artifact for artifact in wanted if not store.has(artifact)]
    source = Source(lock.architecture)
    to_build = [artifact for artifact in missing if given["source"] == "auto" and not source.offers(artifact)]
    docker = str(engine.info["DockerRootDir"]) if engine else "/var/lib/docker"
    home = given["minikube_home"] if os.path.isabs(given["minikube_home"]) else "/home"  # a user who does not exist yet
    stored = {given["store"]: store_need(missing)}
    built = {given["build_cache"]: build_need(to_build, lock.artifacts.values(), used(Path(given["build_cache"]))) if to_build else 0}
    # the compilers' caches are gone before the cluster is made
    run = {docker: DOCKER_LATER if cluster_is_made else DOCKER + (given["nodes"] - 1) * DOCKER_NODE, home: 0 if cluster_is_made else CLUSTER_CACHE}
    return disk_problems([stored | built, stored | run], spaces([*stored, *built, *run]))


def cluster_problem(given: dict[str, Any], lock: Lock, minikube: Minikube, roles: list[str]) -> UserError | None:
    """A cluster that cannot be made, or that role minikube would refuse after earlier roles have changed something."""
    if given["minikube_state"] == "absent" or "minikube" not in roles:
        return None
    locked = lock["kubelet"].version
    if not minikube.is_finished() or given["on_drift"] == "recreate":
        return not_locked(given["kubernetes_version"], locked)
    if given["on_drift"] == "ignore":
        return None
    actual, _unused = minikube.recorded()
    wanted = replace(actual, **{name: given[name] for name in ("kubernetes_version", "cpus", "memory", "nodes")})
    return differs(given["deployment"], wanted, actual, locked)


def before(given: dict[str, Any], roles: list[str], lock: Lock, machine: Machine, engine: Engine | None, cluster_is_made: bool) -> UserError | None:
    """What has to run before the roles that this run was limited to."""
    deployment = given["deployment"]
    states = {name.removeprefix("/"): container["State"] for container in (engine.containers if engine else ()) for name in container["Names"]}
    store = Store(Path(given["store"]))

    def answers(*arguments: str) -> bool:
        if not Path(given["kubeconfig"]).is_file() or not Path(given["kubectl"]).is_file():
            return False
        cluster = Cluster(given["helm"], given["kubectl"], given["kubeconfig"], deployment)
        return cluster.run("kubectl", "get", "--request-timeout=10s", *arguments, check=False).returncode == 0

    def built() -> bool:
        there = registry(given["endpoints"]["image_registry_endpoint"])
        try:
            digests = {path: Pushed().current(f"{there.endpoint}/{path}") for path in (f"{deployment}/{name}" for name in RELEASES)}
            return all(digest and there.has(path, digest) for path, digest in digests.items())
        except UserError:
            return False

    there: dict[str, Callable[[], bool]] = {
        "container_engine": lambda: bool(machine.installed_engine),
        "kubernetes_tools": lambda: all(Path(given[name]).exists() for name in ("kubectl", "helm", "minikube")),
        "network": lambda: any(network["Name"] == deployment for network in (engine.networks if engine else ())),
        "image_registry": lambda: given["registry"] in states,
        "database": lambda: not given["database"] or given["database"] in states,
        "minikube": lambda: cluster_is_made,
        "metrics_server": lambda: answers("--namespace=kube-system", "deployment", "metrics-server"),
        "app_images": built,
        "app_secrets": lambda: answers("secret", SECRET),
        "app_release": lambda: answers("deployment", *RELEASES),
        "app_check": lambda: True,
    }
    containers = {"image_registry": given["registry"], "database": given["database"], "minikube": deployment}

    def ready(role: str) -> bool:
        if role == "container_engine":
            return engine is not None
        return there[role]() and (not containers.get(role) or states.get(containers[role]) == "running")

    def stored(name: str) -> bool:
        return store.has(lock[name]) or (lock[name].optional and name not in given["optional"])

    return needs.missing(roles, lambda role: there[role](), ready, stored)


def services(given: dict[str, Any]) -> list[dict[str, Any]]:
    """The values of each release, as role app_release will give them: with autoscaling, unless that is turned off."""
    found = []
    for name in RELEASES:
        own = yaml.safe_load(Path(given["chart_values"][name]).read_text(encoding="utf-8"))
        found.append(capacity.merged(capacity.merged(own, {"autoscaling": {"enabled": True}}), given["values"][name]))
    return found


def used(folder: Path) -> int:
    """MiB that a folder takes, 0 where there is none, or nobody says so in time."""
    try:
        measured = run("du", "--summarize", "--block-size=1M", str(folder)).stdout
    except StuckProgramError:
        return 0
    return int(measured.split()[0]) if measured else 0


def spaces(paths: Iterable[str]) -> dict[str, Space]:
    """The file systems that paths are on, whether they exist or not."""
    known: dict[int, Space] = {}
    found = {}
    for path in paths:
        there = next(parent for parent in (Path(path), *Path(path).parents) if parent.exists()).resolve()
        device = there.stat().st_dev
        mount = next(parent for parent in (there, *there.parents) if parent.is_mount())
        status = os.statvfs(there)
        found[path] = known.setdefault(device, Space(str(mount), status.f_bavail * status.f_frsize >> 20))
    return found


def main() -> None:
    module = AnsibleModule(argument_spec=PARAMETERS, supports_check_mode=True)
    given = module.params
    with told(module):
        wanted = Wanted(**{name: given[name] for name in Wanted.__dataclass_fields__})
        minikube = Minikube(Path("minikube"), given["deployment"], Path(given["minikube_home"]), given["minikube_user"])
        machine = observe_machine(wanted.endpoints.values())
        engine = observe_engine(given, minikube)
        cluster_is_made = minikube.is_finished() and given["on_drift"] != "recreate"
        found = problems(wanted, machine, engine, cluster_is_made)
        values = services(given)
        try:
            asked = [capacity.Service.of(name, of) for name, of in zip(RELEASES, values, strict=True)]
            if given["cpus"] >= LEAST_CORES and given["memory"] >= LEAST_MEMORY and given["nodes"] >= 1:  # else that is said
                found += capacity.problems({"cpu": given["cpus"], "memory": given["memory"]}, asked, given["nodes"])
        except UserError as error:
            found.append(error)
        try:
            if machine.architecture in ARCHITECTURES:
                lock = Lock(Path(given["lock"]))
                roles = needs.chosen(given["tags"], given["skip_tags"])
                found += filter(None, [cluster_problem(given, lock, minikube, roles), before(given, roles, lock, machine, engine, minikube.is_finished())])
                found += disk(given, lock, engine, cluster_is_made)
        except UserError as error:
            found.append(error)
        if machine.missing_packages and machine.distribution == "debian" and (silent := supplies.unreachable(supplies.debian_archives())):
            found.append(silent)
        for warning in warnings(machine, engine, cluster_is_made, given["nodes"]):
            module.warn(warning)
        restricted = [f"app_release_{name}_values" for name, of in zip(RELEASES, values, strict=True) if of["networkPolicy"]["enabled"]]
        if restricted and given["nodes"] == 1:
            module.warn(capacity.UNENFORCED.format(" and ".join(restricted)))
        if found:
            fail(module, together(found))
        module.exit_json(changed=False)


if __name__ == "__main__":
    main()
