"""What runs say of pages, taken in whatever order, by whichever clock, and however the ledger's file fares."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from archive import times
from archive.digests import text_digest
from archive.formats.outcomes_jsonl import at_capture
from archive.model import Outcome
from archive.runs.warc_files import RunSettings
from pipeline.extract.extractor_pool import ExtractorPool
from pipeline.extract.extractor_version import extractor_version
from pipeline.ingest.reextract import AgainOptions, extract_again
from pipeline.watch.history import Ledger, LedgerUnusable
from tests.exchanges import a_document, an_exchange
from tests.pipeline.watch.conftest import Machine, article, feed, gone
from tests.site import Site, Talk, answer, redirect

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def page_watch(site: Site, *paths: str, every: str = "1h") -> str:
    return "".join(f'[[watch]]\npage = "{site.url(path)}"\nevery = "{every}"\n' for path in paths)


def run_at(machine: Machine, *moments: timedelta) -> None:
    for moment in moments:
        machine.at(moment)
        machine.run()


# Clocks


def test_a_clock_that_was_ahead_and_is_put_right_stops_nothing(
    machine: Machine, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    machine.watches = page_watch(site, "/post")
    site.answers["/post"] = article("A post", "It is there.")
    run_at(machine, 400 * DAY, 0 * DAY, 2 * HOUR)
    assert len(site.requests) == 3, "captured when it is due by the clock that is right"
    assert "was made while the clock was ahead" in caplog.text
    assert "1 runs" in caplog.text
    machine.at(2 * HOUR + 5 * MINUTE)
    machine.run()
    assert len(site.requests) == 3
    site.answers["/post"] = gone()
    run_at(machine, 4 * HOUR, 4 * HOUR + 11 * MINUTE, 6 * HOUR)
    assert machine.told() == [("gone", site.url("/post"))]


def test_a_clock_that_goes_back_an_hour_is_no_news(machine: Machine, site: Site) -> None:
    machine.watches = page_watch(site, "/post", every="10m")
    site.answers["/post"] = article("A post", "It is there.")
    run_at(machine, 2 * HOUR, 1 * HOUR + 5 * MINUTE)
    site.answers["/post"] = gone()
    run_at(machine, 2 * HOUR + 11 * MINUTE, 2 * HOUR + 22 * MINUTE, 2 * HOUR + 33 * MINUTE)
    assert machine.told() == [("gone", site.url("/post"))]


# Runs that come late


def test_what_a_late_run_adds_to_the_past_is_not_told_again(machine: Machine, site: Site, tmp_path: Path) -> None:
    """Another machine's spool is published days later: a page had gone and come back before it went."""
    machine.watches = page_watch(site, "/post")
    late = Machine(tmp_path / "two", machine.store, machine.watches, machine.pool)
    there, not_there = article("A post", "It is there."), gone()
    site.answers["/post"] = there
    run_at(machine, 0 * HOUR)
    site.answers["/post"] = not_there
    run_at(machine, 10 * HOUR, 10 * HOUR + 11 * MINUTE)
    assert machine.told() == [("gone", site.url("/post"))]
    for moment, shown in ((2 * HOUR, not_there), (3 * HOUR, not_there), (5 * HOUR, there), (6 * HOUR, there)):
        site.answers["/post"] = shown
        late.at(moment)
        late.archive.prepare()
        late.ledger.path.unlink(missing_ok=True)
        late.run()
    site.answers["/post"] = not_there
    run_at(machine, 12 * HOUR)
    run_at(late, 12 * HOUR + MINUTE)
    with machine.ledger.opened() as database:
        _, transitions = machine.ledger.history(database, site.url("/post"))
    assert [each.change for each in transitions] == ["gone", "back", "gone"]
    assert machine.told() == [("gone", site.url("/post"))]
    assert late.told() == [("back", site.url("/post"))]


def test_a_splash_page_that_comes_late_is_still_no_edit(machine: Machine, site: Site, tmp_path: Path) -> None:
    machine.watches = page_watch(site, "/post")
    late = Machine(tmp_path / "two", machine.store, machine.watches, machine.pool)
    there = article("A post", "It is there.")
    words = " ".join(f"prize{number}" for number in range(12))
    splash = answer(f"<html><body><article><h1>Win</h1><p>{words}, today only.</p></article></body></html>".encode())
    site.answers["/post"] = there
    run_at(machine, 0 * HOUR, 5 * HOUR)
    site.answers["/post"] = splash
    late.ledger.path.parent.mkdir(parents=True)
    run_at(late, 2 * HOUR)
    machine.at(5 * HOUR + MINUTE)
    machine.ledger.sync(machine.archive)
    with machine.ledger.opened() as database:
        rows = database.execute("SELECT state FROM observations WHERE url = ? ORDER BY at", (site.url("/post"),))
        assert [state for (state,) in rows] == ["ok", "blocked", "ok"]


# Extractors


def an_old_run(machine: Machine, site: Site, body: bytes) -> None:
    """Commit a run of a version that read another text in the same page."""
    machine.at(0 * HOUR)
    machine.archive.prepare()
    with closing(machine.archive.session(RunSettings("onrecord/0.4.0"))) as session:
        snapshot = session.add(an_exchange(site.url("/post"), body, at=times.now()), page=True)
        document = a_document(snapshot, "A text that lacks most of what the page says.")
        article = replace(document.article, extractor="trafilatura 2.3.1, onrecord 0.4.0")
        session.add_document(replace(document, article=article))
        words = (article.text or "").split()
        outcome = at_capture(Outcome(snapshot.url, "ok", times.iso(snapshot.timestamp)), snapshot)
        session.add_outcome(replace(outcome, text=text_digest(words), words=len(words)))
        session.commit()


@pytest.mark.parametrize("made_again", [False, True])
def test_a_better_extractor_is_no_edit(machine: Machine, site: Site, pool: ExtractorPool, made_again: bool) -> None:
    machine.watches = page_watch(site, "/post")
    page = article("A post", "It is there.")
    an_old_run(machine, site, page.partition(b"\r\n\r\n")[2])
    if made_again:
        machine.at(MINUTE)
        options = AgainOptions(RunSettings("onrecord/0.5.0"), extractor_version())
        assert extract_again(machine.archive, pool, options, lambda *_: None).manifest
    changed = page.partition(b"\r\n\r\n")[2].replace(b"<head>", b"<head><meta name=nonce content=1>")
    site.answers["/post"] = answer(changed)
    run_at(machine, 2 * HOUR, 4 * HOUR, 6 * HOUR)
    assert machine.told() == []
    site.answers["/post"] = answer(changed.replace(b"nobody resigned", b"everybody resigned"))
    run_at(machine, 8 * HOUR, 10 * HOUR, 12 * HOUR)
    assert machine.told() == [("changed", site.url("/post"))]


# Feeds


def test_what_was_not_reached_is_captured_though_its_feed_has_moved_on(machine: Machine, site: Site) -> None:
    machine.watches = f'[[watch]]\nfeed = "{site.url("/feed")}"\nevery = "30m"\n'
    site.answers |= {path: article(path, f"Post {path}.") for path in ("/a", "/b", "/c")}
    site.answers |= {"/feed": feed(site, "/a", "/b", "/c"), "/c": _silent}
    machine.defaults |= {"timeout": 100.0}
    machine.at(0 * HOUR)
    for limit in (2, 4, 8, 16, 32, 64):  # seconds: enough to read the feed in, however busy this machine is
        ran = machine.run(limit=limit)
        if "/c" in site.paths:
            break
    assert ran.outcomes["out-of-time"] >= 1, ran
    site.answers |= {"/feed": feed(site, "/a"), "/c": article("/c", "Post /c.")}
    before = site.paths.count("/c")
    run_at(machine, 5 * MINUTE)
    assert site.paths.count("/c") == before + 1, "it is due by itself"
    assert machine.archive.closest(site.url("/c")).status == 200


async def _silent(talk: Talk) -> None:
    await asyncio.sleep(3_600)


def test_entries_that_robots_keep_out_do_not_make_a_feed_fast(machine: Machine, site: Site) -> None:
    machine.watches = f'[[watch]]\nfeed = "{site.url("/feed")}"\nevery = "6h"\n'
    site.answers["/robots.txt"] = answer(b"User-agent: *\nDisallow: /\n", kind="text/plain")
    site.answers |= {f"/{number}": article("A post", f"Post {number}.") for number in range(8)}
    site.answers["/feed"] = feed(site, *(f"/{number}" for number in range(8)))
    run_at(machine, *(poll * 6 * HOUR for poll in range(3)))
    assert machine.told() == []
    site.answers["/robots.txt"] = answer(b"", kind="text/plain")
    run_at(machine, 18 * HOUR)
    assert site.paths.count("/7") == 1, "let in, they are captured"


def test_a_feed_that_was_not_read_for_days_is_not_said_to_be_too_fast(machine: Machine, site: Site) -> None:
    machine.watches = f'[[watch]]\nfeed = "{site.url("/feed")}"\nevery = "30m"\ndecay = false\n'
    for day in (0, 5):
        paths = [f"/{day}/{number}" for number in range(8)]
        site.answers |= {path: article(path, f"Post {path}.") for path in paths} | {"/feed": feed(site, *paths)}
        run_at(machine, day * DAY)
    ((_, event),) = machine.events
    assert event.kind == "feed-too-fast"
    assert event.summary.endswith("Runs were missed: it is due every 30m. See what stopped them: onrecord doctor")


def test_a_source_that_fails_is_tried_again_soon_and_told_once(machine: Machine, site: Site) -> None:
    machine.watches = f'[[watch]]\nsitemap = "{site.url("/map.xml")}"\n'
    site.answers["/map.xml"] = answer(b"down", status="500 Server Error")
    run_at(machine, *(quarter * 15 * MINUTE for quarter in range(12)))
    assert machine.told() == [("source-failed", site.url("/map.xml"))]
    assert 4 <= len(site.requests) <= 6, "at growing distances"


def test_the_feed_that_a_page_names_is_told_when_it_fails(machine: Machine, site: Site) -> None:
    machine.watches = f'[[watch]]\nfeed = "{site.url("/blog")}"\nevery = "30m"\n'
    link = b"<html><head><link rel=alternate type='application/rss+xml' href='/feed'></head><body>Blog</body></html>"
    site.answers |= {"/": redirect("/blog"), "/blog": answer(link), "/feed": answer(b"down", status="500 Server Error")}
    run_at(machine, *(quarter * 15 * MINUTE for quarter in range(8)))
    ((_, event),) = machine.events
    assert (event.kind, event.url) == ("source-failed", site.url("/blog"))
    assert f"{site.url('/feed')}: 500 Server Error" in event.summary


def test_a_site_without_robots_has_its_sitemap_read(machine: Machine, site: Site) -> None:
    machine.watches = f'[[watch]]\nsitemap = "{site.url("/")}"\nevery = "10m"\n'
    places = f"<urlset><url><loc>{site.url('/post')}</loc></url></urlset>".encode()
    site.answers |= {"/sitemap.xml": answer(places, kind="application/xml"), "/post": article("A post", "It is there.")}
    run_at(machine, *(quarter * 15 * MINUTE for quarter in range(5)))
    assert machine.told() == []
    assert site.paths.count("/post") == 1
    site.answers["/sitemap.xml"] = gone()
    run_at(machine, *(quarter * 15 * MINUTE for quarter in range(5, 12)))
    assert machine.told() == [("source-failed", site.url("/"))]


# Redirects


def test_a_page_that_moves_is_followed_and_its_edit_can_be_compared(machine: Machine, site: Site) -> None:
    machine.watches = page_watch(site, "/old", "/home")
    site.answers |= {"/old": article("A post", "As it was."), "/": article("The front", "All that is new.")}
    site.answers["/home"] = redirect("/")
    run_at(machine, 0 * HOUR)
    site.answers |= {"/old": redirect("/new", "301 Moved Permanently"), "/new": article("A post", "As it was.")}
    run_at(machine, 1 * HOUR, 2 * HOUR)
    assert machine.told() == [], "the same text elsewhere, and a page that has always led to the front"
    site.answers["/new"] = article("A post", "As it is now.")
    run_at(machine, 3 * HOUR, 4 * HOUR)
    ((_, event),) = machine.events
    assert (event.kind, event.url) == ("changed", site.url("/old"))
    assert event.diff is not None
    assert "{+is now+}" in event.diff
    machine.events.clear()
    site.answers["/old"] = redirect("/else")
    site.answers["/else"] = article("Another post", "Of somebody else.")
    run_at(machine, 5 * HOUR, 6 * HOUR)
    ((_, event),) = machine.events
    assert f"its address leads to {site.url('/else')}" in event.summary
    machine.events.clear()
    site.answers["/old"] = redirect("/")
    run_at(machine, 7 * HOUR, 8 * HOUR)
    ((_, event),) = machine.events
    assert (event.kind, event.title) == ("soft-404", "Another post")
    assert "leads to the front page" in event.summary


# The file


def test_a_damaged_ledger_is_made_again(machine: Machine, site: Site, caplog: pytest.LogCaptureFixture) -> None:
    paths = [f"/{number}" for number in range(40)]
    machine.watches = page_watch(site, *paths)
    site.answers |= {path: article(path, f"Post {path}.") for path in paths}
    run_at(machine, 0 * HOUR)
    with machine.ledger.opened() as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = database.execute("SELECT * FROM observations").fetchall()
    whole = machine.ledger.path.read_bytes()
    machine.ledger.path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    run_at(machine, 5 * MINUTE)
    assert len(site.requests) == 40, "nothing is due"
    assert "it is made again from the archive" in caplog.text
    with machine.ledger.opened() as database:
        assert database.execute("SELECT * FROM observations").fetchall() == before


def test_a_ledger_that_cannot_be_kept_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").mkdir()
    with (
        pytest.raises(
            LedgerUnusable, match=r"free space, or make .* readable and writable for this user: chmod u\+rwX "
        ),
        Ledger(tmp_path / "ledger.db").opened(),
    ):
        pass
    ledger = Ledger(tmp_path / "small" / "ledger.db")
    with pytest.raises(LedgerUnusable, match="full"):
        _fill(ledger)


def _fill(ledger: Ledger) -> None:
    """Write more than there is room for."""
    with ledger.opened() as database:
        database.execute("PRAGMA max_page_count = 20")
        for number in range(10_000):
            database.execute("INSERT INTO notes VALUES (?, ?)", (str(number), "x" * 200))


def test_an_entry_with_other_tracking_parameters_is_no_new_one(machine: Machine, site: Site) -> None:
    machine.watches = f'[[watch]]\nfeed = "{site.url("/feed")}"\nevery = "1h"\n'
    for number, path in enumerate(("/post?utm_source=a", "/post?utm_source=b")):
        site.answers |= {"/feed": feed(site, path), path: article("A post", "It is there.")}
        run_at(machine, number * 2 * HOUR)
    assert {path for path in site.paths if path.startswith("/post")} == {"/post?utm_source=a"}


def test_a_page_that_scripts_draw_has_a_state_and_a_count(machine: Machine, site: Site, tmp_path: Path) -> None:
    machine.watches = page_watch(site, "/app")
    site.answers["/app"] = answer(b"<html><body><div id=root></div><script src=/app.js></script></body></html>")
    run_at(machine, 0 * HOUR, 2 * HOUR)
    with machine.ledger.opened() as database:
        assert machine.ledger.counts(database) == {"text-incomplete": 1}
