"""The application on three nodes that plain kubeadm made: pods spread, a load balancer's address, policies that hold, and nodes that go under load.

The order matters.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from conftest import OUTPUT, SYSTEM, Tester
from deployed import CHECKOUT, RELEASES, until
from their_cluster import NODE, POD_SUBNET, artifact, complete, deploy, homes, kubectl, make_node_image, objects, policies_hold
from theirs import give

NODES = {"control": "192.168.85.11", "worker-1": "192.168.85.12", "worker-2": "192.168.85.13"}
BALANCER = "http://127.0.0.1:8080"
PER_SECOND = 1.5
# Of Kubernetes from 1.32 on: so long after the last sign of life a node is taken to be gone, and its pods are led to no more.
NODE_MONITOR_GRACE_SECONDS = 50
MARGIN_SECONDS = 10
# For how long all has to be right afterwards.
RIGHT_SECONDS = 30
# etcd waits for the disk at each write, and that is everybody's here.
STORAGE = "--tmpfs=/run --tmpfs=/tmp --tmpfs=/var/lib/etcd --volume=/var"
RUN = f"docker run --detach --tty --privileged --cgroupns=private --env=container=docker --network=todo {STORAGE}"
# A container can set no limit of the kernel's for connections, and this machine may have the older cgroups. Who leads has not to be found out
# where there is one: on a machine that is busy they would lose their lease, and end. How full that machine's disk is, is no concern of a node.
INIT = f"""
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: {{version}}
networking: {{{{podSubnet: {POD_SUBNET}}}}}
controllerManager: &alone {{{{extraArgs: [{{{{name: leader-elect, value: "false"}}}}]}}}}
scheduler: *alone
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
failCgroupV1: false
imageGCHighThresholdPercent: 100
evictionHard: {{{{imagefs.available: "0%", nodefs.available: "0%", nodefs.inodesFree: "0%"}}}}
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
conntrack: {{{{maxPerCore: 0}}}}
"""


def node(name: str, script: str, stdin: str = "") -> str:
    """What a command prints on a node."""
    return give(f"docker exec --interactive {name} {script}", stdin)


@pytest.fixture(scope="module", autouse=True)
def cluster() -> None:
    """Three nodes, joined by kubeadm."""
    make_node_image()
    for name, address in NODES.items():
        give(f"{RUN} --name={name} --hostname={name} --ip={address} {NODE}")
    for name in NODES:
        until(lambda name=name: "active" in give(f"docker exec {name} systemctl is-active containerd 2>&1 || true").split(), 60)  # type: ignore[misc]
    version = artifact("kubeadm").version
    node("control", "sh -c 'cat > /root/init.yml && kubeadm init --config=/root/init.yml --ignore-preflight-errors=all'", INIT.format(version=version))
    folder = "/home/tester/.local/state/todochat/todo"
    give(f"su --login tester --command 'mkdir -p {folder}'; cat > {folder}/kubeconfig", node("control", "cat /etc/kubernetes/admin.conf"))
    join = node("control", "kubeadm token create --print-join-command").strip()
    for name in list(NODES)[1:]:
        node(name, f"{join} --ignore-preflight-errors=all")
    complete()


def test_the_application_is_deployed_and_checked_at_the_load_balancers_address(tester: Tester) -> None:
    deploy(tester, NODES)


def test_the_pods_of_each_service_are_spread() -> None:
    assert {release: len(homes(release)) for release in RELEASES} == dict.fromkeys(RELEASES, 2)


def test_policies_hold_back_whoever_is_not_the_frontend() -> None:
    policies_hold()


@pytest.fixture(scope="module")
def balancer() -> None:
    """What leads to the nodes, where people of the cluster have no other way in."""
    [port] = [one["spec"]["ports"][0]["nodePort"] for one in objects("services") if one["spec"]["type"] == "LoadBalancer"]
    targets = " ".join(f"{address}:{port}" for address in NODES.values())
    give(f"systemd-run --quiet --collect --unit=balancer python3 {CHECKOUT}/molecule/kubeadm/balancer.py {BALANCER.rpartition(':')[2]} {targets}")


@contextmanager
def load(name: str) -> Iterator[dict[str, Any]]:
    """Two clients use the application through the balancer meanwhile; what is yielded holds their report afterwards. All acknowledged is there, once."""
    OUTPUT.mkdir(exist_ok=True)
    log, stop = OUTPUT / f"{SYSTEM}-load-{name}.log", f"/tmp/{name}.stop"
    report: dict[str, Any] = {}
    command = ["docker", "exec", SYSTEM, "python3", f"{CHECKOUT}/molecule/rollout/load.py", BALANCER, stop, str(PER_SECOND)]
    with log.open("w", encoding="utf-8") as said, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as process:
        try:
            until(lambda: process.poll() is not None or "the load begins" in log.read_text(encoding="utf-8"), 30)
            yield report
        finally:
            give(f"touch {stop}")
            out, _ = process.communicate(timeout=120)
    report |= json.loads(out)
    print(f"{name}: {report}")
    assert report["requests"] > 0
    assert report["acknowledged"] == report["read_back"], report
    wrong = [one for one in report["failures"] if any(word in one["came"] for word in ("missing:", "never added:", "more than once:", "not completed:"))]
    assert wrong == []


@pytest.mark.usefixtures("balancer")
def test_a_drained_node_fails_nobody() -> None:
    before = {release: homes(release) for release in RELEASES}
    with load("drain") as report:
        kubectl("drain worker-1 --ignore-daemonsets --delete-emptydir-data --timeout=240s")
        kubectl("--namespace work rollout status deployment/backend deployment/frontend --timeout=120s")
        until(lambda: all(homes(release) == before[release] - {"worker-1"} for release in before), 60, lambda: str(before))
        kubectl("uncordon worker-1")
        kubectl("--namespace work rollout restart deployment/backend deployment/frontend")
        kubectl("--namespace work rollout status deployment/backend deployment/frontend --timeout=240s")
    assert report["failures"] == []


@pytest.mark.usefixtures("balancer")
def test_a_killed_node_fails_people_until_it_is_known_to_be_gone() -> None:
    assert all("worker-2" in homes(release) for release in RELEASES)
    with load("kill") as report:
        killed = time.time()
        give("docker kill worker-2")
        until(lambda: kubectl("get node worker-2 --output=jsonpath='{.status.conditions[?(@.type==\"Ready\")].status}'").strip() != "True", 90)
        known = time.time() - killed
        until(lambda: time.time() > killed + NODE_MONITOR_GRACE_SECONDS + MARGIN_SECONDS + RIGHT_SECONDS, 120)
    failed = sorted(one["sent"] - killed for one in report["failures"])
    last = max(failed, default=0.0)
    print(f"Known to be gone after {known:.0f} s; {len(failed)} of {report['requests']} requests failed, the last one sent after {last:.0f} s.")
    assert last <= NODE_MONITOR_GRACE_SECONDS + MARGIN_SECONDS, report["failures"]
