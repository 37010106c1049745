"""What apt and dpkg of this machine know: sources of Debian's packages, and installations that were broken off.

Everything is read from below ``root`` (a test's own folder, ``/`` otherwise).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.base.apt_locks import SECONDS, patiently
from ansible_collections.todochat.platform.plugins.module_utils.base.commands import WORK_SECONDS, MissingProgramError, must, run, which
from ansible_collections.todochat.platform.plugins.module_utils.base.environment import callers
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.base.progress import waiting_for
from ansible_collections.todochat.platform.plugins.module_utils.machine.host import ROOT

# Nobody is there to be asked.
QUIET = {"DEBIAN_FRONTEND": "noninteractive"}


@dataclass(frozen=True)
class Repository:
    """One apt repository: its base URI, and the value of its Signed-By, "" where apt's own keyrings count."""

    uri: str
    signed_by: str


def states(names: Iterable[str]) -> dict[str, str]:
    """What dpkg says of these packages, of those that it knows: installed, half-installed, not-installed and so on."""
    asked = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\\n", *names]
    try:
        printed = run(*asked).stdout
    except MissingProgramError:
        return {}  # no Debian, no dpkg
    return dict(line.split() for line in printed.splitlines())


def interrupted_packages(names: Iterable[str]) -> list[str]:
    """Those of the Debian packages that dpkg has begun with and not finished, as after a power cut."""
    return [name for name, state in states(names).items() if state not in ("installed", "not-installed", "config-files")]


def apt_targets(*options: str) -> str:
    """What `apt-get indextargets` prints with these options; empty where there is no apt."""
    if which("apt-get") is None:
        return ""
    # before lists were ever fetched, apt names its sources only without what their Release files would say
    printed = (
        run("apt-get", "indextargets", *more, *options).stdout
        for more in ([], ["--no-release-info"])
    )
    return next(filter(None, printed), "")


def validity_of_lists() -> list[str]:
    """The lines of this machine's apt configuration that say whether lists may outlive their validity, as those of a mirror that stands still do."""
    return run("apt-config", "dump", "Acquire::Check-Valid-Until").stdout.splitlines()


def debian_repository(targets: str, release: str, root: Path = ROOT) -> Repository | None:
    """The repository that this machine takes Debian's ``release`` from, None where apt knows none.

    ``targets`` is what ``apt-get indextargets`` prints. Origin is known only once the lists were fetched; a repository
    known to be somebody else's is never taken.
    """
    candidates = [
        entry
        for entry in (_fields(paragraph) for paragraph in targets.split("\n\n"))
        if entry.get("Created-By") == "Packages"
        and entry.get("Component") == "main"
        and release in (entry.get("Release", "").rstrip("/"), entry.get("Codename"))
        and entry.get("Origin", "Debian") == "Debian"
    ]
    if not candidates:
        return None
    best = max(candidates, key=lambda entry: "Origin" in entry)
    return Repository(best["Repo-URI"], _signed_by(best.get("Sourcesentry", ""), root))


def _fields(paragraph: str) -> dict[str, str]:
    """A paragraph in Debian's control format; continuation lines stay as they are."""
    fields: dict[str, str] = {}
    name = ""
    for line in paragraph.splitlines():
        if line.startswith("#"):
            continue
        if line[:1] in (" ", "\t") and name:
            fields[name] += f"\n{line}"
        elif ":" in line:
            name, value = line.split(":", 1)
            name = name.strip()
            fields[name] = value.strip()
    return fields


def _signed_by(entry: str, root: Path) -> str:
    """Signed-By of a source that apt names as ``file:number``: a line of a .list, a paragraph of a .sources file."""
    path, _unused, number = entry.rpartition(":")
    file = root / path.lstrip("/")
    if not number.isdigit() or not file.is_file():
        return ""
    text = file.read_text(encoding="utf-8")
    index = int(number) - 1
    if path.endswith(".sources"):
        paragraphs = [fields for fields in map(_fields, re.split(r"\n[ \t]*\n", text)) if fields]
        if index >= len(paragraphs):
            return ""
        return {name.lower(): value for name, value in paragraphs[index].items()}.get("signed-by", "")
    lines = text.splitlines()
    match = re.search(r"\[.*?signed-by=([^\]\s]+)", lines[index]) if index < len(lines) else None
    return match.group(1) if match else ""


def installed_packages() -> list[str]:
    """Debian packages that are installed, or begun with; none where there is no dpkg."""
    asked = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\\n"]
    try:
        printed = run(*asked).stdout
    except MissingProgramError:
        return []
    return sorted({name for name, state in map(str.split, printed.splitlines()) if state not in ("not-installed", "config-files")})


class Apt:
    """Debian's packages, in what is asked here."""

    def __init__(self, root: Path = ROOT) -> None:
        self.states = root / "var/lib/apt/extended_states"
        self.updates = root / "var/lib/dpkg/updates"

    def installed(self) -> list[str]:
        return installed_packages()

    def missing(self, packages: Sequence[str]) -> list[str]:
        """Those of the packages that are not installed, or not wholly."""
        known = states(packages)
        return [name for name in packages if known.get(name) != "installed"]

    def install(self, packages: Sequence[str]) -> None:
        """Raises UserError with apt's own words."""
        waiting_for(f"installing {' '.join(packages)}")
        before = []
        if any(self.updates.glob("[0-9]*")):  # after a power cut apt refuses all work until this is done; they are there while dpkg works, too
            before = [patiently(lambda: run("dpkg", "--configure", "--pending", seconds=WORK_SECONDS, variables=QUIET), waiting_for)]
        before.append(fetching("update"))
        done = fetching("--no-install-recommends", "install", *packages)
        if done.returncode:
            why = f"`apt-get install {' '.join(packages)}` failed with exit status {done.returncode}."
            remedy = "Mend what it says above, then run the same command again, which goes on where this one stopped."
            raise UserError(why, remedy, "\n".join([*(one.stderr for one in before), done.stdout, done.stderr]))

    def going(self, packages: Collection[str], new: Collection[str]) -> list[str]:
        """Those of the packages that nothing else needs, with what they alone brought along, all of it among ``new``."""
        if not packages:
            return []
        with tempfile.TemporaryDirectory() as folder:
            states = Path(folder) / "extended_states"  # a copy: only apt's answer is wanted
            if self.states.exists():
                shutil.copyfile(self.states, states)
            as_if = f"--option=Dir::State::extended_states={states}"
            must("apt-mark", as_if, "auto", *sorted(packages))
            # what merely recommends or suggests one of them does not need it: it did without before
            weak = [f"--option=APT::AutoRemove::{kind}Important=false" for kind in ("Recommends", "Suggests")]
            answer = must("apt-get", "--simulate", as_if, *weak, "autoremove")
        return [name for name in removed(answer) if name in new]

    def takes_along(self, packages: Sequence[str]) -> list[str]:
        """What else would be removed with them."""
        answer = must("apt-get", "--simulate", "purge", *packages, seconds=WORK_SECONDS, variables=QUIET) if packages else ""
        return [name for name in removed(answer) if name not in packages]

    def purge(self, packages: Sequence[str]) -> None:
        waiting_for(f"removing {len(packages)} packages")
        must("apt-get", "--yes", "--quiet=2", f"--option=DPkg::Lock::Timeout={SECONDS}", "purge", *packages, seconds=WORK_SECONDS, variables=QUIET)


def fetching(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What apt-get does with packages from elsewhere, by the caller's proxies; it reads their names in lower case alone.

    It waits for whoever else is at work on packages.
    """
    proxies = {name.lower(): value for name, value in sorted(callers().items()) if name.lower().endswith("_proxy")}
    command = ("apt-get", "--yes", "--quiet=2", "--option=Acquire::Retries=3", *arguments)
    return patiently(lambda: run(*command, seconds=WORK_SECONDS, variables={**QUIET, **proxies}, outside=True), waiting_for)


def removed(answer: str) -> list[str]:
    """The packages that a simulation of apt-get names as removed."""
    return re.findall(r"^(?:Remv|Purg) ([^\s:]+)", answer, re.MULTILINE)
