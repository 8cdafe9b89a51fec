"""Documents as lines of pages.jsonl (WACZ 1.1.1 §5.2), each carrying the digest of what follows it in the line."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from typing import Any

from archive.checked_json import size_of, text_of, texts_of
from archive.digests import read_self_digested, self_digested
from archive.errors import IntegrityError
from archive.formats import structure_json
from archive.model import Article, Document, Embed, RecordRef, Reference
from archive.times import from_iso, iso

HEADER = b'{"format":"json-pages-1.0","id":"pages","title":"All Pages","hasText":true}\n'
LONGEST = 512 << 20  # bytes of a line that is read back: several times what a page of 100 MB can give

_TUPLES = {"tags", "categories", "images", "links"}
_ARTICLE = [field.name for field in fields(Article)]
_EMBED = [field.name for field in fields(Embed)]


def encode_document(document: Document) -> bytes:
    """Return a document's line, line end included; what is absent is left out."""
    entry: dict[str, Any] = {
        "id": uuid.uuid5(uuid.NAMESPACE_URL, document.place).hex,
        "url": document.url,
        "ts": iso(document.timestamp),
        "record": document.record_id,
        "digest": document.payload_digest,
        "warc": document.key,
        "offset": document.offset,
        "same_as": document.same_as,
    }
    if document.rendered:
        entry["rendered"] = {
            "record": document.rendered.record_id,
            "warc": document.rendered.record.key,
            "offset": document.rendered.record.offset,
            "length": document.rendered.record.length,
            "url": document.rendered.url,
            "ts": iso(document.rendered.timestamp),
        }
    entry |= {name: getattr(document.article, name) for name in _ARTICLE}
    if document.article.structure:
        entry["structure"] = structure_json.written(document.article.structure)
    entry["embeds"] = [_present(asdict(embed)) for embed in document.article.embeds]
    return self_digested(_present(entry))


def _present(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if value not in (None, "", (), [])}


def decode_document(line: bytes) -> Document:
    """Read a document's line back, fields that are not known left out; raises IntegrityError for anything else."""
    try:
        return _document(read_self_digested(line))
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise IntegrityError(
            f"a document's line is not the one that was written ({error}); run `onrecord verify --deep`"
        ) from error


def _document(entry: dict[str, Any]) -> Document:
    same_as = entry.get("same_as")
    return Document(
        url=text_of(entry["url"]),
        timestamp=from_iso(text_of(entry["ts"])),
        record_id=text_of(entry["record"]),
        payload_digest=text_of(entry["digest"]),
        key=text_of(entry["warc"]),
        offset=size_of(entry.get("offset", 0)),
        article=Article(**{name: _value(name, entry[name]) for name in _ARTICLE if name in entry}),
        same_as=None if same_as is None else text_of(same_as),
        rendered=_rendered(entry["rendered"]) if "rendered" in entry else None,
    )


def _rendered(entry: dict[str, Any]) -> Reference:
    record = RecordRef(text_of(entry["warc"]), size_of(entry["offset"]), size_of(entry["length"]))
    return Reference(record, text_of(entry["record"]), text_of(entry["url"]), from_iso(text_of(entry["ts"])))


def _value(name: str, value: Any) -> Any:
    if name == "structure":
        return structure_json.read(value)
    if name == "embeds":
        return tuple(Embed(**{key: text_of(embed[key]) for key in _EMBED if key in embed}) for embed in value)
    return texts_of(value) if name in _TUPLES else text_of(value)


def whole_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines with their ends, none held beyond the longest that is read; raises IntegrityError where one breaks off."""
    waiting: list[bytes] = []
    held = 0
    for piece in pieces:
        first, *others = piece.split(b"\n")
        if others:
            yield b"".join([*waiting, first, b"\n"])
            yield from (line + b"\n" for line in others[:-1])
            waiting, held, first = [], 0, others[-1]
        if first:
            waiting.append(first)
            held += len(first)
        if held > LONGEST:
            raise IntegrityError(f"a line is longer than {LONGEST:,} bytes")
    if waiting:
        raise IntegrityError("the last line breaks off")
