"""What a Docker engine holds, whose it is, and taking it away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import WORK_SECONDS, must
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.machine import docker_engine

# Of containerd: where Docker keeps containers and images, and BuildKit the history of builds.
DOCKERS_NAMESPACES = ("moby", "moby_history")


@dataclass(frozen=True)
class Object:
    """Something in Docker. ``users`` are the containers that use it."""

    kind: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    users: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.name


def image_names(image: Mapping[str, Any]) -> list[str]:
    """What an image of /images/json has to be rid of before it is gone: its tags, then the digests by which it was pulled.

    Those the classic store lists apart, also where the last tag of their repository takes them along; containerd's has them among the tags, which they
    would take along in turn.
    """
    tags = [name for name in image.get("RepoTags") or [] if not name.startswith("<none>")]
    tagged = {name.rpartition(":")[0] for name in tags}
    digests = [name for name in image.get("RepoDigests") or [] if repository(name) not in {*tagged, "<none>"}]
    return sorted(dict.fromkeys([*tags, *digests]), key=lambda name: "@" in name)


def repository(name: str) -> str:
    """Of an image's name, what stands before its tag or digest."""
    return name.partition("@")[0] if "@" in name else name.rpartition(":")[0]


class Docker:
    """All that is in the engine, asked once."""

    def __init__(self) -> None:
        self.answers = bool(docker_engine.answering_version())
        self.sleeps = not self.answers and bool(docker_engine.installed_version())

    @cached_property
    def objects(self) -> dict[tuple[str, str], Object]:
        """Containers, networks, volumes and images, without what every engine has."""
        return {found.key: found for found in self._listed()} if self.answers else {}

    def _listed(self) -> Iterator[Object]:
        containers: list[dict[str, Any]] = docker_engine.ask("/containers/json?all=1") or []
        names = [container["Names"][0].lstrip("/") for container in containers]
        yield from (Object("container", name, container["Labels"] or {}) for name, container in zip(names, containers, strict=True))
        for network in docker_engine.ask("/networks") or []:
            if network["Name"] not in ("bridge", "host", "none"):
                attached = (name for name, one in zip(names, containers, strict=True) if network["Name"] in one["NetworkSettings"]["Networks"])
                yield Object("network", network["Name"], network["Labels"] or {}, tuple(attached))
        for volume in (docker_engine.ask("/volumes") or {}).get("Volumes") or []:
            mounted = (name for name, one in zip(names, containers, strict=True) if volume["Name"] in [mount.get("Name") for mount in one["Mounts"]])
            yield Object("volume", volume["Name"], volume["Labels"] or {}, tuple(mounted))
        for image in docker_engine.ask("/images/json") or []:
            used = tuple(name for name, one in zip(names, containers, strict=True) if one["ImageID"] == image["Id"])
            yield from (Object("image", name, users=used) for name in image_names(image) or [image["Id"]])

    def remove(self, kind: str, name: str) -> None:
        """Removes one; a container is let end first, and takes its unnamed volumes along."""
        waiting_for(f"removing the {kind} {name}")
        if kind == "container":
            self._run("stop", name)
            self._run("rm", "--force", "--volumes", name)
        else:
            self._run(kind, "rm", name)

    def _run(self, *arguments: str) -> None:
        must("docker", *arguments, seconds=WORK_SECONDS, variables=docker_engine.VARIABLES)

    def foreign_namespaces(self) -> list[str]:
        """Namespaces of containerd that Docker does not use; somebody else keeps containers or images there."""
        with suppress(UserError):
            return [name for name in must("ctr", "namespaces", "list", "--quiet").split() if name not in DOCKERS_NAMESPACES]
        return []
