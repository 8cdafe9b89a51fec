"""Which capture is the newest, where a clock was wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from archive.model import Snapshot
from archive.times import now

AHEAD = timedelta(hours=1)  # by which a time may lie after the present: clocks of machines differ

_ACCURACY = timedelta(seconds=5)  # of a true time: it is made of two that are known to the second


def newest_first(found: Iterator[Snapshot], present: Callable[[], datetime]) -> Iterator[Snapshot]:
    """Order snapshots, newest first by their own times, by when they were made as far as that is known.

    One whose clock is known to have been ahead comes at its true time. One that is dated after the present comes last:
    nobody knows when it was made. `present` is asked only where that matters.
    """
    at: datetime | None = None
    held: list[Snapshot] = []
    unknown: list[Snapshot] = []
    for snapshot in found:
        while held and held[0].true_time > snapshot.timestamp + _ACCURACY:
            yield held.pop(0)
        if snapshot.true_time > now() + AHEAD or (at and snapshot.true_time > at + AHEAD):
            at = at or present()
            if snapshot.true_time > at + AHEAD:
                unknown.append(snapshot)
                continue
        if snapshot.ahead > 0:
            held.append(snapshot)
            held.sort(key=lambda each: each.true_time, reverse=True)
        else:
            yield snapshot
    yield from held
    yield from unknown
