"""Taking a deployment away: what goes with which level, whose it is, and what stays for which reason."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster
from ansible_collections.todochat.platform.plugins.module_utils.cluster.profile import Minikube, Status
from ansible_collections.todochat.platform.plugins.module_utils.machine import host, timer
from ansible_collections.todochat.platform.plugins.module_utils.machine.apt import Apt, removed
from ansible_collections.todochat.platform.plugins.module_utils.machine.baseline import Before
from ansible_collections.todochat.platform.plugins.module_utils.machine.docker_objects import Docker, Object
from ansible_collections.todochat.platform.plugins.module_utils.machine.files import take
from ansible_collections.todochat.platform.plugins.module_utils.whole import removal_machine
from ansible_collections.todochat.platform.plugins.module_utils.whole.removal import levels
from ansible_collections.todochat.platform.plugins.module_utils.whole.removal_application import of_others
from ansible_collections.todochat.platform.plugins.module_utils.whole.removal_parts import Deployment
from ansible_collections.todochat.platform.plugins.modules.deployment_removal import take_away

LOCK = Path(__file__).resolve().parents[2] / "artifacts.lock.yml"
OURS = {"todochat.deployment": "todo"}
NODE = {"name.minikube.sigs.k8s.io": "todo"}
OBJECTS = (
    Object("container", "todo", NODE),
    Object("container", "todo-registry", OURS),
    Object("container", "todo-database", OURS),
    Object("network", "todo", OURS, ("todo", "todo-registry", "todo-database")),
    Object("volume", "todo", NODE, ("todo",)),
    Object("volume", "todo-registry", OURS, ("todo-registry",)),
    Object("volume", "todo-database", OURS, ("todo-database",)),
    Object("image", "todochat/kicbase:v1", users=("todo",)),
    Object("image", "127.0.0.1:5000/todo/backend:abc"),
)
THEIRS = Object("container", "theirs")
BEFORE = Before(packages=["bash", "libc6"], users=["root", "me"], groups={"sudo": ["me"]})


@dataclass
class FakeDocker(Docker):
    """An engine with these things in it."""

    found: Sequence[Object] = OBJECTS
    answers: bool = True
    sleeps: bool = False
    namespaces: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.objects = {one.key: one for one in self.found}

    def remove(self, kind: str, name: str) -> None:
        del self.objects[kind, name]
        for key, one in self.objects.items():
            self.objects[key] = replace(one, users=tuple(user for user in one.users if (kind, user) != ("container", name)))

    def foreign_namespaces(self) -> list[str]:
        return self.namespaces


@dataclass
class FakeApt(Apt):
    """Docker was installed and brought runc along; somebody else installed htop since, and perhaps something that needs Docker."""

    packages: list[str] = field(default_factory=lambda: ["bash", "libc6", "docker.io", "containerd", "docker-cli", "runc", "gcc", "cpp", "htop"])
    needed: Collection[str] = ()
    along: Collection[str] = ()
    purged: list[str] = field(default_factory=list)

    def installed(self) -> list[str]:
        return self.packages

    def going(self, packages: Collection[str], new: Collection[str]) -> list[str]:
        brought = {"docker.io": ["runc"], "gcc": ["cpp"]}
        wanted = [name for package in packages for name in (package, *brought.get(package, []))]
        return [name for name in wanted if name in new and name not in self.needed]

    def takes_along(self, packages: Sequence[str]) -> list[str]:
        return [name for name in self.along if name not in packages]

    def purge(self, packages: Sequence[str]) -> None:
        self.purged += packages
        self.packages = [name for name in self.packages if name not in packages]


class FakeMinikube(Minikube):
    """A profile in a state; without Docker and without minikube."""

    def __init__(self, folder: Path, state: str, docker: FakeDocker) -> None:
        super().__init__(folder / "minikube", "todo", folder / "share/todochat/todo/.minikube", "me")
        self.state = state
        self.docker = docker
        self.calls: list[str] = []
        self.executable.touch()
        if state != "absent":
            profile = self.home / "profiles/todo"
            profile.mkdir(parents=True)
            (profile / "config.json").touch()
        if state in ("running", "stopped"):
            (profile / "finished").touch()

    def status(self) -> Status:
        return Status(self.state, actual=object())  # type: ignore[arg-type]

    def start(self, wanted: Any, base_image: str) -> None:
        assert wanted is not None
        self.calls.append(f"start {base_image.partition(':')[0]}")
        self.state = "running"

    def stop(self) -> None:
        self.calls.append("stop")
        self.state = "stopped"

    def delete(self) -> None:
        self.calls.append("delete")
        for kind in ("container", "volume"):
            self.docker.remove(kind, "todo")
        take(self.home / "profiles/todo")


class FakeCluster(Cluster):
    """The answers of helm and kubectl."""

    world: ClassVar[dict[str, Any]] = {}

    def run(self, *command: str, stdin: str = "", check: bool = True) -> Any:
        assert stdin == ""
        if command[:3] == ("kubectl", "get", "namespace") and not check:
            return type("Done", (), {"stdout": "", "returncode": 1})  # others run the cluster, and do not show it
        assert check
        assert self.kubeconfig.endswith(self.world.get("kubeconfig", ".minikube/kubeconfig"))  # the caller's copy is empty where the cluster was stopped
        if command[:2] == ("helm", "list"):
            said = json.dumps([{"name": name} for name in self.world["releases"]])
        elif command[:3] == ("kubectl", "get", "namespace"):
            said = json.dumps({"metadata": {"labels": self.world["labels"]}}) if self.world["labels"] is not None else ""
        elif command[:2] == ("kubectl", "get"):
            kinds = {"secrets": ["Secret"]}.get(command[3])
            said = json.dumps({"items": [item for item in self.world["items"] if kinds is None or item["kind"] in kinds]})
        else:
            self.world["calls"].append(" ".join(command))
            said = ""
        return type("Done", (), {"stdout": said, "returncode": 0})


SECRET = {"kind": "Secret", "metadata": {"name": "backend-secrets"}}
THEIR_POD = {"kind": "Pod", "metadata": {"name": "debug"}}


class World:
    """A machine with a deployment on it, in a folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, state: str = "running", objects: Sequence[Object] = OBJECTS) -> None:
        self.folder = folder
        self.docker = FakeDocker(objects)
        self.apt = FakeApt()
        self.minikube = FakeMinikube(folder, state, self.docker)
        self.cluster = {"releases": ["backend", "frontend"], "labels": {"app.kubernetes.io/part-of": "todochat"}, "items": [SECRET], "calls": []}
        monkeypatch.setattr(FakeCluster, "world", self.cluster)
        monkeypatch.setattr(host, "init_system", lambda _: "systemd")
        self.commands: list[str] = []
        self.groups = {"docker": ["me"]}
        monkeypatch.setattr(removal_machine, "must", self.run)
        monkeypatch.setattr(removal_machine, "run", lambda *_: subprocess.CompletedProcess((), 1))
        monkeypatch.setattr(removal_machine, "user_exists", lambda name: name in ("me", "minikube"))
        monkeypatch.setattr(removal_machine, "group_exists", lambda name: name in self.groups)
        monkeypatch.setattr(removal_machine, "group_members", lambda name: self.groups.get(name, []))
        for name in (
            *(
                "config/todochat/todo/vault.yml",
                "config/todochat/vault-password",
                "state/todochat/todo/kubeconfig",
                "state/todochat/todo/run.lock",
                "state/todochat/history.json",
                "opt/todochat/bin/helm",
            ),
            *("store/helm/0123456789abcdef/record.json", "store/.partial-kubectl/a", "store/theirs.txt", "build/go/x"),
            "etc/apt/preferences.d/todochat-docker.pref",
            *("var/lib/docker/volumes/x", "var/lib/todochat/before.json"),
        ):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("x")
        (folder / "usr/local/bin").mkdir(parents=True)
        (folder / "usr/local/bin/helm").symlink_to(folder / "opt/todochat/bin/helm")
        (folder / "usr/local/bin/kubectl").symlink_to("/somebody/elses/kubectl")
        self.deployment = Deployment(
            name="todo",
            minikube=self.minikube,
            of_others=False,
            cluster=FakeCluster("helm", "kubectl", str(folder / "state/todochat/todo/kubeconfig"), "todo"),
            releases=["backend", "frontend"],
            secrets=["backend-secrets", "registry-login"],
            registry_of_others="registry.example",
            authority=folder / "ca.crt",
            registry="todo-registry",
            database="todo-database",
            repositories=["127.0.0.1:5000/todo/backend"],
            lock=LOCK,
            vault=folder / "config/todochat/todo/vault.yml",
            vault_password=folder / "config/todochat/vault-password",
            team_vault=folder / "team.yml",
            store=folder / "store",
            build_cache=folder / "build",
            state=folder / "state/todochat",
            caller="me",
            packages=["docker.io", "containerd", "docker-cli", "gcc"],
            docker=self.docker,
            apt=self.apt,
            before=BEFORE,
            root=folder,
        )

    def run(self, *command: str, **_: Any) -> str:
        self.commands.append(" ".join(command))
        if command[:2] == ("gpasswd", "--delete"):
            self.groups["docker"].remove(command[2])
        if command[0] == "groupdel":
            del self.groups[command[1]]
        return ""

    def down(self, *named: str, check: bool = False) -> tuple[list[str], list[str]]:
        """What goes, and what stays for a reason."""
        chosen = levels(named)
        going, staying = take_away(self.deployment, chosen, check)
        return [part.name for part in going], [f"{part.name}: {part.stays}" for part in staying if chosen & part.levels]

    def has(self, *names: str) -> list[bool]:
        return [(self.folder / name).exists() for name in names]

    def kept(self, kind: str) -> list[str]:
        return [name for found, name in self.docker.objects if found == kind]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_what_levels_imply() -> None:
    assert levels(["application"]) == {"application"}
    assert levels(["data"]) == {"data", "application"}
    assert levels(["installed"]) == {"installed", "cluster", "application"}
    assert "data" not in levels(["application", "cluster", "installed"])


def test_the_application_alone(world: World) -> None:
    going, left = world.down("application")
    assert going == ["release backend", "release frontend", "Secret backend-secrets", "namespace todo"]
    assert left == []
    assert world.cluster["calls"] == [
        "helm uninstall backend",
        "helm uninstall frontend",
        "kubectl delete secret backend-secrets",
        "kubectl delete namespace todo",
    ]
    assert list(world.docker.objects) == [one.key for one in OBJECTS]


def test_check_mode_names_the_same_and_changes_nothing(world: World) -> None:
    expected, _ = world.down("installed", "data", check=True)
    assert list(world.docker.objects) == [one.key for one in OBJECTS]
    assert (world.commands, world.minikube.calls, world.apt.purged) == ([], [], [])
    assert all(world.has("config/todochat/todo/vault.yml", "store/helm", "opt/todochat", "state/todochat/todo/kubeconfig"))
    assert world.down("installed", "data")[0] == expected


def test_who_waits_for_this_run_keeps_its_file_and_the_lock(world: World) -> None:
    folder = world.folder / "state/todochat/todo"
    for process in (os.getpid(), 999999999):
        (folder / f"environment-{process}.json").touch()
    world.down("cluster")
    assert sorted(path.name for path in folder.iterdir()) == [f"environment-{os.getpid()}.json", "run.lock"]
    (folder / f"environment-{os.getpid()}.json").unlink()
    world.down("cluster")
    assert not folder.exists()


@pytest.mark.parametrize("named", [("application",), ("cluster",), ("data",), ("cluster", "data"), ("installed",), ("installed", "data")])
def test_a_second_time_there_is_nothing_left_to_do(world: World, named: tuple[str, ...]) -> None:
    assert world.down(*named)[0]
    world.cluster.update(labels=None, releases=[], items=[])
    assert world.down(*named, check=True)[0] == []
    assert world.down(*named)[0] == []


def test_a_namespace_that_holds_what_others_made_stays(world: World) -> None:
    world.cluster["items"] = [SECRET, THEIR_POD]
    going, left = world.down("application")
    assert "namespace todo" not in going
    assert left == ["namespace todo: it also holds Pod debug"]
    world.cluster.update(items=[SECRET], labels={})
    assert world.down("application")[1] == ["namespace todo: this deployment did not make it"]


def test_on_a_cluster_of_others_the_application_alone_goes(world: World) -> None:
    """Whose namespace its account may not even see."""
    world.deployment = replace(world.deployment, of_others=True)
    world.cluster.update(items=[SECRET, {"kind": "Secret", "metadata": {"name": "registry-login"}}], kubeconfig="kubeconfig")
    (world.folder / "ca.crt").touch()
    going, left = world.down("application")
    assert going == [
        *("release backend", "release frontend", "Secret backend-secrets", "Secret registry-login"),
        *(f"kubeconfig {world.deployment.cluster.kubeconfig}", str(world.folder / "ca.crt")),
    ]
    assert left == ["namespace todo: others run the cluster: whoever may deletes it with kubectl"]
    assert list(world.docker.objects) == [one.key for one in OBJECTS]


def test_what_in_a_namespace_is_nobodys_but_ours() -> None:
    ours = {"meta.helm.sh/release-name": "backend"}
    items: list[dict[str, Any]] = [
        SECRET,
        {"kind": "Deployment", "metadata": {"name": "backend", "annotations": ours}},
        {"kind": "Pod", "metadata": {"name": "backend-1", "ownerReferences": [{"uid": "1"}]}},
        {"kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt"}},
        {"kind": "Secret", "type": "helm.sh/release.v1", "metadata": {"name": "sh.helm.release.v1.backend.v1", "labels": {"name": "backend"}}},
        {"kind": "Secret", "type": "helm.sh/release.v1", "metadata": {"name": "sh.helm.release.v1.theirs.v1", "labels": {"name": "theirs"}}},
        THEIR_POD,
    ]
    assert of_others(items, ["backend", "frontend"], ["backend-secrets"]) == ["Secret sh.helm.release.v1.theirs.v1", "Pod debug"]


def test_a_stopped_cluster_is_started_for_the_application_and_stopped_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, monkeypatch, "stopped")
    assert world.down("application", check=True)[0] == ["the application in the cluster todo, which is started for that and stopped again"]
    assert world.minikube.calls == []
    assert "release backend" in world.down("application")[0]
    assert world.minikube.calls == ["start todochat/kicbase", "stop"]
    world.down("cluster")
    assert world.minikube.calls[2:] == ["delete"]


@pytest.mark.parametrize("state", ["running", "stopped", "unfinished"])
def test_the_cluster_and_what_stands_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    world = World(tmp_path, monkeypatch, state)
    going, left = world.down("cluster")
    assert going == ["cluster todo", f"{tmp_path}/state/todochat/todo/kubeconfig", "container todo-registry", "container todo-database", "network todo"]
    assert left == []
    assert (world.kept("container"), world.kept("network"), world.kept("volume")) == ([], [], ["todo-registry", "todo-database"])
    assert world.has("config/todochat/todo/vault.yml", "state/todochat/todo", "opt/todochat") == [True, False, True]


def test_the_schedule_of_backups_goes_with_what_it_backs_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timer, "must", world.run)
    monkeypatch.setattr(timer, "run", world.run)
    units = [f"etc/systemd/system/todochat-{name}-backup.{kind}" for name in ("todo", "other") for kind in ("service", "timer")]
    for name in units:
        (world.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (world.folder / name).touch()
    world.down("application")
    assert world.has(*units) == [True] * 4
    assert world.down("cluster")[0][0] == "the schedule of backups"
    assert world.has(*units) == [False, False, True, True]
    assert "systemctl disable --quiet --now todochat-todo-backup.timer" in world.commands


def test_a_cluster_that_minikube_cannot_remove_any_more(world: World) -> None:
    world.minikube.executable.unlink()
    world.down("cluster")
    assert world.minikube.calls == []
    assert world.kept("container") == []
    assert not world.minikube.is_ours()


def test_all_its_nodes_go_and_no_other_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [Object(kind, name, {"name.minikube.sigs.k8s.io": name}) for name in ("todo-m02", "todo-m03") for kind in ("container", "volume")]
    world = World(tmp_path, monkeypatch, objects=[*OBJECTS, *nodes])
    (world.minikube.home / "profiles/todo/config.json").write_text('{"Nodes": [{"Name": ""}, {"Name": "m02"}]}')
    (world.minikube.home / "machines/todo-m02").mkdir(parents=True)
    world.minikube.executable.unlink()
    world.down("cluster")
    assert world.kept("container") == ["todo-m03"]
    assert "todo-m02" not in world.kept("volume")
    assert not (world.minikube.home / "machines/todo-m02").exists()


def test_data_goes_with_its_vault_and_the_last_vaults_password(world: World) -> None:
    going, _ = world.down("data")
    assert "volume todo-database (data)" in going
    assert world.kept("container") == ["todo", "todo-registry"]
    assert world.kept("volume") == ["todo", "todo-registry"]
    assert not any(world.has("config/todochat"))


def test_the_password_of_another_vault_stays(world: World) -> None:
    (world.folder / "config/todochat/other").mkdir()
    (world.folder / "config/todochat/other/vault.yml").touch()
    (world.folder / "team.yml").touch()
    _, left = world.down("data")
    assert world.has("config/todochat/vault-password", "config/todochat/todo", "team.yml") == [True, False, True]
    assert left == [f"vault {world.folder}/team.yml: the checkout is yours"]


@pytest.mark.parametrize("kind", ["container", "network", "volume"])
def test_what_has_our_name_and_is_somebody_elses_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    name = "todo" if kind == "network" else "todo-database"
    objects = [replace(one, labels={}, users=()) if one.key == (kind, name) else one for one in OBJECTS]
    world = World(tmp_path, monkeypatch, objects=objects)
    _, left = world.down("cluster", "data")
    assert world.kept(kind).count(name) == 1
    assert left[0].startswith(f"{kind} {name}: nothing says that this deployment made it")


def test_a_node_of_our_name_that_is_somebody_elses_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, monkeypatch, "absent")
    assert world.down("cluster")[1][0].startswith("container todo: nothing says")
    assert "todo" in world.kept("container")


def test_an_older_deployments_volume_has_no_label_but_its_container_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, monkeypatch, objects=[replace(one, labels={}) if one.name == "todo-database" and one.kind == "volume" else one for one in OBJECTS])
    assert "volume todo-database (data)" in world.down("data")[0]


def test_a_network_or_volume_that_others_use_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used = [replace(one, users=(*one.users, "theirs")) if one.kind in ("network", "volume") else one for one in OBJECTS]
    world = World(tmp_path, monkeypatch, objects=[THEIRS, *used])
    _, left = world.down("cluster", "data")
    assert left == ["network todo: the container theirs uses it", "volume todo-database (data): the container theirs uses it"]


def test_all_that_was_installed(world: World) -> None:
    going, left = world.down("installed", "data")
    assert left == []
    assert world.docker.objects == {}
    assert world.apt.purged == ["docker.io", "runc", "containerd", "docker-cli", "gcc", "cpp"]
    assert "packages docker.io, containerd, docker-cli, gcc and 2 that they brought along" in going
    assert world.commands == ["gpasswd --delete me docker", "groupdel docker"]
    rest = sorted(str(path.relative_to(world.folder)) for path in world.folder.rglob("*") if path.is_file() or path.is_symlink())
    assert rest == ["minikube", "store/theirs.txt", "usr/local/bin/kubectl"]


def test_docker_stays_for_the_data_that_was_not_named(world: World) -> None:
    _, left = world.down("installed")
    assert left == ["Docker (docker.io, containerd, docker-cli): it holds volume todo-database"]
    assert world.apt.purged == ["gcc", "cpp"]
    assert world.kept("volume") == ["todo-database"]
    assert all(
        world.has("var/lib/docker/volumes/x", "var/lib/todochat/before.json", "etc/apt/preferences.d/todochat-docker.pref", "config/todochat/todo/vault.yml")
    )
    assert "docker" in world.groups
    # and goes once it is named
    assert "packages docker.io, containerd, docker-cli and 1 that they brought along" in world.down("installed", "data")[0]
    assert not any(world.has("var/lib/todochat", "var/lib/docker"))


@pytest.mark.parametrize("kind", ["container", "network", "volume", "image"])
def test_docker_stays_for_what_others_have_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    world = World(tmp_path, monkeypatch, objects=[*OBJECTS, Object(kind, "theirs")])
    _, left = world.down("installed", "data")
    assert left == [f"Docker (docker.io, containerd, docker-cli): it holds {kind} theirs"]
    assert world.kept(kind) == ["theirs"]


def test_docker_stays_where_another_package_or_user_of_containerd_needs_it(world: World) -> None:
    world.apt.needed = ["docker.io"]
    assert "another package needs docker.io" in world.down("installed", "data", check=True)[1][0]
    world.apt.needed = []
    world.docker.namespaces = ["k8s.io"]
    assert "it holds containerd namespace k8s.io" in world.down("installed", "data")[1][0]


def test_packages_that_would_take_others_along_stay(world: World) -> None:
    world.apt.along = ["dkms"]
    assert "packages gcc and 1 that they brought along: dkms would go with them" in world.down("installed")[1]
    assert world.apt.purged == []


def test_a_docker_that_does_not_answer_stays(world: World) -> None:
    world.docker.answers = False
    assert "it does not answer" in world.down("installed", "data")[1][0]
    assert world.apt.purged == ["gcc", "cpp"]


def test_check_mode_says_that_a_stopped_docker_would_be_asked(world: World) -> None:
    world.docker.answers, world.docker.sleeps, world.docker.objects = False, True, {}
    assert "what Docker, which has to be started for that, holds of todo" in world.down("cluster", check=True)[0]


def test_a_docker_that_was_there_before_stays_without_a_word(world: World) -> None:
    here = [*BEFORE.packages, "docker.io", "containerd", "docker-cli", "runc"]
    world.deployment = replace(world.deployment, before=replace(BEFORE, packages=here, groups={"docker": ["me"]}))
    _, left = world.down("installed", "data")
    assert left == []
    assert world.apt.purged == ["gcc", "cpp"]
    assert world.groups == {"docker": ["me"]}
    assert world.has("var/lib/docker/volumes/x", "var/lib/todochat") == [True, False]


def test_without_a_record_packages_users_and_groups_stay(world: World) -> None:
    world.minikube.user = "minikube"
    world.groups["docker"] = ["minikube"]
    world.deployment = replace(world.deployment, before=None)
    _, left = world.down("installed", "data")
    assert [line.partition(":")[0] for line in left] == ["user minikube", "minikube in the group docker", "packages docker.io, containerd, docker-cli, gcc"]
    assert all("is not recorded" in line for line in left)
    assert (world.apt.purged, world.commands) == ([], [])


def test_the_user_that_was_made_goes_and_nobody_else(world: World) -> None:
    world.minikube.user = "minikube"
    world.groups["docker"] = ["minikube"]
    world.deployment = replace(world.deployment, caller="root")
    assert "user minikube and its home" in world.down("installed", "data")[0]
    assert "userdel --remove minikube" in world.commands


@pytest.mark.parametrize("known", [["root", "me", "minikube"], ["root"]])
def test_a_user_who_was_there_or_who_calls_is_never_removed(world: World, known: list[str]) -> None:
    world.minikube.user = "minikube"
    caller = "root" if "minikube" in known else "minikube"
    world.deployment = replace(world.deployment, caller=caller, before=replace(BEFORE, users=known))
    world.down("installed", "data")
    assert [command for command in world.commands if command.startswith("userdel")] == []


def test_what_another_deployment_uses_as_well_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Object("volume", "other-database", {"todochat.deployment": "other"})
    world = World(tmp_path, monkeypatch, objects=[*OBJECTS, other])
    going, left = world.down("installed", "data")
    assert all(line.endswith(": the deployment other uses it") for line in left)
    names = [line.rpartition(": ")[0] for line in left]
    assert names == [
        *("image todochat/kicbase:v1", f"{tmp_path}/usr/local/bin/helm", f"{tmp_path}/opt/todochat", f"store {tmp_path}/store", f"{tmp_path}/build"),
        *("me in the group docker", "packages docker.io, containerd, docker-cli, gcc"),
    ]
    assert "image 127.0.0.1:5000/todo/backend:abc" in going
    assert world.has("var/lib/todochat/before.json") == [True]


def test_an_image_that_a_container_of_others_uses_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = [THEIRS, *(replace(one, users=("theirs",)) if one.name == "todochat/kicbase:v1" else one for one in OBJECTS)]
    world = World(tmp_path, monkeypatch, objects=objects)
    assert "image todochat/kicbase:v1: the container theirs uses it" in world.down("installed")[1]


def test_a_home_with_another_profile_stays(world: World) -> None:
    (world.minikube.home / "profiles/theirs").mkdir(parents=True)
    (world.minikube.home / "profiles/theirs/config.json").touch()
    assert f"{world.minikube.home}: it also holds the profile theirs" in world.down("installed")[1]
    assert (world.minikube.home / "profiles/theirs/config.json").exists()


def test_where_nothing_is_there_is_nothing_to_remove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, monkeypatch, "absent", objects=[THEIRS])
    for name in ("config", "state", "opt", "store", "build", "etc", "usr", "var"):
        take(tmp_path / name)
    world.deployment = replace(world.deployment, before=None)
    assert world.down("installed", "data") == ([], [])


def test_what_apt_would_remove_is_read() -> None:
    answer = "Reading package lists...\nRemv docker.io [26.1.5] [containerd:amd64 ]\nRemv runc:amd64 [1.1]\nPurg gcc* [12]\nInst other\n"
    assert removed(answer) == ["docker.io", "runc", "gcc*"]


def test_folders_of_links_are_removed_and_not_what_they_point_to(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/file").touch()
    (tmp_path / "a/b/ours").mkdir(parents=True)
    (tmp_path / "a/b/ours/link").symlink_to(tmp_path / "theirs")
    take(tmp_path / "a/b/ours")
    assert not (tmp_path / "a/b/ours").exists()
    assert (tmp_path / "theirs/file").exists()
