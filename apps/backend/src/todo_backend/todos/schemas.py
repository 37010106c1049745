"""What goes in and out of the todo endpoints."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from todo_backend.dates import Due
from todo_backend.text import one_line, storable, visible_line
from todo_backend.todos.models import Change, Todo

Title = Annotated[str, AfterValidator(visible_line), Field(min_length=1, max_length=200)]
Notes = Annotated[str, AfterValidator(storable), Field(max_length=5000)]
DueText = Annotated[
    str,
    AfterValidator(one_line),
    Field(max_length=100, description="ISO 8601 (2026-03-12, 2026-03-12T18:00), or plain words: “tomorrow at 5”"),
]
Priority = Literal["low", "medium", "high"]
PRIORITIES: tuple[Priority | None, ...] = (None, "low", "medium", "high")
"""By the number that the database keeps."""
State = Literal["all", "open", "done"]
DueWithin = Literal["overdue", "today", "week", "upcoming", "none"]
Sort = Literal["number", "-number", "due", "-priority", "title", "-completed"]


class _Strict(BaseModel):
    """What is not known is refused: it would be lost without a word."""

    model_config = ConfigDict(extra="forbid")


class TodoCreate(_Strict):
    """A new todo. With an `id` of one's own it may be sent again after a lost answer: there will be one."""

    id: uuid.UUID | None = None
    title: Title
    notes: Notes = ""
    due: DueText | None = None
    priority: Priority | None = None


class TodoChange(_Strict):
    """What to change; what is left out stays. With a `version` it is refused where the todo has another one by now."""

    title: Title | None = None
    notes: Notes | None = None
    completed: bool | None = None
    due: DueText | None = Field(default=None, description="null takes the date away")
    priority: Priority | None = Field(default=None, description="null takes the priority away")
    version: int | None = None


class TodoView(BaseModel):
    """A todo as its owner sees it. `due` is a day, or a day with a time on the clocks of `due_time_zone`."""

    id: uuid.UUID
    number: int
    version: int
    title: str
    notes: str
    completed: bool
    due: str | None
    due_time_zone: str | None
    priority: Priority | None
    created_at: datetime
    completed_at: datetime | None

    @classmethod
    def of(cls, todo: Todo) -> Self:
        """Return the view of a row."""
        return cls(
            id=todo.id,
            number=todo.number,
            version=todo.version,
            title=todo.title,
            notes=todo.notes,
            completed=todo.completed_at is not None,
            due=None if todo.due_on is None else str(Due(todo.due_on, todo.due_at)),
            due_time_zone=todo.due_zone,
            priority=PRIORITIES[todo.priority],
            created_at=todo.created_at,
            completed_at=todo.completed_at,
        )


class Counts(BaseModel):
    """How many todos somebody has."""

    open: int
    done: int


ActorKind = Literal["user", "built-in", "model", "client"]


class ChangeView(BaseModel):
    """A change, who made it, and whether it was taken back."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    kind: Literal["add", "update", "complete", "reopen", "delete", "undo"]
    actor: ActorKind
    actor_name: str | None
    todo_id: uuid.UUID
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    created_at: datetime
    undone_at: datetime | None

    @classmethod
    def of(cls, change: Change) -> Self:
        """Return the view of a row."""
        return cls.model_validate(change)


class ListedChange(ChangeView):
    """A change as it stands now; `obstacle` says why it cannot be taken back, where it cannot."""

    obstacle: str | None = None


class ActorView(BaseModel):
    """Who has changed something in the last 30 days, the last change, and how many of today's still stand."""

    actor: ActorKind
    actor_name: str | None
    last: int
    today: int


class TodaysUndo(_Strict):
    """Whose changes of today are to be taken back, those `before` a change's id: what was seen, and nothing newer."""

    actor: ActorKind
    actor_name: Annotated[str, Field(max_length=100)] | None = None
    before: int = Field(ge=0, le=2**63 - 1)


class TakenBackView(BaseModel):
    """What was taken back, and what was refused; with `before` there are more, from there on."""

    undone: list[int]
    refused: list[ListedChange]
    before: int | None


class ConfirmationView(BaseModel):
    """Todos that are deleted once their owner says so at the endpoint of confirmations."""

    id: uuid.UUID
    todos: list[TodoView]


class Deleted(BaseModel):
    """What a confirmation deleted, by which changes, and what it left because it has changed since, or is gone."""

    deleted: list[TodoView]
    changes: list[ChangeView]
    left: list[uuid.UUID]


def _searched(value: str) -> str:
    return visible_line(value) if value else ""


class Which(BaseModel):
    """Which todos."""

    model_config = ConfigDict(extra="forbid")

    due: DueWithin | None = Field(
        default=None, description="`week`: until the end of this one; `upcoming`: after today"
    )
    priority: Priority | None = None
    q: Annotated[str, AfterValidator(_searched)] = Field(
        default="", max_length=200, description="words that occur in title or notes, eight at most"
    )
    sort: Sort = "number"


class TodoQuery(Which):
    """Which todos, and in which order."""

    state: State = "all"
    limit: int = Field(default=1000, ge=1, le=1000)
    after: str = Field(default="", max_length=4000, description="from the `Link` header of the page before")


class OverviewQuery(Which):
    """Which todos, in which order the open ones, and how many at most."""

    open: int = Field(default=50, ge=1, le=1000)
    done: int = Field(default=50, ge=0, le=1000)


class OverviewPart(BaseModel):
    """The first todos of one state, and what `after` of `GET /todos` is for those that follow them."""

    todos: list[TodoView]
    after: str | None


class Overview(BaseModel):
    """The open ones in the order that was asked for, those that are done by when, the last first."""

    open: OverviewPart
    done: OverviewPart
    counts: Counts = Field(description="of all that somebody has")
