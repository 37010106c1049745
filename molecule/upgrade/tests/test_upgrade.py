"""After the upgrade everything is what the present pins and sources say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from conftest import Tester
from testinfra.host import Host

ROOT = Path(__file__).resolve().parents[3]
PINS: dict[str, Any] = yaml.safe_load((ROOT / "artifacts.lock.yml").read_text(encoding="utf-8"))["artifacts"]


def test_the_programs_in_the_search_path_are_the_pinned_ones(tester: Tester) -> None:
    assert f"Client Version: {PINS['kubectl']['version']}" in tester.sees("kubectl version --client")
    assert tester.sees("helm version --template '{{.Version}}'") == PINS["helm"]["version"]


def test_the_links_lead_to_them(host: Host) -> None:
    for name in ("kubectl", "helm", "minikube"):
        assert host.file(f"/usr/local/bin/{name}").linked_to == f"/opt/todochat/bin/{name}"


def test_the_cluster_is_of_the_pinned_version(tester: Tester) -> None:
    (node,) = tester.kubectl("get nodes")["items"]
    assert node["status"]["nodeInfo"]["kubeletVersion"] == PINS["kubelet"]["version"]
    images = {name for image in node["status"]["images"] for name in image["names"]}
    for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"):
        assert PINS[name]["image"] in images


def test_the_charts_are_the_present_ones(tester: Tester) -> None:
    (container,) = tester.kubectl("get deployment frontend")["spec"]["template"]["spec"]["containers"]
    values = yaml.safe_load((ROOT / "apps/frontend/chart/values.yaml").read_text(encoding="utf-8"))
    assert container["resources"] == values["resources"]
