"""What a todo can be, and how every change of one is told and taken back."""

import asyncio
import base64
import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from tests.conftest import Person, in_database, serving, sign_up
from todo_backend.clock import due_instant
from todo_backend.database import Database
from todo_backend.health.state import Health
from todo_backend.todos import service
from todo_backend.todos.schemas import TodoQuery

NOWHERE = base64.urlsafe_b64encode(b'["nowhere"]').decode()


async def changes(person: Person) -> list[dict[str, Any]]:
    """What was changed, the newest first."""
    found: list[dict[str, Any]] = (await person.request("GET", "/changes")).json()
    return found


async def todo(person: Person, **given: object) -> dict[str, Any]:
    """A todo that was added with these."""
    response = await person.request("POST", "/todos", {"title": "buy milk", **given})
    assert response.status_code == 201, response.text
    added: dict[str, Any] = response.json()
    return added


def day(days: int) -> str:
    """A day from today on, in UTC, which is everybody's time zone at first."""
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


async def test_a_todo_has_notes_a_date_in_words_and_a_priority(ann: Person) -> None:
    added = await todo(ann, notes="oat, two litres", due="tomorrow at 5", priority="high")
    assert (added["notes"], added["due"], added["priority"]) == ("oat, two litres", f"{day(1)}T17:00", "high")
    assert (added["number"], added["version"], added["due_time_zone"]) == (1, 1, "UTC")

    path = f"/todos/{added['id']}"
    changed = (await ann.request("PATCH", path, {"due": "2030-01-31", "priority": None, "notes": ""})).json()
    assert (changed["due"], changed["priority"], changed["notes"], changed["version"]) == ("2030-01-31", None, "", 2)
    assert (await ann.request("PATCH", path, {"due": None})).json()["due"] is None
    assert (await ann.request("GET", path)).json()["version"] == 3
    refused = await ann.request("PATCH", path, {"due": "when pigs fly"})
    assert refused.status_code == 422
    assert "“when pigs fly” is no date that I understand" in refused.json()["detail"]
    assert (await ann.request("PATCH", path, {"colour": "red"})).status_code == 422


async def test_each_todo_keeps_its_number(ann: Person, bob: Person) -> None:
    first, second = [await todo(ann) for _ in range(2)]
    await ann.request("DELETE", f"/todos/{second['id']}")
    assert [first["number"], second["number"], (await todo(ann))["number"], (await todo(bob))["number"]] == [1, 2, 3, 1]


async def test_of_two_who_change_the_same_version_the_second_is_told(ann: Person) -> None:
    added = await todo(ann)
    path = f"/todos/{added['id']}"
    assert (await ann.request("PATCH", path, {"title": "buy oats", "version": 1})).status_code == 200
    for method, where, body in (("PATCH", path, {"title": "x", "version": 1}), ("DELETE", f"{path}?version=1", None)):
        refused = await ann.request(method, where, body)
        assert refused.status_code == 409
        assert "changed meanwhile" in refused.json()["detail"]
    assert (await ann.request("DELETE", f"{path}?version=2")).status_code == 204


async def test_a_todo_that_is_sent_again_is_there_once(ann: Person, bob: Person) -> None:
    chosen = str(uuid.uuid4())
    answers = await asyncio.gather(*(ann.request("POST", "/todos", {"id": chosen, "title": "x"}) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert await ann.titles() == ["x"]
    assert (await bob.request("POST", "/todos", {"id": chosen, "title": "y"})).status_code == 409


async def test_a_todo_that_is_sent_again_after_it_was_deleted_stays_deleted(ann: Person) -> None:
    chosen = str(uuid.uuid4())
    await todo(ann, id=chosen)
    gone = (await ann.request("DELETE", f"/todos/{chosen}")).headers["X-Change-ID"]
    refused = await ann.request("POST", "/todos", {"id": chosen, "title": "buy milk"})
    assert (refused.status_code, await ann.titles()) == (409, [])
    assert (await ann.request("POST", f"/changes/{gone}/undo")).status_code == 200
    assert await ann.titles() == ["buy milk"]


@pytest.mark.parametrize("sort", ["number", "-number", "due", "-priority", "title", "-completed"])
async def test_pages_follow_each_other_without_a_gap_in_every_order(ann: Person, sort: str) -> None:
    for number in range(7):
        given = {"due": day(number % 3)} if number % 2 else {}
        added = await todo(ann, title=f"{'ba'[number % 2]}{number}", priority=["low", "high"][number % 2], **given)
        if number == 3:
            await ann.request("PATCH", f"/todos/{added['id']}", {"completed": True})
    whole = (await ann.request("GET", f"/todos?sort={sort}")).json()
    found, path = [], f"/todos?sort={sort}&limit=2"
    while path:
        response = await ann.request("GET", path)
        found += response.json()
        link = response.headers.get("link", "")
        path = link.removeprefix("</api/v1").partition(">")[0]
    assert found == whole
    assert len(found) == 7


async def test_todos_are_found_by_state_date_priority_and_words(ann: Person) -> None:
    for title, given in {
        "late": {"due": day(-1), "priority": "high"},
        "now": {"due": day(0), "notes": "100% sure"},
        "soon": {"due": day(1)},
        "some day": {},
        "done": {},
    }.items():
        added = await todo(ann, title=title, **given)
    await ann.request("PATCH", f"/todos/{added['id']}", {"completed": True})
    over = await todo(ann, title="done late", due=day(-2), priority="low")
    await ann.request("PATCH", f"/todos/{over['id']}", {"completed": True})
    last_of_week = datetime.now(UTC).date().weekday() == 6
    for query, titles in {
        "state=open&due=week": ["late", "now"] if last_of_week else ["late", "now", "soon"],
        "state=open&due=none": ["some day"],
        "state=done": ["done", "done late"],
        "due=overdue": ["late"],
        "due=today": ["now"],
        "due=upcoming": ["soon"],
        "priority=high": ["late"],
        "q=SOME": ["some day"],
        "q=100%25": ["now"],
        "q=_": [],
    }.items():
        found = (await ann.request("GET", f"/todos?{query}")).json()
        assert [one["title"] for one in found] == titles, query
    half = base64.urlsafe_b64encode(b'["\\ud800"]').decode()
    for nothing in ("%20", "%E2%80%8B"):
        refused = await ann.request("GET", f"/todos?q={nothing}")
        assert (refused.status_code, refused.json()) == (422, {"detail": "q: must have a character that can be seen"})
    for nowhere in (NOWHERE, half, "x"):
        refused = await ann.request("GET", f"/todos?after={nowhere}")
        assert refused.status_code == 422
        assert refused.json() == {"detail": "after: this is no place that a page ended at"}
    for query in ("state=lost", "limit=0", "colour=red"):
        assert (await ann.request("GET", f"/todos?{query}")).status_code == 422


@pytest.mark.parametrize(
    ("kept", "query"),
    [
        ("Straße kehren", "STRASSE"),
        ("STRASSE kehren", "straße"),
        ("the \ufb01le", "file"),
        ("caf\u00e9", "cafe\u0301"),
        ("\uff26\uff35\uff2c\uff2c", "full"),
        ("ΟΔΟΣ", "οδος"),
        ("call \u2764\ufe0f", "\u2764"),
        ("call \u2764", "\u2764\ufe0f"),
        ("50% of it", "50%"),
    ],
    ids=ascii,
)
async def test_words_are_found_in_whatever_form_they_are_written(ann: Person, kept: str, query: str) -> None:
    await todo(ann, title=kept)
    await todo(ann, title="in the notes", notes=f"as said:\n{kept}")
    await todo(ann, title="another")
    found = await ann.request("GET", f"/todos?{urlencode({'q': query})}")
    assert [one["number"] for one in found.json()] == [1, 2]


async def move(person: Person, zone: str) -> datetime:
    """Go there, and see what time it is."""
    assert (await person.request("PATCH", "/auth/me", {"time_zone": zone})).status_code == 200
    return datetime.now(ZoneInfo(zone))


AHEAD, BEHIND = "Pacific/Kiritimati", "Pacific/Pago_Pago"
"""A day and an hour lie between them."""


async def test_what_is_due_at_a_time_is_due_at_that_moment_wherever_one_has_gone(ann: Person) -> None:
    async def listed(query: str) -> list[str]:
        return [one["title"] for one in (await ann.request("GET", f"/todos?{query}")).json()]

    due: dict[str, datetime] = {}
    for zone, minutes, title in (
        (AHEAD, -5, "past"),
        (AHEAD, 30, "first"),
        (BEHIND, 60, "second"),
        (AHEAD, 90, "third"),
    ):
        at = (await move(ann, zone) + timedelta(minutes=minutes)).replace(second=0, microsecond=0)
        due[title] = at
        await todo(ann, title=title, due=at.strftime("%Y-%m-%dT%H:%M"), priority="low")
    for zone in (BEHIND, AHEAD, "UTC"):
        now = await move(ann, zone)
        assert await listed("due=overdue") == ["past"]
        said = await ann.say("what is overdue?")
        assert [title for title in due if title in said] == ["past"], said
        assert await listed("sort=due") == ["past", "first", "second", "third"]
        assert await listed("sort=-priority") == ["past", "first", "second", "third"]
        days = {title: at.astimezone(ZoneInfo(zone)).date() for title, at in due.items()}
        of_today, later = await listed("due=today"), await listed("due=upcoming")
        if datetime.now(ZoneInfo(zone)).date() == now.date():
            assert of_today == [title for title, on in days.items() if on == now.date()]
            assert later == [title for title, on in days.items() if on > now.date()]
    changed = await ann.request("PATCH", f"/todos/{(await changes(ann))[-1]['todo_id']}", {"due": "next year"})
    assert changed.status_code == 200
    assert await listed("due=overdue") == []
    assert await listed("sort=due") == ["first", "second", "third", "past"]
    await ann.request("POST", f"/changes/{(await changes(ann))[0]['id']}/undo")
    assert await listed("due=overdue") == ["past"]


async def test_what_is_due_on_a_day_is_due_on_that_day_wherever_one_is(ann: Person) -> None:
    today = (await move(ann, BEHIND)).date()
    for days, title in ((0, "on the day"), (-1, "before")):
        await todo(ann, title=title, due=(today + timedelta(days=days)).isoformat())
    at_last = await todo(ann, title="at its last minute", due=f"{today}T23:59")
    assert [one["title"] for one in (await ann.request("GET", "/todos?sort=due")).json()] == [
        "before",
        at_last["title"],
        "on the day",
    ]
    assert [one["title"] for one in (await ann.request("GET", "/todos?due=overdue")).json()] == ["before"]
    await move(ann, AHEAD)
    overdue = (await ann.request("GET", "/todos?due=overdue")).json()
    assert [one["title"] for one in overdue] == ["on the day", "before"]


@pytest.mark.parametrize(
    ("day", "at", "zone", "instant"),
    [
        (date(2026, 7, 1), time(18), "Europe/Berlin", datetime(2026, 7, 1, 16, tzinfo=UTC)),
        (date(2026, 3, 29), time(2, 30), "Europe/Berlin", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # there is none
        (date(2026, 7, 1), None, "Europe/Berlin", datetime(2026, 7, 1, 21, 59, 59, 999999, tzinfo=UTC)),
        (date(9997, 12, 31), None, BEHIND, datetime(9998, 1, 1, 10, 59, 59, 999999, tzinfo=UTC)),
        (date(2026, 7, 1), time(18), "Europe/Atlantis", datetime(2026, 7, 1, 18, tzinfo=UTC)),
    ],
)
def test_a_day_and_a_time_are_a_moment(day: date, at: time | None, zone: str, instant: datetime) -> None:
    assert due_instant(day, at, zone) == instant


async def test_there_are_only_so_many_todos(database_url: URL) -> None:
    async with serving(database_url, todos_per_user=2) as client:
        person = await sign_up(client)
        for _ in range(2):
            await todo(person)
        refused = await person.request("POST", "/todos", {"title": "x"})
        assert refused.status_code == 409
        assert refused.json()["detail"] == "You have 2 todos, which is the most that one can have. Delete some first."
        assert "You have 2 todos" in await person.say("add call mum")


async def test_there_are_no_more_by_many_requests_at_once_or_by_taking_back(database_url: URL) -> None:
    async with serving(database_url, todos_per_user=5) as client:
        person = await sign_up(client)
        await asyncio.gather(*(person.request("POST", "/todos", {"title": "x"}) for _ in range(10)))
        todos = (await person.request("GET", "/todos")).json()
        assert len(todos) == 5
        gone = (await person.request("DELETE", f"/todos/{todos[0]['id']}")).headers["X-Change-ID"]
        await todo(person)
        refused = await person.request("POST", f"/changes/{gone}/undo")
        assert refused.status_code == 409
        assert refused.json()["detail"].startswith("You have 5 todos")


async def test_many_are_deleted_once_that_is_confirmed(client: httpx.AsyncClient, database_url: URL) -> None:
    person = await sign_up(client)
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO todos (id, user_id, title)"
                " SELECT gen_random_uuid(), :user, 'x' FROM generate_series(1, 5000)"
            ),
            {"user": person.id},
        )
    engine.dispose()
    asked = (await person.request("POST", "/chat", {"message": "delete all my todos"})).json()["confirmation"]
    answer = await person.request("POST", f"/confirmations/{asked['id']}")
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["deleted"]) == 5000
    assert await person.titles() == []


async def test_a_page_goes_on_whatever_the_titles_are(ann: Person) -> None:
    for title in ("ü" * 190, "🎉" * 150, "x"):
        await ann.add(title)
    found, url = [], "/todos?sort=title&limit=1"
    while url:
        page = await ann.request("GET", url)
        assert page.status_code == 200, page.text
        found += [one["title"] for one in page.json()]
        url = page.links["next"]["url"].partition("/api/v1")[2] if "next" in page.links else ""
    assert len(found) == 3


async def test_every_change_is_told_with_what_was_before_and_after_and_by_whom(ann: Person) -> None:
    added = await todo(ann)
    path = f"/todos/{added['id']}"
    await ann.request("PATCH", path, {"title": "buy oats"})
    await ann.request("PATCH", path, {"completed": True})
    await ann.request("PATCH", path, {"completed": True})  # as it is already
    await ann.request("PATCH", path, {"completed": False})
    await ann.request("DELETE", path)
    await ann.say("add call mum")
    told = [(change["kind"], change["actor"]) for change in await changes(ann)]
    assert told == [
        ("add", "built-in"),
        ("delete", "user"),
        ("reopen", "user"),
        ("complete", "user"),
        ("update", "user"),
        ("add", "user"),
    ]
    assert [(change["before"] or {}).get("title") for change in await changes(ann)][-2:] == ["buy milk", None]


async def undo(person: Person, change: dict[str, Any]) -> tuple[int, str]:
    """The answer to taking it back."""
    answer = await person.request("POST", f"/changes/{change['id']}/undo")
    return answer.status_code, answer.json().get("detail", "")


async def test_each_kind_of_change_can_be_taken_back_once(ann: Person, bob: Person) -> None:
    added = await todo(ann, due="tomorrow", priority="low", notes="n")
    path = f"/todos/{added['id']}"
    for method, body in (("PATCH", {"title": "x", "due": None}), ("PATCH", {"completed": True}), ("DELETE", None)):
        before = (await ann.request("GET", path)).json()
        await ann.request(method, path, body)
        [last, *_] = await changes(ann)
        assert (await undo(bob, last))[0] == 404
        assert await undo(ann, last) == (200, "")
        after = (await ann.request("GET", path)).json()
        assert {**after, "version": 0} == {**before, "version": 0}
        assert await undo(ann, last) == (409, "This was taken back already.")
    [undone, *_] = await changes(ann)
    assert (undone["kind"], (await undo(ann, undone))[0]) == ("undo", 409)
    first = (await changes(ann))[-1]
    assert await undo(ann, first) == (200, "")
    assert await ann.titles() == []


async def test_what_has_changed_since_is_not_taken_back(ann: Person) -> None:
    added = await todo(ann)
    path = f"/todos/{added['id']}"
    await ann.request("PATCH", path, {"title": "first"})
    await ann.request("PATCH", path, {"title": "second"})
    second, first, *_ = await changes(ann)
    assert await undo(ann, first) == (409, "This todo has been changed since.")
    assert await undo(ann, second) == (200, "")
    assert await undo(ann, first) == (200, "")  # it is as that had left it again
    assert await ann.titles() == ["buy milk"]
    await ann.request("DELETE", path)
    assert await undo(ann, (await changes(ann))[-1]) == (409, "This todo has been deleted since.")


async def test_several_are_deleted_only_once_that_is_confirmed(ann: Person, bob: Person) -> None:
    for title in ("a", "b", "c"):
        await todo(ann, title=title)
    asked = (await ann.request("POST", "/chat", {"message": "delete everything"})).json()
    assert [one["title"] for one in asked["confirmation"]["todos"]] == ["a", "b", "c"]
    await ann.say("yes")
    assert await ann.titles() == ["a", "b", "c"]
    await ann.say("done b")  # since then it is another one
    path = f"/confirmations/{asked['confirmation']['id']}"
    assert (await bob.request("POST", path)).status_code == 404
    answers = await asyncio.gather(*(ann.request("POST", path) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    [answer] = [answer.json() for answer in answers if answer.status_code == 200]
    assert [one["title"] for one in answer["deleted"]] == ["a", "c"]
    assert [(one["kind"], one["actor"], one["before"]["title"]) for one in answer["changes"]] == [
        ("delete", "built-in", "a"),
        ("delete", "built-in", "c"),
    ]
    assert len(answer["left"]) == 1
    assert await ann.titles() == ["b"]
    assert {change["actor"] for change in await changes(ann) if change["kind"] == "delete"} == {"built-in"}
    await ann.request("POST", f"/changes/{answer['changes'][1]['id']}/undo")
    assert await ann.titles() == ["b", "c"]


async def test_a_message_that_is_sent_again_is_answered_once(ann: Person) -> None:
    message = {"id": str(uuid.uuid4()), "message": "add buy milk"}
    answers = await asyncio.gather(*(ann.request("POST", "/chat", message) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert await ann.titles() == ["buy milk"]
    [conversation] = (await ann.request("GET", "/chat/conversations")).json()
    assert conversation["id"] == answers[0].json()["conversation_id"]
    assert (await ann.request("POST", "/chat", {**message, "message": "add x"})).status_code == 409


async def test_code_of_the_version_before_numbers_and_counts_as_well(ann: Person, database_url: URL) -> None:
    await todo(ann)
    chosen = uuid.uuid4()
    added = "INSERT INTO todos (id, user_id, title) VALUES (:id, :user, 'from before')"
    in_database(database_url, added, id=chosen, user=ann.id)
    in_database(database_url, "UPDATE todos SET title = 'from before, too' WHERE id = :id", id=chosen)
    found = (await ann.request("GET", f"/todos/{chosen}")).json()
    assert (found["number"], found["version"], found["title"]) == (2, 2, "from before, too")


async def test_what_is_old_is_forgotten_and_what_is_not_stays(ann: Person, database_url: URL) -> None:
    await ann.say("add buy milk")
    await ann.say("add call mum")
    assert len(await changes(ann)) == 2
    aged = (
        "UPDATE changes SET created_at = now() - interval '31 days' WHERE user_id = :user AND after->>'title' = :title"
    )
    in_database(database_url, aged, user=ann.id, title="buy milk")
    async with serving(database_url):
        for _ in range(100):
            left = [change["after"]["title"] for change in await changes(ann)]
            if left == ["call mum"]:
                break
            await asyncio.sleep(0.1)
    assert left == ["call mum"]


async def titled(person: Person, todo: dict[str, Any], *titles: str) -> list[dict[str, Any]]:
    """Give a todo one title after the other; the changes, the newest first."""
    for title in titles:
        assert (await person.request("PATCH", f"/todos/{todo['id']}", {"title": title})).status_code == 200
    return await changes(person)


async def test_a_change_stands_as_long_as_one_after_it_does_whatever_the_values_are(ann: Person) -> None:
    added = await todo(ann, title="a")
    *since, first, _ = await titled(ann, added, "b", "c", "b")
    assert await undo(ann, first) == (409, "This todo has been changed since.")
    for change in (*since, first):
        assert await undo(ann, change) == (200, "")
    assert await ann.titles() == ["a"]


async def test_changes_are_taken_back_one_after_the_other(ann: Person) -> None:
    added = await todo(ann, title="a")
    path = f"/todos/{added['id']}"
    for method, body in (
        ("PATCH", {"completed": True}),
        ("PATCH", {"completed": False}),
        ("PATCH", {"due": "tomorrow", "notes": "n"}),
        ("PATCH", {"completed": True}),
    ):
        assert (await ann.request(method, path, body)).status_code == 200
    await ann.request("DELETE", path)
    assert await undo(ann, (await changes(ann))[0]) == (200, "")
    await titled(ann, added, "b")
    made = [change for change in await changes(ann) if change["kind"] != "undo" and not change["undone_at"]]
    assert [change["kind"] for change in made] == ["update", "complete", "update", "reopen", "complete", "add"]
    for older in made[1:]:
        assert (await undo(ann, older))[0] == 409
    for change in made[:-1]:
        assert await undo(ann, change) == (200, "")
    found = (await ann.request("GET", path)).json()
    assert {**found, "version": 0} == {**added, "version": 0}
    assert await undo(ann, made[-1]) == (200, "")
    assert await ann.titles() == []


async def test_what_code_of_the_version_before_did_since_is_not_lost(ann: Person, database_url: URL) -> None:
    added = await todo(ann, title="a")
    [first, *_] = await titled(ann, added, "b")
    for title in ("x", "b"):
        in_database(database_url, "UPDATE todos SET title = :title WHERE id = :id", title=title, id=added["id"])
    [second, *_] = await titled(ann, added, "c")
    assert await undo(ann, second) == (200, "")
    assert await undo(ann, first) == (409, "This todo has been changed since.")


async def test_nobody_takes_the_id_of_a_todo_that_can_be_brought_back(
    ann: Person, bob: Person, database_url: URL
) -> None:
    added = await todo(ann)
    await ann.request("DELETE", f"/todos/{added['id']}")
    [gone, *_] = await changes(ann)
    refused = await bob.request("POST", "/todos", {"id": added["id"], "title": "mine"})
    assert (refused.status_code, refused.json()["detail"]) == (409, "There is another todo with this id.")
    added_by_bob = "INSERT INTO todos (id, user_id, title) VALUES (:id, :user, 'mine')"
    in_database(database_url, added_by_bob, id=added["id"], user=bob.id)
    assert await undo(ann, gone) == (409, "There is another todo with this id.")
    assert await bob.titles() == ["mine"]
    in_database(database_url, "DELETE FROM todos WHERE id = :id", id=added["id"])
    assert await undo(ann, gone) == (200, "")
    assert await ann.titles() == ["buy milk"]


async def test_a_listed_change_says_why_it_cannot_be_taken_back(ann: Person) -> None:
    added = await todo(ann)
    await ann.request("PATCH", f"/todos/{added['id']}", {"title": "buy oats"})
    other = await todo(ann)
    await ann.request("DELETE", f"/todos/{other['id']}")
    gone, there, renamed, first = await changes(ann)
    obstacles = {
        first["id"]: "This todo has been changed since.",
        renamed["id"]: None,
        there["id"]: "This todo has been deleted since.",
        gone["id"]: None,
    }
    assert {change["id"]: change["obstacle"] for change in (gone, there, renamed, first)} == obstacles
    for change in (first, there, renamed, gone):  # what the list says is what happens
        assert (await undo(ann, change))[1] == (obstacles[change["id"]] or "")
    back, again, gone, there, renamed, first = await changes(ann)
    assert [change["kind"] for change in (back, again)] == ["undo", "undo"]
    assert [first["obstacle"], there["obstacle"]] == [None, None]
    for change in (gone, renamed):
        assert (change["obstacle"], (await undo(ann, change))[0]) == ("This was taken back already.", 409)


async def test_changes_are_told_by_who_made_them(ann: Person, bob: Person) -> None:
    await todo(bob)
    await todo(ann, title="by hand")
    await ann.say("add buy milk")
    await ann.say("add call mum")
    actors = (await ann.request("GET", "/changes/actors")).json()
    assert [(one["actor"], one["actor_name"], one["today"]) for one in actors] == [
        ("built-in", None, 2),
        ("user", None, 1),
    ]
    assert actors[0]["last"] == (await changes(ann))[0]["id"]
    for query, titles in {
        "actor=user": ["by hand"],
        "actor=built-in": ["call mum", "buy milk"],
        "actor=built-in&limit=1": ["call mum"],
        f"actor=built-in&before={actors[0]['last']}": ["buy milk"],
        "actor=client&actor_name=editor": [],
    }.items():
        found = (await ann.request("GET", f"/changes?{query}")).json()
        assert [change["after"]["title"] for change in found] == titles, query
    assert (await ann.request("GET", "/changes?actor=nobody")).status_code == 422


async def test_todays_changes_of_one_are_taken_back_newest_first(ann: Person, bob: Person, database_url: URL) -> None:
    await ann.say("add buy bread")
    [old] = await changes(ann)
    in_database(database_url, "UPDATE changes SET created_at = now() - interval '1 day' WHERE id = :id", id=old["id"])
    await todo(ann, title="by hand")
    for said in (
        "add buy milk",
        "rename buy milk to buy oats",
        "add call mum",
        "done call mum",
        "add water the plants",
    ):
        await ann.say(said)
    plants = next(one for one in (await ann.request("GET", "/todos")).json() if one["title"] == "water the plants")
    await ann.request("PATCH", f"/todos/{plants['id']}", {"title": "water them"})
    seen = (await ann.request("GET", "/changes/actors")).json()
    [assistant] = [one for one in seen if one["actor"] == "built-in"]
    assert assistant["today"] == 5
    await ann.say("add pay rent")

    body = {"actor": "built-in", "before": assistant["last"] + 1}
    assert (await bob.request("POST", "/changes/today/undo", body)).json()["undone"] == []
    done = (await ann.request("POST", "/changes/today/undo", body)).json()
    assert len(done["undone"]) == 4
    assert done["undone"] == sorted(done["undone"], reverse=True)
    assert done["before"] is None
    assert [(one["after"]["title"], one["obstacle"]) for one in done["refused"]] == [
        ("water the plants", "This todo has been changed since.")
    ]
    assert await ann.titles() == ["buy bread", "by hand", "water them", "pay rent"]
    again = (await ann.request("POST", "/changes/today/undo", body)).json()
    assert (again["undone"], len(again["refused"])) == ([], 1)


async def test_many_changes_of_a_day_are_taken_back_some_at_a_time(ann: Person, database_url: URL) -> None:
    for _ in range(3):
        await todo(ann)
    kept = "INSERT INTO changes (user_id, todo_id, actor, kind, before) SELECT user_id, todo_id, actor, 'delete', after"
    in_database(
        database_url,
        f"{kept} FROM changes, generate_series(1, 100) WHERE user_id = :user AND kind = 'add'",
        user=ann.id,
    )
    [me] = (await ann.request("GET", "/changes/actors")).json()
    undone, refused, before = 0, 0, me["last"] + 1
    while before:
        done = (await ann.request("POST", "/changes/today/undo", {"actor": "user", "before": before})).json()
        undone, refused, before = undone + len(done["undone"]), refused + len(done["refused"]), done["before"]
    assert (undone, refused) == (0, 303)


async def test_a_search_has_an_end(ann: Person, database_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "+".join("abcdefghi")
    refused = await ann.request("GET", f"/todos?q={words}")
    assert (refused.status_code, refused.json()) == (422, {"detail": "Search for 8 different words at most."})
    assert (await ann.request("GET", f"/todos?q={words[:-2]}+a+b+c")).status_code == 200
    monkeypatch.setattr(service, "SEARCH_SECONDS", 0.2, raising=False)
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLE todos"))
        refused = await ann.request("GET", f"/todos?q={words[:-2]}")
    engine.dispose()
    assert refused.status_code == 503
    assert refused.json() == {"detail": "This takes too long just now. Try again in a moment."}
    assert (await ann.client.get("/health/ready")).status_code == 200


async def test_what_follows_a_search_has_its_own_time(ann: Person, database_url: URL) -> None:
    database = Database(database_url, Health(tolerance_seconds=0))
    async with database.transaction() as session:
        await service.list_todos(session, uuid.UUID(ann.id), TodoQuery(q="milk"), datetime.now(UTC))
        assert await session.scalar(text("SHOW statement_timeout")) == "0"
    await database.close()


async def test_a_letter_that_few_keyboards_have_is_found_by_the_one_they_have(ann: Person) -> None:
    await todo(ann, title="Fly to İstanbul")
    for word in ("istanbul", "ISTANBUL", "İSTANBUL"):
        found = (await ann.request("GET", f"/todos?q={word}")).json()
        assert [one["title"] for one in found] == ["Fly to İstanbul"], word
    await ann.say("delete fly to istanbul")
    assert await ann.titles() == []
