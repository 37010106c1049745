"""A visitor with an account of their own, run on the system where the application is.

    visitor.py begin     signs up and adds a todo
    visitor.py return    waits until the application is there again, logs in, and finds the todo
"""

from __future__ import annotations

import sys
import time

from ansible_collections.todochat.platform.plugins.module_utils.acceptance import JourneyError, Visitor

URL = "http://127.0.0.1:30000"
ACCOUNT = {"email": "traveller@example.com", "password": "a password for this test alone"}
TODO = "survive the reboot"
WAIT_SECONDS = 180


def begin() -> None:
    visitor = Visitor(URL)
    visitor.call("sign up", "POST", "/api/auth/signup", ACCOUNT)
    visitor.call("add a todo", "POST", "/api/todos", {"title": TODO})


def come_again() -> None:
    visitor = Visitor(URL)
    visitor.call("look", "GET", "/health/ready")
    visitor.call("log in", "POST", "/api/auth/login", ACCOUNT)
    titles = [todo["title"] for todo in visitor.call("list the todos", "GET", "/api/todos")]
    if titles != [TODO]:
        sys.exit(f"The todos are {titles}, not {[TODO]}.")


def main() -> None:
    if sys.argv[1] == "begin":
        return begin()
    start = time.monotonic()
    while True:
        try:
            come_again()
        except JourneyError as error:
            if time.monotonic() - start > WAIT_SECONDS:
                sys.exit(f"Not there again after {WAIT_SECONDS} s: {error}")
            time.sleep(1)
        else:
            return print(f"there again after {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
