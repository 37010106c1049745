"""A machine in this one's network: a network namespace at the end of a cable, which sends whatever it has by way of this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from testinfra.host import Host

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


@pytest.fixture(scope="module")
def neighbour(host: Host) -> Iterator[str]:
    """What runs a command as that machine."""
    host.check_output("bash -c %s", BESIDE)
    yield "ip netns exec beside"
    host.check_output("ip netns delete beside")


def reached(host: Host, inside: str, port: int, *addresses: str) -> list[str]:
    """At which of the addresses the port can be reached from there; ``inside`` is empty for this machine."""
    return host.check_output(f"{inside} python3 -c %s {port} {' '.join(addresses)}", CONNECT).split()
