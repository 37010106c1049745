"""What people see where something is away, breaks or waits for them: on each of these states axe-core finds nothing, and each has a way on."""

import os
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from conftest import Account, check_accessible
from playwright.sync_api import Page, expect
from test_story import add, ask, sign_up

BACKEND = "todochat-backend-1"
RETURN_SECONDS = 90
AWAY = re.compile(r"The todo service (is not answering right now|took too long to answer)\. Try again in a moment\.")
OFFLINE = "No connection to the server. Check your network and try again."
# What heads each page while the backend is away, and when it is back.
PAGES = {
    "/todos": ("Your list is out of reach", "1 to do"),
    "/history": ("Your history is out of reach", "History"),
    "/account": ("Your account is out of reach", "Your account"),
}
Away = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def away() -> Away:
    """Begins a time without a backend, by the command in TODO_DOCKER, which does what `docker` does where compose.yaml's containers are."""
    command = shlex.split(os.environ.get("TODO_DOCKER", ""))
    if not command:
        pytest.skip("TODO_DOCKER is not set, so there is nothing that may stop the backend")

    def docker(*arguments: str) -> str:
        return subprocess.run([*command, *arguments], capture_output=True, text=True, check=True).stdout.strip()

    @contextmanager
    def stopped() -> Iterator[None]:
        docker("stop", BACKEND)
        try:
            yield
        finally:
            docker("start", BACKEND)
            deadline = time.monotonic() + RETURN_SECONDS
            while (health := docker("inspect", "--format={{.State.Health.Status}}", BACKEND)) != "healthy":
                assert time.monotonic() < deadline, f"{BACKEND} is {health}"
                time.sleep(0.5)

    return stopped


def test_while_the_backend_is_away_each_page_says_so_and_leads_back(page: Page, account: Account, away: Away) -> None:
    sign_up(page, account)
    add(page, "water the plants")
    pages = {path: page.context.new_page() for path in PAGES}
    tab = page.context.new_page()  # where an answer may be a refusal
    tab.goto("/todos")
    field = tab.get_by_label("New todo")
    expect(field).to_be_editable()
    with away():
        for path, one in pages.items():
            one.goto(path)
            for scheme in ("light", "dark"):
                one.emulate_media(color_scheme=scheme)
                expect(one.get_by_role("heading", name=PAGES[path][0])).to_be_visible()
                expect(one.get_by_text(AWAY)).to_be_visible()
                check_accessible(one)
            with one.expect_navigation():
                one.get_by_role("link", name="Try again").click()
            expect(one.get_by_role("heading", name=PAGES[path][0])).to_be_visible()
        field.fill("buy bread")
        field.press("Enter")
        expect(tab.get_by_role("alert").get_by_text(AWAY)).to_be_visible()
        expect(field).to_have_value("buy bread")
        check_accessible(tab)
    for path, one in pages.items():
        one.get_by_role("link", name="Try again").click()
        expect(one.get_by_role("heading", name=PAGES[path][1], exact=True)).to_be_visible()
    field.press("Enter")
    expect(tab.get_by_role("checkbox", name="buy bread")).to_be_visible()


def test_a_page_that_breaks_says_so_and_leads_back(page: Page, account: Account) -> None:
    sign_up(page, account)
    add(page, "water the plants")
    ask(page, "add buy milk")
    other = page.context.new_page()  # where there may be an error
    other.route(re.compile(r"/api/changes\?"), lambda route: route.fulfill(json=[None]))  # no server says that
    other.goto("/history")
    other.get_by_role("button", name="You", exact=True).click()
    expect(other.get_by_role("heading", name="Something went wrong")).to_be_visible()
    check_accessible(other)
    other.get_by_role("link", name="Try again").click()
    expect(other.get_by_role("checkbox", name="buy milk")).to_be_visible()


def test_without_a_connection_history_and_account_say_so(page: Page, account: Account) -> None:
    sign_up(page, account)
    add(page, "water the plants")
    ask(page, "add buy milk")
    other = page.context.new_page()  # where a request may fail
    for one in (page, other):
        one.wait_for_load_state("networkidle")
    for path, name in (("/history", "You"), ("/account", "Save the time zone")):
        other.goto(path)
        button = other.get_by_role("button", name=name, exact=True)
        expect(button).to_be_enabled()
        other.context.set_offline(True)
        button.click()
        expect(other.get_by_text(OFFLINE)).to_be_visible()
        check_accessible(other)
        other.context.set_offline(False)
        button.click()
        expect(other.get_by_text(OFFLINE)).to_have_count(0)


def test_what_is_open_is_closed_again_and_nothing_is_done(page: Page, account: Account) -> None:
    sign_up(page, account)
    for said in ("add buy milk", "add call mum"):
        ask(page, said)
    menu = page.get_by_text("Signed in as")
    page.get_by_role("button", name="Account").click()
    expect(menu).to_be_visible()
    check_accessible(page)
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()

    ask(page, "delete everything")
    question = page.get_by_role("group", name="Confirmation")
    expect(question.get_by_role("listitem")).to_have_count(2)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        check_accessible(page)
    question.get_by_role("button", name="Keep them").click()
    expect(question).to_have_count(0)
    expect(page.get_by_role("checkbox")).to_have_count(2)
