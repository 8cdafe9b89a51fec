"""One run being written: records, documents and outcomes go to the spool, and at the end, together, to the store."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from archive import keys, manifest
from archive.catalog import Catalog
from archive.digests import EMPTY
from archive.errors import ArchiveError
from archive.index.cdxj import line_of, parse_line, snapshot_of
from archive.index.lookup import Index
from archive.model import (
    Digests,
    Document,
    DocumentRef,
    Exchange,
    Manifest,
    Outcome,
    RecordRef,
    Reference,
    Resource,
    Snapshot,
)
from archive.publish import is_sealed, publish, seal
from archive.spool import SpooledRun
from archive.text import HEADER, encode_document
from archive.times import from_iso, now
from archive.warc.measure import measure
from archive.warc.reader import Record, read_record
from archive.warc.writer import Fields, Placed, RecordWriter
from storage.base import ObjectStore
from storage.errors import StoreError

_log = logging.getLogger("onrecord.archive")

_TITLE = 200  # characters of a title that the index repeats
_OPTIONAL = {"final_url", "notes"}  # fields of an outcome that are left out when empty
_PIECE = 8 << 20


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What a run is started with; all of it is written into its warcinfo records and its manifest."""

    software: str
    operator: str | None = None
    options: dict[str, object] = field(default_factory=dict)
    max_warc: int = 1_000_000_000  # bytes after which the next WARC file is begun
    force: bool = False  # store whole what earlier runs hold unchanged


class _Appending:
    """A WARC file of the spool as something to write to."""

    def __init__(self, spooled: SpooledRun, name: str) -> None:
        self._spooled = spooled
        self._name = name

    def write(self, data: bytes) -> int:
        self._spooled.append(self._name, data)
        return len(data)


class Session:
    """A run being written. Not for use by two threads at once.

    What was added is durable once `checkpoint` returned. `commit` makes the run exist in its store; a session that is
    left otherwise stays in the spool, for `Archive.recover`.
    """

    def __init__(self, store: ObjectStore, catalog: Catalog, spooled: SpooledRun, settings: RunSettings) -> None:
        self._store = store
        self._catalog = catalog
        self._spooled = spooled
        self._settings = settings
        self.run = spooled.run
        self.started = now()
        self._index: Index | None = None if settings.force else Index(store, catalog)
        self._snapshots: dict[str, Snapshot] = {}
        self._by_digest: dict[str, Snapshot] = {}
        self._pages: dict[str, bool] = {}  # record ids of pages, and whether each has its document's line
        self._outcomes = 0
        self._failed = 0
        self._entries: list[dict[str, Any]] = []
        self._writer: RecordWriter | None = None
        self._warcs = 0
        self._warcinfo = ""

    @classmethod
    def resume(cls, store: ObjectStore, catalog: Catalog, spooled: SpooledRun) -> Session:
        """The session of a run whose writer is gone, as its last checkpoint left it; nothing more is captured in it."""
        kept = spooled.settings()
        settings = RunSettings(kept.get("software", "onrecord"), kept.get("operator"), kept.get("options", {}))
        session = cls(store, catalog, spooled, settings)
        session._index = None
        if "started" in kept:
            session.started = from_iso(kept["started"])
        for entry in spooled.replay(cut=not is_sealed(spooled)):
            session._restore(entry)
        return session

    def _restore(self, entry: dict[str, Any]) -> None:
        if "capture" in entry:
            snapshot = snapshot_of(parse_line(entry["capture"]), self.run)
            self._snapshots[snapshot.record_id] = snapshot
            if entry["page"]:
                self._pages[snapshot.record_id] = False
        elif "document" in entry:
            place = entry["document"]
            self._pages[place["record"]] = True
            self._place_document(place["record"], place["offset"], place["length"], place["title"], place["text"])
        elif "outcome" in entry:
            self._count(entry["outcome"])

    # What a run is made of

    def add(self, exchange: Exchange, *, page: bool, via: str | None = None) -> Snapshot:
        """Write an exchange's records: its response, or a revisit where the payload is kept already, and its request.

        `page` says that a document is to follow. Raises StoreUnavailable when the spool's disk fails.
        """
        if exchange.started.microsecond:
            exchange = replace(exchange, started=exchange.started.replace(microsecond=0))
        writer = self._warc()
        digests = exchange.digests or measure(exchange)
        earlier = self._earlier(exchange, digests)
        placed, refers_to = self._write_response(writer, exchange, digests, earlier)
        writer.request(exchange, placed.record_id, self._warcinfo)
        if described := _description(exchange, via):
            writer.metadata(exchange, placed.record_id, self._warcinfo, described)
        snapshot = Snapshot(
            url=exchange.url,
            timestamp=exchange.started,
            status=exchange.status,
            mime=earlier.mime if earlier and exchange.status == 304 else _mime(exchange),
            digest=earlier.digest if earlier else digests.payload,
            record_id=placed.record_id,
            record=RecordRef(keys.run_key(self.run, self._warc_path), placed.offset, placed.length),
            run=self.run,
            refers_to=refers_to,
            truncated=exchange.truncated.value if exchange.truncated else None,
            location=_location(exchange),
            title=earlier.title if earlier else None,
            document=earlier.document if earlier else None,
        )
        self._snapshots[snapshot.record_id] = snapshot
        if not exchange.truncated:
            self._by_digest.setdefault(snapshot.digest, snapshot)
        if page:
            self._pages[snapshot.record_id] = False
        self._entries.append({"capture": line_of(snapshot), "page": page})
        return snapshot

    def _write_response(
        self, writer: RecordWriter, exchange: Exchange, digests: Digests, earlier: Snapshot | None
    ) -> tuple[Placed, Reference | None]:
        if earlier is None:
            return writer.response(exchange, digests, self._warcinfo), None
        return writer.revisit(exchange, earlier.digest, earlier.payload, self._warcinfo), earlier.payload

    def _earlier(self, exchange: Exchange, digests: Digests) -> Snapshot | None:
        """The capture whose payload this one repeats: of this run by digest, of earlier runs by URL."""
        if exchange.truncated or (digests.payload == EMPTY and exchange.status != 304):
            return None
        if exchange.status != 304 and digests.payload in self._by_digest:
            return self._by_digest[digests.payload]
        for snapshot in self._newest(exchange.url):
            if snapshot.truncated or snapshot.status >= 300 or snapshot.digest == EMPTY:
                continue
            same = exchange.status == 304 or snapshot.digest == digests.payload
            return snapshot if same else None
        return None

    def _newest(self, url: str) -> Iterator[Snapshot]:
        if self._index is None:
            return
        try:
            yield from self._index.newest(url)
        except (StoreError, ArchiveError) as error:
            _log.warning("earlier captures cannot be compared, so pages are stored whole: %s", error)
            self._index = None

    def _warc(self) -> RecordWriter:
        if self._writer is None or self._writer.tell() >= self._settings.max_warc:
            name = keys.warc_path(self._warcs)
            self._warcs += 1
            self._writer = RecordWriter(_Appending(self._spooled, name))
            self._warcinfo = self._writer.warcinfo(name.rpartition("/")[2], self.started, self._description())
        return self._writer

    @property
    def _warc_path(self) -> str:
        return keys.warc_path(self._warcs - 1)

    def _description(self) -> Fields:
        fields = [
            ("software", self._settings.software),
            ("format", "WARC File Format 1.1"),
            ("conformsTo", "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"),
            ("isPartOf", self.run),
        ]
        if self._settings.operator:
            fields.append(("operator", self._settings.operator))
        fields += [(f"onrecord-{name}", json.dumps(value)) for name, value in self._settings.options.items()]
        return fields

    def add_document(self, document: Document) -> None:
        """Write the line of a page's document; one whose text lies with an earlier record has `same_as` set."""
        line = encode_document(document)
        if not self._spooled.holds(keys.PAGES):
            self._spooled.append(keys.PAGES, HEADER)
        offset = self._spooled.append(keys.PAGES, line)
        title = document.article.title[:_TITLE] if document.article.title else None
        has_text = document.same_as is None and bool(document.article.extractor)
        self._pages[document.record_id] = True
        self._place_document(document.record_id, offset, len(line), title, has_text)
        place = {"record": document.record_id, "offset": offset, "length": len(line), "title": title, "text": has_text}
        self._entries.append({"document": place})

    def _place_document(self, record_id: str, offset: int, length: int, title: str | None, has_text: bool) -> None:
        snapshot = self._snapshots[record_id]
        if has_text:
            ref = DocumentRef(keys.run_key(self.run, keys.PAGES), offset, length)
            snapshot = replace(snapshot, document=ref, title=title)
        self._snapshots[record_id] = snapshot

    def add_outcome(self, outcome: Outcome) -> bytes:
        """Write a target's outcome; returns its line as `capture --json` prints it."""
        entry = {name: value for name, value in asdict(outcome).items() if name not in _OPTIONAL or value}
        line = json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace")
        self._spooled.append(keys.OUTCOMES, line + b"\n")
        self._count(outcome.outcome)
        self._entries.append({"outcome": outcome.outcome})
        return line

    def _count(self, outcome: str) -> None:
        self._outcomes += 1
        self._failed += outcome != "ok"

    def checkpoint(self) -> None:
        """Make everything added so far durable in the spool; raises StoreUnavailable when its disk fails."""
        if self._entries:
            self._spooled.checkpoint(self._entries)
            self._entries = []

    # What recovery asks

    @property
    def pending(self) -> list[Snapshot]:
        """Pages that have no document yet."""
        return [self._snapshots[record_id] for record_id, done in self._pages.items() if not done]

    def snapshot(self, record_id: str) -> Snapshot:
        """A capture of this run as it stands now; raises KeyError."""
        return self._snapshots[record_id]

    def read(self, ref: RecordRef) -> Record:
        """A record of this run from the spool, after a checkpoint; raises RecordError."""
        _, _, name = ref.key.split("/", 2)
        return read_record(_file_pieces(self._spooled, name, ref))

    # The end of a run

    def commit(self) -> Manifest | None:
        """Publish the run: its files first, the manifest last and only if absent. None when it holds nothing.

        Raises StoreError when the store cannot take it now: the run then waits in the spool.
        """
        if not self._outcomes and not self._snapshots:
            self._spooled.remove()
            return None
        if not is_sealed(self._spooled):
            self.checkpoint()
            lines = [line_of(self._with_document(snapshot)) for snapshot in self._snapshots.values()]
            seal(self._spooled, lines, self._manifest)
        found = publish(self._store, self._spooled)
        self._spooled.remove()
        return found

    def _manifest(self, resources: list[Resource]) -> bytes:
        return manifest.build(
            self.run,
            self.started,
            now(),
            resources,
            parents=self._catalog.heads(),
            counts=self.counts(),
            software=self._settings.software,
            settings=self._settings.options,
        )

    def counts(self) -> dict[str, int]:
        """How much the run holds so far."""
        snapshots = self._snapshots.values()
        return {
            "targets": self._outcomes,
            "failed": self._failed,
            "captures": len(self._snapshots),
            "revisits": sum(snapshot.revisit for snapshot in snapshots),
            "documents": sum(snapshot.document is not None and not snapshot.revisit for snapshot in snapshots),
        }

    def _with_document(self, snapshot: Snapshot) -> Snapshot:
        """A revisit of a page of this same run gets the document that the page was given meanwhile."""
        if snapshot.refers_to is None or snapshot.document is not None:
            return snapshot
        original = self._by_digest.get(snapshot.digest)
        if original is None:
            return snapshot
        original = self._snapshots[original.record_id]
        return replace(snapshot, document=original.document, title=original.title)

    def close(self) -> None:
        """Let go of the run; unless it was committed, it stays in the spool."""
        self._spooled.close()

    @property
    def work(self) -> Path:
        """A folder on the spool's disk for bodies on their way."""
        return self._spooled.work


def _description(exchange: Exchange, via: str | None) -> Fields:
    fields = [("via", via)] if via else []
    return fields + [("note", note) for note in exchange.notes]


def _mime(exchange: Exchange) -> str:
    """The media type a response names, without parameters (RFC 9110 §8.3)."""
    text = (exchange.header("Content-Type") or "").split(";")[0].strip().lower()
    return text if "/" in text and len(text) < 100 and text.isprintable() and " " not in text else "unk"


def _location(exchange: Exchange) -> str | None:
    location = exchange.header("Location")
    if not location or not 300 <= exchange.status < 400:
        return None
    try:
        return urljoin(exchange.url, location.encode("latin-1").decode("utf-8", "replace").strip()).partition("#")[0]
    except ValueError:
        return None


def _file_pieces(spooled: SpooledRun, name: str, ref: RecordRef) -> Iterator[bytes]:
    with spooled.path(name).open("rb") as file:
        file.seek(ref.offset)
        left = ref.length
        while left and (piece := file.read(min(left, _PIECE))):
            left -= len(piece)
            yield piece
