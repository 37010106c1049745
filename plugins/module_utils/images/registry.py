"""Registries: whether one has an image, and bringing it there. Which image is wanted, module_utils/images/pushed.py says."""

from __future__ import annotations

import hashlib
import urllib.request
from pathlib import Path

from docker import DockerClient
from docker.auth import load_config
from docker.errors import DockerException, NotFound

from ansible_collections.todochat.platform.plugins.module_utils.base.web import ask, inside
from ansible_collections.todochat.platform.plugins.module_utils.images.content import ImageError
from ansible_collections.todochat.platform.plugins.module_utils.images.writer import push, writer
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import VARIABLES

ANSWER_SECONDS = 10
MANIFESTS = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in ("oci.image.manifest.v1", "oci.image.index.v1", "docker.distribution.manifest.v2", "docker.distribution.manifest.list.v2")
)
ELSEWHERE = (
    "See that it is the right one, that the login in the vault (registry_login) may push there, and that this machine's Docker trusts its certificate "
    "(existing_cluster_registry_ca), then run the same command again."
)


def registry(endpoint: str, container: str = "") -> Registry:
    """The one of that name: beside the cluster where its address is this machine's, with the container that it is there; else one that others run."""
    return Registry(endpoint, container) if endpoint.startswith("127.") else RegistryOfOthers(endpoint)


class Registry:
    """The registry beside the cluster, by the endpoint (host:port) that image names carry."""

    def __init__(self, endpoint: str, container: str = "") -> None:
        self.endpoint = endpoint
        self.container = container

    def has(self, repository: str, digest: str) -> bool:
        """Whether it has the image of a digest: its manifest is that very content. Raises ImageError."""
        address = f"http://{self.endpoint}/v2/{repository}/manifests/{digest}"
        request = urllib.request.Request(address, headers={"Accept": MANIFESTS})
        try:
            status, content = ask(inside(), request, ANSWER_SECONDS)
        except OSError as error:
            raise ImageError(
                f"The registry at {self.endpoint} does not answer ({error}).",
                "Run `make up ARGS='--tags image_registry'` first.",
            ) from error
        if status not in (200, 404):
            raise ImageError(
                f"The registry answers {status} to GET {address}.",
                "Read why in its log (`make logs ARGS='-e service=registry'`), then run the same command again.",
            )
        return status == 200 and f"sha256:{hashlib.sha256(content).hexdigest()}" == digest

    def push(self, repository: str, tag: str) -> str:
        """Brings an image of this machine's Docker there; returns its digest. Raises ImageError."""
        with writer(self.container) as way:
            return way.push(f"{self.endpoint}/{repository}:{tag}", repository, tag)


class RegistryOfOthers(Registry):
    """One that others run. This machine's Docker speaks to it, by HTTPS: it has the login, and the certificates that it is to trust."""

    def has(self, repository: str, digest: str) -> bool:
        configuration = load_config(str(Path(VARIABLES["DOCKER_CONFIG"], "config.json")))
        try:
            with_login = configuration.resolve_authconfig(self.endpoint)
            client = DockerClient(base_url=VARIABLES["DOCKER_HOST"], timeout=ANSWER_SECONDS * 3)
            return bool(client.images.get_registry_data(f"{self.endpoint}/{repository}@{digest}", with_login).id == digest)
        except NotFound:
            return False
        except (DockerException, OSError) as error:
            raise ImageError(f"The registry at {self.endpoint} cannot be asked: {error}", ELSEWHERE) from error

    def push(self, repository: str, tag: str) -> str:
        return push(f"{self.endpoint}/{repository}:{tag}", ELSEWHERE)
