"""Going back to an earlier revision of the deployment: looked at first, then done in the reverse of a rollout's order, and checked."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.acceptance import StoredRows, check_as_user
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.base.words import short
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.database.compatibility import Database
from ansible_collections.todochat.platform.plugins.module_utils.images.local import give_name
from ansible_collections.todochat.platform.plugins.module_utils.images.pushed import Pushed
from ansible_collections.todochat.platform.plugins.module_utils.images.registry import Registry
from ansible_collections.todochat.platform.plugins.module_utils.release import revisions
from ansible_collections.todochat.platform.plugins.module_utils.release.helm import NUMBER, Release, owner
from ansible_collections.todochat.platform.plugins.module_utils.release.revisions import History, Part, Plan
from ansible_collections.todochat.platform.plugins.module_utils.release.running_images import wrong_images
from ansible_collections.todochat.platform.plugins.module_utils.release.watch import Watcher

POLL_SECONDS = 1


@dataclass(frozen=True)
class Way:
    """What was found to be possible, and is to be done."""

    past: History
    plan: Plan
    backup: Path | None
    known: Sequence[str]
    """The revisions of the schema that the older code knows, its own first; empty where the code stays."""
    renamed: tuple[str, ...]
    """The releases whose image of that revision is not yet the one to deploy."""
    would: tuple[str, ...]
    """What is to be done, a sentence each; empty where that revision is what runs."""


@dataclass(frozen=True)
class Done:
    """What was done."""

    steps: list[str]
    """Of a user's way."""
    undo: str
    """The backup of what was in the database before one was restored; empty otherwise."""


@dataclass(frozen=True)
class Rollback:
    """A deployment, by where its parts are. The first of its releases uses the database."""

    cluster: Cluster
    registry: Registry
    repository: str
    releases: tuple[str, ...]
    database: Database
    url: str
    rows: StoredRows | None
    timeout: float
    pushed: Pushed = field(default_factory=Pushed)

    def look(self, to: int | None, restore: str) -> Way:
        """What the way to a revision is; without one, to the last before what runs. Touches nothing.

        ``restore`` names a backup to restore with it, or is "true" for the one made before the upgrade. Raises UserError where there is no way.
        """
        past = revisions.read(self.cluster, self.releases)
        plan = past.plan(to)
        renamed = self._to_be_renamed(plan)
        user = self.releases[0]
        now, then = past.newest[user], plan.parts[user]
        would = [f"release {name} goes back to {told(plan.parts[name])}, as it was in revision {plan.revision}" for name in plan.changed]
        known: Sequence[str] = []
        backup = None
        if now.digest != then.digest:
            known = self.database.known_revisions(reference(then))
            if not restore and (why := self.database.schema().refusal(known)):
                raise UserError(
                    f"Revision {plan.revision} cannot serve with this database: {why}",
                    "The backup made before the upgrade can be restored with it, which takes what was written since out of the database "
                    f"and into a backup of its own: make rollback TO={plan.revision} ARGS='-e restore=true'",
                )
        if restore:
            if not known:
                raise UserError(
                    f"Revision {plan.revision} has the same image of {user} as what runs, so no backup belongs to going back to it",
                    "Leave restore out; a backup is restored by itself with `make restore FILE=PATH`",
                )
            backup = self.database.backup_before(plan.revision, revisions.since(plan.parts), known) if restore == "true" else Path(restore)
            restored = self.database.restore(backup, known, reference(now), check_mode=True)
            lost = f"; what it holds now ({restored.found.summary()}) is backed up first" if restored.undo else ""
            would.insert(-1, f"release {user} is stopped, and the database restored from {backup}{lost}")
        unsettled = [part for part in past.newest.values() if not part.settled]
        if (renamed or unsettled) and not would:
            would = [f"revision {plan.revision} is the one to deploy"]
        return Way(past, plan, backup, known, renamed, tuple(would))

    def _to_be_renamed(self, plan: Plan) -> tuple[str, ...]:
        """The releases whose image is not yet the one to deploy. Raises UserError where one is not in the registry, or was not put there from here.

        Helm's history says which images there were; whoever may write into the cluster can have it say others.
        """
        renamed = []
        remedy = "Go back to another revision, or check out the sources of that one and run `make up`, which builds it anew."
        for name, part in plan.parts.items():
            path = f"{self.repository}/{name}"
            there = part.repository == f"{self.registry.endpoint}/{path}" and self.registry.has(path, part.digest)
            if not there:
                raise UserError(
                    f"The image of {name} in revision {plan.revision}, {reference(part)}, is not in the registry {self.registry.endpoint} any more", remedy
                )
            if part.digest not in self.pushed.tags(part.repository).values():
                raise UserError(
                    f"The image of {name} in revision {plan.revision}, {reference(part)}, is none that this machine has built, says {self.pushed.path}", remedy
                )
            if self.pushed.current(part.repository) != part.digest:
                renamed.append(name)
        return tuple(renamed)

    def go(self, way: Way) -> Done:
        """Goes it. Raises UserError; the same way may be gone again then."""
        undo = ""
        for name in way.plan.changed:
            release = Release(name, Path(), {})
            if way.backup and name == self.releases[0]:
                # Neither code may meet the other's schema; and one that starts meanwhile would migrate what was restored.
                replicas = self._stop(release)
                try:
                    undo = self.database.restore(way.backup, way.known, reference(way.past.newest[name]), check_mode=False).undo
                except BaseException:
                    self._start(replicas)
                    raise
            release.roll_back(self.cluster, way.plan.parts[name].version)
            Watcher(release, self.cluster, self.timeout).wait()
        self._settle(way)
        return Done(self._check(way.plan), undo)

    def _stop(self, release: Release) -> dict[str, int]:
        """The pods of a release are gone; returns how many each of its Deployments wanted."""
        replicas = {workload["metadata"]["name"]: max(workload["spec"].get("replicas", 1), 1) for workload in release.workloads(self.cluster)}
        for name in replicas:
            self.cluster.run("kubectl", "scale", f"deployment/{name}", "--replicas=0")
        deadline = time.monotonic() + self.timeout
        while left := self._pods(release):
            waiting_for(f"stopping {', '.join(left)}")
            if time.monotonic() > deadline:
                self._start(replicas)
                raise UserError(f"The pods of {release.name} do not stop: {', '.join(left)}", "Run the same command again.")
            time.sleep(POLL_SECONDS)
        return replicas

    def _pods(self, release: Release) -> list[str]:
        """Those of its Deployments; others, as of a test, have ended or end by themselves."""
        items = self.cluster.json("pods", f"--selector=app.kubernetes.io/instance={release.name}")["items"]
        return [item["metadata"]["name"] for item in items if owner(item)]

    def _start(self, replicas: Mapping[str, int]) -> None:
        """As many as before."""
        for name, wanted in replicas.items():
            self.cluster.run("kubectl", "scale", f"deployment/{name}", f"--replicas={wanted}")

    def _settle(self, way: Way) -> None:
        """What runs is a revision of its own, and its images are those to deploy."""
        for name, part in way.past.newest.items():
            if name in way.plan.changed or not part.settled:
                version = part.version + (name in way.plan.changed)
                # Helm gives a rollback the labels of the revision that it goes back to.
                secret = f"secret/sh.helm.release.v1.{name}.v{version}"
                self.cluster.run("kubectl", "label", secret, "--overwrite", f"{NUMBER}={way.past.next}")
        for name in way.renamed:
            part = way.plan.parts[name]
            self.pushed.make_current(part.repository, part.digest)
            give_name(part.repository, part.digest)

    def _check(self, plan: Plan) -> list[str]:
        problems = wrong_images(self.cluster.json("pods")["items"], {name: part.digest for name, part in plan.parts.items()})
        if problems:
            raise UserError(f"What runs is not what revision {plan.revision} was: {'; '.join(problems)}", "Run the same command again.")
        return check_as_user(self.url, self.rows, Path(self.cluster.kubeconfig))

    def take_back(self, failed: Mapping[str, Any], before: Mapping[str, Any]) -> UserError:
        """After an upgrade that failed, puts back what it replaced, where that was healthy. Returns how it failed, with what was done about it."""
        cause = UserError(failed.get("why") or failed.get("msg") or "It did not say why", failed.get("remedy") or "Run the same command again.")
        details = str(failed.get("details") or "")
        if not before:
            return UserError(cause.why, cause.remedy, details)
        revision = before["revision"]
        if not before["healthy"]:
            return UserError(f"{cause.why} Revision {revision} was not healthy either, so it was not put back.", cause.remedy, details)
        begun = False
        try:
            way = self.look(revision, "")
            begun = True
            self.go(way)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not hide the cause
            why, remedy = (error.why, error.remedy) if isinstance(error, UserError) else (repr(error), "")
            happened = "What ran before was to be put back, which failed as well" if begun else "What ran before was not put back"
            return UserError(f"{cause.why} {happened}: {why}", f"{cause.remedy} {remedy}", details)
        return UserError(f"{cause.why} Revision {revision} serves again.", cause.remedy, details)


def reference(part: Part) -> str:
    """Its image, by digest."""
    return f"{part.repository}@{part.digest}"


def told(part: Part) -> str:
    """Its image and chart, for a person."""
    return f"image {short(part.digest)}, chart {part.chart}"
