"""What never changes in a store, kept on this machine."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from storage.private import private_folder, write_private

_CHECKSUM = 32  # bytes before a kept object's own
_WORD = "redactions"  # the file that says when what is kept is to be forgotten
_KEPT = ("runs", "index", "notices", "annotations", "blocks", "search.sqlite*")  # what a cache's folder may hold
_SLACK = 64  # puts after which a limited cache looks at what it holds


@dataclass(slots=True, eq=False)
class Cache:
    """Immutable objects of one store in a local folder, or nowhere when there is no folder to keep them in.

    Each lies behind its SHA-256: a file that a power failure or another program left damaged is as good as none. With
    a limit, in bytes, those not asked for longest go when it is passed.
    """

    _folder: Path | None
    _limit: int | None = None
    _puts: int = 0

    def get(self, key: str) -> bytes | None:
        """Return the bytes kept for a key, or None."""
        if self._folder is None:
            return None
        path = self._folder / key
        try:
            kept = path.read_bytes()
            if self._limit is not None:
                os.utime(path)
        except OSError:
            return None
        data = kept[_CHECKSUM:]
        return data if hashlib.sha256(data).digest() == kept[:_CHECKSUM] else None

    def put(self, key: str, data: bytes) -> None:
        """Keep bytes; a cache that cannot be written is no fault."""
        if self._folder is None:
            return
        path = self._folder / key
        part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
        try:
            private_folder(path.parent)
            write_private(part, hashlib.sha256(data).digest() + data)
            part.replace(path)
        except OSError:
            with suppress(OSError):
                part.unlink()
        if self._limit is not None:
            self._puts += 1
            if self._puts % _SLACK == 1:
                self._shrink(self._folder, self._limit)

    def forget_unless(self, word: str) -> bool:
        """Delete all that is kept unless it was kept under this very word; whether that was so.

        What never changes has changed: something was taken out of the store for good.
        """
        if self._folder is None:
            return False
        mark = self._folder / _WORD
        try:
            kept = mark.read_text("ascii")
        except (OSError, ValueError):
            kept = ""
        if kept == word:
            return False
        for name in _KEPT:
            for path in self._folder.glob(name):
                with suppress(OSError):
                    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        with suppress(OSError):
            private_folder(self._folder)
            write_private(mark, word.encode("ascii"))
        return True

    @staticmethod
    def _shrink(folder: Path, limit: int) -> None:
        found = []
        for path in folder.rglob("*"):
            with suppress(OSError):  # another process shrinks it too
                if stat.S_ISREG((about := path.stat()).st_mode):
                    found.append((about.st_mtime, about.st_size, path))
        held = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if held <= limit:
                break
            with suppress(OSError):
                path.unlink()
            held -= size
