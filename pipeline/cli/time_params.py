"""Times on the command line."""

from __future__ import annotations

import calendar
import re
from datetime import datetime, timedelta
from typing import Any

import click

_SPAN = re.compile(r"(\d{4})(?:-?(\d\d)(?:-?(\d\d)(\d\d)?(\d\d)?)?)?", re.ASCII)
_LAST = "00001231235959"  # what the end of a span leaves out


class Time(click.ParamType[datetime]):
    """A moment: 14 digits or fewer, ISO 8601, or "2 days ago"; with `last`, a day, month or year is its last second."""

    name = "time"

    def __init__(self, *, last: bool = False) -> None:
        self._last = last

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read a time; fails with a usage error that says how to write one."""
        from archive.times import parse_time
        from pipeline.cli.output import plain

        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        try:
            moment = parse_time(text)
            return _end_of(text, moment) if self._last else moment
        except (ValueError, OverflowError) as error:
            self.fail(plain(str(error), 200), param, ctx)


class Span(click.ParamType[timedelta]):
    """A span of time: 30m, 6h, 7d, 2w."""

    name = "span"

    def __init__(self, *, least: timedelta = timedelta(seconds=1)) -> None:
        self._least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read a span; fails with a usage error that says how to write one."""
        from pipeline.watch.watch_list import span

        if isinstance(value, timedelta):
            return value
        try:
            return span(str(value), self._least)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _end_of(text: str, moment: datetime) -> datetime:
    """Return the last second of the span that shortened digits or a day name; any other time is itself."""
    from archive.times import from_stamp

    match = _SPAN.fullmatch(text)
    if match is None:
        return moment
    digits = "".join(part for part in match.groups() if part)
    if len(digits) == 6:
        digits += f"{calendar.monthrange(moment.year, moment.month)[1]:02d}"
    return from_stamp(digits + _LAST[len(digits) :])
