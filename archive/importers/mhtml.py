"""MHTML files (RFC 2557): a page and what it shows, as a browser had it, each part a resource under its address."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from itertools import zip_longest
from urllib.parse import urljoin

from archive.digests import digest_of
from archive.importers.lenient_reader import Fault, Found
from archive.importers.made_records import SavedFile, kept_block, made_record, one_line
from archive.times import from_iso

LARGEST = 512 << 20  # bytes of a file whose parts are read
_HEAD = 1 << 16  # bytes of a part's header lines
_DEEPEST = 3  # multiparts in one another
_BLANK = re.compile(rb"\r?\n\r?\n")
_NOWHERE = "a part of the MHTML has neither an address nor an id: it is in the MHTML file that is kept"
_NO_DATE = "it names no date: the time at which it was changed last is taken"
_TYPE = re.compile(rb"^content-type:\s*multipart/related\b", re.IGNORECASE | re.MULTILINE)
_VERSION = re.compile(rb"^mime-version:", re.IGNORECASE | re.MULTILINE)
_PLACED = re.compile(rb"^(?:snapshot-)?content-location:", re.IGNORECASE | re.MULTILINE)
_parser = BytesHeaderParser()


def is_mhtml(first: bytes) -> bool:
    """Return whether a file begins as MHTML does: a MIME head of related parts, or of one part with an address."""
    head = _BLANK.split(first.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n"), 1)[0]
    return _VERSION.search(head) is not None and bool(_TYPE.search(head) or _PLACED.search(head))


def page_of(first: bytes) -> str | None:
    """Return the address of the page that an MHTML file shows, by its first bytes; None where they do not name it."""
    head, _ = _split(first.lstrip(b"\r\n"))
    if placed := _field(head, "Snapshot-Content-Location") or _field(head, "Content-Location"):
        return placed
    found = _PLACED.search(first)
    return first[found.end() : found.end() + 8192].split(b"\n")[0].strip().decode("utf-8", "replace") if found else None


def mhtml_records(file: SavedFile) -> Iterator[Found]:
    """Yield the file itself, then its parts, decoded."""
    if file.size > LARGEST:
        yield Fault(0, f"the MHTML is larger than {LARGEST:,} bytes, and is not read")
        return
    data = file.path.read_bytes().lstrip(b"\r\n")
    head, body = _split(data)
    date = _date_of(head)
    kind = _field(head, "Content-Type") or "multipart/related"
    base = _field(head, "Snapshot-Content-Location") or _field(head, "Content-Location")
    page = page_of(data[:_HEAD]) or file.digest
    yield file.whole(f"urn:mhtml:{page}", date or file.changed, kind, () if date else (_NO_DATE,))
    for number, part in enumerate(_parts(head, body, 0), 1):
        yield _record(file, date or file.changed, base, number, part)


def _parts(head: Message, body: bytes, depth: int) -> Iterator[tuple[Message, bytes] | str]:
    """Yield the leaves of a message; a text for what cannot be read."""
    boundary = head.get_boundary()
    if head.get_content_maintype() != "multipart" or not boundary:
        yield head, body
        return
    if depth >= _DEEPEST:
        yield "parts of the MHTML lie too deeply in one another"
        return
    mark = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary.encode("utf-8", "replace")) + rb"(--)?[ \t]*(?:\r?\n|\Z)")
    found = list(mark.finditer(body))
    for begin, end in zip_longest(found, found[1:]):
        if begin[1]:
            return
        if end is None:
            yield "the MHTML breaks off within a part"
        # The line end before the next boundary is the boundary's own (RFC 2046 §5.1.1).
        yield from _parts(*_split(body[begin.end() : end.start() if end else None]), depth + 1)
    if not found:
        yield "the MHTML holds no part"


def _split(data: bytes) -> tuple[Message, bytes]:
    found = _BLANK.search(data, 0, _HEAD)
    if data.startswith((b"\r\n", b"\n")):
        return _parser.parsebytes(b""), data.lstrip(b"\r\n")
    end = found.end() if found else 0
    return _parser.parsebytes(data[:end]), data[end:]


def _record(file: SavedFile, date: datetime, base: str | None, number: int, part: tuple[Message, bytes] | str) -> Found:
    if isinstance(part, str):
        return Fault(0, part)
    head, body = part
    name = (_field(head, "Content-ID") or "").strip("<>")
    url = _field(head, "Content-Location")
    try:
        url = urljoin(base or "", url) if url else f"cid:{name}" if name else base if number == 1 else None
    except ValueError:
        url = None
    if not url or ":" not in url:
        return Fault(0, _NOWHERE)
    try:
        data = _decoded(head, body)
    except ValueError as error:
        return Fault(0, f"a part of the MHTML, {url[:200]}, cannot be decoded: {error}")
    kind = _field(head, "Content-Type") or "application/octet-stream"
    block = kept_block(data, file.folder)
    return made_record(
        "resource", url.partition("#")[0], date, kind, block, digest_of(data), seed=f"{file.digest} {number}"
    )


def _decoded(head: Message, body: bytes) -> bytes:
    coding = (_field(head, "Content-Transfer-Encoding") or "").lower()
    if coding == "quoted-printable":
        return quopri.decodestring(body)
    if coding != "base64":
        return body
    try:
        return base64.b64decode(body)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _field(head: Message, name: str) -> str | None:
    return one_line(str(head.get(name) or "")) or None


def _date_of(head: Message) -> datetime | None:
    said = _field(head, "Date") or ""
    for read in (parsedate_to_datetime, from_iso):
        try:
            found = read(said)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None
