"""Whether all of a request was understood: every word of it is accounted for, or the assistant asks.

A word is accounted for by the cue, the date, the priority or the todo that it belongs to, or by saying nothing. What is
left over was not understood, and may be what matters.
"""

from collections.abc import Sequence

from todo_backend.chat.cues import fold
from todo_backend.chat.lexicon import FILLERS, NUMBERS, PAST, PRONOUNS, stem, these
from todo_backend.chat.reading import NUMBER_WORDS, Clause, New, Reader, base, bases, fits, meant, says_day
from todo_backend.text import words
from todo_backend.todos.schemas import TodoView

_NEUTRAL = these("neutral")
"""Words that say nothing beside a change."""
_TURNING = these("turning")
"""Words that turn what is said into something else: “not”, “except”, “or”."""
_SAYING_NOTHING = (FILLERS | _NEUTRAL | PRONOUNS | NUMBER_WORDS) - _TURNING
_NO_BEGIN, _NO_END, _NOWHERE, _ALONE = (
    these(f"title {where}") for where in ("begin", "end", "nowhere", "alone")
)
_COMMANDS = these("title commands")
"""What rather begins a change of a todo that is there."""
_SEVERAL = these("several")
_AND_MORE = frozenset(("it", "es", "ihn", "sie"))
_OBJECTS = these("referring")
_TELLING = these("telling")
"""Words beside a new todo that want more than it: a priority, a note."""
_COMPETING = {
    "complete": ("delete", "reopen", "rename", "add", "noted"),
    "reopen": ("delete", "rename", "add", "noted"),
    "delete": ("complete", "reopen", "rename", "add", "noted"),
    "move": ("delete", "reopen", "rename", "add", "noted"),
}
"""What else cannot be wanted together with a change."""


def is_understood(reader: Reader, todos: Sequence[TodoView], *wants: str) -> bool:
    """Tell whether nothing of a request for a change of todos is left over."""
    is_set = any(clause.wants("move") and clause.due for clause in reader.clauses)
    for clause in reader.clauses:
        left = left_over(clause, todos)
        is_dated = "move" in wants and clause.due is not None and (clause.wants("move") or not is_set)
        if (clause.wants(*wants) or is_dated or ("complete" in wants and clause.is_past)) and left:
            return False
        if len(todos) > 1 and set(left) & _TURNING and any(fits(todo, clause) > (0, 0) for todo in todos):
            return False
        if any(character.isdecimal() for word in left for character in word):
            return False
        if not is_dated and clause.wants(*_COMPETING.get(wants[0], ())):
            return False
        if "move" in wants and not is_dated and (clause.is_past or clause.wants("complete")):
            return False
    return True


def is_new_understood(reader: Reader, found: Sequence[New], todos: Sequence[TodoView]) -> bool:
    """Tell whether nothing of a request to add todos is left over, and whether their titles are such."""
    if not all(new.is_quoted or is_title(new.title) for new in found):
        return False
    if any(_is_about_one(new.title, reader, todos) for new in found if not new.is_quoted):
        return False
    titles = [{fold(word) for word in words(new.title)} - _SAYING_NOTHING for new in found]
    own = {key for title in titles for key in title}
    inside = [_said_in(title, reader) for title in titles]
    for clause in reader.clauses:
        left = [key for key in left_over(clause, ()) if key not in own]
        if _SEVERAL & set(clause.reader.keys):
            left = [key for key in left if key not in NUMBERS and not key.isdecimal()]
        if clause in inside and left:
            return False
        if any(key.isdecimal() or key in NUMBERS for key in left) or _TELLING & set(left) or says_day(" ".join(left)):
            return False
    return True


def is_renaming_understood(what: Reader, todos: Sequence[TodoView], title: str) -> bool:
    """Tell whether the words for a todo that is to be renamed say no more, and its new title is one."""
    is_more = _AND_MORE & {fold(word) for word in words(title)} and Reader(title, what.now).due is not None
    return not is_more and not any(left_over(clause, todos) for clause in what.clauses)


def _said_in(title: set[str], reader: Reader) -> Clause:
    """The clause that a title is from: that which has most of its words, and least beside them."""

    def rank(clause: Clause) -> tuple[int, int]:
        return len(title.intersection(map(fold, words(clause.text)))), -len(clause.tokens)

    return max(reader.clauses, key=rank)


def _is_about_one(title: str, reader: Reader, todos: Sequence[TodoView]) -> bool:
    """Whether a title rather is about a todo that is there: a command for it, a note to it, its name alone."""
    clauses = Reader(title, reader.now).clauses
    keys = {fold(word) for word in words(title)}
    first = fold(title.split()[0])
    for todo in todos:
        if max(fits(todo, clause) for clause in clauses)[0] < 2:
            continue
        if first in _COMMANDS or _TELLING & keys:
            return True
        if not todo.completed and {base(key) for key in keys if key not in _SAYING_NOTHING} < bases(todo.title):
            return True
    return first in _COMMANDS and (bool(keys & _OBJECTS) or any(key.isdecimal() for key in keys)) and not reader.wants("add", "noted", "ought")


def is_title(title: str) -> bool:
    """Tell whether a text can be the title of a todo, and is no piece of a sentence."""
    keys = [key for word in title.split() if (key := fold(word.strip(" ,;:.!?()")))]
    return not (
        keys[0] in _NO_BEGIN
        or keys[-1] in _NO_END
        or _NOWHERE & set(keys)
        or any(key.startswith("#") and key[1:].isdecimal() for key in keys)
        or all(key in _SAYING_NOTHING or key in _TURNING or key in _ALONE for key in keys)
        or (_OBJECTS & set(keys[1:]) and len(keys) < 4)
    )


def left_over(clause: Clause, todos: Sequence[TodoView]) -> list[str]:
    """Return the words of a clause that neither a cue nor a date nor one of the todos accounts for."""
    taken = {number for match in clause.matches for number in match.tokens}
    own = {word for todo in todos for word in bases(todo.title)}
    numbers = {todo.number for todo in todos}
    begin, end = clause.plain
    left = []
    for number, token in enumerate(clause.tokens, clause.begin):
        if number in taken or not begin <= number < end or clause.reader.is_in_date(token):
            continue
        for word in words(clause.reader.text[token.start : token.end]):
            key = fold(word)
            if not any(map(str.isalnum, key)) or key in _SAYING_NOTHING or key in PAST:
                continue
            if key == "no" and clause.reader.keys[number + 1 : number + 2] and clause.reader.keys[number + 1].isdecimal():
                continue
            if (int(key) if key.isdecimal() and len(key) < 5 else NUMBERS.get(key)) in numbers:
                continue
            if base(key) in own or any(meant(stem(key), todo.title) in own for todo in todos):
                continue
            left.append(key)
    return left
