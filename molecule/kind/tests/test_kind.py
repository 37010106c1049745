"""The application on three nodes that kind made of an image of our own: pods spread, a load balancer's address, and policies that hold."""

from __future__ import annotations

import json
import subprocess

import pytest
from conftest import SYSTEM, Tester
from deployed import RELEASES
from parts import part
from their_cluster import NODE, POD_SUBNET, complete, deploy, homes, make_node_image, policies_hold
from theirs import give

# This machine may have the older cgroups, where only kind's own node image makes the group that it would be; and who leads has not to be found out.
ALONE = {"extraArgs": {"leader-elect": "false"}}
PATCHES = [
    {"kind": "KubeletConfiguration", "cgroupDriver": "cgroupfs", "cgroupRoot": "/", "failCgroupV1": False},
    {"kind": "ClusterConfiguration", "controllerManager": ALONE, "scheduler": ALONE},
]
CONFIGURATION = {
    "kind": "Cluster",
    "apiVersion": "kind.x-k8s.io/v1alpha4",
    "networking": {"disableDefaultCNI": True, "podSubnet": POD_SUBNET},
    "nodes": [{"role": role, "image": NODE} for role in ("control-plane", "worker", "worker")],
    "kubeadmConfigPatches": [json.dumps(patch) for patch in PATCHES],
}
KUBECONFIG = "/home/tester/.local/state/todochat/todo/kubeconfig"


@pytest.fixture(scope="module", autouse=True)
def cluster() -> None:
    make_node_image()
    subprocess.run(["docker", "cp", "--quiet", part("kind"), f"{SYSTEM}:/usr/local/bin/kind"], check=True)
    give(f"su --login tester --command 'mkdir -p {KUBECONFIG.rpartition('/')[0]}'")
    give(f"KIND_EXPERIMENTAL_DOCKER_NETWORK=todo kind create cluster --name kind --kubeconfig {KUBECONFIG} --config - 2>&1", json.dumps(CONFIGURATION))
    complete()


def test_the_application_is_deployed_and_checked_at_the_load_balancers_address(tester: Tester) -> None:
    deploy(tester, give("kind get nodes --name kind").split())


def test_the_pods_of_each_service_are_spread() -> None:
    assert {release: len(homes(release)) for release in RELEASES} == dict.fromkeys(RELEASES, 2)


def test_policies_hold_back_whoever_is_not_the_frontend() -> None:
    policies_hold()
