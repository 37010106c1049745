"""Reads container images from a registry over its HTTP API, and keeps only what matches its digest.

API and media types: the OCI distribution and image specifications, version 1.1, and Docker's schema 2 before them.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import re
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ansible_collections.todochat.platform.plugins.module_utils.base.progress import copy
from ansible_collections.todochat.platform.plugins.module_utils.base.web import content, outside
from ansible_collections.todochat.platform.plugins.module_utils.store.image_archive import write_archive
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import ArtifactError
from ansible_collections.todochat.platform.plugins.module_utils.store.store import sha256_of

STALL_SECONDS = 60
ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
UNREACHABLE = "See that this machine reaches it, name a mirror in artifact_mirror, or have it built (artifact_source=auto); then run the same command again."
ALTERED = "A proxy that alters downloads is a common cause: let this address pass unaltered, then run the same command again."
BUILD_INSTEAD = "Have it built from package registries: leave its checksum unrecorded in artifacts.lock.yml, with artifact_source=auto."
# Docker Hub's name in references is not the name its API answers under.
API_HOSTS = {"docker.io": "registry-1.docker.io"}


@dataclass(frozen=True)
class Reference:
    """An image as upstream names it: host/repository:tag."""

    host: str
    repository: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> Reference:
        host, _unused, rest = text.partition("/")
        repository, _unused, tag = rest.rpartition(":")
        return cls(host, repository, tag)


class UpstreamRegistry:
    """One repository of a registry. ``base`` replaces https://host, for a mirror that keeps the API's paths."""

    def __init__(self, reference: Reference, base: str = "") -> None:
        self.reference = reference
        self.base = base.rstrip("/") or f"https://{API_HOSTS.get(reference.host, reference.host)}"
        self._token = ""

    @property
    def address(self) -> str:
        return f"{self.base}/v2/{self.reference.repository}"

    def digest(self) -> str:
        """The SHA-256 of the manifest that the tag names now. Raises ArtifactError."""
        with self._open(f"manifests/{self.reference.tag}") as answer:
            return hashlib.sha256(content(answer)).hexdigest()

    def download(self, digest: str, architecture: str, name: str, target: Path) -> None:
        """Writes the image behind a manifest's SHA-256 as an archive that Docker loads under ``name``."""
        manifest = json.loads(self._verified(f"manifests/sha256:{digest}", digest))
        if "manifests" in manifest:
            digest = self._platform(manifest, architecture)
            manifest = json.loads(self._verified(f"manifests/sha256:{digest}", digest))
        config_digest = manifest["config"]["digest"].removeprefix("sha256:")
        config: dict[str, Any] = json.loads(self._verified(f"blobs/sha256:{config_digest}", config_digest))
        folder = target.parent / "layers"
        folder.mkdir()
        layers = []
        pairs = list(zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True))
        for number, (layer, unpacked) in enumerate(pairs, 1):
            layers.append(folder / f"{number}.tar")
            what = f"downloading {self.reference.repository}:{self.reference.tag}, layer {number} of {len(pairs)}"
            self._layer(layer, unpacked.removeprefix("sha256:"), layers[-1], what)
        write_archive(target, name, architecture, layers, config.get("config", {}))
        shutil.rmtree(folder)

    def _platform(self, index: Mapping[str, Any], architecture: str) -> str:
        for entry in index["manifests"]:
            platform = entry.get("platform", {})
            if platform.get("os") == "linux" and platform.get("architecture") == architecture:
                return str(entry["digest"]).removeprefix("sha256:")
        raise ArtifactError(f"{self.address} has no image for linux/{architecture}.", BUILD_INSTEAD)

    def _layer(self, layer: Mapping[str, Any], unpacked: str, target: Path, what: str) -> None:
        """Downloads a layer and unpacks it; the registry's digest and the image's own of the content must both fit."""
        compressed = target.with_suffix(".download")
        expected = layer["digest"].removeprefix("sha256:")
        with self._open(f"blobs/sha256:{expected}") as answer, compressed.open("wb") as file:
            copy(answer, file, what, int(layer.get("size") or 0))
        self._compare(f"blobs/sha256:{expected}", expected, sha256_of(compressed))
        kind = layer["mediaType"]
        if kind.endswith("gzip"):
            with gzip.open(compressed) as packed, target.open("wb") as file:
                shutil.copyfileobj(packed, file, 1 << 20)
            compressed.unlink()
        elif kind.endswith("tar"):
            compressed.rename(target)
        else:
            raise ArtifactError(f"{self.address}: layers of type {kind} cannot be read.", BUILD_INSTEAD)
        self._compare(f"blobs/sha256:{expected}, unpacked", unpacked, sha256_of(target))

    def _verified(self, path: str, expected: str) -> bytes:
        with self._open(path) as answer:
            found = content(answer)
        self._compare(path, expected, hashlib.sha256(found).hexdigest())
        return found

    def _compare(self, path: str, expected: str, actual: str) -> None:
        if actual != expected:
            raise ArtifactError(
                f"{self.address}/{path} is not what its name says: expected SHA-256 {expected}, found {actual}; it was not used.",
                ALTERED,
            )

    @contextmanager
    def _open(self, path: str) -> Iterator[IO[bytes]]:
        """An answer, to be read in the block. What goes wrong until its end is an ArtifactError."""
        address = f"{self.address}/{path}"
        try:
            with self._answer(address) as answer:
                yield answer
        except urllib.error.HTTPError as error:
            raise ArtifactError(f"{address} answers {error.code}.", UNREACHABLE) from error
        except (OSError, http.client.HTTPException) as error:
            raise ArtifactError(f"{address} cannot be read: {error}", UNREACHABLE) from error

    def _answer(self, address: str) -> IO[bytes]:
        try:
            return self._ask(address)
        except urllib.error.HTTPError as error:
            challenge = error.headers.get("WWW-Authenticate", "")
            if error.code != 401 or not challenge.startswith("Bearer "):
                raise
            self._token = self._new_token(challenge)
        return self._ask(address)

    def _ask(self, address: str) -> IO[bytes]:
        request = urllib.request.Request(address, headers={"Accept": ACCEPT})
        if self._token:
            # the storage that a registry redirects to wants no token, and some refuse one
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        answer: IO[bytes] = outside().open(request, timeout=STALL_SECONDS)
        return answer

    def _new_token(self, challenge: str) -> str:
        """An anonymous token, from where the registry's challenge says (Docker's token authentication)."""
        fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        query = urllib.parse.urlencode({key: fields[key] for key in ("service", "scope") if key in fields})
        address = f"{fields['realm']}?{query}"
        try:
            with outside().open(address, timeout=STALL_SECONDS) as answer:
                document = json.loads(content(answer))
        except (OSError, http.client.HTTPException) as error:
            raise ArtifactError(f"{address} gives no token to read {self.address} with: {error}", UNREACHABLE) from error
        return str(document.get("token") or document["access_token"])
