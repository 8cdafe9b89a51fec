"""The steps of a second copy: refused where it must be, asked for, looked for, read back and compared with ours."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from archive.archive import Reader
from archive.digests import digest_of
from archive.errors import ArchiveError, EntityError
from archive.model import Outcome, Snapshot
from archive.times import now
from archive.warc import decoded
from pipeline.capture.http.proxies import private_name
from pipeline.extract.extractor_pool import ExtractorPool, extracted
from pipeline.extract.tasks import Page
from pipeline.ingest.second_copy.outbox import Copies, Copy, CopyState
from pipeline.ingest.second_copy.save_page_now import NeverSaved, Saved, SavePageNow
from pipeline.outbound.errors import DeliveryError
from storage.errors import StoreError

_log = logging.getLogger("onrecord")

_FIRST_LOOK, _LOOK = timedelta(seconds=1), timedelta(seconds=5)  # at a job, and between two looks
_NOT_PUBLISHED = timedelta(minutes=10)  # until a capture that waits in the spool is looked for again
_TRIES = 12  # of reading a capture back that the other archive says it has
_DECODED = 100_000_000  # bytes


def wanted(outcome: Outcome, archive: str) -> Copy | None:
    """Return the copy of a page that was captured; None of what is no page, or did not come. Some are refused."""
    if outcome.role is not None or outcome.outcome != "ok" or outcome.record_id is None:
        return None
    copy = Copy.of(outcome, archive)
    parts = urlsplit(copy.url)
    if parts.username is not None or parts.password is not None:
        return copy.ended(CopyState.REFUSED, "its address holds a password")
    if why := private_name(parts.hostname or ""):
        return copy.ended(CopyState.REFUSED, f"its address is not public: {why}")
    return copy


class Sender:
    """Takes the next steps of the copies that are due."""

    def __init__(self, archive: Reader, copies: Copies, service: SavePageNow) -> None:
        self._archive = archive
        self._copies = copies
        self._service = service

    def flush(self, wait: float = 0.0) -> list[Copy]:
        """Take the steps that are due; returns the copies that ended. Waits so many seconds for those under way.

        Raises CopiesError. What other archives do harms no capture: it is kept with the copy.
        """
        ended: list[Copy] = []
        end = time.monotonic() + wait
        with self._alone() as alone:
            while alone:
                for copy in self._copies.due():
                    after = self._step(copy)
                    self._copies.keep(after)
                    ended += [after] if after.state not in {CopyState.WAITING, CopyState.ASKED} else []
                working = [each for each in self._copies.all() if each.state == CopyState.ASKED and not each.found]
                pause = min((each.due - now() for each in working), default=None)
                if pause is None or time.monotonic() + pause.total_seconds() > end:
                    break
                time.sleep(max(pause.total_seconds(), 0.05))
        return ended

    def _step(self, copy: Copy) -> Copy:
        try:
            snapshot = self._ours(copy)
            if isinstance(snapshot, Copy):
                return snapshot
            if copy.job is None:
                job = self._service.submit(copy.url)
                return replace(copy, state=CopyState.ASKED, job=job, due=now() + _FIRST_LOOK, detail="")
            saved = self._service.look(copy.job)
            if saved is None:
                return replace(copy, due=now() + _LOOK)
        except NeverSaved as error:
            return copy.ended(CopyState.FAILED, str(error))
        except DeliveryError as error:  # a wrong key is set right some day
            wait = timedelta(seconds=error.after) if error.after else None
            return replace(copy, state=CopyState.WAITING, job=None).later(str(error), wait)
        except (ArchiveError, StoreError) as error:
            return copy.later(f"our capture cannot be read: {error}")
        return self._compared(copy, snapshot, saved)

    def _ours(self, copy: Copy) -> Snapshot | Copy:
        """Return our capture, or the copy that waits for it, or is refused; raises ArchiveError, StoreError."""
        held = self._archive.withholding_at(copy.url, copy.at, copy.record_id)
        if held is not None:
            return copy.ended(CopyState.REFUSED, f"our capture is {held}")
        snapshot = self._archive.near(copy.url, copy.at)
        if snapshot is None or snapshot.record_id != copy.record_id:
            return copy.later("our capture is not published yet", _NOT_PUBLISHED)
        if snapshot.session:
            return copy.ended(CopyState.REFUSED, f"our capture was {snapshot.session_words}")
        return snapshot

    def _compared(self, copy: Copy, ours: Snapshot, saved: Saved) -> Copy:
        """Return the copy after the other archive's capture was read back, and held against ours."""
        found = self._service.address_of(saved)
        try:
            theirs = self._service.read_back(saved)
        except DeliveryError as error:
            why = f"the other archive names a capture and does not give it: {error}"
            if copy.attempts >= _TRIES:
                return copy.ended(CopyState.FAILED, why, found)
            return replace(copy.later(why), found=found)
        try:
            return self._held_against(copy, ours, theirs, found)
        except (ArchiveError, StoreError, EntityError) as error:
            return replace(copy.later(f"our capture cannot be read: {error}"), found=found)

    def _held_against(self, copy: Copy, ours: Snapshot, theirs: bytes, found: str) -> Copy:
        head, _, entity = self._archive.payload(ours)
        raw = b"".join(entity)
        plain = b"".join(decoded(iter([raw]), head.content_encoding, _DECODED))
        if digest_of(theirs) in {digest_of(raw), digest_of(plain)}:
            return copy.ended(CopyState.SAVED, "the same bytes", found)
        document = self._archive.document(ours)
        text = _text_of(Page(ours.url, theirs, head.header("Content-Type")))
        if document is None or not document.article.text:
            return copy.ended(CopyState.DIFFERS, "other bytes, and no text of ours to compare", found)
        if (text or "").split() == document.article.text.split():
            return copy.ended(CopyState.SAVED, "the same text", found)
        words, said = set(document.article.text.lower().split()), set((text or "").lower().split())
        share = len(words & said) * 100 // max(len(words), 1)
        return copy.ended(CopyState.DIFFERS, f"another text: it has {share} % of the words of ours", found)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Yield whether this process is the only one that sends; the lock ends with its holder."""
        if not self._copies.folder.exists():
            yield False
            return
        descriptor = os.open(self._copies.folder / "sending.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True
        finally:
            os.close(descriptor)


def _text_of(page: Page) -> str | None:
    with ExtractorPool(1) as pool:
        article = extracted(pool.submit(page)).article
    return article.text if article else None
