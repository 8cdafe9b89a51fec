"""The archive for requests that come at any time: runs committed meanwhile are seen within seconds."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import closing
from pathlib import Path

from archive.archive import Archive
from archive.search import Hit, SearchIndex

_log = logging.getLogger("onrecord.web")

_FRESH = 5.0  # seconds
_LISTED = 60.0  # seconds
_HITS = 50


class Reader:
    """One archive for many threads."""

    def __init__(self, archive: Archive, words: Path | None = None) -> None:
        self._archive = archive
        self._words = words
        self._lock = threading.Lock()
        self._looked = time.monotonic()
        self._runs: list[str] | None = None
        self._runs_listed = 0.0

    @property
    def archive(self) -> Archive:
        """The archive, with the runs of a few seconds ago at the latest."""
        with self._lock:
            if time.monotonic() - self._looked > _FRESH:
                self._archive.refresh()
                self._looked = time.monotonic()
        return self._archive

    def search(self, question: str) -> list[Hit]:
        """Texts that hold words, the best first; raises SearchUnavailable, StoreError."""
        archive = self.archive
        with closing(SearchIndex(self._words, archive.documents_of)) as index:  # a connection is one thread's
            for fault in index.refresh(self._listed(archive)):
                _log.warning("%s", fault)
            return list(index.search(question, limit=_HITS))

    def _listed(self, archive: Archive) -> list[str]:
        """All runs, as they were within the minute: a bucket of many is slow to list."""
        with self._lock:
            if self._runs is None or time.monotonic() - self._runs_listed > _LISTED:
                self._runs, self._runs_listed = archive.catalog.runs(), time.monotonic()
            return self._runs
