"""The facade: everything that is asked of an archive is asked here."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from archive import keys
from archive.catalog import Cache, Catalog
from archive.digests import read_self_digested, self_digested
from archive.errors import FormatError, IntegrityError, NoSuchSnapshot
from archive.fixity import Finding, verify
from archive.index.lookup import Index
from archive.manifest import LAYOUT
from archive.model import Document, Manifest, Reference, Snapshot
from archive.records import payload_record, stored_record
from archive.session import Session
from archive.spool import Spool
from archive.text import decode_document, whole_lines
from archive.times import iso, now
from archive.warc.entity import Head
from archive.warc.reader import Record
from archive.warcs import RunSettings
from storage.base import ObjectStore
from storage.errors import ObjectMissing, StoreMissing

_log = logging.getLogger("onrecord.archive")

_MAX_REDIRECTS = 20


class Archive:
    """The runs of one store, and the spool where this machine's runs wait for it."""

    def __init__(self, store: ObjectStore, *, spool: Path, cache: Path | None = None) -> None:
        self.store = store
        self.spool = Spool(spool, store.url)
        self.catalog = Catalog(store, Cache(cache))
        self._index = Index(store, self.catalog)

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
        for snapshot in self._index.snapshots(url, match):
            if (start is None or snapshot.timestamp >= start) and (end is None or snapshot.timestamp <= end):
                yield snapshot

    def closest(self, url: str, at: datetime | None = None) -> Snapshot:
        """The snapshot of a URL nearest to a time, redirects followed within the archive.

        Without a time, the newest one that is no tombstone (status 400 or more, or a page that says it is gone), and
        shows the page rather than a wall before it, if there is such a one. Raises NoSuchSnapshot.
        """
        return self._closest(url, at, _MAX_REDIRECTS)

    def _closest(self, url: str, at: datetime | None, redirects: int) -> Snapshot:
        found = list(self.snapshots(url))
        if not found:
            self.require()
            raise NoSuchSnapshot(f"nothing is kept of {url}; capture it with: onrecord capture {url}")
        if at is None:
            standing = [snapshot for snapshot in found if not snapshot.is_tombstone]
            if not standing:
                last = found[-1]
                raise NoSuchSnapshot(
                    f"only tombstones are kept of {url}, the newest {last.availability or last.status} of "
                    f"{iso(last.timestamp)}; "
                    f"name a time with --at to get one"
                )
            newest = standing[::-1]
            ranked = sorted(newest, key=lambda snapshot: snapshot.availability is not None)
        else:
            moment = at
            ranked = sorted(found, key=lambda snapshot: abs(snapshot.timestamp - moment))
        for snapshot in ranked:
            if not snapshot.is_redirect or redirects == 0:
                return snapshot
            try:
                assert snapshot.location is not None, "is_redirect says so"
                return self._closest(snapshot.location, at and snapshot.timestamp, redirects - 1)
            except NoSuchSnapshot:
                continue
        return ranked[0]

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
        return verify(self.store, self.catalog.files(), runs)


def _check_layout(data: bytes) -> None:
    try:
        layout = read_self_digested(data)["layout"]
    except (ValueError, KeyError) as error:
        raise IntegrityError(f"{keys.STORE_KEY} of the store is damaged: {error}; restore it from a copy") from error
    if layout != LAYOUT:
        raise FormatError(f"the store has layout {layout}, this program knows layout {LAYOUT}: upgrade onrecord")
