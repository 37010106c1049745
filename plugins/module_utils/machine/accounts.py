"""Users and groups of this machine, as getent knows them."""

from __future__ import annotations

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import run


def user_exists(name: str) -> bool:
    return run("getent", "passwd", name).returncode == 0


def group_exists(name: str) -> bool:
    return run("getent", "group", name).returncode == 0


def group_members(name: str) -> list[str]:
    """By name, not those whose first group it is."""
    return [member for member in run("getent", "group", name).stdout.strip().rpartition(":")[2].split(",") if member]
