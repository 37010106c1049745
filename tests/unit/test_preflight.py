"""What stands in the way is said before anything is touched: each guard on a machine on which all else is well."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError, together
from ansible_collections.todochat.platform.plugins.module_utils.cluster.profile import Minikube
from ansible_collections.todochat.platform.plugins.module_utils.database.roles import NOTHING, verifier
from ansible_collections.todochat.platform.plugins.module_utils.preflight import problems
from ansible_collections.todochat.platform.plugins.module_utils.preflight.problems import Engine, Machine, Space, Wanted
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Artifact, Lock
from ansible_collections.todochat.platform.plugins.modules import preflight as module
from ansible_collections.todochat.platform.plugins.plugin_utils import observed

ROOT = Path(__file__).resolve().parents[2]
OURS = {"todochat.deployment": "todo"}
NODE = {"name.minikube.sigs.k8s.io": "todo"}
FRONTEND, REGISTRY = "127.0.0.1:30000", "127.0.0.1:5000"
WANTED = Wanted(
    addresses={"deployment_gateway": "192.168.85.1", "deployment_registry_address": "192.168.85.250"},
    endpoints={"deployment_frontend_port": FRONTEND, "image_registry_endpoint": REGISTRY},
    password="the-vaults-password",
)
MACHINE = Machine(
    architecture="x86_64",
    distribution="debian",
    release="12",
    pretty_name="Debian GNU/Linux 12 (bookworm)",
    cores=4,
    memory=7900,
    routes=("192.0.2.0/24", "172.17.0.0/16"),
    installed_engine="26.1.5+dfsg1",
)
# /proc/<pid>/status of a dockerd on a machine that keeps CAP_SYS_RESOURCE (24) to itself
ALL_BUT_SYS_RESOURCE = 0x1FFFEFFFFFF


def container(name: str, labels: dict[str, str], port: int | None = None, ip: str = "127.0.0.1", address: str = "") -> dict[str, Any]:
    """As GET /containers/json shows it; with an address in the deployment's network."""
    ports = [{"IP": ip, "PrivatePort": 80, "PublicPort": port, "Type": "tcp"}, {"PrivatePort": 81, "Type": "tcp"}]
    joined = {"todo": {"IPAMConfig": {"IPv4Address": address}, "IPAddress": address}} if address else {"bridge": {"IPAMConfig": None, "IPAddress": ""}}
    shown = {"Names": [f"/{name}"], "Labels": labels, "Ports": ports if port else [], "State": "running"}
    return {**shown, "NetworkSettings": {"Networks": joined}}


def network(name: str, subnet: str, labels: dict[str, str] | None = None, gateway: str = "") -> dict[str, Any]:
    """As GET /networks shows it."""
    config = {"Subnet": subnet} | ({"Gateway": gateway} if gateway else {})
    return {"Name": name, "Labels": labels, "IPAM": {"Config": [config] if subnet else None}}


ENGINE = Engine(
    info={"Driver": "overlay2", "SecurityOptions": ["name=seccomp,profile=builtin"], "DockerRootDir": "/var/lib/docker"},
    networks=[network("bridge", "172.17.0.0/16"), network("host", ""), network("todo", "192.168.85.0/24", OURS, "192.168.85.1")],
    containers=[container("todo", NODE, 30000), container("todo-registry", OURS, 5000, address="192.168.85.250"), container("todo-database", OURS)],
    volumes=["todo", "todo-registry", "todo-database"],
    capabilities=ALL_BUT_SYS_RESOURCE,
    nodes=("todo",),
    verifier=verifier(WANTED.password),
)
FRESH = replace(ENGINE, networks=ENGINE.networks[:2], containers=[], volumes=[], nodes=(), verifier=None)


def found(wanted: Wanted = WANTED, machine: Machine = MACHINE, engine: Engine | None = FRESH, cluster_is_made: bool = False) -> list[UserError]:
    return problems.problems(wanted, machine, engine, cluster_is_made)


def only(errors: list[UserError], *phrases: str) -> None:
    """There is one error, in one sentence each of why and remedy, and it says all this."""
    assert [str(error) for error in errors if "\n" in error.why + error.remedy] == []
    assert len(errors) == 1, [str(error) for error in errors]
    assert [phrase for phrase in phrases if phrase not in str(errors[0])] == [], str(errors[0])


def test_nothing_stands_in_the_way_of_a_first_run_nor_of_a_later_one() -> None:
    bare = replace(MACHINE, installed_engine="", missing_packages=("docker.io",))
    assert found(replace(WANTED, password=""), bare, engine=None) == []
    assert found() == []
    listening = replace(MACHINE, occupants={FRONTEND: "the process docker-proxy (1)", REGISTRY: "the process docker-proxy (2)"})
    assert found(machine=listening, engine=ENGINE, cluster_is_made=True) == []


# What was asked


def test_what_was_asked_is_in_the_other_roles_variables_whether_these_are_in_the_play_or_not() -> None:
    def wanted(**given: Any) -> dict[str, Any]:
        task = {"ansible_facts": {"user_id": "tester", "user_dir": "/home/tester"}, "ansible_run_tags": ["all"], "ansible_skip_tags": []}
        task |= {"artifact_store": "/store", "bundle_build_cache": "/cache"}  # by default of the environment, which only a run looks up
        filled_in: dict[str, Any] = observed.filled_in(DataLoader(), task | given)("__preflight_wanted")
        return filled_in

    alone = wanted()
    assert set(alone) == set(module.PARAMETERS)
    assert Path(alone["lock"]).resolve() == ROOT / "artifacts.lock.yml"
    assert {name: Path(file).resolve() for name, file in alone["chart_values"].items()} == {
        name: ROOT / f"apps/{name}/chart/values.yaml" for name in ("backend", "frontend")
    }
    assert alone["minikube_home"] == "~tester/.local/share/todochat/todo/.minikube"
    assert (alone["deployment"], alone["database"], alone["cpus"], alone["values"]) == ("todo", "todo-database", 2, {"backend": {}, "frontend": {}})
    assert alone["endpoints"] == WANTED.endpoints
    given = wanted(minikube_cpus=3, network_name="notes", database_url="postgresql://u:p@h/d", app_release_backend_values={"replicaCount": 1})
    assert (given["deployment"], given["database"], given["cpus"], given["values"]["backend"]) == ("notes", "", 3, {"replicaCount": 1})


@pytest.mark.parametrize("name", ["To Do", "-todo", "todo_chat", "", "x" * 41])
def test_a_name_that_kubernetes_does_not_take(name: str) -> None:
    only(problems.asked_problems(replace(WANTED, deployment=name)), f"deployment_name={name} ", "lower-case")


@pytest.mark.parametrize("port", [80, 29999, 32768])
def test_a_port_that_kubernetes_does_not_publish(port: int) -> None:
    only(found(replace(WANTED, node_port=port)), f"deployment_frontend_port={port}", "from 30000 to 32767")


def test_a_node_too_small_for_kubernetes() -> None:
    only(found(replace(WANTED, cpus=1)), "minikube_cpus=1", "2 or more")
    only(found(replace(WANTED, memory=1000)), "minikube_memory=1000", "1800 or more")
    only(found(replace(WANTED, nodes=0)), "minikube_nodes=0", "1 or more")


# The machine


def test_an_architecture_without_artifacts() -> None:
    only(found(machine=replace(MACHINE, architecture="riscv64")), "riscv64", "x86_64 or aarch64")
    assert found(machine=replace(MACHINE, architecture="aarch64")) == []


def test_more_cores_than_there_are_matters_while_the_cluster_is_to_be_made() -> None:
    only(found(replace(WANTED, cpus=64)), "minikube_cpus=64", "(4)", "-e minikube_cpus=4")
    assert found(replace(WANTED, cpus=64), engine=ENGINE, cluster_is_made=True) == []
    assert found(replace(WANTED, cpus=4)) == []
    only(found(machine=replace(MACHINE, cores=1)), "has 1 core", "Use a machine with more")


def test_more_memory_than_there_is_beside_the_rest() -> None:
    only(found(replace(WANTED, memory=65536)), "minikube_memory=65536", "7900 MiB", "-e minikube_memory=6876")
    only(found(replace(WANTED, memory=6877)), "minikube_memory=6877")
    assert found(replace(WANTED, memory=6876)) == []
    only(found(replace(WANTED, memory=2048), replace(MACHINE, memory=2000)), "machine with 8 GB")


def test_each_of_several_nodes_takes_its_memory() -> None:
    assert found(replace(WANTED, memory=3438, nodes=2)) == []
    only(found(replace(WANTED, memory=3439, nodes=2)), "minikube_memory=3439 for each of minikube_nodes=2", "7900 MiB", "-e minikube_memory=3438")
    only(found(replace(WANTED, memory=2048, nodes=5)), "for each of minikube_nodes=5", "fewer nodes")


def test_a_nodes_address_is_nobody_elses() -> None:
    near = replace(WANTED, nodes=3, memory=1800, addresses={**WANTED.addresses, "deployment_registry_address": "192.168.85.4"})
    only(found(near), "deployment_registry_address=192.168.85.4 is that of a node", "the first 3 after deployment_gateway=192.168.85.1")
    assert found(replace(near, nodes=2)) == []
    assert found(near, engine=ENGINE, cluster_is_made=True) != []  # the registry is elsewhere, which is said


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        ({}, []),
        ({"release": "13"}, []),
        ({"release": "11", "pretty_name": "Debian GNU/Linux 11 (bullseye)"}, ["is Debian GNU/Linux 11 (bullseye), and not Debian 12 or 13"]),
        ({"release": "", "pretty_name": "Debian GNU/Linux trixie/sid"}, ["is Debian GNU/Linux trixie/sid, and not Debian 12 or 13"]),
        ({"distribution": "ubuntu", "release": "24.04", "pretty_name": "Ubuntu 24.04.3 LTS"}, ["is Ubuntu 24.04.3 LTS, and not Debian 12 or 13"]),
        ({"architecture": "aarch64"}, ["has the architecture aarch64, and not x86_64"]),
        ({"architecture": "riscv64"}, []),  # refused
    ],
)
def test_what_nobody_has_tested_is_named_before_a_cluster_is_made_and_refused_by_nobody(machine: dict[str, str], said: list[str]) -> None:
    there = replace(MACHINE, **machine)
    named = [f"This machine {one}: all of it may work here, but nobody has tested it." for one in said]
    assert problems.warnings(there, FRESH, cluster_is_made=False) == named
    assert problems.warnings(there, FRESH, cluster_is_made=True) == []
    assert bool(found(machine=there)) == ("riscv64" in machine.values())


def test_few_cores_and_a_slow_driver_are_warned_of_until_the_cluster_is_there() -> None:
    small, slow = replace(MACHINE, cores=2), replace(FRESH, info={**FRESH.info, "Driver": "vfs"})
    assert found(machine=small, engine=slow) == []
    few, vfs = problems.warnings(small, slow, cluster_is_made=False)
    assert "2 cores" in few
    assert "vfs" in vfs
    assert problems.warnings(small, slow, cluster_is_made=True) == []
    assert problems.warnings(MACHINE, FRESH, cluster_is_made=False) == []


def test_few_inotify_instances_are_warned_of_until_the_cluster_is_there() -> None:
    few = replace(MACHINE, inotify_instances=39)
    (said,) = problems.warnings(few, ENGINE, cluster_is_made=False)
    assert "39 inotify instances" in said
    assert "sysctl fs.inotify.max_user_instances=512" in said
    assert problems.warnings(few, ENGINE, cluster_is_made=True) == []
    assert problems.warnings(replace(few, inotify_instances=40), ENGINE, cluster_is_made=False) == []
    (said,) = problems.warnings(replace(few, inotify_instances=79), ENGINE, cluster_is_made=False, nodes=2)
    assert "takes up to 80" in said


def test_inotify_instances_of_root_are_counted() -> None:
    assert 0 < module.inotify_instances() <= int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())


def test_a_system_that_docker_is_not_installed_on() -> None:
    fedora = replace(MACHINE, distribution="fedora", release="43", pretty_name="Fedora Linux 43")
    without = replace(fedora, installed_engine="", missing_packages=("docker.io", "docker-cli"))
    only(found(machine=without, engine=None), "Fedora Linux 43", "docker.io, docker-cli", "Debian 12 and 13", "Install Docker 24")
    only(found(machine=replace(without, distribution="debian", release="11"), engine=None), "docker.io")
    assert found(machine=fedora) == []


def test_debian_without_a_source_of_its_packages() -> None:
    bare = replace(MACHINE, installed_engine="", missing_packages=("docker.io",), apt_knows_debian=False)
    only(found(machine=bare, engine=None), "apt has no source", "docker.io", "sources.list.d")


# Docker


def test_an_engine_that_is_too_old_and_may_not_be_replaced() -> None:
    older = replace(MACHINE, installed_engine="20.10.24+dfsg1")
    only(found(machine=older), "Docker 20.10.24+dfsg1", "24", "container_engine_replace_older=true")
    assert found(replace(WANTED, replace_older=True), older) == []


@pytest.mark.parametrize(("option", "says"), [("name=rootless", "rootless"), ("name=userns", "userns-remap")])
def test_an_engine_that_cannot_run_a_node(option: str, says: str) -> None:
    only(found(engine=replace(FRESH, info={**FRESH.info, "SecurityOptions": ["name=seccomp,profile=builtin", option]})), says, "daemon.json")


@pytest.mark.parametrize(("bit", "name"), [(27, "CAP_MKNOD"), (21, "CAP_SYS_ADMIN"), (12, "CAP_NET_ADMIN")])
def test_an_engine_without_a_capability_that_a_node_needs(bit: int, name: str) -> None:
    only(found(engine=replace(FRESH, capabilities=ALL_BUT_SYS_RESOURCE & ~(1 << bit))), f"Docker runs without {name}, ")
    assert found(engine=replace(FRESH, capabilities=None)) == []


# What is somebody else's


@pytest.mark.parametrize("name", ["todo", "todo-registry", "todo-database"])
@pytest.mark.parametrize("labels", [{}, {"todochat.deployment": "other"}])
def test_a_container_of_our_name_that_is_somebody_elses(name: str, labels: dict[str, str]) -> None:
    theirs = replace(FRESH, containers=[container(name, labels)])
    only(found(engine=theirs), f"A container named {name} exists", "another deployment_name than todo", "not touched")


def test_a_minikube_profile_of_our_name_is_ours_only_where_we_began_it() -> None:
    node = replace(FRESH, containers=[container("todo", NODE)])
    only(found(engine=node), "container named todo", "a minikube profile", "not touched")
    assert found(engine=replace(node, nodes=("todo",))) == []


def test_a_further_nodes_name_is_ours_where_the_profile_has_it() -> None:
    second = replace(FRESH, containers=[container("todo-m02", {"name.minikube.sigs.k8s.io": "todo-m02"})])
    two = replace(WANTED, nodes=2, memory=3000)
    only(found(two, engine=second), "container named todo-m02", "a minikube profile", "not touched")
    assert found(two, engine=replace(second, nodes=("todo", "todo-m02"))) == []
    assert found(engine=second) == [], "another deployment's, which one node does not get in the way of"


def test_a_network_of_our_name_that_is_somebody_elses() -> None:
    only(found(engine=replace(FRESH, networks=[network("todo", "192.168.85.0/24")])), "Docker network named todo", "another deployment_name", "not touched")


def test_our_network_with_another_subnet() -> None:
    only(found(engine=replace(FRESH, networks=[network("todo", "10.9.0.0/24", OURS)])), "10.9.0.0/24", "192.168.85.0/24", "`make down`")


@pytest.mark.parametrize(
    ("variable", "there", "asked"),
    [
        ("image_registry_endpoint", REGISTRY, "127.0.0.1:5001"),
        ("deployment_registry_address", "192.168.85.250", "192.168.85.249"),
        ("deployment_gateway", "192.168.85.1", "192.168.85.254"),
    ],
)
def test_another_address_than_that_which_the_cluster_knows(variable: str, there: str, asked: str) -> None:
    other = replace(WANTED, **{kind: {**of, variable: asked} for kind in ("endpoints", "addresses") if variable in (of := getattr(WANTED, kind))})
    only(found(other, engine=ENGINE, cluster_is_made=True), f"{variable}={asked}, but", f"Leave it at {variable}={there}", "`make down`")
    without_a_cluster = replace(ENGINE, containers=ENGINE.containers[1:])
    assert found(other, engine=without_a_cluster) == []


def test_a_registry_that_stands_still_keeps_its_address() -> None:
    still = container("todo-registry", OURS, address="192.168.85.250")
    still["NetworkSettings"]["Networks"]["todo"]["IPAddress"] = ""
    stopped = replace(ENGINE, containers=[ENGINE.containers[0], still])
    assert found(engine=stopped, cluster_is_made=True) == []
    other = replace(WANTED, addresses={"deployment_registry_address": "192.168.85.249"})
    only(found(other, engine=stopped, cluster_is_made=True), "has its registry at 192.168.85.250")


def test_a_subnet_in_use() -> None:
    only(found(engine=replace(FRESH, networks=[network("theirs", "192.168.0.0/16")])), "deployment_subnet=192.168.85.0/24", "network theirs (192.168.0.0/16)")
    only(found(machine=replace(MACHINE, routes=("192.168.85.128/25",))), "a route of this machine (192.168.85.128/25)", "-e deployment_subnet")
    # a tunnel's default route, in pieces
    assert found(machine=replace(MACHINE, routes=("0.0.0.0/1", "128.0.0.0/1", "192.0.0.0/2", "128.0.0.0/3"))) == []
    # a Docker network's own route is not a second thing, and addresses of the other kind overlap nothing
    one = replace(FRESH, networks=[network("theirs", "192.168.85.0/25"), network("six", "fd00::/64")])
    only(found(machine=replace(MACHINE, routes=("192.168.85.0/25",)), engine=one), "network theirs")


def test_addresses_outside_their_network_or_none_at_all() -> None:
    only(found(replace(WANTED, subnet="192.168.90.0/24")), "deployment_gateway=192.168.85.1 and deployment_registry_address=192.168.85.250 lie outside")
    only(found(replace(WANTED, subnet="192.168.85.0/99")), "deployment_subnet=192.168.85.0/99")
    only(found(replace(WANTED, addresses={"deployment_gateway": "gateway"})), "'gateway'")


@pytest.mark.parametrize(("endpoint", "variable"), [(FRONTEND, "deployment_frontend_port"), (REGISTRY, "image_registry_endpoint")])
def test_a_port_taken_by_a_process(endpoint: str, variable: str) -> None:
    only(found(machine=replace(MACHINE, occupants={endpoint: "the process python3 (42)"})), endpoint.split(":")[1], "python3 (42)", f"-e {variable}=")


@pytest.mark.parametrize("ip", ["127.0.0.1", "0.0.0.0", "::"])
def test_a_port_taken_by_somebody_elses_container(ip: str) -> None:
    other = {"todochat.deployment": "other"}
    taken = replace(MACHINE, occupants={REGISTRY: "the process docker-proxy (7)"})
    only(found(machine=taken, engine=replace(FRESH, containers=[container("theirs", other, 5000, ip)])), "by the container theirs", "image_registry_endpoint")
    assert found(engine=replace(FRESH, containers=[container("theirs", other, 5000, "192.0.2.2")])) == []


# The vault and the database


def test_a_vault_that_is_not_the_databases() -> None:
    other = replace(ENGINE, verifier=verifier("another-password"))
    only(found(engine=other, cluster_is_made=True), "todo-database", "todo_app", "another password", "Put the vault back", "-e database_reset_password=true")
    assert found(replace(WANTED, reset_password=True), engine=other, cluster_is_made=True) == []
    assert found(replace(WANTED, database=""), engine=other, cluster_is_made=True) == []
    assert found(engine=replace(ENGINE, verifier=None), cluster_is_made=True) == []


@pytest.mark.parametrize(("can_login", "seen"), [(True, "of another password"), (False, None)])
def test_a_login_in_nobodys_use_stands_in_no_ones_way(monkeypatch: pytest.MonkeyPatch, can_login: bool, seen: str | None) -> None:
    row = {**asdict(NOTHING), "login_exists": True, "login_can_login": can_login, "login_verifier": "of another password"}
    monkeypatch.setattr(module.docker_engine, "docker", lambda *command, **_: subprocess.CompletedProcess(command, 0, json.dumps(row), ""))
    assert module.verifier({"database": "todo-database", "owner": "todo_owner", "login": "todo_app_2"}) == seen


def test_data_without_a_vault() -> None:
    left = replace(FRESH, volumes=["todo-database"])
    only(found(replace(WANTED, password=""), engine=left), "volume todo-database", "Put the vault back", "-e database_reset_password=true")
    assert found(engine=left) == []
    assert found(replace(WANTED, password=""), engine=FRESH) == []


def test_no_message_holds_the_password() -> None:
    assert WANTED.password not in repr(WANTED)
    assert not any(WANTED.password in str(error) for error in found(engine=replace(ENGINE, verifier=verifier("other")), cluster_is_made=True))


# Disk


def artifact(name: str, seconds: int, build: dict[str, Any]) -> Artifact:
    return Artifact(name=name, version="v1", key=name, seconds=seconds, build=build)


PROGRAM = artifact("program", 300, {"go": {"module": "m"}})
OTHER = artifact("other", 100, {"go": {"module": "m"}})
IMAGE = artifact("image", 50, {"image": {"suite": "trixie"}})


def test_what_is_missing_decides_what_is_needed() -> None:
    assert problems.store_need([PROGRAM, IMAGE]) == problems.STORED_FILE + problems.STORED_IMAGE
    every = [PROGRAM, OTHER, IMAGE]
    assert problems.build_need(every, every, 0) == problems.BUILD_CACHE
    assert problems.build_need([OTHER], every, 0) == problems.BUILD_CACHE // 4
    assert problems.build_need([IMAGE], every, 0) == 0


def test_a_broken_off_build_is_not_asked_for_what_it_took() -> None:
    every = [PROGRAM, OTHER]
    assert problems.build_need(every, every, problems.BUILD_CACHE - 100) == 100
    assert problems.build_need(every, every, problems.BUILD_CACHE + 100) == 0


def test_a_file_system_is_asked_for_the_sum_of_what_goes_there_at_one_time() -> None:
    root, data = Space("/", 3000), Space("/var", 3000)
    on = {"/store": root, "/cache": root, "/var/lib/docker": data}
    assert problems.disk_problems([{"/store": 1000, "/cache": 2000}, {"/store": 1000, "/var/lib/docker": 3000}], on) == []
    only(problems.disk_problems([{"/store": 1001, "/cache": 2000}], on), "file system / has 2.9 GB free", "/store 1.0 GB, /cache 2.0 GB", "artifact_store")
    only(problems.disk_problems([{"/store": 1000}, {"/store": 1000, "/var/lib/docker": 3001}], on), "file system /var ", "/var/lib/docker 2.9 GB")


# All at once, and what is read of this machine


def test_several_problems_are_said_at_once() -> None:
    errors = found(replace(WANTED, cpus=64), replace(MACHINE, occupants={FRONTEND: "the process python3 (42)"}))
    error = together(errors)
    assert error.why.startswith("2 things ")
    assert [line[:2] for line in error.details.splitlines()] == ["1.", "2."]
    assert "minikube_cpus=64" in error.details
    assert "python3 (42)" in error.details
    assert together(errors[:1]) is errors[0]


def test_routes_are_read_without_the_default_one() -> None:
    table = (
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "br-1\t0055A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
        "tun0\t0100000A\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n"
    )
    assert module.routes(table) == ["192.168.85.0/24", "10.0.0.1/32"]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_who_listens_is_named_and_a_free_port_is_free(host: str) -> None:
    with socket.socket() as listening:
        listening.bind((host, 0))
        listening.listen()
        endpoint = f"127.0.0.1:{listening.getsockname()[1]}"
        assert module.occupant_of(endpoint) == f"the process {Path('/proc/self/comm').read_text().strip()} ({os.getpid()})"
    assert module.occupant_of(endpoint) == ""


@pytest.mark.parametrize("endpoint", ["127.0.0.1", "127.0.0.1:http", "127.0.0.1:70000"])
def test_an_endpoint_that_is_none(endpoint: str) -> None:
    assert "no endpoint" in module.occupant_of(endpoint)


def test_paths_on_one_file_system_share_its_space_whether_they_exist_or_not(tmp_path: Path) -> None:
    spaces = module.spaces([str(tmp_path), str(tmp_path / "not/yet"), "/proc"])
    assert spaces[str(tmp_path)] == spaces[str(tmp_path / "not/yet")]
    assert spaces["/proc"].mount == "/proc"


def test_what_is_optional_takes_no_room_that_has_to_be_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, counted = Lock(ROOT / "artifacts.lock.yml"), list[str]()
    monkeypatch.setattr(module, "store_need", lambda missing: counted.extend(artifact.name for artifact in missing) or 0)
    given = {"store": str(tmp_path), "source": "mirror", "minikube_home": str(tmp_path), "build_cache": str(tmp_path), "optional": ["kube-router"], "nodes": 2}
    module.disk(given, lock, None, cluster_is_made=True)
    assert "node-runtime" in counted
    assert "node24-runtime" not in counted
    assert "kube-router" in counted, "it is asked for"


def test_of_what_is_optional_only_what_is_asked_for_has_to_be_stored_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.needs, "missing", lambda _roles, _made, _ready, stored: stored("kube-router"))
    given = {"deployment": "todo", "store": str(tmp_path), "registry": "todo-registry", "database": "todo-database"}
    for optional, is_there in (([], True), (["kube-router"], False)):
        assert module.before({**given, "optional": optional}, ["minikube"], Lock(ROOT / "artifacts.lock.yml"), MACHINE, None, False) is is_there


def test_each_further_node_takes_room_where_docker_keeps_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    phases = list[dict[str, int]]()
    monkeypatch.setattr(module, "disk_problems", lambda found, _spaces: phases.extend(found) or [])
    for nodes in (1, 3):
        given = {"store": str(tmp_path), "source": "mirror", "minikube_home": str(tmp_path), "build_cache": str(tmp_path), "optional": [], "nodes": nodes}
        module.disk(given, Lock(ROOT / "artifacts.lock.yml"), None, cluster_is_made=False)
    one, three = (phase["/var/lib/docker"] for phase in phases if "/var/lib/docker" in phase)
    assert three - one == 2 * problems.DOCKER_NODE


def test_a_cluster_that_differs_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    record = json.loads((Path(__file__).parent / "fixtures/minikube-profile.json").read_text(encoding="utf-8"))
    profile = tmp_path / "profiles/todo"
    profile.mkdir(parents=True)
    (profile / "config.json").write_text(json.dumps(record))
    (profile / "finished").touch()
    lock = Lock(ROOT / "artifacts.lock.yml")
    minikube = Minikube(Path("minikube"), "todo", tmp_path, "nobody")
    actual, _ = minikube.recorded()

    def said(roles: list[str], on_drift: str = "fail", **other: Any) -> str:
        given = {"deployment": "todo", "minikube_state": "started", "on_drift": on_drift}
        given |= {name: getattr(actual, name) for name in ("kubernetes_version", "cpus", "memory", "nodes")}
        problem = module.cluster_problem(given | other, lock, minikube, roles)
        return str(problem) if problem else ""

    assert said(["minikube"]) == ""
    assert "nodes is 1, asked 3" in said(["minikube"], nodes=3)
    assert f"memory is {actual.memory}, asked 4096" in said(["kubernetes_tools", "minikube"], memory=4096)
    assert said(["app_release"], memory=4096) == said(["minikube"], "ignore", memory=4096) == ""
    assert said(["minikube"], memory=4096, minikube_state="absent") == ""
    assert "v1.2.3 cannot be made" in said(["minikube"], "recreate", kubernetes_version="v1.2.3")
    (profile / "finished").unlink()
    assert "v1.2.3 cannot be made" in said(["minikube"], kubernetes_version="v1.2.3")
