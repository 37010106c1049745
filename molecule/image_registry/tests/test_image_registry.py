"""The registry keeps what is pushed, also over a restart and a removal of its container."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from conftest import Tester
from neighbour import neighbour, reached
from stored import pause
from testinfra.host import Host

__all__ = ["neighbour", "pause"]

IMAGE = "127.0.0.1:5000/tests/pause"
ADDRESS = "192.168.85.250"


def pushed(tester: Tester, pause: str) -> str:
    """Pushes an image; returns its name by digest, after it was taken away from Docker."""
    digest = tester.pushed(pause, f"{IMAGE}:1")
    tester.sees(f"docker rmi {pause}")
    return digest


def test_what_is_pushed_can_be_pulled_by_digest(tester: Tester, pause: str) -> None:
    tester.sees(f"docker pull --quiet {pushed(tester, pause)}")


def test_images_outlive_a_restart_of_docker_and_the_container(host: Host, tester: Tester, pause: str) -> None:
    image = pushed(tester, pause)
    host.check_output("systemctl restart docker")
    assert tester.sees("docker inspect --format '{{.State.Running}}' todo-registry") == "true"
    tester.sees("docker rm --force todo-registry")
    passed, output = tester.up("--tags image_registry")
    assert passed, output
    tester.sees(f"docker pull --quiet {image}")


def test_it_may_little_and_what_it_writes_is_bounded(host: Host, tester: Tester) -> None:
    found = json.loads(tester.sees("docker inspect --format '{{json .HostConfig}}' todo-registry"))
    assert (found["CapDrop"], found["CapAdd"] or [], found["SecurityOpt"], found["ReadonlyRootfs"]) == (["ALL"], [], ["no-new-privileges:true"], True)
    assert (found["Memory"] > 0, found["PidsLimit"] > 0, found["LogConfig"]["Config"].keys()) == (True, True, {"max-size", "max-file"})
    process = host.check_output("docker inspect --format '{{.State.Pid}}' todo-registry")
    assert host.check_output(f"sed --quiet 's/^Cap[PE].*:.//p' /proc/{process}/status").split() == ["0" * 16] * 2


@pytest.fixture(scope="module")
def neighbours(host: Host, neighbour: str) -> Iterator[dict[str, str]]:
    """What runs a command as a machine beside this one, and as a container of another Docker network; a port of this machine is open to both."""
    image = host.check_output("docker inspect --format '{{.Image}}' todo-registry")
    host.check_output("docker network create other && docker run --detach --name other --network other %s", image)
    host.check_output("systemd-run --quiet --unit=open python3 -m http.server 5099")
    host.check_output("timeout 20 bash -c 'until (: < /dev/tcp/127.0.0.1/5099) 2> /dev/null; do sleep 0.1; done'")
    pid = host.check_output("docker inspect --format '{{.State.Pid}}' other")
    yield {"machine": neighbour, "container": f"nsenter --target {pid} --net"}
    host.check_output("systemctl stop open; docker rm --force --volumes other; docker network rm other")


@pytest.mark.parametrize("who", ["machine", "container"])
def test_it_answers_on_this_machine_only(host: Host, neighbours: dict[str, str], who: str) -> None:
    addresses = [address for address in host.check_output("hostname --all-ip-addresses").split() if ":" not in address]
    assert reached(host, neighbours[who], 5099, *addresses) == addresses
    assert reached(host, neighbours[who], 5000, *addresses) == []


def test_no_container_of_another_network_reaches_its_own_address(host: Host, neighbours: dict[str, str]) -> None:
    assert reached(host, "", 5000, ADDRESS) == [ADDRESS]
    assert reached(host, neighbours["container"], 5000, ADDRESS) == []


def test_a_machine_that_routes_its_own_address_by_this_one_reaches_it_where_docker_is_older_than_28(host: Host, neighbours: dict[str, str]) -> None:
    """What Docker publishes at 127.0.0.1 it lets through to the container's address as well; docs/security.md says so."""
    version = host.check_output("docker version --format '{{.Server.Version}}'")
    assert reached(host, neighbours["machine"], 5000, ADDRESS) == ([ADDRESS] if int(version.partition(".")[0]) < 28 else [])


def test_a_stopped_registry_is_started(tester: Tester) -> None:
    tester.sees("docker stop todo-registry")
    passed, output = tester.up("--tags image_registry")
    assert passed, output
    assert tester.sees("docker inspect --format '{{.State.Running}}' todo-registry") == "true"
