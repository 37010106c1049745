"""What a message advises, so that it can be pasted where its reader stands. Plain Python: `bootstrap` uses it before there is anything else.

Messages name a command as it is in the checkout: in backticks, at the beginning, after a colon, or in a column of its own. Whoever uses the collection without
the checkout has neither `make` nor `bootstrap`; to them nothing else is said.
"""

from __future__ import annotations

import os
import re
import shlex

VARIABLE = "TODOCHAT_CHECKOUT"
"""The checkout whose `make` or `bootstrap` runs this, as its caller would name it: HERE in that folder, else by its path."""
HERE = "."
BEGINS = r"(?:^|(?<=`)|(?<=: )|(?<=  ))"
MAKE = re.compile(BEGINS + r"make (?P<target>[a-z-]+)(?= [A-Z]+=|\x60|\)|  |\n|$)(?P<given>(?: [A-Z]+=(?:'[^']*'|[^\s'\x60]+))*)")
OF_NO_DEPLOYMENT = ("bench", "bundle", "check", "compose", "help", "lock", "test", "test-full")
# It stands in .venv, which is not in PATH.
VAULT = re.compile(BEGINS + r"ansible-vault (?=[a-z])")
FILE = re.compile(r"(?<![\w/.])(?=(?:docs/[a-z-]+\.md|group_vars/all/main\.yml|scripts/vault-password)\b)")


def pasteable(text: str, arguments: str = "") -> str:
    """The text with its commands, and the files it names, as they are for the caller; as it was where no checkout is told.

    ``arguments`` are what names the deployment, as in ``-e deployment_name=NAME``: without them, a command would be about another one.
    """
    checkout = os.environ.get(VARIABLE, "")
    if not checkout:
        return text
    begin = "" if checkout == HERE else f"{checkout.rstrip('/')}/"
    vault = f"python3 {shlex.quote(f'{begin}bootstrap')} -- ansible-vault "
    text = VAULT.sub(lambda _: vault, text)
    make = "make" if checkout == HERE else f"make -C {shlex.quote(checkout)}"
    text = MAKE.sub(lambda found: f"{make} {found['target']}{with_arguments(found['target'], found['given'], arguments)}", text)
    return text if checkout == HERE else FILE.sub(lambda _: begin, text)


def with_arguments(target: str, given: str, arguments: str) -> str:
    """What a target of make is given, with the arguments that name the deployment."""
    if not arguments or target in OF_NO_DEPLOYMENT or "deployment_name=" in given:
        return given
    return given.replace("ARGS='", f"ARGS='{arguments} ", 1) if "ARGS='" in given else f"{given} ARGS='{arguments}'"
