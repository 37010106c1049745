"""The file of a backup, what keeps it from being put back, and how a database's URL reaches PostgreSQL's programs."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import getpass
import io
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.todochat.platform.plugins.module_utils.base import commands
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.database import backup, client, dump_file
from ansible_collections.todochat.platform.plugins.module_utils.database.client import Address
from ansible_collections.todochat.platform.plugins.module_utils.database.dump_file import PARTIAL, Contents, Manifest

ME = getpass.getuser()
DUMP = b"PGDMP" + bytes(range(256)) * 30
CONTENTS = Contents("public", 170005, "0002", {"alembic_version": "1 5", "todos": "3 77", "users": "0 0"})
EMPTY = dataclasses.replace(CONTENTS, tables={"alembic_version": "1 5", "todos": "0 0", "users": "0 0"})


def write(path: Path, dump: bytes = DUMP) -> Manifest:
    with dump_file.new_file(path, ME) as file:
        dump_file.begin_dump(file)
        file.write(dump)
        manifest = Manifest("20260102T030405Z", "todo", CONTENTS, ("reporter",), "r/todo/backend@sha256:1", dump_file.digest_of_dump(file))
        dump_file.finish(file, manifest, 1)
    return manifest


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, Manifest]:
    path = tmp_path / "todo.tar"
    return path, write(path)


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 100_000])
def test_what_was_written_is_read_back_also_by_tar(tmp_path: Path, size: int) -> None:
    path = tmp_path / "new" / "folder" / "todo.tar"
    manifest = write(path, b"x" * size)
    read, start = dump_file.read(path)
    assert read == manifest
    assert path.read_bytes()[start : start + size] == b"x" * size
    with tarfile.open(path) as tar:
        assert tar.getnames() == ["database.dump", "manifest.json"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["todo.tar"]


def test_every_damaged_byte_of_dump_or_manifest_is_noticed(written: tuple[Path, Manifest]) -> None:
    path, manifest = written
    whole = path.read_bytes()
    with tarfile.open(path) as tar:
        places = [place for member in tar.getmembers() for place in range(member.offset_data, member.offset_data + member.size, 97)]
    read = []
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with contextlib.suppress(UserError):
            read.append(dump_file.read(path)[0])
    # A number or a name in the manifest may be another one: what comes out of the dump is compared with it.
    assert manifest not in read
    assert len(read) < len(places) / 10


@pytest.mark.parametrize("length", [0, 100, 512, 5000, 8500])
def test_the_beginning_of_a_backup_is_none(written: tuple[Path, Manifest], length: int) -> None:
    path, _ = written
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(UserError, match=r"no backup, or only the beginning|damaged"):
        dump_file.read(path)


@pytest.mark.parametrize("content", [b"PGDMP\x01\x10", b"", b"not a tar" * 1000])
def test_another_file_is_no_backup(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(UserError, match="is no backup"):
        dump_file.read(path)


def test_another_tar_is_no_backup(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "other.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("photos"), io.BytesIO())
    with pytest.raises(UserError, match="is no backup"):
        dump_file.read(tmp_path / "other.tar")
    with pytest.raises(UserError, match="There is no file"):
        dump_file.read(tmp_path / "none.tar")
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        dump_file.read(tmp_path)


@pytest.mark.parametrize(
    ("error", "expected"),
    [(OSError(errno.ENOSPC, "No space left on device"), UserError), (KeyboardInterrupt(), KeyboardInterrupt), (UserError("Not proven", "x"), UserError)],
)
def test_a_failure_leaves_no_file(tmp_path: Path, error: BaseException, expected: type[BaseException]) -> None:
    def broken_off() -> None:
        with dump_file.new_file(tmp_path / "todo.tar", ME) as file:
            file.write(b"half of it")
            raise error

    with pytest.raises(expected, match=r"^$|Not proven|todo\.tar cannot be written: No space left"):
        broken_off()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_backup_left_is_used_up_by_the_next_one(tmp_path: Path) -> None:
    (tmp_path / PARTIAL).write_bytes(b"left over" * 10_000)
    write(tmp_path / "todo.tar")
    assert [file.name for file in tmp_path.iterdir()] == ["todo.tar"]
    dump_file.read(tmp_path / "todo.tar")


def test_two_backups_do_not_write_to_one_file(tmp_path: Path) -> None:
    with (tmp_path / PARTIAL).open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="Another backup is being written"):
            write(tmp_path / "todo.tar")
    assert [file.name for file in tmp_path.iterdir()] == [PARTIAL]


def test_what_is_in_a_database_is_told_without_the_table_of_migrations() -> None:
    assert CONTENTS.summary() == "todos 3"
    assert not CONTENTS.is_empty()
    assert EMPTY.is_empty()
    assert Contents("public", 170005, "", {}).summary() == "no tables"
    assert CONTENTS.differences(CONTENTS) == ""
    assert CONTENTS.differences(EMPTY) == "todos (3 77 became 0 0)"
    assert EMPTY.differences(dataclasses.replace(EMPTY, tables={})).startswith("alembic_version (1 5 became absent)")


MANIFEST = Manifest("20260102T030405Z", "todo", CONTENTS, (), "", "0" * 64)


@pytest.mark.parametrize(
    ("found", "revisions", "replace", "words"),
    [
        (EMPTY, ["0002", "0001"], "", None),
        (EMPTY, [], "", None),
        (CONTENTS, ["0003", "0002", "0001"], "todo", None),
        (CONTENTS, [], "", "holds data (todos 3), which a restore would replace. Say that you mean it by its name"),
        (CONTENTS, [], "todos", "replace=todos is not the name of this database, which is todo"),
        (EMPTY, [], "other", "replace=other is not the name"),
        (EMPTY, ["0001"], "todo", "schema is 0002, which the application's image does not know: it knows 0001"),
        (dataclasses.replace(EMPTY, server=160009), [], "", "from PostgreSQL 17, and this server is 16"),
        (dataclasses.replace(EMPTY, server=180000), [], "", None),
        (dataclasses.replace(EMPTY, namespace="private"), [], "", "in schema public, and this login's in private"),
    ],
)
def test_a_backup_is_put_back_only_where_it_fits(found: Contents, revisions: list[str], replace: str, words: str | None) -> None:
    refused = backup.refusal(MANIFEST, found, revisions, "todo", replace)
    assert (refused is None) if words is None else (refused is not None and words in str(refused))


def test_a_backup_of_a_newer_schema_is_put_back_where_that_says_so() -> None:
    for readers, fits in ((("0002", "0003"), True), (("0003",), False)):
        newer = dataclasses.replace(MANIFEST, contents=dataclasses.replace(MANIFEST.contents, revision="0003", readers=readers))
        assert (backup.refusal(newer, EMPTY, ["0002", "0001"], "todo", "") is None) is fits


def test_a_url_becomes_libpqs_parameters() -> None:
    address = Address.parse("postgresql://a%40b:p%2F%23%25%3D%20w@Db.example:6543/to%2Fdo?sslmode=require&application_name=x%20y")
    said = ("user=a@b", "password=p/#%= w", "host=Db.example", "port=6543", "dbname=to/do", "sslmode=require", "application_name=x y")
    assert address.services().startswith("\n".join(("[database]", "connect_timeout=10", *said, "[trial]\n")))
    assert str(address) == "to/do at Db.example:6543"
    assert "p/#" not in repr(address)
    assert "\nhost=::1\nport=5432\n" in Address.parse("postgresql://u:p@[::1]/d").services()
    assert "connect_timeout=3\n" in Address.parse("postgresql://u:p@h/d?connect_timeout=3").services()


@pytest.mark.parametrize("url", ["", "mysql://u:secret@h/d", "postgresql://u:secret@h", "postgresql://u:secret@h:port/d", "postgresql://u:secret%0A@h/d"])
def test_what_is_no_url_is_told_without_repeating_it(url: str) -> None:
    with pytest.raises(UserError) as raised:
        Address.parse(url)
    assert "secret" not in str(raised.value).replace("secret=database_url", "")


@pytest.mark.parametrize(
    ("said", "why", "remedy"),
    [
        (
            'psql: error: connection to server at "1.2.3.4", port 5432 failed: Connection refused\n\tIs the server running on that host?',
            "cannot be reached: connection to server at",
            "make start",
        ),
        (
            'psql: error: connection to server at "h" failed: SSL error: x\nconnection to server at "h" failed: FATAL:  password authentication failed for u',
            "does not take the vault's password",
            "database_reset_password=true",
        ),
        (
            'psql: error: connection to server at "h", port 5432 failed: SSL error: certificate verify failed',
            "has a certificate that is not trusted here: connection to server at",
            "sslrootcert=/PATH",
        ),
        (
            "psql:<stdin>:7: ERROR:  could not extend file: No space left on device",
            "refused: ERROR: could not extend file: No space left",
            "Nothing was changed",
        ),
    ],
)
def test_what_a_server_says_is_told_with_what_to_do(said: str, why: str, remedy: str) -> None:
    error = client.Workbench("image", Address.parse("postgresql://u:p@h/d")).failure(said)
    assert why in error.why
    assert remedy in error.remedy


PSQL = """import sys, time
for line in sys.stdin:
    if "hangs" in line:
        time.sleep(60)
    if line.startswith("\\\\echo"):
        print("--said-- 00000", flush=True)
"""


class Bench(client.Workbench):
    """A container whose psql is a program of the test's, which answers to nothing after a certain word."""

    def start(self, *command: str, **streams: Any) -> subprocess.Popen[bytes]:
        return commands.start([sys.executable, "-c", PSQL, *command], **streams)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[client.Session]:
    """A session in which nothing may take longer than a second."""
    monkeypatch.setattr(client, "DATA_SECONDS", 1)
    monkeypatch.setattr(client.Session.ask, "__defaults__", (1,))
    with Bench("image", Address.parse("postgresql://u:p@h/d")).session("database") as made:
        yield made


def test_a_question_is_no_reason_to_wait_for_a_day(session: client.Session) -> None:
    assert session.ask("SELECT 1") == []
    with pytest.raises(client.DatabaseError, match=r"The database d at h:5432 does not answer: no answer within 1 s.*pg_stat_activity"):
        session.ask("SELECT hangs")
    assert client.ANSWER_SECONDS < 600


def test_a_script_that_the_server_does_not_take_is_broken_off(session: client.Session) -> None:
    with pytest.raises(client.DatabaseError, match="no answer within 1 s"):
        session.run_script(io.BytesIO(b"SELECT hangs;\n" + b"INSERT;\n" * (1 << 18)), 170005)
