"""How soon a watch's changes are believed, when its alerts rest, and by which clock its `cron` goes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.watch.due import _by_cron
from pipeline.watch.watch_list import WatchError, load, parsed, watch_of
from tests.command import Command
from tests.pipeline.watch.conftest import Machine, article, gone
from tests.site import Site

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
URL = "https://a.example/"


def _watched(machine: Machine, site: Site, rules: str) -> None:
    machine.watches = f'[[watch]]\npage = "{site.url("/post")}"\nevery = "6h"\n{rules}\n'
    site.answers["/post"] = article("A post", "It was there.")
    machine.at(timedelta(0))
    machine.run()


@pytest.mark.parametrize(
    ("rules", "minutes"), [('confirm = "1m"', 1), ("", 10), ("confirmations = 1", 0), ('confirm = "1h"', 60)]
)
def test_a_change_is_confirmed_as_soon_as_its_watch_says(
    machine: Machine, site: Site, rules: str, minutes: int
) -> None:
    _watched(machine, site, rules)
    site.answers["/post"] = gone()
    for minute in (0, 1, 2, 5, 9, 10, 11, 45, 60):
        machine.at(6 * HOUR + minute * MINUTE)
        machine.run()
    ((at, event),) = machine.events
    assert event.kind == "gone"
    assert at - machine.start == pytest.approx(6 * HOUR + minutes * MINUTE, abs=MINUTE / 2)
    assert ("confirmed" in event.summary) == (minutes > 0)


def test_three_captures_must_agree_where_a_watch_says_three(machine: Machine, site: Site) -> None:
    _watched(machine, site, 'confirmations = 3\nconfirm = "5m"')
    original = site.answers["/post"]
    edited = article("A post", "It was edited.")
    shown = [edited, edited, original, edited, edited, edited, edited]
    for number, each in enumerate(shown):
        site.answers["/post"] = each
        machine.at(6 * HOUR * (number // 3 + 1) + 5 * MINUTE * (number % 3))
        machine.run()
        assert len(machine.events) == (number >= 5), number


def test_alerts_wait_for_the_end_of_quiet_hours_and_come_once(machine: Machine, site: Site) -> None:
    _watched(machine, site, 'quiet = "22:00-07:30"\nzone = "Europe/Berlin"')  # UTC+1 in December
    site.answers["/post"] = gone()
    for at in (21.5, 21.75, 24, 29, 30.25, 30.5, 31, 40):
        machine.at(at * HOUR)
        machine.run()
    ((at, event),) = machine.events
    assert at - machine.start == pytest.approx(30.5 * HOUR, abs=MINUTE)
    assert event.kind == "gone"


def test_a_schedule_that_runs_in_quiet_hours_alone_sends_a_day_later(machine: Machine, site: Site) -> None:
    _watched(machine, site, 'quiet = "22:00-07:30"')
    site.answers["/post"] = gone()
    for day in range(1, 4):
        for minute in (0, 15):
            machine.at(day * 24 * HOUR + minute * MINUTE)
            machine.run()
    ((at, _),) = machine.events
    assert timedelta(days=2) <= at - machine.start < timedelta(days=2, hours=1)


def test_quiet_hours_by_the_clock_of_their_zone() -> None:
    times = watch_of({"page": URL, "quiet": ["22:00-06:30", "12:00-13:00"], "zone": "Europe/Berlin"}).alert_times
    summer, winter = datetime(2026, 7, 1, 4, 29, tzinfo=UTC), datetime(2026, 12, 1, 5, 29, tzinfo=UTC)
    assert times.quiet_until(summer) == summer + MINUTE
    assert times.quiet_until(winter) == winter + MINUTE
    assert times.quiet_until(summer + MINUTE) is None
    assert times.is_quiet(datetime(2026, 7, 1, 10, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("last", "due"),
    [
        ("2026-07-01T00:00", "2026-07-01T04:20"),  # UTC+2
        ("2026-12-01T00:00", "2026-12-01T05:20"),
        ("2026-03-28T12:00", "2026-03-29T04:20"),  # the clocks go forward in the night
        ("2026-10-24T12:00", "2026-10-25T05:20"),
    ],
)
def test_cron_goes_by_the_zone(last: str, due: str) -> None:
    found = _by_cron("20 6 * * *", datetime.fromisoformat(last).replace(tzinfo=UTC), "Europe/Berlin")
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("confirm = 1", '`confirm` is a span of time: confirm = "1m"'),
        ('confirm = "5s"', "a span is 1m at least"),
        ("confirmations = 4", "`confirmations` is a number of captures from 1 to 3"),
        ("confirmations = true", "`confirmations` is a number of captures"),
        ("quiet = 22", "`quiet` is a span of each day"),
        ('quiet = "night"', "'night' is no span of a day; write two times of day"),
        ('quiet = "25:00-06:00"', "is no span of a day"),
        ('quiet = "06:00-06:00"', "ends when it begins"),
        ('zone = "Berlin"\nquiet = "1:00-2:00"', "'Berlin' is no time zone here; write a name as Europe/Berlin"),
        ('zone = "../../etc/passwd"\nquiet = "1:00-2:00"', "is no time zone here"),
        ('zone = 1\nquiet = "1:00-2:00"', "`zone` is the name of a time zone"),
        ('zone = "Europe/Berlin"', "write one of them as well, or leave it out"),
    ],
)
def test_a_time_that_cannot_be_is_told_in_one_line(rules: str, said: str) -> None:
    with pytest.raises(WatchError) as told:
        parsed(f'[[watch]]\npage = "{URL}"\n{rules}\n', "here")
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_rules_can_be_given_when_a_page_is_added(tmp_path: Path) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path / "home")
    path = tmp_path / "watches.toml"
    add = ("watch", "add", "--watches", str(path), URL)
    rules = ("ignore.css=aside", "ignore.css=.advert > p", "keywords=recall", "confirm=1m", "confirmations=1",
             "zone=Europe/Berlin", 'quiet=["00:00-12:00", "12:00-23:59"]')  # fmt: skip
    done = onrecord(*add, *(part for rule in rules for part in ("--rule", rule)))
    assert done.code == 0, done.err
    (watch,) = load(path)
    assert watch.text_rules.ignore.css == ("aside", ".advert > p")
    assert watch.text_rules.keywords == ("recall",)
    assert (watch.alert_times.confirm, watch.alert_times.confirmations) == (MINUTE, 1)
    for wrong in ("colour=red", "confirm", "confirm=soon", "ignore.css=a:(b", "ignore.kinds=weather"):
        done = onrecord("watch", "add", "--watches", str(path), "https://b.example/", "--rule", wrong)
        assert (done.code, done.err.count("\n")) == (2, 1), done.err
    (entry,) = map(json.loads, onrecord("--json", "watch", "list", "--watches", str(path)).out.splitlines())
    assert entry["quiet_until"] is not None or datetime.now().strftime("%H:%M") == "23:59"
