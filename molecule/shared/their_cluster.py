"""A cluster that this project's roles did not make, and the application on it by docs/existing-cluster.md.

Its nodes are containers of the machine's Docker, beside the registry and the PostgreSQL of others (see theirs.py): Debian with systemd, containerd,
kubeadm and kubelet, the programs and images of the store. The pods' network is kube-router's, which holds NetworkPolicies; MetalLB gives one address away.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from conftest import SYSTEM, Tester
from deployed import PROJECT, RELEASES, until
from jinja2 import Template
from parts import manifest, part
from theirs import ADMIN, DATABASE, LOGIN, REGISTRY, edit, give, give_inventory, passes, set_up

from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Artifact, Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store

STORE = Path("/home/tester/.cache/todochat/store")
PARTS = "/root/parts"
PROGRAMS = ("kubeadm", "kubelet", "kubectl")
IMAGES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "etcd", "coredns", "pause", "kube-router")
BUILT = ("controller", "speaker")
NODE = "node-of-kubeadm"
POD_SUBNET = "10.244.0.0/16"
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
# The images are unpacked where a pod first needs them, as kind's node images have it. Its entrypoint makes containerd's configuration valid.
FURNISH = """
set -e
cp {programs} /usr/bin/
cat > /etc/systemd/system/kubelet.service
systemctl enable --quiet containerd kubelet
mkdir /kind && echo {version} > /kind/version
containerd --config /dev/null 2> /tmp/containerd.log &
until ctr version > /dev/null 2>&1; do sleep 0.2; done
for image in {images}; do ctr --namespace=k8s.io images import --no-unpack $image; done
kill $! && wait
"""
# All that MetalLB has to give away.
ADDRESS = "192.168.85.200"
URL = f"http://{ADDRESS}"
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
# As Pod Security `restricted` asks.
CONFINED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 65534,
    "seccompProfile": {"type": "RuntimeDefault"},
}
VALUES = {
    "existing_cluster_source_context": "work",
    "existing_cluster_registry_ca": "/home/tester/ca.crt",
    "deployment_registry": REGISTRY,
    "deployment_url": URL,
    "app_release_backend_values": {"networkPolicy": {"enabled": True, "database": {"cidr": "192.168.85.251/32"}}},
    "app_release_frontend_values": {"networkPolicy": {"enabled": True}, "service": {"type": "LoadBalancer", "port": 80}},
}


def artifact(name: str) -> Artifact:
    return Lock(PROJECT / "artifacts.lock.yml")[name]


ROUTER = artifact("kube-router").reference


def stored(name: str) -> str:
    """Where the system has an artifact of the product."""
    return str(Store(STORE).file(artifact(name)))


def make_node_image() -> None:
    """The machine's Docker has the image of a node."""
    give(f"docker load --quiet --input {stored('kicbase')}; mkdir -p {PARTS}")
    for name in BUILT:
        subprocess.run(["docker", "cp", "--quiet", part(name), f"{SYSTEM}:{PARTS}/"], check=True)
    archives = [*map(stored, IMAGES), *(f"{PARTS}/{name}.tar" for name in BUILT)]
    script = FURNISH.format(programs=" ".join(map(stored, PROGRAMS)), images=" ".join(archives), version=artifact("kubelet").version)
    mounts = f"--volume={STORE}:{STORE}:ro --volume={PARTS}:{PARTS}:ro --tmpfs=/run --tmpfs=/tmp"
    image = artifact("kicbase").reference
    give(f"docker run --interactive --privileged --name={NODE} {mounts} --entrypoint=sh {image} -c {shlex.quote(script)}", KUBELET)
    give(f"docker commit --change='ENTRYPOINT [\"/usr/local/bin/entrypoint\", \"/sbin/init\"]' {NODE} {NODE} && docker rm {NODE}")


def kubectl(arguments: str, stdin: str = "") -> str:
    """What kubectl prints for the cluster's administrator."""
    return give(f"{ADMIN} {arguments}", stdin)


def complete() -> None:
    """The cluster has a network for its pods, and a load balancer, by upstream's manifests; that of the network is role minikube's."""
    network = Template((PROJECT / "roles/minikube/templates/kube-router.yml.j2").read_text(encoding="utf-8"))
    kubectl("apply --filename=-", network.render(__minikube_router_image=ROUTER))
    kubectl("wait --for=condition=Ready nodes --all --timeout=180s")
    kubectl("apply --filename=-", manifest("metallb", "go.universe.tf/metallb", "config/manifests/metallb-native.yaml"))
    kubectl("--namespace=metallb-system rollout status deployment/controller daemonset/speaker --timeout=180s")
    until(lambda: "created" in give(f"{ADMIN} apply --filename=- 2>&1 || true", POOL), 60)  # its webhook answers a moment later


def deploy(tester: Tester, nodes: Iterable[str]) -> None:
    """As docs/existing-cluster.md has it: the example of an inventory, filled in, the vault, and the run, whose last step is the journey of a user."""
    set_up(nodes)
    content = yaml.safe_load((PROJECT / "inventory/existing_cluster.example.yml").read_text(encoding="utf-8"))
    content["all"]["hosts"]["localhost"] |= VALUES
    give_inventory(yaml.safe_dump(content))
    passes(tester, "vault DO=create")
    edit("database_url", DATABASE)
    edit("registry_login", LOGIN)
    output = passes(tester, "up")
    print(output[-2000:])
    assert URL in output
    assert "sign up" in output.partition("Checked")[2]
    assert "changed=0" in passes(tester, "up")


def objects(what: str, namespace: str = "work") -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(kubectl(f"--namespace {namespace} get {what} --output=json"))["items"]
    return listed


def pods(release: str, namespace: str = "work") -> list[dict[str, Any]]:
    """Those that stay."""
    return [pod for pod in objects(f"pods --selector=app.kubernetes.io/instance={release}", namespace) if "deletionTimestamp" not in pod["metadata"]]


def homes(release: str, namespace: str = "work") -> set[str]:
    """The nodes that have pods of a release."""
    return {pod["spec"]["nodeName"] for pod in pods(release, namespace)}


def policies_hold(namespace: str = "work") -> None:
    """One pod asks the backend's pods on each node, as nobody in particular, by the frontend's name, and without it again."""
    addresses = {release: [pod["status"]["podIP"] for pod in pods(release, namespace)] for release in RELEASES}
    container = {"name": "elsewhere", "image": ROUTER, "imagePullPolicy": "Never", "command": ["sleep", "infinity"], "securityContext": CONFINED}
    overrides = shlex.quote(json.dumps({"spec": {"containers": [container]}}))
    in_it = f"--namespace {namespace}"

    def reached(address: str, port: int) -> bool:
        connect = f"timeout 3 bash -c '</dev/tcp/{address}/{port}' 2> /dev/null && echo reached || echo held"
        return kubectl(f"{in_it} exec elsewhere -- bash -c {shlex.quote(connect)}").strip() == "reached"

    kubectl(f"{in_it} run elsewhere --image={ROUTER} --overrides={overrides}")
    try:
        kubectl(f"{in_it} wait --for=condition=Ready pod/elsewhere --timeout=60s")
        for change, let_in in (("run=elsewhere --overwrite", False), ("app.kubernetes.io/name=frontend", True), ("app.kubernetes.io/name-", False)):
            kubectl(f"{in_it} label pod/elsewhere {change}")
            until(lambda expected=let_in: {reached(one, 8001) for one in addresses["backend"]} == {expected}, 30, lambda change=change: change)  # type: ignore[misc]
            assert {reached(one, 3000) for one in addresses["frontend"]} == {True}, change
    finally:
        kubectl(f"{in_it} delete pod/elsewhere --now")
