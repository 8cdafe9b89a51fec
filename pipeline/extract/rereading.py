"""Texts that two versions of the extractor made: that one reads a page otherwise than the other is no edit."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime
from itertools import islice

from archive.archive import Reader
from archive.digests import text_digest
from archive.errors import ArchiveError
from archive.model import Document, Snapshot, TextMark
from archive.states import Observation, State, mark_of
from archive.warc import decoded
from pipeline.extract.extractor_pool import ExtractorPool, extracted
from pipeline.extract.extractor_version import extractor_version
from pipeline.extract.tasks import Page
from storage.errors import StoreError

_TIME = 60.0  # seconds a page
_MEMORY = 2_000_000_000  # bytes a page
_RECENT = 50  # captures among which one made alike is looked for
_DECODED = 100_000_000  # bytes of a page after its content codings are undone

_pools: list[ExtractorPool] = []  # one, once a page is read again
_lock = threading.Lock()


def read_alike(
    archive: Reader, good: Observation | None, seen: Observation, since: datetime | None = None
) -> Observation:
    """Return the observation with the text of the earlier one if one extractor reads the same text in both captures.

    An observation keeps the digest of the text as it was extracted then. Where a page's text differs and the two
    captures' texts are of two versions of the extractor, the earlier capture is read again. Where that cannot be done,
    or the texts differ still, the observation is returned as it is. A capture with a browser is compared with the last
    one with a browser, and one without with the last one without. Where no such capture was made from `since` on, when
    the page was first seen as it is in the earlier one, what the server sent is compared.
    """
    if good is None or good.text is None or seen.state != State.OK or seen.text in {None, good.text}:
        return seen
    try:
        same = _is_same(archive, good, seen, since or good.at)
    except (ArchiveError, StoreError):  # what cannot be compared is a change
        return seen
    return replace(seen, text=good.text, words=good.words) if same else seen


def _is_same(archive: Reader, good: Observation, seen: Observation, since: datetime) -> bool:
    earlier, later = _snapshot(archive, good), _snapshot(archive, seen)
    old, new = (archive.document(each) if each else None for each in (earlier, later))
    if earlier is None or later is None or old is None or new is None:
        return False
    if _is_rendered(old) != _is_rendered(new):
        alike = _made_alike(archive, later, since, rendered=_is_rendered(new))
        found = archive.document(alike) if alike else None
        if alike is None or found is None:
            return _sent_the_same(archive, earlier, old, later, new) is not False
        earlier, old = alike, found
    text = _text_as_of(archive, earlier, old, new)
    return bool(text) and text_digest((text or "").split()) == seen.text


def _made_alike(archive: Reader, later: Snapshot, since: datetime, *, rendered: bool) -> Snapshot | None:
    """Return the last capture of a page, not before `since`, that was made with a browser, or without, as asked."""
    before = (each for each in islice(archive.back(later.url), _RECENT) if since <= each.true_time < later.true_time)
    return next((each for each in before if each.text and each.text.rendered == rendered), None)


def same_text(archive: Reader, earlier: Snapshot, later: Snapshot) -> bool | None:
    """Return whether one extractor reads one text in two captures, None where they cannot be read again.

    If a browser made one of them, whether it reads one text in what the server sent. Raises IntegrityError, StoreError.
    """
    old, mark, new = archive.document(earlier), later.text, None
    if mark is None and (new := archive.document(later)):
        mark = mark_of(new.article, rendered=_is_rendered(new))
    if old is None or mark is None or mark.extractor != extractor_version():
        return None
    if _is_rendered(old) != mark.rendered:
        new = new or (archive.document(later) if later.document else None)
        return _sent_the_same(archive, earlier, old, later, new or mark)
    text = _read_again(archive, earlier, old)
    return text_digest(text.split()) == mark.digest if text else None


def _is_rendered(document: Document) -> bool:
    """Whether a document's text is of the markup that a browser made."""
    return document.rendered is not None


def _sent_the_same(
    archive: Reader, earlier: Snapshot, old: Document, later: Snapshot, new: Document | TextMark
) -> bool | None:
    """Return whether the text of what the server sent is one text; None where there is none to compare.

    A mark stands for a capture without a browser that the archive does not have yet.
    """
    if isinstance(new, TextMark) and new.rendered:
        return None
    before = _text_as_sent(archive, earlier, old)
    after = new.digest if isinstance(new, TextMark) else _text_as_sent(archive, later, new)
    return before == after if before and after else None


def _text_as_sent(archive: Reader, snapshot: Snapshot, document: Document) -> str | None:
    """Return the digest of the text that this extractor reads in what the server sent, None without a text."""
    if not _is_rendered(document) and document.article.extractor == extractor_version():
        text = document.article.text
    else:
        text = _read_again(archive, snapshot, replace(document, rendered=None))
    return text_digest(text.split()) if text else None


def _text_as_of(archive: Reader, snapshot: Snapshot, old: Document, new: Document) -> str | None:
    """Return the text of an earlier capture by the extractor that made the later one's."""
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
