"""Makes artifacts from package registries: Go modules, Debian packages and PyPI, each by its ordinary client.

Each client uses the machine's own configuration (index addresses, proxies, CA bundle); no address stands here.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.certain import certain
from ansible_collections.todochat.platform.plugins.module_utils.base.commands import Account, MissingProgramError, follow
from ansible_collections.todochat.platform.plugins.module_utils.base.environment import account, callers, path
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.machine.apt import apt_targets, validity_of_lists
from ansible_collections.todochat.platform.plugins.module_utils.store.image_archive import files_layer, filtered_layer, write_archive
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Artifact, ArtifactError, Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.store import BUILT, Store, remove_leftovers
from ansible_collections.todochat.platform.plugins.module_utils.store.supplies import GO_SETTINGS, go_file

# What no container needs at run time; dropping it keeps images small.
LEFT_OUT = (
    "usr/share/doc/",
    "usr/share/man/",
    "usr/share/info/",
    "usr/share/locale/",
    "usr/share/lintian/",
    "var/cache/apt/",
    "var/cache/debconf/",
    "var/lib/apt/lists/",
    "var/log/",
)
DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
LAST_LINES = 25


class Builder:
    """Builds artifacts into a store. ``cache`` keeps Go's module and build caches and the toolchain between builds."""

    def __init__(self, lock: Lock, store: Store, cache: Path) -> None:
        self.lock = lock
        self.store = store
        self.cache = cache

    def build(self, artifact: Artifact) -> None:
        """Builds one artifact and adds it to the store. Raises ArtifactError with the last lines of what failed."""
        with self.store.adding(artifact, origin=BUILT) as target, self._workspace() as work:
            binary = self._go(artifact, work) if "go" in artifact.build else None
            if not artifact.is_image:
                shutil.copyfile(certain(binary), target)  # a file is built by go
                return
            image: dict[str, Any] = artifact.build["image"]
            layers = []
            if "suite" in image:
                layers.append(self._rootfs(artifact.name, image, work))
            files = {destination: self._stored(name) for name, destination in artifact.build.get("artifacts", {}).items()}
            config = dict(image.get("config", {}))
            if binary is not None:
                files[image["binary"]] = binary
                config.setdefault("Entrypoint", [image["binary"]])
            if files:
                layers.append(work / "files.tar")
                files_layer(layers[-1], files)
            waiting_for(f"writing the image {artifact.name}")
            write_archive(target, artifact.reference, self.lock.architecture, layers, config)

    def _stored(self, name: str) -> Path:
        return self.store.verified(self.lock[name])

    @contextmanager
    def _workspace(self) -> Iterator[Path]:
        """A temporary folder in the cache: /tmp may be small, or in memory, and root file systems are large."""
        self.cache.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.cache, "build-*")  # only one build runs at a time: the store sees to that
        with tempfile.TemporaryDirectory(prefix="build-", dir=self.cache) as work:
            # mmdebstrap's helpers run as another user and must reach their files below it
            Path(work).chmod(0o755)
            os.chown(work, *self.store.owner)
            yield Path(work)

    def _go(self, artifact: Artifact, work: Path) -> Path:
        recipe: dict[str, Any] = artifact.build["go"]
        module = work / "module"
        shutil.copytree(self.lock.recipes / "go" / recipe["module"], module)
        output = work / artifact.name
        flags = ["-s", "-w", *(f"-X {name}={value}" for name, value in recipe.get("set", {}).items())]
        command = ["go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", f"-ldflags={' '.join(flags)}"]
        if recipe.get("tags"):
            command.append(f"-tags={','.join(recipe['tags'])}")
        environment = go_environment(self.lock.recipes / "go" / "toolchain.txt", self.cache, work, self.store.owner)
        environment["CGO_ENABLED"] = "1" if recipe.get("cgo") else "0"
        os.chown(module, *self.store.owner)
        # never as root: the caches belong to the user, whose next build must be able to write there
        run([*command, "-o", str(output), recipe["package"]], f"building {artifact.name}", environment, module, self.store.owner)
        return output

    def _rootfs(self, name: str, image: Mapping[str, Any], work: Path) -> Path:
        """A layer with Debian packages and, over them, the recipe's own files."""
        suite: str = image["suite"]
        packages: list[str] = list(image["packages"])
        sources = debian_sources(suite)
        hooks = []
        if "newer" in image:
            # these packages come from a later release, and nothing else does
            newer = image["newer"]
            sources += debian_sources(newer["suite"])
            packages += newer["packages"]
            pins = work / "preferences"
            pins.write_text(
                "".join(
                    f"Package: {names}\nPin: release n={newer['suite']}*\nPin-Priority: {priority}\n\n"
                    for names, priority in ((" ".join(newer["packages"]), 990), ("*", -1))
                )
            )
            hooks.append(f'--setup-hook=install -D {shlex.quote(str(pins))} "$1/etc/apt/preferences.d/newer"')
        if "overlay" in image:
            overlay = self.lock.recipes / "images" / image["overlay"]
            hooks.append(f'--customize-hook=cp -r --preserve=mode {shlex.quote(str(overlay))}/. "$1/"')
        if "customize" in image:
            hooks.append(f'--customize-hook=sh {shlex.quote(str(self.lock.recipes / "images" / image["customize"]))} "$1"')
        rootfs = work / "rootfs.tar"
        run(
            [
                "mmdebstrap",
                f"--variant={image.get('variant', 'minbase')}",
                "--mode=root",
                *(f"--aptopt={setting}" for setting in validity_of_lists()),
                f"--include={','.join(packages)}",
                *hooks,
                suite,
                str(rootfs),
                *sources,
            ],
            f"assembling the image {name} from Debian packages",
            {"TMPDIR": str(work)},
        )
        only = image.get("only")
        layer = work / "rootfs-layer.tar"
        filtered_layer(rootfs, layer, lambda path: path in only if only else not path.startswith(LEFT_OUT))
        rootfs.unlink()
        return layer


def go_environment(toolchain: Path, cache: Path, work: Path, owner: tuple[int, int] | None = None) -> dict[str, str]:
    """The variables under which `go` is the version that a requirements file pins, and keeps what it caches in a folder.

    It is installed from PyPI into that folder where it is not there yet; ``work`` is a temporary one on the same file system.
    """
    version = toolchain.read_text(encoding="utf-8").split("==")[1].split()[0]
    folder = cache / f"go-toolchain-{version}"
    if not folder.is_dir():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps"]
        there = ["--no-user", "--prefix=", "--root=/", f"--target={work / 'toolchain'}"]  # whatever a pip.conf says
        run([*pip, *there, "-r", str(toolchain)], "installing the Go toolchain", owner=owner)
        (work / "toolchain").rename(folder)
    home = Path(account(owner[0] if owner and os.geteuid() == 0 else os.geteuid())["HOME"])
    told = {name: value for name, value in go_file(home).items() if name in GO_SETTINGS and not callers().get(name)}
    return {
        **told,
        "GOENV": "off",  # what else stands in that file, such as another system to build for, is none of it
        "GOWORK": "off",  # nor is a workspace of a folder above
        "PATH": f"{folder / 'go' / 'bin'}:{path()}",
        "GOTOOLCHAIN": "local",  # the pinned one, never a download of another
        "GOFLAGS": "-modcacherw",  # so that removing the cache needs no chmod
        "GOPATH": str(cache / "go"),
        "GOCACHE": str(cache / "go-build"),
    }


def debian_sources(suite: str) -> list[str]:
    """apt source lines for a Debian release, from the addresses that this machine's own apt uses.

    Raises ArtifactError where apt has no Debian source to learn them from.
    """
    listed = apt_targets("--format", "$(REPO_URI) $(CODENAME) $(COMPONENT) $(ORIGIN)", "Created-By: Packages")
    main = security = ""
    for line in listed.splitlines():
        address, codename, component, *origin = line.split()
        if component != "main" or origin != ["Debian"]:
            continue
        if codename.endswith("-security"):
            security = security or address
        else:
            main = main or address
    if not main:
        raise ArtifactError(
            "apt on this machine has no source for Debian's main archive, so images cannot be assembled from its packages.",
            "Add one to /etc/apt/sources.list.d and run `sudo apt-get update`.",
        )
    lines = [(main, suite), (main, f"{suite}-updates")] + ([(security, f"{suite}-security")] if security else [])
    return [f"deb [signed-by={DEBIAN_KEYRING}] {address} {release} main" for address, release in lines]


def run(
    command: list[str],
    doing: str,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    owner: tuple[int, int] | None = None,
) -> None:
    """Runs a command, as another user and group where root is asked to; on failure raises ArtifactError with its last lines."""
    waiting_for(doing)
    try:
        status, lines = follow(
            command,
            lambda line: waiting_for(f"{doing}: {line}"),
            account=Account(*owner) if owner and os.geteuid() == 0 else None,
            variables=environment or {},
            folder=folder,
            outside=True,
        )
    except MissingProgramError:
        raise ArtifactError(f"{command[0]} is missing, needed for {doing}.", "Run without --skip-tags, which installs it.") from None
    if status:
        raise ArtifactError(
            f"{doing[0].upper()}{doing[1:]} failed: {command[0]} ended with exit status {status}.",
            "Mend what its last lines above name, often a registry that does not answer; then run the same command again, which goes on here.",
            "\n".join(lines[-LAST_LINES:]),
        )
