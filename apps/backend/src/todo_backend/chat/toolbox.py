"""The tools as a model or an outside client sees them: names, descriptions, arguments, results.

One definition for both. Todos go by the numbers that their owner sees, dates by words, read here on the owner's clocks.
Whose todos these are is no argument: it comes from the session or the token.
"""

import json
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from todo_backend.chat.tools import GoneError, TodoTools, ToolError
from todo_backend.dates import Due, parse
from todo_backend.text import one_line
from todo_backend.todos.schemas import DueText, DueWithin, Notes, Priority, State, Title, TodoQuery, TodoView
from todo_backend.todos.service import Wanted

MOST_LISTED = 50
LONGEST_LIST = 8000
SHORT_NOTES = 200
"""Todos in one answer, their characters, and those of each one's notes: a list has to fit into what a model reads."""

Number = Annotated[int, Field(ge=1, le=2**31 - 1, description="the todo's number")]
Date = Annotated[DueText, Field(description="2026-03-12, 2026-03-12T18:00, or plain words such as: tomorrow at 5")]


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Add(_Arguments):
    """Add a todo to the user's list."""

    title: Title
    notes: Notes = ""
    due: Date | None = None
    priority: Priority | None = None


class List(_Arguments):
    """List the user's todos, those that are due first before the others."""

    state: State = "open"
    due: DueWithin | None = Field(default=None, description="week: until the end of this one; upcoming: after today")
    priority: Priority | None = None


class Find(_Arguments):
    """Find todos by words that occur in their titles or notes."""

    words: Annotated[str, AfterValidator(one_line), Field(min_length=1, max_length=200)]
    state: State = "all"


class Complete(_Arguments):
    """Mark a todo as done, or as open again."""

    number: Number
    completed: bool = True


class Update(_Arguments):
    """Change a todo's title, notes, date or priority. What is left out stays as it is."""

    number: Number
    title: Title | None = None
    notes: Notes | None = None
    due: Date | Literal["none"] | None = Field(default=None, description="none takes the date away")
    priority: Priority | Literal["none"] | None = Field(default=None, description="none takes the priority away")


class Delete(_Arguments):
    """Delete a todo. Of several at once the user is asked first."""

    number: Number


@dataclass(frozen=True)
class Tool:
    """A tool: what it takes, what it does, and whether it changes anything."""

    name: str
    takes: type[_Arguments]
    does: Callable[[TodoTools, Any], Awaitable[Mapping[str, Any]]]
    writes: bool

    @property
    def description(self) -> str:
        """What a model is told of it."""
        return self.takes.__doc__ or ""

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of what it takes."""
        return _plain(self.takes.model_json_schema())

    async def run(self, tools: TodoTools, arguments: str | Mapping[str, Any]) -> Mapping[str, Any]:
        """Do it, and return what there is to say about it. Raises ToolError, whose sentence is for whoever called."""
        try:
            named = read(arguments) if isinstance(arguments, str) else arguments
            # many models name everything that they leave out
            given = self.takes.model_validate({name: value for name, value in named.items() if value is not None})
        except (ValueError, AttributeError, RecursionError) as error:
            if not isinstance(error, ValidationError):
                raise ToolError("The arguments are no JSON object.") from None
            faults = "; ".join(
                f"{'.'.join(map(str, fault['loc'])) or 'arguments'}: {fault['msg'].removeprefix('Value error, ')}"
                for fault in error.errors(include_input=False, include_url=False)
            )
            raise ToolError(faults[:500]) from None
        return await self.does(tools, given)


async def _add(tools: TodoTools, given: Add) -> Mapping[str, Any]:
    due = _due(tools, given.due)
    wanted = Wanted(given.title, notes=given.notes, due=due or "", priority=given.priority or "")
    return {"added": view(await tools.add_todo(wanted))}


async def _list(tools: TodoTools, given: List) -> Mapping[str, Any]:
    query = TodoQuery(state=given.state, due=given.due, priority=given.priority, sort="due", limit=MOST_LISTED)
    return await _page(tools, query)


async def _find(tools: TodoTools, given: Find) -> Mapping[str, Any]:
    return await _page(tools, TodoQuery(state=given.state, q=given.words, limit=MOST_LISTED))


async def _page(tools: TodoTools, query: TodoQuery) -> Mapping[str, Any]:
    todos, more = await tools.page(query)
    shown: list[Mapping[str, Any]] = []
    room = LONGEST_LIST
    for todo in todos:
        shown.append(view(todo, notes=SHORT_NOTES))
        room -= len(written(shown[-1]))
        if room < 0:
            break
    more = more or len(shown) < len(todos)
    return {"todos": shown, "more": more, "today": tools.now.date().isoformat()}


async def _complete(tools: TodoTools, given: Complete) -> Mapping[str, Any]:
    todo = await tools.numbered(given.number)
    if todo.completed == given.completed:
        return {"unchanged": view(todo)}
    done = await tools.change_todo(todo, Wanted(completed=given.completed))
    return {"completed" if given.completed else "reopened": view(done)}


async def _update(tools: TodoTools, given: Update) -> Mapping[str, Any]:
    todo = await tools.numbered(given.number)
    due: Due | Literal["", "never"] = _due(tools, given.due) or ""
    wanted = Wanted(given.title, notes=given.notes, due=due, priority=given.priority or "")
    changed = await tools.change_todo(todo, wanted)
    return {"updated" if changed.version != todo.version else "unchanged": view(changed)}


async def _delete(tools: TodoTools, given: Delete) -> Mapping[str, Any]:
    todo = await tools.numbered(given.number)
    if await tools.delete_or_ask(todo):
        return {"deleted": view(todo)}
    return {"waits_for_the_user_to_confirm": view(todo)}


def _due(tools: TodoTools, said: str | None) -> Due | Literal["never"] | None:
    if not said or said == "none":
        return "never" if said else None
    due = parse(said, tools.now)
    if due is None:
        raise ToolError(f"{said!r} says no date; write it as {tools.now.date().isoformat()}, or T18:00 behind it.")
    return due


def view(todo: TodoView, notes: int = 5000) -> dict[str, Any]:
    """A todo as a model sees it: what there is to know, and nothing empty; of its notes the first characters."""
    short = todo.notes if len(todo.notes) <= notes else f"{todo.notes[:notes]} …"
    seen = {"number": todo.number, "title": todo.title, "notes": short, "due": todo.due, "priority": todo.priority}
    return {name: value for name, value in seen.items() if value} | {"completed": todo.completed}


TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool("add_todo", Add, _add, writes=True),
        Tool("list_todos", List, _list, writes=False),
        Tool("find_todos", Find, _find, writes=False),
        Tool("complete_todo", Complete, _complete, writes=True),
        Tool("update_todo", Update, _update, writes=True),
        Tool("delete_todo", Delete, _delete, writes=True),
    )
}


async def call(tools: TodoTools, name: str, arguments: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """Call a tool by its name. Raises ToolError, also where there is none of that name."""
    tool = TOOLS.get(name)
    if tool is None:
        raise ToolError(f"There is no such tool; there are {', '.join(TOOLS)}.")
    try:
        return await tool.run(tools, arguments)
    except GoneError:
        raise ToolError("This todo has been changed or deleted meanwhile; look again.") from None


def read(arguments: str) -> Any:
    """Arguments that a model wrote. Raises ValueError for what is no JSON; what Python would take besides is none."""
    return json.loads(arguments or "{}", parse_constant=_refuse, parse_float=_finite)


def _finite(number: str) -> float:
    if not math.isfinite(value := float(number)):
        raise ValueError(number)
    return value


def _refuse(name: str) -> None:
    raise ValueError(name)


def written(result: Mapping[str, Any]) -> str:
    """A result as text."""
    return json.dumps(result, ensure_ascii=False)


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema as flat as it is: no alternatives, which providers stumble over, and nothing that says nothing."""
    properties = {}
    for name, given in schema["properties"].items():
        options = [one for one in given.get("anyOf", [given]) if one.get("type") != "null"]
        values = [one.get("enum", [one["const"]] if "const" in one else None) for one in options]
        plain = {"type": options[0]["type"]}
        if all(values):
            plain["enum"] = [value for some in values for value in some]
        description = given.get("description") or options[0].get("description")
        properties[name] = plain | ({"description": description} if description else {})
    return {
        "type": "object",
        "properties": properties,
        "required": schema.get("required", []),
        "additionalProperties": False,
    }
