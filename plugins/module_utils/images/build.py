"""Building images, with the caller's package configuration and without a trace of it in them."""

from __future__ import annotations

import ast
import os
import re
import shlex
import sys
import urllib.request
from collections.abc import Iterator, Mapping
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
BASE = "org.opencontainers.image.base.name"
"""The label with the name of the image that one stands on, as the OCI's image specification calls it."""
# What a build needs of the caller's package configuration: where packages come from, how they are reached, and leave to read them. Paths of
# this machine (certificates, caches) mean nothing inside the build.
NPM_SETTINGS = ("registry", "proxy", "https-proxy", "noproxy", "strict-ssl")
NPM_OF_A_REGISTRY = ("@", "//")
PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "no-index", "find-links", "proxy", "timeout", "default-timeout", "retries")
# The environment comes last, because it outweighs the files.
PIP_SECTIONS = ("global", "install", ":env:")
YES = ("1", "true", "yes", "on", "y", "t")
# Where a build has the one folder that packages are to come from.
PACKAGES = "/packages"


def build(image: Image, reference: str, home: Path) -> None:
    """Builds with BuildKit. ``home`` is where the caller's package configuration lies. Raises ImageError."""
    packages = folder_of_packages(told_pip(home))
    with build_secrets(home, PRIVATE) as secrets:
        # Without an attestation, which only containerd's image store keeps: one manifest in either store, and nothing of this machine in it.
        command = ["docker", "build", "--progress=plain", "--provenance=false", f"--tag={reference}"]
        command += [f"--build-arg={name}={value}" for name, value in image.arguments.items()]
        command += [f"--label={BASE}={image.arguments['RUNTIME_IMAGE']}"] if "RUNTIME_IMAGE" in image.arguments else []
        command += [f"--secret=id={name},src={path}" for name, path in secrets.items()]
        command += [f"--build-context=packages={packages}"] if packages else []
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
        for name, content in (("ca", with_extra(bundle)), ("npmrc", npm_configuration(home)), ("pip_conf", pip_configuration(home))):
            if content:
                secrets[name] = folder / name
                secrets[name].touch(mode=0o600)
                secrets[name].write_text(content, encoding="utf-8")
        yield secrets


def with_extra(bundle: str) -> str:
    """The certificates of a bundle with those that Node.js is to trust besides; empty where there are none of these."""
    extra = callers().get("NODE_EXTRA_CA_CERTS", "")
    return "\n".join(Path(file).read_text(encoding="utf-8") for file in (bundle, extra) if file) if os.path.isfile(extra) else ""


def npm_configuration(home: Path) -> str:
    """The lines of the caller's npm configuration that say where packages come from. Raises ImageError."""
    # npm reads its settings in either case
    prefix = "npm_config_"
    told = {name.lower().removeprefix(prefix).replace("_", "-"): value for name, value in callers().items() if name.lower().startswith(prefix) and value}
    users = re.sub("^~(?=/)", str(home), told.get("userconfig", "~/.npmrc"))
    lines = []
    for file in (Path("/etc/npmrc"), Path(users)):
        for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
            name = line.partition("=")[0].strip()
            if name in NPM_SETTINGS or name.startswith(NPM_OF_A_REGISTRY):
                lines.append(filled_in(line.strip(), file))
    return "".join(f"{line}\n" for line in [*lines, *(f"{name}={told[name]}" for name in NPM_SETTINGS if name in told)])


def filled_in(line: str, file: Path) -> str:
    """A line of npm's with the values of the variables that it names, as npm fills them in. Raises ImageError where one is not known here."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in callers() and not found[2]:
            raise ImageError(
                f"{file} takes the value of {found[0]} from the environment, of which a build of an image gets no such variable",
                "Call it NPM_TOKEN, or write the value itself into that file, which nobody else should be able to read "
                f"(`chmod 600 {shlex.quote(str(file))}`).",
            )
        return callers().get(found[1], "")

    return re.sub(r"\$\{([^${}?]+)(\?)?\}", value, line)


def told_pip(home: Path) -> dict[str, str]:
    """What the caller's pip is told of where packages come from."""
    # this interpreter's pip: Debian's python3, which root's PATH may name, need not have one; without pip there is no configuration of it
    listed = run(sys.executable, "-m", "pip", "config", "list", variables={"HOME": str(home)}, outside=True).stdout
    found = dict(line.split("=", 1) for line in listed.splitlines() if "=" in line)
    # pip shows values as Python writes them
    return {name: ast.literal_eval(found[f"{where}.{name}"]) for where in PIP_SECTIONS for name in PIP_SETTINGS if f"{where}.{name}" in found}


def folder_of_packages(said: Mapping[str, str]) -> str:
    """The folder that pip is told to take all packages from, which a build gets too, as PACKAGES; npm's lie in it as well. Empty where there is none."""
    links = said.get("find-links", "").split()
    if said.get("no-index", "").lower() not in YES or len(links) != 1 or re.match("https?://", links[0]):
        return ""
    return urllib.request.url2pathname(links[0].removeprefix("file://"))


def pip_configuration(home: Path) -> str:
    """The part of the caller's pip configuration that says where packages come from. Raises ImageError."""
    said = told_pip(home)
    links = said.get("find-links", "").split()
    reached = [PACKAGES] if folder_of_packages(said) else [link for link in links if re.match("https?://", link)]
    said["find-links"] = " ".join(reached)
    if said.get("no-index", "").lower() in YES and not reached:
        raise ImageError(
            f"pip is told to take packages from {' and '.join(links) or 'nowhere'} alone (no-index), which no build of an image can read",
            "Name one folder, an index, or an address under find-links; `python3 -m pip config list` shows what pip is told.",
        )
    # several addresses stand on a line each
    lines = [f"{name} = {value}\n" for name in PIP_SETTINGS if (value := "\n  ".join(said.get(name, "").split()))]
    return "".join(["[global]\n", *lines]) if lines else ""


def step_of_build(name: str, line: str) -> None:
    """Tells the step that BuildKit's plain progress says it begins, such as ``#7 [builder 2/5] RUN npm ci``."""
    if match := re.match(r"#\d+ \[(?!internal)([^]]+)\] (.+)", line):
        waiting_for(f"building the image {name}: {match[1]} {match[2]}")
