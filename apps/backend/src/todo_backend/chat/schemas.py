"""What goes in and out of the chat endpoints."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from todo_backend.chat.tools import Action
from todo_backend.text import one_line, storable
from todo_backend.todos.schemas import ChangeView, ConfirmationView, ListedChange, Priority


class ChatRequest(BaseModel):
    """A new message; without a conversation it begins one. Earlier messages are never taken from the client.

    With an `id` of one's own it may be sent again after a lost answer: it is answered once.
    """

    id: uuid.UUID | None = None
    message: Annotated[str, AfterValidator(storable), Field(min_length=1, max_length=2000)]
    conversation_id: uuid.UUID | None = None


class StreamRequest(ChatRequest):
    """A new message; or the same one again, with the id of the last event of its stream that was seen."""

    after: Annotated[str, Field(pattern=r"^([0-9]{1,9}\.[0-9]{1,4}\.[0-9]{1,9})?$")] = ""


class ChatReply(BaseModel):
    """The reply, which assistant gave it, what it changed, and what it would delete once that is confirmed.

    Where the built-in assistant answers although there is a model, `notice` says why.
    """

    conversation_id: uuid.UUID
    reply: str
    assistant: str
    actions: list[Action]
    confirmation: ConfirmationView | None = None
    notice: str | None = None
    changes: list[ChangeView] = []


class MessageView(BaseModel):
    """A message as its owner sees it.

    Of an answer of the last 30 days also who gave it, why it was not the model, and what it changed, as it stands now.
    """

    model_config = ConfigDict(from_attributes=True)

    role: Literal["user", "assistant"]
    content: str
    created_at: datetime
    assistant: str | None = None
    notice: str | None = None
    changes: list[ListedChange] = []
    confirmation: ConfirmationView | None = None


class ProposalRequest(BaseModel):
    """Notes or a list from elsewhere; without a line end one sentence."""

    text: Annotated[str, AfterValidator(storable), Field(min_length=1, max_length=10_000)]


class Proposal(BaseModel):
    """What may become a todo: sent as a new one, with the `id` that makes it one however often it is accepted."""

    id: uuid.UUID
    title: str
    notes: str
    due: str | None
    priority: Priority | None


class ConversationSummary(BaseModel):
    """A conversation without its messages."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    title: str | None
    created_at: datetime


class ConversationChange(BaseModel):
    """What to change."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, AfterValidator(one_line), Field(min_length=1, max_length=100)]


class Serving(BaseModel):
    """Which assistant would answer now, and which provider it would send messages and todos to.

    Where there is a model and the built-in assistant answers nevertheless, `notice` says why.
    """

    assistant: str
    provider: str | None = None
    notice: str | None = None


class AtWork(BaseModel):
    """A message that is being answered still: sent again with its id, its answer is streamed."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    message: str


class ConversationView(BaseModel):
    """A conversation with its messages, oldest first."""

    id: uuid.UUID
    title: str | None
    messages: list[MessageView]
    at_work: AtWork | None = None
