"""What depends on the version of control groups or on PID 1, on recorded systems of each kind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.todochat.platform.plugins.module_utils.machine import host

ROOT = Path(__file__).resolve().parents[2]
# Of each system the files that tell them apart, by path, as they were there; a folder is null
RECORDED: dict[str, dict[str, str | None]] = json.loads((ROOT / "tests/unit/fixtures/hosts.json").read_text())
EXPECTED = {
    "version 1, a machine without systemd": (1, 24105, "none"),
    "version 1, a container without systemd, of 512 MiB": (1, 512, "none"),
    "version 1, a container with systemd": (1, 24105, "systemd"),
    "version 2, a machine with systemd": (2, 1978, "systemd"),
    "version 2, a container without systemd, of 512 MiB": (2, 512, "none"),
    "version 2, a container without controllers": (2, 24105, "none"),
}


def system(root: Path, files: dict[str, str | None]) -> Path:
    """A root folder with these files."""
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            (root / path).mkdir()
        else:
            (root / path).write_text(content)
    return root


@pytest.mark.parametrize("name", RECORDED)
def test_each_kind_of_system_is_told(tmp_path: Path, name: str) -> None:
    root = system(tmp_path, RECORDED[name])
    assert (host.cgroup_version(root), host.memory(root), host.init_system(root)) == EXPECTED[name]


@pytest.mark.parametrize(("version", "file"), [(1, "memory/memory.limit_in_bytes"), (2, "memory.max")])
def test_a_limit_above_the_machines_memory_is_none(tmp_path: Path, version: int, file: str) -> None:
    files = RECORDED[f"version {version}, a container without systemd, of 512 MiB"]
    root = system(tmp_path, {**files, f"sys/fs/cgroup/{file}": f"{1 << 40}\n"})
    assert host.memory(root) == {1: 24105, 2: 1978}[version]


def test_a_container_of_version_2_without_a_limit(tmp_path: Path) -> None:
    files = RECORDED["version 2, a container without systemd, of 512 MiB"]
    assert host.memory(system(tmp_path, {**files, "sys/fs/cgroup/memory.max": "max\n"})) == 1978


def test_nothing_else_looks_for_itself() -> None:
    looking = [
        file.name
        for file in (ROOT / "plugins").rglob("*.py")
        if any(words in file.read_text() for words in ("sys/fs/cgroup", "run/systemd/system", "proc/meminfo"))
    ]
    assert looking == ["host.py"]
