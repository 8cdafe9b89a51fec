"""The contract every store keeps, in prose and as a protocol.

A store maps keys to bytes. A key is one or more segments joined by "/", each matching `[A-Za-z0-9._-]+` and neither "."
nor ".."; anything else, and a negative range, raises `ValueError` before anything is touched. No key is a folder of
another: "a" and "a/b" are not both used. Objects are whole or absent: a reader never sees
part of a put, whenever the writer is killed. A put replaces what was there. `list` yields keys in the order of their
bytes. A key that is not there raises `ObjectMissing` (`head` returns None instead, `delete` does nothing). Every other
failure is one of `storage.errors`, never a foreign exception. All methods may be called from several threads at once.
When an object was last put is said by the store's own clock, and by no store but to its second or so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

_SEGMENT = re.compile(r"[A-Za-z0-9._-]+\Z")

CHUNK_SIZE = 1 << 20  # bytes a streamed read hands over at a time


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a listing knows of an object: its key, its size in bytes, and when it was last put."""

    key: str
    size: int
    modified: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Leftover:
    """What a put that was broken off left in a store and no listing shows: its bytes, and when it was begun."""

    name: str
    size: int
    begun: datetime


class ObjectStore(Protocol):
    """Bytes under keys; the module's text is the contract."""

    @property
    def url(self) -> str:
        """The store's address as a user would write it, without credentials."""

    def put(self, key: str, data: bytes) -> None:
        """Keep `data` under `key`, durably once this returns."""

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Keep `data` unless the key exists: True when this call created it, False when it was there."""

    def put_file(self, key: str, path: Path) -> None:
        """Keep a file's bytes under `key` in bounded memory, by multipart where the store has it."""

    def get(self, key: str) -> bytes:
        """Return the whole object."""

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`; fewer only where the object ends, b"" at or past its end."""

    def stream(self, key: str) -> Iterator[bytes]:
        """Return the whole object in chunks, in bounded memory."""

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[ObjectInfo]:
        """Objects whose key begins with `prefix` and sorts after `start_after`, in key order."""

    def head(self, key: str) -> ObjectInfo | None:
        """Return the object's size, or None without one."""

    def delete(self, key: str) -> None:
        """Remove the object; removing what is not there is no error."""

    def now(self) -> datetime:
        """Return the time by the clock that dates this store's objects, UTC.

        Whatever the clock of this machine says.
        """


@runtime_checkable
class KeepsLeftovers(Protocol):
    """A store in which a put that is broken off can leave something behind."""

    def leftovers(self, before: datetime) -> Iterator[Leftover]:
        """Return what puts that began before a time left; those still under way may be among it."""

    def clear(self, leftover: Leftover) -> None:
        """Remove it, if it is still there."""


def checked_key(key: str) -> str:
    """Return `key` if it keeps to the contract's form, else raise ValueError."""
    segments = key.split("/")
    if all(_SEGMENT.match(segment) and segment not in {".", ".."} for segment in segments):
        return key
    raise ValueError(f"not a key: {key!r}")
