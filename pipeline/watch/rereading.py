"""Texts that two versions of the extractor made: that one reads a page otherwise than the other is no edit."""

from __future__ import annotations

import threading
from dataclasses import replace

from archive.archive import Reader
from archive.availability import Observation, State
from archive.digests import text_digest
from archive.errors import ArchiveError
from archive.model import Document, Snapshot
from archive.warc import decoded
from pipeline.extract.extractor_pool import ExtractorPool, extracted
from pipeline.extract.extractor_version import extractor_version
from pipeline.extract.tasks import Page
from storage.errors import StoreError

_TIME = 60.0  # seconds a page
_MEMORY = 2_000_000_000  # bytes a page
_DECODED = 100_000_000  # bytes of a page after its content codings are undone

_pools: list[ExtractorPool] = []  # one, once a page is read again
_lock = threading.Lock()


def read_alike(archive: Reader, good: Observation | None, seen: Observation) -> Observation:
    """Return the observation with the text of the earlier one if one extractor reads the same text in both captures.

    An observation keeps the digest of the text as it was extracted then. Where a page's text differs and the two
    captures' texts are of two versions of the extractor, the earlier capture is read again. Where that cannot be done,
    or the texts differ still, the observation is returned as it is.
    """
    if good is None or good.text is None or seen.state != State.OK or seen.text in {None, good.text}:
        return seen
    try:
        text = _text_as_of(archive, good, seen)
    except (ArchiveError, StoreError):  # what cannot be compared is a change
        return seen
    if not text or text_digest(text.split()) != seen.text:
        return seen
    return replace(seen, text=good.text, words=good.words)


def _text_as_of(archive: Reader, good: Observation, seen: Observation) -> str | None:
    """Return the text of the earlier capture by the extractor that made the later one's."""
    snapshot, old = _document(archive, good)
    _, new = _document(archive, seen)
    if snapshot is None or old is None or new is None:
        return None
    if old.article.extractor == new.article.extractor:
        return old.article.text
    if new.article.extractor != extractor_version():
        return None
    return _read_again(archive, snapshot, old)


def _document(archive: Reader, seen: Observation) -> tuple[Snapshot | None, Document | None]:
    snapshot = archive.near(seen.shown_at, seen.at)
    return snapshot, archive.document(snapshot) if snapshot else None


def _read_again(archive: Reader, snapshot: Snapshot, document: Document) -> str | None:
    head, _, entity = archive.page_body(snapshot, document.rendered)
    body = b"".join(decoded(entity, head.content_encoding, _DECODED))
    with _lock:
        if not _pools:
            _pools.append(ExtractorPool(1, time_limit=_TIME, memory_limit=_MEMORY))
    article = extracted(_pools[0].submit(Page(snapshot.url, body, head.header("Content-Type")))).article
    return article.text if article else None
