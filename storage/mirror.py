"""A store of several stores, each of which holds everything: the first decides, the others are its copies.

- A put or delete is done when the first member has done it. The others are asked next; what one of them cannot take now
  is warned of, and is no failure: runs are published to each member by itself (`archive.runs.commit`), and whatever
  else is in an archive can be made again or lost.
- `put_if_absent` is decided by the first member alone, so that of two writers one wins. A copy gets the bytes unless it
  holds some.
- Reads, and the listing, come from the first member that answers. A member that is out of reach, denied or not there
  rests for a minute: those after it are asked, with a warning, as they may lack what is newest. No object under that
  key is an answer, when it is the first member's; of a later one it is not believed, and what kept the first from
  answering is raised.
- A stream or listing that breaks off is not taken up by another member: it could be of another object by then.

Nothing here repairs. Each member is an archive of its own, and what is decided by looking (whether a run is committed,
merging, clearing away, verifying, mending) is done member by member.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, MutableSequence, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from storage.base import ObjectInfo, ObjectStore, checked_key
from storage.errors import ObjectMissing, StoreError

_log = logging.getLogger("onrecord.storage")

SCHEME = "mirror:"
_REST = 60.0  # seconds for which a member that did not answer is asked last
_ESCAPE = re.compile("%(25|2C)", re.IGNORECASE)
_TO_ESCAPE = re.compile("%(?=25|2C)|,", re.IGNORECASE)

_Result = TypeVar("_Result")
_Faults = MutableSequence[tuple[bool, int, StoreError]]  # whether the object is missing, in which member, and the error


def mirror_address(members: Sequence[str]) -> str:
    """`mirror:` and the members' addresses with a comma between them; a comma in one is written %2C."""
    return SCHEME + ",".join(_TO_ESCAPE.sub(lambda found: "%25" if found[0] == "%" else "%2C", it) for it in members)


def member_addresses(address: str) -> list[str]:
    """The addresses in a mirror's; what `mirror_address` made of them, undone."""
    parts = address.removeprefix(SCHEME).split(",")
    return [_ESCAPE.sub(lambda found: "%" if found[1] == "25" else ",", part).strip() for part in parts]


def members(store: ObjectStore) -> tuple[ObjectStore, ...]:
    """The stores that a store is made of: a mirror's members, the first one first, or the store itself."""
    return store.members if isinstance(store, MirrorStore) else (store,)


class MirrorStore:
    """Several stores as one; the module's text says how."""

    def __init__(self, members: Sequence[ObjectStore], *, rest: float = _REST) -> None:
        self.members = tuple(members)
        self._rest = rest
        self._resting: dict[int, float] = {}  # numbers of members, and until when
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"MirrorStore({self.url!r})"

    @property
    def url(self) -> str:
        """The address in the form that `open_store` reads."""
        return mirror_address([member.url for member in self.members])

    @property
    def conditional_puts(self) -> bool | None:
        """What the first member says of itself: it alone decides."""
        return getattr(self.members[0], "conditional_puts", True)

    def put(self, key: str, data: bytes) -> None:
        """Keep bytes in the first member, and in the others as far as they answer."""
        self._write(lambda member: member.put(key, data))

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Keep bytes unless the first member has the key; whether they were kept."""
        created = self.members[0].put_if_absent(key, data)
        self._resting.pop(0, None)
        if created:
            self._copy(lambda member: member.put_if_absent(key, data))
        return created

    def put_file(self, key: str, path: Path) -> None:
        """Keep a file's bytes in the first member, and in the others as far as they answer."""
        self._write(lambda member: member.put_file(key, path))

    def get(self, key: str) -> bytes:
        """The whole object; raises ObjectMissing, StoreError."""
        return self._read(lambda member: member.get(key))

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Part of an object; raises ObjectMissing, StoreError."""
        return self._read(lambda member: member.get_range(key, start, length))

    def stream(self, key: str) -> Iterator[bytes]:
        """The object in chunks, all from one member; raises ObjectMissing, StoreError."""
        checked_key(key)
        return self._pieces(lambda member: member.stream(key))

    def list(self, prefix: str = "", start_after: str = "") -> Iterator[ObjectInfo]:
        """Objects in key order, as one member lists them."""
        return self._pieces(lambda member: member.list(prefix, start_after))

    def head(self, key: str) -> ObjectInfo | None:
        """The object's size, or None."""

        def look(member: ObjectStore) -> ObjectInfo:
            found = member.head(key)
            if found is None:
                raise ObjectMissing(key)
            return found

        try:
            return self._read(look)
        except ObjectMissing:
            return None

    def delete(self, key: str) -> None:
        """Remove an object from the first member, and from the others as far as they answer."""
        self._write(lambda member: member.delete(key))

    def now(self) -> datetime:
        """The first member's time, or that of the next one that answers."""
        return self._read(lambda member: member.now())

    # -- writing

    def _write(self, act: Callable[[ObjectStore], object]) -> None:
        act(self.members[0])
        self._resting.pop(0, None)
        self._copy(act)

    def _copy(self, act: Callable[[ObjectStore], object]) -> None:
        for number, member in enumerate(self.members[1:], 1):
            if self._rests(number):
                continue
            try:
                act(member)
            except StoreError as error:
                self._let_rest(number, error)

    # -- reading

    def _read(self, act: Callable[[ObjectStore], _Result]) -> _Result:
        faults: _Faults = []
        for number in self._in_turn():
            try:
                return act(self.members[number])
            except StoreError as error:
                self._passed(number, error, faults)
        raise min(faults, key=lambda fault: fault[:2])[2]

    def _pieces(self, act: Callable[[ObjectStore], Iterator[_Result]]) -> Iterator[_Result]:
        faults: _Faults = []
        for number in self._in_turn():
            begun = False
            try:
                for piece in act(self.members[number]):
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
        """Go on to the next member; raises the first one's answer that there is no such object."""
        missing = isinstance(error, ObjectMissing)
        if missing and number == 0:
            raise error
        if not missing:
            self._let_rest(number, error)
        faults.append((missing, number, error))

    def _in_turn(self) -> Sequence[int]:
        return sorted(range(len(self.members)), key=lambda number: (self._rests(number), number))

    def _rests(self, number: int) -> bool:
        return time.monotonic() < self._resting.get(number, 0)

    def _let_rest(self, number: int, error: StoreError) -> None:
        with self._lock:
            told = number in self._resting
            self._resting[number] = time.monotonic() + self._rest
        if not told:
            what = (
                "the others are read, which may lack what is newest"
                if number == 0
                else "it lacks what is put meanwhile"
            )
            _log.warning("%s of the mirror is left alone for a while: %s; %s", self.members[number].url, error, what)
