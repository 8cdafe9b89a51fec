"""Archives of other programs, from top to bottom: each file becomes a run, its records as they were.

What cannot be taken is named with its place and left out; what is in the archive already is passed over. A file is one
run, so that it is in or not; one that was killed half-way is published as far as it came, and the rest comes in when it
is imported again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from archive.archive import Archive, UnguardedReader
from archive.errors import FormatError
from archive.importers import (
    Capture,
    Container,
    Fault,
    ForeignRecord,
    Plain,
    Refers,
    capture_of,
    date_of,
    digest_of_record,
    identified,
    opened,
    pieces,
    read_records,
)
from archive.model import Outcome, RecordRef, Reference, Snapshot
from archive.runs import RunSettings, Session
from archive.times import iso, now
from pipeline.crawl.scope import Rules
from pipeline.extract.extractor_pool import ExtractorPool
from pipeline.extract.tasks import EXTRACTABLE
from pipeline.ingest.capture_run import RunResult, committed
from pipeline.ingest.recording import Writing
from pipeline.version import software

_CHECKPOINT = 1_000  # records that share an fsync
_DECODED = 100_000_000  # bytes of a page after its content codings are undone

Told = Callable[["Left"], None]


@dataclass(frozen=True, slots=True)
class Left:
    """Something of a file that was not taken, or is odd: the part of the file, the byte in it, and why."""

    file: str
    part: str
    offset: int | None
    reason: str
    taken: bool = False  # all the same

    @property
    def place(self) -> str:
        """Where it is, in words."""
        at = f" at byte {self.offset:,}" if self.offset is not None else ""
        return f"{self.file}{f' {self.part}' if self.part else ''}{at}"


@dataclass(slots=True)
class Imported:
    """What became of a file: how many records came in, captures among them, were there already, or were left out."""

    file: str
    records: int = 0
    captures: int = 0
    pages: int = 0
    already: int = 0
    left: int = 0
    notes: int = 0
    result: RunResult | None = None

    @property
    def run(self) -> str | None:
        """The run that holds the file's records, when there was anything new in it."""
        return self.result.run if self.result and self.result.manifest else None


def import_file(archive: Archive, path: Path, told: Told, pool: ExtractorPool | None) -> Imported:
    """Bring a WACZ, WARC or ARC file in; `told` is given each thing that was left out, or is odd.

    Without a pool no texts are made. Raises FormatError for what is no archive, OSError, StoreError.
    """
    with opened(path) as (container, package):
        origin = {"imported": path.name, "imported-sha256": _sha256(path), "imported-bytes": path.stat().st_size}
        settings = RunSettings(software(), None, dict(origin))
        with closing(archive.session(settings)) as session:
            work = _Importing(archive, session, path.name, told, container)
            for flaw in container.flaws:
                work.leave(flaw.part, None, flaw.reason, taken=flaw.taken)
            for part in container.parts:
                work.part(part, pieces(path, package, part))
            return work.finish(pool, str(origin["imported-sha256"]))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(slots=True)
class _Known:
    """What the captures of this file are found by when a revisit refers to one."""

    by_id: dict[str, Snapshot] = field(default_factory=dict)
    by_place: dict[tuple[str, datetime], Snapshot] = field(default_factory=dict)
    by_digest: dict[str, Snapshot] = field(default_factory=dict)  # as the file writes it

    def note(self, snapshot: Snapshot, digest: str | None) -> None:
        """Know a capture, and the digest that its record names."""
        self.by_id.setdefault(snapshot.record_id, snapshot)
        self.by_place.setdefault((snapshot.url, snapshot.timestamp), snapshot)
        if digest:
            self.by_digest.setdefault(digest.strip(), snapshot)


class _Importing:
    def __init__(self, archive: Archive, session: Session, file: str, told: Told, container: Container) -> None:
        self._archive = archive.unguarded()  # it is compared with what is kept, and shows nothing
        self._session = session
        self._told = told
        self._pages_named = container.pages
        self._is_empty = archive.run_count() == 0
        self._done = Imported(file)
        self._known = _Known()
        self._there: set[str] = set()  # ids of records that were in the archive already
        self._ids: dict[str, str] = {}  # ids of records, and what each holds
        self._taken: set[str] = set()
        self._revisits: list[tuple[Capture, RecordRef, str, int]] = []
        self._pages: list[str] = []
        self._infos = 0  # records about files

    def leave(self, part: str, offset: int | None, reason: str, *, taken: bool = False) -> None:
        """Tell of something that is left out, or odd; what is left out is an outcome of the run."""
        left = Left(self._done.file, part, offset, reason, taken)
        if taken:
            self._done.notes += 1
        else:
            self._done.left += 1
            outcome = Outcome(
                self._done.file, "not-imported", iso(now()), error=f"{left.place}: {reason}", role="record"
            )
            self._session.add_outcome(outcome)
        self._told(left)

    def part(self, part: str, data: Iterator[bytes]) -> None:
        """Take the records of one file of records."""
        try:
            for found in read_records(Plain(data), self._session.work):
                if isinstance(found, Fault):
                    self.leave(part, found.offset, found.reason)
                    continue
                try:
                    self._record(part, found)
                finally:
                    found.block.discard()
                if self._done.records % _CHECKPOINT == 0:
                    self._session.checkpoint()
        except FormatError as error:
            self.leave(part, None, str(error))

    def _record(self, part: str, record: ForeignRecord) -> None:
        record = identified(record)
        digest = digest_of_record(record)
        same = self._ids.setdefault(record.record_id, digest)
        capture = capture_of(record)
        if same != digest:  # nothing is lost, but what is looked up by its id must be one
            why = f"another record of the file has its id, {record.record_id}; it is kept, and cannot be shown"
            self.leave(part, record.offset, why, taken=True)
            capture = None
        elif self._seen(record.record_id):
            self._done.already += 1
            return
        if isinstance(capture, str):
            self.leave(part, record.offset, f"{record.record_id}: {capture}")
            return
        if self._is_there(record, capture):
            return
        for note in (*record.notes, *(capture.notes if capture else ())):
            if not note.startswith("a record of an ARC"):
                self.leave(part, record.offset, f"{record.record_id}: {note}", taken=True)
        ref = self._session.add_foreign(record.head, record.block)
        self._done.records += 1
        self._infos += record.kind == "warcinfo"
        if capture is None:
            return
        if capture.refers is not None:
            self._revisits.append((capture, ref, part, record.offset))
            return
        self._index(replace(capture.snapshot, record=ref, run=self._session.run), record)

    def _seen(self, record_id: str) -> bool:
        """Whether the very record came before in this file."""
        if record_id in self._taken:
            return True
        self._taken.add(record_id)
        return False

    def _index(self, snapshot: Snapshot, record: ForeignRecord) -> None:
        named = self._pages_named is None or snapshot.url in self._pages_named
        page = named and record.kind == "response" and snapshot.mime in EXTRACTABLE and snapshot.status < 300
        self._session.index(snapshot, page=page)
        self._known.note(snapshot, record.header("WARC-Payload-Digest"))
        self._done.captures += 1
        if page:
            self._pages.append(snapshot.record_id)

    def _is_there(self, record: ForeignRecord, capture: Capture | None) -> bool:
        """Whether the archive holds a record, or what a record is about."""
        if self._is_empty:
            return False
        if capture is None:
            about = record.header("WARC-Concurrent-To") or record.header("WARC-Refers-To") or ""
            return about in self._there
        snapshot = capture.snapshot
        at = snapshot.timestamp
        for found in self._archive.snapshots(snapshot.url, start=at, end=at):
            if found.record_id == snapshot.record_id:
                self._there.add(found.record_id)
                self._known.note(found, record.header("WARC-Payload-Digest"))
                self._done.already += 1
                return True
        return False

    def _resolve(self, capture: Capture, refers: Refers) -> Snapshot | None:
        """The capture that holds a revisit's payload: of this file, else of the archive."""
        known = self._known
        found = known.by_id.get(refers.record_id or "")
        date = date_of(refers.date)
        if found is None and isinstance(date, datetime):
            found = known.by_place.get((refers.url, date)) or self._kept(refers.url, date, None)
        if found is None and refers.digest:
            found = known.by_digest.get(refers.digest.strip())
            found = found or self._kept(refers.url, capture.snapshot.timestamp, refers.digest.strip())
        return found

    def _kept(self, url: str, at: datetime, digest: str | None) -> Snapshot | None:
        """A capture of the archive: the one of a time, or the newest one before it with a payload."""
        if self._is_empty:
            return None
        if digest is None:
            return next((it for it in self._archive.snapshots(url, start=at, end=at) if not it.revisit), None)
        return next((it for it in self._archive.back(url, at) if it.digest == digest and not it.revisit), None)

    def _orphans(self) -> None:
        """Index the revisits, whose payload may lie behind them in the file."""
        for capture, ref, part, offset in self._revisits:
            assert capture.refers is not None, "only revisits wait"
            original = self._resolve(capture, capture.refers)
            snapshot = capture.snapshot
            if original is None:
                why = "what it refers to is not here: it is kept, and cannot be shown"
                self.leave(part, offset, f"{snapshot.record_id}: {why}", taken=True)
                continue
            payload: Reference = original.payload
            self._session.index(
                replace(
                    snapshot, record=ref, run=self._session.run, refers_to=payload, digest=original.digest,
                    mime=original.mime, title=original.title, document=original.document,
                    availability=original.availability,
                ),
                page=False,
            )  # fmt: skip
            self._done.captures += 1

    def _nothing_new(self, sha256: str) -> bool:
        """Whether all there was is in the archive: captures are looked up, a file without any by its digest."""
        if self._done.captures:
            return False
        about_files = self._done.already > 0 and self._done.records == self._infos
        return about_files or not self._done.records or _was_imported(self._archive, sha256)

    def finish(self, pool: ExtractorPool | None, sha256: str) -> Imported:
        """Make the texts and commit the run; leave nothing where nothing was new."""
        self._orphans()
        if self._nothing_new(sha256):
            self._session.discard()
            self._done.already = self._done.already or self._done.records
            self._done.records = 0
            return self._done
        self._session.checkpoint()
        if pool is not None:
            self._done.pages = len(self._pages)
            writing = Writing(self._session, pool, None, lambda *_: None, Rules(requisites=False), _DECODED)
            for record_id in self._pages:
                writing.resume(self._session.snapshot(record_id))
                writing.advance()
            writing.finish()
        self._done.result = committed(self._session)
        return self._done


def _was_imported(archive: UnguardedReader, sha256: str) -> bool:
    """Whether a run's manifest says that it is the file of this digest."""
    return any(sha256.encode() in archive.manifest_bytes(run) for run in archive.runs())
