"""What `index.html` of a bundle is made of, when the bundle is made and when it is checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from archive.checked_json import parsed_object
from archive.crypto.rfc3161 import check_token
from archive.digests import digest_of
from archive.errors import IntegrityError
from archive.evidence.bundle_page import NAME, TEXT, Shown, picture_name, render
from archive.evidence.checkpoint import Checkpoint
from archive.importers import SOURCE, source_host
from archive.model import Document, RecordRef
from archive.warc.reader import Record
from archive.warc.stored_record import stored_record
from storage.base import ObjectStore

_PICTURES = ("urn:fullpagefinal:", "urn:view:")  # before the page's address
_LARGEST_PICTURE = 64 << 20  # bytes
_LARGEST_TEXT = 64 << 20  # characters


@dataclass(frozen=True, slots=True)
class InBundle:
    """A record of a bundle: its file there, and what it says of itself."""

    file: str
    about: str
    url: str
    date: str
    id: str
    place: RecordRef | None = None  # in the store, while the bundle is made
    source: str | None = None  # the host of the archive that it was recovered from


def in_bundle(file: str, record: Record, place: RecordRef | None = None) -> InBundle:
    """Return what the page says of a record."""
    date = (record.header("WARC-Date") or "")[:30]
    source = source_host(record.header(SOURCE))
    return InBundle(file, about(record), (record.url or "")[:8192], date, record.record_id, place, source)


def about(record: Record) -> str:
    """Return a record's kind, id, address and date, in words."""
    url = record.url
    return f"the {record.kind[:20]} {record.record_id[:80]}" + (
        f" of {url[:300]} at {(record.header('WARC-Date') or '')[:30]}" if url else ""
    )


def page(
    records: Sequence[InBundle], checkpoint: Checkpoint, signer: str, stamps: Sequence[tuple[datetime, str]],
    manifest: bytes, said: dict[str, object], text: str, picture: str | None,
) -> bytes:  # fmt: skip
    """Return the page for what a bundle holds; raises ValueError for what `said` names and is not there."""
    number = said["record"]
    if not isinstance(number, int) or not 0 <= number < len(records):
        raise ValueError("the text is of a record that is not there")
    software = str(parsed_object(manifest).get("software") or "a program that is not named")[:200]
    if records[0].source:
        software = f"another archive, {records[0].source}, and recovered from there with {software}"
    return render(
        Shown(
            records[0].url, records[0].date, signer, checkpoint.origin, checkpoint.size, software, stamps,
            str(said["title"]), text, str(said["extractor"]), records[number].file, picture,
            [(each.file, each.about) for each in records],
        )
    )  # fmt: skip


def shown_parts(
    store: ObjectStore, records: Sequence[InBundle], document: Document | None, checkpoint: Checkpoint,
    tokens: Sequence[bytes], manifest: bytes, signer: str,
) -> tuple[dict[str, object], list[tuple[str, bytes]]]:  # fmt: skip
    """Return what bundle.json says of the page, and the files of it; raises IntegrityError, StoreError."""
    text = ((document.article.text if document else None) or "")[:_LARGEST_TEXT]
    number, picture = _picture(store, records)
    data = text.encode("utf-8", "replace")
    said: dict[str, object] = {
        "title": ((document.article.title if document else None) or "")[:1000].encode("utf-8", "replace").decode(),
        "text": digest_of(data) if data else None,
        "extractor": (document.article.extractor if document else "")[:200],
        "record": _made_of(records, document),
        "picture": number,
    }
    note = checkpoint.note.encode()
    html = page(
        records, checkpoint, signer, _stamps(tokens, note), manifest, said, data.decode(), picture and picture[0]
    )
    return said, [(NAME, html), *([(TEXT, data)] if data else []), *([picture] if picture else [])]


def _stamps(tokens: Sequence[bytes], note: bytes) -> list[tuple[datetime, str]]:
    found = []
    for token in tokens:
        try:
            stamp = check_token(token, note)
        except IntegrityError:  # `evidence verify` names it
            continue
        found.append((stamp.time, stamp.authority))
    return found


def _made_of(records: Sequence[InBundle], document: Document | None) -> int:
    """Return the number of the record that a text was made of."""
    if document is None:
        return 0
    place = document.rendered.record.place if document.rendered else document.place
    found = (number for number, each in enumerate(records) if each.place and each.place.place == place)
    return next(found, 0)


def _picture(store: ObjectStore, records: Sequence[InBundle]) -> tuple[int | None, tuple[str, bytes] | None]:
    for number, each in enumerate(records):
        if each.url.lower().startswith(_PICTURES) and each.place and each.place.length <= _LARGEST_PICTURE:
            _, _, entity = stored_record(store, each.place, each.id).http()
            data = b"".join(entity)
            if name := picture_name(data):
                return number, (name, data)
    return None, None
