#!/usr/bin/env python3
"""What decides the outcome of each Molecule scenario, derived from what it starts: no list of it is kept by hand.

    dependencies.py                         each scenario, with the number of its inputs
    dependencies.py SCENARIO                its inputs, and what leads to each
    dependencies.py --change EDIT...        which scenarios an edit makes stale, and the way on which one comes to it; EDIT is a
                                            FILE, FILE:LINE or an input's name; without one, typical edits in a table
    dependencies.py --read SCENARIO         what its last run here has read of the checkout and is no input: of a role's scenario, what runs
                                            or is only looked at with every tag

From a scenario's own files ways go to the playbooks of Molecule, and by the `make` words in them to the Makefile's targets, their playbooks,
the roles (those of the tags), modules and actions, and what these import. Of files that all share, the parts count that something names.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import contents
from contents import (
    DECIDES_NOTHING,
    LOCK,
    MAKEFILE,
    ROOT,
    STATES,
    TEST_LOCK,
    VARIABLES,
    VIEW,
    below,
    data,
    files,
    imported,
    is_python,
    mappings,
    mentioned,
    named,
    named_by_word,
    packages,
    parts,
    python,
    scalars,
    text,
)

VERSION = 2
"""Of how inputs are found and hashed: a record of another one says nothing."""
UNRECORDED = {"site"}  # it runs each time
# Of the application the others depend on how it is built, configured, migrated and deployed; these, with the reason, on its code as well.
PROVES_THE_APPLICATION = {
    "app_check": "each step of a user's way through it",
    "assistant": "what a language model and outside clients do with it",
    "compose": "a browser's way, with what compose.yaml starts",
    "outbox": "that each change which the backend writes can be told once",
    "rollout": "all that clients are answered while it is upgraded and rolled back",
}
# All that an option can be, and that a variable is one, whichever role it is of.
PROVES_THE_OPTIONS = {"preflight", "alternative"}
CODE = re.compile(r"apps/(backend/src/(?!.*\b(migrations/|migrate\.py|settings\.py))|frontend/((app|components|lib)/|\w+\.(ts|mjs)$))")
MIGRATION = re.compile(r"apps/backend/src/.*/migrations/versions/.*\.py")
# What Ansible takes from a checkout by itself.
ANSIBLES_OWN = ("ansible.cfg", "meta/runtime.yml")
# A scenario whose own files have such words reads that part of the view.
READS = {"failures": r"Failed: |Why: |refus|not passed|rc [!=]= |stand in the way", "painting": r"\bscript -|\bpty\b"}
# They start only what a scenario's molecule.yml says, as `after` and `state`.
FURNISHING = re.compile(r"molecule/shared/((create|prepare|destroy)\.yml|systems\.py)")
LEADS_ON = re.compile(r"site\.yml|compose\.yaml|playbooks/.*\.yml|roles/[^/]+/((tasks|defaults|vars|handlers)/.*|meta/main)\.yml")
# Each run reads them of all roles, for the types of what it is given, and for what each has to compare. They count with their role.
OF_A_ROLE = re.compile(r"roles/(\w+)/(?:meta/argument_specs|vars/main)\.yml")
# No scenario: what ansible-test says of the collection, see sanity.py; and what it looks at, or is told by.
SANITY = "sanity"
JUDGED = ("plugins", "roles", "meta", "galaxy.yml", "tests/config.yml", "tests/sanity", "tests/sanity.py", f"{TEST_LOCK}#ansible-core")
OURS = "todochat.platform."
Ways = dict[str, str]
"""What is reached, and from where; "" where a way begins."""
_turn = threading.Lock()


def names() -> list[str]:
    """The scenarios with a record, in the order in which the site runs their roles."""
    found = {path.parent.name for path in ROOT.glob("molecule/*/molecule.yml")} - UNRECORDED
    site = [ROOT / "playbooks/cluster.yml", ROOT / "playbooks/app.yml", ROOT / "playbooks/check.yml"]
    order = ["bundle", *(name for playbook in site for name in re.findall(r"name: todochat\.platform\.(\w+)", playbook.read_text(encoding="utf-8")))]
    return sorted(found, key=lambda name: (order.index(name) if name in order else len(order), name))


def listed_files(root: Path) -> list[str]:
    """The files of a checkout that git keeps, or would; no links to folders."""
    return [name for name in contents.listed(root) if (root / name).is_file()]


def inputs(scenario: str) -> dict[str, str]:
    """The SHA-256 of each file, or part of a file, that decides the scenario's outcome: of its content, and whether it can be executed."""
    return {name: contents.digest(name) for name in sorted(reached(scenario))}


def inputs_hash(scenario: str) -> str:
    return hashlib.sha256("".join(f"{name}\0{content}\0" for name, content in inputs(scenario).items()).encode()).hexdigest()


# The ways of the product


@cache
def edges(node: str, tags: frozenset[str] | None = None) -> list[str]:
    """What a file, a part of one, or a role (`role NAME TASKS`) leads on to; a playbook of the site with these tags alone."""
    file, _, part = node.partition("#")
    if node.startswith("role "):
        _, role, tasks = node.split()
        return [*(name for kind in ("defaults", "handlers", "meta", "vars") for name in below(f"roles/{role}/{kind}")), f"roles/{role}/tasks/{tasks}.yml"]
    if part:
        return list(edges_of_part(file, part))
    if (ROOT / file).is_symlink() and (ROOT / file).is_file():  # its own content is a name
        return [str((ROOT / file).resolve().relative_to(ROOT))]
    if LEADS_ON.fullmatch(file):
        return list(edges_of_yaml(file, data(file) if tags is None else chosen(data(file), tags)))
    if file == "ansible.cfg":
        enabled = re.findall(rf"^callbacks_enabled\s*=.*?({OURS}\w+)", text(file), re.MULTILINE)
        callbacks = [path for name in enabled for path in plugins(name, "callback")]
        return [*named(text(file), file), f"{VIEW}#run", *callbacks, *(f"{VARIABLES}#{name}" for name in parts(VARIABLES) if name.startswith("ansible_"))]
    if file.endswith(".j2"):
        return list(mentioned(text(file)))
    if is_python(file):
        definitions = python(file).definitions
        words = {word for one in definitions for word in one.says if re.fullmatch(r"[\w.*/-]+", word)}
        paths = [name for word in words for name in named_by_word(word, file) if "*" in word or name == word]
        paths = [name for name in paths if not OF_A_ROLE.fullmatch(name)]
        locked = words & set(data(LOCK)["artifacts"]) if any("Lock" in one.uses for one in definitions) else ()
        return [*imported(file), *paths, *(f"{LOCK}#{name}" for name in locked)]
    return []


def edges_of_part(file: str, part: str) -> Iterator[str]:
    words = "\n".join(line for _, line in parts(file)[part])
    if file == MAKEFILE:
        yield from (f"{MAKEFILE}#{name}" for name in re.findall(r"\$\((?:if \$\()?(\w+)\)", words) if name in parts(file))
    elif file == VARIABLES:
        yield from (name for name in mentioned(words) if name.startswith(VARIABLES))
    elif file == LOCK and part in data(LOCK)["artifacts"]:
        build = data(LOCK)["artifacts"][part]["build"]
        yield from (f"{LOCK}#{name}" for name in build.get("artifacts", {}))
        yield from [f"{LOCK}#debian"] if "suite" in build.get("image", {}) else []
        repeated = {f"&{name}" for name in re.findall(r"\*(\w+)", words)}
        yield from (f"{LOCK}#{name}" for name, lines in parts(LOCK).items() if any(repeated & set(line.split()) for _, line in lines))
        recipes = [f"go/{build['go']['module']}", "go/toolchain.txt"] if "go" in build else []
        recipes += [f"images/{build['image'][name]}" for name in ("customize", "overlay") if name in build.get("image", {})]
        yield from (name for recipe in recipes for name in below(f"roles/bundle/files/{recipe}"))
    elif file == TEST_LOCK:  # what that package needs, by the comments in which each says for whom it is there
        needed = re.findall(rf"^([\w.-]+)==(?:.*\n(?![\w.-]+==))*?.*# (?:via |  ){re.escape(part)}$", text(file), re.MULTILINE)
        yield from (f"{TEST_LOCK}#{name}" for name in needed)
    elif file == VIEW:
        yield from contents.PAINTED_WITH if part == "painting" else [name for name in imported(VIEW) if name not in contents.PAINTED_WITH]


def edges_of_yaml(file: str, content: Any) -> Iterator[str]:
    words = "\n".join(scalars(content))
    yield from (*named(words, file), *mentioned(words))
    yield from (path for name in re.findall(rf"{OURS}\w+", words) for path in plugins(name, "filter", "lookup", "test"))
    for key, value in ((str(key), value) for mapping in mappings(content) for key, value in mapping.items()):
        if key.startswith(OURS):
            yield from plugins(key, "modules", "action")
            yield from ["compose.yaml"] if key.endswith("compose_project") else []
        elif role := role_of(key, value):
            yield f"role {role} {value.get('tasks_from', 'main')}"
        elif key in ("roles", "dependencies"):
            listed = (str(one.get("role", one.get("name", ""))) if isinstance(one, dict) else str(one) for one in value)
            yield from (f"role {one.removeprefix(OURS)} main" for one in listed if one.startswith(OURS))


def plugins(name: str, *kinds: str) -> list[str]:
    paths = (f"plugins/{kind}/{name.removeprefix(OURS)}.py" for kind in kinds)
    return [path for path in paths if path in files()]


def role_of(key: str, value: Any) -> str:
    """The role of this collection that a task imports or includes."""
    name = str(value["name"]) if key.rpartition(".")[2] in ("import_role", "include_role") else ""
    return name.removeprefix(OURS) if name.startswith(OURS) else ""


def tags_of(one: dict[str, Any]) -> list[str]:
    tags = one.get("tags", [])
    return tags if isinstance(tags, list) else str(tags).split(",")


@cache
def role_tags(role: str) -> set[str]:
    tasks = (data(name) for name in below(f"roles/{role}/tasks"))
    return {tag for content in tasks for mapping in mappings(content) for tag in tags_of(mapping)} - {"always"}


def chosen(content: Any, tags: Collection[str], inherited: Collection[str] = ()) -> list[Any]:
    """The plays and tasks that run with these tags, but not what runs with all of them: that looks whether a run may begin, which its own
    scenario proves and those of the whole way, some of them with each tag by itself. What a block does where it fails counts with the block."""
    found = []
    for one in content:
        own = {*inherited, *tags_of(one), *(tag for key, value in one.items() if (role := role_of(str(key), value)) for tag in role_tags(role))}
        inner = {key: chosen(one[key], tags, own) for key in ("tasks", "block") if key in one}
        if "tasks" in one or inner.get("block") or any(str(key).endswith("import_playbook") for key in one) or (not inner and own & set(tags)):
            found.append(one | inner)
    return found


@cache
def site() -> set[str]:
    """The playbooks of the whole way."""
    whole = "playbooks/site.yml"
    return {"site.yml", whole, *named("\n".join(scalars(data(whole))), whole)}


# The ways of a scenario


def reached(scenario: str) -> Ways:
    """Each input of a scenario as it is now, with what leads to it."""
    with _turn:
        if contents.refresh():
            for function in (ways, edges, role_tags, site):
                function.cache_clear()
        return ways(scenario)


@cache
def ways(scenario: str) -> Ways:
    if scenario == SANITY:
        return dict.fromkeys([name for place in JUDGED for name in ([place] if "#" in place else below(place))], "ansible-test")
    own = below(f"molecule/{scenario}")
    found, words = harness(scenario, own)
    source = "\n".join(map(text, own))
    starts = dict.fromkeys(mentioned(words), "its words")
    starts |= {f"{VIEW}#{part}": "its words" for part, reads in READS.items() if re.search(reads, source)}
    if re.search(r"\bansible-(playbook|vault|galaxy|doc)\b", words):
        starts |= dict.fromkeys(ANSIBLES_OWN, "its words")
    if "ansible-galaxy" in words:
        starts["galaxy.yml"] = "its words"
    of_the_collection = {f"playbooks/{name.replace('.', '/')}.yml" for name in re.findall(rf"\bansible-playbook {OURS}([\w.]*\w)", words)} & set(files())
    starts |= dict.fromkeys(of_the_collection, "its words")
    if "alembic_version" in source:
        starts |= dict.fromkeys([name for name in files() if MIGRATION.match(name)], "the schema that it reads")
    if scenario in PROVES_THE_OPTIONS:
        starts |= dict.fromkeys([f"{VARIABLES}#{part}" for part in parts(VARIABLES)], "the options")
    roles = {one[1] for name in files() if (one := OF_A_ROLE.fullmatch(name)) and (scenario in PROVES_THE_OPTIONS or f"{one[1]}_" in source)}
    starts |= dict.fromkeys([f"roles/{role}/meta/argument_specs.yml" for role in roles], "the options")
    before, states = stands_on(scenario)
    starts |= dict.fromkeys([f"{STATES}#{state}" for state in states], "what it stands on")
    asked = [*made(words), *([("up", "")] if before else [])]
    for target, given in asked:
        starts |= {f"{MAKEFILE}#{target}": ""} | dict.fromkeys((*named(recipe(target, given), MAKEFILE), *ANSIBLES_OWN), f"make {target}")
    is_of_a_role = any(name.startswith(f"roles/{scenario}/") for name in files())
    # From the last state on, a run of all roles changes none but those that are named by tag or belong to another of its playbooks.
    starts_all = [*data(STATES)][-1] not in states or re.search(r"--tags[ =]\0", words) is not None
    whole = bool(site() & {*found, *of_the_collection}) or (not is_of_a_role and starts_all)
    # What it stands on is proven by the scenarios of those roles, and by those of the whole way; a record says which state it was.
    tags = {scenario, *(tag for tags in re.findall(r"--tags[ =]([\w,]+)", words) for tag in tags.split(","))}
    walk(found, starts, lambda node: edges(node, frozenset(tags) if not whole and node in site() else None))
    runs_playbooks = any(name in site() or name.startswith("playbooks/") for name in found)

    def counts(name: str) -> bool:
        if CODE.match(name):
            return scenario in PROVES_THE_APPLICATION
        if name.startswith(VARIABLES):
            return runs_playbooks
        return not name.startswith("role ") and (not DECIDES_NOTHING.match(name) or name in source)

    return {name: way for name, way in found.items() if counts(name)}


def walk(found: Ways, starts: Ways, onward: Callable[[str], Iterable[str]]) -> None:
    found |= {name: way for name, way in starts.items() if name not in found}
    waiting = deque(found)
    while waiting:
        node = waiting.popleft()
        for name in onward(node):
            if name not in found:
                found[name] = node
                waiting.append(name)


def stands_on(scenario: str) -> tuple[set[str], list[str]]:
    """The tags with which was made what a scenario's systems have before it begins, by `after` and `state`; and the states."""
    tags: set[str] = set()
    states: list[str] = []
    for platform in data(f"molecule/{scenario}/molecule.yml")["platforms"]:
        tags |= set(platform.get("after", []))
        state = platform.get("state")
        while state:
            states.append(state)
            tags |= set(data(STATES)[state]["tags"])
            state = data(STATES)[state].get("before")
    return tags, states


def made(words: str) -> Iterator[tuple[str, str]]:
    """The Makefile's targets that words ask for, with the variables that they give; not what a message tells its reader to do."""
    for said in re.findall(r"(?<!`)\bmake((?: (?:-\S+|[A-Z]+=[^\s'\"]+|[a-z][a-z-]*(?![\w=])))+)", words):
        yield from ((word, said) for word in said.split() if word.islower() and word in parts(MAKEFILE))


def recipe(target: str, given: str = "") -> str:
    """What a target runs, with its variables filled in."""
    values = {name: lines[0][1].partition("= ")[2] for name, lines in parts(MAKEFILE).items() if re.fullmatch("[A-Z_]+", name)}
    values |= dict(re.findall(r"([A-Z]+)=([\w./-]+)", given))
    words = "\n".join(line for _, line in parts(MAKEFILE)[target])
    while variables := [name for name in re.findall(r"\$\((\w+)\)", words) if name in values]:
        for name in variables:
            words = words.replace(f"$({name})", values[name])
    return re.sub(r"\S*\*\S*", "", words)


def harness(scenario: str, own: list[str]) -> tuple[Ways, str]:
    """What a scenario's own files lead to among the tests, and what else these name; and the words of all of them.

    Of a module of the tests that is imported and not the scenario's own, what is used counts.
    """
    config, settings = data(".config/molecule/config.yml"), data(f"molecule/{scenario}/molecule.yml")
    playbooks = config["provisioner"]["playbooks"] | settings.get("provisioner", {}).get("playbooks", {})
    steps = [step.split()[0] for step in (settings.get("scenario") or config["scenario"])["test_sequence"]]
    begins = [name for step in steps if step in playbooks for name in named(playbooks[step], f"molecule/{scenario}/molecule.yml")]
    tools = [f"{name}#molecule" for name in files() if re.fullmatch(r"tests/\w+\.py", name) and "molecule" in parts(name)]
    tests = [name for name in named("\n".join(scalars(settings)), f"molecule/{scenario}/molecule.yml") if is_python(name)]
    tools += ["pyproject.toml#tool.pytest.ini_options", f"{TEST_LOCK}#molecule", f"{TEST_LOCK}#pytest-testinfra", "tests/prepare.yml"]
    starts = [*own, ".config/molecule/config.yml", "molecule/conftest.py", *begins, *tests, *tools]
    used, others = uses([*(name for name in own if is_python(name)), *tests])
    runners = make_runners({*own, *tests, *others})
    said = []

    def onward(file: str) -> Iterator[str]:
        if not file.startswith(("molecule/", "tests/e2e/")):
            return
        if is_python(file):
            counts = [one for one in python(file).definitions if file not in others or not one.name or one.name in used]
            words = "\n".join(word for one in counts for word in (*one.says, *(f"make {target}" for target in targets(one, runners))))
            yield from (*imported(file), *(f"{TEST_LOCK}#{name}" for name in packages(file) & set(parts(TEST_LOCK))))
        else:
            words = "\n".join(scalars(data(file))) if file.endswith((".yml", ".yaml")) else text(file)
            yield from edges_of_yaml(file, data(file)) if file.endswith(".yml") else ()
        if not FURNISHING.fullmatch(file):
            said.append(words)
        if "stdout_callback = todochat.platform.progress" in words:
            yield f"{VIEW}#run"
        yield from named(words, file)

    found: Ways = {}
    walk(found, dict.fromkeys(starts, ""), onward)
    return found, "\n".join(said)


def make_runners(modules: Iterable[str]) -> set[str]:
    """The functions that run a target of make which they are given, themselves or by another such function."""
    defined = [one for file in modules if is_python(file) for one in python(file).definitions]
    runners = {one.name for one in defined if any("make \0" in word for word in one.says)}
    while more := {one.name for one in defined for call in one.calls(runners) if not set(contents.strings(call)) & set(parts(MAKEFILE))} - runners:
        runners |= more
    return runners


def targets(one: contents.Definition, runners: Collection[str]) -> set[str]:
    """The targets by whose name alone a piece of Python calls such functions; within one, those of its lists and defaults."""
    places: list[ast.AST] = one.calls(runners)
    places += [node for node in ast.walk(one.node) if isinstance(node, ast.Tuple | ast.List | ast.arguments)] if one.name in runners else []
    return {word for place in places for word in contents.strings(place) if word.islower() and word in parts(MAKEFILE)}


def uses(own: Collection[str]) -> tuple[set[str], set[str]]:
    """The names that these tests use, with what those use in turn in the tests' modules that they import; and those modules."""
    found: Ways = {"molecule/conftest.py": ""}
    walk(found, dict.fromkeys(own, ""), lambda file: [name for name in imported(file) if name.startswith(("molecule/", "tests/"))])
    others = set(found) - set(own)
    defined = [one for file in others for one in python(file).definitions]
    used = {name for file in own for one in python(file).definitions for name in one.uses}
    used |= {one.name for one in defined if "autouse" in one.uses}  # a fixture that no test names
    while more := {name for one in defined if one.name in used for name in one.uses} - used:
        used |= more
    return used, others


# The table


TYPICAL = {
    "a line of the backend": "apps/backend/src/todo_backend/chat/rules.py",
    "a line of the frontend": "apps/frontend/components/todo-panel.tsx",
    "a migration": "apps/backend/src/todo_backend/migrations/versions/0002_schema_readers.py",
    "a chart's memory limit": "apps/backend/chart/values.yaml",
    "the charts' shared template": "apps/chart/templates/_deployment.tpl",
    "helm.py": "plugins/module_utils/release/helm.py",
    "profile.py": "plugins/module_utils/cluster/profile.py",
    "build.py": "plugins/module_utils/store/build.py",
    "backup.py": "plugins/module_utils/database/backup.py",
    "module preflight": "plugins/modules/preflight.py",
    "action vault_rekey": "plugins/action/vault_rekey.py",
    "a task of role network": "roles/network/tasks/main.yml",
    "a task of role app_release": "roles/app_release/tasks/main.yml",
    "the lock's postgres": f"{LOCK}#postgres",
    "a lock entry that nothing installs": f"{LOCK}#new",
    "group_vars: minikube_ports": f"{VARIABLES}#minikube_ports",
    "group_vars: app_check_url": f"{VARIABLES}#app_check_url",
    "the recipe of make rollback": f"{MAKEFILE}#rollback",
    "the recipe of make backup": f"{MAKEFILE}#backup",
    "how failures are told": f"{VIEW}#failures",
    "what is painted": f"{VIEW}#painting",
    "the rest of the view": f"{VIEW}#run",
    "errors.py": "plugins/module_utils/base/errors.py",
    "bootstrap": "bootstrap",
}


def touched(edit: str) -> set[str]:
    """The inputs that an edit changes, wherever they are ones."""
    file, _, line = edit.partition(":")
    found = {f"{file}#{part}" for part, lines in parts(file).items() if not line or int(line) in (number for number, _ in lines)} if file in files() else set()
    return found or {file}


def stale(edit: str) -> dict[str, list[str]]:
    """The scenarios that an edit makes stale, with one way on which each comes to it, from its beginning."""
    reached(names()[0])  # as all is now
    found = {}
    for scenario in names():
        if hit := sorted(touched(edit) & set(ways(scenario))):
            way = [hit[0]]
            while before := ways(scenario).get(way[0]):
                way.insert(0, before)
            found[scenario] = way
    return found


def main(*given: str) -> None:
    if given[:1] == ("--change",):
        for title, edit in TYPICAL.items() if len(given) == 1 else ((edit, edit) for edit in given[1:]):
            found = stale(edit)
            print(f"{title}: {len(found)} of {len(names())}{': ' if found else ''}{', '.join(found)}")
            for scenario, way in found.items() if len(given) > 1 else ():
                print(f"  {scenario}: {' > '.join(way)}")
    elif given[:1] == ("--read",):
        read = (ROOT / f"tests/output/todochat-{given[1]}-read.txt").read_text(encoding="utf-8").splitlines()
        known = {name.partition("#")[0] for name in reached(given[1])}
        print("\n".join(name for name in read if name in files() and name not in known))
    elif given:
        for name, before in sorted(reached(given[0]).items()):
            print(f"{name}{f'   ({before})' if before else ''}")
    else:
        for scenario in names():
            print(f"{scenario}: {len(reached(scenario))} inputs")


if __name__ == "__main__":
    main(*sys.argv[1:])
