"""What each role needs others to have made, so that a run of a few tags is refused before it touches anything. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache

from ansible_collections.todochat.platform.plugins.module_utils.errors import UserError

NEEDS: Mapping[str, tuple[str, ...]] = {
    "container_engine": (),
    "artifact": (),
    "kubernetes_tools": ("artifact",),
    "network": ("container_engine",),
    "image_registry": ("artifact", "network"),
    "database": ("artifact", "network"),
    "minikube": ("artifact", "kubernetes_tools", "network"),
    "app_images": ("artifact", "image_registry"),
    "app_secrets": ("minikube",),
    "app_release": ("database", "app_images", "app_secrets"),
    "app_check": ("app_release",),
}
"""By role, in the order in which the site runs them. A role is also the tag that runs it."""
STAGES = ("", "_install", "_configure", "_verify")


def chosen(run_tags: Collection[str], skip_tags: Collection[str]) -> list[str]:
    """The roles that Ansible's --tags and --skip-tags leave to run."""
    everything = bool({"all", "tagged"} & set(run_tags))
    return [role for role in NEEDS if role not in skip_tags and (everything or any(f"{role}{stage}" in run_tags for stage in STAGES))]


def missing(roles: Sequence[str], made: Callable[[str], bool], ready: Callable[[str], bool]) -> UserError | None:
    """What has to run before the chosen roles, as an error that names the tags.

    ``made`` is whether what a role makes is there, ``ready`` whether others can use it: a stopped cluster is made, and
    not ready. Each is asked once about a role, and only where it matters. What is made needs no artifacts any more.
    """
    made, ready = cache(made), cache(ready)
    needed: list[str] = []

    def visit(role: str) -> None:
        for need in NEEDS[role]:
            if need not in roles and need not in needed and not (need == "artifact" and made(role)) and not ready(need):
                visit(need)
                needed.append(need)

    for role in roles:
        visit(role)
    if not needed:
        return None
    first = next(role for role in roles if set(NEEDS[role]) & set(needed))
    return UserError(
        f"{first} needs what {' and '.join(needed)} would make, and that is not there yet.",
        f"Run `make up ARGS='--tags {','.join(needed)}'` first, or `make up` for all of it.",
    )
