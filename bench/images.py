#!/usr/bin/env python3
"""Builds both images without and with Docker's layer cache, and prints seconds and sizes beside what is asked.

    python3 bootstrap -- python bench/images.py

The first build starts without layers, but with whatever packages the build's own download cache holds.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / ".ansible/collections"))

from ansible_collections.todochat.platform.plugins.module_utils.artifacts import Lock, Store  # noqa: E402
from ansible_collections.todochat.platform.plugins.module_utils.engine import is_loaded, load  # noqa: E402
from ansible_collections.todochat.platform.plugins.module_utils.images import build_secrets  # noqa: E402

BASES = {"backend": "python", "frontend": "node"}
# From the product's requirements: megabytes, and seconds for both images together.
SIZES = {"backend": 300, "frontend": 200}
FIRST_BUILD, CACHED_BUILD = 300, 120


def build(name: str, lock: Lock, store: Store, *options: str) -> float:
    """Builds one image; returns the seconds it took."""
    arguments = []
    for part in ("builder", "runtime"):
        base = lock[f"{BASES[name]}-{part}"]
        if not is_loaded(base):
            load(base, store)
        arguments.append(f"--build-arg={part.upper()}_IMAGE={base.reference}")
    with build_secrets(Path.home()) as files:
        secrets = [f"--secret=id={key},src={path}" for key, path in files.items()]
        command = ["docker", "build", "--quiet", *options, f"--tag=todochat/bench-{name}", *arguments, *secrets]
        start = time.monotonic()
        subprocess.run([*command, str(ROOT / "apps" / name)], check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - start


def size(name: str) -> float:
    """The image's size in megabytes, as Docker counts it."""
    inspect = ["docker", "image", "inspect", "--format", "{{.Size}}", f"todochat/bench-{name}"]
    return int(subprocess.run(inspect, check=True, capture_output=True, text=True).stdout) / 1e6


def main() -> None:
    lock, store = Lock(ROOT / "artifacts.lock.yml"), Store(Path.home() / ".cache/todochat/store")
    first = {name: build(name, lock, store, "--no-cache") for name in BASES}
    cached = {name: build(name, lock, store) for name in BASES}
    print(f"{'image':10} {'first, s':>9} {'cached, s':>10} {'size, MB':>9} {'allowed, MB':>12}")
    for name in BASES:
        print(f"{name:10} {first[name]:9.1f} {cached[name]:10.1f} {size(name):9.0f} {SIZES[name]:12}")
    print(f"{'both':10} {sum(first.values()):9.1f} {sum(cached.values()):10.1f}")
    print(f"{'allowed':10} {FIRST_BUILD:9} {CACHED_BUILD:10}")


if __name__ == "__main__":
    main()
