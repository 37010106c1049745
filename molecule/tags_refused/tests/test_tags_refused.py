"""Every tag alone on the untouched system: it is told what has to run before it, or works, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from conftest import Tester
from site_tags import distinct_tags
from testinfra.host import Host

BEFORE: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("tags.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def untouched(host: Host) -> set[str]:
    """The inventory of the system on which nothing was made but the environment and the vault's password, as of the first run."""
    tester = Tester(host)
    tester.up_changes_nothing("--tags preflight")
    return tester.inventory()


@pytest.mark.parametrize("tag", [tag for tag in distinct_tags() if BEFORE[tag]])
def test_what_cannot_run_yet_names_the_tags_to_run_first(tester: Tester, untouched: set[str], tag: str) -> None:
    tester.refused(f"--tags {tag}", f"Run `make up ARGS='--tags {','.join(BEFORE[tag])}'` first")
    assert tester.inventory() ^ untouched == set()


def test_check_mode_names_them_as_well(tester: Tester, untouched: set[str]) -> None:
    passed, output = tester.make("plan", "--tags app_check")
    assert not passed
    assert f"--tags {','.join(BEFORE['app_check'])}'` first" in " ".join(output.split()), output
    assert tester.inventory() ^ untouched == set()


@pytest.mark.parametrize("tag", ["always", "container_engine_verify", "database_verify"])
def test_what_only_looks_changes_nothing(tester: Tester, untouched: set[str], tag: str) -> None:
    tester.up_changes_nothing(f"--tags {tag}")
    assert tester.inventory() ^ untouched == set()


@pytest.mark.parametrize(("target", "arguments"), [("backup", ""), ("restore", "-e file=/some/file")])
def test_where_nothing_is_deployed_there_is_nothing_to_back_up(tester: Tester, untouched: set[str], target: str, arguments: str) -> None:
    passed, output = tester.make(target, arguments)
    assert not passed
    assert [part for part in ("There is no vault", "Run `make up` first") if part not in " ".join(output.split())] == [], output
    assert tester.inventory() ^ untouched == set()
