#!/usr/bin/env python3
"""What each role of a run cost, from the file of its events: tasks, those of them that ran a module, and seconds.

    roles.py [--most N] [EVENTS]    without EVENTS the last run of this user; fails where a role ran more than N modules
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

STATE = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")


def costs(events: Path) -> dict[str, dict[str, Any]]:
    """Tasks, modules, seconds and changes by role, in the order of the run; "" is what runs outside of roles."""
    found: dict[str, dict[str, Any]] = {}
    for event in map(json.loads, events.read_text(encoding="utf-8").splitlines()):
        if "ended" in event:
            role = found.setdefault(event["role"], dict.fromkeys(("tasks", "modules", "seconds", "changes"), 0))
            for name in role:
                role[name] += event[name]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="What each role of a run cost.")
    parser.add_argument("events", nargs="?", type=Path, default=STATE / "todochat/events.jsonl")
    parser.add_argument("--most", type=int, help="module tasks that a role may take")
    given = parser.parse_args()
    found = costs(given.events)
    row = "{:<20} {:>6} {:>8} {:>8} {:>8}".format
    print(row("role", "tasks", "modules", "changes", "seconds"))
    total = {name: sum(role[name] for role in found.values()) for name in ("tasks", "modules", "changes", "seconds")}
    for name, role in [*found.items(), ("all", total)]:
        print(row(name or "(outside of roles)", role["tasks"], role["modules"], role["changes"], f"{role['seconds']:.1f}"))
    if given.most is not None and (above := [name for name, role in found.items() if name and role["modules"] > given.most]):
        sys.exit(f"More than {given.most} module tasks: {', '.join(above)}")


if __name__ == "__main__":
    main()
