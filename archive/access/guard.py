"""The gate that all reading goes through: what a store's notices say is not to be shown is not given out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from archive.access.rule_store import Notices
from archive.access.rules import Policy
from archive.checked_json import LARGEST
from archive.errors import Withheld
from archive.model import Kind, Snapshot, Withholding
from archive.times import iso

_SESSION = "it was made with a session; --include-sessions gives it out"
_KEPT_RANGES = 64  # runs whose ranges that may be given out are held

Ranges = Mapping[str, list[tuple[int, int]]]  # by object key, each a begin and an end, in order

# What is left out of a capture that is not to be shown: its address, its time and where it lies are told.
_UNTOLD: dict[str, Any] = {
    "title": None, "location": None, "document": None, "availability": None, "digest": "", "etag": None,
    "last_modified": None, "text": None, "truncated": None, "refers_to": None, "recovered": None,
    "request_body": None,
}  # fmt: skip


class Gate:
    """What an archive gives out.

    Withheld captures are listed, with the reason in `snapshot.withheld`; reading one raises Withheld.
    All that shows anything to anyone reads through here.
    """

    passes_rules: ClassVar[bool] = False  # what was redacted is withheld all the same
    hides_sessions = False  # whether captures that were made with a session are withheld too

    def __init__(self, notices: Notices) -> None:
        self.notices = notices
        self._epoch = ""
        self.sessions_hidden: set[str] = set()  # places of captures that were found and hidden so
        self._ranges: dict[str, tuple[object, Ranges | None]] = {}

    def epoch(self) -> str:
        """Return a word that is another one after every redaction. Raises IntegrityError, StoreError."""
        return self.notices.epoch_now()

    def forget(self) -> None:
        """Hold nothing that was read of the runs: something was taken out of them for good."""
        raise NotImplementedError

    def captures_of(self, run: str) -> Iterator[Snapshot]:
        """Every line of one run's index."""
        raise NotImplementedError

    # What is not to be shown

    def _policy(self) -> Policy:
        policy = self.notices.policy()
        if self.notices.epoch != self._epoch:
            self._epoch = self.notices.epoch
            self.forget()
        return policy.redactions_alone if self.passes_rules else policy

    @property
    def _withholds(self) -> bool:
        return self.hides_sessions or not self._policy().empty

    def withholding(self, snapshot: Snapshot) -> Withholding | None:
        """Why a capture is not to be shown; None where it may be. Raises IntegrityError, StoreError."""
        policy = self._policy()
        found = policy.at(snapshot.url, snapshot.timestamp, snapshot.record_id, snapshot.place)
        if found is None and (source := snapshot.refers_to):
            found = policy.at(source.url, source.timestamp, source.record_id, source.record.place)
        if found is None and self.hides_sessions and snapshot.session:
            self.sessions_hidden.add(snapshot.place)
            return Withholding(Kind.WITHHELD, _SESSION)
        return found

    def withholding_at(self, url: str, moment: datetime, record_id: str = "", place: str = "") -> Withholding | None:
        """Return why what was captured of a URL at a moment is not to be shown; None where it may be.

        See `Policy.at`. Raises IntegrityError, StoreError.
        """
        return self._policy().at(url, moment, record_id, place)

    def checked(self, snapshot: Snapshot) -> Snapshot:
        """Return a capture that may be read; raises Withheld."""
        found = snapshot.withheld or self.withholding(snapshot)
        if found is not None:
            raise Withheld(
                f"the capture of {snapshot.url} of {iso(snapshot.timestamp)} is {found}", found.kind, found.until
            )
        return snapshot

    def shown(self, snapshots: Iterable[Snapshot]) -> Iterator[Snapshot]:
        """Those that may be shown; raises Withheld at the end where there are others only."""
        withheld, none = None, True
        for snapshot in snapshots:
            if snapshot.withheld:
                withheld = withheld or snapshot
            else:
                none = False
                yield snapshot
        if withheld is not None and none:
            self.checked(withheld)

    def shown_mark(self) -> object:
        """Another one whenever other captures may be withheld. Raises IntegrityError, StoreError."""
        return self._policy().mark()

    def shown_ranges(self, run: str) -> Ranges | None:
        """Return the byte ranges of a run's WARC files that may be given out, by key: each a begin and an end.

        None where all of it may: no capture in the run is withheld. What no index names, requests and notes on
        captures, is left out with those: it tells of them. Raises IntegrityError, StoreError.
        """
        mark = self.shown_mark()
        held = self._ranges.get(run)
        if held is None or held[0] != mark:
            if len(self._ranges) >= _KEPT_RANGES:
                self._ranges.clear()
            held = self._ranges[run] = (mark, self._ranges_of(run) if self._withholds else None)
        return held[1]

    def may_give_out(self, run: str, key: str, start: int, end: int) -> bool:
        """Return whether bytes of one of a run's WARC files may be given out; raises IntegrityError, StoreError."""
        ranges = self.shown_ranges(run)
        if ranges is None:
            return True
        own = ranges.get(key, [])
        place = bisect_right(own, (start, LARGEST))
        return place > 0 and start >= own[place - 1][0] and end <= own[place - 1][1]

    def _ranges_of(self, run: str) -> Ranges | None:
        found: dict[str, list[tuple[int, int]]] = {}
        whole = True
        for snapshot in self.captures_of(run):
            if snapshot.run != run:
                continue
            record = snapshot.record
            if snapshot.withheld:
                whole = False
            else:
                found.setdefault(record.key, []).append((record.offset, record.offset + record.length))
        return None if whole else {key: sorted(ranges) for key, ranges in found.items()}

    def _marked(self, snapshots: Iterable[Snapshot]) -> Iterator[Snapshot]:
        """Yield captures; a withheld one has nothing that shows its content."""
        if not self._withholds:
            yield from snapshots
            return
        for snapshot in snapshots:
            found = self.withholding(snapshot)
            yield snapshot if found is None else replace(snapshot, withheld=found, **_UNTOLD)
