"""Records of WARC and ARC files as they are found: those that can be taken, and a fault for each place that cannot."""

from __future__ import annotations

import hashlib
import re
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from archive.checked_json import size_of
from archive.digests import digest_of
from archive.errors import RecordError
from archive.importers.declared_digests import Declared, declared
from archive.importers.gunzip import Damage, Plain
from archive.model import Block, Headers
from archive.times import from_iso, from_stamp, iso
from archive.warc.reader import headers_of

_LINE = 1 << 16
_HEAD = 1 << 20  # bytes of a record's header lines
_MEMORY = 1 << 20  # of a block that is held in memory
_LARGEST = 16 << 30  # bytes of a block
_PIECE = 1 << 18
_GARBAGE = 64 << 20  # bytes between records in which the next one is looked for
_ARC = re.compile(rb"(\S.{0,65000}?) (\S+) (\d{14}) (\S.*?) ?(\d{1,12})\r?\n\Z")
_BAD = re.compile(r"[\x00-\x20\x7f-\x9f<>\"\ud800-\udfff]+")
_ARC_NAMESPACE = uuid.UUID("6f1a3c52-7a0d-5f0e-9d4b-2f6f0c1b8e77")  # of the ids that records of ARC files are given


def indexable(url: str) -> str:
    """A URL as a header or an index line can hold it: what would break a line is percent-encoded."""
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
        """The first value of a header, by case-insensitive name."""
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
        """WARC-Date, to the second; None where it cannot be understood."""
        try:
            return from_iso((self.header("WARC-Date") or "").strip()).replace(microsecond=0)
        except ValueError:
            return None


Found = ForeignRecord | Fault


def read_records(plain: Plain, folder: Path) -> Iterator[Found]:
    """Everything in a file, in its order; blocks too large for memory lie in `folder` until they are discarded."""
    reader = _Reader(plain, folder)
    while True:
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
        """The next record, or fault; None at the end. Raises Damage."""
        line = self._plain.peek(1)
        while line and line in b"\r\n":
            self._plain.take(1)
            line = self._plain.peek(1)
        if not line:
            return None
        offset = self._plain.offset
        first = self._plain.peek(10)
        if first.startswith(b"WARC/"):
            return self._warc(offset)
        line = self._plain.readline(_LINE)
        match = _ARC.match(line)
        if match and (self._is_arc or line.startswith(b"filedesc:")):
            self._is_arc = True
            return self._arc(offset, match)
        return self._passed_over(offset, len(line))

    def _passed_over(self, offset: int, size: int) -> Fault:
        """Look for the next record behind bytes that are none."""
        while size < _GARBAGE:
            ahead = self._plain.peek(5)
            if not ahead or ahead == b"WARC/":
                break
            if self._is_arc and _ARC.match(self._plain.peek(_LINE).partition(b"\n")[0] + b"\n"):
                break
            size += len(self._plain.readline(_LINE))
        return Fault(offset, f"{size:,} bytes that are no record")

    def _warc(self, offset: int) -> Found:
        head = self._head()
        if head is None:
            return Fault(offset, f"the record's head is longer than {_HEAD:,} bytes, or breaks off")
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
        block, fault = self._block(length, expected)
        if fault is not None:
            block.discard()
            return self._behind(Fault(offset, f"{name}: {fault}"))
        return ForeignRecord(offset, head, headers, block)

    def _behind(self, fault: Fault) -> Fault:
        """Go to where the next record can begin."""
        while (ahead := self._plain.peek(5)) and ahead != b"WARC/":
            self._plain.readline(_LINE)
        return fault

    def _head(self) -> bytes | None:
        lines = []
        left = _HEAD
        while left > 0:
            line = self._plain.readline(min(left, _LINE))
            lines.append(line)
            left -= len(line)
            if not line:
                return None
            if not line.strip():  # some write \r\r\n
                return b"".join(lines)
        return None

    def _block(self, length: int, expected: Declared | None) -> tuple[Block, str | None]:
        """A record's block, and what is wrong with it; raises Damage."""
        hasher = expected.hash() if expected else None
        data = bytearray()
        path: Path | None = None
        left = length
        file = None
        try:
            while left:
                piece = self._plain.read(min(left, _PIECE))
                if not piece:
                    return Block(
                        length - left, bytes(data), path
                    ), f"the file ends {left:,} bytes before the record does"
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
        if hasher is not None and expected is not None and hasher.digest() != expected.value:
            return block, "the block is not the one that its WARC-Block-Digest names"
        return block, None

    def _arc(self, offset: int, match: re.Match[bytes]) -> Found:
        """A record of an ARC file as a WARC record: what it says of itself, in the names of the standard."""
        url, ip, date, mime, length = match.groups()
        try:
            started = from_stamp(date.decode())
        except ValueError:
            return Fault(offset, f"the record's date is none: {date.decode()}")
        block, fault = self._block(int(length), None)
        if fault is not None:
            block.discard()
            return Fault(offset, fault)
        kind, content = _arc_kind(url, mime)
        target = indexable(url.decode("latin-1"))
        name = uuid.uuid5(_ARC_NAMESPACE, f"{target} {date.decode()} {ip.decode('latin-1')} {_digest(block)}")
        fields = [
            ("WARC-Type", kind),
            ("WARC-Record-ID", f"<{name.urn}>"),
            ("WARC-Target-URI", target),
            ("WARC-Date", iso(started)),
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


def _arc_kind(url: bytes, mime: bytes) -> tuple[str, str]:
    if url.lower().startswith((b"http:", b"https:")):
        return "response", "application/http; msgtype=response"
    text = mime.split(b" ")[0].decode("latin-1")
    return ("metadata" if url.startswith(b"filedesc:") else "resource"), text


def _digest(block: Block) -> str:
    if block.data is not None:
        return digest_of(block.data)
    hasher = hashlib.sha256()
    with block.open() as stream:
        while piece := stream.read(_PIECE):
            hasher.update(piece)
    return f"sha256:{hasher.hexdigest()}"


def digest_of_record(record: ForeignRecord) -> str:
    """The SHA-256 of a record's head and block, in hex."""
    hasher = hashlib.sha256(record.head)
    with record.block.open() as stream:
        while piece := stream.read(_PIECE):
            hasher.update(piece)
    return hasher.hexdigest()


def identified(record: ForeignRecord) -> ForeignRecord:
    """A record with an id: one that has none is given one, made of what it holds."""
    if record.record_id.strip():
        return record
    given = f"<{uuid.UUID(hex=digest_of_record(record)[:32], version=5).urn}>"
    first, _, rest = record.head.partition(b"\n")
    head = first + b"\n" + f"WARC-Record-ID: {given}\r\n".encode() + rest
    headers = (("WARC-Record-ID", given), *record.headers)
    return replace(record, head=head, headers=headers, notes=(*record.notes, "it had no id and was given one"))
