"""When a watch's changes are believed, and when its alerts rest; and the time zone of its clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from archive.states import Confirmation

KEYS = {"confirm", "confirmations", "quiet", "zone"}
CONFIRM = timedelta(minutes=10)
_EARLY = 0.8  # share of the time between two looks that is enough: schedulers are not exact
_MOST_LOOKS = 3
LONGEST_WAIT = timedelta(days=1)  # of an alert in quiet hours: a schedule may run in them alone
_QUIET = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A span of each day, from `start` up to `end`, which may be on the next day."""

    start: time
    end: time

    def holds(self, local: time) -> bool:
        """Return whether a time of day lies in the span."""
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end


@dataclass(frozen=True, slots=True)
class AlertTimes:
    """`confirm` is the time to the next look at something new, `confirmations` how many captures must show it.

    `zone` is that of the quiet hours, and of the watch's `cron`.
    """

    confirm: timedelta = CONFIRM
    confirmations: int = 2
    quiet: tuple[QuietHours, ...] = ()
    zone: str = "UTC"

    @property
    def confirmation(self) -> Confirmation:
        """What it takes to believe something new."""
        return Confirmation(self.confirmations, self.confirm * _EARLY)

    def is_quiet(self, moment: datetime) -> bool:
        """Return whether a moment lies in quiet hours."""
        local = moment.astimezone(zone_of(self.zone)).time()
        return any(each.holds(local) for each in self.quiet)

    def quiet_until(self, moment: datetime) -> datetime | None:
        """Return when the quiet hours end that a moment lies in, to the minute; None where it lies in none."""
        if not self.is_quiet(moment):
            return None
        end = moment.replace(second=0, microsecond=0)
        while self.is_quiet(end) and end - moment < LONGEST_WAIT:
            end += timedelta(minutes=1)
        return end

    def waits(self, seen: datetime, present: datetime) -> bool:
        """Return whether an alert of something that was first seen then waits for the end of quiet hours."""
        return self.is_quiet(present) and present - seen < LONGEST_WAIT


def alert_times_of(table: Mapping[str, Any], span: Callable[[str], timedelta]) -> AlertTimes:
    """Return the times in a watch's table; `span` reads a span of time. Raises ValueError, with what to write."""
    confirm, looks = table.get("confirm"), table.get("confirmations", 2)
    if confirm is not None and not isinstance(confirm, str):
        raise ValueError('`confirm` is a span of time: confirm = "1m"')
    if isinstance(looks, bool) or not isinstance(looks, int) or not 1 <= looks <= _MOST_LOOKS:
        raise ValueError(f"`confirmations` is a number of captures from 1 to {_MOST_LOOKS}")
    zone = table.get("zone", "UTC")
    _check_zone(zone)
    quiet = table.get("quiet", [])
    spans = [quiet] if isinstance(quiet, str) else quiet
    if not isinstance(spans, list):
        raise ValueError(  # noqa: TRY004 - one error for whatever is wrong
            '`quiet` is a span of each day, or a list of them: quiet = "22:00-06:30"'
        )
    if "zone" in table and not spans and "cron" not in table:
        raise ValueError("`zone` is the time zone of `cron` and `quiet`; write one of them as well, or leave it out")
    return AlertTimes(span(confirm) if confirm else CONFIRM, looks, tuple(map(_quiet, spans)), zone)


def zone_of(name: str) -> ZoneInfo | Any:
    """Return a time zone by its name; raises ValueError for an unknown one."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        said = f"{name!r} is no time zone here; write a name as Europe/Berlin, or install the package tzdata"
        raise ValueError(said) from error


def _check_zone(name: object) -> None:
    if not isinstance(name, str) or not name:
        raise ValueError('`zone` is the name of a time zone: zone = "Europe/Berlin"')
    zone_of(name)


def _quiet(text: object) -> QuietHours:
    match = _QUIET.match(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f'`quiet`: {text!r} is no span of a day; write two times of day: "22:00-06:30"')
    start, end = time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))
    if start == end:
        raise ValueError(f"`quiet`: {text!r} ends when it begins; to send no alerts, pause the watch")
    return QuietHours(start, end)
