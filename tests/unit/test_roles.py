"""What every role promises: its defaults are what its specification says, and its README names each variable."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROLES = sorted(path for path in (Path(__file__).resolve().parents[2] / "roles").iterdir() if path.is_dir())


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def options(role: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    return found


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_are_what_the_specification_says(role: Path) -> None:
    assert read(role / "defaults/main.yml") == {name: option["default"] for name, option in options(role).items() if "default" in option}
    assert [name for name in options(role) if not name.startswith(f"{role.name}_")] == []
    assert [name for name, option in options(role).items() if "default" not in option and not option.get("required")] == []


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_the_readme_names_every_variable(role: Path) -> None:
    text = (role / "README.md").read_text(encoding="utf-8")
    assert [name for name in options(role) if not re.search(rf"\b{name}\b", text)] == []
