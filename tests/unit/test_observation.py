"""What there is, compared with what is asked: which parts of a deployment have nothing to be done for them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

import pytest

from ansible_collections.todochat.platform.plugins.modules import observation as module
from ansible_collections.todochat.platform.plugins.plugin_utils import observed

ROOT = Path(__file__).resolve().parents[2]
OBSERVER = "ansible_collections.todochat.platform.plugins.module_utils.whole.observation"
OURS = "todochat.platform."


def part(*checks: Mapping[str, Any], stands_on: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"checks": [{"module": "any", "args": {}, **check} for check in checks], "stands_on": stands_on}


SAME = {"changed": False}


@pytest.mark.parametrize(
    ("result", "expected", "done"),
    [
        (SAME, {}, True),
        ({"changed": True}, {}, False),
        ({"skipped": True}, {}, False),
        ({"changed": False, "networks": ["todo", "bridge"]}, {"networks": ["todo"]}, False),
        ({"changed": False, "failed": True}, {}, False),
        ({"changed": False, "steps": [], "more": 1}, {"steps": []}, True),
        ({"changed": False, "steps": ["start"]}, {"steps": []}, False),
        ({"changed": False}, {"steps": []}, False),
        ({"changed": False, "container": {"status": "running", "labels": {"a": "1", "b": "2"}}}, {"container": {"labels": {"a": "1"}}}, True),
        ({"changed": False, "container": {"status": "exited", "labels": {"a": "1"}}}, {"container": {"status": "running"}}, False),
        ({"changed": False, "container": None}, {"container": {"status": "running"}}, False),
    ],
)
def test_a_part_is_as_asked_where_nothing_would_change_and_all_is_as_expected(result: dict[str, Any], expected: dict[str, Any], done: bool) -> None:
    assert observed.as_asked({"one": part({"expected": expected})}, {"one": [result]}) == (["one"] if done else [])


def test_each_of_several_checks_counts_and_one_that_was_not_made_too() -> None:
    parts = {"one": part({}, {})}
    assert observed.as_asked(parts, {"one": [SAME, SAME]}) == ["one"]
    assert observed.as_asked(parts, {"one": [SAME, {"changed": True}]}) == []
    assert observed.as_asked(parts, {"one": [SAME]}) == []
    assert observed.as_asked(parts, {}) == []
    assert observed.as_asked({"one": part()}, {"one": []}) == [], "nothing says that it is"


def test_what_stands_on_something_that_is_going_to_change_is_done_again() -> None:
    parts = {"cluster": part({}), "secrets": part({}, stands_on=("cluster",)), "release": part({}, stands_on=("secrets",)), "registry": part({})}
    found = {name: [SAME] for name in parts}
    assert observed.as_asked(parts, found) == list(parts)
    assert observed.as_asked(parts, {**found, "cluster": [{"changed": True}]}) == ["registry"]
    # of a run that is limited to it by a tag, nobody has asked what it stands on
    assert observed.as_asked({"secrets": parts["secrets"]}, found) == ["secrets"]


@pytest.mark.parametrize(
    ("tags", "skipped", "named"),
    [
        ({"all"}, set(), None),
        ({"app_images"}, set(), {"app_images"}),
        ({"app_images_install", "minikube"}, set(), {"app_images", "minikube"}),
        ({"vault"}, set(), set()),
    ],
)
def test_a_run_that_is_limited_looks_at_its_parts_alone(tags: set[str], skipped: set[str], named: set[str] | None) -> None:
    assert set(observed.chosen(tags, skipped)) == (set(observed.roles()) if named is None else named)


def test_what_is_skipped_is_not_looked_at() -> None:
    assert "minikube" not in observed.chosen({"all"}, {"minikube"})


def observer(parts: dict[str, Any], *collections: Path) -> dict[str, Any]:
    """What the program says, which runs the modules themselves."""
    environment = {**os.environ, "PYTHONPATH": ":".join(map(str, (ROOT / ".ansible/collections", *collections)))}
    done = subprocess.run([sys.executable, "-m", OBSERVER], input=json.dumps(parts), env=environment, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_modules_are_asked_in_check_mode_and_what_they_were_given_is_not_told() -> None:
    members = {"module": f"{OURS}group_members", "args": {"group": "root", "users": ["nobody"]}}
    before = Path("/etc/group").read_bytes()
    found = observer({"members": [members], "nobody's": [{"module": f"{OURS}group_members", "args": {"group": "root", "users": []}}]})
    assert found == {
        "members": [{"changed": True, "would": ["nobody is added to the group root"]}],
        "nobody's": [{"changed": False, "would": []}],
    }
    assert Path("/etc/group").read_bytes() == before


def test_one_that_fails_or_cannot_be_asked_says_so_and_the_others_are_asked() -> None:
    fails = {"module": f"{OURS}group_members", "args": {"group": "root"}}
    none = {"module": f"{OURS}no_such_module", "args": {}}
    good = {"module": f"{OURS}group_members", "args": {"group": "root", "users": []}}
    found = observer({"fails": [fails, good], "none": [none], "good": [good, good]})
    assert [result["failed"] for result in found["fails"]] == [True]
    assert found["good"] == [{"changed": False, "would": []}] * 2
    assert observed.as_asked({name: part({}) for name in found}, found) == []
    assert [result["failed"] for result in found["none"]] == [True]


def test_every_role_that_describes_a_part_names_its_own_modules_and_roles_that_there_are() -> None:
    assert len(observed.roles()) > 10
    described = observed.variables(lambda text: text)
    for role in observed.roles():
        value = described[observed.variable(role)]
        named = value.get("stands_on", [])
        assert set(re.findall(r"'(\w+)'", named) if isinstance(named, str) else named) <= set(observed.roles())
        tasks = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "roles" / role / "tasks").glob("*.yml"))
        checks = described["__database_checks"] if role == "database" else value["checks"]
        for check in checks:
            assert f"{check['module']}:" in tasks, f"{role} looks with another module than the one that does it"


def test_what_the_modules_are_given_is_not_in_the_systems_log() -> None:
    """Values of the vault are in it. Ansible logs the parameters of a module that do not say otherwise."""
    spec = Mock(side_effect=SystemExit)
    with patch.object(module, "AnsibleModule", spec), pytest.raises(SystemExit):
        module.main()
    assert spec.call_args.kwargs["argument_spec"]["parts"] == {"type": "str", "required": True, "no_log": True}


def test_what_a_module_warns_of_is_told_as_text(tmp_path: Path) -> None:
    modules = tmp_path / "ansible_collections/some/body/plugins/modules"
    modules.mkdir(parents=True)
    (modules / "warns.py").write_text(
        "from ansible.module_utils.basic import AnsibleModule\n"
        "def main():\n    module = AnsibleModule({}, supports_check_mode=True)\n    module.warn('Beware.')\n    module.exit_json(changed=False)\n"
    )
    assert observer({"one": [{"module": "some.body.warns", "args": {}}]}, tmp_path) == {"one": [{"changed": False, "warnings": ["Beware."]}]}
