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
_HITS = 50


class Reader:
    """One archive for many threads."""

    def __init__(self, archive: Archive, words: Path | None = None) -> None:
        self._archive = archive
        self._words = words
        self._lock = threading.Lock()
        self._looked = time.monotonic()

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
            for fault in index.refresh(archive.catalog.runs()):
                _log.warning("%s", fault)
            return list(index.search(question, limit=_HITS))
