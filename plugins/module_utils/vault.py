"""What a deployment's vault holds: the schema as data, the values made for a new one, and the check of an existing one.

A vault is a mapping `vault_*` name -> value. Whether it is encrypted, and with what, is the caller's business.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from ansible_collections.todochat.platform.plugins.module_utils.base import database_url
from ansible_collections.todochat.platform.plugins.module_utils.base.certain import certain

# What people leave where a secret belongs: <password>, {{ ... }}, changeme, CHANGE-ME, your_password, xxxx, TODO ...
PLACEHOLDER = re.compile(
    r"\s*(<.*>|\{\{.*\}\}|change[-_ ]?(me|it|this)\b.*|your[-_ ].*|replace[-_ ]?me\b.*"
    r"|example|placeholder|secret|password|todo|tbd|x{3,}|\.{3,}|\*{3,})?\s*",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Entry:
    """One variable of the vault."""

    problem: Callable[[Any], str | None]
    """What is wrong with a value, in words that do not contain it; None when nothing is."""
    make: Callable[[Any], Any] | None
    """A new random value after the one there was, None at first; no such function for what is not random, which is optional."""
    used_by: str
    """Where it goes, for the person who is about to change it."""
    parse: Callable[[str], Any] = str
    """The value as a person writes it; ValueError where it cannot be read."""


def random_key() -> str:
    """32 random bytes in unpadded base64url."""
    return secrets.token_urlsafe(32)


LOGINS = ("todo_app", "todo_app_2")
"""The roles that the application logs in with, in turn. The first one is in use where a vault does not say."""
LONGEST_TOKEN = timedelta(days=7)
"""The longest that a token of the backend's can be valid: the maximum of its setting access_token_minutes."""


def made_at(kid: str) -> datetime:
    """When a key was made, as its identifier says; one that says nothing is older than all others."""
    try:
        return datetime.strptime(kid[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def next_jwt_keys(previous: Any = None, now: datetime | None = None) -> dict[str, Any]:
    """A key ring {"active": kid, "keys": {kid: base64url of 32 bytes}} with a new active key; the newest key comes first, the one before it second.

    A kid is the key's making time and 8 random hex digits. A key signs until its successor is made, and what it signed last may be
    valid for LONGEST_TOKEN from then on; so long it stays.
    """
    now = now or datetime.now(UTC)
    kid = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    keys = {kid: random_key()}
    if previous:
        older = sorted(previous["keys"], key=lambda other: (other == previous["active"], made_at(other)), reverse=True)
        replaced_at = [now, *map(made_at, older)]
        keys |= {other: previous["keys"][other] for other, replaced in zip(older, replaced_at, strict=False) if now - replaced < LONGEST_TOKEN}
    return {"active": kid, "keys": keys}


def parse_mapping(text: str) -> Any:
    """YAML or JSON. The parser's own words quote the text, which nobody may see."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise ValueError from None


def text_problem(value: Any) -> str | None:
    """A secret of one line that nobody has to quote or normalize: 16 or more printable ASCII characters, no spaces."""
    if not isinstance(value, str):
        return f"must be a string, and is a {type(value).__name__}"
    if PLACEHOLDER.fullmatch(value):
        return "is empty or a placeholder"
    if not re.fullmatch(r"[!-~]{16,}", value):
        return "must have at least 16 characters, printable ASCII without spaces"
    return None


def url_problem(value: Any) -> str | None:
    """The address of an external database, as in postgresql://user:password@host/database."""
    if not isinstance(value, str):
        return f"must be a string, and is a {type(value).__name__}"
    if re.search("[<>{}]", value):
        return f"holds a placeholder; write it as {database_url.EXAMPLE}"
    try:
        given = database_url.parameters(value)
        database_url.certificates(given)
    except database_url.AddressError as error:
        return str(error)
    return None if given["password"] else "names no password"


def jwt_keys_problem(value: Any) -> str | None:
    """The key ring: every key decodes to 32 bytes or more, and the active one is among them."""
    if not isinstance(value, Mapping) or set(value) != {"active", "keys"}:
        return "must be a mapping with exactly the keys active and keys"
    keys = value["keys"]
    if not isinstance(keys, Mapping) or not keys:
        return "must name at least one key under keys"
    for position, (kid, key) in enumerate(keys.items(), start=1):
        if not isinstance(kid, str) or not isinstance(key, str):
            return f"has a key (number {position}) whose identifier or value is not a string: quote it"
        try:
            size = len(base64.b64decode(key + "=" * (-len(key) % 4), altchars="-_", validate=True))
        except (binascii.Error, ValueError):
            return f"has a key (number {position}) that is not base64url"
        if size < 32:
            return f"has a key (number {position}) of {size} bytes; 32 are needed"
    if value["active"] not in keys:
        return "names an active key that is not under keys"
    return None


def name_and_password_problem(value: Any) -> str | None:
    """name:password, as docker login takes them, and Basic authentication."""
    if not isinstance(value, str):
        return f"must be a string, and is a {type(value).__name__}"
    if PLACEHOLDER.fullmatch(value):
        return "is a placeholder"
    return None if re.fullmatch(r"[^\s:]+:\S+", value) else "must be like name:password"


def login_problem(value: Any) -> str | None:
    """One of the two logins."""
    return None if value in LOGINS else f"must be {' or '.join(LOGINS)}"


SCHEMA: dict[str, Entry] = {
    "vault_database_password": Entry(text_problem, lambda _unused: random_key(), "the database's login; database_url of the Secret"),
    "vault_database_login": Entry(login_problem, None, f"the login of that password, {LOGINS[0]} where empty; changes with it when it is rotated"),
    "vault_database_url": Entry(url_problem, None, "an external database instead of the container; database_url of the Secret"),
    "vault_jwt_keys": Entry(jwt_keys_problem, next_jwt_keys, "jwt_keys of the Secret: the backend's sessions", parse_mapping),
    "vault_model_api_key": Entry(text_problem, None, "a language model instead of the built-in assistant; model_api_key of the Secret"),
    "vault_registry_login": Entry(name_and_password_problem, None, "the registry of a cluster that others run, as name:password"),
    "vault_mirror_login": Entry(name_and_password_problem, None, "the mirror that artifact_mirror names, as name:password"),
    "vault_checksum_key": Entry(text_problem, lambda _unused: random_key(), "the hashes that stand for values in diffs and annotations; restarts the backend"),
}


def new_vault() -> dict[str, Any]:
    """A vault of random values, which needs nobody's input."""
    return {name: entry.make(None) for name, entry in SCHEMA.items() if entry.make}


def rotated(name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """The variables that change in a vault when one gets a new random value.

    A new password is the other login's, so that the one in use goes on working until what runs has the new one.
    """
    changes = {name: certain(SCHEMA[name].make)(content.get(name))}
    if name == "vault_database_password":
        first_is_used = content.get("vault_database_login", LOGINS[0]) == LOGINS[0]
        changes["vault_database_login"] = LOGINS[1] if first_is_used else LOGINS[0]
    return changes


def variable(name: str) -> str:
    """The variable's name in the vault, which may be given without its prefix; ValueError where there is none of that name."""
    full = f"vault_{name.removeprefix('vault_')}"
    if full not in SCHEMA:
        raise ValueError(name)
    return full


def short_names(random: bool = False) -> str:
    """The variables as a person names them; only those that can be made at random, or all."""
    return ", ".join(name.removeprefix("vault_") for name, entry in SCHEMA.items() if entry.make or not random)


def state(value: Any) -> str:
    """What a value is, without saying it: empty, random (as this module makes it) or set by somebody."""
    if not value:
        return "empty"
    ring = value["keys"].values() if isinstance(value, Mapping) else [value]
    kind = "random" if all(re.fullmatch("[A-Za-z0-9_-]{43}", text) for text in ring) else "set"
    return f"{kind}, {len(ring)} keys" if len(ring) > 1 else kind


def listing(content: Mapping[str, Any]) -> list[str]:
    """One line for each variable: its name, what it is, and where it is used."""
    return [f"{name:<24} {state(content.get(name)):<16} {entry.used_by}" for name, entry in SCHEMA.items()]


def with_value(text: str, name: str, value: Any) -> str:
    """The YAML of a vault with another value, None for none. What people wrote beside it, comments too, stays."""
    content = yaml.safe_load(text)
    wanted = {**content, name: value} if value is not None else {key: old for key, old in content.items() if key != name}
    written = yaml.safe_dump({name: value}, sort_keys=False) if value is not None else ""
    lines = text.splitlines(keepends=True)
    tree = yaml.compose(text, yaml.SafeLoader)
    places = [(key.start_mark, old.end_mark) for key, old in (tree.value if tree else []) if key.value == name]
    if places:
        first, end = places[0][0].line, places[0][1].line + (places[0][1].column > 0)
        while end > first + 1 and re.fullmatch(r"\s*(#.*)?\s*", lines[end - 1]):
            end -= 1  # a mapping ends where the next one begins
        edited = "".join([*lines[:first], written, *lines[end:]])
    else:
        edited = "".join([text, "" if text.endswith("\n") else "\n", written])
    try:
        fits = yaml.safe_load(edited) == wanted
    except yaml.YAMLError:
        fits = False
    # Written in some other style, it is written anew.
    return edited if fits else yaml.safe_dump(wanted, sort_keys=False)


def problems(content: Any) -> list[str]:
    """What is wrong with a decrypted vault, each item naming its variable and never a value."""
    if not isinstance(content, Mapping):
        return [f"it must be a mapping of variables, and is a {type(content).__name__}"]
    found = [f"{name} is missing" for name, entry in SCHEMA.items() if entry.make and name not in content]
    for name, value in content.items():
        if name not in SCHEMA:
            found.append(f"{name} is not known (known are {', '.join(SCHEMA)})")
        elif problem := SCHEMA[name].problem(value):
            found.append(f"{name} {problem}")
    return found
