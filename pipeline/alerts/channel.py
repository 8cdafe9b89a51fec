"""What every channel is given and may answer.

`AlertSettingsError` (exit 2) is for settings that cannot be understood; `DeliveryError` never leaves this room.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from pipeline.alerts.event import Event
from storage.errors import OnrecordError


class AlertSettingsError(OnrecordError):
    """The table [alerts] cannot be understood."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Batch:
    """The events of one message. `id` stays the same when it is sent again, so a receiver can tell."""

    id: str
    events: tuple[Event, ...]
    created: datetime


class Sender(Protocol):
    """One way out."""

    def send(self, batch: Batch) -> None:
        """Send one message; raises DeliveryError."""

    def probe(self) -> None:
        """Try what can be tried without sending one; raises DeliveryError."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Which events a channel takes, and how they are gathered.

    Empty `kinds` and `tags` take all; `digest` is "each" (a message an event), "run" (what is there, in one) or "daily"
    (one a day at `digest_at`, minutes after midnight UTC). `limit` is the events of one message.
    """

    kinds: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    digest: str = "run"
    digest_at: int = 7 * 60
    limit: int = 1000

    def take(self, event: Event) -> bool:
        """Return whether this channel gets the event; a test goes to all."""
        if event.kind == "test":
            return True
        return (not self.kinds or event.kind in self.kinds) and (not self.tags or not self.tags.isdisjoint(event.tags))

    def due(self, moment: datetime) -> datetime:
        """When an event that came at `moment` is to be sent."""
        if self.digest != "daily":
            return moment
        hour, minute = divmod(self.digest_at, 60)
        today = moment.replace(hour=hour, minute=minute, second=0, microsecond=0)
        return today if today >= moment else today + timedelta(days=1)

    @property
    def size(self) -> int:
        """Events of one message."""
        return 1 if self.digest == "each" else self.limit


@dataclass(frozen=True, slots=True)
class Channel:
    """A way out under the name that the settings and the outbox know it by."""

    name: str
    sender: Sender
    rules: Rules = field(default_factory=Rules)


def batch_of(events: tuple[Event, ...], channel: str, created: datetime) -> Batch:
    """Return a message of these events for that channel."""
    parts = "\0".join((channel, *(event.id for event in events)))
    return Batch(hashlib.sha256(parts.encode()).hexdigest()[:32], events, created)
