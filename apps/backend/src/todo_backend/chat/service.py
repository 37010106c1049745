"""Conversations in the database."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from todo_backend import metrics
from todo_backend.auth.models import User
from todo_backend.chat.assistant import Assistant, Said
from todo_backend.chat.models import Conversation, Message, Turn
from todo_backend.chat.schemas import ChatReply, ChatRequest, MessageView
from todo_backend.chat.tools import TodoTools
from todo_backend.database import Database
from todo_backend.todos.service import KEPT_DAYS, Actor, ConflictError

HISTORY = 20


class ConversationNotFoundError(Exception):
    """This user has no such conversation."""


async def converse(
    database: Database, assistant: Assistant, user: User, said: ChatRequest, todos_per_user: int
) -> ChatReply:
    """Keep the message, let the assistant answer, keep the reply: all of it or nothing, in one transaction.

    A message that is sent again under its id, because its answer was lost, gets that answer; nothing is done twice.
    Raises ConversationNotFoundError, and ConflictError where another message had that id.
    """
    turn_id = said.id or uuid.uuid4()
    async with database.transaction() as session:
        # Of two at once the second waits here until the first has committed.
        begun = insert(Turn).values(id=turn_id, user_id=user.id, message=said.message).on_conflict_do_nothing()
        if (await session.execute(begun.returning(Turn.id))).one_or_none() is None:
            before = await session.get_one(Turn, (user.id, turn_id))
            if before.message != said.message:
                raise ConflictError("Another message was sent under this id.")
            return ChatReply.model_validate(before.reply)
        conversation = await _own_or_new(session, user.id, said.conversation_id)
        history = await _messages(session, conversation.id, last=HISTORY)
        session.add(Message(conversation_id=conversation.id, role="user", content=said.message))
        await session.flush()
        tools = TodoTools(session, user, Actor("built-in", turn_id=turn_id), todos_per_user)
        earlier = [Said(message.role, message.content) for message in map(MessageView.model_validate, history)]
        reply = await assistant.answer(said.message, earlier, tools)
        session.add(Message(conversation_id=conversation.id, role="assistant", content=reply))
        answer = ChatReply(
            conversation_id=conversation.id,
            reply=reply,
            assistant=assistant.name,
            actions=tools.actions,
            confirmation=tools.confirmation,
        )
        turn = await session.get_one(Turn, (user.id, turn_id))
        turn.reply = answer.model_dump(mode="json")
    metrics.TURNS.labels(assistant.name).inc()
    return answer


async def list_conversations(session: AsyncSession, user_id: uuid.UUID) -> Sequence[Conversation]:
    """Return the user's conversations, newest first."""
    query = select(Conversation).where(Conversation.user_id == user_id)
    found = await session.scalars(query.order_by(Conversation.created_at.desc(), Conversation.id))
    return found.all()


async def messages_of(session: AsyncSession, user_id: uuid.UUID, conversation_id: uuid.UUID) -> Sequence[Message]:
    """Return a conversation's messages, oldest first. Raises ConversationNotFoundError."""
    conversation = await _own_or_new(session, user_id, conversation_id)
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
