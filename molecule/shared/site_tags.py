"""The tags of site.yml, by what they run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def tasks_of_tags() -> dict[str, frozenset[int]]:
    """For each tag of the site its tasks, by their numbers in the order in which they run."""
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "site.yml", "--list-tasks"]
    listed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    tasks = [set(tags.split(", ")) for tags in re.findall(r"^ {6}.+TAGS: \[(.+)\]$", listed, re.MULTILINE)]
    return {tag: frozenset(number for number, tags in enumerate(tasks) if {tag, "always"} & tags) for tag in sorted(set.union(*tasks))}


def distinct_tags() -> list[str]:
    """Of tags that run the same tasks one, the shortest: that a role of one stage has two names is asked by unit tests."""
    found: dict[frozenset[int], str] = {}
    for tag, tasks in sorted(tasks_of_tags().items(), key=lambda entry: (len(entry[0]), entry[0])):
        found.setdefault(tasks, tag)
    return sorted(found.values())
