"""Images of the store in the Docker engine."""

from __future__ import annotations

import json

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import WORK_SECONDS, MissingProgramError
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import docker
from ansible_collections.todochat.platform.plugins.module_utils.store.image_archive import layers_of
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Artifact, ArtifactError
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store


def is_loaded(artifact: Artifact) -> bool:
    """Whether the engine has the image. Its name holds its content key, so one of that name is the right one.

    Raises ArtifactError where there is no docker command.
    """
    inspect = ["image", "inspect", "--format", "{{.Id}}", artifact.reference]
    try:
        return docker(*inspect).returncode == 0
    except MissingProgramError:
        raise ArtifactError(
            "There is no docker command on this machine.", "Run `make up ARGS='--tags container_engine'` first."
        ) from None


def has_layers_of(name: str, artifact: Artifact, store: Store) -> bool:
    """Whether an image of the engine's, whatever its name, is made of the same layers as the stored one."""
    listed = docker("image", "inspect", "--format={{json .RootFS.Layers}}", name)
    return listed.returncode == 0 and json.loads(listed.stdout) == layers_of(store.file(artifact))


def load(artifact: Artifact, store: Store) -> None:
    """Loads the image, after its archive was compared with its record. Raises ArtifactError."""
    waiting_for(f"loading {artifact.reference} into Docker")
    command = ["load", "--quiet", "--input", str(store.verified(artifact))]
    done = docker(*command, seconds=WORK_SECONDS)
    if done.returncode:
        raise ArtifactError(
            f"Docker cannot load {artifact.reference}: {done.stderr.strip()}",
            "See that Docker runs (`docker info`) and has room on its disk, then run the same command again.",
        )
