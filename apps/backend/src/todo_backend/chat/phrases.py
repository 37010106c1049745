"""What the built-in assistant understands, and how it answers, in one language."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from todo_backend.todos.schemas import Priority, TodoView

Rules = Sequence[tuple[str, re.Pattern[str]]]
"""Names of intents with the phrases for them; the first that fits a whole message wins. Groups: `what` is the todo that
is meant, or the new one; `to` is what it is to become."""


@dataclass(frozen=True, eq=False)
class Language:
    """The words of one language."""

    rules: Rules
    lead: re.Pattern[str]
    """Courtesies and fillers before a request."""
    tail: re.Pattern[str]
    """Those after one."""
    note: re.Pattern[str]
    """What makes a message a todo, after it: “..., remind me”."""
    cues: Mapping[str, re.Pattern[str]]
    """Words by intent that tell what is wanted where no phrase fits; a todo has to be named beside them."""
    task: re.Pattern[str]
    """How a todo begins that stands there without any “add”."""
    no_task: re.Pattern[str]
    """How none does: a request, or a question."""
    edit: re.Pattern[str]
    """Words that give another title."""
    command: re.Pattern[str]
    """The words that a request to change something begins with; in the midst of a message it begins another one."""
    careful: re.Pattern[str]
    """What makes a message none to act upon: a negation, or a question about what to do."""
    fillers: frozenset[str]
    """Words that say nothing about which todo is meant."""
    stem: Callable[[str], str]
    """A word without its ending."""
    priorities: Sequence[tuple[re.Pattern[str], Priority | None]]
    says: Mapping[str, str]
    """Replies by name."""
    months: Sequence[str]
    weekdays: Sequence[str]
    day: str
    """How a date is written, with the names `weekday`, `day` and `month`."""

    def when(self, due: str, today: date) -> str:
        """A due date as people say it."""
        text, _, at = due.partition("T")
        day = date.fromisoformat(text)
        if day - today in _NEAR:
            said = self.says[_NEAR[day - today]]
        else:
            said = self.day.format(weekday=self.weekdays[day.weekday()], day=day.day, month=self.months[day.month - 1])
            said += "" if day.year == today.year else f" {day.year}"
        return f"{said}, {at}" if at else said

    def line(self, todo: TodoView, today: date) -> str:
        """A todo as a line of a list."""
        more = [self.when(todo.due, today)] if todo.due else []
        more += [self.says[f"priority {todo.priority}"]] if todo.priority else []
        return f"{todo.number}. {todo.title}" + (f" ({', '.join(more)})" if more else "")


_NEAR = {timedelta(days=-1): "yesterday", timedelta(days=0): "today", timedelta(days=1): "tomorrow"}


def rules(**phrases: Sequence[str]) -> Rules:
    """Rules in their order, from patterns by intent."""
    return [(name, re.compile(pattern, re.IGNORECASE)) for name, patterns in phrases.items() for pattern in patterns]
