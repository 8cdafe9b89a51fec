"""What a run being written holds so far: its captures, which of its pages have documents, and its outcomes, counted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from archive import object_keys
from archive.coordination.clock import ClockNote
from archive.formats.cdxj import line_of, parse_line, parse_text_mark, snapshot_of
from archive.formats.outcomes_jsonl import OutcomeCounts
from archive.index.dedup import Earlier
from archive.model import TEXT_INCOMPLETE, Document, DocumentRef, Snapshot
from archive.runs.renaming import moved
from archive.runs.spool_files import pieces_of
from archive.states import mark_of
from archive.warc.capture_metadata import Origin
from archive.warc.reader import Record, read_record

_TITLE = 200  # characters of a title that the index repeats


@dataclass
class RunContents:
    """The contents of one run; `first_name` is the name under which its journal was written.

    Captures are known by their places: record ids come from strangers where files are imported.
    """

    run: str
    first_name: str
    snapshots: dict[str, Snapshot] = field(default_factory=dict)  # by place
    pages: dict[str, bool] = field(default_factory=dict)  # places of pages, and whether each has its document's line
    origins: dict[str, Origin] = field(default_factory=dict)  # of captures whose metadata record is still to be written
    outcomes: OutcomeCounts = field(default_factory=OutcomeCounts)
    foreign: int = 0  # records of other programs' files, captures or not,
    foreign_in_journal: int = 0  # and how many of them the journal has
    _newest: dict[str, str] = field(default_factory=dict)  # places by URL
    _restored: dict[str, str] = field(default_factory=dict)  # places by record ids, of captures of the journal

    def add(self, snapshot: Snapshot, *, page: bool) -> None:
        """Take a capture in; `page` says that a document is to follow."""
        self.snapshots[snapshot.place] = snapshot
        self._newest[snapshot.url] = snapshot.place
        if page:
            self.pages[snapshot.place] = False

    def adopt(self, snapshot: Snapshot, original: Snapshot | None) -> Snapshot:
        """Take in an earlier run's capture, with its original's document or as a page whose document is to follow."""
        if original is not None:
            snapshot = _with_text_of(snapshot, original)
        else:
            self.pages[snapshot.place] = False
        self.snapshots[snapshot.place] = snapshot
        return snapshot

    def newest(self, url: str) -> Snapshot | None:
        """Return the newest capture of a URL."""
        return self.snapshots[self._newest[url]] if url in self._newest else None

    def pending(self) -> list[Snapshot]:
        """Return the pages that have no document yet."""
        return [self.snapshots[place] for place, done in self.pages.items() if not done]

    def add_document(self, place: str, entry: dict[str, Any]) -> None:
        """Take in where the document of the page at a place lies, as an entry of the journal says it."""
        self.pages[place] = True
        if entry["text"]:
            key = object_keys.run_key(self.run, object_keys.PAGES)
            self.snapshots[place] = replace(
                self.snapshots[place],
                document=DocumentRef(key, entry["offset"], entry["length"]),
                title=entry["title"],
                availability=entry.get("availability"),
                text=parse_text_mark(entry["mark"]) if entry.get("mark") else None,
            )

    def restore(self, entry: dict[str, Any]) -> Snapshot | None:
        """Take in an entry of the journal; returns the capture that it is about, if it is about a new one."""
        if "capture" in entry:
            snapshot = snapshot_of(parse_line(entry["capture"]), self.run)
            self.add(snapshot, page=entry["page"])
            self._restored.setdefault(snapshot.record_id, snapshot.place)
            if origin := entry.get("origin"):
                self.origins[snapshot.place] = Origin(origin["via"], origin["hops"], tuple(origin["notes"]))
            return snapshot
        if "foreign" in entry:
            self.foreign += int(entry["foreign"])
            self.foreign_in_journal = self.foreign
        elif "described" in entry:
            self.origins.pop(self._place(entry["described"]), None)
        elif "document" in entry:
            self.add_document(self._place(entry["document"]["record"]), entry["document"])
        elif "outcome" in entry:
            self.outcomes.add(entry)
        return None

    def _place(self, name: str) -> str:
        """Return the place that an entry of the journal names; onrecord 0.4 named record ids there.

        A run that was given another name has a journal of its first one.
        """
        name = moved(name, self.first_name, self.run)
        return name if name in self.snapshots else self._restored.get(name, name)

    def lines(self, earlier: Earlier, clock: ClockNote | None) -> list[str]:
        """Return the lines of the run's index; `clock` is what is known of the clock that dated its captures.

        A revisit of a page of this same run has the document that the page was given meanwhile.
        """
        ahead = round(clock.ahead_at_start.total_seconds()) if clock else None
        found = []
        for snapshot in self.snapshots.values():
            written = snapshot
            if ahead is not None and snapshot.run == self.run and not object_keys.is_foreign(snapshot.record.key):
                written = replace(written, ahead=ahead)
            without = snapshot.revisit and snapshot.document is None and snapshot.availability is None
            if without and (original := earlier.by_digest(snapshot.digest)):
                written = _with_text_of(written, self.snapshots[original.place])
            found.append(line_of(written, self.run))
        return found

    def counts(self) -> dict[str, int]:
        """Return how much the run holds, by the names of a manifest's `counts`."""
        snapshots = [snapshot for snapshot in self.snapshots.values() if snapshot.run == self.run]
        texts = [snapshot.document for snapshot in self.snapshots.values() if snapshot.document]
        own = object_keys.run_key(self.run, "")
        return {
            "targets": self.outcomes.pages,
            "failed": self.outcomes.failed,
            "requisites": self.outcomes.requisites,
            "skipped": self.outcomes.skipped,
            **({TEXT_INCOMPLETE: self.outcomes.incomplete} if self.outcomes.incomplete else {}),
            "captures": len(snapshots),
            "revisits": sum(snapshot.revisit for snapshot in snapshots),
            "documents": len({(ref.key, ref.offset) for ref in texts if ref.key.startswith(own)}),
        }


def _with_text_of(snapshot: Snapshot, original: Snapshot) -> Snapshot:
    return replace(
        snapshot,
        document=original.document,
        text=original.text,
        title=original.title,
        availability=original.availability,
    )


def document_entry(document: Document, offset: int, length: int) -> dict[str, Any]:
    """Return what the journal keeps of a document: where its line lies, and what the index repeats of it."""
    article = document.article
    made = document.same_as is None and bool(article.extractor)
    entry: dict[str, Any] = {
        "record": document.place,
        "offset": offset,
        "length": length,
        "title": article.title[:_TITLE] if article.title else None,
        "text": made,
        "availability": article.availability,
    }
    mark = mark_of(article, rendered=document.rendered is not None) if made else None
    return entry | ({"mark": str(mark)} if mark else {})


def spooled_record(path: Path, snapshot: Snapshot) -> Record:
    """Return the record of a run's own file that holds a capture's payload; raises RecordError, StoreUnavailable.

    Of a record of another program only what the index says of its payload is compared.
    """
    ref = snapshot.payload.record
    foreign = object_keys.is_foreign(ref.key)
    record = read_record(pieces_of(path, ref.offset, ref.length), own=not foreign)
    return replace(record, payload_digest=snapshot.digest) if foreign else record
