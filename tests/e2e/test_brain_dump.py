"""Notes become todos: read, chosen from, and added once; nothing is added before."""

from conftest import Account, check_accessible
from playwright.sync_api import Page, expect
from test_story import sign_up

NOTES = """Monday:
- call Anna tomorrow at 5
- [x] book the room
fix the tap
buy oats (urgent)
"""
LONG = "\n".join(f"chore {number:03} {'x' * 70}" for number in range(150))  # more than is read at once
PASTE = """
(field, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text", text);
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}
"""


def test_notes_are_read_as_todos_that_are_accepted_one_by_one_or_together(page: Page, account: Account) -> None:
    sign_up(page, account)
    to_do = page.get_by_role("list", name="To do").get_by_role("listitem")
    page.get_by_label("New todo").evaluate(PASTE, NOTES)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Your notes, a line for each todo")).to_have_value(NOTES.strip())
    check_accessible(page)
    dialog.get_by_role("button", name="Read").click()
    found = dialog.get_by_role("listitem")
    expect(found).to_have_count(3)
    expect(found.nth(0)).to_contain_text("call Anna")
    expect(found.nth(0)).to_contain_text("Tomorrow, ")
    expect(found.nth(2)).to_contain_text("high priority")
    expect(to_do).to_have_count(0)
    check_accessible(page)

    dialog.get_by_role("checkbox", name="fix the tap").uncheck()
    dialog.get_by_role("button", name="Add 2 todos").click()
    expect(found).to_have_count(1)
    expect(to_do).to_have_count(2)
    dialog.get_by_role("button", name="Add fix the tap").click()
    expect(dialog.get_by_text("Nothing is left to add.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(to_do).to_have_count(3)
    expect(to_do.filter(has_text="call Anna")).to_contain_text("Tomorrow, ")

    opener = page.get_by_role("button", name="Add several")
    opener.click()
    expect(dialog.get_by_label("Your notes, a line for each todo")).to_have_value("")
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_pasted_notes_are_kept_and_read_to_their_end_however_long_they_are(page: Page, account: Account) -> None:
    sign_up(page, account)
    expect(page.get_by_label("New todo")).to_be_editable()
    page.get_by_label("New todo").evaluate(PASTE, LONG)
    dialog, opener = page.get_by_role("dialog"), page.get_by_role("button", name="Add several")
    notes, found = dialog.get_by_label("Your notes, a line for each todo"), dialog.get_by_role("listitem")
    expect(notes).to_have_value(LONG)
    page.reload()
    opener.click()
    expect(notes).to_have_value(LONG)
    expect(dialog.get_by_text("10,000 characters are read at once.")).to_be_visible()
    check_accessible(page)
    dialog.get_by_role("button", name="Read", exact=True).click()
    expect(found).to_have_count(123)
    expect(dialog.get_by_text("The rest of your notes is kept")).to_be_visible()
    check_accessible(page)
    dialog.get_by_role("button", name="Read on").click()
    expect(found).to_have_count(150)
    expect(dialog.get_by_text("The rest of your notes is kept")).to_have_count(0)
    dialog.get_by_role("button", name="Add chore 149").click()
    expect(found).to_have_count(149)
    page.keyboard.press("Escape")
    expect(page.get_by_role("list", name="To do").get_by_role("listitem")).to_contain_text(["chore 149"])

    # What is pasted then comes after it, also one line that is too long for a title.
    page.get_by_label("New todo").evaluate(PASTE, "call Anna " * 25)
    expect(notes).to_have_value(f"{LONG}\n{('call Anna ' * 25).strip()}")
