"""What one can do with todos: the same for the HTTP endpoints and the assistants' tools.

Each function works within the caller's transaction and sees one user's todos only. Every change leaves a row that says
who made it, and what was there before.
"""

import base64
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from psycopg.errors import UniqueViolation
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    String,
    Text,
    Uuid,
    and_,
    case,
    cast,
    delete,
    func,
    insert,
    not_,
    null,
    or_,
    select,
    text,
)
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from todo_backend import metrics
from todo_backend.auth.models import User
from todo_backend.dates import Due
from todo_backend.todos.models import COMPLETED_AT, DUE, Change, Confirmation, Todo
from todo_backend.todos.schemas import (
    PRIORITIES,
    ActorKind,
    ChangeView,
    Counts,
    Deleted,
    ListedChange,
    Overview,
    OverviewPart,
    OverviewQuery,
    Priority,
    TodoQuery,
    TodoView,
)

KEPT_DAYS = 30
"""For how long a change can be taken back, and so what was deleted is kept."""
KEPT_CHANGES = 20_000
"""Of one user; the oldest go, and what was forgotten cannot be taken back."""
CONFIRMATION_MINUTES = 15
KEPT_CONFIRMATIONS = 20
UNDONE_AT_ONCE = 100
MOST_WORDS = 8
SEARCH_SECONDS = 3
"""What a search may ask for, and how long it may take."""
SILENT_SECONDS = 20
"""How long a transaction that others wait for may say nothing: nobody tells the database of a machine that is gone."""
AT_ONCE = 10_000
"""How many rows too many one transaction deletes; the next one goes on."""
Kind = Literal["add", "update", "complete", "reopen", "delete", "undo"]


class TodoNotFoundError(Exception):
    """This user has no such todo."""


class ConflictError(Exception):
    """What is there is not what it was thought to be; the message says so to the user."""


class QuotaError(Exception):
    """This user has as many todos as one may have; the message says so."""


@dataclass(frozen=True)
class Actor:
    """Who changes something: the user, the built-in assistant, a model by its name, or a client by its token's name."""

    kind: ActorKind
    name: str | None = None
    turn_id: uuid.UUID | None = None


USER = Actor("user")


@dataclass(frozen=True)
class Page:
    """Some of a user's todos, and where the next ones begin; empty where there are no more."""

    todos: Sequence[Todo]
    after: str


# Looking


async def list_todos(session: AsyncSession, user_id: uuid.UUID, query: TodoQuery, now: datetime) -> Page:
    """Return a page of the user's todos. `now` is the user's.

    Raises ValueError for an `after` that no page gave, and for too many words.
    """
    order = _ORDERS[query.sort]
    place = [cast(column, Text).label(f"place_{number}") for number, (column, _) in enumerate(order)]
    wanted = select(Todo, *place).where(Todo.user_id == user_id, *_filters(query, now))
    if query.after:
        wanted = wanted.where(_beyond(order, _position(query.after, len(order))))
    wanted = wanted.order_by(*(column.desc() if down else column.asc() for column, down in order))
    if query.q:  # it reads all that there is of a user, which no other question does
        await session.execute(text(f"SET LOCAL statement_timeout = '{SEARCH_SECONDS}s'"))
    try:
        found = (await session.execute(wanted.limit(query.limit + 1))).all()
    except DataError:
        raise ValueError(_NO_PLACE) from None
    if query.q:
        await session.execute(text("SET LOCAL statement_timeout TO DEFAULT"))
    page = found[: query.limit]
    return Page([row[0] for row in page], _cursor(page[-1][1:]) if len(found) > query.limit else "")


async def overview(session: AsyncSession, user_id: uuid.UUID, query: OverviewQuery, now: datetime) -> Overview:
    """Return how a user's todos begin, in a transaction of its own. `now` is the user's. Raises ValueError as above."""
    # Between two questions a todo may be completed, and were in neither answer.
    await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    which = query.model_dump(exclude={"open", "done"})

    async def part(limit: int, **state: Any) -> OverviewPart:
        if not limit:
            return OverviewPart(todos=[], after=None)
        page = await list_todos(session, user_id, TodoQuery(**{**which, **state, "limit": limit}), now)
        return OverviewPart(todos=[TodoView.of(todo) for todo in page.todos], after=page.after or None)

    mine = select(func.count().filter(Todo.completed_at.is_(None)), func.count(Todo.completed_at))
    still_open, done = (await session.execute(mine.where(Todo.user_id == user_id))).one()
    return Overview(
        open=await part(query.open, state="open"),
        done=await part(query.done, state="done", sort="-completed"),
        counts=Counts(open=still_open, done=done),
    )


_Order = Sequence[tuple[ColumnElement[Any], bool]]
"""Columns that together are unique, each with whether the greatest comes first."""
_ORDERS: Mapping[str, _Order] = {
    "number": [(Todo.number.expression, False)],
    "-number": [(Todo.number.expression, True)],
    "due": [(DUE, False), (Todo.number.expression, False)],
    "-priority": [(Todo.priority.expression, True), (DUE, False), (Todo.number.expression, False)],
    "title": [(func.lower(Todo.title, type_=String), False), (Todo.number.expression, False)],
    "-completed": [(COMPLETED_AT, True), (Todo.number.expression, True)],
}


def _filters(query: TodoQuery, now: datetime) -> list[ColumnElement[bool]]:
    today = now.date()
    tomorrow = today + timedelta(days=1)
    found: list[ColumnElement[bool]] = []
    if query.state != "all":
        found.append(Todo.completed_at.is_(None) if query.state == "open" else Todo.completed_at.is_not(None))
    if query.priority:
        found.append(Todo.priority == PRIORITIES.index(query.priority))
    words = set(query.q.split())
    if len(words) > MOST_WORDS:
        raise ValueError(f"Search for {MOST_WORDS} different words at most.")
    kept = _undotted(Todo.search.expression)
    found += [func.strpos(kept, _undotted(func.searchable(word))) > 0 for word in sorted(words)]
    match query.due:
        case "none":
            found.append(Todo.due_on.is_(None))
        case "today":
            found += [not_(_due_before(now, today)), _due_before(now, tomorrow)]
        case "week":
            found.append(_due_before(now, tomorrow + timedelta(days=6 - today.weekday())))
        case "upcoming":
            found.append(not_(_due_before(now, tomorrow)))
        case "overdue":
            found.append(Todo.completed_at.is_(None))
            found.append(or_(_due_before(now, today), and_(Todo.due_at.is_not(None), Todo.due_instant < now)))
        case None:
            pass
    return found


def _undotted(searchable: ColumnElement[str]) -> ColumnElement[str]:
    return func.replace(searchable, "İ", "I")  # as `text.comparable` has it


def _due_before(now: datetime, day: date) -> ColumnElement[bool]:
    """Due before that day begins for the user: NULL for what is not due at all, and so is its opposite."""
    begins = datetime.combine(day, time(), now.tzinfo)
    return case((Todo.due_at.is_(None), Todo.due_on < day), else_=Todo.due_instant < begins)


def _beyond(order: _Order, position: Sequence[Any]) -> ColumnElement[bool]:
    """What comes after a position."""
    ways = []
    for index, (column, down) in enumerate(order):
        equal = [other == cast(position[before], other.type) for before, (other, _) in enumerate(order[:index])]
        here = cast(position[index], column.type)
        ways.append(and_(*equal, column < here if down else column > here))
    return or_(*ways)


_NO_PLACE = "after: this is no place that a page ended at"


def _cursor(position: Sequence[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(position)).encode()).decode()


def _position(cursor: str, length: int) -> list[Any]:
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor))
        "".join(position).encode()  # half of a surrogate pair cannot be
    except (TypeError, ValueError):
        position = None
    if not isinstance(position, list) or len(position) != length:
        raise ValueError(_NO_PLACE)
    return position


async def get_todo(session: AsyncSession, user_id: uuid.UUID, todo_id: uuid.UUID) -> Todo:
    """Return one of the user's todos. Raises TodoNotFoundError."""
    todo = await session.scalar(select(Todo).where(Todo.id == todo_id, Todo.user_id == user_id))
    if todo is None:
        raise TodoNotFoundError
    return todo


async def get_numbered(session: AsyncSession, user_id: uuid.UUID, number: int) -> Todo:
    """Return the user's todo of this number. Raises TodoNotFoundError."""
    todo = await session.scalar(select(Todo).where(Todo.user_id == user_id, Todo.number == number))
    if todo is None:
        raise TodoNotFoundError
    return todo


# Changing


@dataclass(frozen=True)
class Wanted:
    """What a todo is to be; what is not given stays, or is as it is at first."""

    title: str | None = None
    notes: str | None = None
    completed: bool | None = None
    due: Due | Literal["", "never"] = ""
    """`never` takes the date away."""
    priority: Priority | Literal["", "none"] = ""
    """`none` takes the priority away."""

    def apply(self, todo: Todo, time_zone: str) -> None:
        """Write it to a row."""
        if self.title is not None:
            todo.title = self.title
        if self.notes is not None:
            todo.notes = self.notes
        if self.priority:
            todo.priority = 0 if self.priority == "none" else PRIORITIES.index(self.priority)
        if isinstance(self.due, Due):
            todo.due_on, todo.due_at, todo.due_zone = self.due.day, self.due.at, time_zone
        elif self.due == "never":
            todo.due_on = todo.due_at = todo.due_zone = None
        if self.completed is not None and self.completed != (todo.completed_at is not None):
            todo.completed_at = func.now() if self.completed else None


async def add_todo(
    session: AsyncSession,
    user_id: uuid.UUID,
    wanted: Wanted,
    *,
    actor: Actor,
    time_zone: str,
    most: int,
    todo_id: uuid.UUID | None = None,
) -> Todo:
    """Add a todo. Raises QuotaError, and ConflictError where `todo_id` is somebody's, or was one that is deleted."""
    await _begin(session, user_id)
    if todo_id is not None and (there := await session.get(Todo, todo_id)):
        return _sent_again(there, user_id)
    if todo_id is not None:
        owner = await session.scalar(select(Change.user_id).where(Change.todo_id == todo_id).limit(1))
        if owner is not None:  # who can take its deletion back
            raise ConflictError("This todo was added, and has been deleted since." if owner == user_id else _ANOTHER)
    await _leave_room(session, user_id, most)
    todo = Todo(id=todo_id or uuid.uuid4(), user_id=user_id, notes="", priority=0)
    wanted.apply(todo, time_zone)
    try:
        async with session.begin_nested():
            session.add(todo)
    except IntegrityError as error:
        if todo_id is None or not isinstance(error.orig, UniqueViolation):
            raise
        # of two at once this is the second
        return _sent_again(await session.get_one(Todo, todo_id), user_id)
    _record(session, "add", actor, todo, before=None, after=todo)
    return todo


async def take_turn(session: AsyncSession, user_id: uuid.UUID) -> None:
    """Wait until no other transaction changes what this user has: counts stay true, and locks have one order.

    From then on the transaction ends where nothing is said in it for SILENT_SECONDS.
    """
    ends = func.set_config("idle_in_transaction_session_timeout", f"{SILENT_SECONDS}s", True)
    await session.execute(select(User.id, ends).where(User.id == user_id).with_for_update(key_share=True))


async def _begin(session: AsyncSession, user_id: uuid.UUID) -> None:
    """Take one's turn to change todos, and forget the oldest changes where there are too many."""
    await take_turn(session, user_id)
    changes = select(Change.id).where(Change.user_id == user_id).order_by(Change.id.desc())
    old = changes.offset(KEPT_CHANGES).limit(AT_ONCE).scalar_subquery()
    await session.execute(delete(Change).where(Change.id.in_(old)))


async def _leave_room(session: AsyncSession, user_id: uuid.UUID, most: int) -> None:
    """Raise QuotaError where there are as many todos as one may have."""
    if (await session.scalar(select(func.count()).where(Todo.user_id == user_id)) or 0) >= most:
        raise QuotaError(f"You have {most} todos, which is the most that one can have. Delete some first.")


_ANOTHER = "There is another todo with this id."


def _sent_again(there: Todo, user_id: uuid.UUID) -> Todo:
    """The todo, whose first answer was lost."""
    if there.user_id != user_id:
        raise ConflictError(_ANOTHER)
    return there


async def change_todo(
    session: AsyncSession,
    user_id: uuid.UUID,
    todo_id: uuid.UUID,
    wanted: Wanted,
    *,
    actor: Actor,
    time_zone: str,
    version: int | None = None,
) -> Todo:
    """Change what is given. Raises TodoNotFoundError, and ConflictError where the todo has another version."""
    todo = await _own(session, user_id, todo_id)
    if version is not None and version != todo.version:
        raise ConflictError("This todo has been changed meanwhile; look at it again.")
    before = _kept(todo)
    wanted.apply(todo, time_zone)
    if session.is_modified(todo):
        await session.flush()
        await session.refresh(todo)
        after = _kept(todo)
        kind: Kind = "update"
        if before["completed"] != after["completed"]:
            kind = "complete" if after["completed"] else "reopen"
        _record(session, kind, actor, todo, before=before, after=after)
    return todo


async def delete_todo(
    session: AsyncSession, user_id: uuid.UUID, todo_id: uuid.UUID, *, actor: Actor, version: int | None = None
) -> Change:
    """Delete a todo and return the change, which can be undone. Raises TodoNotFoundError and ConflictError."""
    todo = await _own(session, user_id, todo_id)
    if version is not None and version != todo.version:
        raise ConflictError("This todo has been changed meanwhile; look at it again.")
    change = _record(session, "delete", actor, todo, before=todo, after=None)
    await session.delete(todo)
    await session.flush()
    return change


async def _own(session: AsyncSession, user_id: uuid.UUID, todo_id: uuid.UUID) -> Todo:
    # Locked, so that of two changes at once the second sees the first.
    await _begin(session, user_id)
    query = select(Todo).where(Todo.id == todo_id, Todo.user_id == user_id).with_for_update()
    todo = await session.scalar(query)
    if todo is None:
        raise TodoNotFoundError
    return todo


# Taking back


def _by(actor: Actor) -> ColumnElement[bool]:
    return (Change.actor == actor.kind) & Change.actor_name.is_not_distinct_from(actor.name)


async def list_changes(
    session: AsyncSession, user_id: uuid.UUID, before: int | None, limit: int, by: Actor | None = None
) -> Sequence[Change]:
    """Return the user's changes, the newest first, from `before` on; those of one actor where one is given."""
    query = select(Change).where(Change.user_id == user_id)
    if before is not None:
        query = query.where(Change.id < before)
    if by is not None:
        query = query.where(_by(by))
    return (await session.scalars(query.order_by(Change.id.desc()).limit(limit))).all()


async def list_actors(
    session: AsyncSession, user_id: uuid.UUID, today: datetime
) -> Sequence[Row[str, str | None, int, int]]:
    """Return who changed the user's todos: kind, name, last change, and how many since `today` began still stand."""
    standing = (Change.created_at >= today, Change.undone_at.is_(None), Change.kind != "undo")
    columns = (Change.actor, Change.actor_name, func.max(Change.id), func.count().filter(*standing))
    query = select(*columns).where(Change.user_id == user_id).group_by(Change.actor, Change.actor_name)
    return (await session.execute(query.order_by(func.max(Change.id).desc()))).all()


async def obstacles(session: AsyncSession, changes: Sequence[Change]) -> dict[int, str]:
    """Return why changes cannot be taken back, by the ids of those that cannot."""
    later = aliased(Change)
    after_it = (later.todo_id == Change.todo_id) & (later.user_id == Change.user_id) & (later.id > Change.id)
    query = (
        select(
            Change.id,
            Todo.version,
            func.count(later.id).filter(later.after.is_not(null())),
            func.count(later.id).filter(later.undone_at.is_(None), later.kind != "undo"),
        )
        .outerjoin(Todo, (Todo.id == Change.todo_id) & (Todo.user_id == Change.user_id))
        .outerjoin(later, after_it)
        .where(Change.id.in_([change.id for change in changes]))
        .group_by(Change.id, Todo.version)
    )
    known = {change_id: others for change_id, *others in await session.execute(query)}
    found = {change.id: _obstacle(change, *known[change.id]) for change in changes}
    return {change_id: why for change_id, why in found.items() if why}


async def as_they_stand(session: AsyncSession, changes: Sequence[Change]) -> list[ListedChange]:
    """Return changes with what stands in the way of taking them back."""
    why = await obstacles(session, changes)
    return [ListedChange.of(change).model_copy(update={"obstacle": why.get(change.id)}) for change in changes]


def _obstacle(change: Change, version: int | None, counted: int, standing: int) -> str | None:
    """Why a change cannot be taken back: its todo's version, later changes that counted it up, and those that stand.

    A todo is as a change left it where all later ones were taken back. Each of them, and each that took one back,
    counted the version up by one, but for those that left no todo. A change without a row, as by code of the version
    before, makes it a greater one.
    """
    if change.undone_at is not None:
        return "This was taken back already."
    if change.kind == "undo":
        return "What was taken back cannot be taken back once more."
    if change.after is None:
        return None if version is None else "This todo is on your list again."
    if version is None:
        return "This todo has been deleted since."
    if standing or version != change.after["version"] + counted:
        return "This todo has been changed since."
    return None


@dataclass(frozen=True)
class TakenBack:
    """What was taken back, what was not and why, and where the next ones begin, if there are more."""

    undone: Sequence[Change]
    refused: Sequence[tuple[Change, str]]
    before: int | None


async def undo_since(
    session: AsyncSession, user_id: uuid.UUID, by: Actor, since: datetime, before: int, *, actor: Actor, most: int
) -> TakenBack:
    """Take back, newest first, what an actor has changed since a moment, some at a time."""
    await take_turn(session, user_id)
    query = select(Change).where(Change.user_id == user_id, _by(by), Change.created_at >= since, Change.id < before)
    query = query.where(Change.undone_at.is_(None), Change.kind != "undo").order_by(Change.id.desc())
    changes = (await session.scalars(query.limit(UNDONE_AT_ONCE))).all()
    undone: list[Change] = []
    refused: list[tuple[Change, str]] = []
    for change in changes:
        try:
            async with session.begin_nested():
                await undo(session, user_id, change.id, actor=actor, most=most)
            undone.append(change)
        except (ConflictError, QuotaError) as error:
            refused.append((change, str(error)))
    return TakenBack(undone, refused, changes[-1].id if len(changes) == UNDONE_AT_ONCE else None)


async def undo(session: AsyncSession, user_id: uuid.UUID, change_id: int, *, actor: Actor, most: int) -> Change:
    """Take back a change; return the change that this is. Raises TodoNotFoundError, ConflictError and QuotaError."""
    await _begin(session, user_id)
    query = select(Change).where(Change.id == change_id, Change.user_id == user_id).with_for_update()
    change = await session.scalar(query)
    if change is None:
        raise TodoNotFoundError
    mine = select(Todo).where(Todo.id == change.todo_id, Todo.user_id == user_id)
    todo = await session.scalar(mine.with_for_update())
    if why := (await obstacles(session, [change])).get(change.id):
        raise ConflictError(why)
    if todo is None:
        await _leave_room(session, user_id, most)
    change.undone_at = func.now()
    was = None if todo is None else _kept(todo)
    if change.before is None:
        assert todo is not None  # noqa: S101 - an added todo has an `after`
        await session.delete(todo)
        return _record(session, "undo", actor, todo, before=was, after=None)
    if todo is None:
        todo = Todo(id=change.todo_id, user_id=user_id, **_columns(change.before))
        todo.number, todo.version = change.before["number"], change.before["version"] + 1
        todo.created_at = datetime.fromisoformat(change.before["created_at"])
        try:
            async with session.begin_nested():
                session.add(todo)
        except IntegrityError as error:
            if not isinstance(error.orig, UniqueViolation):
                raise
            raise ConflictError(_ANOTHER) from None
    else:
        for name, value in _columns(change.before).items():
            setattr(todo, name, value)
    await session.flush()
    await session.refresh(todo)
    return _record(session, "undo", actor, todo, before=was, after=todo)


def _columns(kept: Mapping[str, Any]) -> dict[str, Any]:
    """What a kept todo is to be written as."""
    day, _, at = (kept["due"] or "").partition("T")
    completed_at = kept["completed_at"]
    return {
        "title": kept["title"],
        "notes": kept["notes"],
        "priority": PRIORITIES.index(kept["priority"]),
        "due_on": date.fromisoformat(day) if day else None,
        "due_at": datetime.strptime(at, "%H:%M").time() if at else None,  # noqa: DTZ007 - on the user's clocks
        "due_zone": kept["due_time_zone"],
        "completed_at": datetime.fromisoformat(completed_at) if completed_at else None,
    }


def _kept(todo: Todo) -> dict[str, Any]:
    return TodoView.of(todo).model_dump(mode="json")


def _record(
    session: AsyncSession,
    kind: Kind,
    actor: Actor,
    todo: Todo,
    *,
    before: Todo | dict[str, Any] | None,
    after: Todo | dict[str, Any] | None,
) -> Change:
    change = Change(
        user_id=todo.user_id,
        todo_id=todo.id,
        actor=actor.kind,
        actor_name=actor.name,
        turn_id=actor.turn_id,
        kind=kind,
        before=_kept(before) if isinstance(before, Todo) else before,
        after=_kept(after) if isinstance(after, Todo) else after,
    )
    session.add(change)
    metrics.CHANGES.labels(kind, actor.kind).inc()
    return change


# Several at once


async def ask_to_delete(
    session: AsyncSession, user_id: uuid.UUID, todos: Sequence[TodoView], *, actor: Actor
) -> Confirmation:
    """Keep what is to be deleted once the user has confirmed it: just these, as they are now."""
    confirmation = Confirmation(
        user_id=user_id,
        actor=actor.kind,
        actor_name=actor.name,
        todos={str(todo.id): todo.version for todo in todos},
    )
    session.add(confirmation)
    await session.flush()
    mine = select(Confirmation.id).where(Confirmation.user_id == user_id)
    mine = mine.order_by(Confirmation.created_at.desc(), Confirmation.id).offset(KEPT_CONFIRMATIONS)
    await session.execute(delete(Confirmation).where(Confirmation.id.in_(mine.scalar_subquery())))
    return confirmation


async def open_question(session: AsyncSession, confirmation_id: uuid.UUID) -> Sequence[Todo]:
    """Return the todos of a question that can be answered still; none where it cannot."""
    fresh = Confirmation.created_at >= func.now() - timedelta(minutes=CONFIRMATION_MINUTES)
    query = select(Confirmation).where(Confirmation.id == confirmation_id, Confirmation.used_at.is_(None), fresh)
    asked = await session.scalar(query)
    if asked is None:
        return []
    ids = cast([uuid.UUID(name) for name in asked.todos], ARRAY(Uuid))
    return (await session.scalars(select(Todo).where(Todo.id == func.any(ids)).order_by(Todo.number))).all()


async def answer(session: AsyncSession, user_id: uuid.UUID, confirmation_id: uuid.UUID) -> Confirmation:
    """Return what was asked, which is answered from now on: where nothing else is done, what it is about stays.

    Raises TodoNotFoundError where nothing was asked, and ConflictError where it was answered, or too long ago.
    """
    await _begin(session, user_id)
    query = select(Confirmation).where(Confirmation.id == confirmation_id, Confirmation.user_id == user_id)
    asked = await session.scalar(query.with_for_update())
    if asked is None:
        raise TodoNotFoundError
    if asked.used_at is not None:
        raise ConflictError("This was answered already.")
    now = (await session.scalars(select(func.now()))).one()
    if asked.created_at < now - timedelta(minutes=CONFIRMATION_MINUTES):
        raise ConflictError("This was asked too long ago; ask again.")
    asked.used_at = now
    return asked


async def confirm(session: AsyncSession, user_id: uuid.UUID, confirmation_id: uuid.UUID) -> Deleted:
    """Delete what was asked about, once; return that, and what was left because it has changed or is gone.

    Raises TodoNotFoundError and ConflictError as `answer` does.
    """
    asked = await answer(session, user_id, confirmation_id)
    versions = {uuid.UUID(name): version for name, version in asked.todos.items()}
    mine = select(Todo).where(Todo.user_id == user_id, Todo.id == func.any(cast(list(versions), ARRAY(Uuid))))
    there = await session.scalars(mine.order_by(Todo.number).with_for_update())
    todos = [todo for todo in there if todo.version == versions[todo.id]]
    changes: Sequence[Change] = ()
    if todos:
        made = {"user_id": user_id, "actor": asked.actor, "actor_name": asked.actor_name, "kind": "delete"}
        rows = [{**made, "todo_id": todo.id, "before": _kept(todo)} for todo in todos]
        changes = (await session.scalars(insert(Change).returning(Change, sort_by_parameter_order=True), rows)).all()
        gone = cast([todo.id for todo in todos], ARRAY(Uuid))
        await session.execute(
            delete(Todo).where(Todo.id == func.any(gone)).execution_options(synchronize_session=False)
        )
        metrics.CHANGES.labels("delete", asked.actor).inc(len(todos))
    return Deleted(
        deleted=[TodoView.of(todo) for todo in todos],
        changes=[ChangeView.of(change) for change in changes],
        left=sorted(versions.keys() - {todo.id for todo in todos}),
    )


OLD = {table: table.created_at < func.now() - timedelta(days=KEPT_DAYS) for table in (Change, Confirmation)}
"""What can be taken back no longer, of all users."""
