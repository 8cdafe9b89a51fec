"""The ledger's file: its tables, and a page's observations as rows of them."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from pathlib import Path

from archive.states import Observation, State
from storage.private import private_file

_VERSION = 3
_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs(run TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS observations(
  url TEXT NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL, text TEXT, record TEXT, detail TEXT NOT NULL,
  title TEXT, digest TEXT, words INTEGER, final TEXT, news INTEGER NOT NULL, PRIMARY KEY(url, at)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS news ON observations(at) WHERE news = 1;
CREATE TABLE IF NOT EXISTS pages(
  url TEXT PRIMARY KEY, at INTEGER NOT NULL, state TEXT, since INTEGER, pending INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sources(
  url TEXT PRIMARY KEY, at INTEGER NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL, failures INTEGER NOT NULL,
  failing INTEGER, seed TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS led_to ON sources(seed);
CREATE TABLE IF NOT EXISTS entries(
  source TEXT NOT NULL, url TEXT NOT NULL, found INTEGER NOT NULL, fate INTEGER NOT NULL, untracked TEXT NOT NULL,
  PRIMARY KEY(source, url)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entries_untracked ON entries(source, untracked);
CREATE INDEX IF NOT EXISTS sources_of ON entries(url);
CREATE TABLE IF NOT EXISTS told(id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS relevant(key TEXT PRIMARY KEY, own TEXT NOT NULL, text TEXT NOT NULL) WITHOUT ROWID;
"""
# Tables that the archive can fill again; marks of sent alerts are not among them.
REBUILT = ("runs", "observations", "pages", "sources", "entries", "notes", "relevant")
RECENT = timedelta(days=6)  # in which captures of other bytes are kept although their text says nothing new
_BUSY = 60.0  # seconds that one process waits for another


class Fate(IntEnum):
    """What happened to an entry of a source."""

    TRIED = 0
    UNREACHED = 1  # the time was over: it is due at once, whether or not its source still shows it
    LEFT_OUT = 2  # robots.txt, say, kept it out: it is looked at whenever its source is read


def connected(path: Path) -> sqlite3.Connection:
    """Return the file, its tables made.

    Raises sqlite3.Error, of which DatabaseError itself for a file of another program.
    """
    with suppress(OSError):  # SQLite says the same in its own words
        private_file(path)
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


def forget(database: sqlite3.Connection) -> None:
    """Empty every table that the archive can fill again; marks of sent alerts stay."""
    for table in REBUILT:
        database.execute(f"DELETE FROM {table}")  # noqa: S608 - the names above


def observations_of(database: sqlite3.Connection, url: str) -> list[Observation]:
    """Return what is kept of a page's observations, in the order of time."""
    query = """SELECT url, at, state, text, record, detail, title, digest, words, final FROM observations
      WHERE url = ? ORDER BY at"""
    return [Observation(row[0], time_of(row[1]), State(row[2]), *row[3:]) for row in database.execute(query, (url,))]


def insert(database: sqlite3.Connection, seen: Observation, *, news: bool) -> None:
    """Keep an observation; of two in one second the first."""
    database.execute(
        "INSERT OR IGNORE INTO observations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *_key(seen), seen.state, seen.text, seen.record_id, seen.detail, seen.title, seen.digest, seen.words,
            seen.final, news,
        ),
    )  # fmt: skip


def drop_unless_news(database: sqlite3.Connection, seen: Observation) -> None:
    """Forget an observation that said nothing new."""
    database.execute("DELETE FROM observations WHERE url = ? AND at = ? AND news = 0", _key(seen))


def drop_plain_before(database: sqlite3.Connection, url: str, end: datetime) -> None:
    """Forget a page's observations of before a time that said nothing new."""
    database.execute("DELETE FROM observations WHERE url = ? AND at < ? AND news = 0", (url, int(end.timestamp())))


def relevant_of(database: sqlite3.Connection, key: str) -> tuple[str, str] | None:
    """Return two digests of what matters of a text: its own, and the one it counts as; None where it is not known."""
    row = database.execute("SELECT own, text FROM relevant WHERE key = ?", (key,)).fetchone()
    return (row[0], row[1]) if row else None


def keep_relevant(database: sqlite3.Connection, key: str, own: str, text: str) -> None:
    """Keep what `relevant_of` returns."""
    database.execute("INSERT OR REPLACE INTO relevant VALUES (?, ?, ?)", (key, own, text))


def time_of(seconds: int) -> datetime:
    """Return a moment as it was kept."""
    return datetime.fromtimestamp(seconds, UTC)


def _key(seen: Observation) -> tuple[str, int]:
    return seen.url, int(seen.at.timestamp())
