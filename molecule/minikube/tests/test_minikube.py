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


def test_a_pod_comes_from_the_registry_by_digest(tester: Tester, pause: str) -> None:
    tester.sees(f"docker tag {pause} {IMAGE}:1 && docker push --quiet {IMAGE}:1")
    digest = tester.sees(f"docker image inspect --format '{{{{index .RepoDigests 0}}}}' {IMAGE}:1")
    kubectl = "KUBECONFIG=~/.local/state/todochat/todo/kubeconfig kubectl --namespace default"
    tester.sees(f"{kubectl} run waits --image={digest} && {kubectl} wait --for=condition=Ready --timeout=60s pod/waits")
    assert digest.split("@")[1] in tester.sees(f"{kubectl} get pod waits --output 'jsonpath={{.status.containerStatuses[0].imageID}}'")
    tester.sees(f"{kubectl} delete pod waits --wait=false")


def test_dns_answers(host: Host) -> None:
    # asked over UDP, as pods do, from the node, which has no DNS client: a query for the API server's name
    query = (
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5);"
        " name = b''.join(bytes([len(part)]) + part for part in b'kubernetes.default.svc.cluster.local'.split(b'.'));"
        " s.sendto(b'ab\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0' + name + b'\\0\\0\\1\\0\\1', ('10.96.0.10', 53)); print(int.from_bytes(s.recv(512)[6:8]))"
    )
    node_pid = host.check_output("docker inspect --format '{{.State.Pid}}' todo")
    assert int(host.check_output(f"nsenter --target {node_pid} --net -- python3 -c %s", query)) > 0


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
