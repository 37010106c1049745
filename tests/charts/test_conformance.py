"""Kubernetes' API knows each field of what the charts make and of k8s/, and what kube-score finds is answered beside it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import manifest_tools
import pytest
import yaml
from chart import ROOT, Chart, Object
from manifest_tools import KUBERNETES

OLDEST, NEWEST = KUBERNETES
Refused = Callable[[str, str], dict[str, str]]
Findings = Callable[[str], dict[str, set[str]]]
IGNORE = "kube-score/ignore"
APPLICATIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "everything": {
        "autoscaling": {"enabled": True},
        "ingress": {"enabled": True, "className": "nginx", "host": "todo.example.com", "tlsSecret": "todo-tls"},
        "networkPolicy": {"enabled": True},
        "service": {"type": "LoadBalancer"},
    },
    "a port of each node": {"service": {"type": "NodePort"}},
}
# By a chart's folder and a name: the values it is rendered with.
RENDERINGS = [(folder, how, values) for folder in ("apps/backend/chart", "apps/frontend/chart") for how, values in APPLICATIONS.items()]
RENDERINGS += [(str(file.parent.relative_to(ROOT)), "defaults", {}) for file in ROOT.glob("roles/*/files/chart/Chart.yaml")]


@pytest.fixture(scope="session")
def tools() -> Path:
    return manifest_tools.made()


@pytest.fixture(params=[(folder, values) for folder, _, values in RENDERINGS], ids=[f"{folder}: {how}" for folder, how, _ in RENDERINGS])
def manifests(request: pytest.FixtureRequest, helm: Path) -> str:
    folder, values = request.param
    name = yaml.safe_load((ROOT / folder / "Chart.yaml").read_text(encoding="utf-8"))["name"]
    return made(Chart(name, helm, ROOT / folder), values)


@pytest.fixture
def refused(tools: Path) -> Refused:
    """What a version of Kubernetes does not take of manifests: the reasons by objects."""

    def asked(manifests: str, version: str) -> dict[str, str]:
        location = f"{tools}/schemas/{{{{.NormalizedKubernetesVersion}}}}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
        command = [str(tools / "kubeconform"), "-strict", "-verbose", "-output=json", f"-schema-location={location}", f"-kubernetes-version={version[1:]}"]
        done = subprocess.run(command, input=manifests, capture_output=True, text=True, check=False)
        found = json.loads(done.stdout)["resources"]
        assert len(found) == len(documents(manifests))
        return {f"{item['kind']}/{item['name']}": item["msg"] for item in found if item["status"] != "statusValid"}

    return asked


@pytest.fixture
def findings(tools: Path) -> Findings:
    """What kube-score finds in manifests, answered or not: the names of the checks by objects."""

    def asked(manifests: str) -> dict[str, set[str]]:
        command = [str(tools / "kube-score"), "score", "--disable-ignore-checks-annotations", "--kubernetes-version=v1.30", "--output-format=json", "-"]
        done = subprocess.run(command, input=manifests, capture_output=True, text=True, check=False)
        good = 7  # of 10; 5 is a warning
        found = {
            f"{item['type_meta']['kind']}/{item['object_meta']['name']}": {
                check["check"]["id"] for check in item["checks"] if not check["skipped"] and check["grade"] < good
            }
            for item in json.loads(done.stdout)
        }
        return {name: checks for name, checks in found.items() if checks}

    return asked


def documents(manifests: str) -> list[Object]:
    return [item for item in yaml.safe_load_all(manifests) if item]


def answered(manifests: str) -> dict[str, set[str]]:
    """The names of the checks that each object says are not to count."""
    annotated = {f"{item['kind']}/{item['metadata']['name']}": item["metadata"].get("annotations", {}) for item in documents(manifests)}
    return {name: set(annotations[IGNORE].split(",")) for name, annotations in annotated.items() if IGNORE in annotations}


def made(chart: Chart, values: dict[str, Any]) -> str:
    done = chart.template(values, f"--kube-version={NEWEST}")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("version", KUBERNETES)
def test_the_api_knows_each_field_of_a_chart(manifests: str, refused: Refused, version: str) -> None:
    assert refused(manifests, version) == {}


@pytest.mark.parametrize("version", KUBERNETES)
def test_the_api_knows_each_field_of_the_raw_manifests(refused: Refused, version: str) -> None:
    files = [file for file in sorted((ROOT / "k8s").rglob("*.yaml")) if file.name != "kustomization.yaml"]
    assert files
    assert refused("\n---\n".join(file.read_text(encoding="utf-8") for file in files), version) == {}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("readinessProbe:", "readynessProbe:", "readynessProbe"),
        ("maxUnavailable: 0", "maxUnavailable: [0]", "maxUnavailable"),
        ("apiVersion: policy/v1", "apiVersion: policy/v1beta1", "could not find schema"),
    ],
)
def test_what_the_api_does_not_know_is_refused(backend: Chart, refused: Refused, before: str, after: str, said: str) -> None:
    """Without this, a schema that takes everything would pass for all that is above."""
    manifests = made(backend, {})
    assert before in manifests
    for version in KUBERNETES:
        (reason,) = refused(manifests.replace(before, after), version).values()
        assert said in reason


def test_a_field_that_is_newer_than_the_oldest_kubernetes_is_refused_there(backend: Chart, refused: Refused) -> None:
    manifests = made(backend, {}).replace("enableServiceLinks: false", "hostnameOverride: other")  # of 1.34
    assert refused(manifests, OLDEST).keys() == {"Deployment/backend", "Pod/backend-test"}
    assert refused(manifests, NEWEST) == {}


def test_what_kube_score_finds_is_what_is_answered(manifests: str, findings: Findings) -> None:
    """Nothing that is not answered; and nothing is answered that is not found, or the next one that comes goes unseen."""
    assert answered(manifests) == findings(manifests)


def test_each_answer_says_why() -> None:
    files = [file for folder in ("apps/chart", *{folder for folder, _, _ in RENDERINGS}) for file in (ROOT / folder / "templates").rglob("*.*")]
    for file in files:
        text = file.read_text(encoding="utf-8")
        for line in re.findall(rf"{IGNORE}: (.+)", text):
            for check in re.findall(r"[a-z]+(?:-[a-z]+)+", line):
                assert re.search(rf"# {check}: .{{20}}", text), f"{file.name} says nothing of {check}"
