"""What tests/run.py holds the tests' own deployments to."""

from __future__ import annotations

from pathlib import Path

import pytest
import run

STANDS = ["container todo", "network bridge", "volume theirs", "image todochat/kicbase:v1 0123"]


class Machine:
    """A machine whose inventory says what a test wants."""

    def __init__(self, folder: Path) -> None:
        self.lines = folder / "lines"
        self.script = folder / "inventory.sh"
        self.script.write_text(f"#!/bin/sh\n[ $1 = docker ] && cat {self.lines}\n")
        self.script.chmod(0o755)
        self.has(*STANDS)

    def has(self, *lines: str) -> None:
        self.lines.write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setattr(run, "INVENTORY", made.script)
    return made


def test_what_a_scenario_leaves_fails_the_run_and_is_named(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, run.leaving_docker_as_found():
        machine.has(*STANDS, "container todochat-network", "network left")
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert "left: container todochat-network" in said
    assert "left: network left" in said
    assert "theirs" not in said


def test_what_a_scenario_takes_fails_the_run(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), run.leaving_docker_as_found():
        machine.has(*STANDS[:2])
    assert "gone: volume theirs" in capsys.readouterr().err


def test_images_and_the_shared_environment_may_stay(machine: Machine) -> None:
    with run.leaving_docker_as_found():
        machine.has(*STANDS, "image todochat/fresh-bookworm:1 4567", "volume todochat-test-environment-bookworm")


@pytest.mark.usefixtures("machine")
def test_a_failure_is_told_as_it_is() -> None:
    with pytest.raises(ValueError, match="the scenario's own"), run.leaving_docker_as_found():
        raise ValueError("the scenario's own")


def test_real_machines_that_have_to_be_proven_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    reasons = {"vm_bookworm": "", "vm_trixie": "it has no record"}
    monkeypatch.setattr(run.scenarios, "why_stale", lambda name, _: reasons[name])
    for nothing in ("service_tests", "check", "prepare"):
        monkeypatch.setattr(run, nothing, list)
    monkeypatch.setattr(run, "run_jobs", lambda _: None)
    run.prove_all({})
    assert "Not run here: vm_trixie (it has no record).\n" in capsys.readouterr().out
