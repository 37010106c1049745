#!/usr/bin/env python3
"""The systems that scenarios run on: a freshly installed Debian, or a clone of one on which something has been made already.

    systems.py start CONTAINER RELEASE [--state STATE] [--bare] [--bundle rw|ro]
                                                                    the system runs, with the checkout in its user's home
    systems.py remove CONTAINER                                    it is gone, and tests/output has what it read of the checkout
    systems.py make STATE                                          that state is there, made where there is none of its inputs

States are listed in states.yml, each made on a clone of the one before it. One is an image, of what is below /, and a volume, of what is
below /var, where Docker keeps what no image can hold. Both are named by a hash of all that decides what is in them. A system that is
not `bare` shares a Python environment with all others of its release, made once as the lock files say.

With `--bundle`, a folder of this machine is /media/bundle there. CONTAINER-writer may write to it (rw); CONTAINER reads it (ro), and has neither
this machine's store nor any network: nothing leaves it, and what would is noted (see egress.py).
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml

import checkout
import fresh_system

ROOT = Path(__file__).resolve().parents[2]
STATES: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("states.yml").read_text(encoding="utf-8"))
RELEASE = "bookworm"
OUTPUT = ROOT / "tests/output"
LOCKS = Path.home() / ".cache/todochat-test/locks"
STORE = Path.home() / ".cache/todochat/store"
HOME = "/home/tester"
EGRESS = "/var/log/egress"
KUBECTL = f"KUBECONFIG={HOME}/.local/state/todochat/todo/kubeconfig /opt/todochat/bin/kubectl"
# Made when the checkout is laid: what of it is opened later has been read by the scenario.
LAID = "/laid"
# Clones have the same pods, so groups of processes by the same names. Docker gives each container a tree of its own for those of the
# older cgroups that this machine has mounted; in the others a system makes it for itself.
OF_ITS_OWN = """
set -e
while IFS=: read -r _ controllers _; do
    [ -n "$controllers" ] && [ ! -e "/sys/fs/cgroup/${controllers#name=}" ] || continue
    mount -t cgroup -o "$controllers" cgroup /mnt
    mkdir -p "/mnt/$(hostname)"
    echo $$ > "/mnt/$(hostname)/cgroup.procs"
    umount /mnt
done < /proc/self/cgroup
exec unshare --cgroup "$@"
"""
BOOT_SECONDS = 60
# The node, its own pods and the application come back one after the other, beside another system that does the same.
RETURN_SECONDS = 300
STOP_SECONDS = 180
WRITER = "-writer"
# What decides nothing of what `make up` makes.
OF_TESTS = ("molecule/", "tests/", "docs/", "bench/", ".ci/", ".ansible-lint")


class State(NamedTuple):
    """One of states.yml, where it is kept: below / in the image, below /var in the volume."""

    name: str
    tags: list[str]
    before: str
    key: str

    @property
    def image(self) -> str:
        return f"todochat/state-{self.name}:{self.key}"

    @property
    def volume(self) -> str:
        return f"todochat-state-{self.name}-{self.key}"

    @property
    def has_cluster(self) -> bool:
        return "minikube" in self.tags or (self.before != "" and state(self.before).has_cluster)


def state(name: str) -> State:
    """The state of this checkout, which need not be there yet."""
    tags, before = STATES[name]["tags"], STATES[name].get("before", "")
    digest = hashlib.sha256(f"{tags}\0{state(before).key if before else fresh_system.image_name(RELEASE)}".encode())
    digest.update(Path(__file__).read_bytes())
    for file in checkout.listed_files(ROOT):
        if not file.startswith(OF_TESTS) and not file.endswith("README.md"):
            digest.update(f"{file}\0".encode() + checkout.content(ROOT / file))
    return State(name, tags, before, digest.hexdigest()[:12])


def chain(name: str) -> list[str]:
    """A state and those before it, the first one first; none for no state."""
    return [*chain(STATES[name].get("before", "")), name] if name else []


def is_there(wanted: State) -> bool:
    return succeeds("docker", "image", "inspect", wanted.image) and succeeds("docker", "volume", "inspect", wanted.volume)


def start(container: str, release: str, on: State | None = None, bare: bool = False, bundle: str = "") -> None:
    """The system runs as after a boot, knows this machine's certificates and registries, and has the checkout. It was not there before."""
    cut = bundle == "ro"
    mounts = ["--network=none"] if cut else [f"--volume={STORE}:{HOME}/.cache/todochat/store:ro"]
    if bundle:
        bundle_folder(container).mkdir(parents=True, exist_ok=True)
        bundle_folder(container).chmod(0o777)
        mounts.append(f"--volume={bundle_folder(container)}:/media/bundle:{bundle}")
    if not bare:
        mounts.append(f"--volume=todochat-test-environment-{release}:{HOME}/todochat/.venv")
    create = ["docker", "create", f"--name={container}", f"--hostname={container.replace('_', '-')}", "--privileged", "--pull=never"]
    create += ["--tmpfs=/run", "--tmpfs=/tmp:exec,mode=1777", *mounts]
    if on:
        with locked(on.name):
            make(on)
            run(*create, "--mount=type=volume,destination=/var,volume-nocopy", on.image, *init(release))
            run("cp", "--archive", "--reflink=auto", f"{volume_folder(on.volume)}/.", var_of(container))
    else:
        with locked(f"fresh-{release}"):
            image = fresh_system.image(release)
        run(*create, "--mount=type=volume,destination=/var", image, *init(release))
    booted = datetime.now(UTC)
    run("docker", "start", container)
    until(lambda: boot_problem(container), BOOT_SECONDS)
    if not on and not cut:
        fresh_system.furnish(container)
    lay_checkout(container)
    if cut:
        # As Debian's installer leaves it where no mirror was chosen; Docker writes no name of a system that has no network.
        left = 'rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*; echo "127.0.1.1 $(hostname)" >> /etc/hosts'
        run("docker", "exec", container, "sh", "-c", left)
        run("docker", "exec", "--detach", container, "python3", f"{HOME}/todochat/molecule/shared/egress.py", EGRESS)
        until(lambda: "" if succeeds("docker", "exec", container, "grep", "--quiet", "^watching$", EGRESS) else "nobody watches", BOOT_SECONDS)
    if not bare:
        with locked(f"environment-{release}"):
            as_tester(container, "python3 bootstrap", OUTPUT / f"{container}-environment.log")
    if on and on.has_cluster:
        until(lambda: return_problem(container, booted), RETURN_SECONDS)


def make(wanted: State) -> None:
    """The state is there, and those before it. Only one process may do so at a time, see `locked`."""
    if is_there(wanted):
        return
    container = f"todochat-state-{wanted.name}"
    remove(container)
    began = time.monotonic()
    try:
        start(container, RELEASE, state(wanted.before) if wanted.before else None)
        as_tester(container, f"make up ARGS='--tags {','.join(wanted.tags)}'", OUTPUT / f"{container}.log")
        run("docker", "stop", "--signal=SIGRTMIN+3", f"--time={STOP_SECONDS}", container)
        # Its name is the proof that all of it was copied, so the image comes last.
        subprocess.run(["docker", "volume", "rm", "--force", wanted.volume], capture_output=True, check=True)
        run("docker", "volume", "create", wanted.volume)
        run("cp", "--archive", "--reflink=auto", f"{var_of(container)}/.", volume_folder(wanted.volume))
        run("docker", "commit", container, wanted.image)
    finally:
        remove(container)
    forget_older(wanted)
    print(f"The state {wanted.name} ({wanted.key}) was made in {time.monotonic() - began:.0f} s.", flush=True)


def forget_older(newest: State) -> None:
    """They take gigabytes, and are made anew in minutes."""
    listed = output("docker", "image", "ls", "--format={{.Tag}}", f"todochat/state-{newest.name}").split()
    for key in set(listed) - {newest.key}:
        old = newest._replace(key=key)
        run("docker", "image", "rm", "--force", old.image)
        run("docker", "volume", "rm", "--force", old.volume)


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Nobody else makes or clones what goes by this name meanwhile."""
    LOCKS.mkdir(parents=True, exist_ok=True)
    with (LOCKS / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def init(release: str) -> list[str]:
    """The command of a system's first process. Systemd after Debian 12 boots on the older cgroups only when told twice."""
    if Path("/sys/fs/cgroup/cgroup.controllers").exists():
        return ["/sbin/init"]
    told = ["SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1", "systemd.unified_cgroup_hierarchy=0"] if release != "bookworm" else []
    return ["sh", "-c", OF_ITS_OWN, "init", "/sbin/init", *told]


def lay_checkout(container: str) -> None:
    """The user's checkout is this one; nothing of another that was there before stays, but the environment."""
    inside = ["docker", "exec", "--interactive", "--user=tester", f"--workdir={HOME}/todochat", container]
    script = "find . -mindepth 1 -maxdepth 1 ! -name .venv -exec rm -r {} + && tar --extract"
    done = subprocess.run([*inside, "sh", "-c", script], input=checkout.archive(ROOT), capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"The checkout could not be laid in {container}: {done.stderr.decode(errors='replace')}")
    run("docker", "exec", container, "touch", LAID)


def boot_problem(container: str) -> str:
    said = subprocess.run(["docker", "exec", container, "systemctl", "is-system-running", "--wait"], capture_output=True, text=True, check=False).stdout.strip()
    if said == "degraded":
        sys.exit(f"{container} has booted with a failure:\n{output('docker', 'exec', container, 'systemctl', '--failed', '--no-pager')}")
    return "" if said == "running" else f"{container} has not booted: {said}"


def return_problem(container: str, booted: datetime) -> str:
    """What of the cluster has not come back since the boot: a pod whose containers do not all run anew and are ready."""
    asked = ["docker", "exec", container, "su", "--login", "tester", "--command", f"{KUBECTL} get pods --all-namespaces --output json"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"{container}: {done.stderr.strip()[-300:]}"
    late = []
    for item in json.loads(done.stdout)["items"]:
        status, name = item["status"], item["metadata"]["name"]
        if item["metadata"].get("ownerReferences", [{}])[0].get("kind") == "Job":
            continue
        starts = [one["state"].get("running", {}).get("startedAt", "") for one in status.get("containerStatuses", [])]
        anew = bool(starts) and all(start and datetime.fromisoformat(start) >= booted.replace(microsecond=0) for start in starts)
        ready = any(condition["type"] == "Ready" and condition["status"] == "True" for condition in status.get("conditions", []))
        late += [] if anew and ready else [name]
    return f"{container}: these have not come back: {', '.join(late)}" if late else ""


def until(problem: Callable[[], str], seconds: float) -> None:
    """Return once there is no problem; end with the last one where it stays for so many seconds."""
    end = time.monotonic() + seconds
    while said := problem():
        if time.monotonic() > end:
            sys.exit(f"Not within {seconds:.0f} s: {said}")
        time.sleep(0.5)


def as_tester(container: str, command: str, log: Path) -> None:
    """The command succeeds in the checkout as the system's user after a login; the file holds what it prints."""
    log.parent.mkdir(exist_ok=True)
    with log.open("w", encoding="utf-8") as said:
        inside = ["docker", "exec", container, "su", "--login", "tester", "--command", f"cd todochat && {command}"]
        done = subprocess.run(inside, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        last = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-100:])
        sys.exit(f"`{command}` failed on {container}. The end of {log}:\n{last}")


def note_what_was_read(container: str) -> None:
    """Keeps the names of those files of the checkout that were opened since it was laid; whoever read them all says nothing."""
    find = f"cd {HOME}/todochat && find . -path ./.venv -prune -o -type f -anewer {LAID} -printf '%P\\n' | sort"
    done = subprocess.run(["docker", "exec", container, "sh", "-c", find], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        (OUTPUT / f"{container}-read.txt").write_text(done.stdout, encoding="utf-8")


def remove(container: str) -> None:
    """The system is gone, with its disk, and with the bundle that it has read."""
    subprocess.run(["docker", "rm", "--force", "--volumes", container], capture_output=True, check=False)
    if not container.endswith(WRITER):
        shutil.rmtree(bundle_folder(container), ignore_errors=True)


def bundle_folder(container: str) -> Path:
    """Where this machine has what /media/bundle is in a system, and in the one that writes it."""
    return LOCKS.parent / f"bundle-{container.removesuffix(WRITER)}"


def volume_folder(volume: str) -> str:
    return output("docker", "volume", "inspect", "--format={{.Mountpoint}}", volume)


def var_of(container: str) -> str:
    """Where this machine has what the system has below /var."""
    return output("docker", "inspect", '--format={{range .Mounts}}{{if eq .Destination "/var"}}{{.Source}}{{end}}{{end}}', container)


def output(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def run(*command: str) -> None:
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)


def succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description="The systems that scenarios run on.")
    commands = parser.add_subparsers(required=True, dest="command")
    starting = commands.add_parser("start")
    starting.add_argument("container")
    starting.add_argument("release")
    starting.add_argument("--state", choices=STATES)
    starting.add_argument("--bare", action="store_true")
    starting.add_argument("--bundle", choices=["rw", "ro"], default="")
    removing = commands.add_parser("remove")
    removing.add_argument("container")
    making = commands.add_parser("make")
    making.add_argument("state", choices=STATES)
    arguments = parser.parse_args()
    if arguments.command == "make":
        with locked(arguments.state):
            make(state(arguments.state))
    elif arguments.command == "remove":
        note_what_was_read(arguments.container)
        remove(arguments.container)
    else:
        start(arguments.container, arguments.release, state(arguments.state) if arguments.state else None, arguments.bare, arguments.bundle)


if __name__ == "__main__":
    main()
