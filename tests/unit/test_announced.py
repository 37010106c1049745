"""The two checks of the scenarios' runs by their events: what changed was announced, and a role costs no more than it may."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = {"role": "container_engine", "changed": "Debian's Docker is installed"}
WOULD_BE = {"role": "container_engine", "changed": "Docker would be installed"}
NETWORK = {"role": "network", "changed": "The network is made"}


def verdict(script: str, *arguments: str | Path) -> str:
    """What a script objects to, nothing where it passes."""
    done = subprocess.run([sys.executable, ROOT / script, *arguments], capture_output=True, text=True, check=False)
    assert bool(done.returncode) == bool(done.stderr), done
    return done.stderr


def events(folder: Path, name: str, *lines: dict[str, Any]) -> Path:
    file = folder / f"{name}.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in ({"phase": "Docker runs"}, *lines)))
    return file


@pytest.mark.parametrize(
    ("plan", "broken_off", "finished", "says"),
    [
        ([NETWORK], [], [NETWORK], ""),
        ([NETWORK], [NETWORK], [], ""),
        ([WOULD_BE], [], [INSTALLED], ""),  # one sentence for another task
        ([], [], [NETWORK], "changed, but not announced: network / The network is made"),
        ([WOULD_BE], [INSTALLED], [NETWORK], "changed, but not announced: network / The network is made"),
        ([NETWORK], [], [], "announced, but not changed: network / The network is made"),
        ([WOULD_BE], [], [], "announced, but not changed: container_engine / Docker would be installed"),
        ([NETWORK], [], [NETWORK | {"role": "database"}], "changed, but not announced: database / The network is made"),
    ],
)
def test_what_changed_and_what_was_announced_are_the_same(
    tmp_path: Path, plan: list[dict[str, Any]], broken_off: list[dict[str, Any]], finished: list[dict[str, Any]], says: str
) -> None:
    files = [events(tmp_path, name, *lines) for name, lines in (("plan", plan), ("broken-off", broken_off), ("up", finished))]
    said = verdict("molecule/shared/announced.py", *files)
    assert said.startswith(says) if says else said == ""


def test_a_role_that_takes_more_modules_than_it_may_is_named(tmp_path: Path) -> None:
    ended = {"ended": "", "tasks": 3, "modules": 2, "changes": 0, "seconds": 0.5}
    file = events(tmp_path, "up", ended | {"role": "network"}, ended | {"role": "database"}, ended | {"role": "", "modules": 9})
    assert verdict("bench/roles.py", "--most=2", file) == ""
    assert "More than 1 module tasks: network, database" in verdict("bench/roles.py", "--most=1", file)
    file.write_text(file.read_text() + json.dumps(ended | {"role": "network", "modules": 1}) + "\n")  # a phase of it later in the run
    assert "More than 2 module tasks: network\n" in verdict("bench/roles.py", "--most=2", file)
