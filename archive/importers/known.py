"""What the records of a file are compared with: captures of the file, and captures of the archive of the same id."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from archive.importers.captures import Refers
from archive.model import Snapshot

_HELD = 100_000  # captures of the archive that are held to be compared


@dataclass(slots=True)
class Known:
    """What the captures of a file are found by when a revisit refers to one."""

    by_id: dict[str, list[tuple[Snapshot, str | None]]] = field(default_factory=dict)
    by_place: dict[tuple[str, datetime], Snapshot] = field(default_factory=dict)
    by_digest: dict[str, Snapshot] = field(default_factory=dict)  # as the file writes it
    by_url: dict[str, list[Snapshot]] = field(default_factory=dict)  # in the order of their times

    def note(self, snapshot: Snapshot, digest: str | None) -> None:
        """Know a capture, and the digest that its record names."""
        self.by_id.setdefault(snapshot.record_id, []).append((snapshot, digest and digest.strip()))
        self.by_place.setdefault((snapshot.url, snapshot.timestamp), snapshot)
        if digest:
            self.by_digest.setdefault(digest.strip(), snapshot)
        self.note_seen(snapshot)

    def note_seen(self, snapshot: Snapshot) -> None:
        """Know a capture by its URL, as one that a later answer can say is unchanged."""
        if is_base(snapshot):
            insort(self.by_url.setdefault(snapshot.url, []), snapshot, key=_time)

    def before(self, url: str, at: datetime) -> Snapshot | None:
        """Return the newest capture of a URL up to a time that a 304 can confirm."""
        found = self.by_url.get(url, [])
        index = bisect_right(found, at, key=_time)
        return found[index - 1] if index else None

    def named(self, refers: Refers) -> Snapshot | None:
        """Return the capture whose id a revisit names; of several, the one with the payload that it names."""
        found = self.by_id.get(refers.record_id or "", [])
        if len(found) == 1:
            return found[0][0]
        wanted = (refers.digest or "").strip()
        return next((each for each, digest in found if digest == wanted), None)


def is_base(snapshot: Snapshot) -> bool:
    """Return whether a capture is one that a 304 can confirm: a page, or a page that was confirmed itself."""
    return 200 <= snapshot.status < 300 or (snapshot.status == 304 and snapshot.revisit)


def _time(snapshot: Snapshot) -> datetime:
    return snapshot.timestamp


class KeptCaptures:
    """The archive's captures of an id, a URL and a time; those of one URL and time are looked up once."""

    def __init__(self, captures_at: Callable[[str, datetime], Iterator[Snapshot]]) -> None:
        self._captures_at = captures_at
        self._held: dict[tuple[str, datetime], dict[str, list[Snapshot]]] = {}
        self._count = 0

    def like(self, snapshot: Snapshot) -> list[Snapshot]:
        """Return the captures with the id, URL and time of one, and redacted ones whose id had no room in the index.

        Raises IntegrityError, StoreError.
        """
        key = (snapshot.url, snapshot.timestamp)
        if key not in self._held:
            by_id: dict[str, list[Snapshot]] = {}
            for found in self._captures_at(*key):
                by_id.setdefault(found.record_id, []).append(found)
                self._count += 1
            if self._count > _HELD or len(self._held) > _HELD:
                self._held, self._count = {}, 0
            self._held[key] = by_id
        held = self._held[key]
        return held.get(snapshot.record_id, []) + [each for each in held.get("", []) if each.withheld]
