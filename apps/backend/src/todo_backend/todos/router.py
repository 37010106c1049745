"""The todo endpoints."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response

from todo_backend import dates
from todo_backend.auth.dependencies import CurrentUser
from todo_backend.auth.models import User
from todo_backend.clock import now_in
from todo_backend.dependencies import Config, Db, RetriedRoute
from todo_backend.errors import problem
from todo_backend.todos import service
from todo_backend.todos.schemas import (
    ActorKind,
    ActorView,
    ChangeView,
    Deleted,
    ListedChange,
    Overview,
    OverviewQuery,
    TakenBackView,
    TodaysUndo,
    TodoChange,
    TodoCreate,
    TodoQuery,
    TodoView,
)
from todo_backend.todos.service import USER, Actor, ConflictError, QuotaError, TodoNotFoundError, Wanted

router = APIRouter(tags=["todos"], route_class=RetriedRoute)

ChangeId = Annotated[int, Path(ge=0, le=2**63 - 1)]
_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: problem("There is none with this id, or it is somebody else's.")}
_CONFLICT: dict[int | str, dict[str, Any]] = {409: problem("It is not as it was thought to be; `detail` says how.")}


@contextmanager
def _answers(missing: str = "todo") -> Iterator[None]:
    """What the service refuses becomes an answer. Somebody else's and none at all look the same: ids tell nothing."""
    try:
        yield
    except TodoNotFoundError:
        raise HTTPException(404, f"There is no such {missing}.") from None
    except (ConflictError, QuotaError) as error:
        raise HTTPException(409, str(error)) from None


@router.get("/todos")
async def list_todos(
    query: Annotated[TodoQuery, Query()], request: Request, response: Response, user: CurrentUser, database: Db
) -> list[TodoView]:
    """Return one's todos, oldest first; where there are more, the header `Link` says where they begin."""
    try:
        async with database.transaction() as session:
            page = await service.list_todos(session, user.id, query, now_in(user.time_zone))
    except ValueError as error:
        raise HTTPException(422, str(error)) from None
    if page.after:
        more = {**query.model_dump(exclude_defaults=True), "limit": query.limit, "after": page.after}
        response.headers["Link"] = f'<{request.url.path}?{urlencode(more)}>; rel="next"'
    return [TodoView.of(todo) for todo in page.todos]


@router.post("/todos", status_code=201, responses=_CONFLICT)
async def add_todo(new: TodoCreate, user: CurrentUser, database: Db, settings: Config) -> TodoView:
    """Add a todo."""
    wanted = Wanted(new.title, new.notes, due=_due(new.due, user) or "", priority=new.priority or "")
    with _answers():
        async with database.transaction() as session:
            todo = await service.add_todo(
                session,
                user.id,
                wanted,
                actor=USER,
                time_zone=user.time_zone,
                most=settings.todos_per_user,
                todo_id=new.id,
            )
            return TodoView.of(todo)


@router.get("/todos/overview")
async def overview_of_todos(query: Annotated[OverviewQuery, Query()], user: CurrentUser, database: Db) -> Overview:
    """Return one's first open todos, the last that were done, and how many there are, all as of one moment."""
    try:
        async with database.transaction() as session:
            return await service.overview(session, user.id, query, now_in(user.time_zone))
    except ValueError as error:
        raise HTTPException(422, str(error)) from None


@router.get("/todos/{todo_id}", responses=_NOT_FOUND)
async def get_todo(todo_id: uuid.UUID, user: CurrentUser, database: Db) -> TodoView:
    """Return a todo."""
    with _answers():
        async with database.transaction() as session:
            return TodoView.of(await service.get_todo(session, user.id, todo_id))


@router.patch("/todos/{todo_id}", responses=_NOT_FOUND | _CONFLICT)
async def change_todo(todo_id: uuid.UUID, change: TodoChange, user: CurrentUser, database: Db) -> TodoView:
    """Rename, complete or reopen a todo, or change its notes, date or priority."""
    given = change.model_fields_set
    wanted = Wanted(
        change.title,
        change.notes,
        change.completed,
        due=(_due(change.due, user) or "never") if "due" in given else "",
        priority=(change.priority or "none") if "priority" in given else "",
    )
    with _answers():
        async with database.transaction() as session:
            todo = await service.change_todo(
                session, user.id, todo_id, wanted, actor=USER, time_zone=user.time_zone, version=change.version
            )
            return TodoView.of(todo)


@router.delete("/todos/{todo_id}", status_code=204, responses=_NOT_FOUND | _CONFLICT)
async def delete_todo(
    todo_id: uuid.UUID, response: Response, user: CurrentUser, database: Db, version: int | None = None
) -> None:
    """Delete a todo. For 30 days the change that this is, named in the header `X-Change-ID`, can be taken back."""
    with _answers():
        async with database.transaction() as session:
            change = await service.delete_todo(session, user.id, todo_id, actor=USER, version=version)
            response.headers["X-Change-ID"] = str(change.id)


@router.get("/changes")
async def list_changes(
    user: CurrentUser,
    database: Db,
    before: Annotated[int | None, Query(ge=0, le=2**63 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    actor: ActorKind | None = None,
    actor_name: Annotated[str | None, Query(max_length=100)] = None,
) -> list[ListedChange]:
    """Return what was changed in the last 30 days, and by whom, the newest first; `before` goes on from there."""
    by = Actor(actor, actor_name) if actor else None
    async with database.transaction() as session:
        return await service.as_they_stand(session, await service.list_changes(session, user.id, before, limit, by))


@router.get("/changes/actors")
async def list_actors(user: CurrentUser, database: Db) -> list[ActorView]:
    """Return who has changed something in the last 30 days, the last one first, and how much of today's stands."""
    async with database.transaction() as session:
        found = await service.list_actors(session, user.id, _today(user))
    return [
        ActorView.model_validate({"actor": kind, "actor_name": name, "last": last, "today": today})
        for kind, name, last, today in found
    ]


@router.post("/changes/today/undo")
async def undo_todays(wanted: TodaysUndo, user: CurrentUser, database: Db, settings: Config) -> TakenBackView:
    """Take back what somebody has changed today, newest first, as far as nothing stands in the way: 100 at a time."""
    by = Actor(wanted.actor, wanted.actor_name)
    async with database.transaction() as session:
        done = await service.undo_since(
            session, user.id, by, _today(user), wanted.before, actor=USER, most=settings.todos_per_user
        )
        refused = [ListedChange.of(change).model_copy(update={"obstacle": why}) for change, why in done.refused]
        return TakenBackView(undone=[change.id for change in done.undone], refused=refused, before=done.before)


@router.post("/changes/{change_id}/undo", responses=_NOT_FOUND | _CONFLICT)
async def undo(change_id: ChangeId, user: CurrentUser, database: Db, settings: Config) -> ChangeView:
    """Take a change back, unless the todo has changed since."""
    with _answers("change"):
        async with database.transaction() as session:
            change = await service.undo(session, user.id, change_id, actor=USER, most=settings.todos_per_user)
            await session.flush()
            await session.refresh(change)
            return ChangeView.of(change)


@router.post("/confirmations/{confirmation_id}", responses=_NOT_FOUND | _CONFLICT)
async def confirm(confirmation_id: uuid.UUID, user: CurrentUser, database: Db) -> Deleted:
    """Delete the todos that the assistant asked about; what has changed since it asked stays."""
    with _answers("question"):
        async with database.transaction() as session:
            return await service.confirm(session, user.id, confirmation_id)


@router.delete("/confirmations/{confirmation_id}", status_code=204, responses=_NOT_FOUND | _CONFLICT)
async def decline(confirmation_id: uuid.UUID, user: CurrentUser, database: Db) -> None:
    """Keep the todos that the assistant asked about; it is not asked again."""
    with _answers("question"):
        async with database.transaction() as session:
            await service.answer(session, user.id, confirmation_id)


def _today(user: User) -> datetime:
    """When this day began on the user's clocks."""
    return now_in(user.time_zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _due(said: str | None, user: User) -> dates.Due | None:
    """Raises HTTPException where it is no date."""
    if not said:
        return None
    found = dates.parse(said, now_in(user.time_zone))
    if found is None:
        raise HTTPException(422, f"due: “{said}” is no date that I understand; write 2026-03-12, or “tomorrow at 5”.")
    return found
