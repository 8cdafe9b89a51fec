"""Files of the spool: folders that are synced to disk, locks that end with their holder, and what an error means."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from storage.errors import StoreUnavailable
from storage.private import private_folder


def try_lock(path: Path) -> int | None:
    """Return the descriptor of a locked file; None where another process holds it, or its folder is gone."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return descriptor


def make_folder(path: Path) -> None:
    """Make a folder of this user alone where it is absent, and see it and what leads to it to disk."""
    absent = [each for each in (path, *path.parents) if not each.exists()]
    private_folder(path)
    for each in absent:
        sync_folder(each.parent)


def sync_folder(path: Path) -> None:
    """See the names in a folder to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Raise StoreUnavailable for what the disk of the spool refuses."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(
            f"the local spool {folder} cannot be written ({error.strerror}): free space or mend its rights; "
            "what was captured so far is published by the next invocation"
        ) from error
