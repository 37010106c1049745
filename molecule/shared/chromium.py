"""Chromium as the tests drive it: in the network of a system, on pages where every error counts, and judged by axe-core."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request, Response

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
# Without these, Chromium looks for its maker's servers and fails where there is no way out.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TIMEOUT_MS = 15_000
# What the browser loads last, and breaks off where the page is left before; and what Chromium calls so now and then although the page has
# read it to its end. Whether an answer arrived whole, the story asks.
BROKEN_OFF = {"/icon.svg", "/api/chat/stream"}
AXE = ROOT / "apps/frontend/node_modules/axe-core/axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def process_of(system: str) -> str:
    """The number that the first process of a system has on this machine."""
    return subprocess.run(["docker", "inspect", "--format={{.State.Pid}}", system], capture_output=True, text=True, check=True).stdout.strip()


@contextmanager
def launched(playwright: Playwright, system: str) -> Iterator[Browser]:
    """This machine's browser in the network of a system, whose 127.0.0.1 is its own."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "chromium")
        program.write_text(f'#!/bin/sh\nexec nsenter --target {process_of(system)} --net -- {CHROMIUM} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        with playwright.chromium.launch(executable_path=program, args=ARGUMENTS) as browser:
            yield browser


@contextmanager
def watched(browser: Browser, url: str) -> Iterator[Page]:
    """A page of the application in a context of its own; every console error, failed request and error answer is a failure at the end."""
    troubles: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            troubles.append(f"console {message.type}: {message.text}")

    def on_failure(request: Request) -> None:
        path = urlsplit(request.url).path
        # Of a page that is left its questions are broken off too; a change, a page or a script never may be.
        if request.failure == "net::ERR_ABORTED" and (path in BROKEN_OFF or (request.method == "GET" and path.startswith("/api/"))):
            return
        troubles.append(f"{request.method} {request.url} failed: {request.failure}")

    def on_response(response: Response) -> None:
        if response.status >= 400:
            troubles.append(f"{response.request.method} {response.url} was answered with {response.status}")

    # A proxy's certificate is of an authority of the test's own.
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 800}, ignore_https_errors=True)
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    page.on("console", on_console)
    page.on("pageerror", lambda error: troubles.append(f"uncaught: {error}"))
    page.on("requestfailed", on_failure)
    page.on("response", on_response)
    try:
        yield page
    except Exception as error:
        error.add_note("\n".join(troubles))
        raise
    finally:
        context.close()
    assert not troubles, "\n".join(troubles)


def check_accessible(page: Page) -> None:
    """Fail with what axe-core finds wrong with the page as it is: for a keyboard, a screen reader, weak eyes."""
    if not AXE.is_file():
        pytest.fail(f"{AXE} is not there; the checks of the frontend install it")
    # What moves in is not judged half transparent; what goes on until an answer comes has no end.
    ending = "document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < Infinity)"
    page.evaluate(f"{ending}.forEach((one) => one.finish())")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("(tags) => axe.run(document, { runOnly: tags })", WCAG)["violations"]
    told = [f"{one['id']}: {one['help']}: {[node['html'] for node in one['nodes']]}" for one in found]
    assert not told, "\n".join([page.url, *told])


def check_what_is_open(browser: Browser) -> None:
    """Judge each page that is open, whichever context it is of."""
    for page in (page for context in browser.contexts for page in context.pages):
        if page.url != "about:blank":
            check_accessible(page)


def sign_up(page: Page, email: str) -> None:
    """Somebody new has an account, and their list before them."""
    page.goto("/signup")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill("a password for this test alone")
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/todos")


def pass_story(system: str, url: str, database: str, container: str) -> None:
    """A newcomer's way, of tests/e2e/test_story.py, at an address as a system has it, names of its own too; with that database's rows."""
    with tempfile.NamedTemporaryFile("w", suffix="-hosts") as hosts:
        hosts.write(subprocess.run(["docker", "exec", system, "cat", "/etc/hosts"], capture_output=True, text=True, check=True).stdout)
        hosts.flush()
        inside = 'mount --bind "$0" /etc/hosts && exec nsenter --target "$1" --net -- "$2" -m pytest -v tests/e2e/test_story.py'
        command = ["unshare", "--mount", "sh", "-c", inside, hosts.name, process_of(system), sys.executable]
        psql = f"docker exec -i {system} docker exec -i {container} psql -U postgres -d {database} -At"
        own = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        environment = own | {"TODO_URLS": url, "TODO_PSQL": psql}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
