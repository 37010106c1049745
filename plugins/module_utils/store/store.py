"""The store: a folder with one sub-folder for each artifact and content key.

A finished sub-folder holds the artifact and a ``record.json`` and is never changed again, so a broken-off download or build leaves nothing
that looks finished. What came of a download lies in a hidden folder beside them until that artifact is finished.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import WORK_SECONDS
from ansible_collections.todochat.platform.plugins.module_utils.base.locks import alone
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Artifact, ArtifactError

LOCK = ".lock"
PARTIAL = ".partial-"
"""What the names of folders with broken-off downloads begin with; the artifact's name follows."""
OURS = re.compile(r"todochat/(?P<name>[a-z0-9-]+):.+-(?P<key>[0-9a-f]{12})")
"""The names that images get which are loaded under none of upstream's."""
BUILT = "built"
"""The origin of what was made here."""


class Store:
    """The folder that holds finished artifacts, shared by all checkouts of one user."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def owner(self) -> tuple[int, int]:
        """User and group that the store, and all that is added to it, belongs to, also where root does the work."""
        status = self.path.stat()
        return status.st_uid, status.st_gid

    def folder(self, artifact: Artifact) -> Path:
        return self.path / artifact.name / artifact.key[:16]

    def file(self, artifact: Artifact) -> Path:
        return self.folder(artifact) / artifact.filename

    def has(self, artifact: Artifact) -> bool:
        return (self.folder(artifact) / "record.json").is_file()

    def record(self, artifact: Artifact) -> dict[str, Any]:
        """What is known of a stored artifact: sha256, size in bytes, origin (a URL, or ``built``), when it was added, the Debian releases it is made of."""
        try:
            record: dict[str, Any] = json.loads((self.folder(artifact) / "record.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ArtifactError(
                f"{artifact.name} {artifact.version} is not in the store {self.path}.",
                "Run `make up ARGS='--tags artifact'` first.",
            ) from None
        return record

    def known(self, reference: str) -> dict[str, Any]:
        """The record of what Docker has under this name (Artifact.reference), of whatever lock file; empty where there is none, or no such name."""
        match = OURS.fullmatch(reference)
        files = sorted(self.path.glob(f"{match['name']}/{match['key']}*/record.json")) if match else []
        record: dict[str, Any] = json.loads(files[0].read_text(encoding="utf-8")) if files else {}
        return record

    @contextmanager
    def adding(self, artifact: Artifact, origin: str) -> Iterator[Path]:
        """Gives a path to write the artifact to; what was written there is in the store when the block ends well.

        The temporary folder lies in the store, so that the last step is a rename on one file system. The result
        belongs to whoever owns the store, also where root did the work.
        """
        folder = self.folder(artifact)
        self.path.mkdir(parents=True, exist_ok=True)
        with self._alone(), tempfile.TemporaryDirectory(prefix=".adding-", dir=self.path) as temporary:
            work = Path(temporary) / "new"
            work.mkdir(mode=0o755)
            file = work / artifact.filename
            try:
                yield file
            finally:
                with suppress(OSError):
                    self._partial(artifact).rmdir()  # with nothing in it
            file.chmod(0o644 if artifact.is_image else 0o755)
            record = {
                "name": artifact.name,
                "version": artifact.version,
                "origin": origin,
                "sha256": sha256_of(file),
                "size": file.stat().st_size,
                "added": datetime.datetime.now(tz=datetime.UTC).isoformat(timespec="seconds"),
            }
            if origin == BUILT and artifact.suites:
                record["debian"] = artifact.suites
            (work / "record.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
            folder.parent.mkdir(exist_ok=True)
            for path in (folder.parent, work, *work.iterdir()):
                os.chown(path, *self.owner)
            shutil.rmtree(folder, ignore_errors=True)  # an unfinished one; a finished one is never added again
            work.rename(folder)
            shutil.rmtree(self._partial(artifact), ignore_errors=True)

    def partial(self, artifact: Artifact) -> Path:
        """A folder for what comes of its download, which outlives a cut, and is gone once the artifact is added."""
        folder = self._partial(artifact)
        folder.mkdir(mode=0o755, exist_ok=True)
        os.chown(folder, *self.owner)
        return folder

    def _partial(self, artifact: Artifact) -> Path:
        return self.path / f"{PARTIAL}{artifact.name}"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One addition at a time: a second run waits, and what a killed one left behind can be removed."""
        with alone(self.path / LOCK, WORK_SECONDS, f"another run that adds to {self.path}", self.owner):
            remove_leftovers(self.path, ".adding-*")
            yield

    def verified(self, artifact: Artifact) -> Path:
        """The artifact's file, after its content was compared with the record. A damaged file is never used."""
        record = self.record(artifact)
        file = self.file(artifact)
        actual = sha256_of(file) if file.is_file() else "no file"
        if actual != record["sha256"]:
            raise ArtifactError(
                f"{file} is damaged and was not used: expected SHA-256 {record['sha256']}, found {actual}.",
                f"Remove {self.folder(artifact)} and run the same command again, which makes it anew.",
            )
        return file


def remove_leftovers(folder: Path, pattern: str) -> None:
    """Removes temporary folders of a killed run, but never one with something mounted below it."""
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()]
    for left in folder.glob(pattern):
        if not any(point == str(left) or point.startswith(f"{left}/") for point in mounted):
            shutil.rmtree(left, ignore_errors=True)  # what root left only root can remove


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in lower-case hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
