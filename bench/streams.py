"""What answers of a language model take through a pod of the backend, beside what the provider itself takes."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any, Protocol

ANSWER_SECONDS = 60
END = b"data: [DONE]"


class Speaker(Protocol):
    """Somebody who is signed in, with a connection of their own."""

    connection: HTTPConnection
    headers: dict[str, str]


@dataclass
class Answers:
    """Seconds until the first words and until the end of each whole answer, what was wrong with the others, and seconds of all together."""

    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def hear(self, connection: HTTPConnection, path: str, body: Any, headers: dict[str, str], speaks: Callable[[Any], Any]) -> None:
        """Asks for an answer and follows it to its end; ``speaks`` says of a part whether it has words."""
        asked, first = time.monotonic(), 0.0
        try:
            connection.request("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})
            response = connection.getresponse()
            for line in iter(response.readline, b""):
                if line.startswith(b"data: {") and speaks(json.loads(line[6:])) and not first:
                    first = time.monotonic() - asked
                if line.startswith(END) and first:
                    self.first.append(first)
                    self.whole.append(time.monotonic() - asked)
                    response.read()
                    return
            self.wrong.append(f"POST {path} answers {response.status}, without words or without an end")
        except (OSError, HTTPException) as error:
            self.wrong.append(f"POST {path} gets no answer: {error!r}")
        connection.close()


def of_the_provider(address: str, times: int) -> Answers:
    """One answer after the other, on a connection that is kept where it can be."""
    answers, connection = Answers(), HTTPConnection(address, timeout=ANSWER_SECONDS)
    for _ in range(times):
        body = {"model": "slow", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
        answers.hear(connection, "/v1/chat/completions", body, {}, lambda part: part["choices"][0]["delta"].get("content"))
    connection.close()
    return answers


def is_spoken(part: dict[str, Any]) -> bool:
    """Whether a part of the backend's stream has words of the model's. Raises HTTPException where another one answers in its place."""
    if part["type"] == "data-reply" and part["data"]["notice"]:
        raise HTTPException(part["data"]["notice"])
    return bool(part["type"] == "text-delta")


def of_the_backend(speakers: Sequence[Speaker], times: int, seconds: float) -> Answers:
    """By all at once, each of whom sends the next message once an answer is there: so many times, and for so long, at most."""
    answers, begin = Answers(), time.monotonic()

    def speak(speaker: Speaker) -> None:
        for _ in range(times):
            if time.monotonic() - begin >= seconds:
                return
            said = {"id": str(uuid.uuid4()), "message": "hello"}
            answers.hear(speaker.connection, "/api/v1/chat/stream", said, speaker.headers, is_spoken)

    with ThreadPoolExecutor(len(speakers)) as pool:
        list(pool.map(speak, speakers))
    answers.seconds = time.monotonic() - begin
    return answers
