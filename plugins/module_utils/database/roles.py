"""A PostgreSQL database with its owner and its logins: what is there, what is wanted, and the SQL that lies between.

Three roles, so that a password can be changed under a running application: the owner cannot log in and owns every object;
two logins are members of it and become it at once (`SET role`). One is in use. The other cannot log in, and is the one that a
new password is given to; when all that runs uses it, the one before is locked.

Over the network nobody else comes in, the superuser neither: the server's own rules say so, which lie with its data and are kept like roles.

Passwords never enter SQL. PostgreSQL takes a SCRAM-SHA-256 verifier (RFC 5802, RFC 7677) in their place, which is made and
checked here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

ITERATIONS = 4096
"""PostgreSQL's default for scram_iterations."""


def verifier(password: str, salt: bytes | None = None, iterations: int = ITERATIONS) -> str:
    """PostgreSQL's stored form of `password`: SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey, in base64.

    `password` is printable ASCII, for which SASLprep changes nothing.
    """
    salt = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, iterations)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    text = [base64.b64encode(part).decode("ascii") for part in (salt, stored_key, server_key)]
    return f"SCRAM-SHA-256${iterations}:{text[0]}${text[1]}:{text[2]}"


def verifies(stored: str | None, password: str) -> bool:
    """Whether `stored` (pg_authid.rolpassword) is a SCRAM verifier of `password`; False for MD5 and for none."""
    match = re.fullmatch(r"SCRAM-SHA-256\$(\d{1,9}):([^$]+)\$[^:]+:.+", stored or "")
    if not match:
        return False
    try:
        salt = base64.b64decode(match[2], validate=True)
    except binascii.Error:
        return False
    return hmac.compare_digest(verifier(password, salt, int(match[1])), stored or "")


PSQL = (
    *("psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align"),
    *("--username=postgres", "--dbname=postgres", "--set=ON_ERROR_STOP=1"),
)
"""In the container: takes SQL on standard input and is stopped at the first error."""
QUIETLY = "\\set VERBOSITY terse\nSET log_min_error_statement = panic; SET log_statement = 'none';\n"
"""Before that SQL: neither psql nor the server's log may repeat a statement that failed, which may hold a verifier."""


@dataclass(frozen=True)
class Wanted:
    """The database, its owner, the login in use and the other one ("" for none), by names that need no quoting."""

    database: str
    owner: str
    login: str
    password: str
    other_login: str = ""

    def problem(self) -> str | None:
        """Why this cannot be had, or None."""
        names = {"database": self.database, "owner": self.owner, "login": self.login, "other login": self.other_login or "none"}
        if self.other_login in (self.owner, self.login):
            return f"the other login must have a name of its own, and is {self.other_login}"
        for kind, name in names.items():
            if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
                return f"the name of the {kind} must be lower-case letters, digits and underscores, and is {name!r}"
        if not re.fullmatch(r"[!-~]+", self.password):
            return "the password must be printable ASCII without spaces, and must not be empty"
        return None


@dataclass(frozen=True)
class Actual:
    """What the server says of them."""

    database_owner: str | None
    """None where there is no database."""
    owner_exists: bool
    owner_can_login: bool
    login_exists: bool
    login_can_login: bool
    login_verifier: str | None
    login_is_member: bool
    login_settings: tuple[str, ...]
    """Such as role=todo_owner."""
    other_is_open: bool
    """Whether the other login can log in."""
    rules: str
    """Its pg_hba.conf."""

    @classmethod
    def parse(cls, text: str) -> Actual:
        """Read what the query of `observation` printed."""
        row: dict[str, Any] = json.loads(text)
        return cls(**{**row, "login_settings": tuple(row["login_settings"] or ())})


NOTHING = Actual(None, False, False, False, False, None, False, (), False, "")
"""A server on which nothing of it exists."""


@dataclass(frozen=True)
class Step:
    """One statement, and what it does in words that hold no secret."""

    says: str
    sql: str


class PasswordDiffersError(Exception):
    """The login has another password than the one wanted."""


def rules(wanted: Wanted) -> str:
    """The pg_hba.conf: at the socket whoever got into the container, over the network the members of the owner, and into their database alone."""
    return f"""# kept by the role database
local all all trust
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256
host "{wanted.database}" +{wanted.owner} all scram-sha-256
"""


def observation(wanted: Wanted) -> str:
    """SQL that prints one row of JSON for `Actual.parse`."""
    return f"""SELECT json_build_object(
        'database_owner', (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '{wanted.database}'),
        'owner_exists', owner.oid IS NOT NULL,
        'owner_can_login', coalesce(owner.rolcanlogin, false),
        'login_exists', login.oid IS NOT NULL,
        'login_can_login', coalesce(login.rolcanlogin, false),
        'login_verifier', login.rolpassword,
        'login_is_member', EXISTS (SELECT FROM pg_auth_members WHERE roleid = owner.oid AND member = login.oid),
        'login_settings', (SELECT setconfig FROM pg_db_role_setting WHERE setrole = login.oid AND setdatabase = 0),
        'other_is_open', EXISTS (SELECT FROM pg_roles WHERE rolname = '{wanted.other_login}' AND rolcanlogin),
        'rules', pg_read_file('pg_hba.conf'))
    FROM (SELECT) AS one
    LEFT JOIN pg_authid AS owner ON owner.rolname = '{wanted.owner}'
    LEFT JOIN pg_authid AS login ON login.rolname = '{wanted.login}';
    """


def sessions(login: str) -> str:
    """SQL that prints the number of a login's sessions."""
    return f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{login}';"


def plan(wanted: Wanted, actual: Actual, reset_password: bool, lock_other: bool = False) -> list[Step]:
    """The statements that lead from `actual` to `wanted`, in order.

    A login that cannot log in is in nobody's use, and gets the password whatever it had. PasswordDiffersError for one that can, has
    another password, and is not to be given this one.
    """
    database, owner, login = wanted.database, wanted.owner, wanted.login
    steps = []
    if not actual.owner_exists:
        steps.append(Step(f"create role {owner}", f"CREATE ROLE {owner} NOLOGIN;"))
    elif actual.owner_can_login:
        steps.append(Step(f"forbid {owner} to log in", f"ALTER ROLE {owner} NOLOGIN;"))
    if actual.database_owner is None:
        steps.append(Step(f"create database {database}", f"CREATE DATABASE {database} OWNER {owner};"))
    elif actual.database_owner != owner:
        steps.append(Step(f"give database {database} to {owner}", f"ALTER DATABASE {database} OWNER TO {owner};"))

    if not actual.login_exists:
        steps.append(Step(f"create role {login}", f"CREATE ROLE {login} LOGIN PASSWORD '{verifier(wanted.password)}';"))
    else:
        if not verifies(actual.login_verifier, wanted.password):
            if actual.login_can_login and actual.login_verifier is not None and not reset_password:
                raise PasswordDiffersError
            steps.append(Step(f"set the password of {login}", f"ALTER ROLE {login} PASSWORD '{verifier(wanted.password)}';"))
        if not actual.login_can_login:
            steps.append(Step(f"allow {login} to log in", f"ALTER ROLE {login} LOGIN;"))
    if not actual.login_is_member:
        steps.append(Step(f"make {login} a member of {owner}", f"GRANT {owner} TO {login};"))
    if f"role={owner}" not in actual.login_settings:
        steps.append(Step(f"let {login} act as {owner}", f"ALTER ROLE {login} SET role = {owner};"))
    if actual.rules != rules(wanted):
        lines = ", ".join(f"'{line}'" for line in rules(wanted).splitlines())
        # in one statement, so that none of the two is done alone; by a new file, because the server does not start with half of one
        write = f"COPY (SELECT unnest(ARRAY[{lines}])) TO PROGRAM 'cat >pg_hba.new && mv pg_hba.new pg_hba.conf';"
        steps.append(Step(f"let none but members of {owner} in over the network", f"DO $$BEGIN {write} PERFORM pg_reload_conf(); END$$;"))
    if lock_other and actual.other_is_open:
        end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{wanted.other_login}';"
        steps.append(Step(f"lock {wanted.other_login}", f"ALTER ROLE {wanted.other_login} NOLOGIN PASSWORD NULL;\n{end}"))
    return steps
