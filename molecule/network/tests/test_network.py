"""Containers find each other at the addresses asked for, by packets that go through; another's network of the same name is left alone."""

from __future__ import annotations

import json

from conftest import Tester
from stored import pause
from testinfra.host import Host

__all__ = ["pause"]


def test_a_container_gets_a_fixed_address_in_the_network(tester: Tester, pause: str) -> None:
    tester.sees(f"docker run --detach --name fixed --network todo --ip 192.168.85.77 {pause}")
    assert tester.sees("docker inspect --format '{{.NetworkSettings.Networks.todo.IPAddress}}' fixed") == "192.168.85.77"
    tester.sees("docker rm --force fixed")


def test_the_host_is_its_gateway(tester: Tester) -> None:
    assert "192.168.85.1/24" in tester.sees("ip -brief address")


def test_a_new_network_carries_what_the_way_out_carries(host: Host, tester: Tester, pause: str) -> None:
    usual = host.check_output("cat /sys/class/net/eth0/mtu")
    host.check_output("docker network rm todo")
    host.check_output("ip link set eth0 mtu 1400")
    try:
        passed, output = tester.up("--tags network")
        assert passed, output
        assert json.loads(tester.sees("docker network inspect todo"))[0]["Options"] == {"com.docker.network.driver.mtu": "1400"}
        tester.sees(f"docker run --detach --name narrow --network todo {pause}")
        process = tester.sees("docker inspect --format '{{.State.Pid}}' narrow")
        assert " mtu 1400 " in host.check_output(f"nsenter --target {process} --net ip link show eth0")
    finally:
        host.run("docker rm --force narrow")
        host.check_output(f"ip link set eth0 mtu {usual}")


# As OpenVPN takes the way out over, without touching the default route.
TUNNEL = """
set -e
ip link add tunnel mtu 1400 type veth peer name far
ip link set far up
ip link set tunnel up
ip address add 10.8.0.2/24 dev tunnel
ip route add 0.0.0.0/1 dev tunnel
ip route add 128.0.0.0/1 dev tunnel
"""


def test_a_tunnel_that_has_the_way_out_in_two_halves_is_the_way_out(host: Host, tester: Tester) -> None:
    host.check_output("docker network rm todo")
    host.check_output("bash -c %s", TUNNEL)
    try:
        passed, output = tester.up("--tags network")
        assert passed, output
        assert json.loads(tester.sees("docker network inspect todo"))[0]["Options"] == {"com.docker.network.driver.mtu": "1400"}
        assert "carries packets of 1500 bytes, and this machine's way out 1400" in " ".join(output.split())
    finally:
        host.check_output("ip link delete tunnel")


def test_another_ones_network_of_that_name_is_left_alone(tester: Tester) -> None:
    tester.sees("docker network rm todo && docker network create --subnet 192.168.85.0/24 todo")
    before = json.loads(tester.sees("docker network inspect todo"))
    tester.refused("--tags network", "todo", "deployment_name")
    assert json.loads(tester.sees("docker network inspect todo")) == before
