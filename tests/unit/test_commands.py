"""Every command that the documentation or a message names is run by a scenario, with each variable and option that is named, or says here why not."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, nodes

from ansible_collections.todochat.platform.plugins.module_utils.base import advice

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", *sorted(str(file.relative_to(ROOT)) for file in ROOT.glob("docs/*.md")))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE)
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
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
    "python3 bootstrap --test -- antsibull-changelog release --update-existing": "a unit test runs it in a copy, test_changelog.py",
    "make lock": "what it finds is not known beforehand: it asks for the newest versions",
    "python3 bootstrap --test -- python tests/sanity.py": "`make test` runs it itself, with all of its tests",
    "ansible-test sanity": "the line above runs it, where the collection is installed",
    "python3 bootstrap --test -- pytest tests/charts": "`make test` runs these tests itself",
    "python3 bootstrap --test -- molecule": "`make test` runs Molecule itself, and a kept machine is for people to look at",
    "python3 bootstrap --test -- python tests/vm.py bookworm shell": "people log in there, to a machine that failed",
    "python3 bootstrap --test -- python tests/dependencies.py": "unit tests call what it prints",
    "python3 bootstrap --test -- python bench/utterances.py": "`make test` runs what it runs, and it prints a part of that",
    "python3 bootstrap --test -- python bench/evaluation.py": "a provider counts what it costs; the backend's own tests run what it runs, with the fake",
    "kubectl apply -f docs/cloud": "it needs a cluster of that provider; the charts' tests look at the file",
    "helm upgrade --install": "it needs a provider's cluster; tests/charts renders what it is given",
    "helm rollback": "Helm's own, of a cluster of a provider's",
    "kubectl -n todo create secret tls": "it needs a certificate, and an Ingress of a provider's",
    "kubectl --namespace work create secret tls": "it needs a certificate, and an Ingress of a provider's",
    "ansible-vault edit": "it opens an editor",
    "ansible-vault encrypt": "Ansible's own; below is tested that it is reached",
    "ansible-vault rekey": "it asks for two passwords",
}


def shell(document: str) -> list[str]:
    """The blocks for the shell of a document, those within lists as well."""
    return [block for language, block in BLOCK.findall((ROOT / document).read_text(encoding="utf-8")) if language == "sh"]


def documented() -> dict[str, str]:
    """Each command, with what names it: a target of the Makefile, a line of a block for the shell, inline code, a message."""
    found = {f"make {target}": "Makefile" for target in TARGETS}
    for document in DOCUMENTS:
        said = [line.partition(" #")[0].strip() for block in shell(document) for line in block.splitlines()]
        text = BLOCK.sub("", (ROOT / document).read_text(encoding="utf-8"))
        # a row of a table is about the command that it names first
        for part in re.split(r"^(?=\|)|(?<=\|)\n(?!\|)", text, flags=re.MULTILINE):
            about = ""
            for inline in (" ".join(one.split()) for one in re.findall(r"`([^`]+)`", part)):
                about = re.match("make [a-z-]+|", inline)[0] if not (about and part.startswith("|")) else about  # type: ignore[index]
                said.append(f"{about} {inline}" if about and VARIABLE.match(inline) else inline)
        for command in said:
            if COMMAND.match(command):
                found.setdefault(command, document)
    return {command: file for file, said in printed() for command in ours(said)} | found


@cache
def printed() -> tuple[tuple[str, str], ...]:
    """What messages say, with the file; what is filled in is a zero byte."""
    files = [ROOT / "bootstrap", *ROOT.glob("plugins/**/*.py")]
    found = [(file, said) for file in files for said in literals(ast.parse(file.read_text(encoding="utf-8")))]
    for file in (*ROOT.glob("playbooks/**/*.yml"), *ROOT.glob("roles/*/tasks/*.yml")):
        found += [(file, said) for said in filled_in(yaml.safe_load(file.read_text(encoding="utf-8")))]
    return tuple((str(file.relative_to(ROOT)), said) for file, said in found)


def literals(node: ast.AST) -> Iterator[str]:
    """The texts of a piece of Python, but what documents it."""
    match node:
        case ast.Constant(value=str(said)):
            yield said.replace("{}", "\0")
        case ast.JoinedStr():
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)
            yield from (said for part in node.values if not isinstance(part, ast.Constant) for said in literals(part))
        case ast.Expr(value=ast.Constant()) | ast.Assign(targets=[ast.Name(id="DOCUMENTATION" | "EXAMPLES" | "RETURN")]):
            return
        case _:
            yield from (said for child in ast.iter_child_nodes(node) for said in literals(child))


def filled_in(content: Any) -> Iterator[str]:
    """The texts of a file of YAML, and those in its expressions."""
    if isinstance(content, dict | list):
        yield from (said for one in (content.values() if isinstance(content, dict) else content) for said in filled_in(one))
    elif isinstance(content, str):
        parsed = Environment().parse(content)
        parts = [part for output in parsed.find_all(nodes.Output) for part in output.nodes]
        yield "".join(part.data if isinstance(part, nodes.TemplateData) else "\0" for part in parts)
        yield from (one.value for one in parsed.find_all(nodes.Const) if isinstance(one.value, str))


def ours(said: str) -> list[str]:
    """The commands of the checkout that a message names, each whole."""
    words = r"(?: [A-Z]+=(?:'[^']*'|[^\s`'),;]*))*"
    found = re.findall(rf"\bmake (?:{'|'.join(TARGETS)})(?![\w-]){words}|(?<=`)ansible-vault [^`]+", said)
    return [command for command in found if "DO=\0" not in command]  # the name of a run that is at work


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
    rest = [word for word in words[3:] if not re.fullmatch(r"[A-Z]+(:[A-Z]+)?", word)] if whole != words[1] else []
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
        return "<" in name or "\0" in name or (ROOT / "molecule" / name.split()[1] / "molecule.yml").exists()
    if name in ("name", ""):
        return True
    exactly = name == "secret" and value not in ("NAME", "\0")
    given = f"{name}={value}" if exactly else name
    filled = ("secret=\0" in said and value in run_by_tests()) if exactly else any(name in other for other in run_by_tests())
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


ADVISED = sorted({command for _, said in printed() for command in ours(said)})
# What others' programs are told by their names alone, each whole: those of every Debian's PATH, and of the engine that the product runs on.
SYSTEM = (
    r"docker (info|logs \0|exec \0 .+|\0 rm \0|compose --project-directory \0 logs)|sudo (rm (\0|\S+)|apt-get update|sysctl \S+)"
    r"|sudo apt-get remove podman-docker|chmod (600|\+x) \0"
    r"|journalctl -u \0|df -h|apt-get indextargets|python3 -m pip config list|SELECT .+"
)


def test_a_message_names_only_commands_that_can_be_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours as the one helper finds them, others by path, or of the system."""
    monkeypatch.setenv(advice.VARIABLE, "/some where")
    for file, said in printed():
        assert ours(advice.pasteable(said)) == [], f"{file} names a command where {advice.__name__} does not look for it: {said}"
        assert set(re.findall(rf"{advice.BEGINS}make ([a-z][a-z-]*)", said)) <= set(TARGETS), file
        # what a message says of a program that ended is no advice
        theirs = [words for words in re.findall(r"`([^`\n]+)`(?! (?:failed|ended))", said) if " " in words and words not in ours(f"`{words}`")]
        assert [words for words in theirs if not re.fullmatch(rf"(?:\0|{SYSTEM})(?: .+)?", words)] == [], f"{file}: {said}"


@pytest.mark.parametrize("command", ADVISED)
def test_what_a_message_names_is_there(command: str) -> None:
    """Targets are, by how ADVISED is made; this is about variables."""
    words = shlex.split(command.replace("\0", "1"))
    if words[0] != "make":
        return
    given = dict(word.split("=", 1) for word in words[2:])
    recipe = subprocess.run(["make", "--dry-run", words[1], *words[2:]], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    if "scripts/move" in recipe:  # what it takes is its own, see test_move.py
        return
    (playbook,) = re.findall(r"ansible-playbook (\S+\.yml)", recipe) or [""]
    known = set(yaml.safe_load((ROOT / "group_vars/all/main.yml").read_text(encoding="utf-8")))
    for role in ROOT.glob("roles/*/defaults/main.yml"):
        known |= set(yaml.safe_load(role.read_text(encoding="utf-8")) or {})
    if playbook:
        known |= {name for play in yaml.safe_load((ROOT / playbook).read_text(encoding="utf-8")) for name in play.get("vars", {})}
    named = {option.partition("=")[0] for option in options(given.get("ARGS", "")) if not option.startswith("--")}
    assert named <= known
    assert set(given) <= {"ARGS", *re.findall(r"^([A-Z]+) :=", MAKEFILE, re.MULTILINE)}


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What stands for a checkout, in a folder whose name a shell would take apart, and for Python beside it: that says what it is told."""
    checkout = tmp_path_factory.mktemp("at") / "Bürgermeister's $HOME & more"
    shutil.copytree(ROOT / "playbooks", checkout / "playbooks")
    shutil.copy(ROOT / "Makefile", checkout)
    python = checkout.parent / "bin/python3"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\nfor said in "$(pwd)" "$TODOCHAT_CALLED_FROM" "$@"; do printf "%s\\n" "$said"; done\n')
    python.chmod(0o755)
    return checkout


@pytest.mark.parametrize("command", ADVISED)
def test_what_a_message_names_runs_from_another_folder_as_it_is_printed(command: str, elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Down to what is asked of `bootstrap`; scenarios run that."""
    monkeypatch.setenv(advice.VARIABLE, str(elsewhere))
    monkeypatch.setenv("PATH", f"{elsewhere.parent}/bin:{os.environ['PATH']}")
    monkeypatch.delenv("MAKELEVEL", raising=False)  # where make runs this test
    monkeypatch.delenv("MAKEFLAGS", raising=False)
    command = command.replace("\0", "1")
    said = advice.pasteable(f"Run `{command}`, then this again.")
    pasted = said.removeprefix("Run `").removesuffix("`, then this again.")
    done = subprocess.run(["sh", "-c", f"cd / && {pasted}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    folder, called_from, *words = [line for line in done.stdout.splitlines() if not line.startswith("make: ")]
    if command.startswith("ansible-vault"):
        assert words == [f"{elsewhere}/bootstrap", "--", *shlex.split(command)]
        return
    assert (folder, called_from) == (str(elsewhere), "/")
    assert words[:2] == ["-I", "bootstrap"]
    arguments = dict(word.split("=", 1) for word in shlex.split(command)[2:]).get("ARGS", "")
    assert words[len(words) - len(shlex.split(arguments)) :] == shlex.split(arguments)


@pytest.mark.parametrize(
    ("checkout", "said"),
    [
        ("", "Run `make up`, or `ansible-vault edit /a`; docs/rollback.md says more."),
        (".", "Run `make up`, or `python3 bootstrap -- ansible-vault edit /a`; docs/rollback.md says more."),
        ("/at home", "Run `make -C '/at home' up`, or `python3 '/at home/bootstrap' -- ansible-vault edit /a`; /at home/docs/rollback.md says more."),
    ],
)
def test_a_command_is_named_as_its_reader_can_run_it(checkout: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the checkout, from it, from elsewhere."""
    monkeypatch.setenv(advice.VARIABLE, checkout)
    assert advice.pasteable("Run `make up`, or `ansible-vault edit /a`; docs/rollback.md says more.") == said


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("make up", "make up ARGS='-e deployment_name=other'"),
        ("make up ARGS='--tags database'", "make up ARGS='-e deployment_name=other --tags database'"),
        ("make backup FILE=/a", "make backup FILE=/a ARGS='-e deployment_name=other'"),
        ("make vault DO=edit ARGS='-e secret=x'", "make vault DO=edit ARGS='-e deployment_name=other -e secret=x'"),
        ("make up ARGS='-e deployment_name=NAME'", "make up ARGS='-e deployment_name=NAME'"),
        ("make compose DO=up", "make compose DO=up"),
    ],
)
def test_a_command_is_about_the_deployment_that_the_run_was_about(command: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(advice.VARIABLE, ".")
    assert advice.pasteable(f"Run `{command}`, then this again.", "-e deployment_name=other") == f"Run `{said}`, then this again."


def given(words: list[str]) -> list[tuple[str, str]]:
    """Options of ansible-playbook, each with its value; variables that are given as a mapping as those that are not."""
    found = []
    for option, value in pairwise([*words, ""]):
        if option in ("-e", "-i", "--tags"):
            found += [(option, f"{name}={one}") for name, one in json.loads(value).items()] if value.startswith("{") else [(option, value)]
        elif option.startswith("-"):
            found.append((option, ""))
    return sorted(found)


@pytest.mark.parametrize("command", [*(f"make {target}" for target in TARGETS), *ADVISED])
def test_where_the_collection_is_installed_the_playbook_is_named_that_make_runs(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(advice.VARIABLE, "")
    monkeypatch.setattr(advice, "COLLECTION", tmp_path)
    command = command.replace("\0", "1").replace("secret=1", "secret=x")
    said = advice.pasteable(f"Run `{command}`.").removeprefix("Run `").removesuffix("`.")
    if command.startswith("ansible-vault") or " FROM=" in command or shlex.split(command)[1] in advice.OF_A_CHECKOUT:
        assert said == command
        return
    recipe = subprocess.run(["make", "--dry-run", *shlex.split(command)[1:]], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    run = shlex.split(recipe)
    playbook, *options = run[run.index("ansible-playbook") + 1 :]
    program, name, *told = shlex.split(said)
    assert program == "ansible-playbook"
    assert name == "todochat.platform." + playbook.removeprefix("playbooks/").removesuffix(".yml").replace("/", ".")
    assert (ROOT / "playbooks" / f"{name.removeprefix('todochat.platform.').replace('.', '/')}.yml").is_file()
    assert given(told) == given(options)


def test_what_is_said_where_the_collection_is_installed_can_be_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(advice.VARIABLE, "")
    monkeypatch.setattr(advice, "COLLECTION", tmp_path)
    said = advice.pasteable("`make restore FILE='/a b'`; docs/backup.md says more.", "-e deployment_name=other")
    assert said == f"""`ansible-playbook todochat.platform.restore -e deployment_name=other -e '{{"file": "/a b"}}'`; {tmp_path}/docs/backup.md says more."""


@pytest.mark.parametrize("said", ["We make up", "make up stories", "a/b  make up stories", "to do: make start on it", "/a/docs/rollback.md", "xdocs/x.md"])
def test_other_words_stay(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(advice.VARIABLE, "/elsewhere")
    assert advice.pasteable(said) == said


def test_what_the_product_advises_helps_from_another_folder(tmp_path: Path) -> None:
    """A vault is made, and encrypted again, by what each refusal says, cut out of it."""
    home = tmp_path / "of Jürg"
    home.mkdir()

    def runs(command: str) -> tuple[int, str]:
        environment = {"HOME": str(home), "PATH": os.environ["PATH"], "PWD": "/"}
        done = subprocess.run(["sh", "-c", command], cwd="/", env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def advised(command: str, begins: str) -> str:
        status, said = runs(command)
        assert status != 0, said
        (found,) = re.findall(rf"^What to do: Run `({begins}[^`]+)`", said, re.MULTILINE)
        return str(found)

    look = f"make -C {shlex.quote(str(ROOT))} vault"
    made = runs(advised(look, "make"))
    assert made[0] == 0, made[1]
    assert f"See what is in it with `{look}`" in made[1]
    (vault,) = home.glob(".config/todochat/*/vault.yml")
    encrypted = vault.read_text(encoding="utf-8")
    opened = subprocess.run(["python3", ROOT / "bootstrap", "--", "ansible-vault", "decrypt", vault], env={**os.environ, "HOME": str(home)}, check=False)
    assert opened.returncode == 0
    assert runs(advised(look, "python3"))[0] == 0
    assert vault.read_text(encoding="utf-8").splitlines()[0] == encrypted.splitlines()[0]
    assert runs(look)[0] == 0
