"""The local spool: where a run lies while it is written, and where a killed or unpublished one waits.

    SPOOL/<hash of the store's address>/store.json       the address, for people
    SPOOL/<hash of the store's address>/<run>/lock       held by the living writer
                                             /run.json   what the run was started with
                                             /journal.jsonl, and the run's files in their layout

A checkpoint is durable in this order: the run's files are fsynced, then one journal line is appended and fsynced that
names how long each file was and what they gained. Recovery believes the journal: every file is cut back to what its
last whole line says.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from archive import keys
from storage.errors import StoreUnavailable

_JOURNAL = "journal.jsonl"
_RUN = "run.json"
_LOCK = "lock"
_WORK = "work"  # bodies on their way; never part of the run


class SpooledRun:
    """A run's folder, locked by this process for as long as this object is open."""

    def __init__(self, folder: Path, lock: int) -> None:
        self.folder = folder
        self.run = folder.name
        self._lock = lock
        self._files: dict[str, BinaryIO] = {}
        self._dirty: set[str] = set()
        self._ends: dict[str, int] = {}

    @property
    def work(self) -> Path:
        """A folder for bodies on their way, on the same disk."""
        path = self.folder / _WORK
        path.mkdir(exist_ok=True)
        return path

    def path(self, name: str) -> Path:
        """The local path of a file of the run."""
        return self.folder / name

    def holds(self, name: str) -> bool:
        """Whether anything was appended to a file of the run."""
        return name in self._ends

    def append(self, name: str, data: bytes) -> int:
        """Append bytes to a file of the run; returns the offset where they begin. Not durable before `checkpoint`."""
        file = self._file(name)
        offset = self._ends[name]
        with _disk_errors(self.folder):
            file.write(data)
        self._ends[name] += len(data)
        self._dirty.add(name)
        return offset

    def _file(self, name: str) -> BinaryIO:
        if name not in self._files:
            path = self.path(name)
            with _disk_errors(self.folder):
                path.parent.mkdir(exist_ok=True)
                file = path.open("ab", buffering=1 << 20)
                _sync_folder(path.parent)
            self._files[name] = file
            self._ends[name] = file.tell()
        return self._files[name]

    def checkpoint(self, entries: list[dict[str, Any]]) -> None:
        """Make everything appended so far durable, with the journal entries that tell what it is."""
        with _disk_errors(self.folder):
            for name in sorted(self._dirty):
                self._files[name].flush()
                os.fsync(self._files[name].fileno())
            self._dirty.clear()
            line = json.dumps({"ends": self._ends, "entries": entries}, ensure_ascii=False, separators=(",", ":"))
            journal = self._file(_JOURNAL)
            journal.write(line.encode("utf-8", "replace") + b"\n")
            journal.flush()
            os.fsync(journal.fileno())

    def write(self, name: str, data: bytes) -> None:
        """Write a whole file durably, replacing what was there."""
        path = self.path(name)
        with _disk_errors(self.folder):
            path.parent.mkdir(exist_ok=True)
            part = path.with_name(path.name + ".part")
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            _sync_folder(path.parent)

    def replay(self, *, cut: bool) -> list[dict[str, Any]]:
        """The journal's entries up to its last whole line; with `cut`, files are cut back to what that line names."""
        entries: list[dict[str, Any]] = []
        ends: dict[str, int] = {}
        valid = 0
        journal = self.path(_JOURNAL)
        for line in journal.read_bytes().splitlines(keepends=True) if journal.exists() else []:
            try:
                checkpoint = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                checkpoint = None
            if not isinstance(checkpoint, dict):
                break
            entries += checkpoint["entries"]
            ends = checkpoint["ends"]
            valid += len(line)
        if cut:
            self._cut_back(journal, valid, ends)
        # What this process never opens must stand in its checkpoints too, or the next recovery would take it for new.
        self._ends = {name: end for name, end in ends.items() if name != _JOURNAL}
        return entries

    def _cut_back(self, journal: Path, valid: int, ends: dict[str, int]) -> None:
        with _disk_errors(self.folder):
            if journal.exists():
                os.truncate(journal, valid)
            for name, end in ends.items():
                if name != _JOURNAL:
                    os.truncate(self.path(name), end)
            for folder in ("archive", "pages", "logs"):
                for path in self.path(folder).glob("*"):
                    if f"{folder}/{path.name}" not in ends:  # begun after the last checkpoint
                        path.unlink()

    def settings(self) -> dict[str, Any]:
        """What the run was started with; empty when it was killed before that was written."""
        try:
            found = json.loads(self.path(_RUN).read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def close(self) -> None:
        """Close the files and let go of the lock; the folder stays."""
        for file in self._files.values():
            with contextlib.suppress(OSError):
                file.close()
        self._files.clear()
        shutil.rmtree(self.folder / _WORK, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def remove(self) -> None:
        """Remove the folder: the run lies in its store, or holds nothing."""
        gone = self.folder.with_name(f".{self.run}.gone")
        with contextlib.suppress(OSError):
            self.folder.rename(gone)  # at once: no half-removed run is ever found by its name
        shutil.rmtree(gone, ignore_errors=True)
        self.close()


class Spool:
    """The runs of one store on this machine."""

    def __init__(self, root: Path, store_url: str) -> None:
        self._folder = root / hashlib.sha256(store_url.encode()).hexdigest()[:16]
        self._store_url = store_url

    def create(self, run: str, settings: dict[str, Any]) -> SpooledRun:
        """A new, locked run folder."""
        with _disk_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            address = self._folder / "store.json"
            if not address.exists():
                address.write_text(json.dumps({"url": self._store_url}) + "\n")
            new = self._folder / f".{run}.new"
            new.mkdir()
            lock = _try_lock(new / _LOCK)
            assert lock is not None, "nobody else knows this folder yet"
            folder = self._folder / run
            new.rename(folder)
        spooled = SpooledRun(folder, lock)
        spooled.write(_RUN, json.dumps(settings, ensure_ascii=False).encode())
        return spooled

    def waiting(self) -> Iterator[SpooledRun]:
        """Runs whose writer is gone, oldest first, each locked; the caller closes or removes each."""
        for left in self._folder.glob(".*.gone"):
            shutil.rmtree(left, ignore_errors=True)
        for folder in self._run_folders():
            lock = _try_lock(folder / _LOCK)
            if lock is None:
                continue
            if not (folder / _LOCK).exists():  # another process finished it while this one waited
                os.close(lock)
                continue
            yield SpooledRun(folder, lock)

    def names(self) -> list[str]:
        """The runs that lie here, those being written among them."""
        return [folder.name for folder in self._run_folders()]

    def _run_folders(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return sorted(path for path in self._folder.iterdir() if keys.is_run_id(path.name))


def _try_lock(path: Path) -> int | None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(
            f"the local spool {folder} cannot be written ({error.strerror}): free space or mend its rights; "
            "what was captured so far is published by the next invocation"
        ) from error
