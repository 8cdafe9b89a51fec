"""One run being written: records, documents and outcomes go to the spool, and at the end, together, to the store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from archive import object_keys
from archive.coordination.clock import StoreClock, measured
from archive.coordination.intents import RunRemoved
from archive.digests import digest_of_stream
from archive.formats import manifest
from archive.formats.cdxj import line_of
from archive.formats.outcomes_jsonl import encode_outcome
from archive.formats.pages_jsonl import HEADER, encode_document
from archive.index.catalog import Catalog
from archive.index.dedup import Earlier
from archive.index.lookup import Index
from archive.model import Block, Document, Exchange, Made, Manifest, Outcome, RecordRef, Snapshot
from archive.runs.commit import is_sealed, seal
from archive.runs.commit import publish as publish_to
from archive.runs.contents import RunContents, document_entry, spooled_record
from archive.runs.renaming import rename
from archive.runs.spool import SpooledRun
from archive.runs.warc_files import RunSettings, RunWarcs
from archive.times import from_iso, now
from archive.warc.capture_metadata import UNKNOWN, Origin, location_of, mime_of, validator_of
from archive.warc.credential_masking import masked
from archive.warc.payload_digest import measure
from archive.warc.reader import Record
from archive.warc.request_query import query_of_request
from archive.warc.stored_record import payload_record
from storage.base import ObjectStore

_log = logging.getLogger("onrecord.archive")

_PIECE = 8 << 20


class Session:
    """A run being written. Not for use by two threads at once.

    What was added is durable once `checkpoint` returned. `commit` makes the run exist in its store; a session that is
    left otherwise stays in the spool, for `Archive.recover`.
    """

    def __init__(
        self,
        store: ObjectStore,
        catalog: Catalog,
        spooled: SpooledRun,
        settings: RunSettings,
        *,
        publish: Callable[[SpooledRun], Manifest] | None = None,
    ) -> None:
        """`publish` puts the run into the archive's stores; without it, into `store` alone."""
        self._store = store
        self._publish = publish or partial(publish_to, store)
        self._catalog = catalog
        self._spooled = spooled
        self._settings = settings
        self.run = spooled.run
        self.started = now()
        self.work = spooled.work  # a folder on the spool's disk for bodies on their way
        self.close = spooled.close  # lets go of the run; unless it was committed, it stays in the spool
        self.earlier = Earlier(None if settings.force else Index(store, catalog), StoreClock(store).now)
        self._contents = RunContents(self.run, spooled.folder.name)
        self.counts = self._contents.counts  # how much the run holds so far
        self._entries: list[dict[str, Any]] = []
        self._warcs = RunWarcs(spooled, settings, self.started)

    @classmethod
    def resume(
        cls,
        store: ObjectStore,
        catalog: Catalog,
        spooled: SpooledRun,
        *,
        publish: Callable[[SpooledRun], Manifest] | None = None,
    ) -> Session:
        """Return the session of a run whose writer is gone, as its last checkpoint left it.

        Nothing more is captured in it.
        """
        kept = spooled.settings()
        settings = RunSettings(kept.get("software", "onrecord"), kept.get("operator"), kept.get("options", {}))
        session = cls(store, catalog, spooled, settings, publish=publish)
        session.earlier = Earlier(None)
        if "started" in kept:
            session.started = from_iso(kept["started"])
            session._warcs = RunWarcs(spooled, settings, session.started)
        for entry in spooled.replay(cut=not is_sealed(spooled)):
            snapshot = session._contents.restore(entry)
            if snapshot is not None:
                session.earlier.note(snapshot)
        return session

    def add(
        self,
        exchange: Exchange,
        *,
        page: bool,
        origin: Origin = UNKNOWN,
        read: bool = False,
        availability: str | None = None,
    ) -> Snapshot:
        """Write an exchange's records: its response, or a revisit where the payload is kept already, and its request.

        `page` says that a document is to follow, `read` that `describe` is, where the payload is new. `availability`
        names what stands in the page's place, where the answer says so. Raises StoreUnavailable when the disk fails.
        """
        whole = replace(exchange, started=exchange.started.replace(microsecond=0))  # seconds
        exchange = masked(whole) if self._settings.mask else whole
        digests = exchange.digests or measure(exchange)
        earlier = self.earlier.repeated(exchange, digests)
        record_id, record = self._warcs.exchange(exchange, digests, earlier)
        snapshot = Snapshot(
            url=exchange.url,
            timestamp=exchange.started,
            status=exchange.status,
            mime=earlier.mime if earlier and exchange.status == 304 else mime_of(exchange),
            digest=earlier.digest if earlier else digests.payload,
            record_id=record_id,
            record=record,
            run=self.run,
            refers_to=earlier.payload if earlier else None,
            truncated=exchange.truncated.value if exchange.truncated else None,
            etag=validator_of(exchange, "ETag"),
            last_modified=validator_of(exchange, "Last-Modified"),
            location=location_of(exchange),
            title=earlier.title if earlier else None,
            availability=availability or (earlier.availability if earlier else None),
            document=earlier.document if earlier else None,
            text=earlier.text if earlier else None,
            session=", ".join(exchange.session) or None,
            method=query.method if (query := query_of_request(exchange.request)) else None,
            request_body=query.query if query else None,
        )
        self._contents.add(snapshot, page=page)
        self.earlier.note(snapshot)
        origin = replace(origin, notes=(*origin.notes, *exchange.notes)) if exchange.notes else origin
        self._journal(snapshot, page=page, origin=asdict(origin) if (read := read and earlier is None) else None)
        if read:  # `describe` writes how the capture was come by
            self._contents.origins[snapshot.place] = origin
        elif fields := origin.fields():
            self._warcs.metadata(snapshot, fields)
        return snapshot

    def describe(self, place: str, outlinks: Iterable[str]) -> None:
        """Write the metadata record of a capture that was added to be read: how it was come by, and its outlinks."""
        if (origin := self._contents.origins.pop(place, None)) is not None:
            if fields := origin.fields(outlinks):
                self._warcs.metadata(self._contents.snapshots[place], fields)
            self._entries.append({"described": place})

    def _journal(self, snapshot: Snapshot, *, page: bool, origin: dict[str, Any] | None = None) -> None:
        self._entries.append({"capture": line_of(snapshot, self.run), "page": page, "origin": origin})

    def add_made(self, made: Made, page: Snapshot) -> Snapshot:
        """Write something made of a page, as a resource record; raises StoreUnavailable when the spool's disk fails."""
        with made.block.open() as stream:
            digest, _ = digest_of_stream(iter(lambda: stream.read(_PIECE), b""))
        record_id, record = self._warcs.made(made, digest, page)
        mime = made.mime.partition(";")[0]
        snapshot = Snapshot(made.url, made.date, 200, mime, digest, record_id, record, self.run, session=page.session)
        self._contents.add(snapshot, page=False)
        self._journal(snapshot, page=False)
        return snapshot

    def add_foreign(self, head: bytes, block: Block) -> RecordRef:
        """Write a record of another program's archive as it is; `index` makes a capture of it. Raises as `add`."""
        self._contents.foreign += 1
        return self._warcs.foreign(head, block)

    def index(self, snapshot: Snapshot, *, page: bool) -> None:
        """Take a capture whose record was written into the run's index; `page` says that a document is to follow."""
        self._contents.add(snapshot, page=page)
        if not snapshot.revisit:
            self.earlier.note(snapshot)
        self._journal(snapshot, page=page)

    def discard(self) -> None:
        """Leave nothing of the run behind: it holds nothing that is not kept already."""
        self._spooled.remove()

    def adopt(self, snapshot: Snapshot, original: Snapshot | None = None) -> None:
        """Take a capture of an earlier run into this one's index, for a text that is made again.

        A revisit takes the document of the original. Otherwise one is to follow; until then it keeps the one it had.
        """
        snapshot = self._contents.adopt(snapshot, original)
        self._journal(snapshot, page=original is None)

    def add_document(self, document: Document) -> None:
        """Write the line of a page's document; one whose text lies with an earlier record has `same_as` set."""
        line = encode_document(document)
        offset = self._spooled.append(object_keys.PAGES, line, header=HEADER)
        entry = document_entry(document, offset, len(line))
        self._contents.add_document(document.place, entry)
        self._entries.append({"document": entry})

    def add_outcome(self, outcome: Outcome) -> bytes:
        """Write a target's outcome; returns its line as `capture --json` prints it."""
        line = encode_outcome(outcome)
        self._spooled.append(object_keys.OUTCOMES, line + b"\n")
        entry = {"outcome": outcome.outcome, "failed": outcome.failed, "skipped": outcome.skipped, "role": outcome.role}
        self._contents.outcomes.add(entry)
        self._entries.append(entry)
        return line

    def checkpoint(self) -> None:
        """Make everything added so far durable in the spool; raises StoreUnavailable when its disk fails."""
        contents = self._contents
        if new := contents.foreign - contents.foreign_in_journal:
            contents.foreign_in_journal = contents.foreign
            self._entries.append({"foreign": new})
        if self._entries:
            self._spooled.checkpoint(self._entries)
            self._entries = []

    @property
    def pending(self) -> list[Snapshot]:
        """Pages that have no document yet; none of a run that is sealed, which never changes."""
        return [] if is_sealed(self._spooled) else self._contents.pending()

    @property
    def imported(self) -> tuple[str, int] | None:
        """The name of the file that this run brings in, and its size in bytes; None where it captures."""
        name, size = (self._settings.options.get(key) for key in ("imported", "imported-bytes"))
        return (str(name), size) if isinstance(size, int) else None

    @property
    def written(self) -> int:
        """Bytes of the run's files so far."""
        return self._spooled.written

    def holds(self, place: str) -> bool:
        """Return whether the capture at a place stands in this run's index."""
        return place in self._contents.snapshots

    def snapshot(self, place: str) -> Snapshot:
        """Return the capture at a place, as this run has it now; raises KeyError."""
        return self._contents.snapshots[place]

    def newest(self, url: str) -> Snapshot | None:
        """Return this run's newest capture of a URL."""
        return self._contents.newest(url)

    def capture_of(self, url: str) -> str | None:
        """Return the record id of this run's newest capture of a URL."""
        return found.record_id if (found := self.newest(url)) else None

    def payload(self, snapshot: Snapshot) -> Record:
        """Return the record that holds a capture's payload, from the spool or from its store.

        Raises RecordError, IntegrityError, StoreError.
        """
        ref = snapshot.payload.record
        _, run, name = ref.key.split("/", 2)
        if run != self.run:
            return payload_record(self._store, snapshot)
        self.checkpoint()
        return spooled_record(self._spooled.path(name), snapshot)

    def commit(self) -> Manifest | None:
        """Publish the run: its files first, the manifest last and only if absent. None when it holds nothing.

        Where garbage collection holds its name and does not end, it gets another one: `run` says which.
        Raises StoreError when the store cannot take it now: the run then waits in the spool.
        """
        sealed, contents = is_sealed(self._spooled), self._contents
        if not (sealed or contents.outcomes.total or contents.snapshots or contents.foreign):
            self._spooled.remove()
            return None
        if not sealed:
            for place in list(contents.origins):  # what could not be read has no outlinks
                self.describe(place, ())
            self.checkpoint()
            clock = measured(self._store, self.started, self._spooled.settings().get("clock") or {})
            make_manifest = partial(
                manifest.build,
                self.run,
                self.started,
                now(),
                parents=self._catalog.heads(),
                counts=self.counts(),
                software=self._settings.software,
                settings=self._settings.options,
                clock=clock.fields() if clock else None,
                methods=bool(self._spooled.settings().get("methods")),
            )
            seal(self._spooled, contents.lines(self.earlier, clock), make_manifest, self._warcs.ends)
        try:
            found = self._publish(self._spooled)
        except RunRemoved as error:
            self.run = rename(self._spooled)
            _log.warning("%s; what was captured is published as run %s", error, self.run)
            found = self._publish(self._spooled)
        self._spooled.remove()
        return found
