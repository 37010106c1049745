#!/usr/bin/env python3
"""Times site.yml against plain.sh, a shell script that issues the same commands: from nothing, again, after an edit, back, and away.

    python3 bootstrap -- python bench/deployment.py [--runs N] [--cold] [--write]

Both sides deploy under a name of their own, one after the other, and are taken away again, also after a failure or
Ctrl-C. Both start warm: the engine, the tools and the store are there, the node's, registry's, database's and build
images are in Docker, and its layer cache holds both builds. Neither the cluster nor anything in it is there, nor in the
registry. What stays on the machine is what `make up` shares between deployments: engine, tools, store and the user who
runs minikube.

With --cold, a bare Debian system in a container, without a store, is first taken to the checked application once, all built from package registries.

Memory is how much less was available at the worst moment of a step than at its start, disk how much less was free, processor how long its cores were
at work together; all three are of the whole machine.
The exit status says whether every step worked; how the figures compare is for people to judge.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import platform
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from types import FrameType
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / ".ansible/collections"), str(ROOT / "molecule/shared")]

import systems  # noqa: E402
from ansible_collections.todochat.platform.plugins.module_utils.images.build import build_secrets  # noqa: E402
from ansible_collections.todochat.platform.plugins.module_utils.images.pushed import Pushed  # noqa: E402
from ansible_collections.todochat.platform.plugins.module_utils.release.running_images import wrong_images  # noqa: E402
from ansible_collections.todochat.platform.plugins.module_utils.store.load import is_loaded, load  # noqa: E402
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock  # noqa: E402
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store  # noqa: E402
from bench.roles import costs  # noqa: E402
from checkout import listed_files  # noqa: E402

# Nobody else's deployment has this name, so whatever has it is left from a run of this script.
NAME = "todochat-bench"
REGISTRY = "127.0.0.1:5090"
COLD = f"{NAME}-cold"
SETTINGS: dict[str, Any] = {
    "deployment_name": NAME,
    "deployment_subnet": "192.168.86.0/24",
    "deployment_gateway": "192.168.86.1",
    "deployment_registry_address": "192.168.86.250",
    "deployment_database_address": "192.168.86.251",
    "deployment_frontend_port": 30090,
    "image_registry_endpoint": REGISTRY,
}
# What the images are made from, a builder and a runtime of each.
BASES = ("python", "node")
PROGRAMS = Path("/opt/todochat/bin")
CLUSTER_PROGRAMS = ("kubeadm", "kubelet", "kubectl")
EDITED = "backend/src/todo_backend/app.py"
REST = "the rest"
LAST_LINES = 40
RESULT = ROOT / "BENCH.md"
SAMPLE_SECONDS = 0.2
GATE_SECONDS = 60
# Shorter parts are not shown, and a ratio to less says nothing.
SHORT_SECONDS = 0.5
END_SECONDS = 20


class StepError(Exception):
    """A step of the measurement that failed, by its name, and what it printed last."""


@dataclass
class Timing:
    """How long a step took: in all, by part, and with how many module tasks where Ansible counted them."""

    seconds: float
    parts: dict[str, float] = field(default_factory=dict)
    modules: int | None = None
    use: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Seconds of processors, and MiB of memory and of disk at the worst moment."""


Side = dict[str, Timing]
"""What each step of one deployment took."""


@dataclass(frozen=True)
class Row:
    """One line of the result: ours beside the baseline, and the goal of their ratio or of ours alone."""

    title: str
    ours: float | None
    plain: float | None = None
    goal: str = ""
    digits: int = 1
    use: tuple[str, str, str] = ("", "", "")

    def cells(self) -> list[str]:
        def shown(value: float | None) -> str:
            return "" if value is None else f"{value:.{self.digits}f}"

        ratio = f"{self.ours / self.plain:.2f}" if self.ours is not None and self.plain and self.plain >= SHORT_SECONDS else ""
        return [self.title, shown(self.ours), shown(self.plain), ratio, self.goal, *self.use]


def main() -> None:
    parser = argparse.ArgumentParser(description="Time site.yml against the plain shell script that issues the same commands.")
    parser.add_argument("--runs", type=int, default=1, help="how often each side deploys, in turns; medians are printed")
    parser.add_argument("--cold", action="store_true", help="first of all from package registries, without a store, on a bare system")
    parser.add_argument("--write", action="store_true", help=f"keep the result in {RESULT.name}")
    given = parser.parse_args()
    runs = given.runs
    signal.signal(signal.SIGTERM, terminated)
    lock, store = Lock(ROOT / "artifacts.lock.yml"), Store(Path.home() / ".cache/todochat/store")
    store.path.mkdir(parents=True, exist_ok=True)
    found = [machine()]
    print(found[0], flush=True)
    try:
        with alone(store.path.parent), tempfile.TemporaryDirectory(prefix="todochat-bench-") as folder:
            bench = Bench(Path(folder), lock, store)
            bench.prepare()
            from_registries = [bench.cold()] if given.cold else []
            sides: dict[str, list[Side]] = {"site.yml": [], "plain.sh": []}
            for number in range(runs):
                order = [*sides.items()]
                # in turns, so that neither side always has the cooler machine
                for name, taken in order if number % 2 == 0 else reversed(order):
                    taken.append(bench.site() if name == "site.yml" else bench.plain())
    except StepError as error:
        sys.exit(f"bench/deployment.py: {error}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    for timing in from_registries:
        sides["site.yml"][0]["cold"] = timing
    found += [table(rows(*sides.values())), table(part_rows(*sides.values()))]
    print("\n" + "\n\n".join(found[1:]))
    if given.write:
        said = {"arguments": " ".join(sys.argv[1:]), "date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": found[0], "runs": runs}
        RESULT.write_text(PAGE.format(**said, rows=found[1], parts=found[2]), encoding="utf-8")


PAGE = """# How fast it is

`make bench ARGS='{arguments}'` measured this on {date}: {machine}. Figures are medians of {runs}. Beside site.yml stands
[plain.sh](bench/plain.sh), a shell script that issues the same commands, and checks, compares and explains nothing. All is in seconds; processor is
what all cores worked together; memory and disk, in MiB, are what the whole machine had less of at the worst moment of a step; each of site.yml and of
plain.sh.

{rows}

Where the time went, in seconds: what took half a second or more on one side.

{parts}
"""


def terminated(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(128 + signal.SIGTERM)


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, Linux {platform.release()}; load at the start {os.getloadavg()[0]:.1f}"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One run at a time; StepError while there is another."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise StepError("another run is under way, and both would deploy under the same name; wait for it to end.") from None
    finally:
        os.close(descriptor)


class Bench:
    """Runs the steps of both sides, with all that they leave below ``folder``."""

    def __init__(self, folder: Path, lock: Lock, store: Store) -> None:
        self.folder = folder
        self.lock = lock
        self.store = store
        self.sources = folder / "apps"
        self.kubeconfig = folder / "state/kubeconfig"
        self._marker = f"TODOCHAT_BENCH={secrets.token_hex(8)}"
        self._steps = 0

    def prepare(self) -> None:
        """What both sides find: engine, tools, store, images and layers; and nothing left of an earlier run."""
        self.copy_sources()
        self._playbook("engine, tools and store", "site.yml", "--tags=artifact,container_engine,kubernetes_tools")
        with self._own_files() as environment:
            self._script("leftovers", "down", environment)
        for artifact in (self.lock[name] for name in ("kicbase", "registry", "postgres", "metrics-server")):
            if not is_loaded(artifact):
                load(artifact, self.store)
        with self._deployment():
            self._playbook("both images, with their layers", "site.yml", "--tags=network,image_registry,app_images")

    def site(self) -> Side:
        """One deployment by site.yml, from nothing to nothing."""
        with self._deployment():
            side = {"first": self._playbook("site.yml", "site.yml"), "second": self._playbook("second run", "site.yml")}
            side["plan"] = self._playbook("plan", "site.yml", "--check", "--diff")
            side["status"] = self._playbook("status", "playbooks/status.yml")
            self._edit()
            start = time.monotonic()
            side["edit"] = self._playbook("edited line", "site.yml", "--tags=app_images,app_release")
            self._wait_for_digest()
            side["edit"].seconds = time.monotonic() - start
            side["back"] = self._playbook("rollback", "playbooks/rollback.yml")
            side["away"] = self._playbook("taken away", "playbooks/down.yml", "--extra-vars=remove=application,cluster,data")
        return side

    def plain(self) -> Side:
        """The same by plain.sh."""
        with self._deployment() as environment:
            side = {"first": self._script("plain.sh", "up", environment), "second": self._script("second run", "up", environment)}
            self._edit()
            side["edit"] = self._script("edited line", "edit", environment)
            side["back"] = self._script("rollback", "back", environment)
            side["away"] = self._script("taken away", "down", environment)
        return side

    def cold(self) -> Timing:
        """A bare Debian system is taken to the checked application, with nothing of what this machine has built."""
        events = self.folder / "events.jsonl"
        command = "cd todochat && make up ARGS='-e artifact_store=/home/tester/store'"
        try:
            systems.start(COLD, systems.RELEASE, bare=True)
            timing, lines = self._run("from package registries", ["docker", "exec", COLD, "su", "--login", "tester", "--command", command], {})
            systems.run("docker", "cp", f"{COLD}:/home/tester/.local/state/todochat/events.jsonl", str(events))
        finally:
            systems.remove(COLD)
        timing.parts, timing.modules = by_role(events, timing.seconds), counted_modules(line for _, line in lines)
        return timing

    def copy_sources(self) -> None:
        """The applications as they are in the checkout, links included, in the place of what an earlier step made of them."""
        shutil.rmtree(self.sources, ignore_errors=True)
        for name in listed_files(ROOT, self.sources.name):
            copy = self.folder / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy, follow_symlinks=False)

    def variables(self) -> dict[str, Any]:
        """What site.yml is told."""
        places = {"deployment_config_dir": self.folder / "config", "deployment_state_dir": self.folder / "state", "app_images_source": self.sources}
        return SETTINGS | {name: str(path) for name, path in places.items()}

    @contextmanager
    def _deployment(self) -> Iterator[dict[str, str]]:
        """Fresh sources and an empty state; whatever happens, what was deployed is gone afterwards."""
        self.copy_sources()
        shutil.rmtree(self.folder / "state", ignore_errors=True)
        shutil.rmtree(self.folder / "config", ignore_errors=True)
        with self._own_files() as environment:
            try:
                yield environment
            finally:
                end_processes(self._marker)
                self._script("nothing is left", "down", environment)

    @contextmanager
    def _own_files(self) -> Iterator[dict[str, str]]:
        """The variables of plain.sh, with the files that they name."""
        cache, given, made = self.folder / "cache", self.folder / "build-secrets", self.folder / "state/secrets"
        for folder in (cache, given):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in (cache, given, made):
            folder.mkdir(parents=True)
        for name, artifact in self.lock.artifacts.items():
            if name in CLUSTER_PROGRAMS:
                place = cache / "linux" / self.lock.architecture / artifact.version / name
            elif artifact.image:
                place = cache / "images" / self.lock.architecture / artifact.image.replace(":", "_")
            else:
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(self.store.file(artifact))
        defaults = yaml.safe_load((ROOT / "roles/minikube/defaults/main.yml").read_text(encoding="utf-8"))
        with build_secrets(Path.home(), given / "private") as files:
            for name, file in files.items():
                (given / name).symlink_to(file)
            yield {
                "NAME": NAME,
                "SUBNET": SETTINGS["deployment_subnet"],
                "GATEWAY": SETTINGS["deployment_gateway"],
                "REGISTRY": REGISTRY,
                "REGISTRY_ADDRESS": SETTINGS["deployment_registry_address"],
                "DATABASE_ADDRESS": SETTINGS["deployment_database_address"],
                "FRONTEND_PORT": str(SETTINGS["deployment_frontend_port"]),
                "CPUS": str(defaults["minikube_cpus"]),
                "MEMORY": str(defaults["minikube_memory"]),
                "KUBERNETES_VERSION": defaults["minikube_kubernetes_version"],
                "NODE_IMAGE": self.lock["kicbase"].reference,
                "REGISTRY_IMAGE": self.lock["registry"].reference,
                "POSTGRES_IMAGE": self.lock["postgres"].reference,
                "METRICS_SERVER_IMAGE": self.lock["metrics-server"].reference,
                "METRICS_SERVER_CHART": str(ROOT / "roles/metrics_server/files/chart"),
                **{f"{base}_{part}_IMAGE".upper(): self.lock[f"{base}-{part}"].reference for base in BASES for part in ("builder", "runtime")},
                **{name.upper(): str(PROGRAMS / name) for name in ("minikube", "kubectl", "helm")},
                "KUBECONFIG": str(self.kubeconfig),
                "SOURCES": str(self.sources),
                "SECRETS": str(made),
                "BUILD_SECRETS": str(given),
                "CACHE": str(cache),
            }

    def _edit(self) -> None:
        """One line more in the backend, another one each time, so that no build has seen it."""
        with (self.sources / EDITED).open("a", encoding="utf-8") as file:
            file.write(f"# {secrets.token_hex(8)}\n")

    def _playbook(self, title: str, playbook: str, *arguments: str) -> Timing:
        """Runs a playbook as make does."""
        variables = self.folder / "variables.json"
        variables.write_text(json.dumps(self.variables()))
        view = self.folder / "view"
        shutil.rmtree(view, ignore_errors=True)
        password = self.folder / "vault-password"
        if not password.exists():  # it goes with the last vault
            password.touch(mode=0o600)
            password.write_text(secrets.token_urlsafe(32))
        environment = {"ANSIBLE_VAULT_PASSWORD_FILE": str(password), "XDG_STATE_HOME": str(view)}
        command = [sys.executable, "bootstrap", "--", "ansible-playbook", playbook, f"--extra-vars=@{variables}", *arguments]
        timing, lines = self._run(title, command, environment)
        timing.parts = by_role(view / "todochat/events.jsonl", timing.seconds)
        timing.modules = counted_modules(line for _, line in lines)
        return timing

    def _script(self, title: str, command: str, environment: Mapping[str, str]) -> Timing:
        timing, lines = self._run(title, [str(ROOT / "bench/plain.sh"), command], environment)
        timing.parts = parts_of_script(lines, timing.seconds)
        return timing

    def _run(self, title: str, command: Sequence[str], environment: Mapping[str, str]) -> tuple[Timing, list[tuple[float, str]]]:
        """What it took, and each line with the second at which it came. StepError with the last of them when it fails."""
        name, _, value = self._marker.partition("=")
        print(f"{title:32}", end="", flush=True)
        start = time.monotonic()
        # A session of its own: Ctrl-C is for this script, which ends what it started and then takes it away.
        with (
            Use() as use,
            subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **environment, name: value},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            ) as process,
        ):
            assert process.stdout is not None
            try:
                lines = [(time.monotonic() - start, line.rstrip()) for line in process.stdout]
            except BaseException:
                print("broken off", flush=True)
                end_processes(self._marker)
                raise
        seconds = time.monotonic() - start
        print(f"{seconds:7.1f} s" if process.returncode == 0 else "failed", flush=True)
        if process.returncode:
            last = "\n".join(line for _, line in lines[-LAST_LINES:])
            raise StepError(f"the step '{title}' failed with exit status {process.returncode}. Its last lines:\n{last}")
        return Timing(seconds, use=use.most), lines

    def _wait_for_digest(self) -> None:
        """Returns when every pod of the backend runs what was built last, as the check of site.yml sees it."""
        digest = Pushed().current(f"{REGISTRY}/{NAME}/backend")
        get = [str(PROGRAMS / "kubectl"), f"--kubeconfig={self.kubeconfig}", f"--namespace={NAME}", "get", "pods", "--output=json"]
        deadline = time.monotonic() + GATE_SECONDS
        while problems := wrong_images(json.loads(subprocess.run(get, capture_output=True, check=True).stdout)["items"], {"backend": digest}):
            if time.monotonic() > deadline:
                raise StepError(f"the edited backend does not serve after {GATE_SECONDS} s: {'; '.join(problems)}")
            time.sleep(0.2)


class Use:
    """What the machine needs while it is open: seconds of its processors, and MiB of memory, and of disk where Docker is, at the worst moment."""

    def __enter__(self) -> Use:
        self.most = (0.0, 0.0, 0.0)
        self._begin = self._now()
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()

    def _look(self) -> None:
        over = False
        while not over:
            over = self._over.wait(SAMPLE_SECONDS)
            processor, memory, disk = (now - begin for now, begin in zip(self._now(), self._begin, strict=True))
            self.most = (processor, max(self.most[1], memory), max(self.most[2], disk))

    @staticmethod
    def _now() -> tuple[float, float, float]:
        user, nice, system, _, _, interrupts, soft = map(int, Path("/proc/stat").read_text(encoding="ascii").split()[1:8])
        available = re.search(r"^MemAvailable: +(\d+) kB$", Path("/proc/meminfo").read_text(encoding="ascii"), re.MULTILINE)
        assert available
        used = (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")
        return used, -int(available[1]) / 2**10, -shutil.disk_usage("/var/lib").free / 2**20


def by_role(events: Path, seconds: float) -> dict[str, float]:
    """What each role took of so many seconds, and the rest."""
    parts = {role: cost["seconds"] for role, cost in costs(events).items() if role} if events.exists() else {}
    return parts | {REST: seconds - sum(parts.values())}


def end_processes(marker: str) -> None:
    """Ends all that was started with the marker in its environment: Ansible's workers leave its session and outlive it."""
    deadline = time.monotonic() + END_SECONDS
    while found := marked(marker):
        for pid in found:
            try:
                os.kill(pid, signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.2)


def marked(marker: str) -> list[int]:
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            if marker.encode() in file.read_bytes().split(b"\0"):
                found.append(int(file.parent.name))
        except OSError:  # somebody else's, or it has ended
            continue
    return found


def parts_of_script(lines: Sequence[tuple[float, str]], seconds: float) -> dict[str, float]:
    """Seconds of each part of plain.sh, from the lines that begin them."""
    begins = [(at, line.removeprefix("== ")) for at, line in lines if line.startswith("== ")]
    return {name: end - at for (at, name), (end, _) in pairwise([*begins, (seconds, "")])}


def counted_modules(lines: Iterator[str]) -> int | None:
    """How many module tasks ran, where the summary says it."""
    found = [int(match[1]) for line in lines if (match := re.search(r"\bmodules=(\d+)", line))]
    return found[-1] if found else None


def rows(ours: Sequence[Side], plain: Sequence[Side]) -> list[Row]:
    """What was asked, each beside its baseline."""

    def middle(sides: Sequence[Side], step: str, of: Callable[[Timing], float]) -> float | None:
        found = [of(side[step]) for side in sides if step in side]
        return median(found) if found else None

    def row(step: str, title: str, goal: str, value: Callable[[Timing], float] = lambda timing: timing.seconds) -> Row:
        def used(which: int) -> str:
            found = [middle(sides, step, lambda timing: timing.use[which]) for sides in (ours, plain)]
            return " / ".join(f"{one:.0f}" for one in found if one is not None)

        return Row(title, middle(ours, step, value), middle(plain, step, value), goal, use=(used(0), used(1), used(2)))

    counted = [side["second"].modules for side in ours if side["second"].modules is not None]
    return [
        row("first", "nothing to checked healthy", "<= 0.75"),
        row("second", "second run, nothing to do", "<= 4 s"),
        Row("second run, module tasks", max(counted, default=None), goal="<= 5", digits=0),
        row("edit", "one edited line until it serves", "<= 0.60"),
        replace(row("edit", "its image alone", "<= 0.15", lambda timing: timing.parts["app_images"]), use=("", "", "")),
        row("back", "rollback until it serves", "<= Helm's + 4 s"),
        row("away", "taken away", "<= 1.2"),
        row("status", "`make status`", "<= 1.5 s"),
        row("plan", "`make plan`", "<= 4 s"),
        *([row("cold", "cold from package registries, bare machine", "<= 840 s")] if "cold" in ours[0] else []),
    ]


def part_rows(ours: Sequence[Side], plain: Sequence[Side]) -> list[Row]:
    """Where the time goes, by role. The node's pull from the registry is a part of our release, not of our image."""

    def of(part: str, step: str, sides: Sequence[Side]) -> float | None:
        found = [side[step].parts[part] for side in sides if step in side and part in side[step].parts]
        return median(found) if found else None

    found = [Row(f"{step}: {part}", of(part, step, ours), of(part, step, plain)) for step, timing in ours[0].items() for part in timing.parts]
    return [row for row in found if max(row.ours or 0, row.plain or 0) >= SHORT_SECONDS]


def table(lines: Sequence[Row]) -> str:
    """In Markdown, with its columns in line; those that are empty throughout are left out."""
    head = ["", "site.yml", "plain.sh", "ratio", "goal", "processor", "memory", "disk"]
    columns = [column for column in zip(head, *(row.cells() for row in lines), strict=True) if column[0] == "" or any(column[1:])]
    widths = [max(map(len, column)) for column in columns]
    cells = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in zip(*columns, strict=True)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [cells[0], ["-" * width for width in widths], *cells[1:]])


if __name__ == "__main__":
    main()
