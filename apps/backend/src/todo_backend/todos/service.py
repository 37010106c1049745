"""What one can do with todos: the same for the HTTP endpoints and the assistant's tools.

Each function works within the caller's transaction and sees one user's todos only.
"""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from todo_backend.todos.models import Todo


class TodoNotFoundError(Exception):
    """This user has no such todo."""


async def list_todos(session: AsyncSession, user_id: uuid.UUID) -> Sequence[Todo]:
    """Return the user's todos, oldest first."""
    todos = await session.scalars(select(Todo).where(Todo.user_id == user_id).order_by(Todo.created_at, Todo.id))
    return todos.all()


async def add_todo(session: AsyncSession, user_id: uuid.UUID, title: str) -> Todo:
    """Add an open todo; the title is valid already."""
    todo = Todo(user_id=user_id, title=title)
    session.add(todo)
    await session.flush()
    await session.refresh(todo)
    return todo


async def change_todo(
    session: AsyncSession,
    user_id: uuid.UUID,
    todo_id: uuid.UUID,
    *,
    title: str | None = None,
    completed: bool | None = None,
) -> Todo:
    """Change what is given; a todo that is done keeps the time when it was. Raises TodoNotFoundError."""
    todo = await _own(session, user_id, todo_id)
    if title is not None:
        todo.title = title
    if completed is not None and completed != todo.completed:
        todo.completed_at = datetime.now(UTC) if completed else None
    return todo


async def delete_todo(session: AsyncSession, user_id: uuid.UUID, todo_id: uuid.UUID) -> Todo:
    """Delete a todo and return what it was. Raises TodoNotFoundError."""
    todo = await _own(session, user_id, todo_id)
    await session.delete(todo)
    return todo


async def _own(session: AsyncSession, user_id: uuid.UUID, todo_id: uuid.UUID) -> Todo:
    # Locked, so that of two changes at once the second sees the first.
    query = select(Todo).where(Todo.id == todo_id, Todo.user_id == user_id).with_for_update()
    todo = await session.scalar(query)
    if todo is None:
        raise TodoNotFoundError
    return todo
