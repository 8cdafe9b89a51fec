"""Members of compressed files: gzip members, and Zstandard frames with the dictionary of their file."""

from __future__ import annotations

import re
import sys
import zlib
from typing import Protocol

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

OUT = 1 << 16  # bytes that a member gives at once
GZIP = b"\x1f\x8b\x08"
DICTIONARY = (
    b"\x5d\x2a\x4d\x18"  # the skippable frame that holds a dictionary (IIPC, WARC Compression with Zstandard §4)
)
MAGIC = re.compile(rb"\x1f\x8b\x08|\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", re.DOTALL)
BEGINNING = re.compile(rb"\x1f\x8b\x08|\x28\xb5\x2f\xfd")  # of members that hold something
LONGEST = 4  # bytes of it
LARGEST_DICTIONARY = 16 << 20  # bytes; archives have dictionaries of some 100 KB to 1 MB
_FRAME = b"\x28\xb5\x2f\xfd"
_TRAINED = b"\x37\xa4\x30\xec"

Dictionary = zstd.ZstdDict


class Member(Protocol):
    """A gzip member or a Zstandard frame being unpacked."""

    name: str
    eof: bool

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Return what comes out, `OUT` bytes at most, and what of `data` is to be given again; raises ValueError."""


class GzipMember:
    """One gzip member (RFC 1952)."""

    name = "gzip member"

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self.eof = False

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Unpack in the manner of `Member.feed`."""
        try:
            out = self._inner.decompress(data, OUT)
        except zlib.error as error:
            raise ValueError(str(error)) from error
        self.eof = self._inner.eof
        return out, self._inner.unused_data if self.eof else self._inner.unconsumed_tail


class ZstdFrame:
    """One Zstandard frame, or one that is skipped (RFC 8878 §3.1); a window of 128 MiB at most."""

    name = "Zstandard frame"

    def __init__(self, dictionary: Dictionary | None) -> None:
        self._inner = zstd.ZstdDecompressor(dictionary)
        self._holds = False  # it was given the data, and has not come to their end
        self.eof = False

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Unpack in the manner of `Member.feed`."""
        try:
            out = self._inner.decompress(b"" if self._holds else data, OUT)
        except zstd.ZstdError as error:
            raise ValueError(str(error)) from error
        self.eof = self._inner.eof
        if self.eof:
            return out, self._inner.unused_data
        self._holds = not self._inner.needs_input
        return out, data if self._holds else b""


def member_at(first: bytes, dictionary: Dictionary | None) -> Member | None:
    """Return a new member of the kind that begins with these bytes, None where none does."""
    if not MAGIC.match(first):
        return None
    return GzipMember() if first.startswith(GZIP) else ZstdFrame(dictionary)


def dictionary_of(data: bytes) -> Dictionary:
    """Return the dictionary that a dictionary frame holds, packed or not; raises ValueError."""
    try:
        if data.startswith(_FRAME):
            data = _unpacked(data)
        found = Dictionary(data, is_raw=not data.startswith(_TRAINED))
        zstd.ZstdDecompressor(found)  # damage shows when it is used
    except zstd.ZstdError as error:
        raise ValueError(str(error)) from error
    return found


def _unpacked(data: bytes) -> bytes:
    inner, out = zstd.ZstdDecompressor(), bytearray()
    while not inner.eof:
        piece = inner.decompress(data, OUT)
        data = b""
        out += piece
        if len(out) > LARGEST_DICTIONARY:
            raise ValueError(f"it is larger than {LARGEST_DICTIONARY:,} bytes")
        if not piece and inner.needs_input and not inner.eof:
            raise ValueError("it breaks off")
    return bytes(out)
