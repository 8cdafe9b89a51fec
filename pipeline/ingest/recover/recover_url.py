"""The captures that another archive has of a page, brought into this one as a run, each under its own date.

What the archive holds already, labelled with the same source, is not fetched again: a recovery that was killed goes on
from there when it is started again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from archive.archive import Archive, UnguardedReader
from archive.formats import at_capture
from archive.importers import NotShown, capture_of
from archive.model import Fetched, Outcome, Role, Snapshot, Target
from archive.runs import RunSettings, Session
from archive.times import iso, now
from pipeline.crawl.scope import Rules
from pipeline.extract.extractor_pool import ExtractorPool
from pipeline.ingest.answers import standing_in
from pipeline.ingest.capture_run import RunResult, committed
from pipeline.ingest.import_pages import may_be_page
from pipeline.ingest.recording import Writing
from pipeline.ingest.recover.find_captures import find_captures
from pipeline.ingest.recover.memento import Given, given_by
from pipeline.ingest.recover.other_archive import Listed, OtherArchive, RecoverError, best, host_of, raw_address
from pipeline.ingest.recover.polite_requests import Asking, Manners, checked, is_memento

_BATCH = 100  # captures that are looked up and fetched together
_HOPS = 5  # redirects within an archive, to a capture of another second
_TRIES = 3  # of a memento that broke off on its way
_DECODED = 100_000_000  # bytes of a page after its content codings are undone
_REDIRECTS = {301, 302, 303, 307, 308}

Report = Callable[[Outcome, bytes], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which captures are wanted: all of a span of time, or the one nearest to `at`."""

    at: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None

    @property
    def span(self) -> bool:
        """Return whether several captures are wanted."""
        return self.at is None


@dataclass(slots=True)
class Recovery:
    """How a recovery ended: captures that were had, were here already, failed; and why it stopped, if it did."""

    listed: int = 0
    recovered: int = 0
    already: int = 0
    failed: int = 0
    stopped: RecoverError | None = None
    result: RunResult | None = None


@dataclass(slots=True)
class _Job:
    listed: Listed
    source: str
    raw: bool
    hops: int = 0
    tries: int = 1


def recover_url(
    archive: Archive,
    other: OtherArchive,
    url: str,
    wanted: Wanted,
    manners: Manners,
    settings: RunSettings,
    pool: ExtractorPool,
    report: Report,
) -> Recovery:
    """Bring the captures that another archive has of a URL into a new run; `report` is given each outcome.

    What the other archive refuses or breaks is in the result, with all that came before it. Raises StoreError when the
    local spool fails.
    """
    with closing(archive.session(settings)) as session:
        work = _Recovering(archive.unguarded(), session, pool, report, Asking(manners, session.work))
        try:
            found = find_captures(work.asking, other, url, wanted.start, wanted.end)
            if not wanted.span:
                assert wanted.at is not None, "one is wanted, at a time"
                nearest = best(found, wanted.at)
                found = iter([nearest] if nearest else [])
            work.take_all(found)
        except RecoverError as error:
            work.done.stopped = error
        work.finish()
        if work.done.recovered or work.done.failed:
            work.done.result = committed(session)
        else:
            session.discard()
        return work.done


class _Recovering:
    def __init__(
        self, archive: UnguardedReader, session: Session, pool: ExtractorPool, report: Report, asking: Asking
    ) -> None:
        self.done = Recovery()
        self.asking = asking
        self._archive = archive
        self._session = session
        self._report = report
        self._seen: set[int] = set()  # captures that this run looked at, by their hash
        self._stored: set[int] = set()
        self._writing = Writing(session, pool, None, lambda *_: None, Rules(requisites=False), _DECODED)

    def take_all(self, found: Iterator[Listed]) -> None:
        """Fetch and keep the captures that are listed and not kept yet; raises RecoverError."""
        while batch := list(islice(found, _BATCH)):
            self.done.listed += len(batch)
            jobs = [job for listed in batch if (job := self._job(listed)) is not None]
            while jobs:
                jobs = self._fetch(jobs)

    def finish(self) -> None:
        """Wait until all texts are made."""
        self._writing.finish()
        self._session.checkpoint()

    def _job(self, listed: Listed) -> _Job | None:
        """Return what is to be fetched for a capture, None where it is here already."""
        raw = raw_address(listed.source)
        source = raw or listed.source
        mark = hash((listed.url, listed.at, host_of(source)))
        if mark in self._seen:
            self.done.listed -= 1
            return None
        self._seen.add(mark)
        if self._is_kept(listed.url, listed.at, host_of(source)):
            self.done.already += 1
            return None
        return _Job(listed, source, raw is not None)

    def _is_kept(self, url: str, at: datetime, host: str) -> bool:
        """Return whether the archive has a capture from another one, whole; or had it, and it was redacted."""
        if hash((url, at, host)) in self._stored:
            return True
        kept = self._archive.snapshots(url, start=at, end=at)
        return any(each.withheld or (each.recovered == host and not each.truncated) for each in kept)

    def _fetch(self, jobs: list[_Job]) -> list[_Job]:
        """Fetch captures and keep what came; returns what is to be asked for at another address, or once more."""
        by_source: dict[str, list[_Job]] = {}
        for job in jobs:
            by_source.setdefault(job.source, []).append(job)
        again: list[_Job] = []
        targets = (Target(source, role=Role.REQUISITE) for source in by_source)  # no page's refresh is followed
        with closing(self.asking.mementos(targets)) as results:
            for fetched in results:
                (job, *_) = by_source[fetched.target.url]
                try:
                    again += self._take(job, fetched)
                finally:
                    fetched.discard()
                self._writing.advance()
        return again

    def _take(self, job: _Job, fetched: Fetched) -> Iterable[_Job]:
        """Keep what came for a capture; returns what is asked for next in its place. Raises RateLimited."""
        if not fetched.exchanges:
            return self._failed(job, fetched.verdict.name, fetched.verdict.error)
        exchange = fetched.exchanges[-1]
        if exchange.status in {429, 503} and not is_memento(exchange):
            checked(fetched)  # raises
        if not is_memento(exchange):
            return self._elsewhere(job, fetched)
        if exchange.truncated and job.tries < _TRIES:
            return [replace(job, tries=job.tries + 1)]
        given = given_by(exchange, replace(job.listed, source=job.source), raw=job.raw, folder=self._session.work)
        if given is None:
            return self._failed(job, "no-memento", "its Memento-Datetime is no date")
        try:
            self._keep(job, given)
        finally:
            given.record.block.discard()
        return ()

    def _elsewhere(self, job: _Job, fetched: Fetched) -> Iterable[_Job]:
        """Follow a redirect within the archive; where there is none, ask for the address that it lists, once."""
        from archive.formats import joined_url

        exchange = fetched.exchanges[-1]
        location = exchange.header("Location")
        if exchange.status in _REDIRECTS and location and job.hops < _HOPS:
            try:
                target = joined_url(exchange.url, location)
            except ValueError:
                target = ""
            if host_of(target) == host_of(exchange.url):
                raw = raw_address(target) if job.raw else None
                return [replace(job, source=raw or target, raw=raw is not None, hops=job.hops + 1)]
        if job.raw and job.listed.source != job.source and not job.hops:
            return [replace(job, source=job.listed.source, raw=False, hops=job.hops + 1)]
        if exchange.status >= 400:
            return self._failed(job, "http-error", f"{host_of(job.source)} answers {exchange.status} for this capture")
        return self._failed(job, "no-memento", "the answer names no Memento-Datetime (RFC 7089): it is no capture")

    def _failed(self, job: _Job, name: str, why: str | None) -> Iterable[_Job]:
        self.done.failed += 1
        self._conclude(Outcome(job.listed.url, name, iso(now()), error=why, role=Role.RECOVERED, via=job.source))
        return ()

    def _keep(self, job: _Job, given: Given) -> None:
        """Write the records of a capture, and see its text on its way."""
        record = given.record
        capture = capture_of(record)
        if capture is None or isinstance(capture, NotShown):
            why = capture.reason if capture else "its address is not one of the web"
            self._failed(job, "invalid-url", why)
            return
        host = host_of(job.source)
        if self._is_kept(capture.snapshot.url, given.at, host):
            self.done.already += 1
            return
        ref = self._session.add_foreign(record.head, record.block)
        self._session.add_foreign(given.about.head, given.about.block)
        wall = standing_in(capture.exchange, page=True) if capture.exchange else None
        snapshot = replace(capture.snapshot, record=ref, run=self._session.run, status=given.status)
        snapshot = replace(snapshot, availability=wall[0] if wall else None)
        page = 200 <= given.status < 300 and may_be_page(record, snapshot)
        self._session.index(snapshot, page=page)
        self._stored.add(hash((snapshot.url, snapshot.timestamp, host)))
        self.done.recovered += 1
        self._conclude(_outcome(job, given, snapshot))
        if page:
            self._writing.read_page(self._session.snapshot(snapshot.place), None)

    def _conclude(self, outcome: Outcome) -> None:
        line = self._session.add_outcome(outcome)
        self._session.checkpoint()
        self._report(outcome, line)


def _outcome(job: _Job, given: Given, snapshot: Snapshot) -> Outcome:
    """Return the outcome of a capture that was had: ok whatever its status was, unless it is not whole."""
    name, why = "ok", None
    if given.truncated:
        name, why = "truncated", "; ".join(given.notes)
    found = Outcome(
        snapshot.url, name, iso(snapshot.timestamp), error=why, role=Role.RECOVERED, via=job.source, notes=given.notes
    )
    return at_capture(found, snapshot)
