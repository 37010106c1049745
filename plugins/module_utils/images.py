"""Container images named by the content they are built from, in a registry that answers on this machine."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from docker.utils.build import exclude_paths

from ansible_collections.todochat.platform.plugins.module_utils.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.progress import follow, waiting_for

LAST_LINES = 30
ANSWER_SECONDS = 10
MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
# What a build needs of the caller's package configuration: where packages come from, and leave to read them. Paths of
# this machine (certificates, caches) mean nothing inside the build.
NPM_SETTINGS = ("registry=", "@", "//")
# The environment comes last, because it outweighs the files.
PIP_SETTINGS = tuple(f"{where}.{name}" for where in ("global", ":env:") for name in ("index-url", "extra-index-url", "trusted-host"))
CA_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt",)


class ImageError(UserError):
    """An image cannot be built, or the registry does not do its part."""


@dataclass(frozen=True)
class Image:
    """An image to be built. ``arguments`` are build arguments; they decide the content as the files do."""

    name: str
    context: Path
    arguments: Mapping[str, str]

    def tag(self) -> str:
        """A hash of the build context as Docker would send it, the Dockerfile and the build arguments."""
        ignore = self.context / ".dockerignore"
        patterns = ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else []
        rules = [line for line in (pattern.strip() for pattern in patterns) if line and not line.startswith("#")]
        dockerfile = self.context / "Dockerfile"
        if not dockerfile.is_file():
            raise ImageError(f"{self.name}: there is no {dockerfile} to build.", "Put it back (`git status` shows what is missing).")
        digest = hashlib.sha256(json.dumps(dict(self.arguments), sort_keys=True).encode() + dockerfile.read_bytes())
        for relative in sorted(exclude_paths(str(self.context), rules)):
            file = self.context / relative
            if file.is_symlink():
                digest.update(f"\0{relative}\0->{os.readlink(file)}".encode())
            elif file.is_file():
                executable = bool(file.stat().st_mode & 0o100)
                digest.update(f"\0{relative}\0{executable}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
        return digest.hexdigest()[:24]


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
        # never through a proxy: the registry is on this machine
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=ANSWER_SECONDS) as response:
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


def build_and_push(image: Image, reference: str, home: Path) -> None:
    """Builds with BuildKit and pushes. ``home`` is where the caller's package configuration lies."""
    with build_secrets(home) as secrets:
        command = ["docker", "build", "--progress=plain", f"--tag={reference}"]
        command += [f"--build-arg={name}={value}" for name, value in image.arguments.items()]
        command += [f"--secret=id={name},src={path}" for name, path in secrets.items()]
        _run(
            [*command, str(image.context)],
            lambda line: step_of_build(image.name, line),
            f"The image {image.name} cannot be built from {image.context}",
            "Mend what the last lines above name, then run the same command again.",
        )
    waiting_for(f"pushing {reference}")
    _run(
        ["docker", "push", "--quiet", reference],
        lambda _: None,
        f"The image {reference} cannot be pushed",
        "See that the registry answers and has room on its disk, then run the same command again.",
    )


@contextmanager
def build_secrets(home: Path) -> Iterator[dict[str, Path]]:
    """Files that a build may read and that enter no layer: certificates, pip's and npm's configuration."""
    secrets: dict[str, Path] = {}
    for bundle in (os.environ.get("SSL_CERT_FILE", ""), *CA_BUNDLES):
        if bundle and Path(bundle).is_file():
            secrets["ca"] = Path(bundle)
            break
    with tempfile.TemporaryDirectory(prefix="todochat-build-") as folder:
        for name, content in (("npmrc", npm_configuration(home)), ("pip_conf", pip_configuration(home))):
            if content:
                secrets[name] = Path(folder) / name
                secrets[name].touch(mode=0o600)
                secrets[name].write_text(content, encoding="utf-8")
        yield secrets


def npm_configuration(home: Path) -> str:
    """The lines of the caller's npm configuration that say where packages come from."""
    lines = []
    for file in (Path("/etc/npmrc"), home / ".npmrc"):
        if file.is_file():
            lines += [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    # npm reads its settings in either case
    lines += [f"registry={value}" for name, value in os.environ.items() if name.lower() == "npm_config_registry"]
    return "".join(f"{line}\n" for line in lines if line.replace(" ", "").startswith(NPM_SETTINGS))


def pip_configuration(home: Path) -> str:
    """The part of the caller's pip configuration that says where packages come from."""
    listed = subprocess.run(
        # this interpreter's pip: Debian's python3, which root's PATH may name, need not have one
        [sys.executable, "-m", "pip", "config", "list"],
        env={**os.environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,  # without pip there is no configuration of pip
    ).stdout
    found = dict(line.split("=", 1) for line in listed.splitlines() if "=" in line)
    settings = {}
    for name in PIP_SETTINGS:
        if name in found:  # pip shows values as Python writes them; several addresses stand on a line each
            settings[name.rpartition(".")[2]] = "\n  ".join(ast.literal_eval(found[name]).split())
    return "[global]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()) if settings else ""


def step_of_build(name: str, line: str) -> None:
    """Tells the step that BuildKit's plain progress says it begins, such as ``#7 [builder 2/5] RUN npm ci``."""
    if match := re.match(r"#\d+ \[(?!internal)([^]]+)\] (.+)", line):
        waiting_for(f"building the image {name}: {match[1]} {match[2]}")


def _run(command: list[str], heard: Callable[[str], None], failure: str, remedy: str) -> None:
    status, lines = follow(command, heard, env={**os.environ, "DOCKER_BUILDKIT": "1"})
    if status:
        why = f"{failure}: `docker {command[1]}` ended with exit status {status}."
        raise ImageError(why, remedy, "\n".join(lines[-LAST_LINES:]))
