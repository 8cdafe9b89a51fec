"""Records on their way out of the archive: their gzip members as they are, read and checked as they pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from archive import object_keys
from archive.archive import Reader
from archive.digests import digest_of_stream
from archive.errors import IntegrityError, Withheld
from archive.formats.method_query import MethodQuery
from archive.model import Manifest, RecordRef, Snapshot
from archive.warc.gzip_members import Sink
from archive.warc.reader import read_record
from archive.warc.writer import RecordWriter
from storage.base import ObjectStore
from storage.errors import ObjectMissing

_WINDOW = 8 << 20  # bytes fetched at a time


class Counted(Protocol):
    """A file that knows how much was written to it."""

    def write(self, data: bytes, /) -> object: ...  # noqa: D102 - as for any file
    def tell(self) -> int: ...  # noqa: D102 - as for any file


@dataclass(frozen=True, slots=True)
class Out:
    """A capture that is exported, and where its record lies in what is written: a file's name and a byte range."""

    snapshot: Snapshot
    filename: str
    offset: int
    length: int
    query: MethodQuery | None = None  # of a request that is no GET


def write_warcinfo(sink: Sink, filename: str, started: datetime, software: str) -> None:
    """Begin a WARC file of copied records (WARC 1.1 §6.2)."""
    fields = [
        ("software", software),
        ("format", "WARC File Format 1.1"),
        ("conformsTo", "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"),
        ("description", "records copied as they were kept, with the ids they have there"),
    ]
    RecordWriter(sink.write).warcinfo(filename, started, fields)


def copy_records(archive: Reader, snapshots: Iterable[Snapshot], sink: Counted, filename: str) -> Iterator[Out]:
    """Append the record of each capture; raises IntegrityError when one is not what it was, Withheld, StoreError."""
    store = archive.unguarded().stores.view
    for snapshot in snapshots:
        offset = sink.tell()
        archive.checked(snapshot)
        _copy_record(store, snapshot.record, snapshot.record_id, sink)
        yield Out(snapshot, filename, offset, sink.tell() - offset)


def _copy_record(store: ObjectStore, ref: RecordRef, record_id: str, sink: Counted) -> None:
    def passing() -> Iterator[bytes]:
        offset, left = ref.offset, ref.length
        while left:
            piece = store.get_range(ref.key, offset, min(left, _WINDOW))
            if not piece:
                return
            sink.write(piece)
            yield piece
            offset += len(piece)
            left -= len(piece)

    try:
        pieces = passing()
        record = read_record(pieces, own=not object_keys.is_foreign(ref.key))
        if record.record_id != record_id:
            raise IntegrityError(f"{ref.key} at byte {ref.offset:,} holds another record than the index names")
        record.drain()
        for _ in pieces:
            pass
    except ObjectMissing as error:
        raise IntegrityError(f"{ref.key} is missing although the index names it; run `onrecord verify`") from error


def copy_warc(archive: Reader, run: Manifest, path: str, sink: Sink) -> None:
    """Append a run's whole WARC file.

    Raises IntegrityError when it is not the one its manifest names, Withheld where not all of it may be shown,
    StoreError.
    """
    key = object_keys.run_key(run.run, path)
    store = archive.unguarded().stores.view
    if archive.shown_ranges(run.run) is not None:
        raise Withheld(f"captures of run {run.run} are withheld: its files cannot be given out whole", "withheld")

    def passing() -> Iterator[bytes]:
        for piece in store.stream(key):
            sink.write(piece)
            yield piece

    try:
        found = digest_of_stream(passing())
    except ObjectMissing as error:
        raise IntegrityError(f"{key} is missing although its run's manifest names it") from error
    resource = run.resource(path)
    if found != (resource.hash, resource.bytes):
        raise IntegrityError(f"{key} is not the file its run's manifest names; run `onrecord verify --deep {run.run}`")
