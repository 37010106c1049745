#!/usr/bin/env python3
"""Says which newer versions there are of what this checkout pins, what holds each back, and where what changed is told. Changes nothing.

Run by `make lock`. A program is asked for at its upstream, by the tags of its repository, and where that does not answer at Go's module proxy;
packages are asked for at the index or registry that the client on this machine is configured for. What nobody answers for is said, and is no failure.
"""

from __future__ import annotations

import datetime
import json
import re
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import run
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.store.build import go_environment
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Lock
from ansible_collections.todochat.platform.plugins.module_utils.store.supplies import Supply, ask_pip, unreachable
from checks import BACKEND, BACKEND_TOOLS, FRONTEND, NPM, ROOT, environment
from dependencies import listed_files

SECONDS = 60.0
"""For one answer."""
AT_ONCE = 8
ENOUGH = 3
"""A source that was asked so often, and never answered, is asked no more."""
CACHE = ROOT / ".cache/newer"
REPOSITORIES = "https://github.com"
UPSTREAM, PROXY, INDEX, REGISTRY = "upstream's repositories", "Go's module proxy", "Python's package index", "npm's registry"
# By an entry of the lock file: upstream's repository, and what holds the version back. All other entries move with one of these.
ARTIFACTS = {
    "kubelet": ("kubernetes/kubernetes", "minikube {minikube} knows none newer; Python's client `kubernetes` has the same minor version"),
    "minikube": ("kubernetes/minikube", ""),
    "helm": ("helm/helm", "Helm 4 was not tried, see docs/decisions.md"),
    "crictl": ("kubernetes-sigs/cri-tools", ""),
    "etcd": ("etcd-io/etcd", "Kubernetes {kubelet} asks for this one"),
    "coredns": ("coredns/coredns", "Kubernetes {kubelet} asks for this one"),
    "metrics-server": ("kubernetes-sigs/metrics-server", ""),
    "kube-router": ("cloudnativelabs/kube-router", "its manifest in role minikube is of this version"),
    "kubectl-ai": ("GoogleCloudPlatform/kubectl-ai", ""),
    "registry": ("distribution/distribution", "it is the one of Debian's release"),
    "postgres": ("postgres/postgres", "it is the one of Debian's release, and another one does not read this one's volume"),
    "python-runtime": ("python/cpython", "it is the one of Debian's release"),
    "node-runtime": ("nodejs/node", "it is the one of Debian's release, see docs/artifacts.md"),
}
NPM_HELD = {"@types/node": "they are those of the image's Node.js"}
# The Python that a lock file is for.
PYTHON, BACKENDS_PYTHON = "3.11", "3.13"
TURN = threading.Lock()


@dataclass(frozen=True)
class Release:
    """A newer version, the address of what changed, the day on which it came out, and what it needs; each "" or None where nobody said it."""

    version: str
    notes: str = ""
    day: datetime.date | None = None
    needs: str = ""


Newer = tuple[Release | None, Release | None]
"""The newest that takes no decision (of the same minor version; of a package as its requirement says), and the newest stable one at all."""


@dataclass(frozen=True, eq=False)
class Pin:
    """What is pinned, what holds it back, and who may be asked, one after the other until one answers, or raises UserError."""

    name: str
    version: str
    held: str
    sources: Mapping[str, Callable[[], Newer]]


def pins() -> Iterator[Pin]:
    """All that is pinned but Debian's packages, which have a day instead."""
    yield from artifacts()
    for file in sorted(ROOT.glob(".ci/github/*.yml")):
        for action, version in re.findall(r"uses: ([\w.-]+/[\w.-]+)@\w+ # (\S+)", file.read_text(encoding="utf-8")):
            yield Pin(f"{action} in {file.name}", version, "", {UPSTREAM: partial(tags, action, version, 1)})
    yield from programs()
    [broker] = re.findall(r"<artifactId>kafka_[\d.]+</artifactId>\s*<version>(.+?)<", (ROOT / "bench/outbox/pom.xml").read_text(encoding="utf-8"))
    yield Pin("kafka in bench/outbox/pom.xml", broker, "", upstream("apache/kafka", broker))
    for file in (ROOT / name for name in listed_files(ROOT) if name.endswith(".in")):
        yield from requirements(file, file.with_suffix(".txt"), BACKENDS_PYTHON if file.parent == BACKEND else PYTHON)
    toolchain = ROOT / "roles/bundle/files/go/toolchain.txt"
    yield from requirements(toolchain, toolchain, PYTHON)
    package = json.loads((FRONTEND / "package.json").read_text(encoding="utf-8"))
    for name, version in (package["dependencies"] | package["devDependencies"]).items():
        yield Pin(name, version, NPM_HELD.get(name, ""), {REGISTRY: partial(npm, name, version)})


def programs() -> Iterator[Pin]:
    """Go's, by which the release is made, and charts and workflows are checked; and the modules whose files they are checked with."""
    found: dict[tuple[str, str], str] = {}
    for file in sorted(ROOT.glob(".ci/github/*.yml")):
        found |= dict.fromkeys(re.findall(r"go install (\S+?)(?:/cmd/\S+)?@(v\S+)", file.read_text(encoding="utf-8")), file.name)
    manifest = (ROOT / "tests/charts/go/go.mod").read_text(encoding="utf-8")
    tools = set(re.findall(r"^\t(\S+?)/cmd/\S+$", manifest, re.MULTILINE))
    found |= {(path, version): "tests/charts/go/go.mod" for path, version in re.findall(r"^\t(\S+) (v\S+)", manifest, re.MULTILINE) if path in tools}
    schemas = "tests/charts/manifest_tools.py"
    text = (ROOT / schemas).read_text(encoding="utf-8")
    found[("k8s.io/kubernetes", max(re.findall(r'^    "(v[\d.]+)": "h1:', text, re.MULTILINE), key=numbers))] = schemas
    found |= dict.fromkeys((("github.com/dapr/dapr", version) for version in re.findall(r'^DAPR = \("(v[\d.]+)"', text, re.MULTILINE)), schemas)
    for (path, version), place in found.items():
        repository = "kubernetes/kubernetes" if path.startswith("k8s.io/") else "/".join(path.split("/")[1:3])
        yield Pin(f"{path} in {place}", version, "", upstream(repository, version, path))


def upstream(repository: str, version: str, module: str = "") -> dict[str, Callable[[], Newer]]:
    """Who is asked for what a repository publishes, which may be a module of Go's."""
    sources: dict[str, Callable[[], Newer]] = {UPSTREAM: partial(tags, repository, version, 2)}
    return sources | ({PROXY: partial(modules, module, repository, version)} if module else {})


def artifacts() -> Iterator[Pin]:
    lock = Lock(ROOT / "artifacts.lock.yml")
    versions = {name: artifact.version for name, artifact in lock.artifacts.items()}
    for name, (repository, held) in ARTIFACTS.items():
        go, version = lock[name].build.get("go"), versions[name]
        path = ""
        if go:
            required = re.search(r"^require (\S+) ", (lock.recipes / "go" / go["module"] / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
            assert required, f"{go['module']} requires one module"
            path = required[1]
        yield Pin(go["module"] if go else name, version, held.format_map(versions), upstream(repository, version, path))


def requirements(file: Path, lock: Path, python: str) -> Iterator[Pin]:
    """What a file requires itself, as far as it is locked. A comment behind a requirement says why it is as it is."""
    text = lock.read_text(encoding="utf-8") if lock.is_file() else ""
    locked = {normal(name): version for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE)}
    for name, bound, why in re.findall(r"^([\w.-]+)(?:\[.*\])? *([^#\s\\]*) *\\?(?:# *(.*))?$", file.read_text(encoding="utf-8"), re.MULTILINE):
        if version := locked.get(normal(name), ""):
            # of what is pinned to one version, its fixes
            line = f"~={version}" if bound == f"=={version}" else bound
            held = f"{bound} in {file.relative_to(ROOT)}{f': {why}' if why else ''}" if bound else ""
            yield Pin(name, version, held, {INDEX: partial(index, name, line, version, python)})


def numbers(version: str) -> tuple[int, ...]:
    """Those of a version, also as a tag; none where it is a pre-release, or is no version."""
    found = re.fullmatch(r"(?:v|REL_)?(\d+(?:[._]\d+)*)", version)
    return tuple(map(int, re.split("[._]", found[1]))) if found else ()


def newer(pinned: str, versions: Iterable[str], line: int) -> tuple[str, str]:
    """The newest whose first ``line`` numbers are those of the pinned one, and the newest at all; "" where it is not newer.

    Only as many numbers count as are pinned: of 3.13 its fixes are no news.
    """
    own = numbers(pinned)
    found = {numbers(one)[: len(own)]: one for one in sorted(versions, key=numbers) if len(numbers(one)) >= len(own)}
    later = sorted(key for key in found if key > own)
    same = [key for key in later if key[:line] == own[:line]]
    return found[same[-1]] if same else "", found[later[-1]] if later else ""


def tags(repository: str, pinned: str, line: int) -> Newer:
    """By the tags of upstream's repository."""
    listed = answer("git", "ls-remote", "--tags", f"{REPOSITORIES}/{repository}", variables={"GIT_TERMINAL_PROMPT": "0"})
    same, newest = newer(pinned, re.findall(r"\trefs/tags/(\S+)$", listed, re.MULTILINE), line)
    return noted(same, repository), noted(newest, repository)


def noted(version: str, repository: str, day: datetime.date | None = None) -> Release | None:
    return Release(version, f"https://github.com/{repository}/releases/tag/{version}", day) if version else None


def modules(path: str, repository: str, pinned: str) -> Newer:
    """By the versions of a Go module, of which Go leaves out what was retracted; and by those of its next major version, which is a module of its own."""
    base, major = re.fullmatch(r"(.*?)(?:/v(\d+))?", path).groups()  # type: ignore[union-attr] # it matches anything
    following = f"{base}/v{int(major or 1) + 1}"
    same, newest = newer(pinned, versions(path), 2)
    of = {same: path, newest: path}
    with suppress(UserError):  # there is none
        if next_major := newer(pinned, versions(following), 2)[1]:
            newest, of[next_major] = next_major, following
    days = {}
    with suppress(UserError):
        asked = sorted({f"{of[version]}@{version}" for version in (same, newest) if version})
        said = go('-f={{.Version}} {{with .Time}}{{.Format "2006-01-02"}}{{end}}', *asked) if asked else ""
        days = {version: datetime.date.fromisoformat(day) for version, _, day in (line.partition(" ") for line in said.splitlines()) if day}
    return noted(same, repository, days.get(same)), noted(newest, repository, days.get(newest))


def versions(path: str) -> list[str]:
    return go("-versions", "-f={{range .Versions}}{{println .}}{{end}}", path).split()


def go(*arguments: str) -> str:
    with TURN:
        CACHE.mkdir(parents=True, exist_ok=True)
        toolchain = ROOT / "roles/bundle/files/go/toolchain.txt"
        if not list(CACHE.glob("go-toolchain-*")) and (error := unreachable([Supply(INDEX, ask_pip)])):
            raise error
        with tempfile.TemporaryDirectory(dir=CACHE) as work:
            variables = go_environment(toolchain, CACHE, Path(work))
    return answer("go", "list", "-m", *arguments, variables=variables, folder=CACHE)


def index(name: str, line: str, pinned: str, python: str) -> Newer:
    """By the index of Python packages, as uv reads it for the lock files: without what was yanked."""
    found = []
    for requirement in (f"{name}{line}", name):
        options = [
            "--no-deps",
            "--no-header",
            "--no-annotate",
            "--quiet",
            "--universal",
            "--system-certs",
            "--no-python-downloads",
            f"--python-version={python}",
        ]
        # a line for each range of Pythons that has a newest of its own
        listed = answer("uv", "pip", "compile", "-", *options, stdin=requirement)
        needs = dict(re.findall(r"^\S+==(\S+)(?: ; (.*))?$", listed, re.MULTILINE))
        newest = newer(pinned, needs, 0)[1]
        found.append(Release(newest, changelog(name), needs=needs[newest]) if newest else None)
    return found[0], found[1]


def changelog(name: str) -> str:
    """Where a package says what changed, or else its home, by its own words where it is installed for this machine's checks."""
    folders = [*sys.path, *(str(folder) for folder in BACKEND_TOOLS.glob("lib/python*/site-packages"))]
    for package in metadata.distributions(name=name, path=folders):
        addresses = [*package.metadata.get_all("Project-URL", []), *(f"home, {address}" for address in package.metadata.get_all("Home-page", []))]
        for wanted in ("change|release|history|news", "source|repository|github", "home"):
            for label, address in (str(line).split(", ", 1) for line in addresses):
                if re.search(wanted, label, re.IGNORECASE):
                    return address
    return ""


def npm(name: str, pinned: str) -> Newer:
    """By npm's registry; the newest at all is what its maintainers call the latest."""
    fields = ("versions", "dist-tags.latest", "repository", "time")
    options = ("--json", "--fetch-retries=1", "--fetch-retry-mintimeout=1000")  # its own wait for minutes
    said = json.loads(answer(*NPM, "view", name, *fields, *options, folder=FRONTEND, variables=environment()))
    latest, repository = numbers(said["dist-tags.latest"]), said.get("repository", "")
    address = repository if isinstance(repository, str) else repository["url"]
    found = re.search(r"(?:^|github:|github\.com[/:])([\w.-]+/[\w.-]+?)(?:\.git)?$", address)
    notes = f"https://github.com/{found[1]}/releases" if found else ""

    def release(version: str) -> Release | None:
        return Release(version, notes, datetime.date.fromisoformat(said["time"][version][:10])) if version else None

    same, newest = newer(pinned, [version for version in said["versions"] if numbers(version) <= latest], 1)
    return release(same), release(newest)


def answer(*command: str, **options: object) -> str:
    """What a client says. Raises UserError with its words where it cannot."""
    done = run(*command, seconds=SECONDS, outside=True, **options)  # type: ignore[arg-type]
    if done.returncode:
        words = re.sub(r"\w+://\S+", "...", " ".join((done.stderr or done.stdout).split()))
        raise UserError(words[:200], "Let this machine reach it.")
    return done.stdout


class Asking:
    """Who was asked for what. ``silent`` has by source and pin why there was no answer."""

    def __init__(self) -> None:
        self.silent: dict[str, dict[Pin, str]] = defaultdict(dict)
        self.answered: set[str] = set()

    def ask(self, pin: Pin) -> Newer | None:
        """The first answer; None where nobody has one."""
        for source, question in pin.sources.items():
            if len(self.silent[source]) < ENOUGH or source in self.answered:
                try:
                    found = question()
                except UserError as error:
                    self.silent[source][pin] = error.why
                else:
                    self.answered.add(source)
                    return found
            else:
                self.silent[source][pin] = "It was not asked any more."
        return None


def told(pin: Pin, found: Newer, today: datetime.date) -> list[str]:
    """Lines for a person; none where nothing is newer."""
    same, newest = found
    rows = {"in its line": same, "newest": newest} if same and newest and same.version != newest.version else {"newest": newest or same}
    lines = []
    for label, release in rows.items():
        if release:
            age = f"{(today - release.day).days} days old" if release.day else ""
            needs = f"needs {release.needs}" if release.needs else ""
            lines.append("  ".join(filter(None, (f"    {label:<11}  {release.version:<9}", age, needs, release.notes))))
    return [f"  {pin.name} {pin.version}{f'   held by: {pin.held}' if pin.held else ''}", *lines] if lines else []


def main() -> int:
    try:
        asking, listed = Asking(), list(pins())
    except UserError as error:
        print(error)
        return 1
    today = datetime.datetime.now(tz=datetime.UTC).date()
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        answers = dict(zip(listed, pool.map(asking.ask, listed), strict=True))
    news = {pin: told(pin, found, today) for pin, found in answers.items() if found}
    lines = [line for of_one in news.values() for line in of_one]
    print("\n".join(["There is newer than what is pinned; nothing of this is changed here:", *lines] if lines else ["Nothing newer was found."]))
    if current := [pin.name for pin, of_one in news.items() if not of_one]:
        print(f"Pinned as new as there is: {', '.join(dict.fromkeys(current))}.")
    if unknown := [pin.name for pin, found in answers.items() if found is None]:
        print(f"Nobody answered for: {', '.join(dict.fromkeys(unknown))}.")
    for source, reasons in asking.silent.items():
        if reasons:
            print(f"Not reached: {source}, for {len(reasons)} of {sum(source in pin.sources for pin in listed)}: {next(iter(reasons.values()))}")
    return 0


def normal(name: str) -> str:
    """A package's name as an index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
