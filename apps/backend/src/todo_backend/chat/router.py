"""The chat endpoints."""

import uuid

from fastapi import APIRouter, HTTPException, Request

from todo_backend.auth.dependencies import CurrentUser
from todo_backend.chat import service
from todo_backend.chat.assistant import Assistant
from todo_backend.chat.schemas import ChatReply, ChatRequest, ConversationSummary, ConversationView, MessageView
from todo_backend.dependencies import Config, Db
from todo_backend.todos.service import ConflictError

router = APIRouter(prefix="/chat", tags=["chat"])


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
async def list_conversations(user: CurrentUser, database: Db) -> list[ConversationSummary]:
    """Return one's conversations, newest first."""
    async with database.transaction() as session:
        conversations = await service.list_conversations(session, user.id)
        return [ConversationSummary.model_validate(conversation) for conversation in conversations]


@router.get("/conversations/{conversation_id}")
async def get_conversation(conversation_id: uuid.UUID, user: CurrentUser, database: Db) -> ConversationView:
    """Return a conversation with its messages, oldest first."""
    try:
        async with database.transaction() as session:
            messages = await service.messages_of(session, user.id, conversation_id)
            views = [MessageView.model_validate(message) for message in messages]
    except service.ConversationNotFoundError:
        raise _not_found() from None
    return ConversationView(id=conversation_id, messages=views)
