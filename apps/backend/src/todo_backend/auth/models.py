"""The tables of accounts, and of who is logged in to them."""

import uuid
from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, Integer, LargeBinary, String, func, true
from sqlalchemy.orm import Mapped, mapped_column

from todo_backend.database import Base


class User(Base):
    """An account. Its todos, conversations and sessions go when it goes."""

    __tablename__ = "users"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    time_zone: Mapped[str] = mapped_column(String(64), server_default="UTC")
    last_number: Mapped[int] = mapped_column(Integer, server_default="0")
    """Of the todos that this user ever had; the database counts."""
    password_changed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    model_allowed: Mapped[bool] = mapped_column(server_default=true())
    """Whether messages may go to a provider of language models."""


class UserSession(Base):
    """Somebody who is logged in, until then at the latest.

    A refresh token has a part that stays and one that is good once; both are kept as hashes.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "user_id", "created_at"), Index(None, "expires_at"))

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    user_agent: Mapped[str] = mapped_column(String(200))
    refresh_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    family_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    rotated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class AccessToken(Base):
    """What an outside client asks with in a user's name, kept as a hash."""

    __tablename__ = "access_tokens"
    __table_args__ = (Index(None, "user_id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    may_write: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Browser(Base):
    """A browser that somebody has logged in with, so that others' wrong passwords do not lock it out."""

    __tablename__ = "browsers"
    __table_args__ = (Index(None, "user_id"),)

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    used_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Attempts(Base):
    """How often something was tried, by all replicas together, until the count begins anew."""

    __tablename__ = "attempts"
    __table_args__ = (Index(None, "ends_at"), {"prefixes": ["UNLOGGED"]})

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
