"""Dates in plain words, English and German: the one reader for the page, the built-in assistant and the tools.

What is said is meant in the user's time zone, and a day without a year is the next one to come. What could be two days
(3/4), or is none (the 31st of a month that has 30), is not understood: whoever asked is asked back.
"""

import calendar
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any


@dataclass(frozen=True)
class Due:
    """A day, and where one was said a time on it, both on the clocks of the user's time zone."""

    day: date
    at: time | None = None

    def __str__(self) -> str:
        """ISO 8601: 2026-03-12, or 2026-03-12T18:00."""
        return self.day.isoformat() if self.at is None else f"{self.day}T{self.at:%H:%M}"


@dataclass(frozen=True)
class Found:
    """A date in a text, and where the words for it stand, in their order."""

    due: Due
    spans: tuple[tuple[int, int], ...]
    has_day: bool = True
    """Whether a day was said, and not a time alone."""

    def rest(self, text: str) -> str:
        """The text without those words."""
        for start, end in reversed(self.spans):
            text = f"{text[:start].rstrip(' ,;:-')} {text[end:].lstrip(' ,;:-')}"
        return " ".join(text.split()).strip(" ,;:-")


def parse(text: str, now: datetime) -> Due | None:
    """Return the date that the text as a whole says; None where it says none, or something else besides.

    `now` is in the user's time zone.
    """
    found = find(text, now)
    return found.due if found and not found.rest(text).strip(".!?") else None


@lru_cache(maxsize=256)  # a message is read more than once
def find(text: str, now: datetime) -> Found | None:
    """Return the date in a text that is about something else too; None where there is none, or there are several.

    What stands in quotation marks says nothing. `now` is in the user's time zone.
    """
    lowered = _readable(text)
    named = _read(_DAYS, lowered, now)
    days = [(span, day) for span, day in named if day is not None and not _is_of_another(span, lowered)]
    others = [span for span, day in named if (span, day) not in days]  # with them goes their time: "after Friday at 5"
    if len(days) == 2 and _is_same_weekday(days, lowered):
        days = [(days[0][0], days[1][1]), days[1]]  # "Thursday, 19 March" is not this week's Thursday
    if len({day for _, day in days}) > 1:
        return None
    taken = [span for span, _ in days]  # the same one may be said twice, as in “Tuesday the 17th”
    clocks = [
        found
        for found in _matches(_CLOCKS, lowered, now)
        if not _overlap(found[0], taken) and not any(_adjoin(found[0], other, lowered) for other in others)
    ][:1]
    taken += [span for span, _ in clocks]
    parts = [found for found in _matches(_PARTS, lowered, now) if not _overlap(found[0], taken)][:1]
    # "a morning run" says nothing, "tomorrow morning" and "at 7 in the morning" do
    parts = [
        (span, said) for span, said in parts if said.by_itself or any(_adjoin(span, other, lowered) for other in taken)
    ]
    at_night = clocks and parts and parts[0][1].at == NIGHT and clocks[0][1].at.hour in (0, 12)  # twelve at night
    if clocks and not clocks[0][1].of_12 and not at_night:
        # "the parents' evening at 7pm" is no evening; that of "tomorrow evening at 19:30" goes with its date
        parts = [
            (span, said) for span, said in parts if said.by_itself or (days and _adjoin(span, days[0][0], lowered))
        ]
    due = _due(days[0][1] if days else None, clocks[0][1] if clocks else None, parts[0][1] if parts else None, now)
    has_day = bool(days) or any(said.today for _, said in parts)
    return Found(due, tuple(sorted([*taken, *(span for span, _ in parts)])), has_day) if due else None


def _is_of_another(span: "Span", text: str) -> bool:
    """Whether a day is told of something else, or another is reckoned from it: "3 days before Friday"."""
    before, said = text[: span[0]], text[span[0] : span[1]]
    return bool(_ABOUT.search(before) or (_APART.search(before) and said.startswith(("before", "vor "))))


def _is_same_weekday(days: Sequence[tuple["Span", Any]], text: str) -> bool:
    """Whether two days beside each other are a weekday and a date that falls on it."""
    (one, first), (other, second) = days
    between = text[one[1] : other[0]].strip(" ,.")
    return (
        not between
        and first.weekday() == second.weekday()
        and any(word in text[one[0] : one[1]] for word in _any_weekday)
    )


Span = tuple[int, int]
MORNING, NOON, AFTERNOON, EVENING, NIGHT = (time(hour) for hour in (9, 12, 15, 18, 20))


@dataclass(frozen=True)
class _Clock:
    """A time of day; of 12 hours where it is not known which half is meant."""

    at: time
    of_12: bool = False
    evening_until: int = 8
    """Before this hour that of the afternoon or evening is meant, where no part of the day is said."""


@dataclass(frozen=True)
class _Part:
    """A part of the day, said by itself ("in the evening") or beside a day ("Friday evening")."""

    at: time
    by_itself: bool
    today: bool = False
    """Whether this day's is meant, also when it is over."""
    hours: Collection[int] = ()
    """Which hours are in it; from 24 on those after midnight."""


def _due(day: date | datetime | None, clock: _Clock | None, part: _Part | None, now: datetime) -> Due | None:
    if isinstance(day, datetime):
        return Due(day.date(), day.time().replace(second=0, microsecond=0, tzinfo=None))
    hour, minute = (part.at.hour if part else None), 0
    if clock:
        hour, minute = (24, 0) if clock.at == time.max else (clock.at.hour, clock.at.minute)
        if part:
            halves = (hour, hour + 12, hour + 24) if clock.of_12 or hour == 12 else (hour, hour + 24)
            fitting = [one for one in halves if one in part.hours]
            if clock.of_12 and not fitting:
                return None  # 10 in the afternoon
            hour = fitting[0] if fitting else hour
        elif clock.of_12 and hour < clock.evening_until:
            hour += 12
    if hour is None:
        return Due(day) if day else None
    at = time(hour % 24, minute)
    if day is None:
        is_over = hour < 24 and at <= now.time() and not (part and part.today)
        day = now.date() + timedelta(days=is_over)
    is_this_night = day == now.date() and at > now.time()  # "tonight at 2", said at 1
    day += timedelta(days=hour >= 24 and not is_this_night)
    shown = _elapsed(datetime.combine(day, at, now.tzinfo), timedelta(0))  # 3:30 where the clocks leave 2:30 out
    return Due(shown.date(), shown.time())


def _matches(
    rules: Iterable[tuple[re.Pattern[str], Callable[[re.Match[str], datetime], Any]]], text: str, now: datetime
) -> Sequence[tuple[Span, Any]]:
    """What the rules find, in the order of the text, the longest of those that overlap."""
    return [one for one in _read(rules, text, now) if one[1] is not None]


def _read(
    rules: Iterable[tuple[re.Pattern[str], Callable[[re.Match[str], datetime], Any]]], text: str, now: datetime
) -> Sequence[tuple[Span, Any]]:
    """The same, with None for what looks like one and is none."""
    found: list[tuple[Span, Any]] = []
    for pattern, meaning in rules:
        for match in pattern.finditer(text):
            try:
                said = meaning(match, now)
            except (ValueError, OverflowError):
                said = None  # there is no such day, or it could be two; nor is it a shorter one: the 31st of February
            found.append((match.span(), said))
    kept: list[tuple[Span, Any]] = []
    for span, said in sorted(found, key=lambda one: one[0][0] - one[0][1]):
        if not _overlap(span, [other for other, _ in kept]):
            kept.append((span, said))
    return sorted(kept, key=lambda one: one[0])


@lru_cache(maxsize=256)
def days(text: str, now: datetime) -> frozenset[date]:
    """Return all days that a text names."""
    found = _matches(_DAYS, _readable(text), now)
    return frozenset(day.date() if isinstance(day, datetime) else day for _, day in found)


@lru_cache(maxsize=256)
def spans(text: str, now: datetime) -> tuple[tuple[int, int], ...]:
    """Return where the words for days and times stand in a text."""
    lowered = _readable(text)
    return tuple(span for rules in (_DAYS, _CLOCKS) for span, _ in _matches(rules, lowered, now))


_FULL_WIDTH = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}


def _readable(text: str) -> str:
    """In lower case and without what stands in quotation marks, each character where it was."""
    lowered = "".join(
        low if len(low := character.lower()) == 1 else character for character in text.translate(_FULL_WIDTH)
    )
    return _QUOTED.sub(lambda quoted: "\x00" * len(quoted[0]), lowered)


def _overlap(span: Span, others: Iterable[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)


def _adjoin(one: Span, other: Span, text: str) -> bool:
    first, second = sorted((one, other))
    return not text[first[1] : second[0]].strip()


# The words

_NUMBERS = {
    word: number
    for number, words in {
        1: "a an one ein eine einer einem einen",
        2: "two zwei",
        3: "three drei",
        4: "four vier",
        5: "five fünf fuenf",
        6: "six sechs",
        7: "seven sieben",
        8: "eight acht",
        9: "nine neun",
        10: "ten zehn",
        11: "eleven elf",
        12: "twelve zwölf zwoelf",
        13: "thirteen dreizehn",
        14: "fourteen vierzehn",
        15: "fifteen fünfzehn",
        16: "sixteen sechzehn",
        17: "seventeen siebzehn",
        18: "eighteen achtzehn",
        19: "nineteen neunzehn",
        20: "twenty zwanzig",
        21: "einundzwanzig",
        22: "zweiundzwanzig",
        23: "dreiundzwanzig",
    }.items()
    for word in words.split()
}
_WEEKDAYS = [
    "monday montag mon mo",
    "tuesday dienstag tues tue di",
    "wednesday mittwoch weds wed mi",
    "thursday donnerstag thurs thur thu do",
    "friday freitag fri fr",
    "saturday samstag sonnabend sat sa",
    "sunday sonntag sun so",
]
_any_weekday = [word for group in _WEEKDAYS for word in group.split() if len(word) > 2]
_MONTHS = [
    "january januar jänner jan",
    "february februar feber feb",
    "march märz maerz mar mrz",
    "april apr",
    "may mai",
    "june juni jun",
    "july juli jul",
    "august aug",
    "september sept sep",
    "october oktober oct okt",
    "november nov",
    "december dezember dec dez",
]
_ORDINALS = {
    word: number
    for words in (
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
        "sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth "
        "twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first",
        "ersten zweiten dritten vierten fünften sechsten siebten achten neunten zehnten elften zwölften dreizehnten vierzehnten "
        "fünfzehnten sechzehnten siebzehnten achtzehnten neunzehnten zwanzigsten einundzwanzigsten zweiundzwanzigsten "
        "dreiundzwanzigsten vierundzwanzigsten fünfundzwanzigsten sechsundzwanzigsten siebenundzwanzigsten "
        "achtundzwanzigsten neunundzwanzigsten dreißigsten einunddreißigsten",
    )
    for number, word in enumerate(words.split(), 1)
}
_UNITS = {
    "minutes": "minutes minute mins min minuten",
    "hours": "hours hour hrs hr stunden stunde std",
    "days": "days day tagen tage tag",
    "weeks": "weeks week wochen woche",
    "months": "months month monaten monate monat",
    "years": "years year jahren jahre jahr",
}


def _any(groups: Iterable[str], least: int = 1) -> str:
    """A pattern for one of the words."""
    return (
        "(?:"
        + "|".join(
            sorted((word for group in groups for word in group.split() if len(word) >= least), key=len, reverse=True)
        )
        + ")"
    )


def _index(groups: Iterable[str], word: str) -> int:
    return next(index for index, group in enumerate(groups) if word.rstrip(".") in group.split())


_NUMBER = rf"(?:\d{{1,3}}|{_any(_NUMBERS)})"
_UNIT = _any(_UNITS.values())
_MONTH = rf"{_any(_MONTHS)}\.?"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:(?:19|20)\d\d)"
_NEXT = r"(?:next|the following|(?:nächste|naechste|kommende|folgende)[nrsm]?|coming)"
_THIS = r"(?:this(?: coming)?|diese[nrsm]?)"
_AM_ON = rf"am(?=\s+(?:{'|'.join(group.split()[1] for group in _WEEKDAYS)}|wochenende|\d{{1,2}}\.))"  # not that of "9 am Friday"
_TO = rf"(?:on|by|until|till|til|before|for|from|to|at|(?<!\d )am|{_AM_ON}|bis(?: zum| zur)?|vor|für|fuer|zum|ab|auf|due|fällig|faellig|den)"
# What leads to a day goes with it.
_LEAD = rf"(?:(?:due|fällig|faellig|spätestens|spaetestens|(?<=[,;.-] )(?:deadline|frist|due date))(?:\s+(?:is|ist))?:?\s+)?(?:{_TO}\s+)?(?:(?:the|den|dem|der)\s+)?"
_QUOTED = re.compile(r"""“[^”]*”|„[^“”]*[“”]|«[^»]*»|"[^"]*"|(?<!\w)'[^']*'(?!\w)|‘[^’]*’(?!\w)""")
_UNCOUNTED = r"(?!\s*(?:[€$£%]|(?:euros?|eur|usd|dollars?|pounds?|quid|cents?|prozent|percent|kg|km|cm|mm|m|l|liter|litres?|g|gb|mb)\b))"
_NO_DATE = "".join(
    f"(?<!{word})"
    for word in (
        "version ",
        "release ",
        "artikel ",
        "article ",
        "page ",
        "seite ",
        "kapitel ",
        "chapter ",
        "section ",
        "abschnitt ",
        "§ ",
        "nr. ",
        "nr ",
        "no. ",
    )
)
_LEFT, _RIGHT = r"(?<![\w\x00/.:-])", r"(?![\w\x00]|['’]s\b|[-/:.]\w)"


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(f"{_LEFT}{pattern}{_RIGHT}")


def _number(word: str) -> int:
    """Raises ValueError."""
    return _NUMBERS.get(word) or int(word)


# The days


def _after(days: int) -> Callable[[re.Match[str], datetime], date]:
    return lambda _match, now: now.date() + timedelta(days=days)


def _later(match: re.Match[str], now: datetime) -> date | datetime:
    said, word = match["number"], match["unit"]
    unit = next(name for name, words in _UNITS.items() if word in words.split())
    if unit in ("minutes", "hours") and re.search("[.,]", said):
        return _elapsed(now, timedelta(**{unit: float(said.replace(",", "."))}))
    number = 2 if "couple" in said else _number(said)
    if unit in ("minutes", "hours"):
        return _elapsed(now, timedelta(**{unit: number}))
    if unit in ("days", "weeks"):
        return _possible(now.date() + timedelta(**{unit: number}), now)
    return _possible(_months_later(now.date(), number * (12 if unit == "years" else 1)), now)


def _instant(match: re.Match[str], now: datetime) -> datetime:
    found = datetime.fromisoformat(match["iso"].upper()).astimezone(now.tzinfo)
    _possible(found.date(), now)
    return found


def _half_an_hour(_match: re.Match[str], now: datetime) -> datetime:
    return _elapsed(now, timedelta(minutes=30))


def _elapsed(now: datetime, time_passed: timedelta) -> datetime:
    """What the clocks show when that time has passed, also in a night in which they are put forward or back."""
    return (now.astimezone(UTC) + time_passed).astimezone(now.tzinfo)


def _months_later(day: date, months: int) -> date:
    """The same day of a later month, or its last."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _last_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _possible(day: date, now: datetime) -> date:
    """The day, where a todo could be due on it. Raises ValueError."""
    if not now.date() - timedelta(days=370) <= day < date(MAXYEAR - 1, 1, 1):
        raise ValueError(day)
    return day


def _weekday(match: re.Match[str], now: datetime) -> date:
    today, wanted = now.date(), _index(_WEEKDAYS, match["weekday"])
    if re.search(r"\bnext\b|following", match[0]):
        return _weekday_of_next_week(match, now)
    return today + timedelta(days=(wanted - today.weekday()) % 7 or 7)


def _weekday_of_next_week(match: re.Match[str], now: datetime) -> date:
    return now.date() + timedelta(days=7 - now.weekday() + _index(_WEEKDAYS, match["weekday"]))


def _end(match: re.Match[str], now: datetime) -> date:
    said, today = match[0], now.date()
    next_one = 1 if re.search("next|nächste|naechste", said) else 0
    if re.search("week|woche", said):
        return today + timedelta(days=(4 - today.weekday()) % 7 + 7 * next_one)
    if re.search("year|jahr", said):
        return date(today.year + next_one, 12, 31)
    if month := match.groupdict().get("month"):
        first = date(int(match["year"] or today.year), _index(_MONTHS, month) + 1, 1)
        if match["year"]:
            return _possible(_last_of_month(first), now)
        return _last_of_month(first if first.month >= today.month else first.replace(year=today.year + 1))
    return _last_of_month(_months_later(today.replace(day=1), next_one))


def _weekend(match: re.Match[str], now: datetime) -> date:
    today = now.date()
    return today + timedelta(days=(5 - today.weekday()) % 7 + (7 if re.search(r"\bnext\b", match[0]) else 0))


def _next_unit(match: re.Match[str], now: datetime) -> date:
    today = now.date()
    if match["unit"] in ("week", "woche"):
        return today + timedelta(days=7 - today.weekday())
    return _months_later(today.replace(day=1), 1) if match["unit"].startswith("mon") else date(today.year + 1, 1, 1)


def _of_month(match: re.Match[str], now: datetime) -> date:
    named = match["month"]
    return _absolute(
        _ORDINALS.get(match["day"]) or int(match["day"]),
        int(named) if named.isdecimal() else _index(_MONTHS, named) + 1,
        match["year"],
        now,
    )


def _absolute(day: int, month: int, year: str | None, now: datetime) -> date:
    """The day of that month; without a year the next one to come. ValueError where there is none."""
    if year:
        return _possible(date(int(year) + (2000 if len(year) == 2 else 0), month, day), now)
    leap = (day, month) == (29, 2)
    for candidate in range(now.year, now.year + 9):
        if (not leap or calendar.isleap(candidate)) and (found := date(candidate, month, day)) >= now.date():
            return found
    raise ValueError(day)


def _slashed(match: re.Match[str], now: datetime) -> date:
    first, second = int(match["first"]), int(match["second"])
    if first <= 12 and second <= 12 and first != second:
        raise ValueError("could be two days")
    day, month = (first, second) if second <= 12 else (second, first)
    return _absolute(day, month, match["year"], now)


def _nth(match: re.Match[str], now: datetime) -> date:
    """A day of this month or, where that is over, of the next. ValueError where that month has no such day."""
    day, today = _ORDINALS.get(match["day"]) or int(match["day"]), now.date()
    return _months_later(
        today.replace(day=1), int("next" in match[0] or "chsten" in match[0] or day < today.day)
    ).replace(day=day)


def _in_month(match: re.Match[str], now: datetime) -> date:
    month = _index(_MONTHS, match["month"]) + 1
    if month == now.month and match["year"] in (None, str(now.year)) and match[0].startswith(("in ", "im ")):
        return _last_of_month(now.date())  # of the month that it is, there is the rest
    return _possible(date(int(match["year"] or now.year + (month <= now.month)), month, 1), now)


def _easter(year: int) -> date:
    """Easter Sunday (the anonymous Gregorian computus)."""
    golden, century, rest = year % 19, year // 100, year % 100
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    month, day = divmod(epact + weekday - 7 * ((golden + 11 * epact + 22 * weekday) // 451) + 114, 31)
    return date(year, month, day + 1)


_EASTER = {
    -2: "good friday|karfreitag",
    0: "easter sunday|easter|ostersonntag|ostern",
    1: "easter monday|ostermontag",
    39: "ascension day|christi himmelfahrt|vatertag",
    49: "whit sunday|pfingstsonntag|pfingsten",
    50: "whit monday|pfingstmontag",
}
_FEASTS = {
    (1, 1): "new year[’']?s day|neujahr",
    (2, 14): "valentine[’']?s day|valentinstag",
    (10, 31): "halloween",
    (12, 6): "nikolaus",
    (12, 24): "christmas eve|heiligabend|heilig abend",
    (12, 25): "christmas day|christmas|xmas|weihnachten",
    (12, 26): "boxing day",
    (12, 31): "new year[’']?s eve|silvester",
}


def _feast(match: re.Match[str], now: datetime) -> date:
    """The next one to come of a feast."""

    def on(year: int) -> date:
        for after, names in _EASTER.items():
            if re.fullmatch(names, match["feast"]):
                return _easter(year) + timedelta(days=after)
        return next(date(year, *day) for day, names in _FEASTS.items() if re.fullmatch(names, match["feast"]))

    return next(day for year in (now.year, now.year + 1) if (day := on(year)) >= now.date())


def _weekday_of_month(match: re.Match[str], now: datetime) -> date:
    """The first, second, ... or last Monday of a month, the next one to come."""
    wanted = _index(_WEEKDAYS, match["weekday"])
    said = match["which"]
    which = -1 if said.startswith(("last", "letzt")) else int(said[0]) if said[0].isdecimal() else 0
    which = which or _ORDINALS.get(said) or _ORDINALS[said.rstrip("r") + "n"]
    month = match.groupdict().get("month")
    first = now.date().replace(day=1)
    if month:
        first = first.replace(month=_index(_MONTHS, month) + 1)
    elif re.search("next|nächst|naechst|kommend", match[0]):
        first = _months_later(first, 1)
    for start in (first, first.replace(year=first.year + 1)):
        days = [
            day
            for n in range(31)
            if (day := start + timedelta(days=n)).month == start.month and day.weekday() == wanted
        ]
        if days[-1] < now.date():
            continue
        if which > len(days):
            break  # it has no fifth one
        if (found := days[which - (which > 0)]) >= now.date():
            return found
    raise ValueError(match[0])


def _weeks_from(match: re.Match[str], now: datetime) -> date:
    """Some weeks after another day: a week from tomorrow, Friday in a week."""
    said = match["from"]
    weeks = _NUMBERS.get(match["number"], 1) * (2 if "fortnight" in match[0] else 1)
    if said in ("today", "heute", "now", ""):
        start = now.date()
    elif said in ("tomorrow", "morgen"):
        start = now.date() + timedelta(days=1)
    else:
        start = now.date() + timedelta(days=(_index(_WEEKDAYS, said) - now.weekday()) % 7)
    return start + timedelta(days=7 * weeks)


def _weekday_and_nth(match: re.Match[str], now: datetime) -> date:
    if (day := _nth(match, now)).weekday() != _index(_WEEKDAYS, match["weekday"]):
        raise ValueError(match[0])
    return day


def _no_day(match: re.Match[str], _now: datetime) -> date:
    """Last Friday is over, and every Monday is not one."""
    raise ValueError(match[0])


def _while(match: re.Match[str], now: datetime) -> datetime:
    minutes = {"anderthalb": 90, "hour and a half": 90, "dreiviertel": 45, "viertel": 15, "quarter": 15}
    return _elapsed(now, timedelta(minutes=next(value for name, value in minutes.items() if name in match[0])))


_FEAST = "|".join(sorted("|".join([*_EASTER.values(), *_FEASTS.values()]).split("|"), key=len, reverse=True))
# “text them about Sunday” is due on no Sunday
_ABOUT = re.compile(
    r"\b(?:about|regarding|re|wegen|über|of last|after|nach|(?:every|each|jede[nrsm]?)(?: other| second| zweiten?)?|(?:über|ueber)nächste[nrsm]?)\s+$"
)
_APART = re.compile(rf"\b(?:{_NUMBER}|the|der|die|den)\s+{_UNIT}\s+$")
_DAYS: list[tuple[re.Pattern[str], Callable[[re.Match[str], datetime], date | datetime]]] = [
    (re.compile(rf"{_LEFT}{_LEAD}(?P<iso>\d{{4}}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:z|[+-]\d\d:?\d\d))(?!\w)"), _instant),
    # By itself also one that is long over: a stored one may be.
    (re.compile(r"^(?P<iso>20\d\d-\d\d-\d\d)(?:t(?=\d\d:\d\d$)|$)"), lambda match, _now: date.fromisoformat(match["iso"])),
    (re.compile(rf"{_LEFT}{_LEAD}(?P<iso>\d{{4}}-\d\d-\d\d)(?:t(?=\d)|{_RIGHT})"), lambda match, now: _possible(date.fromisoformat(match["iso"]), now)),
    (_words(rf"{_LEAD}(?:today|heute?)"), _after(0)),
    (_words(rf"{_LEAD}(?:end\s+of\s+(?:the\s+)?(?:day|business)|eod|cob|feierabend)"), _after(0)),
    (_words(rf"{_LEAD}(?:eod|cob)\s+(?:tomorrow|morgen)|{_LEAD}(?:tomorrow|morgen)\s+(?:eod|cob|end\s+of\s+(?:the\s+)?(?:day|business))"), _after(1)),
    (_words(rf"{_LEAD}(?:tomorrow|tomorow|tommorr?ow|tmrw|tmr|2moro|tmw)"), _after(1)),
    (_words(rf"(?<!guten )(?<!heute )(?<!jeden )(?<!tag )(?<!mittwoch )(?<!am )(?:{_TO}\s+)?morgen"), _after(1)),
    (_words(rf"{_LEAD}(?:the\s+)?(?:day after tomorrow|übermorgen|uebermorgen)"), _after(2)),
    (_words(rf"{_LEAD}(?:yesterday|gestern)"), _after(-1)),
    (_words(rf"(?:in|within|innerhalb(?: von)?)\s+(?:about\s+|etwa\s+)?(?:(?:the|den|der)\s+(?:next|nächsten|naechsten|kommenden)\s+)?(?P<number>a\s+couple\s+of|\d{{1,2}}[.,]\d|{_NUMBER})\s+(?P<unit>{_UNIT})"), _later),
    (_words(rf"(?P<number>{_NUMBER})\s+(?P<unit>{_UNIT})\s+from\s+(?:now|today)"), _later),
    (_words(rf"(?:heute|today)\s+in\s+(?P<number>{_NUMBER})\s+(?P<unit>{_UNIT})"), _later),
    (_words(rf"{_LEAD}{_any(_WEEKDAYS, 6)}\s+after\s+next|{_LEAD}{_any(_ORDINALS, 5)}\s+{_any(_WEEKDAYS, 6)}|24/7"), _no_day),
    # A fraction where a word follows it: a 3/16 wrench.
    (_words(r"(?:[13579]|1[135])/16(?=\s+(?!at\b|um\b|in the\b|by\b|morning|noon|afternoon|evening)[a-z])"), _no_day),
    (_words(rf"(?:last|letzte[nrs]?|every|each|jede[nrsm]?|vorletzte[nrs]?)\s+{_any(_WEEKDAYS, 6)}"), _no_day),
    (_words(rf"{_LEAD}(?:an\s+)?(?P<feast>{_FEAST})"), _feast),
    (_words(rf"{_LEAD}(?P<which>{_any(_ORDINALS, 5)}|(?:erste|zweite|dritte|vierte)r?|[1-5](?:st|nd|rd|th|\.)|last|letzte[nr]?)\s+(?P<weekday>{_any(_WEEKDAYS, 6)})\s+(?:in|im|of|des|von)\s+(?:(?P<month>{_MONTH})|(?:this|the|next|diesem|diesen|dieses|nächsten|naechsten|kommenden)\s+(?:month|monats?))"), _weekday_of_month),
    (_words(rf"(?:in\s+)?(?P<number>a|one|two)\s+(?:weeks?|fortnight)\s+(?:from|on)\s+(?P<from>today|now|tomorrow|{_any(_WEEKDAYS, 6)})"), _weeks_from),
    (_words(rf"(?:am\s+)?(?P<from>heute|morgen|{_any(_WEEKDAYS, 6)})\s+in\s+(?P<number>einer|zwei)\s+wochen?"), _weeks_from),
    (_words(r"in\s+(?P<number>a)\s+fortnight(?P<from>)"), _weeks_from),
    (_words(r"in\s+(?:an\s+hour\s+and\s+a\s+half|anderthalb\s+stunden|(?:einer\s+)?(?:drei)?viertelstunde|(?:a\s+)?quarter\s+of\s+an\s+hour)"), _while),
    (_words(r"in\s+(?:half\s+an\s+hour|einer\s+halben\s+stunde)"), _half_an_hour),
    (_words(rf"(?:in\s+)?{_LEAD}(?P<weekday>{_any(_WEEKDAYS, 6)})"), _weekday),
    (_words(rf"{_LEAD}(?P<weekday>{_any(_WEEKDAYS, 3)})\s+(?:eod|cob|end\s+of\s+(?:the\s+)?(?:day|business))"), _weekday),
    (_words(rf"{_LEAD}(?P<weekday>{_any(_WEEKDAYS, 6)})\s+(?:in\s+|of\s+)?{_NEXT}\s+(?:week|woche)"), _weekday_of_next_week),
    (_words(rf"{_LEAD}{_NEXT}\s+(?:week|woche)\s+(?:on\s+|am\s+)?(?P<weekday>{_any(_WEEKDAYS, 6)})"), _weekday_of_next_week),
    (_words(rf"{_LEAD}(?:{_NEXT}|{_THIS})\s+(?P<weekday>{_any(_WEEKDAYS)})\.?"), _weekday),
    (_words(r"(?:on|by|until|till|before|for|due)\s+(?:the\s+)?(?P<weekday>mon|tues?|weds?|thu(?:rs?)?|fri|sat|sun)\.?(?=\s*(?:$|[,;.!?)]|at\b|um\b|in\b|\d|morning|evening|afternoon|night|abend|früh))"), _weekday),
    (_words(r"(?:bis|bis\s+spätestens|spätestens)\s+(?P<weekday>mo|di|mi|do|fr|sa)\.?"), _weekday),
    (_words(r"(?:am|bis|ab|vor|bis zum|fällig)\s+(?P<weekday>mo|di|mi|do|fr|sa|so)\.?(?=\s*(?:$|[,;.!?)]|at\b|um\b|in\b|\d|morning|evening|afternoon|night|abend|früh))"), _weekday),
    (_words(r"(?P<weekday>mon|tues?|weds?|thu(?:rs?)?|fri)\.?(?=\s*(?:$|[,;.!?)]|at\b|\d|morning|evening|afternoon|night))"), _weekday),
    (_words(r"(?P<weekday>mo|di|mi|do|fr|sa|so)\.?(?=\s+(?:(?:um\s+)?\d{1,2}(?:[:.]\d\d|\s*uhr|\s*h\b)|(?:früh|vormittag|nachmittag|abend)\b))"), _weekday),
    (_words(r"(?<!the )(?<!in )(?P<weekday>sat|sun)\.?(?=\s*(?:$|,))"), _weekday),
    (_words(r"(?P<weekday>sat|sun)\.?(?=\s+(?:(?:at\s+)?\d{1,2}(?:[:.]\d\d|\s*[ap]m)|morning|evening|afternoon|night))"), _weekday),
    (_words(r"(?P<weekday>mon|tues?|weds?|thu(?:rs?)?|fri|sat|sun)\.?(?=\s+(?:at\s+)?\d{1,2}\s*(?:$|[,;!?]))"), _weekday),
    (_words(rf"{_LEAD}(?P<weekday>{_any(_WEEKDAYS, 6)})\s+week"), lambda match, now: _weekday(match, now) + timedelta(days=7)),
    (re.compile(rf"{_LEFT}{_LEAD}(?P<weekday>{_any(_WEEKDAYS, 6)})(?=(?:vormittag|mittag|nachmittag|abend|morgen|früh|nacht)s?\b)"), _weekday),
    (_words(rf"{_LEAD}(?:eow|eom)"), lambda match, now: _last_of_month(now.date()) if match[0].endswith("m") else now.date() + timedelta(days=(4 - now.weekday()) % 7)),
    (_words(rf"{_LEAD}(?:(?:end|last\s+day)\s+of\s+(?:the\s+|this\s+|next\s+)?(?:week|month|year)|(?:monats|jahres)ende)"), _end),
    (_words(rf"{_LEAD}(?:ende\s+(?:(?:der|des|dieser|dieses|nächster|nächsten|nächste)\s+)?(?:woche|monats?|jahr(?:es)?))"), _end),
    (_words(rf"{_LEAD}(?:(?:the\s+)?end\s+of|(?:the\s+)?last\s+day\s+of|ende)\s+(?P<month>{_MONTH})(?:\s+(?P<year>{_YEAR}))?"), _end),
    (_words(r"(?:(?:at|on|over|for|by|until|before|during)\s+(?:the\s+)?|(?:on\s+)?(?:this|next|the)\s+(?:coming\s+)?)weekend"), _weekend),
    (_words(r"am\s+we|(?:am|übers?|uebers?|bis\s+zum|zum|fürs|kommendes|nächstes|naechstes|dieses)\s+(?:nächsten\s+|kommenden\s+|dieses\s+)?wochenende"), _weekend),
    (_words(rf"{_LEAD}(?:anfang\s+|early\s+|(?:in\s+)?)(?:{_NEXT})\s+(?P<unit>week|month|year|woche|monats?|jahr)"), _next_unit),
    (_words(rf"{_LEAD}(?P<month>{_MONTH})\s+(?:the\s+)?(?P<day>{_DAY})(?:st|nd|rd|th)?(?!\s*(?:am|pm|uhr|o)\b){_UNCOUNTED}(?:,?\s+(?P<year>{_YEAR}))?"), _of_month),
    (_words(rf"(?:in\s+)?{_LEAD}(?P<day>{_DAY})(?:st|nd|rd|th|\.)?\s*(?:of\s+)?(?P<month>{_MONTH})(?:,?\s+(?P<year>{_YEAR}))?"), _of_month),
    (_words(rf"{_LEAD}(?P<day>{_any(_ORDINALS)})\s+(?:of\s+)?(?P<month>{_MONTH})(?P<year>)"), _of_month),
    (_words(rf"{_LEAD}(?P<month>{_any(_MONTHS, 3)})\s+(?:the\s+)?(?P<day>{_any(_ORDINALS)})(?P<year>)"), _of_month),
    (re.compile(rf"{_NO_DATE}{_LEFT}{_LEAD}(?P<day>{_DAY})\.\s?(?P<month>0?[1-9]|1[0-2])\.(?:\s?(?P<year>{_YEAR}|\d\d)(?![\d:]|\s*uhr))?(?![\d\w])"), _of_month),
    (_words(rf"{_LEAD}(?P<first>\d{{1,2}})/(?P<second>\d{{1,2}})(?:/(?P<year>{_YEAR}|\d\d))?"), _slashed),
    (_words(rf"(?:next\s+month|nächsten\s+monat|naechsten\s+monat)\s+(?:on\s+the|am)\s+(?P<day>{_DAY})(?:st|nd|rd|th|\.)?"), _nth),
    (_words(rf"(?:{_TO}\s+the|the|{_TO})\s+(?P<day>{_DAY})(?:st|nd|rd|th|ten)(?:\s+of\s+(?:this|next|the)\s+month)?(?!\s+(?!at\b|of\b|and\b|with\b|in\b|um\b|instead\b|please\b|pls\b|thanks\b|bitte\b|statt\b|not\b|high\b|low\b|as\b|so\b|then\b|but\b|because\b|add\b|put\b|can\b|could\b|to\b|is\b|i\b|we\b|please\b|for\b)\w)"), _nth),
    (_words(rf"(?:{_TO}\s+)?(?:on|by|until|till|for|to(?=\s+the)|am|zum|bis zum|auf den|vor dem)\s+(?:the\s+)?(?P<day>{_any(word for word, day in _ORDINALS.items() if day > 12)})(?!\s+(?:of\s+)?(?:{_MONTH}|geburtstag|birthday|mal|time|floor|street|avenue|stock)\b)"), _nth),
    (re.compile(rf"^\s*(?P<day>{_DAY})(?:st|nd|rd|th)(?=[\s.!?]*$)"), _nth),
    (_words(rf"{_LEAD}(?P<weekday>{_any(_WEEKDAYS, 6)})\s+(?P<day>{_DAY})(?:st|nd|rd|th)"), _weekday_and_nth),
    (re.compile(rf"{_LEFT}{_LEAD}(?P<weekday>{_any(_WEEKDAYS, 6)}),?\s+(?:der|den|dem)\s+(?P<day>{_DAY})\.(?!\w|\s?\d|\s*{_MONTH}\b)"), _weekday_and_nth),
    (re.compile(rf"{_LEFT}(?:(?:fällig|faellig|deadline|frist)\s+)?(?:am|bis(?: zum)?|zum|auf den|den|vor dem)\s+(?P<day>{_DAY})\.(?!\w|\s?(?:0?[1-9]|1[0-2])\.(?!\d))(?!\s*{_MONTH}\b)"), _nth),
    (_words(rf"(?:in|im|by|bis|until)\s+(?P<month>{_MONTH})(?!\s+(?:the\s+)?\d{{1,2}}(?!\d))(?:\s+(?P<year>{_YEAR}))?"), _in_month),
]  # fmt: skip

# The times

_AT = r"(?:(?:at|um|gegen|around|by|@|from|for|für|fuer|ab|before|vor|bis|until)\s*)?"
_HALF = rf"(?P<half>(?!{_AM_ON})am|pm|a\.m\.|p\.m\.)"
_HOUR = rf"(?:2[0-4]|[01]?\d|{_any(word for word in _NUMBERS if len(word) > 2 and not word.startswith('ein'))}|eins)"


def _hour(word: str) -> int:
    return 1 if word == "eins" else _number(word)


def _clock(match: re.Match[str], _now: datetime) -> _Clock:
    """A time of which it is known which half of the day is meant, where 13 to 24 or am and pm say so."""
    hour, minute = _hour(match["hour"]), int(match.groupdict().get("minute") or 0)
    if half := match.groupdict().get("half"):
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        return _Clock(time(hour % 12 + (12 if half.startswith("p") else 0), minute))
    if hour == 24:
        return _Clock(time.max)
    exact = (
        match["hour"].startswith("0")
        or "uhr" in match[0]
        or bool(match.groupdict().get("minute") and _GERMAN.search(match.string))
    )
    return _Clock(time(hour, minute), of_12=0 < hour < 12, evening_until=0 if exact else 8)


_GERMAN = re.compile(
    rf"\b(?:{'|'.join(group.split()[1] for group in _WEEKDAYS)}|heute|übermorgen|uhr|termin|beim?|zum|zur|mit|für)\b|\b\d{{1,2}}\.\d{{1,2}}\.|\bum \d"
)
"""Who writes German, writes 7:45 for the morning."""


def _um(match: re.Match[str], now: datetime) -> _Clock:
    found = _clock(match, now)
    return replace(found, evening_until=min(found.evening_until, 7))


def _uhr(match: re.Match[str], now: datetime) -> _Clock:
    found = _clock(match, now)
    return _Clock(found.at, of_12=0 < found.at.hour < 12, evening_until=7)


_MINUTES = {
    **dict.fromkeys(("half", "halb"), 30),
    "twenty-five": 25,
    **dict.fromkeys(("twenty", "zwanzig"), 20),
    **dict.fromkeys(("ten", "zehn"), 10),
    **dict.fromkeys(("five", "fünf"), 5),
}


def _spoken(match: re.Match[str], _now: datetime) -> _Clock:
    minute = {"fi": 15, "th": 30, "fo": 45}[match["spoken"][:2]]
    return _Clock(time(_hour(match["hour"]) % 24, minute), of_12=_hour(match["hour"]) < 12)


def _quarter(match: re.Match[str], _now: datetime) -> _Clock:
    said = match["quarter"]
    minutes = _MINUTES.get(said) or (int(said) if said.isdecimal() else 15)
    if match["way"] in ("to", "before", "vor") or match["quarter"] in ("halb", "dreiviertel"):
        minutes = -minutes
    total = _hour(match["hour"]) * 60 + minutes
    return _Clock(time(total // 60 % 24, total % 60), of_12=total < 12 * 60)


_CLOCKS: list[tuple[re.Pattern[str], Callable[[re.Match[str], datetime], _Clock]]] = [
    (re.compile(rf"(?<![\w\x00/.:-])(?<!ratio ){_AT}(?P<hour>[01]?\d|2[0-3]|24(?=:00)):(?P<minute>[0-5]\d)(?![\d/]|\.\d)(?:\s*{_HALF})?(?:\s*(?:uhr|h)\b)?(?![\w\x00]){_UNCOUNTED}"), _clock),
    # With a point it may be money, or a version, where no word says otherwise.
    (re.compile(rf"(?<![\w\x00/.:-]){_AT}(?P<hour>[01]?\d|2[0-3])\.(?P<minute>[0-5]\d)\s*(?:{_HALF}|(?:uhr|h)\b|(?=in the (?:morning|evening|afternoon)\b))(?!\w(?<!i))"), _clock),
    (re.compile(rf"{_LEFT}(?:at|um|gegen|around|by|@|ab|before|vor|bis)\s*(?P<hour>[01]?\d|2[0-3])\.(?P<minute>[0-5]\d)(?![\d/\w]|\.\d){_UNCOUNTED}"), _clock),
    (re.compile(rf"{_LEFT}{_AT}(?P<hour>{_HOUR})(?=\s+(?:in the (?:morning|evening|afternoon)|at night|morgens|abends|nachmittags|nachts)\b)"), _clock),
    (re.compile(r"(?<=\dt)(?P<hour>[01]\d|2[0-3]|24(?=:00)):(?P<minute>[0-5]\d)(?::00)?(?!\d)"), _clock),
    (re.compile(rf"(?<![\w\x00/.:]){_AT}(?P<hour>1[0-2]|0?[1-9]|(?:{_any(word for word, number in _NUMBERS.items() if 0 < number < 13 and len(word) > 2)})(?=\s))\s*{_HALF}(?!\w)"), _clock),
    (re.compile(rf"(?<![\w\x00/.:]){_AT}(?P<hour>{_HOUR})(?:\s*uhr|(?<!24)h)(?:\s*(?P<minute>[0-5]\d))?(?!\w)"), _uhr),
    (re.compile(rf"{_LEFT}{_AT}(?P<hour>{_HOUR})\s*o['’]?clock(?!\w)"), _uhr),
    (re.compile(rf"{_LEFT}{_AT}(?P<quarter>half|quarter|a quarter|viertel|five|ten|twenty|twenty-five|fünf|zehn|zwanzig)\s+(?P<way>past|to|before|after|nach|vor)\s+(?P<hour>{_HOUR})(?!\w)"), _quarter),
    (re.compile(rf"{_LEFT}{_AT}(?P<quarter>half)(?P<way>)\s+(?P<hour>{_HOUR})(?!\w)"), _quarter),
    (re.compile(rf"{_LEFT}(?:um|at)\s+(?P<quarter>5|10|20|25)\s+(?P<way>past|to|nach|vor)\s+(?P<hour>{_HOUR})(?!\w)"), _quarter),
    (re.compile(rf"{_LEFT}(?:at|um|by)\s+(?P<hour>{_HOUR})\s+(?P<spoken>fifteen|thirty|forty[ -]five)(?!\w)"), _spoken),
    (re.compile(rf"{_LEFT}{_AT}(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)\s*(?:hrs|hours|h)(?!\w)"), _clock),
    (re.compile(rf"{_LEFT}{_AT}(?P<hour>1[0-2]|[1-9])ish(?:\s*{_HALF})?(?!\w)"), _clock),
    (re.compile(rf"{_LEFT}{_AT}(?P<quarter>halb|dreiviertel)(?P<way>)\s+(?P<hour>{_HOUR})(?!\w)"), _quarter),
    (re.compile(rf"{_LEFT}(?:at|by|um|gegen|before|vor|until|bis)\s+(?:noon|midday|lunch ?time|mittag)(?!\w)|{_LEFT}noon(?!\w)"), lambda *_: _Clock(NOON)),
    (re.compile(rf"{_LEFT}(?:at|by|um|gegen|before|vor|until|bis)\s+(?:midnight|mitternacht)(?!\w)|{_LEFT}{_AT}(?:(?:12|0|24|twelve|zwölf)(?:\s+uhr|\s+o['’]?clock)?\s+)(?:um\s+)?(?:midnight|mitternacht)(?!\w)|(?:(?<=day )|{_LEFT})(?:midnight|mitternacht)(?=\s*(?:$|[.,;!?)]|(?:on|today|tomorrow|tonight|heute|morgen|{_any(_WEEKDAYS, 6)})\b))"), lambda *_: _Clock(time.max)),
    (re.compile(rf"(?<=mon |tue |wed |thu |fri |sat |sun |day |tag )(?P<hour>[01]?\d|2[0-3])\.(?P<minute>[0-5]\d)(?![\d/\w]|\.\d){_UNCOUNTED}"), _clock),
    (re.compile(rf"{_LEFT}(?:before|by|until|vor|bis)\s+(?P<hour>1[0-2]|[1-9])(?=\s+(?:today|tomorrow|tonight|heute|morgen|(?:on\s+|am\s+)?{_any(_WEEKDAYS, 6)})\b)"), _clock),
    (re.compile(r"(?:(?<=mon |tue |wed |thu |fri |sat |sun |day |tag )|(?<=tomorrow )|(?<=\bmorgen )|(?<=\bheute ))(?:at\s+)?(?P<hour>[1-9]|1\d|2[0-3])(?=\s*(?:$|[,;!?]))"), _clock),
    # Without any word for a clock only where nothing is counted by it: not in "look at 5 flats".
    (re.compile(rf"{_LEFT}um\s+(?P<hour>{_HOUR})(?!\w|[:./]\d|\s*(?:uhr|€|%|euro|eur|cent|prozent|mal|meter|m|km|kg|punkte)(?!\w))"), _um),
    (re.compile(rf"{_LEFT}(?:at|gegen|around|@)\s*(?P<hour>{_HOUR})(?=\s*(?:$|[,;!?)]|\.(?!\d)|(?:daran|dran|dass|that|an|on|and|und|with|mit|about|wegen|to|for|instead|please|pls|thanks|bitte|statt|stattdessen|then|high|low|medium|prio|in the|tomorrow|today|tonight|morgens?|heute|früh|abends|nachmittags|next|this)\b|(?:am\s+)?{_any(_WEEKDAYS, 6)}))"), _clock),
]  # fmt: skip
_HOURS = {
    MORNING: range(13), NOON: range(11, 16), AFTERNOON: range(12, 20), EVENING: range(16, 25), NIGHT: range(18, 30),
}  # fmt: skip
_AT_NIGHT = (*range(6), *range(18, 25))  # "Friday at 3 at night" is Friday, "Friday night at 3" is Saturday
# With which of them this day's is meant, and which say it without a day beside them.
_PARTS: list[tuple[re.Pattern[str], Callable[[re.Match[str], datetime], _Part]]] = [
    (re.compile(pattern), lambda _match, _now, part=part: part)  # type: ignore[misc]
    for part, pattern in [
        *((_Part(at, True, True, hours), rf"{_LEFT}(?:{words}){_RIGHT}") for at, hours, words in (
            (MORNING, _HOURS[MORNING], "this morning"),
            (AFTERNOON, _HOURS[AFTERNOON], "this afternoon"),
            (EVENING, _HOURS[EVENING], "this evening"),
            (NIGHT, range(17, 29), "(?:by |until |for )?(?:tonight|tonite)"),
        )),
        *((_Part(at, True, hours=hours), rf"{_LEFT}(?:{words}){_RIGHT}") for at, hours, words in (
            (MORNING, _HOURS[MORNING], "(?:first thing )?in the morning|vormittags|in der früh|am (?:vormittag|morgen)"),
            (NOON, _HOURS[NOON], "mittags|am mittag"),
            (AFTERNOON, _HOURS[AFTERNOON], "in the afternoon|(?:am )?nachmittags?|after lunch"),
            (EVENING, _HOURS[EVENING], "in the evening|am abend|abends"),
            (NIGHT, _AT_NIGHT, "at night|in der nacht"),
        )),
        *((_Part(at, False, hours=hours), rf"(?:(?<!['’] )(?<!['’]s )(?<!parents ){_LEFT}|(?<=tag)|(?<=mittwoch))(?:{words}){_RIGHT}") for at, hours, words in (
            (MORNING, _HOURS[MORNING], "first thing|(?:first thing )?morning|morgens?|früh|frueh|vormittags?"),
            (NOON, _HOURS[NOON], "mittags?|lunch ?time"),
            (AFTERNOON, _HOURS[AFTERNOON], "afternoon|nachmittags?"),
            (EVENING, _HOURS[EVENING], "evening|abends?"),
            (NIGHT, _HOURS[NIGHT], "night|nacht"),
            (NIGHT, _AT_NIGHT, "nachts"),
        )),
    ]
]  # fmt: skip
