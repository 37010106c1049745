"""Where the vault's secrets may go: only to parameters that are never logged, and only in tasks that a scenario fails once."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator, Set
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import jinja2
import pytest
import yaml
from jinja2 import nodes
from role_variables import arguments

from ansible_collections.todochat.platform.plugins.module_utils.vault import SCHEMA
from ansible_collections.todochat.platform.plugins.plugin_utils.vaults import VaultAction

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "todochat.platform."
PLUGINS = "ansible_collections.todochat.platform.plugins"
# Of the vault, but no secret.
PUBLIC = {"vault_database_login"}
# They are given no secret, and show what those who have one say: the backend's log, the database's answer.
MEET = {"helm_releases", "app_check"}
# The others need not fail.
NOT_FAILED = {
    "A model explains it": "tells in a sentence why it does not, and never fails",
    "Faults are looked for": "is given whether there is an external database alone, and tells every state instead of failing",
    "What there is to see": "shows what nothing secret is left in, and asks nobody",
    "The deployment is observed": "is given the host of an external database alone, and tells every state instead of failing",
    "What is deployed is compared with charts, images and secrets": "only looks, and so shows no log of anybody's",
    "The database is backed up before it is migrated": "is failed in the scenario rollout_schema, where there is something to migrate",
    "The cluster has metrics-server": "deploys metrics-server, which meets no secret",
    "The cluster measures what its pods use": "deploys metrics-server, which meets no secret",
    "The model's key is where kagent finds it": "fails no run: why is told; the module is failed where it keeps the backend's Secret",
    "The vault has what sessions are signed with": "opens what the looks before it have opened",
    "The deployment that people leave is {{ state }}": "is given the name of the database alone",
    "The store has kubectl-ai": "fails no run: why is told; the module is failed where it fills the store",
    "The nodes find the login for the registry": "is failed where it keeps the backend's Secret",
    "The registry is given the login": "is failed under the title of what tells its failure",
    "{{ title }}": "is failed under the title that playbooks/rollback.yml gives it",
}
# Plays that read nothing of the vault.
NO_SECRETS = {"doctor.yml", "down.yml", "drill.yml", "logs.yml", "mcp.yml", "open.yml", "reset_password.yml"}

JINJA = jinja2.Environment()
# What these make of a value tells nothing of it.
TELLS_NOTHING = {("length",), ("regex_replace", ":.*", ""), ("todochat.platform.redacted",), *(("urlsplit", part) for part in ("hostname", "port", "path"))}
# What an action gives to its module, which its task does not say.
FILLED_IN = {"todochat.platform.preflight": "{{ __preflight_wanted }}"}
# Of modules that are not ours: never logged, as they declare it.
HIDDEN_BY_OTHERS = {("community.docker.docker_login", "password")}
# Conditions: whether they hold is all that is known of them.
CONDITIONS = {"when", "changed_when", "failed_when", "until"}


def read(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


@cache
def files() -> list[Path]:
    return [*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("playbooks/**/*.yml")]


def tasks(entries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All tasks, those in plays and blocks too."""
    for entry in entries:
        inner = [task for key in ("tasks", "block", "rescue", "always") for task in entry.get(key, [])]
        yield from tasks(inner) if inner else [entry]


@cache
def all_tasks() -> list[dict[str, Any]]:
    return [task | {key: value for key, value in FILLED_IN.items() if key in task} for file in files() for task in tasks(read(file))]


def texts(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """All texts in a value, each with the keys that lead there."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner, (*path, str(key)))
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, path)
    elif isinstance(value, str):
        yield path, value


def holds(node: nodes.Node, names: Set[str]) -> bool:
    """Whether what an expression makes tells the value of one of these variables."""
    if isinstance(node, nodes.Name):
        return node.name in names
    if isinstance(node, nodes.Getattr) and node.attr in PUBLIC:
        return False
    if isinstance(node, nodes.Test | nodes.Compare | nodes.Not):
        return False
    if isinstance(node, nodes.CondExpr):
        return any(holds(result, names) for result in (node.expr1, node.expr2) if result)
    if isinstance(node, nodes.Filter) and (node.name, *(arg.value for arg in node.args if isinstance(arg, nodes.Const))) in TELLS_NOTHING:
        return False
    return any(holds(child, names) for child in node.iter_child_nodes())


def mentions(value: Any, names: Set[str]) -> bool:
    """Whether a task names one of these variables, be it in a condition."""
    conditions = {*CONDITIONS, "that"}
    templates = [f"{{{{ {text} }}}}" if conditions & set(path) else text for path, text in texts(value)]
    return any(name.name in names for text in templates for name in JINJA.parse(text).find_all(nodes.Name))


@cache
def secrets() -> frozenset[str]:
    """The variables that hold a secret: those of the vault, and whatever is made of one."""
    made = [read(file) or {} for pattern in ("group_vars/all/main.yml", "roles/*/defaults/*.yml", "roles/*/vars/*.yml") for file in ROOT.glob(pattern)]
    made += [task.get("vars", {}) for task in all_tasks()]
    made += [play.get("vars", {}) for file in files() for play in read(file)]
    templates = [(name, JINJA.parse(text)) for variables in made for name, value in variables.items() for _, text in texts(value)]
    found = {"__deployment_vault", *SCHEMA} - PUBLIC
    while more := {name for name, template in templates if holds(template, found)} - found:
        found |= more
    return frozenset(found)


@cache
def parameters(module: str) -> dict[str, Any]:
    """The parameters that a module of ours declares."""
    code = importlib.import_module(f"{PLUGINS}.modules.{module}")
    declared = Mock(side_effect=SystemExit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(code, "AnsibleModule", declared)
        with pytest.raises(SystemExit):
            code.main()
    found: dict[str, Any] = declared.call_args.kwargs["argument_spec"]
    return found


def is_hidden(path: tuple[str, ...], declared: dict[str, Any]) -> bool:
    """Whether the parameter there, or one that it is part of, is never logged."""
    if not path:
        return False
    parameter = declared.get(path[0], {})
    return bool(parameter.get("no_log")) or is_hidden(path[1:], parameter.get("options", {}))


def options() -> dict[str, dict[str, Any]]:
    """The options of all roles."""
    return {name: option for file in ROOT.glob("roles/*/meta/argument_specs.yml") for name, option in read(file)["argument_specs"]["main"]["options"].items()}


def is_vault_action(module: str) -> bool:
    return (ROOT / f"plugins/action/{module}.py").exists() and issubclass(importlib.import_module(f"{PLUGINS}.action.{module}").ActionModule, VaultAction)


def called(task: dict[str, Any]) -> set[str]:
    """The modules of ours that a task calls."""
    return {key.removeprefix(COLLECTION) for key in task if key.startswith(COLLECTION)}


def test_a_role_never_logs_an_option_that_holds_a_secret() -> None:
    known = options()
    hidden = {name for name, option in known.items() if option.get("no_log")}
    assert hidden == secrets() & known.keys()
    assert {"database_password", "app_secrets_database_url", "app_secrets_jwt_keys", "app_secrets_model_api_key", "app_secrets_checksum_key"} <= hidden


def test_a_secret_goes_to_parameters_that_are_never_logged_and_nowhere_else() -> None:
    seen = set()
    for task in all_tasks():
        modules = called(task)
        for path, text in texts({key: arguments(value) for key, value in task.items() if key not in CONDITIONS}):
            if path[0] == "vars" or not holds(JINJA.parse(text), secrets()):  # a variable is looked at where it is used
                continue
            if path in HIDDEN_BY_OTHERS:
                continue
            module = path[0].removeprefix(COLLECTION)
            assert module in modules, f"{task['name']}: {'.'.join(path)} holds a secret"
            assert is_hidden(path[1:], parameters(module)), f"{task['name']}: {'.'.join(path)} holds a secret, and may be logged"
            seen.add(module)
    assert {"kubernetes_secret", "postgres_database", "preflight", "migration_backup", "database_backup"} <= seen


def failed_tasks() -> set[str]:
    """The titles that tests of scenarios give to their functions `refused` as first arguments, in so many words or by a variable of the test."""
    found = set()
    parsed = [ast.parse(file.read_text(encoding="utf-8")) for file in ROOT.glob("molecule/*/tests/test_*.py")]
    for test in [node for tree in parsed for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]:
        inside = list(ast.walk(test))
        named = {ast.unparse(target): node.value for node in inside if isinstance(node, ast.Assign) for target in node.targets}
        calls = [node for node in inside if isinstance(node, ast.Call) and ast.unparse(node.func) == "refused"]
        titles = [named.get(ast.unparse(call.args[0]), call.args[0]) for call in calls]
        found |= {str(title.value) for title in titles if isinstance(title, ast.Constant)}
    return found


def test_a_scenario_fails_every_task_that_handles_a_secret() -> None:
    own = [task for task in all_tasks() if not any("import_" in key for key in task)]
    handle = {task["name"] for task in own if mentions(task, secrets()) or any(module in MEET or is_vault_action(module) for module in called(task))}
    assert {"The secret has a new value", "The database has its owner and its login", "There is a password"} <= handle
    assert handle - failed_tasks() == set(NOT_FAILED)


def test_every_play_that_reads_the_vault_checks_it_first() -> None:
    for file in ROOT.glob("playbooks/*.yml"):
        play = read(file)[0]
        if "ansible.builtin.import_playbook" in play:
            continue  # which is one of these
        first = play["tasks"][0]
        assert file.name in NO_SECRETS or first.get("ansible.builtin.import_tasks") == "tasks/vault.yml", file
        # a role's or a tag's own run too
        assert file.name not in {"cluster.yml", "app.yml", "check.yml"} or "always" in first["tags"], file
    for file in ROOT.glob("playbooks/vault/*.yml"):
        first = read(file)[0]["tasks"][0]
        assert first.get("ansible.builtin.import_tasks") == "../tasks/vault.yml" or any(map(is_vault_action, called(first))), file


def test_plays_without_the_vault_have_no_use_for_it() -> None:
    for name in NO_SECRETS:
        assert not mentions(read(ROOT / "playbooks" / name), secrets()), name
