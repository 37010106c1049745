"""How old Debian's packages in the images are, and until when others mend what is installed."""

from __future__ import annotations

import datetime

from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock

OLD_DAYS = 60
"""From then on a person is told how newer packages are taken."""
# What names a version in UNTIL: the lock's entry that has it, and how many of its numbers count.
VERSIONS = {
    "Python": ("python-runtime", 2),
    "PostgreSQL": ("postgres", 1),
    "Kubernetes": ("kubelet", 2),
    "Helm": ("helm", 1),
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


def bases_line(since: datetime.date, today: datetime.date) -> str:
    """How old the packages of images that are built here may be."""
    days = (today - since).days
    hint = "; `make lock`, then `make up`, takes newer packages" if days > OLD_DAYS else ""
    return f"Debian as of {since} ({days} day{'' if days == 1 else 's'}){hint}"


def in_use(lock: Lock, node: str) -> list[str]:
    """What of the lock's has an end of support, by name and version; of Node.js what was chosen."""
    suites = {suite for artifact in lock.artifacts.values() if not artifact.optional for suite in artifact.suites}
    named = {name: ".".join(lock[entry].version.removeprefix("v").split(".")[:numbers]) for name, (entry, numbers) in VERSIONS.items()}
    return [*(f"Debian {suite}" for suite in sorted(suites)), f"Node.js {node}", *(f"{name} {version}" for name, version in named.items())]


def past_support_line(used: list[str], today: datetime.date) -> str:
    """What of that nobody mends any more, since when, and what to do where there is something; empty where there is nothing."""
    past = [name for name in used if name in UNTIL and UNTIL[name] < today]
    told = [f"{name} since {UNTIL[name]}{f' ({REMEDIES[name]})' if name in REMEDIES else ''}" for name in past]
    return f"{', '.join(told)}; see docs/artifacts.md" if told else ""
