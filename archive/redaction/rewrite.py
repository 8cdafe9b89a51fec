"""Content taken out of a run's files in its place: no byte of what stays is moved, so that what refers to it holds.

Other runs name records and documents of this one by key, offset and length. What replaces a record, a document's line
or a block of index lines therefore has the very length of what it replaces: gzip members are filled with empty deflate
blocks (RFC 1951 §3.2.4), which stand for no byte, and lines with spaces.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from archive import object_keys
from archive.checked_json import parsed_object
from archive.digests import digest_of
from archive.errors import IntegrityError, RecordError
from archive.formats.cdxj import parse_line, snapshot_of
from archive.formats.outcomes_jsonl import encode_outcome, parse_outcome
from archive.formats.pages_jsonl import HEADER, decode_document
from archive.formats.zipnum import BlockIndex, decode_block
from archive.model import place_of
from archive.warc.reader import walk_records

_EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"  # stored, of no byte, not the last one
_PIECE = 1 << 20
_LARGE = 1 << 17  # bytes: what is larger is packed in fewer rounds
_ROUNDS = (15, 3)
_HEADER, _TRAILER = 10, 8  # bytes of a gzip member without a name or a comment
_COMMENT = 0x10  # RFC 1952 §2.3.1: a comment follows the header

_KEPT_OF_LINE = ("url", "status", "length", "offset", "filename", "recordId", "run")
_SPARED = ("mime", "status", "recordId")  # of these, where there is no room for them
_KEPT_OF_OUTCOME = frozenset(
    {"url", "outcome", "timestamp", "status", "record_id", "key", "offset", "role", "via", "hops", "seed"}
)
_TEXT_OF_LINE = ("title", "document", "availability", "text", "etag", "lastModified")


def padded_member(plain: bytes, length: int) -> Iterator[bytes]:
    """Yield a gzip member of exactly `length` bytes that holds `plain`.

    Raises ValueError where it is too large for that.
    """
    body = _packed(plain, length - 18)
    room = length - 18 - len(body)
    if room < 0:
        raise ValueError(f"{18 - length + len(body)} bytes too many")
    blocks, comment = divmod(room, len(_EMPTY_BLOCK))
    yield b"\x1f\x8b\x08" + bytes([_COMMENT if comment else 0]) + b"\x00\x00\x00\x00\x00\xff"
    yield (b"-" * (comment - 1) + b"\x00") if comment else b""
    many = _PIECE // len(_EMPTY_BLOCK)
    while blocks > 0:
        yield _EMPTY_BLOCK * min(blocks, many)
        blocks -= many
    yield body + zlib.crc32(plain).to_bytes(4, "little") + (len(plain) & 0xFFFFFFFF).to_bytes(4, "little")


def _packed(plain: bytes, room: int) -> bytes:
    """Deflate what is plain into so many bytes, if that can be done; slowly, where it is not done fast."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = packer.compress(plain) + packer.flush()
    if len(body) <= room:
        return body
    import zopfli.gzip  # here, as it is rarely needed

    rounds = _ROUNDS[len(plain) > _LARGE]
    tight: bytes = zopfli.gzip.compress(plain, numiterations=rounds)[_HEADER:-_TRAILER]
    return min(body, tight, key=len)


@dataclass(frozen=True, slots=True)
class Place:
    """A record in a WARC file: what it is, its date, what it says it goes with, and the byte range of its member."""

    key: str
    record_id: str
    kind: str
    date: str
    goes_with: tuple[str, ...]
    offset: int
    length: int

    @property
    def place(self) -> str:
        """Return the place by which captures and documents name the record."""
        return place_of(self.key, self.offset)


def places_of(key: str, pieces: Iterable[bytes]) -> Iterator[Place]:
    """Every record of a WARC file, given its object key and its bytes; raises IntegrityError."""
    for record in walk_records(pieces, own=not object_keys.is_foreign(key)):
        record.drain()
        record.member.drain()
        goes_with = tuple(value for name, value in record.headers if name.lower() == "warc-concurrent-to")
        date = record.header("WARC-Date") or ""
        yield Place(key, record.record_id, record.kind, date, goes_with, record.member.offset, record.member.length)


def together(places: Collection[Place], wanted: Collection[str]) -> list[Place]:
    """Return a run's records at the wanted places, with its requests, notes and derived records about them."""
    found = {place.place: place for place in places if place.place in wanted}
    ids = {place.record_id for place in found.values()}
    asked = {other for place in found.values() for other in place.goes_with}
    for place in places:
        told = place.kind in {"request", "metadata"} and place.record_id in asked
        if told or not ids.isdisjoint(place.goes_with):
            found[place.place] = place
            ids.add(place.record_id)
    return list(found.values())


def blanked_record(place: Place, redaction: str) -> Iterator[bytes]:
    """Yield what stands in a record's place: a record of its id and date that says where the reason is to be found.

    Raises ValueError where the record is too small for that.
    """
    block = f"redacted: see notices/redactions/{redaction}.txt\r\n".encode()
    for text in (block, b""):
        head = [
            "WARC/1.1", "WARC-Type: metadata", f"WARC-Record-ID: {place.record_id}", f"WARC-Date: {place.date}",
            *([f"WARC-Block-Digest: {digest_of(text)}", "Content-Type: application/warc-fields"] if text else []),
            f"Content-Length: {len(text)}",
        ]  # fmt: skip
        try:
            pieces = padded_member("\r\n".join(head).encode() + b"\r\n\r\n" + text + b"\r\n\r\n", place.length)
            first = next(pieces)
        except ValueError:
            continue
        yield first
        yield from pieces
        return
    raise ValueError(f"{place.record_id} is too small to be replaced in its place")


def blanked_pages(data: bytes, wanted: Collection[str], texts: Collection[str]) -> bytes:
    """Return the documents of a run, those of the records at the places, or with their text, made silent.

    `texts` are the places of captures whose payload lies with the records. Raises IntegrityError.
    """

    def blank(line: bytes) -> bytes:
        if line == HEADER:
            return line
        document = decode_document(line)
        if document.place not in wanted and document.place not in texts:
            return line
        entry: dict[str, object] = {"url": "urn:redacted", "ts": f"{document.timestamp:%Y-%m-%dT%H:%M:%SZ}"}
        entry |= {"record": document.record_id, "digest": "", "warc": document.key, "offset": document.offset}
        return _self_digested(entry, len(line))

    return _lines(data, blank)


def blanked_outcomes(data: bytes, wanted: Collection[str], texts: Collection[str]) -> bytes:
    """Return the outcomes of a run, those that ended at the records at the places without what they say.

    The title of each record in `texts`, whose payload is stored with the records, goes. Raises IntegrityError.
    """

    def blank(line: bytes) -> bytes:
        try:
            found = parse_outcome(line)
        except ValueError:  # a damaged line that names one of the records may say anything about the capture
            named = any(_names(line, place) for place in (*wanted, *texts))
            return _filled(b"{}", len(line)) if named else line
        written = parsed_object(line).keys()  # no field is added: the line must not grow
        place = f"{found.outcome.key} {found.outcome.offset}"
        if place in wanted:
            made = encode_outcome(found.outcome, only=written & _KEPT_OF_OUTCOME)
        elif place in texts:
            made = encode_outcome(found.outcome, found.later, only=written - {"title"})
        else:
            return line
        return _filled(made, len(line))

    return _lines(data, blank)


def _names(line: bytes, place: str) -> bool:
    """Whether a line holds the object key and the offset of a place."""
    key, _, offset = place.rpartition(" ")
    return key.encode() in line and offset.encode() in line


def blanked_index(run: str, cdx: bytes, idx: bytes, wanted: Collection[str], texts: Collection[str]) -> bytes:
    """Return the index of a run, the lines of the records and of what repeats them without what they say.

    Raises as above.
    """
    made: list[bytes] = []
    for ref in BlockIndex(idx):
        block = cdx[ref.offset : ref.offset + ref.length]
        lines = decode_block(block)
        if [_blanked_line(run, line, wanted, texts) for line in lines] == lines:
            made.append(block)
        else:
            made += _blanked_block(run, lines, ref.length, (wanted, texts))
    return b"".join(made)


def _blanked_block(
    run: str, lines: list[str], length: int, what: tuple[Collection[str], Collection[str]]
) -> list[bytes]:
    """Return a block of the same length.

    Media type, status and record id go too where like lines leave no room for them. Blocks of runs of onrecord 0.4 were
    sealed without room. In the worst case the lines of the records go, but for the block's first line, by which the
    block is found: these are then named by the signed statement alone.
    """
    wrong: ValueError | None = None
    for without in ((), ("mime",), _SPARED, None):
        blanked = [_blanked_line(run, line, *what, without=_SPARED if without is None else without) for line in lines]
        if without is None:
            blanked = [blanked[0], *(line for line in blanked[1:] if _place(run, line) not in what[0])]
        blanked.sort(key=str.encode)  # lines of one key and time lie in the order of all that they say
        try:
            return list(padded_member("\n".join(blanked).encode() + b"\n", length))
        except ValueError as error:
            wrong = error
    raise IntegrityError(f"a block of the index cannot be replaced in its place: {wrong}") from wrong


def _place(run: str, line: str) -> str:
    return snapshot_of(parse_line(line), run).place


def _blanked_line(
    run: str, line: str, wanted: Collection[str], texts: Collection[str], *, without: Collection[str] = ()
) -> str:
    parsed = parse_line(line)
    place = snapshot_of(parsed, run).place
    if place in wanted:
        fields = {name: parsed.fields[name] for name in _KEPT_OF_LINE if name in parsed.fields}
        fields |= {"mime": "application/warc-fields"}
        fields = {name: value for name, value in fields.items() if name not in without}
    elif place in texts:
        fields = {name: value for name, value in parsed.fields.items() if name not in _TEXT_OF_LINE}
    else:
        return line
    return f"{parsed.key} {parsed.timestamp} {json.dumps(fields, ensure_ascii=False, separators=(',', ':'))}"


def _lines(data: bytes, blank: Callable[[bytes], bytes]) -> bytes:
    if data and not data.endswith(b"\n"):
        raise RecordError("the last line breaks off")
    return b"".join(blank(line + b"\n") for line in data[:-1].split(b"\n")) if data else data


def _self_digested(entry: dict[str, Any], length: int) -> bytes:
    """Return a line that carries the digest of what follows it, filled to a length."""
    rest = json.dumps(entry, separators=(",", ":")).encode()[1:]
    frame = b'{"hash":"%s",' % digest_of(b"").encode()
    rest = _filled(rest, length - len(frame))
    return b'{"hash":"%s",' % digest_of(rest).encode() + rest


def _filled(text: bytes, length: int) -> bytes:
    if len(text) >= length:
        raise IntegrityError("a line cannot be replaced in its place: it says too little")
    return text + b" " * (length - 1 - len(text)) + b"\n"
