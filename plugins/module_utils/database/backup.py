"""Taking a backup of the application's database and putting one back, each proven before it counts.

A backup is one snapshot: rows are counted in it, pg_dump takes it up, and the dump is restored into an empty server, where the same has
to be found. A restore is one transaction: the old tables go, the new ones come, the same has to be found, and only then it is committed.
It uses the login that the application uses, so that everything belongs to whom the application's own migrations would give it.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from ansible_collections.todochat.platform.plugins.module_utils.base.certain import certain
from ansible_collections.todochat.platform.plugins.module_utils.base.commands import within
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import copy, waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.base.words import human
from ansible_collections.todochat.platform.plugins.module_utils.database import dump_file
from ansible_collections.todochat.platform.plugins.module_utils.database.client import DATA_SECONDS, DatabaseError, Session, Workbench, free, last_line, text_of
from ansible_collections.todochat.platform.plugins.module_utils.database.dump_file import Contents, Manifest
from ansible_collections.todochat.platform.plugins.module_utils.images.content import ImageError
from ansible_collections.todochat.platform.plugins.module_utils.images.pushed import Pushed
from ansible_collections.todochat.platform.plugins.module_utils.images.registry import registry
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import docker

ARGUMENTS = {
    **{name: {"type": "str", "required": True} for name in ("image", "owner")},
    "url": {"type": "str", "required": True, "no_log": True},
    "application": {"type": "str", "default": ""},
    "file": {"type": "path", "required": True},
}
"""What both modules are told."""
AGAIN = "Nothing was changed. Mend what it says, then run the same command again."
# An empty server's own files.
TRIAL_BYTES = 150_000_000
# The application's transactions end by themselves before that.
WRITERS_SECONDS = 20
READERS_SECONDS = 2
READERS_TRIES = 15
# What belongs to an extension comes with it.
OWN = "NOT EXISTS (SELECT FROM pg_depend WHERE objid = o.oid AND deptype = 'e')"
IN_NAMESPACE = "current_schema()::regnamespace"
# What the server itself does not keep through a crash is no data.
KEPT = "relpersistence <> 'u'"

LOOK = f"""SELECT json_build_object(
    'namespace', current_schema(), 'server', current_setting('server_version_num')::int,
    'size', (SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class AS o WHERE relnamespace = {IN_NAMESPACE} AND relkind = 'r'),
    'tables', (SELECT coalesce(json_object_agg(relname, format('%I.%I', current_schema(), relname) ORDER BY relname), '{{}}')
               FROM pg_class AS o WHERE relnamespace = {IN_NAMESPACE} AND relkind = 'r' AND {KEPT} AND {OWN}))"""
COUNT = """SELECT concat_ws(' ', count(*), coalesce(sum(('x' || left(md5(convert_to((t.*)::text, 'UTF8')), 15))::bit(60)::bigint), 0)) FROM {} AS t"""
# Whoever has to be there for the rights to be given again.
GRANTEES = f"""SELECT pg_get_userbyid(defaclrole) FROM pg_default_acl WHERE defaclnamespace = {IN_NAMESPACE} UNION
    SELECT pg_get_userbyid(given.grantee) FROM (
    SELECT relacl AS acl FROM pg_class WHERE relnamespace = {IN_NAMESPACE}
    UNION ALL SELECT attacl FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = {IN_NAMESPACE}
    UNION ALL SELECT proacl FROM pg_proc WHERE pronamespace = {IN_NAMESPACE}
    UNION ALL SELECT typacl FROM pg_type WHERE typnamespace = {IN_NAMESPACE}
    UNION ALL SELECT defaclacl FROM pg_default_acl WHERE defaclnamespace = {IN_NAMESPACE}
    ) AS rights, aclexplode(acl) AS given WHERE given.grantee <> 0"""
# In this order none depends on one before it; what somebody else made of them elsewhere is not ours to drop, and stops it.
DROPS = f"""SELECT format('DROP %s %s', kind, string_agg(name, ', ')) FROM (
    SELECT kind, place, oid::regclass::text AS name FROM pg_class AS o
        JOIN (VALUES ('v', 1, 'VIEW'), ('m', 2, 'MATERIALIZED VIEW'), ('f', 3, 'FOREIGN TABLE'), ('r', 4, 'TABLE'), ('p', 4, 'TABLE'), ('S', 5, 'SEQUENCE'))
            AS kinds (relkind, place, kind) ON kinds.relkind = o.relkind::text
        WHERE relnamespace = {IN_NAMESPACE} AND NOT relispartition AND {OWN}
            AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = o.oid AND classid = 'pg_class'::regclass AND deptype IN ('a', 'i'))
    UNION ALL SELECT 'ROUTINE', 6, oid::regprocedure::text FROM pg_proc AS o WHERE pronamespace = {IN_NAMESPACE} AND {OWN}
    UNION ALL SELECT 'TYPE', 7, oid::regtype::text FROM pg_type AS o WHERE typnamespace = {IN_NAMESPACE} AND {OWN}
        AND (typtype IN ('d', 'e', 'r') OR typtype = 'c' AND EXISTS (SELECT FROM pg_class WHERE oid = o.typrelid AND relkind = 'c'))
    ) AS objects GROUP BY place, kind ORDER BY place"""
OTHERS = "datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
# Those of the same login, which is the application's: it connects again by itself, and asks again.
END_OTHERS = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {OTHERS} AND usename = session_user"
WHO_HOLDS = f"SELECT format('session %s of %s (%s), since %s', pid, usename, application_name, xact_start::timestamptz(0)) FROM pg_stat_activity WHERE {OTHERS}"


@dataclass(frozen=True)
class Restored:
    """What a restore did, or would do."""

    found: Contents
    """What was there before."""
    undo: str
    """The backup of it; empty where there was nothing."""
    without_grants: tuple[str, ...]
    """The roles that the backup names and the server does not have: rights were left out because of them."""


def now() -> str:
    """The time, as it stands in manifests and names of files."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")


def by_digest(name: str) -> str:
    """The image of a name that was built last, by its digest; empty where none was, or the registry does not have it, or does not answer."""
    endpoint, _slash, repository = name.partition("/")
    try:
        digest = Pushed().current(name)
        return f"{name}@{digest}" if digest and registry(endpoint).has(repository, digest) else ""
    except ImageError:
        return ""


def look(session: Session) -> tuple[Contents, int]:
    """What is in the database, and the bytes that it takes there. Raises DatabaseError."""
    found = json.loads("".join(session.ask(LOOK)))
    if found["namespace"] is None:
        raise UserError("The database has no schema that its login would make tables in", "Give the login one, such as public.")
    tables = {}
    for name, quoted in found["tables"].items():
        waiting_for(f"reading table {name}")
        tables[name] = session.ask(COUNT.format(quoted), DATA_SECONDS)[0]
    revision = "".join(session.ask(f"SELECT version_num FROM {dump_file.VERSION_TABLE}")) if dump_file.VERSION_TABLE in tables else ""
    readers = session.ask(f"SELECT revision FROM {dump_file.READERS_TABLE} ORDER BY revision") if dump_file.READERS_TABLE in tables else []
    return Contents(found["namespace"], found["server"], revision, tables, tuple(readers)), found["size"]


def may_be_written(path: Path, size: int) -> None:
    """Raises UserError where a backup of a database of that size would have no place."""
    if path.exists():
        raise UserError(f"There is a file {path} already", "Name another one: make backup FILE=PATH")
    need_room("The folder of the backup", path.parent, size)
    need_room_for_a_trial(size)


def need_room_for_a_trial(size: int) -> None:
    """Raises UserError where Docker could not hold a database of that size once more, with its log."""
    root = docker("info", "--format={{.DockerRootDir}}").stdout.strip()
    need_room("Docker's folder, where a backup is proven,", Path(root or "/"), TRIAL_BYTES + 2 * size)


def need_room(name: str, folder: Path, needed: int) -> None:
    if (left := free(folder)) < needed:
        raise UserError(f"{name} {folder} has {human(left)} free, and {human(needed)} are needed", "Free space there, then run the same command again.")


def take(bench: Workbench, session: Session, path: Path, owner: str, application: str) -> Manifest:
    """Writes a backup of what the session's transaction sees, proven by restoring it. Raises UserError; then there is no file."""
    found, size = look(session)
    may_be_written(path, size)
    snapshot = session.ask("SELECT pg_export_snapshot()")[0]
    grantees = tuple(session.ask(GRANTEES))
    with dump_file.new_file(path, owner) as file:
        dump(bench, file, found.namespace, snapshot)
        manifest = Manifest(now(), bench.address.database, found, grantees, application, dump_file.digest_of_dump(file))
        dump_file.finish(file, manifest, int(datetime.now(UTC).timestamp()))
        prove(bench, path.parent / dump_file.PARTIAL, manifest)
    return manifest


def dump(bench: Workbench, file: IO[bytes], namespace: str, snapshot: str) -> None:
    """Writes pg_dump's output into the file."""
    contents = [f"--schema={quoted(namespace)}", "--no-owner", "--no-unlogged-table-data", f"--snapshot={snapshot}"]
    options = ["--format=custom", *contents, "--dbname=service=database"]
    with tempfile.TemporaryFile() as errors:
        process = bench.start("pg_dump", *options, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        dump_file.begin_dump(file)
        with within(DATA_SECONDS, process):
            copy(certain(process.stdout), file, f"dumping {bench.address}", 0)
            status = process.wait()
        if status:
            said = last_line(text_of(errors))
            raise DatabaseError(f"The database {bench.address} cannot be dumped: {said}", AGAIN, said)


def quoted(namespace: str) -> str:
    """As a pattern of pg_dump's that means this one."""
    return '"' + namespace.replace('"', '""') + '"'


def prove(bench: Workbench, path: Path, manifest: Manifest) -> None:
    """Restores a backup into an empty server and compares. Raises UserError."""
    if wrong := wrong_in(bench, path, manifest):
        raise UserError(f"The backup was not kept: {wrong}", AGAIN)


def wrong_in(bench: Workbench, path: Path, manifest: Manifest) -> str:
    """What is wrong with a backup that is restored into an empty server, every row of it read; empty where it holds what its manifest says."""
    _unused, start = dump_file.read(path)
    bench.start_trial()
    waiting_for("restoring the backup to prove it")
    namespace = manifest.contents.namespace
    with bench.session("trial") as session:
        session.ask(f"CREATE SCHEMA IF NOT EXISTS {quoted(namespace)}")
        session.ask(f"SET search_path = {quoted(namespace)}")
        with path.open("rb", buffering=0) as file, tempfile.TemporaryFile() as errors:
            file.seek(start)
            options = ["--no-owner", "--no-privileges", "--exit-on-error", f"--schema={namespace}", "--dbname=service=trial"]
            process = bench.start("pg_restore", *options, stdin=file, stdout=subprocess.DEVNULL, stderr=errors)
            with within(DATA_SECONDS, process):
                status = process.wait()
            if status:
                return f"it cannot be restored: {last_line(text_of(errors))}"
        came, _server = look(session)
    differences = manifest.contents.differences(came)
    return f"what comes out of it is not what went into it: {differences}" if differences else ""


def refusal(manifest: Manifest, found: Contents, revisions: Sequence[str], database: str, replace: str) -> UserError | None:
    """Why this backup is not put back onto what is there, or None. `revisions` are those the application knows, empty where nobody knows."""
    wanted = manifest.contents
    if wanted.server // 10000 > found.server // 10000:
        return UserError(
            f"The backup is from PostgreSQL {wanted.server // 10000}, and this server is {found.server // 10000}, which may not understand it",
            "Upgrade the server, or restore into another one.",
        )
    if wanted.namespace != found.namespace:
        return UserError(
            f"The backup's tables are in schema {wanted.namespace}, and this login's in {found.namespace}",
            f"Give the login the search_path {wanted.namespace}, or restore into a database where it has that.",
        )
    if unknown := unknown_schema(manifest, revisions):
        return unknown
    if replace not in ("", database):
        return UserError(f"replace={replace} is not the name of this database, which is {database}", "Name the database whose data is to be replaced.")
    if not found.is_empty() and not replace:
        return UserError(
            f"The database {database} holds data ({found.summary()}), which a restore would replace",
            f"Say that you mean it by its name: `make restore FILE=PATH ARGS='-e replace={database}'`. What is there is backed up first.",
        )
    return None


def unknown_schema(manifest: Manifest, revisions: Sequence[str]) -> UserError | None:
    """Why an application that knows these revisions, of which there may be none, cannot work with a backup's schema, or None."""
    wanted = manifest.contents
    if not revisions or dump_file.fits(revisions, wanted.revision, wanted.readers):
        return None
    made_with = f" ({manifest.application})" if manifest.application else ""
    return UserError(
        f"The backup's schema is {wanted.revision}, which the application's image does not know: it knows {', '.join(revisions)}",
        f"Deploy the version that made the backup{made_with} or a newer one, then run the same command again.",
    )


def restore(
    bench: Workbench, session: Session, path: Path, manifest: Manifest, start: int, *, undo: Path, owner: str, application: str, replace: str
) -> Restored:
    """Puts a backup, as `backup_archive.read` knows it, in the place of what is there, which is backed up first.

    Raises UserError; then what was there is there.
    """
    session.ask("BEGIN")
    tables = keep_writers_out(session)
    found, _unused = look(session)
    if refused := refusal(manifest, found, [], bench.address.database, replace):
        raise refused  # somebody has written meanwhile
    if not found.is_empty():
        take(bench, session, undo, owner, application)
    missing = missing_roles(session, manifest)
    if tables:
        keep_readers_out(session, tables)
    for statement in session.ask(DROPS):
        session.ask(statement, DATA_SECONDS)
    waiting_for("putting the backup in place")
    options = ["--no-owner", *(["--no-privileges"] if missing else []), f"--schema={manifest.contents.namespace}", "--file=-"]
    with path.open("rb", buffering=0) as file, tempfile.TemporaryFile() as errors:
        file.seek(start)
        process = bench.start("pg_restore", *options, stdin=file, stdout=subprocess.PIPE, stderr=errors)
        with within(DATA_SECONDS, process):
            session.run_script(certain(process.stdout), found.server)
            status = process.wait()
        if status:
            said = last_line(text_of(errors))
            raise UserError(f"The backup was not put in place: pg_restore ended with status {status} ({said})", AGAIN)
    session.end_script()
    session.ask("RESET search_path")
    came, _unused = look(session)
    if differences := manifest.contents.differences(came):
        raise UserError(f"What came out of the backup is not what went into it, and was taken back: {differences}", AGAIN)
    for name in came.tables:
        session.ask(f"ANALYZE {quoted(name)}", DATA_SECONDS)
    try:
        session.ask("COMMIT", DATA_SECONDS)
    except DatabaseError as error:
        raise UserError(
            f"Whether the backup is in place is not known, as the database did not answer to the last word: {error.said}",
            f"See what it holds with `make backup ARGS=--check`; what was there is in {undo}.",
        ) from None
    return Restored(found, "" if found.is_empty() else str(undo), missing)


def missing_roles(session: Session, manifest: Manifest) -> tuple[str, ...]:
    """The roles that get rights in the backup and that the server does not have."""
    there = set(session.ask("SELECT rolname FROM pg_roles"))
    return tuple(role for role in manifest.grantees if role not in there)


def keep_writers_out(session: Session) -> str:
    """From here on nobody writes: what the application has acknowledged by now is in the backup of what is there. Returns the tables."""
    tables = ", ".join(json.loads("".join(session.ask(LOOK)))["tables"].values())
    if tables:
        session.ask(f"SET LOCAL lock_timeout = '{WRITERS_SECONDS}s'")
        try:
            session.ask(f"LOCK TABLE {tables} IN EXCLUSIVE MODE")
        except DatabaseError as error:
            raise in_use(session, error) from None
    return tables


def keep_readers_out(session: Session, tables: str) -> None:
    """From here on everybody waits for the end. Who reads and then wants to write would wait for us and we for them: they are ended."""
    session.ask(f"SET LOCAL lock_timeout = '{READERS_SECONDS}s'")
    for left in reversed(range(READERS_TRIES)):
        session.ask("SAVEPOINT before_lock")
        session.ask("SET LOCAL ROLE NONE")
        session.ask(END_OTHERS)
        session.ask("RESET ROLE")
        try:
            session.ask(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
        except DatabaseError as error:
            if not left:
                raise in_use(session, error) from None
            session.ask("ROLLBACK TO SAVEPOINT before_lock")
        else:
            return


def in_use(session: Session, error: DatabaseError) -> DatabaseError:
    """The tables cannot be had; by whom they are held."""
    if error.code not in ("55P03", "40P01"):  # lock_not_available, deadlock_detected
        return error
    session.ask("ROLLBACK")
    why = f"The tables are in use, and stay so: {error.said}"
    return DatabaseError(why, "End the sessions that are named above, then run the same command again.", error.said, details="\n".join(session.ask(WHO_HOLDS)))
