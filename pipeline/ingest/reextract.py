"""The whole archive's texts made again, from its WARC files, as a run of its own that supersedes the old documents.

Nothing that was committed is touched: the run's index has a line for each page whose text it made, which names the new
document, and readers take the newest line. Texts are written in the order of the pages, wherever they were made.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, replace

from archive.archive import Archive, UnguardedReader
from archive.errors import ArchiveError, EntityError, EntityTooLarge, IntegrityError
from archive.formats import at_capture
from archive.model import TEXT_INCOMPLETE, Article, Document, Outcome, Reference, Snapshot, Verdict
from archive.object_keys import is_foreign
from archive.runs import RunSettings, Session
from archive.times import iso
from archive.warc import decoded
from pipeline.extract.extractor_pool import Extracted, Extractors, extracted
from pipeline.extract.tasks import BEGINNING, MAYBE_PAGES, Page, Reading, holds_text, may_hold_text
from pipeline.ingest.capture_run import RunResult, committed
from pipeline.ingest.documents import Documents
from storage.errors import ObjectMissing

_WINDOW = 64  # pages that are read, or wait to be, at once
_CHECKPOINT = 100  # pages whose texts share an fsync

Told = Callable[[Outcome, bytes], None]


@dataclass(frozen=True, slots=True)
class AgainOptions:
    """Which texts are made again, and how."""

    run: RunSettings
    extractor: str  # texts of this version are left alone
    everything: bool = False  # they are not
    only: frozenset[str] = frozenset()  # runs; all when empty
    decoded_limit: int = 100_000_000  # bytes of a page after its content codings are undone


def extract_again(archive: Archive, pool: Extractors, options: AgainOptions, told: Told) -> RunResult:
    """Make texts again into a new run; `told` is given each page's outcome and its line, once it is durable.

    Raises StoreError when the spool or the store fails; what was made until then is published by the next invocation.
    """
    archive.require()
    with closing(archive.session(options.run)) as session:
        again = _Again(archive.unguarded(), session, pool, options, told)
        runs = [run for run in archive.runs() if not options.only or run in options.only]
        for run in runs:
            again.texts(run)
        for run in runs:
            again.revisits(run)
        return committed(session)


@dataclass(frozen=True, slots=True)
class _Page:
    """A page that is read, or cannot be; in place of its payload, what scripts made of it, where that was kept."""

    snapshot: Snapshot
    rendered: Reference | None
    reading: Future[Reading] | Verdict
    notes: tuple[str, ...] = ()  # what its Content-Encoding says and the body is not


class _Again:
    def __init__(
        self, archive: UnguardedReader, session: Session, pool: Extractors, options: AgainOptions, told: Told
    ) -> None:
        self._archive = archive
        self._session = session
        self._pool = pool
        self._options = options
        self._told = told
        self._window: deque[_Page] = deque()
        self._unacknowledged: list[tuple[Outcome, bytes]] = []
        self._read: set[int] = set()  # hashes of the places of captures that have a text of their own

    def texts(self, run: str) -> None:
        """Make the texts of one run's pages again."""
        captured: dict[str, str] = {}
        documents = Documents(self._session.add_document, captured.get)
        wanted = {document.place: document for document in self._documents(run)}
        self._read.update(map(hash, wanted))
        drawn = {each.url: each.payload for each in self._captures(run) if each.url.startswith("urn:dom:")}
        for snapshot in self._captures(run):
            captured[snapshot.url] = snapshot.record_id
            document = wanted.get(snapshot.place)
            if not may_hold_text(snapshot.mime) or (document is None and not self._has_none(snapshot)):
                continue
            if not self._is_current(snapshot, document.article.extractor if document else None):
                self._submit(snapshot, document.rendered if document else drawn.get(f"urn:dom:{snapshot.url}"))
                while len(self._window) >= _WINDOW:
                    self._write(documents)
        while self._window:
            self._write(documents)
        documents.finish()
        self._acknowledge()

    def revisits(self, run: str) -> None:
        """Give the revisits of pages whose texts were made again the new documents."""
        for snapshot in self._captures(run):
            if snapshot.refers_to is None or hash(snapshot.place) in self._read:
                continue
            if snapshot.document is None and not self._options.only:
                continue
            made = self._current(snapshot.refers_to.url, snapshot.refers_to.record.place)
            mine = self._current(snapshot.url, snapshot.place)
            if made and mine and made.document and made.document != mine.document:
                self._session.adopt(snapshot, made)
        self._session.checkpoint()

    def _documents(self, run: str) -> Iterator[Document]:
        """Yield the documents of a run whose captures are its own, and which hold a text or could hold one."""
        for document in self._archive.documents_of(run):
            if document.same_as is None and document.key.startswith(f"runs/{run}/"):
                yield document

    def _captures(self, run: str) -> Iterator[Snapshot]:
        try:
            yield from (snapshot for snapshot in self._archive.captures_of(run) if snapshot.run == run)
        except ObjectMissing as error:
            raise IntegrityError(f"the index of run {run} is missing; run `onrecord verify`") from error

    def _has_none(self, snapshot: Snapshot) -> bool:
        """Return whether a page of a file that was imported has no document: asked of runs that are named."""
        asked = self._options.only and is_foreign(snapshot.record.key) and snapshot.refers_to is None
        return bool(asked) and snapshot.url.startswith("http") and 200 <= snapshot.status < 300

    def _is_current(self, snapshot: Snapshot, extractor: str | None) -> bool:
        """Whether the newest text of a page is of this very extractor, whichever run made it."""
        if self._options.everything:
            return False
        if extractor == self._options.extractor:
            return True
        newest = self._current(snapshot.url, snapshot.place)
        if newest is None or newest.document is None or newest.document == snapshot.document:
            return False
        document = self._archive.document(newest)
        return document is not None and document.article.extractor == self._options.extractor

    def _current(self, url: str, place: str) -> Snapshot | None:
        """Return a capture as it stands now, with its newest document: in this run, else in the archive."""
        if self._session.holds(place):
            return self._session.snapshot(place)
        return next((found for found in self._archive.snapshots(url) if found.place == place), None)

    def _submit(self, snapshot: Snapshot, rendered: Reference | None) -> None:
        notes: list[str] = []
        try:
            head, _, entity = self._archive.page_body(snapshot, rendered)
            pieces = decoded(entity, head.content_encoding, self._options.decoded_limit, notes.append)
            body = _body(pieces, snapshot.mime, rendered)
            if body is None:
                return
        except EntityTooLarge as error:
            self._window.append(_Page(snapshot, rendered, Verdict("decoded-too-large", str(error))))
        except EntityError as error:
            self._window.append(_Page(snapshot, rendered, Verdict("undecodable", str(error))))
        except ArchiveError as error:
            self._window.append(_Page(snapshot, rendered, Verdict("extraction-failed", str(error))))
        else:
            kind, beside = head.header("Content-Type"), rendered is not None
            page = Page(snapshot.url, body, kind, status=head.status, headers=head.headers, rendered=beside)
            self._window.append(_Page(snapshot, rendered, self._pool.submit(page), tuple(notes)))

    def _write(self, documents: Documents) -> None:
        page = self._window.popleft()
        snapshot = page.snapshot
        done = Extracted(None, page.reading) if isinstance(page.reading, Verdict) else extracted(page.reading)
        if done.article is None and done.verdict.ok:
            return  # XML that is no page
        if done.article is not None and (done.verdict.ok or self._adds(snapshot, done.article)):
            if page.rendered and (dom := self._current(page.rendered.url, page.rendered.record.place)):
                self._session.adopt(dom, dom)  # before its page: whoever takes this up must read the same
            self._session.adopt(snapshot)
            documents.add(self._session.snapshot(snapshot.place), done.article, page.rendered)
        outcome = _outcome(snapshot, done, page.notes)
        self._unacknowledged.append((outcome, self._session.add_outcome(outcome)))
        if len(self._unacknowledged) >= _CHECKPOINT:
            self._acknowledge()

    def _adds(self, snapshot: Snapshot, article: Article) -> bool:
        """Whether an article that lacks a part is still more than what the archive has of a page."""
        newest = self._current(snapshot.url, snapshot.place)
        document = self._archive.document(newest) if newest is not None and newest.document is not None else None
        return bool(article.text) and (document is None or not document.article.text)

    def _acknowledge(self) -> None:
        self._session.checkpoint()
        acknowledged, self._unacknowledged = self._unacknowledged, []
        for outcome, line in acknowledged:
            self._told(outcome, line)


def _body(pieces: Iterator[bytes], mime: str, rendered: Reference | None) -> bytes | None:
    """Return a body whole.

    None, read no further than it takes to know that, where it is none that is read for a text.
    """
    beginning = bytearray()
    try:
        for piece in pieces:
            beginning += piece
            if len(beginning) >= BEGINNING:
                break
    except EntityError:
        if mime not in MAYBE_PAGES and not holds_text(mime, bytes(beginning[:BEGINNING])):
            return None
        raise
    if rendered is None and not holds_text(mime, bytes(beginning[:BEGINNING])):
        return None
    return bytes(beginning) + b"".join(pieces)


def _outcome(snapshot: Snapshot, done: Extracted, coding: tuple[str, ...]) -> Outcome:
    outcome = at_capture(Outcome(snapshot.url, done.verdict.name, iso(snapshot.timestamp)), snapshot)
    title = done.article.title if done.article else snapshot.title
    notes = (*outcome.notes, *coding, *(done.reading.notes if done.reading else ()))
    outcome = replace(outcome, title=title, error=done.verdict.error, role="text", notes=notes)
    if done.verdict.ok and done.reading and done.reading.lacks:
        outcome = replace(outcome, outcome=TEXT_INCOMPLETE, error=done.reading.lacks)
    return outcome
