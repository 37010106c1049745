"""Which scenarios a change makes stale, and which passes are recorded."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import scenarios  # noqa: E402


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Records and failures of this test alone."""
    monkeypatch.setattr(scenarios, "RECORDS", tmp_path / "records.json")
    monkeypatch.setattr(scenarios, "FAILED", tmp_path / "failed.json")
    return tmp_path / "records.json"


def inputs(scenario: str) -> set[str]:
    return {str(path.relative_to(ROOT)) for path in scenarios.inputs(scenario)}


def test_every_role_has_a_scenario() -> None:
    assert {path.name for path in ROOT.glob("roles/*")} <= set(scenarios.names())


def test_a_scenario_depends_on_what_its_roles_use_and_on_nothing_else() -> None:
    network, minikube, images = inputs("network"), inputs("minikube"), inputs("app_images")
    assert {"roles/preflight/tasks/main.yml", "plugins/module_utils/preflight.py"} <= network  # it always runs
    assert {"roles/network/tasks/main.yml", "roles/container_engine/tasks/main.yml", "plugins/modules/container_engine_info.py"} <= network
    assert {"artifacts.lock.yml", "molecule/shared/create.yml", "molecule/network/tests/test_network.py"} <= network
    assert "plugins/modules/minikube.py" not in network
    assert {"plugins/modules/minikube.py", "plugins/module_utils/minikube.py", "roles/network/tasks/main.yml"} <= minikube
    assert "plugins/modules/app_images.py" not in minikube
    assert {"plugins/module_utils/images.py", "apps/backend/Dockerfile", "apps/frontend/package-lock.json"} <= images
    assert "apps/backend/Dockerfile" not in minikube


def test_the_roles_that_are_named_by_tag_in_its_arguments_count() -> None:
    assert {"roles/artifact/tasks/main.yml", "plugins/module_utils/bundle.py"} <= inputs("bundle")


def test_a_scenario_of_no_role_goes_the_whole_way() -> None:
    whole = inputs("tags")
    for role in scenarios.roles():
        assert {path for path in inputs(role) if not path.startswith(f"molecule/{role}/")} <= whole


@pytest.mark.parametrize("file", sorted(ROOT.glob("molecule/*/molecule.yml")), ids=lambda file: file.parent.name)
def test_molecule_passes_over_no_playbook_of_a_sequence(file: Path) -> None:
    """It would run none of them, and say so in a warning only, where the configuration does not name one or there is no such file."""
    scenario = yaml.safe_load(file.read_text(encoding="utf-8"))
    steps = [step.split() for step in scenario.get("scenario", {}).get("test_sequence", [])]
    given = scenario.get("provisioner", {}).get("playbooks", {})
    assert [name for _, *names in steps for name in names if not (file.parent / name).is_file()] == []
    if any(action == "side_effect" for action, *_ in steps):
        assert (file.parent / given.get("side_effect", "side_effect.yml")).is_file()


def test_a_scenario_of_a_playbook_of_its_own_goes_no_further_than_that() -> None:
    compose = inputs("compose")
    assert {"compose.yaml", "playbooks/compose.yml", "molecule/site/visitor.py", "molecule/site/tasks/browser.yml", "tests/e2e/test_story.py"} <= compose
    assert {"apps/backend/Dockerfile", "plugins/module_utils/images.py", "roles/image_registry/tasks/main.yml"} <= compose
    assert [path for path in compose if path.startswith(("roles/minikube/", "roles/database/", "roles/app_release/"))] == []


def test_a_pass_is_recorded(records: Path) -> None:
    assert "network" in scenarios.unproven()
    assert scenarios.prove("network", lambda: True)
    assert "network" not in scenarios.unproven()
    assert records.exists()


def test_a_record_is_of_one_state_of_the_inputs(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenarios.prove("network", lambda: True)
    monkeypatch.setattr(scenarios, "inputs_hash", lambda scenario: f"another {scenario}")
    assert "network" in scenarios.unproven()
    assert records.exists()


def test_a_failure_writes_no_record_and_a_retried_pass_neither(records: Path) -> None:
    assert not scenarios.prove("network", lambda: False)
    assert not records.exists()
    assert scenarios.prove("network", lambda: True)
    assert "network" in scenarios.unproven()


def test_what_changed_while_it_ran_is_not_recorded(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states = iter(["before", "after"])
    monkeypatch.setattr(scenarios, "inputs_hash", lambda _: next(states))
    assert scenarios.prove("network", lambda: True)
    assert not records.exists()


def test_imported_tasks_count_and_what_only_people_read_does_not() -> None:
    assert {"playbooks/tasks/observed.yml", "plugins/modules/deployment_info.py"} <= inputs("vault")
    assert "molecule/site/tasks/visitor.yml" in inputs("upgrade")
    assert [path for name in scenarios.names() for path in inputs(name) if path.endswith("README.md")] == []
