"""Times of a systemd calendar that a clock skips when daylight saving begins: nothing is started at them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WORDS = {
    "daily": "00:00", "weekly": "Mon 00:00", "monthly": "*-*-01 00:00", "quarterly": "*-01,04,07,10-01 00:00",
    "semiannually": "*-01,07-01 00:00", "yearly": "*-01-01 00:00", "annually": "*-01-01 00:00",
}  # fmt: skip
_TIME = re.compile(r"(?P<hours>[\d*,./]+):(?P<minutes>[\d*,./]+)(?::[\d*,./]+)?\Z")
_DATE = re.compile(r"(?:[\d*,./]+-)?(?P<months>[\d*,./]+)-(?P<days>[\d*,./]+)\Z")
_YEAR = 366  # days


def skipped(calendar: str, today: date) -> str | None:
    """Return the first time within a year that a calendar names and no clock shows, in words, or None.

    A calendar of all hours is passed over: the next of its times is near. So is one that this does not understand.
    """
    words = _WORDS.get(calendar.strip().lower(), calendar).split()
    zone = ZoneInfo(words.pop()) if words and words[-1] in available_timezones() else None
    clock = _TIME.match(words.pop()) if words and _TIME.match(words[-1]) else None
    if clock is None or clock["hours"] == "*":
        return None
    hours, minutes = _numbers(clock["hours"], 0, 23), _numbers(clock["minutes"], 0, 59)
    is_meant = _days(words)
    if is_meant is None:
        return None
    shown = _local if zone is None else lambda moment: _in_zone(moment, zone)
    for day in (today + timedelta(days=number) for number in range(_YEAR)):
        if is_meant(day) and _changes(day, shown):
            for moment in (datetime(day.year, day.month, day.day, hour, at) for hour in hours for at in minutes):
                if shown(moment) != moment:
                    return f"{moment:%H:%M} is a time that clocks skip on {day}, when daylight saving begins"
    return None


def _changes(day: date, shown: Callable[[datetime], datetime]) -> bool:
    """Whether a time of a day is skipped, looked at by the half hour."""
    begin = datetime(day.year, day.month, day.day)
    return any(shown(moment) != moment for moment in (begin + timedelta(minutes=30 * step) for step in range(48)))


def _local(moment: datetime) -> datetime:
    """Return what this machine's clock shows at a time of its own: the same, unless it skips that."""
    shown = time.localtime(time.mktime((*moment.timetuple()[:8], -1)))
    return datetime(*shown[:5])


def _in_zone(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None)


def _days(words: list[str]) -> Callable[[date], bool] | None:
    """Which days a calendar's words before the time name; None for words that are not understood."""
    weekdays, months, days = set(range(7)), set(range(1, 13)), set(range(1, 32))
    for word in words:
        if found := _DATE.match(word):
            months, days = set(_numbers(found["months"], 1, 12)), set(_numbers(found["days"], 1, 31))
        elif named := _weekdays(word):
            weekdays = named
        else:
            return None
    return lambda day: day.weekday() in weekdays and day.month in months and day.day in days


def _weekdays(word: str) -> set[int]:
    found: set[int] = set()
    for part in word.lower().split(","):
        ends = [_WEEKDAYS.index(each[:3]) if each[:3] in _WEEKDAYS else -1 for each in re.split(r"\.\.|-", part)]
        if -1 in ends or not ends:
            return set()
        found |= {(ends[0] + step) % 7 for step in range((ends[-1] - ends[0]) % 7 + 1)}
    return found


def _numbers(written: str, least: int, most: int) -> list[int]:
    """Return the numbers that a field names: 1, 1,5, 1..5, 1/6, *, */6 (systemd.time)."""
    found: set[int] = set()
    for part in written.split(","):
        span, slash, step = part.partition("/")
        first, dots, last = span.partition("..")
        begin = least if first == "*" or not first.isdigit() else int(first)
        end = int(last) if dots and last.isdigit() else most if slash or first == "*" else begin
        found |= set(range(begin, min(end, most) + 1, int(step) if step.isdigit() and int(step) else 1))
    return sorted(found)
