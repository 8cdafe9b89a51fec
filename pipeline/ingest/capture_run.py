"""The whole story of a run, readable from top to bottom.

Targets come in, exchanges come back from the network, each is written to the session before anything else is done with
it; new pages go to the extractors, and come back as documents and as further targets; a target whose records are
durable is acknowledged; at the end the run is committed. A run whose writer was killed is taken up where it was left,
by the next invocation.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from archive.archive import Archive
from archive.errors import ArchiveError
from archive.model import Fetched, Manifest, Outcome, Target
from archive.runs import RunSettings, Session
from archive.times import iso, now
from pipeline.capture.http.fetch_process import fetch_apart
from pipeline.capture.http.settings import FetchSettings
from pipeline.crawl.frontier import Frontier, Last, Sieve
from pipeline.crawl.scope import Rules
from pipeline.extract.extractor_pool import ExtractorPool
from pipeline.ingest.import_room import Room, Texts
from pipeline.ingest.recording import Report, Writing
from storage.errors import StoreError

if TYPE_CHECKING:  # a browser is imported when pages are visited in one
    from pipeline.capture.browser.visit_many import BrowserSettings
    from pipeline.capture.engines import Results

_log = logging.getLogger("onrecord.pipeline")

EXTRACT_TIME = 60.0  # seconds a page
EXTRACT_MEMORY = 2_000_000_000  # bytes a page
_TICK = 0.05  # seconds without a result after which waiting outcomes are looked at all the same


@dataclass(frozen=True, slots=True)
class CaptureOptions:
    """How a run captures and extracts."""

    fetch: FetchSettings
    run: RunSettings
    rules: Rules = field(default_factory=Rules)
    browser: BrowserSettings | None = None  # pages are visited with these limits, rather than fetched
    workers: int = 2
    time_limit: float | None = None  # seconds after which nothing more is waited for
    apart: bool = True  # fetch in a process of its own
    decoded_limit: int = 100_000_000  # bytes of a page after its content codings are undone
    extract_time: float = EXTRACT_TIME
    extract_memory: int = EXTRACT_MEMORY


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended: its manifest once it is committed, else why it waits in the spool."""

    run: str
    manifest: Manifest | None
    counts: dict[str, int]
    waiting: str | None = None


def capture_all(
    archive: Archive,
    targets: Iterable[Target],
    options: CaptureOptions,
    report: Report,
    *,
    sieve: Sieve | None = None,
    pool: ExtractorPool | None = None,
    short_texts: dict[str, frozenset[str]] | None = None,
    interrupted: Callable[[str, Iterator[Target]], None] | None = None,
) -> RunResult:
    """Capture targets, and what they lead to, into a new run.

    `report` is given each outcome and its line once its records are durable; `sieve` says which entries of feeds and
    sitemaps are captured; `short_texts` is as in `Writing`. The caller keeps a `pool` of its own for other runs. Where
    the user interrupts the run, `interrupted` is given its name and the targets without an outcome, before
    KeyboardInterrupt is raised again. Raises StoreError when the local spool fails. The result says
    if the store cannot take the run.
    """
    end = None if options.time_limit is None else time.monotonic() + options.time_limit
    with (
        closing(archive.session(options.run)) as session,
        nullcontext(pool) if pool else closing(_pool(options)) as pool,
    ):
        frontier = Frontier(targets, options.rules, _last(session, options.rules), sieve)
        asked = _Asked(report)
        writing = Writing(session, pool, frontier, asked, options.rules, options.decoded_limit, short_texts)
        with closing(_results(frontier, options, session)) as results, closing(frontier):
            try:
                _take_all(results, writing, asked, end)
            except KeyboardInterrupt:
                if interrupted is not None:
                    interrupted(session.run, chain(asked.taken.values(), frontier.unfinished()))
                raise
        if end is not None:
            writing.read_out()  # what the last bodies lead to is named with all else that was not reached
            writing.abandon(frontier.unfinished(), f"the run's time of {options.time_limit:.0f} s was over")
        writing.finish()
        if not asked.anything:
            counts = session.counts()
            session.discard()
            return RunResult(session.run, None, counts)
        ended = committed(session)
    if ended.manifest is not None:
        try:
            archive.merge_if_many()  # keeps lookups quick; what was captured is safe whether or not that works now
        except (StoreError, ArchiveError) as error:
            _log.warning("the index was not merged: %s", error)
    return ended


def _take_all(results: Results, writing: Writing, asked: _Asked, end: float | None) -> None:
    for result in results:
        if isinstance(result, Fetched):
            asked.taken[result.target.url] = result.target
            writing.take(result)
        elif result is not None:
            target = result.fetched[0].target
            asked.taken[target.url] = target
            writing.take_browsed(result)
        writing.advance()
        if end is not None and time.monotonic() >= end:
            return


@dataclass(slots=True)
class _Asked:
    """Passes outcomes on, and knows which targets have none yet, and whether any URL was one.

    A run of which none was one says nothing of the web.
    """

    report: Report
    anything: bool = False
    taken: dict[str, Target] = field(default_factory=dict)  # by URL: those that came back and have no outcome yet

    def __call__(self, outcome: Outcome, line: bytes) -> None:
        """Take an outcome."""
        self.anything |= outcome.outcome not in {"invalid-url", "unsupported-scheme"}
        self.taken.pop(outcome.url, None)
        self.report(outcome, line)


def recover(archive: Archive, options: CaptureOptions) -> Iterator[RunResult]:
    """Finish and publish the runs whose writer is gone, one after the other."""
    for session in archive.recover():
        with closing(session), closing(_pool(options)) as pool:
            texts = _texts(session)
            writing = Writing(session, pool, None, _silent, options.rules, options.decoded_limit, texts=texts)
            for snapshot in session.pending:
                writing.resume(snapshot)
            writing.finish()
            if texts is not None:
                texts.end()
            yield committed(session)


def _texts(session: Session) -> Texts | None:
    """Return what bounds the texts of a file that was being imported; None for a run that captured."""
    if session.imported is None:
        return None
    file, size = session.imported
    room = Room(size)
    room.resume(session.written, session.counts()["captures"])

    def name(why: str) -> None:
        session.add_outcome(Outcome(file, "not-imported", iso(now()), error=why, role="record"))
        _log.warning("run %s: %s", session.run, why)

    return Texts(session, room, 0, name)


def _last(session: Session, rules: Rules) -> Last:
    """Return what finds the capture that a request can be conditional on, None where a full answer is due.

    A server that answers 304 for ever, for a constant ETag say, would hide every edit.
    """
    return partial(session.earlier.last, repeats=rules.most_not_modified, since=now() - rules.full_after)


def _results(frontier: Frontier, options: CaptureOptions, session: Session) -> Results:
    if options.browser is not None:
        from pipeline.capture.engines import fetch_and_browse

        return fetch_and_browse(frontier, options.fetch, options.browser, session.work, tick=_TICK)
    if not options.apart:
        from pipeline.capture.http.fetch_many import fetch

        return fetch(frontier, options.fetch, session.work, tick=_TICK)
    return fetch_apart(frontier, options.fetch, session.work, tick=_TICK)


def _pool(options: CaptureOptions) -> ExtractorPool:
    return ExtractorPool(options.workers, time_limit=options.extract_time, memory_limit=options.extract_memory)


def committed(session: Session) -> RunResult:
    """Commit a run; the result says if the store cannot take it now."""
    counts = session.counts()
    try:
        return RunResult(session.run, session.commit(), counts)
    except StoreError as error:
        return RunResult(session.run, None, counts, waiting=str(error))


def _silent(_outcome: Outcome, _line: bytes) -> None:
    """Nobody waits for the outcomes of a run that was killed."""
