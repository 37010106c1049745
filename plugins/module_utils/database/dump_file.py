"""The file of a backup: a tar of `database.dump`, as pg_dump writes it, and `manifest.json`, which says what has to come out of it.

One file, so that the two cannot be separated; `tar -xOf FILE database.dump | pg_restore ...` works without us. It gets its name only
when it is complete and proven, and until then lies beside it under one that nobody takes for a backup.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pwd
import tarfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from ansible_collections.todochat.platform.plugins.module_utils.base.certain import certain
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError

FORMAT = 1
DUMP, MANIFEST = "database.dump", "manifest.json"
PARTIAL = ".todochat-backup.partial"
VERSION_TABLE = "alembic_version"
READERS_TABLE = "schema_readers"
"""Where migrations say which versions of the application can work with the schema, each by its last migration."""
READERS_SINCE = "0002"
"""The migration that makes that table: an application that knows it looks there."""


@dataclass(frozen=True)
class Contents:
    """What is in the application's schema of a database, at one moment."""

    namespace: str
    """The schema, as PostgreSQL calls it, that the login's tables are in."""
    server: int
    """Such as 170005 for 17.5."""
    revision: str
    """The migration that made the tables; empty where none did."""
    tables: Mapping[str, str]
    """Of each table its number of rows and a checksum of them, as in `3 1152921504606846975`."""
    readers: tuple[str, ...] = ()
    """What the schema says of who can work with it."""

    def rows(self) -> dict[str, int]:
        """Of each table of data its number of rows."""
        return {name: int(table.split()[0]) for name, table in self.tables.items() if name not in (VERSION_TABLE, READERS_TABLE)}

    def is_empty(self) -> bool:
        return not any(self.rows().values())

    def summary(self) -> str:
        """For a person."""
        return ", ".join(f"{name} {rows}" for name, rows in self.rows().items() if rows) or ("no rows" if self.tables else "no tables")

    def differences(self, found: Contents) -> str:
        """What is not the same in another one, for a person."""
        names = sorted(name for name in {*self.tables, *found.tables} if self.tables.get(name) != found.tables.get(name))
        return ", ".join(f"{name} ({self.tables.get(name, 'absent')} became {found.tables.get(name, 'absent')})" for name in names)


@dataclass(frozen=True)
class Manifest:
    """What a backup holds, and where it comes from."""

    made: str
    database: str
    contents: Contents
    grantees: tuple[str, ...]
    """The roles that have rights in it."""
    application: str
    """The image of the backend at that time; empty where that was not known."""
    sha256: str
    """Of the dump."""

    def text(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def parse(cls, text: bytes) -> Manifest:
        """Raises ValueError, KeyError or TypeError where it is none."""
        found: dict[str, Any] = json.loads(text)
        if found.pop("format") != FORMAT:
            raise ValueError
        contents = found.pop("contents")
        contents = Contents(**{**contents, "readers": tuple(contents.get("readers", ()))})  # older ones say nothing of it
        contents.rows()
        return cls(**{**found, "contents": contents, "grantees": tuple(found["grantees"])})


def fits(known: Sequence[str], revision: str, readers: Collection[str]) -> bool:
    """Whether an application that knows these migrations, its last one first, can work with a schema."""
    return not revision or revision in known or (READERS_SINCE in known and {revision, known[0]} <= set(readers))


@contextmanager
def new_file(path: Path, owner: str) -> Iterator[IO[bytes]]:
    """A file that gets its name at the end, and is gone where there is an error. Raises UserError."""
    account = pwd.getpwnam(owner)
    partial = path.parent / PARTIAL
    try:
        make_folders(path.parent, account)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        with os.fdopen(os.open(partial, flags, 0o600), "r+b") as file:
            lock(file, partial)
            file.truncate()  # what a killed run left
            try:
                os.fchown(file.fileno(), account.pw_uid, account.pw_gid)
                yield file
                file.flush()
                os.fsync(file.fileno())
                partial.rename(path)
            except BaseException:
                partial.unlink()
                raise
    except OSError as error:
        raise UserError(
            f"The backup {path} cannot be written: {error.strerror}", "Free space there, or write it elsewhere with FILE=PATH; nothing was left behind."
        ) from error


def make_folders(folder: Path, account: pwd.struct_passwd) -> None:
    """Makes a folder and its missing parents, for the owner alone."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    for made in reversed(missing):
        made.mkdir(mode=0o700)
        os.chown(made, account.pw_uid, account.pw_gid)


def lock(file: IO[bytes], path: Path) -> None:
    """One backup in a folder at a time; the lock ends with the process that holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The one before may have given the file its name between the opening and the lock.
        mine = os.path.samestat(os.fstat(file.fileno()), path.stat())
    except (BlockingIOError, FileNotFoundError):
        mine = False
    if not mine:
        raise UserError(f"Another backup is being written to {path.parent}", "Wait until it has ended, then run the same command again.")


def begin_dump(file: IO[bytes]) -> None:
    """What is written from here on is the dump; its header follows when its size is known."""
    file.write(b"\0" * tarfile.BLOCKSIZE)


def digest_of_dump(file: IO[bytes]) -> str:
    """The SHA-256 of the dump that was just written."""
    file.seek(tarfile.BLOCKSIZE)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def finish(file: IO[bytes], manifest: Manifest, when: int) -> None:
    """The dump's header, and the manifest behind it."""
    size = file.seek(0, os.SEEK_END) - tarfile.BLOCKSIZE
    text = manifest.text().encode()
    file.write(b"\0" * (-size % tarfile.BLOCKSIZE) + header(MANIFEST, len(text), when) + text)
    file.write(b"\0" * (-len(text) % tarfile.BLOCKSIZE) + b"\0" * 2 * tarfile.BLOCKSIZE)
    file.seek(0)
    file.write(header(DUMP, size, when))
    file.flush()


def header(name: str, size: int, when: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, when
    return info.tobuf(tarfile.GNU_FORMAT)


def read(path: Path) -> tuple[Manifest, int]:
    """The manifest of a backup that is whole, and where its dump begins. Raises UserError."""
    other = "Name a file that `make backup` wrote: make restore FILE=PATH"
    try:
        with tarfile.open(path, "r:") as tar:
            names = tar.getnames()
            if names[:1] != [DUMP]:
                raise UserError(f"{path} is no backup", other)
            text, dump = certain(tar.extractfile(MANIFEST)), certain(tar.extractfile(DUMP))
            manifest = Manifest.parse(text.read())
            if hashlib.file_digest(dump, "sha256").hexdigest() != manifest.sha256:  # type: ignore[arg-type]
                raise ValueError
            return manifest, tar.getmember(DUMP).offset_data
    except FileNotFoundError:
        raise UserError(f"There is no file {path}", other) from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}", other) from error
    except tarfile.TarError:
        raise UserError(f"{path} is no backup, or only the beginning of one", other) from None
    except (ValueError, KeyError, TypeError):
        raise UserError(f"The backup {path} is damaged: it is not what was written", "Use another backup; this one was not touched.") from None
