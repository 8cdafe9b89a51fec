"""How far this machine's clock was off, by the clock of the store: a note in a run's manifest, and in its index.

Times stay as they were written. The clock when the run began is known from the time that has passed since, which the
system counts whatever the clock is set to, as long as it was not started anew in between.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from archive import object_keys
from archive.model import Manifest
from archive.times import is_rehearsed, iso, now
from storage.base import ObjectStore
from storage.errors import StoreError

NOTED = timedelta(minutes=1)  # a smaller difference is not noted
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_SINCE = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@dataclass(frozen=True, slots=True)
class ClockNote:
    """The store's time when a run ended, and how far the machine's clock was ahead of it then and at the run's start.

    Negative where it was behind.
    """

    store: datetime
    ahead: timedelta
    ahead_at_start: timedelta

    def fields(self) -> dict[str, object]:
        """Return what the manifest says: times in ISO 8601, differences in seconds."""
        return {
            "store": iso(self.store),
            "ahead": round(self.ahead.total_seconds()),
            "ahead_at_start": round(self.ahead_at_start.total_seconds()),
        }


@dataclass(slots=True, eq=False)
class StoreClock:
    """The store's time, asked once and counted on from there. Safe for several threads."""

    _store: ObjectStore
    _ahead: timedelta | None = None  # of this machine

    def now(self) -> datetime:
        """Return the present moment by the store's clock, by this machine's where the store cannot say it now."""
        if is_rehearsed():
            return now()
        if self._ahead is None:
            try:
                self._ahead = now() - self._store.now()
            except StoreError:  # out of reach, or not to be written to
                return now()
        return now() - self._ahead


def ahead_of(store: ObjectStore, found: Manifest) -> timedelta:
    """Return how far the clock that dated a run was ahead, by its note, or by when its manifest was put.

    A run that notes nothing and is dated after it was put was dated by a wrong clock. Raises StoreError.
    """
    if found.ahead_at_start or is_rehearsed():
        return found.ahead_at_start
    info = store.head(object_keys.run_key(found.run, object_keys.MANIFEST))
    late = found.created - info.modified if info is not None and info.modified is not None else timedelta()
    return noted_of(store, found.run) or (late if late > NOTED else timedelta())


def noted_of(store: ObjectStore, run: str) -> timedelta:
    """Return how far the clock that dated a run was ahead, by a note beside it; raises StoreError."""
    for info in store.list(object_keys.clock_key(run, "")):
        if parts := object_keys.split_clock_key(info.key):
            return timedelta(seconds=parts[1])
    return timedelta()


def note_put(store: ObjectStore, found: Manifest, put: datetime | None) -> None:
    """Note how far a run's clock was ahead that is dated after it was put, and notes nothing of it; raises StoreError.

    Once that date has come, nothing else tells in a lookup that the run is older than it says.
    """
    if put is not None and found.created - put > NOTED and not found.ahead_at_start and not is_rehearsed():
        note_beside(store, store, found)


def note_beside(source: ObjectStore, target: ObjectStore, found: Manifest) -> None:
    """Keep what is known of a run's clock where its manifest is about to be put anew, which hides when it first was.

    Raises StoreError.
    """
    if found.ahead_at_start or is_rehearsed():
        return
    ahead = ahead_of(source, found)
    if ahead > NOTED and not noted_of(target, found.run):
        target.put(object_keys.clock_key(found.run, round(ahead.total_seconds())), b"")


def mark() -> dict[str, object]:
    """Return what the system's own count says now, to be kept with a run's start."""
    try:
        boot = _BOOT.read_text("ascii").strip()
    except (OSError, ValueError):
        boot = ""
    return {"boot": boot, "seconds": time.clock_gettime(_SINCE)}


def measured(store: ObjectStore, started: datetime, begun: Mapping[str, Any]) -> ClockNote | None:
    """Return how far the clock is, and was, off; None where it is right, as far as that can be known.

    `begun` is the `mark` of the run's start, or empty. Raises StoreError.
    """
    if is_rehearsed():
        return None
    present, of_store, here = now(), store.now(), mark()
    ahead = present - of_store
    if here["boot"] and begun.get("boot") == here["boot"]:
        passed = timedelta(seconds=float(str(here["seconds"])) - float(begun["seconds"]))
        at_start = started - (of_store - passed)
    else:  # a time that has not come yet is wrong, and by that much at least
        at_start = max(ahead, started - of_store)
    if max(abs(ahead), abs(at_start)) <= NOTED:
        return None
    return ClockNote(of_store, ahead, at_start)


def clock_note(ahead: timedelta) -> str:
    """Say how far the clock that dated a run was off."""
    seconds = abs(round(ahead.total_seconds()))
    return f"its times are {seconds:,} s {'ahead of' if ahead > timedelta() else 'behind'} the store's clock"
