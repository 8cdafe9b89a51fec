"""Finding snapshots: which blocks of the merged index, and of the runs beside it, hold a key, and the lines in them."""

from __future__ import annotations

import heapq
import logging
import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from archive import object_keys
from archive.coordination.clock import NOTED
from archive.errors import IntegrityError, RecordError
from archive.formats.cdxj import LAST_KEY, home_of, parse_line, snapshot_of
from archive.formats.generation import Generation
from archive.formats.surt import key_range
from archive.formats.zipnum import BlockRef, decode_block
from archive.index.catalog import Catalog, Parts
from archive.local_cache import Cache
from archive.model import Snapshot
from archive.times import is_rehearsed, stamp
from storage.base import ObjectStore
from storage.errors import ObjectMissing

_log = logging.getLogger("onrecord.archive")

_KEPT_BLOCKS = 64  # decoded blocks held in memory, or fewer:
_KEPT_SIZE = 64 << 20  # characters in them
_LOOSE_RUNS = 64  # how many runs of no generation a writer compares with: bounds the reads for a URL never seen
_REFRESHES = 5  # times in a row that a generation may be replaced under a reader


class _Entry(NamedTuple):
    """A snapshot with what it is sorted by; `run` is the one whose index says so."""

    key: str
    timestamp: str
    run: str
    snapshot: Snapshot


class _Span(NamedTuple):
    """Lines from `start` up to, not including, `end`, in their order or from the last."""

    start: str
    end: str
    reverse: bool = False

    def after(self, entry: _Entry) -> _Span:
        """Return what is left of the span once the snapshots of an entry's key and second are given."""
        if self.reverse:
            return self._replace(end=f"{entry.key} {entry.timestamp}")
        return self._replace(start=f"{entry.key} {entry.timestamp}!")


class _Unreadable(Exception):
    """A generation that cannot be read: replaced meanwhile, or damaged."""


class Index:
    """The lines of all runs that existed when this was made or last refreshed. Safe for several threads."""

    def __init__(self, store: ObjectStore, catalog: Catalog, blocks: Cache | None = None) -> None:
        self._store = store
        self._catalog = catalog
        self._cache = blocks or Cache(None)
        self._parts: Parts | None = None
        self._merged = True  # whether generations are believed
        self._blocks: OrderedDict[tuple[str, int], list[str]] = OrderedDict()
        self._held = 0  # characters in the blocks
        self._lock = threading.Lock()
        self._damaged: set[str] = set()  # runs that were warned of

    def refresh(self) -> None:
        """Look again for runs at the next question."""
        self._parts = None

    def forget(self) -> None:
        """Hold nothing that was read, and look again: something was taken out of the store for good."""
        with self._lock:
            self._blocks.clear()
            self._held = 0
        self.refresh()

    def parts(self) -> Parts:
        """Return what is asked: generations, and the runs beside them."""
        parts = self._parts
        if parts is None:
            parts = self._parts = self._catalog.parts(merged=self._merged)
        return parts

    def snapshots(
        self, url: str, match_type: str = "exact", start: datetime | None = None, end: datetime | None = None
    ) -> Iterator[Snapshot]:
        """Every snapshot that a URL matches, by key, time, then run.

        Where a run's index is damaged, what the other runs hold is given first; then IntegrityError is raised.
        """
        low, high = key_range(url, match_type)
        if match_type == "exact":
            low = low + stamp(start) if start else low
            high = f"{low[:-14] if start else low}{stamp(end)}!" if end else high
        faults: list[IntegrityError] = []
        for snapshot in self._newest_lines(_Span(low, high), faults):
            if (start is None or snapshot.timestamp >= start) and (end is None or snapshot.timestamp <= end):
                yield snapshot
        if faults:
            raise faults[0]

    def every(self) -> Iterator[Snapshot]:
        """Every snapshot there is, by key, time, then run. Raises IntegrityError as `snapshots` does."""
        faults: list[IntegrityError] = []
        yield from self._newest_lines(_Span("", LAST_KEY), faults)
        if faults:
            raise faults[0]

    def after(self, url: str, match_type: str, key: str, timestamp: str) -> Iterator[Snapshot]:
        """Yield what `snapshots` gives from a key and 14 digits on: where a reader broke off. Raises as that does."""
        low, high = key_range(url, match_type)
        faults: list[IntegrityError] = []
        yield from self._newest_lines(_Span(max(low, f"{key} {timestamp}"), high), faults)
        if faults:
            raise faults[0]

    def back(self, url: str, before: datetime | None = None) -> Iterator[Snapshot]:
        """Yield the snapshots of a URL from the newest, or the last before a time, read no further than needed.

        Raises IntegrityError as `snapshots` does.
        """
        low, high = key_range(url, "exact")
        faults: list[IntegrityError] = []
        yield from self._newest_lines(_Span(low, low + stamp(before) if before else high, reverse=True), faults)
        if faults:
            raise faults[0]

    def newest(self, url: str) -> Iterator[Snapshot]:
        """Snapshots of exactly this URL, newest first, read no further than asked.

        Only the newest `_LOOSE_RUNS` of the runs that are in no generation are asked. A run whose index is damaged is
        passed over, with a warning.
        """
        low, high = key_range(url, "exact")
        faults: list[IntegrityError] = []
        for snapshot in self._newest_lines(_Span(low, high, reverse=True), faults, newest_runs=_LOOSE_RUNS):
            if snapshot.url == url:
                yield snapshot
        for fault in faults:
            if str(fault) not in self._damaged:
                self._damaged.add(str(fault))
                _log.warning("%s; pages are not compared with those of that run", fault)

    def of_run(self, run: str) -> Iterator[Snapshot]:
        """Every line of one run's index, in its order; raises IntegrityError."""
        return (entry.snapshot for entry in self._of_run(run, _Span("", LAST_KEY)))

    def _newest_lines(self, span: _Span, faults: list[IntegrityError], newest_runs: int = 0) -> Iterator[Snapshot]:
        """Each capture once, by its newest line: a later run that made its text again has a line of it too.

        A generation that was replaced since the index was refreshed is no fault: what replaced it is read from where
        this one broke off.
        """
        refreshes = 0
        while True:
            try:
                parts = self.parts()
                runs = parts.runs[-newest_runs:] if newest_runs else parts.runs
                self._catalog.load(runs)
                sources = [self._of_generation(generation, span) for generation in parts.generations]
                sources += [self._sound(run, span, faults) for run in runs]
                for _, entries in groupby(heapq.merge(*sources, key=_place, reverse=span.reverse), key=_place):
                    same_second = sorted(entries, key=_order)  # by the run that says so, oldest first
                    found = list({entry.snapshot.place: entry.snapshot for entry in same_second}.values())
                    yield from reversed(found) if span.reverse else found
                    span = span.after(same_second[0])
                return
            except _Unreadable as error:
                refreshes += 1
                self._merged = refreshes < _REFRESHES and not isinstance(error.__cause__, IntegrityError)
                if not self._merged:
                    _log.warning("%s; every run is asked by itself: run `onrecord compact --rebuild`", error)
                self.refresh()
                faults.clear()

    def _sound(self, run: str, span: _Span, faults: list[IntegrityError]) -> Iterator[_Entry]:
        """Yield a run's lines up to where it is damaged; what is wrong is added to the faults."""
        try:
            yield from self._of_run(run, span)
        except IntegrityError as error:
            faults.append(error)

    def _of_run(self, run: str, span: _Span) -> Iterator[_Entry]:
        try:
            index = self._catalog.block_index(run)
        except ObjectMissing:  # its manifest is not there, or gone since the runs were listed: it does not exist
            return
        refs = index.blocks(span.start, span.end)
        for ref in reversed(refs) if span.reverse else refs:
            try:
                for text in self._lines(object_keys.run_key(run, object_keys.CDX), ref, span):
                    line = parse_line(text)
                    yield _Entry(line.key, line.timestamp, run, self._dated(snapshot_of(line, run)))
            except (RecordError, ObjectMissing) as error:
                raise IntegrityError(f"the index of run {run}: {error}; run `onrecord verify --deep`") from error

    def _of_generation(self, generation: Generation, span: _Span) -> Iterator[_Entry]:
        key = generation.key(object_keys.GENERATION_CDX)
        try:
            for ref in self._catalog.generations.blocks(generation, span.start, span.end, reverse=span.reverse):
                for text in self._lines(key, ref, span):
                    line = parse_line(text)
                    run = home_of(line)
                    yield _Entry(line.key, line.timestamp, run, self._dated(snapshot_of(line, run)))
        except ObjectMissing as error:
            raise _Unreadable(f"the merged index changed: {error}") from error
        except IntegrityError as error:
            raise _Unreadable(f"{key}: {error}") from error

    def _dated(self, snapshot: Snapshot) -> Snapshot:
        """Return a snapshot, with what a note says of the clock that dated it."""
        parts = self.parts()
        ahead = parts.ahead.get(snapshot.run, 0)
        if snapshot.ahead or not (ahead or snapshot.run in parts.put):
            return snapshot
        return replace(snapshot, ahead=ahead or self._put_before(snapshot.run, parts.put[snapshot.run]))

    def _put_before(self, run: str, put: datetime | None) -> int:
        """By how many seconds a run that notes nothing of its clock was put before the date that it says."""
        try:
            found = self._catalog.manifest(run)
        except (IntegrityError, ObjectMissing):
            return 0
        if put is None or found.ahead_at_start or is_rehearsed() or found.created - put <= NOTED:
            return 0
        return round((found.created - put).total_seconds())

    def _lines(self, key: str, ref: BlockRef, span: _Span) -> list[str]:
        lines = self._block(key, ref)
        chosen = lines[bisect_left(lines, span.start) : bisect_left(lines, span.end)]
        return chosen[::-1] if span.reverse else chosen

    def _block(self, key: str, ref: BlockRef) -> list[str]:
        place = (key, ref.offset)
        with self._lock:
            if place in self._blocks:
                self._blocks.move_to_end(place)
                return self._blocks[place]
        lines = self._read(key, ref)
        with self._lock:
            if place not in self._blocks:
                self._blocks[place] = lines
                self._held += _size(lines)
            while len(self._blocks) > _KEPT_BLOCKS or (self._held > _KEPT_SIZE and len(self._blocks) > 1):
                _, dropped = self._blocks.popitem(last=False)
                self._held -= _size(dropped)
        return lines

    def _read(self, key: str, ref: BlockRef) -> list[str]:
        place = f"{key}.{ref.offset}-{ref.length}"
        kept = self._cache.get(place)
        if kept is not None:
            return decode_block(kept)
        data = self._store.get_range(key, ref.offset, ref.length)
        lines = decode_block(data)
        self._cache.put(place, data)
        return lines


def _size(lines: list[str]) -> int:
    return sum(map(len, lines))


def _place(entry: _Entry) -> tuple[str, str]:
    return entry[:2]


def _order(entry: _Entry) -> str:
    return entry.run
