"""Times as users write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from archive.times import from_iso, from_stamp, iso, parse_time, stamp

NOW = datetime(2026, 11, 23, 17, 25, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("20261123172500", "2026-11-23T17:25:00Z"),
        ("20261123", "2026-11-23T00:00:00Z"),
        ("2026", "2026-01-01T00:00:00Z"),
        ("2026-11-23T17:25:00Z", "2026-11-23T17:25:00Z"),
        ("2026-11-23T18:25:00+01:00", "2026-11-23T17:25:00Z"),
        ("2026-11-23 17:25", "2026-11-23T17:25:00Z"),
        ("2026-11-23", "2026-11-23T00:00:00Z"),
        ("now", "2026-11-23T17:25:00Z"),
        ("yesterday", "2026-11-22T17:25:00Z"),
        ("2 days ago", "2026-11-21T17:25:00Z"),
        ("1 week", "2026-11-16T17:25:00Z"),
        ("90 minutes ago", "2026-11-23T15:55:00Z"),
    ],
)
def test_what_users_mean(written: str, meant: str) -> None:
    assert iso(parse_time(written, present=NOW)) == meant


@pytest.mark.parametrize(
    "written", ["", "tomorrowish", "20261", "20261345", "2026-13-01", "99999999999 years ago", "١٢٣٤"]
)
def test_what_is_no_time_says_how_to_write_one(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(written, present=NOW)


def test_stamps_go_both_ways() -> None:
    assert from_stamp(stamp(NOW)) == NOW


def test_years_have_four_digits_in_every_century() -> None:
    early = datetime(226, 11, 23, 17, 25, 0, tzinfo=UTC)
    assert (stamp(early), iso(early)) == ("02261123172500", "0226-11-23T17:25:00Z")
    assert from_stamp(stamp(early)) == early


@pytest.mark.parametrize("written", ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"])
def test_a_moment_beyond_the_calendar_is_no_time(written: str) -> None:
    with pytest.raises(ValueError, match="no calendar of UTC"):
        from_iso(written)
