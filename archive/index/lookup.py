"""Finding snapshots: which blocks of which runs hold a key, and the lines in them."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator

from archive import keys
from archive.catalog import Catalog
from archive.index.cdxj import parse_line, snapshot_of
from archive.index.zipnum import BlockRef, decode_block
from archive.model import Snapshot
from archive.urlkey import key_range
from storage.base import ObjectStore

_KEPT_BLOCKS = 64  # decoded blocks held in memory: at most 1000 lines each
_DEDUP_RUNS = 64  # how far back a writer looks for an unchanged page: bounds the reads for a URL never seen


class Index:
    """The lines of all runs that existed when this was made or last refreshed."""

    def __init__(self, store: ObjectStore, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog
        self._runs: list[str] | None = None
        self._blocks: OrderedDict[tuple[str, int], list[str]] = OrderedDict()

    def refresh(self) -> None:
        """Look again for runs at the next question."""
        self._runs = None

    def runs(self) -> list[str]:
        """The runs whose lines this index knows, oldest first."""
        if self._runs is None:
            self._runs = self._catalog.runs()
            self._catalog.load(self._runs)
        return self._runs

    def snapshots(self, url: str, match_type: str = "exact") -> Iterator[Snapshot]:
        """Every snapshot that a URL matches, by key, time, then run; raises RecordError for a damaged block."""
        start, end = key_range(url, match_type)
        lines = heapq.merge(*(self._run_lines(run, start, end) for run in self.runs()), key=_by_key_time_run)
        return (snapshot_of(parse_line(line), run) for line, run in lines)

    def newest(self, url: str) -> Iterator[Snapshot]:
        """Snapshots of exactly this URL in the newest `_DEDUP_RUNS` runs, newest first, read no further than asked."""
        runs = self.runs()[-_DEDUP_RUNS:]
        if not runs:
            return
        start, end = key_range(url, "exact")
        for run in reversed(runs):
            found = [snapshot_of(parse_line(line), run) for line, run in self._run_lines(run, start, end)]
            yield from (snapshot for snapshot in reversed(found) if snapshot.url == url)

    def _run_lines(self, run: str, start: str, end: str) -> Iterator[tuple[str, str]]:
        for ref in self._catalog.block_index(run).blocks(start, end):
            lines = self._block(run, ref)
            for line in lines[bisect_left(lines, start) : bisect_left(lines, end)]:
                yield line, run

    def _block(self, run: str, ref: BlockRef) -> list[str]:
        place = (run, ref.offset)
        if place in self._blocks:
            self._blocks.move_to_end(place)
            return self._blocks[place]
        data = self._store.get_range(keys.run_key(run, keys.CDX), ref.offset, ref.length)
        lines = decode_block(data)
        self._blocks[place] = lines
        if len(self._blocks) > _KEPT_BLOCKS:
            self._blocks.popitem(last=False)
        return lines


def _by_key_time_run(entry: tuple[str, str]) -> tuple[str, str, str]:
    line, run = entry
    key, timestamp, _ = line.split(" ", 2)
    return key, timestamp, run
