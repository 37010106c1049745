#!/usr/bin/env python3
"""What `make check` (see checks.py), `make test` (see scenarios.py), `make test-full` and `make lock` do, phase by phase, each with its time.

    run.py test [ROLE]    the checks, and all that has no passing record; of a role its scenario alone

Runs in the environment that `bootstrap --test` makes. The first phase that fails ends the run with its exit status.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn

import checks
import scenarios
from ansible_collections.todochat.platform.plugins.module_utils.artifacts import Artifact, Lock, Store
from ansible_collections.todochat.platform.plugins.module_utils.engine import is_loaded, load
from ansible_collections.todochat.platform.plugins.module_utils.images import build_secrets

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
LOCK = ROOT / "artifacts.lock.yml"
STORE = Path.home() / ".cache/todochat/store"
# Bases of the backend's image, as in the role app_images.
BASES = {"BUILDER_IMAGE": "python-builder", "RUNTIME_IMAGE": "python-runtime"}
INVENTORY = ROOT / "molecule/shared/inventory.sh"
# What tests leave in this machine's Docker on purpose: the Python environment that fresh systems share.
KEPT = ("volume todochat-test-environment",)


def check() -> None:
    """Run what checks.py lists; all of it, also where something fails."""
    missing = checks.missing_tools()
    if missing:
        with phase("The applications' own tools"):
            run_checks(missing)
    with phase("Linters, type checks and unit tests"):
        run_checks(checks.all_checks())


def prove_what_changed(role: str = "") -> None:
    """Everything that has no passing record for what it consists of now; of one role, its scenario in any case."""
    if role:
        if role not in scenarios.names():
            fail(f"There is no scenario {role!r}. There are: {', '.join(scenarios.names())}.", 2)
        prepare()
        with leaving_docker_as_found():
            prove_roles([role])
        return
    check()
    prepare()
    with leaving_docker_as_found():
        test_services_and_site()
        unproven = scenarios.unproven()
        print(f"\n=== Proven by {scenarios.RECORDS.relative_to(ROOT)}: {', '.join(sorted(set(scenarios.names()) - set(unproven))) or 'nothing'}", flush=True)
        prove_roles(unproven)


def prove_everything() -> None:
    """Everything, whatever the records say."""
    check()
    prepare()
    with leaving_docker_as_found():
        test_services_and_site()
        prove_roles(scenarios.names())


def prepare() -> None:
    with phase("This machine has an engine, the artifacts and a browser"):
        run("python", "bootstrap", "--test", "--", "ansible-playbook", "tests/prepare.yml")


@contextmanager
def leaving_docker_as_found() -> Iterator[None]:
    """Fails where containers, networks or volumes of this machine are others afterwards than before: a test left something, or took it."""
    before = in_docker()
    yield
    after = in_docker()
    if differences := [f"left: {line}" for line in sorted(after - before)] + [f"gone: {line}" for line in sorted(before - after)]:
        remedy = "Remove what was left (docker rm --force, docker network rm, docker volume rm), and have the scenario that left it do so."
        fail("All of it passed, but this machine's Docker is not as it was before:\n" + "\n".join([*differences, remedy]))


def in_docker() -> set[str]:
    """The containers, networks and volumes of this machine, but those that tests keep."""
    listed = subprocess.run([INVENTORY, "docker"], capture_output=True, text=True, check=True).stdout
    return {line for line in listed.splitlines() if not line.startswith(("image ", *KEPT))}


def test_services_and_site() -> None:
    with phase("The charts, and the manifests made of them"):
        run("python", "tests/charts/manifest_tools.py")
        run("python", "-m", "pytest", "tests/charts", "--quiet")
    with phase("The backend's tests, on the Python it ships with"):
        test_backend()
    with phase("README's commands on a fresh Debian 12, then a browser on it"):
        run(*molecule("site"))


def prove_roles(names: list[str]) -> None:
    """Run roles' scenarios; a pass is recorded."""
    for number, name in enumerate(names, 1):
        with phase(f"Scenario {name} on a fresh system ({number} of {len(names)})"):
            if not scenarios.prove(name, partial(passes, *molecule(name))):
                fail(f"The scenario {name} failed; its output is above, the commands' own in tests/output.")


def molecule(scenario: str) -> list[str]:
    return ["molecule", "test", "--no-command-borders", "--scenario-name", scenario]


def lock() -> None:
    """Resolve requirements/*.in anew, with hashes from the configured package index, and record upstream's image digests."""
    for name, constraints in (("controller", []), ("test", ["--constraints", "requirements/controller.txt"])):
        with phase(f"requirements/{name}.txt"):
            options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--system-certs", "--quiet"]
            files = [f"requirements/{name}.in", "--output-file", f"requirements/{name}.txt"]
            run("uv", "pip", "compile", *options, "--custom-compile-command", "make lock", *constraints, *files)
    with phase("artifacts.lock.yml: what is unrecorded is read from upstream"):
        run("python", "scripts/lock")


def test_backend() -> None:
    """Run the image's own tests beside a PostgreSQL that exists for them alone, in a network that leads nowhere."""
    image = "todochat/backend-test"
    bases = {argument: Lock(LOCK)[base] for argument, base in BASES.items()}
    postgres = Lock(LOCK)["postgres"]
    for artifact in (*bases.values(), postgres):
        load_where_missing(artifact)
    arguments = [f"--build-arg={argument}={base.reference}" for argument, base in bases.items()]
    with build_secrets(Path.home()) as files:
        mounts = [f"--secret=id={name},src={path}" for name, path in files.items()]
        run("docker", "build", "--quiet", "--target=test", f"--tag={image}", *arguments, *mounts, "apps/backend")
    name = f"todochat-backend-test-{os.getpid()}"
    with tempfile.TemporaryDirectory() as folder:
        password = secrets.token_hex(16)
        Path(folder, "password").write_text(password)
        Path(folder, "database_url").write_text(f"postgresql://postgres:{password}@127.0.0.1:5432/postgres")
        Path(folder).chmod(0o755)  # the containers' users read it
        mount = f"--volume={folder}:/run/secrets/todochat:ro"
        data = "--tmpfs=/var/lib/postgresql/data:uid=70,gid=70,mode=0700"
        settings = [
            "--env=POSTGRES_PASSWORD_FILE=/run/secrets/todochat/password",
            "--env=POSTGRES_INITDB_ARGS=--encoding=UTF8 --locale-provider=builtin --locale=C.UTF-8",
        ]
        try:
            run("docker", "run", "--detach", f"--name={name}", "--network=none", mount, data, *settings, postgres.reference)
            wait_for("docker", "exec", name, "pg_isready", "--quiet", "--host=127.0.0.1")
            run("docker", "run", "--rm", f"--network=container:{name}", mount, image)
        finally:
            subprocess.run(["docker", "rm", "--force", "--volumes", name], capture_output=True, check=False)


def load_where_missing(artifact: Artifact) -> None:
    if not is_loaded(artifact):
        load(artifact, Store(STORE))


def wait_for(*command: str) -> None:
    """Wait until a command succeeds."""
    end = time.monotonic() + START_SECONDS
    while subprocess.run(command, capture_output=True, check=False).returncode != 0:
        if time.monotonic() > end:
            fail(f"{' '.join(command)} did not succeed within {START_SECONDS} s.")
        time.sleep(0.5)


@contextmanager
def phase(title: str) -> Iterator[None]:
    """Print a heading, and the elapsed time when the phase has passed."""
    print(f"\n=== {title}", flush=True)
    start = time.monotonic()
    yield
    minutes, seconds = divmod(round(time.monotonic() - start), 60)
    print(f"=== {title}: passed in {minutes} min {seconds} s", flush=True)


def run(*command: str) -> None:
    """Run a command in the checkout without standard input; end with its exit status when it fails."""
    if status := attempt(*command):
        fail(f"{command[0]} ended with exit status {status}; its output is above.", status)


def passes(*command: str) -> bool:
    return attempt(*command) == 0


def attempt(*command: str) -> int:
    """Run a command in the checkout without standard input; its exit status."""
    print(f"$ {' '.join(command)}", flush=True)
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode


def run_checks(listed: list[checks.Check]) -> None:
    failed = checks.run_all(listed)
    if failed:
        fail(f"{', '.join(failed)} failed; the output is above.")


def fail(message: str, status: int = 1) -> NoReturn:
    print(f"tests/run.py: {message}", file=sys.stderr, flush=True)
    sys.exit(status)


if __name__ == "__main__":
    os.environ["PYTHONPATH"] = str(ROOT / ".ansible/collections")
    {"check": check, "test": prove_what_changed, "test-full": prove_everything, "lock": lock}[sys.argv[1]](*filter(None, sys.argv[2:]))
