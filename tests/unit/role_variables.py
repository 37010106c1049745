"""The arguments of a role's task, where they stand in its variables because the deployment's observation compares them too."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


@cache
def variables() -> dict[str, Any]:
    """Those that roles/*/vars/main.yml sets, by name. Each begins with its role's name."""
    return {name: value for file in ROOT.glob("roles/*/vars/main.yml") for name, value in yaml.safe_load(file.read_text(encoding="utf-8")).items()}


def arguments(value: Any) -> Any:
    """What ``{{ __ROLE_wanted }}`` stands for, also before a filter; any other value as it is."""
    named = re.match(r"\{\{ (__\w+_wanted) ", value) if isinstance(value, str) else None
    return variables()[named[1]] if named else value
