"""Whether the store holds a record already: the same bytes, not the same id, which strangers may give to anything."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from archive.errors import IntegrityError
from archive.importers.lenient_reader import ForeignRecord
from archive.model import RecordRef
from archive.warc.gzip_members import Member, single_member, walk_members
from storage.base import ObjectStore
from storage.errors import ObjectMissing

_WINDOW = 1 << 20  # bytes read ahead where records are asked for in the order in which they lie
_NEAR = 1 << 16  # bytes between two such records
_PIECE = 1 << 16
_FREE = 1 << 20  # bytes of the store that may be read for records beside others, however small the file
_TIMES = 4  # bytes of the store that may be read besides, for a byte of the file
_RATIO = 50  # plain bytes that may be read for a byte of the store
_END = b"\r\n\r\n"  # of a stored record (WARC 1.1 §4)


class KeptRecords:
    """The records of a store, as far as reading them is in proportion to the file that is compared with them."""

    def __init__(self, store: ObjectStore, size: int) -> None:
        """`size` is that of the file, in bytes."""
        self._store = store
        self._left = _FREE + _TIMES * size  # bytes that may be read by `beside`
        self._beside: dict[str, frozenset[bytes]] = {}
        self._held = b""  # what was read ahead,
        self._key, self._start = "", 0  # and where it lies
        self._window = 0
        self._next = 0  # where the last record ended

    def is_at(self, place: RecordRef, record: ForeignRecord) -> bool:
        """Return whether the record at a place has the very bytes of this one; raises StoreError."""
        size = len(record.head) + record.block.size + len(_END)
        try:
            return _digest(single_member(self._pieces(place)), size) == _digest_of(record)
        except (IntegrityError, ObjectMissing):  # what is damaged there is not this one
            return False

    def beside(self, key: str, record: ForeignRecord) -> bool:
        """Return whether a WARC file of the store holds the very bytes of this record; raises StoreError.

        False for a file that is too large to be read for an import of this size: the record is then kept twice.
        """
        if key not in self._beside:
            self._beside[key] = frozenset(self._all(key))
        return bool(self._beside[key]) and _digest_of(record) in self._beside[key]

    def _all(self, key: str) -> Iterator[bytes]:
        found = self._store.head(key)
        if found is None or found.size > self._left:
            return
        self._left -= found.size
        plain = _RATIO * found.size
        try:
            for member in walk_members(self._store.stream(key)):
                hasher = hashlib.sha256()
                while piece := member.stream.read(_PIECE):
                    hasher.update(piece)
                    plain -= len(piece)
                    if plain < 0:
                        return
                yield hasher.digest()
        except (IntegrityError, ObjectMissing):
            return

    def _pieces(self, place: RecordRef) -> Iterator[bytes]:
        near = self._key == place.key and 0 <= place.offset - self._next <= _NEAR
        self._window = min(2 * self._window, _WINDOW) if near else 0
        at, end = place.offset, place.offset + place.length
        self._next = end
        while at < end:
            if self._key != place.key or not self._start <= at < self._start + len(self._held):
                self._held = self._store.get_range(place.key, at, min(max(end - at, self._window), _WINDOW))
                self._key, self._start = place.key, at
                self._window = max(self._window, place.length)
                if not self._held:
                    return
            piece = self._held[at - self._start : end - self._start]
            yield piece
            at += len(piece)


def _digest(member: Member, size: int) -> bytes | None:
    """Return the SHA-256 of a stored record, or None if it has more bytes than `size`."""
    hasher = hashlib.sha256()
    while piece := member.stream.read(_PIECE):
        hasher.update(piece)
        size -= len(piece)
        if size < 0:
            return None
    return hasher.digest()


def _digest_of(record: ForeignRecord) -> bytes:
    """Return the SHA-256 of a record as it would be stored."""
    hasher = hashlib.sha256(record.head)
    with record.block.open() as stream:
        while piece := stream.read(_PIECE):
            hasher.update(piece)
    hasher.update(_END)
    return hasher.digest()
