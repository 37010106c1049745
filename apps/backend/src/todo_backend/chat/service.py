"""Conversations in the database."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from todo_backend.chat.assistant import Assistant, Turn
from todo_backend.chat.models import Conversation, Message
from todo_backend.chat.schemas import ChatReply, MessageView
from todo_backend.chat.tools import TodoTools
from todo_backend.database import Database

HISTORY_TURNS = 20


class ConversationNotFoundError(Exception):
    """This user has no such conversation."""


async def converse(
    database: Database,
    assistant: Assistant,
    user_id: uuid.UUID,
    conversation_id: uuid.UUID | None,
    message: str,
) -> ChatReply:
    """Keep the message, let the assistant answer, keep the reply. Raises ConversationNotFoundError.

    No transaction spans the assistant's work: it may take long, and connections are few.
    """
    async with database.transaction() as session:
        conversation = await _own_or_new(session, user_id, conversation_id)
        history = await _messages(session, conversation.id, last=HISTORY_TURNS)
        session.add(Message(conversation_id=conversation.id, role="user", content=message))
    tools = TodoTools(database, user_id)
    turns = [Turn(earlier.role, earlier.content) for earlier in map(MessageView.model_validate, history)]
    reply = await assistant.answer(message, turns, tools)
    async with database.transaction() as session:
        session.add(Message(conversation_id=conversation.id, role="assistant", content=reply))
    return ChatReply(conversation_id=conversation.id, reply=reply, assistant=assistant.name, actions=tools.actions)


async def list_conversations(session: AsyncSession, user_id: uuid.UUID) -> Sequence[Conversation]:
    """Return the user's conversations, newest first."""
    query = select(Conversation).where(Conversation.user_id == user_id)
    found = await session.scalars(query.order_by(Conversation.created_at.desc(), Conversation.id))
    return found.all()


async def messages_of(session: AsyncSession, user_id: uuid.UUID, conversation_id: uuid.UUID) -> Sequence[Message]:
    """Return a conversation's messages, oldest first. Raises ConversationNotFoundError."""
    conversation = await _own_or_new(session, user_id, conversation_id)
    return await _messages(session, conversation.id)


async def _own_or_new(session: AsyncSession, user_id: uuid.UUID, conversation_id: uuid.UUID | None) -> Conversation:
    if conversation_id is None:
        conversation = Conversation(id=uuid.uuid4(), user_id=user_id)
        session.add(conversation)
        await session.flush()
        return conversation
    query = select(Conversation).where(Conversation.id == conversation_id, Conversation.user_id == user_id)
    found = await session.scalar(query)
    if found is None:
        raise ConversationNotFoundError
    return found


async def _messages(session: AsyncSession, conversation_id: uuid.UUID, last: int | None = None) -> Sequence[Message]:
    query = select(Message).where(Message.conversation_id == conversation_id).order_by(Message.id.desc()).limit(last)
    return (await session.scalars(query)).all()[::-1]
