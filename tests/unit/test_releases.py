"""Helm releases: what counts as a difference, when a rollout is complete, and why it fails."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.cluster import system_pods
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster, ClusterError
from ansible_collections.todochat.platform.plugins.module_utils.images.registry import Registry
from ansible_collections.todochat.platform.plugins.module_utils.release import revisions, watch
from ansible_collections.todochat.platform.plugins.module_utils.release.helm import Release, ReleaseError, difference, live_drift
from ansible_collections.todochat.platform.plugins.module_utils.release.watch import Watcher
from ansible_collections.todochat.platform.plugins.modules import helm_releases
from ansible_collections.todochat.platform.plugins.modules.helm_releases import wanted

# Recorded from a cluster after the second upgrade of the frontend
RECORDED = json.loads((Path(__file__).parent / "fixtures" / "frontend.json").read_text())["items"]
SERVICE = {"kind": "Service", "metadata": {"name": "frontend"}}
NEW, OLD = "frontend-7857cdbdb6", "frontend-686b578ff"

PROGRAM = """#!/bin/sh
cd "{folder}" || exit
echo "${{0##*/}} $*" >>calls
[ ! -e refusal ] || {{ cat refusal >&2; exit 1; }}
case "$*" in
*" get --output=json pods --namespace=kube-system"*)
    cat system
    if [ -e system.next ]; then mv system.next system; fi ;;
*" get --output=json Deployment,Service "*) cat live ;;
*" get --output=json secrets "*) cat secrets 2>/dev/null || echo '{{"items": []}}' ;;
*" get --output=json deployments "*) cat scaled ;;
*" get --output=json deployments,horizontalpodautoscalers "*) cat scaled ;;
*" get --output=json deployments,replicasets,pods,events")
    cat everything
    if [ -e once-more ]; then rm once-more; elif [ -e everything.next ]; then mv everything.next everything; fi ;;
*" logs "*" --previous") cat previous ;;
*" logs "*) cat log ;;
*" version "*) echo '{{"serverVersion": {{"gitVersion": "v1.35.1"}}}}' ;;
*" template "*" --no-hooks"*) cat manifest ;;
*" template "*) cat hooks manifest ;;
*" list "*) grep -v unknown list || echo '[]' ;;
*" history "*) cat list ;;
*" upgrade "*) cat >values ;;
*" delete pods "*) mv healed everything ;;
esac
"""


def kept(manifest: str, *hooks: str) -> dict[str, Any]:
    """The Secret in which Helm keeps the frontend's second revision."""
    held = {
        "info": {"last_deployed": "2026-01-02T03:04:05Z"},
        "chart": {"metadata": {"name": "frontend", "version": "1.0.0"}},
        "manifest": manifest,
        "hooks": [{"manifest": hook} for hook in hooks],
    }
    release = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(held).encode()))).decode()
    return {"metadata": {"labels": {"name": "frontend", "version": "2", "status": "deployed"}}, "data": {"release": release}}


class World:
    """A cluster that holds the frontend, answered for by stand-ins for kubectl and helm."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("kubectl", "helm"):
            (folder / name).write_text(PROGRAM.format(folder=folder))
            (folder / name).chmod(0o755)
        self.cluster = Cluster(str(folder / "helm"), str(folder / "kubectl"), str(folder / "kubeconfig"), "todo")
        self.release = Release("frontend", Path("/chart"), {"replicaCount": 2})
        self.items: list[dict[str, Any]] = copy.deepcopy(RECORDED)
        self.deployment = self.items[0]
        self.write()
        self.dns("system", ready=True)

    def dns(self, name: str, *, ready: bool) -> None:
        """The cluster's own pods, now or (``system.next``) when they are asked for again."""
        status = {"conditions": [{"type": "Ready", "status": str(ready)}]}
        pod = {"metadata": {"name": "coredns-1", "namespace": "kube-system"}, "spec": {"nodeName": "todo"}, "status": status}
        (self.folder / name).write_text(json.dumps({"items": [pod]}))

    def write(self, name: str = "everything") -> None:
        (self.folder / "live").write_text(json.dumps({"items": [self.deployment, SERVICE]}))
        (self.folder / "scaled").write_text(json.dumps({"items": [self.deployment]}))
        (self.folder / name).write_text(json.dumps({"items": self.items}))

    def rolling(self, then_complete: bool = False) -> None:
        """One of two new pods is not available yet."""
        if then_complete:
            self.write("everything.next")
        self.deployment["status"]["availableReplicas"] = 1
        self.write()

    def failing(self, reason: str, replicaset: str = NEW, kind: str = "containerStatuses", message: str = "back-off", restarts: int = 0) -> str:
        """A pod that does not come up; returns its name."""
        owner = next(item for item in self.items if item["metadata"]["name"] == replicaset)
        pod = copy.deepcopy(next(item for item in self.items if item["kind"] == "Pod"))
        pod["metadata"] |= {"name": f"{replicaset}-{len(self.items)}", "ownerReferences": [{"kind": "ReplicaSet", "uid": owner["metadata"]["uid"]}]}
        container = {"name": "frontend", "restartCount": restarts, "state": {"waiting": {"reason": reason, "message": message}}}
        pod["status"] = {"phase": "Pending", kind: [container]}
        self.items.append(pod)
        self.write()
        return str(pod["metadata"]["name"])

    def run(self, *, check: bool = False) -> dict[str, Any]:
        """What the module answers, run as Ansible does."""
        (self.folder / "kubeconfig").touch()
        (self.folder / "list").write_text('[{"name": "frontend", "revision": "2", "status": "deployed"}]')
        (self.folder / "manifest").write_text(MANIFEST)
        (self.folder / "hooks").touch()
        (self.folder / "secrets").write_text(json.dumps({"items": [kept(MANIFEST)]}))
        arguments = {
            **{name: str(self.folder / name) for name in ("helm", "kubectl", "kubeconfig")},
            "namespace": "todo",
            "registry": "127.0.0.1:5000",
            "repository": "todo",
            "images": {"frontend": {"repository": "127.0.0.1:5000/todo/frontend", "digest": "sha256:00"}},
            "releases": [{"name": "frontend", "chart": "/chart"}],
            "_ansible_check_mode": check,
        }
        done = subprocess.run(
            [sys.executable, helm_releases.__file__],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            capture_output=True,
            text=True,
            check=False,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def calls(self, program: str) -> list[str]:
        lines = (self.folder / "calls").read_text().splitlines()
        return [line.removeprefix(f"{program} --namespace todo ") for line in lines if line.startswith(f"{program} ")]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The frontend, completely rolled out. Watching it does not take time."""
    monkeypatch.setattr(watch, "POLL_SECONDS", 0)
    monkeypatch.setattr(system_pods, "POLL_SECONDS", 0)
    return World(tmp_path)


# Differences

MANIFEST = """
---
# Source: frontend/templates/service.yaml
apiVersion: v1
kind: Service
metadata: {name: frontend}
spec:
  ports: [{port: 3000, nodePort: 30000}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: frontend}
spec:
  replicas: 2
  template:
    spec:
      containers:
        - name: frontend
          image: "127.0.0.1:5000/todo/frontend@sha256:bb87a15f058710dad2ac3e700cb36c412e29b393060558355baca1275c9ee3b1"
"""
RESPELLED = """
kind: Deployment
apiVersion: "apps/v1"
spec: {template: {spec: {containers: [{
  image: 127.0.0.1:5000/todo/frontend@sha256:bb87a15f058710dad2ac3e700cb36c412e29b393060558355baca1275c9ee3b1, name: frontend}]}}, replicas: 2}
metadata:
  name: 'frontend'
---
---
kind: Service
apiVersion: v1
spec:
  ports:
  - nodePort: 30000
    port: 3000
metadata:
  name: frontend
"""


def test_another_order_and_spelling_is_no_difference() -> None:
    assert difference(MANIFEST, RESPELLED) == ""


def test_a_change_is_shown_in_its_object_alone() -> None:
    found = difference(MANIFEST, RESPELLED.replace("30000", "30001")).splitlines()
    assert found[:2] == ["--- Service/frontend (deployed)", "+++ Service/frontend (wanted)"]
    assert [line for line in found[2:] if line[0] in "+-"] == ["-  - nodePort: 30000", "+  - nodePort: 30001"]


def test_a_number_that_became_a_word_is_a_difference() -> None:
    assert "Deployment/frontend" in difference(MANIFEST, MANIFEST.replace("replicas: 2", 'replicas: "2"'))


def test_objects_that_come_and_go_are_named() -> None:
    service = MANIFEST.split("---")[1]
    assert "+kind: Deployment" in difference(service, MANIFEST)
    assert "-kind: Deployment" in difference(MANIFEST, service)


def test_an_edited_hook_is_a_difference(world: World) -> None:
    hook = f"---\n# Source: frontend/templates/tests/test.yaml\n{MANIFEST.split('---')[1].replace('kind: Service', 'kind: Pod')}"
    (world.folder / "manifest").write_text(MANIFEST)
    (world.folder / "hooks").write_text(hook)
    (part,) = revisions.history(["frontend"], [kept(MANIFEST, hook)]).parts["frontend"]
    deployed = f"{part.manifest}\n---\n{part.hooks}"
    assert difference(deployed, world.release.rendered(world.cluster)) == ""
    (world.folder / "hooks").write_text(hook.replace("30000", "30001"))
    assert "Pod/frontend (wanted)" in difference(deployed, world.release.rendered(world.cluster))


# Rollouts


def test_watching_ends_when_the_rollout_is_complete(world: World) -> None:
    world.rolling(then_complete=True)
    Watcher(world.release, world.cluster, 60).wait()
    assert len([call for call in world.calls("kubectl") if call.startswith("get --output=json deployments,")]) == 2


@pytest.mark.parametrize("kind", ["containerStatuses", "initContainerStatuses"])
def test_a_pod_that_cannot_start_is_named_with_the_last_lines_of_both_its_runs(world: World, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(watch, "PATIENCE", 0)
    world.rolling()
    pod = world.failing("CrashLoopBackOff", kind=kind)
    (world.folder / "previous").write_text("starting\nError: BACKEND_URL is not an address\n")
    (world.folder / "log").write_text("starting once more\n")
    with pytest.raises(ReleaseError) as raised:
        Watcher(world.release, world.cluster, 60).wait()
    assert raised.value.why.startswith(f"The rollout of frontend fails: {pod}/frontend: CrashLoopBackOff")
    assert raised.value.details == "starting\nError: BACKEND_URL is not an address\nstarting once more"
    assert [call for call in world.calls("kubectl") if call.startswith("logs")] == [
        f"logs {pod} --container=frontend --tail=15 --previous",
        f"logs {pod} --container=frontend --tail=15",
    ]


def test_where_nothing_has_run_no_log_is_asked_for(world: World) -> None:
    world.rolling()
    world.failing("ErrImagePull", message="192.168.85.3:5000/todo/frontend@sha256:00: not found")
    with pytest.raises(ReleaseError, match=r"/frontend: ErrImagePull: .*/todo/frontend@sha256:00: not found"):
        Watcher(world.release, world.cluster, 60).wait()
    assert not [call for call in world.calls("kubectl") if call.startswith("logs")]


def test_what_crashed_before_the_watch_began_is_no_news(world: World) -> None:
    world.rolling(then_complete=True)
    (world.folder / "once-more").touch()
    world.failing("CrashLoopBackOff", restarts=7)
    Watcher(world.release, world.cluster, 60).wait()


def test_pods_that_an_earlier_attempt_left_in_back_off_are_named(world: World) -> None:
    pods = [world.failing(reason) for reason in ("CrashLoopBackOff", "ImagePullBackOff")]
    world.failing("ContainerCreating")
    world.items[-1]["status"]["containerStatuses"] = [{"name": "frontend", "started": True, "ready": False, "state": {"running": {}}}]
    world.failing("CrashLoopBackOff", OLD)
    assert Watcher(world.release, world.cluster, 60).backing_off() == pods


def test_an_old_pod_that_fails_does_not_fail_the_new_rollout(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PATIENCE", 0)
    world.rolling(then_complete=True)
    world.failing("CrashLoopBackOff", OLD)
    Watcher(world.release, world.cluster, 60).wait()


def test_a_pull_that_fails_at_first_is_not_the_end(world: World) -> None:
    world.rolling(then_complete=True)
    (world.folder / "once-more").touch()
    world.failing("ErrImagePull")
    Watcher(world.release, world.cluster, 60).wait()


def test_a_start_that_just_takes_long_is_waited_for_until_the_time_is_up(world: World) -> None:
    world.rolling()
    world.failing("ContainerCreating")
    (world.folder / "log").write_text("waiting for the database: password authentication failed\n")
    with pytest.raises(ReleaseError, match=r"not complete after 0 s: frontend: 1 of 2 pods are available.*describe pods") as raised:
        Watcher(world.release, world.cluster, 0).wait()
    assert raised.value.details == "waiting for the database: password authentication failed"


def test_a_release_that_is_as_it_should_be_is_left_alone(world: World) -> None:
    answer = world.run()
    assert (answer["changed"], answer["would"]) == (False, [])
    assert not [call for call in world.calls("helm") if call.startswith("upgrade")]


def test_pods_left_in_back_off_are_announced_then_made_anew_and_waited_for(world: World) -> None:
    world.write("healed")
    world.rolling()
    pod = world.failing("ImagePullBackOff")
    sentence = f"pods that an earlier attempt left failing are made anew: {pod}"
    answer = world.run(check=True)
    assert (answer["changed"], answer["would"]) == (True, [sentence])
    assert not [call for call in world.calls("kubectl") if call.startswith("delete")]
    answer = world.run()
    assert (answer["changed"], answer["would"]) == (True, [sentence])
    assert [call for call in world.calls("kubectl") if call.startswith("delete")] == [f"delete pods --wait=false --ignore-not-found {pod}"]


# A cluster that was just made


def test_dns_is_waited_for_before_anything_is_rolled_out(world: World) -> None:
    world.deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx"
    world.write()
    world.dns("system", ready=False)
    world.dns("system.next", ready=True)
    assert world.run()["changed"]
    calls = (world.folder / "calls").read_text().splitlines()
    before = calls[: next(number for number, call in enumerate(calls) if " upgrade " in call)]
    assert len([call for call in before if "--namespace=kube-system" in call]) == 2


def test_dns_is_waited_for_before_anything_is_found_to_be_rolled_out(world: World) -> None:
    world.dns("system", ready=False)
    world.dns("system.next", ready=True)
    Watcher(world.release, world.cluster, 60).wait()
    calls = (world.folder / "calls").read_text().splitlines()
    assert ["--namespace=kube-system" in call for call in calls] == [True, True, *(False for _ in calls[2:])]
    assert calls[2:]


def test_dns_that_does_not_come_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_pods, "READY_SECONDS", -1)
    world.dns("system", ready=False)
    with pytest.raises(UserError, match=r"not ready after -1 s: coredns-1\. .*kubectl --kubeconfig \S+ --namespace kube-system describe pods"):
        Watcher(world.release, world.cluster, 60).wait()


# What was changed by hand


def changed(change: Callable[[dict[str, Any]], Any], world: World) -> list[str]:
    change(world.deployment)
    world.write()
    return live_drift(world.release.live(world.cluster, MANIFEST), MANIFEST)


def test_what_is_live_as_deployed_is_no_drift(world: World) -> None:
    assert live_drift(world.release.live(world.cluster, MANIFEST), MANIFEST) == []


def test_replicas_that_were_scaled_by_hand_are_drift(world: World) -> None:
    assert changed(lambda d: d["spec"].update(replicas=0), world) == ["Deployment frontend has 0 replicas, not 2"]


def test_an_image_that_was_set_by_hand_is_drift(world: World) -> None:
    [problem] = changed(lambda d: d["spec"]["template"]["spec"]["containers"][0].update(image="nginx"), world)
    assert problem.startswith("Deployment frontend runs {'frontend': 'nginx'}, not {'frontend': '127.0.0.1:5000/todo/frontend@sha256:bb87")


def test_an_image_of_an_init_container_that_was_set_by_hand_is_drift(world: World) -> None:
    migrations = {"name": "migrations", "image": "nginx"}
    [problem] = changed(lambda d: d["spec"]["template"]["spec"].update(initContainers=[migrations]), world)
    assert "'migrations': 'nginx'" in problem


SCALED = MANIFEST.replace("replicas: 2", "paused: false") + """
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: frontend}
spec: {minReplicas: 2, maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: frontend}}
"""


@pytest.mark.parametrize(("replicas", "problems"), [(3, []), (2, []), (0, ["Deployment frontend has 0 replicas, and 2 are the least"])])
def test_where_an_autoscaler_sets_the_replicas_too_few_are_drift(world: World, replicas: int, problems: list[str]) -> None:
    world.deployment["spec"]["replicas"] = replicas
    world.write()
    (scaler,) = [document for document in yaml.safe_load_all(SCALED) if document and document["kind"] == "HorizontalPodAutoscaler"]
    assert live_drift([*world.release.live(world.cluster, MANIFEST), scaler], SCALED) == problems


@pytest.mark.parametrize(("replicas", "scaled"), [(3, []), (2, []), (1, ["2"]), (0, ["2"])])
def test_an_upgrade_begins_with_the_autoscalers_least_number(world: World, replicas: int, scaled: list[str]) -> None:
    (world.folder / "list").write_text("[]")
    world.deployment["spec"]["replicas"] = replicas
    scaler = next(document for document in yaml.safe_load_all(SCALED) if document and document["kind"] == "HorizontalPodAutoscaler")
    world.write()
    (world.folder / "scaled").write_text(json.dumps({"items": [world.deployment, scaler]}))
    world.release.upgrade(world.cluster, 3)
    assert [call for call in world.calls("kubectl") if call.startswith("scale")] == [f"scale deployment/frontend --replicas={least}" for least in scaled]


def test_a_deployment_that_was_removed_is_drift(world: World) -> None:
    (world.folder / "live").write_text(json.dumps({"items": [SERVICE]}))
    assert live_drift(world.release.live(world.cluster, MANIFEST), MANIFEST) == ["Deployment frontend is missing"]


def test_any_other_object_that_was_removed_is_drift(world: World) -> None:
    (world.folder / "live").write_text(json.dumps({"items": [world.deployment]}))
    assert live_drift(world.release.live(world.cluster, MANIFEST), MANIFEST) == ["Service frontend is missing"]


def test_a_hook_that_is_not_there_is_no_drift(world: World) -> None:
    hook = "kind: Pod\nmetadata: {name: frontend-test, annotations: {helm.sh/hook: test}}\n---\n"
    assert live_drift(world.release.live(world.cluster, hook + MANIFEST), hook + MANIFEST) == []


# Calling helm and kubectl


@pytest.mark.parametrize(
    ("status", "revision", "removed"),
    [
        ("deployed", 4, []),
        ("pending-upgrade", 4, ["delete secret sh.helm.release.v1.frontend.v4"]),
        ("pending-rollback", 4, ["delete secret sh.helm.release.v1.frontend.v4"]),
        ("pending-install", 1, ["delete secret sh.helm.release.v1.frontend.v1"]),
        ("unknown", 4, ["delete secret sh.helm.release.v1.frontend.v4"]),
        ("failed", 4, []),
        ("superseded", 4, []),
        ("uninstalled", 4, []),
        ("uninstalling", 4, []),
    ],
)
def test_an_upgrade_first_removes_what_an_interrupted_one_left(world: World, status: str, revision: int, removed: list[str]) -> None:
    (world.folder / "list").write_text(json.dumps([{"name": "frontend", "revision": str(revision), "status": status}]))
    world.release.upgrade(world.cluster, 3)
    call = world.calls("helm")[-1]
    assert call.startswith("upgrade --install frontend /chart")
    assert "--labels=todochat.platform/revision=3" in call.split()
    assert [call for call in world.calls("kubectl") if call.startswith("delete")] == removed
    assert [call.split()[:2] for call in world.calls("helm") if call.startswith("uninstall")] == [["uninstall", "frontend"]] * (status == "uninstalling")
    assert json.loads((world.folder / "values").read_text()) == {"replicaCount": 2}


def test_a_release_that_was_never_installed_is_absent(world: World) -> None:
    (world.folder / "list").write_text("[]")
    assert world.release.deployed(world.cluster) == ("absent", 0)


def test_what_a_program_says_is_told(world: World) -> None:
    (world.folder / "refusal").write_text('Error from server (Forbidden): deployments "frontend" is forbidden')
    with pytest.raises(ClusterError, match=r"`kubectl get .*` failed: Error from server \(Forbidden\)"):
        world.release.workloads(world.cluster)


def test_a_missing_program_names_the_tag_to_run(world: World) -> None:
    (world.folder / "helm").unlink()
    with pytest.raises(ClusterError, match=r"There is no .*/helm\. .*--tags kubernetes_tools"):
        world.release.deployed(world.cluster)


# What is to be deployed, in a run whose earlier tasks have said it, or in check mode announced it


class UnaskedRegistry(Registry):
    """In check mode it still has the image of before."""

    def digest(self, repository: str, tag: str) -> str:
        raise AssertionError(f"the registry was asked for {repository}:{tag}")


def said_before(world: World, digest: str) -> Release:
    given = {"name": "backend", "chart": "/chart", "values": {}, "secret": "backend-secrets", "checksum": "new"}
    return wanted(given, world.cluster, UnaskedRegistry("127.0.0.1:5000"), "todo", {"backend": {"repository": "127.0.0.1:5000/todo/backend", "digest": digest}})


def test_the_image_and_the_checksum_that_earlier_tasks_named_are_deployed(world: World) -> None:
    assert said_before(world, "sha256:new").values == {
        "image": {"repository": "127.0.0.1:5000/todo/backend", "digest": "sha256:new"},
        "secret": {"name": "backend-secrets", "checksum": "new"},
    }
    assert not (world.folder / "calls").exists()


def test_an_image_that_is_still_to_be_built_cannot_be_the_one_of_before(world: World) -> None:
    with pytest.raises(ReleaseError):
        said_before(world, "")
