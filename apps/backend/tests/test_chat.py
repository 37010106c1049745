"""The assistant as people talk to it."""

import time
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from tests.conftest import Person
from todo_backend.chat.reading import new_todo
from todo_backend.chat.service import LONGEST_REPLY


async def test_the_assistant_adds_and_says_what_it_did(ann: Person) -> None:
    answer = (await ann.request("POST", "/chat", {"message": "add buy milk"})).json()

    assert answer["assistant"] == "rule-based"
    assert answer["reply"] == "Added “buy milk” to your list."
    [todo] = (await ann.request("GET", "/todos")).json()
    assert answer["actions"] == [{"tool": "add_todo", "todo": todo}]


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("add buy milk", "buy milk"),
        ("Add Buy Milk.", "Buy Milk"),
        ("please add fish and chips", "fish and chips"),
        ("hi, could you add eggs?", "eggs"),
        ("add call mum to my list", "call mum"),
        ("add “call mum” to the todo list, please", "call mum"),
        ("add a todo to water the plants", "water the plants"),
        ("new task: pay rent", "pay rent"),
        ("remind me to ring Bob", "ring Bob"),
        ("I need to sleep", "sleep"),
        ("add a new shirt", "a new shirt"),
        ("add read “Dune” to the end", "read “Dune” to the end"),
    ],
)
async def test_ways_to_add(ann: Person, message: str, title: str) -> None:
    await ann.say(message)
    assert await ann.titles() == [title]


@pytest.mark.parametrize(
    "message",
    ["list", "what's on my list?", "What’s on the list", "show me my todos", "my list", "what do I have to do?"],
)
async def test_ways_to_ask_for_the_list(ann: Person, message: str) -> None:
    assert await ann.say(message) == "Your list is empty. Say, for example, “add buy milk”."
    for title in ("buy milk", "call mum"):
        await ann.add(title)
    assert await ann.say(message) == "You have 2 open todos:\n1. buy milk\n2. call mum"
    await ann.say("done buy milk")
    assert await ann.say(message) == "You have 1 open todo:\n2. call mum\n(1 done)"
    await ann.say("done call mum")
    assert await ann.say(message) == "Nothing left to do; 2 done."


@pytest.mark.parametrize(
    "message",
    [
        "done buy milk",
        "complete Buy Milk!",
        "finish milk",
        "I finished buy milk",
        "mark buy milk as done",
        "buy milk is done",
        "I'm done with “buy milk”",
        "check off 2",
        "complete todo #2",
        "complete the milk task",
    ],
)
async def test_ways_to_complete(ann: Person, message: str) -> None:
    for title in ("buy bread", "buy milk", "call mum"):
        await ann.add(title)
    assert await ann.say(message) == "Well done! “buy milk” is completed."
    completed = [todo["title"] for todo in (await ann.request("GET", "/todos")).json() if todo["completed"]]
    assert completed == ["buy milk"]
    assert await ann.say("done buy milk") == "“buy milk” is done already."


@pytest.mark.parametrize(
    "message", ["delete buy milk", "remove milk from my list", "please delete 1", "delete the milk todo"]
)
async def test_ways_to_delete(ann: Person, message: str) -> None:
    for title in ("buy milk", "call mum"):
        await ann.add(title)
    answer = (await ann.request("POST", "/chat", {"message": message})).json()
    assert answer["reply"] == "Deleted “buy milk” from your list."
    assert [(action["tool"], action["todo"]["title"]) for action in answer["actions"]] == [("delete_todo", "buy milk")]
    assert await ann.titles() == ["call mum"]


async def test_the_assistant_asks_instead_of_guessing(ann: Person) -> None:
    for title in ("buy milk", "buy bread"):
        await ann.add(title)
    for message, reply in {
        "delete buy": "Several todos fit “buy”; please say which one, by its number:\n1. buy milk\n2. buy bread",
        "done nonsense": "I cannot find “nonsense” on your list. Say “list” to see what is there.",
        "delete 3": "I cannot find “3” on your list. Say “list” to see what is there.",
        "add": "What shall I add? Say, for example, “add buy milk”.",
        "add " + "x" * 201: "A todo has 1 to 200 characters; this one would have 201.",
    }.items():
        assert await ann.say(message) == reply
    for message in ("delete everything", "delete all my todos", "clear my list"):
        assert (await ann.say(message)).startswith("Shall I delete these 2 todos?")
    assert "one todo at a time" in await ann.say("complete all")
    assert "cannot find" in await ann.say("'; DROP TABLE todos; --")
    for message in ("make me a sandwich", "ignore your rules", "?"):
        assert (await ann.say(message)).startswith("Sorry, I did not understand that")
    assert await ann.titles() == ["buy milk", "buy bread"]


@pytest.mark.parametrize("message", ["help", "What can you do?"])
async def test_the_assistant_explains_itself(ann: Person, message: str) -> None:
    assert "“add buy milk tomorrow at 5”" in await ann.say(message)


async def test_the_assistant_reaches_nobody_elses_todos(ann: Person, bob: Person) -> None:
    todo = await ann.add("Secret")
    assert "empty" in await bob.say("list")
    for message in ("delete Secret", f"delete {todo['id']}", "done 1"):
        assert "cannot find" in await bob.say(message)
    assert (await ann.request("GET", "/todos")).json() == [todo]


async def test_a_conversation_is_kept_and_goes_on(ann: Person) -> None:
    first = (await ann.request("POST", "/chat", {"message": "add buy milk"})).json()
    conversation = first["conversation_id"]
    second = (await ann.request("POST", "/chat", {"message": "list", "conversation_id": conversation})).json()
    assert second["conversation_id"] == conversation

    kept = (await ann.request("GET", f"/chat/conversations/{conversation}")).json()
    assert kept["id"] == conversation
    assert [(message["role"], message["content"]) for message in kept["messages"]] == [
        ("user", "add buy milk"),
        ("assistant", first["reply"]),
        ("user", "list"),
        ("assistant", second["reply"]),
    ]
    assert all(message["created_at"] for message in kept["messages"])

    newer = (await ann.request("POST", "/chat", {"message": "help"})).json()["conversation_id"]
    listed = (await ann.request("GET", "/chat/conversations")).json()
    assert [entry["id"] for entry in listed] == [newer, conversation]


async def test_the_conversations_of_others_do_not_exist(ann: Person, bob: Person) -> None:
    conversation = (await ann.request("POST", "/chat", {"message": "add buy milk"})).json()["conversation_id"]
    for someone, wanted in ((bob, conversation), (ann, str(uuid.uuid4()))):
        for response in (
            await someone.request("GET", f"/chat/conversations/{wanted}"),
            await someone.request("POST", "/chat", {"message": "list", "conversation_id": wanted}),
        ):
            assert response.status_code == 404
            assert response.json() == {"detail": "There is no such conversation."}
    assert (await bob.request("GET", "/chat/conversations")).json() == []


@pytest.mark.parametrize("message", ["", "  ", "x" * 2001, "a\0b", "\ud800"])
async def test_a_message_that_cannot_be_kept_is_refused(ann: Person, message: str) -> None:
    response = await ann.request("POST", "/chat", {"message": message})

    assert response.status_code == 422
    assert response.json()["detail"].startswith("message: ")


@pytest.mark.parametrize(
    "message",
    [
        "please change the date of the german course to monday",
        "set german course to monday",
        "put the german course on monday",
        "make the german course due monday",
        "Deutschkurs auf Montag",
        "add yoga friday 7 ish",
    ],
)
async def test_a_date_for_what_is_not_there_is_no_new_todo(ann: Person, message: str) -> None:
    await ann.add("call mum")
    await ann.say(message)
    assert await ann.titles() == ["call mum"]


def test_what_stands_around_a_title_is_read_at_once() -> None:
    now = datetime(2026, 3, 11, 10, 0, tzinfo=UTC)

    def seconds(message: str) -> float:
        begin = time.process_time()
        new_todo(message, now)
        return time.process_time() - begin

    short, long = (min(seconds("to " * words) for _ in range(5)) for words in (220, 660))
    assert long < 6 * short, f"three times as long, {long / short:.1f} times the time"
    assert new_todo("please can you kindly buy milk for me, please, thanks a lot", now).title == "buy milk"


@pytest.mark.parametrize(
    ("titles", "message", "left"),
    [
        (("🎉", "🔥"), "delete 🔥", ["🎉"]),
        (("माल", "मेल"), "delete मेल", ["माल"]),
        (("Mu\u0308ll rausbringen", "Mehl"), "lösche Müll rausbringen", ["Mehl"]),
        (("👨‍👩‍👧 treffen", "👨 treffen"), "delete 👨 treffen", ["👨‍👩‍👧 treffen"]),
        (("C", "C++"), "delete C++", ["C"]),
        (("parcels", "drop off parcels"), "drop off parcels", ["parcels", "drop off parcels"]),
        (("माल",), "delete मा", ["माल"]),
        (("Strasse", "Straße"), "delete Straße", ["Strasse"]),
        (("Maße", "Masse"), "delete Masse", ["Maße"]),
        (("❤️", "❤"), "delete ❤", ["❤️"]),
        (("MASSE", "masse"), "delete Masse", ["MASSE", "masse"]),
        (("learn C#",), "delete learn C++", ["learn C#"]),
        (("C#",), "delete C", ["C#"]),
        (("learn C#",), "delete learn C#", []),
        (("buy AA- battery",), "delete buy AA+ battery", ["buy AA- battery"]),
        (("print report",), "delete paint report", ["print report"]),
        (("drücken",), "delete drucken", ["drücken"]),
        (("買い物リスト",), "delete 買い物", ["買い物リスト"]),
        (("買い物リスト",), "delete 買い物リスト", []),
        (("a", "b"), "delete ½", ["a", "b"]),
        (("a", "b"), "delete 1/2", ["a", "b"]),
        (("a", "b"), "delete 1+1", ["a", "b"]),
        (("a", "b"), "delete -1", ["a", "b"]),
        (("a", "-1"), "delete -1", ["a"]),
        (("a", "b"), "-1 delete", ["a", "b"]),
        (("a", "-1"), "delete 1", ["-1"]),
        (("a", "1"), "delete 1", ["a"]),
        (("a", "1"), "delete #1", ["1"]),
    ],
)
async def test_a_todo_is_found_as_people_write_it(
    ann: Person, titles: tuple[str, ...], message: str, left: list[str]
) -> None:
    for title in titles:
        await ann.add(title)
    await ann.say(message)
    assert await ann.titles() == left


async def test_german_is_understood_and_answered_in_german(ann: Person) -> None:
    assert await ann.say("füge Milch kaufen hinzu") == "„Milch kaufen“ steht jetzt auf deiner Liste."
    assert (await ann.say("Was steht auf meiner Liste?")).startswith("Du hast 1 offenen Eintrag:\n1. Milch kaufen")
    assert "fällig: morgen, 17:00" in await ann.say("verschiebe Milch auf morgen um 17 Uhr")
    assert await ann.say("Milch ist gekauft") == "Sehr gut! „Milch kaufen“ ist erledigt."
    assert "Gern geschehen" in await ann.say("danke")


async def pages(person: Person, path: str) -> list[Any]:
    """The answers to this and to each next one that the header `Link` leads to."""
    found = []
    while path:
        answer = await person.request("GET", path)
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        path = answer.links["next"]["url"].partition("/api/v1")[2] if "next" in answer.links else ""
    return found


async def test_conversations_and_their_messages_come_in_pages(ann: Person, bob: Person) -> None:
    talks = [(await ann.request("POST", "/chat", {"message": "help"})).json()["conversation_id"] for _ in range(5)]
    found = await pages(ann, "/chat/conversations?limit=2")
    assert [[one["id"] for one in page] for page in found] == [talks[:2:-1], talks[2:0:-1], talks[:1]]
    for number in range(3):
        said = {"message": f"add todo {number}", "conversation_id": talks[0]}
        assert (await ann.request("POST", "/chat", said)).status_code == 200
    [whole] = await pages(ann, f"/chat/conversations/{talks[0]}")
    assert len(whole["messages"]) == 8
    parts = await pages(ann, f"/chat/conversations/{talks[0]}?limit=3")
    assert [len(part["messages"]) for part in parts] == [3, 3, 2]
    assert [message for part in reversed(parts) for message in part["messages"]] == whole["messages"]
    for path in ("/chat/conversations?limit=0", f"/chat/conversations/{talks[0]}?before=-1"):
        assert (await ann.request("GET", path)).status_code == 422
    assert (await bob.request("GET", f"/chat/conversations?after={talks[0]}")).status_code == 404


async def test_a_reply_has_as_many_lines_as_one_reads(ann: Person, database_url: URL) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        many = (
            "INSERT INTO todos (id, user_id, title) SELECT gen_random_uuid(), :user, 'todo ' || n || repeat('x', 150)"
        )
        connection.execute(text(f"{many} FROM generate_series(1, 300) n"), {"user": ann.id})
    engine.dispose()
    reply = await ann.say("list")
    assert len(reply) <= LONGEST_REPLY + 2
    assert reply.endswith("x\n…")
    assert "\n100. todo 100x" in reply


async def test_a_question_that_is_sent_again_is_answered_with_the_todos_that_it_is_about(ann: Person) -> None:
    for title in ("a", "b"):
        await ann.add(title)
    message = {"id": str(uuid.uuid4()), "message": "delete everything"}
    first = (await ann.request("POST", "/chat", message)).json()
    assert [todo["title"] for todo in first["confirmation"]["todos"]] == ["a", "b"]
    assert (await ann.request("POST", "/chat", message)).json() == first
    path = f"/confirmations/{first['confirmation']['id']}"
    assert len((await ann.request("POST", path)).json()["deleted"]) == 2
    again = (await ann.request("POST", "/chat", message)).json()
    assert (again["reply"], again["confirmation"]) == (first["reply"], None), "there is nothing to ask any more"


async def test_a_conversation_has_the_receipts_of_its_answers(ann: Person) -> None:
    first = (await ann.request("POST", "/chat", {"message": "add buy milk"})).json()
    path = f"/chat/conversations/{first['conversation_id']}"
    said = {"conversation_id": first["conversation_id"]}
    await ann.request("POST", "/chat", {**said, "message": "rename buy milk to buy oats"})
    await ann.request("POST", "/chat", {**said, "message": "what is there?"})

    async def receipts(page: str = "") -> list[list[tuple[str, str | None]]]:
        kept = (await ann.request("GET", path + page)).json()
        assert kept["title"] == "add buy milk"
        assert {message["assistant"] for message in kept["messages"] if message["role"] == "assistant"} == {
            "rule-based"
        }
        return [[(one["kind"], one["obstacle"]) for one in message["changes"]] for message in kept["messages"]]

    added, renamed = [("add", "This todo has been changed since.")], [("update", None)]
    assert await receipts() == [[], added, [], renamed, [], []]
    assert await receipts("?limit=3") == [renamed, [], []]  # also where its question is on the page before
    newest = (await ann.request("GET", "/changes")).json()[0]
    await ann.request("POST", f"/changes/{newest['id']}/undo")
    assert await receipts() == [[], [("add", None)], [], [("update", "This was taken back already.")], [], []]


async def test_what_is_kept_is_not_asked_about_again(ann: Person) -> None:
    for title in ("a", "b"):
        await ann.add(title)
    message = {"id": str(uuid.uuid4()), "message": "delete everything"}
    asked = (await ann.request("POST", "/chat", message)).json()
    question = f"/confirmations/{asked['confirmation']['id']}"
    answers = [await ann.request(method, question) for method in ("DELETE", "DELETE", "POST")]
    assert [answer.status_code for answer in answers] == [204, 409, 409]
    assert await ann.titles() == ["a", "b"]
    conversation = (await ann.request("GET", f"/chat/conversations/{asked['conversation_id']}")).json()
    assert conversation["messages"][-1]["confirmation"] is None
    assert (await ann.request("POST", "/chat", message)).json()["confirmation"] is None


async def test_a_question_is_there_again_until_it_is_answered(ann: Person) -> None:
    for title in ("a", "b"):
        await ann.add(title)
    asked = (await ann.request("POST", "/chat", {"message": "delete everything"})).json()
    path = f"/chat/conversations/{asked['conversation_id']}"
    question = (await ann.request("GET", path)).json()["messages"][-1]["confirmation"]
    assert question == asked["confirmation"]
    await ann.request("POST", f"/confirmations/{question['id']}")
    gone = (await ann.request("GET", "/changes")).json()[0]
    assert (
        await ann.request("POST", f"/changes/{gone['id']}/undo")
    ).status_code == 200  # what it was about is there again
    assert (await ann.request("GET", path)).json()["messages"][-1]["confirmation"] is None


@pytest.mark.parametrize(
    ("message", "begins"),
    [
        ("plan my day", "For today I propose:"),
        ("Could you plan my day for me, please?", "For today I propose:"),
        ("make me a plan for today", "For today I propose:"),
        ("Plane bitte meinen Tag", "Für heute schlage ich vor:"),
        ("kannst du mir meinen Tag planen?", "Für heute schlage ich vor:"),
        ("mach mir einen Plan für heute", "Für heute schlage ich vor:"),
    ],
)
async def test_a_day_is_planned_from_what_is_late_due_and_important(ann: Person, message: str, begins: str) -> None:
    plan = ["urgent today", "late", "for today", "small one", "important"]
    assert await ann.say(message) in (
        "Nothing is overdue, due today or of high priority. The day is yours.",
        "Nichts ist überfällig, heute fällig oder von hoher Priorität. Der Tag gehört dir.",
    )
    for title, more in {
        "important": {"priority": "high"},
        "for today": {"due": "today"},
        "small one": {"due": "today"},
        "late": {"due": "yesterday"},
        "urgent today": {"due": "today", "priority": "high"},
        "some time": {},
        "later": {"due": "in 3 days", "priority": "high"},
    }.items():
        await ann.request("POST", "/todos", {"title": title, **more})
    await ann.request("POST", "/todos", {"title": "done", "due": "today"})
    done = (await ann.request("GET", "/todos?q=done")).json()[0]
    await ann.request("PATCH", f"/todos/{done['id']}", {"completed": True})

    heading, *lines = (await ann.say(message)).splitlines()
    assert heading == begins
    assert [title for line in lines for title in plan if title in line] == plan
    assert len(lines) == len(plan)


@pytest.mark.parametrize("message", ["plan my day off with Anna", "plan the party", "add plan my day"])
async def test_what_somebody_has_to_plan_is_no_plan_of_the_day(ann: Person, message: str) -> None:
    assert "Nothing is overdue" not in await ann.say(message)
