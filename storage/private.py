"""Folders and files of this machine that nobody but their user reads, whatever the umask: caches, state, spools."""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
from pathlib import Path
from typing import BinaryIO, Literal

FOLDER = 0o700
FILE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def private_folder(path: Path, *, may_be_shared: bool = False) -> None:
    """Make a folder, and the folders that lead to it, with mode 0700; tighten the folder itself where it exists.

    Raises OSError when a folder cannot be made. A folder of another user, one that is shared on purpose (sticky, as
    /tmp is), and one on a file system without modes stay as they are; with `may_be_shared` each that exists, for users
    share keys, settings and watch lists.
    """
    absent = []
    for each in (path, *path.parents):
        if each.exists():
            break
        absent.append(each)
    for each in reversed(absent):
        with contextlib.suppress(FileExistsError):  # another process made it meanwhile
            each.mkdir(FOLDER)
        tighten(each)
    if not path.is_dir():  # a file lies there, or a link that leads nowhere
        path.mkdir(FOLDER)
    if not may_be_shared:
        tighten(path)


def private_file(path: Path) -> None:
    """Make an empty file with mode 0600, or tighten the one that exists; raises OSError."""
    os.close(_opener(os.fspath(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC))


def open_private(path: Path, mode: Literal["ab", "wb"], buffering: int = -1) -> BinaryIO:
    """Open a file to be written; it has mode 0600 before its first byte. Raises OSError."""
    return open(path, mode, buffering, opener=_opener)


def write_private(path: Path, data: bytes) -> None:
    """Write a whole file of mode 0600, replacing what it held; raises OSError."""
    with open_private(path, "wb") as file:
        file.write(data)


def tighten(path: Path) -> None:
    """Take the rights of all others from a folder or a file of this user; a fault is no reason to stop."""
    with contextlib.suppress(OSError):
        found = path.stat()
        wanted = FOLDER if stat.S_ISDIR(found.st_mode) else FILE
        exact = found.st_mode & (_OTHERS | wanted) == wanted  # a umask may have taken a right from its user as well
        if not exact and not found.st_mode & stat.S_ISVTX and found.st_uid == os.geteuid():
            path.chmod(wanted)


def make_usable(path: Path) -> str:
    """Return what to do where a file or a folder cannot be used: a sentence, with a command to be pasted."""
    folder = path if path.is_dir() else path.parent
    names = shlex.join([str(folder), *([str(path)] if path.is_file() else [])])
    return f"free space, or make {path} readable and writable for this user: chmod u+rwX {names}"


def _opener(path: str, flags: int) -> int:
    descriptor = os.open(path, flags, FILE)
    with contextlib.suppress(OSError):
        found = os.fstat(descriptor)
        exact = found.st_mode & (_OTHERS | FILE) == FILE
        if stat.S_ISREG(found.st_mode) and not exact and found.st_uid == os.geteuid():
            os.fchmod(descriptor, FILE)
    return descriptor
