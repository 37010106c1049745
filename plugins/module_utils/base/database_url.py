"""A database's address as PostgreSQL's own library reads it, and what of it cannot work here; no sentence repeats a part of one but a file's name."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from ansible_collections.todochat.platform.plugins.module_utils.base.web import CA_BUNDLES

EXAMPLE = "postgresql://user:password@host:5432/database"
URL = re.compile(
    r"postgres(?:ql)?://(?P<user>[^:/?#\[\]@]*)(?::(?P<password>[^:/?#\[\]@]*))?@"
    r"(?P<host>\[[0-9A-Fa-f:.]+(?:%25\w+)?\]|[^:/?#\[\]@]*)(?::(?P<port>\d*))?/(?P<dbname>[^/?#\[\]@]*)(?:\?(?P<query>[^#]*))?"
)
PARTS = ("user", "password", "host", "port", "dbname")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer", "require"),
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
}
FILES = ("passfile", "service", "sslcert", "sslcrl", "sslcrldir", "sslkey", "sslrootcert")
"""Parameters that name files, which the application's pods do not have; what sslrootcert names is taken there."""
CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
OTHERS = (
    "application_name",
    "client_encoding",
    "connect_timeout",
    "fallback_application_name",
    "gssdelegation",
    "gsslib",
    "hostaddr",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "options",
    "replication",
    "require_auth",
    "requirepeer",
    "requiressl",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcertmode",
    "sslcompression",
    "sslnegotiation",
    "sslpassword",
    "sslsni",
    "tcp_user_timeout",
)


class AddressError(ValueError):
    """An address that cannot be used; the message is what follows "the address"."""


def parameters(url: str) -> dict[str, str]:
    """The parameters of the library's that an address gives, decoded. Raises AddressError."""
    if re.search(r"\s", url) or not url.isprintable():
        raise AddressError("has a space or a line break in it; within a part write %20 for a space")
    found = URL.fullmatch(url)
    if not found:
        raise AddressError(_why_not(url))
    if re.search(r"%(?![0-9A-Fa-f]{2})", url):
        raise AddressError("has a % that begins no encoded character; write %25 for it")
    parts = {name: unquote(found[name] or "") for name in PARTS}
    parts["host"] = parts["host"].strip("[]")
    parts["port"] = parts["port"] or "5432"
    for name, what in (("user", "user"), ("host", "host"), ("dbname", "database")):
        if not parts[name]:
            raise AddressError(f"names no {what}; write it as {EXAMPLE}")
    if "," in parts["host"]:
        raise AddressError("names several hosts; give one of them, or an address that stands for all")
    if not 0 < int(parts["port"]) < 1 << 16:
        raise AddressError("names a port that there is not")
    # A plus is a plus to the library.
    pairs = [pair.partition("=") for pair in (found["query"] or "").split("&") if pair]
    more = [(unquote(name), unquote(value)) for name, _unused, value in pairs]
    for name, value in more:
        _check(name, value, [one for one, _unused in more])
    if any(not value.isprintable() for value in (*parts.values(), *dict(more).values())):
        raise AddressError("has an encoded character in it that cannot be shown, such as a line break")
    given = {**parts, **dict(more)}
    if given.get("sslrootcert") == "system" and given.setdefault("sslmode", "verify-full") != "verify-full":
        raise AddressError("gives sslrootcert=system, to which PostgreSQL takes sslmode=verify-full alone")
    return given


def certificates(given: Mapping[str, str]) -> str:
    """The certificates (PEM) by which the server's own is checked: those in this machine's file that sslrootcert names, else those that this system trusts.

    ``given`` are the parameters; empty where nothing is to be checked. Raises AddressError.
    """
    named = given.get("sslrootcert", "")
    if not named and given.get("sslmode") not in ("verify-ca", "verify-full"):
        return ""
    file = named if named not in ("", "system") else next(filter(os.path.isfile, CA_BUNDLES), CA_BUNDLES[0])
    another = "name a file of certificates (PEM) on this machine by sslrootcert"
    try:
        found = CERTIFICATE.findall(Path(file).read_text(encoding="utf-8", errors="replace"))
        ssl.create_default_context(cadata="\n".join(found) or "none")
    except ssl.SSLError:
        raise AddressError(f"has its server's certificate checked by {file}, in which there is none that can be read; {another}") from None
    except OSError as error:
        raise AddressError(f"has its server's certificate checked by {file}, which cannot be read ({error.strerror}); {another}") from None
    return "".join(f"{one}\n" for one in found)


def _why_not(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("postgresql", "postgres"):
        return f"does not begin with postgresql://; write it as {EXAMPLE}"
    user, at, rest = rest.rpartition("@")
    if not at:
        return f"names no user; write it as {EXAMPLE}"
    if set(user.replace(":", "", 1)) & set(":/?#[]@"):
        return "has one of : / ? # [ ] @ in its user or password; percent-encode it there, such as %23 for #"
    if re.match(r"[^/?]*,", rest):
        return "names several hosts; give one of them, or an address that stands for all"
    if "/" not in rest:
        return f"names no database; write it as {EXAMPLE}"
    return f"cannot be read; write it as {EXAMPLE}"


def _check(name: str, value: str, names: list[str]) -> None:
    """Raises AddressError."""
    if name in PARTS:
        raise AddressError(f"gives {name} behind its ? once more; give it once, before that")
    if names.count(name) > 1:
        raise AddressError(f"gives {name} more than once")
    if name == "sslrootcert" and value != "system" and not value.startswith("/"):
        raise AddressError("gives no absolute path by sslrootcert; it is that of a file of certificates on this machine, or system for those it trusts")
    if name in FILES and name != "sslrootcert":
        raise AddressError(f"names a file by {name}, which the application's pods do not have; sslrootcert alone is taken to them")
    if name not in (*CHOICES, *FILES, *OTHERS):
        raise AddressError(f"asks for {name if re.fullmatch('[A-Za-z_]{1,40}', name) else 'something'}, which PostgreSQL does not know; leave that out")
    if value not in CHOICES.get(name, (value,)):
        raise AddressError(f"gives {name} a value that it does not have; it is one of {', '.join(CHOICES[name])}")
