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
from typing import Any

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
    make: Callable[[], Any] | None
    """A new random value; None for what only a person can supply, which is then optional."""


def random_key() -> str:
    """32 random bytes in unpadded base64url."""
    return secrets.token_urlsafe(32)


def new_jwt_keys() -> dict[str, Any]:
    """A key ring with one key: {"active": kid, "keys": {kid: base64url of 32 bytes}}."""
    kid = secrets.token_hex(4)
    return {"active": kid, "keys": {kid: random_key()}}


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
    if not re.fullmatch(r"postgresql://[^\s/@:]+:[^\s/@]+@[^\s/@]+/[^\s/?]+(\?\S*)?", value) or re.search("[<>{}]", value):
        return "must look like postgresql://user:password@host:5432/database, without placeholders"
    return None


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


SCHEMA: dict[str, Entry] = {
    "vault_database_password": Entry(text_problem, random_key),
    "vault_database_url": Entry(url_problem, None),
    "vault_jwt_keys": Entry(jwt_keys_problem, new_jwt_keys),
    "vault_checksum_key": Entry(text_problem, random_key),
}


def new_vault() -> dict[str, Any]:
    """A vault of random values, which needs nobody's input."""
    return {name: entry.make() for name, entry in SCHEMA.items() if entry.make}


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
