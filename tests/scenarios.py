"""What is known of each Molecule scenario: the evidence of its last pass, and whether it has to run again.

A record says on what a scenario passed, when, how long it took and by which versions; it is written by the run that passed, and
committed. So is what failed: a pass of the very inputs that failed before is no proof. What a scenario's inputs are, dependencies.py says.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import contents
import dependencies  # first: it knows where the harness is
import fresh_system
import systems
import vm

ROOT = Path(__file__).resolve().parent.parent
RECORDS = ROOT / "tests/records.json"
EVIDENCE = {"inputs", "version", "date", "seconds", "kernel", "docker", "debian", "states", "load", "log"}
FAILURE = {"inputs", "version", "date", "log"}
# Of a scenario that has never run to its end.
UNKNOWN_SECONDS = 600
# The site runs each time; its record says how long that takes.
ALWAYS = "site"
# Records that no scenario makes: what ansible-test says of the collection, and the site's way on a real machine, which is proven when it is asked for.
SANITY = dependencies.SANITY
MACHINES = {f"vm_{release}": release for release in vm.RELEASES}

Records = dict[str, dict[str, dict[str, Any]]]


def load() -> Records:
    """All records: ``passed`` and ``failed``, by scenario."""
    return json.loads(RECORDS.read_text(encoding="utf-8")) if RECORDS.exists() else {"passed": {}, "failed": {}}


def problems(records: Records) -> list[str]:
    """What is missing in records that are to be evidence."""
    found = [f"{kind} is missing" for kind in ("passed", "failed") if kind not in records]
    for kind, fields in (("passed", EVIDENCE), ("failed", FAILURE)):
        for name, record in records.get(kind, {}).items():
            missing = sorted(field for field in fields if record.get(field) in (None, ""))
            found += [f"{kind}: {name}: {field} is missing" for field in missing]
            found += [f"{kind}: {name}: there is no such scenario"] if name not in (*everything(), *MACHINES) else []
    return found


def everything() -> list[str]:
    return [ALWAYS, *recorded()]


def recorded() -> list[str]:
    """What runs where its record says nothing of its inputs as they are."""
    return [*dependencies.names(), SANITY]


def platforms(name: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = contents.data(f"molecule/{name}/molecule.yml")["platforms"]
    return listed


def state(name: str) -> str:
    """The state that a scenario's system is a clone of, or nothing."""
    return str(platforms(name)[0].get("state", ""))


def alone(name: str) -> bool:
    """Whether it asserts seconds, so that nothing may run beside it."""
    return bool(platforms(name)[0].get("alone", False))


def inputs_hash(name: str) -> str:
    """The hash of all that decides its outcome now; a machine's is that of the site, and of what makes the machine."""
    if name not in MACHINES:
        return dependencies.inputs_hash(name)
    return hashlib.sha256(f"{dependencies.inputs_hash(ALWAYS)}\0{contents.digest('tests/vm.py')}".encode()).hexdigest()


def why_stale(name: str, records: Records) -> str:
    """Why a scenario has to run; nothing where its record holds."""
    record = records["passed"].get(name)
    if record is None:
        return "it has no record"
    if record["version"] != dependencies.VERSION:
        return "its record is of an older version"
    return "" if record["inputs"] == inputs_hash(name) else "its inputs have changed"


def seconds(name: str, records: Records) -> float:
    """How long it took when it last passed."""
    return float(records["passed"].get(name, {}).get("seconds", UNKNOWN_SECONDS))


def longest_ago(names: Iterable[str], records: Records, budget: float) -> list[str]:
    """Of these, those proven longest ago that fit into so many seconds; one in any case."""
    chosen: list[str] = []
    for name in sorted(names, key=lambda name: str(records["passed"][name]["date"])):
        if not chosen or sum(seconds(one, records) for one in (*chosen, name)) <= budget:
            chosen.append(name)
    return chosen


def failed_before(name: str, inputs: str, records: Records) -> bool:
    return bool(records["failed"].get(name, {}).get("inputs") == inputs)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def evidence(inputs: str, took: float, log: Path, versions: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a pass that has just ended."""
    passed = {"inputs": inputs, "version": dependencies.VERSION, "date": now(), "seconds": round(took)}
    return {**passed, **versions, "load": round(os.getloadavg()[2], 1), "log": digest(log)}


def versions_of(name: str) -> dict[str, Any]:
    """What a scenario ran on, or ansible-test, which needs no system."""
    if name == SANITY:
        own = {"kernel": platform.release(), "docker": "not used", "debian": f"{Path('/etc/debian_version').read_text(encoding='utf-8').strip()}, this one"}
        return {**own, "ansible": metadata.version("ansible-core"), "states": {}}
    releases = sorted({str(one["release"]) for one in platforms(name)})
    return {
        "kernel": platform.release(),
        "docker": said("docker", "version", "--format={{.Server.Version}}"),
        "debian": " ".join(f"{release} {debian_version(release)}" for release in releases),
        "states": {one: systems.state(one).key for one in systems.chain(state(name))},
    }


@cache
def debian_version(release: str) -> str:
    """The point release, and the image of the freshly installed system."""
    image = fresh_system.image_name(release)
    version = said("docker", "run", "--rm", "--network=none", "--pull=never", image, "cat", "/etc/debian_version")
    return f"{version} {said('docker', 'image', 'inspect', '--format={{.ID}}', image)[7:19]}"


def said(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def note_pass(name: str, inputs: str, took: float, log: Path, versions: Mapping[str, Any] | None = None) -> str:
    """Record a pass; returns why it could not be recorded, or nothing. ``versions`` are a machine's own."""
    if inputs_hash(name) != inputs:
        return "its inputs were edited meanwhile"
    records = load()
    if failed_before(name, inputs, records):
        return "it had failed with the same inputs: that is no proof. Find out why it failed"
    records["passed"][name] = evidence(inputs, took, log, versions or versions_of(name))
    records["failed"].pop(name, None)
    save(records)
    return ""


def note_failure(name: str, inputs: str, log: Path) -> None:
    records = load()
    records["failed"][name] = {"inputs": inputs, "version": dependencies.VERSION, "date": now(), "log": digest(log)}
    save(records)


def save(records: Records) -> None:
    draft = RECORDS.with_suffix(".draft")
    draft.write_text(json.dumps(records, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    draft.replace(RECORDS)


if __name__ == "__main__":
    known = load()
    for each in (*recorded(), *MACHINES):
        print(f"{each}: {why_stale(each, known) or 'proven'}")
