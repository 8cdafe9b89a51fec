"""WARC 1.1 records on their way to a file, through warcio, one gzip member a record.

warcio would parse the HTTP head again and write it in its own form; here the block goes in as it was on the wire, and
the digests are known before the record is written.
"""

from __future__ import annotations

import io
import uuid
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from archive.digests import EMPTY, digest_of
from archive.model import Block, Digests, Exchange, Made, Reference, Snapshot
from archive.times import iso
from archive.warc.gzip_members import MemberWriter
from archive.warc.http_message import read_head

IDENTICAL_PAYLOAD = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"

_HTTP = {
    "response": "application/http; msgtype=response",
    "revisit": "application/http; msgtype=response",
    "request": "application/http; msgtype=request",
}
_FIELDS = "application/warc-fields"
_PIECE = 1 << 18

Fields = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a record came to lie: its id and the byte range of its gzip member."""

    record_id: str
    offset: int
    length: int


class RecordWriter:
    """Appends records by `write`; `tell` is the offset where the next one begins, `ends` where each one ended."""

    def __init__(self, write: Callable[[bytes], object], offset: int = 0) -> None:
        self._members = MemberWriter(write, offset)
        self._warcio = WARCWriter(self._members, gzip=False, warc_version="1.1")
        self.ends = array("Q")

    def tell(self) -> int:
        """Compressed bytes written so far."""
        return self._members.offset

    def warcinfo(self, filename: str, started: datetime, fields: Fields) -> str:
        """Write the record that describes the file (WARC 1.1 §6.2); returns its id."""
        headers = [("WARC-Filename", filename), ("WARC-Date", iso(started))]
        return self._write("warcinfo", headers, _warc_fields(fields)).record_id

    def response(self, exchange: Exchange, digests: Digests, warcinfo: str) -> Placed:
        """Write a response as it was on the wire (WARC 1.1 §6.3)."""
        headers = self._exchange_headers(exchange, warcinfo)
        headers.append(("WARC-Payload-Digest", digests.payload))
        if exchange.truncated:
            headers.append(("WARC-Truncated", exchange.truncated.value))
        return self._write("response", headers, exchange.response, digests.block)

    def revisit(self, exchange: Exchange, payload_digest: str, earlier: Reference, warcinfo: str) -> Placed:
        """Write the response's head alone, its payload being that of an earlier record (WARC 1.1 §6.7)."""
        profile = NOT_MODIFIED if exchange.status == 304 else IDENTICAL_PAYLOAD
        headers = self._exchange_headers(exchange, warcinfo)
        headers += [
            ("WARC-Payload-Digest", payload_digest),
            ("WARC-Profile", profile),
            ("WARC-Refers-To", earlier.record_id),
            ("WARC-Refers-To-Target-URI", earlier.url),
            ("WARC-Refers-To-Date", iso(earlier.timestamp)),
        ]
        if profile == IDENTICAL_PAYLOAD:
            headers.append(("WARC-Truncated", "length"))  # §6.7.2: a shall, where the block leaves the payload out
        with exchange.response.open() as stream:
            _, head = read_head(stream, exchange.head_length)
        return self._write("revisit", headers, Block.of(head))

    def request(self, exchange: Exchange, response_id: str, warcinfo: str) -> Placed:
        """Write the request that the response answers (WARC 1.1 §6.4)."""
        headers = self._exchange_headers(exchange, warcinfo)
        headers.append(("WARC-Concurrent-To", response_id))
        return self._write("request", headers, Block.of(exchange.request))

    def resource(self, made: Made, digest: str, response_id: str, warcinfo: str) -> Placed:
        """Write what was made of a page: a picture of it, or what scripts made of its markup (WARC 1.1 §6.5)."""
        headers = [
            ("WARC-Target-URI", made.url),
            ("WARC-Date", iso(made.date)),
            ("WARC-Warcinfo-ID", warcinfo),
            ("WARC-Concurrent-To", response_id),
            ("WARC-Payload-Digest", digest),
        ]
        return self._write("resource", headers, made.block, digest, made.mime)

    def metadata(self, snapshot: Snapshot, warcinfo: str, fields: Fields) -> Placed:
        """Write how a capture came about and where it leads (WARC 1.1 §6.6)."""
        headers = [
            ("WARC-Target-URI", snapshot.url),
            ("WARC-Date", iso(snapshot.timestamp)),
            ("WARC-Warcinfo-ID", warcinfo),
            ("WARC-Concurrent-To", snapshot.record_id),
        ]
        return self._write("metadata", headers, _warc_fields(fields))

    def verbatim(self, head: bytes, block: Block) -> Placed:
        """Write a record of another program's as it is, its head and its block; its id is in its head."""
        start = self._members.offset
        self._members.write(head)
        with block.open() as stream:
            while piece := stream.read(_PIECE):
                self._members.write(piece)
        self._members.write(b"\r\n\r\n")
        self._members.flush()
        return self._placed("", start)

    @staticmethod
    def _exchange_headers(exchange: Exchange, warcinfo: str) -> Fields:
        return [
            ("WARC-Target-URI", exchange.url),
            ("WARC-Date", iso(exchange.started)),
            *((("WARC-IP-Address", exchange.ip),) if exchange.ip else ()),
            *(("WARC-Protocol", protocol) for protocol in exchange.protocols),
            ("WARC-Warcinfo-ID", warcinfo),
        ]

    def _write(
        self, kind: str, fields: Fields, block: Block, block_digest: str | None = None, mime: str = _FIELDS
    ) -> Placed:
        record_id = f"<{uuid.uuid4().urn}>"  # no other record has it (WARC 1.1 §5.2)
        if block_digest is None:
            block_digest = digest_of(block.data or b"")
        content_type = _HTTP.get(kind, mime)
        headers = [
            ("WARC-Type", kind),
            ("WARC-Record-ID", record_id),
            *fields,
            ("WARC-Block-Digest", block_digest),
            ("Content-Type", content_type),
        ]
        if kind == "request":  # warcio asks for one; a request without body carries the empty payload
            headers.append(("WARC-Payload-Digest", EMPTY))
        if kind == "metadata":  # and would make one of its own, of another kind
            headers.append(("WARC-Payload-Digest", block_digest))
        start = self._members.offset
        rec_headers = StatusAndHeaders("", headers, protocol="WARC/1.1")
        head = _RawHead(block.data or b"") if kind == "revisit" else None
        with block.open() as stream:
            record = ArcWarcRecord("warc", kind, rec_headers, stream, head, content_type, block.size)
            record.payload_length = 0 if head else -1
            self._warcio.write_record(record)
        return self._placed(record_id, start)

    def _placed(self, record_id: str, start: int) -> Placed:
        end = self._members.offset
        self.ends.append(end)
        return Placed(record_id, start, end - start)


class _RawHead:
    """A revisit's block for warcio, which writes no other stream for one: the head's bytes as they came."""

    def __init__(self, head: bytes) -> None:
        self.headers_buff = head

    def compute_headers_buffer(self, _header_filter: object) -> None:
        """Do nothing: the buffer is there already."""


def _warc_fields(fields: Fields) -> Block:
    """Return an application/warc-fields block: one `name: value` a line, no value able to begin a line of its own."""
    buffer = io.StringIO()
    for name, value in fields:
        buffer.write(f"{name}: {' '.join(str(value).split())}\r\n")
    return Block.of(buffer.getvalue().encode())
