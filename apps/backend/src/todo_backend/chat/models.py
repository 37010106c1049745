"""The tables of conversations."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from todo_backend.database import Base


class Conversation(Base):
    """One user's conversation."""

    __tablename__ = "conversations"
    __table_args__ = (Index(None, "user_id", "created_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str | None] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Message(Base):
    """What one side said; the ids' order is the order of speaking."""

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("role IN ('user', 'assistant')", name="role"),
        Index(None, "conversation_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    conversation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(9))
    content: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Turn(Base):
    """A message by the id that its sender gave it, with its answer, so that sent again it gets that one.

    While there is no answer it is at work: in the process that has written its lease last, which `epoch` tells from all
    before it, or in none, once the lease has ended.
    """

    __tablename__ = "turns"
    __table_args__ = (
        Index(None, "created_at"),
        Index("ix_turns_at_work", "lease_until", postgresql_where=text("reply IS NULL")),
        Index("uq_turns_one_in_a_conversation", "conversation_id", unique=True, postgresql_where=text("reply IS NULL")),
    )

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    message: Mapped[str] = mapped_column(Text)
    conversation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    reply: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    epoch: Mapped[int] = mapped_column(Integer, server_default="0")
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    stopped_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Step(Base):
    """A step of a turn: what the model said (`call` 0), and what each of its calls came to (1, 2, ...).

    The one is kept whole before anything follows from it, the other in the transaction that did it. So nothing is done
    twice, whoever goes on.
    """

    __tablename__ = "steps"
    __table_args__ = (ForeignKeyConstraint(["user_id", "turn_id"], ["turns.user_id", "turns.id"], ondelete="CASCADE"),)

    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    turn_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    call: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Usage(Base):
    """The tokens that a user's messages took in a day, UTC; those of deleted accounts are nobody's."""

    __tablename__ = "usage"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    tokens: Mapped[int] = mapped_column(BigInteger)
