"""One flush of the outbox: events shared out to channels, gathered into messages, sent, and what failed put off."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from pipeline.alerts.channel import Batch, Channel, batch_of
from pipeline.alerts.event import Event, decoded
from pipeline.alerts.limits import GIVE_UP, KNOWN, WAITING_LIMIT, Flushed
from pipeline.outbound.errors import DeliveryError

_log = logging.getLogger("onrecord.alerts")

PAUSES = (1.0, 4.0)  # seconds before the second and the third try of one flush
_FIRST_WAIT = 60.0  # seconds; doubled with each flush that failed
_LONGEST_WAIT = 6 * 3600.0
_LONGEST_DUE = timedelta(hours=25)  # a daily digest waits for no longer


class Delivery:
    """A flush under way; the caller holds the lock."""

    def __init__(
        self, database: sqlite3.Connection, clock: Callable[[], datetime], sleep: Callable[[float], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._sleep = sleep
        self._sent = 0
        self._errors: list[str] = []

    def flush(self, channels: Sequence[Channel]) -> Flushed:
        """Send what is due; one channel that fails keeps no other waiting."""
        self._share_out(channels)
        self._forget()
        for channel in channels:
            for batch, ids in self._batches(channel):
                if not self._delivered(channel, batch, ids):
                    break  # whatever is wrong with the channel is wrong for its other messages
        (waiting,) = self._database.execute("SELECT count(*) FROM deliveries").fetchone()
        return Flushed(self._sent, int(waiting), tuple(self._errors))

    def _share_out(self, channels: Sequence[Channel]) -> None:
        """Note for each new event which channels are to be told, and when."""
        with self._database as database:
            rows = database.execute("SELECT id, body, added FROM events WHERE routed = 0").fetchall()
            for identity, body, added in rows:
                event = _read(body)
                moment = datetime.fromtimestamp(added, UTC)
                told = [channel for channel in channels if event is not None and channel.rules.take(event)]
                database.executemany(
                    "INSERT OR IGNORE INTO deliveries(event, channel, added, due) VALUES (?, ?, ?, ?)",
                    [(identity, each.name, added, each.rules.due(moment).timestamp()) for each in told],
                )
            database.execute("UPDATE events SET routed = 1 WHERE routed = 0")

    def _forget(self) -> None:
        """Give up what is too old or too much, drop the texts of what is sent, and old ids."""
        present = self._clock()
        latest = (present + _LONGEST_DUE).timestamp()
        with self._database as database:
            # what is due later than that was put off while the clock was ahead
            database.execute("UPDATE deliveries SET due = ? WHERE due > ?", (present.timestamp(), latest))
            old = database.execute("DELETE FROM deliveries WHERE added < ?", (_before(present, GIVE_UP),)).rowcount
            many = database.execute(
                "DELETE FROM deliveries WHERE (channel, event) IN "
                "(SELECT channel, event FROM deliveries ORDER BY added DESC, event LIMIT -1 OFFSET ?)",
                (WAITING_LIMIT,),
            ).rowcount
            database.execute(
                "UPDATE events SET body = '' WHERE body <> '' AND id NOT IN (SELECT event FROM deliveries)"
            )
            database.execute("DELETE FROM events WHERE body = '' AND added < ?", (_before(present, KNOWN),))
        if old or many:
            _log.error("%d alerts could not be sent for too long and were dropped", old + many)

    def _batches(self, channel: Channel) -> list[tuple[Batch, list[str]]]:
        """Messages whose fate is unknown first, as they were; then what is due, in messages of the channel's size."""
        present = self._clock()
        rows = self._database.execute(
            "SELECT d.batch, e.id, e.body FROM deliveries d JOIN events e ON e.id = d.event "
            "WHERE d.channel = ? AND d.due <= ? ORDER BY d.batch IS NULL, d.batch, e.added, e.id",
            (channel.name, present.timestamp()),
        ).fetchall()
        fresh: list[tuple[str, Event]] = []
        begun: dict[str, list[tuple[str, Event]]] = {}
        for batch, identity, body in rows:
            event = _read(body)
            if event is not None:
                (fresh if batch is None else begun.setdefault(batch, [])).append((identity, event))
        made = [(Batch(batch, tuple(event for _, event in group), present), group) for batch, group in begun.items()]
        for start in range(0, len(fresh), channel.rules.size):
            group = fresh[start : start + channel.rules.size]
            made.append((batch_of(tuple(event for _, event in group), channel.name, present), group))
        return [(batch, [identity for identity, _ in group]) for batch, group in made]

    def _delivered(self, channel: Channel, batch: Batch, ids: list[str]) -> bool:
        keys = [(channel.name, identity) for identity in ids]
        again = self._database.execute("SELECT 1 FROM deliveries WHERE batch = ? LIMIT 1", (batch.id,)).fetchone()
        with self._database as database:  # if this process is killed now, the same message is sent again
            database.executemany(
                "UPDATE deliveries SET batch = ?, attempts = attempts + 1 WHERE channel = ? AND event = ?",
                [(batch.id, *key) for key in keys],
            )
        error = self._tried(channel, batch)
        if error is None:
            with self._database as database:
                database.executemany("DELETE FROM deliveries WHERE channel = ? AND event = ?", keys)
            self._sent += len(ids)
            return True
        error.uncertain |= again is not None
        self._put_off(channel, batch, error)
        self._errors.append(f"{channel.name}: {error}")
        _log.warning("%s: %s; %d alerts wait for the next invocation", channel.name, error, len(ids))
        return False

    def _tried(self, channel: Channel, batch: Batch) -> DeliveryError | None:
        """Send, again after a pause where that may help; a server that fell silent has had its time for now."""
        for pause in PAUSES:
            error = _failure(channel, batch)
            if error is None or error.permanent or error.uncertain:
                return error
            self._sleep(pause)
        return _failure(channel, batch)

    def _put_off(self, channel: Channel, batch: Batch, error: DeliveryError) -> None:
        """Set the time of the next try. What surely did not arrive may be gathered with newer events then."""
        (attempts,) = self._database.execute(
            "SELECT max(attempts) FROM deliveries WHERE channel = ? AND batch = ?", (channel.name, batch.id)
        ).fetchone()
        wait = max(min(_FIRST_WAIT * 2.0 ** min(int(attempts) - 1, 20), _LONGEST_WAIT), min(error.after, _LONGEST_WAIT))
        due = (self._clock() + timedelta(seconds=wait)).timestamp()
        kept = batch.id if error.uncertain else None
        with self._database as database:
            database.execute(
                "UPDATE deliveries SET due = ?, batch = ? WHERE channel = ? AND batch = ?",
                (due, kept, channel.name, batch.id),
            )


def _failure(channel: Channel, batch: Batch) -> DeliveryError | None:
    """Send once; what went wrong, if anything."""
    try:
        channel.sender.send(batch)
    except DeliveryError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a channel's bug must not end the capture that it tells of
        _log.debug("%s failed", channel.name, exc_info=True)
        return DeliveryError(f"failed with {type(error).__name__}", permanent=True, uncertain=True)
    return None


def _read(body: str) -> Event | None:
    try:
        return decoded(body)
    except ValueError:  # written by a newer version
        return None


def _before(present: datetime, span: timedelta) -> float:
    return (present - span).timestamp()
