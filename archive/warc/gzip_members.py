"""gzip members, one a record (RFC 1952, WARC 1.1 annex D): written fast, walked to the last byte."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from archive.crypto.merkle import LEAF
from archive.errors import RecordError
from archive.model import Block

try:
    from isal import isal_zlib as _fast
except ImportError:  # no wheel for this processor: the standard library writes the same format, slower
    _fast = None  # type: ignore[assignment]  # a module or None

_DAMAGED = (zlib.error, *((_fast.error,) if _fast else ()))
_LEVEL = 2 if _fast else 6
_WHOLE = 1 << 20  # a record up to this size is compressed in one call
_OUT = 1 << 16
_FLAGS, _RESERVED = 3, 0xE0  # the byte of a member's header, and the bits of it
_STEP = 1 << 13  # compressed bytes given to zlib at once


class Sink(Protocol):
    """What bytes can be written to."""

    def write(self, data: bytes, /) -> object: ...  # noqa: D102 - as for any file


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


def _compressor() -> _Compressor:
    return _fast.compressobj(_LEVEL, 8, 31) if _fast else zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)


def packs_into(head: bytes, block: Block, most: int) -> bool:
    """Whether a record takes at most so many bytes of a file; it is packed where its plain bytes are more."""
    packer, plain = _compressor(), len(head)
    size = len(packer.compress(head))
    with block.open() as stream:
        while piece := stream.read(_WHOLE):
            plain += len(piece)
            size += len(packer.compress(piece))
            if size > most:
                return False
        return plain <= most or size + len(packer.flush()) <= most


def gzip_member(data: bytes) -> bytes:
    """Return the bytes as one gzip member."""
    if _fast:
        return bytes(_fast.compress(data, _LEVEL, 31))
    return zlib.compress(data, _LEVEL, 31)


class MemberWriter:
    """A file-like object: what is written up to each `flush` becomes one gzip member of the file below.

    `below` takes bytes of that file; `offset` is how many it has, where the next member begins after a `flush`.
    """

    def __init__(self, below: Callable[[bytes], object], offset: int = 0) -> None:
        self._below = below
        self.offset = offset
        self._pending: list[bytes] = []
        self._size = 0
        self._stream: _Compressor | None = None

    def write(self, data: bytes) -> int:
        """Take bytes of the present member, holding at most 1 MiB of them."""
        self._pending.append(data)
        self._size += len(data)
        if self._size > _WHOLE:
            if self._stream is None:
                self._stream = _compressor()
            packed = self._stream.compress(self._take())
            self.offset += len(packed)
            self._below(packed)
        return len(data)

    def flush(self) -> None:
        """End the member."""
        if self._stream is not None:
            packed = self._stream.compress(self._take()) + self._stream.flush()
            self._stream = None
        else:
            packed = gzip_member(self._take())
        self.offset += len(packed)
        self._below(packed)

    def _take(self) -> bytes:
        data = b"".join(self._pending)
        self._pending.clear()
        self._size = 0
        return data


class _Source:
    """A file's pieces, handed on in small steps: what a member leaves of a step is copied, so a step is short."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._piece = b""
        self._at = 0

    def take(self) -> bytes:
        """Return the next bytes; empty at the end."""
        if self._at >= len(self._piece):
            self._piece = next((piece for piece in self._pieces if piece), b"")
            self._at = 0
        step = self._piece[self._at : self._at + _STEP]
        self._at += len(step)
        return step

    def give_back(self, count: int) -> None:
        """Make the last bytes of what was taken the next ones again."""
        self._at -= count


class _Inflating(io.RawIOBase):
    """The plain bytes of the gzip member that a source is at."""

    def __init__(self, source: _Source, name: str, *, hashed: bool = False) -> None:
        self._name = name
        self._source = source
        self._leaf = hashlib.sha256(LEAF) if hashed else None
        self._data = b""
        self._decompressor = (_fast or zlib).decompressobj(wbits=31)
        self.consumed = 0  # compressed bytes of this member
        self._full = False  # the last output filled its buffer: zlib may hold more back

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # io declares an opaque buffer type
        while not self._decompressor.eof:
            if not self._data and not self._full:
                self._data = self._source.take()
                if not self._data:
                    raise RecordError(f"{self._name} breaks off before its end")
                if self._has_unknown_flags():
                    raise RecordError(f"{self._name} is damaged, or none: its header has unknown flags")
            try:
                out = self._decompressor.decompress(self._data, min(len(buffer), _OUT))
            except _DAMAGED as error:
                raise RecordError(f"{self._name} is damaged, or none: {error}") from error
            self._full = len(out) == min(len(buffer), _OUT)
            ended = self._decompressor.eof
            left = self._decompressor.unused_data if ended else self._decompressor.unconsumed_tail
            self.consumed += len(self._data) - len(left)
            if self._leaf:
                self._leaf.update(memoryview(self._data)[: len(self._data) - len(left)])
            self._data = left
            if ended:
                self._source.give_back(len(left))
            if out:
                buffer[: len(out)] = out
                return len(out)
        return 0

    def _has_unknown_flags(self) -> bool:
        """Return whether reserved flags are set, which a reader must refuse (RFC 1952 §2.3.1.2); isal passes them."""
        at = _FLAGS - self.consumed
        return 0 <= at < len(self._data) and self._data[at] & _RESERVED != 0

    def leaf(self) -> bytes:
        """Return the hash of the member's bytes as a leaf, once it was read to its end."""
        assert self._leaf is not None, "asked for when it was made"
        return self._leaf.digest()


class Member:
    """One gzip member being read: its offset and, once read to the end, its length in the file."""

    def __init__(self, offset: int, inflating: _Inflating) -> None:
        self.offset = offset
        self._inflating = inflating
        self.stream = io.BufferedReader(inflating, _OUT)

    @property
    def length(self) -> int:
        """Compressed bytes read so far: the member's length once its stream is at its end."""
        return self._inflating.consumed

    def drain(self) -> None:
        """Read to the member's end, so that its checksum is compared; raises RecordError."""
        while self.stream.read(_OUT):
            pass


def walk_members(pieces: Iterable[bytes], leaf: Callable[[bytes], None] | None = None) -> Iterator[Member]:
    """Every gzip member of a file given in pieces, to the file's last byte, in bounded memory.

    Each member is drained before the next is given; then `leaf` is given its hash, as that of a Merkle leaf. Raises
    RecordError, its offset named, for a member that is damaged or breaks off and for bytes after the last member that
    are none.
    """
    source = _Source(pieces)
    offset = 0
    while first := source.take():
        source.give_back(len(first))
        inflating = _Inflating(source, f"the gzip member at byte {offset:,}", hashed=leaf is not None)
        member = Member(offset, inflating)
        yield member
        member.drain()
        if leaf is not None:
            leaf(inflating.leaf())
        offset += inflating.consumed


def single_member(pieces: Iterable[bytes]) -> Member:
    """Return the one member that a range read holds."""
    return Member(0, _Inflating(_Source(pieces), "the gzip member"))
