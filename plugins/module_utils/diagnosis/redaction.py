"""What of a text may leave this machine: nothing secret, and nothing that tells whose machine it is. Pure, but for `this_machine`."""

from __future__ import annotations

import base64
import json
import os
import pwd
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base import database_url
from ansible_collections.todochat.platform.plugins.module_utils.base.web import is_nobodys
from ansible_collections.todochat.platform.plugins.module_utils.diagnosis.faults import FAULTS, PLACES
from ansible_collections.todochat.platform.plugins.module_utils.vault import short_names

SECRET = "[secret]"
TAKEN = r"\[(?:secret|key|token|login|private key|e-mail|address|host|user)\]"
"""What stands for what was taken out."""
LEAST_ENCODED = 8
"""Characters of an encoded value; fewer stand in any text, as do those of a value in words."""
LEAST_BEGINNING = 4
"""Characters that a cut has left of a value."""
LEAST_END = 2
PEOPLE = range(1000, 60000)
"""The numbers of accounts that people have, by Debian's policy."""
NOBODYS = {"root", "minikube", "localhost", ""}
COMMANDS = " ".join(command for fault in FAULTS for command in fault.mends)
WORDS = {"localhost", "frontend", "cluster", "registry", *re.findall(r"[\w-]+", f"{COMMANDS} {' '.join(PLACES.values())}")}
"""What the page's own commands say, which is no less of use where a host is called so."""
NAMES = (
    r"(?:(?:passw(?:or)?d|pwd|secret|token|api_?-?key|access_?-?key|private_?-?key|credential|signature)[\w-]*"
    r"|(?<![A-Za-z])(?:pass(?:phrase)?|session(?:[_-]?id)?|sid|(?:set-)?cookie))"
)
# The vault's variables, by which commands name them.
VARIABLES = "|".join(short_names().split(", "))
# In quotes, in which such quotes may stand behind more backslashes; or until a space, and a comma that does not begin another name.
VALUE = (
    rf"(?!(?:{VARIABLES})\b|{TAKEN})"
    r"""(?:(?P<quote>\\*["'])(?:(?!(?P=quote))(?:\\+["']?|[^\\\n]))*(?P=quote)?"""
    r"""|(?:[^\s,;&}\]'"]|,(?![\w.-]+[=:]|[\s\[{"'\\]|$))+)"""
)
BLOCK = r"[A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----"
# No longer than any login is: a line of nothing but addresses would take minutes.
LOGIN = r"(?<![A-Za-z0-9+.-])([A-Za-z][A-Za-z0-9+.-]{0,30}://)[^\s<>\"']{0,2000}(?=@)"
# As Go shows headers, and in lists of JSON's.
LISTED = rf"(?i)((?:{NAMES}|\b(?:proxy-)?authorization)\\*[\"']?\s*[:=]\s*)(?!{TAKEN})\[[^\]\n]*\]?"
AUTHORIZATION = rf"(?i)\b((?:proxy-)?authorization\\*[\"']?\s*[:=](?!\s*(?:\\*[\"']?(?:bearer|basic|digest) )?{TAKEN})\s*)[^\n,}}]+"
COOKIE = rf"(?i)\b((?:set-)?cookie\s*:(?!\s*{TAKEN})\s*)[^\n]+"
COOKIES = rf"(?i)\b((?:set-)?cookie\s*=(?!\s*{TAKEN})\s*)[^\s;\"']+(?:;\s*[^\s;\"']+)*"
NAMED = rf"(?i)({NAMES}\\*[\"']?\s*[:=]\s*){VALUE}"
PATTERNS = (
    # one whose end was cut off takes the rest of its line, and the lines that are nothing but its code
    (rf"(?s)-----BEGIN {BLOCK}(?:(?:(?!-----BEGIN).)*?-----END {BLOCK}|[^\n]*(?:\n[A-Za-z0-9+/=]+(?:\.{{3}})?(?=\n|\Z))*)", "[private key]"),
    (LOGIN, r"\1[login]"),
    (LISTED, rf"\1{SECRET}"),
    (r"(?i)\b(bearer|basic|digest)(\s+|%20)[A-Za-z0-9+/=._~-]{8,}", rf"\1 {SECRET}"),
    (AUTHORIZATION, rf"\1{SECRET}"),
    (COOKIE, rf"\1{SECRET}"),
    (COOKIES, rf"\1{SECRET}"),
    (r"\beyJ[\w-]{8,}(?:\.[\w-]*)*", "[token]"),
    (NAMED, rf"\1{SECRET}"),
    (rf"(?i)(?<![\w-])(--[\w-]*{NAMES}(?:\s+|[\"'],\s*))(?!-){VALUE}", rf"\1{SECRET}"),
    (r"(?i)\b(passw(?:or)?d\s+)E?\\*'(?:''|[^'\n])*'?", rf"\1{SECRET}"),
    (r"\b(?:sk|pk|rk|gsk|xai|hf|gh[pousr]|github_pat|glpat|xox[a-z]|npm|pypi)[-_][\w-]{12,}", "[key]"),
    (r"\b(?:todo_[\w-]{32,}|A[KS]IA[0-9A-Z]{12,}|AIza[\w-]{20,})", "[key]"),
    # what is made at random is long, and of all kinds of characters; names of Kubernetes' and digests are not
    (r"(?<![\w+=-])(?=[\w+=-]*[A-Z])(?=[\w+=-]*[a-z])(?=[\w+=-]*[0-9])[\w+=-]{32,}", SECRET),
    (r"(?<!sha256:)\b[0-9a-fA-F]{32,}\b", SECRET),
    (r"(?<![\w.+%-])[\w.+%-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+", "[e-mail]"),
)
# Behind a name and a colon too, as in tcp:10.1.2.3; a time has colons as well.
ADDRESSES = (
    re.compile(r"(?<![\w.:])((?:[\w-]{0,30}[G-Zg-z_-][\w-]{0,30}:)?)((?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f.]*)"),
    re.compile(r"(?<![\w.])()(\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\.\d))"),
)


@dataclass(frozen=True)
class Machine:
    """What tells whose machine it is."""

    hosts: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    homes: tuple[str, ...] = ()


def redact(text: str, secrets: Any, machine: Machine) -> str:
    """The text without the values, in whatever form, without what looks like a secret, and without what tells whose machine it is.

    ``secrets`` are texts, also within lists and mappings. What is taken away is named in brackets; doing so again changes nothing.
    """
    found = known(secrets)
    parts = [rf"(?<![\w-]){re.escape(form)}(?![\w-])" if in_words else re.escape(form) for form, in_words in found.items()]
    # at once, so that what stands for one is not taken for another
    text = re.sub("|".join([TAKEN, *parts]), lambda form: form[0] if re.fullmatch(TAKEN, form[0]) else SECRET, text)
    text = without_ends(text, list(found))
    for pattern, instead in PATTERNS:
        text = re.sub(pattern, instead, text)
    for address_pattern in ADDRESSES:
        text = address_pattern.sub(lambda address: address[0] if is_nobodys(address[2]) else f"{address[1]}[address]", text)
    for name in sorted(machine.hosts, key=len, reverse=True):
        text = re.sub(rf"(?i)(?<![\w-]){re.escape(name)}(?![\w-])", "[host]", text)
    for home in sorted(machine.homes, key=len, reverse=True):
        text = re.sub(rf"{re.escape(home)}(?![\w-])", "~", text)
    text = re.sub(r"/home/[^/\s'\":,]+", "~", text)
    for name in sorted(machine.users, key=len, reverse=True):
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", "[user]", text)
    return text


def known(secrets: Any) -> dict[str, bool]:
    """All forms of all values, the longest first, and whether one counts in words alone, as it may stand in any text otherwise."""
    found: dict[str, bool] = {}
    for value, is_host in values(secrets):
        for form in forms(value) if value not in WORDS else ():
            in_words = form == value and (is_host or len(value) < LEAST_ENCODED)
            found[form] = found.get(form, True) and in_words
    return dict(sorted(found.items(), key=lambda form: len(form[0]), reverse=True))


def values(secrets: Any) -> Iterator[tuple[str, bool]]:
    """All texts, and of the address of a database its password and its host; and whether each is a host."""
    if isinstance(secrets, Mapping):
        secrets = list(secrets.values())
    if isinstance(secrets, list | tuple):
        for one in secrets:
            yield from values(one)
    elif secrets:
        yield str(secrets), False
        try:
            parts = database_url.parameters(str(secrets))
        except database_url.AddressError:
            return
        as_written = database_url.URL.fullmatch(str(secrets))
        for password in filter(None, (parts["password"], as_written and as_written["password"])):
            yield password, False
        yield parts["host"], True


def forms(value: str) -> set[str]:
    """A value as it may be written: as it is, in JSON, for an address, in hexadecimal, and in base64 as part of anything."""
    raw = value.encode()
    quoted = {urllib.parse.quote(value, safe=""), urllib.parse.quote(value), urllib.parse.quote_plus(value)}
    found = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], raw.hex(), raw.hex().upper()}
    found |= quoted | {re.sub(r"%[0-9A-F]{2}", lambda code: code[0].lower(), one) for one in quoted}
    for before, start in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(b"\0" * before + raw).decode()[start : (before + len(raw)) * 8 // 6]
        found |= {encoded, encoded.replace("+", "-").replace("/", "_")}
    return {value} | {form for form in found if len(form) >= LEAST_ENCODED}


def without_ends(text: str, known: list[str]) -> str:
    """The text without what a cut, in whose place are three dots, has left of a value before and behind it."""
    for cut in reversed([found.start() for found in re.finditer(r"\.\.\.", text)]):
        behind = cut + len("...")
        end = max((size for form in known for size in range(LEAST_END, len(form)) if text.startswith(form[-size:], behind)), default=0)
        text = f"{text[:cut]}{SECRET}{text[behind + end :]}" if end else text
        longest = max((size for form in known for size in range(LEAST_BEGINNING, len(form)) if text.endswith(form[:size], 0, cut)), default=0)
        text = f"{text[: cut - longest]}{SECRET}{text[cut:]}" if longest else text
    return text


def this_machine() -> Machine:
    """What tells that a text is of this machine, and of whoever calls."""
    name = os.uname().nodename
    accounts = [one for one in pwd.getpwall() if one.pw_uid in PEOPLE or one.pw_uid == os.geteuid()]
    users = {*(one.pw_name for one in accounts), os.environ.get("USER", ""), os.environ.get("SUDO_USER", "")} - NOBODYS
    homes = {*(one.pw_dir for one in accounts), os.environ.get("HOME", "")} - {"", "/"}
    return Machine(tuple({name, name.partition(".")[0]} - NOBODYS), tuple(users), tuple(home for home in homes if os.path.isabs(home)))
