"""What the files of this checkout say and name, and the parts of those that all share. What that decides, dependencies.py says."""

from __future__ import annotations

import ast
import fnmatch
import hashlib
import os
import re
import sys
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "molecule/shared"))

import checkout  # noqa: E402

listed = checkout.listed_files
# For people; or for what watches the applications, and their own tests, which run each time.
DECIDES_NOTHING = re.compile(r".*\.md$|apps/[^/]+/(tests/|monitoring/|requirements-test|pyproject|eslint|\.gitignore)")
LOCK, VARIABLES, VIEW, TEST_LOCK = "artifacts.lock.yml", "group_vars/all/main.yml", "plugins/callback/progress.py", "requirements/test.txt"
MAKEFILE, STATES = "Makefile", "molecule/shared/states.yml"
# Nothing depends on all of these files: where a part of one begins, with its name. Of Python, see `part_of`.
PARTS = {
    MAKEFILE: r"([\w.-]+)(?=:| [?:]?=)",
    LOCK: r" {,2}([\w.-]+):",
    VARIABLES: r"(\w+):",
    TEST_LOCK: r"([\w.-]+)==",
    STATES: r"(\w+):",
    "pyproject.toml": r"\[([\w.]+)\]",
}
# The parts of the view: how a failure is told, and what is painted at a terminal, with how long it may take; `run` is all the rest: events, what is
# announced and said, the last line.
FAILURES = {"Failure", "_failed", "_show_failure", "explain", "v2_runner_on_failed", "v2_runner_on_unreachable"}
FAILURES |= {"REMEDY", "UNREACHABLE_REMEDY", "OWN_WORDS", "DETAIL_LINES"}
PAINTING = {"_look", "_picture", "row", "_listen_for_interrupt", "TICK_SECONDS", "PLAIN_SECONDS", "TITLE_WIDTH"}
PAINTED_WITH = ("plugins/plugin_utils/history.py",)


@cache
def files() -> dict[str, str]:
    """Each file, and each link to a folder with where it leads."""
    found = {name: ROOT / name for name in listed(ROOT)}
    return {name: os.path.normpath(Path(name).parent / os.readlink(path)) if path.is_dir() else "" for name, path in found.items() if path.exists()}


@cache
def folders() -> set[str]:
    return {str(parent) for name in files() for parent in Path(name).parents}


@cache
def text(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8", errors="replace")


@cache
def data(file: str) -> Any:
    """What a file of YAML holds; in a role's tasks and vars, the places in the checkout that the roles' defaults name are filled in."""
    content = text(file)
    if role := re.match(r"(roles/[^/]+)/(?:tasks|vars)/", file):
        for variable, place in places().items():
            content = content.replace(f"{{{{ {variable} }}}}", place)
        content = content.replace("{{ role_path }}", role[1])
    return loaded(content)


@cache
def places() -> dict[str, str]:
    """The files and folders of the checkout that defaults of roles name, by variable."""
    defaults = "".join(text(name) for name in files() if re.fullmatch(r"roles/[^/]+/defaults/main\.yml", name))
    return dict(re.findall(r'(\w+): "\{\{ role_path \}\}/\.\./\.\./([\w./-]+)"', defaults))


@cache
def loaded(content: str) -> Any:
    return yaml.load(content, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@cache
def below(path: str) -> list[str]:
    """The file, or all in the folder that decides something; where an image is built, what its .dockerignore lets in."""
    if files().get(path) == "":
        return [path]
    found = [name for name in files() if name.startswith(f"{path}/") and not DECIDES_NOTHING.match(name)]
    found += [other for name in found if files()[name] for other in below(files()[name])]
    if f"{path}/.dockerignore" in files():
        let_in = {"Dockerfile", ".dockerignore", *re.findall(r"^!([^/\n]+)", text(f"{path}/.dockerignore"), re.MULTILINE)}
        found = [name for name in found if name.removeprefix(f"{path}/").split("/")[0] in let_in]
    return found


@cache
def parts(file: str) -> dict[str, list[tuple[int, str]]]:
    """The numbered lines of each part of a file, without comments; empty where all of it counts."""
    lines = list(enumerate(text(file).splitlines(), 1))
    if file in PARTS:
        name, of_line = "", {}
        for number, line in lines:
            begins = re.match(PARTS[file], line)
            of_line[number] = name = begins[1] if begins else name
    elif file == VIEW or re.fullmatch(r"tests/\w+\.py", file):
        of_line = dict.fromkeys((number for number, _ in lines), "run" if file == VIEW else "")
        for one in python(file).definitions:
            of_line |= dict.fromkeys(range(one.node.lineno, (one.node.end_lineno or 0) + 1), part_of(file, one))
    else:
        return {}
    found: dict[str, list[tuple[int, str]]] = {}
    for number, line in lines:
        if of_line[number] and not re.match(r"\s*(#|$)", line):
            found.setdefault(of_line[number], []).append((number, re.sub(r" ## .*", "", line)))
    return found


def part_of(file: str, one: Definition) -> str:
    """The part of a file that a definition belongs to: of the view, see above; of the tests' own tools, `molecule` is what starts that."""
    if file == VIEW:
        return "failures" if one.name in FAILURES else "painting" if one.name in PAINTING else "run"
    lists = (node.elts[0] for node in ast.walk(one.node) if isinstance(node, ast.List) and node.elts)
    return "molecule" if any(getattr(first, "value", "") == "molecule" for first in lists) else ""


_seen: list[tuple[str, int]] = []


def refresh() -> bool:
    """Whether the checkout is another one than when this was asked last; then what was read of it is forgotten."""
    now = [(name, (ROOT / name).lstat().st_ctime_ns) for name in listed(ROOT)]
    if now == _seen:
        return False
    _seen[:] = now
    for function in (files, folders, text, data, places, below, parts, modules, named_by_word, imported):
        function.cache_clear()
    return True


def digest(name: str) -> str:
    """The SHA-256 of a file, or a part of one."""
    file, _, part = name.partition("#")
    content = "\n".join(line for _, line in parts(file)[part]).encode() if part else checkout.content(ROOT / file)
    return hashlib.sha256(content).hexdigest()


class Definition:
    """What a module, or a class of it, defines; the name is empty of what defines nothing."""

    def __init__(self, node: ast.stmt) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else [node]
        self.node = node
        self.name = str(getattr(targets[0], "id", getattr(targets[0], "name", "")))
        self.says = list(strings(node))
        self.uses = {name for one in ast.walk(node) for field in ("id", "attr", "arg", "name") if isinstance(name := getattr(one, field, None), str)}

    def calls(self, functions: Collection[str]) -> list[ast.AST]:
        called = ((one, one.func) for one in ast.walk(self.node) if isinstance(one, ast.Call)) if self.uses & set(functions) else ()
        return [one for one, function in called if getattr(function, "attr", getattr(function, "id", "")) in functions]


class Python:
    """A module, by its definitions; those of a class are its own, but for one with a decorator, as data classes have."""

    def __init__(self, source: str) -> None:
        self.tree = ast.parse(source)
        inner = ((node.body if isinstance(node, ast.ClassDef) and not node.decorator_list else [node]) for node in self.tree.body)
        self.definitions = [Definition(node) for body in inner for node in body]
        self.imports = [one for one in ast.walk(self.tree) if isinstance(one, ast.Import | ast.ImportFrom)]


def python(file: str) -> Python:
    return parsed(text(file))


parsed = cache(Python)


def is_python(file: str) -> bool:
    is_script = "." not in Path(file).name and files().get(file) == "" and re.match(r"#!/usr/bin/env (-S )?python3", text(file)) is not None
    return is_script or (files().get(file) == "" and file.endswith(".py"))


def strings(node: ast.AST) -> Iterator[str]:
    """The texts of a piece of Python, but not what documents it; what is filled into one is left out of it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)
        for part in node.values:
            yield from strings(part) if isinstance(part, ast.FormattedValue) else ()
    elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        for child in ast.iter_child_nodes(node):
            yield from strings(child)


def mappings(content: Any) -> Iterator[dict[str, Any]]:
    if isinstance(content, dict):
        yield content
    for value in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from mappings(value)


def scalars(content: Any) -> Iterator[str]:
    """All keys and texts of what a file of YAML holds."""
    if isinstance(content, str):
        yield content
    for value in (*content.keys(), *content.values()) if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from scalars(value)


def named(words: str, file: str) -> Iterator[str]:
    """The files that words of a file name."""
    for word in set(re.findall(r"[\w.*~/-]+", words)):
        yield from named_by_word(word, file)


@cache
def named_by_word(word: str, file: str) -> list[str]:
    """The files that a word names: beside the file, in its role or its scenario, in molecule/, or in the checkout."""
    path = re.sub(r"^.*\btodochat/", "", word).rstrip("/.")
    inside = re.sub(r"^[~./]*/", "", path)
    if not path:
        return []
    home = re.match(r"(molecule|roles)/[^/]+", file)
    scenario = home[0] if home and home[1] == "molecule" else ""
    bases = [str(Path(file).parent), *([home[0], f"{home[0]}/files", f"{home[0]}/templates"] if home else [])]
    places = [os.path.normpath(f"{base}/{path.lstrip('/~')}") for base in bases]
    if scenario and not set(places) & set(files()) and any(name.endswith(f"/{inside}") for name in below(scenario)):
        return []  # of a project that the scenario brings: all of it counts anyway
    for place in (*places, *([f"molecule/{inside}"] if scenario else []), inside):
        if place in files() or (place in folders() and "/" in word.strip("./~")):
            found = below(place)
        else:
            found = fnmatch.filter(files(), place) if re.fullmatch(r"[\w-]+(/[\w.*-]+)+", word) and "*" in word else []
        # the tests' own tools count by their parts
        found = [name for name in found if name not in PARTS and not re.match("tests/(?!e2e/)", name) and (scenario or not DECIDES_NOTHING.match(name))]
        if found:
            return found
    return []


@cache
def modules() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in files():
        if name.endswith(".py"):
            found.setdefault(Path(name).stem, []).append(name)
    return found


@cache
def imported(file: str) -> list[str]:
    """The files that a file of Python imports: of the collection, beside or above it, else of that name in the tests or of the plugins."""
    found = []
    for one in python(file).imports:
        for module in modules_of(one):
            if module.startswith("ansible_collections.todochat.platform."):
                path = module.split(".", 3)[3].replace(".", "/")
                found += [name for name in (f"{path}.py", *(f"{path}/{alias.name}.py" for alias in one.names)) if name in files()]
            else:
                known = modules().get(module, [])
                near = [name for parent in Path(file).parents for name in known if Path(name).parent == parent]
                found += near[:1] or [name for name in known if name.startswith(("molecule/", "plugins/plugin_utils/", "plugins/module_utils/base/"))]
    return found


def modules_of(one: ast.Import | ast.ImportFrom) -> list[str]:
    return [one.module or ""] if isinstance(one, ast.ImportFrom) else [alias.name for alias in one.names]


def packages(file: str) -> set[str]:
    """The packages of which a file of Python imports something."""
    return {module.split(".")[0] for one in python(file).imports for module in modules_of(one)}


def mentioned(words: str) -> Iterator[str]:
    """The shared variables and the entries of the lock file of which something speaks."""
    yield from (f"{VARIABLES}#{name}" for name in set(re.findall(r"\w+", words)) & set(parts(VARIABLES)))
    yield from (f"{LOCK}#{name}" for name in set(re.findall(r"[\w-]+", words)) & set(data(LOCK)["artifacts"]))
