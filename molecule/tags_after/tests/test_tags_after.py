"""Every tag alone where all is there: nothing is left to do; and what the cluster knows is not moved away below it."""

from __future__ import annotations

import pytest
from conftest import Tester
from site_tags import distinct_tags


@pytest.mark.parametrize("tag", distinct_tags())
def test_each_tag_changes_nothing(tester: Tester, tag: str) -> None:
    tester.up_changes_nothing(f"--tags {tag}")


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("image_registry_endpoint=127.0.0.1:5001", "image_registry_endpoint=127.0.0.1:5000"),
        ("deployment_registry_address=192.168.85.249", "deployment_registry_address=192.168.85.250"),
        ("deployment_database_address=192.168.85.249", "deployment_database_address=192.168.85.251"),
        ("deployment_gateway=192.168.85.252", "deployment_gateway=192.168.85.1"),
    ],
)
def test_an_address_that_the_cluster_knows_is_not_moved(tester: Tester, asked: str, there: str) -> None:
    before = tester.inventory()
    for target in ("up", "plan"):
        passed, output = tester.make(target, f"-e {asked}")
        assert not passed, output
        said = " ".join(output.split())
        assert [phrase for phrase in (f"{asked}, but", f"Leave it at {there}, or", "`make down`") if phrase not in said] == [], output
        assert "stand in the way" not in said, output
    assert tester.inventory() ^ before == set()
    passed, output = tester.up(f"--tags app_secrets -e {asked}")
    assert not passed, output
    assert f"{asked}, but" in " ".join(output.split()), output
    tester.up_changes_nothing("--tags image_registry,network,database,app_secrets")
