"""What a snapshot is to its readers, in a word, a sign and a colour's name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from archive.model import TEXT_INCOMPLETE, Snapshot


@dataclass(frozen=True, slots=True)
class State:
    """`name` is the class that gives it its colour; sign and words say the same to those who see none."""

    name: str
    sign: str
    words: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A snapshot in a list, with its state, and the one before it that has another text."""

    snapshot: Snapshot
    state: State
    earlier: Snapshot | None = None


NEW = State("new", "●", "new")
UNCHANGED = State("same", "○", "unchanged")
CHANGED = State("changed", "◆", "changed")
_REDIRECT = State("moved", "→", "redirect")
_BY_AVAILABILITY = {
    "soft-404": State("gone", "✕", "says it is gone"),
    "parked-domain": State("gone", "✕", "parked domain"),
    "bot-wall": State("wall", "◐", "blocked: bot wall"),
    "empty-page": State("wall", "◐", "empty answer"),
    "needs-scripts": State("wall", "◐", "needs scripts"),
    "paywalled": State("wall", "◐", "paywalled"),
    "consent-wall": State("wall", "◐", "consent wall"),
    "login-wall": State("wall", "◐", "login wall"),
    TEXT_INCOMPLETE: State("wall", "◐", "text incomplete"),
}


def state_of(snapshot: Snapshot, earlier: Snapshot | None = None) -> State:
    """The state of a snapshot, given the last one before it that has a text."""
    if snapshot.withheld:
        return State("withheld", "▨", str(snapshot.withheld))
    if snapshot.availability:
        return _BY_AVAILABILITY.get(snapshot.availability) or State("wall", "◐", snapshot.availability)
    if snapshot.is_tombstone:
        words = {404: "not found", 410: "gone", 403: "refused", 451: "withheld for legal reasons"}
        other = "server error" if snapshot.status >= 500 else "error"
        return State("gone", "✕", words.get(snapshot.status, other))
    if snapshot.is_redirect:
        return _REDIRECT
    if snapshot.revisit or (earlier is not None and same_content(earlier, snapshot)):
        return UNCHANGED
    return CHANGED if earlier is not None else NEW


def same_content(one: Snapshot, other: Snapshot) -> bool:
    """Whether two snapshots have the same payload, or a text that was found to be the same."""
    return one.digest == other.digest or (one.document is not None and one.document == other.document)


def shows_a_text(snapshot: Snapshot) -> bool:
    """Whether there is a text to read and compare: the page's own, not that of a tombstone or a wall."""
    return snapshot.document is not None and not snapshot.is_tombstone and not snapshot.is_behind_wall


def entries_of(snapshots: Iterable[Snapshot]) -> list[Entry]:
    """Snapshots of one page, oldest first, each with its state; `earlier` is what a comparison begins with."""
    made: list[Entry] = []
    last: Snapshot | None = None  # that shows the page
    other: Snapshot | None = None  # the last whose text is not that of `last`
    for snapshot in snapshots:
        there = not snapshot.is_tombstone and not snapshot.is_redirect and not snapshot.is_behind_wall
        standing = there and not snapshot.withheld
        state = state_of(snapshot, last)
        if standing and last is not None and not same_content(last, snapshot) and shows_a_text(last):
            other = last
        made.append(Entry(snapshot, state, other if shows_a_text(snapshot) else None))
        last = snapshot if standing else last
    return made


def texts_of(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """The snapshots at which the text became another one, oldest first."""
    found: list[Snapshot] = []
    for snapshot in snapshots:
        if shows_a_text(snapshot) and not (found and same_content(found[-1], snapshot)):
            found.append(snapshot)
    return found
