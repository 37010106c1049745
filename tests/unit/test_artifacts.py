"""The lock file, the keys of what it names, and the store."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import script
import yaml
from role_variables import arguments

from ansible_collections.todochat.platform.plugins.module_utils.base.environment import of_a_program
from ansible_collections.todochat.platform.plugins.module_utils.store.build import go_environment
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import UNRECORDED, Artifact, ArtifactError, Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store
from ansible_collections.todochat.platform.plugins.modules.artifact import asked_for

CHECKOUT = Path(__file__).resolve().parents[2]
SUM = "ab" * 32
Entries = dict[str, dict[str, Any]]


class World:
    """A lock file with the recipes beside it: a tool built by Go, an image that holds it, and one that does not."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "artifacts.lock.yml"
        self.recipes = directory / "roles/bundle/files"
        for name in ("go/tools/go.sum", "go/toolchain.txt", "images/node/overlay/usr/bin/start", "images/node/customize"):
            (self.recipes / name).parent.mkdir(parents=True, exist_ok=True)
            (self.recipes / name).write_text(f"{name}\n")
        self.debian: Any = datetime.date(2026, 11, 29)
        self.entries: Entries = {
            "tool": {
                "version": "v1",
                "url": "https://upstream.example/{version}/tool",
                "sha256": {"amd64": SUM, "arm64": SUM},
                "build": {"go": {"module": "tools", "package": "example/tool", "set": {"example.version": "v1"}}},
                "seconds": 1,
            },
            "node": {
                "version": "v1",
                "upstream_image": "upstream.example/node:v1",
                "sha256": UNRECORDED,
                "build": {
                    "artifacts": {"tool": "/usr/local/bin/tool"},
                    "image": {"suite": "trixie", "packages": ["systemd"], "overlay": "node/overlay", "customize": "node/customize"},
                },
                "seconds": 1,
            },
            "other": {
                "version": "v1",
                "image": "upstream.example/other:v1",
                "sha256": SUM,
                "build": {"image": {"suite": "trixie", "packages": ["dash"]}},
                "seconds": 1,
            },
        }

    def lock(self) -> Lock:
        self.path.write_text(yaml.safe_dump({"debian": self.debian, "artifacts": self.entries}, sort_keys=False))
        return Lock(self.path)

    def keys(self) -> dict[str, str]:
        return {name: artifact.key for name, artifact in self.lock().artifacts.items()}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A small lock file."""
    return World(tmp_path)


def broken(entries: Entries, name: str, **changes: Any) -> None:
    entries[name].update(changes)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda e: broken(e, "tool", sha256={"amd64": "AB" * 32}), ("tool", "AB" * 32, "lower-case hexadecimal")),
        (lambda e: broken(e, "other", sha256=SUM[:-1]), ("other", SUM[:-1], "not a SHA-256")),
        (lambda e: broken(e, "tool", sha256={"amd64": 12}), ("tool", "12", "not a SHA-256")),
        (lambda e: broken(e, "other", sha256=None), ("other", UNRECORDED)),
        (lambda e: e["tool"].pop("sha256"), ("tool", UNRECORDED)),
        (lambda e: e["node"].pop("version"), ("node", "lacks version")),
        (lambda e: e["node"].pop("build"), ("node", "lacks build")),
        (lambda e: e["other"].pop("seconds"), ("other", "lacks seconds")),
        (lambda e: broken(e, "node", build={"artifacts": {"toool": "/tool"}, "image": {}}), ("node", "toool", "tool, node, other")),
    ],
)
def test_a_wrong_entry_is_named_with_its_file_and_value(world: World, spoil: Callable[[Entries], Any], words: tuple[str, ...]) -> None:
    spoil(world.entries)
    with pytest.raises(ArtifactError) as raised:
        world.lock()
    for word in (str(world.path), *words):
        assert word in str(raised.value)


@pytest.mark.parametrize("content", [None, "", "artifacts:\n", "artifacts: {tool: v1}\n", "artifacts: [tool]\n", "a: b: c\n"])
def test_a_file_that_is_no_lock_file_is_named(world: World, content: str | None) -> None:
    if content is not None:
        world.path.write_text(content)
    with pytest.raises(ArtifactError, match=str(world.path)):
        Lock(world.path)


def test_an_unknown_artifact_is_named_with_the_ones_there_are(world: World) -> None:
    with pytest.raises(ArtifactError, match=r"artifacts.lock.yml has no artifact 'kubctl'. It has: tool, node, other"):
        world.lock()["kubctl"]


TOOL_CHANGES: dict[str, Callable[[World], Any]] = {
    "go.sum": lambda w: (w.recipes / "go/tools/go.sum").write_text("other sums"),
    "a new file of the module": lambda w: (w.recipes / "go/tools/tools.go").write_text(""),
    "the toolchain": lambda w: (w.recipes / "go/toolchain.txt").write_text("other"),
    "the version": lambda w: broken(w.entries, "tool", version="v2"),
    "a linker variable": lambda w: broken(w.entries["tool"]["build"], "go", set={"example.version": "v2"}),
}


@pytest.mark.parametrize("change", TOOL_CHANGES.values(), ids=TOOL_CHANGES)
def test_a_changed_tool_is_made_anew_with_the_image_that_holds_it(world: World, change: Callable[[World], Any]) -> None:
    before = world.keys()
    change(world)
    after = world.keys()
    assert [name for name in before if after[name] != before[name]] == ["tool", "node"]


IMAGE_CHANGES: dict[str, Callable[[World], Any]] = {
    "an overlay file": lambda w: (w.recipes / "images/node/overlay/usr/bin/start").write_text("other"),
    "an overlay file's name": lambda w: (w.recipes / "images/node/overlay/usr/bin/start").rename(w.recipes / "images/node/overlay/usr/bin/begin"),
    "the script": lambda w: (w.recipes / "images/node/customize").write_text("other"),
    "a package": lambda w: w.entries["node"]["build"]["image"]["packages"].append("curl"),
    "the path of the tool in it": lambda w: broken(w.entries["node"]["build"], "artifacts", tool="/usr/bin/tool"),
}


@pytest.mark.parametrize("change", IMAGE_CHANGES.values(), ids=IMAGE_CHANGES)
def test_a_changed_image_alone_is_made_anew(world: World, change: Callable[[World], Any]) -> None:
    before = world.keys()
    change(world)
    after = world.keys()
    assert [name for name in before if after[name] != before[name]] == ["node"]


def test_another_day_makes_the_images_of_debians_packages_anew_and_nothing_else(world: World) -> None:
    broken(world.entries, "other", build={"image": {"binary": "/other"}})
    before = world.keys()
    world.debian = datetime.date(2026, 11, 30)
    after = world.keys()
    assert [name for name in before if after[name] != before[name]] == ["node"]


@pytest.mark.parametrize("day", [None, "soon", 20261129])
def test_a_lock_that_does_not_say_the_day_of_debians_packages_is_refused(world: World, day: object) -> None:
    world.debian = day
    with pytest.raises(ArtifactError, match=rf"node is made of Debian's packages.*{day}.*like 2026-11-29"):
        world.lock()


def test_what_does_not_decide_the_content_keeps_what_was_made(world: World) -> None:
    before = world.keys()
    broken(world.entries, "tool", seconds=99, url="https://elsewhere.example/tool", sha256=UNRECORDED, source="elsewhere")
    broken(world.entries, "node", seconds=99, sha256=SUM)
    assert world.keys() == before


def test_the_key_is_part_of_an_images_name_except_where_the_cluster_expects_upstreams(world: World) -> None:
    lock = world.lock()
    assert lock["node"].reference == f"todochat/node:v1-{lock['node'].key[:12]}"
    assert lock["other"].reference == "upstream.example/other:v1"


@pytest.mark.parametrize(
    ("names", "optional", "wanted"),
    [
        ([], [], ["tool", "node"]),
        ([], ["other"], ["tool", "node", "other"]),
        (["tool"], ["other"], ["tool", "other"]),
        (["other"], ["other"], ["other"]),
        (None, [], []),
    ],
)
def test_what_is_optional_is_made_only_where_it_is_asked_for(world: World, names: list[str] | None, optional: list[str], wanted: list[str]) -> None:
    broken(world.entries, "other", optional=True)
    assert [artifact.name for artifact in asked_for(world.lock(), names, optional)] == wanted


# The lock file of this repository


def named_in(value: Any) -> Iterator[str]:
    """The artifacts that tasks or defaults name."""
    if isinstance(value, list):
        for item in value:
            yield from named_in(item)
    elif isinstance(value, dict):
        module = arguments(value.get("todochat.platform.artifact"))
        if module:
            lists = [module.get("load", []), *(entry["names"] for entry in module.get("install", []))]
            yield from (name for names in lists if isinstance(names, list) for name in names)
        for image in arguments(value.get("todochat.platform.app_images", {})).get("images", []):
            yield from image["bases"].values() if isinstance(image["bases"], dict) else ()
        for bases in value.get("__app_images_node_bases", {}).values():
            yield from bases.values()
        yield from value.get("kubernetes_tools_names", [])
        for item in value.values():
            yield from named_in(item)


def test_every_artifact_that_a_role_names_is_in_the_lock_file() -> None:
    lock = Lock(CHECKOUT / "artifacts.lock.yml")
    named = {
        name
        for path in CHECKOUT.glob("roles/*/*/*.yml")
        if path.parent.name in ("tasks", "defaults", "vars")
        for name in named_in(yaml.safe_load(path.read_text(encoding="utf-8")))
    }
    assert {"kubectl", "kubelet", "kicbase", "registry", "postgres", "node-runtime", "node24-runtime", "kube-router"} <= named
    assert named <= set(lock.artifacts)


def test_every_recipe_of_the_lock_file_exists() -> None:
    lock = Lock(CHECKOUT / "artifacts.lock.yml")
    for artifact in lock.artifacts.values():
        image = artifact.build.get("image", {})
        recipes = [f"images/{image[part]}" for part in ("customize", "overlay") if part in image]
        if "go" in artifact.build:
            recipes += [f"go/{artifact.build['go']['module']}/{name}" for name in ("go.mod", "go.sum")]
        assert recipes or image or (artifact.optional and artifact.sha256 and not artifact.build), artifact.name
        assert [recipe for recipe in recipes if not (lock.recipes / recipe).exists()] == [], artifact.name


def test_the_clusters_version_is_that_of_its_programs() -> None:
    lock = Lock(CHECKOUT / "artifacts.lock.yml")
    defaults = yaml.safe_load((CHECKOUT / "roles/minikube/defaults/main.yml").read_text(encoding="utf-8"))
    programs = ("kubeadm", "kubelet", "kubectl", "kube-apiserver", "kube-proxy")
    assert {lock[name].version for name in programs} == {defaults["minikube_kubernetes_version"]}


# Recording digests


@pytest.fixture(scope="module")
def lock_script() -> Any:
    """scripts/lock as a module."""
    return script.loaded("scripts/lock")


def test_moving_the_day_of_debians_packages_touches_that_line_alone(lock_script: Any) -> None:
    text = (CHECKOUT / "artifacts.lock.yml").read_text(encoding="utf-8")
    changed = lock_script.moved(text, datetime.date(2031, 2, 3))
    assert yaml.safe_load(changed) == yaml.safe_load(text) | {"debian": datetime.date(2031, 2, 3)}
    assert set(changed.splitlines()) - set(text.splitlines()) == {"debian: 2031-02-03"}


def test_recording_a_digest_touches_that_entry_alone(lock_script: Any) -> None:
    text = (CHECKOUT / "artifacts.lock.yml").read_text(encoding="utf-8")
    unrecorded = [name for name, entry in yaml.safe_load(text)["artifacts"].items() if entry["sha256"] == UNRECORDED]
    for name in (unrecorded[0], unrecorded[-1]):
        changed = lock_script.recorded(text, name, SUM, "registry.example, tag v1, read 2026-11-24")
        wanted = yaml.safe_load(text)
        wanted["artifacts"][name] |= {"sha256": SUM, "source": "registry.example, tag v1, read 2026-11-24"}
        assert yaml.safe_load(changed) == wanted
        assert len(set(changed.splitlines()) - set(text.splitlines())) == 2
        assert changed.count("\n#") == text.count("\n#")


def test_a_recorded_digest_is_never_replaced(lock_script: Any) -> None:
    text = (CHECKOUT / "artifacts.lock.yml").read_text(encoding="utf-8")
    with pytest.raises(AssertionError, match="kicbase"):
        lock_script.recorded(text, "kicbase", SUM, "elsewhere")


# The store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    (tmp_path / "store").mkdir()
    return Store(tmp_path / "store")


@pytest.fixture
def tool(world: World) -> Artifact:
    """A file."""
    return world.lock()["tool"]


def test_an_added_artifact_is_there_with_its_record(store: Store, tool: Artifact) -> None:
    with store.adding(tool, origin="https://upstream.example/v1/tool") as target:
        target.write_bytes(b"content")
        assert not store.has(tool)
    assert store.has(tool)
    assert store.verified(tool).read_bytes() == b"content"
    assert os.access(store.verified(tool), os.X_OK)
    assert (store.record(tool)["origin"], store.record(tool)["size"]) == ("https://upstream.example/v1/tool", 7)


def test_the_record_of_what_was_built_says_when_and_of_which_debian(store: Store, world: World) -> None:
    broken(world.entries["node"]["build"], "image", newer={"suite": "forky", "packages": ["containerd"]})
    for name, origin, suites in (("node", "built", ["trixie", "forky"]), ("other", "https://upstream.example/v2", None), ("tool", "built", None)):
        with store.adding(world.lock()[name], origin) as target:
            target.write_bytes(b"content")
        record = store.record(world.lock()[name])
        assert datetime.datetime.now(tz=datetime.UTC) - datetime.datetime.fromisoformat(record["added"]) < datetime.timedelta(minutes=1)
        assert record.get("debian") == suites


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_broken_off_add_leaves_nothing(store: Store, tool: Artifact, error: type[BaseException]) -> None:
    def add() -> None:
        with store.adding(tool, origin="built") as target:
            target.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        add()
    assert not store.has(tool)
    assert [path.name for path in store.path.iterdir()] == [".lock"]


def test_a_killed_add_is_no_obstacle(store: Store, tool: Artifact) -> None:
    folder = store.folder(tool)
    folder.mkdir(parents=True)
    (folder / tool.filename).write_bytes(b"half")
    assert not store.has(tool)
    with store.adding(tool, origin="built") as target:
        target.write_bytes(b"whole")
    assert store.verified(tool).read_bytes() == b"whole"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_adds_belongs_to_the_stores_owner(store: Store, tool: Artifact) -> None:
    os.chown(store.path, 12345, 23456)
    with store.adding(tool, origin="built") as target:
        target.write_bytes(b"content")
    found = list(store.path.rglob("*"))
    assert len(found) == 5
    assert {(path.stat().st_uid, path.stat().st_gid) for path in found} == {(12345, 23456)}


def test_a_damaged_file_is_refused_with_both_hashes_and_the_way_out(store: Store, tool: Artifact) -> None:
    with store.adding(tool, origin="built") as target:
        target.write_bytes(b"content")
    expected = json.loads((store.folder(tool) / "record.json").read_text())["sha256"]
    store.file(tool).write_bytes(b"c0ntent")
    with pytest.raises(ArtifactError) as raised:
        store.verified(tool)
    actual = hashlib.sha256(b"c0ntent").hexdigest()
    for words in (f"expected SHA-256 {expected}", f"found {actual}", f"Remove {store.folder(tool)}"):
        assert words in str(raised.value)
    store.file(tool).unlink()
    with pytest.raises(ArtifactError, match="found no file"):
        store.verified(tool)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave what an ordinary user cannot remove")
def test_what_a_killed_run_of_root_left_does_not_stop_the_owner(tool: Artifact) -> None:
    def killed_add() -> None:
        with store.adding(tool, origin="built") as target:
            target.write_bytes(b"half")
            os.kill(os.getpid(), signal.SIGKILL)

    def owners_add() -> None:
        os.setgroups([])
        os.setgid(23456)
        os.setuid(12345)
        with store.adding(tool, origin="built") as target:
            target.write_bytes(b"whole")

    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to others
        store = Store(Path(folder))
        os.chown(folder, 12345, 23456)
        assert in_child(killed_add) == -signal.SIGKILL
        assert len(list(store.path.glob(".adding-*"))) == 1
        assert in_child(owners_add) == 0
        assert store.verified(tool).read_bytes() == b"whole"


def test_the_toolchain_is_in_the_cache_whatever_a_pip_conf_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(script.wheel(tmp_path).read_bytes()).hexdigest()
    (tmp_path / "toolchain.txt").write_text(f"here==1 --hash=sha256:{digest}\n--no-index\n--find-links {tmp_path}\n")
    elsewhere = f"user = true\nprefix = {tmp_path}/there\nroot = {tmp_path}/there\ntarget = {tmp_path}/there\n"
    (tmp_path / "pip.conf").write_text(f"[install]\n{elsewhere}")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    for name in ("work", "cache"):
        (tmp_path / name).mkdir()
    go_environment(tmp_path / "toolchain.txt", tmp_path / "cache", tmp_path / "work")
    assert (tmp_path / "cache/go-toolchain-1/here.py").exists()


def test_go_is_told_where_modules_come_from_and_nothing_else_by_its_file_of_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "toolchain.txt").write_text("here==1")
    (tmp_path / "cache/go-toolchain-1").mkdir(parents=True)
    (tmp_path / "go").mkdir()
    others = ("GOOS=plan9", "GOARCH=mips", "GOAMD64=v4", "GOMODCACHE=/nowhere", "GOEXPERIMENT=x", "CC=/nowhere", "CGO_CFLAGS=-x")
    (tmp_path / "go/env").write_text("\n".join(["GOPROXY=http://company.example", "GOPRIVATE=company.example", *others]))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("GOPRIVATE", "other.example")
    for name in ("GOPROXY", "GOENV"):
        monkeypatch.delenv(name, raising=False)
    given = of_a_program(os.geteuid(), go_environment(tmp_path / "toolchain.txt", tmp_path / "cache", tmp_path), outside=True)
    assert (given["GOPROXY"], given["GOPRIVATE"], given["GOENV"], given["GOWORK"]) == ("http://company.example", "other.example", "off", "off")
    assert [name for name in (other.partition("=")[0] for other in others) if name in given] == []


def in_child(work: Callable[[], None]) -> int:
    """Runs in a process of its own; returns its exit status, negative for a signal."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        work()
        os._exit(0)
    finally:
        os._exit(1)


def test_a_missing_artifact_names_the_tag_to_run(store: Store, tool: Artifact) -> None:
    with pytest.raises(ArtifactError, match=r"tool v1 is not in the store .*--tags artifact"):
        store.verified(tool)
