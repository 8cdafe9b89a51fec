"""What a file may leave in the store, and have read: as much as its size allows, whatever it unfolds to."""

from __future__ import annotations

import time
from collections.abc import Callable

from archive.digests import EMPTY
from archive.formats import encode_document, encode_outcome
from archive.importers import ForeignRecord
from archive.model import TEXT_INCOMPLETE, Document, Outcome, Snapshot, Verdict
from archive.runs import Session
from archive.warc import packs_into
from pipeline.extract.empty_pages import SHELL
from pipeline.extract.extractor_pool import Extracted
from pipeline.extract.worker_pool import Allowance

_FREE = 128 << 10  # bytes that any file may leave, as small ones of records that are alike do; a larger file:
_TIMES = 10  # for a byte of it, of records, of what is said of them, and of texts;
_OF_RECORDS = (8 << 10, 5)  # of records alone, so much and for a byte of it
_LINE = 100  # bytes of an index that a record may take, and a fourth of its address
_READ = (256 << 10, 24)  # bytes of pages that are read, their codings undone, and besides for a byte of the file
_WORK = (1.0, 0.8 / 10_000)  # seconds of the processor: at least for reading pages, or for all of a byte of the file
_WORKER = 1.5  # seconds that it takes to start another worker: it costs as much to end one
_SHARED = 5.0  # seconds of which a page gets half; where less is left, all of it
_SHARE = 8  # of what is left, that a record or page which is too large takes of it
_LEAST = 128  # bytes that a record takes
_PACKED = (b"PK\x03\x04", b"%PDF")  # what unfolds as it is read,
_UNFOLDS = 96 << 10  # and counts for so many bytes more
_TOO_MUCH = frozenset({"too-much-work", "decoded-too-large"})
_NAMED = 10  # pages that are named one by one

LITTLE = {TEXT_INCOMPLETE, SHELL}  # outcomes of a text that has little of its page

UNPACK = "unpack the file (gunzip, unzip), and import what comes of it"
TOO_MUCH = f"the records before this one take more room than so few bytes honestly hold: the rest is left out; {UNPACK}"
TOO_LARGE = f"this record takes more room than so few bytes honestly hold, and is left out; {UNPACK}"


class Room:
    """The bytes that the records of a file may still take in the store."""

    def __init__(self, size: int) -> None:
        """`size` is that of the file, in bytes."""
        self._size = size
        self._records = max(_FREE, _OF_RECORDS[0] + _OF_RECORDS[1] * size)
        self.taken = 0
        self._clock = time.thread_time()

    @property
    def is_full(self) -> bool:
        """Return whether no further record is taken."""
        return self._left < _LEAST

    @property
    def _left(self) -> int:
        return self._records - self.taken

    def holds(self, record: ForeignRecord) -> bool:
        """Return whether a record fits, packed; each that does not takes a share of the room, as it was work."""
        fits = packs_into(record.head, record.block, self._left)
        self._records -= 0 if fits else self._left // _SHARE
        return fits

    def take(self, record: ForeignRecord, length: int) -> None:
        """Know that a record takes so many bytes of a WARC file, and some of the index."""
        self.taken += length + _LINE + len(record.header("WARC-Target-URI") or "") // 4

    def resume(self, written: int, captures: int) -> None:
        """Know what an import that was ended wrote: bytes of files, and captures."""
        self.taken = written + _LINE * captures

    def of_texts(self, said: int) -> int:
        """Return the bytes that are left for texts, where `said` bytes of outcomes are written."""
        return max(_TIMES * self._size, _FREE) - self.taken - said

    def of_reading(self) -> int:
        """Return how many bytes of pages may be read for their texts."""
        return _READ[0] + _READ[1] * self._size

    def of_work(self) -> float:
        """Return how many seconds of the processor's time the reading of pages may take."""
        return max(_WORK[0], _WORK[1] * self._size - self.worked_here())

    def worked_here(self) -> float:
        """Return how many seconds of it this thread took since the last time, or since the room was made."""
        before, self._clock = self._clock, time.thread_time()
        return self._clock - before


class Texts:
    """The texts of a file's pages, as far as there is room for them: pages beyond it are kept, and named."""

    def __init__(self, session: Session, room: Room, said: int, name: Callable[[str], None]) -> None:
        """`said` bytes of outcomes are written; `name` is given what is left out."""
        self._session = session
        self._name = name
        self._later = f"`onrecord extract {session.run}` makes what is missing"
        self._room = room.of_texts(said)
        self._reading = room.of_reading()
        self._file = room
        self._work = room.of_work()
        self._working = 0  # pages that hold a part of it
        self._left = 0
        self.unsaid = 0  # incomplete texts without an outcome line, for which there is no room

    def may_read(self) -> int:
        """Return how many bytes of a page may be read."""
        return self._reading

    def has_read(self, body: bytes | None) -> None:
        """Know what was read of a page; None where it was too large."""
        if body is None:
            self._reading -= self._reading // _SHARE
        else:
            self._reading -= len(body) + (_UNFOLDS if body.startswith(_PACKED) else 0)

    def allow(self) -> Allowance | None:
        """Set apart the work that the next page may take, 0 s once it is used up; None while other pages hold it."""
        self._work -= self._file.worked_here()
        seconds = self._work if self._work <= _SHARED else self._work / 2
        if seconds <= 0 and self._working:
            return None
        self._work -= max(seconds, 0.0)
        self._working += seconds > 0
        return Allowance(max(seconds, 0.0))

    def worked(self, allowance: Allowance) -> None:
        """Take back what a page did not use; one that used all of it ended its worker."""
        ended = allowance.used >= allowance.seconds
        self._work += allowance.seconds - allowance.used - (_WORKER if ended else 0.0)
        self._working -= 1

    def unread(self, snapshot: Snapshot, read: Extracted) -> bool:
        """Name a page of which nothing was read for its size or its work; returns whether it is one."""
        if read.reading is not None or read.verdict.name not in _TOO_MUCH:
            return False
        self._leave(snapshot.url, "takes more work than so few bytes honestly make")
        return True

    def may_say(self, outcome: Outcome, verdict: Verdict) -> bool:
        """Return whether a page's text is incomplete or failed, and there is room for its outcome."""
        if outcome.digest == EMPTY:  # no byte came, which the state of the capture says
            return False
        if verdict.ok and outcome.outcome not in LITTLE:
            return False
        size = len(encode_outcome(outcome))
        if size > self._room:
            self.unsaid += 1
            return False
        self._room -= size
        return True

    def add(self, document: Document) -> None:
        """Write a page's document where there is room for it."""
        size = len(encode_document(document))
        if size > self._room:
            self._reading -= size // _SHARE
            self._leave(document.url, f"takes {size:,} bytes, more room than so few bytes honestly hold")
            return
        self._room -= size
        self._session.add_document(document)

    def _leave(self, url: str, why: str) -> None:
        self._left += 1
        if self._left <= _NAMED:
            self._name(f"the text of {url[:200]} {why}: the page is kept without it; {self._later}")

    def end(self) -> int:
        """Name how many more pages have no text; returns the number of all."""
        if self._left > _NAMED:
            more = f"{self._left - _NAMED:,} more pages are kept without their texts"
            self._name(f"{more}, for which there is no room; {self._later}")
        return self._left
