"""Other readings of a message that gives nothing to do as it stands: without what was said around the request.

Each is tried whole, and is acted on only where all of it is understood.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from todo_backend.chat.cues import fold
from todo_backend.chat.lexicon import these
from todo_backend.chat.reading import QUOTED, Clause, Reader, fits, named
from todo_backend.chat.replies import ENGLISH, language_of
from todo_backend.todos.schemas import TodoView

_HESITATION = re.compile(
    r"[\s,]*\b(?:u+h+m?|uhm|e+rm+|ä+h+m?|ehm|hmm+)\b[,.…]*(?=\s|$)|^(?:e+rm+|ähm?)\b\s*", re.IGNORECASE
)
_UM = re.compile(r"(?:^|[\s,]+)um+\b[,.…]*(?=\s|$)", re.IGNORECASE)
_SHORTENED = {"alr": "already", "b4": "before"}
_SHORT = re.compile(rf"\b(?:{'|'.join(_SHORTENED)})\b", re.IGNORECASE)
_CALLED = re.compile(
    r"^(?:(?:hey|hi|hello|hallo|ok|okay|dear|liebe[rs]?)\s+)?(?:alexa|siri|google|(?:(?:my|meine?)\s+)?(?:to-?do[ -]?)?(?:app|assistant|assistentin|assistent|bot)|computer)\b[\s,!.:]+(?=\S)",
    re.IGNORECASE,
)
"""Whom it is said to."""
_TO_DO = re.compile(r"\b((?:add|new|an?|another)\s+)to do\b", re.IGNORECASE)
_AMID = re.compile(r"\s*,\s*(please|bitte)\s*,\s*", re.IGNORECASE)
_SOME_TIME = re.compile(
    r"\b(?:some ?time|at some point|irgendwann)\s+(?=next|this|in|on|nächste|diese|am|im)", re.IGNORECASE
)
_SO_DO = re.compile(
    r"(?<=[^\s,;.!?])\s+((?:so|also)\s+(?:(?:please|pls|bitte|can you|could you|kannst du)\s+)*(?:add|put|mark|tick|delete|remove|move|note|remind|write|schreib|setz|trag|notier|hak|lösch|streich|erinner)\w*\b)",
    re.IGNORECASE,
)
_RANKED_ONE = re.compile(
    r"\b((?:add|create|make|set|put|new|need)\b(?:\s+me)?(?:\s+an?)?(?:\s+new)?)\s+(high|low|medium)[ -](?:priority|prio)\s+(task|todo|item|reminder)\s*(?::|called|to\b|saying)?\s*(?=\w|['\"“])(.+)$",
    re.IGNORECASE,
)
_NUMBER_OF = re.compile(r"\b(nr|no|num)\.\s*(?=\d)", re.IGNORECASE)
_O_CLOCK = re.compile(
    r"\b(\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\s+o\s+clock\b", re.IGNORECASE
)
_SHORT_DAY = re.compile(
    r"\b(?:([Mm]o|[Dd]i|[Mm]i|[Dd]o|[Ff]r|[Ss]a|[Ss]o)\.?(?=\s+(?:in\s+(?:der\s+)?)?(?:nächste|kommende|diese|übernächste)[rn]?\s+woche\b)"
    r"|(Mo|Di|Mi|Do|Fr|Sa|So)\.?(?=\s+\d{1,2}[:.]\d\d\b))"
)
_DISGUST = re.compile(
    r"^((?:delete|remove|scrap|bin|lösch\w*|streich\w*)\s.+?)[\s,]+(?:ew+|yuck|igitt)[.!]*$", re.IGNORECASE
)
_DAYS = {
    "mo": "Montag",
    "di": "Dienstag",
    "mi": "Mittwoch",
    "do": "Donnerstag",
    "fr": "Freitag",
    "sa": "Samstag",
    "so": "Sonntag",
}
"""A German day that could be another word: “auf do nächste Woche”."""
_ITEM = re.compile(r"^\s*[+*•–-](?:\s+(?=\w)|(?=[^\W\d]))")  # noqa: RUF001
_BROKEN_OFF = re.compile(
    r"\b(?:hang on|hold on|wait(?: a (?:sec\w*|minute|moment))?|one (?:sec\w*|moment)|(?:ein(?:en)?\s+)?(?:moment|sekunde|augenblick)(?: mal)?|warte(?: mal)?)\s*[.!…]*$",
    re.IGNORECASE,
)
_WITHOUT_STOP = re.compile(
    r"(?<=[^\s,.;:!?])\s+(?=(?:it['’]?s|i['’]m|i['’]ve|that['’]?s|hab (?:ihn|sie|es|ich)|is schon|ist (?:echt |sehr |super )?(?:wichtig|dringend)"
    r"|(?:please|pls|bitte) (?:tick|mark|add|put|note|delete|remove|hak|setz|schreib|notier|trag|lösch|streich|vermerk|aufschreib|eintrag)\w*)\b)",
    re.IGNORECASE,
)
_PRIORITY = re.compile(
    r"(?:\s*,)?\s*\b(?:with|as|at|mit|in|auf|bei|und|and)?\s*\b(?:an?\s+|eine?r?\s+)?(?:very\s+|sehr\s+)?(highest|high|top|urgent|lowest|low|medium|hoh\w+|höchst\w+|niedrig\w+|gering\w+|mittler\w+)\s+prio(?:rity|rität)?\b"
    r"|(?:\s*,)?\s*\b(?:with\s+|mit\s+)?prio(?:rity|rität)?\s*[:=]?\s*(?:is\s+|ist\s+|auf\s+)?(high|top|low|medium|hoch|niedrig|mittel)\b"
    r"|\s*[,.;]\s*(?:it['’]?s\s+|is\s+|ist\s+)?(?:very\s+|really\s+|quite\s+|sehr\s+|kinda\s+|schon\s+|super\s+|echt\s+)?(high|urgent|important|dringend|wichtig|eilig|asap|low|medium|hoch|niedrig)\s*(?=[,.;!]|$)"
    r"|(?<=['\"”“])\s+(high|low|medium|hoch|niedrig|mittel)\s*$",
    re.IGNORECASE,
)
_LEVELS = defaultdict(
    lambda: "high",
    {fold(word): level for level, words in {
        "low": "lowest low niedrig niedrige niedriger niedrigen niedrigste niedrigster gering geringe geringer",
        "medium": "medium mittel mittlere mittlerer mittleren",
    }.items() for word in words.split()},
)  # fmt: skip
_ONE_MORE = re.compile(
    r"(?:(?:oh|ach|ach ja|ah|ok|okay|ja|yes)[\s,]+)?(?:(?:and|und|plus)(?:\s+(?:also|auch|noch))?|also|noch|außerdem)\s+(?!(?:what|was|then|dann|now|jetzt|you|du|that|das|thanks|danke|so|more|mehr|the|how|wie|why|who|where|when|no|not|nicht|nein|yes|ja|ok)\b)"
    r"(?P<what>[^\W\d]+(?:\s+[^\W\d]+)?)(?:\s+(?:please|pls|bitte|too|dazu))?[.!]*",
    re.IGNORECASE,
)
"""“oh and shampoo”"""
_PUT = re.compile(r"^(?:(?:please|pls|can you|could you)\s+)*put\s+(?=[“\"'‘])", re.IGNORECASE)
_REFERENCE = re.compile(
    r"\b(?:(?:that|this) (?:one|task|todo|item|entry)|the (?:task|todo|item|entry)|(?:die|diese) aufgabe|(?:den|diesen) (?:eintrag|punkt)|(?:das|dieses) todo|it|that|this|ihn|es|das|die|den)\b",
    re.IGNORECASE,
)
_ONLY_ASKS = re.compile(
    r"(?<=[^\d,;.!?])\s*[,;.!?]\s*(?:(?:so|also|and|und|then|dann)\s+)?(?:(?:please|bitte|can you|could you|can we|kannst du|könntest du|können sie|könnten sie|magst du)\s+)*"
    r"(?:(?:change|update|edit|adjust|correct|fix|rename|amend) (?:it|that|this)|(?:das|es|den eintrag|die aufgabe)?\s*(?:bitte )?(?:ändern|anpassen|korrigieren|umbenennen)"
    r"|(?:ändere?|änder|pass) (?:das|es)(?: an)?|mark (?:it|that) accordingly|update (?:the|my) list)"
    r"(?:\s+(?:for me|please|pls|thanks|bitte|danke|mal))*\s*[.!?]*$",
    re.IGNORECASE,
)
_CHANGES = ("add", "noted", "complete", "delete", "reopen", "rename", "move")
_CONDITIONAL = these("conditional")
_REPORTING = these("reporting")
_NAMING = frozenset(("nenn", "nenne", "call"))
_SO = frozenset(
    (
        "so",
        "also",
        "please",
        "bitte",
        "can",
        "could",
        "kannst",
        "koennen",
        "koenntest",
        "koennten",
        "pls",
        "and",
        "und",
        "therefore",
        "deshalb",
    )
)


def plainly(message: str) -> str:
    """Return a message without hesitation; what begins with the mark of an item is one to be added."""
    text = _outside_quotes(_HESITATION, message.strip())
    if language_of(message) is ENGLISH:
        text = _outside_quotes(_UM, text)
    text = _TO_DO.sub(r"\1todo", _CALLED.sub("", text))
    text = _O_CLOCK.sub(r"\1 o'clock", _NUMBER_OF.sub(r"\1 ", text))
    text = _DISGUST.sub(r"\1", text)
    text = _SHORT_DAY.sub(lambda match: _DAYS[(match[1] or match[2]).lower()], text)
    text = _SOME_TIME.sub("", _AMID.sub(r" \1 ", text))
    text = _SO_DO.sub(r", \1", text)
    return _RANKED_ONE.sub(
        r"\1 \3: \4, \2 priority",
        _SHORT.sub(lambda match: _SHORTENED[match[0].lower()], _ITEM.sub("todo: ", _ONLY_ASKS.sub("", text.strip()))),
    )


def is_broken_off(message: str) -> bool:
    """Tell whether somebody has not finished: “add, hang on”."""
    return bool(_BROKEN_OFF.search(message))


def _outside_quotes(pattern: re.Pattern[str], text: str) -> str:
    quoted = [match.span() for match in QUOTED.finditer(text)]
    return pattern.sub(
        lambda match: match[0] if any(start <= match.start() < end for start, end in quoted) else "", text
    ).strip()


def readings(message: str, now: datetime, todos: Sequence[TodoView]) -> Iterator[str]:
    """Yield what a message may come to, without its preamble or what is said after it."""
    stopped = _WITHOUT_STOP.sub(", ", message)
    ranked = [text for one in (message, stopped) if (text := _ranked(one)) != one]
    if (more := _ONE_MORE.fullmatch(message)) and not named(todos, Reader(message, now).clauses):
        yield f"todo: {more['what']}"
    if (put := _PUT.sub("add ", message)) != message:
        ranked += [put, _ranked(put)]
    for text in dict.fromkeys((message, *ranked, stopped)):
        if text != message:
            yield text
        clauses = Reader(text, now).clauses
        if any("?" in clause.closes for clause in clauses[:-1]) or _CONDITIONAL & {
            token.key for clause in clauses for token in clause.tokens
        }:
            continue
        for before, clause in pairwise(clauses):
            tail = text[clause.tokens[0].start :]
            preamble = clauses[: clauses.index(clause)]
            is_dated = any(one.due for one in preamble) and Reader(tail, now).due is None
            if not _is_request(clause, before) or (
                is_dated and not clause.wants("complete", "delete", "reopen", "rename")
            ):
                continue
            yield tail
            about = named(todos, preamble)
            if len(about) == 1 and (
                max(fits(about[0], one) for one in preamble)[0] > 1 or any(one.numbers for one in preamble)
            ):
                number = f"#{about[0].number}"
                yield _REFERENCE.sub(number, tail, count=1) if _REFERENCE.search(tail) else f"{number} {tail}"


def _ranked(text: str) -> str:
    """A message with its priority, wherever it was said, after a comma at its end."""
    said = list(_PRIORITY.finditer(text))
    levels = {_LEVELS[fold(next(filter(None, match.groups())))] for match in said}
    if len(levels) != 1 or QUOTED.fullmatch(text):
        return text
    rest = re.sub(r"(?:\s*,\s*)+", ", ", _PRIORITY.sub(" ", text)).strip(" ,;.!:")
    return f"{rest}, {levels.pop()} priority"


def _is_request(clause: Clause, before: Clause) -> bool:
    """Whether a request begins with a clause, by itself or as what follows from what was said before it."""
    if (
        not clause.begins_with(*_CHANGES)
        and not clause.wants("noted", "add", "complete")
        and clause.first not in _NAMING
    ):
        return False
    is_reported = bool(_REPORTING & {token.key for token in before.tokens})
    return not is_reported or clause.tokens[0].key in _SO or before.closes[:1] in (".", "!")
