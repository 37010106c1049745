"""The Molecule scenarios: which of them have no passing record for what they consist of now, and running them.

A scenario named after a role proves that role; any other one goes the way of all roles, or that of a playbook of its own.

A record is the hash of all that decides a scenario's outcome. Records are a committed file that only a passing run writes,
so what passed once is not run again until something in it changes, on whatever machine.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "molecule/shared"))
VERSION = 1
# The site's scenario runs each time.
UNRECORDED = {"site"}
# What every scenario goes through. Makefile, bootstrap and the view are not among them: the site's scenario proves those each time.
COMMON = (
    ".config/molecule",
    "ansible.cfg",
    "artifacts.lock.yml",
    "bench/roles.py",
    "group_vars/all/main.yml",
    "inventory",
    "molecule/conftest.py",
    "molecule/shared",
    "playbooks/app.yml",
    "playbooks/check.yml",
    "playbooks/cluster.yml",
    "playbooks/tasks/settings.yml",
    "playbooks/tasks/vault.yml",
    "requirements/controller.txt",
    "scripts/vault-password",
    "site.yml",
)
# Of no role either, but of a playbook of their own, which BESIDES lists: their roles are those that it names.
OWN_WAY = {"compose"}
# What scenarios of no role use besides the roles.
BESIDES = {
    "alternative": ("galaxy.yml",),
    "backup": ("molecule/site/visitor.py", "molecule/vault/sampler.py", "playbooks/backup.yml", "playbooks/restore.yml"),
    "compose": ("compose.yaml", "molecule/site/visitor.py", "playbooks/compose.yml", "tests/e2e"),
    "down": ("molecule/site/visitor.py", "playbooks/down.yml", "playbooks/stop.yml"),
    "rollout": ("k8s", "molecule/site/visitor.py", "playbooks/rollback.yml", "playbooks/tasks/revision.yml", "playbooks/vault/rotate.yml"),
    "upgrade": ("molecule/site/visitor.py", "playbooks/bundle.yml"),
    "vault": (*(f"playbooks/{name}.yml" for name in ("logs", "rollback", "start", "status", "stop", "tasks/revision")), "playbooks/vault"),
}


def names() -> list[str]:
    """The scenarios with a record, in the order in which the site runs their roles."""
    found = {path.parent.name for path in ROOT.glob("molecule/*/molecule.yml")} - UNRECORDED
    site = [ROOT / "playbooks/cluster.yml", ROOT / "playbooks/app.yml", ROOT / "playbooks/check.yml"]
    order = ["bundle", *(name for playbook in site for name in re.findall(r"name: todochat\.platform\.(\w+)", playbook.read_text(encoding="utf-8")))]
    return sorted(found, key=lambda name: (order.index(name) if name in order else len(order), name))


@cache
def roles() -> list[str]:
    return [path.parent.parent.name for path in ROOT.glob("roles/*/tasks/main.yml")]


def inputs(scenario: str) -> list[Path]:
    """The files that decide a scenario's outcome: its own, the shared ones, its roles', and all that those use in turn."""
    platforms = yaml.safe_load((ROOT / f"molecule/{scenario}/molecule.yml").read_text(encoding="utf-8"))["platforms"]
    always = [path.parent.parent.name for path in ROOT.glob("roles/*/tasks/main.yml") if "tags: [always" in path.read_text(encoding="utf-8")]
    used = [scenario, *always, *(role for platform in platforms for role in platform.get("after", []))]
    used += [role for platform in platforms for role in re.findall(r"--tags (\w+)", platform.get("arguments", ""))]
    if scenario in OWN_WAY:
        used = []
    elif scenario not in roles():
        used = roles()
    starts = (*COMMON, "plugins/action", f"molecule/{scenario}", *BESIDES.get(scenario, ()), *(f"roles/{role}" for role in used))
    waiting = [file for start in starts for file in known(start)]
    site = {ROOT / name for name in COMMON if name.startswith("playbooks/")}
    found: set[Path] = set()
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            if not site & {file, *file.parents}:  # they name all roles; which of them run, the tags decide
                waiting += [other for start in uses(file) for other in known(start)]
    return sorted(found)


def listed_files(root: Path) -> list[str]:
    """The files of a checkout that git keeps, or would: a new one is checked before it is added."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if listed.returncode:
        sys.exit(f"{' '.join(command)} failed in {root}, so what is to be checked is not known. It said: {listed.stderr.strip()}")
    return [name for name in listed.stdout.split("\0") if name and (root / name).is_file()]


@cache
def all_known() -> list[str]:
    return listed_files(ROOT)


@cache
def known(start: str) -> list[Path]:
    """The file, or the files below the folder, of that name; what is only read by people decides nothing."""
    return [ROOT / name for name in all_known() if (name == start or name.startswith(f"{start}/")) and not name.endswith("README.md")]


@cache
def uses(file: Path) -> list[str]:
    """What a file names of this collection, as paths: modules, roles, tasks, what a role reads outside of itself, Python imports."""
    found: list[str] = []
    if file.suffix == ".yml":
        text = file.read_text(encoding="utf-8")
        found += (f"roles/{name}" for name in re.findall(r"name: todochat\.platform\.(\w+)", text))
        for name in re.findall(r"todochat\.platform\.(\w+):", text):
            found += (f"plugins/modules/{name}.py", f"plugins/action/{name}.py")
        found += re.findall(r"role_path }}/\.\./\.\./([\w./-]+)", text)
        found += (os.path.relpath(file.parent / name, ROOT) for name in re.findall(r"(?:import|include)_tasks: (\S+)", text))
    elif file.suffix == ".py":
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ansible_collections.todochat.platform."):
                path = (node.module or "").split(".", 3)[3].replace(".", "/")
                found += (f"{path}.py", *(f"{path}/{alias.name}.py" for alias in node.names))
    return found


def inputs_hash(scenario: str) -> str:
    """The SHA-256 of the inputs' names, executable bits and content."""
    digest = hashlib.sha256()
    for file in inputs(scenario):
        executable = bool(file.stat().st_mode & 0o100)
        digest.update(f"{file.relative_to(ROOT)}\0{executable}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


