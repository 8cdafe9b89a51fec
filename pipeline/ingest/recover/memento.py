"""From what an archive gave back to the response that it once received, as far as that can be known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from archive.errors import EntityError
from archive.formats import from_http_date, links_of
from archive.importers import ForeignRecord, Recovered, description, recovered_record
from archive.model import Exchange, Headers, Truncation
from archive.warc import decoded, entity_of, mime_of
from pipeline.ingest.recover.other_archive import Listed

_PREFIX = "x-archive-orig-"
# Headers of an original that pywb gives under the prefix even where it gives the others as they were.
_PREFIXED = frozenset(
    {
        "age", "alt-svc", "cache-control", "connection", "content-encoding", "content-length", "content-md5",
        "content-security-policy", "content-security-policy-report-only", "date", "etag", "expires", "keep-alive",
        "last-modified", "p3p", "pragma", "public-key-pins", "retry-after", "server", "status",
        "strict-transport-security", "tk", "trailer", "transfer-encoding", "upgrade", "upgrade-insecure-requests",
        "vary", "via", "warning", "x-frame-options", "x-xss-protection",
    }
)  # fmt: skip
# Of the archive itself, whatever else it passes on.
_OWN = frozenset({"memento-datetime", "content-location", "accept-ranges", "preference-applied"})
_ABOUT_BODY = {True: {"content-encoding"}, False: {"content-length"}}  # what pywb keeps, coded or not
_DECODED = 1_000_000_000  # bytes of a body after its codings are undone
_MAGIC = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}


@dataclass(frozen=True, slots=True)
class Given:
    """What an archive gave back: the record of the capture, the one that describes it, its time, and what is odd."""

    record: ForeignRecord
    about: ForeignRecord
    at: datetime
    url: str
    status: int
    truncated: Truncation | None
    notes: tuple[str, ...]


def moment_of_memento(exchange: Exchange) -> datetime | None:
    """Return the time of the capture that an answer is, None where it does not say that it is one."""
    try:
        return from_http_date(exchange.header("Memento-Datetime") or "").replace(microsecond=0)
    except ValueError:
        return None


def given_by(exchange: Exchange, listed: Listed, *, raw: bool, folder: Path) -> Given | None:
    """Return the records of what an archive gave back; None where its answer is no memento.

    `raw` says that its address asks for the bytes as they were received. Raises OSError where `folder` fails.
    """
    at = moment_of_memento(exchange)
    if at is None:
        return None
    found = Recovered(listed.url, exchange.url, at, exchange.started, mime_of(exchange), truncated=exchange.truncated)
    with exchange.response.open() as stream:
        _, entity = entity_of(exchange, stream)
        body = _Body(entity)
        if raw and exchange.truncated is None:
            found, decode = _with_head(found, exchange, body)
        else:
            note = "the archive gives no bytes as they were received" if not raw else "what came broke off"
            found, decode = replace(found, notes=(note,)), True
        coding = ", ".join(value for name, value in exchange.headers if name.lower() == "content-encoding")
        if found.truncated or found.head is None:  # a resource has no header that could name a coding
            found, decode = replace(found, head=None), True
        record = recovered_record(found, _decoded(body.pieces(), coding) if decode else body.pieces(), folder)
    about = description(found, record, exchange.headers)
    return Given(record, about, at, found.url, exchange.status, found.truncated, found.notes)


class _Body:
    """A body whose first bytes were looked at, and whose size is known once it was read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.first = next(pieces, b"")

    def pieces(self) -> Iterator[bytes]:
        yield self.first
        yield from self._pieces


def _decoded(pieces: Iterator[bytes], coding: str) -> Iterator[bytes]:
    """Undo codings; where they cannot be undone, the body ends there."""
    try:
        yield from decoded(pieces, coding, _DECODED)
    except EntityError:
        return


def _with_head(found: Recovered, exchange: Exchange, body: _Body) -> tuple[Recovered, bool]:
    """Return what was found with the head of the original, and whether the body's coding is to be undone."""
    original = original_headers(exchange)
    named = _joined(original, "content-encoding")
    coded = _joined(exchange.headers, "content-encoding")
    notes = []
    decode = changed = False
    if coded and coded != named:  # the archive coded what it sends
        decode = changed = True
    elif named and not coded:
        magic = _MAGIC.get(named.lower())
        changed = magic is None or not body.first.startswith(magic)
    if changed and named:
        notes.append(f"its content coding {named} was undone by the archive")
    dropped = {"transfer-encoding"} | ({"content-encoding", "content-length"} if changed else set())
    if any(name.lower() == "transfer-encoding" for name, _ in original):
        notes.append("its transfer coding was undone by the archive")
    length = _joined(original, "content-length")
    if not changed and length.isascii() and length.isdigit():
        size = _size(exchange)
        if size is not None and size < int(length):
            why = f"the archive has {size:,} of the {int(length):,} bytes that the original response names"
            return replace(found, truncated=Truncation.UNSPECIFIED, notes=(why,)), True
    with exchange.response.open() as stream:
        reason = stream.readline(1000).decode("latin-1").strip().partition(" ")[2].partition(" ")[2]
    lines = [f"HTTP/1.1 {exchange.status} {reason}".rstrip()]
    lines += [f"{name}: {value}" for name, value in original if name.lower() not in dropped]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
    return replace(found, head=head, notes=tuple(notes)), decode


def original_headers(exchange: Exchange) -> Headers:
    """Return the headers of the original response.

    The Internet Archive, and `onrecord serve`, give all of them under X-Archive-Orig-; pywb gives those alone so whose
    place its own answer needs.
    """
    prefixed = [(name[len(_PREFIX) :], value) for name, value in exchange.headers if name.lower().startswith(_PREFIX)]
    names = {name.lower() for name, _ in prefixed}
    if names - _PREFIXED or exchange.header("X-Archive-Src"):
        return tuple(prefixed)
    kept = []
    coded = exchange.header("Content-Encoding") is not None
    for name, value in exchange.headers:
        lower = name.lower()
        if lower.startswith(_PREFIX):
            kept.append((name[len(_PREFIX) :], value))
        elif lower in _OWN or (lower == "link" and _is_about_mementos(value)):
            continue
        elif lower not in _PREFIXED or (lower not in names and lower in _ABOUT_BODY[coded]):
            kept.append((name, value))
    return tuple(kept)


def _is_about_mementos(value: str) -> bool:
    return any(link.rel & {"original", "timemap", "timegate", "memento"} for link in links_of(value))


def _joined(headers: Headers, name: str) -> str:
    return ", ".join(value.strip() for key, value in headers if key.lower() == name)


def _size(exchange: Exchange) -> int | None:
    """Return the bytes of an answer's entity body."""
    with exchange.response.open() as stream:
        _, entity = entity_of(exchange, stream)
        return sum(map(len, entity))
