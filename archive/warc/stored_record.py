"""Records read back from a store by range requests, checked as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archive import object_keys
from archive.errors import IntegrityError
from archive.model import RecordRef, Snapshot
from archive.warc.reader import Record, read_record
from storage.base import ObjectStore
from storage.errors import ObjectMissing

_WINDOW = 8 << 20  # bytes of a record fetched at a time: one request for nearly every page


def stored_record(store: ObjectStore, ref: RecordRef, record_id: str) -> Record:
    """Return the record at a place; raises IntegrityError when it is not the one that is meant, StoreError."""
    try:
        record = read_record(_pieces(store, ref), own=not object_keys.is_foreign(ref.key))
    except ObjectMissing as error:
        raise IntegrityError(f"{ref.key} is missing although the index names it; run `onrecord verify`") from error
    if record.record_id != record_id:
        raise IntegrityError(f"{ref.key} at byte {ref.offset:,} holds another record than the index names")
    return record


def payload_record(store: ObjectStore, snapshot: Snapshot) -> Record:
    """Return the record that holds a capture's payload.

    For a revisit, an earlier one. Raises as `stored_record` does.
    """
    reference = snapshot.payload
    record = stored_record(store, reference.record, reference.record_id)
    said = record.header("WARC-Payload-Digest") or ""
    if said != snapshot.digest and not object_keys.is_foreign(reference.record.key):
        raise IntegrityError(f"{reference.record_id} does not hold the payload that the index names")
    return replace(record, payload_digest=snapshot.digest)


def _pieces(store: ObjectStore, ref: RecordRef) -> Iterator[bytes]:
    offset, left = ref.offset, ref.length
    while left and (piece := store.get_range(ref.key, offset, min(left, _WINDOW))):
        yield piece
        offset += len(piece)
        left -= len(piece)
