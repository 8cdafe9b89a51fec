"""Captures that wait for a second copy elsewhere, and what became known of each: one SQLite file of this machine."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from archive.model import Outcome
from archive.times import from_iso, now
from storage.errors import OnrecordError
from storage.private import private_file, private_folder

GIVE_UP = timedelta(days=30)  # after a capture was to be copied
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=2), timedelta(hours=6)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS copies(
  id TEXT PRIMARY KEY, archive TEXT NOT NULL, url TEXT NOT NULL, record TEXT NOT NULL, at INTEGER NOT NULL,
  added INTEGER NOT NULL, due INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, job TEXT, found TEXT,
  detail TEXT NOT NULL) WITHOUT ROWID;
"""


class CopyState(StrEnum):
    """How far a second copy is."""

    WAITING = "waiting"  # to be asked for
    ASKED = "asked"  # the other archive works on it
    SAVED = "saved"  # read back: the same bytes or the same text
    DIFFERS = "differs"  # read back: another text than ours
    FAILED = "failed"
    REFUSED = "refused"  # by us: nothing was sent


OPEN = (CopyState.WAITING, CopyState.ASKED)


class CopiesError(OnrecordError):
    """The list of second copies cannot be used; its text says why."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Copy:
    """A second copy of a capture: of which, in which archive, how far it is, where it is, and one line of detail."""

    id: str
    archive: str
    url: str
    record_id: str
    at: datetime
    added: datetime
    due: datetime
    state: CopyState = CopyState.WAITING
    attempts: int = 0
    job: str | None = None
    found: str | None = None
    detail: str = ""

    @classmethod
    def of(cls, outcome: Outcome, archive: str) -> Copy:
        """Return the copy that is wanted of the page of an outcome."""
        url, record = outcome.final_url or outcome.url, outcome.record_id or ""
        name = hashlib.sha256(f"{archive}\0{url}\0{record}".encode("utf-8", "replace")).hexdigest()
        return cls(name, archive, url, record, from_iso(outcome.timestamp), now(), now())

    def later(self, why: str, wait: timedelta | None = None) -> Copy:
        """Return the copy as it is after a try that failed: tried again later, or given up after 30 days."""
        if now() - self.added > GIVE_UP:
            return self.ended(CopyState.FAILED, f"given up after {GIVE_UP.days} days: {why}")
        pause = wait or min(_FIRST_WAIT * 2 ** min(self.attempts, 10), _LONGEST_WAIT)
        return replace(self, due=now() + pause, attempts=self.attempts + 1, detail=why)

    def ended(self, state: CopyState, detail: str, found: str | None = None) -> Copy:
        """Return the copy in a state that is final."""
        return replace(self, state=state, detail=detail, found=found or self.found, job=None)


class Copies:
    """The list in a folder, which is made when it is needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, copies: Iterable[Copy]) -> None:
        """Keep copies that are wanted, each once; durable when this returns. Raises CopiesError."""
        with self._opened() as database, database:
            database.executemany(
                "INSERT OR IGNORE INTO copies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [_row(each) for each in copies],
            )

    def keep(self, copy: Copy) -> None:
        """Keep what became known of a copy; raises CopiesError."""
        with self._opened() as database, database:
            database.execute("INSERT OR REPLACE INTO copies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _row(copy))

    def due(self) -> list[Copy]:
        """Return the copies whose next step is due, those that wait longest first; raises CopiesError."""
        query = "SELECT * FROM copies WHERE state IN (?, ?) AND due <= ? ORDER BY due, id"
        return self._found(query, (*OPEN, int(now().timestamp())))

    def all(self) -> list[Copy]:
        """Return all copies, the newest first; raises CopiesError."""
        return self._found("SELECT * FROM copies ORDER BY added DESC, url, id", ())

    def counts(self) -> dict[str, int]:
        """Return how many copies there are in each state; raises CopiesError."""
        if not self._path.exists():
            return {}
        with self._opened() as database:
            rows = database.execute("SELECT state, count(*) FROM copies GROUP BY state ORDER BY state").fetchall()
        return dict(rows)

    @property
    def _path(self) -> Path:
        return self.folder / "copies.db"

    def _found(self, query: str, values: tuple[object, ...]) -> list[Copy]:
        if not self._path.exists():
            return []
        with self._opened() as database:
            return [_copy(row) for row in database.execute(query, values)]

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            private_folder(self.folder)
            private_file(self._path)
            with closing(sqlite3.connect(self._path, timeout=30, isolation_level="IMMEDIATE")) as database:
                database.execute("PRAGMA synchronous = EXTRA")
                database.executescript(_SCHEMA)
                yield database
        except (OSError, sqlite3.Error) as error:
            raise CopiesError(f"the list of second copies {self._path} cannot be used: {error}") from error


def _row(copy: Copy) -> tuple[object, ...]:
    times = (int(each.timestamp()) for each in (copy.at, copy.added, copy.due))
    state = (str(copy.state), copy.attempts, copy.job, copy.found, copy.detail[:500])
    return (copy.id, copy.archive, copy.url, copy.record_id, *times, *state)


def _copy(row: tuple[Any, ...]) -> Copy:
    name, archive, url, record, *times, state, attempts, job, found, detail = row
    at, added, due = (datetime.fromtimestamp(each, UTC) for each in times)
    return Copy(name, archive, url, record, at, added, due, CopyState(state), attempts, job, found, detail)
