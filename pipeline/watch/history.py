"""The ledger: what all runs of a store together say of each page and each source, in a file of this machine.

It is a cache. Every line of it comes from the outcomes that committed runs hold, in whichever order they are read, so
that a machine that has lost it, or a second machine, comes to the same. An observation that says nothing new replaces
the one before it: a page that was looked at a thousand times takes a few lines.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archive.archive import Reader, UnguardedReader
from archive.errors import ArchiveError
from archive.formats import untracked
from archive.states import Availability, Certainty, State, Transition, follow
from archive.times import stamp
from pipeline.watch.history_tables import Fate, connected, forget, observations_of, time_of
from pipeline.watch.history_update import fold
from storage.errors import ObjectMissing, StoreError
from storage.private import make_usable, private_folder

_NO_TIME = datetime.max.replace(tzinfo=UTC)  # when a run whose name holds no time was begun
_log = logging.getLogger("onrecord.watch")

_LATE = timedelta(days=2)  # after its start a run is mostly committed; later ones are looked for once a day
_LOOK_BACK = timedelta(days=1)
_AHEAD = timedelta(hours=1)  # by which another machine's clock may differ; a run further on was made by a wrong one


class LedgerUnusable(StoreError):
    """The ledger's file cannot be read or written now: the disk is full, say."""


class LedgerDamaged(StoreError):
    """The ledger's file is damaged; it was taken away, and is made again from the archive when it is next asked for."""


@dataclass(frozen=True, slots=True)
class Source:
    """The last attempt at a feed or a sitemap: how it ended, how many in a row failed, and since when."""

    at: datetime
    outcome: str
    detail: str
    failures: int
    failing: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """What is known of a page when it is planned: the last attempt, and whether something waits to be confirmed."""

    at: datetime
    state: State | None
    pending: int


class Ledger:
    """The ledger of one store. Not for use by two threads at once; two processes take turns."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def sync(self, archive: Reader) -> int:
        """Read the outcomes of the runs that are new here; how many there were. Raises StoreError.

        A run that is damaged is warned of, and looked at again the next time.
        """
        reader = archive.unguarded()  # what it keeps is told by way of `pipeline.watch.withheld`
        try:
            return self._synced(reader)
        except LedgerDamaged as error:
            _log.warning("%s", error)
            return self._synced(reader)

    def _synced(self, archive: UnguardedReader) -> int:
        read = 0
        with self.opened() as database:
            _forget_unless(database, archive.epoch())
            for run in self._unread(database, archive):
                try:
                    with database:
                        fold(database, archive, run)
                except (ArchiveError, ObjectMissing) as error:
                    _log.warning("what run %s says of its pages is not known: %s", run, error)
                else:
                    read += 1
        return read

    # Reading it

    def page(self, database: sqlite3.Connection, url: str) -> Page | None:
        """Return what is known of a page; None when it was never tried."""
        row = database.execute("SELECT at, state, pending FROM pages WHERE url = ?", (url,)).fetchone()
        return row and Page(time_of(row[0]), State(row[1]) if row[1] else None, row[2])

    def source(self, database: sqlite3.Connection, url: str) -> Source | None:
        """Return the last attempt at a feed or a sitemap, or at what it leads to where that failed.

        A page may name a feed.
        """
        columns = "SELECT at, outcome, detail, failures, failing, url FROM sources"
        row = database.execute(f"{columns} WHERE url = ?", (url,)).fetchone()
        if row is None:
            return None
        query = f"{columns} WHERE seed = ? AND at >= ? AND failures > 0 ORDER BY failures DESC LIMIT 1"
        beyond = database.execute(query, (url, row[0])).fetchone() if not row[3] else None
        at, outcome, detail, failures, failing, where = beyond or row
        detail = f"{where}: {detail}" if beyond else detail
        return Source(time_of(at), outcome, detail, failures, time_of(failing) if failing else None)

    def entries(self, database: sqlite3.Connection, source: str) -> Iterator[tuple[str, datetime, Page | None]]:
        """Yield the pages that a source led to: URL, when it was found, and what is known.

        None of one not reached yet.
        """
        query = """SELECT e.url, e.found, p.at, p.state, p.pending FROM entries e LEFT JOIN pages p ON p.url = e.url
          WHERE e.source = ? AND e.fate <> ?"""
        for url, found, at, state, pending in database.execute(query, (source, Fate.LEFT_OUT)):
            page = None if at is None else Page(time_of(at), State(state) if state else None, pending)
            yield url, time_of(found), page

    def sources_of(self, database: sqlite3.Connection, url: str) -> list[str]:
        """Return the sources that led to a page."""
        rows = database.execute("SELECT source FROM entries WHERE url = ? ORDER BY found, source", (url,))
        return [source for (source,) in rows]

    def fate(self, database: sqlite3.Connection, source: str, url: str, *, keep_tracking: bool = False) -> Fate | None:
        """Return what is known of an entry of a source; None of one that it did not show before.

        Unless `keep_tracking` is set, an entry is known that was shown with other tracking parameters.
        """
        query = "SELECT fate FROM entries WHERE source = ? AND url = ?"
        row = database.execute(query, (source, url)).fetchone()
        if row is None and not keep_tracking:
            query = "SELECT min(fate) FROM entries WHERE source = ? AND untracked = ? HAVING count(*) > 0"
            row = database.execute(query, (source, untracked(url))).fetchone()
        return row and Fate(row[0])

    def history(self, database: sqlite3.Connection, url: str) -> tuple[Availability, list[Transition]]:
        """Where a page stands, and all that became of it."""
        return follow(observations_of(database, url))

    def changed_since(self, database: sqlite3.Connection, start: datetime) -> list[str]:
        """Return the pages of which there is news since a time: those to ask for their history."""
        query = "SELECT DISTINCT url FROM observations WHERE news = 1 AND at >= ? ORDER BY url"
        return [url for (url,) in database.execute(query, (int(start.timestamp()),))]

    def looked_at_since(self, database: sqlite3.Connection, start: datetime) -> list[str]:
        """Return the pages that were captured since a time, whether that said anything new or not."""
        query = "SELECT DISTINCT url FROM observations WHERE at >= ? ORDER BY url"
        return [url for (url,) in database.execute(query, (int(start.timestamp()),))]

    def urls(
        self, database: sqlite3.Connection, *, states: tuple[State, ...] = (), waiting: bool = False
    ) -> Iterator[str]:
        """All pages, or those in one of the states, by URL; with `waiting`, those too that wait for a second look."""
        marks = ",".join("?" * len(states))
        where = f"WHERE state IN ({marks}){' OR pending > 0' if waiting else ''}" if states else ""
        query = f"SELECT url FROM pages {where} ORDER BY url"  # noqa: S608 - question marks only
        for (url,) in database.execute(query, states):
            yield url

    def counts(self, database: sqlite3.Connection) -> dict[str, int]:
        """Return how many pages there are in each state; one that waits for a second look is counted by that."""
        state = f"CASE WHEN pending > 0 THEN '{Certainty.PENDING}' ELSE coalesce(state, 'unknown') END"
        rows = database.execute(f"SELECT {state}, count(*) FROM pages GROUP BY 1 ORDER BY 1")  # noqa: S608 - our own words
        return dict(rows.fetchall())

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """Open the file; make it when it is missing, cannot be read, or is of another version.

        Raises LedgerDamaged for what fails while it is open, or LedgerUnusable where a later try may do.
        """
        try:
            private_folder(self.path.parent)
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error
        with closing(self._database()) as database:
            try:
                yield database
            except sqlite3.OperationalError as error:
                raise self._unusable(str(error)) from error
            except sqlite3.DatabaseError as error:
                self._take_away()
                raise LedgerDamaged(f"{self.path} is damaged ({error}); it is made again from the archive") from error

    def _database(self) -> sqlite3.Connection:
        try:
            return connected(self.path)
        except sqlite3.OperationalError as error:
            raise self._unusable(str(error)) from error
        except sqlite3.DatabaseError as error:
            _log.warning("%s cannot be read (%s); it is made again from the archive", self.path, error)
            self._take_away()
            return connected(self.path)

    def _unusable(self, why: str) -> LedgerUnusable:
        return LedgerUnusable(f"{self.path} cannot be used: {why}; {make_usable(self.path)}")

    def _take_away(self) -> None:
        for ending in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)

    # Making it

    def _unread(self, database: sqlite3.Connection, archive: Reader) -> list[str]:
        """Return committed runs that are not in the ledger, oldest first; none that a wrong clock dated after now."""
        present = archive.present()
        (newest,) = database.execute("SELECT max(run) FROM runs").fetchone()
        if newest and _true_start(archive, newest) > present + _AHEAD:
            _log.warning("%s was made while the clock was ahead; it is made again from the archive", self.path)
            newest = None
            with database:
                forget(database)
        row = database.execute("SELECT value FROM notes WHERE name = 'looked-back'").fetchone()
        start = ""
        if row and newest and 0 <= present.timestamp() - int(row[0]) < _LOOK_BACK.total_seconds():
            begin = stamp(min(_begun(newest), present) - _LATE)
            start = f"{begin[:8]}T{begin[8:]}Z"
        else:
            with database:
                seconds = str(int(present.timestamp()))
                database.execute("INSERT OR REPLACE INTO notes VALUES ('looked-back', ?)", (seconds,))
        found = set(archive.runs(start))
        known = {run for (run,) in database.execute("SELECT run FROM runs")}
        unread = sorted(found - known)
        ahead = [run for run in unread if _true_start(archive, run) > present + _AHEAD]
        if ahead and not start:  # looked at from the beginning: once a day
            said = "%d runs, %s the first, are dated after now and not heeded: a clock was wrong"
            _log.warning(said, len(ahead), ahead[0])
        return [run for run in unread if run not in ahead]

    # What was told

    def told(self, database: sqlite3.Connection, marks: tuple[str, ...]) -> bool:
        """Return whether an alert is known here as sent, by one of its marks, from any machine."""
        query = "SELECT 1 FROM told WHERE id = ?"
        return any(database.execute(query, (mark,)).fetchone() is not None for mark in marks)

    def tell(self, database: sqlite3.Connection, marks: tuple[str, ...]) -> None:
        """Know that an alert was sent."""
        with database:
            database.executemany("INSERT OR IGNORE INTO told VALUES (?)", [(mark,) for mark in marks])


def _forget_unless(database: sqlite3.Connection, epoch: str) -> None:
    """Begin anew where something was redacted since: titles stand here, and what was told stays told."""
    row = database.execute("SELECT value FROM notes WHERE name = 'redactions'").fetchone()
    if (row[0] if row else "") == epoch:
        return
    database.execute("PRAGMA secure_delete = ON")
    with database:
        forget(database)
        database.execute("INSERT INTO notes VALUES ('redactions', ?)", (epoch,))


def _true_start(archive: Reader, run: str) -> datetime:
    """Return when a run was begun, by the store's clock as far as its manifest notes that."""
    begun = _begun(run)
    if begun <= archive.present() or begun == _NO_TIME:
        return begun
    with suppress(ArchiveError, ObjectMissing):
        return begun - archive.ahead_of(run)
    return begun


def _begun(run: str) -> datetime:
    try:
        return datetime.strptime(run[:16], "%Y%m%dT%H%M%S%z").astimezone(UTC)
    except ValueError:  # digits that are no time: a stranger's
        return _NO_TIME
