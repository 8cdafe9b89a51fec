"""Bundles as files: a zip in which nothing is left open, so that what it holds makes every byte of it.

Entries are stored, not compressed, under plain names, without times, comments or extra fields. With the
entries, anybody can write the file again; one that differs in any byte was altered.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO

from archive.errors import FormatError, IntegrityError
from storage.base import checked_key

_LARGEST = (1 << 32) - 2  # bytes: beyond it a zip needs fields of another kind
_MOST = 10_000  # entries
_PIECE = 1 << 18
_VERSION = 10
_DATE = 0x21  # the first day that a zip can name, 1980-01-01
_ATTRIBUTES = 0o100644 << 16
_MADE_BY = 3 << 8 | 20  # a file system with such rights

Opened = Callable[[], Iterator[bytes]]  # an entry's bytes, from the first, as often as they are asked for


def pack(file: BinaryIO | Comparing, entries: Iterable[tuple[str, Opened]]) -> int:
    """Write entries in their order; returns the file's size. Raises FormatError for what one file cannot hold."""
    directory = b""
    at = count = 0
    for name, opened in entries:
        checksum, size = _measure(opened())
        shared = struct.pack("<HHHHIIIHH", 0, 0, 0, _DATE, checksum, size, size, len(name), 0)
        head = b"PK\x03\x04" + struct.pack("<H", _VERSION) + shared + name.encode("ascii")
        file.write(head)
        written = 0
        for piece in opened():
            file.write(piece)
            written += len(piece)
        if written != size:
            raise IntegrityError(f"{name} changed while it was written; try again")
        directory += b"PK\x01\x02" + struct.pack("<HH", _MADE_BY, _VERSION) + shared
        directory += struct.pack("<HHHII", 0, 0, 0, _ATTRIBUTES, at) + name.encode("ascii")
        at += len(head) + size
        count += 1
        if at > _LARGEST or count > _MOST:
            raise FormatError("a bundle of evidence holds 4 GB at most: this snapshot needs more")
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), at, 0)
    file.write(directory + b"PK\x05\x06" + end)
    return at + len(directory) + 22


def _measure(pieces: Iterable[bytes]) -> tuple[int, int]:
    checksum = size = 0
    for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
        size += len(piece)
        if size > _LARGEST:
            raise FormatError("a bundle of evidence holds 4 GB at most: this snapshot needs more")
    return checksum, size


class Comparing:
    """Something to write to that wants the very bytes of a file; raises IntegrityError at the first other one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at = 0

    def write(self, data: bytes) -> int:
        """Compare what would be written with what is there."""
        if self._file.read(len(data)) != data:
            raise IntegrityError(f"it is not packed as it should be, from byte {self._at:,} on: it was altered")
        self._at += len(data)
        return len(data)

    def finish(self) -> None:
        """See that nothing follows."""
        if self._file.read(1):
            raise IntegrityError(f"bytes follow its end, at {self._at:,}: it was altered")


class Packed:
    """A bundle that was opened: its entries by name. Nothing of it is ever written to a disk."""

    def __init__(self, path: Path) -> None:
        """Open the zip; raises IntegrityError for what is no such zip, OSError."""
        try:
            self._zip = zipfile.ZipFile(path)
            self._infos = {checked_key(info.filename): info for info in self._zip.infolist()}
        except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, EOFError) as error:
            raise IntegrityError(f"it is no bundle of evidence: {_line(error)}") from error
        if len(self._infos) != len(self._zip.infolist()) or len(self._infos) > _MOST:
            raise IntegrityError("it is no bundle of evidence: a name stands in it twice, or too many do")
        for info in self._infos.values():
            if info.compress_type != zipfile.ZIP_STORED or info.flag_bits or info.file_size != info.compress_size:
                raise IntegrityError(f"it is no bundle of evidence: {info.filename} is compressed or encrypted")
        self._path = path

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()

    @property
    def sizes(self) -> Mapping[str, int]:
        """The entries in their order, each with its bytes."""
        return {name: info.file_size for name, info in self._infos.items()}

    def stream(self, name: str) -> Iterator[bytes]:
        """Yield an entry in pieces; raises IntegrityError where it is damaged, or not there."""
        if name not in self._infos:
            raise IntegrityError(f"{name} is not in it")
        try:
            with self._zip.open(self._infos[name]) as entry:
                yield from iter(lambda: entry.read(_PIECE), b"")
        except (zipfile.BadZipFile, NotImplementedError, EOFError, struct.error, RuntimeError) as error:
            raise IntegrityError(f"{name} in it is damaged: {_line(error)}") from error

    def read(self, name: str, limit: int) -> bytes:
        """Return a small entry whole; raises as `stream` does, and where it is not small."""
        if self.sizes.get(name, 0) > limit:
            raise IntegrityError(f"{name} in it is larger than any that this program writes")
        return b"".join(self.stream(name))

    def compare(self) -> None:
        """See that the file is what its entries make; raises IntegrityError, OSError."""
        names = list(self._infos)
        with self._path.open("rb") as file:
            comparing = Comparing(file)
            pack(comparing, ((name, partial(self.stream, name)) for name in names))
            comparing.finish()


def part_of(pieces: Iterable[bytes], offset: int, size: int) -> Iterator[bytes]:
    """Yield the bytes of a stream from `offset` on, `size` of them."""
    at = 0
    for piece in pieces:
        start, end = max(offset - at, 0), min(offset + size - at, len(piece))
        if start < end:
            yield piece[start:end]
        at += len(piece)
        if at >= offset + size:
            return


def _line(error: object) -> str:
    return " ".join(str(error).split())[:160]
