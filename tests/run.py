#!/usr/bin/env python3
"""What `make check` (see checks.py), `make test` (see scenarios.py and pool.py), `make test-full` and `make lock` do, each part with its time.

    run.py test [ROLE]        the checks, and all that has no passing record; of a role its scenario alone
    run.py machine RELEASE    README's way on a real machine, see vm.py

JOBS is how many scenarios run side by side. LIMIT, in minutes, is how long a run may take by the records: where it would take longer,
it ends with the list at once. AGAIN, in minutes, is how much is proven again though it has a record: what was proven longest ago.
Runs in the environment that `bootstrap --test` makes.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn

import checks
import dependencies
import scenarios
import systems
import vm
from ansible_collections.todochat.platform.plugins.module_utils.images.build import build_secrets
from ansible_collections.todochat.platform.plugins.module_utils.store.load import is_loaded, load
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Artifact, Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store
from pool import Job, Pool, estimate, minutes, order

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
LOCK = ROOT / "artifacts.lock.yml"
STORE = Path.home() / ".cache/todochat/store"
# Bases of the backend's image, as in the role app_images.
BASES = {"BUILDER_IMAGE": "python-builder", "RUNTIME_IMAGE": "python-runtime"}
INVENTORY = ROOT / "molecule/shared/inventory.sh"
ENDS = (signal.SIGINT, signal.SIGTERM)
OUTPUT = ROOT / "tests/output"
# What tests leave in this machine's Docker on purpose: the Python environment that systems share, and the states that they are clones of.
KEPT = ("volume todochat-test-environment", "volume todochat-state-")
# A scenario's system runs a whole cluster with the application at its largest.
SCENARIO_BYTES = 8 * 1024**3
# Of what has no record, on two cores.
CHECK_SECONDS, CHARTS_SECONDS, BACKEND_SECONDS, BENCH_SECONDS, STATE_SECONDS = 120, 60, 420, 480, 90


def check() -> None:
    """Run what checks.py lists; all of it, also where something fails."""
    missing = checks.missing_tools()
    if missing:
        with phase("The applications' own tools"):
            run_checks(missing)
    with phase("Linters, type checks and unit tests"):
        run_checks(checks.all_checks())


def prove_what_changed(role: str = "") -> None:
    """Everything that has no passing record for what it consists of now, and what was proven longest ago; of one role, its scenario."""
    records = scenarios.load()
    if role:
        if role not in scenarios.everything():
            fail(f"There is no scenario {role!r}. There are: {', '.join(scenarios.everything())}.", 2)
        prepare()
        run_jobs(scenario_jobs([role]))
        return
    wanted = {name: reason for name in scenarios.recorded() if (reason := scenarios.why_stale(name, records))}
    proven = [name for name in scenarios.recorded() if name not in wanted]
    if again := limit("AGAIN"):
        wanted |= dict.fromkeys(scenarios.longest_ago(proven, records, again), "it was proven longest ago")
    prove_all({scenarios.ALWAYS: "it runs each time", **wanted})


def prove_everything() -> None:
    """Everything, whatever the records say."""
    bench = Job("bench", ["python", "bench/deployment.py"], BENCH_SECONDS, OUTPUT / "bench.log")
    prove_all(dict.fromkeys(scenarios.everything(), "everything runs"), bench)


def prove_all(wanted: dict[str, str], *more: Job) -> None:
    """The checks, the services' own tests, and these scenarios, each with the reason why it runs; first it is said what, and how long."""
    jobs = [*service_tests(), *scenario_jobs(wanted), *more]
    whole = CHECK_SECONDS + seconds_to_fill_the_store() + estimate(jobs, workers())
    print(f"This runs, {workers()} at a time (JOBS), besides the checks; in all about {minutes(whole)}, as far as the records tell:", flush=True)
    for job in order(jobs):
        print(f"  {minutes(job.seconds):>7}  {job.name}: {wanted.get(job.name, 'others stand on it' if job.first else 'it runs each time')}", flush=True)
    records = scenarios.load()
    if machines := [f"{name} ({reason})" for name in scenarios.MACHINES if (reason := scenarios.why_stale(name, records))]:
        print(f"Not run here: {', '.join(machines)}.", flush=True)
    if (most := limit("LIMIT")) and whole > most:
        fail(f"That is more than LIMIT={os.environ['LIMIT']} minutes. Run what is stale beforehand (make test ROLE=name), and commit tests/records.json.", 2)
    check()
    prepare()
    run_jobs(jobs)


def prove_machine(release: str) -> None:
    """README's way on a real machine; it is recorded as a scenario is."""
    name = next((name for name, one in scenarios.MACHINES.items() if one == release), "")
    if not name:
        fail(f"There is no machine VM={release}. Give one of {', '.join(vm.RELEASES)}.", 2)
    prepare("--extra-vars=machine=true")
    log, inputs, start = vm.log_of(release), scenarios.inputs_hash(name), time.monotonic()
    if not (versions := vm.prove(release, log)):
        scenarios.note_failure(name, inputs, log)
        fail(f"README's way does not work on a real machine with {release}; what it printed is in {log}.")
    if problem := scenarios.note_pass(name, inputs, time.monotonic() - start, log, {"states": {}, **versions}):
        fail(f"{name} has passed, but is not recorded: {problem}.")


def run_jobs(jobs: list[Job]) -> None:
    """Run them side by side; end with what has not passed."""
    with leaving_docker_as_found(), phase(f"{len(jobs)} to run, {workers()} at a time"):
        wrong = Pool(ROOT, workers(), lambda text: print(text, flush=True)).run(jobs)
        if wrong:
            fail("\n".join(["These have not passed:", *(f"  {name}: {problem}" for name, problem in wrong.items())]))


def scenario_jobs(wanted: Collection[str]) -> list[Job]:
    """A job for each scenario, and for each state that one of them stands on; and one for ansible-test."""
    records = scenarios.load()
    jobs = []
    if (name := scenarios.SANITY) in wanted:
        noted = Noted(name, OUTPUT / f"{name}.log")
        jobs.append(Job(name, ["python", "tests/sanity.py"], scenarios.seconds(name, records), noted.log, before=noted.before, after=noted.after))
        wanted = [one for one in wanted if one != name]
    for name in systems.STATES:
        if any(name in systems.chain(scenarios.state(scenario)) for scenario in wanted):
            state = systems.state(name)
            needs = f"state {state.before}" if state.before else ""
            make = ["python", "molecule/shared/systems.py", "make", name]
            there = shutil.which("docker") is not None and systems.is_there(state)
            leave = partial(remove_systems, f"todochat-state-{name}")
            log = OUTPUT / f"make-state-{name}.log"
            jobs += [] if there else [Job(f"state {name}", make, STATE_SECONDS, log, needs, first=True, broken_off=leave)]
    for name in wanted:
        needs = f"state {scenarios.state(name)}" if scenarios.state(name) else ""
        log = OUTPUT / f"{name}.log"
        noted = Noted(name, log)
        command = ["molecule", "test", "--no-command-borders", "--scenario-name", name]
        leave = partial(remove_systems, *(platform["name"] for platform in scenarios.platforms(name)))
        took = scenarios.seconds(name, records)
        jobs.append(Job(name, command, took, log, needs, scenarios.alone(name), before=noted.before, after=noted.after, broken_off=leave))
    return jobs


def remove_systems(*containers: str) -> None:
    for container in containers:
        systems.remove(container)


class Noted:
    """Notes in the records how a scenario ended."""

    turn = threading.Lock()

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self.inputs = ""

    def before(self) -> None:
        self.inputs = dependencies.inputs_hash(self.name)

    def after(self, passed: bool, took: float) -> str:
        with self.turn:
            if passed:
                return scenarios.note_pass(self.name, self.inputs, took, self.log)
            scenarios.note_failure(self.name, self.inputs, self.log)
            return "it failed"


def service_tests() -> list[Job]:
    """What needs no system of its own, and runs each time."""
    own = ["python", "tests/run.py"]
    return [
        Job("charts", [*own, "charts"], CHARTS_SECONDS, OUTPUT / "charts.log"),
        Job("backend", [*own, "backend"], BACKEND_SECONDS, OUTPUT / "backend.log"),
    ]


def workers() -> int:
    """How many scenarios run side by side: each needs a core, and the memory of a cluster."""
    if given := os.environ.get("JOBS"):
        if not given.isdecimal() or given == "0":
            fail(f"JOBS={given} is no number of scenarios to run side by side. Give 1 or more.", 2)
        return int(given)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(os.cpu_count() or 1, memory // SCENARIO_BYTES))


def limit(variable: str) -> float:
    """The seconds of a variable in minutes; 0 where it is not given."""
    given = os.environ.get(variable, "") or "0"
    if not given.isdecimal():
        fail(f"{variable}={given} is no number of minutes. Give a whole one, such as {variable}=80, or leave it out.", 2)
    return 60.0 * int(given)


def seconds_to_fill_the_store() -> float:
    """By the lock's own figures: what would have to be built of what is not in the store."""
    lock, store = Lock(LOCK), Store(STORE)
    return float(sum(artifact.seconds for artifact in lock.artifacts.values() if not store.has(artifact)))


def prepare(*options: str) -> None:
    with phase("This machine has an engine, the artifacts and a browser"):
        run("python", "bootstrap", "--test", "--", "ansible-playbook", "tests/prepare.yml", *options)


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


def test_charts() -> None:
    run("python", "tests/charts/manifest_tools.py")
    run("python", "-m", "pytest", "tests/charts", "--quiet")


def lock() -> None:
    """Say what is newer than what is pinned; then resolve each lock's *.in anew, with hashes from the configured package index, take Debian's packages of
    today, and record upstream's image digests."""
    with phase("What is newer than what is pinned"):
        attempt("python", "tests/newer.py")  # whatever becomes of it
    locks = {
        "requirements/controller": [],
        "requirements/test": ["--constraints", "requirements/controller.txt"],
        "requirements/assistant": [],
        "requirements/operations": ["--constraints", "requirements/controller.txt"],
        "requirements/bundle": [],
        "requirements/weights": ["--no-deps"],
        "roles/ai_devops/files/holmesgpt": [],
        "tests/site/requirements": [],
    }
    for name, constraints in locks.items():
        with phase(f"{name}.txt"):
            options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--system-certs", "--quiet"]
            files = [f"{name}.in", "--output-file", f"{name}.txt"]
            run("uv", "pip", "compile", *options, "--custom-compile-command", "make lock", *constraints, *files)
    with phase("artifacts.lock.yml: the day of Debian's packages, and what is unrecorded, read from upstream"):
        run("python", "scripts/lock")


def test_backend() -> None:
    """Run the image's own tests in a network that leads nowhere."""
    run_backend_tests("none")


def run_backend_tests(network: str, *arguments: str, options: Sequence[str] = (), **files: str) -> None:
    """Run the image's own tests beside a PostgreSQL that exists for them alone; `files` are beside its password in /run/secrets/todochat."""
    image = "todochat/backend-test"
    bases = {argument: Lock(LOCK)[base] for argument, base in BASES.items()}
    postgres = Lock(LOCK)["postgres"]
    for artifact in (*bases.values(), postgres):
        load_where_missing(artifact)
    built_from = [f"--build-arg={argument}={base.reference}" for argument, base in bases.items()]
    with build_secrets(Path.home(), OUTPUT / "private") as given:
        mounts = [f"--secret=id={name},src={path}" for name, path in given.items()]
        run("docker", "build", "--quiet", "--target=test", f"--tag={image}", *built_from, *mounts, "apps/backend")
    name = f"todochat-backend-test-{os.getpid()}"
    with tempfile.TemporaryDirectory() as folder:
        password = secrets.token_hex(16)
        Path(folder, "password").write_text(password)
        files["database_url"] = f"postgresql://postgres:{password}@127.0.0.1:5432/postgres"
        for file, content in files.items():
            Path(folder, file).write_text(content)
        Path(folder).chmod(0o755)  # the containers' users read it
        mount = f"--volume={folder}:/run/secrets/todochat:ro"
        data = "--tmpfs=/var/lib/postgresql/data:uid=70,gid=70,mode=0700"
        settings = [
            "--env=POSTGRES_PASSWORD_FILE=/run/secrets/todochat/password",
            "--env=POSTGRES_INITDB_ARGS=--encoding=UTF8 --locale-provider=builtin --locale=C.UTF-8",
        ]
        try:
            run("docker", "run", "--detach", f"--name={name}", f"--network={network}", mount, data, *settings, postgres.reference)
            wait_for("docker", "exec", name, "pg_isready", "--quiet", "--host=127.0.0.1")
            run("docker", "run", "--rm", f"--name={name}-run", f"--network=container:{name}", mount, *options, image, *arguments)
        finally:
            subprocess.run(["docker", "rm", "--force", "--volumes", f"{name}-run", name], capture_output=True, check=False)


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


def end(number: int, _: object) -> NoReturn:
    """Breaks off, once: what runs is ended, and what it has made is removed; then this ends."""
    for one in ENDS:
        signal.signal(one, signal.SIG_IGN)
    print("Broken off: what runs is ended, and what it has made is removed ...", file=sys.stderr, flush=True)
    sys.exit(128 + number)


if __name__ == "__main__":
    for one in ENDS:
        signal.signal(one, end)
    os.environ["PYTHONPATH"] = str(ROOT / ".ansible/collections")
    known: dict[str, Callable[..., None]] = {
        "check": check,
        "test": prove_what_changed,
        "test-full": prove_everything,
        "machine": prove_machine,
        "lock": lock,
        "charts": test_charts,
        "backend": test_backend,
    }
    known[sys.argv[1]](*filter(None, sys.argv[2:]))
