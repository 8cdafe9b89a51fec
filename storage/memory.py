"""A store in memory: for tests, and for trying things out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from storage.base import CHUNK_SIZE, ObjectInfo, checked_key
from storage.errors import ObjectMissing
from storage.files import checked_range, opened_source


class MemoryStore:
    """Objects in a dictionary; gone with the process."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self._modified: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "MemoryStore()"

    @property
    def url(self) -> str:
        """Always "memory:"."""
        return "memory:"

    def put(self, key: str, data: bytes) -> None:
        """Keep bytes under a key."""
        with self._lock:
            self._keep(checked_key(key), data)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Keep bytes unless the key exists; whether they were kept."""
        with self._lock:
            if checked_key(key) in self._objects:
                return False
            self._keep(key, data)
            return True

    def _keep(self, key: str, data: bytes) -> None:
        self._objects[key] = bytes(data)
        self._modified[key] = datetime.now(UTC)

    def put_file(self, key: str, path: Path) -> None:
        """Keep a file's bytes: all of them in memory, as everything here."""
        checked_key(key)
        with opened_source(path) as source:
            self.put(key, source.read())

    def get(self, key: str) -> bytes:
        """Return the whole object; raises ObjectMissing."""
        try:
            return self._objects[checked_key(key)]
        except KeyError:
            raise ObjectMissing(key) from None

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Part of an object; raises ObjectMissing."""
        checked_range(start, length)
        return self.get(key)[start : start + length]

    def stream(self, key: str) -> Iterator[bytes]:
        """Return the object in chunks; raises ObjectMissing."""
        data = self.get(key)
        return (data[at : at + CHUNK_SIZE] for at in range(0, len(data), CHUNK_SIZE))

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[ObjectInfo]:
        """Objects in key order, as they are when this is called."""
        with self._lock:
            found = [self._info(key, data) for key, data in self._objects.items() if key.startswith(prefix)]
        return (info for info in sorted(found, key=lambda info: info.key) if info.key > start_after)

    def _info(self, key: str, data: bytes) -> ObjectInfo:
        return ObjectInfo(key, len(data), self._modified.get(key))

    def head(self, key: str) -> ObjectInfo | None:
        """Return the object's size, or None."""
        data = self._objects.get(checked_key(key))
        return None if data is None else self._info(key, data)

    def delete(self, key: str) -> None:
        """Remove an object, if it is there."""
        with self._lock:
            self._objects.pop(checked_key(key), None)

    def now(self) -> datetime:
        """Return the time of this process's clock, by which objects are dated."""
        return datetime.now(UTC)
