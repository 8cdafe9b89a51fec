"""How the state of a snapshot is shown: a word, a sign and a colour's name for what the judge says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from archive.model import Snapshot
from archive.states import Certainty, Judged, Name, PageState, SnapshotState
from archive.states import State as Availability
from pipeline.web.common.archive_reader import Reading


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
    judged: SnapshotState
    earlier: Snapshot | None = None


_LOOKS: dict[str, tuple[str, str]] = {
    Name.NEW: ("new", "●"),
    Name.BACK: ("new", "●"),
    Name.UNCHANGED: ("same", "○"),
    Name.NOT_COMPARED: ("same", "○"),
    Name.EDITED: ("changed", "◆"),
    Name.MOVED: ("moved", "→"),
    Name.WITHHELD: ("withheld", "▨"),
    Availability.OK: ("same", "○"),
    Availability.GONE: ("gone", "✕"),
    Availability.SOFT_404: ("gone", "✕"),
    Availability.UNREACHABLE: ("gone", "✕"),
}
_WALL = ("wall", "◐")


def shown_state(judged: Judged) -> State:
    """Return a judged snapshot's state as it is shown; its address and its status stand beside it."""
    state, snapshot = judged.state, judged.snapshot
    if state.name == Name.WITHHELD:
        return State("withheld", "▨", state.detail)
    beside = state.detail in {str(snapshot.status), snapshot.location}
    look = _LOOKS["edited"] if state.edited else _LOOKS.get(state.name, _WALL)
    return State(*look, (replace(state, detail="") if beside else state).words)


def shown_page(state: PageState) -> State:
    """Return where a page stands as it is shown."""
    words = state.short if state.certainty == Certainty.CERTAIN else state.words
    return State(*_LOOKS.get(state.name, _WALL), words)


def entries_of(reading: Reading, snapshots: Iterable[Snapshot]) -> list[Entry]:
    """Return snapshots of one key, oldest first, each with its state; `earlier` is what a comparison begins with."""
    found = []
    for judged in reading.judged(snapshots):
        earlier = judged.earlier if shows_a_text(judged.snapshot, judged.state) else None
        found.append(Entry(judged.snapshot, shown_state(judged), judged.state, earlier))
    return found


def shows_a_text(snapshot: Snapshot, state: SnapshotState) -> bool:
    """Return whether there is a text to read and compare: the page's own, not that of what stands in its place."""
    return snapshot.document is not None and state.shows_page


def texts_of(entries: Iterable[Entry]) -> list[Snapshot]:
    """Return the snapshots at which the text became another one, oldest first."""
    found: list[Snapshot] = []
    for entry in entries:
        other = entry.judged.name in {Name.NEW, Name.EDITED} or entry.judged.edited
        if shows_a_text(entry.snapshot, entry.judged) and (other or not found):
            found.append(entry.snapshot)
    return found
