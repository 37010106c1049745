"""What the scenarios airgap say of a packet that tries to leave."""

from __future__ import annotations

import socket
import struct

import pytest
from script import loaded

egress = loaded("molecule/shared/egress.py")


def packet(protocol: int, rest: bytes, options: bytes = b"") -> bytes:
    """One of IPv4, to 203.0.113.9."""
    length = 5 + len(options) // 4
    addresses = socket.inet_aton("192.0.2.1") + socket.inet_aton("203.0.113.9")
    return struct.pack("!BBHHHBBH", 4 << 4 | length, 0, 0, 0, 0, 64, protocol, 0) + addresses + options + rest


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (packet(6, struct.pack("!HH", 40000, 443) + bytes(16)), "tcp to 203.0.113.9:443"),
        (packet(6, struct.pack("!HH", 40000, 443) + bytes(16), bytes(4)), "tcp to 203.0.113.9:443"),
        (packet(17, struct.pack("!HHHH", 40000, 123, 8, 0)), "udp to 203.0.113.9:123"),
        (packet(17, struct.pack("!HHHH", 40000, 53, 8, 0) + bytes(12) + b"\x02k8\x02io\x00\x00\x01\x00\x01"), "udp to 203.0.113.9:53 for k8.io"),
        (packet(1, bytes(8)), "protocol 1 to 203.0.113.9"),
    ],
)
def test_a_packet_is_told_by_where_it_goes_and_what_it_asks(sent: bytes, said: str) -> None:
    assert egress.described(sent) == said
