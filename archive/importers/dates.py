"""Dates as records of other programs have them: whole, shortened, or as 12 or 14 digits."""

from __future__ import annotations

import re
from datetime import datetime

from archive.times import from_iso, from_stamp

_DIGITS = re.compile(r"\d{4}(?:\d{2}){0,5}\Z", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})\Z", re.ASCII)


def moment_of(text: str | None) -> datetime | None:
    """Return the first moment, UTC, of the second, day, month or year that a date names (WARC 1.1 §5.4), else None."""
    text = (text or "").strip()
    if found := _MONTH.match(text):
        text = found[1] + found[2]
    try:
        return from_stamp(text) if _DIGITS.match(text) else from_iso(text).replace(microsecond=0)
    except ValueError:
        return None
