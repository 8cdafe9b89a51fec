"""A primary store and its replicas, read and written through one: the primary decides, the replicas follow.

- A put or delete is done when the primary has done it. The replicas are asked next; what one of them cannot take now is
  warned of, and is no failure: runs are published to each store by itself (`ReplicaSet.publish`), and whatever else is
  in an archive can be made again or lost.
- `put_if_absent` is decided by the primary alone, so that of two writers one wins. A replica gets the bytes unless it
  holds some.
- Reads, and the listing, come from the first store that answers. A store that is out of reach, denied or not there
  rests for a minute: those after it are asked, with a warning, as they may lack what is newest. No object under that
  key is an answer, when it is the primary's; of a replica it is not believed, and what kept the primary from answering
  is raised.
- A stream or listing that breaks off is not taken up by another store: it could be of another object by then.

Nothing here repairs. Each store is an archive of its own, and what is decided by looking (whether a run is committed,
merging, clearing away, verifying, repairing) is done store by store, by `ReplicaSet`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, MutableSequence, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from storage.base import ObjectInfo, ObjectStore, checked_key
from storage.errors import ObjectMissing, StoreError
from storage.location import address_of

_log = logging.getLogger("onrecord.storage")

_REST = 60.0  # seconds for which a store that did not answer is asked last

_Result = TypeVar("_Result")
_Faults = MutableSequence[tuple[bool, int, StoreError]]  # whether the object is missing, in which store, and the error


class FailoverStore:
    """The stores of one archive as one; the module's text says how. Safe for several threads."""

    def __init__(self, stores: Sequence[ObjectStore], *, rest: float = _REST) -> None:
        """Take a primary and its replicas; one that fails is asked last for `rest` seconds."""
        self._stores = tuple(stores)
        self._rest = rest
        self._resting: dict[int, float] = {}  # numbers of stores, and until when
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"FailoverStore({self.url!r})"

    @property
    def url(self) -> str:
        """The address in the form that `open_store` reads."""
        return address_of(self._stores)

    def put(self, key: str, data: bytes) -> None:
        """Keep bytes in the primary, and in the replicas as far as they answer."""
        self._write(lambda store: store.put(key, data))

    def now(self) -> datetime:
        """Return the primary's time, or that of the first replica that answers; raises StoreError."""
        return self._read(lambda store: store.now())

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Keep bytes unless the primary has the key; returns whether they were kept."""
        created = self._stores[0].put_if_absent(key, data)
        self._resting.pop(0, None)
        if created:
            self._copy(lambda store: store.put_if_absent(key, data))
        return created

    def put_file(self, key: str, path: Path) -> None:
        """Keep a file's bytes in the primary, and in the replicas as far as they answer."""
        self._write(lambda store: store.put_file(key, path))

    def get(self, key: str) -> bytes:
        """Return the whole object; raises ObjectMissing, StoreError."""
        return self._read(lambda store: store.get(key))

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Part of an object; raises ObjectMissing, StoreError."""
        return self._read(lambda store: store.get_range(key, start, length))

    def stream(self, key: str) -> Iterator[bytes]:
        """Return the object in chunks, all from one store; raises ObjectMissing, StoreError."""
        checked_key(key)
        return self._pieces(lambda store: store.stream(key))

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[ObjectInfo]:
        """Objects in key order, as one store lists them."""
        return self._pieces(lambda store: store.list(prefix, start_after))

    def head(self, key: str) -> ObjectInfo | None:
        """Return the object's size, or None."""

        def look(store: ObjectStore) -> ObjectInfo:
            found = store.head(key)
            if found is None:
                raise ObjectMissing(key)
            return found

        try:
            return self._read(look)
        except ObjectMissing:
            return None

    def delete(self, key: str) -> None:
        """Remove an object from the primary, and from the replicas as far as they answer."""
        self._write(lambda store: store.delete(key))

    # -- writing

    def _write(self, act: Callable[[ObjectStore], object]) -> None:
        act(self._stores[0])
        self._resting.pop(0, None)
        self._copy(act)

    def _copy(self, act: Callable[[ObjectStore], object]) -> None:
        for number, store in enumerate(self._stores[1:], 1):
            if self._rests(number):
                continue
            try:
                act(store)
            except StoreError as error:
                self._let_rest(number, error)

    # -- reading

    def _read(self, act: Callable[[ObjectStore], _Result]) -> _Result:
        faults: _Faults = []
        for number in self._in_turn():
            try:
                return act(self._stores[number])
            except StoreError as error:
                self._passed(number, error, faults)
        raise min(faults, key=lambda fault: fault[:2])[2]

    def _pieces(self, act: Callable[[ObjectStore], Iterator[_Result]]) -> Iterator[_Result]:
        faults: _Faults = []
        for number in self._in_turn():
            begun = False
            try:
                for piece in act(self._stores[number]):
                    begun = True
                    yield piece
            except StoreError as error:
                if begun:
                    raise
                self._passed(number, error, faults)
            else:
                return
        raise min(faults, key=lambda fault: fault[:2])[2]

    def _passed(self, number: int, error: StoreError, faults: _Faults) -> None:
        """Go on to the next store; raises the primary's answer that there is no such object."""
        missing = isinstance(error, ObjectMissing)
        if missing and number == 0:
            raise error
        if not missing:
            self._let_rest(number, error)
        faults.append((missing, number, error))

    def _in_turn(self) -> Sequence[int]:
        return sorted(range(len(self._stores)), key=lambda number: (self._rests(number), number))

    def _rests(self, number: int) -> bool:
        return time.monotonic() < self._resting.get(number, 0)

    def _let_rest(self, number: int, error: StoreError) -> None:
        with self._lock:
            warned = number in self._resting
            self._resting[number] = time.monotonic() + self._rest
        if not warned:
            what = (
                "the others are read, which may lack what is newest"
                if number == 0
                else "it lacks what is put meanwhile"
            )
            _log.warning("%s of the mirror is left alone for a while: %s; %s", self._stores[number].url, error, what)
