"""The minikube profile: what is read of it, what is done about it, and how minikube is called."""

from __future__ import annotations

import json
import os
import pwd
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.cluster import system_pods
from ansible_collections.todochat.platform.plugins.module_utils.cluster.autostart import drop_in
from ansible_collections.todochat.platform.plugins.module_utils.cluster.profile import Cluster, Minikube, MinikubeError, Status
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.modules import minikube as minikube_module
from ansible_collections.todochat.platform.plugins.modules.minikube import copy_for_caller, main, plan

ROOT = Path(__file__).resolve().parents[2]
# Recorded from clusters of minikube v1.38.1: the record of a profile, and in each state what `minikube status --output=json`
# and Docker say
PROFILE = ROOT / "tests/unit/fixtures/minikube-profile.json"
RECORDED: dict[str, dict[str, str]] = json.loads((ROOT / "tests/unit/fixtures/minikube-states.json").read_text())
CLUSTER = Cluster(
    driver="docker",
    container_runtime="containerd",
    kubernetes_version="v1.35.1",
    cpus=2,
    memory=6144,
    nodes=1,
    network="todo",
    ports=("127.0.0.1:30000:30000",),
)
REGISTRY = "192.168.85.250"
LOCK_FILE = cache(Lock)  # it is long, and every test reads the same one
LOCKED = LOCK_FILE(ROOT / "artifacts.lock.yml")["kubelet"].version

MINIKUBE = """#!/bin/sh
echo "$@" >>"{log}/calls"
env >"{log}/env"
case $1 in
status) if [ -e "{log}/status-first" ] ; then cat "{log}/status-first" ; rm "{log}/status-first" ; else cat "{log}/status" ; fi ;;
start)
    [ ! -e "{log}/broken" ] || {{ echo "* Creating docker container" ; echo "X Exiting due to GUEST_PROVISION: no space left" >&2 ; exit 80 ; }}
    mkdir -p "$MINIKUBE_HOME/profiles/todo"
    cp "{profile}" "$MINIKUBE_HOME/profiles/todo/config.json"
    touch "{log}/container"
    cp "{log}/running" "{log}/status" ;;
node)
    [ ! -e "{log}/full" ] || {{ echo "X Exiting due to GUEST_NODE_ADD: no space left" >&2 ; exit 80 ; }}
    python3 "{log}/add-node" "$MINIKUBE_HOME/profiles/todo/config.json" >>"{log}/added" ;;
stop) cp "{log}/stopped" "{log}/status" ;;
kubectl) if [ -e "{log}/pods-first" ] ; then cat "{log}/pods-first" ; rm "{log}/pods-first" ; else cat "{log}/pods" ; fi ;;
delete)
    [ ! -e "{log}/broken" ] || exit 1
    rm -r "$MINIKUBE_HOME/profiles/todo"
    rm -f "{log}/container" ;;
esac
"""
# As `minikube node add` leaves the record: one more node, and what it makes its container of.
ADD_NODE = """
import json, os, sys
profile = json.load(open(sys.argv[1]))
name = f"m{len(profile['Nodes']) + 1:02}"
print(name, os.environ["MINIKUBE_MEMORY"], os.environ["MINIKUBE_PRELOAD"], *profile["ExposedPorts"])
profile["Nodes"].append({"Name": name, "IP": "192.168.85.3", "ControlPlane": False, "Worker": True})
json.dump(profile, open(sys.argv[1], "w"))
"""
DOCKER = """#!/bin/sh
echo "docker $@" >>"{log}/docker-calls"
case "$*" in
ps*Names*) cat "{log}/names" ;;
inspect*RestartPolicy*) cat "{log}/policy" ;;
inspect*) echo "todo 2026-11-24T06:28:56.162212464Z" ;;
update*) echo "${{2#--restart=}}" >"{log}/policy" ;;
exec\\ --interactive*) cat >"{log}/drop-in" ; printf "enabled\\nenabled\\n" >"{log}/enabled" ;;
exec*) cat "{log}/enabled" "{log}/drop-in" ;;
"container inspect --format {{{{.Id}}}} todo") [ -e "{log}/container" ] ;;
"container inspect --format {{{{.Id}}}} todo-m02") [ -e "{log}/second" ] ;;
*) false ;;
esac
"""


def pod(name: str = "coredns", namespace: str = "kube-system", *, ready: bool = True, started: str = "2026-11-24T06:29:14Z") -> dict[str, Any]:
    """A pod as the API shows it; the node of this world was started at 06:28:56."""
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"nodeName": "todo"},
        "status": {
            "conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": started}],
            "containerStatuses": [{"state": {"running": {"startedAt": started}}}],
        },
    }


def pods(*items: dict[str, Any]) -> str:
    return json.dumps({"items": items})


def record(**there: Any) -> dict[str, Any]:
    """The recorded profile with these entries in place of its own."""
    recorded: dict[str, Any] = json.loads(PROFILE.read_text())
    kubernetes = {key: value for key, value in there.items() if key in recorded["KubernetesConfig"]}
    return {**recorded, **there, "KubernetesConfig": recorded["KubernetesConfig"] | kubernetes}


def two_nodes() -> list[dict[str, Any]]:
    """The nodes of the recorded profile, and one that was added."""
    first: list[dict[str, Any]] = json.loads(PROFILE.read_text())["Nodes"]
    return [*first, {**first[0], "Name": "m02", "IP": "192.168.85.3", "ControlPlane": False}]


class World:
    """A MINIKUBE_HOME, with stand-ins for minikube and docker that note how they are called."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.log = directory
        self.capsys = capsys
        self.home = directory / "home"
        self.profile = self.home / "profiles" / "todo"
        for name, script in (("minikube", MINIKUBE), ("docker", DOCKER)):
            (directory / name).write_text(script.format(log=directory, profile=PROFILE))
            (directory / name).chmod(0o755)
        for name, recorded in (("running", "running"), ("stopped", "minikube stop")):
            (directory / name).write_text(RECORDED[recorded]["status"])
        (directory / "pods").write_text(pods(pod()))
        (directory / "add-node").write_text(ADD_NODE)
        (directory / "names").write_text("todo\n")
        self.comes_back()
        hosts = self.home / "files/etc/containerd/certs.d/127.0.0.1:5000/hosts.toml"
        hosts.parent.mkdir(parents=True)
        hosts.write_text(f'server = "http://{REGISTRY}:5000"\n[host."http://{REGISTRY}:5000"]\n')
        self.minikube = Minikube(directory / "minikube", "todo", self.home, pwd.getpwuid(os.geteuid()).pw_name)

    def has_profile(self, recorded: str = "running", *, finished: bool = True, **there: Any) -> None:
        """A profile in a recorded state; ``there`` are entries of its record that are others."""
        self.profile.mkdir(parents=True)
        (self.profile / "config.json").write_text(json.dumps(record(**there)))
        (self.log / "status").write_text(RECORDED[recorded]["status"])
        if finished:
            (self.profile / "finished").touch()

    def is_found(self, state: str, **there: Any) -> None:
        """What the module may find."""
        if state == "foreign":
            (self.log / "container").touch()
        elif state != "absent":
            self.has_profile("minikube stop" if state == "stopped" else "running", finished=state != "unfinished", **there)

    def comes_back(self, policy: str = "unless-stopped", enabled: str = "enabled enabled", address: str = "192.168.85.2", closed: str = REGISTRY) -> None:
        """What Docker and systemd say of the node."""
        (self.log / "policy").write_text(f"{policy}\n")
        (self.log / "enabled").write_text(enabled.replace(" ", "\n") + "\n")
        (self.log / "drop-in").write_text(drop_in(address, [closed] if closed else []))

    def calls(self, log: str = "calls") -> list[str]:
        path = self.log / log
        return path.read_text().splitlines() if path.exists() else []

    def done(self) -> list[str]:
        """What changed something, in its order."""
        return [word for word in (call.split()[0] for call in self.calls()) if word in ("start", "stop", "delete")]

    def module(self, *, check: bool = False, **given: Any) -> dict[str, Any]:
        """What the module returns for the recorded cluster, where nothing else is given."""
        (self.log / "calls").unlink(missing_ok=True)
        own = {"name": "todo", "executable": str(self.minikube.executable), "home": str(self.home), "user": self.minikube.user}
        arguments = {**own, **asdict(CLUSTER), "lock": str(ROOT / "artifacts.lock.yml"), "base_image": "todochat/kicbase", **given}
        with patch_module_args({**arguments, "_ansible_check_mode": check}), pytest.raises(SystemExit):
            main()
        result: dict[str, Any] = json.loads(self.capsys.readouterr().out)
        return result


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> World:
    """A machine without a cluster."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(minikube_module, "Lock", LOCK_FILE)
    return World(tmp_path, capsys)


# What is found


def test_a_recorded_profile_is_read() -> None:
    assert Cluster.from_profile(json.loads(PROFILE.read_text())) == CLUSTER


def test_nodes_that_were_added_are_counted() -> None:
    assert CLUSTER.drift(Cluster.from_profile(record(Nodes=two_nodes()))) == {"nodes": (2, 1)}


@pytest.mark.parametrize(
    ("recorded", "state", "up"),
    [
        ("running", "running", True),
        ("minikube stop", "stopped", False),
        ("docker stop", "stopped", False),
        ("docker start", "stopped", True),
        ("docker pause", "stopped", True),
        ("minikube pause", "stopped", True),
        ("kubelet stopped", "stopped", True),
        ("start broken off", "stopped", True),
        ("no such profile", "stopped", False),
    ],
)
def test_minikubes_answer_says_how_the_cluster_is(world: World, recorded: str, state: str, up: bool) -> None:
    world.has_profile(recorded)
    found = world.minikube.status()
    assert (found.state, found.up, found.actual, found.address) == (state, up, CLUSTER, "192.168.85.2")
    assert world.calls() == ["status --profile=todo --output=json"]


SLOW = RECORDED["running"]["status"].replace('"APIServer":"Running"', '"APIServer":"Stopped"')


def test_an_api_server_that_is_slow_to_answer_is_no_stopped_cluster(world: World) -> None:
    """As after a reboot, or on a machine that is slow or busy: minikube gives it 15 s, then calls it stopped."""
    world.has_profile()
    (world.log / "status-first").write_text(SLOW)
    result = world.module()
    assert (result["state"], result["changed"]) == ("running", False)
    assert world.done() == []


def test_an_api_server_that_does_not_come_back_is_started(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minikube_module, "API_SERVER_SECONDS", 0)
    world.has_profile()
    (world.log / "status").write_text(SLOW)
    result = world.module()
    assert (result["state"], result["steps"]) == ("stopped", ["start"])


@pytest.mark.parametrize("recorded", ["minikube stop", "docker start", "minikube pause", "kubelet stopped", "start broken off"])
def test_what_does_not_come_back_by_itself_is_not_waited_for(world: World, recorded: str) -> None:
    world.has_profile(recorded)
    world.minikube.status(patience=60)
    assert len(world.calls()) == 1


def test_who_stops_a_cluster_does_not_wait_for_its_api_server(world: World) -> None:
    world.has_profile()
    (world.log / "status").write_text(SLOW)
    assert world.module(state="stopped")["steps"] == ["stop"]
    assert [call.split()[0] for call in world.calls()] == ["status", "stop"]


@pytest.mark.parametrize(("worker", "state"), [("Running", "running"), ("Stopped", "stopped")])
def test_each_node_counts(world: World, worker: str, state: str) -> None:
    world.has_profile()
    node = json.loads(RECORDED["running"]["status"])
    (world.log / "status").write_text(json.dumps([node, {**node, "Kubelet": worker, "APIServer": "Irrelevant", "Kubeconfig": "Irrelevant", "Worker": True}]))
    assert world.minikube.status().state == state


def test_a_cluster_whose_node_was_removed_is_made_anew(world: World) -> None:
    world.has_profile("container removed")
    (world.log / "names").write_text("")
    result = world.module()
    assert (result["state"], result["steps"]) == ("unfinished", ["delete", "start"])


def test_a_cluster_that_lost_one_of_several_nodes_is_made_anew(world: World) -> None:
    """Minikube would make that node with the ports that the first one publishes."""
    world.has_profile("container removed", Nodes=two_nodes())
    (world.log / "names").write_text("todo\ntodo-m02\nother\n")
    assert world.minikube.status().state == "stopped"
    (world.log / "names").write_text("todo\nother\n")
    assert world.module(nodes=2)["steps"] == ["delete", "start"]


def test_a_node_that_is_away_is_named_where_the_first_one_runs(world: World) -> None:
    world.has_profile(Nodes=two_nodes())
    first = json.loads(RECORDED["running"]["status"])
    second = {**first, "Name": "todo-m02", "APIServer": "Irrelevant", "Kubeconfig": "Irrelevant", "Worker": True}
    for states, away in (([first, {**second, "Host": "Stopped"}], ("todo-m02",)), ([{**first, "Kubelet": "Stopped"}, second], ())):
        (world.log / "status").write_text(json.dumps(states))
        found = world.minikube.status()
        assert (found.state, found.up, found.away) == ("stopped", True, away)


def test_an_answer_that_is_none_is_a_stopped_cluster(world: World) -> None:
    world.has_profile()
    (world.log / "status").write_text("")
    assert world.minikube.status().state == "stopped"


def test_a_docker_that_does_not_answer_has_removed_nothing(world: World) -> None:
    world.has_profile("docker does not answer")
    (world.log / "docker").write_text("#!/bin/sh\necho Cannot connect to the Docker daemon >&2\nexit 1\n")
    assert world.minikube.status() == Status("stopped", CLUSTER, "192.168.85.2")


def test_without_a_profile_there_is_no_cluster_or_somebody_elses(world: World) -> None:
    assert world.minikube.status().state == "absent"
    (world.log / "container").touch()
    assert world.minikube.status().state == "foreign"
    assert world.calls() == []


def test_a_machine_without_docker_has_no_cluster(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert world.minikube.status().state == "absent"


@pytest.mark.parametrize("record", [PROFILE.read_text(encoding="utf-8"), '{"Name": "todo", "Nodes": null}', ""])
def test_a_start_that_was_broken_off_is_unfinished_whatever_it_left(world: World, record: str) -> None:
    world.has_profile(finished=False)
    (world.profile / "config.json").write_text(record)
    assert world.minikube.status().state == "unfinished"


def test_a_damaged_record_is_named(world: World) -> None:
    world.has_profile()
    (world.profile / "config.json").write_text('{"Name": "todo"}')
    with pytest.raises(MinikubeError, match=f"{world.profile}/config.json cannot be read: KeyError"):
        world.minikube.status()


def test_a_missing_program_names_the_tag_to_run(world: World) -> None:
    world.has_profile()
    world.minikube.executable.unlink()
    with pytest.raises(MinikubeError, match=r"no .*/minikube\. .*--tags kubernetes_tools"):
        world.minikube.status()


# What is to be done


# Each state that may be found, and what makes of it the one that is asked for
STEPS: dict[tuple[str, str], list[str]] = {
    ("absent", "started"): ["start"],
    ("absent", "present"): ["start"],
    ("absent", "stopped"): ["start", "stop"],
    ("absent", "absent"): [],
    ("unfinished", "started"): ["delete", "start"],
    ("unfinished", "present"): ["delete", "start"],
    ("unfinished", "stopped"): ["delete", "start", "stop"],
    ("unfinished", "absent"): ["delete"],
    ("stopped", "started"): ["start"],
    ("stopped", "present"): [],
    ("stopped", "stopped"): [],
    ("stopped", "absent"): ["delete"],
    ("running", "started"): [],
    ("running", "present"): [],
    ("running", "stopped"): ["stop"],
    ("running", "absent"): ["delete"],
}
STATES = ("started", "present", "stopped", "absent")
POLICIES = ("fail", "recreate", "ignore")


@pytest.mark.parametrize("check", [False, True], ids=["done", "check mode"])
@pytest.mark.parametrize(("found", "state"), STEPS)
def test_each_state_is_reached_from_each_other_and_kept(world: World, found: str, state: str, check: bool) -> None:
    world.is_found(found)
    steps = STEPS[found, state]
    result = world.module(state=state, check=check)
    assert (result["changed"], result["state"], result["steps"]) == (bool(steps), found, steps)
    assert result["would"] == [f"minikube {step} (todo)" for step in steps]
    if check:
        assert (world.done(), world.calls("docker-calls").count("update")) == ([], 0)
        return
    assert world.done() == steps
    again = world.module(state=state)
    assert (again["changed"], again["steps"], world.done()) == (False, [], [])


@pytest.mark.parametrize("on_drift", POLICIES)
@pytest.mark.parametrize(("found", "state"), STEPS)
def test_where_nothing_differs_the_policy_decides_nothing(found: str, state: str, on_drift: str) -> None:
    running = found == "running"
    status = Status(found, None if found in ("absent", "unfinished") else CLUSTER, up=running, comes_back=running)
    assert plan(status, CLUSTER, state, on_drift, "todo", LOCKED) == STEPS[found, state]


@pytest.mark.parametrize("check", [False, True], ids=["done", "check mode"])
@pytest.mark.parametrize("on_drift", POLICIES)
@pytest.mark.parametrize("state", STATES)
def test_somebody_elses_container_is_never_touched(world: World, state: str, on_drift: str, check: bool) -> None:
    world.is_found("foreign")
    result = world.module(state=state, on_drift=on_drift, check=check)
    assert "A container named 'todo' exists that this deployment did not make" in result["why"]
    assert "not touched" in result["why"]
    assert "another deployment_name" in result["remedy"]
    assert world.calls() == []


# Of each parameter another value than asked, as the profile records it, and as it is said
DRIFT: dict[str, tuple[dict[str, Any], str]] = {
    "driver": ({"Driver": "podman"}, "driver is podman, asked docker"),
    "container_runtime": ({"ContainerRuntime": "docker"}, "container_runtime is docker, asked containerd"),
    "kubernetes_version": ({"KubernetesVersion": "v1.33.1"}, "kubernetes_version is v1.33.1, asked v1.35.1"),
    "cpus": ({"CPUs": 4}, "cpus is 4, asked 2"),
    "memory": ({"Memory": 4096}, "memory is 4096, asked 6144"),
    "nodes": ({"Nodes": two_nodes()}, "nodes is 2, asked 1"),
    "network": ({"Network": "other"}, "network is other, asked todo"),
    "ports": ({"ExposedPorts": ["127.0.0.1:30001:30001"]}, "ports is 127.0.0.1:30001:30001, asked 127.0.0.1:30000:30000"),
}


DRIFTED = {parameter: getattr(Cluster.from_profile(record(**there)), parameter) for parameter, (there, _) in DRIFT.items()}


def test_every_parameter_is_compared() -> None:
    assert set(DRIFT) == set(CLUSTER.__dataclass_fields__)


def after_drift(found: str, state: str, on_drift: str) -> list[str]:
    """The steps where a parameter differs and that is not refused."""
    if state == "absent":
        return ["delete"]
    if on_drift == "recreate":
        return ["delete", "start", *(["stop"] if state == "stopped" else [])]
    return STEPS[found, state]


@pytest.mark.parametrize("check", [False, True], ids=["done", "check mode"])
@pytest.mark.parametrize("found", ["stopped", "running"])
@pytest.mark.parametrize("on_drift", POLICIES)
@pytest.mark.parametrize("parameter", DRIFT)
def test_a_parameter_that_differs_is_refused_recreated_or_ignored(world: World, parameter: str, on_drift: str, found: str, check: bool) -> None:
    there, said = DRIFT[parameter]
    world.is_found(found, **there)
    result = world.module(on_drift=on_drift, check=check)
    if on_drift == "fail":
        assert result["why"] == f"The cluster 'todo' differs from what is asked: {said}. Nothing was changed."
        assert "minikube_on_drift=recreate" in result["remedy"]
        assert world.done() == []
        return
    steps = after_drift(found, "started", on_drift)
    assert (result["steps"], result["would"]) == (steps, [f"minikube {step} (todo)" for step in steps])
    assert result["changed"] == bool(steps)
    assert world.done() == ([] if check else steps)


@pytest.mark.parametrize(("found", "state"), [pair for pair in STEPS if pair[0] in ("stopped", "running")])
@pytest.mark.parametrize("on_drift", POLICIES)
@pytest.mark.parametrize("parameter", DRIFT)
def test_the_policy_counts_whatever_state_is_asked_for_but_its_absence(parameter: str, on_drift: str, found: str, state: str) -> None:
    there: dict[str, Any] = {parameter: DRIFTED[parameter]}
    running = found == "running"
    status = Status(found, replace(CLUSTER, **there), up=running, comes_back=running)
    if on_drift == "fail" and state != "absent":
        with pytest.raises(MinikubeError, match=f"{parameter} is .*, asked "):
            plan(status, CLUSTER, state, on_drift, "todo", LOCKED)
    else:
        assert plan(status, CLUSTER, state, on_drift, "todo", LOCKED) == after_drift(found, state, on_drift)


@pytest.mark.parametrize(("on_drift", "words"), [("recreate", "--memory=6144"), ("ignore", "--memory=4096")])
def test_a_recreated_cluster_is_as_asked_and_an_ignored_one_is_started_as_it_is(world: World, on_drift: str, words: str) -> None:
    world.is_found("stopped", Memory=4096)
    world.module(on_drift=on_drift)
    (start,) = (call for call in world.calls() if call.startswith("start"))
    assert words in start.split()


def test_several_differences_are_named_at_once(world: World) -> None:
    world.is_found("running", Memory=4096, CPUs=4)
    assert "cpus is 4, asked 2; memory is 4096, asked 6144. Nothing was changed." in world.module()["why"]


def test_ports_that_are_missing_are_named(world: World) -> None:
    world.is_found("running", ExposedPorts=None)
    assert "ports is none, asked 127.0.0.1:30000:30000, 127.0.0.1:30001:30001." in world.module(ports=["127.0.0.1:30001:30001", "127.0.0.1:30000:30000"])["why"]


def test_the_order_of_ports_is_no_difference(world: World) -> None:
    world.is_found("running", ExposedPorts=["127.0.0.1:30001:30001", "127.0.0.1:30000:30000"])
    assert not world.module(ports=["127.0.0.1:30000:30000", "127.0.0.1:30001:30001"])["changed"]


# The Kubernetes version, of which the lock file has one


@pytest.mark.parametrize("check", [False, True], ids=["done", "check mode"])
@pytest.mark.parametrize("on_drift", POLICIES)
@pytest.mark.parametrize("found", ["absent", "unfinished"])
def test_a_version_that_the_lock_file_lacks_is_not_made(world: World, found: str, on_drift: str, check: bool) -> None:
    world.is_found(found)
    result = world.module(kubernetes_version="v1.33.1", on_drift=on_drift, check=check)
    assert f"minikube_kubernetes_version=v1.33.1 cannot be made: the lock file holds the programs and images of Kubernetes {LOCKED}" in result["why"]
    assert result["remedy"].startswith(f"Ask for {LOCKED}, ")
    assert world.done() == []


def test_a_cluster_is_not_taken_away_for_a_version_that_cannot_be_made(world: World) -> None:
    world.is_found("running")
    refused = world.module(kubernetes_version="v1.33.1", on_drift="fail")
    assert "kubernetes_version is v1.35.1, asked v1.33.1. Nothing was changed." in refused["why"]
    assert f"the lock file holds the programs and images of Kubernetes {LOCKED} alone" in refused["remedy"]
    assert "recreate" not in refused["remedy"]
    assert "cannot be made" in world.module(kubernetes_version="v1.33.1", on_drift="recreate")["why"]
    assert world.done() == []


def test_a_cluster_of_an_older_version_is_kept_started_and_stopped_where_that_is_asked(world: World) -> None:
    world.is_found("stopped", KubernetesVersion="v1.33.1")
    assert world.module(kubernetes_version="v1.33.1")["steps"] == ["start"]
    assert any("--kubernetes-version=v1.33.1" in call for call in world.calls())


def test_the_default_is_the_lock_files_version() -> None:
    assert yaml.safe_load((ROOT / "roles/minikube/defaults/main.yml").read_text())["minikube_kubernetes_version"] == LOCKED


# Coming back by itself


def test_a_node_that_starts_with_docker_comes_back(world: World) -> None:
    world.has_profile()
    assert world.minikube.status().comes_back


@pytest.mark.parametrize(
    "missing",
    [{"policy": "no"}, {"enabled": "enabled disabled"}, {"enabled": "enabled"}, {"address": "192.168.85.3"}, {"closed": ""}],
    ids=["its container would not be started", "kubelet would not be", "kubelet is not there", "it would ask another API server", "pods reach the registry"],
)
def test_what_a_start_without_minikube_needs_is_missed_and_put_in_place(world: World, missing: dict[str, str]) -> None:
    world.has_profile()
    world.comes_back(**missing)
    found = world.minikube.status()
    assert not found.comes_back
    assert plan(found, CLUSTER, "started", "fail", "todo", LOCKED) == plan(found, CLUSTER, "present", "ignore", "todo", LOCKED) == ["return"]
    assert plan(found, CLUSTER, "stopped", "fail", "todo", LOCKED) == ["stop"]
    world.minikube.let_come_back()
    assert world.minikube.status().comes_back


def test_kubelet_finds_the_api_server_under_the_name_that_docker_forgets() -> None:
    hosts = "/etc/hosts || echo \"192.168.85.2\tcontrol-plane.minikube.internal\" >>/etc/hosts"
    assert drop_in("192.168.85.2", []).splitlines()[1].endswith(f"{hosts}'")


def test_pods_do_not_reach_a_log_in_nor_what_the_node_pulls_images_from_whatever_they_call_it() -> None:
    """Looked at where addresses are those of the end: neither a service's any more, nor the node's already."""
    *_, registry, log_in = drop_in("192.168.85.2", ["192.168.85.250"]).splitlines()
    assert "iptables -w 10 -t mangle -C FORWARD -d 192.168.85.250 -j DROP" in registry
    assert "|| iptables -w 10 -t mangle -A FORWARD -d 192.168.85.250 -j DROP" in registry
    assert "|| iptables -w 10 -t mangle -A FORWARD -o eth0 -p tcp --dport 22 -j DROP" in log_in


@pytest.mark.parametrize("step", ["stop", "delete"])
def test_what_is_stopped_stays_stopped(world: World, step: str) -> None:
    world.has_profile()
    (world.log / "minikube").write_text(
        MINIKUBE.format(log=world.log, profile=PROFILE).replace("case $1 in", f'cat "{world.log}/policy" >>"{world.log}/calls"\ncase $1 in')
    )
    getattr(world.minikube, step)()
    # before, because minikube lets the node end from within, which Docker would take for a crash
    assert world.calls() == [f"{step} --profile=todo", "no"]


def test_a_node_without_kubernetes_is_stopped_too(world: World) -> None:
    world.has_profile("docker start")
    assert plan(world.minikube.status(), CLUSTER, "stopped", "fail", "todo", LOCKED) == ["stop"]


def test_a_refusal_of_docker_is_told(world: World) -> None:
    world.has_profile()
    (world.log / "docker").write_text("#!/bin/sh\ncase $1 in ps) echo todo ;; *) echo no space left >&2 ; exit 1 ;; esac\n")
    with pytest.raises(UserError, match=r"node todo cannot be told(.|\n)*no space left"):
        world.minikube.let_come_back()


# How minikube is called


def test_a_start_asks_for_every_parameter_and_is_marked_as_finished(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIKUBE_DRIVER", "kvm2")
    monkeypatch.setenv("KUBECONFIG", "/home/me/.kube/config")
    monkeypatch.setenv("DOCKER_CONFIG", "/home/me/.docker")
    world.has_profile(finished=False)
    world.comes_back(policy="no", enabled="disabled disabled")
    world.minikube.start(CLUSTER, "todochat/kicbase:v0.0.50")
    assert world.minikube.status().comes_back
    call = world.calls()[0]
    parameters = "--driver=docker --container-runtime=containerd --kubernetes-version=v1.35.1 --cpus=2 --memory=6144 --nodes=1 --network=todo"
    others = "--ports=127.0.0.1:30000:30000 --base-image=todochat/kicbase:v0.0.50 --preload=false --embed-certs --profile=todo"
    routing = "--extra-config=apiserver.enable-aggregator-routing=true"
    for word in f"{parameters} {others} {routing}".split():
        assert word in call.split()
    assert (world.profile / "finished").exists()
    environment = dict(line.split("=", 1) for line in (world.log / "env").read_text().splitlines() if "=" in line)
    assert environment["MINIKUBE_HOME"] == str(world.home)
    assert environment["KUBECONFIG"] == str(world.home / "kubeconfig")
    assert environment["DOCKER_CONFIG"] == str(world.home / "docker")
    assert "MINIKUBE_DRIVER" not in environment


# Several nodes


def test_each_further_node_is_added_and_publishes_nothing(world: World) -> None:
    """Docker gives a port of this machine to one container, and minikube asks for those of the profile with each."""
    world.minikube.start(replace(CLUSTER, nodes=3), "todochat/kicbase:v0.0.50")
    start, *added = world.calls()
    assert {"--nodes=1", f"--cni={world.home}/kube-router.yml", "--wait=apiserver,system_pods,node_ready"} <= set(start.split())
    assert "--cni=bridge" not in start
    assert added == ["node --profile=todo add"] * 2
    assert world.calls("added") == ["m02 6144 false", "m03 6144 false"]
    assert world.minikube.nodes() == ["todo", "todo-m02", "todo-m03"]
    assert world.minikube.recorded()[0] == replace(CLUSTER, nodes=3)
    assert world.minikube.is_finished()


def test_a_cluster_of_several_is_started_as_a_whole(world: World) -> None:
    world.has_profile("minikube stop", Nodes=two_nodes())
    world.minikube.start(replace(CLUSTER, nodes=2), "todochat/kicbase:v0.0.50")
    assert [call.split()[0] for call in world.calls()] == ["start", "kubectl"]
    assert f"--cni={world.home}/kube-router.yml" in world.calls()[0].split()


def test_a_node_that_cannot_be_added_leaves_a_cluster_that_is_made_anew(world: World) -> None:
    (world.log / "full").touch()
    with pytest.raises(MinikubeError, match=r"`minikube node add --profile=todo` failed with exit status 80") as raised:
        world.minikube.start(replace(CLUSTER, nodes=2), "todochat/kicbase:v0.0.50")
    assert "no space left" in str(raised.value)
    assert world.minikube.status().state == "unfinished"


@pytest.mark.parametrize("step", ["stop", "delete", "let_come_back"])
def test_all_nodes_come_back_or_stay_down(world: World, step: str) -> None:
    world.has_profile(Nodes=two_nodes())
    (world.log / "names").write_text("todo\ntodo-m02\ntodo-m03\nother\n")
    getattr(world.minikube, step)()
    policy = "unless-stopped" if step == "let_come_back" else "no"
    updates = [call for call in world.calls("docker-calls") if call.startswith("docker update")]
    assert updates == [f"docker update --restart={policy} {name}" for name in ("todo", "todo-m02")]


def test_somebody_elses_container_of_a_nodes_name_is_never_touched(world: World) -> None:
    (world.log / "second").touch()
    assert "A container named 'todo-m02' exists" in world.module(nodes=2)["why"]
    assert world.done() == []
    assert world.module(nodes=1)["steps"] == ["start"]
    assert "A container named 'todo-m02' exists" in world.module(nodes=2, on_drift="recreate")["why"]
    assert world.done() == []


def test_the_pods_of_a_new_cluster_are_not_waited_for(world: World) -> None:
    (world.log / "pods").write_text(pods(pod(ready=False)))
    world.minikube.start(CLUSTER, "todochat/kicbase:v0.0.50")
    assert [call.split()[0] for call in world.calls()] == ["start"]
    assert world.minikube.is_finished()


@pytest.mark.parametrize(
    "first",
    [
        pods(pod(ready=False)),
        pods(pod(), pod("backend", "todo", started="2026-11-24T06:20:00Z")),
    ],
    ids=["DNS is not ready", "a pod is shown as it was before the node stopped"],
)
def test_a_restart_ends_when_what_the_cluster_says_can_be_relied_on(world: World, first: str) -> None:
    world.has_profile("minikube stop")
    (world.log / "pods-first").write_text(first)
    world.minikube.start(CLUSTER, "todochat/kicbase:v0.0.50")
    assert [call.split()[0] for call in world.calls()] == ["start", "kubectl", "kubectl"]


def test_a_restart_does_not_wait_for_what_this_collection_added_to_the_cluster(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_pods, "READY_SECONDS", 0)
    world.has_profile("minikube stop")
    added = pod("metrics-server", ready=False)
    added["metadata"]["labels"] = {"app.kubernetes.io/part-of": "todochat"}
    (world.log / "pods").write_text(pods(pod(), added))
    world.minikube.start(CLUSTER, "todochat/kicbase:v0.0.50")
    assert world.minikube.is_finished()


def test_pods_that_do_not_come_back_are_named_and_the_cluster_is_still_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_pods, "READY_SECONDS", 0)
    world.has_profile("minikube stop")
    (world.log / "pods").write_text(pods(pod(ready=False), pod("backend", "todo", ready=False)))
    with pytest.raises(UserError, match=r"not ready after 0 s: coredns\. .*docker exec todo journalctl"):
        world.minikube.start(CLUSTER, "todochat/kicbase:v0.0.50")
    assert world.minikube.is_finished()


def test_a_failed_start_is_not_finished_and_its_last_words_are_told(world: World) -> None:
    (world.log / "broken").touch()
    with pytest.raises(MinikubeError) as raised:
        world.minikube.start(CLUSTER, "todochat/kicbase:v0.0.50")
    for words in ("`minikube start --profile=todo` failed with exit status 80", "Creating docker container", "no space left"):
        assert words in str(raised.value)
    assert not (world.profile / "finished").exists()


# Recorded from minikube v1.38.1 with --output=json
CLOUD_EVENTS = """\
{"specversion":"1.0","id":"1071193a","source":"https://minikube.sigs.k8s.io/","type":"io.k8s.sigs.minikube.step","datacontenttype":"application/json",\
"data":{"currentstep":"1","message":"Using the docker driver based on user configuration","name":"Selecting Driver","totalsteps":"19"}}
{"specversion":"1.0","id":"ee5eb55b","source":"https://minikube.sigs.k8s.io/","type":"io.k8s.sigs.minikube.error","datacontenttype":"application/json",\
"data":{"advice":"","exitcode":"57","issues":"","message":"The \\"docker\\" driver should not be used with root privileges.","name":"DRV_AS_ROOT","url":""}}
"""


def test_a_start_tells_its_steps_and_fails_with_minikubes_own_reason(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.log / "events").touch()
    monkeypatch.setenv("TODOCHAT_EVENTS", str(world.log / "events"))
    (world.log / "cloud-events").write_text(CLOUD_EVENTS)
    (world.log / "minikube").write_text(f"#!/bin/sh\ncat '{world.log}/cloud-events'\nexit 57\n")
    with pytest.raises(MinikubeError) as raised:
        world.minikube.start(CLUSTER, "todochat/kicbase:v0.0.50")
    assert raised.value.why.endswith('failed with exit status 57: The "docker" driver should not be used with root privileges.')
    assert raised.value.details.startswith("step 1 of 19, Using the docker driver based on user configuration\n")
    told = [json.loads(line)["waiting_for"] for line in (world.log / "events").read_text().splitlines()]
    assert told == ["minikube start", "minikube start: step 1 of 19, Using the docker driver based on user configuration"]


def test_a_deletion_that_is_broken_off_is_taken_up_again(world: World) -> None:
    world.has_profile()
    (world.log / "broken").touch()
    with pytest.raises(MinikubeError, match="minikube delete"):
        world.minikube.delete()
    assert world.minikube.status().state == "unfinished"
    (world.log / "broken").unlink()
    world.minikube.delete()
    assert world.minikube.status().state == "absent"


def test_the_callers_kubeconfig_is_theirs_alone_and_written_when_it_differs(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "me/state/kubeconfig"
    assert not copy_for_caller(source, target, check_mode=False)
    source.write_text("clusters: []\n")
    assert copy_for_caller(source, target, check_mode=True)
    assert not target.parent.exists()
    assert copy_for_caller(source, target, check_mode=False)
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("clusters: []\n", 0o600)
    assert target.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in target.parent.iterdir()] == ["kubeconfig"]
    assert not copy_for_caller(source, target, check_mode=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="files are given away")
def test_a_kubeconfig_that_its_caller_cannot_read_is_given_back(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "me/kubeconfig"
    source.write_text("clusters: []\n")
    target.parent.mkdir()
    os.chown(target.parent, 65534, 65534)
    target.write_text("clusters: []\n")
    assert copy_for_caller(source, target, check_mode=False)
    assert target.stat().st_uid == 65534
    assert not copy_for_caller(source, target, check_mode=False)
