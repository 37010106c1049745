#!/usr/bin/env python3
"""Users who each follow the answers to their messages, one after the other, until told to stop; run on the system where the application is.

    streams.py USERS STOPFILE    ends once STOPFILE is there and all answers are

A stream that is cut is gone on with from the last event that was seen, as the page does it. Standard output gets one line of JSON: turns,
resumed (how often), failures (what was wrong, in words), missing and doubled (titles, by the list at the end).
"""

from __future__ import annotations

import http.client
import json
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.todochat.platform.plugins.module_utils.acceptance import JourneyError, Visitor

URL = "http://127.0.0.1:30000"
TURN_SECONDS = 90
READ_SECONDS = 30
AGAIN_SECONDS = 0.5
# People do not begin at once: whenever a pod goes, some are in the midst of an answer.
APART_SECONDS = 1


@dataclass
class Person:
    number: int
    turns: int = 0
    resumed: int = 0
    failures: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.visitor = Visitor(URL)

    def begin(self) -> None:
        account = {"email": f"streaming-{self.number}-{time.time_ns()}@example.com", "password": "a password for this test alone"}
        self.visitor.call("sign up", "POST", "/api/auth/signup", account)

    def speak(self, stop: Path) -> None:
        time.sleep(self.number * APART_SECONDS)
        while not stop.exists():
            title = f"stream-{self.number}-{self.turns}"
            try:
                self.turn(title)
            except (JourneyError, AssertionError) as error:
                self.failures.append(f"{title}: {error}")
            self.turns += 1

    def turn(self, title: str) -> None:
        """Says it, and follows until the end. Raises AssertionError."""
        self.titles.append(title)
        asked = {"id": str(uuid.uuid4()), "message": f"add {title}", "after": ""}
        ends, seen = time.monotonic() + TURN_SECONDS, list[dict[str, Any]]()
        while not (seen and seen[-1]["type"] == "finish"):
            assert time.monotonic() < ends, f"no end within {TURN_SECONDS} s, after {[part['type'] for part in seen][-3:]}"
            if seen:
                self.resumed += 1
                time.sleep(AGAIN_SECONDS)
            asked["after"] = self.follow(asked, seen)
        reply = next(part["data"] for part in seen if part["type"] == "data-reply")
        added = [change["after"]["title"] for change in reply["changes"]]
        assert (reply["assistant"], added) == ("slow", [title]), reply
        whole = sum(part["type"] == "text-delta" for part in seen)
        assert whole or "slowly" in reply["reply"], reply

    def follow(self, asked: dict[str, str], seen: list[dict[str, Any]]) -> str:
        """Keeps what comes; returns the place of the last part. A connection that breaks is no failure: the next one goes on."""
        place = asked["after"]
        request = urllib.request.Request(f"{URL}/api/chat/stream", json.dumps(asked).encode(), {"Origin": URL, "Content-Type": "application/json"})
        try:
            with self.visitor._opener.open(request, timeout=READ_SECONDS) as response:
                for line in response:
                    if line.startswith(b"id: "):
                        place = line[4:].decode().strip()
                    elif line.startswith(b"data: {"):
                        seen.append(json.loads(line[6:]))
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{error.code}: {error.read()[:200]!r}") from error
        except (http.client.HTTPException, OSError) as error:
            if not seen and isinstance(error, urllib.error.URLError):
                raise AssertionError(f"no answer at all: {error}") from error
        return place


def main(users: str, stop: Path) -> None:
    people = [Person(number) for number in range(int(users))]
    for person in people:
        person.begin()
    print("the streams begin", file=sys.stderr, flush=True)
    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(lambda person: person.speak(stop), people))
    missing, doubled = [], []
    for person in people:
        there = Counter(todo["title"] for todo in person.visitor.call("list", "GET", "/api/todos"))
        missing += [title for title in person.titles if title not in there]
        doubled += [title for title, times in there.items() if times > 1 or title not in person.titles]
    failures = [failure for person in people for failure in person.failures]
    counts = {"turns": sum(person.turns for person in people), "resumed": sum(person.resumed for person in people)}
    print(json.dumps({**counts, "failures": failures, "missing": missing, "doubled": doubled}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
