"""The file of the vault password, and the vaults that it opens. scripts/vault-password uses it too, outside of Ansible."""

from __future__ import annotations

import binascii
import errno
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import shlex
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK_SECONDS = 60
# Beside this, because a checkout without its history, and an installed collection, have to know them too.
TEXTS = Path(__file__).resolve().parents[2] / "plugins/plugin_utils/public_passwords.json"
SCRIPT = Path(__file__).resolve().parents[2] / "scripts/vault-password"


def config_dir() -> Path:
    """The directory of the password file and of every deployment's vault."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    # A relative XDG_CONFIG_HOME is to be ignored, says the XDG specification.
    return (Path(base) if os.path.isabs(base) else Path.home() / ".config") / "todochat"


def vaults(team: Path) -> list[Path]:
    """The vaults that only an existing password can open: the one that a team keeps, and those of all deployments."""
    return [path.resolve() for path in [team, *sorted(config_dir().glob("*/vault.yml"))] if path.exists()]


def opens(vault: bytes, password: bytes) -> bool:
    """Whether a vault was encrypted with that password (Ansible's format 1.1 and 1.2, AES256): by its checksum, without reading it."""
    header, _unused, body = vault.partition(b"\n")
    if not header.startswith(b"$ANSIBLE_VAULT;"):
        return False
    try:
        salt, checksum, ciphertext = (binascii.unhexlify(part) for part in binascii.unhexlify(b"".join(body.split())).split(b"\n", 2))
    except (binascii.Error, ValueError):
        return False
    # 32 bytes to encrypt with, 32 of the checksum, 16 of the counter
    key = hashlib.pbkdf2_hmac("sha256", password, salt, 10_000, dklen=80)
    return hmac.compare_digest(hmac.digest(key[32:64], ciphertext, "sha256"), checksum)


def public_passwords() -> list[bytes]:
    """What Ansible took for the password where it could not execute scripts/vault-password: each text that ever had, with either end of lines."""
    texts = [text.encode() for text in json.loads(TEXTS.read_text(encoding="utf-8"))]
    return [each.strip() for text in texts for each in (text, text.replace(b"\n", b"\r\n"))]


def public_password(vault: bytes) -> bytes:
    """The one of these that a vault opens with; empty where none does."""
    return next((password for password in public_passwords() if opens(vault, password)), b"")


def is_public(password: bytes) -> bool:
    """Whether it is the text of a script."""
    return password.startswith(b"#!")


def write_draft(path: Path, content: bytes) -> Path:
    """A private file beside `path` with that content, safe on the disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        draft.unlink()
        raise
    return draft


def create(path: Path, content: bytes) -> None:
    """Write a new file (0600), whole or not at all; FileExistsError where there is one."""
    draft = write_draft(path, content)
    try:
        os.link(draft, path)
    finally:
        draft.unlink()


def replace(path: Path, content: bytes) -> None:
    """Write a file (0600) in the place of the one there is, whole or not at all."""
    draft = write_draft(path, content)
    try:
        draft.replace(path)
    except OSError:
        draft.unlink()
        raise


def new_password() -> bytes:
    return f"{secrets.token_urlsafe(32)}\n".encode()


def read(path: Path) -> str:
    """The password in `path`; SystemExit when others could have read it, or when there is none in it."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise SystemExit(f"The vault password {path} is open to others (mode {mode:04o}): run  chmod 600 {shlex.quote(str(path))}")
    password = path.read_text(encoding="utf-8").strip()
    if not password:
        raise SystemExit(f"The vault password file {path} is empty: put the password into it.")
    return password


def is_locked(descriptor: int) -> bool:
    """Whether an open file is locked for this process now."""
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


@contextmanager
def locked() -> Iterator[None]:
    """One at a time changes vaults and their password."""
    config_dir().mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(config_dir(), os.O_RDONLY)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while not is_locked(descriptor):
            if time.monotonic() > deadline:
                raise OSError(errno.EBUSY, f"another run that changes vaults has not ended for {LOCK_SECONDS} s", str(config_dir()))
            time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


def switch(password: Path, content: bytes, encrypted: dict[Path, bytes]) -> None:
    """Put a new password and the vaults encrypted with it in the places of the old ones, all or none.

    Everything is written beside its place first. Once the new password stands there, whoever comes next finishes; before that, drafts are
    nobody's.
    """
    suffix = f".next-{secrets.token_hex(4)}"
    listed = listing(password, suffix)
    try:
        for path, vault in encrypted.items():
            create(path.with_name(path.name + suffix), vault)
        create(listed, "".join(f"{path}\n" for path in encrypted).encode())
        create(password.with_name(password.name + suffix), content)
    except OSError:
        for path in (*(path.with_name(path.name + suffix) for path in encrypted), listed):
            path.unlink(missing_ok=True)
        raise
    finish(password, encrypted)


def listing(password: Path, suffix: str) -> Path:
    """Which vaults a switch is about: those of another checkout than the one that finishes it are among them."""
    return password.with_name(f".{password.name}{suffix}.vaults")


def finish(password: Path, files: Iterable[Path]) -> bool:
    """Finish a switch to a new password that was broken off; whether there was one. It may be done by several at a time."""
    markers = sorted(password.parent.glob(f"{password.name}.next-*"))
    for marker in markers:
        suffix = marker.name.removeprefix(password.name)
        listed = listing(password, suffix)
        with suppress(FileNotFoundError):
            also = [Path(line) for line in listed.read_text(encoding="utf-8").splitlines()] if listed.exists() else []
            for path in dict.fromkeys([*files, *also]):
                draft = path.with_name(path.name + suffix)
                if draft.exists():
                    draft.replace(path)
            marker.replace(password)
            listed.unlink(missing_ok=True)
    return bool(markers)
