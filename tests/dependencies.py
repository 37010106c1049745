#!/usr/bin/env python3
"""What decides the outcome of each Molecule scenario, derived from what it starts: nothing of it is kept by hand.

    dependencies.py                         each scenario, with the number of its inputs
    dependencies.py SCENARIO                its inputs, and what names each
    dependencies.py --change FILE[:LINE]    which scenarios an edit there makes stale, and on which way each comes to it
    dependencies.py --change                the same for typical changes, as a table

From a scenario's own files go ways to the playbooks of Molecule, to the `make` words in them and on to the Makefile's targets, their
playbooks, roles (those of the tags), modules, and what these import. Of files that all share, the parts count that are named.
"""

from __future__ import annotations

import ast
import fnmatch
import hashlib
import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

VERSION = 2
"""Of the way in which inputs are found and hashed: a record of another one says nothing."""
ROOT = Path(__file__).resolve().parent.parent
# It runs each time, and has no record.
UNRECORDED = {"site"}
# The application's code decides whether the application behaves; all else depends on how it is built, configured, migrated and deployed.
PROVES_THE_APPLICATION = {
    "app_check": "a user's whole way, each step of it",
    "compose": "a browser on what compose.yaml starts",
    "rollout": "clients' every answer, while the code is upgraded and rolled back",
}
APPLICATION = re.compile(r"apps/(backend/src/(?!.*\b(migrations/|migrate\.py|settings\.py))|frontend/((app|components|lib)/|\w+\.(ts|mjs)$))")
# Only people read these, or only tests of the applications that `make test` runs each time.
DECIDES_NOTHING = re.compile(r".*\.md$|apps/[^/]+/(tests/|requirements-test|pyproject|eslint|\.gitignore)")
LOCK, VARIABLES, VIEW, TEST_LOCK = "artifacts.lock.yml", "group_vars/all/main.yml", "plugins/callback/progress.py", "requirements/test.txt"
# Where a part of a file begins, with its name. Nothing depends on all of such a file.
PARTS = {
    "Makefile": r"([\w.-]+)(?=:| [?:]?=)",
    LOCK: r" {,2}([\w.-]+):",
    VARIABLES: r"(\w+):",
    TEST_LOCK: r"([\w.-]+)==",
    "molecule/shared/states.yml": r"(\w+):",
    "pyproject.toml": r"\[([\w.]+)\]",
}
# The tests' own tools: what starts Molecule is a part of them.
NOT_BY_NAME = re.compile(r"tests/(?!e2e/)")
# The parts of the view: how a failure is told, what is painted at a terminal and how long it may still take, and `run`: all the rest.
VIEW_PARTS = {
    **dict.fromkeys(("REMEDY", "UNREACHABLE_REMEDY", "OWN_WORDS", "DETAIL_LINES", "Failure", "_show_failure", "_failed", "explain"), "failures"),
    **dict.fromkeys(("v2_runner_on_failed", "v2_runner_on_unreachable"), "failures"),
    **dict.fromkeys(("TICK_SECONDS", "PLAIN_SECONDS", "TITLE_WIDTH", "_look", "_picture", "row", "_listen_for_interrupt"), "painting"),
}
PAINTING = ("plugins/plugin_utils/history.py",)
# What in a scenario's files says that it reads that part.
READS = {"failures": r"Failed: |Why: |refus|not passed|rc != 0|not in the way", "painting": r"\bscript -|\bpty\b"}
# What starts Ansible on the tested system, and what Ansible takes from a checkout by itself.
ANSIBLE = re.compile(r"\bansible-(playbook|vault|galaxy|doc)\b")
ANSIBLES_OWN = ("ansible.cfg", "meta/runtime.yml")
MAKE = re.compile(r"(?<!`)\bmake((?: [a-z][a-z-]*)+)((?: [A-Z]+=\S+)*)")
SITE_TARGETS = {"up", "plan"}
# Their words are about `after` and `state`, which each scenario's molecule.yml says.
FURNISHING = {f"molecule/shared/{name}.yml" for name in ("create", "prepare", "destroy")}
HAS_EDGES = re.compile(r"site\.yml|compose\.yaml|playbooks/.*\.yml|roles/[^/]+/(tasks|defaults|vars|handlers)/.*\.yml")


def names() -> list[str]:
    """The scenarios with a record, in the order in which the site runs their roles."""
    found = {path.parent.name for path in ROOT.glob("molecule/*/molecule.yml")} - UNRECORDED
    site = [ROOT / "playbooks/cluster.yml", ROOT / "playbooks/app.yml", ROOT / "playbooks/check.yml"]
    order = ["bundle", *(name for playbook in site for name in re.findall(r"name: todochat\.platform\.(\w+)", playbook.read_text(encoding="utf-8")))]
    return sorted(found, key=lambda name: (order.index(name) if name in order else len(order), name))


def inputs(scenario: str) -> dict[str, str]:
    """The SHA-256 of each file, or part of a file, that decides the scenario's outcome."""
    return {name: content_hash(name) for name in sorted(reached(scenario))}


def inputs_hash(scenario: str) -> str:
    """The SHA-256 of the inputs' names, executable bits and content."""
    digest = hashlib.sha256()
    for name, content in inputs(scenario).items():
        digest.update(f"{name}\0{os.access(ROOT / name, os.X_OK)}\0{content}\0".encode())
    return digest.hexdigest()


# The checkout


def listed(root: Path) -> list[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed in {root}, so what is to be checked is not known. It said: {done.stderr.strip()}")
    return [name for name in done.stdout.split("\0") if name]


def listed_files(root: Path) -> list[str]:
    """The files of a checkout that git keeps, or would: a new one is checked before it is added."""
    return [name for name in listed(root) if (root / name).is_file()]


@cache
def files() -> dict[str, str]:
    """Each file of this checkout, and each link to a folder with where it leads."""
    return {name: link_target(name) for name in listed(ROOT) if (ROOT / name).exists()}


def link_target(name: str) -> str:
    path = ROOT / name
    return os.path.normpath(Path(name).parent / os.readlink(path)) if path.is_symlink() and path.is_dir() else ""


@cache
def text(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8", errors="replace")


@cache
def data(file: str) -> Any:
    """What a file of YAML holds; of a role's tasks, with the places in the checkout that its defaults name filled in."""
    content = text(file)
    if role := re.match(r"(roles/[^/]+)/tasks/", file):
        defaults = f"{role[1]}/defaults/main.yml"
        for variable, place in re.findall(r'(\w+): "\{\{ role_path \}\}/\.\./\.\./([\w./-]+)"', text(defaults) if defaults in files() else ""):
            content = content.replace(f"{{{{ {variable} }}}}", place)
        content = content.replace("{{ role_path }}", role[1])
    return yaml.load(content, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@cache
def tree(file: str) -> ast.Module:
    return ast.parse(text(file))


def is_python(file: str) -> bool:
    return files().get(file) == "" and (file.endswith(".py") or ("." not in Path(file).name and text(file).startswith("#!/usr/bin/env python3")))


def refresh() -> None:
    """Forgets what was read where the checkout is another one by now."""
    global _seen
    now = [(name, (ROOT / name).lstat().st_mtime_ns) for name in listed(ROOT) if (ROOT / name).exists()]
    if now != _seen:
        _seen = now
        for function in (files, text, data, tree, imported, modules_by_name, parts, folder, edges, role_tags, site):
            function.cache_clear()


_seen: list[tuple[str, int]] = []


@cache
def folder(path: str) -> list[str]:
    """The file, or all below the folder that decides something; where images are built, what their .dockerignore lets in."""
    if path in files() and not files()[path]:
        return [path]
    found = [name for name in files() if name.startswith(f"{path}/") and not DECIDES_NOTHING.match(name)]
    found += [other for name in found if files()[name] for other in folder(files()[name])]
    if f"{path}/.dockerignore" in files():
        let_in = {"Dockerfile", ".dockerignore", *re.findall(r"^!([^/\n]+)", text(f"{path}/.dockerignore"), re.MULTILINE)}
        found = [name for name in found if name.removeprefix(f"{path}/").split("/")[0] in let_in]
    return found


@cache
def parts(file: str) -> dict[str, list[tuple[int, str]]]:
    """The numbered lines of each part of a file, without comments."""
    found: dict[str, list[tuple[int, str]]] = {}
    lines = text(file).splitlines()
    if file in PARTS:
        name = ""
        for number, line in enumerate(lines, 1):
            begins = re.match(PARTS[file], line)
            name = begins[1] if begins else name
            if name and not re.match(r"\s*(#|$)", line):
                found.setdefault(name, []).append((number, re.sub(r" ## .*", "", line)))
        return found
    of_line = dict.fromkeys(range(1, len(lines) + 1), "run" if file == VIEW else "")
    for name, node in definitions(tree(file)):
        part = VIEW_PARTS.get(name, "run") if file == VIEW else "molecule" if starts_molecule(node) else ""
        of_line |= dict.fromkeys(range(node.lineno, (node.end_lineno or node.lineno) + 1), part)
    for number, part in of_line.items():
        if part and not re.match(r"\s*(#|$)", lines[number - 1]):
            found.setdefault(part, []).append((number, lines[number - 1]))
    return found


def starts_molecule(node: ast.AST) -> bool:
    return any(isinstance(one, ast.List) and one.elts and getattr(one.elts[0], "value", "") == "molecule" for one in ast.walk(node))


def content_hash(name: str) -> str:
    file, _, part = name.partition("#")
    if part:
        content = "\n".join(line for _, line in parts(file)[part]).encode()
    else:
        content = files()[file].encode() or (ROOT / file).read_bytes()
    return hashlib.sha256(content).hexdigest()


# What a file says


def definitions(module: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """What a module or its classes define, one by one; the name is empty where it is something else."""
    for node in module.body:
        for one in node.body if isinstance(node, ast.ClassDef) and not node.decorator_list else [node]:
            if isinstance(one, ast.Assign | ast.AnnAssign):
                target = one.targets[0] if isinstance(one, ast.Assign) else one.target
                yield target.id if isinstance(target, ast.Name) else "", one
            else:
                yield getattr(one, "name", ""), one


def strings(node: ast.AST) -> Iterator[str]:
    """The texts of a piece of Python, but not what documents it; what is filled into one is left out of it."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "\0" for part in node.values)
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from strings(part.value)
    elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        for child in ast.iter_child_nodes(node):
            yield from strings(child)


def identifiers(node: ast.AST) -> set[str]:
    found = {getattr(one, field, None) for one in ast.walk(node) for field in ("id", "attr", "arg", "name")}
    return {name for name in found if isinstance(name, str)}


def scalars(content: Any) -> Iterator[str]:
    """All keys and texts of what a file of YAML holds."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from (*scalars(key), *scalars(value))
    elif isinstance(content, list):
        for value in content:
            yield from scalars(value)
    elif isinstance(content, str):
        yield content


def mappings(content: Any) -> Iterator[dict[str, Any]]:
    if isinstance(content, dict):
        yield content
    for value in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from mappings(value)


def named(words: str, file: str) -> Iterator[str]:
    """The files that words of a file name: beside it, in its scenario, in molecule/, or in the checkout."""
    scenario = re.match(r"molecule/[^/]+", file)
    role = re.match(r"roles/[^/]+", file)
    for word in set(re.findall(r"[\w.*~/-]+", words)):
        path = re.sub(r"^.*\btodochat/", "", word).rstrip("/.")
        if not path:
            continue
        bases = [str(Path(file).parent), *([scenario[0]] if scenario else []), *([f"{role[0]}/files", f"{role[0]}/templates"] if role else [])]
        places = [os.path.normpath(f"{base}/{path.lstrip('/~')}") for base in bases]
        inside = re.sub(r"^[~./]*/", "", path)
        if scenario and not set(places) & set(files()) and any(name.endswith(f"/{inside}") for name in folder(scenario[0])):
            continue  # a project's own file there
        for place in (*places, *([f"molecule/{inside}"] if scenario else []), inside):
            found = folder(place) if place in files() or "/" in word.strip("./~") else []
            if re.fullmatch(r"[\w-]+(/[\w.*-]+)+", word) and "*" in word:
                found = fnmatch.filter(files(), place)
            if found := [name for name in found if name not in PARTS and not NOT_BY_NAME.match(name) and (scenario or not DECIDES_NOTHING.match(name))]:
                yield from found
                break


@cache
def imported(file: str) -> list[str]:
    """The files of this checkout that a file of Python imports: of the collection, beside it or above, else of that name anywhere."""
    found = []
    for one in ast.walk(tree(file)):
        if not isinstance(one, ast.Import | ast.ImportFrom):
            continue
        modules = [one.module or ""] if isinstance(one, ast.ImportFrom) else [alias.name for alias in one.names]
        for module in modules:
            if module.startswith("ansible_collections.todochat.platform."):
                path = module.split(".", 3)[3].replace(".", "/")
                found += [name for name in (f"{path}.py", *(f"{path}/{alias.name}.py" for alias in one.names)) if name in files()]
            else:
                known = modules_by_name().get(module, [])
                near = [name for parent in Path(file).parents for name in known if Path(name).parent == parent]
                found += near[:1] or [name for name in known if name.startswith(("molecule/", "plugins/plugin_utils/"))]
    return found


@cache
def modules_by_name() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in files():
        if name.endswith(".py"):
            found.setdefault(Path(name).stem, []).append(name)
    return found


# The ways


@cache
def edges(node: str, tags: frozenset[str] | None = None) -> frozenset[str]:
    """What a file, a part of one or a role (`role NAME TASKS`) of the product leads on to; of the site, with these tags alone."""
    file, _, part = node.partition("#")
    if node.startswith("role "):
        _, role, tasks = node.split()
        own = [name for part in ("defaults", "handlers", "meta", "vars") for name in folder(f"roles/{role}/{part}")]
        return frozenset([*own, f"roles/{role}/tasks/{tasks}.yml"])
    if part:
        return frozenset(edges_of_part(file, part))
    if HAS_EDGES.fullmatch(file):
        content = data(file) if tags is None else chosen(data(file), tags)
        return frozenset(edges_of_yaml(file, content))
    if file == "ansible.cfg":
        return frozenset([*named(text(file), file), f"{VIEW}#run", *(f"{VARIABLES}#{name}" for name in parts(VARIABLES) if name.startswith("ansible_"))])
    if file.endswith(".j2"):
        return frozenset(mentioned(text(file)))
    if is_python(file):
        paths = [found for word in strings(tree(file)) if re.fullmatch(r"[\w.*/-]+", word) for found in named(word, file) if "*" in word or found == word]
        locked = set(strings(tree(file))) & set(data(LOCK)["artifacts"]) if "Lock" in identifiers(tree(file)) else ()
        return frozenset([*imported(file), *paths, *(f"{LOCK}#{name}" for name in locked)])
    return frozenset()


def edges_of_yaml(file: str, content: Any) -> Iterator[str]:
    words = "\n".join(scalars(content))
    yield from named(words, file)
    yield from mentioned(words)
    for mapping in mappings(content):
        for key, value in mapping.items():
            if str(key).startswith("todochat.platform."):
                name = str(key).rpartition(".")[2]
                yield from (path for path in (f"plugins/modules/{name}.py", f"plugins/action/{name}.py") if path in files())
            elif role := of_role(key, value):
                yield "role " + " ".join(role)
            elif str(key).endswith("docker_compose_v2"):
                yield "compose.yaml"


def edges_of_part(file: str, part: str) -> Iterator[str]:
    words = "\n".join(line for _, line in parts(file)[part])
    if file == "Makefile":
        yield from (f"Makefile#{name}" for name in re.findall(r"\$\((?:if \$\()?(\w+)\)", words) if name in parts(file))
    elif file == VARIABLES:
        yield from (name for name in mentioned(words) if name.startswith(VARIABLES))
    elif file == LOCK:
        build = data(LOCK)["artifacts"][part].get("build", {}) if part in data(LOCK)["artifacts"] else {}
        yield from (f"{LOCK}#{name}" for name in build.get("artifacts", {}))
        # the entry in which stands what this one repeats
        anchors = {f"&{name}" for name in re.findall(r"\*(\w+)", words)}
        yield from (f"{LOCK}#{name}" for name, lines in parts(LOCK).items() if anchors & {word for _, line in lines for word in line.split()})
        recipes = [f"go/{build['go']['module']}", "go/toolchain.txt"] if "go" in build else []
        recipes += [f"images/{build['image'][name]}" for name in ("customize", "overlay") if name in build.get("image", {})]
        yield from (name for recipe in recipes for name in folder(f"roles/bundle/files/{recipe}"))
    elif file == TEST_LOCK:
        yield from (f"{TEST_LOCK}#{name}" for name in needed_packages(part))
    elif file == VIEW:
        yield from PAINTING if part == "painting" else [name for name in imported(VIEW) if name not in PAINTING]


def needed_packages(package: str) -> list[str]:
    """The packages that the lock file says are there because of this one."""
    blocks = re.split(r"^(?=[\w.-]+==)", text(TEST_LOCK), flags=re.MULTILINE)[1:]
    return [block.split("==")[0] for block in blocks if re.search(rf"# (?:via |  ){re.escape(package)}$", block, re.MULTILINE)]


def mentioned(words: str) -> Iterator[str]:
    """The shared variables and the entries of the lock file of which something speaks."""
    yield from (f"{VARIABLES}#{name}" for name in set(re.findall(r"\w+", words)) & set(parts(VARIABLES)))
    yield from (f"{LOCK}#{name}" for name in set(re.findall(r"[\w-]+", words)) & set(data(LOCK)["artifacts"]))


def of_role(key: Any, value: Any) -> tuple[str, str] | None:
    """The role, and which of its tasks, that a task imports or includes."""
    if str(key).rpartition(".")[2] in ("import_role", "include_role") and str(value["name"]).startswith("todochat.platform."):
        return value["name"].rpartition(".")[2], value.get("tasks_from", "main")
    return None


@cache
def role_tags(role: str) -> frozenset[str]:
    found = [mapping["tags"] for name in folder(f"roles/{role}") if "/tasks/" in name for mapping in mappings(data(name)) if "tags" in mapping]
    return frozenset(tag for tags in found for tag in tags) - {"always"}


def chosen(content: Any, tags: Collection[str], inherited: frozenset[str] = frozenset()) -> list[Any]:
    """The plays and tasks that run with these tags, but for those that always do: they look whether a run may begin, which the scenarios of
    the whole way and their own prove, one of them with each tag by itself."""
    found = []
    for one in content:
        own = inherited | set(one.get("tags", []))
        own |= {tag for key, value in one.items() for role in [of_role(key, value)] if role for tag in role_tags(role[0])}
        inner = {key: chosen(one[key], tags, own) for key in ("tasks", "block") if key in one}
        if "block" in one and inner["block"]:
            found.append(one | inner)  # with what it does where that fails
        elif "tasks" in one or any(str(key).endswith("import_playbook") for key in one):
            found.append(one | inner)
        elif own & set(tags):
            found.append(one)
    return found


@cache
def site() -> frozenset[str]:
    """The playbooks of the whole way."""
    return frozenset(["site.yml", *named("\n".join(scalars(data("site.yml"))), "site.yml")])


def reached(scenario: str) -> dict[str, str]:
    """Each input of a scenario, with what leads to it; "" for where it begins."""
    refresh()
    own = folder(f"molecule/{scenario}")
    found, said = own_ways(scenario, own)
    words = "\n".join(said)
    starts = {name: "its words" for name in mentioned(words)}
    if ANSIBLE.search(words):
        starts |= dict.fromkeys(ANSIBLES_OWN, "its words")
    if "ansible-galaxy" in words:
        starts["galaxy.yml"] = "its words"
    if "stdout_callback = todochat.platform.progress" in words:
        starts[f"{VIEW}#run"] = "its words"
    for target, given in made(words):
        starts |= {f"Makefile#{target}": "its words"} | dict.fromkeys(ANSIBLES_OWN, f"Makefile#{target}")
        starts |= dict.fromkeys(named(recipe(target, given), "Makefile"), f"Makefile#{target}")
    states = tags_before(scenario)
    if states:
        starts |= {"Makefile#up": "what it stands on", "site.yml": "Makefile#up"} | dict.fromkeys(ANSIBLES_OWN, "Makefile#up")
    whole = scenario not in roles() and any(target in SITE_TARGETS for target, _ in made(words))
    tags = None if whole else frozenset(states | {scenario} | {tag for tags in re.findall(r"--tags[ =]([\w,]+)", words) for tag in tags.split(",")})
    source = "\n".join(text(name) for name in own)
    starts |= {f"{VIEW}#{part}": "its words" for part, reads in READS.items() if re.search(reads, source)}
    walk(found, starts, lambda node: edges(node, tags if node in site() else None))
    return {
        name: way
        for name, way in found.items()
        if not name.startswith("role ") and (scenario in PROVES_THE_APPLICATION or not APPLICATION.match(name)) and not DECIDES_NOTHING.match(name)
    }


def walk(found: dict[str, str], starts: dict[str, str], onward: Callable[[str], Iterable[str]]) -> None:
    waiting = deque(found | starts)
    found |= {name: way for name, way in starts.items() if name not in found}
    while waiting:
        node = waiting.popleft()
        for name in onward(node):
            if name not in found:
                found[name] = node
                waiting.append(name)


def roles() -> set[str]:
    return {name.split("/")[1] for name in files() if name.startswith("roles/")}


def tags_before(scenario: str) -> set[str]:
    """The tags of what was done on the scenario's systems before it begins: `after`, and `state` with those before it."""
    found: set[str] = set()
    states = data("molecule/shared/states.yml") if "molecule/shared/states.yml" in files() else {}
    for platform in data(f"molecule/{scenario}/molecule.yml")["platforms"]:
        found |= set(platform.get("after", []))
        state = platform.get("state")
        while state:
            found |= set(states[state]["tags"])
            state = states[state].get("before")
    return found


def made(words: str) -> Iterator[tuple[str, str]]:
    """The Makefile's targets that are asked for in words, with the variables that they are given."""
    targets = {name for name in parts("Makefile") if name.islower()}
    for said, given in MAKE.findall(words):
        yield from ((name, given) for name in said.split() if name in targets)


def recipe(target: str, given: str = "") -> str:
    """What a target runs, with its variables filled in."""
    values = {name: re.split(r"[?:]?= ?", lines[0][1], maxsplit=1)[1] for name, lines in parts("Makefile").items() if re.fullmatch("[A-Z_]+", name)}
    values |= {name: value for name, value in re.findall(r"([A-Z]+)=([\w./-]+)", given)}
    words = "\n".join(line for _, line in parts("Makefile")[target])
    while variables := [name for name in re.findall(r"\$\((\w+)\)", words) if name in values]:
        for name in variables:
            words = words.replace(f"$({name})", values[name])
    return words


def own_ways(scenario: str, own: list[str]) -> tuple[dict[str, str], list[str]]:
    """What a scenario's own files lead to, those of the harness and of other scenarios among it, and what all of them say.

    Of a module that is imported and not its own, what it uses counts.
    """
    config = data(".config/molecule/config.yml")
    settings = data(f"molecule/{scenario}/molecule.yml")
    playbooks = config["provisioner"]["playbooks"] | settings.get("provisioner", {}).get("playbooks", {})
    steps = (settings.get("scenario") or config["scenario"])["test_sequence"]
    molecule = [named(playbooks[step.split()[0]], f"molecule/{scenario}/molecule.yml") for step in steps if step.split()[0] in playbooks]
    starts = dict.fromkeys([".config/molecule/config.yml", "molecule/conftest.py", *(name for found in molecule for name in found)], "")
    starts |= dict.fromkeys(["tests/prepare.yml", "pyproject.toml#tool.pytest.ini_options"], "")
    starts |= dict.fromkeys([f"{TEST_LOCK}#molecule", f"{TEST_LOCK}#pytest-testinfra"], "")
    starts |= dict.fromkeys([f"{name}#molecule" for name in files() if re.fullmatch(r"tests/\w+\.py", name) and "molecule" in parts(name)], "")
    used, modules = uses(own)
    targets = {name for name in parts("Makefile") if name.islower()}
    said: dict[str, str] = {}

    def onward(file: str) -> Iterator[str]:
        if not file.startswith(("molecule/", "tests/e2e/")) or "#" in file:
            return
        if is_python(file):
            nodes = [node for name, node in definitions(tree(file)) if file not in modules or not name or name in used]
            found = [word for node in nodes for word in strings(node)]
            words = "\n".join([*found, *(f"make {word}" for word in found if word in targets)])
            yield from imported(file)
            packages = {name.split(".")[0] for one in ast.walk(tree(file)) for name in imports(one)}
            yield from (f"{TEST_LOCK}#{name}" for name in packages & set(parts(TEST_LOCK)))
        else:
            words = "\n".join(scalars(data(file))) if file.endswith((".yml", ".yaml")) else text(file)
        if file not in FURNISHING:
            said[file] = words
        yield from named(words, file)

    found: dict[str, str] = {}
    walk(found, dict.fromkeys(own, "") | starts, onward)
    return found, list(said.values())


def imports(one: ast.AST) -> list[str]:
    return [one.module or ""] if isinstance(one, ast.ImportFrom) else [alias.name for alias in one.names] if isinstance(one, ast.Import) else []


def uses(own: list[str]) -> tuple[set[str], set[str]]:
    """The names that a scenario's own Python uses, with what those use in turn in the tests' modules that it imports; and those modules."""
    python = [file for file in own if is_python(file)]
    found = {"molecule/conftest.py": ""}
    walk(found, dict.fromkeys(python, ""), lambda file: [name for name in imported(file) if name.startswith(("molecule/", "tests/"))])
    used = {name for file in python for name in identifiers(tree(file))}
    others = [(name, identifiers(node)) for file in set(found) - set(own) for name, node in definitions(tree(file))]
    while more := {word for name, words in others if name in used for word in words} - used:
        used |= more
    return used, set(found) - set(own)
