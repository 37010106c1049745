"""The registry beside the cluster: whether it has an image. Which one is wanted, module_utils/images/pushed.py says."""

from __future__ import annotations

import hashlib
import urllib.request

from ansible_collections.todochat.platform.plugins.module_utils.base.web import ask, inside
from ansible_collections.todochat.platform.plugins.module_utils.images.content import ImageError

ANSWER_SECONDS = 10
MANIFESTS = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in ("oci.image.manifest.v1", "oci.image.index.v1", "docker.distribution.manifest.v2", "docker.distribution.manifest.list.v2")
)


class Registry:
    """The registry beside the cluster, by the endpoint (host:port) that image names carry."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

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
