""".ci/release.py, with programs that only note how they were called: what is bad goes no further, and nothing is named but by its digest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import run
import yaml

ROOT = Path(__file__).resolve().parents[2]
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
REPOSITORY = "ghcr.example/us/todo/backend"
SIGNER = "https://github.com/us/todo/.github/workflows/release.yml@refs/heads/main"
WORKFLOWS = sorted((ROOT / ".ci/github").glob("*.yml"))


class Programs:
    """What stands for all that a release calls, in a folder that is the whole PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        for name in ("docker", "grype", "syft", "cosign", "helm"):
            self.write(name)

    def write(self, name: str, status: int = 0) -> None:
        program = self.folder / name
        inspected = f"elsewhere.example/other@sha256:{'f' * 64}\\n{REPOSITORY}@{DIGEST}\\n"
        answer = f'[ "$1" != image ] || printf "{inspected}"' if name == "docker" else f"exit {status}"
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "{name} $*" >> "{self.log}"\n{answer}\n', encoding="utf-8")
        program.chmod(0o755)

    def release(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(ROOT / ".ci/release.py"), *arguments]
        return subprocess.run(command, env=os.environ | {"PATH": str(self.folder)}, capture_output=True, text=True, check=False)

    @property
    def calls(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    return Programs(tmp_path)


def begins(calls: list[str]) -> list[str]:
    return [" ".join(call.split()[:2]) for call in calls]


def test_an_image_is_scanned_before_it_is_signed_and_both_by_its_digest(programs: Programs) -> None:
    done = programs.release("publish", "backend", REPOSITORY, "abc")
    assert (done.returncode, done.stdout) == (0, f"{REPOSITORY}@{DIGEST}\n")
    calls = programs.calls
    assert begins(calls)[:3] == ["docker build", "docker push", "docker image"]
    assert [call.split()[0] for call in calls[3:]] == ["grype", "syft", "cosign", "cosign"]
    assert [call for call in calls[3:] if f"{REPOSITORY}@{DIGEST}" not in call] == []


def test_the_frontend_is_built_on_a_nodejs_that_gets_patches(programs: Programs) -> None:
    programs.release("publish", "frontend", REPOSITORY, "abc")
    assert "--build-arg=BUILDER_IMAGE=node:24-alpine --build-arg=RUNTIME_IMAGE=node:24-alpine" in programs.calls[0]


@pytest.mark.parametrize("bad", ["grype", "syft"])
def test_what_is_not_found_good_is_not_signed(programs: Programs, bad: str) -> None:
    programs.write(bad, status=3)
    done = programs.release("publish", "backend", REPOSITORY, "abc")
    assert (done.returncode, done.stdout) == (3, "")
    assert f"It goes no further: {bad}" in done.stderr
    assert "cosign" not in [call.split()[0] for call in programs.calls]


@pytest.mark.parametrize("provider", ["gke", "eks", "aks"])
def test_what_runs_is_the_digest_that_was_signed(programs: Programs, provider: str) -> None:
    done = programs.release("deploy", "frontend", f"{REPOSITORY}@{DIGEST}", SIGNER, provider)
    assert done.returncode == 0, done.stderr
    verified, upgraded, tested = programs.calls
    assert verified.startswith(f"cosign verify --certificate-identity {SIGNER} ")
    assert verified.endswith(f"{REPOSITORY}@{DIGEST}")
    assert f"image.repository={REPOSITORY},image.digest={DIGEST}" in upgraded
    (values,) = re.findall(r"--values=(\S+)", upgraded)
    assert Path(values).is_file()
    assert tested.startswith("helm test frontend")


def test_what_nobody_signed_is_not_rolled_out(programs: Programs) -> None:
    programs.write("cosign", status=1)
    done = programs.release("deploy", "backend", f"{REPOSITORY}@{DIGEST}", SIGNER, "eks")
    assert done.returncode == 1
    assert "helm" not in [call.split()[0] for call in programs.calls]


@pytest.mark.parametrize("arguments", [["deploy", "backend", f"{REPOSITORY}:latest", SIGNER, "eks"], ["publish", "other", REPOSITORY, "abc"], []])
def test_a_tag_and_an_unknown_service_are_refused(programs: Programs, arguments: list[str]) -> None:
    assert programs.release(*arguments).returncode == 2
    assert programs.calls == []


def test_what_a_workflow_takes_from_others_is_pinned() -> None:
    """An action by its commit, a Go module by its version; and what the workflow passes is what release.py takes."""
    assert WORKFLOWS
    for file in WORKFLOWS:
        text = file.read_text(encoding="utf-8")
        assert [used for used in re.findall(r"uses: (\S+)", text) if not re.fullmatch(r"\./\S+|[\w./-]+@[0-9a-f]{40}", used)] == [], file.name
        assert [module for module in re.findall(r"go install (\S+)", text) if not re.search(r"@v\d+\.\d+\.\d+$", module)] == [], file.name
        for step, given in re.findall(r"\.ci/release\.py (\w+)((?: (?:\w+|\"[^\"]+\"))+)", text):
            assert len(given.split()) == {"publish": 3, "deploy": 4}[step]


def test_the_charts_that_are_released_are_tested_as_here_with_the_programs_that_their_tests_take() -> None:
    jobs = yaml.safe_load((ROOT / ".ci/github/check.yml").read_text(encoding="utf-8"))["jobs"]
    *_, fill, test = (step["run"] for step in jobs["charts"]["steps"] if "run" in step)
    own = next(job.command for job in run.service_tests() if job.name == "charts")
    assert test == f"python3 bootstrap --test -- {' '.join(own)}"
    taken = re.findall(r'stored\("(\w+)"\)', (ROOT / "tests/charts/conftest.py").read_text(encoding="utf-8"))
    (filled,) = re.findall(r" names=([\w,]+)", fill)
    assert sorted(filled.split(",")) == sorted(taken)
