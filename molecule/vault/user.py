#!/usr/bin/env python3
"""A user who works with the application until told to end, run on the system where it is.

    user.py FILE    FILE gets a line for each round: "well", or the step that failed and what came back

Each round is done in a session from before the first one, and in one that has begun just now. Each request has a connection of its own, and
none is sent twice.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from ansible_collections.todochat.platform.plugins.module_utils.acceptance import JourneyError, Visitor

URL = "http://127.0.0.1:30000"
PAUSE = 0.2


def work(visitor: Visitor, title: str) -> None:
    """What was acknowledged is there afterwards."""
    visitor.call("add a todo", "POST", "/api/todos", {"title": title})
    titles = [todo["title"] for todo in visitor.call("list the todos", "GET", "/api/todos")]
    if title not in titles:
        raise JourneyError(f"list the todos: {title} is not among them")


def main(file: Path) -> None:
    account = {"email": f"rotating-{time.time_ns()}@example.com", "password": "a password for this test alone"}
    from_before = Visitor(URL)
    from_before.call("sign up", "POST", "/api/auth/signup", account)
    with file.open("a", buffering=1) as out:
        for number in range(sys.maxsize):
            try:
                work(from_before, f"todo {number} of the first session")
                begun_now = Visitor(URL)
                begun_now.call("log in", "POST", "/api/auth/login", account)
                work(begun_now, f"todo {number} of a new session")
                begun_now.call("log out", "POST", "/api/auth/logout")
                out.write("well\n")
            except JourneyError as error:
                out.write(f"{error}\n")
            time.sleep(PAUSE)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
