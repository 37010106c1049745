"""Building images, with the caller's package configuration and without a trace of it in them."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import follow, run
from ansible_collections.todochat.platform.plugins.module_utils.base.environment import callers
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.base.web import ca_bundle
from ansible_collections.todochat.platform.plugins.module_utils.images.content import Image, ImageError
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import VARIABLES
from ansible_collections.todochat.platform.plugins.module_utils.machine.files import PRIVATE, private

LAST_LINES = 30
# What a build needs of the caller's package configuration: where packages come from, and leave to read them. Paths of
# this machine (certificates, caches) mean nothing inside the build.
NPM_SETTINGS = ("registry=", "@", "//")
# The environment comes last, because it outweighs the files.
PIP_SETTINGS = tuple(f"{where}.{name}" for where in ("global", ":env:") for name in ("index-url", "extra-index-url", "trusted-host"))


def build(image: Image, reference: str, home: Path) -> None:
    """Builds with BuildKit. ``home`` is where the caller's package configuration lies. Raises ImageError."""
    with build_secrets(home, PRIVATE) as secrets:
        command = ["docker", "build", "--progress=plain", f"--tag={reference}"]
        command += [f"--build-arg={name}={value}" for name, value in image.arguments.items()]
        command += [f"--secret=id={name},src={path}" for name, path in secrets.items()]
        # By name alone, so that a proxy's password stands in no argument; no image keeps what these arguments say.
        command += [f"--build-arg={name}" for name in callers() if name.lower().endswith("_proxy")]
        status, lines = follow([*command, str(image.context)], lambda line: step_of_build(image.name, line), variables=VARIABLES, outside=True)
    if status:
        why = f"The image {image.name} cannot be built from {image.context}: `docker build` ended with exit status {status}."
        raise ImageError(why, "Mend what the last lines above name, then run the same command again.", "\n".join(lines[-LAST_LINES:]))


@contextmanager
def build_secrets(home: Path, place: Path) -> Iterator[dict[str, Path]]:
    """Files, in a folder of that place, that a build may read and that enter no layer: certificates, pip's and npm's configuration."""
    secrets: dict[str, Path] = {}
    if bundle := ca_bundle():
        secrets["ca"] = Path(bundle)
    with private(place) as folder:
        for name, content in (("npmrc", npm_configuration(home)), ("pip_conf", pip_configuration(home))):
            if content:
                secrets[name] = folder / name
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
    lines += [f"registry={value}" for name, value in callers().items() if name.lower() == "npm_config_registry"]
    return "".join(f"{line}\n" for line in lines if line.replace(" ", "").startswith(NPM_SETTINGS))


def pip_configuration(home: Path) -> str:
    """The part of the caller's pip configuration that says where packages come from."""
    # this interpreter's pip: Debian's python3, which root's PATH may name, need not have one; without pip there is no configuration of it
    listed = run(sys.executable, "-m", "pip", "config", "list", variables={"HOME": str(home)}, outside=True).stdout
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
