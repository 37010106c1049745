"""How old Debian's packages in the images are, and until when others mend what is installed."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.store import BUILT

OLD_DAYS = 60
"""From then on a person is told how newer packages are taken."""
NODE_IMAGE = "kicbase"
BY_LOCK = "by the lock file"
"""Stands beside what is not known of what runs."""
# What names a version in UNTIL: the lock's entries, one of which has it, and how many of its numbers count.
VERSIONS = {
    "Node.js": (("node-runtime", "node24-runtime"), 1),
    "Python": (("python-runtime",), 2),
    "PostgreSQL": (("postgres",), 1),
    "Kubernetes": (("kubelet",), 2),
    "Helm": (("helm",), 1),
}
# The last day on which security is mended; read 2026-11.
UNTIL = {
    "Debian bookworm": datetime.date(2028, 6, 30),  # its LTS: wiki.debian.org/LTS; by the security team until 2026-07-11
    "Debian trixie": datetime.date(2030, 6, 30),  # its LTS: wiki.debian.org/LTS
    "Node.js 20": datetime.date(2026, 4, 30),  # github.com/nodejs/Release, schedule.json
    "Node.js 24": datetime.date(2028, 4, 30),  # github.com/nodejs/Release, schedule.json
    "Python 3.13": datetime.date(2029, 10, 31),  # devguide.python.org/versions, which names the month
    "PostgreSQL 17": datetime.date(2029, 11, 8),  # postgresql.org/support/versioning
    "Kubernetes 1.34": datetime.date(2026, 10, 27),  # kubernetes.io/releases/1.34
    "Kubernetes 1.35": datetime.date(2027, 2, 28),  # kubernetes.io/releases/1.35
    "Helm 3": datetime.date(2027, 2, 10),  # helm.sh/blog/helm-v3-end-of-life
}
REMEDIES = {"Node.js 20": "-e app_images_node=24 takes 24"}


def bases_line(lock: Lock, images: Mapping[str, Mapping[str, Any]], today: datetime.date) -> str:
    """How old Debian's packages may be: the oldest in the images that run, or where none is known the lock file's.

    ``images`` are the store's records of what runs, by the images' names. Empty where nothing of Debian's packages was built here.
    """
    built = {name: record for name, record in images.items() if record["origin"] == BUILT}
    if lock.debian is None or (images and not built):
        return ""
    # of several of a day the node's, which takes the most
    oldest = min(built, key=lambda name: (built[name]["added"][:10], built[name]["name"] != NODE_IMAGE), default="")
    since = datetime.date.fromisoformat(built[oldest]["added"][:10]) if oldest else lock.debian
    days = (today - since).days
    told = f"Debian as of {since} ({days} day{'' if days == 1 else 's'})" + ("" if oldest else f", {BY_LOCK}")
    if days <= OLD_DAYS and oldest in ("", *(artifact.reference for artifact in lock.artifacts.values())):
        return told
    is_nodes = bool(oldest) and built[oldest]["name"] == NODE_IMAGE
    commands = ["`make lock`"] if (today - lock.debian).days > OLD_DAYS else []
    commands.append("`make up ARGS='-e minikube_on_drift=recreate'`" if is_nodes else "`make up`")
    return f"{told}; {', then '.join(commands)}{',' if len(commands) > 1 else ''} takes newer packages"


def in_use(lock: Lock, node: str, versions: Mapping[str, str], images: Mapping[str, Mapping[str, Any]]) -> dict[str, bool]:
    """What has an end of support, by name and version, each with whether it was seen to run; what was not is as the lock has it.

    ``versions`` are those of programs, by the lock's entries, ``images`` the store's records of images; ``node`` is the Node.js that was chosen.
    """
    seen = {**versions, **{record["name"]: record["version"] for record in images.values()}}
    suites = {suite for record in images.values() for suite in record.get("debian", ())}
    locked = {suite for artifact in lock.artifacts.values() if not artifact.optional for suite in artifact.suites}
    used = {f"Debian {suite}": bool(suites) for suite in sorted(suites or locked)}
    for name, (entries, numbers) in VERSIONS.items():
        runs = next((seen[entry] for entry in entries if seen.get(entry)), "")
        version = runs or (node if name == "Node.js" else lock[entries[0]].version)
        used[f"{name} {'.'.join(version.removeprefix('v').split('.')[:numbers])}"] = bool(runs)
    return used


def past_support_line(used: Mapping[str, bool], today: datetime.date) -> str:
    """What of that nobody mends any more, since when, and what to do where there is something; empty where there is nothing."""
    past = [name for name in used if name in UNTIL and UNTIL[name] < today]
    told = [f"{name}{'' if used[name] else f' ({BY_LOCK})'} since {UNTIL[name]}{f' ({REMEDIES[name]})' if name in REMEDIES else ''}" for name in past]
    return f"{', '.join(told)}; see docs/artifacts.md" if told else ""
