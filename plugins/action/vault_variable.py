"""The action plugin vault_variable; plugins/modules/vault_variable.py documents it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible.errors import AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from ansible.utils.display import Display

from ansible_collections.todochat.platform.plugins.module_utils import vault
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.plugin_utils import vault_password
from ansible_collections.todochat.platform.plugins.plugin_utils.vaults import EDIT, VaultAction, in_force, opened, write

# Ansible's main process loads an action before it forks the worker that runs it; the worker's own standard input leads nowhere.
try:
    STANDARD_INPUT = os.dup(0)
except OSError:
    STANDARD_INPUT = -1


class ActionModule(VaultAction):
    """Gives one variable of a vault another value."""

    ARGUMENTS = {  # noqa: RUF012 - as Ansible has it
        "path": {"type": "path", "required": True},
        "team_path": {"type": "path"},
        "name": {"type": "str", "required": True},
        "random": {"type": "bool", "default": False},
        "from_file": {"type": "path"},
    }

    def act(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return {changed, msg}."""
        path = in_force(arguments["path"], arguments["team_path"])
        name = known(arguments["name"], arguments["random"])
        _unused, content = opened(path)
        if self._task.check_mode:
            return would(path, name, content, arguments)
        if arguments["random"]:
            in_use(name, content)
            given = None
        else:
            given = given_value(name, from_file(arguments["from_file"]) if arguments["from_file"] else asked(name))
        with vault_password.locked():
            # Read again: whoever is asked may take his time.
            text, content = opened(path)
            if not arguments["random"] and given == content.get(name):
                return {"changed": False, "msg": f"{name} in {path} has that value"}
            for changed, value in (vault.rotated(name, content) if arguments["random"] else {name: given}).items():
                text = vault.with_value(text, changed, value)
            write(path, text, new=False)
        done = "gave a new random value to" if arguments["random"] else "removed" if given is None else "set"
        return {"changed": True, "msg": f"{done} {name} in {path}"}


def would(path: Path, name: str, content: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """What check mode says. Nobody is asked for a value that will not be used."""
    if arguments["random"]:
        in_use(name, content)
        return {"changed": True, "msg": f"would give a new random value to {name} in {path}"}
    if not arguments["from_file"]:
        return {"changed": True, "msg": f"would set {name} in {path}"}
    new = given_value(name, from_file(arguments["from_file"]))
    if new == content.get(name):
        return {"changed": False, "msg": f"{name} in {path} has that value"}
    return {"changed": True, "msg": f"would {'remove' if new is None else 'set'} {name} in {path}"}


def known(given: str, random: bool) -> str:
    """The variable's full name."""
    asks = "ARGS='-e secret=NAME'"
    if not given:
        raise UserError("It is not said which secret.", f"Name it with {asks}: {vault.short_names(random)}.")
    try:
        name = vault.variable(given)
    except ValueError:
        raise UserError(f"There is no secret {given!r} in a vault.", f"Name one with {asks}: {vault.short_names(random)}.") from None
    if random and name == "vault_database_login":
        raise UserError(f"{name} is no secret.", "It changes with the password: rotate database_password.")
    if random and name == "vault_model_api_key":
        raise UserError(f"{name} is made by the language model's provider.", f"Make a new one there, then put it in: {EDIT.format('model_api_key')}.")
    if random and name in ("vault_registry_login", "vault_mirror_login"):
        raise UserError(f"{name} is given out by those who run what it opens.", f"Have it changed there, then put the new one in: {EDIT.format(name[6:])}.")
    if random and not vault.SCHEMA[name].make:
        raise UserError(
            f"{name} is the address of an external database, whose password is not ours to change.",
            f"Change it where that database is kept, then put the new address in: {EDIT.format('database_url')}.",
        )
    return name


def in_use(name: str, content: dict[str, Any]) -> None:
    """A new random value would be one that something uses."""
    if name == "vault_database_password" and content.get("vault_database_url"):
        raise UserError(
            "vault_database_password is not in use: vault_database_url names an external database.",
            f"Change the password where that database is kept, then put the new address in: {EDIT.format('database_url')}.",
        )


def given_value(name: str, text: str) -> Any:
    """What somebody wrote as a value; None where it is empty and may be."""
    entry = vault.SCHEMA[name]
    remedy = "Give another one; nothing was changed."
    text = text.strip()
    if not text and not entry.make:
        return None
    try:
        value = entry.parse(text)
    except ValueError:
        raise UserError(f"The value given for {name} is not valid YAML or JSON.", remedy) from None
    if problem := entry.problem(value):
        raise UserError(f"The value given for {name} does not fit: it {problem}.", remedy)
    return value


def from_file(path: str) -> str:
    """The text of a file."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UserError(f"from_file={path} cannot be read: {why}.", "Name a file that holds the value alone.") from None


def asked(name: str) -> str:
    """What is typed at the terminal, unseen; without one, standard input."""
    hint = "" if vault.SCHEMA[name].make else "; nothing removes it"
    try:
        # Ansible's main process asks, because only that one has the terminal.
        typed = Display().prompt_until(f"Value of {name} (not shown{hint}): ", private=True)
    except AnsiblePromptNoninteractive:
        typed = None
    except AnsiblePromptInterrupt:
        raise UserError("Ctrl-C was pressed.", "Run the same command again; nothing was changed.") from None
    if isinstance(typed, AnsiblePromptInterrupt):
        raise UserError("Ctrl-C was pressed.", "Run the same command again; nothing was changed.")
    if isinstance(typed, bytes):
        return typed.decode(errors="replace")
    return standard_input()


def standard_input() -> str:
    """All of it."""
    remedy = "Run it at a terminal, pipe the value in, or name a file that holds it with -e from_file=PATH."
    try:
        with os.fdopen(STANDARD_INPUT, encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, UnicodeDecodeError):
        raise UserError("There is no terminal, and standard input cannot be read.", remedy) from None
    if not text:
        raise UserError("No value was given: there is no terminal, and standard input is empty.", remedy)
    return text
