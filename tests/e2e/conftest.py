"""What the browser story needs: a browser, a page that tolerates no error, an account that is always deleted again."""

import os
import secrets
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request, Response, sync_playwright

URLS = os.environ.get("TODO_URLS", "http://127.0.0.1:30000").split()
# What an address may matter to: cookies, headers, the clipboard, and the whole way. All else is tried at the first.
EVERYWHERE = ("test_story", "test_headers", "test_settings")
TIMEOUT_MS = 15_000
# What the browser loads last, and breaks off where the page is left before; and what Chromium calls so now and then although the page has
# read it to its end. Whether an answer arrived whole, the story asks.
BROKEN_OFF = {"/icon.svg", "/api/chat/stream"}
CHROMIUM = "/usr/bin/chromium"
AXE = Path(__file__).parents[2] / "apps/frontend/node_modules/axe-core/axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Without these, Chromium looks for its maker's servers and fails where there is no way out.
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def check_accessible(page: Page) -> None:
    """Fail with what axe-core finds wrong with the page as it is: for a keyboard, a screen reader, weak eyes."""
    if not AXE.is_file():
        pytest.fail(f"{AXE} is not there; `make check` installs it")
    # What moves in is not judged half transparent; what goes on until an answer comes has no end.
    ending = "document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < Infinity)"
    page.evaluate(f"{ending}.forEach((one) => one.finish())")
    page.evaluate(AXE.read_text())
    found = page.evaluate("(tags) => axe.run(document, { runOnly: tags })", WCAG)["violations"]
    told = [f"{one['id']}: {one['help']}: {[node['html'] for node in one['nodes']]}" for one in found]
    assert not told, "\n".join([page.url, *told])


class Database:
    """The application's PostgreSQL, asked through the command in TODO_PSQL.

    The command takes SQL on its standard input and prints unaligned tuples, for example
    `docker exec -i todo-database psql -U postgres -d todo -At`.
    """

    def __init__(self, command: str) -> None:
        self._command = shlex.split(command)

    def rows(self, query: str, email: str) -> list[str]:
        """Return one string for each row, its columns separated by `|`; the query may use the variable `:'email'`."""
        said = f"\\set email '{email}'\n{query}"
        result = subprocess.run(self._command, input=said, capture_output=True, text=True, timeout=30, check=False)
        # psql ends with 0 when a statement from its standard input failed, so its words count as well.
        if result.returncode != 0 or result.stderr:
            pytest.fail(f"{shlex.join(self._command)} (status {result.returncode}): {result.stderr.strip()}")
        return result.stdout.splitlines()

    def todos_of(self, email: str) -> list[str]:
        """Return the titles of a user's todos with `|t` or `|f` for completed, in the order of the titles."""
        query = """
            SELECT title, completed_at IS NOT NULL FROM todos JOIN users ON users.id = todos.user_id
            WHERE users.email = :'email' ORDER BY title;
        """
        return self.rows(query, email)

    def knows(self, email: str) -> bool:
        """Tell whether there is an account with this address."""
        return self.rows("SELECT count(*) FROM users WHERE email = :'email';", email) == ["1"]


@dataclass
class Account:
    """Whom the story is about; the address has the prefix reserved for acceptance checks. Who changes the password says so here."""

    email: str
    password: str


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
    yield browser
    browser.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each address the application is reached at, without a slash at its end."""
    if "url" in metafunc.fixturenames:
        addresses = [url.rstrip("/") for url in URLS]
        metafunc.parametrize("url", addresses if metafunc.module.__name__ in EVERYWHERE else addresses[:1])


@pytest.fixture(scope="session")
def database() -> Database:
    command = os.environ.get("TODO_PSQL")
    if not command:
        pytest.fail(
            "TODO_PSQL is not set; set it to a command that takes SQL on its standard input, for example "
            "TODO_PSQL='docker exec -i todo-database psql -U postgres -d todo -At'"
        )
    return Database(command)


@pytest.fixture
def account(playwright: Playwright, url: str, database: Database) -> Iterator[Account]:
    """A new person, not signed up yet. Whatever happens in between, afterwards there is no trace of them."""
    account = Account(f"acceptance+{secrets.token_hex(8)}@todochat.example", secrets.token_urlsafe(18))
    yield account
    if database.knows(account.email):
        client = playwright.request.new_context(base_url=url, extra_http_headers={"origin": url})
        login = client.post("/api/auth/login", data={"email": account.email, "password": account.password})
        assert login.ok, f"{account.email} could not be deleted: {login.status} {login.text()}"
        deletion = client.delete("/api/account")
        assert deletion.ok, f"{account.email} could not be deleted: {deletion.status} {deletion.text()}"
        client.dispose()
    assert not database.knows(account.email), f"{account.email} is still in the database"


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """A page of the application; the test fails on every console error, failed request and error answer, and on what axe-core finds at its end."""
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

    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    page.on("console", on_console)
    page.on("pageerror", lambda error: troubles.append(f"uncaught: {error}"))
    page.on("requestfailed", on_failure)
    page.on("response", on_response)
    yield page
    try:
        if page.url != "about:blank":
            check_accessible(page)
    finally:
        context.close()
    assert not troubles, "\n".join(troubles)
