"""What was on the machine before this collection first installed anything: written once, read when it leaves."""

from __future__ import annotations

import grp
import json
import os
import pwd
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.machine.apt import installed_packages

RECORD = Path("/var/lib/todochat/before.json")


@dataclass(frozen=True)
class Before:
    """Installed Debian packages, users, and the groups with their members."""

    packages: Sequence[str]
    users: Sequence[str]
    groups: Mapping[str, Sequence[str]]


def observe() -> Before:
    """The machine as it is now."""
    users = sorted({user.pw_name for user in pwd.getpwall()})
    return Before(installed_packages(), users, {group.gr_name: group.gr_mem for group in grp.getgrall()})


def read(path: Path = RECORD) -> Before | None:
    """The record, None where there is none."""
    try:
        return Before(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def write(before: Before, path: Path = RECORD) -> None:
    """Writes the record, whole or not at all, and never over one that is there."""
    path.parent.mkdir(mode=0o755, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="utf-8") as draft:
        json.dump(asdict(before), draft, indent=1)
        draft.flush()
        os.fsync(draft.fileno())
        os.chmod(draft.name, 0o644)
        with suppress(FileExistsError):  # another run was first
            os.link(draft.name, path)  # appears whole or not at all
