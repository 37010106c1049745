"""What goes in and out of the chat endpoints."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from todo_backend.chat.tools import Action
from todo_backend.text import storable
from todo_backend.todos.schemas import ConfirmationView


class ChatRequest(BaseModel):
    """A new message; without a conversation it begins one. Earlier messages are never taken from the client.

    With an `id` of one's own it may be sent again after a lost answer: it is answered once.
    """

    id: uuid.UUID | None = None
    message: Annotated[str, AfterValidator(storable), Field(min_length=1, max_length=2000)]
    conversation_id: uuid.UUID | None = None


class ChatReply(BaseModel):
    """The reply, which assistant gave it, what it changed, and what it would delete once that is confirmed."""

    conversation_id: uuid.UUID
    reply: str
    assistant: str
    actions: list[Action]
    confirmation: ConfirmationView | None = None


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
