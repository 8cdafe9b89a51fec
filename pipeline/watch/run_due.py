"""The steps of `onrecord run`: capture what is due, find out what that says of the pages, and report it once."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from archive.archive import Archive
from archive.model import Outcome, Target
from archive.states import State
from archive.times import now
from pipeline.alerts.event import Event
from pipeline.extract.extractor_pool import ExtractorPool
from pipeline.ingest.capture_run import CaptureOptions, RunResult, capture_all
from pipeline.ingest.recording import Report
from pipeline.watch.due import Due, plan
from pipeline.watch.events import FAILURES, Telling, events_of, machine_of, mine, too_fast
from pipeline.watch.history import Ledger
from pipeline.watch.history_tables import Fate
from pipeline.watch.lease import Turn
from pipeline.watch.relevant_history import RelevantHistories
from pipeline.watch.watch_list import Watch
from storage.errors import StoreError, StoreUnavailable

_log = logging.getLogger("onrecord.watch")

_SMALL_WINDOW = 5  # entries of a feed that is too short to say anything
_ALL_NEW = 0.9  # share of a feed's entries
_SITE = {"depth": 3, "scope": "host"}  # of a site, unless its watch says otherwise
_ORDER = {"page": 0, "feed": 1, "sitemap": 2, "site": 3}  # what takes longest comes last


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run of what is due is done; `options_of` makes options of a capture from those of a watch."""

    options_of: Callable[[Mapping[str, Any]], CaptureOptions]
    folder: Path  # of this machine's state about the store
    time_limit: float  # seconds
    pool: ExtractorPool | None = None  # the caller's own
    want: Callable[[Outcome, tuple[str, ...]], None] = lambda *_: None  # second copies of a page, in these archives


@dataclass(slots=True)
class Ran:
    """What a run did: how much was due and how much of it late, outcomes by name, runs, and events to report."""

    due: int = 0
    late: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    unreached: list[Outcome] = field(default_factory=list)  # of what was due: nothing came of it at all
    results: list[RunResult] = field(default_factory=list)
    tellings: list[Telling] = field(default_factory=list)

    @property
    def events(self) -> list[Event]:
        """Events to report."""
        return [telling.event for telling in self.tellings]

    @property
    def waiting(self) -> str | None:
        """Why captures wait in the spool, if they do."""
        return next((result.waiting for result in self.results if result.waiting), None)


def run_due(
    archive: Archive, watches: list[Watch], ledger: Ledger, settings: Settings, report: Report, turn: Turn | None
) -> Ran:
    """Capture everything that is due, and find the events; the caller sends them, and calls `told` afterwards.

    Raises StoreError when the store is denied, or the spool's disk fails.
    """
    end = time.monotonic() + settings.time_limit
    ran = Ran()
    _sync(archive, ledger)
    with ledger.opened() as database, closing(RelevantHistories(archive, database)) as histories:
        due = plan(watches, ledger, database, archive.present(), histories)
    ran.due, ran.late = len(due), sum(each.late for each in due)
    too_quick: list[Telling] = []
    for options, group in _groups(due, settings.options_of):
        too_quick += _capture(archive, ledger, options, group, settings, report, ran, end)
    archive.refresh()
    _sync(archive, ledger)
    ran.unreached = _news(ledger, ran.unreached)
    ran.tellings = _told_here(archive, watches, ledger, settings.folder, too_quick, turn)
    return ran


def _sync(archive: Archive, ledger: Ledger) -> None:
    """See what other runs did. Where the store is out of reach, what is due goes into the spool all the same."""
    try:
        ledger.sync(archive)
    except StoreUnavailable as error:
        _log.warning("what other machines did is not known now: %s", error)


def _news(ledger: Ledger, unreached: list[Outcome]) -> list[Outcome]:
    """Those of which it is not known, and was not told, that nothing comes of them."""
    found = []
    with ledger.opened() as database:
        for outcome in unreached:
            page, source = ledger.page(database, outcome.url), ledger.source(database, outcome.url)
            known = page.state not in {None, State.OK} if page else source is not None and source.failures > FAILURES
            if not known:
                found.append(outcome)
    return found


def told(ledger: Ledger, tellings: list[Telling]) -> None:
    """Know that their events are in the outbox, or were printed without one."""
    with ledger.opened() as database:
        for telling in tellings:
            ledger.tell(database, telling.marks)


def _groups(
    due: list[Due], options_of: Callable[[Mapping[str, Any]], CaptureOptions]
) -> Iterator[tuple[CaptureOptions, list[Due]]]:
    """Yield what is captured alike, in one run of the archive each."""
    groups: dict[str, tuple[CaptureOptions, list[Due]]] = {}
    for each in due:
        watch = each.watch
        is_site = watch.source == "site" and not each.target.via
        options = {**(_SITE if is_site else {}), **watch.options}
        if each.target.via:  # a page that was found: it leads nowhere further
            options["depth"] = 0
        found, limit = options_of(options), watch.time_limit.total_seconds()
        fetch = replace(found.fetch, deadline=min(found.fetch.deadline, limit))
        found = replace(found, fetch=fetch, rules=replace(found.rules, seed_time=limit))
        groups.setdefault(repr(found), (found, []))[1].append(each)
    yield from sorted(groups.values(), key=lambda pair: max(_ORDER[due.watch.source] for due in pair[1]))


def _capture(
    archive: Archive,
    ledger: Ledger,
    options: CaptureOptions,
    group: list[Due],
    settings: Settings,
    report: Report,
    ran: Ran,
    end: float,
) -> list[Telling]:
    """Capture a group within what is left of the time; returns what its feeds have to say."""
    left = end - time.monotonic()
    if left <= 0:
        ran.late += len(group)
        _log.warning("%d that are due wait for the next run: the time was over", len(group))
        return []
    wanted = {due.target.url: due.watch for due in group}

    def note(outcome: Outcome, line: bytes) -> None:
        ran.outcomes[outcome.outcome] += outcome.role not in {"requisite", "robots"}
        if outcome.url in wanted and not outcome.ok and outcome.status is None:
            ran.unreached.append(outcome)
        watch = wanted.get(outcome.url) or wanted.get(outcome.seed or "")
        if watch is not None and watch.also:
            settings.want(outcome, watch.also)
        report(outcome, line)

    with ledger.opened() as database:

        def is_new(found: Target) -> bool:
            assert found.seed is not None, "what was found has a seed"
            fate = ledger.fate(database, found.seed, found.url, keep_tracking=options.rules.keep_tracking)
            windows.setdefault(found.seed, Counter())[fate is None] += 1
            return fate in {None, Fate.LEFT_OUT}  # what was not reached is due by itself

        windows: dict[str, Counter[bool]] = {}
        polled = {due.target.url: ledger.source(database, due.target.url) for due in group}
        targets = [due.target for due in group]
        options = replace(options, time_limit=left)
        ran.results.append(capture_all(archive, targets, options, note, sieve=is_new, pool=settings.pool))
    return [
        too_fast(archive, due.watch, last.at, windows[url].total())
        for due in group
        if (url := due.target.url) in windows
        and (last := polled[url]) is not None
        and not last.failures
        and windows[url].total() >= _SMALL_WINDOW
        and windows[url][True] >= _ALL_NEW * windows[url].total()
        and not due.watch.alert_times.is_quiet(now())
    ]


def _told_here(
    archive: Archive, watches: list[Watch], ledger: Ledger, folder: Path, more: list[Telling], turn: Turn | None
) -> list[Telling]:
    """Return the events that this machine reports; what cannot be known now is reported by the next run."""
    with ledger.opened() as database, closing(RelevantHistories(archive, database)) as histories:
        more = [telling for telling in more if not ledger.told(database, telling.marks)]
        found = [*events_of(archive, watches, ledger, database, histories), *more]
    if not found:
        return []
    try:
        if turn is not None and not turn.held():
            return []
        ours, others = mine(archive.marks, found, machine_of(folder))
    except StoreError as error:
        _log.warning("%d alerts wait for the next run: %s", len(found), error)
        return []
    told(ledger, others)
    return ours
