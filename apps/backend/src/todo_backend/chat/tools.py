"""What an assistant can do for the user who is asking."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from todo_backend.auth.models import User
from todo_backend.clock import now_in
from todo_backend.text import one_line
from todo_backend.todos import service
from todo_backend.todos.schemas import ConfirmationView, Title, TodoQuery, TodoView
from todo_backend.todos.service import Actor, ConflictError, QuotaError, TodoNotFoundError, Wanted

_title = TypeAdapter[str](Title)
Tool = Literal["add_todo", "update_todo", "complete_todo", "reopen_todo", "delete_todo"]


class Action(BaseModel):
    """A change that a tool made."""

    tool: Tool
    todo: TodoView


class ToolError(Exception):
    """The tool could not do it."""


class BadTitleError(ToolError):
    """A title of that many characters is none."""

    def __init__(self, length: int) -> None:
        super().__init__(f"A todo has 1 to 200 characters; this one would have {length}.")
        self.length = length


class GoneError(ToolError):
    """The todo has disappeared, or changed, since it was looked at."""


class TodoTools:
    """The tools, bound to one user and to one turn, whose effects are there whole or not at all.

    The user comes from the session that created them and is no tool's argument: whatever an assistant is talked into,
    it reaches this user's todos only. `actions` lists the changes made so far.
    """

    def __init__(self, session: AsyncSession, user: User, actor: Actor, most: int, *, may_delete: bool = True) -> None:
        self.actions: list[Action] = []
        self.to_be_confirmed: list[TodoView] = []
        self.confirmation: ConfirmationView | None = None
        self.now: datetime = now_in(user.time_zone)
        """On the user's clocks."""
        self._session = session
        self._user = user
        self._actor = actor
        self._most = most
        self._may_delete = may_delete

    async def page(self, query: TodoQuery) -> tuple[list[TodoView], bool]:
        """Return the first todos asked for, and whether there are more. Raises ToolError for too many words."""
        try:
            page = await service.list_todos(self._session, self._user.id, query, self.now)
        except ValueError as error:
            raise ToolError(str(error)) from None
        return [TodoView.of(todo) for todo in page.todos], bool(page.after)

    async def numbered(self, number: int) -> TodoView:
        """Return the todo of this number. Raises ToolError where there is none."""
        try:
            return TodoView.of(await service.get_numbered(self._session, self._user.id, number))
        except TodoNotFoundError:
            raise ToolError(f"There is no todo {number} on this list.") from None

    async def list_todos(self, query: TodoQuery | None = None) -> list[TodoView]:
        """Return all todos, oldest first, or those that are asked for."""
        found: list[TodoView] = []
        query = query or TodoQuery()
        while True:
            page = await service.list_todos(self._session, self._user.id, query, self.now)
            found += map(TodoView.of, page.todos)
            if not page.after:
                return found
            query = query.model_copy(update={"after": page.after})

    async def add_todo(self, wanted: Wanted) -> TodoView:
        """Add a todo. Raises ToolError when the title does not do, or there are too many."""
        try:
            added = await service.add_todo(
                self._session,
                self._user.id,
                self._valid(wanted),
                actor=self._actor,
                time_zone=self._user.time_zone,
                most=self._most,
            )
        except QuotaError as error:
            raise ToolError(str(error)) from None
        return self._done("add_todo", TodoView.of(added))

    async def change_todo(self, todo: TodoView, wanted: Wanted) -> TodoView:
        """Change a todo that was looked at. Raises ToolError when it is gone, or the title does not do."""
        try:
            changed = await service.change_todo(
                self._session,
                self._user.id,
                todo.id,
                self._valid(wanted),
                actor=self._actor,
                time_zone=self._user.time_zone,
                version=todo.version,
            )
        except (TodoNotFoundError, ConflictError):
            raise GoneError from None
        tool: Tool = "update_todo"
        if wanted.completed is not None:
            tool = "complete_todo" if wanted.completed else "reopen_todo"
        view = TodoView.of(changed)
        return self._done(tool, view) if view.version != todo.version else view

    async def delete_todo(self, todo: TodoView) -> TodoView:
        """Delete a todo that was looked at. Raises ToolError when it is gone."""
        try:
            await service.delete_todo(self._session, self._user.id, todo.id, actor=self._actor, version=todo.version)
        except (TodoNotFoundError, ConflictError):
            raise GoneError from None
        return self._done("delete_todo", todo)

    async def delete_or_ask(self, todo: TodoView) -> bool:
        """Delete a todo; or return False, and note it for the user to confirm, where it is not this turn's only one."""
        if self._may_delete:
            await self.delete_todo(todo)
        else:
            self.to_be_confirmed.append(todo)
        return self._may_delete

    async def ask_to_delete(self, todos: Sequence[TodoView]) -> None:
        """Ask the user whether these are to be deleted; nothing is until they say so at the endpoint for that."""
        asked = await service.ask_to_delete(self._session, self._user.id, todos, actor=self._actor)
        self.confirmation = ConfirmationView(id=asked.id, todos=list(todos))

    def _valid(self, wanted: Wanted) -> Wanted:
        if wanted.title is None:
            return wanted
        try:
            title = _title.validate_python(wanted.title)
        except ValidationError:
            raise BadTitleError(len(one_line(wanted.title))) from None
        return replace(wanted, title=title)

    def _done(self, tool: Tool, todo: TodoView) -> TodoView:
        self.actions.append(Action(tool=tool, todo=todo))
        return todo
