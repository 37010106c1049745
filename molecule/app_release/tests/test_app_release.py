"""The application answers, what a person changed by hand is put right, and a changed value is rolled out."""

from __future__ import annotations

import pytest
from conftest import Tester
from testinfra.host import Host

RELEASES = ("backend", "frontend")
KUBECTL = "KUBECONFIG=~/.local/state/todochat/todo/kubeconfig kubectl --namespace todo"
TAGS = "--tags app_release"


def test_the_application_answers_on_this_machine(host: Host) -> None:
    fetch = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:30000/health/ready', timeout=10).status)"
    assert host.check_output("python3 -c %s", fetch) == "200"


@pytest.mark.parametrize("name", RELEASES)
def test_two_pods_run_the_image_by_digest(tester: Tester, name: str) -> None:
    deployment = tester.kubectl(f"get deployment {name}")
    assert deployment["status"]["availableReplicas"] == 2
    assert "@sha256:" in deployment["spec"]["template"]["spec"]["containers"][0]["image"]


def test_what_was_changed_by_hand_is_put_right(tester: Tester) -> None:
    tester.sees(f"{KUBECTL} scale deployment frontend --replicas=0 && {KUBECTL} delete deployment backend")
    passed, output = tester.up(TAGS)
    assert passed, output
    for name in RELEASES:
        assert tester.kubectl(f"get deployment {name}")["status"]["availableReplicas"] == 2


def test_a_changed_value_rolls_its_release_and_no_other(tester: Tester) -> None:
    before = {name: tester.kubectl(f"get deployment {name}")["metadata"]["generation"] for name in RELEASES}
    value = """-e '{"app_release_backend_values": {"config": {"logLevel": "debug"}}}'"""
    passed, output = tester.up(f"{TAGS} {value}")
    assert passed, output
    after = {name: tester.kubectl(f"get deployment {name}")["metadata"]["generation"] for name in RELEASES}
    assert after["backend"] > before["backend"]
    assert after["frontend"] == before["frontend"]


LEFT = """
import base64, gzip, json, sys
newest = max(json.load(sys.stdin)["items"], key=lambda secret: int(secret["metadata"]["labels"]["version"]))
release = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(newest["data"]["release"]))))
release["info"]["status"] = newest["metadata"]["labels"]["status"] = sys.argv[1]
newest["data"]["release"] = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(release).encode()))).decode()
print(json.dumps(newest))
"""
"""Gives Helm's record of the newest revision another status, as a helm that was killed leaves it, or another person's."""


# The last two begin anew: one history ends, and of the other nothing but its first revision is there.
STATUSES = ["pending-upgrade", "pending-rollback", "unknown", "failed", "superseded", "uninstalled", "uninstalling", "pending-install"]


@pytest.mark.parametrize("status", STATUSES)
def test_a_release_with_any_status_heals(host: Host, tester: Tester, status: str) -> None:
    host.check_output("printf %s > /tmp/left.py", LEFT)
    tester.sees(f"{KUBECTL} get secrets --selector owner=helm,name=frontend --output json | python3 /tmp/left.py {status} | {KUBECTL} replace --filename -")
    passed, output = tester.up(TAGS)
    assert passed, output
    tester.up_changes_nothing(TAGS)
