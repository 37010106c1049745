"""k8s/ is what the charts say, without Helm."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from chart import DIGEST, ROOT, Chart, Object, part

KUSTOMIZATION: dict[str, Any] = yaml.safe_load((ROOT / "k8s/kustomization.yaml").read_text(encoding="utf-8"))


def test_they_are_what_the_charts_say() -> None:
    checked = subprocess.run([sys.executable, ROOT / "scripts/manifests", "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_there_is_one_replica_of_each_and_nothing_of_helms(chart: Chart) -> None:
    objects = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted((ROOT / "k8s" / chart.name).iterdir())]
    assert {part(item) for item in objects} == set(chart.objects()) - {"Test"}
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


def applied(kubectl: Path, folder: Path) -> list[Object]:
    """What `kubectl apply -k` would apply."""
    done = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def images(objects: list[Object]) -> set[str]:
    specs = [item["spec"]["template"]["spec"] for item in objects if item["kind"] == "Deployment"]
    return {container["image"] for spec in specs for container in [*spec.get("initContainers", []), *spec["containers"]]}


def test_a_digest_below_each_name_is_what_runs(kubectl: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(ROOT / "k8s", tmp_path / "k8s")
    named = {image["name"].rpartition("/")[2]: image["newName"] for image in KUSTOMIZATION["images"]}
    text = (copy / "kustomization.yaml").read_text(encoding="utf-8")
    (copy / "kustomization.yaml").write_text(re.sub("(newName: .+)", rf"\1\n    digest: {DIGEST}", text), encoding="utf-8")
    assert images(applied(kubectl, copy)) == {f"{named[service]}@{DIGEST}" for service in ("backend", "frontend")}


def test_the_readmes_other_namespace_is_one_of_its_own(kubectl: Path, tmp_path: Path) -> None:
    readme = (ROOT / "k8s/README.md").read_text(encoding="utf-8")
    overlay = re.findall("```yaml\n(namespace: elsewhere\n.*?)```", readme, re.DOTALL)[0]
    shutil.copytree(ROOT / "k8s", tmp_path / "k8s")
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay/kustomization.yaml").write_text(overlay.replace("sha256:...", DIGEST), encoding="utf-8")
    objects = applied(kubectl, tmp_path / "overlay")
    assert {item["metadata"].get("namespace", item["metadata"]["name"]) for item in objects} == {"elsewhere"}
    assert "nodePort" not in yaml.safe_dump(objects)
    assert {image.partition("@")[2] for image in images(objects)} == {DIGEST}
