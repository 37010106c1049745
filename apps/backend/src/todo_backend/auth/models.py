"""The table of accounts."""

import uuid
from datetime import datetime

from sqlalchemy import DateTime, Integer, String, func
from sqlalchemy.orm import Mapped, mapped_column

from todo_backend.database import Base


class User(Base):
    """An account. Its todos and conversations go when it goes."""

    __tablename__ = "users"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    time_zone: Mapped[str] = mapped_column(String(64), server_default="UTC")
    last_number: Mapped[int] = mapped_column(Integer, server_default="0")
    """Of the todos that this user ever had; the database counts."""
