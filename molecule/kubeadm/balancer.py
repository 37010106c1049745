#!/usr/bin/env python3
"""Leads each connection to the next of some addresses; where that does not take it in a second, to the one after it.

    balancer.py PORT ADDRESS:PORT...

It stands for what leads people to several nodes, be it a provider's load balancer, DNS with an address for each node, or BGP: it knows nothing of
how the nodes are, so that one that is gone costs each of its connections that second, and it does not know what it carries.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

CONNECT_SECONDS = 1


class Balancer:
    def __init__(self, targets: list[str]) -> None:
        self.targets = targets

    async def lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries a connection there and back; it is closed where no node takes it."""
        for _ in self.targets:
            host, _, port = self.targets[0].partition(":")
            self.targets.append(self.targets.pop(0))
            with suppress(OSError, TimeoutError):
                there, onward = await asyncio.wait_for(asyncio.open_connection(host, int(port)), CONNECT_SECONDS)
                await asyncio.gather(carry(reader, onward), carry(there, writer))
                return
        writer.close()


async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(1 << 16):
            target.write(data)
            await target.drain()
    target.close()


async def main(port: str, *targets: str) -> None:
    server = await asyncio.start_server(Balancer(list(targets)).lead, "127.0.0.1", int(port))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
