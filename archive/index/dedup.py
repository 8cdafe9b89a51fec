"""What is kept already: the captures that a new one is compared with."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from archive.digests import EMPTY
from archive.errors import ArchiveError
from archive.index.lookup import Index
from archive.index.order import newest_first
from archive.model import Digests, Exchange, Snapshot
from archive.times import now
from storage.errors import StoreError

_log = logging.getLogger("onrecord.archive")

_NOT_MODIFIED = 304


@dataclass(slots=True, eq=False)
class Earlier:
    """The captures of this run, by payload digest, and those of earlier runs, by URL.

    Safe for two threads. Without an index (a run that stores everything again) only this run is known.
    """

    _index: Index | None
    _present: Callable[[], datetime] = now
    _by_digest: dict[str, Snapshot] = field(default_factory=dict)
    _for_anybody: dict[str, Snapshot] = field(default_factory=dict)  # those that no session made
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, snapshot: Snapshot) -> None:
        """Know a capture of this run."""
        if not snapshot.truncated:
            self._by_digest.setdefault(snapshot.digest, snapshot)
            if not snapshot.session:
                self._for_anybody.setdefault(snapshot.digest, snapshot)

    def by_digest(self, digest: str) -> Snapshot | None:
        """Return the capture of this run that first brought a payload."""
        return self._by_digest.get(digest)

    def last(
        self, url: str, *, repeats: int | None = None, since: datetime | None = None, session: bool = False
    ) -> Snapshot | None:
        """Return the newest capture of a URL in earlier runs whose payload another one can repeat.

        One that was made with a session is passed over, unless `session` says that the new one is too.
        None where that capture is older than `since`, or `repeats` captures after it are answers "304 Not Modified".
        """
        not_modified = 0
        with self._lock:
            if self._index is None:
                return None
            try:
                for found in newest_first(self._index.newest(url), self._present):
                    if _repeatable(found) and (session or not found.session):
                        return found if since is None or found.true_time >= since else None
                    not_modified += found.status == _NOT_MODIFIED
                    if repeats is not None and not_modified >= repeats:
                        return None
            except (StoreError, ArchiveError) as error:
                _log.warning("earlier captures cannot be compared, so pages are stored whole: %s", error)
                self._index = None
        return None

    def repeated(self, exchange: Exchange, digests: Digests) -> Snapshot | None:
        """Return the capture whose payload an exchange repeats, if there is one."""
        if exchange.truncated or (digests.payload == EMPTY and exchange.status != 304):
            return None
        known = self._by_digest if exchange.session else self._for_anybody
        if exchange.status != 304 and digests.payload in known:
            return known[digests.payload]
        last = self.last(exchange.url, session=bool(exchange.session))
        return last if last and (exchange.status == 304 or last.digest == digests.payload) else None


def _repeatable(snapshot: Snapshot) -> bool:
    """Return whether a capture can be repeated: what another archive gave back says nothing of the server today."""
    return snapshot.recovered is None and not snapshot.truncated and snapshot.status < 300 and snapshot.digest != EMPTY
