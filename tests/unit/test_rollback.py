"""Going back: which revisions there are, what is refused before anything is touched, and what is done in which order."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import getpass
import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from loopback import Reply, Request, Server

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster, ClusterError
from ansible_collections.todochat.platform.plugins.module_utils.database import compatibility, dump_file
from ansible_collections.todochat.platform.plugins.module_utils.database.backup import Restored
from ansible_collections.todochat.platform.plugins.module_utils.database.compatibility import Database, Schema
from ansible_collections.todochat.platform.plugins.module_utils.database.dump_file import Contents, Manifest
from ansible_collections.todochat.platform.plugins.module_utils.images.pushed import Pushed
from ansible_collections.todochat.platform.plugins.module_utils.images.registry import Registry
from ansible_collections.todochat.platform.plugins.module_utils.release.helm import NUMBER
from ansible_collections.todochat.platform.plugins.module_utils.release.revisions import History, history
from ansible_collections.todochat.platform.plugins.module_utils.whole import rollback
from ansible_collections.todochat.platform.plugins.module_utils.whole.rollback import Rollback
from ansible_collections.todochat.platform.plugins.modules.helm_releases import serving

NAMES = ("backend", "frontend")
CONTENTS = Contents("public", 170005, "0002", {"alembic_version": "1 5", "schema_readers": "1 9", "todos": "3 77"})


def digest(content: str) -> str:
    return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"


def manifest(name: str, content: str, replicas: int | None = 2) -> str:
    scale = f"replicas: {replicas}, " if replicas is not None else ""
    return f"kind: Deployment\nmetadata: {{name: {name}}}\nspec: {{{scale}image: {content}}}\n"


class World:
    """Helm's Secrets, the Deployments, the registry's tags and the database, as the real ones act on each other."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.secrets: list[dict[str, Any]] = []
        self.live: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.images: dict[str, str] = {}
        self.built: dict[str, dict[str, str]] = {name: {} for name in NAMES}
        self.current: dict[str, str] = {}
        self.known: dict[str, list[str]] = {}
        self.schema = Schema("0002", frozenset({"0002"}))
        self.refuses = ""
        """The beginning of a command that fails."""
        self.works = True

    def upgrade(self, number: int | None, replicas: int | None = 2, status: str = "deployed", **contents: str) -> World:
        """What `make up` does: each named release gets this content. Without a number, as before there were any."""
        for name, content in contents.items():
            self._add(name, content, {NUMBER: str(number)} if number is not None else {}, "Upgrade complete", status, replicas)
        return self

    def _add(self, name: str, content: str, labels: dict[str, str], description: str, status: str, replicas: int | None) -> None:
        mine = [secret for secret in self.secrets if secret["metadata"]["labels"]["name"] == name]
        for secret in mine:
            secret["metadata"]["labels"]["status"] = secret["metadata"]["labels"]["status"].replace("deployed", "superseded")
        version = len(mine) + 1
        path = f"todo/{name}"
        self.images[f"{path}/{digest(content)}"] = content
        self.built[name][content] = digest(content)
        self.current[path] = digest(content)
        held = {
            "chart": {"metadata": {"name": name, "version": "1.0.0"}},
            "config": {"image": {"repository": f"{self.endpoint}/{path}", "digest": digest(content)}, "content": content, "replicas": replicas},
            "info": {"description": description, "last_deployed": f"2026-01-02T03:04:{len(self.secrets):02}.123456789Z"},
            "manifest": manifest(name, content, replicas),
        }
        data = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(held).encode()))).decode()
        system = {"name": name, "version": str(version), "status": status, "owner": "helm"}
        self.secrets.append({"metadata": {"name": f"sh.helm.release.v1.{name}.v{version}", "labels": {**labels, **system}}, "data": {"release": data}})
        before = self.live.get(name, {"replicas": 3})["replicas"]
        self.live[name] = {"digest": digest(content), "replicas": before if replicas is None else replicas, "held": held}

    def history(self) -> History:
        return history(NAMES, self.secrets)

    def held(self, name: str, version: int) -> tuple[dict[str, Any], dict[str, str]]:
        secret = next(one for one in self.secrets if one["metadata"]["name"].endswith(f".{name}.v{version}"))
        return json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"])))), secret["metadata"]["labels"]

    def run(self, *command: str, **_: Any) -> subprocess.CompletedProcess[str]:
        call = " ".join(command)
        if command[1] != "get":
            self.calls.append(call)
        if self.refuses and call.startswith(self.refuses):
            raise ClusterError(f"`{call}` failed", "Mend it.")
        answer: list[dict[str, Any]] = []
        match command:
            case ("helm", "rollback", name, version, *_):
                held, labels = self.held(name, int(version))
                custom = {NUMBER: labels[NUMBER]} if NUMBER in labels else {}
                self._add(name, held["config"]["content"], custom, f"Rollback to {version}", "deployed", held["config"]["replicas"])
            case ("kubectl", "label", secret, "--overwrite", label):
                key, value = label.split("=")
                next(one for one in self.secrets if f"secret/{one['metadata']['name']}" == secret)["metadata"]["labels"][key] = value
            case ("kubectl", "scale", name, replicas):
                self.live[name.removeprefix("deployment/")]["replicas"] = int(replicas.removeprefix("--replicas="))
            case ("kubectl", "get", _, "secrets", *_):
                answer = self.secrets
            case ("kubectl", "get", _, "pods", "--namespace=kube-system"):
                status = {"conditions": [{"type": "Ready", "status": "True"}]}
                answer = [{"metadata": {"name": "coredns-1", "namespace": "kube-system"}, "spec": {"nodeName": "todo"}, "status": status}]
            case ("kubectl", "get", _, "pods", *selector):
                answer = [pod for name in NAMES if not selector or selector[0].endswith(f"={name}") for pod in self.pods(name)]
            case ("kubectl", "get", _, "deployments", selector):
                answer = [self.deployment(selector.rpartition("=")[2])]
            case ("kubectl", "get", _, "deployments,horizontalpodautoscalers", selector):
                name = selector.rpartition("=")[2]
                scaler = {"kind": "HorizontalPodAutoscaler", "spec": {"scaleTargetRef": {"name": name}, "minReplicas": 2}}
                answer = [self.deployment(name)] + ([scaler] if self.live[name]["held"]["config"]["replicas"] is None else [])
        return subprocess.CompletedProcess(command, 0, json.dumps({"items": answer}), "")

    def deployment(self, name: str) -> dict[str, Any]:
        wanted = self.live[name]["replicas"]
        counts = dict.fromkeys(("updatedReplicas", "replicas", "availableReplicas"), wanted)
        return {"kind": "Deployment", "metadata": {"name": name, "generation": 1}, "spec": {"replicas": wanted}, "status": {"observedGeneration": 1, **counts}}

    def pods(self, name: str) -> list[dict[str, Any]]:
        metadata = {"labels": {"app.kubernetes.io/instance": name}, "ownerReferences": [{"uid": "replicaset"}]}
        status = {"phase": "Running", "containerStatuses": [{"name": name, "imageID": f"x@{self.live[name]['digest']}"}]}
        return [{"metadata": {"name": f"{name}-{number}", **metadata}, "status": status} for number in range(self.live[name]["replicas"])]

    def answer(self, request: Request) -> Reply:
        """As the registry does."""
        _, _, *path, _, wanted = request.path.split("/")
        content = self.images.get(f"{'/'.join(path)}/{wanted}")
        return Reply(404) if content is None else Reply(200, content.encode())


class Named(Pushed):
    """The record of what is to be deployed, kept by the world."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def current(self, name: str) -> str:
        return self.world.current.get(name.partition("/")[2], "")

    def tags(self, name: str) -> dict[str, str]:
        return self.world.built[name.rpartition("/")[2]]

    def make_current(self, name: str, digest: str) -> None:
        repository = name.partition("/")[2]
        self.world.calls.append(f"tag {repository}")
        self.world.current[repository] = digest


class Asked(Database):
    """The database, answered for by the world."""

    world: World

    def schema(self) -> Schema:
        return self.world.schema

    def known_revisions(self, image: str) -> list[str]:
        return self.world.known.get(image.rpartition("@")[2], ["0002", "0001"])

    def backup_before(self, revision: int, since: str, known: Sequence[str]) -> Path:
        assert since.startswith("2026-01-02T03:04:0")
        return Path(f"/backups/before-{revision + 1}-of-{known[0]}.tar")

    def restore(self, path: Path, known: Sequence[str], application: str, check_mode: bool) -> Restored:
        if not check_mode:
            running = len(self.world.pods("backend"))
            self.world.run("database", f"restore {path} for {known[0]} with {running} pods of the backend")
            assert application.endswith(self.world.live["backend"]["digest"])
            self.world.schema = Schema(known[0])
        return Restored(CONTENTS, "/backups/before-restore.tar", ())


@pytest.fixture
def world(server: Server, monkeypatch: pytest.MonkeyPatch) -> World:
    """Nothing is installed yet."""
    made = World(server.endpoint)
    server.answer = made.answer

    def check(*_: Any) -> list[str]:
        made.calls.append("check")
        if not made.works:
            raise UserError("log in: answers 500", "Look at the logs.")
        return ["sign up"]

    monkeypatch.setattr(Cluster, "run", lambda _, *command, **options: made.run(*command, **options))
    monkeypatch.setattr(rollback, "check_as_user", check)
    monkeypatch.setattr(rollback, "POLL_SECONDS", 0)
    monkeypatch.setattr(rollback, "give_name", lambda *_: None)
    return made


def way_back(world: World) -> Rollback:
    database = Asked("postgresql://me:secret@host/todo", "", "", "/backups", "me", "todo")
    type(database).world = world
    cluster = Cluster("helm", "kubectl", "kubeconfig", "todo")
    return Rollback(cluster, Registry(world.endpoint), "todo", NAMES, database, "http://url", None, 60, Named(world))


def goes(world: World, to: int | None = None, restore: str = "") -> list[str]:
    """What is called to go back."""
    back = way_back(world)
    back.go(back.look(to, restore))
    return [call.partition(" --history")[0] for call in world.calls]


def refused(world: World, to: int | None = None, restore: str = "") -> UserError:
    """Why one cannot go back; nothing is touched."""
    with pytest.raises(UserError) as raised:
        way_back(world).look(to, restore)
    assert world.calls == []
    return raised.value


def contents(world: World) -> str:
    """What runs, such as "a1 b2"."""
    return " ".join(world.images[f"todo/{name}/{world.live[name]['digest']}"] for name in NAMES)


@pytest.fixture
def three(world: World) -> World:
    """Three revisions: both, the backend alone, both."""
    return world.upgrade(1, backend="b1", frontend="f1").upgrade(2, backend="b2").upgrade(3, backend="b3", frontend="f3")


# Which revisions there are


def test_what_a_run_left_alone_belongs_to_its_revision(three: World) -> None:
    found = {number: [part.version for part in parts.values()] for number, parts in three.history().revisions().items()}
    assert found == {3: [3, 2], 2: [2, 1], 1: [1, 1]}
    assert (three.history().revision, three.history().next) == (3, 4)


def test_what_was_installed_before_there_were_numbers_is_revision_0(world: World) -> None:
    world.upgrade(None, backend="b1", frontend="f1").upgrade(None, backend="b2").upgrade(1, backend="b3")
    assert {number: [part.version for part in parts.values()] for number, parts in world.history().revisions().items()} == {1: [3, 1], 0: [2, 1]}


def test_what_helm_could_not_apply_or_no_longer_knows_cannot_be_gone_back_to(three: World) -> None:
    three.upgrade(4, backend="b4", status="failed").upgrade(5, backend="b5")
    del three.secrets[0]  # backend's first one, as when there are more than Helm keeps
    assert list(three.history().revisions()) == [5, 3, 2]


def test_helms_numbers_are_numbers(world: World) -> None:
    for number in range(1, 12):
        world.upgrade(number, backend=f"b{number}", frontend="f1")
    world.secrets.sort(key=lambda secret: str(secret["metadata"]["name"]))
    assert world.history().newest["backend"].digest == digest("b11")


def test_a_first_run_that_was_broken_off_made_no_revision(world: World) -> None:
    world.upgrade(1, backend="b1").upgrade(2, frontend="f1")
    assert list(world.history().revisions()) == [2]


# Where a rollback leads


def test_without_a_number_it_is_the_state_before_the_last_change(three: World) -> None:
    goes(three)
    assert contents(three) == "b2 f1"


def test_each_further_one_goes_on_from_there(three: World) -> None:
    goes(three)
    goes(three)
    assert contents(three) == "b1 f1"
    three.calls.clear()
    assert "no revision before 1" in str(refused(three))


def test_what_was_rolled_back_from_is_not_gone_back_to_but_by_its_number(three: World) -> None:
    goes(three, 2)
    three.upgrade(5, backend="b5")
    goes(three)
    assert contents(three) == "b2 f1"
    goes(three, 3)
    assert contents(three) == "b3 f3"


def test_an_older_content_that_was_deployed_again_is_a_change_as_any(world: World) -> None:
    world.upgrade(1, backend="b1", frontend="f1").upgrade(2, backend="b2").upgrade(3, backend="b1")
    goes(world)
    assert contents(world) == "b2 f1"


def test_one_that_was_broken_off_is_finished(three: World) -> None:
    three.refuses = "kubectl label"
    with pytest.raises(UserError):
        goes(three)
    three.refuses = ""
    goes(three)
    assert contents(three) == "b2 f1"
    assert three.history().revision == 4


def test_one_that_was_broken_off_between_releases_is_finished(three: World) -> None:
    three.refuses = "helm rollback backend"
    with pytest.raises(UserError):
        goes(three)
    assert contents(three) == "b3 f1"
    three.refuses = ""
    goes(three)
    assert contents(three) == "b2 f1"


# What is done


def test_the_frontend_goes_first_and_what_runs_then_is_checked_and_the_one_to_deploy(three: World) -> None:
    assert goes(three, 1) == [
        "helm rollback frontend 1",
        "helm rollback backend 1",
        f"kubectl label secret/sh.helm.release.v1.backend.v4 --overwrite {NUMBER}=4",
        f"kubectl label secret/sh.helm.release.v1.frontend.v3 --overwrite {NUMBER}=4",
        "tag todo/backend",
        "tag todo/frontend",
        "check",
    ]
    assert contents(three) == "b1 f1"
    assert three.current == {"todo/backend": digest("b1"), "todo/frontend": digest("f1")}


def test_it_is_a_revision_of_its_own(three: World) -> None:
    goes(three, 1)
    found = three.history()
    assert found.revision == 4
    assert list(found.revisions()) == [4, 3, 2, 1]
    assert [line for line in found.lines() if "runs" in line] == [line for line in found.lines() if line.startswith("revision 4 ")]
    assert "the same as 1, which runs" in found.lines()[0]


def test_a_release_that_is_as_it_was_is_left_alone(three: World) -> None:
    goes(three, 2)
    three.calls.clear()
    assert not [call for call in goes(three, 1) if "frontend" in call]
    assert contents(three) == "b1 f1"


@pytest.mark.parametrize("to", [3, 2])
def test_what_runs_already_is_left_alone(three: World, to: int) -> None:
    if to != 3:
        goes(three, to)
    assert way_back(three).look(to, "").would == ()


def test_what_helm_failed_to_apply_is_not_what_runs(three: World) -> None:
    three.upgrade(4, backend="b3", status="failed")
    assert goes(three, 3)[0] == "helm rollback backend 3"


def test_an_image_that_is_not_the_one_to_deploy_becomes_it(three: World) -> None:
    """As where the images were built, and the run broken off before they were deployed."""
    three.images[f"todo/frontend/{digest('f9')}"] = "f9"
    three.current["todo/frontend"] = digest("f9")
    assert way_back(three).look(3, "").would == ("revision 3 is the one to deploy",)
    assert goes(three, 3) == ["tag todo/frontend", "check"]
    assert three.current["todo/frontend"] == digest("f3")


def test_what_runs_then_is_compared_with_what_was_asked(three: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(three, "pods", lambda name: [{**World.pods(three, name)[0], "status": {"containerStatuses": [{"name": name, "imageID": "x@stale"}]}}])
    with pytest.raises(UserError, match="runs stale"):
        goes(three, 2)


# What is refused


def test_an_unknown_revision_is_refused_with_those_that_there_are(three: World) -> None:
    error = refused(three, 7)
    assert "no revision 7" in error.why
    assert "3, 2, 1" in error.why
    first = error.details.splitlines()[0]
    for words in ("revision 3", "2026-01-02 03:04:04 UTC", f"backend {digest('b3')[7:19]} (backend-1.0.0)", f"frontend {digest('f3')[7:19]}", "which runs"):
        assert words in first


def test_a_release_that_is_missing_or_unfinished_is_refused(world: World) -> None:
    world.upgrade(1, backend="b1")
    assert "frontend is not installed" in str(refused(world, 1))
    world.upgrade(1, frontend="f1").upgrade(2, backend="b2", status="pending-upgrade")
    assert "status is pending-upgrade" in str(refused(world, 1))


def test_an_image_that_is_gone_is_refused(three: World) -> None:
    del three.images[f"todo/frontend/{digest('f1')}"]
    error = refused(three, 2)
    assert f"{three.endpoint}/todo/frontend@{digest('f1')}" in error.why
    assert "any more" in error.why


def test_an_image_that_was_not_built_here_is_refused_whatever_helm_and_the_registry_say(three: World) -> None:
    three.upgrade(4, backend="planted").upgrade(5, backend="b5")
    del three.built["backend"]["planted"]
    error = refused(three)
    assert f"The image of backend in revision 4, {three.endpoint}/todo/backend@{digest('planted')}, is none that this machine has built" in error.why
    assert "/var/lib/todochat/images.json" in error.why
    assert "make up" in error.remedy
    assert "was not put back: The image of backend in revision 4" in taken_back(three, revision=4, healthy=True).why


def test_an_image_of_another_registry_is_refused(three: World) -> None:
    back = way_back(three)
    three.endpoint = "127.0.0.1:1"
    three.upgrade(4, backend="b4")
    with pytest.raises(UserError, match=r"127\.0\.0\.1:1/todo/backend"):
        back.look(4, "")


# The schema


@pytest.mark.parametrize(
    ("found", "known", "reads"),
    [
        (Schema(""), ["0001"], True),
        (Schema("0001"), ["0001"], True),
        (Schema("0001"), ["0002", "0001"], True),
        (Schema("0002", frozenset({"0002"})), ["0001"], False),
        (Schema("0003", frozenset({"0003", "0002"})), ["0002", "0001"], True),
        (Schema("0003", frozenset({"0003"})), ["0002", "0001"], False),
        # somebody listed it, but that code does not look there
        (Schema("0003", frozenset({"0003", "0002", "0001"})), ["0001"], False),
        # the table is of another revision than the database
        (Schema("0004", frozenset({"0003", "0002"})), ["0002", "0001"], False),
    ],
)
def test_which_code_can_work_with_which_schema(found: Schema, known: list[str], reads: bool) -> None:
    assert (found.refusal(known) == "") is reads


@pytest.fixture
def migrated(three: World) -> World:
    """The third revision's backend has migrated the database, and no earlier one can work with that."""
    three.known = {digest("b3"): ["0003", "0002", "0001"]}
    three.schema = Schema("0003", frozenset({"0003"}))
    return three


def test_code_that_cannot_work_with_the_schema_is_refused_with_the_way(migrated: World) -> None:
    error = refused(migrated, 2)
    assert "schema is 0003" in error.why
    assert "made for 0002" in error.why
    assert "make rollback TO=2 ARGS='-e restore=true'" in error.remedy


def test_code_that_the_schema_says_can_work_with_it_is_not_refused(migrated: World) -> None:
    migrated.schema = Schema("0003", frozenset({"0002", "0003"}))
    goes(migrated, 2)
    assert contents(migrated) == "b2 f1"


def test_the_schema_does_not_matter_where_the_code_stays(migrated: World) -> None:
    migrated.upgrade(4, frontend="f4")
    goes(migrated)
    assert contents(migrated) == "b3 f3"


def test_a_backup_is_restored_while_no_backend_runs(migrated: World) -> None:
    assert goes(migrated, 2, "true")[:4] == [
        "helm rollback frontend 1",
        "kubectl scale deployment/backend --replicas=0",
        "database restore /backups/before-3-of-0002.tar for 0002 with 0 pods of the backend",
        "helm rollback backend 2",
    ]
    assert migrated.live["backend"]["replicas"] == 2


def test_a_named_backup_is_restored(migrated: World) -> None:
    assert "database restore /some/file.tar for 0002 with 0 pods of the backend" in goes(migrated, 2, "/some/file.tar")


def test_what_is_going_to_be_lost_is_said_before(migrated: World) -> None:
    would = way_back(migrated).look(2, "true").would
    assert "restored from /backups/before-3-of-0002.tar" in would[1]
    assert "todos 3" in would[1]
    assert "schema_readers" not in would[1]
    assert migrated.calls == []


def test_a_restore_that_fails_leaves_the_newer_backend_running(migrated: World) -> None:
    migrated.refuses = "database restore"
    with pytest.raises(UserError, match="database restore"):
        goes(migrated, 2, "true")
    assert migrated.live["backend"] == {**migrated.live["backend"], "digest": digest("b3"), "replicas": 2}


def test_an_autoscaled_backend_has_pods_again(world: World) -> None:
    """Its chart leaves their number to the autoscaler, which leaves alone what stands at 0."""
    world.upgrade(1, replicas=None, backend="b1", frontend="f1").upgrade(2, replicas=None, backend="b2")
    world.known = {digest("b2"): ["0003", "0002"]}
    world.schema = Schema("0003")
    goes(world, 1, "true")
    assert contents(world) == "b1 f1"
    assert world.live["backend"]["replicas"] == 2


def test_a_backup_is_not_restored_where_the_code_stays(three: World) -> None:
    three.upgrade(4, frontend="f4")
    assert "make restore FILE=" in str(refused(three, 3, "true"))


# Taking back an upgrade that failed

FAILED = {"why": "The rollout of backend fails: it crashes.", "remedy": "Mend it.", "details": "Traceback", "msg": "all of it", "failed": True}


def taken_back(world: World, **before: Any) -> UserError:
    return way_back(world).take_back(FAILED, before)


def test_what_served_before_serves_again_and_the_cause_is_told(three: World) -> None:
    error = taken_back(three, revision=2, healthy=True)
    assert contents(three) == "b2 f1"
    assert error.why == "The rollout of backend fails: it crashes. Revision 2 serves again."
    assert (error.remedy, error.details) == ("Mend it.", "Traceback")


def test_the_next_rollback_does_not_lead_to_what_failed(three: World) -> None:
    taken_back(three, revision=2, healthy=True)
    goes(three)
    assert contents(three) == "b1 f1"


def test_nothing_is_taken_back_where_nothing_was_changed(three: World) -> None:
    error = taken_back(three)
    assert (error.why, error.remedy, error.details) == (FAILED["why"], FAILED["remedy"], FAILED["details"])
    assert three.calls == []


def test_what_was_not_healthy_is_not_put_back(three: World) -> None:
    error = taken_back(three, revision=2, healthy=False)
    assert error.why.startswith(str(FAILED["why"]))
    assert "not healthy either" in error.why
    assert three.calls == []


def test_what_cannot_read_the_schema_is_not_put_back_and_the_way_is_named(migrated: World) -> None:
    error = taken_back(migrated, revision=2, healthy=True)
    assert error.why.startswith(str(FAILED["why"]))
    assert "What ran before was not put back: Revision 2 cannot serve" in error.why
    assert "schema is 0003" in error.why
    assert error.remedy.startswith("Mend it. The backup")
    assert "-e restore=true" in error.remedy
    assert migrated.calls == []


@pytest.mark.parametrize("failure", [UserError("helm says no", "Ask it"), RuntimeError("no such luck")])
def test_no_failure_on_the_way_back_hides_the_cause(three: World, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def fails(*_: Any) -> None:
        raise failure

    monkeypatch.setattr(Rollback, "_settle", fails)
    error = taken_back(three, revision=2, healthy=True)
    assert error.why.startswith(str(FAILED["why"]))
    assert "failed as well" in error.why
    assert error.details == "Traceback"


def test_that_the_check_fails_again_is_told(three: World) -> None:
    three.works = False
    error = taken_back(three, revision=2, healthy=True)
    assert "failed as well: log in: answers 500" in error.why


def test_the_words_of_a_module_of_somebody_else_are_kept(three: World) -> None:
    assert way_back(three).take_back({"msg": "MODULE FAILURE", "rc": 1}, {}).why == "MODULE FAILURE."


def test_a_failure_of_the_playbook_is_told_as_it_was(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    given = ["ansible_become=false", "deployment_kubectl=/nowhere/kubectl"]
    role = "app_check"
    program = [Path(sys.executable).with_name("ansible-playbook"), "playbooks/check.yml", f"--tags={role}", *(f"--extra-vars={one}" for one in given)]
    done = subprocess.run(program, cwd=root, env={**os.environ, "HOME": str(tmp_path)}, capture_output=True, text=True, check=False)
    *_, failed, why, remedy = done.stdout.splitlines()
    task = yaml.safe_load((root / f"roles/{role}/tasks/main.yml").read_text(encoding="utf-8"))[0]["name"]
    assert failed.startswith(f"Failed:     {task}  (after"), done.stdout
    assert why.startswith("Why:        There is no /nowhere/kubectl")
    assert remedy.startswith("What to do: Run `make up ARGS='--tags ")


# What an upgrade notes of what it replaces


def test_what_runs_completely_is_healthy(three: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster("helm", "kubectl", "kubeconfig", "todo")
    assert serving(three.history(), cluster) == {"revision": 3, "healthy": True}
    whole = three.deployment
    monkeypatch.setattr(three, "deployment", lambda name: {**whole(name), "status": {}})
    assert serving(three.history(), cluster) == {"revision": 3, "healthy": False}


def test_before_the_first_installation_there_is_nothing(world: World) -> None:
    cluster = Cluster("helm", "kubectl", "kubeconfig", "todo")
    assert serving(world.history(), cluster) == {}
    world.upgrade(1, backend="b1")
    assert serving(world.history(), cluster) == {}


# Backups before a migration


class Answers:
    """A session that answers by the table that is asked for."""

    def __init__(self, revision: str, todos: int) -> None:
        self.revision = revision
        self.todos = todos

    def ask(self, statement: str) -> list[str]:
        if "to_regclass" in statement:
            return ["t" if self.revision and "alembic_version" in statement else "f"]
        return [self.revision] if "version_num" in statement else []

    def contents(self) -> Contents:
        return dataclasses.replace(CONTENTS, revision=self.revision, tables={"alembic_version": "1 5", "schema_readers": "1 5", "todos": f"{self.todos} 7"})


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database whose session the test sets; a backup is an empty file."""

    def take(_: Any, __: Any, path: Path, owner: str, application: str) -> None:
        path.write_text(f"{owner} {application}")

    monkeypatch.setattr(Database, "known_revisions", lambda *_: ["0002", "0001"])
    monkeypatch.setattr(compatibility, "look", lambda session: (session.contents(), 1000))
    monkeypatch.setattr(compatibility, "may_be_written", lambda *_: None)
    monkeypatch.setattr(compatibility, "take", take)
    return Database("postgresql://me:secret@host/todo", "", "", str(tmp_path), "me", "todo")


def before_migration(database: Database, monkeypatch: pytest.MonkeyPatch, session: Answers, check_mode: bool = False) -> tuple[str, list[Path]]:
    @contextlib.contextmanager
    def entered(_: Database) -> Iterator[tuple[None, Answers]]:
        yield None, session

    monkeypatch.setattr(Database, "session", entered)
    said = database.back_up_before_migration("r/backend@sha256:new", "r/backend@sha256:old", 6, check_mode)
    return said, list(Path(database.directory).iterdir())


def test_data_that_is_going_to_be_migrated_is_backed_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    said, [file] = before_migration(database, monkeypatch, Answers("0001", 3))
    assert file.name.startswith("todo-20")
    assert file.name.endswith("Z-before-6.tar")
    assert str(file) in said
    assert file.read_text() == "me r/backend@sha256:old"


@pytest.mark.parametrize("session", [Answers("", 3), Answers("0001", 0), Answers("0002", 3)], ids=["no tables", "no data", "no migration"])
def test_where_nothing_is_migrated_nothing_is_backed_up(database: Database, monkeypatch: pytest.MonkeyPatch, session: Answers) -> None:
    assert before_migration(database, monkeypatch, session) == ("", [])


def test_check_mode_only_announces_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    said, files = before_migration(database, monkeypatch, Answers("0001", 3), check_mode=True)
    assert "before-6.tar" in said
    assert files == []


DAY = "2026-01-01T00:00:00"


def backup(folder: Path, name: str, revision: str, database: str = "todo", readers: tuple[str, ...] = ()) -> Path:
    path = folder / name
    with dump_file.new_file(path, getpass.getuser()) as file:
        dump_file.begin_dump(file)
        file.write(b"PGDMP")
        holds = dataclasses.replace(CONTENTS, revision=revision, readers=readers)
        dump_file.finish(file, Manifest(name.split("-")[1].removesuffix(".tar"), database, holds, (), "", dump_file.digest_of_dump(file)), 1)
    return path


def test_the_newest_backup_before_a_later_revision_that_the_code_knows_is_found(database: Database, tmp_path: Path) -> None:
    of_first = backup(tmp_path, "todo-20260101T000000Z-before-2.tar", "0001")
    backup(tmp_path, "todo-20260101T120000Z-before-5.tar", "0002")
    of_second = backup(tmp_path, "todo-20260102T000000Z-before-5.tar", "0002")
    for name, held_in in (
        ("todo-20260103T000000Z-before-5.tar", "other"),
        ("todo-20260103T000000Z.tar", "todo"),
        ("todo-20260103T000000Z-before-restore.tar", "todo"),
        ("todo-20260103T000000Z-before-4.tar", "todo"),
    ):
        backup(tmp_path, name, "0002", held_in)
    assert database.backup_before(4, DAY, ["0002", "0001"]) == of_second
    assert database.backup_before(1, DAY, ["0001"]) == of_first
    of_third = backup(tmp_path, "todo-20260104T000000Z-before-6.tar", "0003", readers=("0002", "0003"))
    assert database.backup_before(4, DAY, ["0002", "0001"]) == of_third
    assert database.backup_before(1, DAY, ["0001"]) == of_first
    assert database.backup_before(4, "2026-01-04T00:00:00", ["0002", "0001"]) == of_third
    for revision, since in ((6, DAY), (4, "2026-01-04T00:00:01")):
        with pytest.raises(UserError, match=rf"no backup.*revision {revision}.*restore=FILE") as raised:
            database.backup_before(revision, since, ["0002", "0001"])
        assert "todo-20260102T000000Z-before-5.tar" in raised.value.details
