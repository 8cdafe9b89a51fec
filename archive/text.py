"""Documents as lines of pages.jsonl (WACZ 1.1.1 §5.2), each carrying the digest of what follows it in the line."""

from __future__ import annotations

import uuid
from dataclasses import fields
from typing import Any

from archive.digests import read_self_digested, self_digested
from archive.errors import IntegrityError
from archive.model import Article, Document
from archive.times import from_iso, iso

HEADER = b'{"format":"json-pages-1.0","id":"pages","title":"All Pages","hasText":true}\n'

_TUPLES = {"tags", "categories", "images", "links"}
_ARTICLE = [field.name for field in fields(Article)]


def encode_document(document: Document) -> bytes:
    """A document's line, line end included; what is absent is left out."""
    entry: dict[str, Any] = {
        "id": uuid.uuid5(uuid.NAMESPACE_URL, document.record_id).hex,
        "url": document.url,
        "ts": iso(document.timestamp),
        "record": document.record_id,
        "digest": document.payload_digest,
        "warc": document.key,
        "offset": document.offset,
        "same_as": document.same_as,
    }
    entry |= {name: getattr(document.article, name) for name in _ARTICLE}
    kept = {name: value for name, value in entry.items() if value not in (None, "", ())}
    return self_digested(kept)


def decode_document(line: bytes) -> Document:
    """Read a document's line back; raises IntegrityError when it is not as it was written."""
    try:
        entry = read_self_digested(line)
    except ValueError as error:
        raise IntegrityError(
            f"a document's line is not the one that was written ({error}); run `onrecord verify`"
        ) from error
    article: dict[str, Any] = {
        name: tuple(entry[name]) if name in _TUPLES else entry[name] for name in _ARTICLE if name in entry
    }
    return Document(
        url=entry["url"],
        timestamp=from_iso(entry["ts"]),
        record_id=entry["record"],
        payload_digest=entry["digest"],
        key=entry["warc"],
        offset=entry.get("offset", 0),
        article=Article(**article),
        same_as=entry.get("same_as"),
    )
