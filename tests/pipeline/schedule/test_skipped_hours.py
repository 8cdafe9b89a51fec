"""Times of systemd that clocks skip when daylight saving begins."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date

import pytest

from pipeline.schedule.skipped_hours import skipped

TODAY = date(2026, 11, 28)


@pytest.fixture(autouse=True)
def _in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("calendar", "named"),
    [
        ("02:30", "02:30 is a time that clocks skip on 2027-03-28"),
        ("2/6:17", "02:17 is"),
        ("Sun 02:00", "02:00 is"),
        ("Sat..Mon *-03-* 02:10:00", "02:10 is"),
        ("1..3:*", "02:00 is"),
        ("00:00 America/Santiago", "00:00 is a time that clocks skip on 2027-09-05"),
        ("02:30 America/New_York", "02:30 is a time that clocks skip on 2027-03-14"),
        ("01:59", None),
        ("03:00", None),
        ("*:15", None),
        ("*:0/15", None),
        ("Mon..Fri 02:30", None),
        ("*-*-01 02:30", None),
        ("02:30 UTC", None),
        ("daily", None),
        ("what it is", None),
    ],
)
def test_what_is_skipped_is_named(calendar: str, named: str | None) -> None:
    found = skipped(calendar, TODAY)
    assert found is None if named is None else found is not None and found.startswith(named)
