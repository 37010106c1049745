"""What the collection's file holds: what roles need, and nothing that only a checkout is for."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import yaml

from dependencies import listed_files

ROOT = Path(__file__).resolve().parents[2]
HANDED_ON = ("apps/", "artifacts.lock.yml", "BENCH.md", "CHANGELOG.md", "compose.yaml", "docs/", "LICENSE", "meta/", "plugins/", "README.md", "roles/")


def test_the_built_collection_holds_what_git_keeps_for_it(tmp_path: Path) -> None:
    """This checkout has environments, caches and perhaps a vault: none of them is in it."""
    build = [str(Path(sys.executable).with_name("ansible-galaxy")), "collection", "build", "--output-path", str(tmp_path), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = tmp_path.iterdir()
    with tarfile.open(file) as built:
        held = {member.name for member in built.getmembers() if member.isfile()}
        links = {member.name: member.linkname for member in built.getmembers() if member.issym()}
    kept = {name for name in listed_files(ROOT) if name.startswith(HANDED_ON)}
    assert held == kept | {"MANIFEST.json", "FILES.json"}
    assert links == {f"apps/{name}/chart/charts/common": "../../../chart" for name in ("backend", "frontend")}


def test_each_role_says_what_it_is_and_where_it_runs() -> None:
    for role in sorted((ROOT / "roles").iterdir()):
        said = yaml.safe_load((role / "meta/main.yml").read_text(encoding="utf-8"))["galaxy_info"]
        assert said["license"] == "MIT"
        assert said["description"]
        assert said["platforms"] == [{"name": "Debian", "versions": ["bookworm", "trixie"]}]
