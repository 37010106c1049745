"""What of a deployment is in this machine's Docker: the node, the containers beside it, the network, the volumes and the images."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import LABEL, NODE_LABEL
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_objects import Object, repository
from ansible_collections.todochat.platform.plugins.module_utils.machine.files import take
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.whole.removal_parts import Deployment, Part, files, nothing


@dataclass(frozen=True)
class InDocker:
    """Its own by their labels; what has one of its names without them is somebody else's."""

    of: Deployment

    def node(self) -> list[Part]:
        if nodes := self.of.minikube.nodes():
            mine = frozenset(key for key, found in self.of.docker.objects.items() if found.labels.get(NODE_LABEL) in nodes)
            parts = [Part("cluster", f"cluster {self.of.name}", self._delete_cluster, objects=mine)]
        else:
            parts = [self._foreign("cluster", "container", self.of.name)] if ("container", self.of.name) in self.of.docker.objects else []
        return parts + files("cluster", str(self.of.cluster.kubeconfig), Path(self.of.cluster.kubeconfig))

    def _delete_cluster(self) -> None:
        """By minikube; where that cannot run any more, what it would remove."""
        with suppress(KeyError):  # the user who ran it is gone
            if self.of.docker.answers and self.of.minikube.executable.exists():
                return self.of.minikube.delete()
        nodes = self.of.minikube.nodes()
        for kind in ("container", "volume"):
            for found in list(self.of.docker.objects.values()):
                if found.kind == kind and found.labels.get(NODE_LABEL) in nodes:
                    self.of.docker.remove(kind, found.name)
        for folder in (*(f"machines/{node}" for node in nodes), f"profiles/{self.of.name}"):
            take(self.of.minikube.home / folder)
        return None

    def container(self, name: str, *of_levels: str) -> list[Part]:
        """A container that goes with any of the levels."""
        found = self.of.docker.objects.get(("container", name))
        if found is None:
            return []
        if found.labels.get(LABEL) != self.of.name:
            return [self._foreign("/".join(of_levels), "container", name)]
        return [Part("/".join(of_levels), f"container {name}", partial(self.of.docker.remove, "container", name), objects=frozenset({found.key}))]

    def network(self) -> list[Part]:
        found = self.of.docker.objects.get(("network", self.of.name))
        if found is None:
            return []
        if found.labels.get(LABEL) != self.of.name:
            return [self._foreign("cluster", "network", self.of.name)]
        stays = self._used_by_others(found)
        return [Part("cluster", f"network {self.of.name}", partial(self.of.docker.remove, "network", self.of.name), stays, frozenset({found.key}))]

    def volume(self, name: str, holds: str, level: str) -> list[Part]:
        found = self.of.docker.objects.get(("volume", name))
        if found is None:
            return []
        # an older deployment's volume has no label, but a container that has one
        users = [self.of.docker.objects["container", user] for user in found.users]
        if found.labels.get(LABEL) != self.of.name and not any(user.labels.get(LABEL) == self.of.name for user in users):
            return [self._foreign(level, "volume", name)]
        remove = partial(self.of.docker.remove, "volume", name)
        return [Part(level, f"volume {name} ({holds})", remove, self._used_by_others(found), frozenset({found.key}))]

    def _foreign(self, level: str, kind: str, name: str) -> Part:
        why = f"nothing says that this deployment made it; where it is yours, `docker {kind} rm {name}` removes it"
        return Part(level, f"{kind} {name}", nothing, why)

    def _used_by_others(self, found: Object) -> str:
        users = [self.of.docker.objects["container", user] for user in found.users]
        nodes = self.of.minikube.nodes()
        others = [user.name for user in users if user.labels.get(LABEL) != self.of.name and user.labels.get(NODE_LABEL) not in nodes]
        return f"the container {others[0]} uses it" if others else ""

    def images(self, gone: Collection[tuple[str, str]], shared: str) -> Iterator[Part]:
        """Those that were built for the deployment, and those loaded from the store, whatever their version."""
        loaded = [f"todochat/{artifact.name}" for artifact in Lock(self.of.lock).artifacts.values() if artifact.is_image and not artifact.image]
        for found in self.of.docker.objects.values():
            of = repository(found.name)
            if found.kind == "image" and of in (*self.of.repositories, *loaded):
                others = [user for user in found.users if ("container", user) not in gone]
                stays = f"the container {others[0]} uses it" if others else shared if of in loaded else ""
                yield Part("installed", f"image {found.name}", partial(self.of.docker.remove, "image", found.name), stays, frozenset({found.key}))
