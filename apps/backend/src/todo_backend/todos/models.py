"""The tables of todos and of what was changed about them."""

import uuid
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    FetchedValue,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    Time,
    event,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from todo_backend import clock
from todo_backend.database import Base

# A todo without a date comes after all that have one.
DUE = literal_column("COALESCE(due_instant, 'infinity'::timestamp with time zone)", DateTime(timezone=True))
# An open one comes before all that are done.
COMPLETED_AT = literal_column("COALESCE(completed_at, '-infinity'::timestamp with time zone)", DateTime(timezone=True))


class Todo(Base):
    """Something to do; done since `completed_at`, open while that is empty.

    The database numbers each user's todos, counts the versions of each, and keeps what is searched, whichever version
    of this code writes.
    """

    __tablename__ = "todos"
    __table_args__ = (
        CheckConstraint("priority BETWEEN 0 AND 3", name="priority"),
        CheckConstraint("(due_at IS NULL OR due_on IS NOT NULL)", name="due"),
        Index(None, "user_id", "created_at"),
        Index(None, "user_id", "number", unique=True),
        # Each order in which they are listed has one, so that the first page of many comes as fast as that of few.
        Index("ix_todos_user_id_due", "user_id", text(DUE.name), "number"),
        Index("ix_todos_user_id_priority", "user_id", text("priority DESC"), text(DUE.name), "number"),
        Index("ix_todos_user_id_title", "user_id", text("lower(title)"), "number"),
        Index("ix_todos_user_id_completed", "user_id", text(COMPLETED_AT.name), "number"),
    )
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012 - SQLAlchemy's own

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(Integer, FetchedValue())
    version: Mapped[int] = mapped_column(Integer, server_default="1", server_onupdate=FetchedValue())
    title: Mapped[str] = mapped_column(String(200))
    notes: Mapped[str] = mapped_column(Text, server_default="")
    priority: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    due_on: Mapped[date | None] = mapped_column(Date)
    due_at: Mapped[time | None] = mapped_column(Time)
    due_zone: Mapped[str | None] = mapped_column(String(64))
    # Follows from the three, see below. What is due at a time is due at that moment, wherever its owner has gone since.
    # What is due on a day is due on that day wherever its owner is; its place among the others alone is that of the
    # day's end where it was written.
    due_instant: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    search: Mapped[str] = mapped_column(Text, server_default="", deferred=True)
    """Title and notes in the form in which the database's function `searchable` brings what is searched."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


@event.listens_for(Todo, "before_insert")
@event.listens_for(Todo, "before_update")
def _written(_mapper: object, _connection: object, todo: Todo) -> None:
    at = todo.due_at
    todo.due_instant = None if todo.due_on is None else clock.due_instant(todo.due_on, at, todo.due_zone or "UTC")


class Change(Base):
    """What somebody did to a todo, and when; `before` and `after` are the todo as it was, as in `TodoView`."""

    __tablename__ = "changes"
    __table_args__ = (Index(None, "user_id", "id"), Index(None, "todo_id"), Index(None, "created_at"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    todo_id: Mapped[uuid.UUID]
    actor: Mapped[str] = mapped_column(String(16))
    actor_name: Mapped[str | None] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(16))
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    turn_id: Mapped[uuid.UUID | None]
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Confirmation(Base):
    """Several todos that are to be deleted once the user has said so: `todos` are their ids with their versions."""

    __tablename__ = "confirmations"
    __table_args__ = (Index(None, "created_at"), Index(None, "user_id", "created_at"))

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    actor: Mapped[str] = mapped_column(String(16))
    actor_name: Mapped[str | None] = mapped_column(String(100))
    todos: Mapped[dict[str, int]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
