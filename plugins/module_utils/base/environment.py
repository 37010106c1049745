"""What a run, and each program that it starts, gets of the caller's environment. Plain Python: `bootstrap` uses it before there is anything else.

Kept is what people set on purpose and what has to reach the programs: where packages come from, proxies, certificates. All else that a login,
a shell or another tool has left in it decides nothing here.
"""

from __future__ import annotations

import json
import os
import pwd
import re
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "TODOCHAT_ENVIRONMENT"
"""Names the private file with what is kept of the caller's, for whoever has become another user on the way."""
STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LOCALE = "C.UTF-8"
OUTSIDE = re.compile("(https?|all|no)_proxy|XDG_CONFIG_HOME", re.IGNORECASE)
FOR_PROGRAMS = re.compile(
    r"(https?|all|no)_proxy|XDG_CONFIG_HOME|SSL_CERT_(FILE|DIR)|(REQUESTS_CA|CURL_CA)_BUNDLE|NODE_EXTRA_CA_CERTS|NETRC"
    r"|PIP_(INDEX_URL|EXTRA_INDEX_URL|TRUSTED_HOST|KEYRING_PROVIDER|DEFAULT_TIMEOUT|RETRIES|CERT|CLIENT_CERT|PROXY|CONFIG_FILE|NO_INDEX|FIND_LINKS)"
    r"|NPM_CONFIG_(REGISTRY|CAFILE|USERCONFIG|PROXY|HTTPS_PROXY|NOPROXY|STRICT_SSL)|NPM_TOKEN|NODE_AUTH_TOKEN"
    r"|GO(PROXY|PRIVATE|NOPROXY|NOSUMDB|SUMDB|INSECURE|AUTH|ENV)",
    re.IGNORECASE,
)
FOR_A_RUN = re.compile(
    r"TERM|COLORTERM|COLUMNS|LINES|NO_COLOR|XDG_\w+|TODOCHAT_\w+|ANSIBLE_VAULT_PASSWORD_FILE|VISUAL|EDITOR|BROWSER|DISPLAY|XAUTHORITY|WAYLAND_DISPLAY|DBUS_\w+"
)


def path() -> str:
    """Where programs are: as this process was told, and beside each of Debian's folders that of root's programs, which a plain `su` leaves out."""
    told = [folder for folder in os.environ.get("PATH", STANDARD_PATH).split(":") if os.path.isabs(folder)]
    roots = [folder.removesuffix("bin") + "sbin" for folder in told if folder in STANDARD_PATH.split(":")]
    return ":".join(dict.fromkeys([*told, *(folder for folder in roots if folder in STANDARD_PATH.split(":"))]))


def kept(environment: Mapping[str, str]) -> dict[str, str]:
    """Of an environment, what programs get."""
    return those(FOR_PROGRAMS, environment)


def past(folder: Path) -> list[Path]:
    """The private files in a folder of this run, and of those that are no more: theirs ended without a chance to take them away."""
    found = {file: file.stem.rpartition("-")[2] for file in folder.glob("environment-*.json")}
    return [file for file, run in found.items() if str(file) == os.environ.get(VARIABLE) or not is_alive(run)]


def is_alive(process: str) -> bool:
    """Whether there is a process of this number, and it has not ended."""
    return bool(began(process))


def began(process: str) -> str:
    """When a process began, as the kernel counts; empty where it has ended, which it may have for as long as nobody asks how."""
    try:
        said = Path("/proc", process, "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    return "" if said[0] in (b"Z", b"X") else said[19].decode()


def those(names: re.Pattern[str], environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of these names. Relative folders of XDG are to be ignored, says its specification."""
    found = {name: value for name, value in environment.items() if names.fullmatch(name)}
    return {name: value for name, value in found.items() if os.path.isabs(value) or not re.fullmatch(r"XDG_\w+_(HOME|DIR)", name)}


def account(user: int) -> dict[str, str]:
    """What a login of a user has: HOME and names. A user whom nobody knows has the root folder."""
    try:
        found = pwd.getpwuid(user)
    except KeyError:
        return {"HOME": "/", "USER": str(user), "LOGNAME": str(user)}
    return {"HOME": found.pw_dir, "USER": found.pw_name, "LOGNAME": found.pw_name}


def home(environment: Mapping[str, str], user: int) -> str:
    """The home of who calls: the one that they say, else that of their account."""
    told = environment.get("HOME", "")
    return told if os.path.isabs(told) else account(user)["HOME"]


def of_a_run(environment: Mapping[str, str], user: int, programs: Path) -> dict[str, str]:
    """The environment of a whole run: the caller's, of which this remains. ``programs`` is the folder whose programs come first."""
    return {
        **kept(environment),
        **those(FOR_A_RUN, environment),
        **account(user),
        "HOME": home(environment, user),
        "PATH": f"{programs}:{STANDARD_PATH}",
        "LANG": LOCALE,
        "LC_ALL": LOCALE,
    }


def callers() -> dict[str, str]:
    """What is kept of the caller's environment, whoever runs this now."""
    try:
        found: dict[str, str] = json.loads(Path(os.environ[VARIABLE]).read_text(encoding="utf-8"))
    except (KeyError, OSError, ValueError):
        return kept(os.environ)  # a module on its own, or one on another machine
    return found


def of_a_program(user: int, more: Mapping[str, str], outside: bool) -> dict[str, str]:
    """The environment of a program that runs as a user: what is kept of the caller's, that user's home, and what it is told besides.

    Proxies, and where package clients are configured, are for what goes ``outside``: a proxy knows nothing of a node on this machine.
    """
    found = {name: value for name, value in callers().items() if outside or not OUTSIDE.fullmatch(name)}
    return {**found, **account(user), "PATH": path(), "LANG": LOCALE, "LC_ALL": LOCALE, **more}
