"""What the browser story needs: a browser, a page that tolerates no error, an account that is always deleted again."""

import os
import secrets
import shlex
import subprocess
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import pytest
from chromium import ARGUMENTS, CHROMIUM, check_what_is_open, watched
from chromium import TIMEOUT_MS as TIMEOUT_MS
from chromium import check_accessible as check_accessible
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

URLS = os.environ.get("TODO_URLS", "http://127.0.0.1:30000").split()
# What an address may matter to: cookies, headers, and the whole way. All else is tried at the first.
EVERYWHERE = ("test_story", "test_headers")


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
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
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
        client = playwright.request.new_context(base_url=url, extra_http_headers={"origin": url}, ignore_https_errors=True)
        login = client.post("/api/auth/login", data={"email": account.email, "password": account.password})
        assert login.ok, f"{account.email} could not be deleted: {login.status} {login.text()}"
        deletion = client.delete("/api/account")
        assert deletion.ok, f"{account.email} could not be deleted: {deletion.status} {deletion.text()}"
        client.dispose()
    assert not database.knows(account.email), f"{account.email} is still in the database"


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """A page of the application; the test fails on every console error, failed request and error answer."""
    with watched(browser, url) as page:
        yield page


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Function) -> Generator[None, object, object]:
    """axe-core finds nothing on any page that a test leaves open, whichever browser of somebody's it is in."""
    result = yield
    if browser := item.funcargs.get("browser"):
        check_what_is_open(browser)
    return result
