"""The built-in assistant: phrases, English and German, understood by rule, the same answer every time.

It needs no key and no network. What it does not understand it says it does not understand, and where it is not certain
which todo is meant, it asks.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta

from todo_backend import dates
from todo_backend.chat.assistant import Said
from todo_backend.chat.english import ENGLISH
from todo_backend.chat.german import GERMAN
from todo_backend.chat.lexicon import COMMON, NUMBERS, SAME
from todo_backend.chat.phrases import Language
from todo_backend.chat.tools import BadTitleError, GoneError, TodoTools, ToolError
from todo_backend.text import comparable, words
from todo_backend.todos.schemas import Priority, TodoView
from todo_backend.todos.service import Wanted

_LANGUAGES = (ENGLISH, GERMAN)
_SPOKEN = {
    GERMAN: frozenset(
        "der das den dem und ich du sie bitte mir mich mein meine meinen sind nicht auf für um von zu zum zur mit noch welche wie heut heute morgen "
        "übermorgen hab habe muss erledigt fertig liste aufgaben hallo danke hilfe kannst schon offen ein eine einen einem beim bei vom nach dran wann "
        "irgendwas wochenende woche steht mal doch jetzt ist is wir bis dass wegen kein keine nochmal neu neue prio hoch niedrig statt erst ja nein".split()
    ),
    ENGLISH: frozenset(
        "the my a an to of with about that this it please on at and in from i is are do does what which show me list add need have for by not don't "
        "you your can could would when how it's its i'm done be till until one some any there new high low priority today tomorrow".split()
    ),
}
_QUOTED = re.compile(r"""^["'“„‘«](.+)["'”“’»]$""")
_ASIDE = re.compile(
    r"[\s,]+(?:it'?s|its|i|i'?m|i'?ve|we|we'?re|my|because|since|cause|cuz|that'?s|thats|they|he|she|there'?s|as\s+i|tbh|anyway|weil|da\s+ich|ich|wir|es|war|der\s+ist|die\s+ist|das\s+ist|mein|meine|eh|sowieso)\s+\S.*$",
    re.IGNORECASE,
)
_URGENT = re.compile(
    r"(?:!+\s*)?(?P<p>(?:very\s+)?(?:urgent|important|wichtig|dringend|eilig)|(?:high|medium|low|top|hohe|mittlere|niedrige)[\s-]+prio\w*)\s*[!:,–-]+\s*(?=\S)",
    re.IGNORECASE,
)
# "I was tired today" has a date, and is nothing to do.
_NOT = re.compile(r"\b(?:haven'?t|hasn'?t|didn'?t|won'?t|not|never|nicht|nie|kein\w*)\b(?!\s+(?:mehr|needed|urgent|important|dringend|wichtig|eilig|so\b|that\b|erledigt|fertig|done|finished|any))", re.IGNORECASE)
_STATEMENT = re.compile(
    r"\b(?:bin|war|waren|ist|sind|hab|habe|hatte|wird|am|was|were|is|are|i'm|i’m|it's|been|feel|felt|had|has|got|said|says|know|think|believe|glaub\w*|weiß|denke|finde|geht|ging|kommt|kam)\b",
    re.IGNORECASE,
)
_MOST_WORDS = 9
_BOTH = re.compile(r"[\s,]+(?:both|all(?:\s+of\s+(?:it|them))?|beides|beide|alles)\s+(?P<when>(?:are\s+|is\s+)?(?:due\s+)?(?:for|by|on|until|bis|am|für|zum|today|tomorrow|heute|morgen)\b.*)$", re.IGNORECASE)
_PRONOUNS = frozenset(["it", "that", "this", "thats", "that's", "that’s", "its", "it's", "them", "es", "das", "ihn", "sie", "den", "die", "der"]) | {"that one", "this one"}
_NUMBER = re.compile(r"(?:(?:number|no|nr|nummer|todo|task|item|aufgabe|eintrag|punkt|id)\.?\s*)*#?\s*(\d{1,6})\.?")


class RuleBasedAssistant:
    """Understands adding, listing, changing, completing and deleting."""

    name = "rule-based"

    async def answer(self, message: str, history: Sequence[Said], tools: TodoTools) -> str:  # noqa: ARG002
        """Return the reply; each message is understood by itself, so the history is not looked at."""
        lines = [line for line in (" ".join(line.split()) for line in message.splitlines()) if line]
        requests = [request for line in lines or [""] for request in _requests(line)]
        turn = _Turn(tools, await tools.list_todos())
        replies = [await turn.answer(request) for request in requests]
        return "\n".join(dict.fromkeys(replies))


def _requests(line: str) -> list[str]:
    """The requests in a line: another one begins where, after “and”, a command does."""
    found, rest = [], line
    at = 0
    for match in re.finditer(r"(?:\s*[,;.]\s*|\s+)(?:and|und|then|dann|and then|und dann|also)\s+|\s*[;.!]\s+", line):
        after = line[match.end() :]
        if match.start() > at and any(language.command.match(after) for language in _LANGUAGES):
            found.append(line[at : match.start()])
            at = match.end()
    rest = line[at:]
    return [*found, rest]


class _UnclearError(Exception):
    """A request that names no todo, or several: ``found`` of them."""

    def __init__(self, reply: str, found: int) -> None:
        super().__init__(reply)
        self.found = found


@dataclass
class _Turn:
    """One message being answered."""

    tools: TodoTools
    todos: list[TodoView]
    language: Language = field(default=ENGLISH)
    whole: str = ""
    """The request of which a clause is looked at."""

    async def answer(self, said: str) -> str:
        """Reply to one request: as a whole, or else to the clause of it that is one ("my sister buys it, delete it")."""
        unclear: list[_UnclearError] = []
        self.whole = said
        try:
            self.language = self._languages(said)[0]
            if (_URGENT.match(said) or self.language.note.search(said)) and (reply := await self._noted(said)) is not None:
                return reply
            for text in (said, *_clauses(said)):
                for language in self._languages(said):
                    self.language = language
                    for phrase in _variants(text, language):
                        try:
                            if (reply := await self._try(phrase)) is not None:
                                return reply
                        except _UnclearError as error:
                            unclear.append(error)
                if text is said:
                    self.language = self._languages(said)[0]
                    for sense in (self._sensed, *([] if unclear else [self._noted])):
                        if (reply := await sense(said)) is not None:
                            return reply
        except BadTitleError as error:
            return self._say("too long", length=error.length)
        except GoneError:
            return self._say("gone")
        except ToolError as error:
            return str(error)
        self.language = self._languages(said)[0]
        if unclear:
            return str(max(unclear, key=lambda error: error.found))
        return self._say("not understood", examples=self.language.says["examples"])

    def _languages(self, said: str) -> Sequence[Language]:
        """Both, first the one that this is probably in."""
        spoken = words(said)
        german = sum(word in _SPOKEN[GERMAN] for word in spoken) + sum(bool(set(word) & set("äöüß")) for word in spoken)
        english = sum(word in _SPOKEN[ENGLISH] for word in spoken)
        return _LANGUAGES[::-1] if german > english else _LANGUAGES


    async def _try(self, phrase: str) -> str | None:
        """The reply to a phrase, None where no rule fits."""
        for name, pattern in self.language.rules:
            if match := pattern.fullmatch(phrase):
                if name not in _HARMLESS and self.language.careful.search(phrase):
                    return self._say("careful")
                given = match.groupdict()
                reply = await _HANDLERS[name](self, (given.get("what") or "").strip(" ,:"), (given.get("to") or "").strip(), phrase)
                if reply is not None:
                    return reply
        return self._say("careful") if self.language.careful.search(phrase) else None

    # Talking

    async def help(self, _what: str, _to: str, _said: str) -> str:
        return self._say("help", examples=self.language.says["examples"])

    async def greet(self, _what: str, _to: str, _said: str) -> str:
        return self._say("greet")

    async def thanks(self, _what: str, _to: str, _said: str) -> str:
        return self._say("thanks")

    async def refuse(self, _what: str, _to: str, _said: str) -> str:
        return self._say("one at a time")

    # Looking

    async def show(self, what: str, _to: str, _said: str) -> str | None:
        wanted = _Filter.read(what, self)
        if wanted is None:
            return None
        found = [todo for todo in self.todos if wanted.fits(todo, self)]
        today = self.tools.now.date()
        if not wanted.is_plain:
            found.sort(key=lambda todo: (todo.due or "9", todo.number))
            return self._say("found") + "".join(f"\n{self.language.line(todo, today)}" for todo in found) if found else self._say("none found")
        done = sum(todo.completed for todo in self.todos)
        if not self.todos:
            return self._say("empty")
        if not found:
            return self._say("nothing left", done=done)
        heading = self._say("open one") if len(found) == 1 else self._say("open many", count=len(found))
        ending = f"\n{self._say('and done', done=done)}" if done else ""
        return heading + "".join(f"\n{self.language.line(todo, today)}" for todo in found) + ending

    # Changing

    async def add(self, what: str, to: str, said: str) -> str | None:
        more = re.search(r"(?:list|liste)\s+((?:for|by|on|due|für|bis|am)\s+.+)$", said, re.IGNORECASE)
        title, due, priority = self._parts(f"{what} {more[1]}" if more and more[1] not in what else what)
        if len(dates.days(what, self.tools.now)) > 1:
            parts = re.split(r"\s*[,;]\s*(?:and\s+|und\s+)?|\s+(?:and|und|&)\s+", what)
            if any(len(dates.days(part, self.tools.now)) != 1 for part in parts):
                raise _UnclearError(self._say("which day", what=what), 0)
            return "\n".join([await self.add(part, to, part) or "" for part in parts])
        if both := _BOTH.search(what):
            parts = re.split(r"\s*,\s*(?:and\s+|und\s+)?|\s+(?:and|und|&)\s+", what[: both.start()], flags=re.IGNORECASE)
            return "\n".join([await self.add(f"{part} {both['when']}", to, part) or "" for part in parts if part])
        if items := _items(what):
            return "\n".join([await self.add(item, to, item) or "" for item in items])
        if match := re.match(r"(?:one|ein(?:e|en)?|a|an)\s+(?:(?P<p>[\w\s-]*?prio\w*|urgent|important|wichtige\w*)\s+)?(?:one|task|item|todo|thing|eintrag|aufgabe)\s*:\s*", title, re.IGNORECASE):
            priority = self._priority(match["p"] or "") or priority
            title = title[match.end() :]
        title = _unquoted(_tidied(title))
        if not title:
            return self._say("add what")
        if to:
            priority = self._priority(to) or priority
        added = await self.tools.add_todo(Wanted(title, due=due or "", priority=priority or ""))
        self.todos.append(added)
        when = self._say("due", when=self._when(added)) if added.due else ""
        return self._say("added", title=added.title, due=when)

    async def _sensed(self, said: str) -> str | None:
        """The reply where no phrase fits, but one todo is named and one thing is wanted of it, or it is a question."""
        cues = [name for name, pattern in self.language.cues.items() if pattern.search(said)]
        if (self.language.careful.search(said) or _NOT.search(said)) and "show" not in cues:
            return None
        if "show" in cues and not set(cues) - {"show", "complete"}:
            text = self.language.cues["show"].sub(" ", said).strip(" ?!.,")
            return await self.show(text, "", said)
        if "show" in cues or "add" in cues:
            return None
        found = dates.find(said, self.tools.now)
        rest = found.rest(said) if found else said
        todos = self._named(rest)
        if len(todos) != 1:
            return None
        [todo] = todos
        priority = self._priority(self.language.cues["priority"].search(said)[0]) if "priority" in cues else None
        wants = set(cues) - {"priority"}
        if wants == {"delete"}:
            return await self._delete(todo)
        if wants == {"complete"}:
            return await self._complete(todo)
        if wants == {"reopen"}:
            return await self._reopen(todo)
        if wants <= {"move"} and found and (wants or priority is None):
            if (not wants and (todo.completed or _STATEMENT.search(rest))) or found.due.day < self.tools.now.date():
                return None
            changed = await self._change(todo, Wanted(due=self._on_its_day(todo, found)))
            return self._say("moved", title=changed.title, when=self._when(changed))
        if not wants and priority is not None:
            return await self._prioritize(todo, None if priority == "none" else priority)
        return None

    def _named(self, said: str) -> list[TodoView]:
        """The open todos that a message names: those of which it has the most words."""
        spoken = set(self._content(said)) - COMMON
        shares = {
            todo.id: (len(spoken & own) / len(own), len(spoken & own))
            for todo in self.todos
            if (own := set(self._content(todo.title)) - COMMON) and spoken & own
        }
        if not shares:
            return []
        best = max(shares.values())
        return [todo for todo in self.todos if shares.get(todo.id) == best]

    async def _noted(self, said: str) -> str | None:
        """The reply to a todo that stands there as it is: with a date or a priority, or with “remind me” after it."""
        text = self.language.tail.sub("", self.language.lead.sub("", self.language.tail.sub("", said)))
        asked = self.language.note.sub("", text)
        if self.language.careful.search(said) or (asked == text and said.rstrip().endswith("?")):
            return None
        title, due, priority = self._parts(asked)
        bare = self.language.task.match(text) is not None
        if asked == text and due is None and priority is None and not bare:
            return None
        if asked == text and (self.language.no_task.match(text) or self._is_about_another(title)):
            return None
        if not words(title) or comparable(title) in _PRONOUNS:
            return None
        if self._is_about_another(title) and any(self.language.cues[name].search(said) for name in ("complete", "delete")):
            return None
        if asked == text and not bare and (_STATEMENT.search(title) or len(words(title)) > _MOST_WORDS):
            return None
        for phrase in dict.fromkeys((asked, *_variants(asked, self.language))):
            for name, pattern in self.language.rules:
                if name == "add" and (match := pattern.fullmatch(phrase)) and match["what"]:
                    return await self.add(match["what"], "", phrase)
        return await self.add(asked, "", asked)

    def _is_about_another(self, title: str) -> bool:
        """Whether a text seems to be about a todo that is there, in words that no rule fits."""
        said = set(self._content(title)) - COMMON
        return any(own and own <= said for todo in self.todos if (own := set(self._content(todo.title)) - COMMON))

    async def complete(self, what: str, _to: str, _said: str) -> str | None:
        if not what and not _clauses(self.whole):
            return self._say("complete what")
        what = what or "it"
        return await self._each(what, self._complete, [todo for todo in self.todos if not todo.completed])

    async def _complete(self, todo: TodoView) -> str:
        if todo.completed:
            return self._say("done already", title=todo.title)
        changed = await self._change(todo, Wanted(completed=True))
        return self._say("completed", title=changed.title)

    async def reopen(self, what: str, _to: str, _said: str) -> str | None:
        return await self._each(what, self._reopen, [todo for todo in self.todos if todo.completed])

    async def _reopen(self, todo: TodoView) -> str:
        if not todo.completed:
            return self._say("open already", title=todo.title)
        changed = await self._change(todo, Wanted(completed=False))
        return self._say("reopened", title=changed.title)

    async def delete(self, what: str, _to: str, _said: str) -> str | None:
        if not what and not _clauses(self.whole):
            return self._say("delete what")
        what = what or "it"
        found = self._several(what, self.todos)
        if len(found) > 1:
            return await self._confirm(found)
        return await self._each(what, self._delete, self.todos)

    async def _delete(self, todo: TodoView) -> str:
        deleted = await self.tools.delete_todo(todo)
        self.todos = [other for other in self.todos if other.id != todo.id]
        return self._say("deleted", title=deleted.title)

    async def bulk(self, what: str, to: str, said: str) -> str:
        said = f"{what} {to}"
        found = self.todos
        if re.search(r"done|completed|finished|erledigt|fertig|abgehakt", said, re.IGNORECASE):
            found = [todo for todo in found if todo.completed]
        elif re.search(r"overdue|überfällig", said, re.IGNORECASE):
            found = [todo for todo in found if self._is_overdue(todo)]
        return await self._confirm(found)

    async def _confirm(self, todos: Sequence[TodoView]) -> str:
        if not todos:
            return self._say("confirm none")
        await self.tools.ask_to_delete(todos)
        lines = "".join(f"\n{self.language.line(todo, self.tools.now.date())}" for todo in todos)
        return self._say("confirm", count=len(todos)) + lines

    async def rename(self, what: str, to: str, _said: str) -> str | None:
        return await self._one(what, lambda todo: self._rename(todo, _unquoted(to)))

    async def _rename(self, todo: TodoView, title: str) -> str:
        changed = await self._change(todo, Wanted(title))
        return self._say("renamed", before=todo.title, title=changed.title)

    async def redate(self, what: str, _to: str, _said: str) -> str | None:
        """To a date that stands anywhere: “make the call to mum 6pm today”."""
        found = dates.find(what, self.tools.now)
        if found is None:
            return None
        rest = re.sub(r"[\s,]+(?:to|for|until|on|by|due|auf|bis|für|at|instead|rather|lieber|doch)$", "", found.rest(what))
        todos = self._find(rest, self.todos)
        if len(todos) != 1:
            return None
        changed = await self._change(todos[0], Wanted(due=self._on_its_day(todos[0], found)))
        return self._say("moved", title=changed.title, when=self._when(changed))

    async def change(self, what: str, to: str, said: str) -> str | None:
        """To another date, priority or title, whichever it is."""
        bare = re.sub(r"^(?:due\s+)?(?:to|into|->|→|=>|due|auf|in|zu)\s+", "", to, flags=re.IGNORECASE)
        by = re.match(r"(?:(?:by|um)\s+)?(an?|one|two|three|eine[nr]?|zwei|drei|\d+)\s+(?:more\s+)?(day|week|month|tag|woche|monat)(?:e|en|s|n)?(?:\s+(?:later|nach hinten|später))?$", bare, re.IGNORECASE)

        async def move(todo: TodoView) -> str | None:
            if by:
                start = todo.due[:10] if todo.due else self.tools.now.date().isoformat()
                later = dates.parse(f"in {by[1]} {by[2].lower()}", self.tools.now.replace(year=int(start[:4]), month=int(start[5:7]), day=int(start[8:10])))
                due = later and dates.Due(later.day, _time_of(todo.due))
            else:
                due = next((self._on_its_day(todo, found) for said_ in (to, bare) if (found := dates.find(said_, self.tools.now)) and dates.parse(said_, self.tools.now)), None)
            if due is None:
                if self.language.says["priority high"] and (priority := self._priority(bare, whole=True)) is not None:
                    return await self._prioritize(todo, None if priority == "none" else priority)
                if (found := dates.find(bare, self.tools.now)) is not None:
                    changed = await self._change(todo, Wanted(due=self._on_its_day(todo, found)))
                    return self._say("moved", title=changed.title, when=self._when(changed))
                if re.match(r"(?:to|into|->|→|=>|in|zu)\s", to, re.IGNORECASE) and self.language.edit.match(said):
                    return await self._rename(todo, _unquoted(bare))
                return self._say("no date", said=bare)
            changed = await self._change(todo, Wanted(due=due))
            return self._say("moved", title=changed.title, when=self._when(changed))

        return await self._one(what, move)

    def _on_its_day(self, todo: TodoView, found: dates.Found) -> dates.Due:
        """What a todo becomes due: at a time alone it is on the day that it was."""
        if re.search(r"\b(?:same\s+time|gleiche[rn]?\s+(?:uhr)?zeit)\b", self.whole, re.IGNORECASE):
            return dates.Due(found.due.day, _time_of(todo.due))
        if found.has_day or not todo.due:
            return found.due
        return dates.Due(date.fromisoformat(todo.due[:10]), found.due.at)

    async def undate(self, what: str, _to: str, _said: str) -> str | None:
        async def undate(todo: TodoView) -> str:
            changed = await self._change(todo, Wanted(due="never"))
            return self._say("undated", title=changed.title)

        return await self._one(what, undate)

    async def priority(self, what: str, to: str, _said: str) -> str | None:
        said = self._priority(to)
        return await self._one(what, lambda todo: self._prioritize(todo, None if said == "none" else said))

    async def _prioritize(self, todo: TodoView, priority: Priority | None) -> str:
        changed = await self._change(todo, Wanted(priority=priority or "none"))
        if changed.priority is None:
            return self._say("unprioritized", title=changed.title)
        return self._say("prioritized", title=changed.title, priority=self.language.says[f"priority {changed.priority}"])

    async def _change(self, todo: TodoView, wanted: Wanted) -> TodoView:
        changed = await self.tools.change_todo(todo, wanted)
        self.todos = [changed if other.id == changed.id else other for other in self.todos]
        return changed

    # Which todo is meant

    async def _one(self, what: str, act) -> str | None:
        return await self._each(what, act, self.todos, one=True)

    async def _each(self, what: str, act, preferred: Sequence[TodoView], one: bool = False) -> str | None:
        """Do it to the todo that is meant, or to each of several that are named one by one; ask where that is not clear."""
        found = [] if one else self._several(what, preferred)
        if len(found) < 2:
            found = self._find(what, preferred) or self._find(what, [todo for todo in self.todos if todo not in preferred])
            if not found:
                raise _UnclearError(self._say("not found", what=_unquoted(what)), 0)
            if len(found) > 1:
                lines = "".join(f"\n{self.language.line(todo, self.tools.now.date())}" for todo in found)
                raise _UnclearError(self._say("several", what=_unquoted(what)) + lines, len(found))
        return "\n".join([await act(todo) for todo in found])

    def _several(self, what: str, todos: Sequence[TodoView]) -> list[TodoView]:
        """Todos that are named one by one, each without doubt; none where one of them is not."""
        parts = [part for part in re.split(r"\s*,\s*(?:and\s+|und\s+)?|\s+(?:and|und|&|\+)\s+", what) if part]
        if len(parts) < 2 or any(comparable(todo.title) == comparable(_unquoted(what)) for todo in todos):
            return []
        found = [self._find(part, todos) for part in parts]
        return [one for (one,) in found] if all(len(one) == 1 for one in found) else []

    def _find(self, what: str, todos: Sequence[TodoView]) -> list[TodoView]:
        """The todos that may be meant: by title, by number, by some of the title's words, or in other words."""
        wanted = _unquoted(what)
        if exact := [todo for todo in todos if comparable(todo.title) == comparable(wanted)]:
            return exact
        if (number := self._number(wanted)) is not None:
            return [todo for todo in todos if todo.number == number]
        if comparable(wanted) in _PRONOUNS:
            return self._mentioned(todos)
        said = self._content(wanted)
        if not said:
            return []
        titles = {todo.id: set(self._content(todo.title)) for todo in todos}
        known = set(said) - COMMON
        if same := [todo for todo in todos if set(said) == titles[todo.id]]:
            return same
        if part := [todo for todo in todos if known and set(said) <= titles[todo.id]]:
            return part
        if whole := [todo for todo in todos if titles[todo.id] and titles[todo.id] <= set(said)]:
            longest = max(len(titles[todo.id]) for todo in whole)
            return [todo for todo in whole if len(titles[todo.id]) == longest]
        # One word that it does not have, as in “that blasted tax return”.
        if near := [todo for todo in todos if (own := titles[todo.id] - COMMON) and own <= known and len(known - own) <= 1]:
            return near
        if aside := _ASIDE.search(wanted):
            return self._find(wanted[: aside.start()], todos)
        return []

    def _mentioned(self, todos: Sequence[TodoView]) -> list[TodoView]:
        """The todos that a message is most about: which “it” is."""
        said = set(self._content(self.whole)) - COMMON
        shared = {todo.id: len(said & set(self._content(todo.title))) for todo in todos}
        most = max(shared.values(), default=0)
        return [todo for todo in todos if most and shared[todo.id] == most]

    def _number(self, said: str) -> int | None:
        text = re.sub(r"^(?:the|my|der|die|das|den|dem|mit|with|to-?do)\s+", "", comparable(said))
        text = " ".join(str(NUMBERS.get(word, word)) for word in text.split())
        match = _NUMBER.fullmatch(re.sub(r"(?<=\d)\s+(?:one|todo|task|item|entry|thing|eintrag|aufgabe|punkt)$", "", text))
        return int(match[1]) if match else None

    def _content(self, text: str) -> list[str]:
        """The words that say which todo is meant, each in one form."""
        stem = self.language.stem
        return [SAME.get(word) or SAME.get(stem(word)) or stem(word) for word in words(text) if word not in self.language.fillers]

    # Words

    def _parts(self, what: str) -> tuple[str, dates.Due | None, Priority | None]:
        """Title, date and priority of what is to be added."""
        found = dates.find(what, self.tools.now)
        title = found.rest(what) if found else what
        priority: Priority | None = None
        if match := _URGENT.match(title):
            priority = self._priority(match["p"])
            title = title[match.end() :]
        pattern = r"[\s,(]*(?:\b(?:with|mit)\s+|\b(?:it'?s|das ist|ist)\s+)?(?:!!+|\b(?P<p>(?:very\s+)?(?:high|top|low|medium|hohe[rn]?|niedrige[rn]?|mittlere[rn]?)[\s-]prio(?:rity|rität)?|prio(?:rity|rität)?:?\s+(?:high|low|medium|hoch|niedrig|mittel)|urgent(?:ly)?|important|dringend|wichtig)\b)\)?[!]*$"
        if match := re.search(pattern, title, re.IGNORECASE):
            said = match["p"]
            priority = "high" if said is None else self._priority(said)
            title = title[: match.start()].strip(" ,:-")
        return title, found.due if found else None, priority

    def _priority(self, said: str, *, whole: bool = False) -> Priority | None:
        """The priority that is said; `none` where it is to be taken away."""
        for pattern, priority in (*self.language.priorities, *ENGLISH.priorities, *GERMAN.priorities):
            match = pattern.search(said)
            if match and (not whole or len(said) - len(match[0]) <= len(" priorität")):
                return priority or "none"  # type: ignore[return-value]
        return None

    def _when(self, todo: TodoView) -> str:
        return self.language.when(todo.due or "", self.tools.now.date())

    def _is_overdue(self, todo: TodoView) -> bool:
        return bool(todo.due) and not todo.completed and (todo.due or "") < _now(self.tools, todo.due or "")

    def _say(self, name: str, **values: object) -> str:
        return self.language.says[name].format(**values)


def _now(tools: TodoTools, due: str) -> str:
    return tools.now.isoformat()[: len(due)]


def _time_of(due: str | None) -> time | None:
    _, _, at = (due or "").partition("T")
    return time.fromisoformat(at) if at else None


@dataclass(frozen=True)
class _Filter:
    """Which todos are to be shown."""

    state: str = "open"
    due: tuple[str, str] | None = None
    """From one day to another one."""
    overdue: bool = False
    undated: bool = False
    priority: Priority | None = None
    q: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        return self == _Filter()

    @classmethod
    def read(cls, what: str, turn: _Turn) -> "_Filter | None":
        """What is asked for; None where that is not understood."""
        said, now = comparable(what), turn.tools.now
        today, wanted = now.date(), {}
        for name, value, pattern in _ASKED:
            if match := pattern.search(said):
                wanted[name] = value
                said = f"{said[: match.start()]} {said[match.end() :]}"
        for pattern, days in _PERIODS:
            if match := pattern.search(said):
                wanted["due"] = tuple(day.isoformat() for day in days(today))
                said = f"{said[: match.start()]} {said[match.end() :]}"
                break
        else:
            if found := dates.find(said, now):
                until = re.search(r"\b(?:until|till|by|before|bis)\b", said)
                wanted["due"] = ("" if until else found.due.day.isoformat(), found.due.day.isoformat())
                said = found.rest(said)
        if wanted.get("state") == "done" and wanted.get("due"):
            return None  # when something was done is not asked for yet
        rest = [word for word in words(said) if word not in _ASKING]
        if rest:
            q = tuple(turn._content(" ".join(rest)))
            if not any(set(q) <= set(turn._content(f"{todo.title} {todo.notes}")) for todo in turn.todos):
                return None if not re.search(r"\b(?:about|with|containing|mention\w*|mit|über|wegen|von)\b", said) else cls(q=q or ("",))
            wanted["q"] = q
        return cls(**wanted)

    def fits(self, todo: TodoView, turn: _Turn) -> bool:
        if self.state != "all" and todo.completed != (self.state == "done"):
            return False
        if self.priority and todo.priority != self.priority:
            return False
        if self.undated and todo.due:
            return False
        is_due = bool(self.due and todo.due and self.due[0] <= todo.due[:10] <= self.due[1])
        if (self.due or self.overdue) and not (is_due or (self.overdue and turn._is_overdue(todo))):
            return False
        return set(self.q) <= set(turn._content(f"{todo.title} {todo.notes}"))


_ASKED = [
    ("state", "all", re.compile(r"\b(?:including (?:the )?(?:done|finished|completed)(?: ones)?|(?:the )?whole lot|also (?:the )?(?:done|finished) ones|auch (?:die )?(?:erledigten|fertigen)|inklusive (?:der )?(?:erledigten|fertigen))\b")),
    ("state", "open", re.compile(r"\b(?:not (?:yet )?(?:done|finished|completed)|unfinished|nicht erledigt\w*|unerledigt\w*|noch offen\w*|offene\w*)\b")),
    ("state", "done", re.compile(r"\b(?:(?:already |schon |bereits )?(?:done|completed?|finished|tick(?:ed)? off|erledigt\w*|fertig\w*|abgehakt\w*|abgeschlossen\w*|geschafft))\b")),
    ("overdue", True, re.compile(r"\b(?:overdue|(?:that'?s )?late|past due|missed|behind(?: on)?|überfällig\w*|ueberfaellig\w*|verspätet\w*|zu spät|verpasst\w*|verschwitzt|im verzug)\b")),
    ("undated", True, re.compile(r"\b(?:no (?:due ?)?date|without (?:a |any )?(?:due ?)?(?:date|deadline)s?|no deadline|ohne (?:datum|termin|frist|fälligkeit\w*)|undated|kein\w* (?:datum|termin|frist))\b")),
    ("priority", "low", re.compile(r"\b(?:(?:low|lowest)[ -]prio\w*|niedrig\w*(?: prio\w*)?|low)\b")),
    ("priority", "medium", re.compile(r"\b(?:medium[ -]prio\w*|mittler\w*(?: prio\w*)?|medium)\b")),
    ("priority", "high", re.compile(r"\b(?:(?:the )?(?:high|highest|top)[ -]prio\w*|(?:most )?(?:urgent|important)|wichtig\w*|dringend\w*|hohe\w*(?: prio\w*)?|eilig\w*|prio(?:rity|rität)?)\b")),
]


def _week(today: date, later: int = 0) -> tuple[date, date]:
    monday = today + timedelta(days=7 * later - today.weekday())
    return monday, monday + timedelta(days=6)


def _month(today: date, later: int = 0) -> tuple[date, date]:
    first = (today.replace(day=1) + timedelta(days=32 * later)).replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


_MONTHS = ["january|januar|jänner", "february|februar", "march|märz", "april", "may|mai", "june|juni", "july|juli", "august", "september", "october|oktober", "november", "december|dezember"]
_PERIODS = [
    (re.compile(r"\b(?:next week|nächste[rn]? woche|naechste[rn]? woche|kommende[rn]? woche)(?:'?s)?\b"), lambda today: _week(today, 1)),
    (re.compile(r"\b(?:this week|the week|diese[rn]? woche|die woche|within the week|week)(?:'?s)?\b"), _week),
    (re.compile(r"\b(?:next month|nächste[rn]? monat)\b"), lambda today: _month(today, 1)),
    (re.compile(r"\b(?:this month|diese[nr]? monat)\b"), _month),
    *(
        (re.compile(rf"\b(?:in|im) (?:{names})\b"), lambda today, month=month: _month(today, (month - today.month) % 12))
        for month, names in enumerate(_MONTHS, 1)
    ),
    (re.compile(r"\b(?:(?:this|the|my|am|dieses|übers|mein) )?(?:weekend|wochenende)\b"), lambda today: tuple(day + timedelta(days=5) if not n else day for n, day in enumerate(_week(today)))),
    (re.compile(r"\b(?:(?:the )?next|(?:die |in den )?(?:nächsten|kommenden)) (?:few|couple of|paar|2|two|zwei|3|three|drei) (?:days|tagen?)\b"), lambda today: (today, today + timedelta(days=3))),
    (re.compile(r"\b(?:upcoming|coming up|later|demnächst|anstehend\w*)\b"), lambda today: (today, date.max)),
    (re.compile(r"\b(?:my day|mein tag)\b"), lambda today: (today, today)),
    (re.compile(r"\btoday'?s\b"), lambda today: (today, today)),
    (re.compile(r"\btomorrow'?s\b"), lambda today: (today + timedelta(days=1),) * 2),
]
_ASKING = frozenset(
    [*"got coming pending behind here put dont don't wots what've am search find look yet again did thats anythings heute drauf dran raus los vor mir nochmal schon is hier irgendwas anzeigen zeigen sehen will möchte kann überhaupt alles sag mal hab denn so noch".split(), "what", "whats", "what's", "what’s", "which", "show", "me", "us", "my", "the", "our", "is", "are", "there", "on", "in", "list", "lists", "todo", "todos", "to-do", "to-dos", "task", "tasks", "item", "items", "thing", "things", "do", "i", "have", "to", "need", "left", "open", "still", "anything", "due", "next", "yet", "again", "did", "tick", "thats", "anythings", "all", "everything", "for", "of", "any", "ones", "one", "that", "got", "must", "should", "how", "many", "when", "whens", "when's", "it", "be", "a", "and", "does", "a", "at", "with", "about", "up", "so", "far", "currently", "right", "now", "please", "can", "see", "tell", "give", "read", "view", "display", "stuff", "planned", "scheduled", "plan", "look", "like", "going", "agenda", "where", "full", "whole", "every", "just", "only", "reminders", "containing", "mention", "mentions", "or", "was", "hast", "du", "gibt", "es", "was", "welche", "welcher", "welches", "ist", "sind", "auf", "meiner", "meine", "mein", "der", "die", "das", "den", "liste", "aufgaben", "aufgabe", "einträge", "sachen", "ich", "habe", "hab", "muss", "noch", "zu", "tun", "steht", "stehen", "offen", "an", "für", "mir", "mal", "bitte", "alles", "alle", "wann", "wie", "viele", "viel", "wieviele", "fällig", "anstehen", "als", "nächstes", "nächste", "eigentlich", "denn", "alles", "so", "heute", "dran", "machen", "mit", "von", "über", "überhaupt", "gerade", "auch", "in", "soll", "sollte", "was's", "wo", "dem", "im", "am", "to-do-liste", "todo-liste", "todoliste", "einkaufsliste", "nur", "etwas", "irgendwas", "zeig", "zeige", "momentan", "aktuell", "kommt"]
)
_HARMLESS = {"help", "greet", "thanks", "list"}
_HANDLERS = {
    "help": _Turn.help,
    "greet": _Turn.greet,
    "thanks": _Turn.thanks,
    "bulk": _Turn.bulk,
    "bulk_other": _Turn.refuse,
    "list": _Turn.show,
    "undate": _Turn.undate,
    "reopen": _Turn.reopen,
    "priority": _Turn.priority,
    "rename": _Turn.rename,
    "change": _Turn.change,
    "redate": _Turn.redate,
    "delete": _Turn.delete,
    "complete": _Turn.complete,
    "done": _Turn.complete,
    "add": _Turn.add,
}


def _clauses(said: str) -> Sequence[str]:
    """The clauses of a request, the first one first; none where it has one alone."""
    found = [clause for clause in re.split(r"\s*[,;.!?–—:]+\s+|\s+-\s+|\s+(?:so|but|because|since|aber|weil|denn|also|drum)\s+", said) if clause]
    if len(found) < 2:
        return []
    longer = [said[: said.rfind(clause)].rstrip(" ,;.!?–—:-") for clause in found[1:]]
    return [*found, *longer]


def _items(what: str) -> Sequence[str]:
    """Several todos in one: after a colon, or where it is said that they are several."""
    listed = re.match(r"(?:(?:these|the\s+following|diese|folgende[sn]?|\d+|two|three|four|five|zwei|drei|vier|fünf)\s+)?(?:things|items|todos|tasks|sachen|dinge|aufgaben|einträge)(?:\s+(?:for|to|on|auf|für)\s+(?:the|my|die|meine)\s+\w*list\w*)?\s*:\s*(.+)", what, re.IGNORECASE)
    apart = re.match(r"(.+?)(?:\s+(?:to|on|auf|zu)\s+(?:my|the|meine|die)\s+\w*list\w*)?[\s,]+(?:as|als)\s+(?:two|three|separate|seperate|zwei|drei|getrennte|einzelne)\b.*", what, re.IGNORECASE)
    if not (match := listed or apart):
        return []
    if re.match(r"1[.)]", match[1]):
        return [item.strip(" ,;") for item in re.split(r"\s*\b\d+[.)]\s*", match[1]) if item.strip(" ,;")]
    return [item for item in re.split(r"\s*[,;]\s*(?:and\s+|und\s+)?|\s+(?:and|und|&)\s+", match[1]) if item]


def _tidied(title: str) -> str:
    """A title without what leads to it, and without what is said about it besides."""
    lead = r"^(?:to|that|about|(?:that\s+)?(?:i|we)\s+(?:have\s+to|need\s+to|should|must|gotta)|must|have\s+to|need\s+to|dass\s+ich|daran,?\s+dass\s+ich|an\s+(?:den|die|das)|an|daran,?)\s+(?=\S)"
    while (shorter := re.sub(lead, "", title, flags=re.IGNORECASE)) != title:
        title = shorter
    title = re.sub(r"[\s,]+(?:is|are|would\s+be|wäre|ist|passt)\s+(?:fine|ok(?:ay)?|good|enough|perfect|best|super|gut|am\s+besten)$", "", title, flags=re.IGNORECASE)
    aside = r"\s*[,.;?!–]+\s*(?:(?:it|that|which|because|since|as|so|please|thanks?|thank\s+you|by\s+the\s+way|my|we|i|he|she|they|is|are|would\s+be|danke|weil|das|ist|wäre|passt|ich|wir|er|sie|reicht)\b.*)$"
    title = re.sub(aside, "", title, flags=re.IGNORECASE)
    return title.strip(" ,.;:?-–")


def _unquoted(text: str) -> str:
    match = _QUOTED.match(text.strip())
    return (match[1] if match else text).strip()


def _variants(said: str, language: Language) -> Sequence[str]:
    """First as it was said ("hello"), then without the courtesies around it ("hello, add milk")."""
    plain = said.strip()
    without = language.tail.sub("", plain)
    asked = language.lead.sub("", without)
    if asked != without:
        asked = asked.rstrip("? ")  # "could you add milk?" wants milk, not "milk?"
    return list(dict.fromkeys((without, language.tail.sub("", asked), asked, plain)))
