"""Commands of kubectl and Docker that playbooks give: nothing of the caller's has a say in them, and what they say is passed on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.todochat.platform.plugins.modules import client_command

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The module, with a program that is what a shell makes of some lines."""

    def finished(lines: str, *argv: str) -> dict[str, Any]:
        for name in ("kubectl", "docker"):
            (tmp_path / name).write_text(f"#!/bin/sh\n{lines}\n")
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        given = {"argv": list(argv), "kubectl": str(tmp_path / "kubectl"), "kubeconfig": "/state/kubeconfig", "namespace": "todo"}
        with patch_module_args(given), pytest.raises(SystemExit):
            client_command.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return finished


@pytest.mark.parametrize("program", ["kubectl", "docker"])
def test_nothing_of_the_callers_has_a_say(run: Run, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "KUBECONFIG", "KUBERC", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT"):
        monkeypatch.setenv(name, "http://proxy.invalid")
    result = run("env", program, "logs")
    assert "proxy.invalid" not in result["stdout"]
    expected = {"KUBECONFIG=/state/kubeconfig", "KUBERC=off"} if program == "kubectl" else {"DOCKER_HOST=unix:///var/run/docker.sock"}
    assert expected <= set(result["stdout"].splitlines())


def test_what_it_says_is_passed_on(run: Run, tmp_path: Path) -> None:
    result = run("echo said; echo beside >&2", "kubectl", "logs", "--prefix")
    assert (result["changed"], result["rc"], result["stdout"], result["stderr"]) == (True, 0, "said", "beside")
    assert result["cmd"] == [f"{tmp_path}/kubectl", "--namespace", "todo", "logs", "--prefix"]


def test_a_failure_is_told_with_the_last_line(run: Run) -> None:
    result = run("echo '{}'; echo first >&2; echo no such pod >&2; exit 3", "kubectl", "exec", "deployment/backend", "--", "secret")
    assert (result["failed"], result["rc"], result["stdout"]) == (True, 3, "{}")
    assert result["why"] == "`kubectl exec deployment/backend` failed: no such pod."
    assert result["details"] == "first\nno such pod"


def test_another_program_is_refused(run: Run) -> None:
    assert run("", "rm", "--recursive")["why"] == "rm is no program of this module's."
