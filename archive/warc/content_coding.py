"""Content codings undone (RFC 9110 §8.4): gzip, deflate, br (RFC 7932), zstd (RFC 8878), in bounded memory.

What servers call a coding is believed as far as the bytes bear it out: a body that is plain in spite of its label is
taken as it is, and a name that is no coding (`utf-8`, `none`) names none, as browsers have it.
"""

from __future__ import annotations

import itertools
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from archive.errors import EntityError, EntityTooLarge

_CHUNK = 1 << 16  # bytes of output at once
_LOOKED_AT = 1 << 12  # bytes of a body that show whether it is in its coding
_SNIFFED = 1445  # bytes that tell text from what is none, by the MIME Sniffing standard (§7.1)
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"%PDF-", b"PK\x03\x04", b"wOF", b"\xff\xfe", b"\xfe\xff")
_GZIP = b"\x1f\x8b"
_ZSTD = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", re.DOTALL)  # frames, and those that are skipped
_NAMES = {
    "gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate", "x-deflate": "deflate",
    "br": "br", "brotli": "br", "zstd": "zstd", "x-zstd": "zstd",
}  # fmt: skip
# Codings that exist and are not undone here: a body in them is no text.
_FOREIGN = {
    "aes128gcm", "bzip2", "compress", "dcb", "dcz", "exi", "lzma", "pack200-gzip", "sdch", "x-bzip2", "x-compress",
    "xz",
}  # fmt: skip

Note = Callable[[str], None]


class _Decoder(Protocol):
    """One member or frame being undone."""

    eof: bool
    hungry: bool  # whether all that went in has come out
    rest: bytes  # what follows the end, once it is reached

    def feed(self, data: bytes) -> bytes:
        """Return what comes out, about `_CHUNK` bytes at most; not hungry then, the next call gives more for b""."""


class _Zlib:
    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits=wbits)
        self.eof, self.hungry, self.rest = False, True, b""

    def feed(self, data: bytes) -> bytes:
        try:
            out = self._inner.decompress(self._inner.unconsumed_tail + data, _CHUNK)
        except zlib.error as error:
            raise _fault(error) from error
        self.eof, self.rest = self._inner.eof, self._inner.unused_data
        self.hungry = not self._inner.unconsumed_tail and len(out) < _CHUNK  # a full piece: zlib may hold more back
        return out


class _Brotli:
    def __init__(self) -> None:
        import brotli

        self._inner, self._error = brotli.Decompressor(), brotli.error
        self.eof, self.hungry, self.rest = False, True, b""

    def feed(self, data: bytes) -> bytes:
        try:
            out: bytes = self._inner.process(data, output_buffer_limit=_CHUNK)
        except self._error as error:
            raise _fault(error) from error
        self.eof = self._inner.is_finished()
        self.hungry = self._inner.can_accept_more_data() and len(out) < _CHUNK
        return out


class _Zstd:
    def __init__(self) -> None:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd

        self._inner, self._error = zstd.ZstdDecompressor(), zstd.ZstdError
        self.eof, self.hungry, self.rest = False, True, b""

    def feed(self, data: bytes) -> bytes:
        try:
            out = self._inner.decompress(data, _CHUNK)
        except self._error as error:
            raise _fault(error) from error
        self.eof, self.hungry = self._inner.eof, self._inner.needs_input and len(out) < _CHUNK
        self.rest = self._inner.unused_data if self.eof else b""
        return out


def decoded(
    entity: Iterable[bytes], content_encoding: str | None, limit: int, note: Note | None = None
) -> Iterator[bytes]:
    """Yield a body with its content codings undone, in pieces, in bounded memory.

    `note` is called with a line for each coding that the header names and the body is not in: the body is read without
    it. Raises EntityTooLarge once more than `limit` bytes came out, EntityError for a coding that exists and is not
    undone here, or for data that are damaged. A coding that breaks off (a truncated capture) ends the entity there.
    """
    stream = iter(entity)
    for part in reversed((content_encoding or "").split(",")):  # in the order in which they are undone
        name = part.partition(";")[0].strip(" \t\"'").lower()
        if name not in {"", "identity"}:
            stream = _undone(stream, name, limit, note or _ignored)
    produced = 0
    for piece in stream:
        produced += len(piece)
        if produced > limit:
            raise _too_large(limit)
        yield piece


def _undone(stream: Iterator[bytes], label: str, limit: int, note: Note) -> Iterator[bytes]:
    first, whole, stream = _peeked(stream)
    if not first:
        return
    name = _NAMES.get(label)
    if name is not None and _recognised(name, first, whole):
        yield from _members(stream, name, limit)
        return
    if name is not None and not _is_plain(first) and name != "gzip":
        yield from _members(stream, name, limit)  # which says what is wrong with it
        return
    if label in _FOREIGN and not _is_plain(first):
        raise EntityError(f"content coding {label!r} is not one this program undoes; take the raw bytes instead")
    shown = repr(label[:40])
    if name is None and label not in _FOREIGN:
        note(f"Content-Encoding says {shown}, which is no content coding: the body is read as it came")
    else:
        note(f"Content-Encoding says {shown}, and the body is not in it: the body is read as it came")
    yield from stream


def _recognised(name: str, first: bytes, whole: bool) -> bool:
    """Whether a body that begins so is in a coding; `whole` if that is all of it."""
    if name == "gzip":
        return first.startswith(_GZIP[: len(first)]) if len(first) < 2 else first.startswith(_GZIP)
    if name == "zstd":
        return _ZSTD.match(first) is not None
    try:
        decoder = _decoder(name, first)
        out = decoder.feed(first)
    except EntityError:
        return False
    return bool(out) or decoder.eof or not (whole and _is_plain(first))


def _is_plain(first: bytes) -> bool:
    """Whether bytes look like text, or like a file of a kind that needs no coding."""
    return first.startswith(_SIGNATURES) or not _BINARY.search(first[:_SNIFFED])


def _decoder(name: str, first: bytes) -> _Decoder:
    if name == "br":
        return _Brotli()
    if name == "zstd":
        return _Zstd()
    return _Zlib(31) if name == "gzip" or first.startswith(_GZIP) else _Zlib(_deflate_form(first))


def _deflate_form(first: bytes) -> int:
    """Return zlib's window bits: servers send zlib (RFC 1950) and raw deflate (RFC 1951) under the one name."""
    if len(first) >= 2 and first[0] & 0x0F == 8 and (first[0] << 8 | first[1]) % 31 == 0:
        try:
            _Zlib(15).feed(first)
        except EntityError:
            return -15
        return 15
    return -15


def _members(stream: Iterator[bytes], name: str, limit: int) -> Iterator[bytes]:
    decoder: _Decoder | None = None
    produced = members = 0
    waiting = b""  # first bytes that do not show yet what they begin
    for piece in stream:
        data, waiting = waiting + piece, b""
        while data or (decoder is not None and not decoder.hungry):
            if decoder is None:
                if members and len(data) < 4:
                    waiting = data
                    break
                if members and not _goes_on(name, data):
                    return  # servers pad: what is no further member ends the body
                decoder = _decoder(name, data)
                members += 1
            out, data = decoder.feed(data), b""
            produced += len(out)
            if out:
                yield out
            if produced > limit:
                raise _too_large(limit)
            if decoder.eof:
                data, decoder = decoder.rest, None


def _goes_on(name: str, data: bytes) -> bool:
    return data.startswith(_GZIP) if name == "gzip" else name == "zstd" and _ZSTD.match(data) is not None


def _peeked(stream: Iterator[bytes]) -> tuple[bytes, bool, Iterator[bytes]]:
    """Return the first bytes, whether they are all, and the stream with them at its beginning, in one piece."""
    pieces: list[bytes] = []
    size = 0
    while size < _LOOKED_AT:
        piece = next(stream, None)
        if piece is None:
            break
        pieces.append(piece)
        size += len(piece)
    first = b"".join(pieces)
    return first[:_LOOKED_AT], size < _LOOKED_AT, itertools.chain([first] if first else [], stream)


def _too_large(limit: int) -> EntityTooLarge:
    return EntityTooLarge(f"the body decodes to more than {limit:,} bytes")


def _fault(error: Exception) -> EntityError:
    return EntityError(f"the body is not in its content coding: {error}")


def _ignored(_: str) -> None:
    """Take a note that the caller has no place for."""
