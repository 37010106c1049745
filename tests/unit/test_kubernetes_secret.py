"""The comparison of a live Secret with the one wanted, the diff without values, and the module against a stand-in kubectl."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.todochat.platform.plugins.module_utils.cluster import secret
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import OF_OTHERS
from ansible_collections.todochat.platform.plugins.modules import kubernetes_secret as module

CANARY = "postgresql://todo_app:canary-7f3a@192.168.85.251:5432/todo"
WANTED = secret.Wanted(
    namespace="todo",
    namespace_labels={"pod-security.kubernetes.io/enforce": "restricted"},
    name="backend-secrets",
    labels={"app.kubernetes.io/part-of": "todochat"},
    data={"database_url": CANARY, "jwt_keys": '{"active": "a"}'},
    checksum_key="salt",
)


def live(wanted: secret.Wanted = WANTED) -> secret.Actual:
    """What the cluster has after `wanted` was written."""
    return secret.Actual.parse(json.dumps({"kind": "List", "items": [wanted.namespace_manifest(), wanted.secret_manifest()]}))


def test_what_was_written_is_as_wanted() -> None:
    assert not secret.namespace_differs(WANTED, live())
    assert not secret.secret_differs(WANTED, live())
    shown = secret.shown(WANTED, live())
    assert shown["before"] == shown["after"]


@pytest.mark.parametrize("text", ["", "\n", '{"kind": "List", "items": []}'])
def test_nothing_live_differs(text: str) -> None:
    actual = secret.Actual.parse(text)
    assert secret.namespace_differs(WANTED, actual)
    assert secret.secret_differs(WANTED, actual)
    assert secret.shown(WANTED, actual)["before"] == {}


def test_a_namespace_alone_is_read() -> None:
    actual = secret.Actual.parse(json.dumps(WANTED.namespace_manifest()))
    assert not secret.namespace_differs(WANTED, actual)
    assert secret.secret_differs(WANTED, actual)


@pytest.mark.parametrize(
    "changes",
    [
        {"data": {**WANTED.data, "database_url": "other"}},
        {"data": {**WANTED.data, "extra": "key"}},
        {"data": {"database_url": CANARY}},
        {"labels": {"app.kubernetes.io/part-of": "other"}},
        {"checksum_key": "pepper"},
    ],
)
def test_each_change_of_the_secret_is_seen(changes: dict[str, Any]) -> None:
    assert secret.secret_differs(dataclasses.replace(WANTED, **changes), live())


def test_labels_of_others_are_theirs() -> None:
    actual = dataclasses.replace(live(), namespace_labels={**WANTED.namespace_labels, "kubernetes.io/metadata.name": "todo"})
    assert not secret.namespace_differs(WANTED, actual)
    assert "kubernetes.io/metadata.name" not in str(secret.shown(WANTED, actual))


def test_the_diff_shows_which_key_changed_and_no_value() -> None:
    changed = dataclasses.replace(WANTED, data={**WANTED.data, "database_url": CANARY + "?sslmode=require"})
    shown = secret.shown(changed, live())
    assert shown["before"]["data"]["jwt_keys"] == shown["after"]["data"]["jwt_keys"]
    assert shown["before"]["data"]["database_url"] != shown["after"]["data"]["database_url"]
    assert "canary" not in str(shown)
    assert base64.b64encode(CANARY.encode()).decode()[:16] not in str(shown)


def test_hashes_depend_on_the_key_the_name_and_the_value_but_not_on_the_order() -> None:
    assert secret.checksum("k", {"a": "1", "b": "2"}) == secret.checksum("k", {"b": "2", "a": "1"})
    assert len({secret.checksum(key, data) for key in "kl" for data in ({"a": "1"}, {"a": "2"}, {"b": "1"})}) == 6
    assert secret.fingerprint("k", "a", "1") != secret.fingerprint("k", "b", "1")


FAKE_KUBECTL = """#!{python}
import json, os, sys
state = os.path.join(os.path.dirname(sys.argv[0]), "state")
with open(state + ".log", "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
if "get" in sys.argv:
    if os.path.exists(state + ".down"):
        sys.exit("The connection to the server was refused - did you specify the right host or port?")
    if os.path.exists(state):
        items = json.load(open(state))
        print(json.dumps({{"kind": "List", "items": list(items.values())}}))
else:
    manifest = json.load(sys.stdin)
    if os.path.exists(state + ".refuses"):
        sys.exit("Warning: x\\nerror: cannot take " + str(manifest.get("data")))
    items = json.load(open(state)) if os.path.exists(state) else {{}}
    items[manifest["kind"]] = manifest
    json.dump(items, open(state, "w"))
"""


class Runner:
    """Runs the module as Ansible does, with a kubectl that keeps what it is given in a file."""

    def __init__(self, directory: Path) -> None:
        self.kubectl = directory / "kubectl"
        self.kubectl.write_text(FAKE_KUBECTL.format(python=sys.executable))
        self.kubectl.chmod(0o755)
        self.state = directory / "state"

    def __call__(self, *, check: bool = False, data: dict[str, Any] | None = None, checksum_key: str = "salt", **more: Any) -> dict[str, Any]:
        arguments = {
            **more,
            "kubectl": str(self.kubectl),
            "context": "todo",
            "namespace": "todo",
            "name": "backend-secrets",
            "data": dict(WANTED.data) if data is None else data,
            "checksum_key": checksum_key,
            "_ansible_check_mode": check,
            "_ansible_diff": True,
        }
        done = subprocess.run(
            [sys.executable, module.__file__],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "canary" not in done.stdout + done.stderr
        assert base64.b64encode(CANARY.encode()).decode() not in done.stdout + done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def is_so(self, what: str, so: bool = True) -> None:
        """From now on the cluster is `down`, or `refuses`; or is not any more."""
        file = Path(f"{self.state}.{what}")
        file.touch() if so else file.unlink()

    def calls(self) -> str:
        """Everything that was ever on kubectl's command line."""
        return Path(f"{self.state}.log").read_text()


@pytest.fixture
def run(tmp_path: Path) -> Runner:
    """The module, before anything was written."""
    return Runner(tmp_path)


def test_module_predicts_writes_and_then_rests(run: Runner) -> None:
    predicted = run(check=True)
    assert (predicted["changed"], predicted["msg"]) == (True, "would write Namespace todo and Secret backend-secrets")
    assert not run.state.exists()

    written = run()
    assert written["changed"]
    assert written["checksum"] == predicted["checksum"] == secret.checksum("salt", WANTED.data)

    assert not run(check=True)["changed"]
    assert not run()["changed"]
    assert run(data={"database_url": CANARY})["msg"] == "wrote Secret backend-secrets"
    assert "canary" not in run.calls()
    assert "--context" in run.calls()


def test_module_announces_where_no_cluster_answers_in_check_mode_only(run: Runner) -> None:
    run.is_so("down")
    predicted = run(check=True)
    assert predicted["changed"]
    assert "would write" in predicted["msg"]
    failed = run()
    assert failed["failed"]
    assert "connection to the server was refused" in failed["msg"]
    assert "--tags minikube" in failed["msg"]


def test_module_announces_before_there_is_a_kubectl_and_a_vault(run: Runner) -> None:
    run.kubectl.unlink()
    predicted = run(check=True, data={"database_url": "", "jwt_keys": ""}, checksum_key="")
    assert predicted["changed"]
    assert "There is no " in predicted["msg"]
    failed = run(data={"database_url": "", "jwt_keys": ""}, checksum_key="")
    assert "checksum_key, database_url, jwt_keys is empty" in failed["msg"]


def test_a_refusal_keeps_its_message_and_loses_the_values(run: Runner) -> None:
    run.is_so("refuses")
    failed = run()
    assert failed["failed"]
    assert "the cluster refused the Namespace: error: cannot take None" in failed["msg"]
    run.is_so("refuses", False)
    run()
    run.is_so("refuses")
    failed = run(data={"database_url": CANARY + "2"})
    assert "the cluster refused the Secret: error: cannot take" in failed["msg"]


def test_values_must_be_strings(run: Runner) -> None:
    failed = run(data={"jwt_keys": {"active": "a"}})
    assert "jwt_keys must be strings" in failed["msg"]


def test_a_namespace_of_others_is_made_where_there_is_none_and_else_left_alone(run: Runner, tmp_path: Path) -> None:
    """Labels of ours could keep others' pods out of it, and would say that it may go with us."""
    theirs = tmp_path / "kubeconfig"
    theirs.write_text(json.dumps({"extensions": [OF_OTHERS]}))
    given = {"kubeconfig": str(theirs), "namespace_labels": {"pod-security.kubernetes.io/enforce": "restricted"}}
    assert run(**given)["msg"] == "wrote Namespace todo and Secret backend-secrets"
    assert '"create"' in run.calls()
    assert '"apply"' not in run.calls()
    live = json.loads(run.state.read_text())
    assert live["Namespace"]["metadata"]["labels"] == given["namespace_labels"]
    live["Namespace"]["metadata"]["labels"] = {"team": "theirs"}
    run.state.write_text(json.dumps(live))
    assert not run(**given)["changed"]
    theirs.with_name("ours").write_text("{}")
    assert run(kubeconfig=str(theirs.with_name("ours")), namespace_labels=given["namespace_labels"], check=True)["changed"]
