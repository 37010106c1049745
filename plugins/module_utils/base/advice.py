"""What a message advises, so that it can be pasted where its reader stands. Plain Python: `bootstrap` uses it before there is anything else.

Messages name a command as it is in the checkout: in backticks, at the beginning, after a colon, or in a column of its own. Where the collection is installed
there is neither `make` nor `bootstrap`: to those who use it from there the playbook is named.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

COLLECTION = Path(__file__).resolve().parents[3]
VARIABLE = "TODOCHAT_CHECKOUT"
"""The checkout whose `make` or `bootstrap` runs this, as its caller would name it: HERE in that folder, else by its path."""
HERE = "."
BEGINS = r"(?:^|(?<=`)|(?<=: )|(?<=  ))"
MAKE = re.compile(BEGINS + r"make (?P<target>[a-z-]+)(?= [A-Z]+=|\x60|\)|  |\n|$)(?P<given>(?: [A-Z]+=(?:'[^']*'|[^\s'\x60]+))*)")
OF_NO_DEPLOYMENT = ("bench", "bundle", "check", "compose", "help", "lock", "test", "test-full")
# What a target runs, where that has another name, or is told more; and what only a checkout has.
PLAYBOOKS = {
    "assist": "ai_devops",
    "diagnose": "diagnose --check",
    "doctor": "doctor --check --tags preflight",
    "plan": "site --check --diff",
    "reset-password": "reset_password",
    "up": "site",
}
OF_A_CHECKOUT = ("bench", "check", "help", "lock", "mcp", "move", "schedule", "test", "test-full")
# It stands in .venv, which is not in PATH.
VAULT = re.compile(BEGINS + r"ansible-vault (?=[a-z])")
FILE = re.compile(r"(?<![\w/.])(?=(?:docs/[a-z-]+\.md|group_vars/all/main\.yml|scripts/vault-password)\b)")


def pasteable(text: str, arguments: str = "") -> str:
    """The text with its commands, and the files it names, as they are for the caller; as it was where no checkout is told.

    ``arguments`` are what names the deployment, as in ``-e deployment_name=NAME``: without them, a command would be about another one.
    """
    checkout = os.environ.get(VARIABLE, "")
    if not checkout and not (COLLECTION / "Makefile").exists():
        return FILE.sub(lambda _unused: f"{COLLECTION}/", MAKE.sub(lambda found: playbook(found, arguments), text))
    if not checkout:
        return text
    begin = "" if checkout == HERE else f"{checkout.rstrip('/')}/"
    vault = f"python3 {shlex.quote(f'{begin}bootstrap')} -- ansible-vault "
    text = VAULT.sub(lambda _unused: vault, text)
    make = "make" if checkout == HERE else f"make -C {shlex.quote(checkout)}"
    text = MAKE.sub(lambda found: f"{make} {found['target']}{with_arguments(found['target'], found['given'], arguments)}", text)
    return text if checkout == HERE else FILE.sub(lambda _unused: begin, text)


def playbook(found: re.Match[str], arguments: str) -> str:
    """The command that runs the playbook of a target of make, with what that is given."""
    target, given = found["target"], dict(re.findall(r"([A-Z]+)=('[^']*'|[^\s'\x60]+)", found["given"]))
    if target in OF_A_CHECKOUT or "FROM" in given:  # which is bootstrap's
        return found[0]
    name = f"vault.{given.pop('DO', 'list')}" if target == "vault" else PLAYBOOKS.get(target, target)
    own = "" if target in OF_NO_DEPLOYMENT or "deployment_name=" in found["given"] else arguments
    more = given.pop("ARGS", "").strip("'")
    variables = (f"""-e '{{"{one.lower()}": "{value[1:-1]}"}}'""" if value.startswith("'") else f"-e {one.lower()}={value}" for one, value in given.items())
    return " ".join(filter(None, [f"ansible-playbook todochat.platform.{name}", own, *variables, more]))


def with_arguments(target: str, given: str, arguments: str) -> str:
    """What a target of make is given, with the arguments that name the deployment."""
    if not arguments or target in OF_NO_DEPLOYMENT or "deployment_name=" in given:
        return given
    return given.replace("ARGS='", f"ARGS='{arguments} ", 1) if "ARGS='" in given else f"{given} ARGS='{arguments}'"
