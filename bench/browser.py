#!/usr/bin/env python3
"""Shows the longest wait between two pieces of an answer, as Chromium gets it and as the backend's pod gives it.

    python3 bootstrap --test -- python bench/browser.py --provider ADDRESS:PORT [--url URL] [--programs FOLDER]

This script is the language model at that address, which the deployment on this machine has to be set to, as for bench/service.py;
it says a word each tenth of a second. The answers come in turn from a backend's pod, through `kubectl port-forward`, and to a
page in Chromium, which offers to take them compressed, as it does to every site. The accounts are this script's own and are deleted.

The exit status says whether all was answered, and Chromium's median is within its goal of the pod's.
"""

from __future__ import annotations

import argparse
import json
import secrets
import signal
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPException
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / ".ansible/collections"), str(ROOT / "molecule/shared")]

import slow_provider  # noqa: E402
from chromium import ARGUMENTS, CHROMIUM  # noqa: E402

from ansible_collections.todochat.platform.plugins.module_utils.acceptance import ACCOUNT  # noqa: E402
from ansible_collections.todochat.platform.plugins.module_utils.base.errors import UserError  # noqa: E402
from ansible_collections.todochat.platform.plugins.module_utils.cluster.kubectl import Cluster  # noqa: E402
from bench.deployment import PROGRAMS, machine, terminated  # noqa: E402
from bench.roles import STATE  # noqa: E402
from bench.service import NAME, AnswerError, Client, accounts, forwarded, pods_of, table, until_it_serves  # noqa: E402

PAUSE, ANSWERS, MOST_MORE_MS = 0.1, 10, 50
# The times at which pieces with words in them arrive, in milliseconds, and how they were packed.
FETCH = """async (body) => {
  const response = await fetch("/api/chat/stream", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const times = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { status: response.status, packed: response.headers.get("content-encoding"), times };
    if (value.includes('"text-delta"')) times.push(performance.now());
  }
}"""


def said() -> dict[str, str]:
    return {"id": str(uuid.uuid4()), "message": "hello"}


def longest(times: Sequence[float]) -> float:
    """The longest wait between two neighbours. Raises AnswerError where there are none."""
    if len(times) < 2:
        raise AnswerError("an answer has no words, or comes in one piece")
    return max(after - before for before, after in pairwise(times))


def from_the_pod(client: Client) -> float:
    """Milliseconds. Raises AnswerError."""
    times = []
    client.connection.close()  # an idle one may be closed by the other side at any time
    try:
        client.connection.request("POST", "/api/v1/chat/stream", json.dumps(said()).encode(), client.headers)
        for line in iter(client.connection.getresponse().readline, b""):
            if b'"text-delta"' in line:
                times.append(time.monotonic() * 1000)
    except (OSError, HTTPException) as error:
        raise AnswerError(f"the pod's stream breaks off: {error!r}") from error
    return longest(times)


def in_the_page(page: Page, packings: set[Any]) -> float:
    """Milliseconds. Raises AnswerError."""
    found = page.evaluate(FETCH, said())
    if found["status"] != 200:
        raise AnswerError(f"the page's stream is answered with {found['status']}")
    packings.add(found["packed"])
    return longest(found["times"])


@contextmanager
def signed_in(url: str) -> Iterator[Page]:
    """A page of the application with an account of its own. Raises AnswerError."""
    account = {"email": ACCOUNT.format(secrets.token_hex(8)), "password": secrets.token_urlsafe(16)}
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS) as browser:
        page = browser.new_page(base_url=url, extra_http_headers={"Origin": url})
        answer = page.request.post("/api/auth/signup", data=account)
        if not answer.ok:
            raise AnswerError(f"signing up is answered with {answer.status}: {answer.text()}")
        try:
            page.goto("/login")
            yield page
        finally:
            page.request.delete("/api/account", data=account)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how an answer's pieces arrive in Chromium, and from the backend itself.")
    parser.add_argument("--provider", required=True, help="the address and port at which the deployment expects its language model")
    parser.add_argument("--url", default="http://127.0.0.1:30000", help="where the deployment is reached")
    parser.add_argument("--programs", type=Path, default=PROGRAMS, help="the folder with its kubectl")
    given = parser.parse_args()
    host, _, port = given.provider.partition(":")
    if not port.isdecimal():
        parser.error(f"--provider is ADDRESS:PORT, such as 192.168.85.1:8080, not {given.provider}")
    signal.signal(signal.SIGTERM, terminated)
    print(machine(), flush=True)
    try:
        direct, page, packings = run(host, int(port), given.url.rstrip("/"), given.programs)
    except (UserError, AnswerError) as error:
        sys.exit(f"bench/browser.py: {error}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    rows = [["longest wait between two pieces, ms", "median", "most"]]
    rows += [[name, f"{median(one):.1f}", f"{max(one):.1f}"] for name, one in (("from the backend's pod", direct), ("in Chromium", page))]
    more = median(page) - median(direct)
    rows += [["more", f"{more:.1f} (goal <= {MOST_MORE_MS})", f"{max(page) - max(direct):.1f}"]]
    print(f"\n{table(rows)}\n\n{ANSWERS} answers each; content-encoding in Chromium: {', '.join(sorted(str(one or 'none') for one in packings))}")
    if more > MOST_MORE_MS:
        sys.exit(f"bench/browser.py: Chromium waits {more:.1f} ms longer for a piece than a client of the pod, and the goal is {MOST_MORE_MS} at most.")


def run(host: str, port: int, url: str, programs: Path) -> tuple[list[float], list[float], set[Any]]:
    """Milliseconds of each answer, from the pod and in the page, and how the latter were packed. Raises UserError, AnswerError."""
    cluster = Cluster(str(programs / "helm"), str(programs / "kubectl"), str(STATE / "todochat" / NAME / "kubeconfig"), NAME)
    backends = [pod for pod in pods_of(cluster.json("pods")["items"]) if pod.release == "backend"]
    direct, page, packings = list[float](), list[float](), set[Any]()
    with ExitStack() as stack:
        try:
            stack.enter_context(slow_provider.provider(host, port, PAUSE))
        except OSError as error:
            raise UserError(f"Nothing can be served at {host}:{port}: {error}", "Name an address of this machine, and a port that is free there.") from None
        clients = stack.enter_context(accounts([("backend", stack.enter_context(forwarded(cluster, pod))) for pod in backends]))
        for one in clients:  # whichever the page comes to
            until_it_serves(one, host)
        opened = stack.enter_context(signed_in(url))
        for _ in range(ANSWERS):
            direct.append(from_the_pod(clients[0]))
            page.append(in_the_page(opened, packings))
    return direct, page, packings


if __name__ == "__main__":
    main()
