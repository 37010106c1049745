"""A throwaway container of the PostgreSQL image: its programs reach any database by URL, and a server of its own is there for trials.

The URL gets into the container on standard input and lies there in memory alone, in the form that libpq itself reads, with the
certificates by which the server's is checked. The container lives as long as that input is open: whatever ends the one who started it,
a kill included, ends it too, with all that runs in it.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ansible_collections.todochat.platform.plugins.module_utils.base import database_url
from ansible_collections.todochat.platform.plugins.module_utils.base.certain import certain
from ansible_collections.todochat.platform.plugins.module_utils.base.commands import ANSWER_SECONDS, WORK_SECONDS, StuckProgramError, start, within
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import VARIABLES, docker

# In either image, Debian's or the official one, the user postgres has this number.
USER = "70"
PRIVATE = "/run/workbench"
TRIAL = "/var/lib/postgresql/data/trial"
CERTIFICATES = f"{PRIVATE}/certificates"
PATH = "/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
KEEP_OPEN = f"""
umask 077
while IFS= read -r line && [ -n "$line" ]; do printf '%s\\n' "$line"; done > "$PGSERVICEFILE"
head -c "$1" > {CERTIFICATES}
echo open
cat > /dev/null
"""
# Nothing of it is kept, so nothing has to reach the disk.
START_TRIAL = f"""
initdb --username=postgres --auth=trust --encoding=UTF8 --locale-provider=builtin --locale=C.UTF-8 --no-sync >&2 &&
pg_ctl start --silent --wait --log=/dev/null --options="-c listen_addresses= -c unix_socket_directories={PRIVATE} -c fsync=off \
-c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0"
"""
CONNECT_SECONDS = "10"
TRIAL_SECONDS = 180
DATA_SECONDS = 24 * 3600.0
"""For what goes through all data, however much that is."""
# What a value's text depends on is the same in every session, and no server ends one that waits for a dump.
SETTINGS = (
    *("SET timezone = 'UTC'", "SET datestyle = 'ISO'", "SET intervalstyle = 'postgres'", "SET extra_float_digits = 1", "SET bytea_output = 'hex'"),
    *("SET client_encoding = 'UTF8'", "SET row_security = off", "SET statement_timeout = 0", "SET idle_in_transaction_session_timeout = 0"),
)
MARK = "--said--"
# pg_restore writes it into the head of every script, whichever server that is for.
NEW_SETTING, NEW_SETTING_SINCE = b"SET transaction_timeout = 0;\n", 170000


@dataclass(frozen=True)
class Address:
    """Where a database is, as libpq's parameters; the password is shown nowhere."""

    parameters: Mapping[str, str] = field(repr=False)
    certificates: str = field(default="", repr=False)
    """Those (PEM) by which the server's own is checked; empty where it is not."""

    @classmethod
    def parse(cls, url: str) -> Address:
        """Raises UserError, which does not repeat the URL."""
        correct = "Correct it with `make vault DO=edit ARGS='-e secret=database_url'`."
        try:
            found = {"connect_timeout": CONNECT_SECONDS, **database_url.parameters(url)}
            certificates = database_url.certificates(found)
        except database_url.AddressError as error:
            raise UserError(f"The database's address {error}", correct) from None
        # libpq's file of parameters has a line for each, and drops what stands at its end
        if any(value != value.rstrip() for value in found.values()):
            raise UserError("The database's address has a space at the end of a part", correct)
        return cls(found | {"sslrootcert": CERTIFICATES} if certificates else found, certificates)

    @property
    def database(self) -> str:
        return self.parameters["dbname"]

    def __str__(self) -> str:
        return f"{self.database} at {self.parameters['host']}:{self.parameters['port']}"

    def services(self) -> str:
        """libpq's file of parameters: `database` for this one, `trial` for the container's own."""
        trial = {"host": PRIVATE, "user": "postgres", "dbname": "postgres"}
        named = {"database": self.parameters, "trial": trial}
        return "".join(f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in of.items() if value) for name, of in named.items())


ALONE = Address({"user": "postgres", "host": PRIVATE, "port": "5432", "dbname": "trial"})
"""Of a container that is to reach no database but its own."""


class DatabaseError(UserError):
    """What a server, or a program of PostgreSQL's, refused; `said` is its own sentence."""

    def __init__(self, why: str, remedy: str, said: str, code: str = "", details: str = "") -> None:
        super().__init__(why, remedy, details)
        self.said = said
        self.code = code


class Workbench:
    """The container, while the context lasts."""

    def __init__(self, image: str, address: Address = ALONE) -> None:
        self.image = image
        self.address = address
        self.name = f"todochat-backup-{secrets.token_hex(4)}"

    def __enter__(self) -> Workbench:
        waiting_for("starting a container of PostgreSQL's programs")
        command = ["docker", "run", "--rm", "--interactive", f"--name={self.name}", "--pull=never", "--log-driver=none"]
        command += ["--network=host", f"--user={USER}:{USER}", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
        command += [f"--tmpfs={PRIVATE}:mode=0700,uid={USER},gid={USER},size=4m", f"--env=PATH={PATH}", f"--env=PGDATA={TRIAL}"]
        command += [f"--env=PGSERVICEFILE={PRIVATE}/services"]
        self._errors = tempfile.TemporaryFile()
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self._errors}
        certificates = self.address.certificates.encode()
        self._container = start([*command, "--entrypoint=sh", self.image, "-c", KEEP_OPEN, "sh", str(len(certificates))], VARIABLES, **streams)
        with within(ANSWER_SECONDS, self._container):
            send(self._container, f"{self.address.services()}\n".encode() + certificates)
            said_open = certain(self._container.stdout).readline() == b"open\n"
        if not said_open:
            self.__exit__()
            said, *_unused = text_of(self._errors).splitlines() or ["nothing"]
            raise UserError(
                f"No container of {self.image} can be started: {said}",
                "See that Docker runs (`docker info`) and has room on its disk, then run the same command again.",
            )
        return self

    def __exit__(self, *_unused: object) -> None:
        with contextlib.suppress(BrokenPipeError):  # it has ended by itself
            certain(self._container.stdin).close()
        try:
            self._container.wait(timeout=20)
        except subprocess.TimeoutExpired:
            docker("rm", "--force", self.name)

    def start(self, *command: str, **streams: Any) -> subprocess.Popen[bytes]:
        """A program that runs in the container."""
        return start(["docker", "exec", "--interactive", self.name, *command], VARIABLES, **streams)

    def session(self, service: str) -> Session:
        """A session with the server of that service."""
        return Session(self, service)

    def start_trial(self) -> None:
        """The container's own server runs, empty. Raises UserError."""
        waiting_for("starting an empty PostgreSQL to restore into")
        done = docker("exec", "--interactive", self.name, "sh", "-c", START_TRIAL, seconds=TRIAL_SECONDS)
        if done.returncode:
            said = last_line(done.stdout + done.stderr)
            raise UserError(f"An empty PostgreSQL to restore into cannot be made: {said}", "Free space on Docker's disk, then run the same command again.")

    def failure(self, said: str, code: str = "", details: str = "") -> DatabaseError:
        """What a server said, with what to do about it."""
        line = re.sub(r"^psql(:<stdin>:\d+)?: (error: )?", "", last_line(said))
        edit = "an external database's address is corrected with `make vault DO=edit ARGS='-e secret=database_url'`"
        if re.search("password authentication failed|no password supplied", said):
            why = f"The database {self.address} does not take the vault's password: {line}"
            return DatabaseError(why, f"Put the vault back that belongs to it, or `make up ARGS='-e database_reset_password=true'`; {edit}", line)
        if "certificate verify failed" in said:
            why = f"The database {self.address} has a certificate that is not trusted here: {line}"
            return DatabaseError(why, f"End its address with sslrootcert=/PATH, a file with its authority's certificate; {edit}", line)
        if re.search("connection to server|could not translate host name", said):
            why = f"The database {self.address} cannot be reached: {line}"
            return DatabaseError(why, f"`make status` shows whether it runs, and `make start` starts it; {edit}", line)
        why = f"The database {self.address} refused: {line}"
        return DatabaseError(why, "Nothing was changed. Mend what it says, then run the same command again.", line, code, details)


class Session:
    """One session of psql's, statement by statement."""

    def __init__(self, bench: Workbench, service: str) -> None:
        self._bench = bench
        self._service = service

    def __enter__(self) -> Session:
        self._errors = tempfile.TemporaryFile()
        options = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self._errors}
        self._psql = self._bench.start("psql", *options, f"--dbname=service={self._service}", **streams)
        for setting in SETTINGS:
            self.ask(setting)
        return self

    def __exit__(self, *_unused: object) -> None:
        """Ends it; what was not committed is taken back."""
        self._psql.kill()  # a clean end would commit nothing either
        self._psql.communicate()

    def ask(self, statement: str, seconds: float = ANSWER_SECONDS) -> list[str]:
        """The lines that a statement answers with. Raises DatabaseError; where there is no answer in time, the session is over."""
        with self._within(seconds):
            send(self._psql, f"{statement};\n\\echo {MARK} :SQLSTATE :LAST_ERROR_MESSAGE\n".encode())
            return self._answer()

    def run_script(self, script: IO[bytes], server: int) -> None:
        """Feeds it a script of pg_restore's, which it runs up to the first error; that one is told without the data at fault."""
        with self._within(DATA_SECONDS):
            send(self._psql, b"\\set ON_ERROR_STOP 1\n\\set VERBOSITY terse\n\\o /dev/null\n")
            beginning = script.read(1 << 16)
            if server < NEW_SETTING_SINCE:
                beginning = beginning.replace(NEW_SETTING, b"", 1)
            send(self._psql, beginning)
            while block := script.read(1 << 20):
                send(self._psql, block)

    def end_script(self) -> None:
        """Waits until all of it has been run. Raises DatabaseError, after which the session is over."""
        with self._within(DATA_SECONDS):
            send(self._psql, f"\n\\o\n\\set ON_ERROR_STOP 0\n\\echo {MARK} 00000\n".encode())
            self._answer()

    @contextlib.contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        try:
            with within(seconds, self._psql):
                yield
        except StuckProgramError:
            said = f"no answer within {seconds:.0f} s"
            why = f"The database {self._bench.address} does not answer: {said}, after which the session was ended"
            remedy = "See what its server is busy with, or waits for (`SELECT * FROM pg_stat_activity`), then run the same command again."
            raise DatabaseError(why, remedy, said) from None

    def _answer(self) -> list[str]:
        lines: list[str] = []
        for raw in certain(self._psql.stdout):
            line = raw.decode(errors="replace").rstrip("\n")
            if line.startswith(MARK):
                _unused, code, *said = line.split(" ", 2)
                if code != "00000":
                    raise self._bench.failure(" ".join(said), code, text_of(self._errors))
                return lines
            lines.append(line)
        raise self._bench.failure(text_of(self._errors) or "the session ended")


def send(process: subprocess.Popen[bytes], data: bytes) -> None:
    """Writes to a process; that it has ended is told by what it says, not here."""
    stdin = certain(process.stdin)
    with contextlib.suppress(BrokenPipeError):
        stdin.write(data)
        stdin.flush()


def text_of(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace").strip()


def last_line(text: str) -> str:
    """The last line that does not go on with another one."""
    return ([line for line in text.splitlines() if line and not line[0].isspace()] or ["nothing"])[-1]


def known_revisions(image: str) -> list[str]:
    """The revisions of the schema that an image of the backend knows, the newest first. Raises UserError."""
    waiting_for("asking the application which schemas it knows")
    ask = (
        "from alembic.script import ScriptDirectory; import todo_backend.migrations as found; "
        "print(*(one.revision for one in ScriptDirectory(found.__path__[0]).walk_revisions()))"
    )
    confined = ("--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=512m", "--pids-limit=64", "--user=65534:65534")
    done = docker("run", "--rm", "--log-driver=none", *confined, image, "python3", "-c", ask, seconds=WORK_SECONDS)  # it may have to be pulled first
    if done.returncode:
        raise UserError(
            f"The application's image {image} does not say which schemas it knows: {last_line(done.stderr.strip())}",
            "Run `make up ARGS='--tags image_registry,app_images'`, which makes it anew, then the same command again.",
        )
    return done.stdout.split()


def has_image(image: str) -> bool:
    return docker("image", "inspect", image).returncode == 0


def free(path: Path) -> int:
    """Bytes that are free where a path is, or would be."""
    existing = next(parent for parent in (path, *path.parents) if os.path.exists(parent))  # what cannot be looked into, as by no root, counts as not there
    found: Any = os.statvfs(existing)
    return int(found.f_bavail * found.f_frsize)
