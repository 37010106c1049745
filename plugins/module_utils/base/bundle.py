"""A bundle: one folder with all that README's commands take from outside, and how a machine takes it. Plain Python: `bootstrap` uses it before there is
anything else.

    manifest.json           each file: its path below the cache's folder, size in bytes, SHA-256, what it is, and who vouches for it
    manifest.json.sha256    its SHA-256, as sha256sum writes it
    manifest.json.sig       OpenSSH's signature of that, where somebody has signed it
    sbom.cdx.json           the same for scanners, as CycloneDX
    blobs/sha256/...        each content once, named by its hash, so that a copy of the folder brings only what is new
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

FORMAT = 1
MANIFEST = "manifest.json"
SUM = "manifest.json.sha256"
SIGNATURE = "manifest.json.sig"
SBOM = "sbom.cdx.json"
# What ssh-keygen is told that the signature is for, so that one for something else does not count.
NAMESPACE = "todochat-bundle"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# Below the cache's folder: what goes into the store, and what is the bundle's.
STORE, TAKEN = "store", "bundle"
RECORD = "record.json"
PACKAGES, APT = f"{TAKEN}/packages", f"{TAKEN}/apt"
# Where apt reads it, which is another user meanwhile.
APT_FOLDER = "/var/lib/todochat/apt"
APT_SOURCES = "/etc/apt/sources.list.d/todochat-bundle.sources"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
BLOCK = 1 << 20
AGAIN = "Copy it again from where it was written, or write it anew there (`make bundle FILE=folder`), then run the same command again."


class BundleError(Exception):
    """A bundle is not as it has to be: what is wrong with which file, and what to do, in two sentences."""


def blob(folder: Path, sha256: str) -> Path:
    return folder / "blobs/sha256" / sha256


def read(folder: Path) -> tuple[bytes, dict[str, Any]]:
    """The manifest of a folder, whole: its bytes, which are what is signed, and what they say. Raises BundleError."""
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{folder} holds no bundle: {MANIFEST}: {error.strerror}. Name the folder that `make bundle FILE=folder` has written.") from None
    manifest = parsed(path, content)
    said = folder / SUM
    for name, is_whole in ((MANIFEST, said.is_file() and said.read_bytes() == sum_of(content)), (SBOM, is_content(folder / SBOM, manifest["sbom"]))):
        if not is_whole:
            raise BundleError(f"{folder / name} is damaged, and nothing of the bundle was used: its SHA-256 is another than was written. {AGAIN}")
    return content, manifest


def sum_of(content: bytes) -> bytes:
    """What stands beside a manifest."""
    return f"{hashlib.sha256(content).hexdigest()}  {MANIFEST}\n".encode()


def parsed(path: Path, content: bytes) -> dict[str, Any]:
    """What a manifest says. Raises BundleError."""
    try:
        manifest: dict[str, Any] = json.loads(content)
        if manifest["format"] != FORMAT:
            raise BundleError(f"{path} has the format {manifest['format']}, and {FORMAT} is known here. Write the bundle anew with these sources.")
        for entry in manifest["files"]:
            parts = PurePosixPath(entry["path"]).parts
            if parts[0] not in (STORE, TAKEN) or ".." in parts or not re.fullmatch("[0-9a-f]{64}", entry["sha256"]) or not isinstance(entry["size"], int):
                raise ValueError(f"{entry['path']} is no place for a file of a bundle")
        _ = manifest["sbom"], manifest["architecture"], [*manifest["releases"]], {**manifest["sources"]}
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise BundleError(f"{path} is damaged, and nothing of the bundle was used: {error}. {AGAIN}") from None
    return manifest


def verify(folder: Path, content: bytes, key: str, run: Callable[[Sequence[str], bytes], tuple[int, str]]) -> str:
    """That one of the public keys in a file has signed the manifest, where a key is named; what became of that. Raises BundleError.

    ``run`` gives a program that on its standard input, and says its exit status, and what it printed.
    """
    signature = folder / SIGNATURE
    if not key:
        return "is signed, which was not checked: KEY=file names the public key" if signature.is_file() else "is not signed"
    if not signature.is_file():
        raise BundleError(f"{folder} is not signed: there is no {SIGNATURE}. Have it signed (KEY=file of `make bundle`), or leave KEY out.")
    try:
        lines = Path(key).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise BundleError(f"{key}, the public key, cannot be read: {error}. Name a file like id_ed25519.pub.") from None
    with tempfile.NamedTemporaryFile("w", suffix=".signers") as signers:
        signers.writelines(f'{NAMESPACE} namespaces="{NAMESPACE}" {line}\n' for line in lines if line.strip() and not line.startswith("#"))
        signers.flush()
        try:
            status, said = run(["ssh-keygen", "-Y", "verify", "-f", signers.name, "-I", NAMESPACE, "-n", NAMESPACE, "-s", str(signature)], content)
        except FileNotFoundError:
            raise BundleError("ssh-keygen, which checks signatures, is missing. Install openssh-client, then run the same command again.") from None
    if status:
        words = " ".join(said.split())
        raise BundleError(f"{signature} is no signature of this bundle by {key}: {words}. Do not use it; get one from somebody whose key you have.")
    return f"is signed by {key}"


def require_fitting(folder: Path, manifest: Mapping[str, Any], checkout: Path, release: str, machine: str) -> None:
    """That the bundle is for this machine and these sources. Raises BundleError."""
    for what, here, has in (
        ("Debian", release, manifest["releases"]),
        ("processor", ARCHITECTURES.get(machine, machine), [manifest["architecture"]]),
    ):
        if here not in has:
            raise BundleError(f"{folder} is for the {what} {' and '.join(has)}, and this machine has {here or 'another'}. Take one that is written for it.")
    differs = [name for name, sha256 in manifest["sources"].items() if not is_content(checkout / name, sha256)]
    if differs:
        raise BundleError(
            f"{folder} was written for other sources than these: {some(differs)} differs. "
            "Write it anew with these sources, or use those that it was written with."
        )


def some(names: Sequence[str]) -> str:
    """The first of many."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def in_use(cache: Path) -> dict[str, Any] | None:
    """What the bundle says that was taken into a cache; None where none was."""
    path = cache / TAKEN / MANIFEST
    try:
        return parsed(path, path.read_bytes())
    except (OSError, BundleError):
        return None


def take(folder: Path, cache: Path, content: bytes, manifest: Mapping[str, Any]) -> int:
    """Every file of the bundle lies below the cache's folder, compared with its hash on the way there; how many bytes were copied. Raises BundleError.

    It counts as taken when all of it is there.
    """
    wrong: dict[Path, str] = {}
    copied = 0
    try:
        # an artifact counts as finished where its record is
        for entry in sorted(manifest["files"], key=lambda entry: str(entry["path"]).endswith(RECORD)):
            target = cache / entry["path"]
            if is_there(target, entry) or (target.name == RECORD and target.parent in wrong):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if why := place(blob(folder, entry["sha256"]), target, entry["sha256"]):
                wrong[target.parent] = f"{entry['path']} ({why})"
            copied += entry["size"]
        if wrong:
            raise BundleError(f"{folder} is damaged, and was not used: {some([*wrong.values()])}. {AGAIN}")
        now = {entry["path"] for entry in manifest["files"]}
        for entry in (in_use(cache) or {"files": ()})["files"]:
            if entry["path"].startswith(f"{TAKEN}/") and entry["path"] not in now:
                (cache / entry["path"]).unlink(missing_ok=True)
        write(cache / TAKEN / MANIFEST, content)
    except OSError as error:
        raise BundleError(f"{error.filename or cache} cannot be written: {error.strerror}. Mend that, then run the same command again.") from None
    return copied


def is_there(target: Path, entry: Mapping[str, Any]) -> bool:
    """A finished artifact of the store is never changed; the rest is compared."""
    if entry["path"].startswith(f"{STORE}/"):
        return (target.parent / RECORD).is_file()
    return is_content(target, entry["sha256"])


def place(source: Path, target: Path, sha256: str) -> str:
    """Copies a blob, where its content is what its name says; else why not."""
    draft = target.with_name(f".{target.name}.new")
    try:
        with source.open("rb") as blocks, draft.open("wb") as copy:
            digest = hashlib.sha256()
            while block := blocks.read(BLOCK):
                digest.update(block)
                copy.write(block)
    except FileNotFoundError:
        return f"{source} is missing"
    except OSError as error:
        raise BundleError(f"{error.filename or source} cannot be copied to {target}: {error.strerror}. Mend that, then run the same command again.") from None
    if digest.hexdigest() != sha256:
        draft.unlink()
        return f"{source} has the SHA-256 {digest.hexdigest()}"
    draft.replace(target)
    return ""


def is_content(path: Path, sha256: str) -> bool:
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == sha256
    except OSError:
        return False


def write(path: Path, content: bytes) -> None:
    """Whole, or not at all."""
    draft = path.with_name(f".{path.name}.new")
    draft.write_bytes(content)
    draft.replace(path)


def variables(cache: Path) -> dict[str, str]:
    """What pip is told where a bundle is in use: its packages, and nothing else."""
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": (cache / PACKAGES).as_uri()} if (cache / TAKEN / MANIFEST).is_file() else {}


def apt_sources(folder: str, tree: Path, releases: Sequence[str], architecture: str) -> Iterator[str]:
    """The lines that tell apt of the releases whose lists are in ``tree``, which apt finds as ``folder``.

    Lists that nobody renews do not run out; Debian's signatures on them count.
    """
    for release in releases:
        for archive, suites in (("debian", (release, f"{release}-updates")), ("debian-security", (f"{release}-security",))):
            if there := [suite for suite in suites if (tree / archive / "dists" / suite).is_dir()]:
                yield from (f"Types: deb\nURIs: file:{quote(folder)}/{archive}\nSuites: {' '.join(there)}\nComponents: main\n".splitlines())
                yield from (f"Architectures: {architecture}", f"Signed-By: {KEYRING}", "Check-Valid-Until: no", "Targets: Packages", "")


def apt_commands(cache: Path, content: bytes, release: str, machine: str) -> list[list[str]]:
    """What root does, so that apt has Debian's packages from the bundle that was taken; nothing where it has them. The last one is what makes it so."""
    sources, mark = cache / TAKEN / os.path.basename(APT_SOURCES), os.path.join(APT_FOLDER, MANIFEST)
    said = "\n".join(apt_sources(APT_FOLDER, cache / APT, [release], ARCHITECTURES[machine])).encode()
    if all(is_content(Path(path), hashlib.sha256(wanted).hexdigest()) for path, wanted in ((APT_SOURCES, said), (mark, content))):
        return []
    write(sources, said)
    alone = ["-o", f"Dir::Etc::SourceList={sources}", "-o", "Dir::Etc::SourceParts=-", "-o", "APT::Get::List-Cleanup=0"]
    return [
        ["rm", "-rf", f"{APT_FOLDER}.new"],
        ["mkdir", "-p", os.path.dirname(APT_FOLDER)],
        ["cp", "-r", str(cache / APT), f"{APT_FOLDER}.new"],
        ["rm", "-rf", APT_FOLDER],
        ["mv", f"{APT_FOLDER}.new", APT_FOLDER],
        ["apt-get", "--quiet=2", *alone, "update"],
        ["cp", str(sources), APT_SOURCES],
        ["cp", str(cache / TAKEN / MANIFEST), mark],
    ]
