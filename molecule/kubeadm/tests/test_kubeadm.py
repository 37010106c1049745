"""The application on three nodes that plain kubeadm made: pods spread, a load balancer's address, policies that hold, and nodes that go under load.

The machine's Docker has the nodes, each a container with systemd, beside the registry and the PostgreSQL of others, which are set up as scenario
existing_cluster does it. The order matters.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import OUTPUT, SYSTEM, Tester
from deployed import CHECKOUT, PROJECT, until

from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store

sys.path[:0] = [str(PROJECT / "molecule/kubeadm"), str(PROJECT / "molecule/existing_cluster/tests")]

from parts import manifest, part  # noqa: E402
from test_existing_cluster import ADMIN, DATABASE, INVENTORY, KUBECTL, LOGIN, REGISTRY, edit, give, passes, theirs  # noqa: E402, F401

STORE = Path("/home/tester/.cache/todochat/store")
PARTS = "/root/parts"
# The first one is known to scenario existing_cluster by that name.
NODES = {"todo": "192.168.85.11", "worker-1": "192.168.85.12", "worker-2": "192.168.85.13"}
# All that MetalLB has to give away.
ADDRESS = "192.168.85.200"
URL = f"http://{ADDRESS}"
BALANCER = "http://127.0.0.1:8080"
PER_SECOND = 1.5
ROUTER = "docker.io/cloudnativelabs/kube-router:v2.1.0"
RELEASES = ("backend", "frontend")
# Of Kubernetes from 1.32 on: so long after the last sign of life a node is taken to be gone, and its pods are nobody's any more.
NODE_MONITOR_GRACE_SECONDS = 50
MARGIN_SECONDS = 10
# For how long all has to be right afterwards.
RIGHT_SECONDS = 30
KUBELET = """[Unit]
After=containerd.service
[Service]
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
ExecStart=/usr/bin/kubelet --config=/var/lib/kubelet/config.yaml --kubeconfig=/etc/kubernetes/kubelet.conf \\
  --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf $KUBELET_KUBEADM_ARGS
Restart=always
RestartSec=2
[Install]
WantedBy=multi-user.target
"""
# A container can set no limit of the kernel's for connections, and this machine may have the older cgroups.
INIT = """
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: VERSION
networking: {podSubnet: 10.244.0.0/16}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
failCgroupV1: false
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
conntrack: {maxPerCore: 0}
"""
POOL = f"""
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {{name: all, namespace: metallb-system}}
spec: {{addresses: [{ADDRESS}/32]}}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {{name: all, namespace: metallb-system}}
"""
VALUES = {
    "existing_cluster_source_context": "work",
    "existing_cluster_registry_ca": "/home/tester/ca.crt",
    "deployment_registry": REGISTRY,
    "deployment_url": URL,
    "app_release_backend_values": {"networkPolicy": {"enabled": True, "database": {"cidr": "192.168.85.251/32"}}},
    "app_release_frontend_values": {"networkPolicy": {"enabled": True}, "service": {"type": "LoadBalancer", "port": 80}},
}


def node(name: str, script: str, stdin: str = "") -> str:
    """What a script prints on a node."""
    return str(give(f"docker exec --interactive {name} sh -c {shlex.quote(script)}", stdin))


def kubectl(arguments: str, stdin: str = "") -> str:
    """What kubectl prints for the cluster's administrator."""
    return str(give(f"{ADMIN} {arguments}", stdin))


def objects(what: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(kubectl(f"--namespace work get {what} --output=json"))["items"]
    return listed


def artifact(name: str) -> tuple[str, Path]:
    """What an artifact of the product's is called, and where the systems have it."""
    found = Lock(PROJECT / "artifacts.lock.yml")[name]
    return found.reference, Store(STORE).file(found)


def start_node(name: str) -> None:
    """A machine runs that has kubeadm and its like, and the images of the cluster's own pods."""
    image, _ = artifact("kicbase")
    mounts = f"--volume=/var --tmpfs=/run --tmpfs=/tmp --volume={STORE}:{STORE}:ro --volume={PARTS}:{PARTS}:ro"
    give(f"docker run --detach --tty --privileged --env=container=docker --name={name} --hostname={name} --network=todo --ip={NODES[name]} {mounts} {image}")
    until(lambda: "containerd" in give(f"docker exec {name} systemctl start containerd 2>&1 && echo containerd || true"), 30)
    for program in ("kubeadm", "kubelet", "kubectl"):
        node(name, f"ln -s {artifact(program)[1]} /usr/bin/{program}")
    node(name, "cat > /etc/systemd/system/kubelet.service && systemctl enable --quiet kubelet", KUBELET)
    images = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "etcd", "coredns", "pause"]
    for archive in (*(artifact(image)[1] for image in images), *(f"{PARTS}/{each}.tar" for each in ("kube-router", "controller", "speaker"))):
        node(name, f"ctr --namespace=k8s.io images import {archive}")


@pytest.fixture(scope="session", autouse=True)
def cluster() -> None:
    """Three nodes of kubeadm's, with kube-router and MetalLB by upstream's manifests."""
    give(f"docker load --quiet --input {artifact('kicbase')[1]}; mkdir -p {PARTS}")
    for name in ("kube-router", "controller", "speaker"):
        subprocess.run(["docker", "cp", "--quiet", part(name), f"{SYSTEM}:{PARTS}/"], check=True)
    for name in NODES:
        start_node(name)
    version = Lock(PROJECT / "artifacts.lock.yml")["kubeadm"].version
    node("todo", "cat > /root/init.yml; kubeadm init --config=/root/init.yml --ignore-preflight-errors=all", INIT.replace("VERSION", version))
    folder = "/home/tester/.local/state/todochat/todo"
    give(f"su --login tester --command 'mkdir -p {folder}'; cat > {folder}/kubeconfig", node("todo", "cat /etc/kubernetes/admin.conf"))
    network = manifest("kube-router", "github.com/cloudnativelabs/kube-router/v2", "daemonset/kubeadm-kuberouter.yaml")
    kubectl("apply --filename=-", network.replace("imagePullPolicy: Always", "").replace("image: docker.io/cloudnativelabs/kube-router", f"image: {ROUTER}"))
    join = node("todo", "kubeadm token create --print-join-command").strip()
    for name in list(NODES)[1:]:
        node(name, f"{join} --ignore-preflight-errors=all")
    kubectl("wait --for=condition=Ready nodes --all --timeout=120s")
    kubectl("apply --filename=-", manifest("metallb", "go.universe.tf/metallb", "config/manifests/metallb-native.yaml"))
    kubectl("--namespace=metallb-system rollout status deployment/controller daemonset/speaker --timeout=120s")
    until(lambda: "created" in give(f"{ADMIN} apply --filename=- 2>&1 || true", POOL), 60)


@pytest.fixture(scope="module", autouse=True)
def inventory(theirs: None) -> None:  # noqa: F811, ARG001 - after it
    """The example of an inventory, filled in; and nodes that trust the registry."""
    for name in list(NODES)[1:]:
        node(name, f"mkdir -p /etc/containerd/certs.d/{REGISTRY}")
        for file in ("ca.crt", "hosts.toml"):
            give(f"docker cp --quiet /root/registry/{file} {name}:/etc/containerd/certs.d/{REGISTRY}/{file}")
    content = yaml.safe_load((PROJECT / "inventory/existing_cluster.example.yml").read_text(encoding="utf-8"))
    content["all"]["hosts"]["localhost"] |= VALUES
    give(f"cat > {CHECKOUT}/{INVENTORY}", yaml.safe_dump(content))


def test_the_application_is_deployed_and_checked_at_the_load_balancers_address(tester: Tester) -> None:
    passes(tester, "vault DO=create")
    edit("database_url", DATABASE)
    edit("registry_login", LOGIN)
    output = passes(tester, "up")
    assert URL in output
    assert "Checked" in output
    print(output[-3000:])
    assert "changed=0" in passes(tester, "up")


def test_the_pods_of_each_service_are_spread() -> None:
    for release in RELEASES:
        assert len(homes(release)) == 2, release


def homes(release: str) -> set[str]:
    """The nodes that have pods of a release."""
    return {pod["spec"]["nodeName"] for pod in pods(release)}


def pods(release: str) -> list[dict[str, Any]]:
    """Those that stay."""
    return [pod for pod in objects(f"pods --selector=app.kubernetes.io/instance={release}") if "deletionTimestamp" not in pod["metadata"]]


def test_policies_hold_back_whoever_is_not_the_frontend() -> None:
    """One pod asks the backend's pods on both nodes, as nobody in particular, by the frontend's name, and without it again."""
    addresses = {release: [pod["status"]["podIP"] for pod in pods(release)] for release in RELEASES}

    def reached(address: str, port: int) -> bool:
        connect = f"timeout 3 bash -c '</dev/tcp/{address}/{port}' 2> /dev/null && echo reached || echo held"
        return kubectl(f"--namespace work exec elsewhere -- bash -c {shlex.quote(connect)}").strip() == "reached"

    kubectl(f"--namespace work run elsewhere --image={ROUTER} --image-pull-policy=Never --command -- sleep infinity")
    try:
        kubectl("--namespace work wait --for=condition=Ready pod/elsewhere --timeout=60s")
        for change, let_in in (("run=elsewhere --overwrite", False), ("app.kubernetes.io/name=frontend", True), ("app.kubernetes.io/name-", False)):
            kubectl(f"--namespace work label pod/elsewhere {change}")
            until(lambda expected=let_in: {reached(one, 8001) for one in addresses["backend"]} == {expected}, 30, lambda change=change: change)  # type: ignore[misc]
            assert {reached(one, 3000) for one in addresses["frontend"]} == {True}
    finally:
        kubectl("--namespace work delete pod/elsewhere --now")


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
