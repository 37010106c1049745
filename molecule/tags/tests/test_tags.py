"""Every tag alone: first on the untouched system, then each in the site's order with its four proofs, at last where all is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from announced import differences, exceptions
from conftest import Tester

BEFORE: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("tags.yml").read_text(encoding="utf-8"))
# An empty store, for the role bundle: one program, one image.
BUILT = """artifact -e artifact_store=/home/tester/store -e '{"artifact_names":["etcd","pause"]}'"""
# In the site's order; where a role has stages, one after the other.
WALK = (
    *("vault", "container_engine_install", "container_engine_configure", "artifact", BUILT, "kubernetes_tools", "network", "image_registry"),
    *("database_install", "database_configure", "minikube", "metrics_server", "app_images", "app_secrets", "app_release", "app_check"),
)
ONLY_LOOK = {"artifact", "app_check"}  # the store is filled already
COST = Path(__file__).parents[3] / "bench/roles.py"


def test_the_fresh_system_is_accepted(tester: Tester) -> None:
    """Makes the environment and the vault's password, too, so that later runs have nothing of their own left to make."""
    tester.up_changes_nothing("--tags preflight")


@pytest.mark.parametrize("tag", [tag for tag, before in BEFORE.items() if before])
def test_what_cannot_run_yet_names_the_tags_to_run_first(tester: Tester, tag: str) -> None:
    before = tester.inventory()
    tester.refused(f"--tags {tag}", f"Run `make up ARGS='--tags {','.join(BEFORE[tag])}'` first")
    assert tester.inventory() ^ before == set()


def test_check_mode_names_them_as_well(tester: Tester) -> None:
    passed, output = tester.make("plan", "--tags app_check")
    assert not passed
    assert f"--tags {','.join(BEFORE['app_check'])}'` first" in " ".join(output.split()), output


@pytest.mark.parametrize("tag", ["always", "container_engine_verify", "database_verify"])
def test_what_only_looks_changes_nothing_on_the_untouched_system(tester: Tester, tag: str) -> None:
    before = tester.inventory()
    tester.up_changes_nothing(f"--tags {tag}")
    assert tester.inventory() ^ before == set()


@pytest.mark.parametrize("tag", WALK)
def test_each_is_announced_made_and_then_as_it_was(tester: Tester, tmp_path: Path, tag: str) -> None:
    passed, output = tester.make("plan", f"--tags {tag}")
    assert passed, output
    announced = tester.changed()
    assert bool(announced) != (tag in ONLY_LOOK)
    passed, output = tester.up(f"--tags {tag}")
    assert passed, output
    assert differences(announced, tester.changed(), exceptions()) == []
    passed, output = tester.make("plan", f"--tags {tag}")
    assert passed, output
    assert tester.changed() == []
    tester.up_changes_nothing(f"--tags {tag}")
    (tmp_path / "events").write_text(tester.events())
    cost = subprocess.run([sys.executable, COST, "--most=2", tmp_path / "events"], capture_output=True, text=True, check=False)
    assert cost.returncode == 0, cost.stderr


@pytest.mark.parametrize("tag", BEFORE)
def test_each_tag_changes_nothing_where_all_is_there(tester: Tester, tag: str) -> None:
    tester.up_changes_nothing(f"--tags {tag}")
