"""A newcomer's way through the application, in a real browser, at every address it is reached at."""

import os
import re
from pathlib import Path

from conftest import TIMEOUT_MS, URLS, Account, Database
from playwright.sync_api import Page, expect

expect.set_options(timeout=TIMEOUT_MS)


def test_a_newcomer_keeps_a_list_by_hand_and_by_chat(page: Page, url: str, account: Account, database: Database) -> None:
    sign_up(page, account)
    expect(page.get_by_role("heading", name="Nothing to do")).to_be_visible()
    # The session is out of reach of every script.
    assert page.evaluate("[document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]

    for title in ("water the plants", "return the library books"):
        add(page, title)
    page.get_by_role("checkbox", name="return the library books").check()
    expect(page.get_by_text("1 of 2 done")).to_be_visible()

    ask(page, "add buy milk")
    open_todos = page.get_by_role("list", name="To do").get_by_role("listitem")
    expect(open_todos).to_have_count(2)
    expect(open_todos.first).to_contain_text("buy milk")
    expect(open_todos.first).to_have_attribute("data-fresh", "true")
    take_picture(page, url, "todos")
    assert database.todos_of(account.email) == ["buy milk|f", "return the library books|t", "water the plants|f"]

    # What the assistant did can be taken back where it says so.
    expect(page.get_by_text("Built-in assistant", exact=True)).to_be_visible()
    ask(page, "add call the bank")
    expect(page.get_by_role("checkbox", name="call the bank")).to_be_visible()
    page.get_by_role("button", name="Undo: Added call the bank").click()
    expect(page.get_by_role("log").get_by_text("Taken back")).to_be_visible()
    expect(page.get_by_role("checkbox", name="call the bank")).to_have_count(0)

    page.reload()
    expect(page.get_by_role("log").get_by_text("You: add buy milk")).to_be_visible()

    sign_out(page)
    sign_in(page, account)
    expect(page.get_by_role("checkbox", name="buy milk")).not_to_be_checked()

    # As it is when the access token's time is over.
    page.context.clear_cookies(name=re.compile("_session$"))
    page.reload()
    expect(page.get_by_role("checkbox", name="return the library books")).to_be_checked()
    expect(page.get_by_role("log").get_by_text("You: add buy milk")).to_be_visible()

    # Another assistant works on the same list, with a token of its own.
    token = make_token(page, "My editor")
    added = call_tool(page, url, token, "add_todo", {"title": "answer the letter", "due": "tomorrow"})
    assert added["added"]["title"] == "answer the letter"
    page.get_by_role("link", name="Back to your list").click()
    expect(page.get_by_role("checkbox", name="answer the letter")).not_to_be_checked()
    page.get_by_role("link", name="History").click()
    made = page.get_by_role("main").get_by_role("listitem").filter(has_text="Added answer the letter")
    expect(made).to_contain_text("Outside client My editor")
    page.get_by_role("link", name="Back to your list").click()

    delete_account(page, account)
    assert not database.knows(account.email)


def fill_credentials(page: Page, account: Account, submit: str) -> None:
    page.get_by_label("E-mail address").fill(account.email)
    page.get_by_label("Password", exact=True).fill(account.password)
    page.get_by_role("button", name=submit).click()
    page.wait_for_url("**/todos")


def sign_up(page: Page, account: Account) -> None:
    page.goto("/")
    page.get_by_role("link", name="Create an account").click()
    expect(page.get_by_role("heading", name="Create your account")).to_be_visible()
    fill_credentials(page, account, "Create account")


def sign_in(page: Page, account: Account) -> None:
    fill_credentials(page, account, "Sign in")


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")


def make_token(page: Page, name: str) -> str:
    page.get_by_role("button", name="Account").click()
    page.get_by_role("link", name="Account settings").click()
    page.get_by_label("Name of the client").fill(name)
    page.get_by_label("It may also add, change and delete").check()
    page.get_by_role("button", name="Make a token").click()
    header = page.get_by_text("Authorization: Bearer todo_").text_content() or ""
    expect(page.get_by_role("button", name=f"Revoke {name}")).to_be_visible()
    return header.removeprefix("Authorization: Bearer ")


def call_tool(page: Page, url: str, token: str, name: str, arguments: dict[str, str]) -> dict[str, dict[str, str]]:
    """What a tool answers, by the Model Context Protocol."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
    answer = page.request.post(f"{url}/mcp", data=call, headers=headers)
    assert answer.ok, answer.text()
    return answer.json()["result"]["structuredContent"]


def delete_account(page: Page, account: Account) -> None:
    page.get_by_role("button", name="Account").click()
    page.get_by_role("link", name="Account settings").click()
    page.get_by_label("Your password").fill(account.password)
    page.get_by_role("button", name="Delete account").click()
    page.wait_for_url("**/login?reason=deleted")


def add(page: Page, title: str) -> None:
    page.get_by_label("New todo").fill(title)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("checkbox", name=title)).to_be_visible()
    expect(page.get_by_label("New todo")).to_have_value("")


def ask(page: Page, message: str) -> None:
    """Say something to the assistant and wait for its answer."""
    turns = page.get_by_role("log").locator("> ol > li")
    before = turns.count()
    page.get_by_label("Message to the assistant").fill(message)
    page.get_by_label("Message to the assistant").press("Enter")
    expect(turns).to_have_count(before + 2)


def take_picture(page: Page, url: str, name: str) -> None:
    """Write a picture for the guides where TODO_PICTURES names a folder; of one address is enough."""
    if (folder := os.environ.get("TODO_PICTURES")) and url == URLS[0].rstrip("/"):
        # Everything in its place, but what is new still highlighted.
        settled = "document.getAnimations().filter((one) => one.animationName !== 'arrive').map((one) => one.finished)"
        page.evaluate(f"Promise.allSettled({settled}).then(() => null)")
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder, f"{name}.png"))
