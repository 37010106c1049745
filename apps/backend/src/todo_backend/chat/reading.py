"""A message taken apart: its clauses, the cues in them, their dates, and the todos that they name."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from itertools import pairwise

from todo_backend import dates
from todo_backend.chat.cues import CUES, Cue, fold, lengths
from todo_backend.chat.lexicon import COMMON, FILLERS, NUMBERS, ORDINALS, PAST, PREPOSITIONS, SAME, UNDONE, stem, these
from todo_backend.text import comparable, is_unspaced, occurs, words
from todo_backend.todos.schemas import Priority, TodoView

QUOTED = re.compile(r"""“[^”]*”|„[^“”]*[“”]|«[^»]*»|"[^"]*"|(?<!\w)'[^']+'(?!\w)|‘[^’]*’(?!\w)""")
_CHUNK = re.compile(rf"{QUOTED.pattern}|\n|\S+")
_OPENING, _CLOSING = "([{<*•·–—-:,;!?.…", ".,;:!?…)]}>–—"  # noqa: RUF001
_STOPS = ".,;:!?…"
_WHILE = re.compile(
    r"\b(?:an?|one|two|three|four|einen?|einer|zwei|drei|vier|\d+)\s+(?:hours?|days?|weeks?|months?|stunden?|tage?n?|wochen?|monate?n?)\b",
    re.IGNORECASE,
)
_MONTHS = r"(?:jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[a-zä]*"
_CLOCK = re.compile(
    r"\b(?:drei)?viertel|\bhalb\s|\bhalf (?:past )?\w+$|\d{1,2}[:.]\d\d\b|\d\s*(?:uhr|am|pm|oclock|hrs|h)\b"
    r"|\b(?:at|um|am|on) (?:the )?\d{1,2}\.? (?:or|oder) (?:the )?\d"
    r"|\d[ -]?ish\b|\bo clock\b|\d{1,2}/\d{1,2}\b|\d\.\s*\d{1,2}\b|\b\d{1,2}(?:st|nd|rd|th|ten)\b"
    r"(?! (?:floor|time|hand|draft|round|half|grade|class|edition|birthday|attempt|street|avenue)\b)"
    rf"|\b{_MONTHS}\s+\d{{1,2}}\b|\b\d{{1,2}}\.?\s+{_MONTHS}\b"
    r"|\b(?:fortnight|anderthalb|stunden?|hours?|gegen (?:zehn|elf|acht|neun|sieben|sechs|fünf))\b"
    r"|\b(?:\d+|two|three|four|few|couple of|zwei|drei|vier|paar) (?:days?|weeks?|months?|tagen?|wochen|monaten?)\b"
    r"|\b(?:within|innerhalb|sometime)\b|\b(?:this|next|diese|nächste|kommende) (?:week|month|woche|monat)\b"
    r"|\b(?:coming|next|kommenden?|nächsten?) (?:few |paar )?(?:days|weeks|tagen?|wochen)\b"
    rf"|\b(?:mitte|mid|anfang|early|late)[ -]{_MONTHS}\b"
    r"|\b(?:am|zum|bis|den|by|on|for|at|um|auf|gegen) (?:the )?\d{1,2}$"
    r"|\bat (?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve) \w+$"
    r"|\b(?:sat|sun|mon|tue|wed|thu|fri|mo|di|mi|fr|sa)$",
    re.IGNORECASE,
)
"""What is left of a day or a time that was not understood."""
_FOR_PEOPLE = re.compile(r"\b(?:table|tisch|dinner|lunch|reservation)\s+(?:for|für)\s+\d+", re.IGNORECASE)
"""“a table for 4” is for no hour."""
_ABBREVIATIONS, NUMBER_WORDS, _DAYS = these("abbreviations"), these("number words"), these("days")
_CONJUNCTIONS, _QUESTIONS = these("conjunctions"), these("questions")
_SUBJECTS = these("subjects")
"""What follows a “so” that begins a clause."""
_STATEMENTS = these("statements")
"""Words of sentences that tell something, and give nothing to do."""
_NEGATED = these("negated")
_TELLERS = these("tellers")
_WEEK = sorted(these("week"))
_NO_DAYS = these("no days")
"""What is written almost as a day is."""
_TAILS = these("tails")
"""With what German words for a todo end."""
_ENGLISH_VERBS = these("english verbs")
"""What English todos begin with."""
_COMPOUND = re.compile(
    r"(?:ab|an|auf|aus|bei|ein|mit|nach|vor|zu|zurueck|weg|um|durch|her|hin|los|zusammen|fertig|fest|frei|rein|raus|runter|hoch)[a-z]{3,}(?:en|ern|eln)$"
    r"|(?:kaufen|buchen|bestellen|holen|besorgen|bezahlen|ueberweisen|reparieren|reservieren|verlaengern|schicken|pruefen|klaeren)$"
)
"""Infinitives that no sentence has in its middle, or hardly one."""
_LEADING = frozenset(("fuer", "mit"))
_BEHIND = frozenset(
    [
        "bei",
        "beim",
        "mit",
        "fuer",
        "von",
        "vom",
        "wegen",
        "an",
        "am",
        "in",
        "im",
        "zum",
        "zur",
        "nach",
        "vor",
        "auf",
        "aus",
        "ueber",
    ]
)
_COMMANDS = sorted(these("commands"))
_AFTER_ORDINALS = these("after ordinals") | {""}
_SEVERAL = these("several")
_REMINDING = frozenset(("remind", "add", "note", "erinner", "erinnere"))
_AND = frozenset(["and", "und", "&", "+"])
_MOST_DIGITS = 7
_MOST_EDGES = 16
"""How often something is taken from the ends of a title; each time all of it is read."""
_SIGNED = re.compile(
    r"((?<![^\W_])(?:[@$€£~+#]+|[-−](?=\d)))?(?<![^\W_])([^\W_]+)([#+*%°$€£−-]++(?![^\W_]))?"  # noqa: RUF001
)
"""A word with the signs that it has: C++, AA-, -1."""
_NUMBER = re.compile(r"#?\d+(?:[,;&]#?\d+)*\.?")
_BESIDE = "([{\"'“”„‘’.,;:!?…)]}*•·—–"  # noqa: RUF001
"""What may stand beside a number without making another one of it."""
_COURTESIES = ("courtesy before", "courtesy after", "title before", "talk thanks", "talk greet")
PRIORITIES: Sequence[Priority] = ("high", "medium", "low")
_BY_FIRST: dict[str, list[Cue]] = defaultdict(list)
for _cue in CUES:
    for _alternatives, _optional in _cue.slots:
        for _word in _alternatives:
            _BY_FIRST[_word].append(_cue)
        if not _optional:
            break


@dataclass(frozen=True)
class Token:
    """A word of a message, from `start` to `end`; `key` is its folded form, and empty where it is quoted."""

    key: str
    start: int
    end: int
    quoted: bool = False
    closes: str = ""
    """The punctuation after it."""


@dataclass(frozen=True)
class Match:
    """A cue that was found, with the numbers of the tokens it takes."""

    wants: str
    tokens: frozenset[int]
    begins: bool


def _tokens(text: str) -> Iterator[Token]:
    for chunk in _CHUNK.finditer(text):
        start, end = chunk.span()
        if chunk[0] == "\n":
            yield Token("", start, end, closes="\n")
            continue
        if QUOTED.fullmatch(chunk[0]):
            yield Token("", start, end, quoted=True)
            continue
        core = chunk[0].lstrip(_OPENING + "“„\"'‘")
        start = end - len(core)
        bare = core.rstrip(_CLOSING + "”“\"'’")
        closes = "".join(mark for mark in core[len(bare) :] if mark in _STOPS)
        if not bare:
            yield Token("", chunk.start(), chunk.start(), closes=chunk[0])
            continue
        key = _commanded(fold(bare))
        if closes == "." and bare.isdecimal():  # “on the 22.” in German
            yield Token(key, start, start + len(bare) + 1)
            continue
        if closes == "." and key in _ABBREVIATIONS:
            closes = ""
        yield Token(key, start, start + len(bare), closes=closes)


@lru_cache(maxsize=4096)
def _commanded(key: str) -> str:
    """A word, or the command that it is but for a slip of the finger."""
    if key in _BY_FIRST or key in FILLERS:
        return key
    if swapped := next((word for word in _SHORT_COMMANDS if len(key) == 4 and _is_swapped(key, word)), None):
        return swapped
    if (spelt := _spelt(key)) in _COMMANDS:
        return spelt
    return next((word for word in _COMMANDS if _is_slip(key, word)), key)


_SHORT_COMMANDS = ("what", "move", "mark", "show", "done")


def _is_swapped(one: str, other: str) -> bool:
    """Whether two neighbouring letters are swapped: “waht”."""
    return any(one == other[:at] + other[at + 1] + other[at] + other[at + 2 :] for at in range(len(other) - 1))


class Reader:
    """A message, or a part of one, with what the cues in it want. `now` is in the user's time zone."""

    def __init__(self, text: str, now: datetime) -> None:
        self.text, self.now = text, now
        self.tokens = list(_tokens(text))
        said = self.due.spans if self.due else ()
        self.dated = [*dates.spans(text, now), *said, *(match.span() for match in _WHILE.finditer(text))]

    @cached_property
    def due(self) -> dates.Found | None:
        """The date that is said, where there is one and no more."""
        return dates.find(self.text, self.now)

    @cached_property
    def keys(self) -> list[str]:
        """The words, folded."""
        return [token.key for token in self.tokens]

    @cached_property
    def clauses(self) -> "list[Clause]":
        """The clauses in their order: what punctuation, or a conjunction, sets apart."""
        found: list[Clause] = []
        begin = 0
        for at, token in enumerate(self.tokens):
            after = self.keys[at + 1] if at + 1 < len(self.keys) else ""
            is_so = token.key == "so" and after in _SUBJECTS
            is_asking = token.key == "denn" and self.keys[begin] in _QUESTIONS
            if at > begin and (is_so or token.key in _CONJUNCTIONS) and not is_asking and not self.is_in_date(token):
                found.append(Clause(self, begin, at, ""))
                begin = at
            following = self.tokens[at + 1] if at + 1 < len(self.tokens) else None
            if (
                token.closes
                and not self.is_in_date(token, token.end)
                and not (following and self._spans_date(token, following))
            ):
                found.append(Clause(self, begin, at + 1, token.closes))
                begin = at + 1
        found.append(Clause(self, begin, len(self.tokens), ""))
        return [clause for clause in found if any(token.key or token.quoted for token in clause.tokens)]

    def is_in_date(self, token: Token, at: int | None = None) -> bool:
        """Whether a word, or what stands at that place, is part of a date."""
        return any(start <= (token.start if at is None else at) < end for start, end in self.dated)

    def _spans_date(self, one: Token, other: Token) -> bool:
        return any(start <= one.start and other.start < end for start, end in self.dated)

    @cached_property
    def matches(self) -> list[Match]:
        """The cues in all clauses, of those that overlap the longest."""
        return [match for clause in self.clauses for match in clause.matches]

    def wants(self, *names: str) -> bool:
        """Whether one of these is wanted anywhere."""
        return any(match.wants in names for match in self.matches)


class Clause:
    """A part of a message, its tokens `begin` to `end`."""

    def __init__(self, reader: Reader, begin: int, end: int, closes: str) -> None:
        self.reader, self.begin, self.end, self.closes = reader, begin, end, closes
        self.tokens = reader.tokens[begin:end]

    @property
    def text(self) -> str:
        """The clause as it was written."""
        return self.reader.text[self.tokens[0].start : self.stop]

    @property
    def start(self) -> int:
        """Where it begins in the message, without courtesies."""
        return self.reader.tokens[self.plain[0]].start

    @property
    def stop(self) -> int:
        """Where it ends in the message, with its punctuation."""
        return self.tokens[-1].end + len(self.tokens[-1].closes.rstrip("\n"))

    @cached_property
    def due(self) -> dates.Found | None:
        """The date in it, where there is one and no more."""
        return dates.find(self.text, self.reader.now)

    @cached_property
    def plain(self) -> tuple[int, int]:
        """From which token to which it goes on without the courtesies around it."""
        keys = self.reader.keys
        begin, end = self.begin, self.end
        while (taken := _longest("courtesy before", keys[begin:end])) and taken < end - begin:
            begin += taken
        while end - begin > 1 and not any(map(str.isalnum, keys[end - 1])) and not self.reader.tokens[end - 1].quoted:
            end -= 1
        while (
            end - begin > 1
            and (taken := _longest("courtesy after", keys[begin:end], at_end=True))
            and taken < end - begin
        ):
            end -= taken
        return begin, end

    @cached_property
    def undated(self) -> int:
        """At which token it begins after a date: “tomorrow remind me to …”."""
        begin, end = self.plain
        at = begin
        while at < end and self.reader.is_in_date(self.reader.tokens[at]):
            at += 1
        return at if at < end and self.reader.keys[at] in _REMINDING else begin

    @cached_property
    def matches(self) -> list[Match]:
        """The cues in it, of those that overlap the longest."""
        begin, end = self.plain
        keys = self.reader.keys
        undated = end
        while undated > begin and self.reader.is_in_date(self.reader.tokens[undated - 1]):
            undated -= 1  # “write it down for Friday” ends with “down” too
        ends = {end, self.end, undated}
        found: list[tuple[int, Match]] = []
        if keys[begin] in ("new", "neu", "neues") and self.reader.tokens[begin].closes == ":":
            found.append((9, Match("add", frozenset([begin]), True)))
        for at in range(self.begin, self.end):
            if self.reader.is_in_date(self.reader.tokens[at]):
                continue  # “Do” may be a Thursday
            for cue in _BY_FIRST.get(keys[at], ()):
                is_first = at in (begin, self.begin) or (cue.wants == "add" and at == self.undated)
                if " " in cue.wants or (cue.begins and not is_first):
                    continue
                if cue.wants == "add" and _is_number(keys[at : at + 3]):
                    continue  # “task number two is ready”
                if not (size := lengths(cue.slots, keys[at : self.end])):
                    continue
                taken = set(range(at, at + size))
                if cue.particle:
                    last = _particle(cue, keys, at + size, ends)
                    if not last:
                        continue
                    taken |= last
                elif cue.ends and at + size not in ends:
                    continue
                found.append((len(taken) * 2 + cue.begins + cue.ends, Match(cue.wants, frozenset(taken), cue.begins)))
        kept: list[Match] = []
        for _, match in sorted(found, key=lambda one: (-one[0], one[1].wants != "noted" or len(one[1].tokens) < 3)):
            if not any(
                (match.tokens & other.tokens and match.wants != other.wants) or match == other for other in kept
            ):
                kept.append(match)
        return sorted(kept, key=lambda match: min(match.tokens))

    def wants(self, *names: str) -> bool:
        """Whether one of these is wanted in it."""
        return any(match.wants in names for match in self.matches)

    def begins_with(self, *names: str) -> bool:
        """Whether a cue for one of these begins it."""
        begin, _ = self.plain
        return any(
            match.wants in names
            and (
                min(match.tokens) in (begin, self.begin) or (match.wants == "add" and min(match.tokens) == self.undated)
            )
            for match in self.matches
        )

    def talks(self, kind: str) -> bool:
        """Whether it begins as small talk of that kind does."""
        return bool(_longest(f"talk {kind}", self.reader.keys[self.begin : self.end]))

    @cached_property
    def first(self) -> str:
        """Its first word after courtesies, folded."""
        return self.reader.keys[self.plain[0]]

    @cached_property
    def is_statement(self) -> bool:
        """Whether it tells how something is or was, and asks for nothing."""
        is_told = self.first in _TELLERS or (self.tokens[0].key in _TELLERS and not self.tokens[0].closes)
        if is_told and not self.wants("ought", "add", "noted"):
            return True
        return any(
            token.key in _STATEMENTS and (number or token.key != "was") for number, token in enumerate(self.tokens)
        )

    @cached_property
    def is_denied(self) -> bool:
        """Whether a “not” stands in it that is part of no cue."""
        taken = {number for match in self.matches for number in match.tokens}
        return any(token.key in _NEGATED for number, token in enumerate(self.tokens, self.begin) if number not in taken)

    @cached_property
    def is_task(self) -> bool:
        """Whether it names something to do, as todos are written: “call Bob”, “Bob anrufen”."""
        begin, end = self.plain
        keys = [token.key for token in self.reader.tokens[begin:end] if token.key and not self.reader.is_in_date(token)]
        if (
            self.is_statement
            or self.wants("noted")
            or not keys
            or "?" in self.closes
            or self.talks("thanks")
            or self.talks("greet")
        ):
            return False
        if keys[0] in _ENGLISH_VERBS and len(keys) > 1:
            return keys[1] != "me" and "your" not in keys  # “make me a sandwich” is for the assistant to do
        plain = [token for token in self.tokens[: end - self.begin] if token.key and not self.reader.is_in_date(token)]
        if any(
            _COMPOUND.match(one.key) and one.key not in FILLERS and following.key in _BEHIND
            for one, following in pairwise(plain[1:])
        ):
            return True  # “Angebot nachfassen bei Kern”
        ending = [token for token in plain if any(map(str.isalnum, token.key))]
        if len(ending) > 2 and ending[-1].key == "lassen":
            ending.pop()  # “Klima prüfen lassen”
        last = ending[-1] if ending else None
        return last is not None and len(keys) > 1 and _is_infinitive(self.reader.text[last.start : last.end])

    @cached_property
    def is_undone(self) -> bool:
        """Whether it says that something has not been done, is to be done, or that somebody else says so."""
        done = {number for match in self.matches if match.wants == "complete" for number in match.tokens}
        return any(token.key in UNDONE and number not in done for number, token in enumerate(self.tokens, self.begin))

    @cached_property
    def is_past(self) -> bool:
        """Whether it says that something has been done."""
        keys = [token.key for token in self.tokens]
        return (
            not self.is_undone
            and keys[0] not in ("get", "have")
            and keys[:2] != ["got", "to"]
            and any(key in PAST or _spelt(key) in PAST for key in keys)
        )

    def _content(self, *, cues: bool) -> list[str]:
        taken = {number for match in self.matches for number in match.tokens}
        found: list[str] = []
        for number, token in enumerate(self.tokens, self.begin):
            is_cue = number in taken and not (cues and self.reader.keys[number] in SAME)
            if is_cue or self.reader.is_in_date(token) or not (token.key or token.quoted):
                found.append("")
                continue
            for word in words(self.reader.text[token.start : token.end]):
                key = fold(word)
                if key in FILLERS or (key in PAST and key not in SAME) or not any(map(str.isalnum, key)):
                    found += [] if key in PREPOSITIONS else [""]
                else:
                    found.append(base(key))
        return found

    @cached_property
    def content(self) -> list[str]:
        """The words that may name a todo, each in one form; "" stands for cues and dates between them."""
        return self._content(cues=True)

    @cached_property
    def objects(self) -> list[str]:
        """Those of them that tell nothing else besides, as “called” does in “called mum”."""
        return [key for key in self._content(cues=False) if key]

    @cached_property
    def has_odd_number(self) -> bool:
        """Whether digits in it are the number of no todo: “-1”, “½”, “1/2”, “2 %”."""
        return any(
            any(map(str.isnumeric, raw))
            and not any(map(str.isalpha, raw))
            and not self.reader.is_in_date(token)
            and not (_NUMBER.fullmatch(raw) and _is_apart(self.reader.text, token))
            for token in self.tokens
            if not token.quoted and (raw := self.reader.text[token.start : token.end])
        )

    @cached_property
    def is_numbered(self) -> bool:
        """Whether it says that a number is meant: “number 2”, “#2”."""
        keys = [token.key for token in self.tokens]
        return any(
            key[:1] == "#" or (before in NUMBER_WORDS and (key.isdecimal() or key in NUMBERS))
            for before, key in pairwise(("", *keys))
        )

    @cached_property
    def numbers(self) -> list[int]:
        """The numbers of todos that it names: “#3”, “number three”, “the third one”, or a number alone."""
        if self.has_odd_number:
            return []
        keys = ["", *(token.key for token in self.tokens), ""]
        found = []
        for token, before, key, after in zip(self.tokens, keys, keys[1:], keys[2:], strict=False):
            number = int(key) if key.isdecimal() and len(key) < _MOST_DIGITS else NUMBERS.get(key, 0)
            if key.startswith("#") and key[1:].isdecimal():
                found.append(int(key[1:]))
            elif self.reader.is_in_date(token) or not number:
                continue
            elif (
                before in NUMBER_WORDS
                or (before == "no" and key.isdecimal())
                or (self.objects == [stem(key)] and not key.isdecimal() and after not in _SEVERAL)
                or (key in ORDINALS and before in PREPOSITIONS and after in _AFTER_ORDINALS)
            ):
                found.append(number)
        if not found and self.objects and all(key.isdecimal() and len(key) < _MOST_DIGITS for key in self.objects):
            return [int(key) for key in self.objects]
        if not found and self.is_past and self.first.isdecimal():  # “3 is paid”
            found = [int(key) for key in self.objects if key.isdecimal() and len(key) < _MOST_DIGITS]
            return found if {key for key in self.objects if not key.isdecimal()} <= COMMON else []
        return found

    @cached_property
    def is_pronoun(self) -> bool:
        """Whether it names nothing, or only “it”."""
        return not any(key not in COMMON for key in self.objects)


def _is_apart(text: str, token: Token) -> bool:
    """Whether nothing stands at a number that makes another one of it: a sign, a slash."""
    before, after = text[: token.start][-1:], text[token.end :][:1]
    return (not before or before.isspace() or before in _BESIDE.replace("–", "")) and (  # noqa: RUF001
        not after or after.isspace() or after in _BESIDE
    )


def _is_number(keys: Sequence[str]) -> bool:
    """Whether these words begin with what a todo is called by its number: “task 2”, “Aufgabe Nummer zwei”."""
    return (
        len(keys) > 1
        and keys[0] in NUMBER_WORDS
        and any(key.lstrip("#").isdecimal() or key in NUMBERS for key in keys[1 : 3 if keys[1] in NUMBER_WORDS else 2])
    )


def _particle(cue: Cue, keys: Sequence[str], begin: int, ends: Iterable[int]) -> set[int]:
    """The tokens of a cue's second part, where a clause ends with it."""
    for end in ends:
        for at in range(begin, end):
            if lengths(cue.particle, keys[at:end]) == end - at:
                return set(range(at, end))
    return set()


def _longest(wants: str, keys: Sequence[str], *, at_end: bool = False) -> int:
    """How many words, from the first or up to the last one, a cue takes at most."""
    best = 0
    if at_end:
        for begin in range(max(0, len(keys) - 6), len(keys)):
            tail = keys[begin:]
            if any(
                cue.wants == wants
                and not (wants in ("add", "noted") and cue.begins)
                and lengths(cue.slots, tail) == len(tail)
                for cue in _BY_FIRST.get(tail[0], ())
            ):
                return len(tail)
        return 0
    if not keys:
        return 0
    for cue in _BY_FIRST.get(keys[0], ()):
        if cue.wants == wants:
            best = max(best, lengths(cue.slots, keys) or 0)
    return best


def _is_infinitive(word: str) -> bool:
    """Whether it may be a German verb as todos end with it."""
    return (
        word[:1].islower() and len(word) > 4 and fold(word).endswith(("en", "ln", "rn")) and fold(word) not in FILLERS
    )


def fits(todo: TodoView, clause: Clause, *, loosely: bool = False) -> tuple[int, int]:
    """How well a clause names a todo: (0, 0) not at all, (1, …) by what many have, (3, …) by its whole title."""
    if differ_in_signs(todo.title, clause.text):
        return 0, 0
    if occurs(todo.title, clause.text):
        return 3, 2 * len(comparable(todo.title)) + _is_as_typed(todo.title, clause.text)
    own = bases(todo.title)
    spoken = [meant(key, todo.title) for key in clause.content]
    shared = (own - COMMON) & set(spoken)
    if not shared:
        objects = set(clause.objects)
        return (1, 0) if own & COMMON & objects and objects <= own else (0, 0)
    # "the milk frother" is not the milk, "that blasted tax return" is the tax return
    last = max(at for at, key in enumerate(spoken) if key in shared)
    if not loosely and last + 1 < len(spoken) and spoken[last + 1] and spoken[last + 1] not in own | COMMON:
        return 0, 0
    return 2, 10 * len(shared) + len(own & set(spoken) & COMMON)


def _is_as_typed(title: str, text: str) -> bool:
    """Whether a title stands in a text letter by letter, and not only what compares equal: Masse, Maße."""
    title, text = (unicodedata.normalize("NFC", one) for one in (title, text))
    return bool(re.search(rf"(?<!\w){re.escape(title)}(?![\w\ufe0e\ufe0f])", text))


@lru_cache(maxsize=4096)
def _signs(text: str) -> dict[str, set[str]]:
    """The words of a text, each with the signs that are at it."""
    found: dict[str, set[str]] = defaultdict(set)
    for before, word, after in _SIGNED.findall(unicodedata.normalize("NFC", text)):
        # “rent- tick it off” is about the rent, “AA-” is not AA
        found[comparable(word)].add(f"{before} {'' if len(word) > 3 and after in ('-', '−') else after}".strip())  # noqa: RUF001
    return found


def differ_in_signs(one: str, other: str) -> bool:
    """Tell whether a word in both texts has other signs in one of them: C, C++ and C#."""
    signs, others = _signs(one), _signs(other)
    return any(word in others and not signs[word] & others[word] for word in signs)


def is_slip_for(todo: TodoView, clauses: Sequence[Clause]) -> bool:
    """Tell whether clauses name a todo only by what may be a slip of the pen, or by a part of a word without spaces."""
    if any(clause.numbers for clause in clauses):
        return False
    own, ranked = bases(todo.title), max(clauses, key=lambda clause: fits(todo, clause, loosely=True))
    if fits(todo, ranked)[0] == 3:
        return False
    written = [_spelt(fold(word)) for word in words(ranked.text)]
    return (
        any(map(is_unspaced, todo.title))
        or any(key not in own and meant(key, todo.title) in own for key in ranked.content)
        or any(len(key) > 5 and not (SAME.get(key) or SAME.get(stem(key))) and _slipped(key) in own for key in written)
    )


@lru_cache(1 << 14)
def bases(title: str) -> frozenset[str]:
    """Return the words by which a todo is named, each in one form."""
    return frozenset(
        base(key) for word in words(title) if (key := fold(word)) not in FILLERS and any(map(str.isalnum, key))
    )


def _spelt(key: str) -> str:
    """A German word with the e that people swallow: angerufn, bestelln."""
    return key[:-1] + "en" if len(key) > 4 and key[-1] == "n" and key[-2] not in "aeiounr" else key


def base(key: str) -> str:
    """Return a folded word in the form in which it is compared."""
    key = _spelt(key)
    if same := SAME.get(key) or SAME.get(stem(key)):
        return same
    if len(key) > 5 and (same := _slipped(key)):
        return same
    for tail in _TAILS:  # “Milchkauf” is about milk
        head = key.removesuffix(tail)
        if head != key and len(head) > 3 and (same := SAME.get(head) or SAME.get(stem(head)) or SAME.get(head + "e")):
            return same
    return stem(key)


@lru_cache(maxsize=4096)
def _slipped(key: str) -> str | None:
    """The word that means the same as one which it is but for a slip of the finger: “Steuererklärng”."""
    return next((SAME[word] for word in SAME if len(word) > 6 and _is_slip(key, word)), None)


def meant(key: str, title: str) -> str:
    """A word, or that of the title which it is but for a slip of the finger."""
    if len(key) < 5:
        return key
    return next(
        (base(own) for word in words(title) if _is_slip(key, stem(own := fold(word))) or _is_slip(key, own)), key
    )


def _is_slip(one: str, other: str) -> bool:
    """Whether two long words differ by one letter more, less, other, or in another place."""
    if one == other or min(len(one), len(other)) < 5 or abs(len(one) - len(other)) > 1:
        return False
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    left, right = one[same:], other[same:]
    return (
        left[1:] == right
        or left == right[1:]
        or left[1:] == right[1:]
        or (left[:2] == right[1::-1] and left[2:] == right[2:])
    )


@lru_cache(maxsize=4096)
def day_of(word: str) -> str:
    """A word, or the day that it is but for a slip of the finger: “frday”, “donerstag”."""
    key = fold(word)
    if key in _WEEK or key in SAME or key in FILLERS or key in _BY_FIRST or key.endswith("s") or key in _NO_DAYS:
        return word
    return next((day for day in _WEEK if _is_slip(key, day)), word)


def named(todos: Sequence[TodoView], clauses: Sequence[Clause], *, loosely: bool = False) -> list[TodoView]:
    """Return the todos that clauses name best: one where it is clear, several where it is not.

    Loosely also where a word follows that it does not have, as in a sentence about it.
    """
    for clause in clauses:
        if clause.numbers:
            called = [todo for todo in todos if fits(todo, clause)[0] == 3 and _is_called(todo.title, clause)]
            return called or [todo for todo in todos if todo.number in clause.numbers]
    best = {todo.id: max((fits(todo, clause, loosely=loosely) for clause in clauses), default=(0, 0)) for todo in todos}
    most = max(best.values(), default=(0, 0))
    found = [todo for todo in todos if most > (0, 0) and best[todo.id] == most]
    if len(found) == 1 and most[0] == 2:  # "the present for mum" is neither Oma's present nor the call to mum
        clause = max(clauses, key=lambda clause: fits(found[0], clause, loosely=loosely))
        spoken = set(clause.content) - COMMON - bases(found[0].title)
        found += [todo for todo in todos if todo is not found[0] and bases(todo.title) & spoken]
    return found


def _is_called(title: str, clause: Clause) -> bool:
    """Whether the number in a clause is that in a title: “delete 7”, where a todo is called so."""
    own = set(words(title))
    return {str(number) for number in clause.numbers} <= own and (len(own) > 1 or not clause.is_numbered)


def priority_of(clauses: Sequence[Clause]) -> str | None:
    """Return the priority that is said, `none` where it is to be taken away, None where none is said."""
    for wants in (*PRIORITIES, "none"):
        if any(clause.wants(wants) for clause in clauses):
            return wants
    return None


@dataclass(frozen=True)
class New:
    """A todo to be added, as it was said."""

    title: str
    due: dates.Due | None = None
    priority: Priority | None = None
    has_day: bool = True
    """Whether its date has a day, and not a time alone."""
    is_quoted: bool = False


def new_todo(text: str, now: datetime) -> New:
    """Read a todo from the words for it: without date, priority, and what leads to it or follows it."""
    due: dates.Found | None = None
    priority: Priority | None = None
    title = text
    edges = iter(range(_MOST_EDGES))
    for _ in range(2):  # a date that was in between may stand at an end now
        if due is None and (due := dates.find(title, now)):
            title = due.rest(title)
        before = ""
        while title != before and next(edges, None) is not None:
            before = title
            title, said = _edged(title)
            priority = priority or said
    return New(_unquoted(title), due.due if due else None, priority, due is None or due.has_day, is_quoted(title))


def _edged(title: str) -> tuple[str, Priority | None]:
    """A title without cues at its ends, and the priority that one of them said."""
    title = title.strip(" ,;:.!?-–—•*…\n@=")  # noqa: RUF001
    if title.count("(") != title.count(")") or (title[:1], title[-1:]) == ("(", ")"):
        title = title.strip(" ()")
    tokens = [token for token in _tokens(title) if token.key or token.quoted]
    keys = [token.key for token in tokens]
    for wants in (*PRIORITIES, "none"):
        for size in range(min(5, len(keys) - 1), 0, -1):
            priority: Priority | None = None if wants == "none" else wants  # type: ignore[assignment]
            if _fits_whole(wants, keys[:size]) and (
                tokens[size - 1].closes or size > 1 or title[: tokens[0].end].isupper()
            ):
                return title[tokens[size].start :], priority
            if _fits_whole(wants, keys[-size:]):
                return title[: tokens[-size - 1].end] + tokens[-size - 1].closes, priority
    if (
        len(keys) > 2
        and keys[0] in ("put", "schedule")
        and (keys[1] in _ENGLISH_VERBS or (keys[0] == "schedule" and keys[1] in ("a", "an")))
    ):
        return title[tokens[1].start :], None  # “put wash the car on Saturday”
    for wants in ("courtesy before", "title before", "ought", "noted"):
        if wants == "title before" and keys and keys[0] in _LEADING and _is_infinitive(title.split()[-1]):
            continue  # “für Bio lernen”
        if (size := _longest(wants, keys)) and size < len(keys) and not (wants == "noted" and size < 2):
            return title[tokens[size].start :], None
    for wants in ("courtesy after", "title after", "noted", "add"):
        if (size := _longest(wants, keys, at_end=True)) and size < len(keys):
            return title[: tokens[-size - 1].end], None
    if title[-1:] and unicodedata.category(title[-1]) in ("So", "Sk", "Mn") and any(map(str.isalnum, title)):
        return title[:-1].rstrip(), None  # an emoji, or half of one
    return title, None


def without_courtesy(title: str) -> str:
    """A title without what is said after it: “oat milk please”."""
    while True:
        tokens = [token for token in _tokens(title) if token.key or token.quoted]
        size = _longest("courtesy after", [token.key for token in tokens], at_end=True)
        if not size or size >= len(tokens):
            return title
        title = title[: tokens[-size - 1].end]


def says_day(title: str) -> bool:
    """Tell whether a title has words for a day or a time in it that were not understood."""
    title = _FOR_PEOPLE.sub(" ", title)
    if _CLOCK.search(QUOTED.sub(" ", title)):
        return True
    keys = [fold(word) for word in words(QUOTED.sub(" ", title))]
    return any(key in _DAYS or any(_is_slip(key, day) for day in _DAYS if len(day) > 6) for key in keys)


def is_courtesy(text: str, now: datetime) -> bool:
    """Tell whether a text is a courtesy and no more."""
    keys = [key for key in Reader(text, now).keys if key]
    return any(_fits_whole(wants, keys) for wants in _COURTESIES)


def _fits_whole(wants: str, keys: Sequence[str]) -> bool:
    return bool(keys) and any(
        cue.wants == wants and lengths(cue.slots, keys) == len(keys) for cue in _BY_FIRST.get(keys[0], ())
    )


def is_quoted(text: str) -> bool:
    """Tell whether a text stands in quotation marks as a whole."""
    return bool(QUOTED.fullmatch(text.strip()))


def _unquoted(text: str) -> str:
    match = QUOTED.fullmatch(text.strip())
    return text.strip()[1:-1].strip() if match else text.strip()
