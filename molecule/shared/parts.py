#!/usr/bin/env python3
"""Builds parts of clusters that this project does not make, from Go's modules and Debian's packages.

    parts.py NAME...    prints where each is: a program, or an image as an archive of `docker save`

They are listed in parts.lock.yml, built as the artifacts of the product are, and kept in a store of their own, once for each machine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.store.build import Builder, go_environment
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store

HERE = Path(__file__).resolve().parent
TOOLCHAIN = HERE.parents[1] / "roles/bundle/files/go/toolchain.txt"
FOLDER = Path.home() / ".cache/todochat/parts"


def part(name: str) -> Path:
    """The file of a part, which is built where it is not there yet."""
    store = Store(FOLDER / "store")
    store.path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        Path(work).chmod(0o755)
        recipes = Path(work) / "roles/bundle/files/go"  # where a lock file has them
        shutil.copytree(HERE / "parts", recipes)
        shutil.copy(TOOLCHAIN, recipes)
        lock = Lock(Path(shutil.copy(HERE / "parts.lock.yml", work)))
        if not store.has(lock[name]):
            Builder(lock, store, FOLDER / "build").build(lock[name])
        return store.verified(lock[name])


def manifest(name: str, module: str, path: str) -> str:
    """A file that upstream keeps in the module of a part, which the part is built of."""
    (FOLDER / "build").mkdir(parents=True, exist_ok=True)  # gone since the part was built, where it was
    with tempfile.TemporaryDirectory() as work:
        variables = go_environment(TOOLCHAIN, FOLDER / "build", Path(work))
        command = ["go", "mod", "download", "-json", module]
        said = subprocess.run(command, cwd=HERE / "parts" / name, env=os.environ | variables, capture_output=True, check=True).stdout
    return (Path(json.loads(said)["Dir"]) / path).read_text(encoding="utf-8")


if __name__ == "__main__":
    for each in sys.argv[1:]:
        print(part(each), flush=True)
