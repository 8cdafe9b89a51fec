"""Times on the command line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click


class Time(click.ParamType[datetime]):
    """A moment: 14 digits or fewer, ISO 8601, or "2 days ago"."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read a time; fails with a usage error that says how to write one."""
        from archive.times import parse_time

        if isinstance(value, datetime):
            return value
        try:
            return parse_time(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
