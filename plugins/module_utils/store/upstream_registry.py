"""Reads container images from a registry over its HTTP API, and keeps only what matches its digest.

API and media types: the OCI distribution and image specifications, version 1.1, and Docker's schema 2 before them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import urllib.error
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.web import content
from ansible_collections.todochat.platform.plugins.module_utils.store.image_archive import write_archive
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import ArtifactError
from ansible_collections.todochat.platform.plugins.module_utils.store.store import sha256_of
from ansible_collections.todochat.platform.plugins.module_utils.store.transfer import (
    FAILURES,
    PROBE_SECONDS,
    REACH_MIRROR,
    REACH_UPSTREAM,
    STALL_SECONDS,
    Authorization,
    Client,
    Download,
    basic,
    compare,
    origin,
)

ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
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

    def __str__(self) -> str:
        return f"{self.host}/{self.repository}:{self.tag}"


class UpstreamRegistry:
    """One repository of a registry: upstream's, or what a mirror keeps of it below the API's paths."""

    def __init__(self, reference: Reference, client: Client | None = None) -> None:
        self.reference = reference
        self.client = client or Client()
        self.base = self.client.base or f"https://{API_HOSTS.get(reference.host, reference.host)}"
        self._authorization = Authorization(self.base)

    @property
    def address(self) -> str:
        return f"{self.base}/v2/{self.reference.repository}"

    def digest(self) -> str:
        """The SHA-256 of the manifest that the tag names now. Raises ArtifactError."""
        return hashlib.sha256(self._small(f"manifests/{self.reference.tag}")).hexdigest()

    def look(self, digest: str) -> None:
        """Whether it has a manifest of this SHA-256: raises where it does not, as urllib does, or ArtifactError."""
        self._ask(f"manifests/sha256:{digest}", method="HEAD", seconds=PROBE_SECONDS).close()

    def download(self, digest: str, architecture: str, name: str, target: Path, partial: Path) -> None:
        """Writes the image behind a manifest's SHA-256 as an archive that Docker loads under ``name``.

        The layers stay in the folder ``partial`` until somebody takes it away, so that another try need not read them again.
        """
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
            what = f"downloading {self.reference.repository}:{self.reference.tag}, layer {number} of {len(pairs)}"
            layers.append(self._layer(layer, unpacked.removeprefix("sha256:"), folder / f"{number}.tar", partial, what))
        # Docker writes null for what an image does not set
        given = {key: value for key, value in (config.get("config") or {}).items() if value is not None}
        write_archive(target, name, architecture, layers, given)
        shutil.rmtree(folder)

    def _platform(self, index: Mapping[str, Any], architecture: str) -> str:
        for entry in index["manifests"]:
            platform = entry.get("platform", {})
            if platform.get("os") == "linux" and platform.get("architecture") == architecture:
                return str(entry["digest"]).removeprefix("sha256:")
        raise ArtifactError(f"{self.address} has no image for linux/{architecture}.", BUILD_INSTEAD)

    def _layer(self, layer: Mapping[str, Any], unpacked: str, target: Path, partial: Path, what: str) -> Path:
        """Downloads a layer, and unpacks it to ``target`` where it is packed; the registry's digest and the image's own of the content must both fit."""
        kind, expected = layer["mediaType"], layer["digest"].removeprefix("sha256:")
        if not kind.endswith(("gzip", "tar")):
            raise ArtifactError(f"{self.address}: layers of type {kind} cannot be read.", BUILD_INSTEAD)
        path = f"blobs/sha256:{expected}"
        address = f"{self.address}/{path}"
        with self.client.told(address, str(self.reference)):
            found = Download(lambda headers: self._ask(path, headers), address, expected, partial, what, int(layer.get("size") or 0)).run()
        if kind.endswith("gzip"):
            with gzip.open(found) as packed, target.open("wb") as file:
                shutil.copyfileobj(packed, file, 1 << 20)
            found = target
        compare(f"{address}, unpacked,", unpacked, sha256_of(found))
        return found

    def _verified(self, path: str, expected: str) -> bytes:
        found = self._small(path)
        compare(f"{self.address}/{path}", expected, hashlib.sha256(found).hexdigest())
        return found

    def _small(self, path: str) -> bytes:
        """All of an answer that is no layer."""
        with self.client.told(f"{self.address}/{path}", str(self.reference)), self._ask(path) as answer:
            return content(answer)

    def _ask(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET", seconds: float = STALL_SECONDS) -> Any:
        """An answer; where the registry asks who asks, as it wants to be told."""
        address, accept = f"{self.address}/{path}", {"Accept": ACCEPT, **(headers or {})}
        try:
            return self.client.open(address, self._authorization, accept, method, seconds)
        except urllib.error.HTTPError as error:
            told = self._authorization.value
            if error.code == HTTPStatus.UNAUTHORIZED and origin(error.url) == origin(self.base):
                self._authorization.value = self._answer_to(error.headers.get_all("WWW-Authenticate", []))
            if self._authorization.value == told:
                raise
        return self.client.open(address, self._authorization, accept, method, seconds)

    def _answer_to(self, challenges: Iterable[str]) -> str:
        """What a registry is to be told that has asked so (RFC 9110, 11.6.1): a token, or name and password."""
        asked = {scheme.lower(): rest for scheme, _, rest in (challenge.partition(" ") for challenge in challenges)}
        if "bearer" in asked:
            return f"Bearer {self._new_token(asked['bearer'])}"
        return basic(self.client.login) if "basic" in asked and self.client.login else ""

    def _new_token(self, challenge: str) -> str:
        """A token from where the registry's challenge says, for the login or for anybody (Docker's token authentication)."""
        fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        realm = fields.get("realm", "")
        if self.client.login and self.base.startswith("https:") and not realm.startswith("https:"):
            raise ArtifactError(
                f"{self.client} asks for the login at {realm}, where others could read it; it was not told.",
                "Have those who run it name an address with https:// there.",
            )
        address = f"{realm}?{urllib.parse.urlencode({key: fields[key] for key in ('service', 'scope') if key in fields})}"
        who = Authorization(realm, basic(self.client.login) if self.client.login else "")
        try:
            with self.client.open(address, who) as answer:
                document = json.loads(content(answer))
            return str(document.get("token") or document["access_token"])
        except urllib.error.HTTPError as error:
            if self.client.login and error.code == HTTPStatus.UNAUTHORIZED:
                raise self.client.problem(address, error) from error
            why = str(error)
        except (*FAILURES, ValueError, KeyError, TypeError, AttributeError) as error:
            why = f"{type(error).__name__}: {error}"
        raise ArtifactError(f"{address} gives no token to read {self.address} with: {why}", REACH_MIRROR if self.client.mirror else REACH_UPSTREAM)
