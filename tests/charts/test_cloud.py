"""docs/cloud has values for the services of three providers: the charts take them, and they say what docs/cloud.md says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from chart import ROOT, Chart, Object
from test_conformance import KUBERNETES, NEWEST, Findings, Refused, answered, findings, made, refused, tools

__all__ = ["findings", "refused", "tools"]
PROVIDERS = sorted(folder.name for folder in ROOT.glob("docs/cloud/*/"))
PAGE = (ROOT / "docs/cloud.md").read_text(encoding="utf-8")
# What ends an answer on the way to a user, whatever the application thinks, in seconds.
LOAD_BALANCER = {"aks": 30, "eks": 60, "gke": 30}


def values(provider: str, chart: Chart) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / f"docs/cloud/{provider}/{chart.name}.yaml").read_text(encoding="utf-8"))
    return found


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def objects(provider: str, chart: Chart) -> dict[str, Object]:
    return chart.objects(values(provider, chart))


def test_there_are_three() -> None:
    assert sorted(LOAD_BALANCER) == PROVIDERS


def test_only_what_differs_from_the_chart_is_said(provider: str, chart: Chart) -> None:
    """But for what somebody should be able to see: the policy."""
    given = values(provider, chart)
    given.pop("networkPolicy")
    assert [name for name, value in given.items() if chart.defaults.get(name) == value] == []


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_knows_each_field(provider: str, chart: Chart, refused: Refused, version: str) -> None:
    assert refused(made(chart, values(provider, chart)), version) == {}


def test_kube_score_finds_nothing_that_is_not_answered(provider: str, chart: Chart, findings: Findings) -> None:
    manifests = made(chart, values(provider, chart))
    assert findings(manifests) == answered(manifests)


def test_only_an_ingress_is_for_outside(provider: str, backend: Chart, frontend: Chart) -> None:
    behind, front = backend.objects(values(provider, backend)), frontend.objects(values(provider, frontend))
    assert "Ingress" not in behind
    assert {objects["Service"]["spec"]["type"] for objects in (behind, front)} == {"ClusterIP"}
    (rule,) = front["Ingress"]["spec"]["rules"]
    assert front["ConfigMap"]["data"]["PUBLIC_URL"] == f"https://{rule['host']}"


def test_each_service_is_scaled(objects: dict[str, Object]) -> None:
    assert objects["HorizontalPodAutoscaler"]["spec"]["minReplicas"] == 2


def test_both_services_mean_the_same_by_a_policy_and_a_limit(provider: str, backend: Chart, frontend: Chart) -> None:
    behind, front = values(provider, backend), values(provider, frontend)
    for name in ("networkPolicy", "common"):
        assert behind.get(name) == front.get(name)


def test_an_answer_comes_before_the_load_balancer_gives_up(provider: str, frontend: Chart) -> None:
    seconds = int(frontend.objects(values(provider, frontend))["ConfigMap"]["data"]["REQUEST_SECONDS"])
    assert seconds + 6 < LOAD_BALANCER[provider]


def test_https_is_the_secrets_or_the_classs(provider: str, frontend: Chart, refused: Refused) -> None:
    spec = frontend.objects(values(provider, frontend))["Ingress"]["spec"]
    file = ROOT / f"docs/cloud/{provider}/ingressclass.yaml"
    if not file.exists():
        assert spec["tls"] == [{"hosts": [spec["rules"][0]["host"]], "secretName": "todo-tls"}]
        return
    text = file.read_text(encoding="utf-8")
    of_kubernetes, of_provider = yaml.safe_load_all(text)
    assert refused(yaml.safe_dump(of_kubernetes), NEWEST) == {}
    assert of_kubernetes["metadata"]["name"] == spec["ingressClassName"]
    parameters = of_kubernetes["spec"]["parameters"]
    assert (parameters["kind"], parameters["name"]) == (of_provider["kind"], of_provider["metadata"]["name"])
    assert of_provider["apiVersion"].startswith(parameters["apiGroup"])
    assert of_provider["spec"]["certificateArn"]


def test_the_page_names_each_file(provider: str) -> None:
    for file in sorted((ROOT / f"docs/cloud/{provider}").iterdir()):
        assert f"cloud/{provider}/{file.name}" in PAGE, Path(file).name
