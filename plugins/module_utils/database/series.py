"""The backups that a schedule writes: of these alone the oldest go, never one that a person asked for or that a change of the schema keeps."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError

MEMBER = re.compile(r"(?P<of>.+)-\d{8}T\d{6}Z-scheduled\.tar")


def number(keep: str) -> int:
    """How many are to stay. Raises UserError."""
    if not re.fullmatch(r"[1-9][0-9]{0,3}", keep):
        raise UserError(f"keep={keep} is not how many backups are to stay, 1 to 9999", "Give keep such a number, as in keep=7.")
    return int(keep)


def surplus(path: Path, keep: int) -> list[Path]:
    """Of the series that a backup belongs to, those that are too many beside it, the oldest first. Raises UserError where it belongs to none."""
    member = MEMBER.fullmatch(path.name)
    if not member:
        raise UserError(f"keep={keep} is about the backups of a schedule, and {path} is not one of them", "Leave out keep, or the file's name.")
    others = []
    for file in path.parent.glob("*-scheduled.tar"):
        found = MEMBER.fullmatch(file.name)
        if found and found["of"] == member["of"] and file.name != path.name and file.is_file() and not file.is_symlink():
            others.append(file)
    return sorted(others)[: max(0, len(others) - keep + 1)]  # whatever the clock said, the new one stays
