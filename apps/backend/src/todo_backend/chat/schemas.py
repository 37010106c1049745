"""What goes in and out of the chat endpoints."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from todo_backend.chat.tools import Action
from todo_backend.text import storable


class ChatRequest(BaseModel):
    """A new message; without a conversation it begins one. Earlier messages are never taken from the client."""

    message: Annotated[str, AfterValidator(storable), Field(min_length=1, max_length=2000)]
    conversation_id: uuid.UUID | None = None


class ChatReply(BaseModel):
    """The reply, which assistant gave it, and what it changed."""

    conversation_id: uuid.UUID
    reply: str
    assistant: str
    actions: list[Action]


class MessageView(BaseModel):
    """A message as its owner sees it."""

    model_config = ConfigDict(from_attributes=True)

    role: Literal["user", "assistant"]
    content: str
    created_at: datetime


class ConversationSummary(BaseModel):
    """A conversation without its messages."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    created_at: datetime


class ConversationView(BaseModel):
    """A conversation with its messages, oldest first."""

    id: uuid.UUID
    messages: list[MessageView]
