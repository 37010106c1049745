"""What there may be of a deployment, and the facts by which that is found."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.cluster.profile import Minikube
from ansible_collections.todochat.platform.plugins.module_utils.machine.apt import Apt
from ansible_collections.todochat.platform.plugins.module_utils.machine.baseline import Before
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_objects import Docker
from ansible_collections.todochat.platform.plugins.module_utils.machine.files import take

OURS = "opt/todochat"
ROOT = Path("/")


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
    of_others: bool
    """Whether others run the cluster, of which the application alone can be taken away."""
    cluster: Cluster
    releases: Sequence[str]
    secrets: Sequence[str]
    registry_of_others: str
    """Where Docker is logged in for them, host:port."""
    authority: Path | None
    """By which Docker trusts it."""
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

    def was_here(self) -> bool:
        """Whether this collection has installed anything that is still there."""
        return self.before is not None or (self.root / OURS).exists()


def files(level: str, name: str, path: Path, stays: str = "") -> list[Part]:
    """A file, or a folder with all in it."""
    return [Part(level, name, partial(take, path), stays)] if os.path.lexists(path) else []


def nothing() -> None:
    """Of what stays."""
