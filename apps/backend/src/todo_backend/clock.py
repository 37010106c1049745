"""What time it is for somebody."""

from datetime import UTC, date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo, available_timezones


@cache
def _names() -> set[str]:
    return available_timezones() - {"Factory", "localtime"}  # what they mean is a matter of the machine


def known_time_zone(name: str) -> str | None:
    """Return the name of a time zone; none where there is none of that name."""
    return name if name in _names() else None


def time_zone(name: str) -> str:
    """Return the name of a time zone. Raises ValueError where there is none of that name."""
    if name not in _names():
        raise ValueError("is no time zone; give one such as Europe/Berlin")
    return name


def now_in(name: str) -> datetime:
    """Return the time there, or in UTC where this version knows no such time zone."""
    return datetime.now(_zone(name))


def due_instant(day: date, at: time | None, name: str) -> datetime:
    """Return the moment that a day and a time on the clocks of that zone are, in UTC; without a time the day's end."""
    return datetime.combine(day, time.max if at is None else at, _zone(name)).astimezone(UTC)


def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name if name in _names() else "UTC")
