"""The language model, behind any endpoint that speaks OpenAI's protocol."""

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import urlsplit

import openai
from httpx2 import AsyncByteStream, Limits, Response  # which the SDK is built on
from openai import AsyncOpenAI, AsyncStream
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChoiceDeltaToolCall

from todo_backend import metrics

log = logging.getLogger(__name__)

SILENCE_SECONDS = 15
"""For how long a provider may say nothing; the client's own limit is for each read."""
CONNECT_SECONDS = 5
IDLE_SECONDS = 2
"""After which a connection is not used again: many servers close one after 5, and what is sent just then is lost."""
ANSWER_TOKENS = 1024
LONGEST_ANSWER = 8000
"""Characters of an answer, and of all arguments in it, whatever the provider makes of the limit of tokens."""
LONGEST_NAME = 64
MOST_CALLS = 16
MOST_TOKENS = 10**6
LONGEST_RESPONSE = 4_000_000
"""Bytes, whatever is in them: a line without an end is kept until it has one."""
MOST_BROKEN = 3
"""Answers in a row that are no fault of one user's requests, or users whose requests they are no fault of."""
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
    """What the model said in one step. `tokens` counts what went in and came out, also of those that failed."""

    model: str
    text: str
    calls: tuple[Call, ...]
    tokens: int
    is_cut: bool = False
    """Whether it ended where it had to."""


@dataclass
class _Model:
    name: str
    closed_until: float = 0.0
    reason: Reason = "unreachable"
    limit: str = "max_tokens"
    """What its provider calls the most tokens of an answer."""
    broken: Counter[object] = field(default_factory=Counter)
    """How often it has made a mess since it last did not, by who asked."""
    closed_to: dict[object, float] = field(default_factory=dict)
    """Until when it rests for one of them alone."""


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
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ProviderError("broken")  # a few bytes may be very many, and none are asked for
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
            base_url=url,
            api_key=key,
            organization="",
            project="",
            max_retries=0,
            timeout=timeout,
            http_client=http,
            default_headers={"Accept-Encoding": "identity"},
        )
        self._models = [_Model(name) for name in models]

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()

    def model(self, asker: object = None) -> str | None:
        """Return the model that would be asked now; None while all rest."""
        found = self._open(asker)
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
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]], asker: object = None
    ) -> AsyncGenerator[str | Answer | None]:
        """Yield the text as it comes, and at the end the whole answer.

        None says that what came so far is void, as another model begins anew. Without tools there are no calls.
        Raises ProviderError when no model has answered.
        """
        failure, failed = ProviderError(self.why_not()), 0
        models, again = self._open(asker), True
        while models:
            model = models.pop(0)
            said_something = False
            try:
                async with aclosing(self._stream(model, messages, tools)) as stream:
                    async for part in stream:
                        said_something = True
                        if isinstance(part, Answer):
                            part = replace(part, tokens=part.tokens + failed * most_tokens(messages))
                        yield part
            except ProviderError as error:
                log.warning("model failed", extra={"model": model.name, "reason": error.reason})
                metrics.MODEL_FAILURES.labels(error.reason).inc()
                self._rest(model, error, asker)
                failure, failed = error, failed + 1
                if error.reason == "broken" and not models and again:
                    models, again = self._open(asker)[:1], False  # what it made a mess of once it may get right now
            else:
                model.broken.clear()
                model.closed_to.clear()
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
            model.limit: ANSWER_TOKENS,
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
                        if heard.is_full:
                            break
        except openai.BadRequestError as error:
            if "max_completion_tokens" in str(error):  # as newer models have it
                model.limit = "max_completion_tokens"
            raise _failure(error) from None
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

    def _open(self, asker: object) -> list[_Model]:
        now = time.monotonic()
        return [one for one in self._models if max(one.closed_until, one.closed_to.get(asker, 0.0)) <= now]

    def _rest(self, model: _Model, error: ProviderError, asker: object = None) -> None:
        seconds = AGAIN_SECONDS if error.retry_seconds is None else error.retry_seconds
        until = time.monotonic() + min(seconds, 10 * AGAIN_SECONDS)
        model.reason = error.reason
        if error.reason != "broken":
            model.closed_until = until
            return
        # What one request did wrong is no fault of the model's for the next one; what each does wrong is, and as long
        # as these are one user's, it is no fault of the model's for the others.
        model.broken[asker] += 1
        if len(model.broken) >= MOST_BROKEN:
            model.closed_until = until
        elif model.broken[asker] >= MOST_BROKEN:
            model.closed_to[asker] = until


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
    is_full: bool = False
    """It is as long as an answer gets, whatever else would come."""
    held: str = ""

    def take(self, chunk: ChatCompletionChunk) -> str:
        """Keep what a chunk says; return the text in it. Raises ProviderError where there is no end to it."""
        if chunk.usage:
            self.tokens = min(max(int(chunk.usage.total_tokens or 0), 0), MOST_TOKENS)
        if not chunk.choices:
            self.finished = self.finished or bool(chunk.usage)  # the last one, also of who gives no reason for the end
            return ""
        choice = chunk.choices[0]
        self.finished = self.finished or bool(choice.finish_reason)
        self.is_full = self.is_full or choice.finish_reason == "length"
        delta = getattr(choice, "delta", None)  # a last chunk may have none
        for part in getattr(delta, "tool_calls", None) or ():
            call = self._call(part)
            if part.function:
                name = part.function.name or ""
                call.name += name if name != call.name else ""
                call.arguments += _text(part.function.arguments)
        text = self.held + _text(getattr(delta, "content", None))
        self.held = text[-1] if text and "\ud800" <= text[-1] <= "\udbff" else ""  # half of a character
        text = clean(text.removesuffix(self.held) if self.held else text)
        text = text[: LONGEST_ANSWER - len(self.text)]
        self.text += text
        if len(self.text) == LONGEST_ANSWER:
            self.finished = self.is_full = True
        if sum(len(one.arguments) for one in self.calls) > LONGEST_ANSWER:
            raise ProviderError("broken")
        return text

    def _call(self, part: ChoiceDeltaToolCall) -> _HeardCall:
        """The call that a part belongs to.

        Some providers give each call the same index, or none; others an id to the first of its parts alone, late, or
        another one to each. So another call begins with a name. What would be one too many is not kept.
        """
        index, given = part.index or 0, part.id or ""
        here = [call for call in self.calls if call.index == index]
        for call in here:
            if given and call.id == given:
                return call
        if here:
            call = here[-1]
            is_another = given != call.id if given and call.id else part.index is None and not given and bool(call.name)
            if not (is_another and part.function and part.function.name):
                call.id = call.id or given
                return call
        call = _HeardCall(index, given)
        if len(self.calls) < MOST_CALLS:
            self.calls.append(call)
        return call

    def answer(self, model: str, messages: Sequence[Mapping[str, Any]]) -> Answer:
        """Return all of it."""
        calls = tuple(Call(clean(call.name)[:LONGEST_NAME], clean(call.arguments)) for call in self.calls)
        # Who does not count is charged by length.
        tokens = self.tokens or _tokens(messages, self.text, *(one.arguments for one in calls))
        return Answer(model, self.text, calls, tokens, self.is_full)


def _tokens(*texts: object) -> int:
    """More tokens than these are: three bytes are one or more in any language."""
    return sum(len(str(text).encode(errors="replace")) for text in texts) // 3


def most_tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    """What asking takes at most."""
    return _tokens(*messages) + ANSWER_TOKENS


def _text(given: object) -> str:
    """What is to be text, where some providers give its parts, or what it would be read as."""
    if isinstance(given, list):
        return "".join(str(part.get("text") or "") for part in given if isinstance(part, dict))
    if isinstance(given, dict):
        return json.dumps(given)
    return str(given or "")


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
