"""From what the network brought to what is kept: records at once, then documents, then the acknowledgement."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace

from archive.errors import ArchiveError, EntityError, EntityTooLarge
from archive.model import Article, Document, Exchange, Fetched, Outcome, Snapshot, Verdict
from archive.session import Session
from archive.times import iso, now
from archive.warc.entity import Head, decoded, read_entity, read_head
from pipeline.extract import ExtractorPool, Page, extracted

Report = Callable[[Outcome, bytes], None]

EXTRACTABLE = frozenset({"text/html", "application/xhtml+xml", "text/plain", "unk"})
_ACK_AFTER = 0.05  # seconds an outcome waits for others to share its fsync
_SYNC_SHARE = 10  # or this many times what the last fsync took, if that is more
_HELD_BODIES = 64 << 20  # bytes of pages held for the extractors; beyond it they are read from the spool again


@dataclass(slots=True)
class _Job:
    """A page on its way to being a document."""

    record_id: str
    outcome: Outcome | None
    page: Page | None = None
    future: Future[Article] | None = None


class Writing:
    """What is under way between the network and the session of one run. Not for use by two threads at once."""

    def __init__(self, session: Session, pool: ExtractorPool, decoded_limit: int, report: Report) -> None:
        self._session = session
        self._pool = pool
        self._decoded_limit = decoded_limit
        self._report = report
        # Not yet with the extractors: the largest record first, so that none is begun when the others are through.
        self._waiting: list[tuple[int, int, _Job]] = []
        self._order = itertools.count()
        self._extracting: list[_Job] = []  # few: the pool says when it has room
        self._held = 0  # bytes of the waiting pages' bodies
        self._unacknowledged: list[tuple[Outcome, bytes]] = []
        self._sync_due = 0.0
        self._sync_cost = 0.0

    def take(self, fetched: Fetched) -> None:
        """Write the records of what was fetched, and see its page on its way."""
        snapshot, outcome = self._record(fetched)
        if snapshot is None or not self._is_page(fetched):
            self._conclude(outcome)
        elif snapshot.revisit:
            self._unchanged(snapshot, outcome)
        elif not self._has_text(snapshot):
            self._session.add_document(_document(snapshot))
            self._conclude(outcome)
        else:
            self._queue(_Job(snapshot.record_id, outcome), fetched.exchanges[-1])
        for exchange in fetched.exchanges:
            exchange.response.discard()

    def resume(self, snapshot: Snapshot) -> None:
        """Take up a page whose records were kept before its writer was killed."""
        if snapshot.revisit or not self._has_text(snapshot):
            self._session.add_document(_document(snapshot))
        else:
            self._wait(_Job(snapshot.record_id, None))

    def advance(self) -> None:
        """Move everything on as far as it goes without waiting."""
        for job in [job for job in self._extracting if _done(job)]:
            self._extracting.remove(job)
            self._extracted(job)
        while self._waiting and self._pool.has_room:
            self._submit(heapq.heappop(self._waiting)[-1])
        if self._unacknowledged and time.monotonic() >= self._sync_due:
            self._acknowledge()

    def finish(self) -> None:
        """Wait for every page, and acknowledge everything."""
        while self._waiting or self._extracting:
            wait([job.future for job in self._extracting if job.future], _ACK_AFTER, FIRST_COMPLETED)
            self.advance()
        self._acknowledge()

    # From exchanges to records

    def _record(self, fetched: Fetched) -> tuple[Snapshot | None, Outcome]:
        via = fetched.target.via
        snapshot = None
        last = len(fetched.exchanges) - 1
        for number, exchange in enumerate(fetched.exchanges):
            snapshot = self._session.add(exchange, page=number == last and self._is_page(fetched), via=via)
            via = exchange.url
        return snapshot, _outcome(fetched, snapshot)

    @staticmethod
    def _is_page(fetched: Fetched) -> bool:
        """A target's last response is a page unless it is a tombstone or a redirect that led nowhere."""
        return bool(fetched.exchanges) and (
            200 <= fetched.exchanges[-1].status < 300 or fetched.exchanges[-1].status == 304
        )

    @staticmethod
    def _has_text(snapshot: Snapshot) -> bool:
        return snapshot.mime in EXTRACTABLE

    def _unchanged(self, snapshot: Snapshot, outcome: Outcome) -> None:
        self._session.add_document(_document(snapshot, same_as=snapshot.payload.record_id))
        self._conclude(outcome)

    # From pages to documents

    def _queue(self, job: _Job, exchange: Exchange) -> None:
        if self._held < _HELD_BODIES or not self._waiting:
            with exchange.response.open() as stream:
                _, _ = read_head(stream, exchange.head_length)
                head = Head(exchange.status, "", exchange.headers, exchange.head_length)
                job.page = self._page(job, exchange.url, head, read_entity(stream, head))
                if job.page is None:
                    return
            self._held += len(job.page.body)
        self._wait(job)

    def _wait(self, job: _Job) -> None:
        size = self._session.snapshot(job.record_id).record.length
        heapq.heappush(self._waiting, (-size, next(self._order), job))

    def _page(self, job: _Job, url: str, head: Head, entity: Iterable[bytes]) -> Page | None:
        """A page's body with its content codings undone; a body that cannot be ends the job with a named outcome."""
        try:
            body = b"".join(decoded(entity, head.header("Content-Encoding"), self._decoded_limit))
        except EntityTooLarge as error:
            self._ended(job, Verdict("decoded-too-large", f"{error}; it is archived, its text is not extracted"))
        except EntityError as error:
            self._ended(job, Verdict("undecodable", f"{error}; it is archived, its text is not extracted"))
        else:
            return Page(url, body, head.header("Content-Type"))
        return None

    def _submit(self, job: _Job) -> None:
        if job.page is None:
            job.page = self._reread(job)
            if job.page is None:
                return
        else:
            self._held -= len(job.page.body)
        job.future = self._pool.submit(job.page)
        job.page = None
        self._extracting.append(job)

    def _reread(self, job: _Job) -> Page | None:
        self._session.checkpoint()
        snapshot = self._session.snapshot(job.record_id)
        try:
            head, _, entity = self._session.read(snapshot.record).http()
            return self._page(job, snapshot.url, head, entity)
        except ArchiveError as error:
            self._ended(job, Verdict("extraction-failed", str(error)))
            return None

    def _extracted(self, job: _Job) -> None:
        assert job.future is not None, "only submitted jobs are extracting"
        done = extracted(job.future)
        self._ended(job, done.verdict, done.article)

    def _ended(self, job: _Job, verdict: Verdict, article: Article | None = None) -> None:
        """Write a page's document, with its text or without, and conclude its target."""
        snapshot = self._session.snapshot(job.record_id)
        self._session.add_document(_document(snapshot, article=article))
        if job.outcome is None:
            return
        outcome = replace(job.outcome, title=article.title if article else None)
        if outcome.ok and not verdict.ok:
            outcome = replace(outcome, outcome=verdict.name, error=verdict.error)
        self._conclude(outcome)

    # From records to acknowledgements

    def _conclude(self, outcome: Outcome) -> None:
        if not self._unacknowledged:
            self._sync_due = time.monotonic() + max(_ACK_AFTER, _SYNC_SHARE * self._sync_cost)
        self._unacknowledged.append((outcome, self._session.add_outcome(outcome)))

    def _acknowledge(self) -> None:
        """One fsync for all outcomes that wait: only then are they told to anyone."""
        begun = time.monotonic()
        self._session.checkpoint()
        self._sync_cost = time.monotonic() - begun
        acknowledged, self._unacknowledged = self._unacknowledged, []
        for outcome, line in acknowledged:
            self._report(outcome, line)


def _done(job: _Job) -> bool:
    return job.future is not None and job.future.done()


def _document(snapshot: Snapshot, *, article: Article | None = None, same_as: str | None = None) -> Document:
    return Document(
        url=snapshot.url,
        timestamp=snapshot.timestamp,
        record_id=snapshot.record_id,
        payload_digest=snapshot.digest,
        key=snapshot.record.key,
        offset=snapshot.record.offset,
        article=article or Article(title=snapshot.title),
        same_as=same_as,
    )


def _outcome(fetched: Fetched, snapshot: Snapshot | None) -> Outcome:
    outcome = Outcome(
        url=fetched.target.url,
        outcome=fetched.verdict.name,
        timestamp=iso(snapshot.timestamp if snapshot else now()),
        error=fetched.verdict.error,
    )
    if snapshot is None:
        return outcome
    return replace(
        outcome,
        status=snapshot.status,
        mime=snapshot.mime,
        digest=snapshot.digest,
        revisit=snapshot.revisit,
        record_id=snapshot.record_id,
        key=snapshot.record.key,
        offset=snapshot.record.offset,
        length=snapshot.record.length,
        title=snapshot.title,
        final_url=snapshot.url if len(fetched.exchanges) > 1 else None,
        notes=fetched.exchanges[-1].notes,
    )
