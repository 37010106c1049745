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


def test_another_ones_network_of_that_name_is_left_alone(tester: Tester) -> None:
    tester.sees("docker network rm todo && docker network create --subnet 192.168.85.0/24 todo")
    before = json.loads(tester.sees("docker network inspect todo"))
    tester.refused("--tags network", "todo", "deployment_name")
    assert json.loads(tester.sees("docker network inspect todo")) == before
