"""A text of somebody's is read as todos, and nothing is written."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import Person
from todo_backend.chat.proposals import proposals

NOW = datetime(2026, 3, 11, 10, 0, tzinfo=ZoneInfo("Europe/Berlin"))
NOTES = """\
Meeting notes:
- [ ] send the offer to Mr Smith by friday
- [x] book a room
1. call Anna tomorrow at 5pm
2) Steuer bis 31.3. abgeben (wichtig)
* buy milk
• Buy milk
## Home
fix the tap; it drips

☐ paint the fence
✅ mow the lawn
"""


def read(text: str) -> list[tuple[str, str | None, str | None]]:
    """Title, due date and priority of each."""
    return [(new.title, str(new.due) if new.due else None, new.priority) for new, _ in proposals(text, NOW)]


def test_each_line_is_one_without_headings_and_what_is_done_and_said_twice() -> None:
    assert read(NOTES) == [
        ("send the offer to Mr Smith", "2026-03-13", None),
        ("call Anna", "2026-03-12T17:00", None),
        ("Steuer abgeben", "2026-03-31", "high"),
        ("buy milk", None, None),
        ("fix the tap; it drips", None, None),
        ("paint the fence", None, None),
    ]


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("milk, bread and eggs", ["milk", "bread", "eggs"]),
        ("call mum tomorrow and pay rent on friday", ["call mum", "pay rent"]),
        ("call mum tomorrow. Then pay the rent! Buy oats", ["call mum", "pay the rent", "Buy oats"]),
        ("- milk, bread and eggs", ["milk, bread and eggs"]),
        ("\u200b\n \n- \n***", []),
    ],
)
def test_one_sentence_is_read_as_the_assistant_does(text: str, titles: list[str]) -> None:
    assert [title for title, _, _ in read(text)] == titles


def test_what_is_too_long_for_a_title_goes_into_the_notes() -> None:
    line = "word " * 100
    ((new, notes),) = proposals(f"- {line}", NOW)
    assert len(new.title) <= 200
    assert new.title.endswith(" …")
    assert notes == line.strip()


def test_a_line_without_an_end_is_read_in_time_and_kept() -> None:
    ((new, notes),) = proposals("buy milk " + "and " * 2500, NOW)
    assert len(new.title) <= 200
    assert notes.startswith("buy milk and")
    assert len(notes) == 5000


async def test_what_is_proposed_is_accepted_once_however_often_it_is_sent(ann: Person) -> None:
    answer = await ann.request("POST", "/chat/proposals", {"text": NOTES})
    assert answer.status_code == 200
    assert await ann.titles() == []
    first = answer.json()[0]
    for _ in range(2):
        assert (await ann.request("POST", "/todos", first)).status_code in {200, 201}
    assert await ann.titles() == ["send the offer to Mr Smith"]


async def test_a_long_text_is_read_to_its_end_and_one_that_is_too_long_is_refused(ann: Person) -> None:
    answer = await ann.request(
        "POST", "/chat/proposals", {"text": "\n".join(f"chore {number}" for number in range(800))}
    )
    assert [one["title"] for one in answer.json()] == [f"chore {number}" for number in range(800)]
    assert (await ann.request("POST", "/chat/proposals", {"text": "x" * 10_001})).status_code == 422
