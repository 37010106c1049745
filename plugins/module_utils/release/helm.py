"""Helm releases as desired state: rendered, compared with what is deployed and live, and rolled out under watch."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster

# by libyaml, where PyYAML was built with it: ten times as fast
LOADER, DUMPER = getattr(yaml, "CSafeLoader", yaml.SafeLoader), getattr(yaml, "CSafeDumper", yaml.SafeDumper)
KEPT_REVISIONS = 10
BROKEN_OFF = ("pending-install", "pending-upgrade", "pending-rollback", "unknown")
"""Of a revision that Helm began and did not end."""
LEAVING = "uninstalling"
LEAVING_SECONDS = 120
HOOK = "helm.sh/hook"
NUMBER = "todochat.platform/revision"
"""The label of Helm's revisions that holds the deployment's, which module_utils/release/revisions.py is about."""


class ReleaseError(UserError):
    """A release cannot be rolled out."""


@dataclass(frozen=True)
class Release:
    """A release as it should be. ``values`` hold no secret."""

    name: str
    chart: Path
    values: Mapping[str, Any]

    def rendered(self, cluster: Cluster) -> str:
        """What Helm would deploy, hooks included."""
        arguments = ("helm", "template", self.name, str(self.chart), "--values=-")
        return cluster.run(*arguments, f"--kube-version={cluster.version}", stdin=json.dumps(self.values)).stdout

    def deployed(self, cluster: Cluster) -> tuple[str, int]:
        """Status and revision of the newest revision; ("absent", 0) where there is none."""
        found = json.loads(cluster.run("helm", "list", "--all", "--output=json", f"--filter=^{self.name}$").stdout or "[]")
        if not found:  # `helm list` passes over a release whose status is unknown
            found = json.loads(cluster.run("helm", "history", self.name, "--max=1", "--output=json", check=False).stdout or "[]")
        return (found[0]["status"], int(found[0]["revision"])) if found else ("absent", 0)

    def workloads(self, cluster: Cluster) -> list[dict[str, Any]]:
        """Its Deployments as they are."""
        found: list[dict[str, Any]] = cluster.json("deployments", f"--selector=app.kubernetes.io/instance={self.name}")["items"]
        return found

    def live(self, cluster: Cluster, manifest: str) -> list[dict[str, Any]]:
        """What there is of the kinds that a manifest names; each object carries the release's label."""
        kinds = ",".join(sorted({document["kind"] for document in lasting(manifest)}))
        found: list[dict[str, Any]] = cluster.json(kinds, f"--selector=app.kubernetes.io/instance={self.name}")["items"]
        return found

    def upgrade(self, cluster: Cluster, number: int) -> None:
        """Installs or upgrades; what an interrupted helm has left is removed, or brought to its end, first, or helm would refuse.

        ``number`` is the deployment's revision that it is a part of.
        """
        status, revision = self.deployed(cluster)
        if status in BROKEN_OFF:
            cluster.run("kubectl", "delete", "secret", f"sh.helm.release.v1.{self.name}.v{revision}")
        elif status == LEAVING:
            waiting_for(f"helm uninstall {self.name}, which was broken off")
            cluster.run("helm", "uninstall", self.name, "--wait", f"--timeout={LEAVING_SECONDS}s")
        waiting_for(f"helm upgrade --install {self.name}")
        arguments = ("helm", "upgrade", "--install", self.name, str(self.chart), f"--history-max={KEPT_REVISIONS}")
        cluster.run(*arguments, f"--labels={NUMBER}={number}", "--values=-", stdin=json.dumps(self.values))
        self._begin_with_the_least(cluster)

    def roll_back(self, cluster: Cluster, version: int) -> None:
        """Goes back to a Helm revision, as it was stored. Raises UserError."""
        cluster.wait_for_its_own()
        waiting_for(f"helm rollback {self.name} {version}")
        cluster.run("helm", "rollback", self.name, str(version), f"--history-max={KEPT_REVISIONS}")
        self._begin_with_the_least(cluster)

    def _begin_with_the_least(self, cluster: Cluster) -> None:
        """Scales what an autoscaler is for up to its least number: Kubernetes begins with one pod, and the autoscaler looks at none that were scaled to 0."""
        found = cluster.json("deployments,horizontalpodautoscalers", f"--selector=app.kubernetes.io/instance={self.name}")["items"]
        replicas = {item["metadata"]["name"]: item["spec"]["replicas"] for item in found if item["kind"] == "Deployment"}
        for name, least in least_replicas(found).items():
            if replicas.get(name, least) < least:
                cluster.run("kubectl", "scale", f"deployment/{name}", f"--replicas={least}")


def owner(item: Mapping[str, Any]) -> str:
    """The UID of what manages an object, or the empty string."""
    references = item["metadata"].get("ownerReferences", [])
    return str(references[0]["uid"]) if references else ""


def objects(manifest: str) -> dict[str, str]:
    """The objects of a manifest by kind and name, each in one canonical spelling."""
    return {
        f"{document['kind']}/{document['metadata']['name']}": yaml.dump(document, Dumper=DUMPER, sort_keys=True)
        for document in documents(manifest)
    }


def documents(manifest: str) -> list[dict[str, Any]]:
    """All objects of a manifest."""
    return [document for document in yaml.load_all(manifest, Loader=LOADER) if document]


def difference(before: str, after: str) -> str:
    """A unified diff of two manifests, object by object; empty where they say the same."""
    old, new = objects(before), objects(after)
    lines: list[str] = []
    for name in sorted(old | new):
        lines += difflib.unified_diff(
            old.get(name, "").splitlines(), new.get(name, "").splitlines(), f"{name} (deployed)", f"{name} (wanted)", lineterm="", n=2
        )
    return "\n".join(lines)


def images(deployment: Mapping[str, Any]) -> dict[str, str]:
    """The image of each container of a Deployment, init containers included."""
    spec = deployment["spec"]["template"]["spec"]
    return {container["name"]: container["image"] for container in (*spec.get("initContainers", []), *spec["containers"])}


def least_replicas(items: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The least number of pods of each Deployment that has an autoscaler."""
    scalers = (item["spec"] for item in items if item["kind"] == "HorizontalPodAutoscaler")
    return {spec["scaleTargetRef"]["name"]: spec.get("minReplicas", 1) for spec in scalers}


def live_drift(live: Iterable[Mapping[str, Any]], manifest: str) -> list[str]:
    """Objects of a manifest that are missing, and Deployments whose images or replicas were changed by hand, a sentence each.

    Where an autoscaler sets the replicas, any number from its least one on is as wanted; a hook's objects come and go.
    """
    found = {(item["kind"], item["metadata"]["name"]): item for item in live}
    documents = lasting(manifest)
    least = least_replicas(documents)
    problems = []
    for document in documents:
        kind, name = document["kind"], document["metadata"]["name"]
        if (kind, name) not in found:
            problems.append(f"{kind} {name} is missing")
        elif kind == "Deployment":
            actual = found[kind, name]
            if images(document) != images(actual):
                problems.append(f"Deployment {name} runs {images(actual)}, not {images(document)}")
            replicas = actual["spec"].get("replicas", 1)
            if replicas != document["spec"].get("replicas", replicas):
                problems.append(f"Deployment {name} has {replicas} replicas, not {document['spec']['replicas']}")
            elif replicas < least.get(name, 0):
                problems.append(f"Deployment {name} has {replicas} replicas, and {least[name]} are the least")
    return problems


def lasting(manifest: str) -> list[dict[str, Any]]:
    """The objects of a manifest that are there for as long as the release is."""
    return [document for document in documents(manifest) if HOOK not in (document["metadata"].get("annotations") or {})]
