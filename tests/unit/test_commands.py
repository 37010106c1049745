"""Every command that the documentation names is run by a scenario, with each variable and option that is named, or says here why not."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", *sorted(str(file.relative_to(ROOT)) for file in ROOT.glob("docs/*.md")))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE)
COMMAND = re.compile(r"([A-Z_]+=\S+ )*(make|docker compose|ansible-\w+|python3|kubectl|helm) \S")
# Of make, where the command stands before it.
VARIABLE = re.compile(r"[A-Z_]+=\S")
# What a play or a task of a scenario runs, by its name in YAML.
RUNS = {"command", "shell", "cmd", "argv", "up", "plan"}
# What no scenario runs, by how it begins, with the reason.
REASONS = {
    "make help": "a test below runs it",
    "make check": "it runs this test",
    "make test": "it runs the scenarios",
    "make lock": "what it finds is not known beforehand: it asks for the newest versions",
    "python3 bootstrap --test -- pytest tests/charts": "`make test` runs these tests itself",
    "python3 bootstrap --test -- molecule": "`make test` runs Molecule itself, and a kept machine is for people to look at",
    "python3 bootstrap --test -- python tests/vm.py bookworm shell": "people log in there, to a machine that failed",
    "python3 bootstrap --test -- python tests/dependencies.py": "unit tests call what it prints",
    "python3 bootstrap --test -- python bench/utterances.py": "`make test` runs what it runs, and it prints a part of that",
    "python3 bootstrap --test -- python bench/evaluation.py": "a provider counts what it costs; the backend's own tests run what it runs, with the fake",
    "kubectl apply -f docs/cloud": "it needs a cluster of that provider; the charts' tests look at the file",
    "kubectl -n todo create secret tls": "it needs a certificate, and an Ingress of a provider's",
    "ansible-vault edit": "it opens an editor",
}


def documented() -> dict[str, str]:
    """Each command, with what names it: a target of the Makefile, a line of a block for the shell, inline code."""
    found = {f"make {target}": "Makefile" for target in TARGETS}
    for document in DOCUMENTS:
        blocks = r"^```(\w*)\n(.*?)^```"
        text = (ROOT / document).read_text(encoding="utf-8")
        shell = [block for language, block in re.findall(blocks, text, re.DOTALL | re.MULTILINE) if language == "sh"]
        said = [line.partition(" #")[0].strip() for block in shell for line in block.splitlines()]
        text = re.sub(blocks, "", text, flags=re.DOTALL | re.MULTILINE)
        # a row of a table is about the command that it names first
        for part in re.split(r"^(?=\|)|(?<=\|)\n(?!\|)", text, flags=re.MULTILINE):
            about = ""
            for inline in (" ".join(one.split()) for one in re.findall(r"`([^`]+)`", part)):
                about = re.match("make [a-z-]+|", inline)[0] if not (about and part.startswith("|")) else about  # type: ignore[index]
                said.append(f"{about} {inline}" if about and VARIABLE.match(inline) else inline)
        for command in said:
            if COMMAND.match(command):
                found.setdefault(command, document)
    return found


def texts(node: ast.AST) -> Iterator[str]:
    """What a piece of Python says that may be a command: not what documents it, what is compared, and what a refusal has to say."""
    match node:
        case ast.Constant(value=str(said)):
            yield said
        case ast.JoinedStr():
            yield "".join(part.value if isinstance(part, ast.Constant) else "\0" for part in node.values)
        case ast.Call(func=ast.Attribute(attr="up" | "up_changes_nothing" | "refused"), args=[arguments, *_]):
            yield f"make up ARGS={' '.join(texts(arguments))}"
        case ast.Call(args=arguments):
            said = [" ".join(texts(one)) for one in arguments]
            place = next((place for place, one in enumerate(said) if re.fullmatch(f"({'|'.join(TARGETS)})( DO=.*)?", one)), None)
            if place is not None:
                yield f"make {said[place]} ARGS={' '.join(said[place + 1 : place + 2])}"
            else:
                yield from said[:2] if isinstance(node.func, ast.Name) and node.func.id == "refused" else said
        case ast.List() | ast.Tuple():
            yield " ".join(one for element in node.elts for one in texts(element))
        case ast.Compare():
            yield from (said for one in (node.left, *node.comparators) if not isinstance(one, ast.Constant | ast.JoinedStr) for said in texts(one))
        case ast.Expr(value=ast.Constant()):
            return
        case _:
            yield from (said for child in ast.iter_child_nodes(node) for said in texts(child))


def scalars(content: Any, runs: bool = False) -> Iterator[str]:
    """What a play or a task runs."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from scalars(value, str(key).rpartition(".")[2] in RUNS)
    elif isinstance(content, list) and runs:
        yield " ".join(map(str, content))
    elif isinstance(content, list):
        yield from (said for one in content for said in scalars(one))
    elif runs:
        yield str(content)


@cache
def run_by_tests() -> tuple[str, ...]:
    """What scenarios run, and what `make test` runs besides; what is filled in is a zero byte, or in braces."""
    found = [said for said in texts(ast.parse((ROOT / "tests/run.py").read_text(encoding="utf-8"))) if "python " in said]
    for file in ROOT.glob("molecule/**/*.py"):
        found += texts(ast.parse(file.read_text(encoding="utf-8")))
    for file in ROOT.glob("molecule/**/*.yml"):
        found += scalars(yaml.safe_load(file.read_text(encoding="utf-8")))
    return tuple(" ".join(said.split()).replace(" -n ", " --namespace ") for said in found)


def not_run(command: str) -> list[str]:
    """With which of its words no test runs a command; values are examples, but for what the vault does, and with which secret."""
    words = shlex.split(command.replace(" -n ", " --namespace "))
    if words[0] == "make":
        return not_run_by_make(words)
    variables = [word.partition("=")[0] for word in words if VARIABLE.match(word)]
    words = words[len(variables) :]
    whole = words[1] if words[0] == "python3" and words[1].endswith(".py") else " ".join(words[:3])
    runs = [said for said in run_by_tests() if whole in said]
    rest = words[3:] if whole != words[1] else []
    found = [f"{name}=" for name in variables if not any(f"{name}=" in said for said in run_by_tests())]
    # a word may be what is filled in
    return found if any(sum(word not in said for word in rest) <= said.count("\0") for said in runs) else [*found, " ".join(words)]


def not_run_by_make(words: list[str]) -> list[str]:
    target = words[1]
    given = dict(word.split("=", 1) for word in words[2:])
    asked = rf"\bmake ([a-z-]+ )*{target}(?![\w-])"
    recipe = re.search(rf"^{target}:.*\n(?:\t\$\(if.*\n)?\t@\$\(RUN\w*\) (.+)", MAKEFILE, re.MULTILINE)
    directly = re.match(r"\S+ \S+\.(yml|py)( [a-z-]+)?", recipe[1].replace("$(DO)", given.get("DO", "list"))) if recipe else None
    asked += f".*DO={given['DO']}" if "DO" in given else ""
    runs = [said for said in run_by_tests() if re.search(asked, said) or (directly and directly[0] in said)]
    if not runs:
        return [" ".join(words)]
    found = [f"{name}=" for name in given if name not in ("ARGS", "DO") and not any(f"{name}=" in said for said in runs)]
    return found + [option for option in options(given.get("ARGS", "")) if not any(is_given(option, said) for said in runs)]


def options(arguments: str) -> Iterator[str]:
    """What is given to ansible-playbook: flags, variables, each tag."""
    words = iter(shlex.split(arguments))
    for word in words:
        if word == "-e":
            yield next(words).lstrip("{").replace(": ", "=", 1)
        elif word == "--tags":
            yield from (f"--tags {tag}" for tag in next(words).split(","))
        else:
            yield word


def is_given(option: str, said: str) -> bool:
    """Whether a run has the option, also from a text that is filled in."""
    name, _, value = option.partition("=")
    if name.startswith("--tags"):
        # a role's scenario runs it by its tag
        return "<" in name or (ROOT / "molecule" / name.split()[1] / "molecule.yml").exists()
    if name in ("name", ""):
        return True
    given = f"{name}={value}" if name == "secret" else name
    filled = ("secret=\0" in said and value in run_by_tests()) if name == "secret" else any(name in other for other in run_by_tests())
    return given in said or ("\0" in said and filled)


def reason(command: str) -> str:
    return next((begin for begin in REASONS if f"{command} ".startswith(begin)), "")


def test_the_makefile_names_its_targets() -> None:
    said = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "up" in TARGETS
    assert re.findall(r"^  ([a-z-]+)", said, re.MULTILINE) == TARGETS


@pytest.mark.parametrize("command", [command for command in documented() if not reason(command)])
def test_a_documented_command_is_run_by_a_scenario(command: str) -> None:
    assert not_run(command) == [], f"{documented()[command]} names `{command}`: run it in a scenario, or say in REASONS why not"


@pytest.mark.parametrize("begin", REASONS)
def test_a_reason_is_needed(begin: str) -> None:
    covered = [command for command in documented() if reason(command) == begin]
    assert covered, "no document names such a command"
    assert any(not_run(command) for command in covered), "a scenario runs it"


@pytest.mark.parametrize(
    ("command", "lacks"),
    [
        ("make up", []),
        ("make up ARGS='--tags minikube'", []),
        ("make up ARGS='--tags nothing'", ["--tags nothing"]),
        ("make up ARGS='-e no_scenario_sets_this=1'", ["no_scenario_sets_this=1"]),
        ("make restore FILE=there ARGS='-e replace=todo'", []),
        ("make vault DO=rotate ARGS='-e secret=jwt_keys'", []),
        ("make vault DO=rotate ARGS='-e secret=no_such'", ["secret=no_such"]),
        ("make vault DO=burn", ["make vault DO=burn"]),
        ("make nothing", ["make nothing"]),
        ("make stop TO=4", ["TO="]),
        ("docker compose down -v", []),
        ("docker compose restart", ["docker compose restart"]),
        ("NO_SUCH=1 docker compose up --wait", ["NO_SUCH="]),
        ("helm -n todo test backend --logs", []),
        ("python3 bootstrap -- ansible-galaxy collection build --output-path ~/project", []),
        ("python3 bootstrap -- ansible-galaxy collection publish --force", ["python3 bootstrap -- ansible-galaxy collection publish --force"]),
    ],
)
def test_what_no_scenario_runs_is_found(command: str, lacks: list[str]) -> None:
    assert not_run(command) == lacks
