"""What each role needs others to have made, so that a run of a few tags is refused before it touches anything. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError

NEEDS: Mapping[str, tuple[str, ...]] = {
    "container_engine": (),
    "artifact": (),
    "kubernetes_tools": ("artifact",),
    "network": ("container_engine",),
    "image_registry": ("artifact", "network"),
    "database": ("artifact", "network"),
    "minikube": ("artifact", "kubernetes_tools", "network"),
    "metrics_server": ("artifact", "image_registry", "minikube"),
    "app_images": ("artifact", "image_registry"),
    "app_secrets": ("minikube",),
    "app_release": ("database", "metrics_server", "app_images", "app_secrets"),
    "app_check": ("app_release",),
}
"""By role, in the order in which the site runs them. A role is also the tag that runs it."""
ARTIFACTS: Mapping[str, tuple[str, ...]] = {
    "kubernetes_tools": ("kubectl", "helm", "minikube"),
    "image_registry": ("registry",),
    "database": ("postgres",),
    "minikube": (
        "kicbase",
        *("kubeadm", "kubelet", "kubectl"),
        *("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "etcd", "coredns", "pause"),
        "kube-router",
    ),
    "metrics_server": ("metrics-server",),
    "app_images": ("python-builder", "python-runtime", "node-builder", "node-runtime"),
}
"""What each role takes from the store, as the lock file names it; of what that calls optional, what is asked for."""
INSTALLED_FIRST = ("container_engine", "database")
"""Roles whose stages build on each other, and whose last one only looks; the other roles have one stage."""


def chosen(run_tags: Collection[str], skip_tags: Collection[str]) -> list[str]:
    """The roles that Ansible's --tags and --skip-tags leave to run; ROLE_configure where that is not the whole role."""
    run, roles = set(run_tags), []
    for role in NEEDS:
        staged = role in INSTALLED_FIRST
        if role in skip_tags:
            continue
        if {"all", "tagged", role, f"{role}_install"} & run or (not staged and {f"{role}_configure", f"{role}_verify"} & run):
            roles.append(role)
        elif f"{role}_configure" in run:
            roles.append(f"{role}_configure")
    return roles


def missing(
    roles: Sequence[str], made: Callable[[str], bool], ready: Callable[[str], bool], stored: Callable[[str], bool]
) -> UserError | None:
    """What has to run before the chosen roles, as an error that names the tags.

    ``made`` is whether what a role makes is there, ``ready`` whether others can use it: a stopped cluster is made, and
    not ready. ``stored`` is whether an artifact is in the store; what is made needs none any more. Roles are asked about
    once, and only where it matters.
    """
    made, ready = cache(made), cache(ready)
    needed: list[str] = []

    def satisfied(need: str, role: str) -> bool:
        return (made(role) or all(map(stored, ARTIFACTS[role]))) if need == "artifact" else ready(need)

    def visit(role: str) -> None:
        for need in NEEDS[role]:
            if need not in roles and need not in needed and not satisfied(need, role):
                visit(need)
                needed.append(need)

    for name in roles:
        role = name.removesuffix("_configure")
        visit(role)
        if name != role and not made(role):
            needed.append(f"{role}_install")
    if not needed:
        return None
    return UserError(
        f"{' and '.join(roles)} cannot run yet: what {', '.join(needed)} would make is not there.",
        f"Run `make up ARGS='--tags {','.join(needed)}'` first, or `make up` for all of it.",
    )
