"""The lock file, and the store that holds what it names.

An artifact is one file or one container image, pinned in ``artifacts.lock.yml``. The store is a folder with one
sub-folder for each artifact and content key; a finished sub-folder holds the artifact and a ``record.json`` and is
never changed again, so a broken-off download or build leaves nothing that looks finished.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError

UNRECORDED = "unrecorded"
# Raised when the builders change in a way that makes earlier builds of the same lock entry stale.
RECIPE_FORMAT = 1
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class ArtifactError(UserError):
    """The lock file, the store, a download or a build is not as it has to be."""


@dataclass(frozen=True)
class Artifact:
    """One entry of the lock file.

    ``sha256`` maps an architecture to the upstream checksum; it is empty where none is recorded.
    ``seconds`` is what building it takes on two cores.
    """

    name: str
    version: str
    key: str
    seconds: int
    build: dict[str, Any]
    sha256: dict[str, str] = field(default_factory=dict)
    url: str = ""
    member: str = ""
    image: str = ""
    upstream_image: str = ""
    optional: bool = False
    """Made only where it is asked for by name."""

    @property
    def suites(self) -> tuple[str, ...]:
        """The Debian releases whose packages are in what is built here."""
        return suites(self.build)

    @property
    def is_image(self) -> bool:
        return bool(self.image or self.upstream_image)

    @property
    def reference(self) -> str:
        """The name under which an image is loaded: its upstream name where the cluster expects that, else our own."""
        return self.image or f"todochat/{self.name}:{self.version}-{self.key[:12]}"

    @property
    def filename(self) -> str:
        return f"{self.name}.tar" if self.is_image else self.name

    def recorded(self, architecture: str) -> str:
        """Upstream's SHA-256 for an architecture, or the empty string where the lock has none."""
        return self.sha256.get(architecture, "")


class Lock:
    """The lock file, read and checked. Raises ArtifactError naming the entry that is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.architecture = machine_architecture()
        self.recipes = path.parent / "roles" / "bundle" / "files"
        try:
            document = yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
            entries: dict[str, dict[str, Any]] = document["artifacts"]
            if not all(isinstance(entry, dict) for entry in entries.values()):
                raise TypeError("an artifact is not a mapping")
            self.debian: datetime.date | None = document.get("debian")
        except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
            raise ArtifactError(f"The lock file {path} cannot be read: {error}", "Mend it, or take it from git again.") from error
        self._entries = entries
        self.artifacts = {name: self._parse(name) for name in entries}

    def __getitem__(self, name: str) -> Artifact:
        try:
            return self.artifacts[name]
        except KeyError:
            known = ", ".join(self.artifacts)
            raise ArtifactError(f"The lock file {self.path} has no artifact {name!r}.", f"It has: {known}. Name one of these.") from None

    def _parse(self, name: str) -> Artifact:
        entry = self._entries[name]
        sums = entry.get("sha256")
        if sums == UNRECORDED:
            recorded: dict[str, str] = {}
        elif isinstance(sums, str):
            recorded = {"amd64": sums, "arm64": sums}  # an image's manifest list serves every architecture
        elif isinstance(sums, dict):
            recorded = sums
        else:
            raise ArtifactError(
                f"{self.path}: {name}: sha256 is neither a checksum nor {UNRECORDED!r}.",
                f"Write upstream's checksum for each architecture, or {UNRECORDED}.",
            )
        for value in recorded.values():
            if not isinstance(value, str) or len(value) != 64 or set(value) - set("0123456789abcdef"):
                raise ArtifactError(
                    f"{self.path}: {name}: {value!r} is not a SHA-256 in lower-case hexadecimal.",
                    f"Write the one that upstream publishes, or {UNRECORDED} for the whole entry.",
                )
        missing = {"version", "build", "seconds"} - set(entry)
        if missing:
            raise ArtifactError(f"{self.path}: {name} lacks {', '.join(sorted(missing))}.", "Add them, as the other entries have them.")
        if suites(entry["build"]) and (not isinstance(self.debian, datetime.date) or isinstance(self.debian, datetime.datetime)):
            raise ArtifactError(
                f"{self.path}: {name} is made of Debian's packages, and debian: says no day from which on these are taken, but {self.debian!r}.",
                "Write a day there, like 2026-11-29, or take the file from git again.",
            )
        for used in entry["build"].get("artifacts", {}):
            if used not in self._entries:
                raise ArtifactError(
                    f"{self.path}: {name} is built with {used!r}, which is none of {', '.join(self._entries)}.",
                    "Name one of these, or add an entry of that name.",
                )
        return Artifact(
            name=name,
            version=str(entry["version"]),
            key=self._key(name),
            seconds=int(entry["seconds"]),
            build=entry["build"],
            sha256=recorded,
            optional=bool(entry.get("optional")),
            **{key: entry.get(key, "") for key in ("url", "member", "image", "upstream_image")},
        )

    def _key(self, name: str) -> str:
        """A hash of all that decides what an artifact contains, so that a change of one rebuilds that one alone."""
        entry = self._entries[name]
        digest = hashlib.sha256()
        since = [str(self.debian)] if suites(entry["build"]) else []
        digest.update(json.dumps([RECIPE_FORMAT, self.architecture, entry["version"], entry["build"], *since]).encode())
        for used in sorted(entry["build"].get("artifacts", {})):
            digest.update(self._key(used).encode())
        go = entry["build"].get("go")
        image = entry["build"].get("image", {})
        folders = [self.recipes / "go" / go["module"], self.recipes / "go" / "toolchain.txt"] if go else []
        folders += [self.recipes / "images" / image[part] for part in ("customize", "overlay") if part in image]
        for path in folders:
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if file.is_file():
                    digest.update(str(file.relative_to(self.recipes)).encode() + b"\0" + file.read_bytes())
        return digest.hexdigest()


def suites(build: Mapping[str, Any]) -> tuple[str, ...]:
    image = build.get("image", {})
    return tuple(part["suite"] for part in (image, image.get("newer", {})) if "suite" in part)


def machine_architecture() -> str:
    """This machine's architecture as upstream file names spell it. Raises ArtifactError where nothing is published."""
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise ArtifactError(
            f"This machine is {machine}; artifacts exist for {' and '.join(ARCHITECTURES)}.", "Use a machine that is one of these."
        )
    return ARCHITECTURES[machine]
