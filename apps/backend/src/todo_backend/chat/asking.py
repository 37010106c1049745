"""Which todos a message asks to see."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from todo_backend import dates
from todo_backend.chat.cues import fold, lengths, slots
from todo_backend.chat.lexicon import FILLERS, SAME, stem
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
    about: frozenset[str] = frozenset()
    """Words that they have."""

    def fits(self, todo: TodoView, now: datetime) -> bool:
        """Whether a todo is one of them."""
        if self.state != "all" and todo.completed != (self.state == "done"):
            return False
        if (self.priority and todo.priority != self.priority) or (self.undated and todo.due):
            return False
        is_due = bool(self.due and todo.due and self.due[0] <= todo.due[:10] <= self.due[1])
        if (self.due or self.overdue) and not (is_due or (self.overdue and is_overdue(todo, now))):
            return False
        return self.about <= content(f"{todo.title} {todo.notes}")


def is_overdue(todo: TodoView, now: datetime) -> bool:
    """Tell whether an open todo's date is over."""
    return bool(todo.due) and not todo.completed and (todo.due or "") < now.isoformat()[: len(todo.due or "")]


def content(text: str) -> frozenset[str]:
    """Return the words that a todo can be found by, each in one form."""
    keys = [fold(word) for word in words(text)]
    return frozenset(SAME.get(key) or SAME.get(stem(key)) or stem(key) for key in keys if key not in FILLERS)


def asked(text: str, todos: Sequence[TodoView], now: datetime) -> Asked | None:
    """Return what a message asks to see; None where that is not understood."""
    keys = [fold(word) for word in words(text)]
    wanted = Asked()
    for field, value, phrases in _ASKED:
        if taken := _take(keys, phrases):
            wanted, keys = replace(wanted, **{field: value}), taken
    for phrases, days in _PERIODS:
        if taken := _take(keys, phrases):
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
            cut = "".join(" " if any(start <= at < end for start, end in spans) else text[at] for at in range(len(text)))
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
    return replace(wanted, about=found or spoken)


def _take(keys: Sequence[str], phrases: str) -> list[str]:
    """The words without the first phrase of these among them; empty where there is none."""
    for phrase in phrases.replace("\n", ",").split(","):
        said = slots(phrase)
        for at in range(len(keys)):
            if size := lengths(said, keys[at:]):
                return [*keys[:at], *keys[at + size :], ""]
    return []


def _week(today: date, later: int = 0) -> tuple[date, date]:
    monday = today + timedelta(days=7 * later - today.weekday())
    return monday, monday + timedelta(days=6)


def _month(today: date, later: int = 0) -> tuple[date, date]:
    first = (today.replace(day=1) + timedelta(days=32 * later)).replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


_ASKED: Sequence[tuple[str, object, str]] = [
    ("state", "all", "auch das was (schon) fertig/erledigt (ist), including (the) done/finished/completed (ones/stuff), (the) whole lot, also (the) done/finished ones, auch (die) erledigten/fertigen, inklusive (der) erledigten/fertigen, mit erledigten, done and open, open and done, samt erledigten"),
    ("state", "open", "not (yet/been) (done/finished/completed), unfinished, nicht erledigt/erledigte/erledigten/fertig/gemacht, unerledigt/unerledigte/unerledigten/unerledigtes, (noch) offen/offene/offenen/offenes, pending, outstanding, undone, left (to) (do), remaining, still open, not checked"),
    ("state", "done", "(already/schon/bereits) done/completed/complete/finished/ticked/erledigt/erledigte/erledigten/erledigtes/fertig/fertige/fertigen/abgehakt/abgehakte/abgehakten/abgeschlossen/abgeschlossene/geschafft/gemacht/accomplished (off), (did i/we) tick/check/get/cross (off/done), checked off, hinter mir, i did"),
    ("overdue", True, "overdue, late, past due, missed, behind (on/with/schedule), ueberfaellig/ueberfaellige/ueberfaelliges/ueberfaelligen, verspaetet/verspaetete, zu spaet, verpasst/verpasste/verschwitzt/verpennt/verschlafen, im verzug, im rueckstand, laengst faellig, running late, hinterher, schon gewesen"),
    ("undated", True, "no (due) date/dates/deadline/deadlines, without/w/o (a/any) (due) date/dates/deadline/deadlines, ohne datum/termin/frist/faelligkeit/faelligkeitsdatum/deadline, undated, kein/keinen/keine datum/termin/frist/deadline/faelligkeitsdatum, dont/do (not) have (a/any) (due) date/dates/deadline (yet)"),
    ("priority", "low", "low/lowest (prio/priority), niedrig/niedrige/niedriger/niedrigen/niedrigste/niedrigster (prio/prioritaet), unwichtig/unwichtige/unwichtigen, prio/prioritaet niedrig"),
    ("priority", "medium", "medium (prio/priority), mittel/mittlere/mittlerer/mittleren (prio/prioritaet), prio/prioritaet mittel"),
    ("priority", "high", "(the) (most) high/highest/top (prio/priority), (most) urgent/important/pressing, wichtig/wichtige/wichtigen/wichtiges/wichtigste/wichtigsten/dringend/dringende/dringenden/dringendes/dringendste/eilig/eilige/eiliges, hohe/hoher/hohen/hoechste/hoechster (prio/prioritaet), prio/prioritaet hoch, prio, priority, prioritaet"),
]  # fmt: skip
_MONTHS = [
    "january/januar", "february/februar", "march/maerz", "april", "may/mai", "june/juni", "july/juli", "august", "september", "october/oktober",
    "november", "december/dezember",
]  # fmt: skip
_PERIODS: Sequence[tuple[str, Callable[[date], tuple[date, date]]]] = [
    ("next/naechste/naechster/kommende/kommenden/folgende week/woche/weeks, week after", lambda today: _week(today, 1)),
    ("this/the/diese/dieser/die/der week/woche/weeks/wochen, (for/within/in) (the) week/woche", _week),
    ("next/naechsten/naechster/kommenden month/monat/months", lambda today: _month(today, 1)),
    ("this/the/diesen/diesem/dieser month/monat/months", _month),
    *(
        (f"in/im/for/during {names}", lambda today, month=month: _month(today, (month - today.month) % 12))
        for month, names in enumerate(_MONTHS, 1)
    ),
    ("am we, (this/the/my/am/dieses/uebers/mein/at/on/over) (the) weekend/wochenende/weekends", lambda today: (_week(today)[0] + timedelta(days=5), _week(today)[1])),
    (
        "(the/die/in) (den) next/naechsten/kommenden (few/couple/paar/2/two/zwei/3/three/drei) (of) days/tage/tagen",
        lambda today: (today, today + timedelta(days=3)),
    ),
    ("upcoming, coming up, demnaechst, anstehend/anstehende/anstehenden, bald", lambda today: (today, date.max)),
    ("my day, mein tag, todays", lambda today: (today, today)),
    ("tomorrows", lambda today: (today + timedelta(days=1),) * 2),
]  # fmt: skip
_UNTIL = frozenset("until till by before bis".split())
_WHETHER = frozenset("did have has already done schon hab habe ist is ob".split())
_ASKING = frozenset(
    "got coming pending behind here put dont wots wot whats whatve search find look yet again anythings drauf dran raus los vor hier irgendwas "
    "irgendetwas anzeigen zeigen sehen will moechte ueberhaupt sag denn what which show me us is are list lists open still anything due next tick "
    "everything any got must should how many much when whens does up far currently right see tell give read view display planned scheduled plan "
    "plans like going agenda where full whole every just only reminders containing mention mentions or hast gibt gibts welche welcher welches "
    "muss tun steht stehen offen was wann wie viele viel wieviele faellig anstehen als naechstes naechste eigentlich machen gerade soll sollte wo "
    "todoliste einkaufsliste nur etwas zeig zeige zeigst momentan aktuell kommt liegt lies lese nenn nenne gib schau schauts siehts aussehen aus "
    "drin so wot between und and stuff everything overview ueberblick uebersicht schedule today tonight overall anyone ive today heut know want "
    "wissen ansteht anliegt liegen ansehen please thingy bits pieces looking looks hows busy free coming need doing ma zeign alls allem gesamte "
    "ganze komplette complete entire existing current out pull check through going happening lined round left dates date datum i to do have has "
    "dated sort sorted by order first kind things item mir mich mein tag day week woche month monat punkte eintraege sachen aufgaben posten offenen "
    "calendar kalender termine to dos bring quickly kurz mal schnell vorlesen ausgeben auflisten auflistung alle alles allen jetzt hm ob shall "
    "am bin wen wem erledigen frei frueh oder ansonsten happen gotta supposed finish get done how's whatcha wats wat ya for".split()
)
"""Words of questions that say nothing about which todos."""
