"""Taking a deployment away, by levels: what there is of it, whose it is, what goes and what stays.

Everything that could go is a Part. A part that is somebody else's, or that something still needs, says why it stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base import environment
from ansible_collections.todochat.platform.plugins.module_utils.machine import timer
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_engine import LABEL, VARIABLES, docker
from ansible_collections.todochat.platform.plugins.module_utils.machine.files import remove_empty, take
from ansible_collections.todochat.platform.plugins.module_utils.store.store import LOCK
from ansible_collections.todochat.platform.plugins.module_utils.whole.removal_docker import InDocker
from ansible_collections.todochat.platform.plugins.module_utils.whole.removal_machine import OnTheMachine
from ansible_collections.todochat.platform.plugins.module_utils.whole.removal_parts import Deployment, Part, files, nothing

IMPLIED = {"application": set[str](), "data": {"application"}, "cluster": {"application"}, "installed": {"application", "cluster"}}
"""The levels, each with those that it implies."""
DOCKER_CONFIG = Path(VARIABLES["DOCKER_CONFIG"], "config.json").relative_to("/")


def levels(named: Iterable[str]) -> set[str]:
    """The levels that were named, with all that they imply."""
    chosen = set(named)
    return chosen.union(*(IMPLIED[level] for level in chosen))


def parts(of: Deployment) -> list[Part]:
    """All but the application and what was installed, in the order in which it goes."""
    found, there = list[Part](), InDocker(of)
    schedule = timer.backups(of.name, of.root)
    if schedule.is_there():  # first: it would find no database
        found.append(Part("cluster/data/installed", "the schedule of backups", schedule.remove))
    if of.docker.sleeps and of.was_here():  # in check mode; else it was started before
        found.append(Part("cluster/data/installed", f"what Docker, which has to be started for that, holds of {of.name}", nothing))
    found += [*there.node(), *there.container(f"{of.registry}-writer", "cluster"), *there.container(of.registry, "cluster")]
    found += there.container(of.database, "data", "cluster")
    found += there.network()
    found += there.volume(of.database, "data", "data")
    found += files("data", f"vault {of.vault}", of.vault)
    found += files("data", f"vault {of.team_vault}", of.team_vault, "the checkout is yours")
    found += there.volume(of.registry, "images", "installed")
    return found


def of_a_cluster_of_others(of: Deployment) -> list[Part]:
    """What this machine keeps to reach a cluster that others run, and the vault."""
    found = files("application", f"kubeconfig {of.cluster.kubeconfig}", Path(of.cluster.kubeconfig))
    if of.registry_of_others in logins(of.root):
        found.append(Part("application", f"the login at {of.registry_of_others}", partial(docker, "logout", of.registry_of_others)))
    found += files("application", str(of.authority), of.authority) if of.authority else []
    return found + files("data", f"vault {of.vault}", of.vault)


def logins(root: Path) -> Mapping[str, Any]:
    """The registries at which this collection's Docker is logged in."""
    try:
        found: Mapping[str, Any] = json.loads((root / DOCKER_CONFIG).read_text(encoding="utf-8"))["auths"]
    except (OSError, ValueError, KeyError):
        return {}
    return found


def installed(of: Deployment, leaving: Sequence[Part]) -> list[Part]:
    """What was installed, where ``leaving`` goes before it."""
    gone = {key for part in leaving for key in part.objects}
    others = sorted({found.labels[LABEL] for found in of.docker.objects.values() if LABEL in found.labels} - {of.name})
    shared = f"the deployment {others[0]} uses it" if others else ""
    images = list(InDocker(of).images(gone, shared))
    gone |= {key for part in images if not part.stays for key in part.objects}
    return [*images, *OnTheMachine(of).parts(gone, shared)]


def sweep(of: Deployment, chosen: set[str]) -> None:
    """Removes what every run leaves, this one too: the vault's password where there is no vault, what the view keeps, empty folders."""
    other_vaults = [*of.vault_password.parent.glob("*/vault.yml"), *filter(Path.exists, [of.team_vault])]
    if chosen & {"data", "installed"} and not other_vaults:
        take(of.vault_password)
    if "installed" in chosen:
        for kept in (*of.state.glob("events*.jsonl"), of.state / "history.json"):
            take(kept)
        if not any(of.store.glob("*/*/record.json")):
            take(of.store / LOCK)
        remove_empty(of.store)
    for path in (of.vault, Path(of.cluster.kubeconfig), of.minikube.home, of.store, of.build_cache):
        for folder in path.parents:
            if folder.name not in ("todochat", of.name):
                break
            if folder == Path(of.cluster.kubeconfig).parent:
                take_what_is_of_a_run(folder)
            remove_empty(folder)


def leaving(parts: Iterable[Part], chosen: set[str]) -> tuple[list[Part], list[Part]]:
    """The parts that go with the levels, and all others."""
    parts = list(parts)
    going = [part for part in parts if chosen & part.levels and not part.stays]
    return going, [part for part in parts if part not in going]


def take_what_is_of_a_run(folder: Path) -> None:
    """What this run keeps for programs, and its lock where nobody waits for it: with the folder gone nothing is written there again."""
    for kept in environment.past(folder):
        kept.unlink(missing_ok=True)
    there = list(folder.iterdir()) if folder.is_dir() else []
    if [entry.name for entry in there] == ["run.lock"]:
        there[0].unlink(missing_ok=True)
