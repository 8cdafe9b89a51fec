"""Where a body ends, for responses whose head a strict parser refuses (RFC 9112 §6.3, read leniently)."""

from __future__ import annotations

import re

from archive.warc import Head

_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,16})[ \t]*(?:;[^\n]*)?\r?\n?\Z")
_MAX_LINE = 1 << 16
_NO_BODY = {204, 304}


class Framing:
    """A body that goes on until the connection closes; the other kinds build on it."""

    def __init__(self) -> None:
        self.done = False
        self.broken: str | None = None  # why the body will not end as it should

    def feed(self, data: bytes) -> int:
        """How many of these bytes belong to the body; b"" is the connection's end."""
        self.done = not data
        return len(data)


class Counted(Framing):
    """A body of a known length."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self._left = length
        self.done = length == 0

    def feed(self, data: bytes) -> int:
        """Take bytes up to the length."""
        if not data and self._left:
            self.broken = "the connection closed before the end"
        taken = min(len(data), self._left)
        self._left -= taken
        self.done = self._left == 0
        return taken


class Chunked(Framing):
    """A chunked body, its extensions and trailers with it."""

    def __init__(self) -> None:
        super().__init__()
        self._line = bytearray()
        self._left = 0
        self._state = self._size_line

    def feed(self, data: bytes) -> int:
        """Take bytes up to the end of the trailers."""
        if not data:
            self.broken = None if self.done else "the connection closed before the end"
            return 0
        at = 0
        while at < len(data) and not self.done and not self.broken:
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
                at += step
                continue
            end = data.find(b"\n", at)
            stop = len(data) if end < 0 else end + 1
            self._line += data[at:stop]
            at = stop
            if end >= 0:
                line = bytes(self._line)
                self._line.clear()
                self._state(line)
            elif len(self._line) > _MAX_LINE:
                self.broken = "broken framing: a chunk size that never ends"
        return len(data) if self.broken else at

    def _size_line(self, line: bytes) -> None:
        match = _SIZE.match(line)
        if match is None:
            self.broken = f"broken framing: {line[:20]!r} is no chunk size"
            return
        self._left = int(match[1], 16)
        self._state = self._chunk_end if self._left else self._trailer

    def _chunk_end(self, line: bytes) -> None:
        if line.strip(b"\r\n"):
            self.broken = "broken framing: a chunk is longer than its size"
        self._state = self._size_line

    def _trailer(self, line: bytes) -> None:
        self.done = line in {b"\r\n", b"\n"}


def framing_of(head: Head) -> Framing:
    """How a response with this head ends."""
    if head.status in _NO_BODY:
        return Counted(0)
    if "chunked" in (head.header("Transfer-Encoding") or "").lower():
        return Chunked()
    values = ",".join(value for name, value in head.headers if name.lower() == "content-length")
    lengths = {value.strip() for value in values.split(",")}  # "5, 5" is one length (RFC 9112 §6.3)
    if len(lengths) == 1 and (length := lengths.pop()).isascii() and length.isdigit():
        return Counted(int(length[:18]))
    return Framing()
