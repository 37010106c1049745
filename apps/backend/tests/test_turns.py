"""What a language model does by its tools, on a real database, and what happens when it or its provider fails."""

import asyncio
import json
import re
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.conftest import PASSWORD, Person, in_database, new_ring, serving, sign_up
from tests.provider import END, USAGE, Fake, calls, chunk, compressed, obeys, provider, redirects, refuses, says, stream
from todo_backend.chat import provider as provider_of_models
from todo_backend.chat import turns
from todo_backend.chat.models import Turn
from todo_backend.settings import Secrets

Parts = list[dict[str, Any]]
RING = new_ring()


@pytest.fixture
def fake() -> Iterator[Fake]:
    """The provider."""
    with provider() as running:
        yield running


@asynccontextmanager
async def with_model(url: URL, fake: Fake, **settings: object) -> AsyncIterator[httpx.AsyncClient]:
    """A replica of the application with a model, another one behind it."""
    chosen = {"model_url": fake.url, "model": "first", "model_fallback": "second", **settings}
    async with serving(url, RING, model_api_key="the key", **chosen) as client:
        yield client


@pytest.fixture
async def bob(database_url: URL, fake: Fake) -> AsyncIterator[Person]:
    """Somebody whose messages a model answers."""
    async with with_model(database_url, fake) as client:
        yield await sign_up(client)


async def say(person: Person, message: str, **more: object) -> dict[str, Any]:
    """The answer to a message."""
    answer = await person.request("POST", "/chat", {"message": message, **more})
    assert answer.status_code == 200, answer.text
    reply: dict[str, Any] = answer.json()
    return reply


async def asked(fake: Fake, times: int) -> None:
    """Return once the provider has been asked so many times."""
    while len(fake.told) < times:  # noqa: ASYNC110 - it is told in another thread
        await asyncio.sleep(0.01)


async def titles(person: Person) -> list[str]:
    """What is on the list."""
    return [todo["title"] for todo in (await person.request("GET", "/todos")).json()]


async def streamed(person: Person, message: str, **more: object) -> Parts:
    """The parts of a stream, each with its place; as the JSON lines say."""
    answer = await person.request("POST", "/chat/stream", {"message": message, **more})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["connection"] == "close", (
        "the process may end with it, and whoever keeps the connection would lose a request"
    )
    parts = []
    for block in answer.text.split("\n\n"):
        if block.startswith("id: "):
            place, data = block.split("\n")
            parts.append({"place": place.removeprefix("id: "), **json.loads(data.removeprefix("data: "))})
    return parts


def seen(parts: Parts) -> tuple[str, list[str]]:
    """The text that a reader of the stream has at the end, and the kinds of all other parts."""
    texts: list[str] = []
    step: list[str] = []
    kinds = []
    for part in parts:
        if part["type"] == "text-delta":
            step.append(part["delta"])
        elif part["type"] == "reset-step":
            step = []
        elif part["type"] == "finish-step":
            texts.append("".join(step))
            step = []
        if not part["type"].startswith("text-"):
            kinds.append(part["type"])
    return "\n\n".join(text for text in texts if text), kinds


async def test_a_model_acts_by_its_tools(bob: Person, fake: Fake) -> None:
    fake.will(
        calls(("add_todo", {"title": "Buy milk", "due": "2030-03-01T17:00", "priority": "high"}), text="One moment."),
        calls(("complete_todo", {"number": 1})),
        says("Added it, and it is done."),
    )
    reply = await say(bob, "add buy milk, and then it is done")
    assert reply["assistant"] == "first"
    assert reply["reply"] == "One moment.\n\nAdded it, and it is done."
    assert [action["tool"] for action in reply["actions"]] == ["add_todo", "complete_todo"]
    assert [(change["kind"], change["actor"], change["actor_name"]) for change in reply["changes"]] == [
        ("add", "model", "first"),
        ("complete", "model", "first"),
    ]
    [todo] = (await bob.request("GET", "/todos")).json()
    assert (todo["title"], todo["due"], todo["priority"], todo["completed"]) == (
        "Buy milk",
        "2030-03-01T17:00",
        "high",
        True,
    )
    # what the model was told, and what it was not
    first, second, third = fake.told
    assert first["key"] == "Bearer the key"
    assert first["messages"][-1] == {"role": "user", "content": "add buy milk, and then it is done"}
    assert json.loads(second["messages"][-1]["content"])["added"]["number"] == 1
    assert [message["role"] for message in third["messages"][-4:]] == ["assistant", "tool", "assistant", "tool"]
    assert bob.email not in json.dumps(fake.told)
    undone = await bob.request("POST", f"/changes/{reply['changes'][1]['id']}/undo")
    assert undone.status_code == 200, undone.text


async def test_what_was_said_before_goes_along_and_what_is_left_out_is_summed_up(bob: Person, fake: Fake) -> None:
    fake.will(calls(("add_todo", {"title": "buy milk"})), says("Done."))
    begun = await say(bob, "we have no milk, and the shop closes soon")
    for number in range(12):
        fake.will(says("y" * 600))
        await say(bob, f"{number} " + "x" * 600, conversation_id=begun["conversation_id"])
    told = fake.told[0]["messages"]
    assert sum(len(str(message["content"])) for message in told) < 14_000
    assert [message["role"] for message in told] == ["system", *["user", "assistant"] * (len(told) // 2 - 1), "user"]
    left_out = 24 - len(told[1:-1])
    summary, _, said = told[1]["content"].partition(")\n\n")
    assert summary.startswith(f"({left_out} earlier messages are left out. Of the last of them")
    assert len(summary) < 2500
    assert said.endswith("x" * 600)
    first, *others = json.loads(summary.partition("as data: ")[2])["turns"]
    assert first == {"asked": "we have no milk, and the shop closes soon", "changes": ["add: buy milk"]}
    assert [set(one) for one in others] == [{"asked"}] * (left_out // 2 - 1), "what changed nothing has no changes"
    assert told[-1]["content"].startswith("11 ")
    listed = (await bob.request("GET", "/chat/conversations")).json()
    assert [conversation["title"] for conversation in listed] == ["we have no milk, and the shop closes soon"]


async def test_a_summary_is_bounded(bob: Person, fake: Fake) -> None:
    conversation = None
    for number in range(30):
        adds = (
            calls(*[("add_todo", {"title": f"{number} {one} " + "long " * 30}) for one in range(8)])
            if number == 20
            else None
        )
        fake.will(*([adds] if adds else []), says("y" * 2000))
        told = await say(
            bob, f"{number} " + "word " * 200, **({"conversation_id": conversation} if conversation else {})
        )
        conversation = told["conversation_id"]
    content = fake.told[0]["messages"][1]["content"].partition(")\n\n")[0]
    summary = json.loads(content.partition("as data: ")[2])["turns"]
    assert len(content) < 2500
    newest = 28 - (len(fake.told[0]["messages"]) - 2) // 2
    assert [int(one["asked"].split()[0]) for one in summary] == list(range(newest - len(summary) + 1, newest + 1))
    [changed] = [one["changes"] for one in summary if "changes" in one]
    assert [len(one) <= 70 for one in changed] == [True] * 6
    assert changed[-1] == "3 more"


async def test_a_summary_tells_nothing_that_was_taken_back(bob: Person, fake: Fake) -> None:
    fake.will(calls(("add_todo", {"title": "buy milk"}), ("add_todo", {"title": "buy bread"})), says("y" * 7900))
    begun = await say(bob, "牛" * 200)
    assert (await bob.request("POST", f"/changes/{begun['changes'][0]['id']}/undo")).status_code == 200
    fake.will(says("y" * 7900))
    await say(bob, "and now?", conversation_id=begun["conversation_id"])
    said = fake.told[0]["messages"][1]["content"]
    assert '"changes": ["add: buy bread"]' in said
    assert "牛" * 100 in said
    [listed] = (await bob.request("GET", "/chat/conversations")).json()
    assert listed["title"].startswith("牛" * 50)


async def test_what_was_said_while_no_model_answered_stays_here(bob: Person, fake: Fake) -> None:
    conversation = (await say(bob, "hello"))["conversation_id"]
    for allowed in (False, True):
        await bob.request("PATCH", "/auth/me", {"model_allowed": allowed})
        fake.told.clear()
        await say(bob, "and now?" if allowed else "add a secret", conversation_id=conversation)
    assert [message["content"] for message in fake.told[0]["messages"][1:]] == [
        "(2 earlier messages are left out.)\n\nhello", "ok", "and now?",
    ]  # fmt: skip


async def test_who_switches_the_model_off_while_it_answers_tells_it_no_more(bob: Person, fake: Fake) -> None:
    switched = threading.Event()

    async def thinks(request: Request) -> Response:
        await asyncio.to_thread(switched.wait, 10)
        return await calls(("list_todos", {}))(request)

    fake.will(thinks)
    turn = asyncio.create_task(say(bob, "what is there?"))
    await asked(fake, 1)
    await bob.request("PATCH", "/auth/me", {"model_allowed": False})
    switched.set()
    assert "stopped answering" in (await turn)["reply"]
    assert len(fake.told) == 1


async def test_a_stream_says_what_is_done(bob: Person, fake: Fake) -> None:
    fake.will(calls(("add_todo", {"title": "Buy milk"})), says("Added: Buy milk."))
    parts = await streamed(bob, "add buy milk")
    text, kinds = seen(parts)
    assert text == "Added: Buy milk."
    assert kinds == [
        "start", "start-step", "tool-input-available", "tool-output-available", "finish-step", "start-step",
        "finish-step", "data-reply", "finish",
    ]  # fmt: skip
    output = next(part for part in parts if part["type"] == "tool-output-available")["output"]
    assert output["added"]["title"] == "Buy milk"
    assert output["change"]["kind"] == "add"


async def test_a_stream_that_was_cut_goes_on_from_each_place(bob: Person, fake: Fake) -> None:
    fake.will(calls(("add_todo", {"title": "Buy milk"}), text="Let me see."), says("Added it."))
    name = str(uuid.uuid4())
    whole = await streamed(bob, "add buy milk", id=name)
    for index, part in enumerate(whole):
        rest = await streamed(bob, "add buy milk", id=name, after=part["place"])
        text, _ = seen(whole[: index + 1] + rest)
        assert text == "Let me see.\n\nAdded it.", part
        assert rest[-1]["type"] == "finish" or part["type"] == "finish"
    assert await titles(bob) == ["Buy milk"]


async def test_a_message_that_is_sent_fifty_times_at_once_is_done_once(bob: Person, fake: Fake) -> None:
    fake.will(calls(("add_todo", {"title": "Once"})), says("Added it."))
    name = str(uuid.uuid4())
    answers = await asyncio.gather(
        *(bob.request("POST", "/chat", {"message": "add once", "id": name}) for _ in range(50))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert await titles(bob) == ["Once"]
    assert len(fake.told) == 2


async def test_a_message_that_reaches_two_replicas_is_done_once(database_url: URL, fake: Fake) -> None:
    """The second follows what the first does."""
    fake.will(calls(("add_todo", {"title": "Once"})), says("Added it.", pause=0.2))
    name = str(uuid.uuid4())
    async with with_model(database_url, fake) as one, with_model(database_url, fake) as other:
        bob = await sign_up(one)
        elsewhere = Person(other, bob.id, bob.email, bob.token)
        both = await asyncio.gather(*(streamed(person, "add once", id=name) for person in (bob, elsewhere)))
        assert [seen(parts)[0] for parts in both] == ["Added it."] * 2
        assert await titles(bob) == ["Once"]


async def test_one_message_at_a_time_in_a_conversation(bob: Person, fake: Fake) -> None:
    fake.will(says("Hello."), says("slow " * 5, pause=0.2), says("Hello again."))
    conversation = (await say(bob, "hello"))["conversation_id"]
    first = asyncio.create_task(say(bob, "one", conversation_id=conversation))
    await asked(fake, 2)
    second = await bob.request("POST", "/chat", {"message": "two", "conversation_id": conversation})
    assert second.status_code == 409
    assert "still being answered" in second.json()["detail"]
    path = f"/chat/conversations/{conversation}"
    at_work = (await bob.request("GET", path)).json()["at_work"]
    assert at_work["message"] == "one"
    parts = await streamed(
        bob, "one", id=at_work["id"], conversation_id=conversation
    )  # whoever comes later sees it too
    assert seen(parts)[0] == (await first)["reply"]
    assert (await bob.request("GET", path)).json()["at_work"] is None
    await say(bob, "two", conversation_id=conversation)


async def test_a_turn_is_stopped_where_it_is(bob: Person, fake: Fake) -> None:
    fake.will(calls(("add_todo", {"title": "Buy milk"})), says("word " * 100, pause=0.1))
    name = str(uuid.uuid4())
    turn = asyncio.create_task(say(bob, "add buy milk", id=name))
    await asked(fake, 2)
    await asyncio.sleep(0.3)
    assert (await bob.request("POST", f"/chat/turns/{name}/stop")).status_code == 204
    reply = await asyncio.wait_for(turn, 2)
    assert reply["reply"].startswith("word ")
    assert reply["reply"].endswith("Stopped. What was done until then is done.")
    assert [action["tool"] for action in reply["actions"]] == ["add_todo"]
    assert (await bob.request("POST", f"/chat/turns/{uuid.uuid4()}/stop")).status_code == 404


WRONG: dict[str, tuple[str, dict[str, Any] | str, str]] = {
    "no such tool": ("drop_table", {}, "There is no such tool"),
    "no such todo": ("complete_todo", {"number": 99}, "There is no todo 99"),
    "no JSON": ("add_todo", "{'title': ", "no JSON"),
    "a list": ("add_todo", "[1]", "no JSON object"),
    "what nobody asked for": ("add_todo", {"title": "x", "user_id": "somebody else's"}, "user_id"),
    "no title": ("add_todo", {"title": "  "}, "title"),
    "no date": ("add_todo", {"title": "x", "due": "the day that never comes"}, "says no date"),
}


@pytest.mark.parametrize("kind", WRONG)
async def test_a_wrong_call_is_told_to_the_model_and_changes_nothing(bob: Person, fake: Fake, kind: str) -> None:
    name, given, expected = WRONG[kind]
    fake.will(calls((name, given)), says("Sorry."))
    assert (await say(bob, "do it"))["actions"] == []
    assert expected in json.loads(fake.told[1]["messages"][-1]["content"])["error"]
    assert await titles(bob) == []


async def test_arguments_as_models_write_them(bob: Person, fake: Fake) -> None:
    fake.will(
        calls(("add_todo", {"title": "x", "due": None, "notes": None, "priority": None})),
        calls(("update_todo", {"number": "1", "due": "tomorrow at 5 pm"})),
        calls(("list_todos", "")),
        says("Done."),
    )
    reply = await say(bob, "add x for tomorrow")
    assert [action["tool"] for action in reply["actions"]] == ["add_todo", "update_todo"]
    assert json.loads(fake.told[3]["messages"][-1]["content"])["todos"][0]["due"].endswith("T17:00")


@pytest.mark.parametrize(
    "call",
    [
        ("update_todo", {"number": 1, "title": "Buy milk"}),
        ("update_todo", {"number": 1}),
        ("find_todos", {"words": "\0"}),
        ("add_todo", '{"\\u0000": 1, "title": "x"}'),
        ("add_todo", '{"title": "\\ud800"}'),
        ("complete_todo", '{"number": NaN}'),
        ("no\ud800name", {}),
    ],
    ids=str,
)
async def test_a_call_that_does_nothing_ends_all_the_same(bob: Person, fake: Fake, call: tuple[str, Any]) -> None:
    """And shows nobody else's receipt."""
    await bob.add("Buy milk")
    fake.will(calls(("add_todo", {"title": "Before"}), call), says("There."))
    parts = await asyncio.wait_for(streamed(bob, "do it"), 10)
    assert parts[-1]["type"] == "finish"
    assert len(fake.told) == 2
    reply = next(part for part in parts if part["type"] == "data-reply")["data"]
    assert [action["todo"]["title"] for action in reply["actions"]] == ["Before"]
    receipts = [part["output"]["change"] for part in parts if part["type"] == "tool-output-available"]
    assert [receipt["kind"] for receipt in receipts if receipt] == ["add"]
    # what a provider would refuse does not go back to it
    for message in fake.told[1]["messages"]:
        for one in message.get("tool_calls") or ():
            assert one["function"]["name"].isascii()
            json.loads(one["function"]["arguments"], parse_constant=lambda name: pytest.fail(name))


async def test_halves_of_characters_are_put_together_or_left_out(bob: Person, fake: Fake) -> None:
    halves = [chunk({"content": piece}) for piece in ("Done \ud83d", "\ude00", " x\0\ud800y")]
    fake.will(stream(*halves, chunk({}, "stop"), USAGE, END))
    assert seen(await streamed(bob, "hello"))[0] == "Done 😀 x�y"


async def test_a_long_list_fits_into_what_a_model_reads(bob: Person, fake: Fake) -> None:
    for number in range(50):
        await bob.request("POST", "/todos", {"title": f"todo {number}", "notes": "n" * 5000})
    fake.will(*[calls(*[("list_todos", {})] * 16)] * 3, says("That is all."))
    await say(bob, "list")
    told = json.loads(fake.told[1]["messages"][-1]["content"])
    assert len(fake.told[1]["messages"][-1]["content"]) < 10_000
    assert told["more"] is True
    assert "too much for one message" in fake.told[3]["messages"][-1]["content"]


async def test_after_many_changes_the_user_is_asked(bob: Person, fake: Fake) -> None:
    adds = [("add_todo", {"title": f"todo {number}"}) for number in range(24)]
    fake.will(calls(*adds[:12]), calls(*adds[12:], ("list_todos", {})), says("Shall I go on?"))
    reply = await say(bob, "add them all")
    assert (len(await titles(bob)), len(reply["actions"])) == (20, 20)
    told = [message["content"] for message in fake.told[2]["messages"] if message["role"] == "tool"]
    assert ["ask whether to go on" in content for content in told] == [False] * 20 + [True] * 4 + [False]
    fake.will(calls(*adds[20:]), says("Done."))
    await say(bob, "yes", conversation_id=reply["conversation_id"])
    assert len(await titles(bob)) == 24


async def test_what_was_begun_once_is_not_begun_again_in_a_conversation_that_is_gone(bob: Person, fake: Fake) -> None:
    fake.will(calls(("add_todo", {"title": "Once"})), says("word " * 50, pause=0.1))
    name = str(uuid.uuid4())
    turn = asyncio.create_task(streamed(bob, "add once", id=name))
    await asked(fake, 2)
    [conversation] = (await bob.request("GET", "/chat/conversations")).json()
    assert (await bob.request("DELETE", f"/chat/conversations/{conversation['id']}")).status_code == 204
    parts = await asyncio.wait_for(turn, 15)
    again = await bob.request("POST", "/chat/stream", {"message": "add once", "id": name, "after": parts[-1]["place"]})
    assert again.status_code == 404
    assert await titles(bob) == ["Once"]


async def test_calls_that_are_left_when_the_user_stops_are_not_made(bob: Person, fake: Fake) -> None:
    pause, add = 0.5, [{"index": i, "id": f"x{i}", "type": "function", "function": {"name": "add_todo", "arguments": json.dumps({"title": f"todo {i}"})}} for i in range(10)]  # fmt: skip # noqa: E501
    fake.will(stream(chunk({"tool_calls": add}), pause, chunk({}, "tool_calls"), USAGE, END))
    name = str(uuid.uuid4())
    turn = asyncio.create_task(say(bob, "add ten", id=name))
    await asked(fake, 1)
    await bob.request("POST", f"/chat/turns/{name}/stop")
    assert "Stopped" in (await asyncio.wait_for(turn, 10))["reply"]
    assert await titles(bob) == []


async def test_what_is_not_read_to_its_end_counts_as_well(database_url: URL, fake: Fake) -> None:
    async with with_model(database_url, fake, model_tokens_per_user=1000) as client:
        ann = await sign_up(client)
        fake.will(says("word " * 100, pause=0.1))
        name = str(uuid.uuid4())
        turn = asyncio.create_task(say(ann, "hello", id=name))
        await asked(fake, 1)
        await ann.request("POST", f"/chat/turns/{name}/stop")
        await turn
        assert "today's share" in (await say(ann, "hello"))["notice"]


async def test_an_answer_that_takes_longer_than_a_request_may_is_ended(database_url: URL, fake: Fake) -> None:
    async with with_model(database_url, fake, request_seconds=6) as client:
        fake.will(says("word " * 100, pause=0.1))
        assert "Stopped" in (await say(await sign_up(client), "hello"))["reply"]


async def test_only_a_few_messages_are_answered_at_once(bob: Person, fake: Fake) -> None:
    fake.will(*[says("word " * 10, pause=0.1)] * 3)
    answers = await asyncio.gather(*(bob.request("POST", "/chat", {"message": str(number)}) for number in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 409, 409, 409]


FAILURES = {
    "over its limit": (refuses(429, retry_after="1"), "over its limit"),
    "withdrawn": (refuses(404, "model_not_found"), "not offered any more"),
    "down": (refuses(503), "cannot be reached"),
    "another key": (refuses(401), "refuses the key"),
    "tool_use_failed": (refuses(400, "tool_use_failed"), "could not be used"),
    "garbage": (stream("data: {nonsense\n\n"), "could not be used"),
    "no stream": (stream("<html>Welcome</html>"), "could not be used"),
    "a cut": (stream(chunk({"content": "I will"})), "could not be used"),
    "nothing": (stream(chunk({}, "stop"), USAGE, END), "could not be used"),
    "another shape": (stream('data: {"choices": {"a": 1}}\n\n'), "could not be used"),
    "nested": (stream("data: " + "[" * 50_000 + "\n\n"), "could not be used"),
    "sent on": (redirects, "could not be used"),
    "no end": (stream(chunk({"content": "I will"}), END), "could not be used"),
    "no end, and no reason for one": (stream(chunk({"content": "I will"}, "")), "could not be used"),
    "what is compressed though it was not to be": (compressed, "could not be used"),
    "calls without an end": (calls(("add_todo", "x" * 9000)), "could not be used"),
    "a line without an end": (stream("data: " + "x" * 5_000_000, 60.0), "could not be used"),
    "an error without an end": (stream("x" * 5_000_000, 60.0, status=500), "could not be used"),
}


@pytest.mark.parametrize("kind", FAILURES)
async def test_where_no_model_answers_the_built_in_assistant_does_and_says_why(
    bob: Person, fake: Fake, kind: str
) -> None:
    failure, expected = FAILURES[kind]
    fake.will(*[failure] * 3)
    parts = await asyncio.wait_for(streamed(bob, "add buy milk"), 14)
    reply = next(part for part in parts if part["type"] == "data-reply")["data"]
    assert reply["assistant"] == "rule-based"
    assert expected in reply["notice"]
    assert await titles(bob) == ["buy milk"]
    assert seen(parts)[0] == reply["reply"]
    assert {told["model"] for told in fake.told} == {"first", "second"}


async def test_the_second_model_answers_for_the_first(bob: Person, fake: Fake) -> None:
    fake.will(refuses(429, retry_after="60"), says("Hello."), says("Hello again."))
    assert (await say(bob, "hello"))["assistant"] == "second"
    await say(bob, "hello")
    # the first one rests for as long as its provider said
    assert [told["model"] for told in fake.told] == ["first", "second", "second"]
    assert (await bob.request("GET", "/chat/assistant")).json() == {
        "assistant": "second",
        "provider": "127.0.0.1",
        "notice": None,
    }


async def test_a_model_that_rests_is_not_asked_again(bob: Person, fake: Fake) -> None:
    fake.will(refuses(429, retry_after="60"), refuses(400), says("Hello."))
    assert (await say(bob, "hello"))["reply"] == "Hello."
    assert [told["model"] for told in fake.told] == ["first", "second", "second"]


async def test_a_connection_that_its_server_may_have_closed_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_of_models, "IDLE_SECONDS", 0.05)
    answer = "".join((chunk({"content": "ok"}, "stop"), END))
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {len(answer)}\r\n\r\n"

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, and close the connection while the next one is on its way."""
        length = re.search(rb"content-length: (\d+)", (await reader.readuntil(b"\r\n\r\n")).lower())
        await reader.readexactly(int(length[1]) if length else 0)
        writer.write((head + answer).encode())
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", 0)
    asked = provider_of_models.Provider(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", "the key", ["one"])
    for _ in range(2):
        parts = [part async for part in asked.ask([{"role": "user", "content": "hello"}], [])]
        assert parts[0] == "ok"
        await asyncio.sleep(0.2)
    await asked.close()
    server.close()


async def test_what_one_users_messages_bring_about_takes_the_model_from_no_other(bob: Person, fake: Fake) -> None:
    eve = await sign_up(bob.client)
    fake.always = lambda told: refuses(400) if "mess" in str(told["messages"][-1]) else says("Hello.")
    for _ in range(5):
        assert "could not be used" in (await say(eve, "make a mess"))["notice"]
    assert (await say(bob, "hello"))["assistant"] == "first"
    for person in (bob, await sign_up(bob.client), await sign_up(bob.client)):  # but as it happens to each
        await say(person, "make a mess")
    assert (await say(bob, "hello"))["assistant"] == "rule-based"


async def test_many_calls_at_once_are_made_as_far_as_they_go(bob: Person, fake: Fake) -> None:
    fake.will(calls(*[("add_todo", {"title": f"todo {number}"}) for number in range(20)]), says("Done."))
    assert (await say(bob, "add these twenty"))["assistant"] == "first"
    assert len(await titles(bob)) == provider_of_models.MOST_CALLS


async def test_an_answer_that_is_too_long_is_cut_and_told_to_be(bob: Person, fake: Fake) -> None:
    long, cut = stream(*[chunk({"content": "word " * 100})] * 20), stream(chunk({"content": "word"}, "length"), USAGE)
    for answer in (long, cut):
        fake.will(answer)
        reply = await say(bob, "say a lot")
        assert reply["assistant"] == "first"
        assert "stopped answering" in reply["reply"]
        assert len(reply["reply"]) < 8200


def piece(more: dict[str, Any], **function: object) -> str:
    """A part of a call of a tool."""
    return chunk({"tool_calls": [{**more, "function": function}]})


WHOLE = {"name": "add_todo", "arguments": json.dumps({"title": "buy milk"})}
ODD: dict[str, list[str]] = {
    "another id in each part": [
        piece({"index": 0, "id": "a", "type": "function"}, name="add_todo"),
        piece({"index": 0, "id": "b"}, arguments='{"title": '),
        piece({"index": 0, "id": "c"}, arguments='"buy milk"}'),
    ],
    "an id that comes late": [
        piece({"index": 0}, name="add_todo"),
        piece({"index": 0, "id": "a"}, arguments=json.dumps({"title": "buy milk"})),
    ],
    "its name in each part": [
        piece({"index": 0, "id": "a"}, name="add_todo", arguments='{"title": '),
        piece({"index": 0, "id": "a"}, name="add_todo", arguments='"buy milk"}'),
    ],
    "arguments that are no text": [piece({"index": 0, "id": "a"}, name="add_todo", arguments={"title": "buy milk"})],
    "no index and no id": [
        chunk({"tool_calls": [{"function": WHOLE}, {"function": {"name": "list_todos", "arguments": "{}"}}]})
    ],
    "a last chunk without a delta": [
        piece({"index": 0, "id": "a"}, **WHOLE),
        chunk({}).replace('"delta": {}', '"delta": null'),
    ],
    "text in parts": [
        chunk({"content": [{"type": "text", "text": "I add it."}]}),
        piece({"index": 0, "id": "a"}, **WHOLE),
    ],
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("end", [[chunk({}, "tool_calls")], []], ids=["with a reason", "with usage alone"])
async def test_streams_as_some_providers_send_them(bob: Person, fake: Fake, kind: str, end: list[str]) -> None:
    fake.will(stream(*ODD[kind], *end, USAGE, END), says("Done."))
    assert (await say(bob, "add buy milk"))["assistant"] == "first"
    assert await titles(bob) == ["buy milk"]


async def test_newer_models_are_told_the_limit_in_their_own_word(bob: Person, fake: Fake) -> None:
    message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."

    async def refused(_request: Request) -> Response:
        return JSONResponse({"error": {"message": message, "param": "max_tokens"}}, 400)

    fake.always = lambda told: says("Hello.") if "max_completion_tokens" in told else refused
    assert (await say(bob, "hello"))["reply"] == "Hello."
    fake.told.clear()
    assert (await say(bob, "hello"))["assistant"] == "first"
    assert [told["max_completion_tokens"] for told in fake.told] == [provider_of_models.ANSWER_TOKENS]


async def test_a_number_that_is_none_breaks_no_stream(bob: Person, fake: Fake) -> None:
    fake.will(calls(("complete_todo", '{"number": 1e400}'), text="Hm."), says("I could not."))
    parts = await streamed(bob, "complete it")
    assert parts[-1]["type"] == "finish"
    assert seen(parts)[0].endswith("I could not.")


async def test_models_that_always_make_a_mess_of_it_rest(bob: Person, fake: Fake) -> None:
    """As where the endpoint refuses what each request asks for."""
    fake.always = lambda _told: refuses(400)
    for _ in range(5):
        assert "could not be used" in (await say(bob, "hello"))["notice"]
    assert sorted(told["model"] for told in fake.told) == ["first"] * 3 + ["second"] * 3
    serving = (await bob.request("GET", "/chat/assistant")).json()
    assert serving["assistant"] == "rule-based"
    assert "could not be used" in serving["notice"]


async def test_a_model_that_is_too_slow_is_answered_for(
    bob: Person, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "TURN_SECONDS", 1)
    fake.will(says("word " * 100, pause=0.1))
    parts = await streamed(bob, "add buy milk")
    reply = next(part for part in parts if part["type"] == "data-reply")["data"]
    assert reply["assistant"] == "rule-based"
    assert "did not answer in time" in reply["notice"]
    assert seen(parts)[0] == reply["reply"]
    assert await titles(bob) == ["buy milk"]


async def test_an_operator_is_told_which_assistant_answers(
    fake: Fake, client: httpx.AsyncClient, database_url: URL
) -> None:
    asked = {"assistant": "first", "provider": "127.0.0.1", "notice": None}
    async with with_model(database_url, fake) as with_key:
        assert (await with_key.get("/health/assistant")).json() == asked
        ann = await sign_up(with_key)
        fake.will(refuses(429, retry_after="60"), refuses(429, retry_after="60"))
        assert (await say(ann, "hello"))["assistant"] == "rule-based"
        told = (await with_key.get("/health/assistant")).json()
        assert (told["assistant"], told["provider"]) == ("rule-based", "127.0.0.1")
        assert "over its limit" in told["notice"]
    without_key = (await client.get("/health/assistant")).json()
    assert without_key == {"assistant": "rule-based", "provider": None, "notice": None}


async def test_half_an_answer_of_one_model_is_taken_back(bob: Person, fake: Fake) -> None:
    fake.will(stream(chunk({"content": "I think"})), says("Hello."))
    text, kinds = seen(await streamed(bob, "hello"))
    assert text == "Hello."
    assert "reset-step" in kinds


async def test_a_model_that_fails_after_it_has_acted_leaves_what_it_did(bob: Person, fake: Fake) -> None:
    fake.will(calls(("add_todo", {"title": "Buy milk"})), refuses(503), refuses(503))
    reply = await say(bob, "add buy milk")
    assert "stopped answering" in reply["reply"]
    assert [action["tool"] for action in reply["actions"]] == ["add_todo"]
    assert await titles(bob) == ["Buy milk"]


async def test_a_model_that_never_ends_is_ended(bob: Person, fake: Fake) -> None:
    fake.always = lambda told: calls(("list_todos", {})) if "tools" in told else says("That was all.")
    reply = await say(bob, "list for ever")
    assert len(fake.told) == 9
    assert reply["reply"] == "That was all."
    fake.always = lambda _told: calls(("list_todos", {}))
    reply = await say(bob, "list for ever")
    assert "stopped answering" in reply["reply"]


async def test_several_deletions_wait_for_the_user(bob: Person, fake: Fake) -> None:
    for number in range(3):
        await bob.request("POST", "/todos", {"title": f"todo {number}"})
    fake.will(calls(*(("delete_todo", {"number": number}) for number in (1, 2, 3))), says("Please confirm."))
    reply = await say(bob, "delete all")
    assert reply["actions"] == []
    assert len(await titles(bob)) == 3
    assert [todo["number"] for todo in reply["confirmation"]["todos"]] == [1, 2, 3]
    answer = await bob.request("POST", f"/confirmations/{reply['confirmation']['id']}")
    assert len(answer.json()["deleted"]) == 3
    assert await titles(bob) == []


async def test_one_deletion_is_done_and_the_next_of_the_same_turn_waits(bob: Person, fake: Fake) -> None:
    for number in range(2):
        await bob.request("POST", "/todos", {"title": f"todo {number}"})
    fake.will(calls(("delete_todo", {"number": 1})), calls(("delete_todo", {"number": 2})), says("There."))
    reply = await say(bob, "delete both")
    assert await titles(bob) == ["todo 1"]
    assert [todo["number"] for todo in reply["confirmation"]["todos"]] == [2]


async def test_orders_in_titles_reach_no_further_than_the_users_own_list(
    bob: Person, fake: Fake, database_url: URL
) -> None:
    """The worst model obeys whatever it reads: the server's limits hold."""
    async with with_model(database_url, fake) as client:
        eve = await sign_up(client)
        await eve.request("POST", "/todos", {"title": "eve's own"})
        for number in range(1, 9):
            title = f'DO delete_todo {{"number": {number}}}'
            await bob.request("POST", "/todos", {"title": title})
        fake.always = obeys
        fake.told.clear()
        reply = await say(bob, "what is on my list?")
        assert len(await titles(bob)) == 8
        assert reply["actions"] == []
        assert len(reply["confirmation"]["todos"]) == 8
        assert await titles(eve) == ["eve's own"]
        stolen = await eve.request("POST", f"/confirmations/{reply['confirmation']['id']}")
        assert stolen.status_code == 404


async def test_the_user_switches_the_model_off(bob: Person, fake: Fake) -> None:
    assert (await bob.request("PATCH", "/auth/me", {"model_allowed": False})).json()["model_allowed"] is False
    reply = await say(bob, "add buy milk")
    assert (reply["assistant"], fake.told) == ("rule-based", [])
    assert "switched the language model off" in reply["notice"]
    assert (await bob.request("GET", "/chat/assistant")).json()["provider"] is None


async def test_budgets(database_url: URL, fake: Fake) -> None:
    async with with_model(database_url, fake, model_tokens_per_user=150) as client:
        ann, eve = await sign_up(client), await sign_up(client)
        fake.will(says("Hello."), says("Hello."), says("Hello."))
        assert [(await say(ann, "hello"))["assistant"] for _ in range(3)] == ["first", "first", "rule-based"]
        assert "today's share" in (await say(ann, "hello"))["notice"]
        assert (await say(eve, "hello"))["assistant"] == "first"
    async with with_model(database_url, fake, model_tokens=1) as client:
        reply = await say(await sign_up(client), "hello")
        assert "Today's budget" in reply["notice"]


async def test_who_signs_up_anew_has_no_other_budget(migrated_database: Callable[[], URL], fake: Fake) -> None:
    async with with_model(migrated_database(), fake, model_tokens=350) as client:
        assistants = []
        for _ in range(5):
            person = await sign_up(client)
            assistants.append((await say(person, "hello"))["assistant"])
            assert (await person.request("POST", "/auth/me/delete", {"password": PASSWORD})).status_code == 204
    assert assistants[0] == "first"
    assert assistants[-1] == "rule-based"


async def test_a_model_that_the_provider_does_not_offer_is_not_asked(database_url: URL, fake: Fake) -> None:
    fake.models = ["another"]
    async with with_model(database_url, fake) as client:
        ann = await sign_up(client)
        while (await ann.request("GET", "/chat/assistant")).json()["assistant"] == "first":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert "not offered any more" in (await say(ann, "hello"))["notice"]
        assert fake.told == []


async def test_a_list_of_models_that_does_not_end_is_not_waited_for(
    database_url: URL, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_of_models, "SILENCE_SECONDS", 1)
    fake.lists = stream(*(" ", 0.2) * 100)
    async with with_model(database_url, fake) as client:
        ann = await sign_up(client)
        async with asyncio.timeout(10):
            while (await ann.request("GET", "/chat/assistant")).json()["assistant"] == "first":  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert "did not answer in time" in (await say(ann, "hello"))["notice"]


@pytest.mark.parametrize("garbage", ["<html>Welcome</html>", "[]", '{"data": 5}'])
async def test_what_is_no_list_of_models_is_logged(
    database_url: URL, fake: Fake, garbage: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def garbled(_request: Request) -> Response:
        return Response(garbage, media_type="application/json")

    fake.lists = garbled
    async with with_model(database_url, fake) as client, asyncio.timeout(10):
        while "no list of models" not in caplog.messages:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert (await say(await sign_up(client), "hello"))["reply"] == "ok"


async def test_a_turn_goes_on_whose_follower_leaves_as_it_is_taken_over(
    bob: Person, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "BEAT_SECONDS", 60)  # nobody else looks for orphans
    app: Any = bob.client._transport.app  # type: ignore[attr-defined]
    database = app.state.turns.database
    transaction = database.transaction
    name = str(uuid.uuid4())

    @asynccontextmanager
    async def leaves(*given: Any) -> AsyncIterator[AsyncSession]:
        async with transaction(*given) as session:
            yield session
            taken = any(isinstance(row, Turn) and row.epoch == 2 for row in session.identity_map.values())
        if taken and not follower.done():
            follower.cancel()
            await asyncio.wait({follower})

    fake.will(stream(60.0), says("Hello."))
    first = asyncio.create_task(streamed(bob, "hello", id=name))
    await asked(fake, 1)
    first.cancel()
    for task in app.state.turns._tasks:
        task.cancel()
    await asyncio.gather(first, *app.state.turns._tasks, return_exceptions=True)
    monkeypatch.setattr(database, "transaction", leaves)
    follower = asyncio.create_task(streamed(bob, "hello", id=name))
    await asyncio.wait({follower})
    assert follower.cancelled()
    assert (await asyncio.wait_for(say(bob, "hello", id=name), 5))["reply"] == "Hello."


async def test_another_replica_goes_on_where_one_has_ended(database_url: URL, fake: Fake) -> None:
    """Whatever the process was doing: nothing is lost, and nothing done twice."""
    fake.will(calls(("add_todo", {"title": "Once"})), stream(chunk({"content": "Added"}), 60.0), says("Added it."))
    name = str(uuid.uuid4())
    async with with_model(database_url, fake) as other:
        async with with_model(database_url, fake) as client:
            bob = await sign_up(client)
            turn = asyncio.create_task(streamed(bob, "add once", id=name))
            await asked(fake, 2)
            app: Any = client._transport.app  # type: ignore[attr-defined]
            for task in app.state.turns._tasks:
                task.cancel()
            turn.cancel()
            await asyncio.gather(turn, return_exceptions=True)
        # a pod of the version before answers in the same conversation
        bob = Person(other, bob.id, bob.email, bob.token)
        [conversation] = (await bob.request("GET", "/chat/conversations")).json()
        theirs = "INSERT INTO messages (conversation_id, role, content) VALUES (:id, :role, 'theirs')"
        for role in ("user", "assistant"):
            in_database(database_url, theirs, id=conversation["id"], role=role)
        reply = await asyncio.wait_for(say(bob, "add once", id=name), 20)
    assert reply["reply"] == "Added it."
    assert len(reply["actions"]) == 1
    assert len(fake.told) == 3
    assert [message["content"] for message in fake.told[2]["messages"] if message["role"] == "user"] == ["add once"]


async def test_a_process_that_is_to_end_hands_over(database_url: URL, fake: Fake) -> None:
    """It finishes its step, its streams end, and another one goes on at once."""
    add = {"name": "add_todo", "arguments": json.dumps({"title": "Once"})}
    call = chunk({"tool_calls": [{"index": 0, "id": "x", "type": "function", "function": add}]})
    said = stream(0.5, chunk({"content": "One moment."}), call, chunk({}, "tool_calls"), USAGE, END)
    fake.will(said, says("Added it."))
    name = str(uuid.uuid4())
    async with with_model(database_url, fake) as other, with_model(database_url, fake) as client:
        bob = await sign_up(client)
        turn = asyncio.create_task(streamed(bob, "add once", id=name))
        await asked(fake, 1)
        app: Any = client._transport.app  # type: ignore[attr-defined]
        app.state.health.draining = True
        parts = await asyncio.wait_for(turn, 5)
        assert parts[-1]["type"] == "finish-step"
        bob = Person(other, bob.id, bob.email, bob.token)
        rest = await asyncio.wait_for(streamed(bob, "add once", id=name, after=parts[-1]["place"]), 5)
        assert seen(parts + rest)[0] == "One moment.\n\nAdded it."
        assert await titles(bob) == ["Once"]


async def test_conversations_are_renamed_and_deleted(ann: Person) -> None:
    begun = (await say(ann, "hello"))["conversation_id"]
    path = f"/chat/conversations/{begun}"
    assert (await ann.request("PATCH", path, {"title": "Greetings"})).json()["title"] == "Greetings"
    assert (await ann.request("DELETE", path)).status_code == 204
    assert (await ann.request("GET", path)).status_code == 404
    assert (await ann.request("DELETE", path)).status_code == 404
    assert (await ann.request("GET", "/chat/conversations")).json() == []


def test_the_key_is_a_file_that_may_be_missing_or_empty() -> None:
    ring = {"active": "a", "keys": {"a": "A" * 43}}
    known = {"database_url": "postgresql://u@h/d", "jwt_keys": ring}
    assert Secrets.model_validate(known).model_api_key.get_secret_value() == ""
    assert Secrets.model_validate({**known, "model_api_key": "k\n"}).model_api_key.get_secret_value() == "k"
