"""Small objects by which machines that watch the same pages agree who does what; any of them can be lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

from archive import object_keys
from storage.base import ObjectStore

MarkKind = Literal["turns", "beats", "told"]

_PREFIXES: dict[MarkKind, str] = {
    "turns": object_keys.TURNS_PREFIX,
    "beats": object_keys.BEATS_PREFIX,
    "told": object_keys.TOLD_PREFIX,
}


class WatchMarks:
    """The marks of one archive, by their kind and name; every method raises StoreError."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def names(self, kind: MarkKind) -> Iterator[str]:
        """Yield the names of all marks of a kind, in their order."""
        return (info.key.removeprefix(_PREFIXES[kind]) for info in self._store.list(_PREFIXES[kind]))

    def get(self, kind: MarkKind, name: str) -> bytes:
        """Return what a mark says; raises ObjectMissing."""
        return self._store.get(_PREFIXES[kind] + name)

    def exists(self, kind: MarkKind, name: str) -> bool:
        """Return whether there is such a mark."""
        return self._store.head(_PREFIXES[kind] + name) is not None

    def age(self, kind: MarkKind, name: str) -> timedelta | None:
        """Return how long ago a mark was put, by the store's clock; None if the store gives no time."""
        info = self._store.head(_PREFIXES[kind] + name)
        return None if info is None or info.modified is None else self._store.now() - info.modified

    def put(self, kind: MarkKind, name: str, data: bytes) -> None:
        """Put a mark, or replace it."""
        self._store.put(_PREFIXES[kind] + name, data)

    def put_if_absent(self, kind: MarkKind, name: str, data: bytes) -> bool:
        """Put a mark unless there is one; returns whether it was put: of two machines, one is first."""
        return self._store.put_if_absent(_PREFIXES[kind] + name, data)

    def delete(self, kind: MarkKind, name: str) -> None:
        """Remove a mark, if it is there."""
        self._store.delete(_PREFIXES[kind] + name)
