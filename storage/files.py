"""What the stores share about this machine's files: the meaning of their errors, and the file that `put_file` reads."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from storage.errors import StoreDenied, StoreError, StoreUnavailable

_FULL = "disk full at {path}: free space, then run again"
_REFUSED = "{path}: {what}: give this user the right to read and write there, or name another store"
_IN_THE_WAY = "{path}: a file lies where a folder has to be, or the other way round: move it away"

_MEANINGS: dict[int, tuple[type[StoreError], str]] = {
    errno.ENOSPC: (StoreUnavailable, _FULL),
    errno.EDQUOT: (StoreUnavailable, _FULL),
    errno.EIO: (StoreUnavailable, "{path}: {what}: check the disk, then run again"),
    errno.EACCES: (StoreDenied, _REFUSED),
    errno.EPERM: (StoreDenied, _REFUSED),
    errno.EROFS: (StoreDenied, _REFUSED),
    errno.ENOTDIR: (StoreDenied, _IN_THE_WAY),
    errno.EISDIR: (StoreDenied, _IN_THE_WAY),
    errno.EEXIST: (StoreDenied, _IN_THE_WAY),
    errno.ENOTEMPTY: (StoreDenied, _IN_THE_WAY),
    errno.ELOOP: (StoreDenied, "{path}: leads through symbolic links, which a store does not follow"),
    errno.ENAMETOOLONG: (StoreDenied, "{path}: the name is too long for this file system: name another store"),
}
_OTHERWISE = (StoreUnavailable, "{path}: {what}: once that is put right, run again")


def store_error(error: OSError, path: Path) -> StoreError:
    """Return the storage error for an error of the operating system at `path`."""
    kind, text = _MEANINGS.get(error.errno or 0, _OTHERWISE)
    return kind(text.format(path=path, what=error.strerror or error))


@contextmanager
def opened_source(path: Path) -> Iterator[FileIO]:
    """Open the file that is to be put, unbuffered; raises StoreUnavailable if it cannot be read."""
    try:
        source = FileIO(os.fspath(path))
    except OSError as error:
        raise StoreUnavailable(f"cannot read {path}: {error.strerror or error}") from None
    with source:
        yield source


def checked_range(start: int, length: int) -> None:
    """Raise ValueError for a range that no object can have."""
    if start < 0 or length < 0:
        raise ValueError(f"not a range: {length} bytes from {start}")
