"""Texts that two versions of the extractor made: that one reads a page otherwise than the other is no edit."""

from __future__ import annotations

import threading
from dataclasses import replace

from archive.archive import Reader
from archive.digests import text_digest
from archive.errors import ArchiveError
from archive.model import Document, Snapshot
from archive.states import Observation, State, mark_of
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
        later = _snapshot(archive, seen)
        text = _text_as_of(archive, _snapshot(archive, good), archive.document(later) if later else None)
    except (ArchiveError, StoreError):  # what cannot be compared is a change
        return seen
    if not text or text_digest(text.split()) != seen.text:
        return seen
    return replace(seen, text=good.text, words=good.words)


def same_text(archive: Reader, earlier: Snapshot, later: Snapshot) -> bool | None:
    """Return whether one extractor reads one text in two captures, None where the earlier one cannot be read again.

    Raises IntegrityError, StoreError.
    """
    old = archive.document(earlier)
    mark = later.text
    if mark is None and (new := archive.document(later)):
        mark = mark_of(new.article)
    if old is None or mark is None or mark.extractor != extractor_version():
        return None
    text = _read_again(archive, earlier, old)
    return text_digest(text.split()) == mark.digest if text else None


def _text_as_of(archive: Reader, snapshot: Snapshot | None, new: Document | None) -> str | None:
    """Return the text of an earlier capture by the extractor that made the later one's."""
    old = archive.document(snapshot) if snapshot else None
    if snapshot is None or old is None or new is None:
        return None
    if old.article.extractor == new.article.extractor:
        return old.article.text
    if new.article.extractor != extractor_version():
        return None
    return _read_again(archive, snapshot, old)


def _snapshot(archive: Reader, seen: Observation) -> Snapshot | None:
    return archive.near(seen.shown_at, seen.at)


def _read_again(archive: Reader, snapshot: Snapshot, document: Document) -> str | None:
    head, _, entity = archive.page_body(snapshot, document.rendered)
    body = b"".join(decoded(entity, head.content_encoding, _DECODED))
    with _lock:
        if not _pools:
            _pools.append(ExtractorPool(1, time_limit=_TIME, memory_limit=_MEMORY))
    article = extracted(_pools[0].submit(Page(snapshot.url, body, head.header("Content-Type")))).article
    return article.text if article else None
