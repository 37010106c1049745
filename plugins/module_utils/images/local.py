"""The image to deploy under a name of this machine's Docker, for compose.yaml: whoever listens where the registry should cannot answer to it."""

from __future__ import annotations

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import WORK_SECONDS
from ansible_collections.todochat.platform.plugins.module_utils.images.content import ImageError
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import docker


def local_name(name: str) -> str:
    """Such as todochat/todo-backend:current for 127.0.0.1:5000/todo/backend."""
    return f"todochat/{'-'.join(name.split('/')[1:])}:current"


def is_named(name: str, digest: str) -> bool:
    """Whether the local name is that of the image of this digest."""
    found = docker("image", "inspect", "--format={{join .RepoDigests \"\\n\"}}", local_name(name))
    return found.returncode == 0 and f"{name}@{digest}" in found.stdout.split()


def give_name(name: str, digest: str) -> None:
    """Raises ImageError."""
    reference = f"{name}@{digest}"
    if docker("image", "inspect", reference).returncode:
        pulled = docker("pull", "--quiet", reference, seconds=WORK_SECONDS)
        if pulled.returncode:
            remedy = "See that the registry runs (`make status`), then run the same command again."
            raise ImageError(f"The image {reference} cannot be pulled: {pulled.stderr.strip()}", remedy)
    tagged = docker("tag", reference, local_name(name))
    if tagged.returncode:
        raise ImageError(f"The image {reference} cannot be named {local_name(name)}: {tagged.stderr.strip()}", "See that Docker runs (`docker info`).")
