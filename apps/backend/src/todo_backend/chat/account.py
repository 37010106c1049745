"""Whether all of a request was understood: every word of it is accounted for, or the assistant asks.

A word is accounted for by the cue, the date, the priority or the todo that it belongs to, or by saying nothing. What is
left over was not understood, and may be what matters.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from todo_backend.chat.cues import fold
from todo_backend.chat.lexicon import FILLERS, NUMBERS, PAST, PRONOUNS, UNDONE, stem, these
from todo_backend.chat.reading import (
    NUMBER_WORDS,
    PRIORITIES,
    QUOTED,
    Clause,
    New,
    Reader,
    base,
    bases,
    fits,
    is_courtesy,
    meant,
    named,
    says_day,
)
from todo_backend.text import words
from todo_backend.todos.schemas import Priority, TodoView

_NEUTRAL = these("neutral")
"""Words that say nothing beside a change."""
_TURNING = these("turning")
"""Words that turn what is said into something else: “not”, “except”, “or”."""
_SAYING_NOTHING = (FILLERS | _NEUTRAL | PRONOUNS | NUMBER_WORDS) - _TURNING
_NO_BEGIN, _NO_END, _NOWHERE, _ALONE = (these(f"title {where}") for where in ("begin", "end", "nowhere", "alone"))
_COMING = these("title coming")
_COMMANDS = these("title commands")
"""What rather begins a change of a todo that is there."""
_SEVERAL = these("several")
_ATTRIBUTES, _NOTES, _DATES = these("attribute"), these("note"), these("undate what")
_TAKING_AWAY = these("taking away")
_LEVEL: dict[str, Priority] = {
    "high": "high", "hoch": "high", "medium": "medium", "mittel": "medium", "low": "low", "niedrig": "low",
}  # fmt: skip
_LEVELS = frozenset(_LEVEL)
_NO_THING = these("no thing")
"""What is in no name of a thing."""
_OF_ASSISTANTS = these("of assistants")
"""What is asked of an assistant, and stands in no todo."""
_REQUEST = these("request")
_TYING = these("tying")
_CORRECTING = these("correcting")
_WHETHER = these("whether")
_REPORTING = these("reporting")
_STILL_OPEN = these("still open")
_DURING = these("during")
_REASONS = these("reasons")
"""What a reason begins with."""
_THERE = frozenset(("there", "dahin", "then"))
_ALL, _BUT = these("all"), frozenset(("but", "except", "ausser", "aber", "nur", "only", "not", "nicht", "apart"))
_HAS, _OWN = frozenset(("hat", "has")), frozenset(("ich", "i", "wir", "we", "ive", "weve", "been", "mir", "uns"))
_TALKED = frozenset(("called", "rang", "phoned", "texted", "emailed", "wrote", "replied", "answered"))
_OF_SOMETHING, _ABOUT = _TALKED | {"read", "heard", "asked", "talked"}, frozenset(("about", "of"))
_WISHED = frozenset(("waere", "waeren", "haette", "haetten"))
_RECURRING = frozenset(
    ("every", "each", "weekly", "monthly", "daily", "yearly", "jeden", "jede", "jedes", "taeglich", "woechentlich",
     "monatlich", "jaehrlich")
)  # fmt: skip
_BEEN = frozenset(("is", "was", "are", "got", "been", "just", "already", "finally", "all", "both"))
"""What is said of whoever called, without it."""
_YOU = frozenset(("you", "u", "ya", "du", "sie", "we"))
_ASKS_WHETHER, _CONDITIONS = these("asks whether"), these("conditions")
_THOUGHT = re.compile(
    r"\b(?:i|we)\s+(?:could|might|may)\b|\b(?:i|we)\s+would\s+(?!like|love|want|appreciate|be)\w+|\b(?:ich|wir)\s+(?:könnte|würde)n?\b(?!\s+(?:gern|bitte|lieber))",
    re.IGNORECASE,
)
_TOLD = re.compile(
    r"^(?:(?:i['’]?m|im(?=\s+(?:so|very|really|not|too|going|tired|bored|at)\b)|it['’]?s|(?:he|she|that|there|who|what)['’]s|(?:we|they|you)['’]?re)\b)|['’]s\s+\w+ing\b"
    r"|\b(?:went|goes|going|gone|comes|came|looks|feels|seems|costs|hates?|loves?|wants|says|broke|died|fell|won|lost|smells|sucks|rains|raining|stressed|tired|bored"
    r"|rises|starts|begins|leaves|arrives|steigt|sinkt|beginnt|endet|heiratet|fliegt|besucht|geht|läuft|wird|war|waren|kostet|nervt|klappt|schmeckt|regnet|schneit|hasse|liebe|mag|freue?|fühle?|müde|langweilig|stressig|gestresst)\b|^(?:gehe|fahre|komme|bin|werde|esse|schlafe|arbeite)\b",
    re.IGNORECASE,
)
"""What tells something."""
_DIRECTIONS = frozenset(("runter", "rauf", "hoch", "down"))
_AND_MORE = frozenset(("it", "es", "ihn", "sie"))
_BAGS = {
    "complete": these("bag complete") | PAST,
    **{change: these(f"bag {change}") for change in ("delete", "reopen", "move", "past")},
}
"""Words of one change, wherever they stand."""
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


def level_of(reader: Reader) -> Priority | None:
    """Return the priority that a word alone says, “passport high”; None where there is none, or several."""
    found = {
        _LEVEL[key] for before, key in pairwise(("", *reader.keys)) if key in _LEVEL and before not in ("too", "zu")
    }
    return found.pop() if len(found) == 1 else None


def is_understood(reader: Reader, todos: Sequence[TodoView], *wants: str) -> bool:
    """Tell whether nothing of a request for a change of todos is left over."""
    is_set = any(clause.wants("move") and clause.due for clause in reader.clauses)
    is_explicit = len(todos) == 1 and any(
        clause.wants(*wants) and fits(todos[0], clause)[0] > 1 and not left_over(clause, todos)
        for clause in reader.clauses
    )
    is_plain = False
    doubtful = False
    if _ALL & set(reader.keys) and _BUT & set(reader.keys):
        return False  # “all but the rent”
    if "complete" in wants and not reader.wants("complete") and _is_of_another(reader):
        return False
    if ("complete" in wants and _is_settled(reader)) or ("move" in wants and _RECURRING & set(reader.keys)):
        return False
    levels = {match.wants for match in reader.matches if match.wants in PRIORITIES}
    if len(levels) > 1 or (len(todos) > 1 and _CORRECTING & set(reader.keys)):
        return False  # “tick off the rent, oh no, I meant the passport”
    if any(clause.begins_with("careful", "show") and clause.first in _WHETHER for clause in reader.clauses[1:]):
        return False  # “the rent, did I pay it”
    for clause in reader.clauses:
        left = left_over(clause, todos)
        names = any(fits(todo, clause) > (0, 0) for todo in todos) or bool(clause.numbers)
        is_dated = "move" in wants and clause.due is not None and (clause.wants("move") or not is_set)
        is_told = "complete" in wants and clause.is_past and not (is_explicit and not clause.wants("complete"))
        if clause.wants(*wants) or is_dated or is_told:
            is_reasoned = "move" not in wants and names and _is_reason(clause, todos, left)
            if "complete" in wants and clause.is_past:
                left = _without_circumstances(clause, left)
            is_elsewhere = (
                is_dated
                and not names
                and any(_THERE & {one.key for one in other.tokens} and other.wants("move") for other in reader.clauses)
            )
            if left and not is_reasoned and (names or is_dated) and not is_elsewhere:
                return False
            doubtful = doubtful or bool(left and not is_reasoned)
            is_plain = is_plain or (names and (not left or is_reasoned))
        if len(todos) > 1 and set(left) & _TURNING and names:
            return False
        if _LEVELS & set(left) or (
            len(todos) > 1 and _STILL_OPEN & {token.key for token in clause.tokens} and "reopen" not in wants
        ):
            return False  # “rent is done, the flight still open”
        if len(left) < 3 and any(character.isdecimal() for word in left for character in word):
            return False
        is_beside = wants == ("delete",) and clause.tokens[0].key in _REASONS and not names  # “it’s done anyway”
        if not is_dated and not is_beside and clause.wants(*_COMPETING.get(wants[0], ())):
            return False
        if "move" in wants and not is_dated and (clause.wants("complete") or _tells_done(clause, todos)):
            return False
    return is_plain or not doubtful


def _is_of_another(reader: Reader) -> bool:
    """Whether it is not said that the user did something: “the dentist called”, “der Zahnarzt hat angerufen”."""
    keys = reader.keys
    if _OWN & set(keys):
        return False
    return bool(_HAS & set(keys)) or any(
        clause.tokens[-1].key in _TALKED
        and len(clause.tokens) > 1
        and not clause.begins_with("complete")
        and not _BEEN & {one.key for one in clause.tokens}
        for clause in reader.clauses
    )


def _is_settled(reader: Reader) -> bool:
    """Whether it is not said that something was done: “der Flug hat sich erledigt” may be done, or not needed."""
    if any(one in _OF_SOMETHING and other in _ABOUT for one, other in pairwise(reader.keys)):
        return True  # “I read about Dune”
    if reader.keys[0] in _WISHED:
        return True  # “wäre die Miete doch bezahlt”
    return "sich" in reader.keys and sum(key in PAST for key in reader.keys) == 1


def is_only_thought_of(reader: Reader) -> bool:
    """Tell whether a message is about what could be done, or is to be done once something else has happened."""
    if reader.clauses[0].first in _ASKS_WHETHER and not _YOU & set(reader.keys[:3]):
        return True
    return any(clause.first in _CONDITIONS for clause in reader.clauses) or bool(
        _THOUGHT.search(QUOTED.sub("", reader.text))
    )


def _is_reason(clause: Clause, todos: Sequence[TodoView], left: Sequence[str]) -> bool:
    """Whether what is left over of a clause is a reason behind all the rest: “delete the bins one its just clutter”."""
    keys = [token.key for token in clause.tokens]
    own = {word for todo in todos for word in bases(todo.title)}
    if not left or left[0] not in keys:
        return False
    named_last = max((at for at, key in enumerate(keys) if base(key) in own), default=-1)
    acting = [
        min(match.tokens) - clause.begin for match in clause.matches if match.wants in ("complete", "delete", "reopen")
    ]
    start = max([named_last, *acting, 0])
    return any(key in _REASONS for key in keys[start + 1 : keys.index(left[0]) + 1]) and keys.index(left[0]) > start


def _without_circumstances(clause: Clause, left: Sequence[str]) -> list[str]:
    """What is left over, without where or when something was done: “in the break”."""
    keys = [token.key for token in clause.tokens]
    found = []
    for key in left:
        at = keys.index(key) if key in keys else 0
        if key not in _DURING and not any(before in _DURING for before in keys[max(0, at - 2) : at]):
            found.append(key)
    return found


def _tells_done(clause: Clause, todos: Sequence[TodoView]) -> bool:
    titles = {fold(word) for todo in todos for word in words(todo.title)}
    return clause.is_past and any(token.key in PAST and token.key not in titles for token in clause.tokens)


def plain_change(reader: Reader, todos: Sequence[TodoView]) -> tuple[list[TodoView], str] | None:
    """Return the todos and the change that each word of a request is about, from `complete` to `undate`.

    In whatever order they stand: where all words beside the names of todos are of one change or say nothing, there is
    nothing else that it could want.
    """
    clauses = reader.clauses
    if "?" in clauses[-1].closes and not any(clause.plain[0] > clause.begin for clause in clauses):
        return None
    if reader.wants("careful", "show", "add", "noted", "rename", "undo", "task") or any(
        one.quoted for one in reader.tokens
    ):
        return None
    named_ones, said = _named_in(reader, todos), _said_in_order(reader)
    is_odd = any(clause.has_odd_number for clause in clauses)
    bare = {int(key) for key in said if key.isdecimal() and len(key) < 5 and not is_odd}
    if not named_ones and bare:
        named_ones = [todo for todo in todos if todo.number in bare]
        if len(named_ones) != len(bare):
            return None
    if not named_ones:
        return None
    numbers = {todo.number for todo in named_ones}
    own = {word for todo in named_ones for word in bases(todo.title)}
    changes: set[str] = set()
    rest: set[str] = set()
    for key in said:
        if (int(key) if (key := key.lstrip("#")).isdecimal() and len(key) < 5 else NUMBERS.get(key)) in numbers:
            continue
        is_name = any(
            base(meant(word, todo.title)) in own
            for todo in named_ones
            for word in (key, stem(key), key.removesuffix("s"))
        )
        change = next((change for change, bag in _BAGS.items() if key in bag), None)
        if change and (not is_name or key in PAST):
            changes.add(change)
        elif not is_name and key in _TAKING_AWAY | _ATTRIBUTES | _LEVELS:
            rest.add(key)
        elif not is_name and key not in _SAYING_NOTHING:
            return None
    priority = next((match.wants for match in reader.matches if match.wants in (*PRIORITIES, "none")), None)
    is_away = bool(rest & _TAKING_AWAY) or bool(changes & {"delete"})
    if (
        is_away
        and priority in (None, "none")
        and reader.due is None
        and rest & (_ATTRIBUTES | _LEVELS)
        and changes <= {"move", "delete"}
    ):
        return (named_ones, "none") if not rest & _NOTES else None
    if (_DATES & set(said)) and is_away and reader.due is None and priority is None and changes <= {"move", "delete"}:
        return named_ones, "undate"
    priority = priority or level_of(reader)
    if rest & (_TAKING_AWAY | _NOTES) or (rest and priority is None):
        return None
    is_set = reader.due is not None or priority is not None
    if is_set and (_RECURRING & set(reader.keys) or (not reader.wants("move") and _TOLD.search(reader.text))):
        return None  # “rent goes up next month”
    if len(named_ones) > 1 and _CORRECTING & set(reader.keys):
        return None
    if (_ALL & set(reader.keys) and _BUT & set(reader.keys)) or (
        "complete" in changes and (_is_of_another(reader) or _is_settled(reader))
    ):
        return None
    if is_set and PAST & set(said) - own and not UNDONE & set(said):
        return None
    if "past" in changes and (is_set or not changes & {"complete", "delete"}):
        return None
    changes.discard("past")
    is_open = not any(todo.completed for todo in named_ones)
    if is_set:
        is_later = priority or reader.due is None or reader.due.due.day > reader.now.date() or "complete" not in changes
        return (named_ones, "move") if changes <= {"move", "complete"} and is_later and is_open else None
    if (
        "reopen" in changes
        and changes <= {"reopen", "complete", "delete"}
        and all(todo.completed for todo in named_ones)
    ):
        return named_ones, "reopen"
    return (named_ones, changes.pop()) if changes in ({"complete"}, {"delete"}) else None


def _named_in(reader: Reader, todos: Sequence[TodoView]) -> list[TodoView]:
    """The todos that a request names for sure: one, or several each in a clause or between “and” of its own."""
    found = named(todos, reader.clauses, loosely=True)
    if len(found) != 1:
        return []
    is_sure = any(clause.numbers or fits(found[0], clause, loosely=True)[0] > 1 for clause in reader.clauses)
    return found if is_sure else []


def _said_in_order(reader: Reader) -> list[str]:
    """The words of a request without dates, courtesies, priorities, and reasons for it."""
    priority = {number for match in reader.matches if match.wants in (*PRIORITIES, "none") for number in match.tokens}
    said: list[str] = []
    for at, clause in enumerate(reader.clauses):
        if is_courtesy(clause.text, reader.now):
            continue
        begin, end = clause.plain
        keys = [
            token.key
            for number, token in enumerate(clause.tokens, clause.begin)
            if begin <= number < end and number not in priority and not reader.is_in_date(token)
        ]
        keys = [key for key in keys if any(map(str.isalnum, key))]
        is_reason = at and keys and keys[0] in _REASONS and not (clause.matches or clause.due or _TURNING & set(keys))
        if not is_reason or any(character.isdecimal() for key in keys for character in key):
            said += keys
    return said


def is_new_understood(reader: Reader, found: Sequence[New], todos: Sequence[TodoView]) -> bool:
    """Tell whether nothing of a request to add todos is left over, and whether their titles are such."""
    if not all(new.is_quoted or is_title(new.title, is_told=reader.wants("add", "noted")) for new in found):
        return False
    if any(_is_about_one(new.title, reader, todos) for new in found if not new.is_quoted):
        return False
    if {match.wants for match in reader.matches if match.wants in PRIORITIES} - {new.priority for new in found}:
        return False  # a priority that no todo would have
    is_bare = not reader.wants("add", "noted", "ought") and not any(clause.is_task for clause in reader.clauses)
    if not reader.wants("add", "noted", "ought") and any(_TOLD.search(new.title) for new in found if not new.is_quoted):
        return False  # “Mum's visiting on Friday”
    if is_bare and any(_NO_THING & {fold(word) for word in words(new.title)} for new in found):
        return False  # “idk what to do today”
    if not reader.wants("add", "noted", "ought") and any(
        _OF_ASSISTANTS & {fold(word) for word in words(new.title)} for new in found
    ):
        return False  # “als Excel exportieren”
    titles = [{fold(word) for word in words(new.title)} - _SAYING_NOTHING for new in found]
    own = {key for title in titles for word in title for key in (word, word.removesuffix("n"))}
    inside = [_said_in(title, reader) for title in titles]
    for clause in reader.clauses:
        left = [key for key in left_over(clause, ()) if not {key, *_without_zu(key)} & own]
        if _SEVERAL & set(reader.keys) or reader.clauses[0].closes == ":":
            left = [key for key in left if key not in NUMBERS and not key.isdecimal()]
        if clause in inside and left and not _is_reported(clause, left):
            return False
        if any(key.isdecimal() or key in NUMBERS for key in left) or _TELLING & set(left) or says_day(" ".join(left)):
            return False
    return True


def _without_zu(key: str) -> Iterable[str]:
    """An infinitive without its “zu”: aufzuhängen."""
    return (key[: match.start()] + key[match.end() :] for match in re.finditer("zu", key))


def is_renaming_understood(what: Reader, todos: Sequence[TodoView], title: str) -> bool:
    """Tell whether the words for a todo that is to be renamed say no more, and its new title is one."""
    is_more = _AND_MORE & {fold(word) for word in words(title)} and Reader(title, what.now).due is not None
    following = Reader(title, what.now).clauses[1:]
    if QUOTED.search(title) or any(
        clause.first in _REQUEST or clause.is_pronoun or clause.begins_with(*_COMPETING, "add", "noted", "rename")
        for clause in following
    ):
        return False  # “call it 'milk', can you change it”
    return not is_more and not any(left_over(clause, todos) for clause in what.clauses)


def _is_reported(clause: Clause, left: Sequence[str]) -> bool:
    """Whether what is left over only tells who said that there is something to do: “my boss says I have to …”."""
    duties = [min(match.tokens) for match in clause.matches if match.wants == "ought"]
    before = clause.reader.keys[clause.begin : min(duties, default=clause.begin)]
    return bool(_REPORTING & set(before)) and set(left) <= set(before)


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
        if first in _COMMANDS or _TELLING & keys or (first in _TYING and not reader.wants("add", "noted", "ought")):
            return True
        if not todo.completed and {base(key) for key in keys if key not in _SAYING_NOTHING} < bases(todo.title):
            return True
    return (
        first in _COMMANDS
        and (bool(keys & _OBJECTS) or any(key.isdecimal() for key in keys))
        and not reader.wants("add", "noted", "ought")
    )


def is_title(title: str, *, is_told: bool = False) -> bool:
    """Tell whether a text can be the title of a todo, and is no piece of a sentence.

    One that is told to be added may say what comes: “der Schornsteinfeger kommt”.
    """
    keys = [key for word in title.split() if (key := fold(word.strip(" ,;:.!?()")))]
    return not (
        keys[0] in _NO_BEGIN
        or (keys[-1] in _NO_END and not title.endswith((" A", " B")))
        or _NOWHERE & set(keys)
        or (_COMING & set(keys) and not is_told)
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
        if token.key == "no" and number + 1 == begin and not token.closes and base(clause.reader.keys[begin]) in own:
            left.append("no")  # “no milk today”
        if number in taken or not begin <= number < end or clause.reader.is_in_date(token):
            continue
        for word in words(clause.reader.text[token.start : token.end]):
            key = fold(word)
            if not any(map(str.isalnum, key)) or key in _SAYING_NOTHING or key in PAST:
                continue
            if (
                key == "no"
                and clause.reader.keys[number + 1 : number + 2]
                and clause.reader.keys[number + 1].isdecimal()
            ):
                continue
            if (int(key) if key.isdecimal() and len(key) < 5 else NUMBERS.get(key)) in numbers:
                continue
            if base(key) in own or any(meant(stem(key), todo.title) in own for todo in todos):
                continue
            left.append(key)
    return left
