"""The application that compose.yaml starts: the cluster's images, as confined as in its pods, and its secrets nowhere else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import Tester
from testinfra.host import Host

SERVING = ("database", "backend", "frontend")
ONCE = ("secrets", "migrations")
SECRETS = ("database_password", "database_url", "jwt_keys")
USERS = {"database": 70, "backend": 10001, "frontend": 10001}


def compose(tester: Tester, arguments: str) -> str:
    return tester.sees(f"cd todochat && docker compose {arguments}")


def inspect(tester: Tester, service: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(tester.sees(f"docker inspect todochat-{service}-1"))[0]
    return found


def secret_values(host: Host) -> list[str]:
    """What must be nowhere else: each secret, and of a longer one also the part that is random."""
    folder = host.check_output("docker volume inspect --format '{{.Mountpoint}}' todochat_secrets")
    values = [host.file(f"{folder}/{name}").content_string for name in SECRETS]
    return [*values, *json.loads(values[-1])["keys"].values()]


def test_all_services_are_healthy_and_the_others_did_their_work(tester: Tester) -> None:
    for service in SERVING:
        assert inspect(tester, service)["State"]["Health"]["Status"] == "healthy"
        assert inspect(tester, service)["RestartCount"] == 0
    for service in ONCE:
        state = inspect(tester, service)["State"]
        assert (state["Status"], state["ExitCode"]) == ("exited", 0)


@pytest.mark.parametrize("service", ["backend", "frontend"])
def test_what_runs_is_the_image_that_the_cluster_would_run(tester: Tester, service: str) -> None:
    digest = f"127.0.0.1:5000/todo/{service}@{tester.built(service)}"
    assert inspect(tester, service)["Image"] == tester.sees(f"docker image inspect --format '{{{{.Id}}}}' {digest}")


def test_the_database_is_the_stores(tester: Tester) -> None:
    names = tester.sees(f"docker image inspect --format '{{{{json .RepoTags}}}}' {inspect(tester, 'database')['Image']}")
    stored = tester.sees("ls ~/.cache/todochat/store/postgres").split()
    assert any(key.startswith(name.rpartition("-")[2]) for name in json.loads(names) for key in stored), names


@pytest.mark.parametrize("service", SERVING)
def test_it_has_no_rights(tester: Tester, service: str) -> None:
    status = dict(line.split(":\t", 1) for line in compose(tester, f"exec -T {service} cat /proc/1/status").splitlines())
    assert {int(user) for user in status["Uid"].split()} == {USERS[service]}
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    (root,) = (line.split() for line in compose(tester, f"exec -T {service} cat /proc/1/mounts").splitlines() if line.split()[1] == "/")
    assert "ro" in root[3].split(",")


@pytest.mark.parametrize(("service", "cpus", "megabytes"), [("backend", 1, 1024), ("frontend", 0.5, 512)])
def test_it_is_limited(tester: Tester, service: str, cpus: float, megabytes: int) -> None:
    host_config = inspect(tester, service)["HostConfig"]
    assert host_config["NanoCpus"] == cpus * 1_000_000_000
    assert host_config["Memory"] == megabytes * 1024 * 1024


def test_only_this_machine_reaches_the_frontend_and_nobody_the_rest(host: Host) -> None:
    listening = host.check_output("ss --listening --tcp --numeric --no-header").splitlines()
    addresses = {line.split()[3] for line in listening}
    assert "127.0.0.1:3000" in addresses
    assert [address for address in addresses if address.endswith((":8001", ":5432")) or address in ("0.0.0.0:3000", "[::]:3000", "*:3000")] == []


def test_secrets_are_nowhere_but_in_their_files(host: Host, tester: Tester) -> None:
    everything = [
        tester.sees("docker inspect $(docker ps --all --quiet) $(docker volume ls --quiet) $(docker images --quiet)"),
        compose(tester, "config"),
        compose(tester, "logs"),
        tester.sees(
            "for process in $(pgrep -f 'postgres|todo_backend|node'); do sudo cat /proc/$process/environ /proc/$process/cmdline; done | tr '\\0' '\\n'"
        ),
    ]
    assert "POSTGRES_PASSWORD_FILE=" in everything[-1]
    values = secret_values(host)
    assert len(values) == 4
    for value in values:
        assert len(value) >= 43
        assert [text for text in everything if value in text] == []
        found = host.run(
            "printf %%s %s | grep --recursive --files-with-matches --fixed-strings --file=- --exclude-dir=.venv --exclude-dir=store /home/tester", value
        )
        assert (found.rc, found.stdout) == (1, ""), found


@pytest.mark.parametrize(("service", "own"), [("backend", {"database_url", "jwt_keys"}), ("database", {"database_password"})])
def test_each_service_reads_its_own_secrets_alone(tester: Tester, service: str, own: set[str]) -> None:
    readable = compose(tester, f"exec -T {service} sh -c 'cd /run/secrets/todochat; for name in *; do test ! -r $name || echo $name; done'")
    assert set(readable.split()) == own


def test_the_next_start_takes_what_was_built_since(tester: Tester) -> None:
    """As `make up` names it."""
    before, name = inspect(tester, "backend")["Image"], "todochat/todo-backend:current"
    tester.sees(f"printf 'FROM {name}\nENV NEWER=1' | docker build --quiet --tag {name} -")
    newer = tester.sees(f"docker image inspect --format '{{{{.Id}}}}' {name}")
    compose(tester, "up --wait")
    assert inspect(tester, "backend")["Image"] == newer != before


def test_whoever_listens_where_the_registry_was_is_not_asked(host: Host, tester: Tester) -> None:
    before = inspect(tester, "backend")["Image"]
    compose(tester, "down")
    tester.sees("docker stop todo-registry")
    host.check_output("systemd-run --quiet --unit=squatter --property=User=nobody python3 -m http.server --bind 127.0.0.1 5000")
    host.check_output("timeout 20 bash -c 'until (: < /dev/tcp/127.0.0.1/5000) 2> /dev/null; do sleep 0.1; done'")
    compose(tester, "up --wait")
    assert inspect(tester, "backend")["Image"] == before
    assert "GET" not in host.check_output("journalctl --unit=squatter --output=cat")
    host.check_output("systemctl stop squatter")
    tester.sees("docker start todo-registry")
