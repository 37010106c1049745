"""Conversations in the database."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from todo_backend import metrics
from todo_backend.auth.models import User
from todo_backend.chat.assistant import Assistant, Said
from todo_backend.chat.models import Conversation, Message, Turn
from todo_backend.chat.schemas import ChatReply, ChatRequest, MessageView
from todo_backend.chat.tools import TodoTools
from todo_backend.database import Database
from todo_backend.todos.schemas import TodoView
from todo_backend.todos.service import AT_ONCE, KEPT_DAYS, Actor, ConflictError, asked_about, take_turn

HISTORY = 20
KEPT_MESSAGES = 10_000
"""Of one user, in all conversations; the oldest go, and with its last message a conversation."""
KEPT_TURNS = 1000
LONGEST_REPLY = 20_000


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
        await take_turn(session, user.id)
        begun = insert(Turn).values(id=turn_id, user_id=user.id, message=said.message).on_conflict_do_nothing()
        if (await session.execute(begun.returning(Turn.id))).one_or_none() is None:
            before = await session.get_one(Turn, (user.id, turn_id))
            if before.message != said.message:
                raise ConflictError("Another message was sent under this id.")
            return await _as_answered(session, before)
        conversation = await _own_or_new(session, user.id, said.conversation_id)
        history = await _messages(session, conversation.id, last=HISTORY)
        session.add(Message(conversation_id=conversation.id, role="user", content=said.message))
        await session.flush()
        tools = TodoTools(session, user, Actor("built-in", turn_id=turn_id), todos_per_user)
        earlier = [Said(message.role, message.content) for message in map(MessageView.model_validate, history)]
        reply = _shortened(await assistant.answer(said.message, earlier, tools))
        session.add(Message(conversation_id=conversation.id, role="assistant", content=reply))
        answer = ChatReply(
            conversation_id=conversation.id,
            reply=reply,
            assistant=assistant.name,
            actions=tools.actions,
            confirmation=tools.confirmation,
        )
        turn = await session.get_one(Turn, (user.id, turn_id))
        turn.reply = answer.model_dump(mode="json", exclude={"confirmation": {"todos"}})
        await _keep_newest(session, user.id)
    metrics.TURNS.labels(assistant.name).inc()
    return answer


def _shortened(reply: str) -> str:
    """The lines that fit; who has so many todos looks at the list."""
    if len(reply) <= LONGEST_REPLY:
        return reply
    return reply[:LONGEST_REPLY].rpartition("\n")[0] + "\n…"


async def _as_answered(session: AsyncSession, turn: Turn) -> ChatReply:
    """The answer with the todos that it asked about, which are many and so not kept with it."""
    reply = dict(turn.reply or {})
    if asked := reply["confirmation"]:
        todos = await asked_about(session, uuid.UUID(asked["id"]))
        reply["confirmation"] = {**asked, "todos": [TodoView.of(todo) for todo in todos]}
    return ChatReply.model_validate(reply)


async def _keep_newest(session: AsyncSession, user_id: uuid.UUID) -> None:
    turns = select(Turn.id).where(Turn.user_id == user_id).order_by(Turn.created_at.desc(), Turn.id)
    old = turns.offset(KEPT_TURNS).limit(AT_ONCE).scalar_subquery()
    await session.execute(delete(Turn).where(Turn.user_id == user_id, Turn.id.in_(old)))
    messages = select(Message.id).join(Conversation, Conversation.id == Message.conversation_id)
    messages = messages.where(Conversation.user_id == user_id).order_by(Message.id.desc())
    old = messages.offset(KEPT_MESSAGES).limit(AT_ONCE).scalar_subquery()
    gone = (await session.scalars(delete(Message).where(Message.id.in_(old)).returning(Message.conversation_id))).all()
    if gone:
        left = select(Message.id).where(Message.conversation_id == Conversation.id).exists()
        await session.execute(delete(Conversation).where(Conversation.id.in_(set(gone)), ~left))


async def list_conversations(
    session: AsyncSession, user_id: uuid.UUID, after: uuid.UUID | None, limit: int
) -> Sequence[Conversation]:
    """Return the user's conversations, newest first, those after one. Raises ConversationNotFoundError."""
    order = (Conversation.created_at, Conversation.id)
    query = select(Conversation).where(Conversation.user_id == user_id)
    if after is not None:
        last = await _own_or_new(session, user_id, after)
        query = query.where(tuple_(*order) < (last.created_at, last.id))
    return (await session.scalars(query.order_by(*(column.desc() for column in order)).limit(limit))).all()


async def messages_of(
    session: AsyncSession, user_id: uuid.UUID, conversation_id: uuid.UUID, before: int | None, limit: int
) -> Sequence[Message]:
    """Return a conversation's last messages `before` one, oldest first. Raises ConversationNotFoundError."""
    conversation = await _own_or_new(session, user_id, conversation_id)
    return await _messages(session, conversation.id, limit, before)


OLD = {Turn: Turn.created_at < func.now() - timedelta(days=KEPT_DAYS)}
"""What nobody sends again, of all users."""


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


async def _messages(
    session: AsyncSession, conversation_id: uuid.UUID, last: int, before: int | None = None
) -> Sequence[Message]:
    query = select(Message).where(Message.conversation_id == conversation_id)
    if before is not None:
        query = query.where(Message.id < before)
    return (await session.scalars(query.order_by(Message.id.desc()).limit(last))).all()[::-1]
