"""Which scenarios have to run, and which passes are evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import run
import yaml

import dependencies
import scenarios

ROOT = Path(__file__).resolve().parents[2]
LATER, EARLIER = "2026-11-28T04:00:00+00:00", "2026-11-27T04:00:00+00:00"


class Scenarios:
    """Records of a test alone, and inputs that are what it says."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log = folder / "log"
        self.log.write_text("all of it passed\n")
        self.inputs = "the inputs"
        monkeypatch.setattr(scenarios, "RECORDS", folder / "records.json")
        monkeypatch.setattr(dependencies, "inputs_hash", lambda _: self.inputs)
        # asked of Docker, which is not needed here
        monkeypatch.setattr(scenarios, "said", lambda *command: " ".join(command[:2]))

    def passes(self, name: str = "network", inputs: str = "the inputs") -> str:
        return scenarios.note_pass(name, inputs, 61.4, self.log)

    def fails(self, name: str = "network") -> None:
        scenarios.note_failure(name, self.inputs, self.log)

    def stale(self, name: str = "network") -> str:
        return scenarios.why_stale(name, scenarios.load())

    def record(self, name: str, **fields: Any) -> None:
        records = scenarios.load()
        records["passed"][name] |= fields
        scenarios.save(records)


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scenarios:
    return Scenarios(tmp_path, monkeypatch)


def test_the_committed_records_are_evidence() -> None:
    assert scenarios.problems(scenarios.load()) == []


@pytest.mark.parametrize("field", sorted(scenarios.EVIDENCE))
def test_a_record_without_one_of_its_fields_is_named(known: Scenarios, field: str) -> None:
    known.passes()
    records = scenarios.load()
    assert scenarios.problems(records) == []
    del records["passed"]["network"][field]
    assert scenarios.problems(records) == [f"passed: network: {field} is missing"]


def test_a_record_of_nothing_is_named(known: Scenarios) -> None:
    known.passes()
    records = scenarios.load()
    records["failed"]["no-scenario"] = dict.fromkeys(scenarios.FAILURE, "x")
    assert scenarios.problems(records) == ["failed: no-scenario: there is no such scenario"]


def test_a_pass_is_recorded_with_what_it_was_seen_on(known: Scenarios) -> None:
    assert known.stale() == "it has no record"
    assert known.passes() == ""
    assert known.stale() == ""
    record = scenarios.load()["passed"]["network"]
    assert record["seconds"] == 61
    assert record["log"] == scenarios.digest(known.log)
    assert record["debian"].startswith("bookworm ")
    assert set(record["states"]) == {"docker"}


def test_a_record_is_of_one_state_of_the_inputs(known: Scenarios) -> None:
    known.passes()
    known.inputs = "others"
    assert known.stale() == "its inputs have changed"


def test_a_record_by_an_older_hash_is_none(known: Scenarios, monkeypatch: pytest.MonkeyPatch) -> None:
    known.passes()
    monkeypatch.setattr(dependencies, "VERSION", dependencies.VERSION + 1)
    assert known.stale() == "its record is of an older version"


def test_what_was_edited_while_it_ran_is_not_recorded(known: Scenarios) -> None:
    assert "edited meanwhile" in known.passes(inputs="those of the start")
    assert known.stale()


def test_a_pass_at_the_second_try_is_no_proof_and_other_inputs_are(known: Scenarios) -> None:
    known.fails()
    assert "no proof" in known.passes()
    assert known.stale()
    known.inputs = "mended"
    assert known.passes(inputs="mended") == ""
    assert scenarios.load()["failed"] == {}


def test_a_failure_leaves_the_record_of_other_inputs(known: Scenarios) -> None:
    known.passes()
    known.inputs = "others"
    known.fails()
    known.inputs = "the inputs"
    assert known.stale() == ""


def test_what_was_proven_longest_ago_is_proven_again(known: Scenarios) -> None:
    for name, date, seconds in (("network", LATER, 60), ("database", EARLIER, 500), ("minikube", LATER, 500)):
        known.passes(name)
        known.record(name, date=date, seconds=seconds)
    names = ["minikube", "network", "database"]
    assert scenarios.longest_ago(names, scenarios.load(), 600) == ["database", "network"]
    assert scenarios.longest_ago(names, scenarios.load(), 1) == ["database"], "one in any case"
    assert scenarios.longest_ago([], scenarios.load(), 600) == []


def test_every_role_has_a_scenario() -> None:
    assert {path.name for path in ROOT.glob("roles/*")} <= set(scenarios.everything())


@pytest.mark.parametrize("file", sorted(ROOT.glob("molecule/*/molecule.yml")), ids=lambda file: file.parent.name)
def test_molecule_passes_over_no_playbook_of_a_sequence(file: Path) -> None:
    """It would run none of them, and say so in a warning only, where the configuration does not name one or there is no such file."""
    scenario = yaml.safe_load(file.read_text(encoding="utf-8"))
    steps = [step.split() for step in scenario.get("scenario", {}).get("test_sequence", [])]
    given = scenario.get("provisioner", {}).get("playbooks", {})
    assert [name for _, *names in steps for name in names if not (file.parent / name).is_file()] == []
    if any(action == "side_effect" for action, *_ in steps):
        assert (file.parent / given.get("side_effect", "side_effect.yml")).is_file()


class BegunError(Exception):
    """The checks would begin now."""


@pytest.fixture
def begins(monkeypatch: pytest.MonkeyPatch) -> None:
    def check() -> None:
        raise BegunError

    monkeypatch.setattr(run, "check", check)
    monkeypatch.setattr(run, "seconds_to_fill_the_store", lambda: 0)
    for variable in ("LIMIT", "AGAIN", "JOBS"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.usefixtures("begins")
def test_a_run_says_first_what_runs_and_why_and_how_long(known: Scenarios, capsys: pytest.CaptureFixture[str]) -> None:
    for name in scenarios.everything():
        known.passes(name)
        known.record(name, seconds=120)
    known.record("network", inputs="others")
    with pytest.raises(BegunError):
        run.prove_what_changed()
    said = capsys.readouterr().out
    assert "2 min  network: its inputs have changed" in said
    assert "2 min  site: it runs each time" in said
    assert "database:" not in said


@pytest.mark.usefixtures("begins")
def test_more_than_the_limit_is_refused_with_the_list(known: Scenarios, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    known.fails()
    monkeypatch.setenv("LIMIT", "80")
    with pytest.raises(SystemExit) as ended:
        run.prove_what_changed()
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert "network: it has no record" in said.out
    assert "LIMIT=80" in said.err
    assert "make test ROLE=" in said.err
    monkeypatch.setenv("LIMIT", "8000")
    with pytest.raises(BegunError):
        run.prove_what_changed()


@pytest.mark.usefixtures("begins", "known")
@pytest.mark.parametrize(("variable", "value"), [("LIMIT", "an hour"), ("AGAIN", "-1"), ("JOBS", "0"), ("JOBS", "two")])
def test_a_variable_that_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit) as ended:
        run.prove_what_changed()
    assert ended.value.code == 2
    assert f"{variable}={value}" in capsys.readouterr().err


def test_two_run_side_by_side_on_two_cores_with_room_for_two_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOBS", raising=False)
    monkeypatch.setattr(run.os, "cpu_count", lambda: 2)
    for gibibytes, expected in ((24, 2), (12, 1), (4, 1)):
        pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": gibibytes * 2**18}
        monkeypatch.setattr(run.os, "sysconf", pages.__getitem__)
        assert run.workers() == expected


def test_the_records_are_read_as_they_were_written(known: Scenarios) -> None:
    known.passes()
    assert json.loads(scenarios.RECORDS.read_text())["passed"].keys() == {"network"}


# What ansible-test says


def test_ansible_test_runs_again_for_what_it_looks_at_and_for_nothing_else() -> None:
    found = set(dependencies.inputs(scenarios.SANITY))
    assert {"plugins/modules/minikube.py", "roles/minikube/tasks/main.yml", "meta/runtime.yml", "tests/config.yml", "tests/sanity.py"} <= found
    assert [name for name in found if name.startswith(("apps/", "docs/", "playbooks/", "molecule/"))] == []


def test_it_is_recorded_as_a_scenario_is_and_needs_no_docker(known: Scenarios, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenarios, "said", lambda *_: pytest.fail("Docker was asked"))
    assert scenarios.SANITY in scenarios.recorded()
    assert known.stale(scenarios.SANITY) == "it has no record"
    assert known.passes(scenarios.SANITY) == ""
    assert known.stale(scenarios.SANITY) == ""
    assert scenarios.problems(scenarios.load()) == []
    known.inputs = "others"
    assert known.stale(scenarios.SANITY) == "its inputs have changed"


def test_it_is_a_job_of_its_own(known: Scenarios, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "OUTPUT", tmp_path)
    (job,) = run.scenario_jobs([scenarios.SANITY])
    assert (list(job.command), job.needs, job.alone) == (["python", "tests/sanity.py"], "", False)
    job.before()
    job.log.write_text("one of its tests failed\n")
    job.after(False, 1)
    assert scenarios.failed_before(scenarios.SANITY, known.inputs, scenarios.load())


def test_it_ignores_nothing() -> None:
    assert [path.read_text(encoding="utf-8") for path in (ROOT / "tests/sanity").iterdir()] == [""]
