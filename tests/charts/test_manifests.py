"""k8s/ is what the charts say, without Helm."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import yaml
from chart import ROOT, Chart

KUSTOMIZATION: dict[str, Any] = yaml.safe_load((ROOT / "k8s/kustomization.yaml").read_text(encoding="utf-8"))


def test_they_are_what_the_charts_say() -> None:
    checked = subprocess.run([sys.executable, ROOT / "scripts/manifests", "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_there_is_one_replica_of_each_and_nothing_of_helms(chart: Chart) -> None:
    objects = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted((ROOT / "k8s" / chart.name).iterdir())]
    assert {item["kind"] for item in objects} == set(chart.objects()) - {"Test"}
    assert [item["spec"]["replicas"] for item in objects if item["kind"] == "Deployment"] == [1]
    assert "helm" not in yaml.safe_dump(objects).lower()


def test_all_of_them_are_applied() -> None:
    files = sorted(str(file.relative_to(ROOT / "k8s")) for file in (ROOT / "k8s").rglob("*.yaml") if file.name != "kustomization.yaml")
    assert sorted(KUSTOMIZATION["resources"]) == files


def test_each_image_is_one_that_the_kustomization_names(chart: Chart) -> None:
    """And none that a registry might have: what was not named cannot be pulled."""
    deployment = yaml.safe_load((ROOT / f"k8s/{chart.name}/deployment.yaml").read_text(encoding="utf-8"))
    spec = deployment["spec"]["template"]["spec"]
    images = {container["image"] for container in [*spec.get("initContainers", []), *spec["containers"]]}
    assert images == {f"todochat.invalid/{chart.name}"}
    assert images < {image["name"] for image in KUSTOMIZATION["images"]}
