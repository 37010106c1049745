"""Downloads artifacts from upstream or from a mirror that keeps upstream's paths."""

from __future__ import annotations

import http.client
import shutil
import tarfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.certain import certain
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.web import outside
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Artifact, ArtifactError
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store
from ansible_collections.todochat.platform.plugins.module_utils.store.transfer import FAILURES, PROBE_SECONDS, REFUSED, Client, Download
from ansible_collections.todochat.platform.plugins.module_utils.store.upstream_registry import Reference, UpstreamRegistry


class Source:
    """Where files and images are downloaded from: upstream itself, or a base URL or folder with upstream's paths below it."""

    def __init__(self, architecture: str, mirror: str = "", authority: str = "", login: str = "") -> None:
        self.architecture = architecture
        self.client = Client(mirror, authority, login)
        self.tried: dict[str, str] = {}
        """Why a host that was asked does not answer, by its address; "" where it does."""

    def address(self, artifact: Artifact) -> str:
        """The URL that the artifact is downloaded from."""
        if artifact.is_image:
            return self._registry(artifact).address
        upstream = self._upstream(artifact)
        return self.client.base + urllib.parse.urlsplit(upstream).path if self.client.mirror else upstream

    def _upstream(self, artifact: Artifact) -> str:
        """What names it upstream."""
        return artifact.upstream_image or artifact.image or artifact.url.format(version=artifact.version, arch=self.architecture)

    def _registry(self, artifact: Artifact) -> UpstreamRegistry:
        return UpstreamRegistry(Reference.parse(self._upstream(artifact)), self.client)

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

    def problems(self, artifacts: Iterable[Artifact]) -> list[UserError]:
        """Why a mirror does not give these, each reason once. All are asked for at the same time, and nothing is downloaded."""
        with ThreadPoolExecutor(max_workers=8) as pool:
            found = [error for error in pool.map(self._problem, artifacts) if error]
        return list({str(error): error for error in found}.values())

    def _problem(self, artifact: Artifact) -> UserError | None:
        try:
            if artifact.is_image:
                self._registry(artifact).look(self.expected(artifact))
            else:
                with self.client.open(self.address(artifact), self.client.by_login, method="HEAD", seconds=PROBE_SECONDS):
                    pass
        except (ArtifactError, *FAILURES) as error:
            # of all else nobody knows yet whether it stands in the way; some do not take such questions
            is_told = not isinstance(error, urllib.error.HTTPError) or error.code in REFUSED
            return self.client.problem(self.address(artifact), error, self._upstream(artifact)) if is_told else None
        return None

    def fetch(self, artifact: Artifact, store: Store) -> None:
        """Downloads, compares with the recorded checksum, and adds to the store. Raises ArtifactError."""
        address, expected = self.address(artifact), self.expected(artifact)
        with store.adding(artifact, origin=address) as target:
            folder = store.partial(artifact)
            if artifact.is_image:
                self._registry(artifact).download(expected, self.architecture, artifact.reference, target, folder)
            else:
                self._file(artifact, address, expected, target, folder)

    def _file(self, artifact: Artifact, address: str, expected: str, target: Path, folder: Path) -> None:
        def ask(headers: Mapping[str, str]) -> Any:
            return self.client.open(address, self.client.by_login, headers)

        with self.client.told(address, self._upstream(artifact)):
            download = Download(ask, address, expected, folder, f"downloading {artifact.name} {artifact.version}").run()
        if not artifact.member:
            download.rename(target)
            return
        member = artifact.member.format(version=artifact.version, arch=self.architecture)
        with tarfile.open(download) as archive, target.open("wb") as file:
            shutil.copyfileobj(certain(archive.extractfile(member)), file)


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
