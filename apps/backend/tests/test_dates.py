"""Dates in plain words."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from todo_backend import dates
from todo_backend.clock import due_instant

NOW = datetime(2026, 3, 11, 10, tzinfo=ZoneInfo("Europe/Berlin"))  # a Wednesday
# Empty: no date, or one that could be two.
PHRASES = {
    "in der Nacht um 3": "2026-03-12T03:00",
    "um 12 Uhr nachts": "2026-03-12T00:00",
    "um 3 Uhr nachts": "2026-03-12T03:00",
    "7 in the evening": "2026-03-11T19:00",
    "karfreitag": "2026-04-03",
    "new year's eve": "2026-12-31",
    "a week from friday": "2026-03-20",
    "Freitag in einer Woche": "2026-03-20",
    "Mittwoch in einer Woche": "2026-03-18",
    "nächsten Montag sieben Uhr": "2026-03-16T07:00",
    "am Montag um 7 Uhr": "2026-03-16T07:00",
    "within the next three days": "2026-03-14",
    "innerhalb der nächsten vier Tage": "2026-03-15",
    "Thursday 19th": "2026-03-19",
    "Thursday 20th": "",
    "mon 9.45": "2026-03-16T09:45",
    "by 5 today": "2026-03-11T17:00",
    "the first monday in april": "2026-04-06",
    "letzten Freitag im April": "2026-04-24",
    "the last friday of this month": "2026-03-27",
    "in anderthalb Stunden": "2026-03-11T11:30",
    "at twelve thirty": "2026-03-11T12:30",
    "at 1900 hrs": "2026-03-11T19:00",
    "thursday week": "2026-03-19",
    "the last day of march": "2026-03-31",
    "on the twenty-first of march at ten past two": "2026-03-21T14:10",
    "today": "2026-03-11",
    "tomorrow": "2026-03-12",
    "day after tomorrow": "2026-03-13",
    "the day after tomorrow": "2026-03-13",
    "tmrw": "2026-03-12",
    "on Friday": "2026-03-13",
    "Friday": "2026-03-13",
    "by friday": "2026-03-13",
    "fri": "2026-03-13",
    "on Wednesday": "2026-03-18",
    "next Friday": "2026-03-20",
    "this Friday": "2026-03-13",
    "Monday next week": "2026-03-16",
    "in 3 days": "2026-03-14",
    "in two weeks": "2026-03-25",
    "in a week": "2026-03-18",
    "in a month": "2026-04-11",
    "a week from now": "2026-03-18",
    "in 2 hours": "2026-03-11T12:00",
    "in half an hour": "2026-03-11T10:30",
    "next week": "2026-03-16",
    "next month": "2026-04-01",
    "end of the month": "2026-03-31",
    "end of month": "2026-03-31",
    "end of next month": "2026-04-30",
    "by the end of the week": "2026-03-13",
    "this weekend": "2026-03-14",
    "on the weekend": "2026-03-14",
    "next weekend": "2026-03-21",
    "March 20": "2026-03-20",
    "20 March": "2026-03-20",
    "20th of March": "2026-03-20",
    "Mar 20th, 2027": "2027-03-20",
    "March 3": "2027-03-03",
    "the 15th": "2026-03-15",
    "on the 5th": "2026-04-05",
    "in April": "2026-04-01",
    "2026-03-12": "2026-03-12",
    "2026-03-12T18:00": "2026-03-12T18:00",
    "2026-03-12 18:00": "2026-03-12T18:00",
    "12/25": "2026-12-25",
    "25/12/2026": "2026-12-25",
    "tomorrow at 5": "2026-03-12T17:00",
    "tomorrow at 5pm": "2026-03-12T17:00",
    "tomorrow 5 pm": "2026-03-12T17:00",
    "tomorrow at 17:30": "2026-03-12T17:30",
    "at 5pm tomorrow": "2026-03-12T17:00",
    "tomorrow at noon": "2026-03-12T12:00",
    "tomorrow morning": "2026-03-12T09:00",
    "tomorrow morning at 7": "2026-03-12T07:00",
    "tomorrow evening": "2026-03-12T18:00",
    "tonight": "2026-03-11T20:00",
    "this evening": "2026-03-11T18:00",
    "tonight at 9": "2026-03-11T21:00",
    "Friday at half past five": "2026-03-13T17:30",
    "at 8": "2026-03-12T08:00",
    "at 11": "2026-03-11T11:00",
    "at 6": "2026-03-11T18:00",
    "Friday night": "2026-03-13T20:00",
    "due Friday at 9am": "2026-03-13T09:00",
    "at quarter to six": "2026-03-11T17:45",
    "at midnight": "2026-03-12T00:00",
    "heute": "2026-03-11",
    "morgen": "2026-03-12",
    "übermorgen": "2026-03-13",
    "uebermorgen": "2026-03-13",
    "am Freitag": "2026-03-13",
    "bis Freitag": "2026-03-13",
    "nächsten Freitag": "2026-03-13",
    "nächste Woche": "2026-03-16",
    "nächste Woche Freitag": "2026-03-20",
    "Freitag nächste Woche": "2026-03-20",
    "in 3 Tagen": "2026-03-14",
    "in zwei Wochen": "2026-03-25",
    "in einer Woche": "2026-03-18",
    "heute in einer Woche": "2026-03-18",
    "in vierzehn Tagen": "2026-03-25",
    "nächsten Monat": "2026-04-01",
    "Ende des Monats": "2026-03-31",
    "bis Monatsende": "2026-03-31",
    "Ende März": "2026-03-31",
    "am Wochenende": "2026-03-14",
    "am 20. März": "2026-03-20",
    "20.3.": "2026-03-20",
    "am 20.03.2026": "2026-03-20",
    "am 15.": "2026-03-15",
    "bis zum 5.": "2026-04-05",
    "im April": "2026-04-01",
    "morgen um 17 Uhr": "2026-03-12T17:00",
    "morgen um 17:30": "2026-03-12T17:30",
    "morgen um 9": "2026-03-12T09:00",
    "morgen früh": "2026-03-12T09:00",
    "morgen früh um 7": "2026-03-12T07:00",
    "morgen Abend": "2026-03-12T18:00",
    "heute Abend": "2026-03-11T18:00",
    "heute Abend um 8": "2026-03-11T20:00",
    "Freitagabend": "2026-03-13T18:00",
    "Freitag Nachmittag": "2026-03-13T15:00",
    "um halb sechs": "2026-03-11T17:30",
    "um 18 Uhr": "2026-03-11T18:00",
    "um viertel nach fünf": "2026-03-11T17:15",
    "heute Morgen": "2026-03-11T09:00",
    "in einer halben Stunde": "2026-03-11T10:30",
    "am 1. Mai um 10 Uhr": "2026-05-01T10:00",
    "am Dienstag um halb neun": "2026-03-17T08:30",
    "31 February": "",
    "3/4": "",
    "30.2.": "",
    "Guten Morgen": "",
    "someday": "",
    "may": "",
    "on the 31st of February": "",
}
# What remains of a sentence, and the date in it.
SENTENCES = {
    "pay 12.50 Euro to Tom": ("", ""),
    "call 555-12:30": ("", ""),
    "version 1.2. testen": ("", ""),
    "Artikel 3.4. lesen": ("", ""),
    "Jan 5 Euro geben": ("", ""),
    "24h Apotheke suchen": ("", ""),
    "8 h schlafen": ("", ""),
    "look at what came last Friday": ("", ""),
    "jeden Montag schwimmen": ("", ""),
    "book a table for the 31st of February": ("", ""),
    "text them about Sunday": ("", ""),
    "Coiffeur am 19. 16.15 Uhr": ("2026-03-19T16:15", "Coiffeur"),
    "demo Thursday, 19 March, 11:30": ("2026-03-19T11:30", "demo"),
    "Mail um 5 nach 8 schicken": ("2026-03-12T08:05", "Mail schicken"),
    "buy eggs for Easter Sunday": ("2026-04-05", "buy eggs"),
    "call mum tomorrow about the party": ("2026-03-12", "call mum about the party"),
    "look at 5 flats": ("", "look at 5 flats"),
    "add buy milk tomorrow at 5": ("2026-03-12T17:00", "add buy milk"),
    "read “Friday” by Monday": ("2026-03-16", "read “Friday”"),
    "prepare tomorrow's meeting": ("", "prepare tomorrow's meeting"),
    "go for a morning run": ("", "go for a morning run"),
    "morning run tomorrow": ("2026-03-12", "morning run"),
    "pay the rent on the 1st": ("2026-04-01", "pay the rent"),
    "Mama morgen um 5 anrufen": ("2026-03-12T17:00", "Mama anrufen"),
    "Zahnarzt am 20.3. um 14:30 anrufen": ("2026-03-20T14:30", "Zahnarzt anrufen"),
    "submit report by 5pm Friday": ("2026-03-13T17:00", "submit report"),
    "buy 2 milk in the evening": ("2026-03-11T18:00", "buy 2 milk"),
    "sit in the sun": ("", "sit in the sun"),
    "march to the office": ("", "march to the office"),
    "call Bob at 5 about the car tomorrow": ("2026-03-12T17:00", "call Bob about the car"),
    "plan weekend trip": ("", "plan weekend trip"),
    "the 2nd todo": ("", "the 2nd todo"),
    "from friday to monday": ("", "from friday to monday"),
    "Müll am Donnerstagabend rausbringen": ("2026-03-12T18:00", "Müll rausbringen"),
    "meet Anna for lunch on Saturday": ("2026-03-14", "meet Anna for lunch"),
}

AFTERNOON = NOW.replace(hour=14, minute=20)
# By what was wrong with them, at 14:20; empty: none, and it is not to be taken for one in a sentence either.
KINDS = {
    "the hour after midnight": {
        "2026-03-12T00:00": "2026-03-12T00:00",
        "2026-03-12T00:30": "2026-03-12T00:30",
        "tomorrow 00:30": "2026-03-12T00:30",
        "0:30": "2026-03-12T00:30",
        "0.30 Uhr": "2026-03-12T00:30",
        "morgen um 0:15 Uhr": "2026-03-12T00:15",
    },
    "a part of the day and an hour": {
        "tonight at 10": "2026-03-11T22:00",
        "tonight at 11": "2026-03-11T23:00",
        "heute Abend um 10": "2026-03-11T22:00",
        "morgen Abend um 10": "2026-03-12T22:00",
        "tomorrow evening at 10": "2026-03-12T22:00",
        "Friday night at 10": "2026-03-13T22:00",
        "10 in the evening": "2026-03-11T22:00",
        "um 10 abends": "2026-03-11T22:00",
        "heute Abend um 8:15": "2026-03-11T20:15",
        "Freitagabend um 7:30": "2026-03-13T19:30",
        "heute Nachmittag um 3:30": "2026-03-11T15:30",
        "morgen um 11 Uhr mittags": "2026-03-12T11:00",
        "tomorrow at 10": "2026-03-12T10:00",
        "10 in the afternoon": "",
    },
    "am of the morning": {
        "9 am tomorrow": "2026-03-12T09:00",
        "10 am Friday": "2026-03-13T10:00",
        "8:30 am tomorrow": "2026-03-12T08:30",
        "at 9 am today": "2026-03-11T09:00",
        "10 am March 20": "2026-03-20T10:00",
        "um 3 am Montag": "2026-03-16T15:00",
        "um 10 am 20.3.": "2026-03-20T10:00",
    },
    "the small hours": {
        "tonight at 2": "2026-03-12T02:00",
        "tonight at 1am": "2026-03-12T01:00",
        "tonight at 12:30": "2026-03-12T00:30",
        "tonight at 5": "2026-03-11T17:00",
        "heute Nacht um 3": "2026-03-12T03:00",
        "heute Nacht um 2 Uhr": "2026-03-12T02:00",
        "Friday night at 2": "2026-03-14T02:00",
        "Freitag um 3 Uhr nachts": "2026-03-13T03:00",
    },
    "something else": {
        "Freitag, der 20.": "2026-03-20",
        "Freitag, der 21.": "",
        "letzter Freitag im März": "2026-03-27",
        "erster Montag im April": "2026-04-06",
        "2nd Tuesday of May": "2026-05-12",
        "the fifth Friday of April": "",
        "every other Friday": "",
        "jeden 1. März": "",
        "übernächsten Freitag": "",
        "Friday after next": "",
        "3 days before Christmas": "",
        "after Friday": "",
        "after Friday at 5": "",
        "jeden Montag um 5": "",
        "on the second Friday": "",
        "im März 2027": "2027-03-01",
        "nach Freitag": "",
        "the day before yesterday": "",
        "24/7": "",
        "3/16 wrench": "",
        "3/16": "2026-03-16",
        "end of Feb 2028": "2028-02-29",
        "12 Uhr Mitternacht": "2026-03-12T00:00",
        "im März": "2026-03-31",
        "in March": "2026-03-31",
    },
    "usual words": {
        "midnight": "2026-03-12T00:00",
        "Weihnachten": "2026-12-25",
        "last day of the month": "2026-03-31",
        "EOD": "2026-03-11",
        "tomorrow EOD": "2026-03-12",
        "tomorrow 24:00": "2026-03-13T00:00",
        "2026-03-12T24:00": "2026-03-13T00:00",
        "2026-03-12T18:00Z": "2026-03-12T19:00",
        "2026-03-12T18:00:30.5Z": "2026-03-12T19:00",
        "2026-03-12T01:00:00+05:30": "2026-03-11T20:30",
        "in 1.5 hours": "2026-03-11T15:50",
        "in 1,5 Stunden": "2026-03-11T15:50",
        "in 1.5 months": "",
        "in a couple of days": "2026-03-13",
        "in a couple of hours": "2026-03-11T16:20",
        "15th": "2026-03-15",
        "\uff11\uff15th": "2026-03-15",
        "tomorrow at \uff15pm": "2026-03-12T17:00",
        "tomorrow 17": "2026-03-12T17:00",
        "morgen 17": "2026-03-12T17:00",
    },
}


@pytest.mark.parametrize(("phrase", "due"), [pair for kind in KINDS.values() for pair in kind.items()])
def test_what_was_wrong_once(phrase: str, due: str) -> None:
    found = dates.parse(phrase, AFTERNOON)
    assert (str(found) if found else "") == due
    assert due or dates.find(f"call mum {phrase}", AFTERNOON) is None


def test_the_small_hours_of_this_night_are_meant_while_it_lasts() -> None:
    assert str(dates.parse("tonight at 2", NOW.replace(hour=1))) == "2026-03-11T02:00"


@pytest.mark.parametrize("day", ["2026-03-11", "2026-03-12", "2026-03-29", "2026-10-25", "2028-02-29", "2019-12-31"])
def test_what_is_stored_says_itself(day: str) -> None:
    for due in [day, *(f"{day}T{minute // 60:02}:{minute % 60:02}" for minute in range(24 * 60))]:
        if due.startswith("2026-03-29T02"):
            continue  # no clock shows it
        assert str(dates.parse(due, AFTERNOON)) == due


@pytest.mark.parametrize("phrase", PHRASES)
def test_what_a_phrase_says(phrase: str) -> None:
    found = dates.parse(phrase, NOW)
    assert (str(found) if found else "") == PHRASES[phrase]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_what_a_sentence_says_besides(sentence: str) -> None:
    found = dates.find(sentence, NOW)
    due, rest = SENTENCES[sentence]
    assert (str(found.due), found.rest(sentence)) == (due, rest) if found else due == ""


@pytest.mark.parametrize("day", range(1, 32))
def test_a_time_without_a_day_is_the_next_there_is(day: int) -> None:
    now = NOW.replace(day=day, hour=23, minute=59)
    found = dates.parse("at 8", now)
    assert found is not None
    assert 0 < (datetime.combine(found.day, found.at or now.time(), now.tzinfo) - now).total_seconds() < 24 * 3600


def test_the_last_of_a_month_stays_one() -> None:
    end = NOW.replace(month=1, day=31)
    assert str(dates.parse("in a month", end)) == "2026-02-28"
    assert dates.parse("the 31st", NOW.replace(month=2, day=1)) is None
    assert str(dates.parse("29 February", NOW)) == "2028-02-29"


def test_an_hour_is_one_also_in_a_night_in_which_the_clocks_are_changed() -> None:
    assert str(dates.parse("in 1 hour", NOW.replace(day=29, hour=1, minute=30))) == "2026-03-29T03:30"
    before = NOW.replace(month=10, day=25, hour=1, minute=30)
    assert str(dates.parse("in 3 hours", before)) == "2026-10-25T03:30"
    for hours in (1, 2):  # the clocks show 2:30 twice
        due = dates.parse(f"in {hours} hours", before)
        assert due is not None
        assert str(due) == "2026-10-25T02:30"
        assert due_instant(due.day, due.at, "Europe/Berlin") - before.astimezone(UTC) == timedelta(hours=hours)


@pytest.mark.parametrize("phrase", ["tomorrow at 2:30am", "morgen um 2:30 Uhr", "2026-03-29T02:30"])
def test_a_time_that_the_clocks_leave_out_is_what_they_show_then(phrase: str) -> None:
    assert str(dates.parse(phrase, AFTERNOON.replace(day=28))) == "2026-03-29T03:30"
