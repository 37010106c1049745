"""When images are taken away, which stay, and what a failure of it is to a run that has done its work."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic
from loopback import Reply, Request, Server

from ansible_collections.todochat.platform.plugins.module_utils.images import collect
from ansible_collections.todochat.platform.plugins.module_utils.images.content import ImageError
from ansible_collections.todochat.platform.plugins.module_utils.images.pushed import Pushed
from ansible_collections.todochat.platform.plugins.module_utils.images.writer import Writer
from ansible_collections.todochat.platform.plugins.modules import image_cleanup

NAME = "127.0.0.1:5000/todo/backend"
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def pushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pushed:
    """Three images of the backend, the third of which is the one to deploy."""
    record = Pushed(tmp_path / "images.json")
    for number in "123":
        record.keep(NAME, f"tag{number}", f"sha256:{number}")
    record.make_current(NAME, "sha256:3")
    monkeypatch.setattr(image_cleanup, "Pushed", lambda: record)
    return record


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The module, with a Docker that says of a node what it is told."""

    def finished(node: str = "", check_mode: bool = False) -> dict[str, Any]:
        (tmp_path / "docker").write_text(f"#!/bin/sh\n{node}\n")
        (tmp_path / "docker").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        texts = dict.fromkeys(("helm", "kubectl", "kubeconfig", "namespace", "profile", "repository", "registry_container"), "todo")
        given = {**texts, "registry": "127.0.0.1:5000", "releases": ["backend", "frontend"], "_ansible_check_mode": check_mode}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        with pytest.raises(SystemExit) as ended:
            image_cleanup.main()
        assert ended.value.code == 0
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return finished


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, set[str]]]:
    """What would have been kept, of each image, beside the one to deploy."""
    kept: list[dict[str, set[str]]] = []
    monkeypatch.setattr(image_cleanup, "collect", lambda _pushed, _registry, digests: kept.append(digests))
    return kept


def test_without_a_cluster_the_one_to_deploy_stays_alone(pushed: Pushed, run: Run, collected: list[Any]) -> None:  # noqa: ARG001 - what is read
    assert run(check_mode=True)["changed"]
    assert collected == []
    assert run()["changed"]
    assert collected == [{NAME: set(), "127.0.0.1:5000/todo/frontend": set()}]


@pytest.mark.parametrize("node", ["echo 0123456789ab", "exit 1"], ids=["that is stopped", "that Docker says nothing of"])
def test_of_a_cluster_that_cannot_be_asked_all_stays(pushed: Pushed, run: Run, collected: list[Any], node: str) -> None:  # noqa: ARG001 - as above
    result = run(node)
    assert (result["changed"], result.get("warnings"), collected) == (False, None, [])


def test_what_a_failure_left_the_next_run_takes_away(pushed: Pushed, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ImageError("The storage of the registry cannot be swept.", "Free space.")

    warned: list[str] = []
    # Where Ansible's controller is imported too, a module's warnings are shown at once.
    monkeypatch.setattr(image_cleanup.AnsibleModule, "warn", lambda _, warning: warned.append(warning))
    monkeypatch.setattr(image_cleanup, "collect", fails)
    assert not run()["changed"]
    assert "the next run tries again to take them away. The storage of the registry cannot be swept" in warned[0]
    monkeypatch.setattr(image_cleanup, "collect", lambda record, *_: record.forget(NAME, ["tag1", "tag2"]))
    assert run()["changed"]
    assert pushed.tags(NAME) == {"tag3": "sha256:3"}
    assert not run()["changed"]


def test_where_there_is_nothing_to_take_away_nobody_is_asked(pushed: Pushed, run: Run, tmp_path: Path) -> None:
    pushed.forget(NAME, ["tag1", "tag2"])
    assert not run(f"touch {tmp_path}/asked")["changed"]
    assert not (tmp_path / "asked").exists()


class Storage:
    """The registry's storage on disk, and what its writing container answers of it."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self.manifests: dict[str, list[str]] = {}
        server.answer = self.answer

    def put(self, digest: str, *parts: str) -> None:
        """A manifest, which is an index where it has parts."""
        self.manifests[digest] = list(parts)
        self.link(digest).parent.mkdir(parents=True)
        self.link(digest).touch()

    def link(self, digest: str) -> Path:
        return self.folder / "docker/registry/v2/repositories/todo/backend/_manifests/revisions" / digest.replace(":", "/") / "link"

    def answer(self, request: Request) -> Reply:
        digest = request.path.rpartition("/")[2]
        assert request.headers["Authorization"] == "Basic login"
        if digest not in self.manifests:
            return Reply(404)
        if request.method == "DELETE":
            del self.manifests[digest]
            self.link(digest).unlink()
            return Reply(202)
        parts = {"manifests": [{"digest": part} for part in self.manifests[digest]]} if self.manifests[digest] else {"layers": []}
        return Reply(200, json.dumps(parts).encode())


def test_all_goes_that_is_not_kept_with_its_parts_and_with_what_stands_in_no_record(
    pushed: Pushed, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage(tmp_path / "volume", server)
    for digest in ("sha256:1", "sha256:2", "sha256:3"):
        storage.put(digest, f"{digest}a", f"{digest}b")  # as containerd's storage has them: the image, and how it was built
        storage.put(f"{digest}a")
        storage.put(f"{digest}b")
    storage.put("sha256:broken-off")

    @contextlib.contextmanager
    def writer(_: str) -> Any:
        yield Writer(server.endpoint, "login", tmp_path)

    called = []

    def docker(*command: str, **_: Any) -> subprocess.CompletedProcess[str]:
        called.append(" ".join(command))
        return subprocess.CompletedProcess(command, 0, str(storage.folder) if command[0] == "volume" else "", "")

    monkeypatch.setattr(collect, "writer", writer)
    monkeypatch.setattr(collect, "about", lambda _: ("registry:2", "volume", "todo"))
    monkeypatch.setattr(collect, "docker", docker)
    collect.collect(pushed, "registry", {NAME: {"sha256:2", "sha256:gone"}})
    assert sorted(storage.manifests) == ["sha256:2", "sha256:2a", "sha256:2b", "sha256:3", "sha256:3a", "sha256:3b"]
    assert pushed.tags(NAME) == {"tag2": "sha256:2", "tag3": "sha256:3"}
    assert [command for command in called if command.startswith("image")] == [f"image rm {NAME}:tag1", f"image rm {NAME}@sha256:1"]
    assert any("garbage-collect" in command for command in called)
