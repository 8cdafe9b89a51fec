"""From a stored HTTP message to what it carries: its head and its entity body (RFC 9112 §7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from io import BufferedReader
from typing import BinaryIO

from archive.model import Headers

_CHUNK = 1 << 16
_MAX_LINE = 1 << 16  # of a chunk-size line, extensions included
_STATUS_LINE = re.compile(rb"(?i:HTTP)/(\d(?:\.\d)?)[ \t]+([1-9]\d{2})[ \t]*([^\r\n]*)")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,16})[ \t]*(?:;|\r?\n)")


@dataclass(frozen=True, slots=True)
class Head:
    """A response's status line and headers, read as leniently as browsers do."""

    status: int
    reason: str
    headers: Headers
    length: int  # bytes, the blank line included

    def header(self, name: str) -> str | None:
        """Return the first value of a header, by case-insensitive name."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    @property
    def content_encoding(self) -> str:
        """The content codings that all lines of Content-Encoding list, one list of them (RFC 9110 §5.3)."""
        return ", ".join(value for key, value in self.headers if key.lower() == "content-encoding")


def parse_head(data: bytes) -> Head:
    """Read a head; lines may end in bare LF, lines that are no header are passed over, status 0 when none is named."""
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
    """Read a response block up to its blank line: the head and its bytes; the stream is left at the body.

    Of interim responses before the final one (RFC 9110 §15.2), which other programs' records may begin with, the bytes
    are returned too; the head is that of the final response.
    """
    before = b""
    while True:
        data = _to_blank_line(block, limit - len(before))
        head = parse_head(data)
        is_interim = 100 <= head.status < 200 and head.status != 101
        if not is_interim or len(before) + len(data) >= limit or not _comes_next(block, b"HTTP/"):
            return replace(head, length=len(before) + len(data)), before + data
        before += data


def _to_blank_line(block: BinaryIO, limit: int) -> bytes:
    lines: list[bytes] = []
    size = 0
    while size < limit:
        line = block.readline(limit - size)
        lines.append(line)
        size += len(line)
        if line in {b"\r\n", b"\n", b""}:
            break
    return b"".join(lines)


def _comes_next(block: BinaryIO, wanted: bytes) -> bool:
    if isinstance(block, BufferedReader):
        found = block.peek(len(wanted))[: len(wanted)]
    else:
        at = block.tell()
        found = block.read(len(wanted))
        block.seek(at)
    return bool(found) and wanted.startswith(found)


def read_entity(body: BinaryIO, head: Head) -> Iterator[bytes]:
    """Return the entity body in pieces: chunk framing undone where the head names it, otherwise the bytes as they are.

    A body that says chunked but does not begin with a chunk size is taken as it is, as other readers do; a framing
    that breaks off later ends the entity there.
    """
    codings = (head.header("Transfer-Encoding") or "").lower()
    if "chunked" in codings:
        return _dechunk(body)
    return iter(partial(body.read, _CHUNK), b"")


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
