"""A store in a directory: one file an object, under its key.

How a file gets there and stays: `storage.durable`. Symbolic links below the root are not followed: a folder from a
stranger cannot make a store read or write outside itself. Files whose names are no keys are passed over. Unlike a
bucket, a directory cannot hold "a" and "a/b" at once: StoreDenied.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BufferedReader, FileIO
from operator import itemgetter
from pathlib import Path

from storage.base import CHUNK_SIZE, Leftover, ObjectInfo, checked_key
from storage.durable import DurableTree
from storage.errors import ObjectMissing, StoreDenied, StoreMissing
from storage.files import checked_range, opened_source, store_error

_log = logging.getLogger("onrecord.storage")

_NOTHING_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}


class LocalStore:
    """Objects as files below a root directory, which the first put creates."""

    def __init__(self, root: Path) -> None:
        self._root = root.expanduser().resolve()
        self._tree = DurableTree(self._root)
        self.url = str(self._root)

    def __repr__(self) -> str:
        return f"LocalStore({self.url!r})"

    def put(self, key: str, data: bytes) -> None:
        """Keep bytes under a key, on disk once this returns."""
        path = self._path(key)
        with _mapped(path):
            self._tree.put(path, data)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Keep bytes unless the key exists: the file appears whole under its name, or not at all."""
        path = self._path(key)
        with _mapped(path):
            return self._tree.put(path, data, if_absent=True)

    def put_file(self, key: str, path: Path) -> None:
        """Keep a file's bytes, in bounded memory."""
        target = self._path(key)
        with opened_source(path) as source, _mapped(target):
            self._tree.put(target, source)

    def get(self, key: str) -> bytes:
        """Return the whole object; raises ObjectMissing, StoreError."""
        with self._opened(key) as file:
            return file.readall()

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Part of an object; raises ObjectMissing, StoreError."""
        checked_range(start, length)
        with self._opened(key) as file:
            there = max(0, os.fstat(file.fileno()).st_size - start)
            reader = BufferedReader(file)  # reads on where one call of the system gives less than it was asked for
            reader.seek(start if there else 0)
            return reader.read(min(length, there))

    def stream(self, key: str) -> Iterator[bytes]:
        """Yield the object in chunks, to its end as it was when this began; raises ObjectMissing, StoreError."""
        with self._opened(key) as file:
            while chunk := file.read(CHUNK_SIZE):
                yield chunk

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[ObjectInfo]:
        """Objects in key order, found folder by folder, only where the prefix and `start_after` lead."""
        folder = prefix[: prefix.rfind("/") + 1]
        try:
            path = self._path(folder[:-1]) if folder else self._root
        except ValueError:  # no key begins like that
            return iter(())
        return self._walk(path, folder, prefix, start_after)

    def head(self, key: str) -> ObjectInfo | None:
        """Return the object's size, or None."""
        path = self._path(key)
        try:
            found = path.lstat()
        except OSError as error:
            if error.errno in _NOTHING_THERE:
                return None
            raise store_error(error, path) from error
        return _info(key, found) if stat.S_ISREG(found.st_mode) else None

    def delete(self, key: str) -> None:
        """Remove an object, if it is there, and the folders that this leaves empty."""
        if self.head(key) is not None:
            path = self._path(key)
            with _mapped(path):
                self._tree.remove(path)

    def now(self) -> datetime:
        """Return the time that the file system gives a new file: a network file system has a clock of its own."""
        with _mapped(self._root):
            return datetime.fromtimestamp(self._tree.probe(), UTC)

    def leftovers(self, before: datetime) -> Iterator[Leftover]:
        """Temporary files of writers that were killed."""
        with _mapped(self._root):
            found = list(self._tree.temporary())
        for path, status in found:
            begun = datetime.fromtimestamp(status.st_mtime, UTC)
            if begun < before:
                yield Leftover(path.name, status.st_size, begun)

    def clear(self, leftover: Leftover) -> None:
        """Remove a temporary file."""
        with _mapped(self._root):
            self._tree.discard(leftover.name)

    def _path(self, key: str) -> Path:
        path = self._root / checked_key(key)
        if os.path.realpath(path) != str(path):
            raise StoreDenied(f"{path} leads through a symbolic link, which a store does not follow: put a copy there")
        return path

    def _require_root(self) -> None:
        if self._root.is_dir():
            return
        if self._root.exists():
            raise StoreDenied(f"{self._root} is a file, not a directory: name another with --store")
        raise StoreMissing(f"no directory {self._root}: capture something into it first, or name another with --store")

    @contextmanager
    def _opened(self, key: str) -> Iterator[FileIO]:
        path = self._path(key)
        try:  # not blocking: a named pipe must not hold a reader up
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            if error.errno not in _NOTHING_THERE:
                raise store_error(error, path) from error
            self._require_root()
            raise ObjectMissing(key) from None
        try:  # FileIO refuses a folder's descriptor, so this goes first
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ObjectMissing(key)
            with _mapped(path), FileIO(descriptor, closefd=False) as file:
                yield file
        finally:
            os.close(descriptor)

    def _walk(self, folder: Path, base: str, prefix: str, start_after: str) -> Iterator[ObjectInfo]:
        try:
            with os.scandir(folder) as entries:
                found = [(name, entry) for entry in entries if (name := _listed_name(entry))]
        except OSError as error:
            if error.errno not in _NOTHING_THERE:
                raise store_error(error, folder) from error
            self._require_root()
            return
        for name, entry in sorted(found, key=itemgetter(0)):  # folders have "/" behind their names: in order of keys
            key = base + name
            if name.endswith("/"):
                leads = key.startswith(prefix) or prefix.startswith(key)
                if leads and start_after[: len(key)] <= key:  # else every key below it sorts before
                    yield from self._walk(folder / entry.name, key, prefix, start_after)
            elif key.startswith(prefix) and key > start_after:
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:  # deleted since the folder was read
                    continue
                except OSError as error:
                    raise store_error(error, Path(entry.path)) from error
                yield _info(key, status)


def _listed_name(entry: os.DirEntry[str]) -> str:
    try:
        checked_key(entry.name)
    except ValueError:
        return ""
    if entry.is_symlink():
        _log.warning("passed over %s: a store does not follow symbolic links; put a copy there", entry.path)
        return ""
    if entry.is_dir(follow_symlinks=False):
        return entry.name + "/"
    return entry.name if entry.is_file(follow_symlinks=False) else ""


def _info(key: str, found: os.stat_result) -> ObjectInfo:
    return ObjectInfo(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


@contextmanager
def _mapped(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise store_error(error, path) from error
