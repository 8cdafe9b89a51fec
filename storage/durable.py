"""Files that appear whole and stay: temporary file, fsync, rename, fsync of the folder.

The temporary files lie in `ROOT/.~tmp` ("~" is in no key, so the two never meet). What killed writers left there is
removed a day later, by the first put of a tree object.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from io import FileIO
from pathlib import Path

from storage.base import CHUNK_SIZE

_TEMPORARY = ".~tmp"
_LOCK = "lock"  # the one file in the temporary folder that stays
_TRIES = 100  # to make a folder that others remove
_PLACINGS = 10  # tries to give a file its name in a folder that others remove
_LEFT_OVER = 24 * 3600  # seconds after which a temporary file has no writer any more
_RANGE_COPY = 64 << 20  # bytes the kernel copies at a call

_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_NO_RANGE_COPY = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF, errno.EPERM}
_NO_FOLDER_FSYNC = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF}


class DurableTree:
    """The writing side of a folder of files; its methods raise plain OSErrors."""

    def __init__(self, root: Path, mode: int = 0o666) -> None:
        self._root = root
        self._mode = mode  # of new files, less what the umask takes
        self._durable: set[Path] = set()  # folders that this object has seen to disk
        self._swept = False

    def put(self, path: Path, content: bytes | FileIO, *, if_absent: bool = False) -> bool:
        """Make a file of bytes, or of the rest of another file, in place of what was there.

        With `if_absent`, a file that is there stays; returns whether this call made the file.
        """
        temporary = self._temporary_folder() / secrets.token_hex(8)
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, self._mode)
            with FileIO(descriptor, "w") as file:
                _write(file, content)
                os.fsync(descriptor)
            placed = self._placed(temporary, path, if_absent=if_absent)
        finally:
            temporary.unlink(missing_ok=True)
        _fsync_folder(path.parent)
        return placed

    def remove(self, path: Path) -> None:
        """Remove the file, and the folders that this leaves empty."""
        path.unlink(missing_ok=True)
        _fsync_folder(path.parent)
        for folder in path.parents:
            if folder == self._root:
                return
            try:
                folder.rmdir()
            except OSError:  # not empty any more, or gone: both are well
                return

    def probe(self) -> float:
        """Return the time that the file system gives a file that is made now, in seconds since 1970."""
        temporary = self._temporary_folder() / secrets.token_hex(8)
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            with FileIO(descriptor, "w") as file:
                file.write(b"time")  # a client that delays the making asks the server when something is written
                os.fsync(descriptor)
                return os.fstat(descriptor).st_mtime
        finally:
            temporary.unlink(missing_ok=True)

    def temporary(self) -> Iterator[tuple[Path, os.stat_result]]:
        """Yield the temporary files there are, those of living writers among them."""
        folder = self._root / _TEMPORARY
        if folder.is_symlink() or not folder.is_dir():
            return
        with os.scandir(folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    if entry.name != _LOCK and stat.S_ISREG(status.st_mode):
                        yield Path(entry.path), status

    def discard(self, name: str) -> None:
        """Remove a temporary file."""
        if (self._root / _TEMPORARY).is_symlink():
            return
        (self._root / _TEMPORARY / Path(name).name).unlink(missing_ok=True)

    def _placed(self, temporary: Path, path: Path, *, if_absent: bool) -> bool:
        """Give a temporary file its name; returns False where that is taken and `if_absent` is said."""
        for attempt in range(_PLACINGS):
            try:
                self._make_folder(path.parent)
                if if_absent:
                    return self._create(temporary, path)
                temporary.replace(path)
                break
            except FileNotFoundError:  # a delete took the folder that it had emptied
                if attempt == _PLACINGS - 1:
                    raise
                self._durable.clear()
        return True

    def _create(self, temporary: Path, path: Path) -> bool:
        try:
            os.link(temporary, path, follow_symlinks=False)
        except FileExistsError:
            return _refuse_folder(path)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            return self._create_in_turn(temporary, path)
        return True

    def _create_in_turn(self, temporary: Path, path: Path) -> bool:
        """Where the file system has no hard links: look, then rename, one writer at a time.

        Opening with O_EXCL would show a file before its content. This lock holds between the threads and processes of
        one machine and ends with its holder, however that ends; between machines such file systems promise nothing.
        """
        lock = os.open(temporary.with_name(_LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():
                return _refuse_folder(path)
            temporary.replace(path)
            return True
        finally:
            os.close(lock)

    def _temporary_folder(self) -> Path:
        """Return the folder of temporary files, made where it is absent, and swept once for this object."""
        folder = self._root / _TEMPORARY
        self._make_folder(folder)
        try:
            found = folder.lstat()
        except FileNotFoundError:  # the root was removed under our feet
            self._durable.clear()
            self._make_folder(folder)
            found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):  # a planted link would take what is written out of the root
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if not self._swept:
            self._swept = True
            now = time.time()
            with os.scandir(folder) as entries:
                for entry in entries:
                    with suppress(OSError):  # another writer sweeps too, or it is not ours to remove
                        if entry.name != _LOCK and now - entry.stat(follow_symlinks=False).st_mtime > _LEFT_OVER:
                            Path(entry.path).unlink()
        return folder

    def _make_folder(self, folder: Path) -> None:
        """Create the folder where it is absent, and see each of its names to disk once for this object.

        Raises OSError.
        """
        if folder in self._durable:
            return
        if folder == self._root:
            absent = [each for each in (folder, *folder.parents) if not each.exists()]
            folder.mkdir(parents=True, exist_ok=True)
            for each in absent:
                _fsync_folder(each.parent)
        else:
            self._make_folder(folder.parent)
            for _ in range(_TRIES):  # a delete may remove it between two looks
                try:
                    folder.mkdir(exist_ok=True)
                    break
                except FileExistsError:
                    if folder.is_dir():
                        break
                    if os.path.lexists(folder):  # a file lies there
                        raise
            else:
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(folder))
            _fsync_folder(folder.parent)
        self._durable.add(folder)


def _write(target: FileIO, content: bytes | FileIO) -> None:
    """Write bytes, or the rest of another file, in bounded memory: by the kernel, without moving a byte, if it can."""
    pieces = iter([content]) if isinstance(content, bytes) else iter(partial(content.read, CHUNK_SIZE), b"")
    if not isinstance(content, bytes) and hasattr(os, "copy_file_range"):
        try:
            while os.copy_file_range(content.fileno(), target.fileno(), _RANGE_COPY):
                pass
        except OSError as error:
            if error.errno not in _NO_RANGE_COPY:
                raise
    for piece in pieces:  # of a file: all of it, or what came after the kernel's copy
        rest = memoryview(piece)
        while rest:  # an unbuffered write may take fewer bytes than it is given
            rest = rest[target.write(rest) :]


def _refuse_folder(path: Path) -> bool:
    """Answer that the file is there; raise if what is there is a folder."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    return False


def _fsync_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:  # emptied and removed by a delete since
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_FSYNC:  # some network file systems have no such call
            raise
    finally:
        os.close(descriptor)
