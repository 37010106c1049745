"""The minikube profile: what is read of it, what is done about it, and how minikube is called."""

from __future__ import annotations

import json
import os
import pwd
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.todochat.platform.plugins.module_utils import minikube as module_utils
from ansible_collections.todochat.platform.plugins.module_utils.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.minikube import Cluster, Minikube, MinikubeError, Status
from ansible_collections.todochat.platform.plugins.module_utils.node import drop_in
from ansible_collections.todochat.platform.plugins.modules.minikube import copy_for_caller, plan

# Recorded from a running cluster of minikube v1.38.1
PROFILE = Path(__file__).parent / "fixtures" / "minikube-profile.json"
CLUSTER = Cluster(
    driver="docker",
    container_runtime="containerd",
    kubernetes_version="v1.34.4",
    cpus=2,
    memory=6144,
    nodes=1,
    network="todo",
    ports=("127.0.0.1:30000:30000",),
)
# What `minikube status --output=json` prints, one object for one node and a list for more
NODE: dict[str, Any] = {"Name": "todo", "Host": "Running", "Kubelet": "Running", "APIServer": "Running", "Kubeconfig": "Configured", "Worker": False}
WORKER: dict[str, Any] = {"Name": "todo-m02", "Host": "Running", "Kubelet": "Running", "APIServer": "Irrelevant", "Kubeconfig": "Irrelevant", "Worker": True}
STOPPED: dict[str, Any] = {**NODE, "Host": "Stopped", "Kubelet": "Stopped", "APIServer": "Stopped", "Kubeconfig": "Stopped"}
GONE: dict[str, Any] = {**NODE, "Host": "Nonexistent", "Kubelet": "Nonexistent", "APIServer": "Nonexistent", "Kubeconfig": "Nonexistent"}
NOT_FOUND = '{"specversion":"1.0","type":"io.k8s.sigs.minikube.info"}\n{"specversion":"1.0","type":"io.k8s.sigs.minikube.info"}\n'

MINIKUBE = """#!/bin/sh
echo "$@" >>"{log}/calls"
env >"{log}/env"
case $1 in
status) cat "{log}/status" ;;
start)
    [ ! -e "{log}/broken" ] || {{ echo "* Creating docker container" ; echo "X Exiting due to GUEST_PROVISION: no space left" >&2 ; exit 80 ; }}
    mkdir -p "$MINIKUBE_HOME/profiles/todo" ;;
kubectl) if [ -e "{log}/pods-first" ] ; then cat "{log}/pods-first" ; rm "{log}/pods-first" ; else cat "{log}/pods" ; fi ;;
delete) [ ! -e "{log}/broken" ] || exit 1 ; rm -r "$MINIKUBE_HOME/profiles/todo" ;;
esac
"""
DOCKER = """#!/bin/sh
echo "docker $@" >>"{log}/docker-calls"
case "$*" in
ps*Names*) echo todo ;;
ps*) echo 0123456789ab ;;
inspect*RestartPolicy*) cat "{log}/policy" ;;
inspect*) echo "todo 2026-11-24T06:28:56.162212464Z" ;;
update*) echo "${{2#--restart=}}" >"{log}/policy" ;;
exec\\ --interactive*) cat >"{log}/drop-in" ; printf "enabled\\nenabled\\n" >"{log}/enabled" ;;
exec*) cat "{log}/enabled" "{log}/drop-in" ;;
*) [ "$*" = "container inspect --format {{{{.Id}}}} todo" ] && [ -e "{log}/container" ] ;;
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


class World:
    """A MINIKUBE_HOME, with stand-ins for minikube and docker that note how they are called."""

    def __init__(self, directory: Path) -> None:
        self.log = directory
        self.home = directory / "home"
        self.profile = self.home / "profiles" / "todo"
        for name, script in (("minikube", MINIKUBE), ("docker", DOCKER)):
            (directory / name).write_text(script.format(log=directory))
            (directory / name).chmod(0o755)
        (directory / "pods").write_text(pods(pod()))
        self.comes_back()
        self.minikube = Minikube(directory / "minikube", "todo", self.home, pwd.getpwuid(os.geteuid()).pw_name)

    def has_profile(self, status: Any = NODE, *, finished: bool = True) -> None:
        self.profile.mkdir(parents=True)
        shutil.copy(PROFILE, self.profile / "config.json")
        (self.log / "status").write_text(status if isinstance(status, str) else json.dumps(status))
        if finished:
            (self.profile / "finished").touch()

    def comes_back(self, policy: str = "unless-stopped", enabled: str = "enabled enabled", address: str = "192.168.85.2") -> None:
        """What Docker and systemd say of the node."""
        (self.log / "policy").write_text(f"{policy}\n")
        (self.log / "enabled").write_text(enabled.replace(" ", "\n") + "\n")
        (self.log / "drop-in").write_text(drop_in(address))

    def calls(self, log: str = "calls") -> list[str]:
        path = self.log / log
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A machine without a cluster."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return World(tmp_path)


# What is found


def test_a_recorded_profile_is_read() -> None:
    assert Cluster.from_profile(json.loads(PROFILE.read_text())) == CLUSTER


def test_nodes_that_were_added_are_counted() -> None:
    profile = json.loads(PROFILE.read_text())
    profile["Nodes"].append({**profile["Nodes"][0], "Name": "m02", "ControlPlane": False})
    assert CLUSTER.drift(Cluster.from_profile(profile)) == {"nodes": (2, 1)}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (NODE, "running"),
        ({**NODE, "Kubeconfig": "Misconfigured"}, "running"),
        ([NODE, WORKER], "running"),
        ([NODE, {**WORKER, "Kubelet": "Stopped"}], "stopped"),
        (STOPPED, "stopped"),
        (GONE, "stopped"),
        ({**NODE, "APIServer": "Stopped"}, "stopped"),
        ({**NODE, "Host": "Paused", "Kubelet": "Paused"}, "stopped"),
        (NOT_FOUND, "stopped"),
        ("", "stopped"),
    ],
)
def test_minikubes_answer_says_how_the_cluster_is(world: World, status: Any, state: str) -> None:
    world.has_profile(status)
    found = world.minikube.status()
    assert (found.state, found.actual, found.address) == (state, CLUSTER, "192.168.85.2")
    assert world.calls() == ["status --profile=todo --output=json"]


def test_without_a_profile_there_is_no_cluster_or_somebody_elses(world: World) -> None:
    assert world.minikube.status().state == "absent"
    (world.log / "container").touch()
    assert world.minikube.status().state == "foreign"
    assert world.calls() == []


def test_a_machine_without_docker_has_no_cluster(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert world.minikube.status().state == "absent"


@pytest.mark.parametrize("record", [PROFILE.read_text(), '{"Name": "todo", "Nodes": null}', ""])
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


@pytest.mark.parametrize(
    ("found", "state", "steps"),
    [
        ("absent", "started", ["start"]),
        ("absent", "present", ["start"]),
        ("absent", "stopped", ["start", "stop"]),
        ("absent", "absent", []),
        ("unfinished", "started", ["delete", "start"]),
        ("unfinished", "present", ["delete", "start"]),
        ("unfinished", "stopped", ["delete", "start", "stop"]),
        ("unfinished", "absent", ["delete"]),
        ("stopped", "started", ["start"]),
        ("stopped", "present", []),
        ("stopped", "stopped", []),
        ("stopped", "absent", ["delete"]),
        ("running", "started", []),
        ("running", "present", []),
        ("running", "stopped", ["stop"]),
        ("running", "absent", ["delete"]),
    ],
)
@pytest.mark.parametrize("on_drift", ["fail", "recreate", "ignore"])
def test_where_nothing_differs_only_the_state_changes(found: str, state: str, steps: list[str], on_drift: str) -> None:
    actual = None if found in ("absent", "unfinished") else CLUSTER
    running = found == "running"
    assert plan(Status(found, actual, up=running, comes_back=running), CLUSTER, state, on_drift, "todo") == steps


@pytest.mark.parametrize("state", ["started", "present", "stopped", "absent"])
@pytest.mark.parametrize("on_drift", ["fail", "recreate", "ignore"])
def test_somebody_elses_container_is_never_touched(state: str, on_drift: str) -> None:
    with pytest.raises(MinikubeError, match=r"'todo' exists that this deployment did not make.* not touched"):
        plan(Status("foreign"), CLUSTER, state, on_drift, "todo")


DRIFT = {
    "driver": "podman",
    "container_runtime": "docker",
    "kubernetes_version": "v1.33.1",
    "cpus": 4,
    "memory": 4096,
    "nodes": 2,
    "network": "other",
    "ports": ("127.0.0.1:30001:30000",),
}


@pytest.mark.parametrize("parameter", DRIFT)
def test_each_parameter_that_differs_is_named_recreated_or_ignored(parameter: str) -> None:
    there: Any = {parameter: DRIFT[parameter]}
    found = Status("running", replace(CLUSTER, **there), up=True, comes_back=True)
    for state in ("started", "present", "stopped"):
        with pytest.raises(MinikubeError) as raised:
            plan(found, CLUSTER, state, "fail", "todo")
        for words in (f"{parameter} is {DRIFT[parameter]}, asked {getattr(CLUSTER, parameter)}", "Nothing was changed", "minikube_on_drift=recreate"):
            assert words in str(raised.value)
    assert str(raised.value).count(", asked") == 1
    assert plan(found, CLUSTER, "started", "recreate", "todo") == ["delete", "start"]
    assert plan(found, CLUSTER, "stopped", "recreate", "todo") == ["delete", "start", "stop"]
    assert plan(found, CLUSTER, "started", "ignore", "todo") == []
    assert plan(found, CLUSTER, "absent", "fail", "todo") == ["delete"]


def test_every_parameter_is_compared() -> None:
    assert set(DRIFT) == set(CLUSTER.__dataclass_fields__)


# Coming back by itself


def test_a_node_that_starts_with_docker_comes_back(world: World) -> None:
    world.has_profile()
    assert world.minikube.status().comes_back


@pytest.mark.parametrize(
    "missing",
    [{"policy": "no"}, {"enabled": "enabled disabled"}, {"enabled": "enabled"}, {"address": "192.168.85.3"}],
    ids=["its container would not be started", "kubelet would not be", "kubelet is not there", "it would ask another API server"],
)
def test_what_a_start_without_minikube_needs_is_missed_and_put_in_place(world: World, missing: dict[str, str]) -> None:
    world.has_profile()
    world.comes_back(**missing)
    found = world.minikube.status()
    assert not found.comes_back
    assert plan(found, CLUSTER, "started", "fail", "todo") == plan(found, CLUSTER, "present", "ignore", "todo") == ["return"]
    assert plan(found, CLUSTER, "stopped", "fail", "todo") == ["stop"]
    world.minikube.let_come_back()
    assert world.minikube.status().comes_back


def test_kubelet_finds_the_api_server_under_the_name_that_docker_forgets() -> None:
    hosts = "/etc/hosts || echo \"192.168.85.2\tcontrol-plane.minikube.internal\" >>/etc/hosts"
    assert drop_in("192.168.85.2").endswith(f"{hosts}'\n")


@pytest.mark.parametrize("step", ["stop", "delete"])
def test_what_is_stopped_stays_stopped(world: World, step: str) -> None:
    world.has_profile()
    (world.log / "minikube").write_text(MINIKUBE.format(log=world.log).replace("case $1 in", f'cat "{world.log}/policy" >>"{world.log}/calls"\ncase $1 in'))
    getattr(world.minikube, step)()
    # before, because minikube lets the node end from within, which Docker would take for a crash
    assert world.calls() == [f"{step} --profile=todo", "no"]


def test_a_node_without_kubernetes_is_stopped_too(world: World) -> None:
    world.has_profile({**NODE, "APIServer": "Stopped"})
    assert plan(world.minikube.status(), CLUSTER, "stopped", "fail", "todo") == ["stop"]


def test_a_refusal_of_docker_is_told(world: World) -> None:
    world.has_profile()
    (world.log / "docker").write_text("#!/bin/sh\ncase $1 in ps) echo todo ;; *) echo no space left >&2 ; exit 1 ;; esac\n")
    with pytest.raises(UserError, match=r"node todo cannot be told(.|\n)*no space left"):
        world.minikube.let_come_back()


# How minikube is called


def test_a_start_asks_for_every_parameter_and_is_marked_as_finished(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIKUBE_DRIVER", "kvm2")
    monkeypatch.setenv("KUBECONFIG", "/home/me/.kube/config")
    world.has_profile(finished=False)
    world.comes_back(policy="no", enabled="disabled disabled")
    world.minikube.start(CLUSTER, "todochat/kicbase:v0.0.50")
    assert world.minikube.status().comes_back
    call = world.calls()[0]
    parameters = "--driver=docker --container-runtime=containerd --kubernetes-version=v1.34.4 --cpus=2 --memory=6144 --nodes=1 --network=todo"
    others = "--ports=127.0.0.1:30000:30000 --base-image=todochat/kicbase:v0.0.50 --preload=false --embed-certs --profile=todo"
    for word in f"{parameters} {others}".split():
        assert word in call.split()
    assert (world.profile / "finished").exists()
    environment = dict(line.split("=", 1) for line in (world.log / "env").read_text().splitlines() if "=" in line)
    assert environment["MINIKUBE_HOME"] == str(world.home)
    assert environment["KUBECONFIG"] == str(world.home / "kubeconfig")
    assert "MINIKUBE_DRIVER" not in environment


@pytest.mark.parametrize(
    "first",
    [
        pods(pod(ready=False)),
        pods(pod(), pod("backend", "todo", started="2026-11-24T06:20:00Z")),
    ],
    ids=["DNS is not ready", "a pod is shown as it was before the node stopped"],
)
def test_a_start_ends_when_what_the_cluster_says_can_be_relied_on(world: World, first: str) -> None:
    world.has_profile(finished=False)
    (world.log / "pods-first").write_text(first)
    world.minikube.start(CLUSTER, "todochat/kicbase:v0.0.50")
    assert [call.split()[0] for call in world.calls()] == ["start", "kubectl", "kubectl"]


def test_pods_that_do_not_come_back_are_named_and_the_start_is_not_finished(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_utils, "CATCH_UP_SECONDS", 0)
    (world.log / "pods").write_text(pods(pod(ready=False), pod("backend", "todo", ready=False)))
    with pytest.raises(MinikubeError, match=r"not ready: coredns\. "):
        world.minikube.start(CLUSTER, "todochat/kicbase:v0.0.50")
    assert not (world.profile / "finished").exists()


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
