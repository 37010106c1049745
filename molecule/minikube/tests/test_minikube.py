"""The cluster runs pods from the registry beside it, goes from state to state as asked, and is never changed unasked."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from conftest import Tester
from neighbour import neighbour, reached
from stored import newest, pause
from testinfra.host import Host

__all__ = ["neighbour", "pause"]

IMAGE = "127.0.0.1:5000/tests/pause"
# A second deployment beside the first, under the names and at the addresses that README tells to choose. Another user than who calls runs it.
SECOND = (
    "-e deployment_name=second -e deployment_subnet=192.168.86.0/24 -e deployment_gateway=192.168.86.1"
    " -e deployment_registry_address=192.168.86.250 -e deployment_database_address=192.168.86.251 -e image_registry_endpoint=127.0.0.1:5001"
    " -e deployment_minikube_user=minikube"
)
SMALL = "-e minikube_memory=1800 -e deployment_frontend_port=30001"


def node(tester: Tester, name: str = "todo") -> dict[str, Any]:
    """What Docker knows of a node's container."""
    found: dict[str, Any] = json.loads(tester.sees(f"docker inspect {name}"))[0]
    return found


def is_ready(tester: Tester, name: str = "todo") -> None:
    """The node becomes ready, asked with the kubeconfig of its deployment."""
    kubectl = f"KUBECONFIG=~/.local/state/todochat/{name}/kubeconfig kubectl"
    tester.sees(f"{kubectl} wait --for=condition=Ready --timeout=60s node/{name}")


def everything(tester: Tester, without: str = "nothing") -> set[str]:
    """Containers with their identity and start, volumes and networks, without the container and the volume of one cluster."""
    containers = tester.sees("docker ps --all --quiet --no-trunc | xargs docker inspect --format '{{.Name}} {{.Id}} {{.State.StartedAt}}'")
    volumes = tester.sees("docker volume ls --format 'volume /{{.Name}}'")
    networks = tester.sees("docker network ls --format 'network {{.Name}} {{.ID}}'")
    return {line for line in f"{containers}\n{volumes}\n{networks}".splitlines() if f"/{without}" not in line.split()}


def changes(tester: Tester, arguments: str) -> str:
    """What `make up` prints, which succeeds and reports changes."""
    passed, output = tester.up(arguments)
    assert passed, output
    assert "changed=0" not in output, output
    return output


def test_the_node_is_ready_in_the_pinned_version(tester: Tester) -> None:
    is_ready(tester)
    (found,) = tester.kubectl("get nodes")["items"]
    assert found["status"]["nodeInfo"]["kubeletVersion"] == "v1.35.1"


def test_a_pod_comes_from_the_registry_by_digest(tester: Tester, pause: str) -> None:
    digest = tester.pushed(pause, f"{IMAGE}:1")
    kubectl = "KUBECONFIG=~/.local/state/todochat/todo/kubeconfig kubectl --namespace default"
    tester.sees(f"{kubectl} run waits --image={digest} && {kubectl} wait --for=condition=Ready --timeout=60s pod/waits")
    assert digest.split("@")[1] in tester.sees(f"{kubectl} get pod waits --output 'jsonpath={{.status.containerStatuses[0].imageID}}'")
    tester.sees(f"{kubectl} delete pod waits --wait=false")
    # As the registry heard it: the node itself came for it, through their network. There it is at the fixed address alone.
    heard = tester.sees("docker logs todo-registry 2>&1").splitlines()
    assert [line for line in heard if line.startswith("192.168.85.2 ") and f"/v2/tests/pause/manifests/{digest.split('@')[1]}" in line], heard


def test_dns_answers(tester: Tester, host: Host) -> None:
    tester.sees(
        "KUBECONFIG=~/.local/state/todochat/todo/kubeconfig kubectl --namespace kube-system"
        " wait --for=condition=Ready --timeout=60s pod --selector k8s-app=kube-dns"
    )
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


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("minikube_cpus=3", ["cpus is 2, asked 3", "minikube_on_drift=recreate"]),
        ("minikube_memory=5000", ["memory is 6144, asked 5000", "minikube_on_drift=recreate"]),
        ("minikube_network=bridge", ["network is todo, asked bridge", "minikube_on_drift=recreate"]),
        ("deployment_frontend_port=30005", ["ports is 127.0.0.1:30000:30000, asked 127.0.0.1:30005:30005", "minikube_on_drift=recreate"]),
        ("minikube_kubernetes_version=v1.33.1", ["kubernetes_version is v1.35.1, asked v1.33.1", "the lock file holds", "v1.35.1 alone"]),
        ("minikube_kubernetes_version=v1.33.1 -e minikube_on_drift=recreate", ["v1.33.1 cannot be made", "the lock file holds"]),
        ("minikube_cpus=3 -e minikube_memory=5000 --check", ["cpus is 2, asked 3; memory is 6144, asked 5000"]),
    ],
)
def test_a_cluster_that_differs_is_named_and_left_alone(tester: Tester, asked: str, says: list[str]) -> None:
    before = everything(tester)
    tester.refused(f"--tags minikube -e {asked}", *says)
    assert everything(tester) == before


def test_a_difference_can_be_ignored(tester: Tester) -> None:
    before = everything(tester)
    tester.up_changes_nothing("--tags minikube -e minikube_on_drift=ignore -e minikube_memory=5000")
    assert everything(tester) == before


def test_a_second_deployment_runs_beside_the_first(tester: Tester) -> None:
    first = everything(tester)
    changes(tester, f"--tags network,image_registry,minikube {SECOND} {SMALL}")
    for name, memory, port in (("todo", 6144, "30000"), ("second", 1800, "30001")):
        is_ready(tester, name)
        found = node(tester, name)["HostConfig"]
        assert (found["Memory"] >> 20, found["PortBindings"][f"{port}/tcp"][0]["HostPort"]) == (memory, port)
    assert first <= everything(tester)
    assert tester.host.check_output("stat --format %U /home/minikube/.local/share/todochat/second/.minikube") == "minikube"
    tester.up_changes_nothing("--tags minikube")
    tester.up_changes_nothing(f"--tags network,image_registry,minikube {SECOND} {SMALL}")


def test_one_is_stopped_kept_so_and_started_as_it_is_while_the_other_runs(tester: Tester) -> None:
    beside, stopped = everything(tester, without="todo"), node(tester)["Id"]
    changes(tester, "--tags minikube -e minikube_state=stopped")
    assert (node(tester)["Id"], node(tester)["State"]["Status"]) == (stopped, "exited")
    for state in ("stopped", "present"):
        tester.up_changes_nothing(f"--tags minikube -e minikube_state={state}")
    assert not node(tester)["State"]["Running"]
    changes(tester, "--tags minikube -e minikube_on_drift=ignore -e minikube_memory=5000")
    is_ready(tester)
    assert (node(tester)["Id"], node(tester)["HostConfig"]["Memory"] >> 20) == (stopped, 6144)
    tester.up_changes_nothing("--tags minikube")
    assert everything(tester, without="todo") == beside


def test_one_is_made_anew_where_that_is_asked_and_what_lies_outside_stays(tester: Tester) -> None:
    tester.sees("docker network create --subnet=192.168.87.0/24 --gateway=192.168.87.1 other")
    beside, before = everything(tester, without="second"), node(tester, "second")["Id"]
    other = f"--tags minikube {SECOND} -e minikube_on_drift=recreate -e minikube_memory=1900 -e deployment_frontend_port=30002 -e minikube_network=other"
    announced = changes(tester, f"{other} --check")
    for step in ("delete", "start"):
        assert f"would: minikube {step} (second)" in announced
    assert node(tester, "second")["Id"] == before
    changes(tester, other)
    is_ready(tester, "second")
    found = node(tester, "second")
    assert found["Id"] != before
    assert found["HostConfig"]["Memory"] >> 20 == 1900
    assert list(found["NetworkSettings"]["Networks"]) == ["other"]
    assert "30002/tcp" in found["HostConfig"]["PortBindings"]
    assert everything(tester, without="second") == beside


def test_one_is_taken_away_and_the_other_stays(tester: Tester) -> None:
    beside = everything(tester, without="second")
    absent = f"--tags minikube {SECOND} {SMALL} -e minikube_state=absent"  # it is no longer that small, which matters to nobody
    assert "would: minikube delete (second)" in changes(tester, f"{absent} --check")
    assert node(tester, "second")["State"]["Running"]
    changes(tester, absent)
    assert everything(tester) == beside
    tester.up_changes_nothing(absent)
    is_ready(tester)


def test_another_ones_container_of_that_name_is_left_alone(tester: Tester, pause: str) -> None:
    tester.sees(f"docker run --detach --name other {pause}")
    tester.refused("--tags minikube -e minikube_profile=other", "'other'", "deployment_name")
    assert tester.sees("docker inspect --format '{{.State.Running}}' other") == "true"
    tester.sees("docker rm --force other")


REACH = "for one in {}; do timeout 5 bash -c \": < /dev/tcp/$one\" && echo reached $one; done; echo done; sleep 600"
# The registry, by its address and by a service that somebody in the cluster has made for it; a container beside it is reached.
REGISTRY, BESIDE = "192.168.85.250", "192.168.85.240"
MADE_FOR_IT = """
apiVersion: v1
kind: Service
metadata: {name: registry}
spec: {ports: [{port: 5000}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: registry}
subsets: [{addresses: [{ip: 192.168.85.250}], ports: [{port: 5000}]}]
"""
KUBECTL = "KUBECONFIG=~/.local/state/todochat/todo/kubeconfig kubectl --namespace default"


def reached_by_a_pod(tester: Tester, name: str, image: str, *places: str) -> list[str]:
    """Which of the places, ADDRESS/PORT, take a connection of a pod's."""
    container = {"name": name, "image": image, "command": ["bash", "-c", REACH.format(" ".join(places))]}
    overrides = shlex.quote(json.dumps({"spec": {"containers": [container]}}))
    tester.sees(f"{KUBECTL} run {name} --image={image} --overrides={overrides}")
    tester.sees(f"timeout 120 sh -c 'until {KUBECTL} logs {name} 2> /dev/null | grep -qx done; do sleep 1; done'")
    *reached, end = tester.sees(f"{KUBECTL} logs {name}").splitlines()
    assert end == "done"
    return [line.removeprefix("reached ") for line in reached]


def test_a_machine_of_the_network_reaches_nothing_of_the_node_at_this_machines_addresses(host: Host, tester: Tester, neighbour: str) -> None:
    addresses = [address for address in host.check_output("hostname --all-ip-addresses").split() if ":" not in address]
    api_server = int(tester.sees("docker port todo 8443/tcp").rpartition(":")[2])
    for port in (30000, api_server):
        assert reached(host, "", port, "127.0.0.1") == ["127.0.0.1"]
        assert reached(host, neighbour, port, *addresses) == []
    # at the node's own, where it routes that by this machine, what is published is let through by an older Docker; docs/security.md says so
    version = host.check_output("docker version --format '{{.Server.Version}}'")
    assert reached(host, neighbour, 8443, "192.168.85.2") == (["192.168.85.2"] if int(version.partition(".")[0]) < 28 else [])


@pytest.fixture(scope="module")
def postgres(host: Host) -> str:
    """An image in the registry that has bash."""
    tester = Tester(host)
    loaded = tester.sees(f"docker load --quiet --input {newest('postgres')}").split()[-1]
    return tester.pushed(loaded, "127.0.0.1:5000/tests/postgres:1")


def test_pods_do_not_reach_the_registry(host: Host, tester: Tester, postgres: str) -> None:
    host.check_output(f"docker run --detach --name beside --network todo --ip {BESIDE} $(docker inspect --format '{{{{.Config.Image}}}}' todo-registry)")
    tester.sees(f"{KUBECTL} apply --filename - <<'EOF'{MADE_FOR_IT}EOF")
    places = [f"{one}/5000" for one in (REGISTRY, "$REGISTRY_SERVICE_HOST", BESIDE)]
    assert reached_by_a_pod(tester, "reaches", postgres, *places) == [f"{BESIDE}/5000"]
    host.check_output("docker rm --force --volumes beside && docker exec todo crictl pull %s", postgres)


def test_pods_do_not_reach_the_log_in_of_this_machine(host: Host, tester: Tester, postgres: str) -> None:
    addresses = [address for address in host.check_output("hostname --all-ip-addresses").split() if ":" not in address]
    assert "192.168.85.1" in addresses
    install = "apt-get update --quiet=2 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends openssh-server"
    host.check_output(f"bash -c {shlex.quote(install)}")
    host.check_output("printf 'Port 22\\nPort 2222\\n' > /etc/ssh/sshd_config.d/ports.conf && systemctl restart ssh")
    host.check_output("systemd-run --quiet --collect --unit=listens-8080 python3 -m http.server 8080")  # as a language model's does
    for port in (22, 2222, 8080):
        host.check_output(f"timeout 20 bash -c 'until (: < /dev/tcp/127.0.0.1/{port}) 2> /dev/null; do sleep 0.1; done'")
    places = [f"{address}/{port}" for address in addresses for port in (22, 2222, 8080)]
    # the port is new, and closed by the next run
    assert reached_by_a_pod(tester, "before", postgres, *places) == [place for place in places if not place.endswith("/22")]
    changes(tester, "--tags minikube")
    assert reached_by_a_pod(tester, "logs-in", postgres, *places) == [place for place in places if place.endswith("/8080")]
    tester.up_changes_nothing("--tags minikube")
    host.check_output("systemctl stop listens-8080 ssh")
