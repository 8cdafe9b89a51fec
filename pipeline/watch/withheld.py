"""What the ledger may tell of a page: of captures that are withheld, when they were made, and no word of theirs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import replace

from archive.archive import Reader
from archive.states import Availability, Observation, Transition
from pipeline.watch.history import Ledger


def shown_history(
    archive: Reader, ledger: Ledger, database: sqlite3.Connection, url: str
) -> tuple[Availability, list[Transition]]:
    """Where a page stands, and all that became of it, as it may be shown; raises IntegrityError, StoreError."""
    return shown_of(archive, *ledger.history(database, url))


def shown_of(
    archive: Reader, now: Availability, transitions: Iterable[Transition]
) -> tuple[Availability, list[Transition]]:
    """Return a history without a word of withheld captures."""

    def shown(seen: Observation) -> Observation:
        record, place = seen.record_id or "", _place(archive, seen)
        found = archive.withholding_at(seen.url, seen.at, record, place)
        if seen.final and not found:  # where its address leads may be withheld alone
            found = archive.withholding_at(seen.final, seen.at, record, place)
        return replace(seen, title=None, final=None, detail=str(found)) if found else seen

    return (
        replace(
            now,
            good=now.good and shown(now.good),
            last=now.last and shown(now.last),
            pending=tuple(map(shown, now.pending)),
        ),
        [
            replace(each, earlier=shown(each.earlier), later=shown(each.later), last=shown(each.last))
            for each in transitions
        ],
    )


def _place(archive: Reader, seen: Observation) -> str:
    """Return the place of an observation's capture; "" if it is not known, or several captures have its id."""
    if not seen.record_id or not archive.withholding_at(seen.url, seen.at, seen.record_id):
        return ""
    found = archive.snapshots(seen.final or seen.url, start=seen.at, end=seen.at)
    places = {each.place for each in found if each.record_id == seen.record_id}
    return places.pop() if len(places) == 1 else ""
