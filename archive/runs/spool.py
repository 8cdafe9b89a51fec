"""The local spool: where a run lies while it is written, and where a killed or unpublished one waits.

    SPOOL/<hash of the store's address>/store.json       the address, for people
    SPOOL/<hash of the store's address>/<run>/lock       held by the living writer
                                             /run.json   what the run was started with
                                             /proven   stores of a mirror that have it whole
                                             /published-as   its name in the store, where that is another one
                                             /as/<name>/...  files for that name: `archive.runs.renaming`
                                             /journal.jsonl, and the run's files in their layout

A checkpoint is durable in this order: the run's files are fsynced, then one journal line is appended and fsynced that
names how long each file was and what they gained. Recovery believes the journal: every file is cut back to what its
last whole line says. Only its last line can be torn; a run whose journal or files are damaged otherwise is left alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from archive import object_keys
from archive.checked_json import parsed_object
from archive.errors import IntegrityError
from archive.runs.journal import JOURNAL, Journal, read_journal
from archive.runs.spool_files import disk_errors, make_folder, sync_folder, try_lock
from storage.private import open_private, private_folder, write_private

_log = logging.getLogger("onrecord.archive")

SPOOL = 1  # the form of what is described above
RENAMED = 2  # the form of a run that has another name in the store: an older program would publish it twice

_RUN = "run.json"
LOCK = "lock"
_PROVEN = "proven"  # the addresses of stores that gave the whole run back, a line each
_AS = "as"
_PUBLISHED_AS = "published-as"
_WORK = "work"  # bodies on their way; never part of the run
_LEFT_OVER = 24 * 3600  # seconds after which a folder that is being made has no maker any more


class SpooledRun:
    """A run's folder, locked by this process for as long as this object is open."""

    def __init__(self, folder: Path, lock: int) -> None:
        """Raise StoreUnavailable, IntegrityError where the run has another name in the store that cannot be read."""
        self.folder = folder
        self.run = folder.name  # in the store, unless the run was given another name there
        published_as = folder / _PUBLISHED_AS
        if published_as.exists():
            with disk_errors(folder):
                self.run = published_as.read_text("ascii", "replace")
            if not object_keys.is_run_id(self.run):
                raise IntegrityError(f"run {folder.name} in the spool is damaged: {published_as} holds no run's name")
        self.work = folder / _WORK  # for bodies on their way: made with the run, gone once it is closed
        self._lock = lock
        self._files: dict[str, BinaryIO] = {}
        self._dirty: set[str] = set()
        self._ends: dict[str, int] = {}

    @property
    def written(self) -> int:
        """Bytes of the run's files, but for the journal."""
        return sum(end for name, end in self._ends.items() if name != JOURNAL)

    def path(self, name: str) -> Path:
        """Return the local path of a file of the run, as it is put under the run's name in the store."""
        if self.run != self.folder.name and name in object_keys.NAMING:
            return self.folder / _AS / self.run / name
        return self.folder / name

    def path_as(self, run: str, name: str) -> Path:
        """Return the local path of a file that says the run's name, for a name that it is to have."""
        return self.folder / _AS / run / name

    def take_name(self, run: str) -> None:
        """Have another name in the store from now on, once the files under `path_as` are written."""
        settings = {**self.settings(), "spool": RENAMED}
        self._write(self.folder / _RUN, [json.dumps(settings, ensure_ascii=False).encode("utf-8", "replace")])
        self._write(self.folder / _PUBLISHED_AS, [run.encode()])
        self.run = run
        with contextlib.suppress(FileNotFoundError):
            (self.folder / _PROVEN).unlink()

    def append(self, name: str, data: bytes, header: bytes = b"") -> int:
        """Append bytes to a file of the run, which begins with a header; returns the offset where they begin.

        Not durable before `checkpoint`.
        """
        if header and name not in self._ends:
            self.append(name, header)
        file = self._file(name)
        offset = self._ends[name]
        with disk_errors(self.folder):
            file.write(data)
        self._ends[name] += len(data)
        self._dirty.add(name)
        return offset

    def _file(self, name: str) -> BinaryIO:
        if name not in self._files:
            path = self.path(name)
            with disk_errors(self.folder):
                make_folder(path.parent)
                file = open_private(path, "ab", 1 << 20)
                sync_folder(path.parent)
            self._files[name] = file
            self._ends[name] = file.tell()
        return self._files[name]

    def checkpoint(self, entries: list[dict[str, Any]]) -> None:
        """Make everything appended so far durable, with the journal entries that tell what it is."""
        with disk_errors(self.folder):
            for name in sorted(self._dirty):
                self._files[name].flush()
                os.fsync(self._files[name].fileno())
            self._dirty.clear()
            line = json.dumps({"ends": self._ends, "entries": entries}, ensure_ascii=False, separators=(",", ":"))
            journal = self._file(JOURNAL)
            journal.write(line.encode("utf-8", "replace") + b"\n")
            journal.flush()
            os.fsync(journal.fileno())

    def write(self, name: str, data: bytes) -> None:
        """Write a whole file durably, replacing what was there."""
        self._write(self.path(name), [data])

    def write_as(self, run: str, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file that says the run's name, durably, for a name that it is to have."""
        self._write(self.path_as(run, name), pieces)

    def _write(self, path: Path, pieces: Iterable[bytes]) -> None:
        with disk_errors(self.folder):
            make_folder(path.parent)
            part = path.with_name(path.name + ".part")
            with open_private(part, "wb") as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            sync_folder(path.parent)

    def check(self) -> None:
        """Look at the run before it is taken up; raises IntegrityError for what no kill can have left so."""
        if self.settings().get("spool", SPOOL) not in {SPOOL, RENAMED}:
            raise IntegrityError(f"{self.folder} was written by a newer version: upgrade onrecord to have it published")
        journal = self._journal()
        for name, end in journal.ends.items():
            path = self.path(name)
            size = path.stat().st_size if path.is_file() else 0
            if size < end:
                raise IntegrityError(self._damaged(f"{name} has {size:,} bytes where {end:,} were acknowledged"))

    def replay(self, *, cut: bool) -> list[dict[str, Any]]:
        """Return the journal's entries up to its last whole line.

        With `cut`, files are cut back to what that line names.

        Raises IntegrityError where more is wrong than a last line that was torn: then nothing is cut.
        """
        journal = self._journal()
        if cut:
            self.check()
            self._cut_back(journal)
        # What this process never opens must stand in its checkpoints too, or the next recovery would take it for new.
        self._ends = dict(journal.ends)
        return journal.entries

    def _journal(self) -> Journal:
        with disk_errors(self.folder):
            try:
                return read_journal(self.path(JOURNAL))
            except ValueError as error:
                raise IntegrityError(self._damaged(str(error))) from error

    def _damaged(self, what: str) -> str:
        return (
            f"run {self.run} in the spool is damaged: {what}; it is left as it is in {self.folder}, where what it "
            "captured can be read from its WARC files"
        )

    def _cut_back(self, journal: Journal) -> None:
        with disk_errors(self.folder):
            if self.path(JOURNAL).exists():
                os.truncate(self.path(JOURNAL), journal.length)
            for name, end in journal.ends.items():
                os.truncate(self.path(name), end)
            for folder in ("archive", "pages", "logs"):
                for path in self.path(folder).glob("*"):
                    if f"{folder}/{path.name}" not in journal.ends:  # begun after the last checkpoint
                        path.unlink()

    def settings(self) -> dict[str, Any]:
        """Return what the run was started with; empty when it was killed before that was written."""
        try:
            return parsed_object(self.path(_RUN).read_bytes())
        except (OSError, ValueError):
            return {}

    def is_proven(self, url: str) -> bool:
        """Whether a store has given back the whole run as it was put."""
        try:
            return url in self.path(_PROVEN).read_text("utf-8").splitlines()
        except (OSError, ValueError):
            return False

    def note_proven(self, url: str) -> None:
        """Remember that a store has given back the whole run: another one may still lack it."""
        with disk_errors(self.folder), open_private(self.path(_PROVEN), "ab") as file:
            file.write(f"{url}\n".encode())

    def close(self) -> None:
        """Close the files and let go of the lock; the folder stays."""
        for file in self._files.values():
            with contextlib.suppress(OSError):
                file.close()
        self._files.clear()
        shutil.rmtree(self.work, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def remove(self) -> None:
        """Remove the folder: the run lies in its store, or holds nothing."""
        gone = self.folder.with_name(f".{self.folder.name}.gone")
        with contextlib.suppress(OSError):
            self.folder.rename(gone)  # at once: no half-removed run is ever found by its name
        shutil.rmtree(gone, ignore_errors=True)
        self.close()


class Spool:
    """The runs of one store on this machine."""

    def __init__(self, root: Path, store_url: str) -> None:
        self._folder = root / hashlib.sha256(store_url.encode()).hexdigest()[:16]
        self._store_url = store_url
        self.scratch = root / "scratch"  # for files on their way that are no run's; made by who needs it

    def create(self, run: str, settings: dict[str, Any]) -> SpooledRun:
        """Return a new, locked run folder."""
        with disk_errors(self._folder):
            make_folder(self._folder)
            address = self._folder / "store.json"
            if not address.exists():
                part = self._folder / f".{run}.store"
                write_private(part, json.dumps({"url": self._store_url}).encode() + b"\n")
                part.replace(address)
            new = self._folder / f".{run}.new"
            private_folder(new / _WORK)
            lock = try_lock(new / LOCK)
            assert lock is not None, "nobody else knows this folder yet"
            folder = self._folder / run
            new.rename(folder)
            sync_folder(self._folder)
        spooled = SpooledRun(folder, lock)
        spooled.write(_RUN, json.dumps({"spool": SPOOL, **settings}, ensure_ascii=False).encode("utf-8", "replace"))
        return spooled

    def waiting(self) -> Iterator[SpooledRun]:
        """Yield runs whose writer is gone, oldest first, each locked; the caller closes or removes each.

        One that is damaged, or of a newer version, stays where it is, with a warning: it keeps no other from its store.
        """
        for left in self._folder.glob(".*.gone"):  # of writers that were killed while they removed them,
            shutil.rmtree(left, ignore_errors=True)
        for left in self._folder.glob(".*.new"):  # or made them
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > _LEFT_OVER:
                    shutil.rmtree(left, ignore_errors=True)
        for folder in self.run_folders():
            with disk_errors(self._folder):
                lock = try_lock(folder / LOCK)
            if lock is None:
                continue
            if not (folder / LOCK).exists():  # another process finished it while this one waited
                os.close(lock)
                continue
            try:
                spooled = SpooledRun(folder, lock)
            except IntegrityError as error:
                _log.warning("%s", error)
                os.close(lock)
                continue
            try:
                spooled.check()
            except IntegrityError as error:
                _log.warning("%s", error)
                spooled.close()
                continue
            yield spooled

    def names(self) -> list[str]:
        """Return the runs that lie here, those being written among them."""
        return [folder.name for folder in self.run_folders()]

    def run_folders(self) -> list[Path]:
        """Return the folders of the runs that lie here, oldest first."""
        if not self._folder.is_dir():
            return []
        return sorted(path for path in self._folder.iterdir() if object_keys.is_run_id(path.name) and path.is_dir())
