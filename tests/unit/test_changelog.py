"""What users read of changes: that the changelog says what its fragments say, and that a bad fragment fails `make check`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import checks

ROOT = checks.ROOT
CHECK = next(check for check in checks.all_checks() if check.name == "changelog")
WRITTEN = ("CHANGELOG.md", "changelogs/changelog.yaml")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What the tool reads of a checkout, and writes."""
    shutil.copytree(ROOT / "changelogs", tmp_path / "changelogs", ignore=shutil.ignore_patterns(".*"))
    for name in ("galaxy.yml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def run(*command: object, folder: Path) -> tuple[int, str]:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run([*map(str, command)], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def checked(folder: Path) -> tuple[int, str]:
    """What the first command of the check says that fails, or the last."""
    done = 0, ""
    for command in CHECK.commands:
        if done[0] == 0:
            done = run(*command, folder=folder)
    return done


def test_the_changelog_says_what_its_fragments_say(copy: Path) -> None:
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    release = yaml.safe_load((ROOT / "changelogs/changelog.yaml").read_text())["releases"][version]
    status, said = run("antsibull-changelog", "release", "--update-existing", f"--date={release['release_date']}", folder=copy)
    assert status == 0, said
    for name in WRITTEN:
        assert (copy / name).read_text() == (ROOT / name).read_text(), f"{name}: antsibull-changelog release --update-existing writes it anew"


def test_a_sound_changelog_passes_its_check(copy: Path) -> None:
    assert checked(copy) == (0, "")


@pytest.mark.parametrize(
    ("fragment", "why"),
    [
        ("improvements:\n  - No section is called so.\n", "invalid section: improvements"),
        ("bugfixes: No list.\n", 'section "bugfixes" must be type list'),
        ("bugfixes:\n  - An end is ``missing.\n", "Inline literal start-string without end-string"),
        ("bugfixes:\n  - [\n", "yaml parsing error"),
    ],
)
def test_a_bad_fragment_fails_the_check_and_is_named(copy: Path, fragment: str, why: str) -> None:
    (copy / "changelogs/fragments/bad.yml").write_text(f"---\n{fragment}")
    status, said = checked(copy)
    assert status != 0
    assert "changelogs/fragments/bad.yml:" in said
    assert why in said


def test_what_is_no_release_fails_the_check(copy: Path) -> None:
    file = copy / "changelogs/changelog.yaml"
    file.write_text(file.read_text().replace("1.0.0:", "first:"))
    status, said = checked(copy)
    assert status != 0
    assert "Invalid release version" in said
