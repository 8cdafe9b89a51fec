"""Records read back, every byte checked against the digests they were written with."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParser, StatusAndHeadersParserException

from archive.checked_json import size_of
from archive.digests import is_digest
from archive.errors import IntegrityError, RecordError
from archive.model import Headers
from archive.times import from_iso
from archive.warc.gzip_members import Member, single_member, walk_members
from archive.warc.http_message import Head, read_entity, read_head

_PARSER = StatusAndHeadersParser(["WARC/"])  # of any version: records of others are kept as they are
_PIECE = 1 << 16
_MAX_HEAD = 1 << 20  # bytes of a record's own header lines; ours have a few thousand


class CheckedBlock(io.RawIOBase):
    """A record's block: at its last byte, its digest is compared with the record's own; raises IntegrityError."""

    def __init__(self, stream: BinaryIO, size: int, digest: str | None, name: str) -> None:
        self._stream = stream
        self._left = size
        self._expected = digest if digest and is_digest(digest) else None  # of others, see `archive.importers`
        self._hash = hashlib.sha256()
        self._name = name
        self._finished = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # io declares an opaque buffer type
        """Read up to the block's end, in the manner of `io.RawIOBase`."""
        if self._finished:
            return 0
        piece = self._stream.read(min(len(buffer), self._left))
        if not piece and self._left:
            raise RecordError(f"{self._name}: the block ends {self._left:,} bytes early")
        self._left -= len(piece)
        self._hash.update(piece)
        if not self._left:
            self._finish()
        buffer[: len(piece)] = piece
        return len(piece)

    def _finish(self) -> None:
        self._finished = True
        if self._expected and self._expected != f"sha256:{self._hash.hexdigest()}":
            raise IntegrityError(f"{self._name}: the block is not the one its WARC-Block-Digest names")
        if self._stream.read(5) != b"\r\n\r\n":
            raise RecordError(f"{self._name}: the record does not end in two line ends")


@dataclass(frozen=True, slots=True)
class Record:
    """One WARC record: its headers, and its block as a stream that is checked as it is read."""

    headers: Headers
    block: BinaryIO
    member: Member
    head: bytes = b""
    payload_digest: str | None = None  # what an index says of it, which is believed over the record's own header
    own: bool = True  # written by this program: its digests must be those of its bytes

    def header(self, name: str) -> str | None:
        """Return the first value of a header, by case-insensitive name (WARC 1.1 §4)."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    @property
    def kind(self) -> str:
        """WARC-Type."""
        return self.header("WARC-Type") or ""

    @property
    def record_id(self) -> str:
        """WARC-Record-ID."""
        return self.header("WARC-Record-ID") or ""

    @property
    def url(self) -> str | None:
        """WARC-Target-URI; in angle brackets in the files of some."""
        url = self.header("WARC-Target-URI")
        return url[1:-1] if url and url.startswith("<") and url.endswith(">") else url

    @property
    def date(self) -> datetime:
        """WARC-Date."""
        return from_iso(self.header("WARC-Date") or "")

    def head_bytes(self) -> bytes:
        """Return the record's own version and header lines as they were written, blank line included."""
        return self.head

    def http(self) -> tuple[Head, bytes, Iterator[bytes]]:
        """Return a response's head, the head's bytes, and the body in pieces; its payload digest is checked at the end.

        What was made of a page rather than received, a resource, has no head: its type is that of the record.
        """
        if self.kind == "resource":
            head = Head(200, "", (("Content-Type", self.header("Content-Type") or ""),), 0)
            return head, b"", self._checked(iter(lambda: self.block.read(_PIECE), b""))
        head, head_bytes = read_head(self.block)
        return head, head_bytes, self._checked(read_entity(self.block, head))

    def _checked(self, entity: Iterator[bytes]) -> Iterator[bytes]:
        hasher = hashlib.sha256()
        for piece in entity:
            hasher.update(piece)
            yield piece
        self.drain()
        expected = self.payload_digest
        if expected is None and self.kind == "response" and self.own:
            expected = self.header("WARC-Payload-Digest")
        if expected and is_digest(expected) and expected != f"sha256:{hasher.hexdigest()}":
            raise IntegrityError(f"{self.record_id}: the payload is not the one that its digest names")

    def drain(self) -> None:
        """Read the block to its end, so that its digest is compared."""
        while self.block.read(_PIECE):
            pass


def read_record(pieces: Iterable[bytes], *, own: bool = True) -> Record:
    """Return the record in one gzip member, its bytes given in pieces; raises RecordError.

    With `own` false another program wrote the record: what its digests say is not compared with its bytes.
    """
    return _parse(single_member(pieces), own)


def walk_records(
    pieces: Iterable[bytes], leaf: Callable[[bytes], None] | None = None, *, own: bool = True
) -> Iterator[Record]:
    """Yield every record of a WARC file given in pieces, to its last byte; raises RecordError where it is damaged.

    `leaf` is given what `walk_members` gives; `own` is as for `read_record`.
    """
    for member in walk_members(pieces, leaf):
        record = _parse(member, own)
        yield record
        record.drain()


def _parse(member: Member, own: bool) -> Record:
    try:
        head = _head(member.stream)
        parsed = _PARSER.parse(head)
    except (StatusAndHeadersParserException, ArchiveLoadFailed, EOFError, UnicodeDecodeError) as error:
        raise RecordError(f"no WARC record: {str(error)[:200] or 'it is empty'}") from error
    headers = _fields(parsed)
    named = {name.lower(): value for name, value in reversed(headers)}  # the first of each name
    record_id = named.get("warc-record-id") or "a record without id"
    try:
        length = size_of(named.get("content-length"))
    except ValueError as error:
        raise RecordError(f"{record_id}: no Content-Length") from error
    digest = named.get("warc-block-digest") if own else None
    checked = CheckedBlock(member.stream, length, digest, record_id)
    return Record(headers, io.BufferedReader(checked, _PIECE), member, head.getvalue(), own=own)


def headers_of(head: bytes) -> Headers:
    """Return the headers in a record's head, as they are read back from it; raises RecordError."""
    try:
        parsed = _PARSER.parse(io.BytesIO(head))
    except (StatusAndHeadersParserException, ArchiveLoadFailed, EOFError, UnicodeDecodeError) as error:
        raise RecordError(f"no WARC record: {str(error)[:200] or 'it is empty'}") from error
    return _fields(parsed)


def _fields(parsed: StatusAndHeaders) -> Headers:
    """Return names and values; one that begins on a further line has blanks before it (WARC 1.1 §4, LWS)."""
    return tuple((str(name), str(value).strip()) for name, value in parsed.headers)


def _head(stream: BinaryIO) -> io.BytesIO:
    """Return a record's header lines, blank line included, for the parser, which would read lines of any length."""
    lines: list[bytes] = []
    left = _MAX_HEAD
    while left > 0:
        line = stream.readline(left)
        lines.append(line)
        left -= len(line)
        if not line.strip():
            return io.BytesIO(b"".join(lines))
    raise RecordError(f"no WARC record: its head is longer than {_MAX_HEAD:,} bytes")
