"""The account: how the page looks and speaks, by what the browser says and by choice, and who may do what; axe-core finds nothing on any of it."""

import json
import re
from collections.abc import Iterator

import pytest
from conftest import TIMEOUT_MS, Account, check_accessible
from playwright.sync_api import Browser, BrowserContext, Page, expect
from test_story import add, ask, call_tool, make_token, sign_in, sign_out, sign_up, take_picture

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(237, 242, 239)", "rgb(12, 19, 17)"
NAMES = """
    [...document.querySelectorAll("[aria-label], [placeholder], [title]")]
        .flatMap((one) => ["aria-label", "placeholder", "title"].map((name) => one.getAttribute(name) ?? ""))
"""
# Words that stand in every English page, and in no German one.
ENGLISH = re.compile(r"\b(the|your|with|what|and|this|been|todos?|list)\b", re.IGNORECASE)
# What is the same in every language: the name, and what people wrote.
OWN = re.compile(r"todochat|tanzen lernen")


@pytest.fixture
def german(browser: Browser, url: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=url, locale="de-DE", viewport={"width": 390, "height": 844})
    context.set_default_timeout(TIMEOUT_MS)
    yield context
    context.close()


@pytest.fixture
def elsewhere(browser: Browser, url: str) -> Iterator[Page]:
    """Another browser, where the same person may sign in too."""
    context = browser.new_context(base_url=url, user_agent=FIREFOX)
    context.set_default_timeout(TIMEOUT_MS)
    yield context.new_page()
    context.close()


def test_a_session_elsewhere_is_ended(page: Page, account: Account, elsewhere: Page) -> None:
    sign_up(page, account)
    elsewhere.goto("/login")
    sign_in(elsewhere, account)
    page.goto("/account")
    page.get_by_role("button", name="Sign out Firefox on Linux").click()
    expect(page.get_by_text("Signed out Firefox on Linux.")).to_be_visible()
    expect(page.get_by_role("button", name="Sign out Firefox on Linux")).to_have_count(0)
    expect(page.get_by_text("This browser", exact=True)).to_be_visible()
    elsewhere.goto("/todos")
    expect(elsewhere).to_have_url(re.compile("/login"))


def test_a_password_is_changed(page: Page, account: Account, elsewhere: Page) -> None:
    sign_up(page, account)
    elsewhere.goto("/login")
    sign_in(elsewhere, account)
    page.goto("/account")
    part = page.get_by_role("region", name="Password", exact=True)
    part.get_by_label("Present password").fill("wrong, but long enough")
    part.get_by_label("New password").fill("short")
    part.get_by_role("button", name="Change password").click()
    expect(part.get_by_text("more characters needed")).to_be_visible()
    check_accessible(page)
    new = f"{account.password} and more"
    part.get_by_label("Present password").fill(account.password)
    part.get_by_label("New password").fill(new)
    with page.expect_response("**/api/account/password") as answer:
        part.get_by_role("button", name="Change password").click()
    assert answer.value.ok
    account.password = new
    expect(part.get_by_text("Your password is changed. All other sessions and all tokens have ended.")).to_be_visible()
    check_accessible(page)
    elsewhere.goto("/todos")
    expect(elsewhere).to_have_url(re.compile("/login"))
    page.get_by_role("link", name="Back to your list").click()
    sign_out(page)
    sign_in(page, account)


def test_a_model_is_switched_off_and_on(page: Page, account: Account) -> None:
    sign_up(page, account)
    page.goto("/account")
    switch = page.get_by_role("switch", name="A language model may answer")
    expect(switch).to_be_checked()
    for wanted in (False, True):
        switch.click()
        expect(page.get_by_role("region", name="Assistant").get_by_text("Saved.")).to_be_visible()
        check_accessible(page)
        page.reload()
        expect(switch).to_be_checked(checked=wanted)


def test_everything_is_taken_away_in_a_file(page: Page, account: Account) -> None:
    sign_up(page, account)
    add(page, "learn the tango")
    ask(page, "add buy milk")
    page.goto("/account")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download everything").click()
    assert download.value.suggested_filename == "todochat.json"
    everything = json.loads(download.value.path().read_text())
    assert everything["account"]["email"] == account.email
    assert sorted(todo["title"] for todo in everything["todos"]) == ["buy milk", "learn the tango"]
    assert "add buy milk" in json.dumps(everything["conversations"])


def test_a_token_is_copied_and_revoked(page: Page, url: str, account: Account) -> None:
    sign_up(page, account)
    token = make_token(page, "My editor")
    if page.evaluate("isSecureContext"):
        page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url)
        page.get_by_role("button", name="Copy the line").click()
        expect(page.get_by_text("Copied.", exact=True)).to_be_visible()
        server = json.loads(page.evaluate("navigator.clipboard.readText()"))["mcpServers"]["todochat"]
        assert server == {"type": "http", "url": f"{url}/mcp", "headers": {"Authorization": f"Bearer {token}"}}
    else:  # no browser has a clipboard for such an address
        expect(page.get_by_role("button", name="Copy the line")).to_have_count(0)
    check_accessible(page)
    assert call_tool(page, url, token, "add_todo", {"title": "answer the letter"})["added"]
    page.get_by_role("button", name="Revoke My editor").click()
    expect(page.get_by_text("Revoked My editor.")).to_be_visible()
    refused = page.request.post(f"{url}/mcp", data={}, headers={"Authorization": f"Bearer {token}"})
    assert refused.status == 401, refused.text()


def test_a_theme_is_chosen_and_stays(page: Page, url: str, account: Account) -> None:
    sign_up(page, account)
    add(page, "learn the tango")
    with page.expect_request_finished(lambda request: request.url.endswith("/api/chat/assistant")):
        ask(page, "add buy milk")
    assert page.evaluate(BACKGROUND) == LIGHT
    choose(page, "Colours", "Dark")
    for path in ("/account", "/history", "/todos", "/todos?view=today"):
        page.goto(path)
        assert page.evaluate(BACKGROUND) == DARK
        assert page.evaluate("document.querySelector('meta[name=theme-color]').content") == "#0c1311"
        check_accessible(page)
    page.emulate_media(color_scheme="dark")
    choose(page, "Colours", "Light")
    take_picture(page, url, "account")
    page.goto("/todos")
    assert page.evaluate(BACKGROUND) == LIGHT
    check_accessible(page)
    choose(page, "Colours", "As the system")
    page.goto("/todos")
    assert page.evaluate(BACKGROUND) == DARK


def test_the_clocks_are_chosen(page: Page, account: Account) -> None:
    sign_up(page, account)
    page.goto("/account")
    page.get_by_label("“Today” and “at 5” are on the clocks of").fill("Pacific/Kiritimati")
    page.get_by_role("button", name="Save the time zone").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.reload()
    expect(page.get_by_label("“Today” and “at 5” are on the clocks of")).to_have_value("Pacific/Kiritimati")


def test_german_is_spoken_where_the_browser_asks_for_it(german: BrowserContext, account: Account) -> None:
    page = german.new_page()
    page.goto("/login")
    page.get_by_label("E-Mail-Adresse").fill(account.email)
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_text("Gib dein Passwort ein.")).to_be_visible()
    is_german(page)
    page.get_by_label("Passwort", exact=True).fill("falsch und lang genug")
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_text("Diese Adresse und dieses Passwort gehören nicht zusammen.")).to_be_visible()
    page.get_by_role("link", name="Konto anlegen").click()
    page.get_by_label("E-Mail-Adresse").fill(account.email)
    page.get_by_label("Passwort", exact=True).fill(account.password)
    is_german(page)
    page.get_by_role("button", name="Konto anlegen").click()
    page.wait_for_url("**/todos")
    is_german(page)

    page.get_by_label("Neue Aufgabe").fill("tanzen lernen, morgen um 17 Uhr")
    page.get_by_role("button", name="Hinzufügen", exact=True).click()
    expect(page.get_by_text("Verstanden: Morgen, 17:00")).to_be_visible()
    page.get_by_role("button", name="tanzen lernen bearbeiten").click()
    is_german(page)
    page.get_by_label("Fällig").fill("irgendwann")
    page.get_by_role("button", name="Speichern").click()
    expect(page.get_by_role("alert").get_by_text("„irgendwann“ verstehe ich nicht als Datum")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="tanzen lernen löschen").click()
    expect(page.get_by_text("tanzen lernen gelöscht")).to_be_visible()
    page.get_by_role("button", name="Assistent").click()
    is_german(page)
    for path, words in (("/history", "tanzen lernen gelöscht"), ("/account", "Wo du angemeldet bist"), ("/gibtesnicht", "Hier ist nichts")):
        page.goto(path)
        expect(page.get_by_text(words).first).to_be_visible()
        is_german(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390

    choose(page, "Sprache", "English")
    expect(page.get_by_role("heading", name="Your account", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "en"


def is_german(page: Page) -> None:
    """Nothing that is seen or read aloud is English, and axe-core finds nothing."""
    assert page.evaluate("document.documentElement.lang") == "de"
    names = page.evaluate(NAMES)
    said = OWN.sub("", "\n".join([page.title(), page.inner_text("body"), *names]))
    assert not (found := ENGLISH.findall(said)), (found, said)
    check_accessible(page)


def choose(page: Page, label: str, option: str) -> None:
    page.goto("/account")
    expect(page.get_by_label(label, exact=True)).to_be_enabled()
    with page.expect_navigation():
        page.get_by_label(label, exact=True).select_option(label=option)
