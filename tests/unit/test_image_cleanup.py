"""When images are taken away, which stay, and what a failure of it is to a run that has done its work."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic

from ansible_collections.todochat.platform.plugins.module_utils.images.content import ImageError
from ansible_collections.todochat.platform.plugins.module_utils.images.pushed import Pushed
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
def collected(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, dict[str, str]]]:
    """What would have been taken out of the registry and of Docker."""
    going: list[dict[str, dict[str, str]]] = []
    monkeypatch.setattr(image_cleanup, "collect", lambda _pushed, _registry, tags: going.append(tags))
    return going


def test_without_a_cluster_the_one_to_deploy_stays_alone(pushed: Pushed, run: Run, collected: list[Any]) -> None:  # noqa: ARG001 - what is read
    assert run(check_mode=True)["changed"]
    assert collected == []
    assert run()["changed"]
    assert collected == [{NAME: {"tag1": "sha256:1", "tag2": "sha256:2"}}]


@pytest.mark.parametrize("node", ["echo 0123456789ab", "exit 1"], ids=["that is stopped", "that Docker says nothing of"])
def test_of_a_cluster_that_cannot_be_asked_all_stays(pushed: Pushed, run: Run, collected: list[Any], node: str) -> None:  # noqa: ARG001 - as above
    result = run(node)
    assert (result["changed"], result.get("warnings"), collected) == (False, None, [])


def test_what_a_failure_left_the_next_run_takes_away(pushed: Pushed, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ImageError("The storage of the registry cannot be swept.", "Free space.")

    monkeypatch.setattr(image_cleanup, "collect", fails)
    failed = run()
    assert not failed["changed"]
    assert "the next run tries again to take them away. The storage of the registry cannot be swept" in str(failed["warnings"])
    monkeypatch.setattr(image_cleanup, "collect", lambda record, _, going: record.forget(NAME, going[NAME]))
    assert run()["changed"]
    assert pushed.tags(NAME) == {"tag3": "sha256:3"}
    assert not run()["changed"]


def test_where_there_is_nothing_to_take_away_nobody_is_asked(pushed: Pushed, run: Run, tmp_path: Path) -> None:
    pushed.forget(NAME, ["tag1", "tag2"])
    assert not run(f"touch {tmp_path}/asked")["changed"]
    assert not (tmp_path / "asked").exists()
