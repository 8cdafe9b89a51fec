"""The WARC files of one run: begun when there is something to write, and again when one is full."""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from archive import object_keys
from archive.model import Block, Digests, Exchange, Made, RecordRef, Snapshot
from archive.runs.spool import SpooledRun
from archive.warc.writer import Fields, RecordWriter


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What a run is started with; all but `said` is written into its warcinfo records and its manifest.

    `said` is what a user says of the run, kept as an annotation when the run is published; see `archive.annotations`.
    """

    software: str
    operator: str | None = None
    options: dict[str, object] = field(default_factory=dict)
    max_warc: int = 1_000_000_000  # bytes after which the next WARC file is begun
    force: bool = False  # store whole what earlier runs hold unchanged
    mask: bool = False  # credentials in requests, and the cookies that answer them
    said: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class RunWarcs:
    """Writes the records of a run; each raises StoreUnavailable when the spool's disk fails."""

    _spooled: SpooledRun
    _settings: RunSettings
    _started: datetime
    _writer: RecordWriter | None = None
    _count: int = 0
    _foreign: RecordWriter | None = None
    _foreign_name: str = ""
    _foreign_count: int = 0
    _key: str = ""  # of the file that is written, in the store,
    _info: str = ""  # and the id of its warcinfo record
    ends: dict[str, array[int]] = field(default_factory=dict)  # by file: where each record ended that was written here

    def exchange(self, exchange: Exchange, digests: Digests, earlier: Snapshot | None) -> tuple[str, RecordRef]:
        """Write a response, or a revisit of the earlier capture whose payload it repeats, and the request.

        Returns the id and the place of the former.
        """
        writer = self._warc()
        if earlier is None:
            placed = writer.response(exchange, digests, self._info)
        else:
            placed = writer.revisit(exchange, earlier.digest, earlier.payload, self._info)
        writer.request(exchange, placed.record_id, self._info)
        return placed.record_id, RecordRef(self._key, placed.offset, placed.length)

    def made(self, made: Made, digest: str, page: Snapshot) -> tuple[str, RecordRef]:
        """Write something made of a page; returns its id and its place."""
        placed = self._warc().resource(made, digest, page.record_id, self._info)
        return placed.record_id, RecordRef(self._key, placed.offset, placed.length)

    def metadata(self, snapshot: Snapshot, fields: Fields) -> None:
        """Write how a capture came about."""
        self._warc().metadata(snapshot, self._info, fields)

    def foreign(self, head: bytes, block: Block) -> RecordRef:
        """Write a record of another program's as it is, into a file that holds nothing else; returns its place."""
        if self._foreign is None or self._foreign.tell() >= self._settings.max_warc:
            self._foreign_name = object_keys.foreign_path(self._foreign_count)
            self._foreign_count += 1
            self._foreign = RecordWriter(partial(self._spooled.append, self._foreign_name))
            self.ends[self._foreign_name] = self._foreign.ends
        placed = self._foreign.verbatim(head, block)
        return RecordRef(object_keys.run_key(self._spooled.run, self._foreign_name), placed.offset, placed.length)

    def _warc(self) -> RecordWriter:
        if self._writer is None or self._writer.tell() >= self._settings.max_warc:
            name = object_keys.warc_path(self._count)
            self._count += 1
            self._writer = RecordWriter(partial(self._spooled.append, name))
            self.ends[name] = self._writer.ends
            self._key = object_keys.run_key(self._spooled.run, name)
            fields = [
                ("software", self._settings.software),
                ("format", "WARC File Format 1.1"),
                ("conformsTo", "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"),
                ("isPartOf", self._spooled.run),
            ]
            if self._settings.operator:
                fields.append(("operator", self._settings.operator))
            fields += [(f"onrecord-{name}", json.dumps(value)) for name, value in self._settings.options.items()]
            self._info = self._writer.warcinfo(name.rpartition("/")[2], self._started, fields)
        return self._writer
