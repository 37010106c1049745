"""What the start of a compose.yaml is told, when it is a change, and how its failure is told; a Docker of the test's answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.todochat.platform.plugins.modules import compose_project

Run = Callable[..., dict[str, Any]]
# Its containers are numbered anew where it is told to make one of them anew.
DOCKER = """#!/bin/sh
cd {folder}
case "$*" in
inspect*) cat containers ;;
*" ps "*) test ! -e containers || echo frontend; echo 'a warning' >&2 ;;
*" up "*)
    env > told; pwd >> told
    test ! -e fails || {{ printf 'port 3000:\nbind: address already in use\n' >&2; exit 1; }}
    test ! -e anew || echo '[{container}]' | sed "s/NUMBER/$(cat anew)/" > containers ;;
esac
"""
CONTAINER = {
    "Id": "NUMBER",
    "State": {"StartedAt": "2026-01-02T03:04:05Z"},
    "Config": {"Labels": {"com.docker.compose.service": "frontend"}},
    "NetworkSettings": {"Ports": {"3000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "3001"}], "9464/tcp": None}},
}


@pytest.fixture
def up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The module."""
    (tmp_path / "docker").write_text(DOCKER.format(folder=tmp_path, container=json.dumps(CONTAINER)))
    (tmp_path / "docker").chmod(0o755)
    (tmp_path / "anew").write_text("1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def finished(**given: Any) -> dict[str, Any]:
        with patch_module_args({"folder": str(tmp_path), **given}), pytest.raises(SystemExit):
            compose_project.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return finished


def test_a_container_that_was_made_is_a_change_and_one_that_runs_on_is_none(up: Run, tmp_path: Path) -> None:
    result = up()
    assert (result["changed"], result["addresses"]) == (True, {"frontend": "127.0.0.1:3001"})
    (tmp_path / "anew").unlink()
    assert not up()["changed"]
    (tmp_path / "anew").write_text("2")
    assert up()["changed"]


def test_it_is_told_its_variables_and_nothing_of_the_callers(up: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "COMPOSE_FILE", "DOCKER_HOST", "DOCKER_CONFIG", "TODOCHAT_PORT"):
        monkeypatch.setenv(name, "http://proxy.invalid")
    up(variables={"TODOCHAT_PORT": 3001})
    told = (tmp_path / "told").read_text()
    assert "proxy.invalid" not in told
    assert {"TODOCHAT_PORT=3001", "DOCKER_CONFIG=/var/lib/todochat/docker", "DOCKER_HOST=unix:///var/run/docker.sock"} <= set(told.splitlines())


def test_a_failure_is_told_in_its_own_words(up: Run, tmp_path: Path) -> None:
    (tmp_path / "fails").touch()
    result = up()
    assert (result["failed"], result["why"]) == (True, "`docker compose up` failed: bind: address already in use.")
    assert result["details"] == "port 3000:\nbind: address already in use"
