"""From a record of another program to a capture as the index knows it."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from datetime import datetime

from archive.formats.join_url import joined_url
from archive.importers.dates import moment_of
from archive.importers.declared_digests import declared
from archive.importers.lenient_reader import ForeignRecord, indexable
from archive.importers.recovered import SOURCE, source_host
from archive.model import Exchange, RecordRef, Snapshot
from archive.warc.http_message import Head, read_entity, read_head

LONGEST_URL = 8_192  # characters
_VALIDATOR = 400  # characters
_PIECE = 1 << 18
_NOWHERE = RecordRef("", 0, 0)  # until the record is written


@dataclass(frozen=True, slots=True)
class Refers:
    """What a revisit says of the record that holds its payload (WARC 1.1 §5.9-5.11, §6.7)."""

    record_id: str | None
    url: str
    date: datetime | None
    digest: str | None
    not_modified: bool = False  # the server said that the page is as it was when it was captured before

    @property
    def names_a_capture(self) -> bool:
        """Whether it says which capture, more than by its URL; many write the digest of no bytes beside a 304."""
        return bool(self.record_id or self.date or (self.digest and not _is_of_nothing(self.digest)))


@dataclass(frozen=True, slots=True)
class Capture:
    """A record's line in the index, but for its place; `notes` are what is odd about it."""

    snapshot: Snapshot
    refers: Refers | None = None
    notes: tuple[str, ...] = ()
    exchange: Exchange | None = None  # of a response: as much of it as its record says


@dataclass(frozen=True, slots=True)
class NotShown:
    """Why a record that is kept is in no index."""

    reason: str


def capture_of(record: ForeignRecord) -> Capture | NotShown | None:
    """Return the capture that a record is, why it is in no index, or None for records that are about others.

    A response that is not HTTP (a DNS answer, say) is no capture either, and nothing is wrong with that.
    """
    if record.kind not in {"response", "revisit", "resource"}:
        return None
    written = record.header("WARC-Target-URI") or ""
    url = indexable(written[1:-1] if written.startswith("<") and written.endswith(">") else written)
    if not url or ":" not in url:
        return NotShown("it names no WARC-Target-URI that could be looked up")
    if len(url) > LONGEST_URL:
        return NotShown(f"its WARC-Target-URI has {len(url):,} characters, {LONGEST_URL:,} at most can be looked up")
    if record.date is None:
        return NotShown(f"its WARC-Date is no date: {(record.header('WARC-Date') or '')[:40]!r}")
    if record.kind == "resource":
        return _resource(record, url)
    if not url.lower().startswith(("http:", "https:")):
        return None
    return _http(record, url)


def _resource(record: ForeignRecord, url: str) -> Capture:
    digest, _ = _payload(record, None)
    mime = _mime(record.header("Content-Type"))
    return Capture(_snapshot(record, url, 200, mime, digest, None))


def _http(record: ForeignRecord, url: str) -> Capture | NotShown:
    with record.block.open() as stream:
        head, _ = read_head(io.BufferedReader(stream) if isinstance(stream, io.RawIOBase) else stream)
    if head.status == 0 and record.kind == "response":
        return NotShown("its block does not begin with an HTTP status line")
    mime = _mime(head.header("Content-Type"))
    if record.kind == "revisit":
        referred = indexable((record.header("WARC-Refers-To-Target-URI") or url).strip("<>"))
        refers = Refers(
            (record.header("WARC-Refers-To") or "").strip() or None,
            referred if len(referred) <= LONGEST_URL else url,
            moment_of(record.header("WARC-Refers-To-Date")),
            record.header("WARC-Payload-Digest"),
            _is_not_modified(record, head),
        )
        return Capture(_snapshot(record, url, head.status or 200, mime, "", head), refers)
    digest, notes = _payload(record, head)
    assert record.date is not None, "it was looked at before"
    exchange = Exchange(url, record.date, b"", record.block, head.length, head.status, head.headers, "")
    return Capture(_snapshot(record, url, head.status, mime, digest, head), None, notes, exchange)


def _payload(record: ForeignRecord, head: Head | None) -> tuple[str, tuple[str, ...]]:
    """Return the digest of what a record carries, and whether the record names another."""
    expected = declared(record.header("WARC-Payload-Digest"))
    other = expected.hash() if expected else None
    ours = hashlib.sha256()
    with record.block.open() as stream:
        if head is not None:
            stream.seek(head.length)
            pieces = read_entity(stream, head)
        else:
            pieces = iter(lambda: stream.read(_PIECE), b"")
        for piece in pieces:
            ours.update(piece)
            if other:
                other.update(piece)
    if other and expected and other.digest() != expected.value:
        return f"sha256:{ours.hexdigest()}", (
            "its WARC-Payload-Digest is not that of its payload; it is taken as it is",
        )
    return f"sha256:{ours.hexdigest()}", ()


def _snapshot(record: ForeignRecord, url: str, status: int, mime: str, digest: str, head: Head | None) -> Snapshot:
    assert record.date is not None, "it was looked at before"
    return Snapshot(
        url=url,
        timestamp=record.date,
        status=status,
        mime=mime,
        digest=digest,
        record_id=record.record_id,
        record=_NOWHERE,
        run="",
        truncated=(record.header("WARC-Truncated") or "").strip().lower() or None if not _is_revisit(record) else None,
        etag=_validator(head, "ETag"),
        last_modified=_validator(head, "Last-Modified"),
        location=_location(head, url),
        recovered=source_host(record.header(SOURCE)),
    )


def _is_not_modified(record: ForeignRecord, head: Head) -> bool:
    profile = (record.header("WARC-Profile") or "").strip().rstrip("/").lower()
    return head.status == 304 or profile.endswith("/server-not-modified")


def _is_of_nothing(digest: str) -> bool:
    expected = declared(digest)
    return expected is not None and expected.hash().digest() == expected.value


def _is_revisit(record: ForeignRecord) -> bool:
    """Return whether a record is a revisit, which has no payload of its own."""
    return record.kind == "revisit"


def _mime(text: str | None) -> str:
    mime = (text or "").split(";")[0].strip().lower()
    return mime if "/" in mime and len(mime) < 100 and mime.isprintable() and " " not in mime else "unk"


def _validator(head: Head | None, name: str) -> str | None:
    value = ((head.header(name) if head else None) or "").strip()
    return value if value and len(value) <= _VALIDATOR and value.isascii() and value.isprintable() else None


def _location(head: Head | None, url: str) -> str | None:
    location = head.header("Location") if head else None
    if head is None or not location or len(location) > LONGEST_URL or not 300 <= head.status < 400:
        return None
    try:
        found = joined_url(url, location.encode("latin-1").decode("utf-8", "replace").strip()).partition("#")[0]
    except ValueError:
        return None
    target = indexable(found)
    return target if len(target) <= LONGEST_URL else None
