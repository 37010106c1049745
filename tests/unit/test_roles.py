"""What every role promises: specification, defaults and README say the same, and each option is one that the role reads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, nodes

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())
TYPES = {"bool": bool, "dict": dict, "int": int, "list": list, "path": str, "str": str}
# Their values are expressions, without braces around them.
CONDITIONS = {"when", "that", "changed_when", "failed_when", "until"}
# They are no part of the way from a bare machine to the application; their own scenarios set their options.
ASKED_FOR = {"ai_devops", "existing_cluster"}
# It looks at what the others are asked for.
LOOKS_AT_ALL = "preflight"
NO_OPTIONS = ("__", "ansible_", "item", "lookup", "omit", "role_path")


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def options(role: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    return found


def readable(role: Path) -> dict[str, dict[str, Any]]:
    """The options that a role's files may read."""
    return {name: option for one in (ROLES if role.name == LOOKS_AT_ALL else [role]) for name, option in options(one).items()}


def expressions(content: Any, condition: bool = False) -> Iterator[str]:
    """All that Ansible fills in, of a file of YAML."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from expressions(value, key in CONDITIONS)
    elif isinstance(content, list):
        for value in content:
            yield from expressions(value, condition)
    elif isinstance(content, str):
        yield f"{{{{ true and ({content}) }}}}" if condition else content


def variables(text: str) -> set[str]:
    names = list(Environment().parse(text).find_all(nodes.Name))
    return {name.name for name in names if name.ctx == "load"} - {name.name for name in names if name.ctx == "store"}


def read_by(role: Path) -> set[str]:
    """The variables that a role's files use."""
    files = [file for folder in ("tasks", "vars") for file in (role / folder).glob("*.yml")]
    found = {name for file in files for text in expressions(read(file)) for name in variables(text)}
    return found | {name for file in role.glob("templates/*") for name in variables(file.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_are_what_the_specification_says(role: Path) -> None:
    defaults = role / "defaults/main.yml"
    assert (read(defaults) if defaults.exists() else {}) == {name: option["default"] for name, option in options(role).items()}
    assert [name for name in options(role) if not name.startswith(f"{role.name}_")] == []
    assert [name for name, option in options(role).items() if type(option["default"]) is not TYPES[option["type"]]] == []
    assert [name for name, option in options(role).items() if option["default"] not in option.get("choices", [option["default"]])] == []


def test_the_readmes_have_the_specifications_tables() -> None:
    checked = subprocess.run([sys.executable, ROOT / "scripts/role-readmes", "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_reads_its_options_and_no_other_public_variable(role: Path) -> None:
    assert set(options(role)) - read_by(role) == set()
    assert {name for name in read_by(role) - set(readable(role)) if not name.startswith(NO_OPTIONS)} == set()


def calculated_with(text: str) -> set[str]:
    """The variables that an expression does more with than hand them on as they are, or as what `bool` or `int` makes of them."""
    parsed = Environment().parse(text)
    handed_on = [node for output in parsed.find_all(nodes.Output) for node in output.nodes]
    handed_on += [one.node for one in parsed.find_all(nodes.Filter) if one.name in ("bool", "int")]
    return {name.name for name in parsed.find_all(nodes.Name) if not any(name is one for one in handed_on)}


def of_type(*types: str) -> set[str]:
    return {name for role in ROLES for name, option in options(role).items() if option["type"] in types}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_what_stands_on_the_command_line_is_text_and_counts_as_what_it_says(role: Path) -> None:
    """`-e metrics_server_wait=true`: modules and their specifications make a truth of it, expressions do not."""
    texts = [file.read_text(encoding="utf-8") for file in role.glob("templates/*")]
    texts += [text for folder in ("tasks", "vars") for file in (role / folder).glob("*.yml") for text in expressions(read(file))]
    assert {name for text in texts for name in calculated_with(text)} & of_type("bool", "int") == set()


def test_so_it_does_in_playbooks_and_their_settings() -> None:
    """What a play itself asks for is text from the beginning; what it reads of the roles' is handed on."""
    files = [ROOT / "site.yml", *(ROOT / "playbooks").rglob("*.yml")]
    plays = [play for file in files for play in read(file) if "hosts" in play]
    assert {name for play in plays for name, value in play.get("vars", {}).items() if isinstance(value, bool | int)} == set()
    settings = ROOT / "group_vars/all/main.yml"
    typed = of_type("bool", "int") | {name for name, value in read(settings).items() if isinstance(value, bool | int)}
    assert typed > {"deployment_frontend_port", "app_release_autoscaling"}
    assert {name for file in [*files, settings] for text in expressions(read(file)) for name in calculated_with(text)} & typed == set()


def roles_of(tasks: list[dict[str, Any]]) -> Iterator[str]:
    """The tasks and roles of a play in their order, by what they import."""
    for task in tasks:
        for block in ("block", "rescue", "always"):
            yield from roles_of(task.get(block, []))
        for name in ("import_role", "include_role"):
            if role := task.get(f"ansible.builtin.{name}"):
                yield role["name"].rpartition(".")[2]
        if str(task.get("ansible.builtin.import_tasks", "")).endswith("tasks/settings.yml"):
            yield "settings"


@pytest.mark.parametrize("playbook", sorted((ROOT / "playbooks").rglob("*.yml")), ids=lambda file: file.stem)
def test_lists_and_mappings_are_none_of_text_before_a_role_calculates_with_them(playbook: Path) -> None:
    """Nothing makes them of text but modules: text is refused where settings are looked at, before the first role."""
    calculating = {
        role.name
        for role in ROLES
        for file in [*role.glob("tasks/*.yml"), *role.glob("vars/*.yml")]
        if {name for text in expressions(read(file)) for name in calculated_with(text)} & of_type("list", "dict")
    }
    assert "app_release" in calculating
    for play in read(playbook):
        order = list(roles_of(play.get("tasks", [])))
        assert not calculating & set(order) or order[0] == "settings"


def test_the_alternative_project_sets_every_option_to_something_else() -> None:
    given = read(ROOT / "molecule/alternative/project/settings.yml")
    exceptions = read(ROOT / "molecule/alternative/project/exceptions.yml")
    known = {name: option for role in ROLES if role.name not in ASKED_FOR for name, option in options(role).items()}
    assert set(known) - set(given) == set(exceptions)
    assert set(given) - set(known) == set()
    assert [name for name, value in given.items() if value == known[name]["default"]] == []
