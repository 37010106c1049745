"""Downloads artifacts from upstream or from a mirror that keeps upstream's paths."""

from __future__ import annotations

import http.client
import shutil
import tarfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.base.certain import certain
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import copy
from ansible_collections.todochat.platform.plugins.module_utils.base.web import outside
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Artifact, ArtifactError
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store, sha256_of
from ansible_collections.todochat.platform.plugins.module_utils.store.upstream_registry import ALTERED, UNREACHABLE, Reference, UpstreamRegistry

PROBE_SECONDS = 5
STALL_SECONDS = 60


class Source:
    """Where files are downloaded from: upstream itself, or a base URL or folder with upstream's paths below it."""

    def __init__(self, architecture: str, mirror: str = "") -> None:
        self.architecture = architecture
        self.mirror = mirror.rstrip("/")
        self.tried: dict[str, str] = {}
        """Why a host that was asked does not answer, by its address; "" where it does."""

    def address(self, artifact: Artifact) -> str:
        """The URL that the artifact is downloaded from."""
        if artifact.is_image:
            return self._registry(artifact).address
        upstream = artifact.url.format(version=artifact.version, arch=self.architecture)
        return self._base + urllib.parse.urlsplit(upstream).path if self.mirror else upstream

    @property
    def _base(self) -> str:
        """The mirror as a URL."""
        return self.mirror if "://" in self.mirror or not self.mirror else Path(self.mirror).resolve().as_uri()

    def _registry(self, artifact: Artifact) -> UpstreamRegistry:
        return UpstreamRegistry(Reference.parse(artifact.upstream_image or artifact.image), self._base)

    def offers(self, artifact: Artifact) -> bool:
        """Whether the artifact can be had here: its checksum is recorded and the host answers (asked once a host)."""
        if not artifact.recorded(self.architecture):
            return False
        address = self.address(artifact)
        parts = urllib.parse.urlsplit(address)
        host = f"{parts.scheme}://{parts.netloc}"
        if host not in self.tried:
            self.tried[host] = probe(address)
        return not self.tried[host]

    def expected(self, artifact: Artifact) -> str:
        """The recorded checksum; without one nothing is downloaded, and ArtifactError says what to do."""
        expected = artifact.recorded(self.architecture)
        if not expected:
            raise ArtifactError(
                f"{artifact.name} {artifact.version}: the lock file records no checksum for {self.architecture}, so it is not downloaded.",
                "Run `make lock` once online, or use artifact_source=auto, which builds it.",
            )
        return expected

    def fetch(self, artifact: Artifact, store: Store) -> None:
        """Downloads, compares with the recorded checksum, and adds to the store. Raises ArtifactError."""
        address, expected = self.address(artifact), self.expected(artifact)
        with store.adding(artifact, origin=address) as target:
            if artifact.is_image:
                self._registry(artifact).download(expected, self.architecture, artifact.reference, target)
            else:
                self._file(artifact, address, expected, target)

    def _file(self, artifact: Artifact, address: str, expected: str, target: Path) -> None:
        download = target.with_suffix(".download")
        try:
            with outside().open(address, timeout=STALL_SECONDS) as response, download.open("wb") as file:
                what = f"downloading {artifact.name} {artifact.version}"
                copy(response, file, what, int(response.headers.get("Content-Length") or 0))
        except (OSError, http.client.HTTPException) as error:
            raise ArtifactError(f"{artifact.name}: {address} cannot be downloaded: {error}", UNREACHABLE) from error
        actual = sha256_of(download)
        if actual != expected:
            raise ArtifactError(
                f"{artifact.name}: {address} is not what the lock file names: expected SHA-256 {expected}, found {actual}; it was not used.",
                ALTERED,
            )
        if not artifact.member:
            download.rename(target)
            return
        member = artifact.member.format(version=artifact.version, arch=self.architecture)
        with tarfile.open(download) as archive, target.open("wb") as file:
            shutil.copyfileobj(certain(archive.extractfile(member)), file)
        download.unlink()


def probe(address: str) -> str:
    """Why the host of an address does not answer within a few seconds; "" where it does, with whatever status."""
    try:
        with outside().open(urllib.request.Request(address, method="HEAD"), timeout=PROBE_SECONDS):
            return ""
    except urllib.error.HTTPError:
        return ""
    except urllib.error.URLError as error:
        return str(error.reason) or type(error.reason).__name__
    except (OSError, http.client.HTTPException, ValueError) as error:
        return str(error) or type(error).__name__
