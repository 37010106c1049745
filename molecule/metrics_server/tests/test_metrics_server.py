"""The cluster says what its node and pods use, also after its pod was killed, and what was changed by hand is put right."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from conftest import Tester

KUBECTL = "KUBECONFIG=~/.local/state/todochat/todo/kubeconfig kubectl --namespace kube-system"
TAGS = "--tags metrics_server"
POD = "--selector app.kubernetes.io/instance=metrics-server"


def used(tester: Tester, what: str) -> dict[str, dict[str, str]]:
    """What each node, or each container, uses. The API server notices a second late that somebody answers for it, so it is asked again."""
    ask = f"{KUBECTL} get --raw /apis/metrics.k8s.io/v1beta1/{what}"
    items = json.loads(tester.sees(f"timeout 60 sh -c 'until {ask}; do sleep 1; done'"))["items"]
    named = [(item["metadata"]["name"], container) for item in items for container in item.get("containers", [item])]
    return {f"{name}/{container.get('name', '')}": container["usage"] for name, container in named}


def deployment(tester: Tester) -> Any:
    return json.loads(tester.sees(f"{KUBECTL} get deployment metrics-server --output json"))


@pytest.mark.parametrize(("what", "name"), [("nodes", "todo/"), ("pods", "kube-apiserver-todo/kube-apiserver")])
def test_what_is_used_is_told_in_numbers(tester: Tester, what: str, name: str) -> None:
    usage = used(tester, what)[name]
    assert re.fullmatch(r"[1-9]\d*[num]?", usage["cpu"]), usage
    assert re.fullmatch(r"[1-9]\d*[KM]i", usage["memory"]), usage


def test_it_runs_by_digest_as_nobody_in_particular_and_reads_no_secrets(tester: Tester) -> None:
    pod = deployment(tester)["spec"]["template"]["spec"]
    assert re.fullmatch(r"127\.0\.0\.1:5000/todo/metrics-server@sha256:[0-9a-f]{64}", pod["containers"][0]["image"])
    assert pod["securityContext"]["runAsUser"] == 65534
    may = f"{KUBECTL} auth can-i --as=system:serviceaccount:kube-system:metrics-server --all-namespaces"
    assert tester.sees(f"{may} list pods") == "yes"
    assert tester.sees(f"{may} list secrets || true") == "no"  # it fails where that may not be


def test_a_pod_that_is_killed_comes_back(tester: Tester) -> None:
    tester.sees(f"{KUBECTL} delete pod {POD}")  # until it is gone: only another one can answer
    assert used(tester, "nodes")
    tester.up_changes_nothing(TAGS)


def test_an_image_of_another_digest_is_put_right(tester: Tester) -> None:
    wanted = deployment(tester)["spec"]["template"]["spec"]["containers"][0]["image"]
    other = f"{wanted.partition('@')[0]}@sha256:{'0' * 64}"
    tester.sees(f"{KUBECTL} set image deployment/metrics-server metrics-server={other}")
    tester.sees(f"{KUBECTL} wait deployment/metrics-server --for=jsonpath='{{.status.unavailableReplicas}}'=1 --timeout=60s")
    passed, output = tester.up(TAGS)
    assert passed, output
    found = deployment(tester)
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == wanted
    assert found["status"]["availableReplicas"] == found["status"]["replicas"] == 1
    tester.up_changes_nothing(TAGS)


def test_what_is_taken_away_by_hand_is_put_back(tester: Tester) -> None:
    tester.sees(f"{KUBECTL} delete deployment metrics-server")
    passed, output = tester.up(TAGS)
    assert passed, output
    assert used(tester, "pods")
