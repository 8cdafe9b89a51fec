"""Bodies on their way through the workers: as many at once as there is room for, the rest waiting, mostly on disk."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Protocol

from archive.errors import ArchiveError, EntityError, EntityTooLarge
from archive.model import Exchange, Outcome, Snapshot, Target, Verdict
from archive.runs import Session
from archive.warc import Head, decoded, entity_of
from pipeline.crawl.robots_gate import RobotsAnswer
from pipeline.discover.outlinks import MOST
from pipeline.extract.extractor_pool import Extracted, Extractors, extracted
from pipeline.extract.tasks import Page, Reading, Task
from pipeline.extract.worker_pool import Allowance
from storage.errors import StoreError

_HELD_BODIES = 64 << 20  # bytes of bodies held for the workers; beyond it they are read from the archive again
_NO_WORK = "no work is left that a file of this size allows"
_BAD = "{}; it is archived, its text is not extracted"


@dataclass(slots=True)
class Job:
    """A body on its way to being read; `outcome` is concluded when it was, None when that was done before."""

    place: str  # of the capture that is read
    target: Target
    task: Task
    outcome: Outcome | None = None
    page: Page | None = None
    future: Future[Reading] | None = None
    robots: RobotsAnswer | None = None  # of a robots.txt that is read for its sitemaps
    rendered: str | None = None  # the place of what scripts made of the page, whose body is read instead
    notes: tuple[str, ...] = ()  # what its Content-Encoding says and the body is not
    allowance: Allowance | None = None


Done = tuple[Job, Extracted]


class Bounds(Protocol):
    """How much of pages is read in all."""

    def may_read(self) -> int:
        """Return how many bytes of a page may be read."""

    def has_read(self, body: bytes | None) -> None:
        """Know what was read of a page; None where it was too large."""

    def allow(self) -> Allowance | None:
        """Set apart the work that the next page may take; None while other pages hold what is left."""

    def worked(self, allowance: Allowance) -> None:
        """Take back what a page did not use."""


class Jobs:
    """What waits for the workers, and what they are at. Not for use by two threads at once."""

    def __init__(
        self,
        session: Session,
        pool: Extractors,
        decoded_limit: int,
        *,
        in_order: bool,
        most: int = MOST,
        bounds: Bounds | None = None,
    ) -> None:
        """`most` is how many links of one kind are taken from a body."""
        self._bounds = bounds
        self._session = session
        self._pool = pool
        self._decoded_limit = decoded_limit
        self._in_order = in_order
        self._most = most
        # Where nothing waits for what is found, the largest first, so that none is begun when the others are through.
        self._waiting: list[tuple[int, int, Job]] = []
        self._order = itertools.count()
        self._extracting: list[Job] = []  # few: the pool says when it has room
        self._failed: list[Done] = []
        self._held = 0  # bytes of the waiting bodies

    def add(self, job: Job, exchange: Exchange | None = None) -> None:
        """Let a job wait for its turn; with the exchange that brought it, its body need not be read again."""
        snapshot = self._session.snapshot(job.place)
        if (
            exchange is not None
            and exchange.status != 304
            and not job.rendered
            and (self._held < _HELD_BODIES or not self._waiting)
        ):
            with exchange.response.open() as stream:
                job.page = self._page(job, snapshot, *entity_of(exchange, stream))
            if job.page is None:
                return
            self._held += len(job.page.body)
        rank = 0 if self._in_order else -snapshot.record.length
        heapq.heappush(self._waiting, (rank, next(self._order), job))

    def advance(self) -> Iterator[Done]:
        """Move on as far as it goes without waiting; yields what is done."""
        while self._waiting and self._pool.has_room:
            allowance = self._bounds.allow() if self._bounds else None
            if self._bounds and allowance is None:
                break
            job = heapq.heappop(self._waiting)[-1]
            if allowance is not None and not allowance.seconds:
                self._failed.append((job, Extracted(None, Verdict("too-much-work", _NO_WORK))))
                continue
            if job.page is None:
                job.page = self._reread(job)
            else:
                self._held -= len(job.page.body)
            if job.page is not None:
                job.allowance = allowance
                job.future = self._pool.submit(job.page, allowance)
                job.page = None
                self._extracting.append(job)
            elif self._bounds and allowance is not None:
                self._bounds.worked(allowance)
        finished, self._failed = self._failed, []
        yield from finished
        for job in [job for job in self._extracting if job.future and job.future.done()]:
            self._extracting.remove(job)
            assert job.future is not None, "only submitted jobs are extracting"
            done = extracted(job.future)
            if self._bounds and job.allowance is not None:
                self._bounds.worked(job.allowance)
            yield job, done

    def wait(self, seconds: float) -> bool:
        """Wait for something to be done; whether anything is left."""
        if self._extracting and not self._failed:
            wait([job.future for job in self._extracting if job.future], seconds, FIRST_COMPLETED)
        return bool(self._waiting or self._extracting or self._failed)

    def _reread(self, job: Job) -> Page | None:
        snapshot = self._session.snapshot(job.rendered or job.place)
        try:
            head, _, entity = self._session.payload(snapshot).http()
            return self._page(job, self._session.snapshot(job.place), head, entity)
        except (ArchiveError, StoreError) as error:
            self._failed.append((job, Extracted(None, Verdict("extraction-failed", str(error)))))
            return None

    def _page(self, job: Job, snapshot: Snapshot, head: Head, entity: Iterable[bytes]) -> Page | None:
        """Return a body with its content codings undone; one that cannot be ends the job with a named outcome."""
        notes: list[str] = []
        limit, body = self._decoded_limit, None
        if self._bounds is not None:
            limit = max(min(limit, self._bounds.may_read()), 1)
        try:
            body = b"".join(decoded(entity, head.content_encoding, limit, notes.append))
        except EntityTooLarge as error:
            self._failed.append((job, Extracted(None, Verdict("decoded-too-large", _BAD.format(error)))))
        except EntityError as error:
            self._failed.append((job, Extracted(None, Verdict("undecodable", _BAD.format(error)))))
        else:
            job.notes = tuple(notes)
            status, headers, rendered = head.status, head.headers, job.rendered is not None
            kind = head.header("Content-Type")
            return Page(snapshot.url, body, kind, job.task, self._most, status, headers, rendered)
        finally:
            if self._bounds is not None:
                self._bounds.has_read(body)
        return None
