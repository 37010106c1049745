"""README's way on a real machine: what is asked of it, and what is recorded. The machine itself is tests/vm.py's to start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import run

import contents
import dependencies
import scenarios
import vm

WELL = "Next         make open   (all is well)\n"
DONE = "ok=50 changed=0 unreachable=0 failed=0\n"


class Scripted(vm.Machine):
    """A machine that says what a test lets it say; by default all is well."""

    def __init__(self) -> None:
        super().__init__("bookworm", Path("/dev/null"))
        self.about = "cgroup2fs\nrunning\n"
        made = "The application works for a real user: 1 s\nok=90 changed=40 failed=0\n"
        self.said = {"up": [made, DONE], "status": [WELL, WELL], "begin": [""], "return": [""]}
        self.did: list[str] = []

    def ask(self, command: str) -> CompletedProcess[str]:
        return CompletedProcess(command, 0, self.about, "")

    def does(self, command: str, asked: int = 0) -> str:
        word = command.split()[-1]
        assert asked == command.startswith("make"), "sudo asks for a password where a run becomes root"
        self.did.append(word)
        return self.said[word].pop(0)

    def reboot(self) -> None:
        """Timed, which is noted."""

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        self.did += [what] if what == "reboot" else []
        yield


def test_the_way_goes_over_a_reboot_and_back() -> None:
    machine = Scripted()
    vm.readmes_way(machine)
    assert machine.did == ["up", "status", "begin", "reboot", "return", "up", "status"]


@pytest.mark.parametrize(
    ("word", "said", "fact"),
    [
        ("up", ["ok=90 changed=40 failed=0", DONE], "checked as its user"),
        ("up", ["The application works for a real user: 1 s", "ok=50 changed=1 unreachable=0 failed=0"], "nothing to change"),
        ("status", ["Next         make up", WELL], "after `make up`"),
        ("status", [WELL, "Next         make start"], "after the reboot"),
    ],
)
def test_what_is_not_as_a_newcomer_expects_ends_it(word: str, said: list[str], fact: str) -> None:
    machine = Scripted()
    machine.said[word] = said
    with pytest.raises(vm.MachineError, match=fact):
        vm.readmes_way(machine)


@pytest.mark.parametrize("about", ["tmpfs\nrunning\n", "cgroup2fs\ndegraded\n", ""])
def test_a_machine_with_older_cgroups_or_a_failed_service_is_none(about: str) -> None:
    machine = Scripted()
    machine.about = about
    with pytest.raises(vm.MachineError, match="cgroup v2"):
        vm.readmes_way(machine)


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Records of a test alone, and a log."""
    monkeypatch.setattr(scenarios, "RECORDS", tmp_path / "records.json")
    monkeypatch.setattr(dependencies, "inputs_hash", lambda name: f"all of {name}")
    monkeypatch.setattr(run, "prepare", lambda *_: None)
    monkeypatch.setattr(vm, "OUTPUT", tmp_path)
    (tmp_path / "vm_trixie.log").write_text("all of it\n")
    return tmp_path


@pytest.mark.usefixtures("records")
def test_a_machine_that_passes_is_recorded_with_its_own_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vm, "prove", lambda *_: {"kernel": "6.12, emulated", "debian": "13.5", "docker": "27"})
    run.prove_machine("trixie")
    found = scenarios.load()
    assert scenarios.problems(found) == []
    assert found["passed"]["vm_trixie"]["kernel"] == "6.12, emulated"
    assert scenarios.why_stale("vm_trixie", found) == ""


@pytest.mark.usefixtures("records")
@pytest.mark.parametrize("edited", ["the site", "vm.py"])
def test_what_the_site_or_the_machine_is_made_of_makes_it_stale(monkeypatch: pytest.MonkeyPatch, edited: str) -> None:
    monkeypatch.setattr(vm, "prove", lambda *_: {"kernel": "6.12", "debian": "13.5", "docker": "27"})
    run.prove_machine("trixie")
    if edited == "the site":
        monkeypatch.setattr(dependencies, "inputs_hash", lambda name: f"other {name}")
    else:
        monkeypatch.setattr(contents, "digest", lambda _: "other")
    assert scenarios.why_stale("vm_trixie", scenarios.load()) == "its inputs have changed"


@pytest.mark.usefixtures("records")
def test_a_machine_that_fails_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vm, "prove", lambda *_: {})
    with pytest.raises(SystemExit):
        run.prove_machine("trixie")
    assert "vm_trixie" in scenarios.load()["failed"]
    monkeypatch.setattr(vm, "prove", lambda *_: {"kernel": "6.12", "debian": "13.5", "docker": "27"})
    with pytest.raises(SystemExit):  # of the same inputs, a second try is no proof
        run.prove_machine("trixie")
    assert scenarios.why_stale("vm_trixie", scenarios.load()) == "it has no record"


def test_a_release_that_there_is_no_machine_of_is_refused() -> None:
    with pytest.raises(SystemExit, match="2"):
        run.prove_machine("buster")
