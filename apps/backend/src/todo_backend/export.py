"""Everything that is kept about somebody, as one JSON document that is never in memory as a whole."""

import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, Select, func, select, tuple_

from todo_backend.auth.models import AccessToken, Browser, User, UserSession
from todo_backend.auth.schemas import AccessTokenView, Account, SessionView
from todo_backend.chat.models import Conversation, Message, Step, Turn, Usage
from todo_backend.chat.schemas import MessageView
from todo_backend.database import Database
from todo_backend.todos.models import Change, Confirmation, Todo
from todo_backend.todos.schemas import ChangeView, TodoView

_PAGE = 250
_PAGE_OF_LARGE = 10
"""Of rows that have many todos in them."""


class _Kept(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class KeptConfirmation(_Kept):
    """Which todos, in which versions, the assistant has asked about."""

    id: uuid.UUID
    todos: dict[str, int]
    created_at: datetime
    used_at: datetime | None


class KeptTurn(_Kept):
    """A message with its answer, kept so that sent again it gets that one."""

    id: uuid.UUID
    message: str
    reply: dict[str, Any] | None
    created_at: datetime


class KeptConversation(_Kept):
    """A conversation with its messages."""

    id: uuid.UUID
    title: str | None
    created_at: datetime
    messages: list[MessageView]


class KeptBrowser(_Kept):
    """A browser that one has logged in with."""

    used_at: datetime


class KeptStep(_Kept):
    """What a language model said in a turn, or what one of its calls came to."""

    turn_id: uuid.UUID
    number: int
    call: int
    payload: dict[str, Any]


class KeptUsage(_Kept):
    """The tokens of language models that one's messages took in a day."""

    day: date
    tokens: int


class KeptAccount(BaseModel):
    """The account itself."""

    account: Account
    created_at: datetime
    password_changed_at: datetime | None

    @classmethod
    def of(cls, user: User) -> Self:
        """Return the view of a row."""
        account = Account.model_validate(user)
        return cls(account=account, created_at=user.created_at, password_changed_at=user.password_changed_at)


class Export(KeptAccount):
    """Everything that is kept about somebody, the oldest first."""

    todos: list[TodoView]
    changes: list[ChangeView]
    confirmations: list[KeptConfirmation]
    conversations: list[KeptConversation]
    turns: list[KeptTurn]
    steps: list[KeptStep]
    usage: list[KeptUsage]
    sessions: list[SessionView]
    browsers: list[KeptBrowser]
    access_tokens: list[AccessTokenView]


@dataclass(frozen=True)
class _Rows:
    """Rows of one user, by columns that together are unique."""

    query: Select[*tuple[Any, ...]]
    order: Sequence[ColumnElement[Any]]
    view: Callable[[Any], BaseModel]
    page: int = _PAGE


async def stream(database: Database, user: User, session_id: uuid.UUID | None) -> AsyncIterator[str]:
    """Yield an `Export` piece by piece, each read in a transaction of its own.

    Fails where one cannot be read, or the account is deleted meanwhile: the document must not end as if it were whole.
    """

    def session(row: UserSession) -> SessionView:
        return SessionView.of(row, session_id)

    messages = select(Conversation, Message).outerjoin(Message, Message.conversation_id == Conversation.id)
    by_message = (Conversation.created_at.expression, Conversation.id.expression, func.coalesce(Message.id, 0))
    lists = {
        "todos": _of(Todo, user, TodoView.of, Todo.number),
        "changes": _of(Change, user, ChangeView.of, Change.id),
        "confirmations": _of(Confirmation, user, KeptConfirmation.model_validate, page=_PAGE_OF_LARGE),
        "turns": _of(Turn, user, KeptTurn.model_validate, page=_PAGE_OF_LARGE),
        "steps": _of(Step, user, KeptStep.model_validate, Step.turn_id, Step.number, Step.call, page=_PAGE_OF_LARGE),
        "usage": _of(Usage, user, KeptUsage.model_validate, Usage.day),
        "sessions": _of(UserSession, user, session),
        "browsers": _of(Browser, user, KeptBrowser.model_validate, Browser.used_at, Browser.hash),
        "access_tokens": _of(AccessToken, user, AccessTokenView.of),
    }
    yield KeptAccount.of(user).model_dump_json().removesuffix("}")
    for name, rows in lists.items():
        yield f',"{name}":['
        separator = ""
        async for page in _pages(database, rows):
            yield separator + ",".join(rows.view(row).model_dump_json() for row, *_ in page)
            separator = ","
        yield "]"
    yield ',"conversations":['
    last: Conversation | None = None
    said = _Rows(messages.where(Conversation.user_id == user.id), by_message, MessageView.model_validate)
    async for page in _pages(database, said):
        pieces = []
        for conversation, message, *_ in page:
            begins = last is None or conversation.id != last.id
            if begins:
                kept = KeptConversation(
                    id=conversation.id, title=conversation.title, created_at=conversation.created_at, messages=[]
                )
                pieces.append(("" if last is None else "]},") + kept.model_dump_json().removesuffix("]}"))
            last = conversation
            if message is not None:
                pieces.append(("" if begins else ",") + said.view(message).model_dump_json())
        yield "".join(pieces)
    yield "]" if last is None else "]}]"
    async with database.transaction() as transaction:
        await transaction.get_one(User, user.id)
    yield "}"


def _of(
    table: Any,
    user: User,
    view: Callable[[Any], BaseModel],
    *order: Any,
    page: int = _PAGE,
) -> _Rows:
    return _Rows(select(table).where(table.user_id == user.id), order or (table.created_at, table.id), view, page)


async def _pages(database: Database, rows: _Rows) -> AsyncIterator[Sequence[Any]]:
    query = rows.query.add_columns(*rows.order).order_by(*rows.order).limit(rows.page)
    beyond = query
    while True:
        async with database.transaction() as session:
            found = (await session.execute(beyond)).all()
        if found:
            yield found
        if len(found) < rows.page:
            return
        beyond = query.where(tuple_(*rows.order) > tuple(found[-1][-len(rows.order) :]))
