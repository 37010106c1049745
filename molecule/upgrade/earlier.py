#!/usr/bin/env python3
"""The files of this checkout that an earlier one had otherwise, as an upgrade finds them: older pins, an older application.

    earlier.py FOLDER    write them below FOLDER, with all that the lock file's recipes consist of

    newer-node.lock.yml    beside the earlier lock file: the same with the present node image

Made from the present checkout, so that nothing but what is meant differs. The older versions are those of the Go modules
beside this file, whose go.sum the Go tool wrote. Their checksums of upstream's are not kept, so they are built.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LOCK = "artifacts.lock.yml"
NEWER_NODE = "newer-node.lock.yml"
# Makes the node's image another one, which does the same.
NODE_LABEL = {"org.opencontainers.image.version": "earlier"}
RECIPES = "roles/bundle/files"
# The modules that differ: etcd and CoreDNS, since minikube asks for others with an older Kubernetes.
MODULES = ("kubernetes", "helm", "etcd", "coredns")
# What a recipe says beside its version: the minor version of the Kubernetes that the program, or Helm's client, is of.
MINORS = {"kubernetes": ("35", "34"), "helm": ("37", "33")}
# The backend's image differs, of the frontend the chart alone: either has to be rolled out.
APPLICATION = {
    "apps/backend/src/todo_backend/app.py": ('title="Todo chatbot"', 'title="Earlier todo chatbot"'),
    "apps/frontend/chart/values.yaml": ("    memory: 128Mi", "    memory: 120Mi"),
}


def pinned(module: Path) -> str:
    """The version that a wrapper module requires."""
    return re.findall(r"^require \S+ (v\S+)$", (module / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)[0]


def replaced(text: str, old: str, new: str) -> str:
    if old not in text:
        sys.exit(f"{old!r}, of which earlier.py makes {new!r}, is not there any more. Have it name what is there now.")
    return text.replace(old, new)


def main(target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(ROOT / RECIPES, target / RECIPES)
    lock = yaml.safe_load((ROOT / LOCK).read_text(encoding="utf-8"))
    versions = {}
    for module in MODULES:
        versions[module] = pinned(target / RECIPES / "go" / module), pinned(HERE / "go" / module)
        shutil.copytree(HERE / "go" / module, target / RECIPES / "go" / module, dirs_exist_ok=True)
    for name, entry in lock["artifacts"].items():
        if (module := entry["build"].get("go", {}).get("module")) in versions:
            older = replaced(json.dumps(entry), *(version.removeprefix("v") for version in versions[module]))  # as in etcd:3.6.6-0
            if module in MINORS:
                older = replaced(older, *(f'Minor": "{minor}"' for minor in MINORS[module]))
            lock["artifacts"][name] = json.loads(older) | {"sha256": "unrecorded"}
    (target / NEWER_NODE).write_text(yaml.safe_dump(lock, sort_keys=False), encoding="utf-8")
    lock["artifacts"]["kicbase"]["build"]["image"]["config"]["Labels"] = NODE_LABEL
    lock["artifacts"]["kicbase"]["sha256"] = "unrecorded"
    (target / LOCK).write_text(yaml.safe_dump(lock, sort_keys=False), encoding="utf-8")
    for file, (present, earlier) in {**APPLICATION, "roles/minikube/defaults/main.yml": versions["kubernetes"]}.items():
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        (target / file).write_text(replaced((ROOT / file).read_text(encoding="utf-8"), present, earlier), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
