"""What there is of a Docker engine on this machine, and where Debian's next release would come from.

Plain Python without Ansible. Everything is read from below ``root`` (a test's own folder, ``/`` otherwise).
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils import host

ROOT = Path("/")
SOCKET = "var/run/docker.sock"
ANSWER_SECONDS = 20
LOG_LINES = 15
PACKAGES = ("docker.io", "containerd", "docker-cli", "docker-buildx", "docker-compose")
PLUGIN_FOLDERS = (
    "usr/local/lib/docker/cli-plugins",
    "usr/local/libexec/docker/cli-plugins",
    "usr/lib/docker/cli-plugins",
    "usr/libexec/docker/cli-plugins",
)


@dataclass(frozen=True)
class Repository:
    """One apt repository: its base URI, and the value of its Signed-By, "" where apt's own keyrings count."""

    uri: str
    signed_by: str


def last_lines(root: Path = ROOT) -> str:
    """The end of the engine's log."""
    if host.init_system(root) == "systemd":
        journal = ["journalctl", "--unit=docker.service", f"--lines={LOG_LINES}", "--output=cat", "--no-pager"]
        return subprocess.run(journal, capture_output=True, text=True, check=False).stdout
    log = root / "var/log/docker.log"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    return "\n".join(lines[-LOG_LINES:])


def ask(request: str, path: Path = ROOT / SOCKET) -> Any:
    """What the engine behind the socket answers, such as to ``/info``; None where none answers. Needs the right to open the socket."""
    connection = http.client.HTTPConnection("docker", timeout=ANSWER_SECONDS)
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(ANSWER_SECONDS)
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
    daemon = shutil.which("dockerd")
    if daemon is None:
        return ""
    printed = subprocess.run([daemon, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"version (\S+?),", printed)
    return match.group(1) if match else ""


def interrupted_packages(names: Iterable[str]) -> list[str]:
    """Those of the Debian packages that dpkg has begun with and not finished, as after a power cut."""
    asked = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\\n", *names]
    try:
        printed = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return []  # no Debian, no dpkg
    states = dict(line.split() for line in printed.splitlines())
    return [name for name, state in states.items() if state not in ("installed", "not-installed", "config-files")]


def plugin_is_installed(name: str, homes: Iterable[Path], root: Path = ROOT) -> bool:
    """Whether the ``docker`` command finds the plugin, for everybody or in one of the given home folders."""
    folders = [root / folder for folder in PLUGIN_FOLDERS] + [home / ".docker/cli-plugins" for home in homes]
    return any((folder / f"docker-{name}").exists() for folder in folders)


def missing_packages(installed: str, homes: Iterable[Path]) -> list[str]:
    """Debian's packages for what there is not; ``installed`` is the engine's version."""
    missing = [] if installed else ["docker.io", "containerd"]
    if shutil.which("docker") is None:
        missing.append("docker-cli")
    missing += [f"docker-{name}" for name in ("buildx", "compose") if not plugin_is_installed(name, homes)]
    # a program may be there although its package is not set up yet
    return missing + [name for name in interrupted_packages(PACKAGES) if name not in missing]


def apt_targets(*options: str) -> str:
    """What `apt-get indextargets` prints with these options; empty where there is no apt."""
    if shutil.which("apt-get") is None:
        return ""
    # before lists were ever fetched, apt names its sources only without what their Release files would say
    printed = (
        subprocess.run(["apt-get", "indextargets", *more, *options], capture_output=True, text=True, check=False).stdout
        for more in ([], ["--no-release-info"])
    )
    return next(filter(None, printed), "")


def debian_repository(targets: str, release: str, root: Path = ROOT) -> Repository | None:
    """The repository that this machine takes Debian's ``release`` from, None where apt knows none.

    ``targets`` is what ``apt-get indextargets`` prints. Origin is known only once the lists were fetched; a repository
    known to be somebody else's is never taken.
    """
    candidates = [
        entry
        for entry in (_fields(paragraph) for paragraph in targets.split("\n\n"))
        if entry.get("Created-By") == "Packages"
        and entry.get("Component") == "main"
        and release in (entry.get("Release", "").rstrip("/"), entry.get("Codename"))
        and entry.get("Origin", "Debian") == "Debian"
    ]
    if not candidates:
        return None
    best = max(candidates, key=lambda entry: "Origin" in entry)
    return Repository(best["Repo-URI"], _signed_by(best.get("Sourcesentry", ""), root))


def _fields(paragraph: str) -> dict[str, str]:
    """A paragraph in Debian's control format; continuation lines stay as they are."""
    fields: dict[str, str] = {}
    name = ""
    for line in paragraph.splitlines():
        if line.startswith("#"):
            continue
        if line[:1] in (" ", "\t") and name:
            fields[name] += f"\n{line}"
        elif ":" in line:
            name, value = line.split(":", 1)
            name = name.strip()
            fields[name] = value.strip()
    return fields


def _signed_by(entry: str, root: Path) -> str:
    """Signed-By of a source that apt names as ``file:number``: a line of a .list, a paragraph of a .sources file."""
    path, _, number = entry.rpartition(":")
    file = root / path.lstrip("/")
    if not number.isdigit() or not file.is_file():
        return ""
    text = file.read_text(encoding="utf-8")
    index = int(number) - 1
    if path.endswith(".sources"):
        paragraphs = [fields for fields in map(_fields, re.split(r"\n[ \t]*\n", text)) if fields]
        if index >= len(paragraphs):
            return ""
        return {name.lower(): value for name, value in paragraphs[index].items()}.get("signed-by", "")
    lines = text.splitlines()
    match = re.search(r"\[.*?signed-by=([^\]\s]+)", lines[index]) if index < len(lines) else None
    return match.group(1) if match else ""
