"""Where packages come from on this machine, and whether it answers: asked before anything is downloaded or built.

Every address is read from the client that will use it (pip, Go, apt), and asked as that client would; none stands here.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.base.commands import run, which
from ansible_collections.todochat.platform.plugins.module_utils.base.environment import callers
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.machine.apt import apt_targets
from ansible_collections.todochat.platform.plugins.module_utils.store.download import Source, probe
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Artifact
from ansible_collections.todochat.platform.plugins.module_utils.store.transfer import PROBE_SECONDS

# pip's own reading of its configuration, environment and default, and its own way there: proxy, certificates, passwords
ASK_PIP = f"""
import json
from pip._internal.commands import create_command
command = create_command("install")
options = command.parser.parse_args(["anything"])[0]
answers = {{}}
for index in [] if options.no_index else [options.index_url, *options.extra_index_urls]:
    with command._build_session(options, retries=0, timeout={PROBE_SECONDS}) as session:
        session.auth.prompting = False
        try:
            session.head(index)
            answers[index] = ""
        except OSError as error:
            # within: "<... object at 0x...>: what happened"
            answers[index] = str(getattr(error.args[0], "reason", error)).rpartition(">: ")[2] or type(error).__name__
print(json.dumps(answers))
"""
APT_HELPER = "/usr/lib/apt/apt-helper"
GO_SETTINGS = ("GOPROXY", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOSUMDB", "GOINSECURE", "GOAUTH")
"""Those that say where modules come from."""

Answers = dict[str, str]
"""Why an address does not answer, by the address; "" where it does."""


@dataclass(frozen=True)
class Supply:
    """One kind of thing that is needed, and how its addresses are asked: one that answers is enough."""

    name: str
    ask: Callable[[], Answers]


def supplies(missing: Iterable[Artifact], to_build: Iterable[Artifact], source: Source) -> list[Supply]:
    """What has to be reachable for the missing artifacts: the hosts of downloads, and the registries that builds draw on."""
    building = list(to_build)
    needed = {}
    for artifact in missing:
        if artifact not in building:
            address = source.address(artifact)
            name = urllib.parse.urlsplit(address).netloc.rpartition("@")[2] or address
            needed[name] = Supply(name, lambda address=address: {address: probe(address)})  # type: ignore[misc]
    found = list(needed.values())
    if any("go" in artifact.build for artifact in building):
        found += [Supply("pip's index", ask_pip), Supply("Go's module proxy", ask_go)]
    return found + (debian_archives() if building else [])


def unreachable(needed: Iterable[Supply], upstream: Mapping[str, str] | None = None) -> UserError | None:
    """Asks all at once; an error that lists each address with its answer where a supply has none that answers.

    ``upstream`` are hosts that were asked before, with the reason why they do not answer.
    """
    asked = list(needed)
    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = list(pool.map(lambda supply: supply.ask(), asked))
    # without an address there is nothing to say: the client itself will say what it lacks
    silent = [supply.name for supply, answer in zip(asked, answers, strict=True) if answer and all(answer.values())]
    if not silent:
        return None
    tried = [(supply.name, *line) for supply, answer in zip(asked, answers, strict=True) for line in answer.items()]
    tried += [("upstream", host, reason) for host, reason in (upstream or {}).items() if reason]
    return UserError(
        f"{' and '.join(silent)} cannot be reached from this machine, and something is missing that comes from there.",
        "Let this machine reach a source that was tried (network, DNS, proxy, certificates), or point the client at another.",
        "Tried:\n" + "\n".join(f"  {name}: {bare(address)}: {bare_text(reason, address) or 'answers'}" for name, address, reason in tried),
    )


def bare(address: str) -> str:
    """An address without what may be a name, a password or a token."""
    parts = urllib.parse.urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else address


def bare_text(text: str, address: str) -> str:
    """A client's words in one line, without the address as a whole and without the password in it."""
    secret = urllib.parse.urlsplit(address).netloc.rpartition("@")[0]
    words = " ".join(text.replace(address, bare(address)).split())
    return words.replace(f"{secret}@", "") if secret else words


def ask_pip() -> Answers:
    asked = run(sys.executable, "-c", ASK_PIP, outside=True)
    try:
        answers: Answers = json.loads(asked.stdout)
    except ValueError:
        return {}  # another pip than the one this was written for: its own words will do
    return answers


def ask_go() -> Answers:
    return {proxy: probe(proxy) for proxy in go_proxies()}


def go_proxies() -> list[str]:
    """The proxies that Go asks; none where it may ask the origins themselves, or where nothing here knows its default."""
    value = callers().get("GOPROXY") or go_setting("GOPROXY")
    proxies = [proxy.strip() for proxy in re.split("[,|]", value) if proxy.strip()]
    return [proxy for proxy in proxies if "://" in proxy]


def go_setting(name: str) -> str:
    """What a go command says, or, where there is none yet, the file that it will read; "" where neither does."""
    command = which("go")
    if command:
        return run(command, "env", name, variables={"GOTOOLCHAIN": "local"}, outside=True).stdout.strip()
    return go_file(Path.home()).get(name, "")


def go_file(home: Path) -> dict[str, str]:
    """What stands in the file of Go's settings, which `go env -w` writes."""
    base = callers().get("XDG_CONFIG_HOME") or home / ".config"
    file = Path(callers().get("GOENV") or Path(base) / "go/env")
    lines = file.read_text(encoding="utf-8").splitlines() if os.path.isfile(file) else []  # root may be kept out of a home on the network
    return dict(line.split("=", 1) for line in lines if "=" in line)


def debian_archives() -> list[Supply]:
    """The hosts that apt takes Debian's packages from, each of which has to answer."""
    listed = apt_targets("--format", "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)", "Created-By: Packages")
    hosts: dict[str, str] = {}
    for line in listed.splitlines():
        address, release, component, *origin = line.split()
        # before the lists were fetched apt knows no origin, and leaves the word for it as it is
        if component == "main" and origin in (["$(ORIGIN)"], ["Debian"]):
            hosts.setdefault(bare(address), f"{address.rstrip('/')}/dists/{release}/InRelease")
    return [Supply("Debian's archive", lambda address=address: ask_apt(address)) for address in hosts.values()]  # type: ignore[misc]


def ask_apt(address: str) -> Answers:
    """Fetches a small file as apt does, with apt's own proxies and certificates."""
    with tempfile.TemporaryDirectory() as folder:
        options = [f"-oAcquire::{scheme}::Timeout={PROBE_SECONDS}" for scheme in ("http", "https")]
        command = [APT_HELPER, *options, "-oAcquire::Retries=0", "download-file", address, f"{folder}/InRelease"]
        asked = run(*command, outside=True)
    said = " ".join(line.removeprefix(f"E: Failed to fetch {address}").strip() for line in asked.stderr.splitlines() if address in line)
    answered = asked.returncode == 0 or re.match(r"[345]\d\d\s", said)
    return {address: "" if answered else said or "no answer"}
