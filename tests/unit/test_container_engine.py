"""What is read of a Docker engine and of apt's sources, on recorded outputs."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.todochat.platform.plugins.module_utils.base import apt_locks
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError
from ansible_collections.todochat.platform.plugins.module_utils.machine import apt, docker_engine
from ansible_collections.todochat.platform.plugins.module_utils.preflight.problems import Machine, Wanted, system_problems
from ansible_collections.todochat.platform.plugins.modules import container_engine_info

TARGET = """MetaKey: main/binary-amd64/Packages
Created-By: Packages
Component: {component}
Release: {release}
Repo-URI: {uri}
Sourcesentry: {source}
Target-Of: deb
"""

ROOT = Path(__file__).resolve().parents[2]


def target(uri: str, source: str = "", release: str = "bookworm", component: str = "main", origin: str | None = None) -> str:
    """One paragraph as `apt-get indextargets` prints it; without an origin where the lists were never fetched."""
    known = "" if origin is None else f"Origin: {origin}\nCodename: {release}\n"
    return TARGET.format(component=component, release=release, uri=uri, source=source) + known


def test_the_debian_archive_is_found_among_others() -> None:
    targets = "\n".join(
        [
            target("https://tools.example/apt/", origin="Tools"),
            target("http://mirror.example/debian/", component="contrib", origin="Debian"),
            target("http://mirror.example/debian/", origin="Debian"),
            target("http://mirror.example/debian-security/", release="bookworm-security", origin="Debian"),
        ]
    )
    assert apt.debian_repository(targets, "bookworm") == apt.Repository("http://mirror.example/debian/", "")
    assert apt.debian_repository(targets, "bookworm-security") == apt.Repository("http://mirror.example/debian-security/", "")
    assert apt.debian_repository(targets, "trixie") is None


def test_a_repository_is_found_before_lists_were_fetched_and_a_known_one_is_preferred() -> None:
    unknown = target("http://unknown.example/")
    assert apt.debian_repository(unknown, "bookworm") == apt.Repository("http://unknown.example/", "")
    both = "\n".join([unknown, target("http://debian.example/", origin="Debian")])
    assert apt.debian_repository(both, "bookworm") == apt.Repository("http://debian.example/", "")


def test_a_mirror_that_names_the_release_by_its_suite_is_found_by_code_name() -> None:
    targets = target("http://mirror.example/", release="oldstable") + "Origin: Debian\nCodename: bookworm\n"
    assert apt.debian_repository(targets, "bookworm") == apt.Repository("http://mirror.example/", "")


def test_the_keyring_of_a_one_line_source_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/sources.list").write_text("# comment\ndeb [arch=amd64 signed-by=/keys/company.gpg] http://m bookworm main\n")
    found = apt.debian_repository(target("http://m/", "/etc/sources.list:2"), "bookworm", tmp_path)
    assert found == apt.Repository("http://m/", "/keys/company.gpg")


def test_the_keyring_of_a_deb822_source_is_taken_over_even_when_it_is_the_key_itself(tmp_path: Path) -> None:
    (tmp_path / "debian.sources").write_text(
        "Types: deb\nURIs: http://a\nSigned-By: /keys/a.gpg\n\n"
        "Types: deb\nURIs: http://b\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n"
    )
    first = apt.debian_repository(target("http://a/", "/debian.sources:1"), "bookworm", tmp_path)
    second = apt.debian_repository(target("http://b/", "/debian.sources:2"), "bookworm", tmp_path)
    assert first == apt.Repository("http://a/", "/keys/a.gpg")
    assert second == apt.Repository("http://b/", "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc")


def test_a_plugin_counts_where_everybody_finds_it(tmp_path: Path) -> None:
    (tmp_path / "usr/libexec/docker/cli-plugins").mkdir(parents=True)
    (tmp_path / "usr/libexec/docker/cli-plugins/docker-buildx").touch()
    assert docker_engine.plugin_is_installed("buildx", tmp_path)
    assert not docker_engine.plugin_is_installed("compose", tmp_path)


def answer(server: socket.socket, body: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


@pytest.mark.parametrize(("body", "expected"), [(json.dumps({"Version": "26.1.5"}).encode(), "26.1.5"), (b"not json", ""), (b"{}", "")])
def test_the_engine_behind_the_socket_is_asked_for_its_version(tmp_path: Path, body: bytes, expected: str) -> None:
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        thread = threading.Thread(target=answer, args=(server, body))
        thread.start()
        assert docker_engine.answering_version(path) == expected
        thread.join()


VERSIONS: dict[str, dict[str, Any]] = json.loads((ROOT / "tests/unit/fixtures/docker-versions.json").read_text(encoding="utf-8"))
TOO_OLD = "Docker 20.10.24+dfsg1 is installed, and 24 or newer is needed"
DESKTOP = "The Docker of this machine is Docker Desktop 4.55.0 (213807), which runs containers in a virtual machine of its own"
PODMAN = "What is called docker on this machine is Podman 4.3.1, which"
SAID = {
    "20.10 of Debian 12": TOO_OLD,
    **dict.fromkeys(("24, Docker's own", "26.1 of Debian 13", "26.1 with containerd's image store", "28, Docker's own", "29, Docker's own"), ""),
    "Docker Desktop 4.55": DESKTOP,
    "Podman 4.3 of Debian 12": PODMAN,
}


@pytest.mark.parametrize("of", VERSIONS)
def test_each_version_is_taken_or_refused_by_its_name(of: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what each has answered to /version; where the answer is from, the file of answers and the role's README say."""
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        body = json.dumps(VERSIONS[of]["version"]).encode()
        threading.Thread(target=lambda: [answer(server, body) for _ in range(2)], daemon=True).start()
        version, stand_in = docker_engine.answering_version(path), docker_engine.stand_in(path)
    machine = Machine("x86_64", "debian", "12", "Debian", 4, 8000, installed_engine=version, stand_in=stand_in)
    said = [str(error) for error in system_problems(Wanted(), machine)]
    assert [one[: len(SAID[of])] for one in said] == ([SAID[of]] if SAID[of] else [])


def test_every_version_that_is_told_of_was_recorded() -> None:
    readme = (ROOT / "roles/container_engine/README.md").read_text(encoding="utf-8")
    rows = {cells[1].strip(): cells[2].strip() for cells in (line.split("|") for line in readme.splitlines()) if len(cells) == 5}
    assert {of: rows.get(of) for of in VERSIONS} == {of: given["how"] for of, given in VERSIONS.items()}


def test_podman_under_dockers_name_is_named_also_where_none_of_its_sockets_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    program(tmp_path, "docker", 'echo "Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg." >&2; echo "podman version 4.3.1"')
    assert docker_engine.stand_in(tmp_path / "none") == "Podman 4.3.1"
    program(tmp_path, "docker", 'echo "Docker version 28.2.2, build e6534b4"')
    assert docker_engine.stand_in(tmp_path / "none") == ""


def test_no_socket_and_no_listener_are_no_engine(tmp_path: Path) -> None:
    assert docker_engine.answering_version(tmp_path / "docker.sock") == ""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "docker.sock"))
    assert docker_engine.answering_version(tmp_path / "docker.sock") == ""


def test_the_end_of_the_log_is_found_without_systemd(tmp_path: Path) -> None:
    assert docker_engine.last_lines(tmp_path) == ""
    (tmp_path / "var/log").mkdir(parents=True)
    (tmp_path / "var/log/docker.log").write_text("\n".join(map(str, range(100))))
    assert docker_engine.last_lines(tmp_path).splitlines() == [str(number) for number in range(85, 100)]


def test_without_systemd_the_log_keeps_the_end_of_the_starts_before_and_gets_warnings_alone(tmp_path: Path) -> None:
    tasks = yaml.safe_load((ROOT / "roles/container_engine/tasks/configure.yml").read_text(encoding="utf-8"))[0]["block"]
    (command,) = (argv for task in tasks if "--start" in (argv := task.get("ansible.builtin.command", {}).get("argv", [])))
    log = tmp_path / "docker.log"
    log.write_bytes(b"old\n" * 1_000_000 + b"the end\n")
    program(tmp_path, "dockerd", 'echo "dockerd $*"')
    script = command[-1].replace("/var/log/docker.log", str(log))
    with log.open("ab") as appended:  # as start-stop-daemon opens it
        subprocess.run(["sh", "-c", script], stdout=appended, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=True)
    assert log.read_text().splitlines()[-2:] == ["the end", "dockerd --log-level=warn"]
    assert log.stat().st_size < 1.1 * 2**20


def program(folder: Path, name: str, script: str) -> None:
    """Puts a program on a path that has nothing else."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_packages_that_dpkg_has_not_finished_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states = "docker.io half-installed\ncontainerd unpacked\ndocker-cli installed\ndocker-buildx not-installed\ndocker-compose config-files\n"
    program(tmp_path, "dpkg-query", f"printf '{states}'; echo 'no packages found' >&2; exit 1")
    for name in ("docker", "docker-buildx", "docker-compose"):
        program(tmp_path, name, "true")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert apt.interrupted_packages(docker_engine.PACKAGES) == ["docker.io", "containerd"]
    assert {"docker.io", "containerd"} <= set(docker_engine.missing_packages("26.1.5"))


def test_without_dpkg_nothing_was_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert apt.interrupted_packages(docker_engine.PACKAGES) == []


def test_what_is_missing_is_installed_by_the_callers_proxies_after_an_interrupted_dpkg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    callers = tmp_path / "environment.json"
    callers.write_text(
        json.dumps({"HTTP_PROXY": "http://me:canary@proxy.example:3128", "HTTPS_PROXY": "http://other.example", "https_proxy": "http://p.example"})
    )
    monkeypatch.setenv("TODOCHAT_ENVIRONMENT", str(callers))
    program(tmp_path, "dpkg-query", "printf 'gcc installed\nmmdebstrap half-installed\n'; exit 1")
    program(tmp_path, "dpkg", f'echo "dpkg $*" >> {tmp_path}/told')
    program(tmp_path, "apt-get", f'echo "$0 $*" >> {tmp_path}/told; env > {tmp_path}/env')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "var/lib/dpkg/updates").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/updates/0001").touch()
    debian = apt.Apt(tmp_path)
    missing = debian.missing(["gcc", "mmdebstrap", "chromium"])
    assert missing == ["mmdebstrap", "chromium"]
    debian.install(missing)
    told = (tmp_path / "told").read_text()
    assert [line.split()[-1] for line in told.splitlines()] == ["--pending", "update", "chromium"]
    assert "canary" not in told
    environment = (tmp_path / "env").read_text().splitlines()
    assert {"http_proxy=http://me:canary@proxy.example:3128", "https_proxy=http://p.example"} <= set(environment)
    assert "DEBIAN_FRONTEND=noninteractive" in environment


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="there is no apt here")
def test_who_has_a_lock_of_apts_is_waited_for_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By apt itself, which here keeps all in a folder of its own and knows no sources."""
    for folder in ("lists/partial", "cache/archives/partial"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setattr(apt_locks, "POLL_SECONDS", 0.1)
    own = {"Dir::State::Lists": "lists", "Dir::Cache": "cache", "Dir::Etc::SourceList": "none", "Dir::Etc::SourceParts": "none"}
    holds = f"import fcntl, sys; file = open('{tmp_path}/lists/lock', 'w'); fcntl.lockf(file, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", holds], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        held, ends = other.stdout, other.stdin
        assert held
        assert ends
        held.readline()
        said: list[str] = []

        def heard(what: str) -> None:
            said.append(what)
            ends.close()

        monkeypatch.setattr(apt, "waiting_for", heard)
        done = apt.fetching(*(f"--option={name}={tmp_path / value}" for name, value in own.items()), "update")
    assert done.returncode == 0, done.stderr
    assert said[0].startswith(f"waiting for process {other.pid} (python")


def test_apt_waits_for_who_fetches_lists_and_says_what_it_cannot_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = f"[ -e {tmp_path}/asked ] || {{ touch {tmp_path}/asked; echo 'E: Could not get lock /var/lib/apt/lists/lock.' >&2; exit 100; }}"
    program(tmp_path, "apt-get", f'case "$*" in *update) {busy}; touch {tmp_path}/fetched;; *) echo "E: Unable to locate package nothing" >&2; exit 100;; esac')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(apt_locks, "POLL_SECONDS", 0)
    with pytest.raises(UserError, match=r"`apt-get install nothing` failed with exit status 100[\s\S]*Unable to locate package nothing"):
        apt.Apt(tmp_path).install(["nothing"])
    assert (tmp_path / "fetched").exists()


def test_sources_are_listed_before_lists_were_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "apt-get", '[ "$*" != "indextargets --no-release-info" ] || echo "Release: bookworm"')
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert apt.apt_targets() == "Release: bookworm\n"


def test_fetched_lists_are_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "apt-get", 'echo "$*"')
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert apt.apt_targets() == "indextargets\n"


@pytest.mark.parametrize(("users", "told"), [(["root", "bin"], "bin will"), (["root"], ""), ([], "")])
def test_what_the_group_docker_means_is_said_of_whom_it_is_still_to_be_given(tmp_path: Path, users: list[str], told: str) -> None:
    getent = tmp_path / "getent"
    getent.write_text("#!/bin/sh\n[ \"$*\" = 'group docker' ] && echo docker:x:999:root,me\n")
    getent.chmod(0o755)
    done = subprocess.run(
        [sys.executable, container_engine_info.__file__],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {"users": users}}),
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(done.stdout)
    warnings = " ".join(str(one) for one in result.get("warnings", []))
    assert not result["changed"]
    assert told in warnings
    assert ("become root without a password" in warnings, "-e deployment_minikube_user=minikube" in warnings) == (bool(told), bool(told))


def test_an_older_engine_that_goes_on_after_its_packages_were_replaced_has_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a run was broken off between both, or apt upgraded them by itself."""
    monkeypatch.setattr(docker_engine, "answering_version", lambda: "20.10.24+dfsg1")
    monkeypatch.setattr(docker_engine, "missing_packages", lambda _: [])
    monkeypatch.setattr(apt, "apt_targets", lambda: target("http://a/", "/debian.sources:1"))
    seen = container_engine_info.observe([], "bookworm")
    assert not seen["supported"]
    assert seen["repository"]["uri"] == "http://a/"
