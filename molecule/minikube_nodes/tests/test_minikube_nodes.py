"""The application on two nodes that one variable asks for: pods on both, policies that hold, a node that goes and comes back, another number of them.

The order matters.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import Tester
from deployed import CHECKOUT, RELEASES, Deployment, until
from testinfra.host import Host
from their_cluster import homes, kubectl, policies_hold

NODES = {"todo": "192.168.85.2", "todo-m02": "192.168.85.3"}
SECOND = "todo-m02"
# The autoscalers have nothing to do, as no pod gets more CPU than that: two of each service stay.
SETTINGS = """---
minikube_nodes: 2
minikube_memory: 2048
app_release_backend_values: {autoscaling: {cpuPercent: 500}, networkPolicy: {enabled: true, database: {cidr: 192.168.85.251/32}}}
app_release_frontend_values: {autoscaling: {cpuPercent: 500}, networkPolicy: {enabled: true}}
"""
RETURN_SECONDS = 240


@pytest.fixture(scope="module", autouse=True)
def deployment(host: Host) -> Deployment:
    """The application, by `make up` with the settings, from a machine that has Docker alone."""
    found = Deployment(host)
    found.give(f"{CHECKOUT}/group_vars/all/own.yml", SETTINGS)
    output = found.up("")
    assert "sign up" in output.partition("Checked")[2], output[-2000:]
    assert "hold nobody back" not in output
    found.settle()
    return found


def container(tester: Tester, name: str) -> dict[str, Any]:
    """What Docker knows of a node's container."""
    found: dict[str, Any] = json.loads(tester.sees(f"docker inspect {name}"))[0]
    return found


def ready() -> dict[str, str]:
    """The address of each node that is ready, by name."""
    listed = json.loads(kubectl("get nodes --output=json"))["items"]
    return {
        node["metadata"]["name"]: next(one["address"] for one in node["status"]["addresses"] if one["type"] == "InternalIP")
        for node in listed
        if any((one["type"], one["status"]) == ("Ready", "True") for one in node["status"]["conditions"])
    }


def late(tester: Tester, name: str) -> list[str]:
    """The pods of a node that are not ready again since its container was started."""
    since = container(tester, name)["State"]["StartedAt"][:19]
    listed = json.loads(kubectl(f"get pods --all-namespaces --field-selector=spec.nodeName={name},status.phase!=Succeeded --output=json"))["items"]

    def is_back(pod: dict[str, Any]) -> bool:
        status = pod["status"]
        starts = [one["state"].get("running", {}).get("startedAt", "") for one in status.get("containerStatuses", [])]
        is_ready = any((one["type"], one["status"]) == ("Ready", "True") for one in status.get("conditions", []))
        return is_ready and all(start >= since for start in starts)

    return [pod["metadata"]["name"] for pod in listed if not is_back(pod)]


def comes_back(tester: Tester, name: str) -> None:
    until(lambda: not late(tester, name) and ready() == NODES, RETURN_SECONDS, lambda: f"{late(tester, name)}, ready: {ready()}")


def test_both_are_ready_each_with_its_memory_and_the_first_one_publishes_the_port(tester: Tester) -> None:
    assert ready() == NODES
    found = {name: container(tester, name)["HostConfig"] for name in NODES}
    assert {name: of["Memory"] >> 20 for name, of in found.items()} == dict.fromkeys(NODES, 2048)
    assert {name: "30000/tcp" in of["PortBindings"] for name, of in found.items()} == {"todo": True, SECOND: False}


def test_the_pods_of_each_service_are_on_both() -> None:
    assert {release: homes(release, "todo") for release in RELEASES} == {release: set(NODES) for release in RELEASES}


def test_policies_hold_back_whoever_is_not_the_frontend() -> None:
    policies_hold("todo")


@pytest.mark.parametrize("name", NODES)
def test_each_node_lets_none_of_its_pods_to_the_registry(tester: Tester, name: str) -> None:
    tester.sees(f"docker exec {name} iptables -w 10 -t mangle -C FORWARD -d 192.168.85.250 -j DROP")


def test_both_are_measured() -> None:
    def measured() -> set[str]:
        listed = json.loads(kubectl("get --raw /apis/metrics.k8s.io/v1beta1/nodes"))["items"]
        return {one["metadata"]["name"] for one in listed}

    until(lambda: measured() == set(NODES), 120, measured)


def test_another_run_changes_nothing(tester: Tester) -> None:
    tester.up_changes_nothing("")


def test_a_node_whose_container_is_restarted_comes_back_by_itself(tester: Tester, deployment: Deployment) -> None:
    tester.sees(f"docker restart {SECOND}")
    comes_back(tester, SECOND)
    deployment.settle()
    tester.up_changes_nothing("")


def test_a_node_that_is_down_is_named_and_started(tester: Tester, deployment: Deployment) -> None:
    tester.sees(f"docker stop {SECOND}")
    status = deployment.passes("make status")
    assert f"not whole: {SECOND} is down" in status
    assert "make start" in status
    assert f"The container {SECOND} is exited" in deployment.passes("make diagnose")
    deployment.passes("make start")
    comes_back(tester, SECOND)
    deployment.settle()


def test_all_are_stopped_and_started(tester: Tester, deployment: Deployment) -> None:
    deployment.passes("make stop")
    states = {name: (of["State"]["Status"], of["HostConfig"]["RestartPolicy"]["Name"]) for name in NODES if (of := container(tester, name))}
    assert states == dict.fromkeys(NODES, ("exited", "no"))
    deployment.passes("make start")
    for name in NODES:
        comes_back(tester, name)
    deployment.settle()


def test_another_number_is_refused_and_made_where_that_is_asked(tester: Tester) -> None:
    before = {name: container(tester, name)["Id"] for name in NODES}
    tester.refused("--tags minikube -e minikube_nodes=3", "nodes is 2, asked 3", "minikube_on_drift=recreate")
    passed, output = tester.up("--tags minikube --check -e minikube_nodes=1 -e minikube_on_drift=recreate")
    assert passed, output
    assert "would: minikube delete (todo)" in output
    assert {name: container(tester, name)["Id"] for name in NODES} == before
    passed, output = tester.up("-e minikube_nodes=1 -e minikube_on_drift=recreate")
    assert passed, output
    assert list(ready()) == ["todo"]
    left = tester.sees("docker ps --all --format '{{.Names}}'; docker volume ls --format '{{.Name}}'").splitlines()
    assert SECOND not in left
    assert left.count("todo") == 2, "a container, and its volume"
