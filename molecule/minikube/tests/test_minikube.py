"""The cluster runs pods from the registry beside it, comes back when it was stopped, and is never changed unasked."""

from __future__ import annotations

import json
from typing import Any

from conftest import Tester
from testinfra.host import Host

IMAGE = "127.0.0.1:5000/tests/pause"


def node(tester: Tester) -> dict[str, Any]:
    """What Docker knows of the node's container."""
    found: dict[str, Any] = json.loads(tester.sees("docker inspect todo"))[0]
    return found


def test_the_node_is_ready_in_the_pinned_version(tester: Tester) -> None:
    (found,) = tester.kubectl("get nodes")["items"]
    assert found["status"]["nodeInfo"]["kubeletVersion"] == "v1.34.4"
    assert {"type": "Ready", "status": "True"}.items() <= next(c for c in found["status"]["conditions"] if c["type"] == "Ready").items()


def test_a_pod_comes_from_the_registry_by_digest_and_dns_answers(tester: Tester, pause: str) -> None:
    tester.sees(f"docker tag {pause} {IMAGE}:1 && docker push --quiet {IMAGE}:1")
    digest = tester.sees(f"docker image inspect --format '{{{{index .RepoDigests 0}}}}' {IMAGE}:1")
    kubectl = "KUBECONFIG=~/.local/state/todochat/todo/kubeconfig kubectl --namespace default"
    tester.sees(f"{kubectl} run waits --image={digest} && {kubectl} wait --for=condition=Ready --timeout=60s pod/waits")
    assert digest.split("@")[1] in tester.sees(f"{kubectl} get pod waits --output 'jsonpath={{.status.containerStatuses[0].imageID}}'")
    endpoints = tester.sees(f"{kubectl} get endpointslices --namespace kube-system --selector kubernetes.io/service-name=kube-dns --output 'jsonpath={{.items[*].endpoints[*].conditions.ready}}'")
    assert "true" in endpoints
    tester.sees(f"{kubectl} delete pod waits --wait=false")


def test_an_ordinary_user_runs_it(host: Host) -> None:
    assert host.check_output("find /home/tester/.local/share/todochat ! -user tester") == ""
    assert not host.file("/root/.minikube").exists


def test_a_cluster_that_differs_is_named_and_left_alone(tester: Tester) -> None:
    before = node(tester)["Id"]
    tester.refused("--tags minikube -e minikube_memory=5000", "memory is 6144, asked 5000", "minikube_on_drift=recreate")
    assert node(tester)["Id"] == before


def test_a_stopped_cluster_is_started_and_not_made_anew(tester: Tester) -> None:
    before = node(tester)["Id"]
    tester.sees("docker stop todo")
    passed, output = tester.up("--tags minikube")
    assert passed, output
    assert node(tester)["Id"] == before
    assert node(tester)["State"]["Running"]
    assert tester.kubectl("get nodes")["items"]


def test_another_ones_container_of_that_name_is_left_alone(tester: Tester, pause: str) -> None:
    tester.sees(f"docker run --detach --name other {pause}")
    tester.refused("--tags minikube -e minikube_profile=other", "'other'", "deployment_name")
    assert tester.sees("docker inspect --format '{{.State.Running}}' other") == "true"
    tester.sees("docker rm --force other")
