"""Archives of other programs, from top to bottom: each file becomes a run, its records as they were.

What cannot be taken is named with its place and left out; what is in the archive already is passed over. A file is one
run, so that it is in or not; one that was killed half-way is published as far as it came, and the rest comes in when it
is imported again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from archive.archive import Archive, UnguardedReader
from archive.errors import FormatError
from archive.importers import (
    Capture,
    Container,
    Fault,
    ForeignRecord,
    KeptCaptures,
    KeptRecords,
    Known,
    NotShown,
    Refers,
    capture_of,
    digest_of_record,
    identified,
    is_base,
    most_records,
    opened,
    records_of,
    said_in,
)
from archive.model import RecordRef, Reference, Snapshot
from archive.runs import RunSettings, Session
from pipeline.extract.extractor_pool import ExtractorPool
from pipeline.ingest.answers import standing_in
from pipeline.ingest.capture_run import committed
from pipeline.ingest.import_flaws import Flaws, Told
from pipeline.ingest.import_pages import NamedPages, Renditions, is_browser_text, may_be_page
from pipeline.ingest.import_result import Imported
from pipeline.ingest.import_room import TOO_LARGE, TOO_MUCH, Room
from pipeline.ingest.import_texts import ImportedTexts
from pipeline.ingest.recording import Report
from pipeline.version import software

_CHECKPOINT = 1_000  # records that share an fsync
_COMPARED = 100  # records of one id that a record is compared with


def import_file(
    archive: Archive,
    path: Path,
    told: Told,
    pool: ExtractorPool | None,
    *,
    listed_only: bool = False,
    report: Report = lambda *_: None,
    said: Mapping[str, str] = MappingProxyType({}),
) -> Imported:
    """Bring a WACZ, WARC or ARC file in; `told` is given each thing that was left out, or is odd.

    Without a pool no texts are made; with `listed_only`, of what a WACZ lists as its pages alone. `report` is given the
    outcome of each page whose text is incomplete or could not be made; `said` is kept in the run's manifest.
    Raises FormatError for what is no archive, OSError, StoreError.
    """
    with opened(path) as container:
        origin = {"imported": path.name, "imported-sha256": _sha256(path), "imported-bytes": path.stat().st_size}
        origin |= {f"imported-{what}": result for what, result in container.checked.items()}
        settings = RunSettings(software(), None, {**origin, **said})
        with closing(archive.session(settings)) as session:
            work = _Importing(archive, session, path, told, container, listed_only=listed_only)
            work.flaws.of_container(container.flaws)
            for part in container.parts:
                work.part(path, container, part)
            work.about(said_in(path, container))
            work.done.checked = dict(container.checked)
            return work.finish(pool, report, str(origin["imported-sha256"]))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Importing:
    def __init__(
        self, archive: Archive, session: Session, path: Path, told: Told, container: Container, *, listed_only: bool
    ) -> None:
        self._archive = archive.unguarded()  # it is compared with what is kept, and shows nothing
        self._session = session
        # The page of an MHTML file is its one page; a WACZ may list few of its own.
        self._named = NamedPages(container.pages if listed_only or container.kinds else None)
        self._is_empty = archive.run_count() == 0
        self.done = Imported(path.name)
        self._known = Known()
        size = path.stat().st_size
        self.flaws = Flaws(path.name, size, session, told)
        self._most_records = most_records(size)
        self._room = Room(size)
        self._kept_records = KeptRecords(self._archive.stores.view, size)
        self._kept_captures = KeptCaptures(lambda url, at: self._archive.snapshots(url, start=at, end=at))
        self._there: dict[str, str] = {}  # ids of records that were in the archive already, and the object they lie in
        self._ids: set[str] = set()  # of records,
        self._digests: set[str] = set()  # and of what each of them holds
        self._revisits: list[tuple[Capture, RecordRef, str, int]] = []
        self._pages: list[str] = []
        self._renditions = Renditions()
        self._infos = 0  # records about files

    def part(self, path: Path, container: Container, part: str) -> None:
        """Take the records of one part of a file."""
        try:
            for found in records_of(path, container, part, self._session.work, max(self._most_records, 0)):
                self._most_records -= 1
                if self._room.is_full:
                    if isinstance(found, ForeignRecord):
                        found.block.discard()
                    self.flaws.add(part, found.offset, TOO_MUCH)
                    break
                if isinstance(found, Fault):
                    self.flaws.add(part, found.offset, found.reason)
                    continue
                try:
                    if self._room.holds(found):
                        self._record(part, found)
                    else:
                        self.flaws.add(part, found.offset, TOO_LARGE)
                finally:
                    found.block.discard()
                if self.done.records % _CHECKPOINT == 0:
                    self._session.checkpoint()
        except FormatError as error:
            self.flaws.add(part, None, str(error))
        self.flaws.end(part)

    def about(self, records: Iterator[ForeignRecord]) -> None:
        """Take what the file says of its records."""
        for record in islice(records, max(self._most_records, 0)):
            before = self.done.records
            self._record("", record)
            self._infos += self.done.records - before

    def _record(self, part: str, record: ForeignRecord) -> None:
        record = identified(record)
        digest = digest_of_record(record)
        if digest in self._digests:
            self.done.already += 1
            return
        clashes = record.record_id in self._ids
        self._digests.add(digest)
        self._ids.add(record.record_id)
        capture = capture_of(record)
        if isinstance(capture, NotShown):
            why = f"{record.record_id}: {capture.reason}; it is kept, and cannot be shown"
            self.flaws.add(part, record.offset, why, taken=True)
            capture = None
        there = self._compared(record, capture, part)
        if there is None:
            return
        if clashes or there:
            why = f"another record has its id, {record.record_id}, and other bytes; this one is kept beside it"
            self.flaws.add(part, record.offset, why, taken=True, clashes=True)
        for note in (*record.notes, *(capture.notes if capture else ())):
            if not note.startswith("a record of an ARC"):
                self.flaws.add(part, record.offset, f"{record.record_id}: {note}", taken=True)
        ref = self._session.add_foreign(record.head, record.block)
        self._room.take(record, ref.length)
        self.done.records += 1
        self._infos += record.kind == "warcinfo"
        if capture is None:
            return
        if capture.refers is not None:
            self._revisits.append((capture, ref, part, record.offset))
            return
        wall = standing_in(capture.exchange, page=True) if capture.exchange else None
        snapshot = replace(capture.snapshot, record=ref, run=self._session.run)
        self._index(replace(snapshot, availability=wall[0] if wall else None), record)

    def _index(self, snapshot: Snapshot, record: ForeignRecord) -> None:
        self._renditions.note(snapshot, record)
        self._known.note(snapshot, record.header("WARC-Payload-Digest"))
        self._named.note(snapshot)
        self.done.captures += 1
        page = may_be_page(record, snapshot)
        if page and not is_browser_text(record, snapshot) and not self._named.names(snapshot.url):
            self._named.wait(snapshot)
            return
        self._take(snapshot, page)

    def _take(self, snapshot: Snapshot, page: bool) -> None:
        self._session.index(snapshot, page=page)
        if page:
            self._pages.append(snapshot.place)

    def _compared(self, record: ForeignRecord, capture: Capture | None, part: str) -> bool | None:
        """Whether the archive holds a capture of a record's id with other bytes; None where the record stays out.

        It stays out where the archive holds its very bytes, and where a capture of its id was redacted.
        """
        if self._is_empty:
            return False
        if capture is None:
            about = record.header("WARC-Concurrent-To") or record.header("WARC-Refers-To") or ""
            key = self._there.get(about)
            return None if key and self._kept_records.beside(key, record) else False
        found = self._kept_captures.like(capture.snapshot)
        for each in found[:_COMPARED]:
            if each.withheld:
                why = f"the archive's capture of that id, URL and time is {each.withheld}; this one stays out"
                self.flaws.add(part, record.offset, f"{record.record_id}: {why}")
                return None
            if self._kept_records.is_at(each.record, record):
                self._there[each.record_id] = each.record.key
                self._known.note(each, record.header("WARC-Payload-Digest"))
                self.done.already += 1
                return None
        return bool(found)

    def _resolve(self, capture: Capture, refers: Refers) -> Snapshot | None:
        """Return the capture that holds a revisit's payload: of this file, else of the archive."""
        known = self._known
        found = known.named(refers)
        if found is None and refers.date:
            found = known.by_place.get((refers.url, refers.date)) or self._kept(refers.url, refers.date, None)
        if found is None and refers.digest:
            found = known.by_digest.get(refers.digest.strip())
            found = found or self._kept(refers.url, capture.snapshot.timestamp, refers.digest.strip())
        if found is None and refers.not_modified and not refers.names_a_capture:
            found = self._before(refers.url, capture.snapshot.timestamp)
        return found

    def _before(self, url: str, at: datetime) -> Snapshot | None:
        """Return the newest capture of a URL up to a time, of this file or of the archive (RFC 9110 §15.4.5)."""
        ours = self._known.before(url, at)
        kept = None if self._is_empty else next(filter(is_base, self._archive.back(url, at)), None)
        return max(filter(None, (ours, kept)), key=lambda found: found.timestamp, default=None)

    def _kept(self, url: str, at: datetime, digest: str | None) -> Snapshot | None:
        """Return a capture of the archive: the one of a time, or the newest one before it with a payload."""
        if self._is_empty:
            return None
        if digest is None:
            return next((it for it in self._archive.snapshots(url, start=at, end=at) if not it.revisit), None)
        return next((it for it in self._archive.back(url, at) if it.digest == digest and not it.revisit), None)

    def _orphans(self) -> None:
        """Index the revisits, whose payload may lie behind them in the file."""
        parts = {part for _, _, part, _ in self._revisits}
        self._revisits.sort(key=lambda each: (_is_bare(each[0]), each[0].snapshot.timestamp))
        for capture, ref, part, offset in self._revisits:
            assert capture.refers is not None, "only revisits wait"
            original = self._resolve(capture, capture.refers)
            snapshot = capture.snapshot
            if original is None:
                why = "what it refers to is not here: it is kept, and cannot be shown"
                self.flaws.add(part, offset, f"{snapshot.record_id}: {why}", taken=True)
                continue
            payload: Reference = original.payload
            self._named.note_revisit(snapshot, original)
            revisit = replace(
                snapshot, record=ref, run=self._session.run, refers_to=payload, digest=original.digest,
                mime=original.mime, title=original.title, document=original.document,
                availability=original.availability,
            )  # fmt: skip
            self._known.note_seen(revisit)
            page = self._renditions.of(revisit) is not None
            self._session.index(revisit, page=page)
            self._pages += [revisit.place] if page else []
            self.done.captures += 1
        for part in parts:
            self.flaws.end(part)

    def _nothing_new(self, sha256: str) -> bool:
        """Whether all there was is in the archive: captures are looked up, a file without any by its digest."""
        if self.done.captures:
            return False
        about_files = self.done.already > 0 and self.done.records == self._infos
        return about_files or not self.done.records or _was_imported(self._archive, sha256)

    def finish(self, pool: ExtractorPool | None, report: Report, sha256: str) -> Imported:
        """Make the texts and commit the run; leave nothing where nothing was new."""
        self._orphans()
        for snapshot, page in self._named.settled():
            self._take(snapshot, page)
            self.done.unlisted += not page
        self.flaws.end()
        done, flaws = self.done, self.flaws
        done.left, done.notes, done.clashes = flaws.left, flaws.notes, flaws.clashes
        if self._nothing_new(sha256):
            self._session.discard()
            self.done.already = self.done.already or self.done.records
            self.done.records = 0
            return self.done
        self._session.checkpoint()
        if pool is not None:
            self.done.pages = len(self._pages)
            texts = ImportedTexts(self._session, self._room, flaws, done, report)
            texts.make(self._pages, self._renditions, pool)
        self.done.result = committed(self._session)
        return self.done


def _is_bare(capture: Capture) -> bool:
    """Return whether a revisit says no more than that the page was not modified: it is resolved after all others."""
    return capture.refers is not None and not capture.refers.names_a_capture


def _was_imported(archive: UnguardedReader, sha256: str) -> bool:
    """Whether a run's manifest says that it is the file of this digest."""
    return any(sha256.encode() in archive.manifest_bytes(run) for run in archive.runs())
