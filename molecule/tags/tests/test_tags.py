"""The site tag by tag, in its order: each is announced and made, and then there is nothing left to do."""

from __future__ import annotations

import pytest
from announced import differences, exceptions
from conftest import Tester

# An empty store, for the role bundle: one program, one image.
BUILT = """artifact -e artifact_store=/home/tester/store -e '{"artifact_names":["etcd","pause"]}'"""
# Where a role has stages, one after the other.
WALK = (
    *("vault", "container_engine_install", "container_engine_configure", "artifact", BUILT, "kubernetes_tools", "network", "image_registry"),
    *("database_install", "database_configure", "minikube", "metrics_server", "app_images", "app_secrets", "app_release", "app_check"),
)
ONLY_LOOK = {"artifact", "app_check"}  # the store is filled already


def test_the_fresh_system_is_accepted(tester: Tester) -> None:
    """Makes the environment and the vault's password, too, so that later runs have nothing of their own left to make."""
    tester.up_changes_nothing("--tags preflight")


@pytest.mark.parametrize("tag", WALK)
def test_each_is_announced_and_made(tester: Tester, tag: str) -> None:
    passed, output = tester.make("plan", f"--tags {tag}")
    assert passed, output
    announced = tester.changed()
    assert bool(announced) != (tag in ONLY_LOOK)
    passed, output = tester.up(f"--tags {tag}")
    assert passed, output
    assert differences(announced, tester.changed(), exceptions()) == []


def test_then_the_whole_site_announces_and_changes_nothing(tester: Tester) -> None:
    passed, output = tester.make("plan")
    assert passed, output
    assert tester.changed() == []
    tester.up_changes_nothing("")
