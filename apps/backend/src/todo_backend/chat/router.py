"""The chat endpoints."""

import uuid
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request, Response

from todo_backend.auth.dependencies import CurrentUser
from todo_backend.chat import service
from todo_backend.chat.assistant import Assistant
from todo_backend.chat.schemas import ChatReply, ChatRequest, ConversationSummary, ConversationView, MessageView
from todo_backend.dependencies import Config, Db, RetriedRoute
from todo_backend.todos.service import ConflictError

router = APIRouter(prefix="/chat", tags=["chat"], route_class=RetriedRoute)

Limit = Annotated[int, Query(ge=1, le=1000)]


def _not_found() -> HTTPException:
    return HTTPException(404, "There is no such conversation.")


@router.post("")
async def chat(said: ChatRequest, request: Request, user: CurrentUser, database: Db, settings: Config) -> ChatReply:
    """Say something to the assistant."""
    assistant: Assistant = request.app.state.assistant
    try:
        return await service.converse(database, assistant, user, said, settings.todos_per_user)
    except service.ConversationNotFoundError:
        raise _not_found() from None
    except ConflictError as error:
        raise HTTPException(409, str(error)) from None


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
            found = await service.messages_of(session, user.id, conversation_id, before, limit + 1)
    except service.ConversationNotFoundError:
        raise _not_found() from None
    if len(found) > limit:
        found = found[1:]
        _link(request, response, limit=limit, before=found[0].id)
    return ConversationView(id=conversation_id, messages=[MessageView.model_validate(message) for message in found])


def _link(request: Request, response: Response, **query: object) -> None:
    response.headers["Link"] = f'<{request.url.path}?{urlencode(query)}>; rel="next"'
