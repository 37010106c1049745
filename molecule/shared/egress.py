#!/usr/bin/env python3
"""A way out of a system that leads nowhere, and who tries it: run as root within the system, while it lasts.

    egress.py LOG    the default route leads to nobody, and so does the name server; LOG gets a line for each packet that goes there

A line says protocol, destination and port, and of a question to the name server what it asks for.
"""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
from pathlib import Path

# For documentation, so nobody's; the address that answers for it on the link is of no device.
SETUP = """
set -e
ip link add outside type veth peer name nowhere
ip link set outside up
ip link set nowhere up
ip address add 198.51.100.1/24 dev outside
ip neighbour add 198.51.100.2 lladdr 02:00:00:00:00:02 dev outside nud permanent
ip neighbour add 198.51.100.53 lladdr 02:00:00:00:00:02 dev outside nud permanent
ip route add default via 198.51.100.2 dev outside
echo nameserver 198.51.100.53 > /etc/resolv.conf
"""
EVERY_PROTOCOL = 3
IPV4 = 0x0800
NAMES = {6: "tcp", 17: "udp"}


def described(packet: bytes) -> str:
    """A packet of IPv4, in words."""
    length = (packet[0] & 15) * 4
    protocol, address = packet[9], socket.inet_ntoa(packet[16:20])
    if protocol not in NAMES:
        return f"protocol {protocol} to {address}"
    port = struct.unpack("!H", packet[length + 2 : length + 4])[0]
    asked = f" for {question(packet[length + 8 :])}" if protocol == 17 and port == 53 else ""
    return f"{NAMES[protocol]} to {address}:{port}{asked}"


def question(message: bytes) -> str:
    """The name that a message to a name server asks for."""
    labels, at = [], 12
    while at < len(message) and message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode("ascii", "replace"))
        at += 1 + message[at]
    return ".".join(labels)


def main() -> None:
    subprocess.run(["sh", "-c", SETUP], check=True)
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(EVERY_PROTOCOL)) as watched, Path(sys.argv[1]).open("a", buffering=1) as log:
        watched.bind(("outside", EVERY_PROTOCOL))
        print("watching", file=log)
        while True:
            packet, (_, kind, *_) = watched.recvfrom(1 << 16)
            if kind == IPV4:
                print(described(packet), file=log)


if __name__ == "__main__":
    main()
