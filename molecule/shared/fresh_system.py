#!/usr/bin/env python3
"""Freshly installed Debian systems for tests, as privileged containers.

    fresh_system.py image bookworm|trixie    print the Docker image of such a system, made here where there is none yet
    fresh_system.py furnish CONTAINER        give the running system what a new machine of a company has

The image holds what a newcomer's machine has: systemd, Python, make, sudo and one ordinary user, `tester`, who may use
it without a password. Its tag is a hash of this file, so a changed recipe makes a new image and an unchanged one none.
Needs root, mmdebstrap and Docker. Packages come from where this machine's own apt takes them. A company's certificates
and registries are this machine's; they are handed over to the running system, so that no image holds them.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PACKAGES = "systemd systemd-sysv dbus python3 sudo make iproute2 procps ca-certificates"
CLIENT_VARIABLES = re.compile(
    "(PIP_|UV_|NPM_CONFIG_|GO(PROXY|PRIVATE|NOPROXY|NOSUMDB|SUMDB)$|SSL_CERT_|REQUESTS_CA|CURL_CA|NODE_EXTRA_CA|(https?|no)_proxy$)", re.I
)
CUSTOMIZE = """
set -e
echo tester ALL=NOPASSWD:ALL > "$1/etc/sudoers.d/tester"
chroot "$1" useradd --create-home --shell /bin/bash tester
# Docker makes the missing folders above a mount, as root.
chroot "$1" install -d -o tester -g tester /home/tester/.cache /home/tester/.cache/todochat /home/tester/todochat /home/tester/todochat/.venv
# Empty, each system makes its own; absent, systemd would ask the questions of a first boot.
: > "$1/etc/machine-id"
rm -f "$1/etc/hostname"
# A container has neither kernel modules nor consoles of its own.
chroot "$1" systemctl mask systemd-modules-load.service console-getty.service getty@tty1.service
"""


def image_name(release: str) -> str:
    return f"todochat/fresh-{release}:{hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]}"


def image(release: str) -> str:
    """The image's name; the image exists afterwards."""
    name = image_name(release)
    if subprocess.run(["docker", "image", "inspect", name], capture_output=True, check=False).returncode == 0:
        return name
    with tempfile.TemporaryDirectory(prefix="fresh-system-") as work:
        Path(work).chmod(0o755)  # mmdebstrap's helpers run as another user
        hook = Path(work) / "customize"
        hook.write_text(CUSTOMIZE)
        rootfs = Path(work) / "rootfs.tar"
        run(
            [
                "mmdebstrap",
                "--variant=minbase",
                "--mode=root",
                f"--include={PACKAGES.replace(' ', ',')}",
                f'--customize-hook=sh {hook} "$1"',
                release,
                str(rootfs),
                *debian_sources(release),
            ],
            environment={**os.environ, "TMPDIR": work},
        )
        run(["docker", "import", "--change", 'CMD ["/sbin/init"]', str(rootfs), name])
    return name


def furnish(container: str) -> None:
    """Hand this machine's certificates and package clients' configuration over to a running system."""
    system, user = configuration(os.environ, Path.home())
    in_container = ["docker", "exec", "--interactive", container]
    run([*in_container, "tar", "--extract", "--directory=/"], archive(system))
    run([*in_container, "su", "tester", "--command", "tar --extract --directory=$HOME"], archive(user))
    run([*in_container, "update-ca-certificates"])


def archive(files: Mapping[str, bytes]) -> bytes:
    """A tar archive of the files, by path."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def run(command: list[str], stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> str:
    """What a command prints; where it fails, this ends with it."""
    process = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, check=False)
    said = process.stdout.decode(errors="replace")
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed. It said:\n{said[-4000:]}")
    return said


def debian_sources(release: str) -> list[str]:
    """apt's lines for a release, from the addresses that this machine's own apt uses. The product has its own such lines, which are under test."""
    form = "$(REPO_URI) $(CODENAME) $(COMPONENT) $(ORIGIN)"
    listed = [line.split() for line in run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"]).splitlines()]
    found = {codename.endswith("-security"): address for address, codename, *rest in reversed(listed) if rest == ["main", "Debian"]}
    if False not in found:
        sys.exit("apt on this machine has no source for Debian's main archive. Add one to /etc/apt/sources.list.d and run `apt-get update`.")
    lines = [(found[False], release), (found[False], f"{release}-updates")]
    lines += [(found[True], f"{release}-security")] if True in found else []
    return [f"deb [signed-by={KEYRING}] {address} {codename} main" for address, codename in lines]


def configuration(environment: Mapping[str, str], home: Path) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The files of a new machine by path, below / and below its user's home.

    Of the environment, a value that is a path is taken over only where it exists over there.
    """
    lines = [
        f"{name}={value}\n"
        for name, value in sorted(environment.items())
        if CLIENT_VARIABLES.match(name) and not re.match("/(?!etc/ssl/)", value)
    ]
    taken_over = [
        Path("/etc/pip.conf"),
        *Path("/usr/local/share/ca-certificates").glob("**/*.crt"),
        *(file for file in Path("/etc/apt/apt.conf.d").iterdir() if not of_a_package(file)),
    ]
    system = {str(file).lstrip("/"): file.read_bytes() for file in taken_over if file.is_file()}
    user = {name: (home / name).read_bytes() for name in (".config/pip/pip.conf", ".npmrc") if (home / name).is_file()}
    return system | {"etc/environment": "".join(lines).encode()}, user


def of_a_package(file: Path) -> bool:
    """Whether a Debian package, or the image of a container, put the file here rather than the machine's owner."""
    known = subprocess.run(["dpkg", "--search", str(file)], capture_output=True, check=False).returncode == 0
    return known or file.name.startswith("docker-")


if __name__ == "__main__":
    if sys.argv[1] == "image":
        print(image(sys.argv[2]))
    else:
        furnish(sys.argv[2])
