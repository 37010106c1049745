"""Which todos a message asks to see."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from todo_backend import dates
from todo_backend.chat.cues import CUES, Slot, fold, lengths, slots
from todo_backend.chat.lexicon import FILLERS, SAME, stem, these
from todo_backend.clock import due_instant
from todo_backend.text import words
from todo_backend.todos.schemas import Priority, TodoView


@dataclass(frozen=True)
class Asked:
    """Which todos are to be shown."""

    state: str = "open"
    """`open`, `done` or `all`."""
    due: tuple[str, str] | None = None
    """From one day to another one."""
    overdue: bool = False
    undated: bool = False
    priority: Priority | None = None
    unprioritized: bool = False
    about: frozenset[str] = frozenset()
    """Words that they have."""

    def fits(self, todo: TodoView, now: datetime) -> bool:
        """Whether a todo is one of them."""
        if self.state != "all" and todo.completed != (self.state == "done"):
            return False
        if self.unprioritized and todo.priority:
            return False
        if (self.priority and todo.priority != self.priority) or (self.undated and todo.due):
            return False
        due = _due(todo, now)
        is_due = bool(self.due and due and self.due[0] <= due[:10] <= self.due[1])
        if (self.due or self.overdue) and not (is_due or (self.overdue and is_overdue(todo, now))):
            return False
        return self.about <= content(f"{todo.title} {todo.notes}")


def is_overdue(todo: TodoView, now: datetime) -> bool:
    """Tell whether an open todo's date is over."""
    due = _due(todo, now)
    return bool(due) and not todo.completed and due < now.isoformat()[: len(due)]


def _due(todo: TodoView, now: datetime) -> str:
    """When it is due on the user's clocks, whatever zone it was written in; a day is that day everywhere."""
    day, _, at = (todo.due or "").partition("T")
    if not at:
        return day
    moment = due_instant(date.fromisoformat(day), time.fromisoformat(at), todo.due_time_zone or "UTC")
    return moment.astimezone(now.tzinfo).isoformat()[: len(f"{day}T{at}")]


def content(text: str) -> frozenset[str]:
    """Return the words that a todo can be found by, each in one form."""
    keys = [fold(word) for word in words(text)]
    return frozenset(SAME.get(key) or SAME.get(stem(key)) or stem(key) for key in keys if key not in FILLERS)


def asked(text: str, todos: Sequence[TodoView], now: datetime, *, loosely: bool = False) -> Asked | None:
    """Return what a message asks to see; None where that is not understood.

    Loosely without the words that no todo has: “what’s the damage today”.
    """
    keys = [_LONG.sub(r"\1\1", fold(word)) for word in words(text)]
    wanted = Asked()
    for field, name, value in _ASKED:
        if taken := _take(keys, [cue.slots for cue in CUES if cue.wants == f"asked {name}"]):
            wanted, keys = replace(wanted, **{field: value}), taken  # type: ignore[arg-type]
    for phrases, days in _PERIODS:
        if taken := _take(keys, [slots(phrase) for phrase in phrases.split(",")]):
            first, last = days(now.date())
            wanted, keys = replace(wanted, due=(first.isoformat(), last.isoformat())), taken
            break
    else:
        said = dates.days(text, now)
        if said:
            first, last = min(said), max(said)
            until = len(said) == 1 and any(key in _UNTIL for key in keys)
            wanted = replace(wanted, due=("" if until else first.isoformat(), last.isoformat()))
            spans = dates.spans(text, now)
            cut = "".join(
                " " if any(start <= at < end for start, end in spans) else text[at] for at in range(len(text))
            )
            left = {fold(word) for word in words(cut)}
            keys = [key for key in keys if key in left]
    if wanted.state == "done" and wanted.due:
        return None  # when something was done is not kept
    about = [key for key in keys if any(map(str.isalnum, key)) and key not in _ASKING and key not in FILLERS]
    if not about:
        return wanted
    spoken = frozenset(SAME.get(key) or SAME.get(stem(key)) or stem(key) for key in about)
    known = frozenset(word for todo in todos for word in content(f"{todo.title} {todo.notes}"))
    found = spoken & known
    if found and (wanted == Asked() or wanted.state != "open") and any(key in _WHETHER for key in keys):
        wanted = replace(wanted, state="all")
    is_general = wanted != Asked() or (bool(_GENERAL & set(keys)) and bool(_WHAT & set(keys[:3])))
    if loosely and not found and is_general and not _ABOUT & set(keys):
        return wanted
    return replace(wanted, about=found or spoken)


def _take(keys: Sequence[str], phrases: Iterable[Sequence[Slot]]) -> list[str]:
    """The words without the first phrase of these among them; empty where there is none."""
    for phrase in phrases:
        for at in range(len(keys)):
            if size := lengths(phrase, keys[at:]):
                return [*keys[:at], *keys[at + size :], ""]
    return []


def _week(today: date, later: int = 0) -> tuple[date, date]:
    monday = today + timedelta(days=7 * later - today.weekday())
    return monday, monday + timedelta(days=6)


def _weekend(today: date) -> tuple[date, date]:
    _, sunday = _week(today)
    return sunday - timedelta(days=1), sunday


def _month(today: date, later: int = 0) -> tuple[date, date]:
    first = (today.replace(day=1) + timedelta(days=32 * later)).replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


_ASKED: Sequence[tuple[str, str, object]] = [
    *(("state", state, state) for state in ("all", "open", "done")),
    ("overdue", "overdue", True),
    ("undated", "undated", True),
    ("unprioritized", "unprioritized", True),
    *(("priority", f"priority {priority}", priority) for priority in ("low", "medium", "high")),
]
"""In which order words are looked for."""
_MONTHS = (
    "january/januar february/februar march/maerz april may/mai june/juni july/juli august september october/oktober "
    "november december/dezember"
)
_PERIODS: Sequence[tuple[str, Callable[[date], tuple[date, date]]]] = [
    ("next/naechste/naechster/kommende/kommenden/folgende week/woche/weeks, week after", lambda today: _week(today, 1)),
    ("this/the/diese/dieser/die/der week/woche/weeks/wochen, (for/within/in) (the) week/woche", _week),
    ("next/naechsten/naechster/kommenden month/monat/months", lambda today: _month(today, 1)),
    ("this/the/diesen/diesem/dieser month/monat/months", _month),
    *(
        (
            f"in/im/for/during {names}, rest of/vom/im {names}",
            lambda today, month=month: _month(today, (month - today.month) % 12),
        )
        for month, names in enumerate(_MONTHS.split(), 1)
    ),
    ("am we, (this/the/my/am/dieses/uebers/mein/at/on/over) (the) weekend/wochenende/weekends", _weekend),
    (
        "(the/die/in) (den) next/naechsten/kommenden (few/couple/paar/2/two/zwei/3/three/drei) (of) days/tage/tagen",
        lambda today: (today, today + timedelta(days=3)),
    ),
    ("upcoming, coming up, demnaechst, anstehend/anstehende/anstehenden, bald", lambda today: (today, date.max)),
    ("my day, mein tag, todays", lambda today: (today, today)),
    ("tomorrows", lambda today: (today + timedelta(days=1),) * 2),
]  # fmt: skip
_GENERAL, _WHAT = (
    frozenset(("still", "noch", "else", "left", "sonst", "remaining")),
    frozenset(("what", "was", "woran", "worum")),
)
_ABOUT = these("about")
"""What the words by which todos are looked for stand behind."""
_LONG = re.compile(r"([a-z])\1{2,}")
"""A letter that the finger stayed on: “weeek”."""
_UNTIL, _WHETHER = these("until"), these("whether")
_ASKING = these("asking")
"""Words of questions that say nothing about which todos."""
