"""What this collection put on the machine: programs, the store, users, groups, packages, and the record of what was there before."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

from ansible_collections.todochat.platform.plugins.module_utils.base import bundle
from ansible_collections.todochat.platform.plugins.module_utils.base.certain import certain
from ansible_collections.todochat.platform.plugins.module_utils.base.commands import WORK_SECONDS, must, run
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.machine import baseline, docker_engine, host
from ansible_collections.todochat.platform.plugins.module_utils.machine.accounts import group_exists, group_members, user_exists
from ansible_collections.todochat.platform.plugins.module_utils.machine.files import empty, remove_empty, take
from ansible_collections.todochat.platform.plugins.module_utils.store.store import PARTIAL
from ansible_collections.todochat.platform.plugins.module_utils.whole.removal_parts import OURS, Deployment, Part, files, nothing

LINKS = "usr/local/bin"
APT_FILES = ("etc/apt/preferences.d/todochat-docker.pref", "etc/apt/sources.list.d/todochat-docker.sources")
# Of a bundle, apt's part; what was taken of it besides lies beside the folder of builds.
BUNDLE = tuple(path.removeprefix("/") for path in (bundle.APT_SOURCES, bundle.APT_FOLDER))
DOCKER_DATA = ("var/lib/docker", "var/lib/containerd")
# Of the Docker that goes: what its packages leave behind, nothing that a person writes.
DOCKER_LEFT = ("root/.docker/buildx", "var/log/docker.log", "run/docker-ssd.pid")
DOCKER_EMPTY = ("root/.docker", "opt/containerd/bin", "opt/containerd/lib", "opt/containerd", "etc/docker", "etc/containerd", "etc/cni/net.d", "etc/cni")
ENGINE = {"docker.io", "containerd"}
DAEMONS = ("docker.socket", "docker.service", "containerd.service")
UNKNOWN = "what was on this machine before is not recorded (an older version made this deployment)"


@dataclass(frozen=True)
class OnTheMachine:
    """Packages, users and groups only by the record; what another deployment uses stays, and ``shared`` says so."""

    of: Deployment

    def parts(self, gone: Collection[tuple[str, str]], shared: str) -> list[Part]:
        """All of it, where ``gone`` is gone from Docker before."""
        found = [*self._programs(shared), *self._home(), *self._store(shared)]
        taken = self.of.build_cache.parent / bundle.TAKEN
        for path in (self.of.build_cache, taken, *(self.of.root / name for name in BUNDLE)):
            found += files("installed", str(path), path, shared)
        of_the_record: list[Part] = []
        if self.of.was_here():
            of_the_record += [*self._user(shared), *self._membership(shared), *self._packages(gone, shared)]
        return [*found, *of_the_record, *self._record([part.stays for part in of_the_record if part.stays])]

    def _programs(self, shared: str) -> list[Part]:
        folder = self.of.root / OURS
        links = [link for link in sorted((self.of.root / LINKS).glob("*")) if link.is_symlink() and os.readlink(link).startswith(f"{folder}/")]
        parts = [part for link in links for part in files("installed", str(link), link, shared)]
        return parts + files("installed", str(folder), folder, shared)

    def _home(self) -> list[Part]:
        home = self.of.minikube.home
        others = [config.parent.name for config in home.glob("profiles/*/config.json") if config.parent.name != self.of.name]
        return files("installed", f"{home}", home, f"it also holds the profile {others[0]}" if others else "")

    def _store(self, shared: str) -> list[Part]:
        """Of the store only what is an artifact: whoever named the folder may have more in it."""
        artifacts = [file.parent for file in self.of.store.glob("*/*/record.json")]
        unfinished = [*self.of.store.glob(".adding-*"), *self.of.store.glob(f"{PARTIAL}*")]
        if not artifacts and not unfinished:
            return []
        if self.of.store.is_mount():
            return [Part("installed", f"store {self.of.store}", nothing, "it is mounted from elsewhere")]

        def remove() -> None:
            waiting_for(f"removing {self.of.store}")
            for artifact in artifacts:
                take(artifact)
                remove_empty(artifact.parent)
            for folder in unfinished:
                take(folder)

        return [Part("installed", f"store {self.of.store}", remove, shared)]

    def _user(self, shared: str) -> list[Part]:
        """The user that was made to run minikube where root calls."""
        name = self.of.minikube.user
        if name == self.of.caller or not user_exists(name):
            return []
        if self.of.before is None:
            return [Part("installed", f"user {name}", nothing, UNKNOWN)]
        if name in self.of.before.users:
            return []
        return [Part("installed", f"user {name} and its home", partial(must, "userdel", "--remove", name), shared)]

    def _membership(self, shared: str) -> list[Part]:
        name = self.of.minikube.user
        if name not in group_members("docker"):
            return []
        if self.of.before is None:
            return [Part("installed", f"{name} in the group docker", nothing, UNKNOWN)]
        if name in self.of.before.groups.get("docker", ()) or name not in self.of.before.users:
            return []
        return [Part("installed", f"{name} in the group docker", partial(must, "gpasswd", "--delete", name, "docker"), shared)]

    def _packages(self, gone: Collection[tuple[str, str]], shared: str) -> list[Part]:
        """What apt installed for this collection, Docker and its files only where that Docker is empty."""
        now = set(self.of.apt.installed())
        asked = [name for name in self.of.packages if name in now]
        if self.of.before is None:
            return [Part("installed", f"packages {', '.join(asked)}", nothing, UNKNOWN)] if asked else []
        new = now - set(self.of.before.packages)
        ours = [name for name in asked if name in new]
        docker = [name for name in ours if name in docker_engine.PACKAGES]
        if shared:
            return [Part("installed", f"packages {', '.join(ours)}", nothing, shared)] if ours else []
        parts = []
        if why := self._docker_stays(gone, new, docker):
            ours = [name for name in ours if name not in docker]
            parts.append(Part("installed", f"Docker ({', '.join(docker)})", nothing, why))
        going = self.of.apt.going(ours, new)
        if going:
            along = len(going) - len([name for name in going if name in ours])
            name = f"packages {', '.join(name for name in ours if name in going)}" + (f" and {along} that they brought along" if along else "")
            more = self.of.apt.takes_along(going)
            stays = f"{more[0]} would go with them" if more else ""
            parts.append(Part("installed", name, partial(self._purge, going), stays))
        if not [name for name in docker_engine.PACKAGES if name in now and name not in going]:
            parts += self._of_docker()
        return parts

    def _docker_stays(self, gone: Collection[tuple[str, str]], new: Collection[str], docker: Sequence[str]) -> str:
        """Why those of Docker's packages that this collection installed stay; empty where they may go."""
        if not ENGINE & set(docker):
            return ""
        if "docker.io" in docker and not self.of.docker.answers:
            return "it does not answer, so nobody knows what it holds; start it, then run the same command again"
        left = [f"{kind} {name}" for kind, name in self.of.docker.objects if (kind, name) not in gone]
        left += [f"containerd namespace {name}" for name in self.of.docker.foreign_namespaces()]
        if left:
            return f"it holds {', '.join(left[:3])}" + (f" and {len(left) - 3} more" if len(left) > 3 else "")
        going = self.of.apt.going(docker, new)
        needed = [name for name in docker if name not in going]
        return f"another package needs {needed[0]}" if needed else ""

    def _of_docker(self) -> list[Part]:
        """What is left of a Docker whose packages are gone by then."""
        before = certain(self.of.before)
        paths = [self.of.root / name for name in APT_FILES]
        parts = [part for path in paths for part in files("installed", str(path), path)]
        if group_exists("docker") and "docker" not in before.groups:
            others = [name for name in group_members("docker") if name != self.of.minikube.user]
            parts.append(Part("installed", "group docker", partial(must, "groupdel", "docker"), f"{others[0]} is in it" if others else ""))
        return parts

    def _purge(self, packages: Sequence[str]) -> None:
        with_docker = bool(ENGINE & set(packages))
        if with_docker:
            # Before its packages: broken off in between, an empty Docker is left, which the next run takes away.
            self._stop_docker()
            for name in DOCKER_DATA:
                empty(self.of.root / name)
        self.of.apt.purge(packages)
        if with_docker:
            for name in (*DOCKER_DATA, *DOCKER_LEFT):
                take(self.of.root / name)
            remove_empty(*(self.of.root / name for name in DOCKER_EMPTY))

    def _stop_docker(self) -> None:
        waiting_for("stopping Docker")
        if host.init_system(self.of.root) == "systemd":
            for daemon in DAEMONS:
                if run("systemctl", "is-active", "--quiet", daemon).returncode == 0:
                    must("systemctl", "stop", daemon, seconds=WORK_SECONDS)
        else:
            must("start-stop-daemon", "--stop", "--oknodo", "--retry=60", "--pidfile=/run/docker-ssd.pid", "--name=dockerd", seconds=WORK_SECONDS)

    def _record(self, waiting: Sequence[str]) -> list[Part]:
        """Kept for as long as something is to be compared with it."""
        folder = self.of.root / str(baseline.RECORD.parent).lstrip("/")
        return [] if waiting else files("installed", str(folder), folder)
