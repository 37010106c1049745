"""Taking away the images that nothing can go back to: from the record, from the registry's storage, and from this machine's Docker."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Collection

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import WORK_SECONDS
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.base.web import inside
from ansible_collections.todochat.platform.plugins.module_utils.images.content import ImageError
from ansible_collections.todochat.platform.plugins.module_utils.images.pushed import Pushed
from ansible_collections.todochat.platform.plugins.module_utils.images.registry import ANSWER_SECONDS
from ansible_collections.todochat.platform.plugins.module_utils.images.writer import AGAIN, CONFINED, STORAGE, Writer, about, writer
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import docker

CONFIGURATION = "/etc/docker/registry/config.yml"
# What the next builds may need stays, as does what others have built: Docker does not tell whose a layer is.
BUILD_CACHE = ("--keep-storage=5gb", "--filter=until=168h")


def superfluous(pushed: Pushed, name: str, kept: Collection[str]) -> dict[str, str]:
    """The tags of an image that stand for none of the digests, nor for the one to deploy, each with its digest."""
    stay = {*kept, pushed.current(name)}
    return {tag: digest for tag, digest in pushed.tags(name).items() if digest not in stay}


def collect(pushed: Pushed, registry: str, going: dict[str, dict[str, str]]) -> None:
    """Takes away these tags of each image, with what only they were made of. Raises ImageError."""
    waiting_for("collecting images that nothing can go back to")
    with writer(registry) as way:
        for name, tags in going.items():
            for digest in set(tags.values()):
                delete(way, name.partition("/")[2], digest)
    image, volume, _ = about(registry)
    mount = f"--mount=type=volume,source={volume},target={STORAGE}"
    swept = docker("run", "--rm", "--network=none", mount, *CONFINED, image, "garbage-collect", CONFIGURATION, seconds=WORK_SECONDS)
    if swept.returncode:
        raise ImageError(f"The storage of the registry {registry} cannot be swept: {swept.stderr.strip()[-300:]}", AGAIN)
    for name, tags in going.items():
        for tag in tags:
            docker("image", "rm", f"{name}:{tag}")  # one that is used stays
        pushed.forget(name, tags)
    docker("builder", "prune", "--force", *BUILD_CACHE, seconds=WORK_SECONDS)


def delete(way: Writer, repository: str, digest: str) -> None:
    """Takes a manifest out of the registry, where it is there. Raises ImageError."""
    request = urllib.request.Request(f"http://{way.endpoint}/v2/{repository}/manifests/{digest}", method="DELETE")
    request.add_header("Authorization", f"Basic {way.authorization}")
    try:
        inside().open(request, timeout=ANSWER_SECONDS).close()
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise ImageError(f"The registry answers {error.code} to the removal of {repository}@{digest}.", AGAIN) from error
    except OSError as error:
        raise ImageError(f"The registry does not answer ({error}).", AGAIN) from error
