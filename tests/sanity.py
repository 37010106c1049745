"""What `ansible-test sanity` says of the collection that this checkout makes: built, installed from its file into an empty place, and looked at there.

It makes an environment for each of its tests, and asks a host of its own for pip first: here that comes from the package index, as all else does. To each is
added what modules import, as they are never started without.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".cache/sanity"
"""In which ansible-test keeps its environments."""
TARGETS = ("plugins/", "roles/", "meta/")
NOT_OURS = ("roles/metrics_server/files/chart/",)
"""Helm's templates, which are no YAML before they are rendered; the charts' own tests look at them."""
LOCK = ROOT / "requirements/controller.txt"
BESIDE = ("bcrypt", "docker", "PyYAML")
"""The packages that modules import."""
PIP = """
import subprocess, sys

install = [{python!r}, "-m", "pip", "--python", sys.executable, "install", "--quiet"]
sys.exit(subprocess.run([*install, *(one for one in sys.argv[1:] if "==" in one)]).returncode)
"""


def main() -> None:
    make_the_source_of_pip()
    programs = Path(sys.executable).parent
    environment = {**os.environ, "HOME": str(HOME), "PATH": f"{programs}:{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)  # it leads to the collection that this checkout is
    with tempfile.TemporaryDirectory() as folder:
        install(Path(folder), environment)
        collection = Path(folder, "ansible_collections/todochat/platform")
        (collection / "tests").mkdir()
        shutil.copy(ROOT / "tests/config.yml", collection / "tests")
        shutil.copytree(ROOT / "tests/sanity", collection / "tests/sanity")
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        left_out = [f"--exclude={path}" for path in NOT_OURS]
        command = [str(programs / "ansible-test"), "sanity", "--color", "no", "--python", version, *left_out, *sys.argv[1:], *TARGETS]
        subprocess.run([*command, "--prime-venvs"], cwd=collection, env=environment, check=True)
        add_what_modules_import()
        sys.exit(subprocess.run(command, cwd=collection, env=environment, check=False).returncode)


def install(folder: Path, environment: Mapping[str, str]) -> None:
    """Into a place that knows of no other collection, so that the one that this checkout is does not count as installed."""
    galaxy = [str(Path(sys.executable).with_name("ansible-galaxy")), "collection"]
    place = {**environment, "ANSIBLE_COLLECTIONS_PATH": str(folder)}
    subprocess.run([*galaxy, "build", "--output-path", str(folder), str(ROOT)], cwd=folder, env=place, check=True)
    (file,) = folder.glob("*.tar.gz")
    subprocess.run([*galaxy, "install", "--offline", "--no-deps", "--collections-path", str(folder), str(file)], cwd=folder, env=place, check=True)


def make_the_source_of_pip() -> None:
    """What ansible-test finds in the place of what it would download."""
    found = HOME / ".ansible/test/cache/get_pip_24_2.py"  # this version of ansible-test's own choice
    found.parent.mkdir(parents=True, exist_ok=True)
    found.write_text(PIP.format(python=sys.executable), encoding="utf-8")


def add_what_modules_import() -> None:
    """To each environment, once; at the versions that the lock file has."""
    pinned = HOME / "pinned.txt"
    pinned.write_text("\n".join(re.findall(r"^[\w.-]+==[\w.]+", LOCK.read_text(encoding="utf-8"), re.MULTILINE)), encoding="utf-8")
    for python in HOME.glob(".ansible/test/venv/*/*/*/bin/python"):
        if not [*python.parents[1].glob("lib/python*/site-packages/bcrypt")]:
            pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--constraint", str(pinned)]
            subprocess.run([*pip, *BESIDE], check=True)


if __name__ == "__main__":
    main()
