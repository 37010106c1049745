"""Limits of time, and the one variable that makes them longer on a slow machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.todochat.platform.plugins.module_utils.limits import VARIABLE, limit

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("factor", "seconds"), [(None, 20), ("", 20), ("1", 20), ("15", 300), ("1.5", 30)])
def test_one_variable_multiplies_a_limit(monkeypatch: pytest.MonkeyPatch, factor: str | None, seconds: int) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if factor is not None:
        monkeypatch.setenv(VARIABLE, factor)
    assert limit(20) == seconds


def test_who_becomes_root_keeps_the_variable() -> None:
    """Sudo drops it; each play passes it on."""
    settings = yaml.safe_load((ROOT / "group_vars/all/main.yml").read_text(encoding="utf-8"))
    assert VARIABLE in settings["deployment_environment"]


def test_limits_of_modules_are_read_with_the_variable() -> None:
    code = "from ansible_collections.todochat.platform.plugins.module_utils import pods; print(pods.READY_SECONDS)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), VARIABLE: "2"}
    assert subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True).stdout == "360\n"
