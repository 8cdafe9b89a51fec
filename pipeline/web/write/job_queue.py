"""What people asked to be saved, on disk until it is done: a job is there once its sender is answered.

One SQLite file says what waits, and what came of it; uploads lie beside it until they are in. A worker that is killed
leaves its jobs as they are, and the next one takes them again: a page is captured twice rather than not at all.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from archive.times import iso, now
from pipeline.web.write.jobs import COLUMNS, Ended, Job, Kind, State, job_of
from storage.errors import OnrecordError
from storage.private import make_usable, open_private, private_file, private_folder

MOST_WAITING = 1_000  # jobs,
MOST_BYTES = 20 * 10**9  # and bytes of uploads among them
_ATTEMPTS = 5  # a job that ends its worker so often is given up
_KEPT = timedelta(days=30)  # what came of a job is said for so long
_STALE = 86_400.0  # seconds after which an upload that nobody finished is removed
_BUSY = 30.0  # seconds that a write waits for another process
_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs(
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL, what TEXT NOT NULL,
  person TEXT NOT NULL, added TEXT NOT NULL, state TEXT NOT NULL, size INTEGER NOT NULL, attempts INTEGER NOT NULL
  DEFAULT 0, ended TEXT, outcome TEXT, error TEXT, run TEXT, url TEXT, captured TEXT);
CREATE INDEX IF NOT EXISTS by_state ON jobs(state, number);
"""


class QueueFull(OnrecordError):
    """More waits than may; the message says how long to wait."""

    exit_code = 3


class QueueUnusable(OnrecordError):
    """The queue cannot be read or written; the message says why."""

    exit_code = 2


class JobQueue:
    """The queue in a folder of this machine, which is made when it is needed; for several processes and threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add_capture(self, url: str, person: str) -> Job:
        """Keep the wish to capture a page; durable once this returns. Raises QueueFull, QueueUnusable."""
        return self._add(_new_id(), Kind.CAPTURE, url, person, 0)

    @contextmanager
    def upload(self) -> Iterator[Upload]:
        """Receive a file into the queue's folder; what `add_import` has not taken is removed. Raises QueueUnusable."""
        folder = self._folder / "incoming" / _new_id()
        try:
            private_folder(folder)
            upload = Upload(folder, open_private(folder / "file", "wb"))
        except OSError as error:
            raise self._unusable(error) from error
        try:
            with upload.file:
                yield upload
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def add_import(self, upload: Upload, name: str, person: str) -> Job:
        """Keep a file that was received whole until it is imported; raises as `add_capture`."""
        job = _new_id()
        try:
            upload.file.flush()
            os.fsync(upload.file.fileno())
            size = os.fstat(upload.file.fileno()).st_size
            private_folder(self._folder / "files")
            (upload.folder / "file").rename(upload.folder / file_name(name))
            upload.folder.rename(self._folder / "files" / job)
            _sync(self._folder / "files" / job, self._folder / "files")
        except OSError as error:
            raise self._unusable(error) from error
        try:
            return self._add(job, Kind.IMPORT, file_name(name), person, size)
        except OnrecordError:
            self._remove_file(job)
            raise

    def path(self, job: Job) -> Path:
        """Return the file of an import."""
        return self._folder / "files" / job.id / job.what

    def job(self, name: str) -> Job | None:
        """Return a job by its id, or None where it is not known, or was done long ago; raises QueueUnusable."""
        if not (self._folder / "queue.db").exists():
            return None
        with self._opened() as database:
            row = database.execute(f"SELECT {COLUMNS} FROM jobs WHERE id = ?", (name,)).fetchone()  # noqa: S608 - our own columns
            return row and job_of(row)

    def ahead_of(self, job: Job) -> int:
        """Return how many jobs are taken before one that waits; raises QueueUnusable."""
        with self._opened() as database:
            count = (
                "SELECT COUNT(*) FROM jobs WHERE state IN (?, ?) AND number < (SELECT number FROM jobs WHERE id = ?)"
            )
            (ahead,) = database.execute(count, (State.QUEUED, State.RUNNING, job.id)).fetchone()
            return int(ahead)

    # The worker

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Be the one worker of the queue, or know that another process is; the lock ends with its holder."""
        try:
            private_folder(self._folder)
            descriptor = os.open(self._folder / "worker.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True
        finally:
            os.close(descriptor)

    def reopen(self) -> None:
        """Put back what a worker that is gone had begun, and clear away; for the one worker. Raises QueueUnusable."""
        with self._opened() as database, database:
            given_up = f"it ended the process that captures {_ATTEMPTS} times"
            database.execute(
                "UPDATE jobs SET state = ?, ended = ?, outcome = 'given-up', error = ? "
                "WHERE state = ? AND attempts >= ?",
                (State.FAILED, iso(now()), given_up, State.RUNNING, _ATTEMPTS),
            )
            database.execute("UPDATE jobs SET state = ? WHERE state = ?", (State.QUEUED, State.RUNNING))
            database.execute("DELETE FROM jobs WHERE ended < ?", (iso(now() - _KEPT),))
            wanted = {row[0] for row in database.execute("SELECT id FROM jobs WHERE ended IS NULL")}
        for folder in (self._folder / "files").glob("*"):
            if folder.name not in wanted and _is_stale(folder):  # a younger one may be on its way into the table
                shutil.rmtree(folder, ignore_errors=True)
        for folder in (self._folder / "incoming").glob("*"):
            if _is_stale(folder):
                shutil.rmtree(folder, ignore_errors=True)

    def take(self, most: int) -> list[Job]:
        """Begin the next job, and with a capture the captures of the same person that wait behind it, up to `most`.

        Raises QueueUnusable.
        """
        with self._opened() as database, database:
            database.execute("BEGIN IMMEDIATE")
            rows = database.execute(
                f"SELECT {COLUMNS} FROM jobs WHERE state = ? ORDER BY number LIMIT ?",  # noqa: S608 - our own columns
                (State.QUEUED, most),
            ).fetchall()
            waiting = [job_of(row) for row in rows]
            first = waiting[:1]
            if first and first[0].kind == Kind.CAPTURE:
                first = [each for each in waiting if (each.kind, each.person) == (Kind.CAPTURE, first[0].person)]
            for each in first:
                database.execute(
                    "UPDATE jobs SET state = ?, attempts = attempts + 1 WHERE id = ?", (State.RUNNING, each.id)
                )
            return first

    def finish(self, job: Job, result: Ended) -> None:
        """Keep what came of a job, and remove its file; raises QueueUnusable."""
        state = State.DONE if result.ok else State.FAILED
        captured = result.captured and iso(result.captured)
        with self._opened() as database, database:
            database.execute(
                "UPDATE jobs SET state = ?, ended = ?, outcome = ?, error = ?, run = ?, url = ?, captured = ? "
                "WHERE id = ?",
                (state, iso(now()), result.outcome, result.error, result.run, result.url, captured, job.id),
            )
        self._remove_file(job.id)

    def put_back(self, jobs: Sequence[Job]) -> None:
        """Let jobs that were begun wait again, as if they had not been; raises QueueUnusable."""
        with self._opened() as database, database:
            for each in jobs:
                database.execute(
                    "UPDATE jobs SET state = ?, attempts = attempts - 1 WHERE id = ? AND state = ?",
                    (State.QUEUED, each.id, State.RUNNING),
                )

    def _add(self, job: str, kind: Kind, what: str, person: str, size: int) -> Job:
        added = now().replace(microsecond=0)
        with self._opened() as database, database:
            database.execute("BEGIN IMMEDIATE")
            held = "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM jobs WHERE state IN (?, ?)"
            count, stored = database.execute(held, (State.QUEUED, State.RUNNING)).fetchone()
            if count >= MOST_WAITING or stored + size > MOST_BYTES:
                raise QueueFull(f"{count:,} jobs wait, as many as may: send it again in some minutes")
            database.execute(
                "INSERT INTO jobs(id, kind, what, person, added, state, size) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (job, kind, what, person, iso(added), State.QUEUED, size),
            )
        return Job(job, kind, what, person, added, State.QUEUED, size, None, None)

    def _remove_file(self, job: str) -> None:
        shutil.rmtree(self._folder / "files" / job, ignore_errors=True)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        path = self._folder / "queue.db"
        try:
            private_folder(self._folder)
            private_file(path)
            with closing(sqlite3.connect(path, timeout=_BUSY, isolation_level=None)) as database:
                database.execute("PRAGMA journal_mode = WAL")
                database.execute("PRAGMA synchronous = FULL")  # what was answered is on the disk
                database.executescript(_SCHEMA)
                yield database
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> QueueUnusable:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return QueueUnusable(f"the queue in {self._folder} cannot be used ({why}); {make_usable(self._folder)}")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way into the queue."""

    folder: Path
    file: BinaryIO


def file_name(written: str) -> str:
    """Return the name under which an upload is kept: the last part of what its sender wrote, without odd characters."""
    name = re.sub(r"[^\w.-]+", "_", re.split(r"[/\\]", written)[-1], flags=re.ASCII).lstrip(".")
    return name[-100:].lstrip(".") or "upload"


def _new_id() -> str:
    return secrets.token_hex(16)


def _is_stale(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return time.time() - folder.stat().st_mtime > _STALE
    return False


def _sync(*folders: Path) -> None:
    for folder in folders:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
