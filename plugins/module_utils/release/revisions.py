"""The revisions of the deployment as Helm keeps them: which there are, what runs, and the way back to one.

A revision is of the whole deployment, because people think of one application: all that one run changes has one number, which is a label
of Helm's revisions. Of a release that the run left alone, the newest Helm revision before it belongs to it. What was installed before
there were such numbers is revision 0.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.words import short
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.release.helm import BROKEN_OFF, LEAVING, NUMBER, difference

GOOD = ("deployed", "superseded")
"""What Helm calls revisions that were applied."""


@dataclass(frozen=True)
class Part:
    """A release's Helm revision."""

    release: str
    version: int
    """Helm's number of it."""
    number: int
    """The deployment's revision that it came with."""
    status: str
    chart: str
    updated: str
    """When it was applied, in UTC, as in 2026-01-02T03:04:05."""
    repository: str
    digest: str
    manifest: str
    hooks: str = ""
    """What Helm keeps apart from the manifest, and renders with it."""
    restores: int = 0
    """The Helm revision that it is a rollback to; 0 where it is none."""
    settled: bool = True
    """Whether a rollback got to its end, and so has a number of its own."""


@dataclass(frozen=True)
class Plan:
    """The way to a revision."""

    revision: int
    parts: Mapping[str, Part]
    """Each release as it was in it, in the order of a rollout."""
    changed: tuple[str, ...]
    """The releases that are otherwise now, in the order of the way back: what is rolled out first goes back last."""


@dataclass(frozen=True)
class History:
    """The Helm revisions of each release, the oldest first; the releases in the order of their rollout."""

    parts: Mapping[str, Sequence[Part]]

    @property
    def newest(self) -> dict[str, Part]:
        """What Helm has applied last, of each release that is installed."""
        return {name: parts[-1] for name, parts in self.parts.items() if parts}

    @property
    def revision(self) -> int:
        """The one that runs, or is being rolled out; 0 also where nothing is installed."""
        return max((part.number for part in self.newest.values()), default=0)

    @property
    def next(self) -> int:
        """The one that the next change makes."""
        return 1 + max((part.number for parts in self.parts.values() for part in parts), default=0)

    def at(self, revision: int) -> dict[str, Part] | None:
        """Each release as it was in a revision, None where Helm does not know that any more, or could not apply it."""
        found = {}
        for name, parts in self.parts.items():
            until = [part for part in parts if part.number <= revision]
            if not until or until[-1].status not in GOOD:
                return None
            found[name] = until[-1]
        return found if any(part.number == revision for part in found.values()) else None

    def revisions(self) -> dict[int, dict[str, Part]]:
        """All that one can go back to, the newest first."""
        numbers = sorted({part.number for parts in self.parts.values() for part in parts}, reverse=True)
        return {number: found for number in numbers if (found := self.at(number))}

    def original(self, parts: Iterable[Part]) -> int:
        """The revision that these came with at first: a rollback brings back an older one."""
        return max((self._first(part).number for part in parts), default=0)

    def _first(self, part: Part) -> Part:
        versions = {known.version: known for known in self.parts[part.release]}
        while part.restores in versions:
            part = versions[part.restores]
        return part

    def lines(self) -> list[str]:
        """The revisions, for a person."""
        lines = []
        for number, parts in self.revisions().items():
            original = self.original(parts.values())
            images = ", ".join(f"{part.release} {short(part.digest)} ({part.chart})" for part in parts.values())
            when = since(parts).replace("T", " ")
            notes = f", the same as {original}" if original != number else ""
            notes += ", which runs" if number == self.revision else ""
            lines.append(f"revision {number:<3} {when} UTC  {images}{notes}")
        return lines

    def plan(self, to: int | None) -> Plan:
        """The way to a revision; without one, to the last before the one that runs. Raises UserError."""
        for name, parts in self.parts.items():
            if not parts:
                raise UserError(f"The release {name} is not installed, so there is nothing to go back to", "Run `make up`, which installs what is missing.")
            if parts[-1].status in (*BROKEN_OFF, LEAVING):
                raise UserError(
                    f"Helm was broken off while it changed release {name}, whose status is {parts[-1].status}",
                    "Run `make up`, which finishes it, then the same command again.",
                )
        revision = self._before() if to is None else to
        found = self.at(revision)
        if found is None:
            there = ", ".join(map(str, self.revisions())) or "none"
            raise UserError(
                f"There is no revision {revision} that one could go back to; there are {there}", "Name one: make rollback TO=REVISION", "\n".join(self.lines())
            )
        now = self.newest
        changed = [name for name in reversed(list(self.parts)) if now[name].status != "deployed" or difference(now[name].manifest, found[name].manifest)]
        return Plan(revision, found, tuple(changed))

    def _before(self) -> int:
        """The last revision before what runs. A rollback is none: what it brought back is what runs, and it goes on from there."""
        runs = self.original(self.newest.values())
        if any(not part.settled for part in self.newest.values()) and runs < max(self.revisions(), default=0):
            return runs  # a rollback that was broken off is finished first
        found = next((number for number in self.revisions() if number < runs), None)
        if found is None:
            raise UserError(f"There is no revision before {runs}, which runs, to go back to", "Mend what is wrong with it, then run `make up`.")
        return found


def since(parts: Mapping[str, Part]) -> str:
    """From when on these were what runs, as in 2026-01-02T03:04:05."""
    return max(part.updated for part in parts.values())


def read(cluster: Cluster, releases: Sequence[str]) -> History:
    """What Helm has kept of these releases. Raises ClusterError."""
    secrets = cluster.json("secrets", f"--selector=owner=helm,name in ({','.join(releases)})")["items"]
    return history(releases, secrets)


def history(releases: Sequence[str], secrets: Iterable[Mapping[str, Any]]) -> History:
    """From the Secrets that Helm keeps its revisions in."""
    found: dict[str, list[Part]] = {name: [] for name in releases}
    for secret in sorted(secrets, key=lambda one: int(one["metadata"]["labels"]["version"])):
        labels, held = secret["metadata"]["labels"], stored(secret["data"]["release"])
        parts = found[labels["name"]]
        before = parts[-1].number if parts else 0
        number = int(labels.get(NUMBER, 0))
        image, chart = (held.get("config") or {}).get("image", {}), held["chart"]["metadata"]
        restores = re.fullmatch(r"Rollback to (\d+)", held["info"].get("description", ""))
        part = Part(
            release=labels["name"],
            version=int(labels["version"]),
            number=max(number, before),
            status=labels["status"],
            chart=f"{chart['name']}-{chart['version']}",
            updated=datetime.fromisoformat(held["info"]["last_deployed"]).astimezone(UTC).isoformat()[:19],
            repository=image.get("repository", ""),
            digest=image.get("digest", ""),
            manifest=held["manifest"],
            hooks="\n---\n".join(hook["manifest"] for hook in held.get("hooks") or []),
            restores=int(restores[1]) if restores else 0,
            settled=number >= before,
        )
        parts.append(part)
    return History(found)


def stored(data: str) -> dict[str, Any]:
    """A release as Helm's Secret holds it: JSON in gzip in base64, in the base64 of Secrets."""
    found: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(data))))
    return found
