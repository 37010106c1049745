"""The registry keeps what is pushed, also over a restart and a removal of its container."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from conftest import Tester
from stored import pause
from testinfra.host import Host

__all__ = ["pause"]

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


CONNECT = """
import socket, sys
port, *addresses = sys.argv[1:]
for address in addresses:
    try:
        socket.create_connection((address, int(port)), timeout=3).close()
        print(address)
    except OSError:
        pass
"""
"""Prints at which addresses a port can be reached."""
# A machine beside this one, on a cable of their own: a network namespace.
BESIDE = """
set -e
ip netns add beside
ip link add beside type veth peer name eth0 netns beside
ip address add 10.213.0.1/24 dev beside
ip link set beside up
ip -n beside address add 10.213.0.2/24 dev eth0
ip -n beside link set eth0 up
ip -n beside route add default via 10.213.0.1
"""


@pytest.fixture(scope="module")
def neighbours(host: Host) -> Iterator[dict[str, str]]:
    """What runs a command as a machine beside this one, and as a container of another Docker network; a port of this machine is open to both."""
    image = host.check_output("docker inspect --format '{{.Image}}' todo-registry")
    host.check_output("bash -c %s", BESIDE)
    host.check_output("docker network create other && docker run --detach --name other --network other %s", image)
    host.check_output("systemd-run --quiet --unit=open python3 -m http.server 5099")
    host.check_output("timeout 20 bash -c 'until (: < /dev/tcp/127.0.0.1/5099) 2> /dev/null; do sleep 0.1; done'")
    pid = host.check_output("docker inspect --format '{{.State.Pid}}' other")
    yield {"machine": "ip netns exec beside", "container": f"nsenter --target {pid} --net"}
    host.check_output("systemctl stop open; docker rm --force --volumes other; docker network rm other; ip netns delete beside")


def reached(host: Host, inside: str, port: int, *addresses: str) -> list[str]:
    """At which of the addresses the port can be reached from there."""
    return host.check_output(f"{inside} python3 -c %s {port} {' '.join(addresses)}", CONNECT).split()


@pytest.mark.parametrize("neighbour", ["machine", "container"])
def test_it_answers_on_this_machine_only(host: Host, neighbours: dict[str, str], neighbour: str) -> None:
    addresses = [address for address in host.check_output("hostname --all-ip-addresses").split() if ":" not in address]
    assert reached(host, neighbours[neighbour], 5099, *addresses) == addresses
    assert reached(host, neighbours[neighbour], 5000, *addresses) == []


def test_no_container_of_another_network_reaches_its_own_address(host: Host, neighbours: dict[str, str]) -> None:
    assert reached(host, "", 5000, ADDRESS) == [ADDRESS]
    assert reached(host, neighbours["container"], 5000, ADDRESS) == []


def test_a_stopped_registry_is_started(tester: Tester) -> None:
    tester.sees("docker stop todo-registry")
    passed, output = tester.up("--tags image_registry")
    assert passed, output
    assert tester.sees("docker inspect --format '{{.State.Running}}' todo-registry") == "true"
