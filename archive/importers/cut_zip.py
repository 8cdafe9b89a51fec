"""A zip that breaks off before the list of its entries: they are found by their own headers (APPNOTE 6.3.10 §4.3.7)."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipInfo

_HEADER = struct.Struct("<4s5HIIIHH")
_MAGIC = b"PK\x03\x04"
_DESCRIPTOR = b"PK\x07\x08"
_STREAMED = 8  # flag: the sizes follow the entry
_UTF8 = 0x800  # flag: the name is UTF-8
_IN_EXTRA = 0xFFFFFFFF
_MOST = 100_001  # entries
_PIECE = 1 << 18
_FREE = 256 << 20  # bytes that an entry may unfold to before its ratio counts
_RATIO = 400


class CutZip:
    """The entries of a cut zip, read as `zipfile.ZipFile` reads those of a whole one."""

    def __init__(self, path: Path) -> None:
        """Find the entries; raises OSError."""
        self._path = path
        self._entries: list[ZipInfo] = []
        self._starts: dict[str, int] = {}
        self._short: set[str] = set()  # entries that break off
        with path.open("rb") as file:
            size = path.stat().st_size
            at: int | None = 0
            while at is not None and len(self._entries) < _MOST:
                at = self._entry(file, at, size)

    def infolist(self) -> list[ZipInfo]:
        """Return the entries in their order."""
        return self._entries

    def getinfo(self, name: str) -> ZipInfo:
        """Return the first entry of a name; raises KeyError."""
        return next(entry for entry in self._entries if entry.filename == name)

    def open(self, name: str) -> IO[bytes]:
        """Return a reader of an entry, which gives less than is asked for, and raises EOFError where it breaks off."""
        return cast("IO[bytes]", _Reader(self._pieces(name)))

    def _entry(self, file: BinaryIO, at: int, size: int) -> int | None:
        """Take the entry at an offset; returns where the next one can begin."""
        file.seek(at)
        data = file.read(_HEADER.size)
        if len(data) < _HEADER.size or not data.startswith(_MAGIC):
            return None
        _, _, flags, method, _, _, _, packed, plain, name_length, extra_length = _HEADER.unpack(data)
        name = file.read(name_length).decode("utf-8" if flags & _UTF8 else "cp437", "replace")
        packed, plain = _sizes(file.read(extra_length), packed, plain)
        start = at + _HEADER.size + name_length + extra_length
        end = start + packed
        if flags & _STREAMED and not packed:
            found = _end_of_deflated(file, start) if method == ZIP_DEFLATED else _end_of_stored(file, start)
            end = found if found is not None else size + 1
        info = ZipInfo(name)
        info.compress_type, info.flag_bits, info.header_offset = method, flags, at
        info.compress_size = max(min(end, size) - start, 0)
        info.file_size = plain or info.compress_size
        self._entries.append(info)
        if self._starts.setdefault(name, start) == start and end > size:
            self._short.add(name)
        return _behind_descriptor(file, end) if flags & _STREAMED else end

    def _pieces(self, name: str) -> Iterator[bytes]:
        info = self.getinfo(name)
        if info.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
            raise NotImplementedError("that compression method is not supported")
        inflating = zlib.decompressobj(wbits=-15) if info.compress_type == ZIP_DEFLATED else None
        left = info.compress_size
        with self._path.open("rb") as file:
            file.seek(self._starts[name])
            while left and (piece := file.read(min(left, _PIECE))):
                left -= len(piece)
                while inflating is not None and piece and not inflating.eof:
                    if out := inflating.decompress(piece, _PIECE):
                        yield out
                    piece = inflating.unconsumed_tail
                if inflating is None:
                    yield piece
        if name in self._short or (inflating is not None and not inflating.eof):
            raise EOFError("the zip breaks off within it")


class _Reader(io.RawIOBase):
    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # io declares an opaque buffer type
        """Read in the manner of `io.RawIOBase`."""
        self._held = self._held or next(self._pieces, b"")
        piece = self._held[: len(buffer)]
        self._held = self._held[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


def _sizes(extra: bytes, packed: int, plain: int) -> tuple[int, int]:
    """Return the sizes, packed and plain, from the ZIP64 field where the header leaves them to it (§4.5.3)."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind != 1:
            continue
        if plain == _IN_EXTRA and len(field) >= 8:
            plain, field = int.from_bytes(field[:8], "little"), field[8:]
        if packed == _IN_EXTRA and len(field) >= 8:
            packed = int.from_bytes(field[:8], "little")
    return packed, plain


def _end_of_deflated(file: BinaryIO, start: int) -> int | None:
    """Return where a deflated entry ends; None where it breaks off, is damaged, or unfolds to too much."""
    file.seek(start)
    inflating = zlib.decompressobj(wbits=-15)
    given = taken = 0
    while piece := file.read(_PIECE):
        taken += len(piece)
        while piece:
            try:
                given += len(inflating.decompress(piece, _PIECE))
            except zlib.error:
                return None
            if inflating.eof:
                return start + taken - len(inflating.unused_data)
            if given > _FREE and given > _RATIO * taken:
                return None
            piece = inflating.unconsumed_tail
    return None


def _end_of_stored(file: BinaryIO, start: int) -> int | None:
    """Return where a stored entry ends: at a descriptor that names just so many bytes (§4.3.9)."""
    file.seek(start)
    window, at = b"", start
    while True:
        piece = file.read(_PIECE)
        window += piece or bytes(24)
        found = window.find(_DESCRIPTOR)
        while 0 <= found <= len(window) - 24:
            length = at + found - start
            if length in {struct.unpack_from(form, window, found + 8)[0] for form in ("<I", "<Q")}:
                return at + found
            found = window.find(_DESCRIPTOR, found + 1)
        if not piece:
            return None
        kept = min(len(window), 24)
        at, window = at + len(window) - kept, window[-kept:]


def _behind_descriptor(file: BinaryIO, end: int) -> int:
    file.seek(end)
    data = file.read(28)
    sizes = [16, 24] if data.startswith(_DESCRIPTOR) else [0, 12, 20]
    return end + next((size for size in sizes if data[size : size + 2] == b"PK"), sizes[0])
