"""What was said and what was changed: found again after a reload, led through, taken back; on every page and state axe-core finds nothing."""

import re

import pytest
from conftest import Account, Database, check_accessible
from playwright.sync_api import Page, Route, expect
from test_story import add, ask, make_token, sign_up, take_picture

MANY = """
    INSERT INTO messages (conversation_id, role, content)
    SELECT conversations.id, CASE WHEN n % 2 = 1 THEN 'user' ELSE 'assistant' END, 'message ' || n
    FROM conversations JOIN users ON users.id = user_id, generate_series(1, 120) n WHERE email = :'email';
"""

MANY_CHANGES = """
    INSERT INTO changes (user_id, todo_id, actor, kind, after)
    SELECT users.id, gen_random_uuid(), 'user', 'add', jsonb_build_object('title', 'chore ' || n)
    FROM users, generate_series(1, 120) n WHERE email = :'email';
"""


def test_conversations_and_their_receipts_are_there_again(page: Page, account: Account, database: Database) -> None:
    sign_up(page, account)
    ask(page, "add buy milk")
    reload(page)
    log = page.get_by_role("log")
    page.get_by_role("button", name="Undo: Added buy milk").click()
    expect(log.get_by_text("Taken back")).to_be_visible()
    reload(page)
    expect(log.get_by_text("Taken back")).to_be_visible()
    expect(page.get_by_role("button", name="Undo: Added buy milk")).to_have_count(0)

    # Another one is begun, the first one renamed and opened; it is the same after a reload.
    page.get_by_role("button", name="New conversation", exact=True).click()
    expect(log.get_by_role("listitem")).to_have_count(0)
    expect(page.get_by_label("Message to the assistant")).to_be_focused()
    ask(page, "add call mum")
    opener = page.get_by_role("button", name="Conversations: add call mum")
    opener.click()
    dialog = page.get_by_role("dialog", name="Conversations")
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    check_accessible(page)
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    opener.click()
    dialog.get_by_role("button", name="Rename add buy milk").click()
    check_accessible(page)
    title = dialog.get_by_label("New title of add buy milk")
    title.fill("Something else")
    title.press("Escape")
    expect(dialog.get_by_role("button", name="Rename add buy milk")).to_be_focused()
    dialog.get_by_role("button", name="Rename add buy milk").press("Enter")
    title.fill("Shopping")
    title.press("Enter")
    expect(dialog.get_by_role("button", name="Rename Shopping")).to_be_focused()
    dialog.get_by_role("button", name=re.compile("^Shopping")).click()
    expect(log.get_by_text("You: add buy milk")).to_be_visible()
    page.get_by_label("Message to the assistant").fill("half a sentence")
    page.get_by_role("link", name="History").click()
    page.get_by_role("link", name="Back to your list").click()
    expect(log.get_by_text("You: add buy milk")).to_be_visible()
    expect(page.get_by_label("Message to the assistant")).to_have_value("half a sentence")
    # Also where the access token is over.
    page.context.clear_cookies(name=re.compile("_session$"))
    reload(page)
    expect(log.get_by_text("You: add buy milk")).to_be_visible()

    # One that is deleted is asked about, and what it did stays.
    page.get_by_role("button", name="Conversations: Shopping").click()
    dialog.get_by_role("button", name="Delete Shopping").click()
    check_accessible(page)
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    dialog.get_by_role("button", name="Delete it").click()
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    dialog.get_by_role("button", name="Close").click()
    expect(log.get_by_role("listitem")).to_have_count(0)
    expect(page.get_by_role("checkbox", name="call mum")).to_be_visible()
    assert database.rows("SELECT count(*) FROM conversations JOIN users ON users.id = user_id WHERE email = :'email';", account.email) == ["1"]

    # Several deletions wait until they are confirmed, are not asked about again where they are not wanted, and each can be taken back where it is said.
    ask(page, "add walk the dog")
    ask(page, "delete everything")
    with page.expect_response("**/api/confirmations/*") as kept:
        page.get_by_role("button", name="Keep them").click()
    assert kept.value.status == 204
    expect(page.get_by_label("Message to the assistant")).to_be_focused()
    reload(page)
    expect(log.get_by_text("You: delete everything")).to_be_visible()
    expect(page.get_by_role("group", name="Confirmation")).to_have_count(0)
    ask(page, "delete everything")
    page.get_by_role("button", name="Delete 2 todos").click()
    expect(log.get_by_text("Deleted 2 todos.")).to_be_visible()
    check_accessible(page)
    page.get_by_role("button", name="Undo: Deleted call mum").click()
    expect(page.get_by_role("checkbox", name="call mum")).to_be_visible()
    expect(page.get_by_role("checkbox", name="walk the dog")).to_have_count(0)


def test_a_long_conversation_and_a_long_history_are_read_backwards(page: Page, account: Account, database: Database) -> None:
    sign_up(page, account)
    ask(page, "add buy milk")
    database.rows(MANY, account.email)
    reload(page)
    messages = page.get_by_role("region", name="Messages")
    expect(messages.get_by_text("Assistant: message 120", exact=True)).to_be_in_viewport()
    earlier = messages.get_by_role("button", name="Earlier messages")
    earlier.scroll_into_view_if_needed()
    first = messages.get_by_text("You: message 71", exact=True)
    before = first.bounding_box()
    earlier.click()
    expect(messages.get_by_text("You: message 21", exact=True)).to_have_count(1)
    after = first.bounding_box()
    assert before
    assert after
    assert abs(before["y"] - after["y"]) < 60, "the reader has lost their place"
    check_accessible(page)
    earlier.click()
    expect(messages.get_by_text("You: add buy milk")).to_have_count(1)
    expect(earlier).to_have_count(0)
    expect(messages).to_be_focused()
    expect(messages.get_by_role("button", name="Undo: Added buy milk")).to_have_count(1)

    database.rows(MANY_CHANGES, account.email)
    page.get_by_role("link", name="History").click()
    main, earlier = page.get_by_role("main"), page.get_by_role("button", name="Earlier changes")
    made = main.get_by_role("listitem").filter(has_text="Added chore")
    expect(made).to_have_count(50)
    check_accessible(page)
    earlier.click()
    expect(made).to_have_count(100)
    earlier.click()
    expect(made).to_have_count(120)
    expect(main.get_by_text("Added buy milk")).to_be_visible()
    expect(earlier).to_have_count(0)
    expect(main).to_be_focused()


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_all_changes_are_told_and_those_of_a_day_taken_back(page: Page, url: str, account: Account, look: str) -> None:
    page.emulate_media(color_scheme="dark" if look == "dark" else "light")
    page.goto("/")
    check_accessible(page)
    sign_up(page, account)
    check_accessible(page)
    add(page, "water the plants")
    for said in ("add buy milk", "rename buy milk to buy oats", "add call mum"):
        ask(page, said)
    page.get_by_role("checkbox", name="call mum").check()
    check_accessible(page)
    if look == "dark":
        take_picture(page, url, look)
    if look == "phone":
        page.set_viewport_size({"width": 390, "height": 844})
        check_accessible(page)
        page.get_by_role("button", name="Assistant", exact=True).click()
        expect(page.get_by_role("log")).to_be_visible()
        check_accessible(page)
        take_picture(page, url, look)

    page.get_by_role("link", name="History").click()
    rows = page.get_by_role("main").get_by_role("listitem")
    expect(page.get_by_text("Renamed buy milk to buy oats")).to_be_visible()
    expect(page.get_by_role("button", name="Undo: Renamed buy milk to buy oats")).to_be_visible()
    expect(rows.filter(has_text="Added buy milk")).to_contain_text("This todo has been changed since.")
    check_accessible(page)
    page.get_by_role("button", name="You", exact=True).click()
    expect(page.get_by_text("Added water the plants")).to_be_visible()
    expect(page.get_by_text("Added buy milk")).to_have_count(0)
    page.get_by_role("button", name="Everybody").click()
    expect(page.get_by_text("Added buy milk")).to_be_visible()
    if look == "light":
        take_picture(page, url, "history")

    page.get_by_role("button", name=re.compile("^Undo today.s changes: Built-in assistant$")).click()
    expect(page.get_by_role("button", name="Keep")).to_be_focused()
    check_accessible(page)
    page.get_by_role("button", name="Take back 3 changes").click()
    expect(page.get_by_text("Took back 2 changes. One stays:")).to_be_visible()
    expect(page.get_by_text("Added call mum: This todo has been changed since.")).to_be_visible()
    check_accessible(page)
    page.get_by_role("button", name="Undo: Completed call mum").click()
    expect(rows.filter(has_text="Completed call mum").get_by_text("Taken back")).to_be_visible()
    expect(page.get_by_role("button", name="Undo: Added call mum")).to_be_visible()  # nothing stands in the way now
    page.get_by_role("link", name="Back to your list").click()
    expect(page.get_by_role("checkbox")).to_have_count(2)
    make_token(page, "My editor")
    check_accessible(page)


def reload(page: Page) -> None:
    """Load the page anew once nothing is under way: what is broken off counts as failed."""
    page.wait_for_load_state("networkidle")
    page.reload()


def test_stop_is_said_again_where_the_message_was_not_there_yet(page: Page, account: Account) -> None:
    sign_up(page, account)
    other = page.context.new_page()  # where an answer may be a refusal
    held: list[Route] = []
    other.route("**/api/chat/stream", lambda route: held.append(route))
    other.goto("/todos")
    other.get_by_label("Message to the assistant").fill("add buy milk")
    other.get_by_label("Message to the assistant").press("Enter")
    with other.expect_response("**/stop") as early:
        other.get_by_role("button", name="Stop").click()
    assert early.value.status == 404
    with other.expect_response("**/stop") as late:
        held.pop().continue_()
    assert late.value.status == 204
    expect(other.get_by_role("checkbox", name="buy milk")).to_be_visible()
