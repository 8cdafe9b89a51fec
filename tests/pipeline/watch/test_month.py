"""A month of a changing site, rehearsed in minutes: everything told once, at its time, and no post missed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.pipeline.watch.conftest import Machine, article, feed, gone
from tests.site import Handler, Site, Talk, answer
from tests.torture.scale import count

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
UNIT = count("HOURS", 12, 24) * HOUR  # what is a day of the month below
# Days of a feed, and posts a day; the long form takes half an hour.
DAYS = count("DAYS", 1, 30)
POSTS = count("POSTS", 24, 200)


@pytest.mark.full
@pytest.mark.torture
def test_every_edit_disappearance_and_return_is_told_once(machine: Machine, site: Site) -> None:
    for name in "abcdefg":
        site.answers[f"/{name}"] = article(f"Page {name}", "As it was in the beginning.")
    machine.watches = "".join(f'[[watch]]\npage = "{site.url(f"/{name}")}"\nevery = "6h"\n' for name in "abcdefg")
    wall = answer(
        b"<html><head><title>Before you continue</title></head><body><p>Accept all cookies.</p></body></html>"
    )
    splash = article("Welcome", "").replace(b"the matter is not closed", b"you may win a prize")
    original = dict(site.answers)
    story = {
        2 * UNIT: {"/a": article("Page a", "As it was edited in silence.")},
        5 * UNIT: {"/b": gone()},
        9 * UNIT: {"/b": original["/b"], "/c": gone("404 Not Found")},
        12 * UNIT: {"/d": wall},
        14 * UNIT: {"/d": original["/d"]},
        20 * UNIT: {"/a": gone(), "/e": answer(b"down", status="502 Bad Gateway")},
        22 * UNIT: {"/e": original["/e"]},
        25 * UNIT: {"/a": article("Page a", "As it came back, with other words than before.")},
    }
    flaps = {7 * UNIT: {"/f": once(gone(), original["/f"])}, 3 * UNIT: {"/g": once(splash, original["/g"])}}
    happenings = sorted({*story, *flaps})
    at = timedelta(0)
    invocations = 0
    while at < 30 * UNIT:
        for when in happenings:
            if when <= at:
                site.answers |= story.get(when, {}) | flaps.get(when, {})
        happenings = [when for when in happenings if when > at]
        machine.at(at)
        machine.run()
        invocations += 1
        at += 15 * MINUTE if _pending(machine) else 3 * HOUR
    url = site.url
    assert sorted(machine.told()) == sorted(
        [
            ("changed", url("/a")), ("gone", url("/a")), ("back", url("/a")),
            ("gone", url("/b")), ("back", url("/b")),
            ("gone", url("/c")),
            ("blocked", url("/d")), ("back", url("/d")),
            ("unreachable", url("/e")), ("back", url("/e")),
        ]
    )  # fmt: skip
    times = {when + machine.start: paths for when, paths in story.items()}
    for told_at, event in machine.events:
        happened = max(
            when for when, paths in times.items() if event.url.removeprefix(url("")) in paths and when <= event.at
        )
        assert event.at - happened <= 9 * HOUR  # it is looked at every six hours, by a scheduler of three
        assert told_at - event.at <= HOUR
    edit = next(event for _, event in machine.events if event.kind == "changed")
    assert edit.diff is not None
    assert "[-the beginning-]{+silence+}" in edit.diff
    assert len(edit.records) == 2
    print(f"{invocations} invocations, {len(site.requests)} requests for 7 pages in {at}")


def once(first: bytes, then: bytes) -> Handler:
    """One answer to the first request, and another one to all that follow."""
    answers = iter([first])

    async def handle(talk: Talk) -> None:
        await talk.send(next(answers, then))

    return handle


def _pending(machine: Machine) -> bool:
    with machine.ledger.opened() as database:
        return bool(database.execute("SELECT count(*) FROM pages WHERE pending > 0").fetchone()[0])


@pytest.mark.full
@pytest.mark.torture
def test_a_feed_polled_by_decay_misses_no_post(machine: Machine, site: Site) -> None:
    machine.watches = f'[[watch]]\nfeed = "{site.url("/feed")}"\nevery = "30m"\n'
    window = max(POSTS // 8, 6)
    apart = DAY / POSTS
    published = 0
    at = timedelta(0)
    while at < DAYS * DAY:
        while published * apart <= at:
            site.answers[f"/post/{published}"] = article(f"Post {published}", f"This is number {published}.")
            published += 1
        newest = range(published - 1, max(published - 1 - window, -1), -1)
        site.answers["/feed"] = feed(site, *(f"/post/{number}" for number in newest))
        machine.at(at)
        ran = machine.run()
        assert not ran.unreached
        at += 15 * MINUTE
        if at % DAY == timedelta(0):
            print(f"day {at // DAY}: {published} posts, {len(site.requests)} requests")
    archive = machine.archive
    kept = {number: len(list(archive.snapshots(site.url(f"/post/{number}")))) for number in range(published)}
    polled = [
        count for number, count in kept.items() if DAYS * DAY - number * apart > HOUR
    ]  # later ones wait for the next poll
    assert min(polled) >= 1, "a post was missed"
    old = [count for number, count in kept.items() if DAYS * DAY - number * apart > 4 * HOUR]
    assert min(old) >= 4, "15 minutes, one hour and three hours after it was found"
    assert max(kept.values()) <= 6
    assert machine.told() == []
    polls = site.paths.count("/feed")
    print(f"{published} posts in {DAYS} days: {len(site.requests)} requests, {polls} of them polls, 0 posts missed")


def test_a_feed_that_moves_faster_than_it_is_polled_is_told(machine: Machine, site: Site) -> None:
    machine.watches = f'[[watch]]\nfeed = "{site.url("/feed")}"\nevery = "6h"\ndecay = false\n'
    for poll in range(4):
        paths = [f"/{poll}/{number}" for number in range(10)]
        site.answers |= {path: article(path, f"Post {path}.") for path in paths} | {"/feed": feed(site, *paths)}
        machine.at(poll * 6 * HOUR)
        machine.run()
    assert machine.told() == [("feed-too-fast", site.url("/feed"))]
    assert 'every = "1' in machine.events[0][1].summary  # 170 to 180 minutes
