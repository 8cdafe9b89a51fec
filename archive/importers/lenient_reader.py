"""Records of WARC and ARC files as they are found: those that can be taken, and a fault for each place that cannot."""

from __future__ import annotations

import hashlib
import itertools
import re
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from archive.checked_json import size_of
from archive.digests import digest_of
from archive.errors import RecordError
from archive.importers.arc_lines import ARC_MARK, arc_fields, arc_kind, begins_with_arc
from archive.importers.dates import moment_of
from archive.importers.declared_digests import Declared, declared
from archive.importers.plain_bytes import VERSION, Damage, Plain, unpacked
from archive.model import Block, Headers
from archive.times import iso
from archive.warc.reader import headers_of

_LINE = 1 << 16
_HEAD = 1 << 20  # bytes of a record's header lines
_MEMORY = 1 << 20  # of a block that is held in memory
_LARGEST = 16 << 30  # bytes of a block
_PIECE = 1 << 18
_GARBAGE = 64 << 20  # bytes between records in which the next one is looked for
_BLANK = re.compile(rb"\n[ \t\r\x0b\x0c]*\n")  # some write \r\r\n
_FEW = 1_000  # records and faults of a file, however small
_BYTES = 8  # of a file, for each of them beyond: an id alone takes more, however it is packed
_LENGTH = re.compile(rb"\ncontent-length[ \t]*:", re.IGNORECASE)
_BAD = re.compile(r"[\x00-\x20\x7f-\x9f<>\"\ud800-\udfff]+")
_BOM = b"\xef\xbb\xbf"  # some editors put it before a text
_VERSIONS = frozenset({b"WARC/1.1", b"WARC/1.0", b"WARC/0.18", b"WARC/0.17"})
_WRONG_BLOCK = "the block is not the one that its WARC-Block-Digest names; it is taken as it is"
_ARC_NAMESPACE = uuid.UUID("6f1a3c52-7a0d-5f0e-9d4b-2f6f0c1b8e77")  # of the ids that records of ARC files are given


def indexable(url: str) -> str:
    """Return a URL as a header or an index line can hold it: what would break a line is percent-encoded."""
    return _BAD.sub(lambda found: quote(found[0].encode("utf-8", "surrogatepass")), url)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that cannot be taken: the byte of the file where it begins, and why."""

    offset: int
    reason: str


@dataclass(frozen=True, slots=True)
class ForeignRecord:
    """A record of another program's file, as it is: its head, from version line to blank line, and its block."""

    offset: int
    head: bytes
    headers: Headers
    block: Block
    notes: tuple[str, ...] = ()  # what is odd about it, and did not keep it out

    def header(self, name: str) -> str | None:
        """Return the first value of a header, by case-insensitive name."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    @property
    def kind(self) -> str:
        """WARC-Type."""
        return (self.header("WARC-Type") or "").strip().lower()

    @property
    def record_id(self) -> str:
        """WARC-Record-ID."""
        return self.header("WARC-Record-ID") or ""

    @property
    def date(self) -> datetime | None:
        """Return WARC-Date, to the second, or None where it is no date."""
        return moment_of(self.header("WARC-Date"))


Found = ForeignRecord | Fault


def most_records(size: int) -> int:
    """Return how many records and faults a file of so many bytes is read for: more, it could not tell apart."""
    return _FEW + size // _BYTES


def read_records(plain: Plain, folder: Path, most: int | None = None) -> Iterator[Found]:
    """Everything in a file, in its order; blocks too large for memory lie in `folder` until they are discarded.

    After `most` records and faults the file is left, with a fault.
    """
    with suppress(Damage):  # it is raised again where the record is read
        plain = Plain(unpacked(plain)) if plain.packed_twice else plain
    reader = _Reader(plain, folder)
    for count in itertools.count():
        if count == most:
            yield Fault(plain.offset, "more records and faults than so few bytes can hold: the rest is left out")
            return
        try:
            found = reader.next()
        except Damage as damage:
            yield Fault(damage.offset, damage.reason)
            if not plain.resume():
                return
            continue
        if found is None:
            return
        yield found


class _Reader:
    def __init__(self, plain: Plain, folder: Path) -> None:
        self._plain = plain
        self._folder = folder
        self._is_arc = False

    def next(self) -> Found | None:
        """Return the next record, or fault; None at the end. Raises Damage."""
        if self._plain.peek(len(_BOM)) == _BOM:
            self._plain.take(len(_BOM))
        self._plain.skip_blank()
        while self._plain.unpack():
            self._plain.skip_blank()
        if not self._plain.peek(1):
            return None
        offset = self._plain.offset
        first = self._plain.peek(10)
        if VERSION.match(first):
            return self._warc(offset)
        line = self._plain.readline(_LINE)
        head = line.startswith(b"filedesc:")
        fields = arc_fields(line) if self._is_arc or head or (offset == 0 and begins_with_arc(line)) else None
        self._is_arc |= fields is not None or (head and offset == 0)  # whatever its fields are
        if fields:
            return self._arc(offset, fields)
        return self._passed_over(offset, len(line))

    def _passed_over(self, offset: int, size: int) -> Fault:
        """Look for the next record behind bytes that are none."""
        if not self._is_arc:
            size += self._plain.skip_to_record(_GARBAGE)
        while self._is_arc and size < _GARBAGE and self._plain.peek(1):
            found = self._plain.search(ARC_MARK, _LINE)
            if found is None or found.start():
                size += len(self._plain.take(found.start() if found else _LINE))
                continue
            line = self._plain.peek_line(_LINE)
            if arc_fields(line):
                break
            size += len(self._plain.take(len(line)))
        return Fault(offset, f"{size:,} bytes that are no record")

    def _warc(self, offset: int) -> Found:
        head = self._head()
        if head is None:
            return Fault(offset, f"the record's head is longer than {_HEAD:,} bytes, or breaks off")
        if not _LENGTH.search(head):  # told without taking it apart: files may hold a million of them
            return self._behind(Fault(offset, "a record without Content-Length"))
        try:
            headers = headers_of(head)
        except RecordError as error:
            return self._behind(Fault(offset, str(error)))
        record = ForeignRecord(offset, head, headers, Block.of(b""))
        name = record.record_id or "a record without id"
        try:
            length = size_of((record.header("Content-Length") or "").strip(), _LARGEST)
        except ValueError:
            return self._behind(Fault(offset, f"{name}: its Content-Length is none, or too large"))
        expected = declared(record.header("WARC-Block-Digest"))
        block, found, fault = self._block(length, expected)
        if fault is not None:
            block.discard()
            return self._behind(Fault(offset, f"{name}: {fault}"))
        wrong = expected is not None and found != expected.value
        notes = (*_version_notes(head), *((_WRONG_BLOCK,) if wrong else ()))
        return ForeignRecord(offset, head, headers, block, notes)

    def _behind(self, fault: Fault) -> Fault:
        """Go to where the next record can begin."""
        while self._plain.skip_to_record(_GARBAGE) > _GARBAGE:
            pass
        return fault

    def _head(self) -> bytes | None:
        found = self._plain.search(_BLANK, _HEAD)
        head = self._plain.take(found.end() if found else _HEAD)
        return head if found else None

    def _block(self, length: int, expected: Declared | None) -> tuple[Block, bytes, str | None]:
        """Return a record's block, its digest by the expected one's algorithm, and what is wrong; raises Damage."""
        hasher = expected.hash() if expected else None
        data = bytearray()
        path: Path | None = None
        left = length
        file = None
        try:
            while left:
                piece = self._plain.read(min(left, _PIECE))
                if not piece:
                    short = f"the file ends {left:,} bytes before the record does"
                    return Block(length - left, bytes(data), path), b"", short
                left -= len(piece)
                if hasher:
                    hasher.update(piece)
                if file is None and len(data) + len(piece) > _MEMORY:
                    file = tempfile.NamedTemporaryFile(dir=self._folder, delete=False)  # noqa: SIM115 - its reader's
                    path = Path(file.name)
                    file.write(data)
                    data.clear()
                if file is not None:
                    file.write(piece)
                else:
                    data += piece
        except Damage:
            if path is not None:
                path.unlink(missing_ok=True)
            raise
        finally:
            if file is not None:
                file.close()
        block = Block(length, None, path) if path else Block.of(bytes(data))
        return block, hasher.digest() if hasher else b"", None

    def _arc(self, offset: int, line: tuple[bytes, ...]) -> Found:
        """Return a record of an ARC file as a WARC record: what it says of itself, in the names of the standard."""
        url, ip, date, mime, length = line
        started = moment_of(date.decode())
        block, _, fault = self._block(int(length), None)
        if fault is not None:
            block.discard()
            return Fault(offset, fault)
        kind, content = arc_kind(url, mime)
        target = indexable(url.decode("latin-1"))
        name = uuid.uuid5(_ARC_NAMESPACE, f"{target} {date.decode()} {ip.decode('latin-1')} {_digest(block)}")
        fields = [
            ("WARC-Type", kind),
            ("WARC-Record-ID", f"<{name.urn}>"),
            ("WARC-Target-URI", target),
            ("WARC-Date", iso(started) if started else date.decode()),
            *(
                [("WARC-IP-Address", ip.decode("latin-1"))]
                if kind == "response" and ip not in {b"0.0.0.0", b"-"}
                else []
            ),
            ("WARC-Block-Digest", _digest(block)),
            ("Content-Type", content),
            ("Content-Length", str(block.size)),
        ]
        head = "WARC/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
        return ForeignRecord(
            offset, head.encode("utf-8", "replace"), tuple(fields), block, ("a record of an ARC file",)
        )


def _version_notes(head: bytes) -> tuple[str, ...]:
    version = head.split(b"\n", 1)[0].strip()
    if version in _VERSIONS:
        return ()
    return (f"its version is {version[:20].decode('latin-1')}, which is read like WARC/1.1",)


def _digest(block: Block) -> str:
    if block.data is not None:
        return digest_of(block.data)
    hasher = hashlib.sha256()
    with block.open() as stream:
        while piece := stream.read(_PIECE):
            hasher.update(piece)
    return f"sha256:{hasher.hexdigest()}"


def digest_of_record(record: ForeignRecord) -> str:
    """Return the SHA-256 of a record's head and block, in hex."""
    hasher = hashlib.sha256(record.head)
    with record.block.open() as stream:
        while piece := stream.read(_PIECE):
            hasher.update(piece)
    return hasher.hexdigest()


def identified(record: ForeignRecord) -> ForeignRecord:
    """Return a record with an id: one that has none is given one, made of what it holds."""
    if record.record_id.strip():
        return record
    given = f"<{uuid.UUID(hex=digest_of_record(record)[:32], version=5).urn}>"
    first, _, rest = record.head.partition(b"\n")
    head = first + b"\n" + f"WARC-Record-ID: {given}\r\n".encode() + rest
    headers = (("WARC-Record-ID", given), *record.headers)
    return replace(record, head=head, headers=headers, notes=(*record.notes, "it had no id and was given one"))
