"""Downloads artifacts from upstream or from a mirror that keeps upstream's paths."""

from __future__ import annotations

import shutil
import socket
import tarfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.artifacts import (
    Artifact,
    ArtifactError,
    Store,
    sha256_of,
)

PROBE_SECONDS = 5
STALL_SECONDS = 60


class Source:
    """Where files are downloaded from: upstream itself, or a base URL or folder with upstream's paths below it."""

    def __init__(self, architecture: str, mirror: str = "") -> None:
        self.architecture = architecture
        self.mirror = mirror.rstrip("/")
        self._reachable: dict[str, bool] = {}

    def address(self, artifact: Artifact) -> str:
        upstream = artifact.url.format(version=artifact.version, arch=self.architecture)
        if not self.mirror:
            return upstream
        base = self.mirror if "://" in self.mirror else Path(self.mirror).resolve().as_uri()
        return base + urllib.parse.urlsplit(upstream).path

    def offers(self, artifact: Artifact) -> bool:
        """Whether the artifact can be had here: its checksum is recorded and the host answers (asked once a host)."""
        if artifact.is_image or not artifact.recorded(self.architecture):
            return False
        parts = urllib.parse.urlsplit(self.address(artifact))
        if parts.scheme == "file":
            return Path(urllib.request.url2pathname(parts.path)).is_file()
        if parts.netloc not in self._reachable:
            self._reachable[parts.netloc] = answers(self.address(artifact))
        return self._reachable[parts.netloc]

    def fetch(self, artifact: Artifact, store: Store) -> None:
        """Downloads, compares with the recorded checksum, and adds to the store. Raises ArtifactError."""
        address = self.address(artifact)
        expected = artifact.recorded(self.architecture)
        if not expected:
            raise ArtifactError(
                f"{artifact.name} {artifact.version}: the lock file records no checksum for {self.architecture}, so it "
                "is not downloaded. Run `make lock` once online, or use artifact_source=auto, which builds it."
            )
        with store.adding(artifact, origin=address) as target:
            download = target.with_suffix(".download")
            try:
                with urllib.request.urlopen(address, timeout=STALL_SECONDS) as response, download.open("wb") as file:
                    shutil.copyfileobj(response, file, 1 << 20)
            except (OSError, urllib.error.URLError) as error:
                raise ArtifactError(f"{artifact.name}: {address} cannot be downloaded: {error}") from error
            actual = sha256_of(download)
            if actual != expected:
                raise ArtifactError(
                    f"{artifact.name}: {address} is not what the lock file names: expected SHA-256 {expected}, "
                    f"found {actual}. It was not used. A proxy that alters downloads is a common cause."
                )
            if artifact.member:
                member = artifact.member.format(version=artifact.version, arch=self.architecture)
                with tarfile.open(download) as archive, target.open("wb") as file:
                    content = archive.extractfile(member)
                    assert content is not None, f"{address} has no file {member}"
                    shutil.copyfileobj(content, file)
                download.unlink()
            else:
                download.rename(target)


def answers(address: str) -> bool:
    """Whether a HEAD request gets any answer that is not a refusal, within a few seconds."""
    request = urllib.request.Request(address, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=PROBE_SECONDS):
            return True
    except (urllib.error.URLError, socket.timeout, OSError):
        return False
