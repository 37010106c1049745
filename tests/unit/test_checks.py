"""Which files the linters get, and that a run says what failed and leaves nothing behind."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import checks
from checks import Check


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.mark.parametrize("first", ["#!/bin/sh", "#!/bin/sh -e", "#!/bin/bash", "#!/usr/bin/env bash", "#!/usr/bin/env -S bash -eu", "#! /bin/dash"])
def test_a_shell_script_is_known_by_its_first_line(tmp_path: Path, first: str) -> None:
    (tmp_path / "customize").write_text(f"{first}\ntrue\n")
    assert checks.is_shell_script(tmp_path / "customize")


@pytest.mark.parametrize("content", [b"", b"echo\n", b"#!/usr/bin/env python3\n", b"#!/usr/bin/fish\n", b"text\n#!/bin/sh\n", b"\x7fELF\xff\x00"])
def test_nothing_else_is_taken_for_a_shell_script(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert not checks.is_shell_script(tmp_path / "file")


def test_new_files_are_checked_and_ignored_or_deleted_ones_are_not(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)

    git("init", "--quiet")
    (tmp_path / ".gitignore").write_text("/cache/\n")
    for name in ("kept", "deleted", "new one", "cache/ignored"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    git("add", "kept", "deleted", ".gitignore")
    (tmp_path / "deleted").unlink()
    assert sorted(checks.listed_files(tmp_path)) == [".gitignore", "kept", "new one"]


def test_a_checkout_without_git_ends_with_what_git_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(SystemExit, match="not a git repository"):
        checks.listed_files(tmp_path)


def test_changed_locks_are_installed_anew(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("one")
    before = checks.installed(tmp_path, lock)
    assert checks.installed(tmp_path, lock) == before
    lock.write_text("two")
    assert checks.installed(tmp_path, lock) != before


def test_a_failure_is_shown_and_named_and_stops_no_other_check(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bad = python("import sys; print('what is wrong'); sys.exit('and why')")
    later = tmp_path / "later"
    failed = checks.run_all(
        [
            Check("bad", bad, python("open('not reached', 'w')"), folder=tmp_path),
            Check("good", python("print('all is well')"), python("open('later', 'w')"), folder=tmp_path),
        ]
    )
    output = capfd.readouterr().out
    assert failed == ["bad"]
    assert later.exists()
    assert not (tmp_path / "not reached").exists()
    for part in ("what is wrong\n", "and why\n", "all is well\n", "s  bad FAILED with exit status 1\n", "s  good passed\n"):
        assert part in output
    assert output.rstrip().splitlines()[-2].endswith("s  bad FAILED with exit status 1")


def test_breaking_off_ends_what_runs_with_its_children(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    # The shell and its child both hold the writing end: it is at its end when neither is left.
    waiting = ["sh", "-c", 'exec 3>"$0"; sleep 600 & echo >&3; wait', str(fifo)]
    # A run in the background would ignore the signal.
    listen = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"{listen}; import checks; checks.run_all([checks.Check('waiting', {waiting})])"
    run = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, stderr=subprocess.PIPE)
    with fifo.open("rb", buffering=0) as reader, run:
        assert reader.readline() == b"\n"  # the child has been started
        run.send_signal(signal.SIGINT)
        ended, _, _ = select.select([reader], [], [], 20)
        if not ended:
            run.kill()
        assert ended
        assert run.communicate(timeout=20)[1] == b""
        assert run.returncode == 128 + signal.SIGINT


def test_ansible_lint_skips_no_rule_and_no_file_of_ours() -> None:
    """What is left out is not Ansible's: tools' own folders, the applications with their Helm charts, other programs' files."""
    configuration = yaml.safe_load((checks.ROOT / ".ansible-lint").read_text())
    assert configuration["profile"] == "production"
    assert set(configuration["enable_list"]) == {"no-log-password", "role-argument-spec"}
    assert configuration["exclude_paths"] == [".ansible/", ".venv/", "apps/", "roles/bundle/files/", "roles/metrics_server/files/chart/"]
    assert {"skip_list", "warn_list", "mock_modules", "mock_roles"} & set(configuration) == set()
    ours = [Path(name) for name in checks.listed_files(checks.ROOT) if name.endswith((".yml", ".yaml"))]
    assert [str(file) for file in ours if "noqa" in (checks.ROOT / file).read_text()] == []
    assert [str(file) for file in ours if file.name.startswith(".ansible-lint") and file.parent != Path(".")] == []


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        ("playbooks/broken.yml", "- name: No play has this key\n  hosts: localhost\n  taskz: []\n"),
        ("roles/broken/tasks/main.yml", "- name: No module is called so\n  ansible.builtin.pong:\n"),
    ],
)
def test_ansible_lint_names_what_ansible_cannot_read_and_what_breaks_a_rule(tmp_path: Path, broken: str, text: str) -> None:
    sound = "- name: Can be read\n  hosts: localhost\n  tasks:\n    - name: no capital\n      ansible.builtin.ping:\n"
    for name, content in {"playbooks/sound.yml": sound, broken: text}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"---\n{content}")
    command = [sys.executable, checks.ROOT / "tests/lint.py", "--offline", "--nocolor", "--parseable"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.search(rf"^{broken}:\d+:\d+: syntax-check", done.stdout, re.MULTILINE)
    assert re.search(r"^playbooks/sound.yml:5:\d+: name\[casing\]", done.stdout, re.MULTILINE)
