"""Times as users write them and as the formats want them; every datetime in the program is aware and UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_AGO = re.compile(r"(\d+)\s*(second|minute|hour|day|week|month|year)s?(?:\s+ago)?\Z", re.ASCII)
_DAY = 86_400
_AGO_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": _DAY, "week": 7 * _DAY}
_AGO_SECONDS |= {"month": 2_629_746, "year": 31_556_952}  # of the mean Gregorian year
_DIGITS = re.compile(r"\d{4}(\d{2}){0,5}\Z", re.ASCII)
_FIRST = "00000101000000"  # what a shortened timestamp leaves out


_ahead = timedelta()
_wrong = False


def now() -> datetime:
    """Return the present moment, UTC."""
    return datetime.now(UTC) + _ahead


def rehearse(ahead: timedelta, *, wrong: bool = False) -> None:
    """Put this process's clock ahead: a month of captures can be rehearsed in minutes. Nothing but tests does so.

    With `wrong` it is the clock of this machine alone that is so, and that of a store is right.
    """
    global _ahead, _wrong
    _ahead, _wrong = ahead, wrong


def is_rehearsed() -> bool:
    """Whether the time is a rehearsed one, of which no store's clock knows."""
    return _ahead != timedelta() and not _wrong


@lru_cache(maxsize=256)  # captures of a second share it
def stamp(moment: datetime) -> str:
    """Return the 14 digits of CDX lines and Memento URLs, to the second."""
    moment = moment.astimezone(UTC)
    return f"{moment.year:04}{moment:%m%d%H%M%S}"  # %Y has fewer digits in the first thousand years


def from_stamp(digits: str) -> datetime:
    """Return the moment that 4 to 14 digits name, their missing part being the earliest; raises ValueError."""
    if not _DIGITS.match(digits):
        raise ValueError(f"not a timestamp: {digits!r}")
    whole = digits + _FIRST[len(digits) :]
    month, day, hour, minute, second = (int(whole[at : at + 2]) for at in range(4, 14, 2))
    return datetime(int(whole[:4]), month, day, hour, minute, second, tzinfo=UTC)


@lru_cache(maxsize=256)  # records of a second share it
def iso(moment: datetime) -> str:
    """ISO 8601, UTC, to the second: how times are printed, and WARC-Date (WARC 1.1 §5.4)."""
    moment = moment.astimezone(UTC)
    return f"{moment.year:04}-{moment:%m-%dT%H:%M:%SZ}"


def from_iso(text: str) -> datetime:
    """Return the moment that an ISO 8601 text names, UTC where it says no zone; raises ValueError."""
    moment = datetime.fromisoformat(text)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"a moment that no calendar of UTC has: {text!r}") from error


def parse_time(text: str, *, present: datetime | None = None) -> datetime:
    """Return the moment a user means by digits, ISO 8601, "now", "yesterday" or "2 days ago"; raises ValueError."""
    text = text.strip().lower()
    present = present or now()
    words = {"now": 0, "today": 0, "yesterday": 86400}
    if text in words:
        return present - timedelta(seconds=words[text])
    if _DIGITS.match(text):
        return from_stamp(text)
    if match := _AGO.match(text):
        try:
            return present - timedelta(seconds=int(match[1]) * _AGO_SECONDS[match[2]])
        except OverflowError as error:
            raise ValueError(f"too long ago: {text!r}") from error
    try:
        return from_iso(text.upper())
    except ValueError as error:
        raise ValueError(
            f"not a time: {text!r}; write 14 digits (20261123172500), ISO 8601 (2026-11-23T17:25:00Z) or '2 days ago'"
        ) from error
