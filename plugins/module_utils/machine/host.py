"""What differs between the systems that this machine may be: its control groups, and who starts its services.

Each difference is told here and nowhere else. Everything is read from below ``root`` (a test's own folder, ``/`` otherwise).
"""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.base.certain import certain

ROOT = Path("/")


def init_system(root: Path = ROOT) -> str:
    """Who starts services here: ``systemd`` where it is PID 1, else ``none``."""
    return "systemd" if (root / "run/systemd/system").is_dir() else "none"


def cgroup_version(root: Path = ROOT) -> int:
    """2 where all controllers are in the one new hierarchy; 1 where they have one each, also with an empty new one beside."""
    return 2 if (root / "sys/fs/cgroup/cgroup.controllers").is_file() else 1


def memory(root: Path = ROOT) -> int:
    """MiB of this machine, or of the control group that it is confined to where it is a container."""
    found = certain(re.search(r"MemTotal:\s+(\d+) kB", (root / "proc/meminfo").read_text(encoding="utf-8")))
    total = int(found[1]) << 10
    file = {1: "memory/memory.limit_in_bytes", 2: "memory.max"}[cgroup_version(root)]
    limit = root / "sys/fs/cgroup" / file  # a machine of its own has no such file in version 2, and a huge number in version 1
    text = limit.read_text(encoding="utf-8").strip() if limit.is_file() else "max"
    return min(total, total if text == "max" else int(text)) >> 20
