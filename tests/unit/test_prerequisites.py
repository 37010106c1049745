"""A run of a few tags is told what has to run before it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import pytest
import yaml

from ansible_collections.todochat.platform.plugins.module_utils.preflight.needs import ARTIFACTS, NEEDS, chosen, missing

ROOT = Path(__file__).resolve().parents[2]
GOLDEN: dict[str, list[str]] = yaml.safe_load((ROOT / "molecule/tags_refused/tests/tags.yml").read_text(encoding="utf-8"))


def first(role: str, *, there: str = "", stopped: str = "", stored: Collection[str] = ()) -> str:
    """The tags that have to run before a role, where some things are ready and some stopped, and some artifacts are stored."""
    error = missing([role], f"{there} {stopped}".split().__contains__, there.split().__contains__, stored.__contains__)
    return re.findall(r"--tags ([\w,]+)'", error.remedy)[0] if error else ""


def test_the_order_is_the_sites() -> None:
    playbooks = [ROOT / f"playbooks/{name}.yml" for name in ("cluster", "app", "check")]
    site = [role for playbook in playbooks for role in re.findall(r"name: todochat\.platform\.(\w+)\n", playbook.read_text(encoding="utf-8"))]
    # the database's other login is locked when all else is done; what others run is there already
    assert [role for role in dict.fromkeys(site) if role not in ("preflight", "existing_cluster")] == list(NEEDS)


def test_the_tags_of_the_site_are_those_whose_needs_are_written_down() -> None:
    playbook = Path(sys.executable).parent / "ansible-playbook"
    listed = subprocess.run([playbook, "site.yml", "--list-tags"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = {tag for tags in re.findall(r"TASK TAGS: \[(.*)\]", listed) for tag in tags.split(", ")}
    assert sorted(found) == list(GOLDEN)


@pytest.mark.parametrize("tag", GOLDEN)
def test_each_tag_of_the_site_asks_for_what_comes_before_it_on_an_untouched_machine(tag: str) -> None:
    """The scenario `tags_refused` runs one of those that run the same tasks."""
    error = missing(chosen([tag], []), lambda _: False, lambda _: False, lambda _: True)
    assert (re.findall(r"--tags ([\w,]+)'", error.remedy)[0].split(",") if error else []) == GOLDEN[tag]


@pytest.mark.parametrize("role", NEEDS)
def test_where_all_is_there_nothing_is_asked_for(role: str) -> None:
    assert first(role, there=" ".join(NEEDS)) == ""


def test_on_an_untouched_machine_all_that_comes_before_is_named_in_order() -> None:
    assert first("container_engine") == first("artifact") == ""
    assert first("network") == "container_engine"
    assert first("minikube") == "artifact,kubernetes_tools,container_engine,network"
    assert first("app_check").split(",")[-1] == "app_release"
    assert set(first("app_check").split(",")) == set(NEEDS) - {"app_check"}


def test_what_is_stopped_has_to_be_started_and_needs_no_artifacts_for_that() -> None:
    assert first("app_secrets", there="container_engine network kubernetes_tools", stopped="minikube") == "minikube"
    assert first("image_registry", there="container_engine network", stopped="image_registry") == ""
    assert first("image_registry", there="container_engine network") == "artifact"


@pytest.mark.parametrize("role", ARTIFACTS)
def test_a_role_needs_the_artifacts_that_it_takes_and_no_other(role: str) -> None:
    before = " ".join(need for need in NEEDS[role] if need != "artifact")
    assert first(role, there=before, stored=ARTIFACTS[role]) == ""
    for absent in ARTIFACTS[role]:
        assert first(role, there=before, stored={*ARTIFACTS[role]} - {absent}) == "artifact"


def test_the_artifacts_of_roles_are_those_that_their_tasks_name() -> None:
    names = set(yaml.safe_load((ROOT / "artifacts.lock.yml").read_text(encoding="utf-8"))["artifacts"])
    for role, need in NEEDS.items():
        if "artifact" in need:
            files = [path for kind in ("tasks", "defaults", "vars") for path in (ROOT / f"roles/{role}/{kind}").glob("*.yml")]
            # of Node.js the one that is taken where nothing else is said
            lists = re.findall(r"(?:names|load): \[(.*)\]|(?:bases|\"20\"): \{(.*)\}", "\n".join(file.read_text(encoding="utf-8") for file in files))
            found = {re.sub(r"^\w+: ", "", word) for group in lists for listed in group if listed for word in listed.split(", ")}
            assert found == set(ARTIFACTS[role]), role
            assert found <= names


def test_what_runs_in_the_same_run_is_not_missing() -> None:
    assert missing(list(NEEDS), *[lambda _: False] * 3) is None


def test_a_later_stage_needs_the_first_one() -> None:
    assert first("container_engine_configure") == "container_engine_install"
    assert first("database_configure", there="container_engine network", stored=["postgres"]) == "database_install"
    assert first("database_configure", there="container_engine network", stopped="database") == ""


def test_the_message_names_who_needs_it() -> None:
    error = missing(["network", "image_registry"], *[lambda _: False] * 3)
    assert error
    assert error.why == "network and image_registry cannot run yet: what container_engine, artifact would make is not there."


@pytest.mark.parametrize(
    ("run", "skip", "roles"),
    [
        (["all"], [], list(NEEDS)),
        (["all"], ["minikube"], [role for role in NEEDS if role != "minikube"]),
        (["database_configure"], [], ["database_configure"]),
        (["database_configure", "database_install", "minikube_install"], [], ["database", "minikube"]),
        (["app_check", "network"], [], ["network", "app_check"]),
        (["preflight", "vault", "database_verify"], [], []),
        (["app_check_verify"], [], ["app_check"]),
    ],
)
def test_tags_choose_roles(run: list[str], skip: list[str], roles: list[str]) -> None:
    assert chosen(run, skip) == roles
