"""The registry beside the cluster: which image a tag names."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.todochat.platform.plugins.module_utils.base.web import inside
from ansible_collections.todochat.platform.plugins.module_utils.images.content import ImageError

ANSWER_SECONDS = 10
MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"


class Registry:
    """The registry beside the cluster, by the endpoint (host:port) that image names carry."""

    # Names the image of each repository that is to be deployed; everything else goes by digest.
    CURRENT = "current"

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def digest(self, repository: str, tag: str) -> str:
        """The manifest digest behind a tag, or the empty string where there is none. Raises ImageError."""
        answer = self._ask("HEAD", repository, tag)
        return answer.headers["Docker-Content-Digest"] if answer else ""

    def make_current(self, repository: str, tag: str) -> None:
        """Lets the tag ``current`` name the same image as another tag. Raises ImageError."""
        answer = self._ask("GET", repository, tag)
        assert answer is not None, f"{repository}:{tag} was there a moment ago"
        self._ask("PUT", repository, self.CURRENT, answer.body, answer.headers["Content-Type"])

    def _ask(self, method: str, repository: str, tag: str, body: bytes | None = None, kind: str = "") -> Answer | None:
        address = f"http://{self.endpoint}/v2/{repository}/manifests/{tag}"
        headers = {"Accept": MANIFESTS, **({"Content-Type": kind} if kind else {})}
        request = urllib.request.Request(address, data=body, method=method, headers=headers)
        try:
            with inside().open(request, timeout=ANSWER_SECONDS) as response:
                return Answer(response.headers, response.read())
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise ImageError(
                f"The registry answers {error.code} to {method} {address}.",
                "Read why in the log of the registry's container with `docker logs`, then run the same command again.",
            ) from error
        except OSError as error:
            raise ImageError(
                f"The registry at {self.endpoint} does not answer ({error}).",
                "Run `make up ARGS='--tags image_registry'` first.",
            ) from error


@dataclass(frozen=True)
class Answer:
    """What the registry answered."""

    headers: Mapping[str, str]
    body: bytes
