"""What the request of a capture carries besides its URL, read from the request itself or from its WARC record."""

from __future__ import annotations

import io
from collections.abc import Iterator

from archive import object_keys
from archive.errors import IntegrityError, RecordError
from archive.formats.method_query import MethodQuery, method_query
from archive.model import Headers, RecordRef, Snapshot
from archive.warc.http_message import Head, read_entity
from archive.warc.reader import walk_records
from storage.base import ObjectStore
from storage.errors import ObjectMissing

_MOST = 4 << 20  # bytes of a record that are read,
_FIRST = 16 << 10  # and how many are asked for at first


def query_of_request(request: bytes) -> MethodQuery | None:
    """Return what a request carries as a query; None for a GET, and for what is no request."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method = lines[0].partition(" ")[0].upper()
    if method in {"", "GET"} or not method.isalpha():
        return None
    headers: Headers = tuple(
        (name.strip(), value.strip()) for name, _, value in (it.partition(":") for it in lines[1:])
    )
    found = Head(0, "", headers, len(head) + 4)
    entity = b"".join(read_entity(io.BytesIO(body), found))
    return method_query(method, found.header("Content-Type") or "", entity)


def query_of_record(store: ObjectStore, snapshot: Snapshot) -> MethodQuery | None:
    """Return what the request of a capture carries, from the record behind that of the response.

    None for a GET, and where another record lies there. Raises StoreError.
    """
    ref = snapshot.record
    try:
        pieces = _behind(store, ref)
        record = next(walk_records(pieces, own=not object_keys.is_foreign(ref.key)), None)
        if record is None or record.kind != "request" or record.url != snapshot.url:
            return None
        if record.header("WARC-Concurrent-To") not in {None, snapshot.record_id}:
            return None
        return query_of_request(record.block.read(_MOST))
    except (RecordError, IntegrityError, ObjectMissing, ValueError):
        return None


def _behind(store: ObjectStore, ref: RecordRef) -> Iterator[bytes]:
    """Yield the bytes behind a record, no more than are asked for."""
    start = ref.offset + ref.length
    end, size = start + _MOST, _FIRST
    while start < end and (piece := store.get_range(ref.key, start, size)):
        yield piece
        start += len(piece)
        size = end - start
