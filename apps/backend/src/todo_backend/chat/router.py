"""The chat endpoints."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse

from todo_backend.auth.dependencies import CurrentUser
from todo_backend.chat import service
from todo_backend.chat.proposals import proposals
from todo_backend.chat.replies import ENGLISH
from todo_backend.chat.schemas import (
    ChatReply,
    ChatRequest,
    ConversationChange,
    ConversationSummary,
    ConversationView,
    Proposal,
    ProposalRequest,
    Serving,
    StreamRequest,
)
from todo_backend.chat.turns import Event, TurnNotFoundError, Turns
from todo_backend.clock import now_in
from todo_backend.dependencies import Db, RetriedRoute
from todo_backend.todos.service import ConflictError

router = APIRouter(prefix="/chat", tags=["chat"], route_class=RetriedRoute)

Limit = Annotated[int, Query(ge=1, le=1000)]

SILENCE_SECONDS = 10
"""After which a comment tells whoever is in between that the stream goes on."""


def _turns(request: Request) -> Turns:
    turns: Turns = request.app.state.turns
    return turns


Chat = Annotated[Turns, Depends(_turns)]


def _not_found() -> HTTPException:
    return HTTPException(404, "There is no such conversation.")


@router.post("")
async def chat(said: ChatRequest, user: CurrentUser, turns: Chat) -> ChatReply:
    """Say something to the assistant, and wait for its answer."""
    try:
        return await turns.reply(user, said)
    except service.ConversationNotFoundError:
        raise _not_found() from None
    except ConflictError as error:
        raise HTTPException(409, str(error)) from None


@router.post(
    "/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def stream(said: StreamRequest, user: CurrentUser, turns: Chat) -> StreamingResponse:
    """Say something to the assistant, and see what it does: the AI SDK's UI message stream, as server-sent events.

    A stream that ends without `finish` is gone on with by the same request, with `after`; nothing is done twice.
    """
    try:
        turn_id = await turns.begin(user, said, again=bool(said.after))
    except service.ConversationNotFoundError:
        raise _not_found() from None
    except ConflictError as error:
        raise HTTPException(409, str(error)) from None
    headers = {
        "X-Vercel-AI-UI-Message-Stream": "v1",
        "Cache-Control": "no-store, no-transform",
        "X-Accel-Buffering": "no",
    }
    events = turns.follow(user, turn_id, said.after)
    return StreamingResponse(_server_sent(events), media_type="text/event-stream", headers=headers)


async def _server_sent(events: AsyncIterator[Event]) -> AsyncIterator[str]:
    coming = asyncio.ensure_future(anext(events, None))
    try:
        while True:
            await asyncio.wait({coming}, timeout=SILENCE_SECONDS)
            if not coming.done():
                yield ": still here\n\n"
                continue
            event = coming.result()
            if event is None:
                return
            yield f"id: {event.place}\ndata: {json.dumps(event.part, ensure_ascii=True)}\n\n"
            if event.part["type"] == "finish":
                yield "data: [DONE]\n\n"
                return
            coming = asyncio.ensure_future(anext(events, None))
    except TurnNotFoundError:  # its conversation has been deleted meanwhile
        return
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


@router.post("/turns/{turn_id}/stop", status_code=204)
async def stop(turn_id: uuid.UUID, user: CurrentUser, turns: Chat) -> None:
    """End the answer to a message where it is; what was done is done."""
    try:
        await turns.stop(user, turn_id)
    except TurnNotFoundError:
        raise HTTPException(404, "There is no such message.") from None


@router.get("/assistant")
async def serving(user: CurrentUser, turns: Chat) -> Serving:
    """Return which assistant answers, and who sees what is said to it."""
    model, why = turns.serving(user)
    if model is None:
        notice = ENGLISH.says[f"notice {why}"] if why else None
        return Serving(assistant=turns.built_in.name, notice=notice)
    assert turns.provider is not None  # noqa: S101 - whose model it is
    return Serving(assistant=model, provider=turns.provider.host)


@router.post("/proposals")
async def propose(said: ProposalRequest, user: CurrentUser) -> list[Proposal]:
    """Read a text as todos, for the user to choose from; nothing is written."""
    found = await asyncio.to_thread(proposals, said.text, now_in(user.time_zone))
    return [
        Proposal(
            id=uuid.uuid4(), title=new.title, notes=notes, due=str(new.due) if new.due else None, priority=new.priority
        )
        for new, notes in found
    ]


@router.get("/conversations")
async def list_conversations(
    request: Request,
    response: Response,
    user: CurrentUser,
    database: Db,
    after: uuid.UUID | None = None,
    limit: Limit = 100,
) -> list[ConversationSummary]:
    """Return one's conversations, newest first; where there are more, the header `Link` says where they begin."""
    try:
        async with database.transaction() as session:
            found = await service.list_conversations(session, user.id, after, limit + 1)
    except service.ConversationNotFoundError:
        raise _not_found() from None
    if len(found) > limit:
        _link(request, response, limit=limit, after=found[limit - 1].id)
    return [ConversationSummary.model_validate(conversation) for conversation in found[:limit]]


@router.get("/conversations/{conversation_id}")
async def get_conversation(
    conversation_id: uuid.UUID,
    request: Request,
    response: Response,
    user: CurrentUser,
    database: Db,
    before: Annotated[int | None, Query(ge=0, le=2**63 - 1)] = None,
    limit: Limit = 200,
) -> ConversationView:
    """Return a conversation's last messages, oldest first; the header `Link` leads to those before them."""
    try:
        async with database.transaction() as session:
            conversation, earlier = await service.view(session, user.id, conversation_id, before, limit)
    except service.ConversationNotFoundError:
        raise _not_found() from None
    if earlier is not None:
        _link(request, response, limit=limit, before=earlier)
    return conversation


@router.patch("/conversations/{conversation_id}")
async def rename_conversation(
    conversation_id: uuid.UUID, change: ConversationChange, user: CurrentUser, database: Db
) -> ConversationSummary:
    """Give a conversation another title."""
    try:
        async with database.transaction() as session:
            conversation = await service.rename(session, user.id, conversation_id, change.title)
            return ConversationSummary.model_validate(conversation)
    except service.ConversationNotFoundError:
        raise _not_found() from None


@router.delete("/conversations/{conversation_id}", status_code=204)
async def delete_conversation(conversation_id: uuid.UUID, user: CurrentUser, database: Db) -> None:
    """Delete a conversation with all that was said in it; what was done to the list stays."""
    try:
        async with database.transaction() as session:
            await service.delete_conversation(session, user.id, conversation_id)
    except service.ConversationNotFoundError:
        raise _not_found() from None


def _link(request: Request, response: Response, **query: object) -> None:
    response.headers["Link"] = f'<{request.url.path}?{urlencode(query)}>; rel="next"'
