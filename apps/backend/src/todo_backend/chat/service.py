"""Conversations in the database."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from todo_backend.chat.models import Conversation, Message, Turn, Usage
from todo_backend.chat.schemas import AtWork, ChatReply, ConversationView, MessageView
from todo_backend.database import Base
from todo_backend.text import shortened
from todo_backend.todos.models import Change
from todo_backend.todos.schemas import ConfirmationView, TodoView
from todo_backend.todos.service import AT_ONCE, KEPT_DAYS, as_they_stand, open_question, take_turn

HISTORY = 50
"""Turns of a conversation that a model is told of."""
NOBODY = uuid.UUID(int=0)
TITLE = 60
KEPT_MESSAGES = 10_000
"""Of one user, in all conversations; the oldest go, and with its last message a conversation."""
KEPT_TURNS = 1000
LONGEST_REPLY = 20_000


class Before(NamedTuple):
    """A turn that came before: its message, its reply, and what kind of change to which title stands of it."""

    message: str
    reply: str
    changes: list[tuple[str, str]]


class ConversationNotFoundError(Exception):
    """This user has no such conversation."""


async def own_or_new(
    session: AsyncSession, user_id: uuid.UUID, conversation_id: uuid.UUID | None, *, began_with: str
) -> Conversation:
    """Return the user's conversation, or a new one where none is named. Raises ConversationNotFoundError."""
    if conversation_id is not None:
        return await _own(session, user_id, conversation_id)
    title = shortened(began_with, TITLE)
    conversation = Conversation(id=uuid.uuid4(), user_id=user_id, title=title)
    session.add(conversation)
    await session.flush()
    return conversation


async def leave_usage(session: AsyncSession, user_id: uuid.UUID) -> None:
    """What a user that goes has used of the deployment's budget becomes nobody's: who signs up anew has no other."""
    gone = delete(Usage).where(Usage.user_id == user_id).returning(Usage.day, Usage.tokens)
    for day, tokens in (await session.execute(gone)).all():
        used = insert(Usage).values(day=day, user_id=NOBODY, tokens=tokens)
        more = {"tokens": Usage.tokens + used.excluded.tokens}
        await session.execute(used.on_conflict_do_update(index_elements=[Usage.day, Usage.user_id], set_=more))


async def history(session: AsyncSession, turn: Turn) -> tuple[list[Before], int]:
    """Return what a model is told of that came before a turn, newest first, and how many messages there were in all.

    It is what was said to a model: what was not meant for one, as there was none or the user had it off, stays here.
    """
    mine = (Turn.user_id == turn.user_id) & (Turn.conversation_id == turn.conversation_id)
    columns = select(Turn.id, Turn.message, Turn.reply["reply"].astext)
    before = columns.where(mine, Turn.reply.is_not(None), Turn.epoch > 0).order_by(Turn.created_at.desc())
    messages = select(func.count()).where(Message.conversation_id == turn.conversation_id)
    rows = await session.execute(before.limit(HISTORY))
    turns = {turn_id: Before(message, reply, []) for turn_id, message, reply in rows}
    title = func.coalesce(Change.after["title"].astext, Change.before["title"].astext)
    stands = (Change.user_id == turn.user_id) & Change.turn_id.in_(turns) & Change.undone_at.is_(None)
    changes = select(Change.turn_id, Change.kind, title).where(stands).order_by(Change.id)
    for turn_id, kind, changed in await session.execute(changes) if turns else ():
        turns[turn_id].changes.append((kind, changed))
    return list(turns.values()), (await session.scalars(messages)).one() - 1


async def rename(session: AsyncSession, user_id: uuid.UUID, conversation_id: uuid.UUID, title: str) -> Conversation:
    """Give a conversation another title. Raises ConversationNotFoundError."""
    conversation = await _own(session, user_id, conversation_id)
    conversation.title = title
    return conversation


async def delete_conversation(session: AsyncSession, user_id: uuid.UUID, conversation_id: uuid.UUID) -> None:
    """Delete a conversation with all that was said; what was done stays. Raises ConversationNotFoundError."""
    await take_turn(session, user_id)
    await session.delete(await _own(session, user_id, conversation_id))


async def keep_answer(session: AsyncSession, turn: Turn, reply: ChatReply) -> ChatReply:
    """Keep the answer to a turn's message, the lines of it that fit; return it as it is kept."""
    text = reply.reply
    if len(text) > LONGEST_REPLY:  # who has so many todos looks at the list
        text = text[:LONGEST_REPLY].rpartition("\n")[0] + "\n…"
    reply = reply.model_copy(update={"reply": text})
    session.add(Message(conversation_id=reply.conversation_id, role="assistant", content=text))
    turn.reply = reply.model_dump(mode="json", exclude={"confirmation": {"todos"}})
    turn.lease_until = None
    await session.flush()
    await _keep_newest(session, turn.user_id)
    return reply


async def kept_answer(session: AsyncSession, turn: Turn) -> ChatReply:
    """Return the answer with the todos that it asks about still, which are many and so not kept with it."""
    reply = dict(turn.reply or {})
    if asked := reply["confirmation"]:
        todos = await open_question(session, uuid.UUID(asked["id"]))
        reply["confirmation"] = {**asked, "todos": [TodoView.of(todo) for todo in todos]} if todos else None
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
        last = await _own(session, user_id, after)
        query = query.where(tuple_(*order) < (last.created_at, last.id))
    return (await session.scalars(query.order_by(*(column.desc() for column in order)).limit(limit))).all()


async def view(
    session: AsyncSession, user_id: uuid.UUID, conversation_id: uuid.UUID, before: int | None, limit: int
) -> tuple[ConversationView, int | None]:
    """Return a conversation with its last messages, oldest first, and where those before them end, if there are any.

    Raises ConversationNotFoundError.
    """
    conversation = await _own(session, user_id, conversation_id)
    query = select(Message).where(Message.conversation_id == conversation.id)
    if before is not None:
        query = query.where(Message.id < before)
    found = (await session.scalars(query.order_by(Message.id.desc()).limit(limit + 1))).all()[::-1]
    replies = await _replies_to(session, conversation, found)
    ids = [change["id"] for reply in replies.values() for change in reply.get("changes", ())]
    rows = (await session.scalars(select(Change).where(Change.user_id == user_id, Change.id.in_(ids)))).all()
    changes = {change.id: change for change in await as_they_stand(session, rows)}
    page = found[-limit:]
    messages = [MessageView.model_validate(message) for message in page]
    for row, message in zip(page, messages, strict=True):
        if reply := replies.get(row.id):
            message.assistant, message.notice = reply["assistant"], reply.get("notice")
            kept = (changes.get(change["id"]) for change in reply.get("changes", ()))
            message.changes = [change for change in kept if change]
    at_work = None
    if before is None and page:
        if asked := replies.get(page[-1].id, {}).get("confirmation"):
            todos = [TodoView.of(todo) for todo in await open_question(session, uuid.UUID(asked["id"]))]
            messages[-1].confirmation = ConfirmationView(id=asked["id"], todos=todos) if todos else None
        running = select(Turn).where(Turn.conversation_id == conversation.id, Turn.reply.is_(None))
        at_work = await session.scalar(running)
    return (
        ConversationView(
            id=conversation.id,
            title=conversation.title,
            messages=messages,
            at_work=AtWork.model_validate(at_work) if at_work else None,
        ),
        page[0].id if len(found) > limit else None,
    )


async def _replies_to(
    session: AsyncSession, conversation: Conversation, messages: Sequence[Message]
) -> dict[int, dict[str, Any]]:
    """Return what is kept of answers, by their messages' ids; `messages` follow each other.

    A turn and the message that began it are of one transaction, so of one time; what comes next is its answer.
    """
    asked = {
        question.created_at: answer.id
        for question, answer in pairwise(messages)
        if (question.role, answer.role) == ("user", "assistant")
    }
    mine = (Turn.user_id == conversation.user_id) & (Turn.conversation_id == conversation.id)
    query = select(Turn.created_at, Turn.reply).where(mine, Turn.created_at.in_(list(asked)), Turn.reply.is_not(None))
    return {asked[created_at]: reply for created_at, reply in await session.execute(query) if reply is not None}


OLD: dict[type[Base], ColumnElement[bool]] = {
    Turn: Turn.created_at < func.now() - timedelta(days=KEPT_DAYS),
    Usage: Usage.day < func.current_date() - KEPT_DAYS,
}
"""What nobody sends again, and what counts for no budget any more, of all users."""


async def _own(session: AsyncSession, user_id: uuid.UUID, conversation_id: uuid.UUID) -> Conversation:
    query = select(Conversation).where(Conversation.id == conversation_id, Conversation.user_id == user_id)
    found = await session.scalar(query)
    if found is None:
        raise ConversationNotFoundError
    return found
