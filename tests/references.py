#!/usr/bin/env python3
"""Write docs/openapi.json, and what is generated in docs/reference.md, anew from the code that they are about.

    python3 bootstrap --test -- python tests/references.py            write what differs
    python3 bootstrap --test -- python tests/references.py --check    say whether it differs, and fail

What the backend says of itself is asked in the environment that `make check` makes for its type checker.
"""

from __future__ import annotations

import ast
import difflib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/reference.md"
API = ROOT / "docs/openapi.json"
PYTHON = ROOT / ".cache/checks/backend/bin/python"
SERVICES = ("backend", "frontend")
STREAM = ROOT / "apps/backend/src/todo_backend/chat/turns.py"
TYPES = {"string": "text", "array": "list", "boolean": "true or false", "null": "nothing"}
PART = re.compile(r"(?<=^<!-- generated: )(?P<name>[\w ]+)( -->\n\n).*?(?=^<!-- end -->$)", re.DOTALL | re.MULTILINE)


def backend() -> dict[str, Any]:
    """What the backend says of itself, see backend_facts.py."""
    done = subprocess.run(
        [PYTHON, "tests/backend_facts.py"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "apps/backend/src")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"The backend does not say what it is: {done.stderr[-2000:]}")
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def parts(facts: Mapping[str, Any]) -> dict[str, str]:
    """Each generated part of the page, by its name."""
    stream = STREAM.read_text(encoding="utf-8")
    return {
        "tables": "\n".join(map(of_table, facts["tables"])),
        "operations": table("operation", "what it does", rows=of_api(facts["api"])),
        "tools": table("tool", "takes", "writes", "what it does", rows=map(of_tool, facts["tools"])),
        "stream": table("`type`", "with", rows=((f"`{name}`", ", ".join(f"`{key}`" for key in keys)) for name, keys in events(stream))),
        "values": table("value", "takes", "backend", "frontend", "meaning", rows=of_charts()),
        "vault": table("variable", "in a new vault", "where it goes", rows=of_vault()),
    }


def table(*heads: str, rows: Iterator[tuple[str, ...]] | map[tuple[str, ...]]) -> str:
    head, *lines = (f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in (heads, *rows))
    return "".join([head, f"|{'---|' * len(heads)}\n", *lines])


def first(text: str) -> str:
    """The first paragraph, as one line."""
    return " ".join(text.strip().split("\n\n")[0].split())


# The backend


def of_api(document: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for path, methods in sorted(document["paths"].items()):
        for method, one in sorted(methods.items()):
            yield f"`{method.upper()} {path}`", first(one.get("description", ""))


def of_table(one: Mapping[str, Any]) -> str:
    def more(column: Mapping[str, Any]) -> str:
        said = [("the key", column["key"]), ("unique", column["unique"]), ("may be empty", column["empty"])]
        return ", ".join([*(word for word, holds in said if holds), *(f"of `{name}`" for name in column["refers"])])

    rows = ((f"`{column['name']}`", column["type"], more(column)) for column in one["columns"])
    about = f"{first(one['about'])}\n\n" if one["about"] else ""
    return f"### `{one['name']}`\n\n{about}{table('column', 'type', '', rows=rows)}"


def of_tool(one: Mapping[str, Any]) -> tuple[str, ...]:
    takes = one["takes"]

    def argument(name: str, given: Mapping[str, Any]) -> str:
        kind = ", ".join(f"`{value}`" for value in given["enum"]) if "enum" in given else given["type"]
        return f"`{name}`{'' if name in takes['required'] else '?'} ({kind})"

    listed = ", ".join(argument(name, given) for name, given in takes["properties"].items())
    return f"`{one['name']}`", listed, "yes" if one["writes"] else "no", first(one["about"])


def events(source: str) -> list[tuple[str, list[str]]]:
    """The parts of a stream that a piece of code makes, by their type, with their other keys."""
    tree = ast.parse(source)
    dictionaries = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
        for target in node.targets
        if isinstance(target, ast.Name)
    }

    def keys(node: ast.Dict) -> Iterator[str]:
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant):
                yield str(key.value)
            elif key is None and isinstance(value, ast.Name):  # **named
                yield from keys(dictionaries[value.id])

    found: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            named = {key.value: value for key, value in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)}
            kind = named.get("type")
            # what is sent to a provider is of type function
            if isinstance(kind, ast.Constant) and "function" not in (kind.value, *named):
                found.setdefault(str(kind.value), []).extend(key for key in keys(node) if key not in ("type", *found.get(str(kind.value), [])))
    return sorted(found.items())


# The charts


def of_charts() -> Iterator[tuple[str, ...]]:
    shared = (ROOT / "apps/chart/values.yaml").read_text(encoding="utf-8")
    said: list[dict[str, str]] = []
    values: list[dict[str, Any]] = []
    takes: dict[str, str] = {}
    for chart in (ROOT / f"apps/{name}/chart" for name in SERVICES):
        text = (chart / "values.yaml").read_text(encoding="utf-8")
        schema = json.loads((chart / "values.schema.json").read_text(encoding="utf-8"))
        said.append(dict(comments(text)) | {f"common.{path}": about for path, about in comments(shared)})
        values.append(yaml.safe_load(text) | {"common": yaml.safe_load(shared)})
        takes |= dict(leaves(schema, schema))
    for path in sorted({*takes, *said[0], *said[1]}):
        abouts = {one[path]: f"{service}: {one[path]}" for service, one in zip(SERVICES, said, strict=True) if path in one}
        about = " ".join(abouts if len(abouts) == 1 else abouts.values())
        yield f"`{path}`", takes.get(path, ""), *(default(one, path.split(".")) for one in values), about


def comments(text: str) -> Iterator[tuple[str, str]]:
    """What stands above each value, by its path."""
    above: list[str] = []
    path: list[str] = []
    for line in text.splitlines():
        if comment := re.match(r"\s*# ?(.*)", line):
            # a value that is not set stands there as a comment
            key = re.fullmatch(r"(\w+): .*", comment[1])
            above = [*above, comment[1]] if not key else above
        elif key := re.match(r"( *)([\w-]+):", line):
            path = [*path[: len(key[1]) // 2], key[2]]
        if key and above:
            yield ".".join([*path[: (len(line) - len(line.lstrip())) // 2], key[2] if not comment else key[1]]), " ".join(above)
        if not comment:
            above = []


def leaves(schema: Mapping[str, Any], whole: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    """What each value has to be, by its path."""
    for name, given in schema.get("properties", {}).items():
        one = whole["definitions"][given["$ref"].rpartition("/")[2]] if "$ref" in given else given
        if name == "global":
            continue
        if "properties" in one:
            yield from leaves(one, whole, f"{within}{name}.")
        else:
            yield f"{within}{name}", kind(one)


def kind(one: Mapping[str, Any]) -> str:
    if "enum" in one:
        return ", ".join(f"`{value}`" for value in one["enum"])
    types = one["type"] if isinstance(one["type"], list) else [one["type"]]
    name = " or ".join(TYPES.get(str(each), str(each)) for each in types)
    limits = [f"{word} {one[key]}" for key, word in (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to")) if key in one]
    return f"{name}{', ' if limits else ''}{' '.join(limits)}"


def default(values: Any, path: list[str]) -> str:
    for name in path:
        if not isinstance(values, dict) or name not in values:
            return ""
        values = values[name]
    return "" if isinstance(values, dict) else f"`{json.dumps(values)}`"


# The vault


def of_vault() -> Iterator[tuple[str, ...]]:
    from ansible_collections.todochat.platform.plugins.module_utils.vault import SCHEMA

    return ((f"`{name}`", "random" if entry.make else "not there", entry.used_by) for name, entry in SCHEMA.items())


def written(page: str, made: Mapping[str, str]) -> str:
    """The page with these parts."""
    return PART.sub(lambda found: f"{found['name']}{found[2]}{made[found['name']]}\n", page)


def main(check: bool) -> None:
    facts = backend()
    page = PAGE.read_text(encoding="utf-8")
    for file, wanted in ((PAGE, written(page, parts(facts))), (API, json.dumps(facts["api"], indent=1, ensure_ascii=False) + "\n")):
        found = file.read_text(encoding="utf-8") if file.exists() else ""
        name = file.relative_to(ROOT)
        if check and found != wanted:
            difference = difflib.unified_diff(found.splitlines(), wanted.splitlines(), str(name), "what the code says", lineterm="")
            sys.exit("\n".join(difference) + f"\n{name} is not what the code says. Run `python3 bootstrap --test -- python tests/references.py`.")
        file.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main("--check" in sys.argv[1:])
