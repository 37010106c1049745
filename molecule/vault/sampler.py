#!/usr/bin/env python3
"""Keep the command lines and environments of all processes that show while it runs, each once.

    sampler.py FILE    as root, until it is told to end; FILE gets each as a line: the process's name, cmdline or environ, its text

Young processes are looked at again and again, because most become another program in their first moments, and short ones are gone
soon; older ones now and then, because a program may write over its own command line.
"""

from __future__ import annotations

import os
import sys
import time

YOUNG_SECONDS = 2.0
PAUSE = 0.002
ALL_EVERY = 2.0


def read(path: str) -> bytes:
    """A file of /proc; empty where the process has ended meanwhile."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def main(path: str) -> None:
    seen: set[tuple[str, bytes]] = set()
    first_seen: dict[str, float] = {}
    last_all = 0.0
    with open(path, "ab", buffering=0) as out:
        while True:
            now = time.monotonic()
            every = now - last_all > ALL_EVERY
            last_all = now if every else last_all
            present = [name for name in os.listdir("/proc") if name.isdigit()]
            first_seen = {name: first_seen.get(name, now) for name in present}
            for process in present:
                if not every and now - first_seen[process] > YOUNG_SECONDS:
                    continue
                for kind in ("cmdline", "environ"):
                    content = read(f"/proc/{process}/{kind}")
                    if content and (kind, content) not in seen:
                        seen.add((kind, content))
                        comm = read(f"/proc/{process}/comm").strip()
                        out.write(comm + b" " + kind.encode() + b" " + content.replace(b"\n", b"\\n").replace(b"\0", b" ") + b"\n")
            time.sleep(PAUSE)


if __name__ == "__main__":
    main(sys.argv[1])
