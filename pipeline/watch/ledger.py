"""The ledger: what all runs of a store together say of each page and each source, in a file of this machine.

It is a cache. Every line of it comes from the outcomes that committed runs hold, in whichever order they are read, so
that a machine that has lost it, or a second machine, comes to the same. An observation that says nothing new replaces
the one before it: a page that was looked at a thousand times takes a few lines.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from archive import keys
from archive.archive import Archive
from archive.availability import Availability, Observation, State, Transition, adds_nothing, follow, step
from archive.digests import digest_of_stream
from archive.errors import ArchiveError, IntegrityError
from archive.model import SKIPPED
from archive.parsing import parsed_object
from archive.text import whole_lines
from archive.times import now, stamp
from pipeline.watch.observe import observed
from storage.errors import ObjectMissing, StoreError

_log = logging.getLogger("onrecord.watch")

_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs(run TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS observations(
  url TEXT NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL, text TEXT, record TEXT, detail TEXT NOT NULL,
  title TEXT, digest TEXT, words INTEGER, news INTEGER NOT NULL, PRIMARY KEY(url, at)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS news ON observations(at) WHERE news = 1;
CREATE TABLE IF NOT EXISTS pages(
  url TEXT PRIMARY KEY, at INTEGER NOT NULL, state TEXT, since INTEGER, pending INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sources(
  url TEXT PRIMARY KEY, at INTEGER NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL, failures INTEGER NOT NULL,
  failing INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries(
  source TEXT NOT NULL, url TEXT NOT NULL, found INTEGER NOT NULL, PRIMARY KEY(source, url)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sources_of ON entries(url);
CREATE TABLE IF NOT EXISTS told(id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_BUSY = 60.0  # seconds that one process waits for another
_LATE = timedelta(days=2)  # after its start a run is mostly committed; later ones are looked for once a day
_LOOK_BACK = timedelta(days=1)
_SHORT = 0.35  # share of the good text's words below which a text may be a splash page
_FEWEST = 60  # words of a good text that can be told from a splash page
_COMMON = 0.3  # share of a splash page's words that may stand in the good text too


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

    def sync(self, archive: Archive) -> int:
        """Read the outcomes of the runs that are new here; how many there were. Raises StoreError.

        A run that is damaged is warned of, and looked at again the next time.
        """
        archive = archive.unrestricted()  # what it keeps is told by way of `pipeline.watch.shown`
        read = 0
        with self.opened() as database:
            for run in self._unread(database, archive):
                try:
                    with database:
                        self._fold(database, archive, run)
                except (ArchiveError, ObjectMissing) as error:
                    _log.warning("what run %s says of its pages is not known: %s", run, error)
                else:
                    read += 1
        return read

    # Reading it

    def page(self, database: sqlite3.Connection, url: str) -> Page | None:
        """What is known of a page; None when it was never tried."""
        row = database.execute("SELECT at, state, pending FROM pages WHERE url = ?", (url,)).fetchone()
        return row and Page(_time(row[0]), State(row[1]) if row[1] else None, row[2])

    def source(self, database: sqlite3.Connection, url: str) -> Source | None:
        """The last attempt at a feed or a sitemap."""
        row = database.execute("SELECT * FROM sources WHERE url = ?", (url,)).fetchone()
        return row and Source(_time(row[1]), row[2], row[3], row[4], _time(row[5]) if row[5] else None)

    def entries(self, database: sqlite3.Connection, source: str) -> Iterator[tuple[str, datetime, Page]]:
        """The pages that a source led to: URL, when it was found, and what is known."""
        query = """SELECT e.url, e.found, p.at, p.state, p.pending FROM entries e JOIN pages p ON p.url = e.url
          WHERE e.source = ?"""
        for url, found, at, state, pending in database.execute(query, (source,)):
            yield url, _time(found), Page(_time(at), State(state) if state else None, pending)

    def sources_of(self, database: sqlite3.Connection, url: str) -> list[str]:
        """The sources that led to a page."""
        rows = database.execute("SELECT source FROM entries WHERE url = ? ORDER BY found, source", (url,))
        return [source for (source,) in rows]

    def knows(self, database: sqlite3.Connection, source: str, url: str) -> bool:
        """Whether a source led to a page before."""
        row = database.execute("SELECT 1 FROM entries WHERE source = ? AND url = ?", (source, url)).fetchone()
        return row is not None

    def history(self, database: sqlite3.Connection, url: str) -> tuple[Availability, list[Transition]]:
        """Where a page stands, and all that became of it."""
        return follow(self._observations(database, url))

    def changed_since(self, database: sqlite3.Connection, start: datetime) -> list[str]:
        """The pages of which there is news since a time: those to ask for their history."""
        query = "SELECT DISTINCT url FROM observations WHERE news = 1 AND at >= ? ORDER BY url"
        return [url for (url,) in database.execute(query, (int(start.timestamp()),))]

    def urls(self, database: sqlite3.Connection, *, states: tuple[State, ...] = ()) -> Iterator[str]:
        """All pages, or those in one of the states, by URL."""
        marks = ",".join("?" * len(states))
        query = f"SELECT url FROM pages {f'WHERE state IN ({marks})' if states else ''} ORDER BY url"  # noqa: S608 - question marks only
        for (url,) in database.execute(query, states):
            yield url

    def counts(self, database: sqlite3.Connection) -> dict[str, int]:
        """How many pages there are in each state."""
        rows = database.execute("SELECT coalesce(state, 'unknown'), count(*) FROM pages GROUP BY 1 ORDER BY 1")
        return dict(rows.fetchall())

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """The file, made when it is needed, and made anew when it cannot be read or is of another version.

        Raises StoreError where it cannot be used, or fails while it is.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with closing(self._database()) as database:
                yield database
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"{self.path} cannot be used: {error}; free space or mend its rights, or remove it: it is made again"
            ) from error

    def _database(self) -> sqlite3.Connection:
        try:
            return _connected(self.path)
        except sqlite3.OperationalError:  # locked, or the disk is full: nothing is wrong with the file
            raise
        except sqlite3.DatabaseError as error:
            _log.warning("%s cannot be read (%s); it is made again from the archive", self.path, error)
            self.path.unlink(missing_ok=True)
            return _connected(self.path)

    # Making it

    def _unread(self, database: sqlite3.Connection, archive: Archive) -> list[str]:
        """Committed runs that are not in the ledger, oldest first."""
        present = int(now().timestamp())
        row = database.execute("SELECT value FROM notes WHERE name = 'looked-back'").fetchone()
        (newest,) = database.execute("SELECT max(run) FROM runs").fetchone()
        start = ""
        if row and newest and 0 <= present - int(row[0]) < _LOOK_BACK.total_seconds():
            begin = datetime.strptime(newest[:16], "%Y%m%dT%H%M%S%z") - _LATE
            start = keys.run_key(f"{stamp(begin)[:8]}T{stamp(begin)[8:]}Z", "")
        else:
            with database:
                database.execute("INSERT OR REPLACE INTO notes VALUES ('looked-back', ?)", (str(present),))
        found = set()
        for info in archive.store.list(keys.RUNS_PREFIX, start_after=start):
            parts = keys.split_run_key(info.key)
            if parts and parts[1] == keys.MANIFEST:
                found.add(parts[0])
        known = {run for (run,) in database.execute("SELECT run FROM runs")}
        return sorted(found - known)

    def _fold(self, database: sqlite3.Connection, archive: Archive, run: str) -> None:
        expected = archive.manifest(run)
        key = keys.run_key(run, keys.OUTCOMES)
        seen: list[str] = []
        digest, _ = digest_of_stream(archive.store.stream(key))
        try:
            if digest != expected.resource(keys.OUTCOMES).hash:
                raise IntegrityError(f"{key} is not the file its run's manifest names; run `onrecord verify`")
        except KeyError:  # a run without a log of outcomes, of another program perhaps
            database.execute("INSERT OR IGNORE INTO runs VALUES (?)", (run,))
            return
        for line in whole_lines(archive.store.stream(key)):
            try:
                self._line(database, archive, parsed_object(line))
            except (ValueError, KeyError, TypeError) as error:
                seen.append(str(error))
        if seen:
            _log.warning("%s: %d lines are none of ours (%s)", key, len(seen), seen[0])
        database.execute("INSERT OR IGNORE INTO runs VALUES (?)", (run,))

    def _line(self, database: sqlite3.Connection, archive: Archive, entry: dict[str, Any]) -> None:
        role, name = entry.get("role"), entry["outcome"]
        if name == "out-of-time" or (entry.get("via") is not None and name in SKIPPED):
            return
        if role in {"feed", "sitemap"} or (role == "robots" and entry.get("via") is None):
            self._attempt(database, entry)
            return
        if role is not None:
            return
        seen = observed(entry)
        if seen is None:
            return
        if seed := entry.get("seed"):
            database.execute(
                "INSERT INTO entries VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET found = min(found, excluded.found)",
                (seed, seen.url, int(seen.at.timestamp())),
            )
        self._note(database, archive, seen)

    def _attempt(self, database: sqlite3.Connection, entry: dict[str, Any]) -> None:
        at = int(datetime.fromisoformat(entry["timestamp"]).timestamp())
        failed = entry["outcome"] != "ok"
        database.execute(
            """INSERT INTO sources VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at,
              outcome = excluded.outcome, detail = excluded.detail,
              failures = CASE WHEN excluded.failures = 0 THEN 0 ELSE failures + 1 END,
              failing = CASE WHEN excluded.failures = 0 THEN NULL ELSE coalesce(failing, excluded.failing) END
              WHERE excluded.at > at""",
            (
                entry["url"],
                at,
                entry["outcome"],
                str(entry.get("error") or "")[:300],
                int(failed),
                at if failed else None,
            ),
        )

    def _note(self, database: sqlite3.Connection, archive: Archive, seen: Observation) -> None:
        known = self._observations(database, seen.url)
        if known and seen.at <= known[-1].at:
            _insert(database, seen, news=True)  # committed late: it may have been news then
            after, _ = follow(self._observations(database, seen.url))
        else:
            before, _ = follow(known)
            seen = _with_text_of(seen, known)
            seen = self._unmasked(archive, before, seen)
            plain = bool(known) and adds_nothing(before, seen)
            if plain and not _is_news(database, known[-1]):
                database.execute("DELETE FROM observations WHERE url = ? AND at = ?", _key(known[-1]))
            _insert(database, seen, news=not plain)
            after, _ = step(before, seen)
        assert after.last is not None, "there is one observation now"
        since = int(after.since.timestamp()) if after.since else None
        row = (seen.url, int(after.last.at.timestamp()), after.state, since, len(after.pending))
        database.execute("INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?)", row)

    def _unmasked(self, archive: Archive, before: Availability, seen: Observation) -> Observation:
        """A capture that shows a splash page in the article's place is told as what it is."""
        good = before.good
        if good is None or seen.state != State.OK or seen.text in {None, good.text}:
            return seen
        if not good.words or not seen.words or good.words < _FEWEST or seen.words > _SHORT * good.words:
            return seen
        try:
            old, new = (_words_at(archive, each) for each in (good, seen))
        except (ArchiveError, StoreError):  # what cannot be compared is told as a change
            return seen
        if not new or len(new & old) > _COMMON * len(new):
            return seen
        detail = f"another text, of {seen.words} words, stands in the place of one of {good.words}"
        return replace(seen, state=State.BLOCKED, text=None, detail=detail)

    def _observations(self, database: sqlite3.Connection, url: str) -> list[Observation]:
        query = """SELECT url, at, state, text, record, detail, title, digest, words FROM observations
          WHERE url = ? ORDER BY at"""
        return [Observation(row[0], _time(row[1]), State(row[2]), *row[3:]) for row in database.execute(query, (url,))]

    # What was told

    def told(self, database: sqlite3.Connection, identity: str) -> bool:
        """Whether an alert's fate is known here: told, by whichever machine."""
        return database.execute("SELECT 1 FROM told WHERE id = ?", (identity,)).fetchone() is not None

    def tell(self, database: sqlite3.Connection, identity: str) -> None:
        """Know that an alert was told."""
        with database:
            database.execute("INSERT OR IGNORE INTO told VALUES (?)", (identity,))


def _words_at(archive: Archive, seen: Observation) -> set[str]:
    snapshot = archive.near(seen.url, seen.at)
    document = archive.document(snapshot) if snapshot else None
    return set((document.article.text or "").lower().split()) if document else set()


def _with_text_of(seen: Observation, known: list[Observation]) -> Observation:
    """An unchanged payload has the text it had."""
    if seen.state != State.OK or seen.text is not None or seen.digest is None:
        return seen
    for other in reversed(known):
        if other.digest == seen.digest and (other.text or other.state != State.OK):
            return replace(seen, text=other.text, words=other.words, state=other.state, detail=other.detail)
    return seen


def _insert(database: sqlite3.Connection, seen: Observation, *, news: bool) -> None:
    database.execute(
        "INSERT OR IGNORE INTO observations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*_key(seen), seen.state, seen.text, seen.record_id, seen.detail, seen.title, seen.digest, seen.words, news),
    )


def _is_news(database: sqlite3.Connection, seen: Observation) -> bool:
    (news,) = database.execute("SELECT news FROM observations WHERE url = ? AND at = ?", _key(seen)).fetchone()
    return bool(news)


def _key(seen: Observation) -> tuple[str, int]:
    return seen.url, int(seen.at.timestamp())


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _connected(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=_BUSY, isolation_level="IMMEDIATE")
    try:
        database.execute("PRAGMA journal_mode = WAL")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version not in {0, _VERSION}:
            raise sqlite3.DatabaseError(f"it is of version {version}")
        database.executescript(_SCHEMA)
        database.execute(f"PRAGMA user_version = {_VERSION}")
    except BaseException:
        database.close()
        raise
    return database
