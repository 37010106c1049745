"""Conversations in the database."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from textwrap import shorten
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from todo_backend.chat.assistant import Said
from todo_backend.chat.models import Conversation, Message, Turn
from todo_backend.chat.schemas import MessageView
from todo_backend.todos.service import KEPT_DAYS

HISTORY = 20
"""Messages of a conversation that an assistant is told of."""
TITLE = 60


class ConversationNotFoundError(Exception):
    """This user has no such conversation."""


async def own_or_new(
    session: AsyncSession, user_id: uuid.UUID, conversation_id: uuid.UUID | None, *, began_with: str
) -> Conversation:
    """Return the user's conversation, or a new one where none is named. Raises ConversationNotFoundError."""
    if conversation_id is not None:
        return await _own(session, user_id, conversation_id)
    title = shorten(" ".join(began_with.split()), TITLE, placeholder=" …") or began_with[:TITLE]
    conversation = Conversation(id=uuid.uuid4(), user_id=user_id, title=title)
    session.add(conversation)
    await session.flush()
    return conversation


async def history(session: AsyncSession, turn: Turn) -> list[Said]:
    """Return what was said before a turn's message, the last of it, oldest first."""
    assert turn.conversation_id is not None  # noqa: S101 - begun by this version
    messages = await _messages(session, turn.conversation_id, last=HISTORY + 1)
    return [Said(view.role, view.content) for view in map(MessageView.model_validate, messages[:-1])]


async def rename(session: AsyncSession, user_id: uuid.UUID, conversation_id: uuid.UUID, title: str) -> Conversation:
    """Give a conversation another title. Raises ConversationNotFoundError."""
    conversation = await _own(session, user_id, conversation_id)
    conversation.title = title
    return conversation


async def delete_conversation(session: AsyncSession, user_id: uuid.UUID, conversation_id: uuid.UUID) -> None:
    """Delete a conversation with all that was said; what was done stays. Raises ConversationNotFoundError."""
    await session.delete(await _own(session, user_id, conversation_id))


async def list_conversations(session: AsyncSession, user_id: uuid.UUID) -> Sequence[Conversation]:
    """Return the user's conversations, newest first."""
    query = select(Conversation).where(Conversation.user_id == user_id)
    found = await session.scalars(query.order_by(Conversation.created_at.desc(), Conversation.id))
    return found.all()


async def messages_of(session: AsyncSession, user_id: uuid.UUID, conversation_id: uuid.UUID) -> Sequence[Message]:
    """Return a conversation's messages, oldest first. Raises ConversationNotFoundError."""
    conversation = await _own(session, user_id, conversation_id)
    return await _messages(session, conversation.id)


async def export(session: AsyncSession, user_id: uuid.UUID) -> list[dict[str, Any]]:
    """Return all that was said, oldest first."""
    return [
        {
            "id": str(conversation.id),
            "created_at": conversation.created_at.isoformat(),
            "messages": [
                MessageView.model_validate(message).model_dump(mode="json")
                for message in await _messages(session, conversation.id)
            ],
        }
        for conversation in reversed(await list_conversations(session, user_id))
    ]


async def forget(session: AsyncSession) -> None:
    """Delete for good what nobody sends again, of all users."""
    await session.execute(delete(Turn).where(Turn.created_at < func.now() - timedelta(days=KEPT_DAYS)))


async def _own(session: AsyncSession, user_id: uuid.UUID, conversation_id: uuid.UUID) -> Conversation:
    query = select(Conversation).where(Conversation.id == conversation_id, Conversation.user_id == user_id)
    found = await session.scalar(query)
    if found is None:
        raise ConversationNotFoundError
    return found


async def _messages(session: AsyncSession, conversation_id: uuid.UUID, last: int | None = None) -> Sequence[Message]:
    query = select(Message).where(Message.conversation_id == conversation_id).order_by(Message.id.desc()).limit(last)
    return (await session.scalars(query)).all()[::-1]
