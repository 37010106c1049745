"""The list as somebody keeps it who has many todos; on every state axe-core finds nothing."""

import re
from collections.abc import Callable
from statistics import median

import pytest
from conftest import Account, Database, check_accessible
from playwright.sync_api import Locator, Page, Route, expect
from test_story import add, ask, sign_in, sign_up

MANY = """
    DELETE FROM todos USING users WHERE users.id = todos.user_id AND email = :'email';
    INSERT INTO todos (id, user_id, number, title) SELECT gen_random_uuid(), users.id, n, 'todo number ' || n
    FROM users, generate_series(1, {many}) n WHERE email = :'email';
"""
FIRST_PAINT = """
    new Promise((found) => new PerformanceObserver((list) => {
        for (const { name, startTime } of list.getEntries()) if (name === "first-contentful-paint") found(startTime);
    }).observe({ type: "paint", buffered: true }))
"""
SAID = """
    SELECT role FROM messages JOIN conversations ON conversations.id = conversation_id JOIN users ON users.id = user_id
    WHERE email = :'email' ORDER BY messages.id;
"""
# What moves or fades just now; colours that change do not move.
MOVING = """
    [...new Set(document.getAnimations().map((one) => one.animationName ?? "transition"))].filter((name) => name !== "arrive")
"""
COMES_BACK = "document.dispatchEvent(new Event('visibilitychange'))"  # a browser without a screen hides no tab
UNREACHABLE = "The database cannot be reached. Try again in a moment."
TIMES = 15
MOST_OF_50 = 1.3  # the first paint with 5,000 todos, beside that with 50


def test_a_todo_has_notes_a_date_and_a_priority(page: Page, account: Account, database: Database) -> None:
    sign_up(page, account)
    add(page, "call the plumber")
    open_editor(page, "call the plumber")
    editor = page.get_by_role("dialog", name="Todo 1")
    check_accessible(page)
    editor.get_by_label("Notes").fill("the one from\nthe corner")
    editor.get_by_label("Due").fill("tomorrow at 5pm")
    editor.get_by_label("Priority").select_option(label="High")
    editor.get_by_role("button", name="Save").click()
    expect(editor).to_have_count(0)
    expect(page.get_by_role("button", name="Edit call the plumber")).to_be_focused()
    row = page.get_by_role("list", name="To do").get_by_role("listitem")
    for words in ("the one from", "Tomorrow", "High priority"):
        expect(row).to_contain_text(words)
    query = "SELECT notes, due_at, priority FROM todos JOIN users ON users.id = user_id WHERE email = :'email';"
    assert database.rows(query, account.email) == ["the one from", "the corner|17:00:00|3"]

    # Empty is none, and a title alone leaves the rest.
    open_editor(page, "call the plumber")
    editor.get_by_label("Due").fill("")
    editor.get_by_label("Title").fill("call Ann, the plumber")
    editor.get_by_label("Title").press("Enter")
    expect(page.get_by_role("checkbox", name="call Ann, the plumber")).to_be_visible()
    expect(row).not_to_contain_text("Tomorrow")
    expect(row).to_contain_text("the one from")


def test_what_is_refused_is_said_and_nothing_of_it_is_lost(page: Page, account: Account) -> None:
    sign_up(page, account)
    add(page, "water the plants")
    other = page.context.new_page()  # where an answer may be a refusal
    other.goto("/todos")
    open_editor(other, "water the plants")
    editor = other.get_by_role("dialog")
    editor.get_by_label("Notes").fill("the cactus too")
    open_editor(page, "water the plants")
    page.get_by_role("dialog").get_by_label("Priority").select_option(label="Low")
    page.get_by_role("button", name="Save").click()
    expect(shown(page)).to_contain_text("Low priority")
    editor.get_by_role("button", name="Save").click()
    expect(editor.get_by_role("alert")).to_contain_text("changed")
    expect(editor.get_by_label("Notes")).to_have_value("the cactus too")
    check_accessible(other)
    editor.get_by_label("Due").fill("when pigs fly")
    editor.get_by_role("button", name="Save anyway").click()
    expect(editor.get_by_role("alert")).to_contain_text("“when pigs fly” is no date")
    editor.get_by_label("Due").fill("")
    editor.get_by_role("button", name="Save anyway").click()
    expect(shown(other)).to_contain_text("the cactus too")
    expect(shown(other)).to_contain_text("Low priority")  # what was changed elsewhere stays


def test_what_is_too_long_is_said_and_not_cut(page: Page, account: Account) -> None:
    sign_up(page, account)
    add(page, "water the plants")
    message = page.get_by_label("Message to the assistant")
    message.fill("word " * 300)
    expect(page.get_by_text("Too long: at most 1000 characters.")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    check_accessible(page)
    message.fill("")
    open_editor(page, "water the plants")
    editor = page.get_by_role("dialog")
    editor.get_by_label("Notes").fill("word " * 1001)
    editor.get_by_role("button", name="Save").click()
    expect(editor.get_by_role("alert")).to_contain_text("Too long: at most 5000 characters.")
    expect(editor.get_by_label("Notes")).to_be_focused()
    expect(editor.get_by_label("Notes")).to_have_value("word " * 1001)
    check_accessible(page)
    editor.get_by_role("button", name="Cancel").click()


def test_what_was_written_is_there_again_until_it_is_saved_or_cancelled(page: Page, account: Account, database: Database) -> None:
    sign_up(page, account)
    add(page, "write to Ann")
    open_editor(page, "write to Ann")
    editor = page.get_by_role("dialog")
    expect(editor.get_by_label("Title")).to_be_focused()
    # Of these the server keeps what can be seen, in one form.
    editor.get_by_label("Notes").fill("a cafe\u0301, the com\u00adma\u200b")
    page.keyboard.press("Escape")
    page.reload()
    open_editor(page, "write to Ann")
    expect(editor.get_by_text("not saved yet")).to_be_visible()
    expect(editor.get_by_label("Notes")).to_have_value("a cafe\u0301, the com\u00adma\u200b")
    check_accessible(page)
    editor.get_by_role("button", name="Save").click()
    expect(editor).to_have_count(0)
    assert database.rows("SELECT notes FROM todos JOIN users ON users.id = user_id WHERE email = :'email';", account.email) == ["a caf\u00e9, the comma"]
    open_editor(page, "write to Ann")
    editor.get_by_label("Title").fill("something else")
    editor.get_by_role("button", name="Cancel").click()
    open_editor(page, "write to Ann")
    expect(editor.get_by_text("not saved yet")).to_have_count(0)
    expect(editor.get_by_label("Title")).to_have_value("write to Ann")


def test_who_writes_on_while_a_todo_is_added_loses_nothing(page: Page, account: Account) -> None:
    sign_up(page, account)

    def slowly(route: Route) -> None:
        answer = route.fetch()
        page.get_by_label("New todo").fill("and the next one")
        route.fulfill(response=answer)

    page.route("**/api/proposals", slowly)
    page.get_by_label("New todo").fill("the first one")
    page.get_by_label("New todo").press("Enter")
    expect(page.get_by_role("checkbox", name="the first one")).to_be_visible()
    expect(page.get_by_label("New todo")).to_have_value("and the next one")


def test_what_is_refused_is_there_at_once_and_goes_with_the_sentence(page: Page, account: Account, database: Database) -> None:
    sign_up(page, account)
    add(page, "water the plants")
    other = page.context.new_page()  # where an answer may be a refusal
    other.goto("/todos")
    meanwhile: list[bool] = []
    ticked, added = other.get_by_role("checkbox", name="water the plants"), other.get_by_role("checkbox", name="buy bread")
    looks: dict[str, Callable[[], bool]] = {"PATCH": ticked.is_checked, "POST": added.is_visible, "DELETE": ticked.is_hidden}

    def refuse(route: Route) -> None:
        if route.request.method == "GET":
            route.fallback()
            return
        meanwhile.append(looks[route.request.method]())
        route.fulfill(status=503, json={"detail": UNREACHABLE})

    other.route(re.compile("/api/todos"), refuse)
    ticked.click()
    expect(other.get_by_role("alert").get_by_text(UNREACHABLE)).to_be_visible()
    expect(ticked).not_to_be_checked()
    check_accessible(other)

    field = other.get_by_label("New todo")
    field.fill("buy bread tomorrow")
    with other.expect_response(lambda response: response.request.method == "POST" and response.status == 503):
        field.press("Enter")
    expect(added).to_have_count(0)
    expect(other.get_by_role("alert").get_by_text(UNREACHABLE)).to_be_visible()
    expect(field).to_have_value("buy bread tomorrow")
    expect(other.get_by_role("heading", name="1 to do")).to_be_visible()

    with other.expect_response(lambda response: response.request.method == "DELETE" and response.status == 503):
        other.get_by_role("button", name="Delete water the plants").click()
    expect(ticked).to_be_visible()
    expect(other.get_by_role("alert").get_by_text(UNREACHABLE)).to_be_visible()
    expect(other.get_by_text("Deleted water the plants")).to_have_count(0)
    check_accessible(other)
    assert meanwhile == [True, True, True]

    other.unroute_all()
    field.press("Enter")
    expect(shown(other).first).to_contain_text("Tomorrow")
    expect(field).to_have_value("")
    assert database.todos_of(account.email) == ["buy bread|f", "water the plants|f"]


def test_without_a_connection_nothing_is_lost_and_nothing_done_twice(page: Page, account: Account, database: Database) -> None:
    sign_up(page, account)
    other = page.context.new_page()  # where a request may fail
    other.goto("/todos")
    for one in (page, other):
        one.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    field = other.get_by_label("New todo")
    field.fill("buy bread tomorrow")
    field.press("Enter")
    expect(other.get_by_role("alert").get_by_text("No connection to the server.")).to_be_visible()
    expect(field).to_have_value("buy bread tomorrow")
    expect(other.get_by_role("checkbox")).to_have_count(0)
    other.get_by_label("Message to the assistant").fill("add buy milk")
    other.get_by_label("Message to the assistant").press("Enter")
    expect(other.get_by_text("The connection is lost. Trying again.")).to_be_visible()
    check_accessible(other)

    page.context.set_offline(False)
    expect(other.get_by_role("log").locator("> ol > li")).to_have_count(2)
    expect(other.get_by_role("checkbox", name="buy milk")).to_be_visible()
    field.press("Enter")
    expect(field).to_have_value("")
    expect(shown(other).first).to_contain_text("Tomorrow")
    assert database.todos_of(account.email) == ["buy bread|f", "buy milk|f"]
    assert database.rows(SAID, account.email) == ["user", "assistant"]


@pytest.mark.parametrize("label", ["Message to the assistant", "New todo"])
def test_what_was_written_is_there_again_where_the_session_had_ended(page: Page, account: Account, database: Database, label: str) -> None:
    sign_up(page, account)
    other = page.context.new_page()  # where an answer may be a refusal
    other.goto("/todos")
    field = other.get_by_label(label)
    expect(field).to_be_editable()
    other.context.clear_cookies(name=re.compile("_(session|refresh)$"))
    field.fill("add buy milk, and bread")
    field.press("Enter")
    other.wait_for_url("**/login?reason=expired")
    expect(other.get_by_text("Your session has ended. Sign in again to go on.")).to_be_visible()
    sign_in(other, account)
    expect(field).to_have_value("add buy milk, and bread")
    check_accessible(other)
    assert database.todos_of(account.email) == []


def test_a_deletion_by_hand_is_undone(page: Page, account: Account, database: Database) -> None:
    sign_up(page, account)
    quick_add(page, "water the plants tomorrow")
    page.get_by_role("button", name="Delete water the plants").click()
    expect(page.get_by_text("Deleted water the plants")).to_be_visible()
    expect(shown(page)).to_have_count(0)
    check_accessible(page)
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(shown(page)).to_contain_text("Tomorrow")
    expect(page.get_by_role("button", name="Edit water the plants")).to_be_focused()
    expect(page.get_by_text("Deleted water the plants")).to_have_count(0)
    assert database.todos_of(account.email) == ["water the plants|f"]


def test_what_was_done_in_another_tab_is_there_when_somebody_comes_back(page: Page, account: Account) -> None:
    sign_up(page, account)
    add(page, "water the plants")
    other = page.context.new_page()
    other.goto("/todos")
    other.get_by_role("checkbox", name="water the plants").check()
    add(other, "buy bread")
    page.evaluate(COMES_BACK)
    expect(page.get_by_role("checkbox", name="buy bread")).to_be_visible()
    expect(page.get_by_role("checkbox", name="water the plants")).to_be_checked()

    # What comes while something is open above the list is there once that is closed.
    open_editor(page, "buy bread")
    add(other, "call Anna")
    page.evaluate(COMES_BACK)
    page.get_by_role("dialog").get_by_label("Notes").fill("two loaves")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("checkbox", name="call Anna")).to_be_visible()
    expect(shown(page).filter(has_text="buy bread")).to_contain_text("two loaves")
    other.close()


def test_two_clicks_do_a_thing_once(page: Page, account: Account, database: Database) -> None:
    sign_up(page, account)
    page.get_by_label("New todo").fill("water the plants")
    page.get_by_role("button", name="Add", exact=True).dblclick()
    expect(page.get_by_label("New todo")).to_have_value("")
    page.get_by_label("Message to the assistant").fill("add buy milk")
    page.get_by_role("button", name="Send").dblclick()
    turns = page.get_by_role("log").locator("> ol > li")
    expect(turns).to_have_count(2)
    expect(turns.last).to_contain_text("Added")
    expect(page.get_by_role("checkbox", name="buy milk")).to_be_visible()
    assert database.rows(SAID, account.email) == ["user", "assistant"]
    assert database.todos_of(account.email) == ["buy milk|f", "water the plants|f"]


def test_it_is_seen_that_another_listing_is_read(page: Page, account: Account, database: Database) -> None:
    sign_up(page, account)
    database.rows(MANY.format(many=60), account.email)
    page.reload()
    more = page.get_by_role("button", name="Show more")
    rows = page.get_by_role("list", name="To do").locator("..")
    expect(more).to_be_enabled()
    expect(rows).to_have_attribute("aria-busy", "false")
    meanwhile: list[tuple[str | None, bool]] = []

    def slowly(route: Route) -> None:
        meanwhile.append((rows.get_attribute("aria-busy"), more.is_disabled()))
        route.continue_()

    page.route(re.compile("sort=title"), slowly)
    page.get_by_role("button", name="Search and sort").click()
    page.get_by_label("Order").select_option(label="By title")
    expect(shown(page).first).to_contain_text("todo number 1")
    expect(rows).to_have_attribute("aria-busy", "false")
    expect(more).to_be_enabled()
    assert meanwhile == [("true", True)]


def test_who_wants_no_motion_sees_none(page: Page, account: Account) -> None:
    sign_up(page, account)
    moving: list[list[str]] = []

    def look(route: Route) -> None:
        moving.append(page.evaluate(MOVING))
        route.continue_()

    page.route("**/api/chat/stream", look)
    ask(page, "add buy milk")
    page.emulate_media(reduced_motion="reduce")
    ask(page, "add buy bread")
    assert [set(names) - {"transition"} for names in moving] == [{"rise", "think"}, set()]
    lasting = "[...document.querySelectorAll('*')].map((one) => parseFloat(getComputedStyle(one).transitionDuration))"
    assert max(page.evaluate(lasting)) < 0.001


def test_on_a_narrow_screen_keys_lead_to_what_is_hidden(page: Page, account: Account) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    sign_up(page, account)
    page.get_by_role("navigation", name="Views").get_by_role("button", name="Assistant").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    expect(page.get_by_label("New todo")).to_be_focused()
    page.get_by_label("New todo").blur()
    page.keyboard.press("m")
    expect(page.get_by_label("Message to the assistant")).to_be_focused()


def test_views_search_and_order(page: Page, account: Account) -> None:
    sign_up(page, account)
    for said in ("pay rent yesterday", "post the letter today", "dentist in 3 days", "learn the tango, urgent"):
        quick_add(page, said)
    expect(page.get_by_role("heading", name="4 to do")).to_be_visible()
    views = page.get_by_role("group", name="Which todos")
    for view, title in (("No date", "learn the tango"), ("Overdue", "pay rent"), ("Today", "post the letter"), ("Upcoming", "dentist")):
        views.get_by_role("button", name=view).click()
        expect(shown(page)).to_have_count(1)
        expect(shown(page)).to_contain_text(title)
        check_accessible(page)
    assert "view=upcoming" in page.url
    page.reload()
    expect(shown(page)).to_contain_text("dentist")
    expect(page.get_by_role("heading", name="4 to do")).to_be_visible()
    views.get_by_role("button", name="All").click()
    expect(shown(page)).to_have_count(4)

    page.keyboard.press("/")
    search = page.get_by_label("Search", exact=True)
    expect(search).to_be_focused()
    search.fill("LETTER")
    expect(shown(page)).to_have_count(1)
    search.fill("nothing like this")
    expect(page.get_by_text("Nothing is like that.")).to_be_visible()
    check_accessible(page)
    page.get_by_role("button", name="Show all todos").click()
    expect(shown(page)).to_have_count(4)
    expect(search).to_have_value("")
    for order, titles in (
        ("By title", ["dentist", "learn the tango", "pay rent", "post the letter"]),
        ("By date", ["pay rent", "post the letter", "dentist", "learn the tango"]),
        ("By priority", ["learn the tango", "pay rent", "post the letter", "dentist"]),
    ):
        page.get_by_label("Order").select_option(label=order)
        expect(shown(page)).to_contain_text(titles)
    priority = page.get_by_label("Priority", exact=True)
    priority.select_option(label="High priority")
    expect(shown(page)).to_contain_text(["learn the tango"])
    assert "priority=high" in page.url
    priority.select_option(label="Low priority")
    expect(page.get_by_text("Nothing is like that.")).to_be_visible()
    check_accessible(page)
    priority.select_option(label="Any priority")
    expect(shown(page)).to_have_count(4)
    page.set_viewport_size({"width": 390, "height": 844})
    check_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_is_understood_of_a_todo_can_be_taken_as_it_was_written(page: Page, account: Account, database: Database) -> None:
    sign_up(page, account)
    quick_add(page, "buy bread tomorrow, urgent")
    expect(page.get_by_text("Understood: Tomorrow, high priority")).to_be_visible()
    check_accessible(page)
    page.get_by_role("button", name="Keep my words").click()
    expect(page.get_by_role("checkbox", name="buy bread tomorrow, urgent")).to_be_visible()
    expect(page.get_by_text("Understood")).to_have_count(0)
    expect(shown(page)).not_to_contain_text("High priority")
    assert database.todos_of(account.email) == ["buy bread tomorrow, urgent|f"]


def test_a_day_is_planned(page: Page, account: Account) -> None:
    sign_up(page, account)
    for said in ("pay rent yesterday", "post the letter today", "learn the tango", "call the bank, urgent", "feed the cat today, urgent"):
        quick_add(page, said)
    page.get_by_role("button", name="Plan my day").click()
    plan = page.get_by_role("dialog", name="Plan my day")
    # What matters most is first, whether it is late or due today; what has no date is last.
    expect(plan.get_by_role("listitem")).to_contain_text(["feed the cat", "pay rentOverdue: Yesterday", "post the letter", "call the bank"])
    check_accessible(page)
    plan.get_by_role("checkbox", name="pay rent").uncheck()
    plan.get_by_role("button", name="Make one due today").click()
    expect(plan).to_have_count(0)
    page.get_by_role("group", name="Which todos").get_by_role("button", name="Today").click()
    expect(shown(page)).to_have_count(3)
    expect(page.get_by_role("checkbox", name="call the bank")).to_be_visible()


def test_todos_are_gone_through_and_changed_by_keys(page: Page, account: Account, database: Database) -> None:
    sign_up(page, account)
    for title in ("water the plants", "buy bread", "call Anna"):
        add(page, title)
    anna, bread, plants = (page.get_by_role("checkbox", name=title) for title in ("call Anna", "buy bread", "water the plants"))
    page.get_by_role("heading", level=1).focus()
    page.keyboard.press("ArrowDown")  # scrolls, where no row has the focus
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.keyboard.press("j")
    expect(anna).to_be_focused()
    check_accessible(page)
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("k")  # there is none before it
    expect(anna).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(bread).to_be_focused()
    page.keyboard.press("x")
    expect(page.get_by_role("list", name="Done").get_by_role("checkbox")).to_be_checked()
    expect(bread).to_be_focused()
    page.keyboard.press("k")
    expect(plants).to_be_focused()
    page.keyboard.press("e")
    editor = page.get_by_role("dialog", name="Todo 1")
    expect(editor.get_by_label("Title")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type(" jx")  # what is written there is written
    expect(editor.get_by_label("Title")).to_have_value("water the plants jx")
    editor.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Edit water the plants")).to_be_focused()

    page.keyboard.press("Delete")
    expect(page.get_by_text("Deleted water the plants")).to_be_visible()
    expect(bread).to_be_focused()
    page.keyboard.press("u")
    expect(page.get_by_role("button", name="Edit water the plants")).to_be_focused()
    assert database.todos_of(account.email) == ["buy bread|t", "call Anna|f", "water the plants|f"]
    page.keyboard.press("ArrowUp")
    expect(anna).to_be_focused()
    page.keyboard.press("Backspace")
    expect(plants).to_be_focused()
    expect(page.get_by_role("heading", name="1 to do")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Undo the last deletion")
    check_accessible(page)
    page.keyboard.press("Escape")


def test_keys_are_shortcuts_until_they_are_switched_off(page: Page, account: Account) -> None:
    sign_up(page, account)
    expect(page.get_by_label("New todo")).to_be_editable()
    page.keyboard.press("n")
    expect(page.get_by_label("New todo")).to_be_focused()
    page.keyboard.type("n?/")
    expect(page.get_by_label("New todo")).to_have_value("n?/")
    page.get_by_label("New todo").fill("")
    page.get_by_role("heading", level=1).focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    check_accessible(page)
    dialog.get_by_role("checkbox", name="Single keys are shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.get_by_role("heading", level=1).focus()
    page.keyboard.press("n")
    expect(page.get_by_label("New todo")).not_to_be_focused()
    page.reload()
    expect(page.get_by_label("New todo")).to_be_editable()
    page.keyboard.press("n")
    expect(page.get_by_label("New todo")).not_to_be_focused()


def test_many_todos_are_shown_as_soon_as_few(page: Page, account: Account, database: Database) -> None:
    sign_up(page, account)
    paints: dict[int, list[float]] = {50: [], 5000: []}
    for _ in range(TIMES):
        for many, found in paints.items():
            database.rows(MANY.format(many=many), account.email)
            page.reload()
            expect(page.get_by_role("heading", name=f"{many} to do")).to_be_visible()
            found.append(page.evaluate(FIRST_PAINT))
    few, all_of_them = (min(found) for found in paints.values())  # of what the machine does besides, the least
    medians = ", ".join(f"{median(found):.0f} ms" for found in paints.values())
    # shown by -rP
    print(f"first paint of {TIMES} with 50 todos {few:.0f} ms, with 5,000 {all_of_them:.0f} ms: {all_of_them / few:.2f} x; medians {medians}")
    assert all_of_them <= MOST_OF_50 * few, paints

    expect(shown(page)).to_have_count(50)
    expect(shown(page).first).to_contain_text("todo number 5000")
    page.get_by_role("button", name="Show more").click()
    expect(shown(page)).to_have_count(100)
    expect(page.get_by_role("heading", name="5000 to do")).to_be_visible()
    page.get_by_role("checkbox", name="todo number 5000", exact=True).check()
    expect(page.get_by_role("heading", name="4999 to do")).to_be_visible()
    expect(page.get_by_text("1 of 5000 done")).to_be_visible()


def open_editor(page: Page, title: str) -> None:
    page.get_by_role("button", name=f"Edit {title}").click()


def shown(page: Page) -> Locator:
    """The rows of what is to do."""
    return page.get_by_role("list", name="To do").get_by_role("listitem")


def quick_add(page: Page, said: str) -> None:
    """Write it and have it added, whatever is understood of it."""
    before = int((re.match(r"\d+", page.get_by_role("heading", level=1).inner_text()) or ["0"])[0])
    page.get_by_label("New todo").fill(said)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_label("New todo")).to_have_value("")
    expect(page.get_by_role("heading", name=f"{before + 1} to do")).to_be_visible()
