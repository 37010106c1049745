"""A cluster that others run: what stands in the way of a deployment there, all of it at once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.todochat.platform.plugins.module_utils.preflight import foreign
from ansible_collections.todochat.platform.plugins.module_utils.preflight.capacity import Service
from ansible_collections.todochat.platform.plugins.module_utils.preflight.foreign import Asked, Found

BACKEND = Service("backend", 3, {"cpu": 0.2, "memory": 256.0})
FRONTEND = Service("frontend", 3, {"cpu": 0.1, "memory": 128.0})
ASKED = Asked("todo", "amd64", [BACKEND, FRONTEND], [{"enabled": False}], policies=False, autoscaling=False)


def node(cpu: str = "2", memory: str = "4Gi", architecture: str = "amd64", **spec: Any) -> dict[str, Any]:
    return {"spec": spec, "status": {"allocatable": {"cpu": cpu, "memory": memory}, "nodeInfo": {"architecture": architecture}}}


def ingress_class(name: str, default: str = "false") -> dict[str, Any]:
    return {"metadata": {"name": name, "annotations": {"ingressclass.kubernetes.io/is-default-class": default}}}


def quota(**hard: str) -> dict[str, Any]:
    return {"metadata": {"name": "q"}, "status": {"hard": hard}}


EVERYTHING = replace(ASKED, policies=True, autoscaling=True, ingresses=[{"enabled": True}])
WELL = Found((1, 35), namespace={"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}, nodes=[node(), node()])


def said(found: Found, asked: Asked = ASKED) -> list[str]:
    return [str(problem) for problem in foreign.problems(found, asked)]


def test_a_cluster_that_lets_one_do_all_that_is_needed_is_well() -> None:
    assert said(WELL) == []
    assert foreign.warnings(WELL, ASKED) == []


def test_what_may_not_be_asked_is_no_problem() -> None:
    assert said(replace(WELL, nodes=None, ingress_classes=None, daemonsets=None)) == []


@pytest.mark.parametrize(
    ("changes", "asked", "phrase"),
    [
        ({"version": (1, 29)}, {}, "Kubernetes 1.29, and 1.30 is the oldest"),
        ({"namespace": {}, "may_make_namespace": False}, {}, "There is no namespace todo, and this kubeconfig may not make one"),
        ({"denied": {"secrets": ["create"], "deployments.apps": ["patch"]}}, {}, "secrets: create; deployments.apps: patch"),
        ({"quotas": [quota(**{"requests.cpu": "1"})]}, {}, "The quota q allows requests of 1 cpu in all, and the pods ask for 1.1"),
        ({"quotas": [quota(memory="1Gi")]}, {}, "1Gi memory in all, and the pods ask for 1408 MiB"),
        ({"nodes": [node(architecture="arm64")]}, {}, "built for amd64, and the cluster's nodes are linux/arm64"),
        ({"ingress_classes": []}, {"ingresses": [{"enabled": True, "className": "nginx"}]}, "no class nginx; it has none at all"),
        ({"ingress_classes": [ingress_class("a")]}, {"ingresses": [{"enabled": True, "className": ""}]}, "no default class; it has a"),
        ({}, {"autoscaling": True}, "no metrics"),
    ],
)
def test_what_stands_in_the_way_is_said_with_what_to_do(changes: dict[str, Any], asked: dict[str, Any], phrase: str) -> None:
    (one,) = said(replace(WELL, **changes), replace(ASKED, **asked))
    assert phrase in one


def test_all_of_it_is_said_at_once() -> None:
    assert len(said(Found((1, 29), denied={"pods": ["list"]}, namespace={}, may_make_namespace=False, nodes=[node(architecture="arm64")]))) == 4


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({"ingress_classes": [ingress_class("nginx")]}, {"ingresses": [{"enabled": True, "className": "nginx"}]}),
        ({"ingress_classes": [ingress_class("a", "true")]}, {"ingresses": [{"enabled": True, "className": ""}]}),
        ({"has_metrics": True}, {"autoscaling": True}),
        ({"namespace": {}}, {}),
        ({"namespace": None, "may_make_namespace": False}, {}),
        ({"quotas": [quota(**{"requests.cpu": "2", "requests.memory": "2Gi", "pods": "1"})]}, {}),
        ({"quotas": [quota(**{"requests.cpu": "2k", "requests.memory": "16G"})]}, {}),
        ({"nodes": []}, {}),
        ({"nodes": [node(unschedulable=True)]}, {}),
        ({"nodes": [node(), node(architecture="arm64"), node(unschedulable=True)]}, {}),
    ],
)
def test_what_fits_is_no_problem(changes: dict[str, Any], asked: dict[str, Any]) -> None:
    assert said(replace(WELL, **changes), replace(ASKED, **asked)) == []


@pytest.mark.parametrize(
    ("nodes", "phrase"),
    [
        ([node(), node(architecture="arm64")], "also has nodes of linux/arm64"),
        ([], "0 cores now, and the pods ask for 0.9"),
        ([node(taints=[{"effect": "NoSchedule"}])], "0 MiB of memory now"),
        ([node(cpu="500m")], "0.5 cores now, and the pods ask for 0.9: they wait for another node"),
        ([node(memory="512Mi")], "512 MiB of memory now, and the pods ask for 1152"),
    ],
)
def test_nodes_that_may_yet_come_are_no_hindrance_and_told(nodes: list[dict[str, Any]], phrase: str) -> None:
    assert said(replace(WELL, nodes=nodes)) == []
    assert phrase in " ".join(foreign.warnings(replace(WELL, nodes=nodes), ASKED))


@pytest.mark.parametrize(
    ("daemonsets", "phrase"),
    [([], "no network engine of this cluster is known to hold"), (None, "may not see whether anything holds"), ([{"metadata": {"name": "cilium"}}], "")],
)
def test_policies_that_nobody_may_hold_are_warned_of(daemonsets: Any, phrase: str) -> None:
    warned = foreign.warnings(replace(WELL, daemonsets=daemonsets), replace(ASKED, policies=True))
    assert bool(warned) == bool(phrase)
    assert phrase in " ".join(warned)


def test_pods_that_are_admitted_with_more_rights_are_warned_of() -> None:
    for labels, level in (({"pod-security.kubernetes.io/enforce": "baseline"}, "baseline"), ({}, "of the cluster")):
        (warned,) = foreign.warnings(replace(WELL, namespace={"metadata": {"labels": labels}}), ASKED)
        assert f"at the level {level}" in warned


@pytest.mark.parametrize(
    ("quantity", "number"),
    [("1Gi", 1024), ("256Mi", 256), ("1048576Ki", 1024), ("4294967296", 4096), ("1Ti", 1048576), ("1048576k", 1000), ("1048576000000m", 1000)],
)
def test_memory_is_in_mebibytes(quantity: str, number: float) -> None:
    assert foreign.amount(quantity, "memory") == number


def test_processors_are_in_cores() -> None:
    assert [foreign.amount(quantity, "cpu") for quantity in ("2", "500m", "1k", "1e3", "?")] == [2, 0.5, 1000, 1000, 0]


def test_each_right_is_asked_for_by_its_group_and_what_is_denied_is_told_by_resource() -> None:
    asked = [review["spec"]["resourceAttributes"] for review in foreign.reviews("todo", EVERYTHING)]
    assert {"namespace": "todo", "verb": "create", "group": "apps", "resource": "deployments", "subresource": ""} in asked
    assert {"namespace": "todo", "verb": "get", "group": "", "resource": "pods", "subresource": "log"} in asked
    answers = [{"spec": {"resourceAttributes": one}, "status": {"allowed": one["resource"] != "secrets" and one["subresource"] != "log"}} for one in asked]
    assert foreign.denied(answers) == {"secrets": ["get", "list", "create", "update", "patch", "delete"], "pods/log": ["get"]}


def test_what_is_not_asked_for_needs_no_right() -> None:
    """A Role that does not give it is enough."""
    asked = {review["spec"]["resourceAttributes"]["resource"] for review in foreign.reviews("todo", ASKED)}
    of_all = {review["spec"]["resourceAttributes"]["resource"] for review in foreign.reviews("todo", EVERYTHING)}
    assert of_all - asked == {"networkpolicies", "horizontalpodautoscalers", "ingresses"}


def test_kubectl_prints_objects_one_after_the_other_or_as_a_list() -> None:
    assert list(foreign.objects('{"a": 1}\n{"a": 2}\n')) == [{"a": 1}, {"a": 2}]
    assert list(foreign.objects(json.dumps({"kind": "List", "items": [{"a": 1}]}))) == [{"a": 1}]


def test_the_role_that_the_guide_gives_has_what_is_asked_for_and_no_more() -> None:
    role = yaml.safe_load((Path(__file__).resolve().parents[2] / "docs/existing-cluster/role.yaml").read_text(encoding="utf-8"))
    given = {(rule["apiGroups"][0], resource): set(rule["verbs"]) for rule in role["rules"] for resource in rule["resources"]}
    asked: dict[tuple[str, str], set[str]] = {}
    for attributes in (one["spec"]["resourceAttributes"] for one in foreign.reviews("todo", EVERYTHING)):
        resource = "/".join(filter(None, (attributes["resource"], attributes["subresource"])))
        asked.setdefault((attributes["group"], resource), set()).add(attributes["verb"])
    assert given == asked


def test_the_examples_variables_take_precedence_over_group_vars() -> None:
    """Those of a group in an inventory would not."""
    example = yaml.safe_load((Path(__file__).resolve().parents[2] / "inventory/existing_cluster.example.yml").read_text(encoding="utf-8"))
    assert set(example["all"]) == {"hosts"}
    assert example["all"]["hosts"]["localhost"]["deployment_cluster"] == "existing"
