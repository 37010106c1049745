"""The built-in assistant: everyday requests, English and German, understood by rule, the same answer every time.

It needs no key and no network. What it does not understand it says it does not understand, and where it is not certain
which todo is meant, or what is to become of it, it asks.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import pairwise
from typing import NoReturn

from todo_backend import dates
from todo_backend.chat.account import (
    is_new_understood,
    is_only_thought_of,
    is_renaming_understood,
    is_understood,
    level_of,
    plain_change,
)
from todo_backend.chat.adding import UnclearDateError, is_heading, new_todos
from todo_backend.chat.asking import Asked, asked, is_overdue
from todo_backend.chat.cues import fold
from todo_backend.chat.lexicon import FILLERS, PREPOSITIONS, stem, these
from todo_backend.chat.reading import (
    NUMBER_WORDS,
    PRIORITIES,
    Clause,
    Match,
    New,
    Reader,
    bases,
    day_of,
    differ_in_signs,
    fits,
    is_courtesy,
    is_quoted,
    is_slip_for,
    named,
    new_todo,
    priority_of,
    without_courtesy,
)
from todo_backend.chat.replies import Language, language_of
from todo_backend.chat.rereading import is_broken_off, plainly, readings
from todo_backend.chat.tools import BadTitleError, GoneError, TodoTools, ToolError
from todo_backend.text import comparable, words
from todo_backend.todos.schemas import TodoView
from todo_backend.todos.service import Wanted

_MOST_CHARACTERS = 500
"""Of a request; what is longer is a letter, and would take seconds to be read."""
_PLANNED = 7
"""More than so many todos are no plan for a day."""
_PRIORITIES = (*PRIORITIES, "none")
_ALL = these("all")
_CHANGE_VERBS = these("change verbs")
_CHANGING = these("changing")
"""Verbs of changes, and of what people have to do: “change the sheets on Saturday”."""
_UNDATE_WHAT, _UNDATE_HOW = these("undate what"), these("undate how")
_PRIORITY, _NOTE = these("attribute"), these("note")
_QUESTIONS = these("questions")
_DEVICES = these("devices")
_NAMES_ONE = frozenset(
    ("task", "todo", "item", "one", "aufgabe", "eintrag", "it", "that", "this", "done", "off", "list")
)
_WRITING = frozenset(("schreib", "schreibe", "schreiben", "write"))
_LETTERS = frozenset(("nachricht", "mail", "email", "sms", "brief", "whatsapp", "text", "letter", "message"))
_DIRECTIONS = frozenset(("raus", "weg", "runter"))
_SPEAKING = frozenset(
    ["i", "we", "it", "its", "thats", "this", "that", "ich", "wir", "es", "das", "im", "ive", "weve", "theyre", "they"]
)
_SETTING = frozenset(("setz", "setze", "setzen", "stell", "stelle", "stellen", "leg", "lege", "legen", "put", "pack"))
_LISTS = frozenset(("list", "liste", "todoliste", "todolist", "einkaufsliste"))
_SETTERS = frozenset(("change", "set", "put", "make", "get", "update", "edit", "correct", "adjust", "alter", "fix"))
_DETERMINERS, _PARTICLES = (
    frozenset(("the", "my", "its", "due")),
    frozenset(("out", "up", "away", "down", "in", "back", "off", "together", "over", "into", "through", "on", "to")),
)
_ATTRIBUTES = frozenset(("date", "deadline", "duedate", "time", "day", "title", "name", "priority", "prio"))
_TASK_VERBS = these("english verbs")
_NEVER_BARE = these("never bare")
_REQUEST, _YOU = these("request"), frozenset(("you", "u", "ya", "du", "sie"))
_CONJUNCTIONS = these("conjunctions")
_CHANGES = ("delete", "reopen", "rename", "move")
_DONE = these("done")
_THINGS = these("things")
_LATE = these("late")
_AND = re.compile(r"\s*[,;]\s*(?:(?:and|und)\s+)?|\s+(?:and|und|&|\+|plus|sowie)\s+", re.IGNORECASE)
_AGAIN = re.compile(
    r"\s*[.;!?\n]\s*(?:(?:and|und|then|dann|also|oh|ach)\s+)*|(?:\s*,\s*|\s+)(?:and|und|then|dann|but|aber)\s+(?:(?:also|then|dann|auch|bitte|please)\s+)*|\s*,\s*(?:(?:also|dann|auch|bitte|please)\s+)*",
    re.IGNORECASE,
)
_COMMAND = re.compile(
    r"(?:please\s+|bitte\s+|can you\s+|could you\s+|kannst du\s+)*(?:add|delete|remove|mark|rename|postpone|reschedule|reopen|move|show|tick|untick|check off|cross off|remind me|what|list|"
    r"lösche?|loesche?|entferne?|streiche?|füge?|erinnere?|verschiebe?|markiere?|hake?|benenne?|zeige?|was|welche)\b",
    re.IGNORECASE,
)
_IT = re.compile(
    r"(?:\w+\s+){1,2}(?:it|that|this|them|das|es|ihn|sie|dran|daran|both|all|those|these|em)\b", re.IGNORECASE
)
_NOT_THEN = re.compile(
    r"[\s,]*\b(?:instead of|rather than|statt|anstatt|anstelle von|(?:isn['’]?t due|is not due|ist nicht|is nicht)(?:\s+(?:am|on))?|not|nicht(?: mehr)?)\s+(?:erst\s+)?",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(r"\bin\s+(?:the|my|der|dem)\b.*\b(?:one|todo|task|item|aufgabe|eintrag)$", re.IGNORECASE)
_LAST = re.compile(
    r"\b(?:the\s+(?:very\s+)?last|(?:der|den|die|das)\s+letzten?)"
    r"(?:\s+(?:one|todo|task|item|entry|eintrag|aufgabe|punkt)\b|(?=\s+(?:on|auf)\s))"
    r"(?:\s+(?:on|in|auf|von|of)\s+(?:the|my|der|meiner)\s+(?:list|liste)\b)?",
    re.IGNORECASE,
)
_NOTES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\bnotes?\s+(?:to|for|on|of)\s+(?P<what>[^:;!?]+?)(?:\s+(?:should|must|to)\s+(?:say|be|read))?\s*:\s*(?P<to>.+)$",
        r"\bnotiz(?:en)?\s+(?:zu|zum|zur|bei|beim|für|von)\s+(?P<what>[^:;!?]+?)(?:\s+(?:dazu|hinzu|ein|auf))?\s*:\s*(?P<to>.+)$",
    )
]
_NO_WAIT = re.compile(
    r"\b(?:haha no|no wait|scratch that|nein warte|ach nein|quatsch|ach quatsch)\b[\s,:.!]*(?:seriously(?: now)?|im ernst)?[\s,:]*",
    re.IGNORECASE,
)
_RATHER = re.compile(
    r"[\s,.;:–—-]*(?:\b(?:oh|ach|äh|ähm|ehm|uh|um|hm|sorry|wait|no|nee?|nein|actually|hang on|moment|quatsch|doch|warte|halt|stopp?)[\s,.:]+)*"  # noqa: RUF001
    r"\b(?:actually(?: no)?|no wait|wait no|wait|warte|nein warte|moment|or rather|i mean|i meant|make that|scratch that|sorry|rather|no|ach (?:ne|nee|nein)|ne(?:e|in)?(?: quatsch)?|quatsch|besser|lieber|"
    r"(?:ich )?mein(?:e|te)?(?: ich)?|nein doch|doch (?:lieber|besser|eher))\b[\s,.:]*(?:make (?:it|that)\s+|mach\s+|lieber\s+|doch\s+|besser\s+)*(?:(?:to|on|for|until|by|at|auf|am|bis|um|für)\s+(?:den\s+|the\s+)?)?",
    re.IGNORECASE,
)
"""Between a date that is no longer meant and the one that is."""
_NOT_BUT = re.compile(
    r"\b(?:don['’]?t|do not|never|please don['’]?t)\s+(?:delete|remove|erase|bin|scrap|complete|tick|tick off|cancel|drop)\s+(?P<what>[^,.;!?]+?)\s*(?:[,.;]\s*(?:but\s+)?|\s+but\s+)"
    r"(?:just\s+|only\s+|rather\s+|instead\s+|please\s+)*(?=move|push|postpone|reschedule|set|make|put|shift|mark|tick|rename)"
    r"|\bnicht\s+(?:löschen|streichen|entfernen|abhaken|rausnehmen)\s*,?\s*(?:sondern|nur|bloß|lieber)\s+(?:nur\s+|bitte\s+|lieber\s+)*",
    re.IGNORECASE,
)
_FROM_TO = re.compile(
    r"\b(?:move|change|shift|push|postpone|reschedule|verschieb\w*|verleg\w*|schieb\w*|änder\w*|aender\w*|bring|pull|set)\b.*?(?P<from>\b(?:from|von|vom)\s+)(?P<before>\S+(?:\s+\S+)??)(?=\s+(?:to|auf|zu|nach|until)\s)",
    re.IGNORECASE,
)
"""When a todo was due, beside when it is to be due."""
_FOLLOWING = re.compile(
    r"\s*(?:,\s*|\s(?:and|und|then|dann)\s+|\s*,\s*(?:and|und)\s+)(?:also\s+|then\s+|bitte\s+|dann\s+)?(?:(?:make|set|move|push|put|setze?|stelle?|lege?|mach|mache|schiebe?|verschiebe?)"
    r"\s+(?:it|them|that|sie|es|ihn|das|die|den)\s+|(?=due\s|fällig\s))(?P<how>.+)$",
    re.IGNORECASE,
)
"""A date for the todo that was spoken of just before."""
_BARE_TIME = re.compile(r"(?:(?:um|at)\s+)?\d{1,2}\b(?!\.?\d)", re.IGNORECASE)
_SAME_TIME = re.compile(r"\b(?:same\s+time|gleiche[rn]?\s+(?:uhr)?zeit|selbe[rn]?\s+(?:uhr)?zeit)\b", re.IGNORECASE)
_BY = re.compile(
    r"\b(?:by\s+|um\s+|(?:back|forward|out|push\w*|postpone|delay|verschieb\w*)\s+(?:\S+\s+){0,5}?)?(?P<number>an?|one|two|three|four|eine[nr]?|zwei|drei|vier|\d+)\s+(?:more\s+)?(?P<unit>hours?|days?|weeks?|months?|stunden?|tage?|wochen?|monate?)"
    r"(?P<way>\s+(?:later|earlier|sooner|back|forward|später|spaeter|früher|frueher|nach hinten|nach vorne|weiter|vorziehen|vorverlegen))?",
    re.IGNORECASE,
)
_EARLIER = re.compile(r"earlier|sooner|früher|frueher|forward|vorne|vor\b|vorziehen|vorverlegen", re.IGNORECASE)
_UNITS = {"hour": ("hour", "stunde"), "day": ("day", "tag"), "week": ("week", "woche"), "month": ("month", "monat")}
_WHAT = r"(?P<what>[^.;!?]+?)"
_TO = r"(?P<to>[^.;!?]+?)[.!?]*$"
_QUOTE = r"(?P<to>[“„\"'‘][^”“\"'’]+[”“\"'’])"
_RENAMES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:make|have|let)\s+(?P<what>[^.:;!?,]+?)\s+(?:say|read|be\s+called)\s*:?\s+{_TO}",
        rf"\b(?:correct|change|fix|update|edit|korrigiere?|änder[en]?)\s+(?P<what>[^.:;!?,]+?)\s*[:,;.]\s*(?:it|that|das|es)\s+(?:should|must|needs\s+to|soll|muss)\s+(?:read|say|be|heißen)\s*:?\s+{_TO}",
        rf"\b(?P<surely>change|set)\s+the\s+(?:title|name|text)\s+(?:of|for|on)\s+{_WHAT}\s+(?:to|into)\s+{_TO}",
        rf"\b(?P<surely>änder(?:e|n)?|aender(?:e|n)?|setz(?:e)?)\s+(?:bitte\s+)?den\s+(?:titel|namen|text)\s+(?:von|bei)\s+{_WHAT}\s+(?:in|zu|auf)\s+{_TO}",
        rf"\b(?P<surely>rename|reword|retitle|relabel)\s+{_WHAT}\s+(?:to|into|as|in|->|→|=>)\s+{_TO}",
        rf"\b(?P<surely>benenn(?:e|en)?|umbenennen|nenne?(?=.*\sum\b))\s+(?:sie\s+)?(?:bitte\s+)?{_WHAT}\s+(?:um\s+)?(?:in|zu|nach|auf)\s+(?P<to>[^.;!?]+?)(?:\s+um)?[.!?]*$",
        rf"{_WHAT}\s+(?:bitte\s+)?(?:in|zu)\s+(?P<to>[^.;!?]+?)\s+(?P<surely>umbenennen|umändern|umtaufen)\b",
        rf"\b(?P<surely>(?:name|title|titel|text))\s+(?:of|for|von|bei)\s+(?P<what>[^.:;!?,]+?)\s*[,.;]\s*(?:the\s+|der\s+|and\s+|und\s+)?(?:new|neue[rs]?)\s+(?:name|title|titel|text)\s*(?:is|ist|should\s+be|soll\s+sein)?\s*:?\s*{_TO}",
        rf"{_WHAT}\s+(?:should|needs\s+to|must|has\s+to)\s+(?:(?:really|rather|actually|now|just)\s+)*(?:say|read|be\s+called|be\s+named)\s*:?\s+{_TO}",
        rf"{_WHAT}\s+(?:soll|sollte|muss)\s+(?:jetzt\s+|lieber\s+|bitte\s+|künftig\s+)?(?:heißen|heissen)\s*:?\s+{_TO}",
        rf"{_WHAT}\s+(?:soll|sollte|muss)\s+(?:jetzt\s+|lieber\s+|bitte\s+|künftig\s+)?(?P<to>[^.;!?]+?)\s+(?:heißen|heissen)[.!?]*$",
        rf"\b(?:call|name)\s+{_WHAT}\s+(?:instead\s+)?{_QUOTE}",
        rf"\b(?:mach|mache|machen\s+sie)\s+(?:bitte\s+)?aus\s+{_WHAT}\s+(?:bitte|lieber|stattdessen)\s+(?:mal\s+)?(?P<to>[^.;!?,]+)[.!?]*$",
        rf"^(?:bitte\s+)?aus\s+{_WHAT}\s+(?:bitte|lieber|jetzt)\s+(?P<to>[^.;!?,]+?)\s+machen[.!]*$",
        rf"\baus\s+{_WHAT}\s+(?:bitte\s+)?(?:mach|mache|machen\s+sie)\s+(?:bitte\s+)?{_TO}",
        rf"\b(?:mach|mache|machen\s+sie)\s+(?:bitte\s+)?aus\s+{_WHAT}\s+(?:bitte\s+|mal\s+|lieber\s+)*(?P<to>[^.;!?,]+)[.!?]*$",
        rf"\b(?:change|edit|update|correct|turn|fix|make)\s+{_WHAT}\s+(?:to|into|->|→|=>)\s+(?:say\s+)?{_TO}",
        rf"\b(?:änder(?:e|n)?|aender(?:e|n)?|korrigier(?:e)?)\s+(?:sie\s+)?(?:bitte\s+)?{_WHAT}\s+(?:in|zu|auf|->|→)\s+(?P<to>[^.;!?]+?)(?:\s+(?:um|ab))?[.!?]*$",
        rf"\b(?:should|must)\s+(?:say|read|be)\s+(?P<to>[^.;!?,]+?),?\s+(?:not|instead\s+of|rather\s+than)\s+{_WHAT}$",
        rf"{_WHAT}['’]s\s+(?:title|name|text)\s+(?:should|must|needs\s+to)\s+(?:be|read|say)\s+{_TO}",
        rf"^(?:statt|anstatt|instead\s+of)\s+{_WHAT},?\s+(?:bitte|lieber|jetzt|please|rather)\s+{_TO}",
        rf"\b(?:statt|anstatt)\s+{_WHAT}\s+soll\s+(?:da\s+|dort\s+)?(?P<to>[^.;!?,]+?)\s+stehen\b",
        rf"\bsoll\s+(?P<to>[^.;!?,]+?)\s+stehen,?\s+(?:statt|anstatt|und\s+nicht|nicht)\s+{_WHAT}$",
        rf"{_WHAT}\s+hei(?:ß|ss)t\s+(?:ab\s+jetzt|ab\s+sofort|jetzt|nun|künftig|in\s+zukunft)\s+{_TO}",
        rf"{_WHAT}\s+(?:is\s+(?:wrong|off)|stimmt\s+nicht|ist\s+falsch)[,.;]\s+(?:it\s+)?(?:should|must|needs\s+to)\s+(?:be|say|read)\s+{_TO}",
        rf"^(?P<what>[^.:;!?]+?)\s*[:,–-]\s*(?:please\s+|bitte\s+)?(?P<surely>rename|umbenennen)\s+(?:it\s+|das\s+)?(?:to|into|in|zu)\s+{_TO}",  # noqa: RUF001
        rf"\b(?:ersetze?)\s+{_WHAT}\s+durch\s+{_TO}",
        rf"\b(?P<surely>rename|reword|retitle|relabel|(?:change|edit)\s+(?:the\s+)?(?:title|name|text)\s+(?:of|for|on)|new\s+(?:title|name|text)\s+(?:of|for|on))\s+(?P<what>[^.:;!?]+?)\s*:\s*{_TO}",
        rf"\b(?P<surely>change|set|edit|update)\s+(?:the\s+)?(?:title|name|text)\s+(?:of|for|on)\s+{_WHAT}\s+(?:to|into|as)\s+{_TO}",
        rf"\b(?:(?:neuer|den)\s+)?(?P<surely>(?:titel|name|text))\s+(?:von|bei|für|zu)\s+(?P<what>[^.:;!?]+?)(?:\s+(?:bitte\s+)?(?:ändern|aendern|anpassen|umändern))?(?:\s*:\s*|\s+(?:in|zu|auf)\s+){_TO}",
        rf"\b(?P<surely>(?:benenne?|nenne?)\s+(?:bitte\s+)?)(?P<what>[^.:;!?]+?)\s+(?:um\s*)?:\s*{_TO}",
        rf"^(?P<what>[^.:;!?]+?)\s+(?:bitte\s+)?(?P<surely>umbenennen)(?:\s*:\s*|\s+(?:in|zu)\s+){_TO}",
        rf"\b(?P<surely>nenne?)\s+(?:bitte\s+)?{_WHAT}\s+(?:jetzt\s+|bitte\s+|lieber\s+|künftig\s+)*{_QUOTE}",
    )
]
_OF_IT = re.compile(r"['’]s\s+(?:title|name|text)$", re.IGNORECASE)
_UNDATED = re.compile(
    r"\s+(?:ohne|without|w/o|(?:with )?no)\s+(?:an?y?\s+)?(?:due\s+)?(?:datum|termin|frist|date|deadline)\b",
    re.IGNORECASE,
)
_INSTEAD = re.compile(r"\b(?:statt|anstatt|anstelle|instead of|rather than)\b", re.IGNORECASE)
_UNCLEAR = frozenset(
    ("not understood", "careful", "unsure", "several", "meant", "not found", "which day", "change how", "add what", "add how",
     "chat", "thanks", "greet", "none found", "priority high", "priority medium", "priority low", "tomorrow", "today", "yesterday")
)  # fmt: skip
"""Replies to what gave nothing to do."""
_NOWHEN = datetime(2000, 1, 1, tzinfo=UTC)


class RuleBasedAssistant:
    """Understands adding, listing, changing, completing and deleting."""

    name = "rule-based"

    async def answer(self, message: str, tools: TodoTools) -> str:
        """Return the reply; each message is understood by itself."""
        turn = _Turn(message, tools, await tools.list_todos())
        if len(message) > _MOST_CHARACTERS:
            return turn.say("too much")
        try:
            return await turn.answer_or_read_again()
        except BadTitleError as error:
            return turn.say("too long", length=error.length)
        except GoneError:
            return turn.say("gone")
        except ToolError as error:
            return str(error)


class _UnclearError(Exception):
    """A request that names no todo, or several: the question to ask back."""


class _WouldActError(Exception):
    """A rehearsed request would have changed something."""


class _Rehearsal:
    """Stands for the tools where it is only asked whether a request would change something."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    async def _act(self, *_: object) -> NoReturn:
        raise _WouldActError

    add_todo = change_todo = delete_todo = ask_to_delete = _act


class _Turn:
    """One message being answered."""

    def __init__(
        self, message: str, tools: TodoTools, todos: Sequence[TodoView], language: Language | None = None
    ) -> None:
        self.tools, self.todos, self.now = tools, list(todos), tools.now
        self.language = language or language_of(message)
        self.message = plainly(message)
        self.said: list[str] = []
        """The names of what was replied."""
        self.reader = Reader(self.message, self.now)
        self.changed: TodoView | None = None
        """What was changed last."""

    def say(self, name: str, **values: object) -> str:
        self.said.append(name)
        return self.language.says[name].format(**values)

    async def answer_or_read_again(self) -> str:
        """Reply; where the message as it stands gives nothing to do, as the first other reading of it that does."""
        if not self.message or is_broken_off(self.message):
            return self._not_understood()
        reply = await self.answer()
        if not _UNCLEAR.issuperset(self.said):
            return reply
        for text in readings(self.message, self.now, self.todos):
            turn = _Turn(text, self.tools, self.todos, self.language)
            try:
                await _Turn(text, _Rehearsal(self.now), self.todos, self.language).answer()  # type: ignore[arg-type]
            except _WouldActError:
                return await turn.answer()
            except ToolError:
                continue
        return reply

    async def answer(self) -> str:
        """Reply to each request in the message."""
        replies = []
        for text in requests(_LAST.sub(self._last, self.message), self.tools, self.todos):
            following = _FOLLOWING.search(text)
            if following and not (
                Reader(text[: following.start()], self.now).wants("rename", "reopen")
                and Reader(following["how"], self.now).due
            ):
                following = None
            try:
                replies.append(await self._answer(text[: following.start()] if following else text))
                if following and self.changed:  # “rename 9 to …, and move it to Friday”
                    replies.append(await self._answer(f"move #{self.changed.number} {following['how']}"))
            except _UnclearError as error:  # what was done before it is still told
                replies.append(str(error))
        return "\n".join(dict.fromkeys(replies))

    def _last(self, match: re.Match[str]) -> str:
        return f"#{self.todos[-1].number}" if self.todos else match[0]

    async def _answer(self, said: str) -> str:
        reader = Reader(_corrected(said, self.now), self.now)
        clauses = reader.clauses
        self.reader = reader
        if not clauses:
            return self._not_understood()
        named_ones = named(self.todos, clauses)
        if _begins_talk("help", clauses) and not reader.wants("add", "noted"):
            return self.say("help", examples=self.language.says["examples"])
        plans = [clause for clause in clauses if clause.wants("plan")]
        if len(plans) == 1 and all(clause is plans[0] or is_courtesy(clause.text, self.now) for clause in clauses):
            return self._plan()
        opening = clauses[: 1 + self._before(clauses)]
        if (
            opening[-1] is not clauses[-1]
            and clauses[-1].first in _QUESTIONS
            and not reader.wants(*_CHANGES, "complete", "add", "noted")
        ):
            opening = clauses
        is_asked = any(clause.begins_with("show") for clause in opening) or (
            clauses[-1].wants("show") and len(clauses) == 1
        )
        if is_asked and not self._renaming(reader) and not reader.wants("noted") and not self._is_noted(opening):
            return self._show(reader)
        if reader.wants("undo") and not named_ones:
            return self.say("undo")
        if (reply := await self._noted(reader)) is not None:
            return reply
        if rename := self._renaming(reader):
            todos, title, what = rename
            if todos and not is_renaming_understood(what, todos, title):
                raise _UnclearError(self.say("unsure") + "".join(f"\n{self._line(todo)}" for todo in todos))
            return await self._each(lambda todo: self._rename(todo, title), todos, what)
        if plain := plain_change(reader, self.todos):
            ones, change = plain
            if change == "delete" and len(ones) > 1:
                return await self._confirm(ones)
            acts: dict[str, Callable[[TodoView], Awaitable[str]]] = {
                "complete": self._complete,
                "delete": self._delete,
                "reopen": self._reopen,
                "undate": self._undate,
                "none": partial(self._set, found=None, priority="none"),
                "move": partial(
                    self._set,
                    found=self._later(reader) or reader.due,
                    priority=priority_of(clauses) or level_of(reader),
                ),
            }
            return "\n".join([await acts[change](todo) for todo in ones])
        if self._is_to_add(reader):
            return await self._add(reader)
        if reader.wants("careful") or any(
            clause.is_denied and clause.wants("complete", "delete") for clause in clauses
        ):
            return self.say("careful")
        if (
            said.rstrip().endswith("?")
            and not reader.wants(*_CHANGES, "ought")
            and asked(said, self.todos, self.now) not in (None, Asked())
        ):
            return self._show(reader)
        if reply := await self._changed(reader):
            return reply
        wanted = asked(said, self.todos, self.now)
        if wanted and wanted != Asked() and not wanted.about and not any(clause.is_statement for clause in clauses):
            return self._show(reader)
        if self._is_new(reader, named_ones):
            return await self._add(reader)
        for kind in ("greet", "thanks"):
            if _begins_talk(kind, clauses):
                return self.say(kind)
        if reader.wants("complete") and set(reader.keys) & _ALL:
            return self.say("one at a time")
        if named_ones:
            return self.say("careful")
        if any(clause.is_statement for clause in clauses):
            return self.say("chat")
        return self._not_understood()

    def _is_to_add(self, reader: Reader) -> bool:
        """Whether something is to be added in so many words, and not to a todo that is there: “add a date to 1”."""
        clauses = reader.clauses
        if self._names(clauses) and set(reader.keys) & _UNDATE_WHAT and not reader.wants("noted"):
            return False
        if clauses[0].first in _SETTING and self._names(clauses) and reader.due and not _LISTS & set(reader.keys):
            return False  # “setzen Sie den Klempner auf 14 Uhr”
        if clauses[0].first in _WRITING and _LETTERS & set(reader.keys):
            return False  # “schreib Oma eine Nachricht”
        if any(clause.begins_with("add") for clause in clauses) or is_heading(clauses[0]):
            return True
        if any(clause.begins_with("careful") for clause in clauses):
            return False
        return reader.wants("noted", "add") and not self._is_change(reader)

    @staticmethod
    def _is_noted(opening: Sequence[Clause]) -> bool:
        """Whether “note:” is before what would be a question by itself; “remind me, when …?” is one."""
        return any(clause.begins_with("add") for clause in opening) and opening[-1].first not in _QUESTIONS

    @staticmethod
    def _before(clauses: Sequence[Clause]) -> int:
        """How many clauses lead to what is asked: greetings, and courtesies."""
        return next(
            (
                at
                for at, clause in enumerate(clauses)
                if not (clause.talks("greet") or clause.talks("thanks") or clause.is_pronoun) or "?" in clause.closes
            ),
            len(clauses) - 1,
        )

    def _not_understood(self) -> str:
        return self.say("not understood", examples=self.language.says["examples"])

    def _names(self, clauses: Sequence[Clause]) -> bool:
        """Whether one todo is named, by number or by more than a word that many have."""
        found = named(self.todos, clauses)
        return len(found) == 1 and (
            any(clause.numbers for clause in clauses) or max(fits(found[0], clause) for clause in clauses)[0] > 1
        )

    def _is_change(self, reader: Reader) -> bool:
        """Whether it rather is a change to a todo that is there."""
        return self._names(reader.clauses) and (
            reader.wants("delete", "reopen", "rename", "complete") or (reader.wants("move") and reader.due is not None)
        )

    # Looking

    def _show(self, reader: Reader) -> str:
        clause = next((clause for clause in reader.clauses if clause.begins_with("show")), reader.clauses[0])
        if clause.numbers and (meant := [todo for todo in self.todos if todo.number in clause.numbers]):
            return self.say("found") + "".join(f"\n{self.language.line(todo, self.now.date())}" for todo in meant)
        text = reader.text[clause.start : clause.stop]
        before = reader.clauses[: reader.clauses.index(clause)]
        if before and all(one.is_pronoun for one in before) and any(one.due for one in before):
            text = reader.text[: clause.stop]  # “my Saturday, what is it like?”
        for following in reader.clauses[reader.clauses.index(clause) + 1 :]:
            more = asked(following.text, self.todos, self.now)
            if more and more != Asked() and (not more.about or (clause.is_pronoun and following.first in _QUESTIONS)):
                text = f"{text} {following.text}"
        wanted = asked(text, self.todos, self.now, loosely=True)
        if wanted is None:
            return self._not_understood()
        today = self.now.date()
        found = [todo for todo in self.todos if wanted.fits(todo, self.now)]
        if wanted != Asked():
            found.sort(key=lambda todo: (todo.due or "9", todo.number))
            if not found:
                return self.say("none found")
            return self.say("found") + "".join(f"\n{self.language.line(todo, today)}" for todo in found)
        done = sum(todo.completed for todo in self.todos)
        if not self.todos:
            return self.say("empty")
        if not found:
            return self.say("nothing left", done=done)
        heading = self.say("open one") if len(found) == 1 else self.say("open many", count=len(found))
        ending = f"\n{self.say('and done', done=done)}" if done else ""
        return heading + "".join(f"\n{self.language.line(todo, today)}" for todo in found) + ending

    def _plan(self) -> str:
        """Propose a day: what is overdue or due today, and then what is of high priority and has no date.

        The page's plan has the same order.
        """
        today = self.now.date()
        urgent = Asked(overdue=True, due=(today.isoformat(),) * 2)
        important = Asked(undated=True, priority="high")
        found = sorted(
            (todo for todo in self.todos if urgent.fits(todo, self.now)),
            key=lambda todo: (_PRIORITIES.index(todo.priority or "none"), todo.due or ""),
        )
        found += [todo for todo in self.todos if important.fits(todo, self.now)]
        if not found:
            return self.say("plan none")
        return self.say("plan") + "".join(f"\n{self.language.line(todo, today)}" for todo in found[:_PLANNED])

    # Adding

    def _is_new(self, reader: Reader, there: Sequence[TodoView]) -> bool:
        """Whether something stands there that is to do, without any “add”."""
        if any("?" in clause.closes for clause in reader.clauses[-1:]) and not reader.wants("ought"):
            return False
        clauses = reader.clauses
        if not reader.wants("ought") and any(
            key in _REQUEST and following in _YOU for key, following in zip(reader.keys, reader.keys[1:], strict=False)
        ):
            return False  # “can you play some music”
        if clauses[0].first in _NEVER_BARE and not reader.wants("ought"):
            return False  # “tell Sam about the party”: to be done by whom?
        if clauses[0].first in _DEVICES and reader.due is None and not reader.wants("ought"):
            return False  # “play some jazz”
        commands = [clause for clause in clauses if clause.begins_with(*_CHANGES)]
        if any(clause.first not in _CHANGING or clause.numbers for clause in commands):
            return False
        if not reader.wants("ought") and set(reader.keys) & _CHANGE_VERBS:
            return False  # of a todo that is not there
        if not reader.wants("ought") and (
            self._is_to_be_set(reader)
            or (clauses[0].first in _SETTERS - {"make", "get", "fix"} and named(self.todos, clauses, loosely=True))
        ):
            return False
        has_more = reader.due is not None or priority_of(clauses) is not None
        tasks = [clause for clause in clauses if clause.is_task or clause.wants("ought")]
        others = [clause for clause in clauses if clause not in tasks and clause.tokens[0].key not in _CONJUNCTIONS]
        if not reader.wants("ought") and tasks and named(self.todos, others, loosely=True):
            return False  # “I rang the dentist, tick it” in words that are not known
        if self._names(clauses) and not any(fits(todo, clause)[0] > 1 for todo in there for clause in tasks):
            return False
        if (
            there
            and max(fits(todo, clause) for todo in there for clause in clauses)[0] > 1
            and any(self._is_all_of(there, clause) for clause in clauses)
        ):
            return False
        if reader.wants("ought"):
            return True
        if tasks:
            return has_more or any(len(new_todo(clause.text, self.now).title.split()) > 1 for clause in tasks)
        if not any(not key.isdecimal() for clause in clauses for key in clause.objects):
            return False
        is_told = any(clause.is_statement for clause in clauses) or _begins_talk("greet", clauses)
        return bool(reader.due or dates.days(reader.text, self.now)) and not is_told

    @staticmethod
    def _is_to_be_set(reader: Reader) -> bool:
        """Whether a date is to be that of something which is not there: “change the date of yoga to Monday”."""
        before = {
            fold(word)
            for start, end in reader.dated
            for word in (*reader.text[:start].split()[-1:], *reader.text[start:end].split()[:1])
        }
        if "auf" in before and not any(clause.is_task for clause in reader.clauses):
            return True  # “Deutschkurs auf Montag”
        for clause in reader.clauses:
            keys = [token.key for token in clause.tokens]
            if clause.first not in _SETTERS:
                continue
            undated = [token.key for token in clause.tokens if not reader.is_in_date(token)]
            if any(one in _DETERMINERS and key in _ATTRIBUTES for one, key in pairwise(keys)) or "to" in before:
                return True
            second = keys[keys.index(clause.first) + 1 :][:1]
            if ("due" in before or "due" in keys or "moved" in keys) and second not in (["a"], ["an"]):
                return True
            if clause.first == "put" and before & {"on", "for"} and not _PARTICLES & set(undated):
                return second not in (["a"], ["an"]) and second[0] not in _TASK_VERBS
        return False

    def _is_all_of(self, there: Sequence[TodoView], clause: Clause) -> bool:
        """Whether a clause says nothing but a todo that is there."""
        return any(fits(todo, clause)[0] > 1 and set(clause.content) - {""} <= bases(todo.title) for todo in there)

    async def _add(self, reader: Reader) -> str:
        try:
            undated = _UNDATED.sub("", reader.text)
            found = new_todos(Reader(undated, self.now))
        except UnclearDateError:
            raise _UnclearError(self.say("which day", what=self.message)) from None
        if not found:
            return self.say("add what")
        if not is_new_understood(reader, found, self.todos) or any(
            new.due and new.due.day < self.now.date() for new in found
        ):
            raise _UnclearError(self.say("add how"))
        whole = reader.due
        if len(found) == 1 and found[0].due and self._is_of_something_else(reader, found[0]):
            raise _UnclearError(self.say("which day", what=self.message))
        if len(found) == 1 and whole and found[0].due != whole.due and undated == reader.text:
            if found[0].due and (found[0].due.day != whole.due.day or found[0].due.at):
                raise _UnclearError(self.say("add how"))
            found = [replace(found[0], due=whole.due)]
        if undated != reader.text:
            found = [replace(new, due=None) for new in found]
        return "\n".join([await self._add_one(new) for new in found])

    @staticmethod
    def _is_of_something_else(reader: Reader, new: New) -> bool:
        """Whether the date is that of something told besides: “Lisa comes on Sunday, I have to bake a cake”."""
        title = {fold(word) for word in words(new.title)}
        dated = [clause for clause in reader.clauses if clause.due]
        return bool(dated) and all(
            clause.is_statement
            and clause.first not in _SPEAKING
            and not clause.wants("ought", "add", "noted")
            and not title & {token.key for token in clause.tokens} - FILLERS
            for clause in dated
        )

    async def _add_one(self, new: New) -> str:
        if there := next((todo for todo in self.todos if not todo.completed and _is_same(todo.title, new.title)), None):
            return self.say("there already", title=there.title, number=there.number)
        added = await self.tools.add_todo(Wanted(new.title, due=new.due or "", priority=new.priority or ""))
        self.todos.append(added)
        return self.say("added", title=added.title, due=self.say("due", when=self._when(added)) if added.due else "")

    # Changing

    async def _changed(self, reader: Reader) -> str | None:
        """The reply to a change; None where none is wanted."""
        clauses = reader.clauses
        moving = [clause for clause in clauses if clause.wants("move") and clause.due and not clause.is_denied]
        due, priority = self._later(reader) or (moving[0].due if moving else reader.due), priority_of(clauses)
        if priority is None and self._takes_away(_PRIORITY, clauses):
            todos = self._targets(reader, "delete", "move", about=_PRIORITY)
            return await self._each(lambda todo: self._set(todo, None, "none"), todos, reader)
        if self._takes_away(_UNDATE_WHAT, clauses) and due is None and self._names(clauses):
            return await self._each(self._undate, self._targets(reader, "delete", "move", about=_UNDATE_WHAT), reader)
        is_back = self._later(reader) is not None and not any(
            todo.completed for todo in self._targets(reader, "reopen")
        )
        if reader.wants("reopen") and not is_back:  # “move it one day back”
            return await self._each(self._reopen, self._targets(reader, "reopen"), reader, "reopen")
        if reader.wants("delete") and not (self._is_chore(reader) and not self._targets(reader, "delete")):
            return await self._delete_all(reader)
        is_done = any(
            (clause.is_past and not _INSTEAD.search(clause.text)) or (clause.wants("complete") and not clause.is_undone)
            for clause in clauses
            if not (clause.due and clause.due.due.day > self.now.date() and not clause.begins_with("complete"))
        )  # “I'd like the passport done by May” is not done
        is_moved = (
            due is not None
            and (reader.wants("move") or not is_done)
            and (not reader.wants("complete") or due.due.day > self.now.date())
        )
        if is_moved or (priority is not None and not reader.wants("complete")):
            todos = self._targets(reader, "move", *_PRIORITIES)
            if several := self._several(reader, self.todos):
                self._check(several, "move", *_PRIORITIES)
                return "\n".join([await self._set(todo, due if is_moved else None, priority) for todo in several])
            if self._names(clauses) or reader.wants("move"):
                if not todos and self._is_chore(reader):
                    return None
                if len(todos) != 1 and not reader.wants("move"):
                    return None
                if not reader.wants("move") and any(clause.is_statement for clause in clauses) and priority is None:
                    return None
                if not reader.wants("move") and not self._is_said_plainly(todos, reader):
                    return None
                return await self._each(
                    lambda todo: self._set(todo, due if is_moved else None, priority),
                    todos,
                    reader,
                    "move",
                    *_PRIORITIES,
                )
        elif is_done:
            return await self._complete_all(reader)
        if (
            reader.wants("move")
            and any(clause.begins_with("move") for clause in clauses)
            and len(named(self.todos, clauses)) == 1
            and self._names(clauses)
        ):
            return self.say("change how", title=named(self.todos, clauses)[0].title)
        return None

    @staticmethod
    def _takes_away(what: frozenset[str], clauses: Sequence[Clause]) -> bool:
        """Whether a todo is to lose such a thing: its date, its priority."""
        return any(
            what & set(keys) and _UNDATE_HOW & set(keys)
            for clause in clauses
            if (keys := [token.key for token in clause.tokens])
        )

    async def _noted(self, reader: Reader) -> str | None:
        """The reply where a todo that is there is to have notes."""
        if not _NOTE & set(reader.keys):
            return None
        for pattern in _NOTES:
            if (match := pattern.search(reader.text)) is None:
                continue
            what, text = Reader(match["what"], self.now), match["to"].strip()
            if todos := named(self.todos, what.clauses):
                return await self._each(partial(self._note, text=text), todos, what)
        if self._takes_away(_NOTE, reader.clauses) and named(self.todos, reader.clauses):
            return self.say("note how")
        known = {str(todo.number) for todo in self.todos}
        is_of_one = any(
            key in known and before in PREPOSITIONS | NUMBER_WORDS
            for before, key in zip(reader.keys, reader.keys[1:], strict=False)
        )
        return self.say("note how") if is_of_one else None

    async def _note(self, todo: TodoView, text: str) -> str:
        changed = await self._change(todo, Wanted(notes=f"{todo.notes}\n{text}".strip()))
        return self.say("noted", title=changed.title, text=text)

    def _is_chore(self, reader: Reader) -> bool:
        """Whether it may be something to do, although it begins as a change does: “change the sheets on Saturday”."""
        deleting = {key for match in reader.matches if match.wants == "delete" for key in _keys(reader, match)}
        if reader.due and deleting and deleting <= _DIRECTIONS and not named(self.todos, reader.clauses, loosely=True):
            return True  # “Angebot raus bis morgen”
        is_more = reader.due is not None or (
            reader.clauses[0].first == "get" and priority_of(reader.clauses) is not None
        )
        if not is_more or named(self.todos, reader.clauses, loosely=True):
            return False
        commands = [clause for clause in reader.clauses if clause.begins_with(*_CHANGES)]
        return any(clause.first in _CHANGING and clause.is_task for clause in commands)

    def _is_said_plainly(self, todos: Sequence[TodoView], reader: Reader) -> bool:
        """Whether a todo with a date or a priority beside it is all that is said."""
        return any(clause.numbers or self._is_all_of(todos, clause) for clause in reader.clauses)

    def _targets(self, reader: Reader, *wants: str, about: frozenset[str] = frozenset()) -> list[TodoView]:
        """The todos that are meant: those in the clause that says what is wanted, or if it says “it” elsewhere."""
        clauses = reader.clauses
        own = [clause for clause in clauses if clause.wants(*wants) or {token.key for token in clause.tokens} & about]
        found = named(self.todos, own)
        if found:
            if len(found) > 1 and len(sharper := [todo for todo in found if todo in named(self.todos, clauses)]) == 1:
                return sharper
            return found
        if not all(clause.is_pronoun for clause in own):
            return []
        return named(self.todos, clauses, loosely=True)

    def _several(self, reader: Reader, todos: Sequence[TodoView]) -> list[TodoView] | None:
        """Todos that are named one by one; None where one of them is not there, and none where there is one alone."""
        if len(numbers := {number for clause in reader.clauses for number in clause.numbers}) > 1:
            ones = [todo for todo in todos if todo.number in numbers]
            is_called = any(todo.title in map(str, numbers) and todo not in ones for todo in todos)
            return ones if len(ones) == len(numbers) and not is_called else None
        parts = [Reader(part, self.now) for part in _AND.split(reader.text) if part.strip()]
        found: list[TodoView] = []
        unknown = False
        for part in parts:
            if not part.clauses or all(clause.is_pronoun for clause in part.clauses):
                continue
            ones = named(todos, part.clauses)
            if (len(ones) > 1 and any(clause.numbers for clause in part.clauses)) or (
                (len(ones) == 1 and max(fits(ones[0], clause) for clause in part.clauses)[0] > 1)
                or (ones and any(c.numbers for c in part.clauses))
            ):
                found += ones
            else:
                unknown = True
        if unknown and not found:
            return []
        found = list({todo.id: todo for todo in found}.values())
        if len(found) < 2:
            return []
        return None if unknown else found

    async def _each(
        self, act: Callable[[TodoView], Awaitable[str]], todos: Sequence[TodoView], reader: Reader, *wants: str
    ) -> str:
        """Do it to the one todo that is meant; ask where there is none, are several, or it is not clear that it is meant."""
        if not todos:
            raise _UnclearError(self.say("not found", what=_object(self.message)))
        is_guessed = not any(clause.numbers or fits(todos[0], clause, loosely=True)[0] > 1 for clause in reader.clauses)
        if len(todos) > 1 or is_guessed:
            lines = "".join(f"\n{self.language.line(todo, self.now.date())}" for todo in todos)
            raise _UnclearError(self.say("several", what=_object(self.message)) + lines)
        if wants:
            self._check(todos, *wants)
        return await act(todos[0])

    def _check(self, todos: Sequence[TodoView], *wants: str) -> None:
        """Ask where not all of the request was understood."""
        if not is_understood(self.reader, todos, *wants):
            raise _UnclearError(self.say("unsure") + "".join(f"\n{self._line(todo)}" for todo in todos))

    def _line(self, todo: TodoView) -> str:
        return self.language.line(todo, self.now.date())

    async def _complete_all(self, reader: Reader) -> str | None:
        explicit = reader.wants("complete")
        if several := self._several(reader, self.todos):
            self._check(several, "complete")
            return "\n".join([await self._complete(todo) for todo in several])
        todos = (
            self._targets(reader, "complete")
            if explicit
            else named(self.todos, [clause for clause in reader.clauses if clause.is_past])
        )
        if set(reader.keys) & _ALL and not todos:
            return self.say("one at a time")
        if not todos and any(
            clause.is_task
            and (
                (clause.first in ("finish", "check") and len(clause.objects) > 0 and not _NAMES_ONE & set(reader.keys))
                or ((clause.begins_with("complete") and clause.due) or clause.first in ("ask", "tell"))
            )
            for clause in reader.clauses
        ):
            return None  # “finish the slides by Friday” is something to do
        if not explicit and not (len(todos) == 1 and self._names(reader.clauses)):
            return None
        if (
            explicit
            and not todos
            and not any(clause.begins_with("complete") for clause in reader.clauses)
            and not any(c.is_past for c in reader.clauses)
            and _begins_talk("thanks", reader.clauses)
        ):
            return None
        return await self._each(self._complete, todos, reader, "complete")

    async def _complete(self, todo: TodoView) -> str:
        if todo.completed:
            return self.say("done already", title=todo.title)
        return self.say("completed", title=(await self._change(todo, Wanted(completed=True))).title)

    async def _reopen(self, todo: TodoView) -> str:
        if not todo.completed:
            return self.say("open already", title=todo.title)
        return self.say("reopened", title=(await self._change(todo, Wanted(completed=False))).title)

    async def _delete_all(self, reader: Reader) -> str:
        several = self._several(reader, self.todos)
        if several:
            return await self._confirm(several)
        keys = {token.key for clause in reader.clauses if clause.wants("delete") for token in clause.tokens}
        todos = [] if keys & _ALL and keys & (_DONE | _LATE | _THINGS) else self._targets(reader, "delete")
        objects = {key for clause in reader.clauses if clause.wants("delete") for key in clause.objects}
        if (
            not todos
            and keys & (_ALL | _DONE | _LATE | _THINGS)
            and objects <= {stem(key) for key in _ALL | _DONE | _LATE | _THINGS}
        ):
            if keys & _DONE:
                todos = [todo for todo in self.todos if todo.completed]
            elif keys & _LATE:
                todos = [todo for todo in self.todos if is_overdue(todo, self.now)]
            else:
                todos = self.todos
            return await self._confirm(todos)
        return await self._each(self._delete, todos, reader, "delete")

    async def _delete(self, todo: TodoView) -> str:
        self._check_meant()
        self._check_named(todo)
        deleted = await self.tools.delete_todo(todo)
        self.todos = [other for other in self.todos if other.id != todo.id]
        return self.say("deleted", title=deleted.title)

    async def _confirm(self, todos: Sequence[TodoView]) -> str:
        if not todos:
            return self.say("confirm none")
        await self.tools.ask_to_delete(todos)
        lines = "".join(f"\n{self.language.line(todo, self.now.date())}" for todo in todos)
        return self.say("confirm", count=len(todos)) + lines

    def _renaming(self, reader: Reader) -> tuple[list[TodoView], str, Reader] | None:
        """The todos that a new title is given to, that title, and the words for those todos."""
        for pattern in _RENAMES:
            if match := pattern.search(reader.text):
                title = without_courtesy(match["to"].strip(" ,.;!"))
                if is_quoted(title):
                    title = title[1:-1]
                is_other = dates.parse(title, self.now) or Reader(title, self.now).wants(
                    *_PRIORITIES, "complete", "reopen"
                )
                if _ELSEWHERE.search(title) or (is_other and not match.groupdict().get("surely")):
                    continue
                what = Reader(_OF_IT.sub("", match["what"]), self.now)
                if what.clauses and (todos := named(self.todos, what.clauses)):
                    return todos, title, what
                if match.groupdict().get("surely"):
                    return [], title, what
        return None

    async def _rename(self, todo: TodoView, title: str) -> str:
        return self.say("renamed", before=todo.title, title=(await self._change(todo, Wanted(title))).title)

    async def _undate(self, todo: TodoView) -> str:
        return self.say("undated", title=(await self._change(todo, Wanted(due="never"))).title)

    async def _set(self, todo: TodoView, found: dates.Found | None, priority: str | None) -> str:
        """Give a todo another date, another priority, or both."""
        due: dates.Due | None = None
        if found is not None:
            due = found.due
            if due.day < self.now.date() or todo.completed:
                raise _UnclearError(self.say("change how", title=todo.title))
            if _SAME_TIME.search(self.message):
                due = dates.Due(due.day, _time_of(todo.due))
            elif not found.has_day and todo.due and found.due.at:
                due = dates.Due(date.fromisoformat(todo.due[:10]), found.due.at)
        changed = await self._change(todo, Wanted(due=due or "", priority=priority or ""))  # type: ignore[arg-type]
        replies = []
        if due:
            replies.append(self.say("moved", title=changed.title, when=self._when(changed)))
        if priority and changed.priority:
            replies.append(
                self.say("prioritized", title=changed.title, priority=self.say(f"priority {changed.priority}"))
            )
        elif priority:
            replies.append(self.say("unprioritized", title=changed.title))
        return "\n".join(replies)

    def _later(self, reader: Reader) -> dates.Found | None:
        """Another date than a todo has now: “a week later”, “by two days”."""
        if not (match := _BY.search(reader.text)):
            return None
        todos = named(self.todos, reader.clauses)
        if len(todos) != 1:
            return None
        [todo] = todos
        unit = next(unit for unit in _UNITS if (match["unit"] or "").lower().startswith(_UNITS[unit]))
        start = self.now
        at = _time_of(todo.due)
        if unit == "hour" and at is None:
            return None
        if unit == "hour" and at:
            start = start.replace(hour=at.hour, minute=at.minute)
        if todo.due:
            start = start.replace(year=int(todo.due[:4]), month=int(todo.due[5:7]), day=int(todo.due[8:10]))
        later = dates.parse(f"in {match['number']} {unit}s", start)
        if later is None:
            return None
        if _EARLIER.search(match[0]) or re.search(r"\bzieh\w*\b.*\bvor\b", reader.text, re.IGNORECASE):
            days = (later.day - start.date()).days
            later = dates.Due(start.date() - timedelta(days=days))
            if unit == "hour":
                return None
        if unit == "hour":
            return dates.Found(later, ())
        return dates.Found(dates.Due(later.day, _time_of(todo.due)), ())

    def _check_named(self, todo: TodoView) -> None:
        """Ask before a todo is gone that is named by what may be a slip of the pen."""
        if is_slip_for(todo, self.reader.clauses):
            raise _UnclearError(self.say("meant", title=todo.title, number=todo.number))

    def _check_meant(self) -> None:
        """Ask where a change is only thought of: what could be done, and when, is not to be done now."""
        if is_only_thought_of(self.reader):
            raise _UnclearError(self.say("careful"))

    async def _change(self, todo: TodoView, wanted: Wanted) -> TodoView:
        self._check_meant()
        changed = self.changed = await self.tools.change_todo(todo, wanted)
        self.todos = [changed if other.id == changed.id else other for other in self.todos]
        return changed

    def _when(self, todo: TodoView) -> str:
        return self.language.when(todo.due or "", self.now.date())


def requests(message: str, tools: TodoTools, todos: Sequence[TodoView]) -> list[str]:
    """The requests in a message: another one begins where, after a stop or an “and”, a command does.

    Or where, after a comma too, something else is to become of another todo.
    """
    found, at = [], 0
    for match in _AGAIN.finditer(message):
        before, after = message[at : match.start()], message[match.end() :]
        is_command = bool(match[0].strip(" ,")) and _has_request(before, tools) and _COMMAND.match(after)
        if _IT.match(after) or not (is_command or _are_two(before, after, tools, todos)):
            continue
        found.append(before)
        at = match.end()
    return [*found, message[at:]]


def _are_two(before: str, after: str, tools: TodoTools, todos: Sequence[TodoView]) -> bool:
    """Whether two texts want two things, each of a todo that it names, or that the second is to be added."""
    first = _wanted_of(Reader(before, tools.now), todos)
    second = _wanted_of(Reader(after, tools.now), todos)
    if first is None or second is None:
        return False
    if first == "add":
        return second == "complete" and plain_change(Reader(after, tools.now), todos) is not None
    return first != second or first == "move"


def _wanted_of(reader: Reader, todos: Sequence[TodoView]) -> str | None:
    """What a text by itself wants of a todo that it names, or `add`."""
    clauses = reader.clauses
    if not clauses or any(clause.is_denied for clause in clauses) or reader.wants("careful", "show", "rename"):
        return None
    if clauses[0].wants("add") or (clauses[0].wants("ought") and not named(todos, clauses)):
        return "add"
    ones = named(todos, clauses)
    if not ones or not any(clause.numbers or fits(ones[0], clause)[0] > 1 for clause in clauses):
        return None
    for wants in ("reopen", "delete", "complete"):
        if reader.wants(wants):
            return wants
    if any(clause.is_past for clause in clauses):
        return "complete"
    return "move" if reader.due or priority_of(clauses) or level_of(reader) else None


def _has_request(text: str, tools: TodoTools) -> bool:
    reader = Reader(text, tools.now)
    return reader.wants("add", "delete", "complete", "reopen", "move", "rename", "show", *_PRIORITIES) and any(
        not clause.is_pronoun or clause.wants("show") for clause in reader.clauses
    )


def _corrected(said: str, now) -> str:  # type: ignore[no-untyped-def]
    """A message without the date that is no longer meant: “at 11 instead of 9”, “not on Friday, on Monday”."""
    said = re.sub(r"\b\w{5,}\b", lambda word: day_of(word[0]), said)
    said = re.sub(
        r"\s*\((dringend|wichtig|urgent|important|high|low|medium|hoch|niedrig|mittel|asap)\)",
        r", \1",
        said,
        flags=re.IGNORECASE,
    )
    said = _NOT_BUT.sub(lambda match: f"{match['what'] or ''}{', ' if match['what'] else ''}", said)
    if (again := _NO_WAIT.search(said)) and len((rest := said[again.end() :]).split()) > 1:
        whole = dates.find(rest, now)
        said = said if whole and not whole.rest(rest) else rest
    if (past := _FROM_TO.search(said)) and (
        dates.parse(past["before"], now) or dates.parse(f"at {past['before']}", now)
    ):
        said = said[: past.start("before") - len(past["from"])] + said[past.end("before") :]
    for match in reversed(list(_NOT_THEN.finditer(said))):
        rest = said[match.end() :]
        first = min(dates.spans(rest, now), default=(99, 99))
        if first[0] == 0:
            after = re.sub(r"^[\s,]*(?:sondern|but|rather)\b", "", rest[first[1] :])
            if bare := _BARE_TIME.match(after.lstrip()):
                after = after.lstrip()[bare.end() :]
            said = said[: match.start()] + "," + after
        elif bare := _BARE_TIME.match(rest):
            said = said[: match.start()] + rest[bare.end() :]
    spans = [found.spans for found in [dates.find(said, now)] if found] or [dates.spans(said, now)]
    for (_, end), (begin, _) in zip(spans[0], spans[0][1:], strict=False):
        if _RATHER.fullmatch(said[end:begin]):
            first = max((one for one in spans[0] if one[1] == end), default=(end, end))
            return said[: first[0]] + said[begin:]
    return said


def _is_same(one: str, other: str) -> bool:
    """Whether two titles say the same: “Milch kaufen” is “buy milk”."""
    return not differ_in_signs(one, other) and (
        comparable(one) == comparable(other) or (bool(bases(one)) and sorted(bases(one)) == sorted(bases(other)))
    )


def _begins_talk(kind: str, clauses: Sequence[Clause]) -> bool:
    return any(clause.talks(kind) for clause in clauses)


def _keys(reader: Reader, match: Match) -> list[str]:
    return [reader.keys[number] for number in match.tokens]


def _time_of(due: str | None) -> time | None:
    _, _, at = (due or "").partition("T")
    return time.fromisoformat(at) if at else None


def _object(message: str) -> str:
    """The words of a message for what it is about, for a question back."""
    return new_todo(re.sub(r"^\W*\w+\s+", "", message), _NOWHEN).title or message
