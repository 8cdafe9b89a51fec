"""Pictures of the pages of PDF captures: drawn by one bounded worker process, the last ones kept in memory.

A file of a stranger is opened in that process alone. What comes back is a PNG picture, or is not given out.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from archive.errors import EntityError, NoSuchSnapshot
from archive.model import Snapshot
from pipeline.extract.pdf.picture_task import SIGNATURE, PictureTask
from pipeline.extract.worker_pool import TaskFailure, WorkerPool
from pipeline.web.common.archive_reader import Reading

_DRAWN = "pipeline.extract.pdf.picture:drawn"
_TIME = 20.0  # seconds a page
_MEMORY = 800_000_000  # bytes
_LARGEST = 100_000_000  # bytes of a file
_HELD = 64 << 20  # bytes of pictures
_WIDTH = 1000  # pixels


class PagePictures:
    """Draws pages on demand. For use by any thread; no process is started before the first picture."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._pool: WorkerPool[bytes | None] = WorkerPool(_DRAWN, 1, time_limit=_TIME, memory_limit=_MEMORY)
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._size = 0

    def picture(self, snapshot: Snapshot, page: int) -> bytes:
        """Return a page, counted from 1, as PNG; raises NoSuchSnapshot without one, EntityError, as reading does."""
        key = (snapshot.digest, page)
        _, pieces = self._reading.body(snapshot, _LARGEST)  # also where the picture is held: it may be withheld by now
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        task = PictureTask(b"".join(pieces), page, _WIDTH)
        try:
            with self._lock:
                future = self._pool.submit(task)
            picture = future.result()
        except TaskFailure as failure:
            raise EntityError(f"page {page} cannot be drawn: {failure}") from failure
        if picture is None:
            raise NoSuchSnapshot(f"there is no page {page} that can be drawn")
        if not picture.startswith(SIGNATURE):
            raise EntityError(f"page {page} cannot be drawn: what was made of it is no picture")
        self._hold(key, picture)
        return picture

    def _hold(self, key: tuple[str, int], picture: bytes) -> None:
        with self._lock:
            self._size += len(picture) - len(self._held.pop(key, b""))
            self._held[key] = picture
            while self._size > _HELD and len(self._held) > 1:
                self._size -= len(self._held.popitem(last=False)[1])

    def close(self) -> None:
        """End the worker process."""
        self._pool.close()
