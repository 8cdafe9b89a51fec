"""How a run's outcomes become the ledger's lines: pages, sources, and what a source led to."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile

from archive.archive import Reader, UnguardedReader
from archive.errors import ArchiveError
from archive.formats import DamagedLine, untracked
from archive.model import Outcome
from archive.states import (
    Availability,
    Observation,
    State,
    adds_nothing,
    follow,
    led_away,
    may_be_splash,
    step,
    unmasked,
)
from archive.times import from_iso, iso
from pipeline.extract.rereading import read_alike
from pipeline.watch.history_tables import (
    RECENT,
    Fate,
    drop_plain_before,
    drop_unless_news,
    insert,
    observations_of,
)
from pipeline.watch.observation import observed
from storage.errors import StoreError

_ALIKE = 4  # observations of the same bytes that are kept: as many looks as a watch may want, and the last

_log = logging.getLogger("onrecord.watch")


def fold(database: sqlite3.Connection, archive: UnguardedReader, run: str) -> None:
    """Take in what a run says, within the caller's transaction. Raises ArchiveError, StoreError."""
    ahead = archive.ahead_of(run)
    strange: list[str] = []
    for number, line in enumerate(archive.outcomes(run, checked=True), 1):
        if isinstance(line, DamagedLine):
            strange.append(f"line {line.number}: {line.reason}")
            continue
        try:
            _take(database, archive, _by_the_stores_clock(line.outcome, ahead))
        except ValueError as error:
            strange.append(f"line {number}: {error}")
    if strange:
        _log.warning(
            "run %s: %d lines of its outcomes are damaged or not onrecord's (%s)", run, len(strange), strange[0]
        )
    database.execute("INSERT OR IGNORE INTO runs VALUES (?)", (run,))


def _by_the_stores_clock(outcome: Outcome, ahead: timedelta) -> Outcome:
    """Return an outcome with its time by the store's clock, where its run notes that its own was off."""
    return replace(outcome, timestamp=iso(from_iso(outcome.timestamp) - ahead)) if ahead else outcome


def _take(database: sqlite3.Connection, archive: Reader, outcome: Outcome) -> None:
    role = outcome.role
    if outcome.outcome == "out-of-time" or outcome.skipped:
        if role is None:
            _passed_over(database, outcome)
        return
    if role in {"feed", "sitemap"} or (role == "robots" and outcome.via is None):
        _attempt(database, outcome)
        return
    seen = observed(outcome) if role is None else None
    if seen is None:
        return
    if outcome.seed:
        _entry(database, outcome.seed, seen.url, int(seen.at.timestamp()), Fate.TRIED)
    _note(database, archive, seen)


def _passed_over(database: sqlite3.Connection, outcome: Outcome) -> None:
    """Note what a feed or a sitemap led to and was not fetched; links on pages are too many for that."""
    if not outcome.seed:
        return
    seed = outcome.seed
    fate = Fate.UNREACHED if outcome.outcome == "out-of-time" else Fate.LEFT_OUT
    if fate == Fate.UNREACHED or database.execute("SELECT 1 FROM sources WHERE url = ?", (seed,)).fetchone():
        _entry(database, seed, outcome.url, _seconds(outcome), fate)


def _entry(database: sqlite3.Connection, source: str, url: str, at: int, fate: Fate) -> None:
    database.execute(
        """INSERT INTO entries VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET found = min(found, excluded.found),
          fate = CASE WHEN fate = 0 THEN 0 ELSE excluded.fate END""",
        (source, url, at, fate, untracked(url)),
    )


def _attempt(database: sqlite3.Connection, outcome: Outcome) -> None:
    at, name, detail = _seconds(outcome), outcome.outcome, (outcome.error or "")[:300]
    if outcome.role == "robots" and 400 <= (outcome.status or 0) < 500:
        name, detail = "ok", ""  # a site without a robots.txt may have a sitemap all the same
    failed = name != "ok"
    database.execute(
        """INSERT INTO sources VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at,
          outcome = excluded.outcome, detail = excluded.detail, seed = excluded.seed,
          failures = CASE WHEN excluded.failures = 0 THEN 0 ELSE failures + 1 END,
          failing = CASE WHEN excluded.failures = 0 THEN NULL ELSE coalesce(failing, excluded.failing) END
          WHERE excluded.at > at""",
        (outcome.url, at, name, detail, int(failed), at if failed else None, outcome.seed or None),
    )


def _seconds(outcome: Outcome) -> int:
    return int(from_iso(outcome.timestamp).timestamp())


# Pages


def _note(database: sqlite3.Connection, archive: Reader, seen: Observation) -> None:
    """Take in an observation: it is judged by what was known when it was made, however late its run is read."""
    known = observations_of(database, seen.url)
    earlier = [each for each in known if each.at < seen.at]
    before, _ = follow(earlier)
    seen = read_alike(
        archive, before.good, led_away(before.good, _with_text_of(seen, earlier)), _since(before, earlier)
    )
    seen = _unmasked(archive, before, seen)
    if len(earlier) < len(known):
        insert(database, seen, news=True)  # it may have been news then
        after, _ = follow(observations_of(database, seen.url))
    else:
        plain = bool(known) and adds_nothing(before, seen)
        if plain and all(each.digest == seen.digest for each in known[-_ALIKE:]):
            drop_unless_news(database, known[-1])
        elif plain:  # other bytes, the same text: the rules of a watch may name elements outside of it
            drop_plain_before(database, seen.url, seen.at - RECENT)
        insert(database, seen, news=not plain)
        after, _ = step(before, seen)
    assert after.last is not None, "there is one observation now"
    since = int(after.since.timestamp()) if after.since else None
    row = (seen.url, int(after.last.at.timestamp()), after.state, since, len(after.pending))
    database.execute("INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?)", row)


def _since(now: Availability, known: list[Observation]) -> datetime | None:
    """Return when the page was first seen with the text that it has, of all that is known without a gap."""
    good = now.good
    alike = takewhile(lambda each: good is not None and each.text == good.text, reversed(known))
    return min((each.at for each in alike), default=None)


def _with_text_of(seen: Observation, known: list[Observation]) -> Observation:
    """Return an unchanged payload has the text it had."""
    if seen.state != State.OK or seen.text is not None or seen.digest is None:
        return seen
    for other in reversed(known):
        if other.digest == seen.digest and (other.text or other.state != State.OK):
            detail = seen.detail if other.state == State.OK else other.detail
            return replace(seen, text=other.text, words=other.words, state=other.state, detail=detail)
    return seen


def _unmasked(archive: Reader, before: Availability, seen: Observation) -> Observation:
    """Return a capture that shows a splash page in the article's place as what it is."""
    good = before.good
    if good is None or not may_be_splash(good, seen):
        return seen
    try:
        old, new = (_words_at(archive, each) for each in (good, seen))
    except (ArchiveError, StoreError):  # what cannot be compared is an edit
        return seen
    return unmasked(good, seen, old, new)


def _words_at(archive: Reader, seen: Observation) -> frozenset[str]:
    snapshot = archive.near(seen.shown_at, seen.at)
    document = archive.document(snapshot) if snapshot else None
    return frozenset((document.article.text or "").lower().split()) if document else frozenset()
