"""A bundle: one folder with all that README's commands take from outside, and how a machine takes it. Plain Python: `bootstrap` uses it before there is
anything else.

    manifest.json       each file: its path below the cache's folder, size in bytes, SHA-256, what it is, and who vouches for it
    manifest.json.sig   OpenSSH's signature of that, where somebody has signed it
    sbom.cdx.json       the same for scanners, as CycloneDX
    blobs/sha256/...    each content once, named by its hash, so that a copy of the folder brings only what is new
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

FORMAT = 1
MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
SBOM = "sbom.cdx.json"
# What ssh-keygen is told that the signature is for, so that one for something else does not count.
NAMESPACE = "todochat-bundle"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# Below the cache's folder: what goes into the store, and what is the bundle's.
STORE, TAKEN = "store", "bundle"
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
    """The manifest of a folder: its bytes, which are what is signed, and what they say. Raises BundleError."""
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{folder} holds no bundle: {MANIFEST}: {error.strerror}. Name the folder that `make bundle FILE=folder` has written.") from None
    try:
        manifest: dict[str, Any] = json.loads(content)
        if manifest["format"] != FORMAT:
            raise BundleError(f"{path} has the format {manifest['format']}, and {FORMAT} is known here. Write the bundle anew with these sources.")
        for entry in manifest["files"]:
            parts = PurePosixPath(entry["path"]).parts
            if parts[0] not in (STORE, TAKEN) or ".." in parts or set(entry["sha256"]) - set("0123456789abcdef"):
                raise ValueError(f"{entry['path']} is no place for a file of a bundle")
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise BundleError(f"{path} is damaged, and nothing of the bundle was used: {error}. {AGAIN}") from None
    return content, manifest


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
            f"{folder} was written for other sources than these: {', '.join(differs)} differs. "
            "Write it anew with these sources, or use those that it was written with."
        )


def take(folder: Path, cache: Path, content: bytes, manifest: Mapping[str, Any]) -> int:
    """Every file of the bundle lies below the cache's folder, compared with its hash on the way there; how many bytes were copied. Raises BundleError.

    It counts as taken when all of it is there.
    """
    before = hashes(cache)
    wrong: list[str] = []
    copied = 0
    for entry in manifest["files"]:
        target = cache / entry["path"]
        if is_there(target, entry, before):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if why := place(blob(folder, entry["sha256"]), target, entry["sha256"]):
            wrong.append(f"{entry['path']} ({why})")
        copied += entry["size"]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise BundleError(f"{folder} is damaged, and was not used: {', '.join(wrong[:3])}{more}. {AGAIN}")
    now = {entry["path"] for entry in manifest["files"]}
    for path in before:
        if path.startswith(f"{TAKEN}/") and path not in now:
            (cache / path).unlink(missing_ok=True)
    write(cache / TAKEN / MANIFEST, content)
    return copied


def is_there(target: Path, entry: Mapping[str, Any], before: Mapping[str, str]) -> bool:
    """A finished artifact of the store is never changed; of the rest what was compared when it was taken stays."""
    if entry["path"].startswith(f"{STORE}/"):
        return (target.parent / "record.json").is_file()
    return before.get(entry["path"]) == entry["sha256"] and target.is_file() and target.stat().st_size == entry["size"]


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


def hashes(cache: Path) -> dict[str, str]:
    """What was taken: the SHA-256 of each file by its path; nothing where no bundle is in use."""
    try:
        return {entry["path"]: entry["sha256"] for entry in read(cache / TAKEN)[1]["files"]}
    except BundleError:
        return {}


def is_content(path: Path, sha256: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
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


def apt_sources(folder: str, releases: Sequence[str]) -> Iterator[str]:
    """The lines that tell apt of the releases in a bundle's folder. Lists that nobody renews do not run out; Debian's signatures on them count."""
    for release in releases:
        for archive, suites in (("debian", f"{release} {release}-updates"), ("debian-security", f"{release}-security")):
            yield from (f"Types: deb\nURIs: file:{folder}/{archive}\nSuites: {suites}\nComponents: main\n".splitlines())
            yield from (f"Signed-By: {KEYRING}", "Check-Valid-Until: no", "Targets: Packages", "")


def apt_commands(cache: Path, release: str) -> list[list[str]]:
    """What root does, so that apt has Debian's packages from the bundle that was taken. The last one is what makes it so."""
    sources = cache / TAKEN / os.path.basename(APT_SOURCES)
    write(sources, "\n".join(apt_sources(APT_FOLDER, [release])).encode())
    alone = ["-o", f"Dir::Etc::SourceList={sources}", "-o", "Dir::Etc::SourceParts=-", "-o", "APT::Get::List-Cleanup=0"]
    return [
        ["rm", "-rf", APT_FOLDER],
        ["mkdir", "-p", os.path.dirname(APT_FOLDER)],
        ["cp", "-r", str(cache / APT), APT_FOLDER],
        ["apt-get", "--quiet=2", *alone, "update"],
        ["cp", str(sources), APT_SOURCES],
    ]
