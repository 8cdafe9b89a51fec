"""The whole story of an alert, for the command that captures: kept first, then sent, and no error leaves."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from archive.times import now
from pipeline.alerts.channel import Channel
from pipeline.alerts.event import Event
from pipeline.alerts.limits import Flushed
from pipeline.alerts.outbox import Outbox, OutboxError

_log = logging.getLogger("onrecord.alerts")


@dataclass(frozen=True, slots=True)
class Notified:
    """`kept`: the events are in the outbox and need not be handed over again. `flushed`: what was sent, what waits."""

    kept: bool
    flushed: Flushed


def notify(
    events: Sequence[Event],
    channels: Sequence[Channel],
    folder: Path,
    clock: Callable[[], datetime] = now,
) -> Notified:
    """Keep the events in the outbox in `folder`, then send what is due; call it without events to send what waited.

    Never raises. Hand the same events over as often as you like: each is sent once.
    """
    outbox = Outbox(folder, clock=clock)
    kept = True
    try:
        outbox.add(events)
    except OutboxError as error:
        _log.error("%s; %d alerts are not sent", error, len(events))
        kept = False
    return Notified(kept, outbox.flush(channels))
