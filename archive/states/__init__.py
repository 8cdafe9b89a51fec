"""What a snapshot shows and where its page stands: one judge, asked by every command, page, alert and export."""

from archive.states.availability import (
    Availability,
    Change,
    Observation,
    State,
    Transition,
    adds_nothing,
    awaited,
    follow,
    step,
)
from archive.states.judge import Judge
from archive.states.snapshot_state import (
    Certainty,
    Judged,
    Name,
    PageState,
    SnapshotState,
    compared_by,
    led_away,
    mark_of,
    may_be_splash,
    page_state,
    state_of,
    unmasked,
)

__all__ = [
    "Availability",
    "Certainty",
    "Change",
    "Judge",
    "Judged",
    "Name",
    "Observation",
    "PageState",
    "SnapshotState",
    "State",
    "Transition",
    "adds_nothing",
    "awaited",
    "compared_by",
    "follow",
    "led_away",
    "mark_of",
    "may_be_splash",
    "page_state",
    "state_of",
    "step",
    "unmasked",
]
