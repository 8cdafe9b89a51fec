"""Finding snapshots: which blocks of which runs hold a key, and the lines in them."""

from __future__ import annotations

import heapq
import logging
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

from archive import keys
from archive.catalog import Catalog
from archive.errors import IntegrityError, RecordError
from archive.index.cdxj import parse_line, snapshot_of
from archive.index.zipnum import BlockRef, decode_block
from archive.model import Snapshot
from archive.urlkey import key_range
from storage.base import ObjectStore
from storage.errors import ObjectMissing

_log = logging.getLogger("onrecord.archive")

_LAST = "\U0010ffff"  # after every key
_KEPT_BLOCKS = 64  # decoded blocks held in memory, or fewer:
_KEPT_SIZE = 64 << 20  # characters in them
_DEDUP_RUNS = 64  # how far back a writer looks for an unchanged page: bounds the reads for a URL never seen


class _Entry(NamedTuple):
    """A snapshot with what it is sorted by."""

    key: str
    timestamp: str
    run: str
    snapshot: Snapshot


class Index:
    """The lines of all runs that existed when this was made or last refreshed."""

    def __init__(self, store: ObjectStore, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog
        self._runs: list[str] | None = None
        self._blocks: OrderedDict[tuple[str, int], list[str]] = OrderedDict()
        self._held = 0  # characters in the blocks
        self._damaged: set[str] = set()  # runs that were warned of

    def refresh(self) -> None:
        """Look again for runs at the next question."""
        self._runs = None

    def runs(self) -> list[str]:
        """The runs whose lines this index knows, oldest first."""
        if self._runs is None:
            self._runs = self._catalog.runs()
        return self._runs

    def snapshots(self, url: str, match_type: str = "exact") -> Iterator[Snapshot]:
        """Every snapshot that a URL matches, by key, time, then run.

        Where a run's index is damaged, what the other runs hold is given first; then IntegrityError is raised.
        """
        start, end = key_range(url, match_type)
        runs = self.runs()
        self._catalog.load(runs)
        faults: list[IntegrityError] = []
        merged = heapq.merge(*(self._sound(run, start, end, faults) for run in runs), key=_order)
        yield from _newest_lines(entry.snapshot for entry in merged)
        if faults:
            raise faults[0]

    def newest(self, url: str) -> Iterator[Snapshot]:
        """Snapshots of exactly this URL in the newest `_DEDUP_RUNS` runs, newest first, read no further than asked.

        A run whose index is damaged is passed over, with a warning.
        """
        runs = self.runs()[-_DEDUP_RUNS:]
        self._catalog.load(runs)
        start, end = key_range(url, "exact")
        for run in reversed(runs):
            faults: list[IntegrityError] = []
            found = [entry.snapshot for entry in self._sound(run, start, end, faults)]
            if faults and run not in self._damaged:
                self._damaged.add(run)
                _log.warning("%s; pages are not compared with those of run %s", faults[0], run)
            yield from (snapshot for snapshot in reversed(found) if snapshot.url == url)

    def of_run(self, run: str) -> Iterator[Snapshot]:
        """Every line of one run's index, in its order; raises IntegrityError."""
        return (entry.snapshot for entry in self._entries(run, "", _LAST))

    def _sound(self, run: str, start: str, end: str, faults: list[IntegrityError]) -> Iterator[_Entry]:
        """A run's lines up to where it is damaged; what is wrong is added to the faults."""
        try:
            yield from self._entries(run, start, end)
        except IntegrityError as error:
            faults.append(error)

    def _entries(self, run: str, start: str, end: str) -> Iterator[_Entry]:
        try:
            index = self._catalog.block_index(run)
        except ObjectMissing:  # its manifest is gone since the runs were listed: it exists no more
            return
        for ref in index.blocks(start, end):
            try:
                lines = self._block(run, ref)
            except (RecordError, ObjectMissing) as error:
                raise IntegrityError(f"the index of run {run}: {error}; run `onrecord verify`") from error
            for text in lines[bisect_left(lines, start) : bisect_left(lines, end)]:
                line = parse_line(text)
                yield _Entry(line.key, line.timestamp, run, snapshot_of(line, run))

    def _block(self, run: str, ref: BlockRef) -> list[str]:
        place = (run, ref.offset)
        if place in self._blocks:
            self._blocks.move_to_end(place)
            return self._blocks[place]
        data = self._store.get_range(keys.run_key(run, keys.CDX), ref.offset, ref.length)
        lines = decode_block(data)
        self._blocks[place] = lines
        self._held += _size(lines)
        while len(self._blocks) > _KEPT_BLOCKS or (self._held > _KEPT_SIZE and len(self._blocks) > 1):
            _, dropped = self._blocks.popitem(last=False)
            self._held -= _size(dropped)
        return lines


def _newest_lines(snapshots: Iterator[Snapshot]) -> Iterator[Snapshot]:
    """Each capture once: a later run that made its text again has a line of it too."""
    same_second: dict[str, Snapshot] = {}
    second = None
    for snapshot in snapshots:
        if (snapshot.url, snapshot.timestamp) != second:
            yield from same_second.values()
            same_second.clear()
            second = (snapshot.url, snapshot.timestamp)
        same_second[snapshot.record_id] = snapshot
    yield from same_second.values()


def _size(lines: list[str]) -> int:
    return sum(map(len, lines))


def _order(entry: _Entry) -> tuple[str, str, str]:
    return entry[:3]
