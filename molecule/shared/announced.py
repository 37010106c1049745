#!/usr/bin/env python3
"""Whether runs changed what check mode had announced, task by task, from the files of their events.

    announced.py PLAN RUN...    PLAN holds the check's events, each RUN those of a run after it: a broken-off one, the one that finished it

A task that changed has to be among those that check mode reported as changed, and of what check mode reported something
has to have changed. Where check mode cannot ask task by task yet, one sentence stands for several tasks: announced.yml
lists them, with the reason.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

import yaml

EXCEPTIONS = Path(__file__).parent / "files/announced.yml"


def changed(events: str) -> list[str]:
    """The tasks that changed something, or would have, as "role / task", in their order."""
    return [f"{event['role']} / {event['changed']}" for event in map(json.loads, events.splitlines()) if "changed" in event]


def exceptions() -> dict[str, list[str]]:
    """What an announcement stands for besides the task of its name."""
    return {one["announced"]: one["stands_for"] for one in yaml.safe_load(EXCEPTIONS.read_text(encoding="utf-8"))}


def differences(announced: Collection[str], did: Collection[str], stands_for: Mapping[str, list[str]]) -> list[str]:
    """What was done unannounced, and what was announced and not done."""
    covered = {task: {task, *stands_for.get(task, [])} for task in announced}
    unannounced = [task for task in dict.fromkeys(did) if not any(task in tasks for tasks in covered.values())]
    undone = [task for task, tasks in covered.items() if not tasks & set(did)]
    return [f"changed, but not announced: {task}" for task in unannounced] + [f"announced, but not changed: {task}" for task in undone]


def main(plan: str, *runs: str) -> None:
    announced, *later = (changed(Path(file).read_text(encoding="utf-8")) for file in (plan, *runs))
    did = [task for run in later for task in run]
    if found := differences(announced, did, exceptions()):
        sys.exit("\n".join([*found, f"Announced: {announced}", f"Changed: {did}"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
