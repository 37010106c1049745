"""What of a deployment is in its cluster: the releases, the Secret and the namespace."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.certain import certain
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.whole.removal_parts import Deployment, Part, nothing

NAMESPACE_LABEL = ("app.kubernetes.io/part-of", "todochat")
NAMESPACED = "deployments,statefulsets,daemonsets,jobs,cronjobs,pods,services,ingresses,configmaps,secrets,persistentvolumeclaims"


@dataclass(frozen=True)
class Application:
    """As the cluster says."""

    of: Deployment

    @contextmanager
    def awake(self) -> Iterator[None]:
        """The cluster runs, so that it can be asked for the application, and is stopped again where it was."""
        sleeping = self._sleeps()
        if sleeping:
            self.of.minikube.start(certain(self.of.minikube.status().actual), Lock(self.of.lock)["kicbase"].reference)
        try:
            yield
        finally:
            if sleeping:
                self.of.minikube.stop()

    @property
    def _reached(self) -> Cluster:
        """The cluster by minikube's own kubeconfig: a stop empties it, and the caller's copy is put right by role minikube alone."""
        return self.of.cluster if self.of.of_others else replace(self.of.cluster, kubeconfig=str(self.of.minikube.kubeconfig))

    def _sleeps(self) -> bool:
        return not self.of.of_others and self.of.minikube.is_finished() and self.of.minikube.status().state == "stopped"

    def parts(self) -> list[Part]:
        """Releases, Secret and namespace, as the cluster says; only named where it has to be started for that."""
        if self._sleeps():
            return [Part("application", f"the application in the cluster {self.of.name}, which is started for that and stopped again", nothing)]
        if not self.of.of_others and not self.of.minikube.is_finished():
            return []
        asked = self._reached.run("kubectl", "get", "namespace", self.of.cluster.namespace, "--ignore-not-found", "--output=json", check=not self.of.of_others)
        namespace = json.loads(asked.stdout or "{}")
        # An account of others' cluster may see what is in the namespace, and not the namespace itself.
        if not namespace and asked.returncode == 0:
            return []
        listed = [entry["name"] for entry in json.loads(self._reached.run("helm", "list", "--all", "--output=json").stdout or "[]")]
        parts = [Part("application", f"release {name}", partial(self._helm_uninstall, name)) for name in self.of.releases if name in listed]
        secrets = {item["metadata"]["name"] for item in self._reached.json("secrets")["items"]} & {*self.of.secrets}
        parts += [Part("application", f"Secret {name}", partial(self._kubectl_delete, "secret", name)) for name in sorted(secrets)]
        stays = ""
        if self.of.of_others:
            stays = "others run the cluster: whoever may deletes it with kubectl"
        elif namespace.get("metadata", {}).get("labels", {}).get(NAMESPACE_LABEL[0]) != NAMESPACE_LABEL[1]:
            stays = "this deployment did not make it"
        elif others := of_others(self._reached.json(NAMESPACED)["items"], self.of.releases, self.of.secrets):
            stays = f"it also holds {', '.join(others)}"
        delete = partial(self._kubectl_delete, "namespace", self.of.cluster.namespace)
        return [*parts, Part("application", f"namespace {self.of.cluster.namespace}", delete, stays)]

    def _helm_uninstall(self, release: str) -> None:
        waiting_for(f"helm uninstall {release}")
        self._reached.run("helm", "uninstall", release)

    def _kubectl_delete(self, kind: str, name: str) -> None:
        waiting_for(f"deleting the {kind} {name}")
        self._reached.run("kubectl", "delete", kind, name)


def of_others(items: Iterable[Mapping[str, Any]], releases: Collection[str], secrets: Collection[str]) -> list[str]:
    """What in our namespace belongs neither to the releases, nor to Kubernetes itself, nor is one of the Secrets."""
    found = []
    for item in items:
        kind, metadata = item["kind"], item["metadata"]
        ours = metadata.get("annotations", {}).get("meta.helm.sh/release-name") in releases
        ours |= item.get("type") == "helm.sh/release.v1" and metadata.get("labels", {}).get("name") in releases
        ours |= (kind, metadata["name"]) in (*(("Secret", name) for name in secrets), ("ConfigMap", "kube-root-ca.crt"))
        if not ours and not metadata.get("ownerReferences"):
            found.append(f"{kind} {metadata['name']}")
    return found
