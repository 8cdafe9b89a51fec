"""From a stored HTTP message to what it carries: head, entity body (RFC 9112 §7), content decoded (RFC 9110 §8.4)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from archive.errors import EntityError, EntityTooLarge
from archive.model import Headers

_CHUNK = 1 << 16
_MAX_LINE = 1 << 16  # of a chunk-size line, extensions included
_STATUS_LINE = re.compile(rb"HTTP/(\d(?:\.\d)?)[ \t]+([1-9]\d{2})[ \t]*([^\r\n]*)")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,16})[ \t]*(?:;|\r?\n)")


@dataclass(frozen=True, slots=True)
class Head:
    """A response's status line and headers, read as leniently as browsers do."""

    status: int
    reason: str
    headers: Headers
    length: int  # bytes, the blank line included

    def header(self, name: str) -> str | None:
        """The first value of a header, by case-insensitive name."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


def parse_head(data: bytes) -> Head:
    """Read a head; lines may end in bare LF, lines that are no header are passed over, status 0 when there is none."""
    lines = data.split(b"\n")
    match = _STATUS_LINE.match(lines[0])
    found: list[tuple[str, list[str]]] = []  # names, and the lines that each value is folded into
    for line in lines[1:]:
        text = line.rstrip(b"\r").decode("latin-1")
        if text[:1] in {" ", "\t"} and found:
            found[-1][1].append(text.strip())
        elif ":" in text:
            name, _, value = text.partition(":")
            found.append((name.strip(), [value.strip()]))
    headers = [(name, " ".join(values)) for name, values in found]
    status, reason = (int(match[2]), match[3].decode("latin-1").strip()) if match else (0, "")
    return Head(status, reason, tuple(headers), len(data))


def read_head(block: BinaryIO, limit: int = 1 << 20) -> tuple[Head, bytes]:
    """Read a response block up to its blank line: the head and its bytes; the stream is left at the body."""
    lines: list[bytes] = []
    size = 0
    while size < limit:
        line = block.readline(limit - size)
        lines.append(line)
        size += len(line)
        if line in {b"\r\n", b"\n", b""}:
            break
    data = b"".join(lines)
    return parse_head(data), data


def read_entity(body: BinaryIO, head: Head) -> Iterator[bytes]:
    """The entity body in pieces: chunk framing undone where the head names it, otherwise the bytes as they are.

    A body that says chunked but does not begin with a chunk size is taken as it is, as other readers do; a framing
    that breaks off later ends the entity there.
    """
    codings = (head.header("Transfer-Encoding") or "").lower()
    if "chunked" in codings:
        return _dechunk(body)
    return iter(lambda: body.read(_CHUNK), b"")


def _dechunk(body: BinaryIO) -> Iterator[bytes]:
    line = body.readline(_MAX_LINE)
    if line and not _CHUNK_SIZE.match(line):
        yield line
        yield from iter(lambda: body.read(_CHUNK), b"")
        return
    while match := _CHUNK_SIZE.match(line):
        left = int(match[1], 16)
        if left == 0:
            return
        while left:
            piece = body.read(min(left, _CHUNK))
            if not piece:
                return
            left -= len(piece)
            yield piece
        if body.readline(3) not in {b"\r\n", b"\n"}:
            return
        line = body.readline(_MAX_LINE)


def decoded(entity: Iterable[bytes], content_encoding: str | None, limit: int) -> Iterator[bytes]:
    """Undo the content codings in bounded memory.

    Raises EntityTooLarge once more than `limit` bytes came out, EntityError for a coding that is not known or data that
    are not in it. A coding that breaks off (a truncated capture) ends the entity there.
    """
    names = [name.strip().lower() for name in (content_encoding or "").split(",")]
    stream = iter(entity)
    for name in reversed([name for name in names if name not in {"", "identity"}]):
        if name in {"gzip", "x-gzip"}:
            stream = _inflate(stream, lambda _: zlib.decompressobj(wbits=31), limit)
        elif name == "deflate":
            stream = _inflate(stream, _deflate_form, limit)
        else:
            raise EntityError(f"content coding {name!r} is not one this program undoes; take the raw bytes instead")
    return _limited(stream, limit)


def _deflate_form(first: bytes) -> zlib._Decompress:
    """Servers send both zlib and raw deflate under the one name."""
    zlib_header = len(first) >= 2 and first[0] & 0x0F == 8 and (first[0] << 8 | first[1]) % 31 == 0
    return zlib.decompressobj(wbits=15 if zlib_header else -15)


def _inflate(stream: Iterable[bytes], make: Callable[[bytes], zlib._Decompress], limit: int) -> Iterator[bytes]:
    decompressor = None
    produced = members = 0
    waiting = b""  # a first byte that does not tell yet what it begins
    for piece in stream:
        data, out, waiting = waiting + piece, b"", b""
        while data or len(out) == _CHUNK:  # a full piece of output: zlib may hold more back
            if decompressor is None:
                if len(data) < 2:
                    waiting = data
                    break
                if members and not data.startswith(b"\x1f\x8b"):
                    return  # servers pad: what is no further member ends the body
                decompressor = make(data)
                members += 1
            try:
                out = decompressor.decompress(data, _CHUNK)
            except zlib.error as error:
                raise EntityError(f"the body is not in its content coding: {error}") from error
            produced += len(out)
            if out:
                yield out
            if produced > limit:
                raise EntityTooLarge(f"the body decodes to more than {limit:,} bytes")
            data = decompressor.unconsumed_tail
            if decompressor.eof:
                data, out = decompressor.unused_data, b""
                decompressor = None


def _limited(stream: Iterator[bytes], limit: int) -> Iterator[bytes]:
    produced = 0
    for piece in stream:
        produced += len(piece)
        if produced > limit:
            raise EntityTooLarge(f"the body decodes to more than {limit:,} bytes")
        yield piece
