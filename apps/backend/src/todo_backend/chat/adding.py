"""What a message wants to be added."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from todo_backend import dates
from todo_backend.chat.account import left_over
from todo_backend.chat.cues import fold
from todo_backend.chat.lexicon import PRONOUNS, these
from todo_backend.chat.reading import PRIORITIES, Clause, New, Reader, is_courtesy, new_todo, says_day
from todo_backend.text import words
from todo_backend.todos.schemas import Priority

_ITEMS = re.compile(
    r"(?:\s*[,;\n]\s*(?:(?:and|und|&)\s+)?|\s+(?:and|und|n|&|\+)\s+)(?:(?:also|then|dann|noch|auch)\s+)*", re.IGNORECASE
)
_LINK = re.compile(r"(?:and|und|then|dann)\b", re.IGNORECASE)
_NUMBERED = re.compile(r"(?:^|\s)\d{1,2}[.)]\s+(?=\S)")


_FIRST_PERSON = re.compile(r"\b([a-zäöüß]{4,}e)(?=[\s.!?]*$)")
_WITH_ZU = re.compile(
    r"\s+zu\s+([a-zäöü]+(?:en|ern|eln))$|(?<=\s)((?:ab|an|auf|aus|bei|ein|mit|nach|vor|weg|um|her|hin|zurück|rein"
    r"|raus|runter|hoch|fest|fertig|durch)+)zu([a-zäöü]+(?:en|ern|eln))$"
)
_LEADING_TO_ZU = frozenset(
    ("dran", "daran", "vergessen", "vergiss", "erinnern", "erinner", "erinnere", "versuchen", "vergess", "denk")
)
_ALL_OF_THEM = these("all of them")
_SEVERAL = these("several")
"""Words that say that there are several."""
_LISTS = frozenset(("list", "liste", "todoliste", "einkaufsliste", "shopping"))
_LISTED = frozenset(
    ("erinnerung", "reminder", "todo", "aufgabe", "task", "note", "notiz", "liste", "list", "item", "eintrag")
)
_HEADINGS = these("headings")
_TIES = these("ties")
_ASIDES = these("asides")
"""What the clause after a request begins with where it is said besides."""
_NOTHING = PRONOUNS | these("undate what") | these("meta") | {"make", "mach"}
_REFERRING = these("referring")
_URGENCY = these("urgency")
_DANGLING = these("dangling")
"""What a title cannot end with."""


class UnclearDateError(Exception):
    """One todo and several days, or words for a day that are not understood."""


def new_todos(reader: Reader) -> list[New]:
    """Return the todos that are to be added. Raises UnclearDateError."""
    now = reader.now
    if quoted := _in_quotes(reader):
        return [quoted]
    texts, rest = _bodies(reader)
    if "dass" in reader.keys and "ich" in reader.keys:  # “dass ich die Wäsche aufhänge”
        texts = [_FIRST_PERSON.sub(r"\1n", text) for text in texts]
    items = [item for text in texts for item in _items(text, reader)]
    read = [new_todo(text, now) for text in items]
    if _LEADING_TO_ZU & set(reader.keys):  # “denk daran, die Wäsche aufzuhängen”
        read = [item if item.is_quoted else replace(item, title=_WITH_ZU.sub(_without_zu, item.title)) for item in read]
    found = [item for item in read if item.title and not _is_nothing(item.title, now)]
    if not found:
        return []
    around = [clause for text in rest for clause in Reader(text, now).clauses]
    said = [clause.due for clause in around if clause.due]
    said += [found_there for text in items if _is_nothing(text, now) and (found_there := dates.find(text, now))]
    if len(found) == 1 and found[0].due is None and len(dates.days(" ".join(texts), now)) > 1:
        raise UnclearDateError
    if any(says_day(item.title) for item in found):
        raise UnclearDateError
    if any(_is_cut(item.title) for item in found):
        return []
    due = _together(said)
    if (
        due is None
        and len({found.due.day for found in said if found.has_day}) > 1
        and not all(item.due for item in found)
    ):
        raise UnclearDateError
    if len(found) > 1 and not any(item.due for item in found[:-1]) and _ALL_OF_THEM & set(reader.keys):
        due = due or found[-1].due
    is_last_dated = len(found) > 1 and not any(item.due for item in found[:-1]) and _ends_dated(texts[-1], now)
    is_list = reader.clauses[0].closes == ":" or bool(_SEVERAL & set(reader.keys))
    if due is None and is_last_dated and len(texts) == 1 and not is_list:
        raise UnclearDateError  # “iron the shirt and pack the bag tomorrow”: both?
    beside = [new_priority(clause) for clause in around] + [item.priority for item in read if item not in found]
    priority = next((said for said in beside if said), None)
    return [replace(item, due=_both(item, due), priority=item.priority or priority) for item in found]


def _without_zu(match: re.Match[str]) -> str:
    return f" {match[1]}" if match[1] else f"{match[2]}{match[3]}"


def _in_quotes(reader: Reader) -> New | None:
    """What stands in quotation marks, where it is all that is to be added."""
    tokens = [token for token in reader.tokens if token.quoted]
    if len(tokens) != 1 or not reader.wants("add", "noted"):
        return None
    [token] = tokens
    clause = next(clause for clause in reader.clauses if token in clause.tokens)
    title = reader.text[token.start + 1 : token.end - 1].strip()
    own = {fold(word) for word in words(title)}
    if not title or set(left_over(clause, ())) - own:
        return None
    if reader.due is None and dates.days(reader.text, reader.now):
        raise UnclearDateError
    priority = next((said for one in reader.clauses if (said := new_priority(one))), None)
    due = reader.due
    return New(title, due.due if due else None, priority, due is None or due.has_day, is_quoted=True)


def _is_cut(title: str) -> bool:
    """Whether a title is a part of a sentence, “the butter so”, or says a priority that was not understood."""
    keys = [fold(word.strip(" ,;:.!?")) for word in title.split()]
    return keys[-1] in _DANGLING or bool(_URGENCY & set(keys))


def _ends_dated(text: str, now: datetime) -> bool:
    """Whether a text ends with its date."""
    found = dates.find(text, now)
    return found is not None and not text[found.spans[-1][1] :].strip(" .!")


def _together(said: Sequence[dates.Found]) -> dates.Due | None:
    """The one day, and the one time, that are said apart from a todo; None where there are several."""
    days = {found.due for found in said if found.has_day}
    times = {found.due.at for found in said if not found.has_day}
    if len(days) == 1 and len(times) < 2:
        [day] = days
        return replace(day, at=times.pop()) if times and day.at is None else day
    return said[0].due if not days and len(times) == 1 else None


def _both(item: New, due: dates.Due | None) -> dates.Due | None:
    """The date of a todo, with that which is said beside it: “for 10 April: parents’ evening, 18:00”."""
    if item.due and due and not item.has_day and due.at is None:
        return replace(due, at=item.due.at)
    return item.due or due


def new_priority(clause: Clause) -> Priority | None:
    """The priority that a clause beside a new todo says."""
    return next((said for said in PRIORITIES if clause.wants(said)), None)


def is_heading(clause: Clause) -> bool:
    """Whether a clause is before what is to be added: “new todo: …”, “shopping: …”."""
    keys = {token.key for token in clause.tokens if not clause.reader.is_in_date(token)}
    is_named = (
        bool(_LISTED & keys) and len(keys) < 7 and not clause.numbers and not clause.matches
    )  # “I need a reminder: …”
    return clause.closes == ":" and (clause.wants("add", "noted") or is_named or (bool(keys) and keys <= _HEADINGS))


def _bodies(reader: Reader) -> tuple[list[str], list[str]]:
    """The words for what is to be added, one text or several, and those around that may say a date or a priority."""
    clauses = reader.clauses
    wants = "add"
    first = next(
        (at for at, clause in enumerate(clauses) if clause.begins_with("add") or is_heading(clause)),
        None,
    )
    if first is None:
        first, wants = _task(clauses), "ought"
    if first is None:
        return [], []
    start, end = _after_cue(clauses[first], wants), clauses[first].stop
    head = clauses[first].tokens[0].start
    last, dated = first, list[int]()
    if _is_nothing(reader.text[start:end], reader.now):
        if (
            first + 1 < len(clauses)
            and not clauses[first + 1].wants("noted")
            and not is_courtesy(clauses[first + 1].text, reader.now)
        ):
            last = first + 1
            while last + 1 < len(clauses) and clauses[last].due and _is_nothing(clauses[last].text, reader.now):
                dated.append(last)
                last += 1
            start, end = clauses[last].tokens[0].start, clauses[last].stop
        else:
            before = _task(clauses[:first])
            if before is None:
                return [], []
            first, wants = before, "ought"
    if wants == "ought":
        start = _after_cue(clauses[first], wants)
        while first and not clauses[first].wants("ought") and _is_item_before(clauses[first - 1], clauses[first]):
            first -= 1
            start = clauses[first].start
        last, end = first, clauses[first].stop
    is_list = clauses[first].closes in (":", "\n") or bool(_SEVERAL & set(reader.keys))
    noted = next(
        (
            match
            for match in clauses[last].matches
            if match.wants == "noted" and min(match.tokens) > clauses[last].begin
        ),
        None,
    )
    if noted and not _is_nothing(before_it := reader.text[start : reader.tokens[min(noted.tokens)].start], reader.now):
        end = start + len(before_it)
    texts, begin = [reader.text[start:end]], start
    around = []
    while last + 1 < len(clauses) and _goes_on(clauses[last], clauses[last + 1], is_list=is_list):
        last += 1
        if _is_nothing(clauses[last].text, reader.now):
            around.append(clauses[last].text)
        elif around and not clauses[last].is_task:
            last -= 1
            break
        elif clauses[last - 1].closes[:1] in (*".;!?\n",) or around:
            texts.append(clauses[last].text)
            start = clauses[last].tokens[0].start
        else:
            texts[-1] = reader.text[start : clauses[last].stop]
    around += [
        clause.text
        for at, clause in enumerate(clauses)
        if at > last or at in dated or (at < first and (clause.due or len(clause.tokens) < 6))
    ]
    return texts, [reader.text[min(head, begin) : begin], *around]


def _task(clauses: Sequence[Clause]) -> int | None:
    """Which clause is about what there is to do: that with “I have to”, or what is written like a todo."""

    def has_content(clause: Clause) -> bool:
        return not _is_nothing(clause.text, clause.reader.now) and not (
            clause.wants("add", "noted") and clause.is_pronoun
        )

    ranked = [
        (at, (clause.wants("ought", "add"), clause.is_task, not clause.is_statement, clause.due is not None, -at))
        for at, clause in enumerate(clauses)
        if has_content(clause)
    ]
    return max(ranked, key=lambda one: one[1])[0] if ranked else None


def _after_cue(clause: Clause, wants: str) -> int:
    """Where the words after a cue begin."""
    if is_heading(clause):
        return clause.stop
    first = clause.reader.tokens.index(next(token for token in clause.tokens if token.start == clause.start))
    match = next(
        (
            match
            for match in clause.matches
            if match.wants in (wants, "noted")
            and (match.wants == "ought" or min(match.tokens) in (first, clause.begin, clause.undated))
        ),
        None,
    )
    if match is None:
        return clause.start
    last = min(match.tokens)
    while last + 1 in match.tokens:
        last += 1
    return clause.reader.tokens[last].end


def _is_nothing(text: str, now: datetime) -> bool:
    """Whether a text names nothing, or only “it”, a date, or a courtesy."""
    title = new_todo(text, now).title
    keys = [fold(word.strip(" ,;:.!?-–")) for word in title.split()]  # noqa: RUF001
    return (
        all(not key or key in _NOTHING for key in keys)
        or is_courtesy(title, now)
        or new_priority_alone(title, now)
        or new_priority_alone(text, now)
    )


def new_priority_alone(title: str, now: datetime) -> bool:
    """Whether a text is a priority and no more."""
    clauses = Reader(title, now).clauses
    return len(clauses) == 1 and new_priority(clauses[0]) is not None and clauses[0].is_pronoun


def _is_item_before(clause: Clause, following: Clause) -> bool:
    """Whether a clause is an earlier item of the list that ends in the following one."""
    if clause.is_task and following.is_task:
        return True
    short = len(clause.tokens) < 4 and not clause.is_statement and not is_courtesy(clause.text, clause.reader.now)
    return (
        clause.closes == "," and short and following.wants("add", "noted") and not clause.matches and clause.due is None
    )


def _goes_on(clause: Clause, following: Clause, *, is_list: bool) -> bool:
    """Whether a todo, or a list of them, goes on in the next clause."""
    if (
        following.wants("noted", "ought")
        or (following.wants("add") and following.is_pronoun)
        or following.first in _ASIDES
        or following.is_statement
    ):
        return False
    said = new_todo(following.text, following.reader.now)
    if not said.title or _is_nothing(following.text, following.reader.now):
        return True
    if is_list:
        return True
    if clause.closes[:1] in (":", ";", "\n"):
        return True
    if clause.closes[:1] == ".":
        return following.is_task and (bool(_LINK.match(following.text)) or not clause.reader.wants("add"))
    return clause.closes.startswith(",") and (following.is_task or not clause.reader.wants("noted"))


def _items(body: str, reader: Reader) -> Sequence[str]:
    """Each of several todos, where there are several."""
    now = reader.now
    if len(numbered := _NUMBERED.split(body)) > 2:
        return numbered[1:]
    if any(mark in body for mark in "\n;"):
        return [part for part in re.split(r"[\n;]", body) if part.strip(" -–•*")]  # noqa: RUF001
    masked = body
    for start, end in dates.spans(body, now):
        masked = masked[:start] + "_" * (end - start) + masked[end:]
    parts, at = [], 0
    for match in _ITEMS.finditer(masked):
        parts.append(body[at : match.start()])
        at = match.end()
    parts = [part for part in (*parts, body[at:]) if part.strip()]
    if any(_REFERRING & {fold(word) for word in part.split()[:2]} for part in parts[1:]):
        return [body]  # “the key is there and I have to fetch it” is one
    titled = [part for part in parts if new_todo(part, now).title]
    if len(titled) < 2:
        return [body]
    if not dates.days(titled[0], now) and any(_begins_with_day(part, now) for part in titled[1:]):
        return titled  # "buy dog food and on Friday take Bello to the vet"
    are_tasks = [_is_task(part, now) for part in titled]
    if all(are_tasks[1:]) and (are_tasks[0] or reader.wants("add", "noted")):
        return titled
    if _SEVERAL & set(reader.keys) or (_is_dated(titled, now)):
        return titled
    if len(titled) > 2 and sum(are_tasks) > 1 and reader.wants("add") and " and " not in body and " und " not in body:
        return titled
    if len(titled) > 2 and all(len(part.split()) < 4 for part in titled[:-1]) and reader.wants("add", "noted", "ought"):
        return titled
    is_listed = bool(_LISTS & set(reader.keys)) or reader.clauses[0].closes == ":"
    if len(titled) > 2 and is_listed and all(len(part.split()) < 4 for part in titled):
        return titled  # “shopping: bread, milk, eggs”
    if (
        len(titled) == 2
        and is_listed
        and not any(_is_nothing(part, now) for part in titled)
        and all(_is_thing(new_todo(part, now).title) for part in titled)
    ):
        return titled  # “add dog food and bin bags to my list”
    return [body]


def _is_thing(text: str) -> bool:
    """Whether a text names one thing, in a few words: no name, and nothing that ties it to another."""
    keys = text.split()
    return (
        len(keys) < 4
        and not (_TIES & set(map(fold, keys)))
        and (keys[0].islower() or not text.isascii() or len(keys) == 1)
    )


def _begins_with_day(text: str, now: datetime) -> bool:
    found = dates.find(text, now)
    return found is not None and found.has_day and found.spans[0][0] == 0


def _is_dated(parts: Sequence[str], now: datetime) -> bool:
    found = [dates.find(part, now) for part in parts]
    return all(found) and (all(due and due.has_day for due in found) or not any(due and due.has_day for due in found))


def _is_task(text: str, now: datetime) -> bool:
    clauses = Reader(new_todo(text, now).title, now).clauses
    return len(clauses) == 1 and clauses[0].is_task
