"""Reading an archive behind its guard: records, texts, WARC files; and past it, for who asks for that by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO

from archive import object_keys
from archive.access.rule_store import Notices
from archive.annotations import Annotations, Subject
from archive.coordination import clock
from archive.coordination.clock import StoreClock
from archive.copies import ReplicaSet
from archive.digests import digest_of_stream
from archive.errors import IntegrityError, NoSuchAnnotation, Withheld
from archive.formats.method_query import MethodQuery
from archive.formats.outcomes_jsonl import DamagedLine, OutcomeLine, read_outcomes
from archive.formats.pages_jsonl import decode_document, whole_lines
from archive.index.catalog import Catalog
from archive.index.finder import SnapshotFinder
from archive.index.lookup import Index
from archive.local_cache import Cache
from archive.model import Document, Manifest, Reference, Snapshot
from archive.runs import store_identity
from archive.warc.http_message import Head
from archive.warc.reader import Record
from archive.warc.request_query import query_of_record
from archive.warc.stored_record import payload_record, stored_record
from storage.errors import ObjectMissing, StoreMissing

if TYPE_CHECKING:  # what signs is imported when something signed is made
    from archive.evidence.bundle_create import Created
    from archive.evidence.checkpoint import Checkpoint

_PIECE = 4 << 20  # bytes of a WARC file fetched at a time
_WARC = re.compile(r"archive/[A-Za-z0-9][A-Za-z0-9._-]{0,100}")


class Reader(SnapshotFinder):
    """Reads the runs of one archive. What the archive's rules withhold is not given out: see `Gate`."""

    def __init__(self, stores: ReplicaSet, catalog: Catalog, index: Index, notices: Notices, cache: Cache) -> None:
        super().__init__(index, notices, StoreClock(stores.view).now)
        self.url = stores.url  # of the archive, as a user would write it
        self._stores = stores
        self._store = stores.view
        self._catalog = catalog
        self._cache = cache
        self.annotations = Annotations(stores.view, cache)

    def unguarded(self) -> UnguardedReader:
        """Return the reader that passes over rules: for what works on captures and shows them to nobody.

        What was redacted is not there for it either.
        """
        return UnguardedReader(self)

    def refresh(self) -> None:
        """See runs, and notices, that were put since the last question."""
        self._index.refresh()
        self.notices.refresh()
        self.annotations.refresh()

    def forget(self) -> None:
        """Hold nothing that was read of the runs before the last redaction, in memory or in the cache's folder."""
        self._cache.forget_unless(self.notices.epoch_now())
        self._catalog.forget()
        self._index.forget()

    def runs(self, start: str = "") -> list[str]:
        """Return the names of all runs that exist now, oldest first; with `start`, from that name on.

        `start` may be the beginning of a name. Raises StoreError.
        """
        return self._catalog.runs(start)

    def run_count(self) -> int:
        """How many runs a lookup knows of, without listing them all; those of two generations at once count twice."""
        parts = self._index.parts()
        return sum(generation.runs for generation in parts.generations) + len(parts.runs)

    def require(self) -> None:
        """Tell an empty archive from no archive; raises StoreMissing, StoreChanged."""
        self._stores.known.check_any(self._stores.stores)
        try:
            store_identity.check_layout(self._store.get(object_keys.STORE_KEY))
        except (ObjectMissing, StoreMissing) as error:
            if isinstance(error, ObjectMissing) and next(iter(self._store.list(object_keys.RUNS_PREFIX)), None):
                raise IntegrityError(
                    f"{object_keys.STORE_KEY} is missing in {self._store.url}, which holds runs: put it back from a "
                    "copy with onrecord repair --from STORE, or capture something, which makes it anew"
                ) from error
            raise StoreMissing(
                f"no archive at {self._store.url}; capture something into it first, or name another with --store"
            ) from error
        self._stores.known.remember(self._stores.primary)

    def session_runs(self) -> list[str]:
        """Return the runs that were made with a reader's session; raises StoreError."""
        return [found.run for found in self._catalog.manifests(self.runs()) if found.session]

    def ahead_of(self, run: str) -> timedelta:
        """Return how far the clock that dated a run was ahead; raises ObjectMissing, IntegrityError, StoreError."""
        return clock.ahead_of(self._store, self.manifest(run))

    def read(self, snapshot: Snapshot) -> Record:
        """Return the capture's own WARC record, checked as it is read; raises Withheld, IntegrityError, StoreError."""
        self.checked(snapshot)
        return stored_record(self._store, snapshot.record, snapshot.record_id)

    def payload(self, snapshot: Snapshot) -> tuple[Head, bytes, Iterator[bytes]]:
        """Return the response that holds a capture's payload: its head, the head's bytes, the entity body in pieces.

        A revisit's payload is read from the earlier record. Raises as `read` does.
        """
        return self.payload_record(snapshot).http()

    def payload_record(self, snapshot: Snapshot) -> Record:
        """Return the record that holds a capture's payload: for a revisit, an earlier one. Raises as `read` does."""
        return payload_record(self._store, self.checked(snapshot))

    def page_body(self, snapshot: Snapshot, rendered: Reference | None = None) -> tuple[Head, bytes, Iterator[bytes]]:
        """Return what a page's text is made from: what scripts made of it, where that is named, else its payload.

        Raises as `read` does.
        """
        self.checked(snapshot)
        if rendered is None:
            return self.payload(snapshot)
        return stored_record(self._store, rendered.record, rendered.record_id).http()

    def document(self, snapshot: Snapshot) -> Document | None:
        """Return the clean text and metadata of a snapshot, or None when none were made; raises as `read` does."""
        ref = self.checked(snapshot).document
        if ref is None:
            return None
        try:
            return decode_document(self._store.get_range(ref.key, ref.offset, ref.length))
        except ObjectMissing as error:
            raise IntegrityError(f"{ref.key} is missing although the index names it; run `onrecord verify`") from error

    def captures_of(self, run: str) -> Iterator[Snapshot]:
        """Every line of one run's index, in its order; raises IntegrityError, StoreError."""
        return self._marked(self._index.of_run(run))

    def collection(self, name: str) -> Iterator[Snapshot]:
        """Yield the captures of a collection, each once, in the order in which they were put into it.

        Raises NoSuchAnnotation where there is no such collection, IntegrityError, StoreError.
        """
        additions = self.annotations.said().in_collection(name)
        if not additions:
            raise NoSuchAnnotation(f"there is no collection {name!r}; `onrecord annotate` lists what there is")
        seen: set[str] = set()
        for snapshot in (each for addition in additions for each in self._subject(addition.subject)):
            if snapshot.place not in seen:
                seen.add(snapshot.place)
                yield snapshot

    def _subject(self, subject: Subject) -> Iterator[Snapshot]:
        """Yield the captures that an annotation is about; none of a run that is not there."""
        if subject.run is not None:
            try:
                yield from (each for each in self.captures_of(subject.run) if each.run == subject.run)
            except ObjectMissing:
                return
        elif subject.url is not None:
            found = self.snapshots(subject.url, start=subject.at, end=subject.at)
            yield from (each for each in found if subject.record_id in {None, each.record_id})

    def documents_of(self, run: str) -> Iterator[Document]:
        """Every document of one run that may be shown, in the order they were written.

        Raises IntegrityError, StoreError.
        """
        lines = whole_lines(self._store.stream(object_keys.run_key(run, object_keys.PAGES)))
        next(lines, None)  # the header
        policy = self._policy()
        for document in map(decode_document, lines):
            if policy.at(document.url, document.timestamp, document.record_id, document.place) is None:
                yield document

    def method_query(self, snapshot: Snapshot, *, whole: bool = False) -> MethodQuery | None:
        """Return what a capture's request carries besides its URL, as a query; None for a GET.

        It is read from the request's record where the index does not name it, and with `whole`, in both forms. Raises
        as `read` does.
        """
        self.checked(snapshot)
        own = not object_keys.is_foreign(snapshot.record.key)
        if snapshot.method is None and own and self.manifest(snapshot.run).methods:
            return None
        known = MethodQuery(snapshot.method, snapshot.request_body or "") if snapshot.method else None
        return known if known and not whole else query_of_record(self._store, snapshot) or known

    def manifest(self, run: str) -> Manifest:
        """Return the manifest of a committed run; raises ObjectMissing, IntegrityError."""
        return self._catalog.manifest(run)

    # WARC files as they are

    def warc_size(self, key: str) -> int | None:
        """Return the bytes of a committed run's WARC file, None where there is no such file; raises StoreError.

        Raises ValueError for a key that is no WARC file's.
        """
        parts = object_keys.split_run_key(key)
        if parts is None or not _WARC.fullmatch(parts[1]):
            raise ValueError(f"no WARC file of a run: {key}")
        info = self._store.head(key)
        if info is None or self._store.head(object_keys.run_key(parts[0], object_keys.MANIFEST)) is None:
            return None
        return info.size

    def warc_range(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """Return the bytes of a run's WARC file from `start` up to, not including, `end`, in pieces.

        Raises Withheld at once where one of them may not be given out, IntegrityError, StoreError.
        """
        parts = object_keys.split_run_key(key)
        if parts is None or not self.may_give_out(parts[0], key, start, end):
            raise Withheld(
                "captures of this run are withheld: ask for the byte range of a record that is not", "withheld"
            )
        return self._pieces(key, start, end)

    def _pieces(self, key: str, start: int, end: int) -> Iterator[bytes]:
        while start < end and (piece := self._store.get_range(key, start, min(end - start, _PIECE))):
            yield piece
            start += len(piece)

    # What proves a snapshot

    def create_bundle(
        self, snapshot: Snapshot, file: BinaryIO, other: Checkpoint | None = None, beside: Iterable[Snapshot] = ()
    ) -> Created:
        """Write what proves a snapshot, and captures beside it, without the archive.

        Raises as `archive.evidence.bundle_create` says.
        """
        from archive.evidence.bundle_create import create

        def may_be_whole(run: str) -> bool:
            return self.shown_ranges(run) is None

        also, document = [self.checked(each) for each in beside], self.document(snapshot)
        return create(self._store, self.checked(snapshot), file, may_be_whole, other, also, document)


class UnguardedReader(Reader):
    """Reads what rules withhold too, and gives out the stores themselves. What it reads is to be shown to nobody."""

    passes_rules = True

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader._stores, reader._catalog, reader._index, reader.notices, reader._cache)
        self._epoch = reader._epoch
        self.stores = reader._stores  # no rule holds for what is read of them
        self.keeps_tracking = reader.keeps_tracking

    @property
    def catalog(self) -> Catalog:
        """Which runs exist, and what their manifests say."""
        return self._catalog

    def manifest_bytes(self, run: str) -> bytes:
        """Return a run's manifest as it is kept; raises ObjectMissing, StoreError."""
        return self._store.get(object_keys.run_key(run, object_keys.MANIFEST))

    def outcomes(self, run: str, *, checked: bool = False) -> Iterator[OutcomeLine | DamagedLine]:
        """Yield the lines of a run's log of outcomes; nothing where its manifest names no log.

        With `checked` the file is first held against the manifest. Raises ObjectMissing, IntegrityError, StoreError.
        """
        key = object_keys.run_key(run, object_keys.OUTCOMES)
        if checked:
            digest, _ = digest_of_stream(self._store.stream(key))
            try:
                if digest != self.manifest(run).resource(object_keys.OUTCOMES).hash:
                    raise IntegrityError(
                        f"{key} is not the file its run's manifest names; run `onrecord verify --deep`"
                    )
            except KeyError:  # a run without a log of outcomes, of another program perhaps
                return
        yield from read_outcomes(self._store.stream(key))
