"""When each run was last read to its last byte and found whole, as this machine remembers it, by its manifest's hash.

A run that was altered has another hash, and one that was found damaged is forgotten: both count as never read. All of
it can be lost: then everything is read again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from archive.times import from_iso, iso
from archive.verify.run_check import Finding
from storage.errors import StoreUnavailable
from storage.private import make_usable, private_file, private_folder

_TABLES = """
CREATE TABLE IF NOT EXISTS whole (manifest TEXT PRIMARY KEY, run TEXT NOT NULL, at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pass (began TEXT NOT NULL);
"""


class Readings:
    """The memory of one store's readings, in a file, or for as long as this object lives. For one thread."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        with _told(path):
            if path is not None:
                private_folder(path.parent)
                private_file(path)
            self._database = sqlite3.connect(path or ":memory:", isolation_level=None, timeout=60)
            self._database.executescript(_TABLES)

    def last(self, manifest: str | None) -> datetime | None:
        """When the run of that manifest was last read and found whole; None if it never was."""
        with _told(self._path):
            row = self._database.execute("SELECT at FROM whole WHERE manifest = ?", (manifest,)).fetchone()
        return from_iso(row[0]) if row else None

    def note(self, finding: Finding, at: datetime) -> None:
        """Remember a run that was read: what was found of it, and when the reading began."""
        if finding.manifest is None or not finding.read:
            return
        with _told(self._path):
            if finding.faults:
                self._database.execute("DELETE FROM whole WHERE manifest = ?", (finding.manifest,))
            else:
                row = (finding.manifest, finding.run, iso(at))
                self._database.execute("INSERT OR REPLACE INTO whole VALUES (?, ?, ?)", row)

    def unfinished(self) -> datetime | None:
        """When the reading of the whole archive that has not come to its end was begun."""
        with _told(self._path):
            row = self._database.execute("SELECT began FROM pass").fetchone()
        return from_iso(row[0]) if row else None

    def begin(self, at: datetime) -> None:
        """Begin to read the whole archive."""
        self.end()
        with _told(self._path):
            self._database.execute("INSERT INTO pass VALUES (?)", (iso(at),))

    def end(self) -> None:
        """Note that the whole archive has been read."""
        with _told(self._path):
            self._database.execute("DELETE FROM pass")

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


@contextmanager
def _told(path: Path | None) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        hint = f"{make_usable(path)}; or remove it: then all is read again" if path else "run the command again"
        raise StoreUnavailable(f"{path or 'the history'} cannot be used ({error}): {hint}") from error
