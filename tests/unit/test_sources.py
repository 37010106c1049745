"""Sources are asked before anything starts, each as its client would ask it, and the error says which were tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from loopback import Reply, Server

from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.store import supplies
from ansible_collections.todochat.platform.plugins.module_utils.store.download import Source
from ansible_collections.todochat.platform.plugins.module_utils.store.lock import Artifact
from ansible_collections.todochat.platform.plugins.module_utils.store.store import Store
from ansible_collections.todochat.platform.plugins.module_utils.store.supplies import Supply
from ansible_collections.todochat.platform.plugins.modules import artifact as module


def artifact(name: str, url: str, build: dict[str, Any], sha256: str = "ab" * 32) -> Artifact:
    return Artifact(name=name, version="v1", key=name, seconds=1, build=build, sha256={"amd64": sha256} if sha256 else {}, url=url)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch, server: Server) -> dict[str, supplies.Answers]:
    """What pip, Go and apt find: a server each at first."""
    answers = {"pip": {server.url: ""}, "go": {server.url: ""}, "apt": {server.url: ""}}
    monkeypatch.setattr(supplies, "ask_pip", lambda: answers["pip"])
    monkeypatch.setattr(supplies, "ask_go", lambda: answers["go"])
    monkeypatch.setattr(supplies, "debian_archives", lambda: [Supply("Debian's archive", lambda: answers["apt"])])
    return answers


def obtain(artifacts: list[Artifact], folder: Path, mode: str = "auto", check_mode: bool = True) -> list[Artifact]:
    return module.obtain(artifacts, Store(folder), Source("amd64"), mode, module.Change(check_mode))


@pytest.mark.parametrize("check_mode", [True, False])
def test_each_source_that_was_tried_is_named_before_anything_is_downloaded(
    clients: dict[str, supplies.Answers], server: Server, nobody: str, tmp_path: Path, check_mode: bool
) -> None:
    clients["go"] = {"http://one.example/": "Connection refused", "http://two.example/": "timed out"}
    offered = artifact("offered", f"{server.url}/offered", {"go": {}})
    built = artifact("built", f"http://{nobody}/built", {"go": {}})
    with pytest.raises(UserError) as raised:
        obtain([offered, built], tmp_path / "store", check_mode=check_mode)
    assert raised.value.why.startswith("Go's module proxy cannot be reached ")
    assert raised.value.details.splitlines()[1:] == [
        f"  {server.endpoint}: {server.url}: answers",
        f"  pip's index: {server.url}: answers",
        "  Go's module proxy: http://one.example: Connection refused",
        "  Go's module proxy: http://two.example: timed out",
        f"  Debian's archive: {server.url}: answers",
        f"  upstream: http://{nobody}: [Errno 111] Connection refused",
    ]
    assert {request.method for request in server.requests} == {"HEAD"}
    assert not (tmp_path / "store").exists()


def test_one_of_several_addresses_is_enough_and_any_answer_is_one(
    clients: dict[str, supplies.Answers], server: Server, nobody: str, tmp_path: Path
) -> None:
    clients["go"] = {"http://one.example/": "timed out", "http://two.example/": ""}
    clients["pip"] = {}  # nothing to ask, as with --no-index
    built = artifact("built", f"http://{nobody}/built", {"go": {}})
    assert obtain([built], tmp_path) == [built]
    server.answer = lambda _: Reply(403)
    assert obtain([artifact("offered", f"{server.url}/offered", {"go": {}})], tmp_path) == []


def test_only_what_will_be_needed_is_asked(clients: dict[str, supplies.Answers], server: Server, tmp_path: Path) -> None:
    silent = {"http://registry.example": "timed out"}
    clients.update(pip=silent, go=silent)
    image = artifact("image", "", {"image": {"suite": "trixie"}}, sha256="")
    assert obtain([image], tmp_path) == [image]
    clients["apt"] = silent
    assert obtain([artifact("offered", f"{server.url}/offered", {"go": {}})], tmp_path) == []
    assert obtain([], tmp_path) == []
    with pytest.raises(UserError, match=r"^Debian's archive cannot be reached"):
        obtain([image], tmp_path)


def test_every_host_of_debians_archive_has_to_answer() -> None:
    main, security = Supply("Debian's archive", lambda: {"http://main.example": ""}), Supply("Debian's archive", lambda: {"http://security.example": "refused"})
    error = supplies.unreachable([main, security])
    assert error is not None
    assert "http://main.example: answers" in error.details
    assert "http://security.example: refused" in error.details


def test_no_password_is_shown() -> None:
    address = "https://user:secret@index.example/token/simple"
    error = supplies.unreachable([Supply("pip's index", lambda: {address: f"no way to {address} as user:secret@index.example"})])
    assert error is not None
    assert "index.example" in str(error)
    assert "secret" not in str(error)
    assert "token" not in str(error)


# Each client's own words


def test_pip_is_asked_for_the_indexes_it_would_use(server: Server, nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"http://user:secret@{nobody}/extra")
    answers = supplies.ask_pip()
    assert list(answers) == [f"{server.url}/simple", f"http://user:secret@{nobody}/extra"]
    assert answers[f"{server.url}/simple"] == ""
    assert "Connection refused" in answers[f"http://user:secret@{nobody}/extra"]
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert supplies.ask_pip() == {}


def test_go_is_asked_for_its_proxies(server: Server, nobody: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOPROXY", f"{server.url},http://{nobody}|direct")
    assert supplies.ask_go() == {server.url: "", f"http://{nobody}": "[Errno 111] Connection refused"}
    monkeypatch.delenv("GOPROXY")
    go = tmp_path / "bin/go"
    go.parent.mkdir()
    go.write_text('#!/bin/sh\n[ "$*" = "env GOPROXY" ] && echo http://default.example,direct\n')
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{go.parent}:/bin")
    assert supplies.go_proxies() == ["http://default.example"]


def test_without_a_go_command_its_file_is_read_and_its_default_is_not_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOPROXY", "GOENV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert supplies.go_proxies() == []
    (tmp_path / "go").mkdir()
    (tmp_path / "go/env").write_text("GOFLAGS=-mod=mod\nGOPROXY=http://company.example,off\n")
    assert supplies.go_proxies() == ["http://company.example"]


@pytest.mark.parametrize("fetched", [True, False])
def test_each_of_debians_hosts_is_asked_also_before_lists_were_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fetched: bool) -> None:
    lines = ["http://main.example/debian/ bookworm main", "http://main.example/debian/ bookworm contrib", "http://security.example/ bookworm-security main"]
    printed = "\n".join(f"{line} Debian" if fetched else f"{line} $(ORIGIN)" for line in lines)
    foreign = "http://tools.example/ bookworm main Tools\n" if fetched else ""
    apt = tmp_path / "apt-get"
    apt.write_text(f"#!/bin/sh\n[ {'x' if fetched else '$2'} = {'x' if fetched else '--no-release-info'} ] && echo '{foreign}{printed}'\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setattr(supplies, "ask_apt", lambda address: {address: ""})
    assert [supply.ask() for supply in supplies.debian_archives()] == [
        {"http://main.example/debian/dists/bookworm/InRelease": ""},
        {"http://security.example/dists/bookworm-security/InRelease": ""},
    ]


@pytest.mark.skipif(not Path(supplies.APT_HELPER).exists(), reason="there is no apt on this system")
def test_apt_is_asked_by_its_own_means(server: Server, nobody: str) -> None:
    found = f"{server.url}/debian/dists/bookworm/InRelease"
    server.serves({"/debian/dists/bookworm/InRelease": b"Origin: Debian\n"})
    assert supplies.ask_apt(found) == {found: ""}
    missing = f"{server.url}/elsewhere/InRelease"
    assert supplies.ask_apt(missing) == {missing: ""}
    silent = f"http://{nobody}/InRelease"
    assert "Connection refused" in supplies.ask_apt(silent)[silent]
