"""The archive for requests that come at any time: runs committed meanwhile are seen within seconds."""

from __future__ import annotations

import threading
import time

from archive.archive import Archive

_FRESH = 5.0  # seconds


class Reader:
    """One archive for many threads."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
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
