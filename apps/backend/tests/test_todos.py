"""Todos as their owners meet them."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.conftest import Person
from todo_backend.text import words


async def test_a_todo_is_added_completed_reopened_renamed_and_deleted(ann: Person) -> None:
    todo = await ann.add("  Buy\tmilk ")
    assert todo["title"] == "Buy milk"
    assert todo["completed"] is False
    assert todo["completed_at"] is None
    assert todo["created_at"]

    done = (await ann.request("PATCH", f"/todos/{todo['id']}", {"completed": True})).json()
    assert done["completed"] is True
    assert done["completed_at"] >= todo["created_at"]
    again = (await ann.request("PATCH", f"/todos/{todo['id']}", {"completed": True})).json()
    assert again["completed_at"] == done["completed_at"]

    changed = (await ann.request("PATCH", f"/todos/{todo['id']}", {"completed": False, "title": "Buy oats"})).json()
    assert changed == {**todo, "title": "Buy oats", "version": 3}  # what changed nothing is no version
    assert (await ann.request("GET", "/todos")).json() == [changed]

    assert (await ann.request("DELETE", f"/todos/{todo['id']}")).status_code == 204
    assert (await ann.request("GET", "/todos")).json() == []


async def test_todos_come_in_the_order_in_which_they_were_added(ann: Person) -> None:
    for title in ("c", "a", "b"):
        await ann.add(title)
    assert await ann.titles() == ["c", "a", "b"]


async def test_the_todos_of_others_do_not_exist(ann: Person, bob: Person) -> None:
    todo = await ann.add("Secret")

    for someone, path in ((bob, f"/todos/{todo['id']}"), (ann, f"/todos/{uuid.uuid4()}")):
        for method, body in (("PATCH", {"completed": True}), ("DELETE", None)):
            response = await someone.request(method, path, body)
            assert response.status_code == 404
            assert response.json() == {"detail": "There is no such todo."}
    assert await bob.titles() == []
    assert (await ann.request("GET", "/todos")).json() == [todo]


@pytest.mark.parametrize("title", ["", " \n ", "x" * 201, "a\0b", "\ud800", None, 7, ["x"]])
async def test_a_title_that_cannot_be_kept_is_refused_with_the_reason(ann: Person, title: object) -> None:
    response = await ann.request("POST", "/todos", {"title": title})

    assert response.status_code == 422
    assert response.json()["detail"].startswith("title: ")
    assert await ann.titles() == []


UNSEEN = "\u200d \ufe0f \u3164 \u115f \u2800 \u034f \u200c \uffa0 \u17b4 \U000e0100 \u00ad \x1f \u2003"


@pytest.mark.parametrize("title", [UNSEEN, *UNSEEN.split(" ")], ids=ascii)
async def test_a_title_that_nobody_can_see_is_refused_whoever_gives_it(ann: Person, title: str) -> None:
    added = await ann.add("👨\u200d👩\u200d👧 ⠃ \U0001f6d8")  # joined, in Braille, of a Unicode still to come
    for method, path in (("POST", "/todos"), ("PATCH", f"/todos/{added['id']}")):
        response = await ann.request(method, path, {"title": title})
        assert response.status_code == 422
        assert response.json() == {"detail": "title: must have a character that can be seen"}
    assert (await ann.request("POST", "/chat", {"message": title})).status_code == 422
    await ann.say(f"add {title}")
    await ann.say(f"rename 1 to {title}")
    assert await ann.titles() == [added["title"]]


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f cup", "all of it"),
        ("\U0001f3f4\U000e0067\U000e0062 cup", "\U0001f3f4 cup"),  # a flag that has no end
        ("\U0001f3f4" + "\U000e0061" * 7 + "\U000e007f cup", "\U0001f3f4 cup"),  # a sentence
        ("cup\U000e0061\U000e007f", "cup"),
        ("c\u034fup \U000e01ef\U000e0100", "cup"),
        ("cafe\u034f\u0301", "caf\u00e9"),
    ],
    ids=ascii,
)
async def test_of_a_title_what_nobody_can_see_is_left_out_and_a_flag_is_whole(
    ann: Person, title: str, kept: str
) -> None:
    await ann.add(title)
    assert await ann.titles() == [title if kept == "all of it" else kept]


def test_a_flag_is_one_word() -> None:
    flag = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
    assert words(f"{flag} cup") == [flag, "cup"]


async def test_the_longest_title_is_kept_whole(ann: Person) -> None:
    title = "🥛" * 200
    await ann.add(title)
    assert await ann.titles() == [title]


async def test_an_endless_body_is_refused_announced_or_not(client: httpx.AsyncClient, ann: Person) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(70):
            yield b" " * 1000

    for content in (b" " * 70_000, pieces()):
        headers = {"Authorization": f"Bearer {ann.token}", "Content-Type": "application/json"}
        response = await client.post("/api/v1/todos", content=content, headers=headers)
        assert response.status_code == 413
        assert response.json() == {"detail": "The request's body is larger than 65536 bytes."}


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", "/api/v1/todos", b"{not json", 422),
        ("GET", "/api/v1/nowhere", b"", 404),
        ("PUT", "/api/v1/todos", b"", 405),
        ("PATCH", "/api/v1/todos/7", b"{}", 422),
    ],
)
async def test_every_error_has_one_sentence(
    client: httpx.AsyncClient, ann: Person, method: str, path: str, content: bytes, status: int
) -> None:
    headers = {"Authorization": f"Bearer {ann.token}", "Content-Type": "application/json"}
    response = await client.request(method, path, content=content, headers=headers)

    assert response.status_code == status
    assert set(response.json()) == {"detail"}
    assert isinstance(response.json()["detail"], str)


async def test_a_key_that_is_not_known_is_not_sent_back_whole(ann: Person) -> None:
    refused = await ann.request("POST", "/todos", {"title": "Milk", "k" * 20_000: 1})
    assert refused.status_code == 422
    assert refused.json() == {"detail": f"{'k' * 100}: Extra inputs are not permitted"}


async def test_an_address_with_a_slash_too_many_leads_nowhere(ann: Person) -> None:
    answer = await ann.request("GET", "/todos/")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


async def test_how_many_todos_there_are_is_told_to_their_owner(ann: Person, bob: Person) -> None:
    for title in ("a", "b", "c"):
        todo = await ann.add(title)
    await ann.request("PATCH", f"/todos/{todo['id']}", {"completed": True})
    await ann.request("DELETE", f"/todos/{(await ann.add('d'))['id']}")
    assert (await ann.request("GET", "/todos/overview")).json()["counts"] == {"open": 2, "done": 1}
    nothing: dict[str, Any] = {"todos": [], "after": None}
    expected = {"open": nothing, "done": nothing, "counts": {"open": 0, "done": 0}}
    assert (await bob.request("GET", "/todos/overview")).json() == expected


async def test_an_overview_leads_to_the_rest_of_each_part(ann: Person) -> None:
    for title in ("a", "b", "c", "d"):
        todo = await ann.add(title)
        if title in "ab":
            await ann.request("PATCH", f"/todos/{todo['id']}", {"completed": True})

    overview = (await ann.request("GET", "/todos/overview?sort=-number&open=1&done=1")).json()
    assert overview["counts"] == {"open": 2, "done": 2}
    rest = {"open": "sort=-number", "done": "sort=-completed"}
    for (state, order), (first, second) in zip(rest.items(), (("d", "c"), ("b", "a")), strict=True):
        part = overview[state]
        assert [todo["title"] for todo in part["todos"]] == [first]
        more = await ann.request("GET", f"/todos?state={state}&{order}&after={part['after']}")
        assert [todo["title"] for todo in more.json()] == [second]

    overdue = (await ann.request("GET", "/todos/overview?due=overdue&done=0")).json()
    nothing: dict[str, Any] = {"todos": [], "after": None}
    assert overdue == {"open": nothing, "done": nothing, "counts": {"open": 2, "done": 2}}
    assert (await ann.request("GET", "/todos/overview?q=1+2+3+4+5+6+7+8+9")).status_code == 422
    assert (await ann.request("GET", "/todos/overview?after=x")).status_code == 422


async def test_an_overview_is_of_one_moment(ann: Person) -> None:
    todo = await ann.add("now here, now there")

    async def change() -> None:
        for number in range(60):
            await ann.request("PATCH", f"/todos/{todo['id']}", {"completed": number % 2 == 0})

    changing = asyncio.create_task(change())
    while not changing.done():
        overview = (await ann.request("GET", "/todos/overview")).json()
        assert [one["id"] for state in ("open", "done") for one in overview[state]["todos"]] == [todo["id"]]
        assert sum(overview["counts"].values()) == 1
    await changing
