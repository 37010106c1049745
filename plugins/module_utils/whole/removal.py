"""Taking a deployment away, by levels: what there is of it, whose it is, what goes and what stays.

Everything that could go is a Part. A part that is somebody else's, or that something still needs, says why it stays.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base import environment
from ansible_collections.todochat.platform.plugins.module_utils.base.commands import WORK_SECONDS, must, run
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.cluster.profile import Minikube
from ansible_collections.todochat.platform.plugins.module_utils.machine import baseline, docker_engine, host
from ansible_collections.todochat.platform.plugins.module_utils.machine.accounts import group_exists, group_members, user_exists
from ansible_collections.todochat.platform.plugins.module_utils.machine.apt import Apt
from ansible_collections.todochat.platform.plugins.module_utils.machine.baseline import Before
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import LABEL, NODE_LABEL
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_objects import Docker, Object
from ansible_collections.todochat.platform.plugins.module_utils.machine.files import empty, remove_empty, take
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.store import LOCK

IMPLIED = {"application": set[str](), "data": {"application"}, "cluster": {"application"}, "installed": {"application", "cluster"}}
"""The levels, each with those that it implies."""
NAMESPACE_LABEL = ("app.kubernetes.io/part-of", "todochat")
NAMESPACED = "deployments,statefulsets,daemonsets,jobs,cronjobs,pods,services,ingresses,configmaps,secrets,persistentvolumeclaims"
OURS = "opt/todochat"
LINKS = "usr/local/bin"
APT_FILES = ("etc/apt/preferences.d/todochat-docker.pref", "etc/apt/sources.list.d/todochat-docker.sources")
DOCKER_DATA = ("var/lib/docker", "var/lib/containerd")
# Of the Docker that goes: what its packages leave behind, nothing that a person writes.
DOCKER_LEFT = ("root/.docker/buildx", "var/log/docker.log", "run/docker-ssd.pid")
DOCKER_EMPTY = ("root/.docker", "opt/containerd/bin", "opt/containerd/lib", "opt/containerd", "etc/docker", "etc/containerd", "etc/cni/net.d", "etc/cni")
ENGINE = {"docker.io", "containerd"}
DAEMONS = ("docker.socket", "docker.service", "containerd.service")
ROOT = Path("/")


def levels(named: Iterable[str]) -> set[str]:
    """The levels that were named, with all that they imply."""
    chosen = set(named)
    return chosen.union(*(IMPLIED[level] for level in chosen))


@dataclass(frozen=True)
class Part:
    """Something that goes with any of its levels."""

    level: str
    """One, or several with a slash between them."""
    name: str
    remove: Callable[[], object]
    stays: str = ""
    """Why it stays although its level goes."""
    objects: frozenset[tuple[str, str]] = frozenset()
    """What it is in Docker: kinds and names."""

    @property
    def levels(self) -> set[str]:
        return set(self.level.split("/"))


@dataclass(frozen=True)
class Deployment:
    """Where the parts of a deployment are. ``root`` is a test's own folder, ``/`` otherwise."""

    name: str
    minikube: Minikube
    cluster: Cluster
    releases: Sequence[str]
    secret: str
    registry: str
    """The registry's container and volume; the database's likewise."""
    database: str
    repositories: Sequence[str]
    """Of the images that are built here."""
    lock: Path
    vault: Path
    vault_password: Path
    team_vault: Path
    store: Path
    build_cache: Path
    state: Path
    caller: str
    packages: Sequence[str]
    """Those that this collection asks apt for."""
    docker: Docker
    apt: Apt
    before: Before | None
    root: Path = ROOT

    # The application

    @contextmanager
    def awake(self) -> Iterator[None]:
        """The cluster runs, so that it can be asked for the application, and is stopped again where it was."""
        sleeping = self._sleeps()
        if sleeping:
            found = self.minikube.status()
            assert found.actual is not None
            self.minikube.start(found.actual, Lock(self.lock)["kicbase"].reference)
        try:
            yield
        finally:
            if sleeping:
                self.minikube.stop()

    @property
    def _reached(self) -> Cluster:
        """The cluster by minikube's own kubeconfig: a stop empties it, and the caller's copy is put right by role minikube alone."""
        return replace(self.cluster, kubeconfig=str(self.minikube.kubeconfig))

    def _sleeps(self) -> bool:
        return self.minikube.is_finished() and self.minikube.status().state == "stopped"

    def application(self) -> list[Part]:
        """Releases, Secret and namespace, as the cluster says; only named where it has to be started for that."""
        if self._sleeps():
            return [Part("application", f"the application in the cluster {self.name}, which is started for that and stopped again", nothing)]
        if not self.minikube.is_finished():
            return []
        kubectl = partial(self._reached.run, "kubectl")
        found = json.loads(kubectl("get", "namespace", self.cluster.namespace, "--ignore-not-found", "--output=json").stdout or "{}")
        if not found:
            return []
        listed = [entry["name"] for entry in json.loads(self._reached.run("helm", "list", "--all", "--output=json").stdout or "[]")]
        parts = [Part("application", f"release {name}", partial(self._helm_uninstall, name)) for name in self.releases if name in listed]
        items = self._reached.json(NAMESPACED)["items"]
        if any(item["kind"] == "Secret" and item["metadata"]["name"] == self.secret for item in items):
            parts.append(Part("application", f"Secret {self.secret}", partial(self._kubectl_delete, "secret", self.secret)))
        stays = ""
        if found["metadata"].get("labels", {}).get(NAMESPACE_LABEL[0]) != NAMESPACE_LABEL[1]:
            stays = "this deployment did not make it"
        elif others := of_others(items, self.releases, self.secret):
            stays = f"it also holds {', '.join(others)}"
        delete = partial(self._kubectl_delete, "namespace", self.cluster.namespace)
        return [*parts, Part("application", f"namespace {self.cluster.namespace}", delete, stays)]

    def _helm_uninstall(self, release: str) -> None:
        waiting_for(f"helm uninstall {release}")
        self._reached.run("helm", "uninstall", release)

    def _kubectl_delete(self, kind: str, name: str) -> None:
        waiting_for(f"deleting the {kind} {name}")
        self._reached.run("kubectl", "delete", kind, name)

    # Everything else

    def parts(self) -> list[Part]:
        """All but the application and what was installed, in the order in which it goes."""
        found = []
        if self.docker.sleeps and self._was_here():  # in check mode; else it was started before
            found.append(Part("cluster/data/installed", f"what Docker, which has to be started for that, holds of {self.name}", nothing))
        found += [*self._node(), *self._container(f"{self.registry}-writer", "cluster"), *self._container(self.registry, "cluster")]
        found += self._container(self.database, "data", "cluster")
        found += self._network()
        found += self._volume(self.database, "data", "data")
        found += self._files("data", f"vault {self.vault}", self.vault)
        found += self._files("data", f"vault {self.team_vault}", self.team_vault, "the checkout is yours")
        found += self._volume(self.registry, "images", "installed")
        return found

    def installed(self, leaving: Sequence[Part]) -> list[Part]:
        """What was installed, where ``leaving`` goes before it."""
        gone = {key for part in leaving for key in part.objects}
        others = sorted({found.labels[LABEL] for found in self.docker.objects.values() if LABEL in found.labels} - {self.name})
        shared = f"the deployment {others[0]} uses it" if others else ""
        images = list(self._images(gone, shared))
        gone |= {key for part in images if not part.stays for key in part.objects}
        found = [*images, *self._programs(shared), *self._home(), *self._store(shared)]
        found += self._files("installed", str(self.build_cache), self.build_cache, shared)
        of_the_record: list[Part] = []
        if self._was_here():
            of_the_record += [*self._user(shared), *self._membership(shared), *self._packages(gone, shared)]
        return [*found, *of_the_record, *self._record([part.stays for part in of_the_record if part.stays])]

    def _was_here(self) -> bool:
        """Whether this collection has installed anything that is still there."""
        return self.before is not None or (self.root / OURS).exists()

    def _node(self) -> list[Part]:
        if self.minikube.is_ours():
            mine = frozenset(key for key, found in self.docker.objects.items() if found.labels.get(NODE_LABEL) == self.name)
            parts = [Part("cluster", f"cluster {self.name}", self._delete_cluster, objects=mine)]
        else:
            parts = [self._foreign("cluster", "container", self.name)] if ("container", self.name) in self.docker.objects else []
        return parts + self._files("cluster", str(self.cluster.kubeconfig), Path(self.cluster.kubeconfig))

    def _delete_cluster(self) -> None:
        """By minikube; where that cannot run any more, what it would remove."""
        with suppress(KeyError):  # the user who ran it is gone
            if self.docker.answers and self.minikube.executable.exists():
                return self.minikube.delete()
        for kind in ("container", "volume"):
            for found in list(self.docker.objects.values()):
                if found.kind == kind and found.labels.get(NODE_LABEL) == self.name:
                    self.docker.remove(kind, found.name)
        for folder in ("machines", "profiles"):
            take(self.minikube.home / folder / self.name)
        return None

    def _container(self, name: str, *of_levels: str) -> list[Part]:
        """A container that goes with any of the levels."""
        found = self.docker.objects.get(("container", name))
        if found is None:
            return []
        if found.labels.get(LABEL) != self.name:
            return [self._foreign("/".join(of_levels), "container", name)]
        return [Part("/".join(of_levels), f"container {name}", partial(self.docker.remove, "container", name), objects=frozenset({found.key}))]

    def _network(self) -> list[Part]:
        found = self.docker.objects.get(("network", self.name))
        if found is None:
            return []
        if found.labels.get(LABEL) != self.name:
            return [self._foreign("cluster", "network", self.name)]
        stays = self._used_by_others(found)
        return [Part("cluster", f"network {self.name}", partial(self.docker.remove, "network", self.name), stays, frozenset({found.key}))]

    def _volume(self, name: str, holds: str, level: str) -> list[Part]:
        found = self.docker.objects.get(("volume", name))
        if found is None:
            return []
        # an older deployment's volume has no label, but a container that has one
        users = [self.docker.objects["container", user] for user in found.users]
        if found.labels.get(LABEL) != self.name and not any(user.labels.get(LABEL) == self.name for user in users):
            return [self._foreign(level, "volume", name)]
        remove = partial(self.docker.remove, "volume", name)
        return [Part(level, f"volume {name} ({holds})", remove, self._used_by_others(found), frozenset({found.key}))]

    def _foreign(self, level: str, kind: str, name: str) -> Part:
        why = f"nothing says that this deployment made it; where it is yours, `docker {kind} rm {name}` removes it"
        return Part(level, f"{kind} {name}", nothing, why)

    def _used_by_others(self, found: Object) -> str:
        users = [self.docker.objects["container", user] for user in found.users]
        others = [user.name for user in users if user.labels.get(LABEL) != self.name and user.labels.get(NODE_LABEL) != self.name]
        return f"the container {others[0]} uses it" if others else ""

    def _images(self, gone: Collection[tuple[str, str]], shared: str) -> Iterator[Part]:
        """Those that were built for the deployment, and those loaded from the store, whatever their version."""
        loaded = [f"todochat/{artifact.name}" for artifact in Lock(self.lock).artifacts.values() if artifact.is_image and not artifact.image]
        for found in self.docker.objects.values():
            repository = found.name.rpartition(":")[0]
            if found.kind == "image" and repository in (*self.repositories, *loaded):
                others = [user for user in found.users if ("container", user) not in gone]
                stays = f"the container {others[0]} uses it" if others else shared if repository in loaded else ""
                yield Part("installed", f"image {found.name}", partial(self.docker.remove, "image", found.name), stays, frozenset({found.key}))

    def _programs(self, shared: str) -> list[Part]:
        folder = self.root / OURS
        links = [link for link in sorted((self.root / LINKS).glob("*")) if link.is_symlink() and os.readlink(link).startswith(f"{folder}/")]
        parts = [part for link in links for part in self._files("installed", str(link), link, shared)]
        return parts + self._files("installed", str(folder), folder, shared)

    def _home(self) -> list[Part]:
        home = self.minikube.home
        others = [config.parent.name for config in home.glob("profiles/*/config.json") if config.parent.name != self.name]
        return self._files("installed", f"{home}", home, f"it also holds the profile {others[0]}" if others else "")

    def _store(self, shared: str) -> list[Part]:
        """Of the store only what is an artifact: whoever named the folder may have more in it."""
        artifacts = [file.parent for file in self.store.glob("*/*/record.json")]
        unfinished = [*self.store.glob(".adding-*")]
        if not artifacts and not unfinished:
            return []
        if self.store.is_mount():
            return [Part("installed", f"store {self.store}", nothing, "it is mounted from elsewhere")]

        def remove() -> None:
            waiting_for(f"removing {self.store}")
            for artifact in artifacts:
                take(artifact)
                remove_empty(artifact.parent)
            for folder in unfinished:
                take(folder)

        return [Part("installed", f"store {self.store}", remove, shared)]

    def _user(self, shared: str) -> list[Part]:
        """The user that was made to run minikube where root calls."""
        name = self.minikube.user
        if name == self.caller or not user_exists(name):
            return []
        if self.before is None:
            return [Part("installed", f"user {name}", nothing, UNKNOWN)]
        if name in self.before.users:
            return []
        return [Part("installed", f"user {name} and its home", partial(must, "userdel", "--remove", name), shared)]

    def _membership(self, shared: str) -> list[Part]:
        name = self.minikube.user
        if name not in group_members("docker"):
            return []
        if self.before is None:
            return [Part("installed", f"{name} in the group docker", nothing, UNKNOWN)]
        if name in self.before.groups.get("docker", ()) or name not in self.before.users:
            return []
        return [Part("installed", f"{name} in the group docker", partial(must, "gpasswd", "--delete", name, "docker"), shared)]

    def _packages(self, gone: Collection[tuple[str, str]], shared: str) -> list[Part]:
        """What apt installed for this collection, Docker and its files only where that Docker is empty."""
        now = set(self.apt.installed())
        asked = [name for name in self.packages if name in now]
        if self.before is None:
            return [Part("installed", f"packages {', '.join(asked)}", nothing, UNKNOWN)] if asked else []
        new = now - set(self.before.packages)
        ours = [name for name in asked if name in new]
        docker = [name for name in ours if name in docker_engine.PACKAGES]
        if shared:
            return [Part("installed", f"packages {', '.join(ours)}", nothing, shared)] if ours else []
        parts = []
        if why := self._docker_stays(gone, new, docker):
            ours = [name for name in ours if name not in docker]
            parts.append(Part("installed", f"Docker ({', '.join(docker)})", nothing, why))
        going = self.apt.going(ours, new)
        if going:
            along = len(going) - len([name for name in going if name in ours])
            name = f"packages {', '.join(name for name in ours if name in going)}" + (f" and {along} that they brought along" if along else "")
            more = self.apt.takes_along(going)
            stays = f"{more[0]} would go with them" if more else ""
            parts.append(Part("installed", name, partial(self._purge, going), stays))
        if not [name for name in docker_engine.PACKAGES if name in now and name not in going]:
            parts += self._of_docker()
        return parts

    def _docker_stays(self, gone: Collection[tuple[str, str]], new: Collection[str], docker: Sequence[str]) -> str:
        """Why those of Docker's packages that this collection installed stay; empty where they may go."""
        if not ENGINE & set(docker):
            return ""
        if "docker.io" in docker and not self.docker.answers:
            return "it does not answer, so nobody knows what it holds; start it, then run the same command again"
        left = [f"{kind} {name}" for kind, name in self.docker.objects if (kind, name) not in gone]
        left += [f"containerd namespace {name}" for name in self.docker.foreign_namespaces()]
        if left:
            return f"it holds {', '.join(left[:3])}" + (f" and {len(left) - 3} more" if len(left) > 3 else "")
        going = self.apt.going(docker, new)
        needed = [name for name in docker if name not in going]
        return f"another package needs {needed[0]}" if needed else ""

    def _of_docker(self) -> list[Part]:
        """What is left of a Docker whose packages are gone by then."""
        assert self.before is not None
        files = [self.root / name for name in APT_FILES]
        parts = [part for path in files for part in self._files("installed", str(path), path)]
        if group_exists("docker") and "docker" not in self.before.groups:
            others = [name for name in group_members("docker") if name != self.minikube.user]
            parts.append(Part("installed", "group docker", partial(must, "groupdel", "docker"), f"{others[0]} is in it" if others else ""))
        return parts

    def _purge(self, packages: Sequence[str]) -> None:
        with_docker = bool(ENGINE & set(packages))
        if with_docker:
            # Before its packages: broken off in between, an empty Docker is left, which the next run takes away.
            self._stop_docker()
            for name in DOCKER_DATA:
                empty(self.root / name)
        self.apt.purge(packages)
        if with_docker:
            for name in (*DOCKER_DATA, *DOCKER_LEFT):
                take(self.root / name)
            remove_empty(*(self.root / name for name in DOCKER_EMPTY))

    def _stop_docker(self) -> None:
        waiting_for("stopping Docker")
        if host.init_system(self.root) == "systemd":
            for daemon in DAEMONS:
                if run("systemctl", "is-active", "--quiet", daemon).returncode == 0:
                    must("systemctl", "stop", daemon, seconds=WORK_SECONDS)
        else:
            must("start-stop-daemon", "--stop", "--oknodo", "--retry=60", "--pidfile=/run/docker-ssd.pid", "--name=dockerd", seconds=WORK_SECONDS)

    def _record(self, waiting: Sequence[str]) -> list[Part]:
        """Kept for as long as something is to be compared with it."""
        folder = self.root / str(baseline.RECORD.parent).lstrip("/")
        return [] if waiting else self._files("installed", str(folder), folder)

    def _files(self, level: str, name: str, path: Path, stays: str = "") -> list[Part]:
        """A file, or a folder with all in it."""
        return [Part(level, name, partial(take, path), stays)] if os.path.lexists(path) else []

    def sweep(self, chosen: set[str]) -> None:
        """Removes what every run leaves, this one too: the vault's password where there is no vault, what the view keeps, empty folders."""
        other_vaults = [*self.vault_password.parent.glob("*/vault.yml"), *filter(Path.exists, [self.team_vault])]
        if chosen & {"data", "installed"} and not other_vaults:
            take(self.vault_password)
        if "installed" in chosen:
            for kept in (*self.state.glob("events*.jsonl"), self.state / "history.json"):
                take(kept)
            if not any(self.store.glob("*/*/record.json")):
                take(self.store / LOCK)
            remove_empty(self.store)
        for path in (self.vault, Path(self.cluster.kubeconfig), self.minikube.home, self.store, self.build_cache):
            for folder in path.parents:
                if folder.name not in ("todochat", self.name):
                    break
                if folder == Path(self.cluster.kubeconfig).parent:
                    take_what_is_of_a_run(folder)
                remove_empty(folder)


UNKNOWN = "what was on this machine before is not recorded (an older version made this deployment)"


def leaving(parts: Iterable[Part], chosen: set[str]) -> tuple[list[Part], list[Part]]:
    """The parts that go with the levels, and all others."""
    parts = list(parts)
    going = [part for part in parts if chosen & part.levels and not part.stays]
    return going, [part for part in parts if part not in going]


def of_others(items: Iterable[Mapping[str, Any]], releases: Collection[str], secret: str) -> list[str]:
    """What in our namespace belongs neither to the releases, nor to Kubernetes itself, nor is the Secret."""
    found = []
    for item in items:
        kind, metadata = item["kind"], item["metadata"]
        ours = metadata.get("annotations", {}).get("meta.helm.sh/release-name") in releases
        ours |= item.get("type") == "helm.sh/release.v1" and metadata.get("labels", {}).get("name") in releases
        ours |= (kind, metadata["name"]) in (("Secret", secret), ("ConfigMap", "kube-root-ca.crt"))
        if not ours and not metadata.get("ownerReferences"):
            found.append(f"{kind} {metadata['name']}")
    return found


def take_what_is_of_a_run(folder: Path) -> None:
    """What this run keeps for programs, and its lock where nobody waits for it: with the folder gone nothing is written there again."""
    for kept in environment.past(folder):
        kept.unlink(missing_ok=True)
    there = list(folder.iterdir()) if folder.is_dir() else []
    if [entry.name for entry in there] == ["run.lock"]:
        there[0].unlink(missing_ok=True)


def nothing() -> None:
    """Of what stays."""
