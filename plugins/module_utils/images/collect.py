"""Taking away the images that nothing can go back to: from the record, from the registry's storage, and from this machine's Docker."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Collection, Mapping
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import WORK_SECONDS
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.base.web import ask, inside
from ansible_collections.todochat.platform.plugins.module_utils.images.content import ImageError
from ansible_collections.todochat.platform.plugins.module_utils.images.pushed import Pushed
from ansible_collections.todochat.platform.plugins.module_utils.images.registry import ANSWER_SECONDS, MANIFESTS
from ansible_collections.todochat.platform.plugins.module_utils.images.writer import AGAIN, CONFINED, STORAGE, Writer, about, writer
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import docker

CONFIGURATION = "/etc/docker/registry/config.yml"
# What the next builds may need stays, as does what others have built: Docker does not tell whose a layer is.
BUILD_CACHE = ("--keep-storage=5gb", "--filter=until=168h")


def superfluous(pushed: Pushed, name: str, kept: Collection[str]) -> dict[str, str]:
    """The tags of an image that stand for none of the digests, nor for the one to deploy, each with its digest."""
    stay = {*kept, pushed.current(name)}
    return {tag: digest for tag, digest in pushed.tags(name).items() if digest not in stay}


def collect(pushed: Pushed, registry: str, kept: Mapping[str, Collection[str]]) -> None:
    """Of each image these digests stay, and the one to deploy; all else goes, with what only that was made of. Raises ImageError.

    What goes is looked up in the registry's storage: a push that was broken off stands in no record, and the parts of an index in none of ours.
    """
    waiting_for("collecting images that nothing can go back to")
    image, volume, _unused = about(registry)
    storage = docker("volume", "inspect", "--format={{.Mountpoint}}", volume).stdout.strip()
    with writer(registry) as way:
        for name, digests in kept.items():
            repository = name.partition("/")[2]
            stay = {*digests, pushed.current(name)}
            stay |= {part for digest in stay if digest for part in parts(way, repository, digest)}
            for digest in stored(Path(storage), repository) - stay:
                delete(way, repository, digest)
    mount = f"--mount=type=volume,source={volume},target={STORAGE}"
    swept = docker("run", "--rm", "--network=none", mount, *CONFINED, image, "garbage-collect", CONFIGURATION, seconds=WORK_SECONDS)
    if swept.returncode:
        raise ImageError(f"The storage of the registry {registry} cannot be swept: {swept.stderr.strip()[-300:]}", AGAIN)
    for name, digests in kept.items():
        going = superfluous(pushed, name, digests)
        for tag, digest in going.items():
            docker("image", "rm", f"{name}:{tag}")  # one that is used stays
            docker("image", "rm", f"{name}@{digest}")  # with its last tag in the classic store, not in containerd's
        pushed.forget(name, going)
    docker("builder", "prune", "--force", *BUILD_CACHE, seconds=WORK_SECONDS)


def stored(storage: Path, repository: str) -> set[str]:
    """The digests of all manifests that a repository has, with a tag or without."""
    links = (storage / "docker/registry/v2/repositories" / repository / "_manifests/revisions").glob("*/*/link")
    return {f"{link.parent.parent.name}:{link.parent.name}" for link in links}


def parts(way: Writer, repository: str, digest: str) -> list[str]:
    """The digests that an index consists of, as builds from elsewhere and earlier ones are in containerd's image store; none where it is an image alone."""
    content = manifest(way, "GET", repository, digest)
    return [str(part["digest"]) for part in json.loads(content).get("manifests", [])] if content else []


def delete(way: Writer, repository: str, digest: str) -> None:
    """Takes a manifest out of the registry, where it is there. Raises ImageError."""
    manifest(way, "DELETE", repository, digest)


def manifest(way: Writer, method: str, repository: str, digest: str) -> bytes:
    """What the registry says of a manifest; nothing where it is not there. Raises ImageError."""
    headers = {"Authorization": f"Basic {way.authorization}", "Accept": MANIFESTS}
    request = urllib.request.Request(f"http://{way.endpoint}/v2/{repository}/manifests/{digest}", method=method, headers=headers)
    try:
        status, content = ask(inside(), request, ANSWER_SECONDS)
    except OSError as error:
        raise ImageError(f"The registry does not answer ({error}).", AGAIN) from error
    if status not in (200, 202, 404):
        raise ImageError(f"The registry answers {status} to {method} {repository}@{digest}.", AGAIN)
    return content if status == 200 else b""
