"""The todo endpoints."""

import uuid

from fastapi import APIRouter, HTTPException

from todo_backend.auth.dependencies import CurrentUser
from todo_backend.dependencies import Db
from todo_backend.todos import service
from todo_backend.todos.schemas import TodoChange, TodoCreate, TodoView

router = APIRouter(prefix="/todos", tags=["todos"])


def _not_found() -> HTTPException:
    # Somebody else's todo and no todo at all look the same: ids tell nothing.
    return HTTPException(404, "There is no such todo.")


@router.get("")
async def list_todos(user: CurrentUser, database: Db) -> list[TodoView]:
    """Return one's todos, oldest first."""
    async with database.transaction() as session:
        return [TodoView.model_validate(todo) for todo in await service.list_todos(session, user.id)]


@router.post("", status_code=201)
async def add_todo(new: TodoCreate, user: CurrentUser, database: Db) -> TodoView:
    """Add a todo."""
    async with database.transaction() as session:
        return TodoView.model_validate(await service.add_todo(session, user.id, new.title))


@router.patch("/{todo_id}")
async def change_todo(todo_id: uuid.UUID, change: TodoChange, user: CurrentUser, database: Db) -> TodoView:
    """Rename, complete or reopen a todo."""
    try:
        async with database.transaction() as session:
            todo = await service.change_todo(session, user.id, todo_id, title=change.title, completed=change.completed)
            return TodoView.model_validate(todo)
    except service.TodoNotFoundError:
        raise _not_found() from None


@router.delete("/{todo_id}", status_code=204)
async def delete_todo(todo_id: uuid.UUID, user: CurrentUser, database: Db) -> None:
    """Delete a todo."""
    try:
        async with database.transaction() as session:
            await service.delete_todo(session, user.id, todo_id)
    except service.TodoNotFoundError:
        raise _not_found() from None
