"""What there is of a Docker engine on this machine, and where Debian's next release would come from.

Plain Python without Ansible. Everything is read from below ``root`` (a test's own folder, ``/`` otherwise).
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
from pathlib import Path
from typing import IO, Any

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import ANSWER_SECONDS, run, which
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.machine import host
from ansible_collections.todochat.platform.plugins.module_utils.machine.apt import interrupted_packages
from ansible_collections.todochat.platform.plugins.module_utils.machine.host import ROOT

SOCKET = "var/run/docker.sock"
# Whatever context or configuration a user has: this machine's engine, and no file of anybody's.
VARIABLES = {"DOCKER_HOST": f"unix:///{SOCKET}", "DOCKER_CONFIG": "/var/lib/todochat/docker", "DOCKER_BUILDKIT": "1"}
SOCKET_SECONDS = 20
LOG_LINES = 15
PACKAGES = ("docker.io", "containerd", "docker-cli", "docker-buildx", "docker-compose")
PLUGIN_FOLDERS = (
    "usr/local/lib/docker/cli-plugins",
    "usr/local/libexec/docker/cli-plugins",
    "usr/lib/docker/cli-plugins",
    "usr/libexec/docker/cli-plugins",
)


def docker(*arguments: str, stdin: str | IO[bytes] = "", seconds: float = ANSWER_SECONDS) -> subprocess.CompletedProcess[str]:
    """What the docker command printed, and its exit status, whatever that is. Raises MissingProgramError and StuckProgramError."""
    return run("docker", *arguments, stdin=stdin, seconds=seconds, variables=VARIABLES)


def last_lines(root: Path = ROOT) -> str:
    """The end of the engine's log."""
    if host.init_system(root) == "systemd":
        journal = ["journalctl", "--unit=docker.service", f"--lines={LOG_LINES}", "--output=cat", "--no-pager"]
        return run(*journal).stdout
    log = root / "var/log/docker.log"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    return "\n".join(lines[-LOG_LINES:])


def ask(request: str, path: Path = ROOT / SOCKET) -> Any:
    """What the engine behind the socket answers, such as to ``/info``; None where none answers. Needs the right to open the socket."""
    connection = http.client.HTTPConnection("docker", timeout=SOCKET_SECONDS)
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(SOCKET_SECONDS)
            client.connect(str(path))
            connection.sock = client
            connection.request("GET", request)
            return json.load(connection.getresponse())
    except (OSError, http.client.HTTPException, ValueError):
        return None


def answering_version(path: Path = ROOT / SOCKET) -> str:
    """The version of the engine behind the socket, "" where none answers."""
    answer = ask("/version", path)
    return str(answer.get("Version", "")) if isinstance(answer, dict) else ""


def installed_version() -> str:
    """The version of the engine installed, running or not; "" where there is none."""
    daemon = which("dockerd")
    if daemon is None:
        return ""
    printed = run(daemon, "--version").stdout
    match = re.search(r"version (\S+?),", printed)
    return match.group(1) if match else ""


def stand_in(path: Path = ROOT / SOCKET) -> str:
    """What there is in Docker's place, by its name and version, such as "Podman 4.3.1"; "" where it is Docker itself, or nothing."""
    command = which("docker")
    if command and (podman := re.match(r"podman version (\S+)", run(command, "--version").stdout)):
        return f"Podman {podman[1]}"
    answer = ask("/version", path)
    if not isinstance(answer, dict):
        return ""
    if any(part.get("Name") == "Podman Engine" for part in answer.get("Components") or []):
        return f"Podman {answer.get('Version', '')}"
    product = str((answer.get("Platform") or {}).get("Name", ""))
    return product if product.startswith("Docker Desktop") else ""


def refusal(name: str) -> UserError:
    """Why nothing can be made in what stands in Docker's place."""
    if name.startswith("Podman"):
        return UserError(
            f"What is called docker on this machine is {name}, which cannot run the cluster's node as Docker does.",
            "Take the name away from it, then run the same command again, which installs Docker beside it: "
            "`sudo apt-get remove podman-docker`, and `sudo rm /var/run/docker.sock` where that leads to Podman's.",
        )
    return UserError(
        f"The Docker of this machine is {name}, which runs containers in a virtual machine of its own, whose networks and volumes this one does not have.",
        "Turn it off for this machine (under WSL: Settings, Resources, WSL integration), then run the same command again, which installs Docker here.",
    )


def plugin_is_installed(name: str, root: Path = ROOT) -> bool:
    """Whether the ``docker`` command finds the plugin, whoever calls it: one in a home is that user's alone."""
    return any((root / folder / f"docker-{name}").exists() for folder in PLUGIN_FOLDERS)


def missing_packages(installed: str) -> list[str]:
    """Debian's packages for what there is not; ``installed`` is the engine's version."""
    missing = [] if installed else ["docker.io", "containerd"]
    if which("docker") is None:
        missing.append("docker-cli")
    missing += [f"docker-{name}" for name in ("buildx", "compose") if not plugin_is_installed(name)]
    # a program may be there although its package is not set up yet
    return missing + [name for name in interrupted_packages(PACKAGES) if name not in missing]


LABEL = "todochat.deployment"
"""On all that a deployment makes in Docker; its value is the deployment's name."""
NODE_LABEL = "name.minikube.sigs.k8s.io"
"""On the container and the volume of each node that minikube makes; its value is the node's name, which is the profile's for the first."""
