"""What the archive holds, and what happened to its pages, as an assistant asks it."""

from __future__ import annotations

import threading
from itertools import islice
from pathlib import Path

from archive.statistics import HostStock, Stock, stock_of
from archive.times import iso
from pipeline.mcp.answers import moment
from pipeline.watch.edits import edit_of, edits_of
from pipeline.watch.history import Ledger
from pipeline.watch.report import away, entry_of
from pipeline.web.common.archive_reader import Reading


class Standing:
    """Counts of an archive, made again only when runs were added; for any thread.

    `ledger` is the file in which this machine keeps what happened to the pages.
    """

    def __init__(self, reading: Reading, ledger: Path) -> None:
        self._reading = reading
        self._ledger = Ledger(ledger)
        self._lock = threading.Lock()
        self._counted: tuple[object, Stock] | None = None

    def status(self, since: str | None, limit: int) -> dict[str, object]:
        """Return totals, hosts, the pages that are away and the edits since a time, so many of each at most.

        Raises BadQuestion, IntegrityError, StoreError, LedgerUnusable.
        """
        start = moment(since)
        with self._lock:
            archive = self._reading.fresh()
            archive.require()
            stock = self._stock()
            self._ledger.sync(archive)
            with self._ledger.opened() as database:
                gone = [entry_of(page) for page in islice(away(archive, self._ledger, database), limit + 1)]
                edits = edits_of(archive, self._ledger, database, start, None)
        return {
            "runs": stock.runs,
            "captures": stock.total.captures,
            "documents": stock.documents,
            "bytes": stock.warc_bytes + stock.index_bytes + stock.other_bytes,
            **_span(stock.total),
            "hosts": [{"host": each.host, "captures": each.captures, **_span(each)} for each in stock.hosts[:limit]],
            "more_hosts": max(len(stock.hosts) - limit, 0),
            "not_there": gone[:limit],
            "more_not_there": len(gone) > limit,
            "edits": [edit_of(each, None) for each in edits[:limit]],
            "more_edits": max(len(edits) - limit, 0),
        }

    def _stock(self) -> Stock:
        archive = self._reading.archive
        mark = (tuple(archive.runs()), archive.epoch())
        if self._counted is None or self._counted[0] != mark:
            self._counted = mark, stock_of(archive)
        return self._counted[1]


def _span(stock: HostStock) -> dict[str, object]:
    return {name: iso(time) for name, time in (("oldest", stock.oldest), ("newest", stock.newest)) if time}
