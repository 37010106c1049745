"""The schema of the application's database: who can work with it, and the backups that belong to its changes.

A new version of the backend migrates the schema when it starts. An older one can still serve where it knows the schema's revision, or where
the migrations that came since have said in a table that they leave its own in use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.words import short
from ansible_collections.todochat.platform.plugins.module_utils.database import dump_file
from ansible_collections.todochat.platform.plugins.module_utils.database.backup import Restored, look, may_be_written, now, refusal, restore, take
from ansible_collections.todochat.platform.plugins.module_utils.database.client import Address, Session, Workbench, known_revisions
from ansible_collections.todochat.platform.plugins.module_utils.store.load import is_loaded, load
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store

ARGUMENTS = {
    "url": {"type": "str", "required": True, "no_log": True},
    "lock": {"type": "path", "required": True},
    "store": {"type": "path", "required": True},
    "directory": {"type": "path", "required": True},
    "owner": {"type": "str", "required": True},
}
"""What modules are told of a database, as their option `database`."""


@dataclass(frozen=True)
class Schema:
    """What the database says of its schema."""

    revision: str
    """The last migration; empty where none has been."""
    readers: frozenset[str] = frozenset()
    """The revisions whose code can work with it, its own among them."""

    def refusal(self, known: Sequence[str]) -> str:
        """Why an image that knows these revisions, its own first, cannot work with it; empty where it can."""
        if dump_file.fits(known, self.revision, self.readers):
            return ""
        return f"the database's schema is {self.revision}, which code made for {known[0]} cannot use"


@dataclass(frozen=True)
class Database:
    """The application's database, and where its backups are; named by what the deployment is called."""

    url: str
    lock: str
    store: str
    directory: str
    owner: str
    deployment: str

    @property
    def address(self) -> Address:
        return Address.parse(self.url)

    @contextmanager
    def session(self) -> Iterator[tuple[Workbench, Session]]:
        """A session, with PostgreSQL's programs beside it. Their image is loaded where Docker does not have it. Raises UserError."""
        image = Lock(Path(self.lock))["postgres"]
        if not is_loaded(image):
            load(image, Store(Path(self.store)))
        with Workbench(image.reference, self.address) as bench, bench.session("database") as session:
            yield bench, session

    def schema(self) -> Schema:
        """Raises UserError where the database does not answer."""
        with self.session() as (_unused, session):
            return schema(session)

    def known_revisions(self, image: str) -> list[str]:
        """The revisions that an image of the backend knows, its own first. Raises UserError."""
        return known_revisions(image)

    def file_before(self, revision: int | str) -> Path:
        """The backup that is made now, before something comes."""
        return Path(self.directory).expanduser() / f"{self.deployment}-{now()}-before-{revision}.tar"

    def back_up_before_migration(self, image: str, replaced: str, revision: int, check_mode: bool) -> str:
        """Where an image of the backend is going to migrate data, backs it up first; says so in a sentence, empty where there is nothing to do.

        ``replaced`` is the image that made the data, ``revision`` the deployment's that comes now. Raises UserError; then there is no file.
        """
        with self.session() as (bench, session):
            session.ask("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            found = schema(session)
            if not found.revision or found.revision == self.known_revisions(image)[0]:
                return ""
            contents, size = look(session)
            if contents.is_empty():
                return ""
            path = self.file_before(revision)
            if check_mode:
                may_be_written(path, size)
            else:
                take(bench, session, path, self.owner, replaced)
        return f"the database is backed up to {path}, as image {short(image.rpartition('@')[2])} is going to migrate it"

    def backup_before(self, revision: int, since: str, known: Sequence[str]) -> Path:
        """The newest backup made before a later revision than this one came, of a schema that its image can work with. Raises UserError.

        ``since`` is when the revision came, as in 2026-01-02T03:04:05: in an earlier cluster there were revisions of the same numbers.
        """
        name = re.compile(rf"{re.escape(self.deployment)}-\w+-before-(\d+)\.tar")
        folder = Path(self.directory).expanduser()
        there = sorted(folder.glob(f"{self.deployment}-*-before-*.tar"), reverse=True)
        later = [path for path in there if (match := name.fullmatch(path.name)) and int(match[1]) > revision]
        for path in later:
            manifest, _unused = dump_file.read(path)
            if manifest.made < since.replace("-", "").replace(":", ""):
                continue
            if manifest.database == self.address.database and dump_file.fits(known, manifest.contents.revision, manifest.contents.readers):
                return path
        raise UserError(
            f"In {folder} is no backup, made before an upgrade, of the schema of revision {revision}",
            "Name a backup: make rollback ARGS='-e restore=FILE'",
            "\n".join(map(str, there)),
        )

    def restore(self, path: Path, known: Sequence[str], application: str, check_mode: bool) -> Restored:
        """Puts a backup in the place of what is there, which is backed up first, where code that knows these revisions is to use it.

        In check mode only all that can keep it from that is looked at. Raises UserError; then what was there is there.
        """
        manifest, start = dump_file.read(path)
        undo, database = self.file_before("restore"), self.address.database
        with self.session() as (bench, session):
            found, size = look(session)
            if refused := refusal(manifest, found, known, database, database):
                raise refused
            if not found.is_empty():
                may_be_written(undo, size)
            if check_mode:
                return Restored(found, "" if found.is_empty() else str(undo), ())
            return restore(bench, session, path, manifest, start, undo=undo, owner=self.owner, application=application, replace=database)


def schema(session: Session) -> Schema:
    """What a session sees of it."""
    return Schema("".join(column(session, "version_num", dump_file.VERSION_TABLE)), frozenset(column(session, "revision", dump_file.READERS_TABLE)))


def column(session: Session, name: str, table: str) -> list[str]:
    """A column of a table, of which there may be none."""
    there = session.ask(f"SELECT to_regclass('{table}') IS NOT NULL")
    return session.ask(f"SELECT {name} FROM {table}") if there == ["t"] else []


def database(given: dict[str, Any], deployment: str) -> Database:
    """From a module's option of that name."""
    return Database(**given, deployment=deployment)
