"""Dates as other programs' records have them: whole, shortened, as digits, as in HTTP, or with the day of the year."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from archive.times import from_iso, from_stamp

_DIGITS = re.compile(r"(?:\d{4}(?:\d{2}){0,5}|(?:19|20)\d{2,15})\Z", re.ASCII)
_STAMP = 14  # digits, of which those beyond are parts of a second
_MONTH = re.compile(r"(\d{4})-(\d{2})\Z", re.ASCII)
_DAY_OF_YEAR = re.compile(r"(\d{4})-(\d{2})-(\d{3})(?=T)", re.ASCII)  # after the month, as in ClueWeb09


def moment_of(text: str | None) -> datetime | None:
    """Return the first moment, UTC, of the second, day, month or year that a date names (WARC 1.1 §5.4), else None."""
    text = (text or "").strip()
    if found := _MONTH.match(text):
        text = found[1] + found[2]
    try:
        if found := _DAY_OF_YEAR.match(text):
            day = datetime.strptime(f"{found[1]} {found[3]}", "%Y %j").date()
            if day.month == int(found[2]):
                text = day.isoformat() + text[found.end() :]
        if _DIGITS.match(text):
            return from_stamp(text[: min(len(text) // 2 * 2, _STAMP)])  # half a field says nothing
        if text[:1].isalpha():
            return parsedate_to_datetime(text).astimezone(UTC)
        return from_iso(text).replace(microsecond=0)
    except ValueError:
        return None
