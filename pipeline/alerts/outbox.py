"""Where events wait until they are sent: added durably before anything is sent, each sent once to each channel.

One SQLite file in a folder of this machine. An event is known by its id for as long as KNOWN, so adding it again does
nothing. What cannot be sent waits for the next invocation, longer after each failure, and is given up after GIVE_UP. A
message whose fate is not known (its server fell silent, the sender was killed) is sent again with the same events and
the same id, by which a receiver can tell; no protocol does better.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from archive.times import now
from pipeline.alerts.channel import Channel
from pipeline.alerts.delivery import Delivery
from pipeline.alerts.event import Event
from pipeline.alerts.limits import Flushed
from storage.errors import OnrecordError
from storage.private import private_file, private_folder

_log = logging.getLogger("onrecord.alerts")

_PATIENCE = 30.0  # seconds that one process waits for another that sends
_BUSY = 30.0  # seconds that a write waits for another
_SCHEMA = """
CREATE TABLE IF NOT EXISTS events(
  id TEXT PRIMARY KEY, body TEXT NOT NULL, added REAL NOT NULL, routed INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deliveries(
  event TEXT NOT NULL, channel TEXT NOT NULL, added REAL NOT NULL, due REAL NOT NULL,
  batch TEXT, attempts INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(channel, event)) WITHOUT ROWID;
"""


class OutboxError(OnrecordError):
    """The outbox cannot be written; its text says why."""

    exit_code = 2


class Outbox:
    """The outbox in a folder, which is made when it is needed."""

    def __init__(self, folder: Path, *, clock: Callable[[], datetime] = now) -> None:
        self.folder = folder
        self._clock = clock

    def add(self, events: Sequence[Event]) -> int:
        """Keep events until they are sent; how many of them are new. Durable once this returns; raises OutboxError."""
        if not events:
            return 0
        added = self._clock().timestamp()
        rows = [(event.id, event.encoded(), added) for event in events]
        with self._opened() as database, database:
            before = database.total_changes
            database.executemany("INSERT OR IGNORE INTO events(id, body, added) VALUES (?, ?, ?)", rows)
            return database.total_changes - before

    def flush(
        self,
        channels: Sequence[Channel],
        clock: Callable[[], datetime] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Flushed:
        """Send what is due to every channel; never raises. While another process sends, wait for it a while."""
        try:
            if not self.folder.exists():
                return Flushed()
            with self._alone(sleep) as alone:
                if not alone:
                    return Flushed(waiting=self.waiting(), errors=("another process is sending",))
                with self._opened() as database:
                    return Delivery(database, clock or self._clock, sleep).flush(channels)
        except (OnrecordError, OSError, sqlite3.Error) as error:
            _log.error("alerts wait: %s", error)
            return Flushed(errors=(str(error),))

    def waiting(self) -> int:
        """Events that are not sent yet, counted once a channel; raises OutboxError."""
        if not (self.folder / "outbox.db").exists():
            return 0
        with self._opened() as database:
            (count,) = database.execute(
                "SELECT (SELECT count(*) FROM deliveries) + (SELECT count(*) FROM events WHERE routed = 0)"
            ).fetchone()
        return int(count)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            private_folder(self.folder)
            with closing(self._database()) as database:
                yield database
        except (OSError, sqlite3.Error) as error:
            raise OutboxError(f"the outbox in {self.folder} cannot be used: {error}") from error

    def _database(self) -> sqlite3.Connection:
        try:
            return _connected(self.folder / "outbox.db")
        except sqlite3.OperationalError:  # locked, or the disk is full: nothing is wrong with the file
            raise
        except sqlite3.DatabaseError as error:
            moment = self._clock().astimezone(UTC).strftime("%Y%m%d%H%M%S")
            aside = self.folder / f"outbox.db.unreadable-{moment}-{secrets.token_hex(2)}"
            (self.folder / "outbox.db").rename(aside)
            _log.error("the outbox could not be read (%s); it is kept as %s, and a new one is begun", error, aside)
            return _connected(self.folder / "outbox.db")

    @contextmanager
    def _alone(self, sleep: Callable[[float], None]) -> Iterator[bool]:
        """Whether this process is the only one that sends; the lock ends with its holder, however that ends."""
        descriptor = os.open(self.folder / "sending.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            end = time.monotonic() + _PATIENCE
            while not (mine := _locked(descriptor)) and time.monotonic() < end:
                sleep(0.1)
            yield mine
        finally:
            os.close(descriptor)


def _connected(path: Path) -> sqlite3.Connection:
    private_file(path)
    database = sqlite3.connect(path, timeout=_BUSY, isolation_level="IMMEDIATE")
    try:
        database.execute("PRAGMA synchronous = EXTRA")  # with FULL a power cut may undo the last commit
        database.executescript(_SCHEMA)
    except BaseException:
        database.close()
        raise
    return database


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
