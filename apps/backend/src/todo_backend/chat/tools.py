"""What an assistant can do for the user who is asking."""

import uuid
from typing import Literal

from pydantic import BaseModel, TypeAdapter, ValidationError

from todo_backend.database import Database
from todo_backend.todos import service
from todo_backend.todos.schemas import Title, TodoView

_title = TypeAdapter[str](Title)


class Action(BaseModel):
    """A change that a tool made."""

    tool: Literal["add_todo", "complete_todo", "delete_todo"]
    todo: TodoView


class ToolError(Exception):
    """The tool could not do it; the message is written for the user."""


class TodoTools:
    """The tools, bound to one user.

    The user comes from the session that created them and is no tool's argument: whatever an assistant is talked into,
    it reaches this user's todos only. Every call is a transaction of its own, so none is open while an assistant
    thinks. `actions` lists the changes made so far.
    """

    def __init__(self, database: Database, user_id: uuid.UUID) -> None:
        self.actions: list[Action] = []
        self._database = database
        self._user_id = user_id

    async def list_todos(self) -> list[TodoView]:
        """Return all todos, oldest first."""
        async with self._database.transaction() as session:
            return [TodoView.model_validate(todo) for todo in await service.list_todos(session, self._user_id)]

    async def add_todo(self, title: str) -> TodoView:
        """Add a todo. Raises ToolError when the title does not do."""
        try:
            title = _title.validate_python(title)
        except ValidationError:
            raise ToolError(f"A todo has 1 to 200 characters; this one would have {len(title)}.") from None
        async with self._database.transaction() as session:
            todo = TodoView.model_validate(await service.add_todo(session, self._user_id, title))
        return self._done("add_todo", todo)

    async def complete_todo(self, todo_id: uuid.UUID) -> TodoView:
        """Mark a todo as done. Raises ToolError when it is gone."""
        try:
            async with self._database.transaction() as session:
                changed = await service.change_todo(session, self._user_id, todo_id, completed=True)
                todo = TodoView.model_validate(changed)
        except service.TodoNotFoundError:
            raise ToolError("That todo has just disappeared from your list.") from None
        return self._done("complete_todo", todo)

    async def delete_todo(self, todo_id: uuid.UUID) -> TodoView:
        """Delete a todo and return what it was. Raises ToolError when it is gone."""
        try:
            async with self._database.transaction() as session:
                todo = TodoView.model_validate(await service.delete_todo(session, self._user_id, todo_id))
        except service.TodoNotFoundError:
            raise ToolError("That todo has just disappeared from your list.") from None
        return self._done("delete_todo", todo)

    def _done(self, tool: Literal["add_todo", "complete_todo", "delete_todo"], todo: TodoView) -> TodoView:
        self.actions.append(Action(tool=tool, todo=todo))
        return todo
