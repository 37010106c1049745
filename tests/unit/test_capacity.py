"""The pods find a place, or it is said before anything is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.preflight import capacity
from ansible_collections.todochat.platform.plugins.module_utils.preflight.capacity import Service

ROOT = Path(__file__).resolve().parents[2]
NODE = {"cpu": 2, "memory": 6144}
SCALING = {"autoscaling": {"enabled": True}}


def services(**over: Any) -> list[Service]:
    """Both, as the charts say by themselves and with autoscaling."""
    own = {name: yaml.safe_load((ROOT / f"apps/{name}/chart/values.yaml").read_text(encoding="utf-8")) for name in ("backend", "frontend")}
    return [Service.of(name, capacity.merged(capacity.merged(values, SCALING), over.get(name, {}))) for name, values in own.items()]


def test_the_charts_as_they_are_fit_the_default_node() -> None:
    assert capacity.problems(NODE, services()) == []


def test_and_that_node_would_not_hold_one_pod_more() -> None:
    (problem,) = capacity.problems(NODE, services(frontend={"autoscaling": {"maxReplicas": 4}}))
    assert "minikube_cpus=2 is too little" in problem.why
    assert "4 of frontend with 0.1 each" in problem.why
    assert "-e minikube_cpus=3 or more" in problem.remedy
    assert capacity.problems({**NODE, "cpu": 3}, services(frontend={"autoscaling": {"maxReplicas": 4}})) == []


def test_several_nodes_hold_more_though_each_has_the_network_to_run() -> None:
    more = services(frontend={"autoscaling": {"maxReplicas": 12}})
    assert capacity.problems(NODE, more, nodes=2) == []
    (problem,) = capacity.problems(NODE, services(frontend={"autoscaling": {"maxReplicas": 24}}), nodes=2)
    assert "minikube_cpus=2 on each of 2 nodes is too little" in problem.why
    assert "and the cluster for 1.4." in problem.why
    assert "-e minikube_cpus=3 or more" in problem.remedy


def test_without_autoscaling_the_replicas_count() -> None:
    few = {"autoscaling": {"enabled": False}}
    assert [service.pods for service in services(backend=few, frontend=few)] == [2, 2]
    (problem,) = capacity.problems(NODE, services(backend={**few, "replicaCount": 5}))
    assert "5 of backend" in problem.why


def test_memory_is_added_up_too() -> None:
    (problem,) = capacity.problems(NODE, services(backend={"resources": {"requests": {"memory": "2Gi"}}}))
    assert "minikube_memory=6144 is too little" in problem.why
    assert "3 of backend with 2048 each" in problem.why


@pytest.mark.parametrize("value", ["lots", None, {}, "-1", "1.5x"])
def test_what_is_no_quantity_is_named(value: object) -> None:
    with pytest.raises(UserError, match=r"app_release_backend_values: resources.requests.cpu is .*no quantity"):
        services(backend={"resources": {"requests": {"cpu": value}}})


def test_a_least_above_the_most_is_refused() -> None:
    with pytest.raises(UserError, match=r"app_release_frontend_values: replicaCount is 4, and autoscaling\.maxReplicas, the most, is 3"):
        services(frontend={"replicaCount": 4})
    assert services(frontend={"replicaCount": 4, "autoscaling": {"maxReplicas": 4}})[1].pods == 4
