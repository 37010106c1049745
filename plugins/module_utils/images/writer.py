"""The way into the registry: its second container, which is there while something is pushed, and takes one login that is made for that.

What is there all the time only reads. So nobody on this machine, and nobody whom the cluster runs, can put an image there or take one away.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import bcrypt

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import ANSWER_SECONDS, follow
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.base.web import ask, inside
from ansible_collections.todochat.platform.plugins.module_utils.images.content import ImageError
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import LABEL, VARIABLES, docker
from ansible_collections.todochat.platform.plugins.module_utils.machine.files import private

LOGIN = "todochat"
STORAGE = "/var/lib/registry"
LAST_LINES = 30
POLL_SECONDS = 0.1
# The storage may have been made by a registry with another user.
CONFINED = (
    *("--read-only", "--cap-drop=ALL", "--cap-add=DAC_OVERRIDE", "--security-opt=no-new-privileges"),
    *("--memory=256m", "--pids-limit=64", "--log-driver=json-file", "--log-opt=max-size=1m"),
)
AGAIN = "See that the registry runs (`make status`) and has room on its disk, then run the same command again."


@dataclass(frozen=True)
class Writer:
    """Where images are pushed to meanwhile, and the login there, which Docker reads from the configuration in a folder."""

    endpoint: str
    authorization: str
    """As HTTP has it."""
    configuration: Path

    def push(self, image: str, repository: str, tag: str) -> str:
        """Pushes an image of this machine's Docker; returns its digest. Raises ImageError."""
        there = f"{self.endpoint}/{repository}:{tag}"
        docker("tag", image, there)
        try:
            return push(there, AGAIN, DOCKER_CONFIG=str(self.configuration))
        finally:
            docker("image", "rm", "--no-prune", there)


def push(image: str, remedy: str, **variables: str) -> str:
    """Pushes an image of this machine's Docker to where its name says; returns its digest. Raises ImageError."""
    waiting_for(f"pushing {image}")
    status, lines = follow(["docker", "push", image], lambda _unused: None, variables={**VARIABLES, **variables})
    pushed = re.search(r"\bdigest: (sha256:[0-9a-f]{64})\b", "\n".join(lines))
    if status or pushed is None:
        raise ImageError(f"The image {image} cannot be pushed: `docker push` ended with exit status {status}.", remedy, "\n".join(lines[-LAST_LINES:]))
    return pushed[1]


@contextmanager
def writer(registry: str) -> Iterator[Writer]:
    """Lets something be pushed into the storage of the registry's container, while the block lasts. Raises ImageError."""
    image, volume, deployment = about(registry)
    name = f"{registry}-writer"
    password = secrets.token_urlsafe(32)
    with private() as folder:
        login = folder / "htpasswd"
        login.write_bytes(f"{LOGIN}:".encode() + bcrypt.hashpw(password.encode(), bcrypt.gensalt(10)) + b"\n")
        login.chmod(0o444)  # in a folder that only its owner enters; the registry's own user reads it
        docker("rm", "--force", "--volumes", name)  # of a run that was killed
        options = ["--detach", "--rm", f"--name={name}", f"--label={LABEL}={deployment}", "--pull=never", "--publish=127.0.0.1::5000", *CONFINED]
        options += [f"--mount=type=volume,source={volume},target={STORAGE}", f"--mount=type=bind,source={login},target=/htpasswd,readonly"]
        options += ["--env=REGISTRY_AUTH=htpasswd", "--env=REGISTRY_AUTH_HTPASSWD_REALM=todochat", "--env=REGISTRY_AUTH_HTPASSWD_PATH=/htpasswd"]
        options += ["--env=REGISTRY_STORAGE_DELETE_ENABLED=true"]
        started = docker("run", *options, image)
        try:
            if started.returncode:
                raise ImageError(f"The registry {registry} cannot be opened for a push: {started.stderr.strip()}", AGAIN)
            endpoint = published(name)
            authorization = base64.b64encode(f"{LOGIN}:{password}".encode()).decode()
            configuration = folder / "config.json"
            configuration.touch(mode=0o600)
            configuration.write_text(json.dumps({"auths": {endpoint: {"auth": authorization}}}), encoding="utf-8")
            yield Writer(endpoint, authorization, folder)
        finally:
            docker("rm", "--force", "--volumes", name)


def about(registry: str) -> tuple[str, str, str]:
    """The image of the registry's container, the volume of its storage, and the deployment that it belongs to. Raises ImageError."""
    asked = docker("container", "inspect", registry)
    if asked.returncode:
        raise ImageError(f"There is no registry {registry}.", "Run `make up ARGS='--tags image_registry'` first.")
    found = json.loads(asked.stdout)[0]
    volume = next(mount["Name"] for mount in found["Mounts"] if mount["Destination"] == STORAGE)
    return found["Image"], volume, found["Config"]["Labels"].get(LABEL, "")


def published(name: str) -> str:
    """Where the container's port is on this machine, once it asks there for a login. Raises ImageError."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        if endpoint := docker("port", name, "5000/tcp").stdout.strip():
            with suppress(OSError):  # not yet
                if ask(inside(), f"http://{endpoint}/v2/", ANSWER_SECONDS)[0] == 401:
                    return endpoint
        time.sleep(POLL_SECONDS)
    raise ImageError(f"The registry's container {name} does not ask for a login.", AGAIN, docker("logs", "--tail=20", name).stderr)
