"""How long alerts are remembered and tried, how many may wait, and what one flush of the outbox did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

KNOWN = timedelta(days=400)  # how long an id is remembered once its event was sent
GIVE_UP = timedelta(days=30)  # how long an event is tried
WAITING_LIMIT = 10_000  # events that wait for a channel; beyond it the oldest are dropped


@dataclass(frozen=True, slots=True)
class Flushed:
    """What a flush did: events sent and events that still wait, counted once a channel, and what stood in the way."""

    sent: int = 0
    waiting: int = 0
    errors: tuple[str, ...] = ()
