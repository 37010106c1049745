"""The language model, behind any endpoint that speaks OpenAI's protocol."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import openai
from httpx2 import AsyncByteStream, Limits, Response  # which the SDK is built on
from openai import AsyncOpenAI, AsyncStream
from openai.types.chat import ChatCompletionChunk

from todo_backend import metrics

log = logging.getLogger(__name__)

SILENCE_SECONDS = 15
"""For how long a provider may say nothing; the client's own limit is for each read."""
CONNECT_SECONDS = 5
IDLE_SECONDS = 2
"""After which a connection is not used again: many servers close one after 5, and what is sent just then is lost."""
ANSWER_TOKENS = 1024
LONGEST_ANSWER = 8000
"""Characters of an answer, and of the arguments of its calls, whatever the provider makes of the limit of tokens."""
LONGEST_NAME = 64
MOST_CALLS = 16
MOST_TOKENS = 10**6
LONGEST_RESPONSE = 4_000_000
"""Bytes, whatever is in them: a line without an end is kept until it has one."""
MOST_BROKEN = 3
"""Answers in a row that are no fault of the requests."""
AGAIN_SECONDS = 30.0
"""For how long a model rests that has just failed, where its provider does not say so; at most ten times that."""

Reason = Literal["unreachable", "slow", "over its limit", "withdrawn", "refused", "broken"]


class ProviderError(Exception):
    """No answer came, or none that can be used."""

    def __init__(self, reason: Reason, retry_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        self.retry_seconds = retry_seconds


@dataclass(frozen=True)
class Call:
    """A tool that the model calls, as it says so: nothing of it has been looked at."""

    name: str
    arguments: str


@dataclass(frozen=True)
class Answer:
    """What the model said in one step. `tokens` counts what went in and what came out."""

    model: str
    text: str
    calls: tuple[Call, ...]
    tokens: int


@dataclass
class _Model:
    name: str
    closed_until: float = 0.0
    reason: Reason = "unreachable"
    broken: int = 0


class _Bounded(AsyncByteStream):
    """What comes of a response. Raises ProviderError where there is no end to it."""

    def __init__(self, stream: AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = LONGEST_RESPONSE
        async for data in self._stream:
            left -= len(data)
            if left < 0:
                raise ProviderError("broken")
            yield data

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _bound(response: Response) -> None:
    assert isinstance(response.stream, AsyncByteStream)  # noqa: S101 - the client is asynchronous
    response.stream = _Bounded(response.stream)


class Provider:
    """Streams answers of the first model that can be asked; one that has just failed rests for a while."""

    def __init__(self, url: str, key: str, models: Sequence[str]) -> None:
        self.host = urlsplit(url).hostname or ""
        # The SDK's own repetitions would keep a user waiting for up to two minutes.
        timeout = openai.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS)
        # Whoever is named to the user is the one that hears the message: no redirect leads to another.
        http = openai.DefaultAsyncHttpxClient(
            follow_redirects=False,
            timeout=timeout,
            limits=Limits(keepalive_expiry=IDLE_SECONDS),
            event_hooks={"response": [_bound]},
        )
        self._client = AsyncOpenAI(
            base_url=url, api_key=key, organization="", project="", max_retries=0, timeout=timeout, http_client=http
        )
        self._models = [_Model(name) for name in models]

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()

    def model(self) -> str | None:
        """Return the model that would be asked now; None while all rest."""
        found = self._open()
        return found[0].name if found else None

    def why_not(self) -> Reason:
        """Return why the first model rests."""
        return self._models[0].reason

    async def look_up(self) -> None:
        """Ask the provider which models it has, so that nobody's first message finds out that it has not this one."""
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                there = {model.id async for model in self._client.models.list()}
        except openai.APIStatusError as error:
            if error.status_code in (404, 405):
                return  # it does not list them, which says nothing
            failure = _failure(error)
        except openai.OpenAIError as error:
            failure = _failure(error)
        except TimeoutError:
            failure = ProviderError("slow")
        except Exception as error:  # noqa: BLE001 - what came is no list, which says nothing either
            log.warning("no list of models", extra={"reason": type(error).__name__})
            return
        else:
            for model in self._models:
                if model.name not in there:
                    self._rest(model, ProviderError("withdrawn", 10 * AGAIN_SECONDS))
            return
        for model in self._models:
            self._rest(model, failure)

    async def ask(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]
    ) -> AsyncGenerator[str | Answer | None]:
        """Yield the text as it comes, and at the end the whole answer.

        None says that what came so far is void, as another model begins anew. Without tools there are no calls.
        Raises ProviderError when no model has answered.
        """
        failure = ProviderError(self.why_not())
        models, again = self._open(), True
        while models:
            model = models.pop(0)
            said_something = False
            try:
                async with aclosing(self._stream(model, messages, tools)) as stream:
                    async for part in stream:
                        said_something = True
                        yield part
            except ProviderError as error:
                log.warning("model failed", extra={"model": model.name, "reason": error.reason})
                metrics.MODEL_FAILURES.labels(error.reason).inc()
                self._rest(model, error)
                failure = error
                if error.reason == "broken" and not models and again:
                    models, again = self._open()[:1], False  # what it made a mess of once it may get right now
            else:
                model.broken = 0
                return
            if said_something:
                yield None
        raise failure

    async def _stream(
        self, model: _Model, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]
    ) -> AsyncGenerator[str | Answer]:
        request: dict[str, Any] = {
            "model": model.name,
            "messages": messages,
            "max_tokens": ANSWER_TOKENS,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if tools:
            request |= {"tools": tools, "tool_choice": "auto"}
        heard = _Heard()
        try:
            async with asyncio.timeout(SILENCE_SECONDS) as silence:
                stream: AsyncStream[ChatCompletionChunk] = await self._client.chat.completions.create(**request)
                async with stream:
                    async for chunk in stream:
                        # Comments that keep a connection open are no answer: what counts is what was said.
                        silence.reschedule(asyncio.get_running_loop().time() + SILENCE_SECONDS)
                        if text := heard.take(chunk):
                            yield text
        except openai.OpenAIError as error:
            raise _failure(error) from None
        except TimeoutError:
            raise ProviderError("slow") from None
        except ProviderError:
            raise
        except Exception as error:  # noqa: BLE001 - what came is no such stream, whatever it is
            log.warning("no answer of a model", extra={"reason": type(error).__name__})
            raise ProviderError("broken") from None
        answer = heard.answer(model.name, messages)
        # After its calls there may be nothing more to say.
        is_empty = not answer.calls and not answer.text.strip() and messages[-1]["role"] != "tool"
        if not heard.finished or is_empty or (answer.calls and not tools):
            raise ProviderError("broken")
        yield answer

    def _open(self) -> list[_Model]:
        now = time.monotonic()
        return [model for model in self._models if model.closed_until <= now]

    def _rest(self, model: _Model, error: ProviderError) -> None:
        # What one request did wrong is no fault of the model's for the next one; what each does wrong is.
        model.broken += error.reason == "broken"
        if error.reason != "broken" or model.broken >= MOST_BROKEN:
            seconds = AGAIN_SECONDS if error.retry_seconds is None else error.retry_seconds
            model.closed_until = time.monotonic() + min(seconds, 10 * AGAIN_SECONDS)
        model.reason = error.reason


@dataclass
class _HeardCall:
    """What has come of a call."""

    index: int
    id: str
    name: str = ""
    arguments: str = ""


@dataclass
class _Heard:
    """What has come of an answer."""

    text: str = ""
    calls: list[_HeardCall] = field(default_factory=list)
    tokens: int = 0
    finished: bool = False
    held: str = ""

    def take(self, chunk: ChatCompletionChunk) -> str:
        """Keep what a chunk says; return the text in it. Raises ProviderError where there is no end to it."""
        if chunk.usage:
            self.tokens = min(max(int(chunk.usage.total_tokens or 0), 0), MOST_TOKENS)
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        self.finished = self.finished or choice.finish_reason is not None
        for part in choice.delta.tool_calls or ():
            call = self._call(part.index or 0, part.id or "")
            if part.function:
                call.name += part.function.name or ""
                call.arguments += part.function.arguments or ""
        text = self.held + (choice.delta.content or "")
        self.held = text[-1] if text and "\ud800" <= text[-1] <= "\udbff" else ""  # half of a character
        text = clean(text.removesuffix(self.held) if self.held else text)
        self.text += text
        if (
            len(self.calls) > MOST_CALLS
            or len(self.text) + sum(len(one.arguments) for one in self.calls) > LONGEST_ANSWER
        ):
            raise ProviderError("broken")
        return text

    def _call(self, index: int, given: str) -> _HeardCall:
        """The call that a part belongs to.

        Some providers give each call the same index, others an id to the first of its parts alone.
        """
        for call in reversed(self.calls):
            if call.index == index and given in ("", call.id):
                return call
        self.calls.append(_HeardCall(index, given))
        return self.calls[-1]

    def answer(self, model: str, messages: Sequence[Mapping[str, Any]]) -> Answer:
        """Return all of it."""
        calls = tuple(Call(clean(call.name)[:LONGEST_NAME], clean(call.arguments)) for call in self.calls)
        # Who does not count is charged by length: three characters a token is more than any language needs.
        length = (
            sum(len(str(message)) for message in messages) + len(self.text) + sum(len(one.arguments) for one in calls)
        )
        return Answer(model, self.text, calls, self.tokens or length // 3)


def clean(text: str) -> str:
    """Text that can be kept and sent: without NUL, and without halves of characters."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "")


def _failure(error: openai.OpenAIError) -> ProviderError:
    match error:
        case openai.RateLimitError():
            return ProviderError("over its limit", _retry_after(error))
        case openai.NotFoundError():
            return ProviderError("withdrawn", 10 * AGAIN_SECONDS)
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return ProviderError("refused", 10 * AGAIN_SECONDS)
        case openai.APITimeoutError():
            return ProviderError("slow")
        case openai.APIConnectionError():
            return ProviderError("unreachable")
        case openai.InternalServerError():
            return ProviderError("unreachable", _retry_after(error))
    return ProviderError("broken")  # a malformed call of the model's own among them


def _retry_after(error: openai.APIStatusError) -> float | None:
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "")))
    except ValueError:
        return None
