"""What roles say of their part of a deployment, with the variables of all roles, and which of the parts are as asked.

A role's `__ROLE_observed` in its vars has

    checks       the modules that would do its work: `module`, `args`, and of what they return what is `expected` besides that nothing would change
    stands_on    the roles without whose part its own is not there: where one of these has something to do, so has this one
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from ansible_collections.todochat.platform.plugins.plugin_utils.options import COLLECTION, defaults, specification, specifications

# where it was imported from: the collection may be a link to a checkout
COLLECTIONS = Path(__file__).absolute().parents[5]
Part = Mapping[str, Any]


def filled_in(loader: DataLoader, given: dict[str, Any]) -> Callable[[str], Any]:
    """What a variable is, by its name: as a task is ``given`` it, else as its role has it, which need not be part of the play."""
    raw = defaults(specifications(), trust_as_template) | variables(trust_as_template) | given
    templar = Templar(loader=loader, variables=raw)
    return lambda name: templar.template(raw[name])


def variable(role: str) -> str:
    return f"__{role}_observed"


def variables(template: Callable[[str], str]) -> dict[str, Any]:
    """The variables of all roles; ``template`` lets a text be filled in."""

    def marked(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: marked(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [marked(inner) for inner in value]
        return template(value) if isinstance(value, str) else value

    found: dict[str, Any] = {}
    for file in sorted(COLLECTION.glob("roles/*/vars/main.yml")):
        found |= yaml.load(file.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}
    return {name: marked(value) for name, value in found.items()}


def roles() -> list[str]:
    """Those that describe a part."""
    return [file.parents[1].name for file in sorted(COLLECTION.glob("roles/*/vars/main.yml")) if variable(file.parents[1].name) in file.read_text("utf-8")]


def chosen(tags: Collection[str], skipped: Collection[str]) -> list[str]:
    """The roles that a run with these tags is about."""

    def is_named(role: str, by: Iterable[str]) -> bool:
        return any(tag == role or tag.startswith(f"{role}_") for tag in by)

    return [role for role in roles() if ("all" in tags or is_named(role, tags)) and role not in skipped]


def parts(names: Iterable[str], fill_in: Callable[[str], Any]) -> dict[str, Part]:
    """The parts with their values; what cannot be filled in yet, as where a vault is missing, is not as asked and left out."""
    found = {}
    for name in names:
        try:
            found[name] = fill_in(variable(name))
        except AnsibleError:
            continue
    return found


def as_asked(parts: Mapping[str, Part], results: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    """The parts for which nothing has to be done."""
    done = {name for name, part in parts.items() if is_done(part["checks"], results.get(name, []))}
    while leaning := {name for name in done if set(parts[name].get("stands_on", ())) & (set(parts) - done)}:
        done -= leaning
    return [name for name in parts if name in done]


def is_done(checks: list[Mapping[str, Any]], results: list[dict[str, Any]]) -> bool:
    """Whether each module was asked, would change nothing, and returned what is expected."""
    return bool(checks) and len(checks) == len(results) and all(
        not any(result.get(word) for word in ("failed", "changed", "skipped")) and fits(result, check.get("expected", {}))
        for check, result in zip(checks, results, strict=True)
    )


def fits(found: Any, expected: Any) -> bool:
    """Whether what was found has what is expected, and may have more."""
    if isinstance(expected, Mapping):
        return isinstance(found, Mapping) and all(name in found and fits(found[name], value) for name, value in expected.items())
    return bool(found == expected)


def title(role: str) -> str:
    """What the role is for, as its argument specification says."""
    return str(specification(role)["short_description"])
