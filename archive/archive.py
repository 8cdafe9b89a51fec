"""The facade: everything that is asked of an archive is asked here."""

from __future__ import annotations

import heapq
import logging
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from pathlib import Path

from archive import keys
from archive.cache import Cache
from archive.catalog import Catalog
from archive.digests import read_self_digested, self_digested
from archive.errors import FormatError, IntegrityError, NoSuchSnapshot
from archive.fixity import Finding, verify, verify_generations
from archive.index.lookup import Index
from archive.index.merge import Merged, merge
from archive.manifest import LAYOUT
from archive.model import Document, Manifest, Reference, Snapshot
from archive.records import payload_record, stored_record
from archive.session import Session
from archive.spool import Spool
from archive.text import decode_document, whole_lines
from archive.times import iso, now
from archive.urlkey import key_range, urlkey
from archive.warc.entity import Head
from archive.warc.reader import Record
from archive.warcs import RunSettings
from storage.base import ObjectStore
from storage.errors import ObjectMissing, StoreMissing

_log = logging.getLogger("onrecord.archive")

_MAX_REDIRECTS = 20
_MANY_RUNS = 16  # that are in no generation: each costs a lookup a request


class Archive:
    """The runs of one store, and the spool where this machine's runs wait for it."""

    def __init__(self, store: ObjectStore, *, spool: Path, cache: Path | None = None, kept_blocks: int = 0) -> None:
        """`kept_blocks` is how many bytes of the index's blocks may be kept in the cache."""
        self.store = store
        self.spool = Spool(spool, store.url)
        self.catalog = Catalog(store, Cache(cache))
        blocks = Cache(cache / "blocks" if cache and kept_blocks else None, limit=kept_blocks)
        self._index = Index(store, self.catalog, blocks)

    # Writing

    def prepare(self) -> None:
        """Make the store an archive unless it is one; raises StoreError, FormatError for a newer layout."""
        try:
            data = self.store.get(keys.STORE_KEY)
        except (ObjectMissing, StoreMissing):
            fresh = {"layout": LAYOUT, "id": str(uuid.uuid4()), "created": iso(now())}
            if self.store.put_if_absent(keys.STORE_KEY, self_digested(fresh)):
                return
            data = self.store.get(keys.STORE_KEY)
        _check_layout(data)

    def session(self, settings: RunSettings) -> Session:
        """Begin a run."""
        started = now()
        kept = {**asdict(settings), "started": started.isoformat()}
        spooled = self.spool.create(keys.new_run_id(started), kept)
        return Session(self.store, self.catalog, spooled, settings)

    def recover(self) -> Iterator[Session]:
        """The runs that wait in the spool for a writer that is gone; the caller commits or closes each.

        One whose journal cannot be understood stays where it is, with a warning: it must not keep others from theirs.
        """
        for spooled in self.spool.waiting():
            try:
                session = Session.resume(self.store, self.catalog, spooled)
            except (IntegrityError, ValueError, KeyError, TypeError) as error:
                _log.warning("run %s in the spool cannot be taken up (%s); see %s", spooled.run, error, spooled.folder)
                spooled.close()
                continue
            yield session

    def merge(self, *, whole: bool = False, rebuild: bool = False) -> Merged:
        """Bring all runs into the merged index, that a lookup need not ask each; raises StoreError."""
        self.require()
        try:
            return merge(self.store, self.catalog, self.spool.scratch, whole=whole, rebuild=rebuild)
        finally:
            self.refresh()

    def merge_if_many(self) -> Merged | None:
        """Merge where so many runs are in no generation that lookups suffer; raises StoreError, ArchiveError."""
        return self.merge() if len(self.catalog.parts().runs) >= _MANY_RUNS else None

    # Reading

    def refresh(self) -> None:
        """See runs that were committed since the last question."""
        self._index.refresh()

    def snapshots(
        self, url: str, *, match: str = "exact", start: datetime | None = None, end: datetime | None = None
    ) -> Iterator[Snapshot]:
        """Every snapshot of a URL in a span of time, both ends included, by key, then time.

        `match` is "exact", "prefix", "host" or "domain". Raises IntegrityError, StoreError.
        """
        return self._index.snapshots(url, match, start, end)

    def run_count(self) -> int:
        """How many runs a lookup knows of, without listing them all; those of two generations at once count twice."""
        parts = self._index.parts()
        return sum(generation.runs for generation in parts.generations) + len(parts.runs)

    def every(self) -> Iterator[Snapshot]:
        """Every snapshot there is, by key, then time; raises IntegrityError, StoreError."""
        return self._index.every()

    def snapshots_after(self, url: str, match: str, key: str, timestamp: str) -> Iterator[Snapshot]:
        """What `snapshots` gives from a key and 14 digits on: where a reader broke off. Raises as that does."""
        return self._index.after(url, match, key, timestamp)

    def back(self, url: str, before: datetime | None = None) -> Iterator[Snapshot]:
        """The snapshots of one URL from the newest, or the last one earlier than a time; raises as `snapshots`."""
        return self._index.back(url, before)

    def around(self, url: str, at: datetime) -> Iterator[Snapshot]:
        """The snapshots of one URL, the nearest to a time first; raises as `snapshots`."""
        return self._nearest(url, at)

    @staticmethod
    def matches(snapshot: Snapshot, url: str, match: str) -> bool:
        """Whether a snapshot is one that `snapshots` would find for a URL."""
        start, end = key_range(url, match)
        return start <= f"{urlkey(snapshot.url)} " < end

    def closest(self, url: str, at: datetime | None = None) -> Snapshot:
        """The snapshot of a URL nearest to a time, redirects followed within the archive.

        Without a time, the newest one that is no tombstone (status 400 or more, or a page that says it is gone), and
        shows the page rather than a wall before it, if there is such a one. Raises NoSuchSnapshot.
        """
        return self._closest(url, at, set())

    def _closest(self, url: str, at: datetime | None, followed: set[str]) -> Snapshot:
        """A redirect is followed once: from http to https, say, it leads to the key that it lies under itself."""
        first = None
        for snapshot in self._standing(url) if at is None else self._nearest(url, at):
            if snapshot.record_id in followed:
                continue
            first = first or snapshot
            if not snapshot.is_redirect or len(followed) == _MAX_REDIRECTS:
                return snapshot
            followed.add(snapshot.record_id)
            try:
                assert snapshot.location is not None, "is_redirect says so"
                return self._closest(snapshot.location, at and snapshot.timestamp, followed)
            except NoSuchSnapshot:
                continue
        if first is None:
            self.require()
            raise NoSuchSnapshot(f"nothing is kept of {url}; capture it with: onrecord capture {url}")
        return first

    def _standing(self, url: str) -> Iterator[Snapshot]:
        """Those that show a page, newest first, then those that show a wall before it.

        Raises NoSuchSnapshot where there are only tombstones.
        """
        tombstone = None
        walls = []
        shown = False
        for snapshot in self._index.back(url):
            if snapshot.is_tombstone:
                tombstone = tombstone or snapshot
            elif snapshot.availability is not None:
                walls.append(snapshot)
            else:
                shown = True
                yield snapshot
        yield from walls
        if tombstone and not shown and not walls:
            raise NoSuchSnapshot(
                f"only tombstones are kept of {url}, the newest {tombstone.availability or tombstone.status} of "
                f"{iso(tombstone.timestamp)}; name a time with --at to get one"
            )

    def near(self, url: str, at: datetime) -> Snapshot | None:
        """The snapshot of a URL nearest to a time, whatever it shows; None where there is none.

        Of those of one second it is that of this very URL; one that leads to this URL from another that has its key
        is the last choice.
        """
        first = None
        for _, entries in groupby(self._nearest(url, at), key=lambda snapshot: abs(snapshot.timestamp - at)):
            as_near = list(entries)
            first = first or as_near[0]
            pages = [each for each in as_near if each.url == url or each.location != url]
            if pages:
                return min(pages, key=lambda each: each.url != url)
        return first

    def _nearest(self, url: str, at: datetime) -> Iterator[Snapshot]:
        """All, the nearest first; of two that are as near, the earlier one."""
        at = at.replace(microsecond=0)
        earlier = ((at - snapshot.timestamp, snapshot) for snapshot in self._index.back(url, at))
        later = ((snapshot.timestamp - at, snapshot) for snapshot in self._index.snapshots(url, start=at))
        return (snapshot for _, snapshot in heapq.merge(earlier, later, key=lambda pair: pair[0]))

    def require(self) -> None:
        """Tell an empty archive from no archive; raises StoreMissing."""
        try:
            _check_layout(self.store.get(keys.STORE_KEY))
        except (ObjectMissing, StoreMissing) as error:
            raise StoreMissing(
                f"no archive at {self.store.url}; capture something into it first, or name another with --store"
            ) from error

    def read(self, snapshot: Snapshot) -> Record:
        """The capture's own WARC record, checked as it is read; raises IntegrityError, StoreError."""
        return stored_record(self.store, snapshot.record, snapshot.record_id)

    def payload(self, snapshot: Snapshot) -> tuple[Head, bytes, Iterator[bytes]]:
        """The response that holds a capture's payload: its head, the head's bytes, and the entity body in pieces.

        A revisit's payload is read from the earlier record. Raises IntegrityError, StoreError.
        """
        return self.payload_record(snapshot).http()

    def payload_record(self, snapshot: Snapshot) -> Record:
        """The record that holds a capture's payload: for a revisit, an earlier one. Raises as `read` does."""
        return payload_record(self.store, snapshot)

    def page_body(self, snapshot: Snapshot, rendered: Reference | None = None) -> tuple[Head, bytes, Iterator[bytes]]:
        """What a page's text is made from: what scripts made of it, where that is named, else its payload.

        Raises IntegrityError, StoreError.
        """
        if rendered is None:
            return self.payload(snapshot)
        return stored_record(self.store, rendered.record, rendered.record_id).http()

    def document(self, snapshot: Snapshot) -> Document | None:
        """The clean text and metadata of a snapshot, or None when none were made; raises IntegrityError, StoreError."""
        ref = snapshot.document
        if ref is None:
            return None
        try:
            return decode_document(self.store.get_range(ref.key, ref.offset, ref.length))
        except ObjectMissing as error:
            raise IntegrityError(f"{ref.key} is missing although the index names it; run `onrecord verify`") from error

    def captures_of(self, run: str) -> Iterator[Snapshot]:
        """Every line of one run's index, in its order; raises IntegrityError, StoreError."""
        return self._index.of_run(run)

    def documents_of(self, run: str) -> Iterator[Document]:
        """Every document of one run, in the order they were written; raises IntegrityError, StoreError."""
        lines = whole_lines(self.store.stream(keys.run_key(run, keys.PAGES)))
        next(lines, None)  # the header
        return map(decode_document, lines)

    def manifest(self, run: str) -> Manifest:
        """The manifest of a committed run; raises ObjectMissing, IntegrityError."""
        return self.catalog.manifest(run)

    def verify(self, runs: list[str] | None = None) -> Iterator[Finding]:
        """Check every byte of the named runs, or of all; raises StoreError when the store fails meanwhile."""
        self.require()
        files = self.catalog.files()
        yield from verify(self.store, files, runs)
        if runs is None:
            yield from verify_generations(self.store, files)


def _check_layout(data: bytes) -> None:
    try:
        layout = read_self_digested(data)["layout"]
    except (ValueError, KeyError) as error:
        raise IntegrityError(f"{keys.STORE_KEY} of the store is damaged: {error}; restore it from a copy") from error
    if layout != LAYOUT:
        raise FormatError(f"the store has layout {layout}, this program knows layout {LAYOUT}: upgrade onrecord")
