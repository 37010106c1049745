"""How the plugins are arranged: which room may use which; and who alone starts programs, in roles and playbooks as well."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
UTILS = PLUGINS / "module_utils"
NAME = "ansible_collections.todochat.platform.plugins."
DOCUMENT = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
# Each uses only those above it.
ROOMS = re.findall(r"^\| `(\w+)` \|", DOCUMENT, re.MULTILINE)
# The second is used outside of Ansible, by scripts/vault-password.
RUNNERS = {UTILS / "base/commands.py", PLUGINS / "plugin_utils/vault_password.py"}
STARTS = {
    "subprocess": {"run", "Popen", "call", "check_call", "check_output", "getoutput", "getstatusoutput"},
    "os": {"system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp"},
    "pty": {"spawn", "fork"},
}
FILES = sorted(PLUGINS.rglob("*.py"))
# Ansible's own ways to start a program: with the whole environment of the run, and all the time in the world.
WAYS = {"command", "shell", "raw", "script", "expect"}
# Others' modules that start programs, without any limit of their own.
THEIRS = {"apt", "package", "pip", "service", "systemd", "systemd_service", "docker_compose_v2", "git", "helm", "unarchive"}
# The tasks that may, by their names.
REASONS = {
    "Docker is started on its own, with its log in /var/log/docker.log": "a daemon of the machine's, as its init script starts it",
    "The older Docker has ended": "a daemon of the machine's, ended as its init script ends it",
    "What is left of kagent is known": "a Secret by its name alone, which k8s_info would read whole",
    "The browser is told": "a program of the desktop's, which needs what the desktop has said",
}


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def uses(file: Path) -> set[str]:
    """The collection's modules that a file imports, without the common beginning of their names."""
    found = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(NAME):
            module = (node.module or "").removeprefix(NAME)
            here = PLUGINS / module.replace(".", "/")
            found |= {f"{module}.{alias.name}" for alias in node.names} if here.is_dir() else {module}
    return found


def room(module: str) -> str:
    return module.split(".")[1]


def test_what_is_to_be_opened_is_there() -> None:
    table = DOCUMENT.partition("## To change X, open Y")[2]
    paths = [path for path in re.findall(r"`([\w./-]+/[\w./-]+|[A-Z]\w+)`", table) if not re.search("SERVICE|NAME", path)]
    assert len(paths) > 10
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_rooms_are_those_that_are_listed() -> None:
    assert {path.stem for path in UTILS.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()} - {"__init__"} == set(ROOMS)


@pytest.mark.parametrize("file", sorted(UTILS.rglob("*.py")), ids=lambda file: str(file.relative_to(UTILS)))
def test_a_room_uses_only_those_before_it(file: Path) -> None:
    own = file.relative_to(UTILS).parts[0].removesuffix(".py")
    for module in uses(file):
        assert module.startswith("module_utils."), f"{file} uses {module}"
        assert ROOMS.index(room(module)) <= ROOMS.index(own), f"{file} uses {module}"


def test_no_circle() -> None:
    graph = {str(file.relative_to(PLUGINS).with_suffix("")).replace("/", "."): uses(file) for file in FILES}
    TopologicalSorter(graph).prepare()  # raises where there is one


def test_programs_are_started_in_one_place() -> None:
    """Else they would get whatever environment there is, and all the time in the world."""
    elsewhere = []
    for file in set(FILES) - RUNNERS:
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner, name = getattr(node.func.value, "id", ""), node.func.attr
                if (name in STARTS.get(owner, ()) or (owner == "os" and name.startswith(("exec", "spawn"))) or name == "run_command"):
                    elsewhere.append(f"{file.relative_to(PLUGINS)}:{node.lineno}: {owner}.{name}")
            if isinstance(node, ast.ImportFrom) and node.module in STARTS:
                names = {alias.name for alias in node.names} & STARTS[node.module]
                elsewhere += [f"{file.relative_to(PLUGINS)}:{node.lineno}: {name}" for name in names]
    assert elsewhere == []


def tasks(content: Any) -> Iterator[dict[str, Any]]:
    """All tasks of a file of YAML, those of blocks as well."""
    for entry in content if isinstance(content, list) else ():
        if isinstance(entry, dict):
            yield entry
            for key in ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always"):
                yield from tasks(entry.get(key))


def playbooks_tasks() -> Iterator[tuple[str, dict[str, Any]]]:
    """All tasks of roles and playbooks, with their files."""
    for file in (ROOT / "site.yml", *ROOT.glob("playbooks/**/*.yml"), *ROOT.glob("roles/*/tasks/**/*.yml"), *ROOT.glob("roles/*/handlers/**/*.yml")):
        for task in tasks(yaml.safe_load(file.read_text(encoding="utf-8"))):
            yield str(file.relative_to(ROOT)), task


def test_roles_and_playbooks_start_programs_by_modules_of_ours() -> None:
    found = {task["name"]: f"{file}: {key}" for file, task in playbooks_tasks() for key in task if key.rpartition(".")[2] in WAYS}
    assert {name: where for name, where in found.items() if name not in REASONS} == {}
    assert set(REASONS) <= set(found)


def test_what_others_modules_start_ends_in_time() -> None:
    starting = [(file, task) for file, task in playbooks_tasks() if any(key.rpartition(".")[2] in WAYS | THEIRS for key in task)]
    assert len(starting) > len(REASONS)
    assert [f"{file}: {task['name']}" for file, task in starting if not task.get("timeout")] == []
