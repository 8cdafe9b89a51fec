"""Whose turn it is: one `run` at a time, on this machine by a lock, among machines by marks in the store.

A mark is no lock. The machine that has the turn beats every so often; when the beats stop, the next machine takes the
turn, and two that overlap for a moment do double work and no harm. Marks can be lost at any time. The store's clock
says how old one is.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from archive.checked_json import parsed_object, text_of
from archive.coordination import MarkKind, WatchMarks
from archive.times import from_iso, is_rehearsed, iso, now
from storage.errors import ObjectMissing, OnrecordError, StoreError
from storage.private import make_usable, private_folder

_log = logging.getLogger("onrecord.watch")

BEAT = 30.0  # seconds between two
SILENCE = timedelta(minutes=3)  # without a beat, after which a turn is over


class AlreadyRunning(OnrecordError):
    """Another run has not ended yet; nothing is queued behind it."""

    exit_code = 11


class Elsewhere(Exception):
    """Another machine has the turn: it does what is due."""


class Turn:
    """A turn that this machine has; `held` tells whether it still is."""

    def __init__(self, marks: WatchMarks, number: int, name: str) -> None:
        self._marks = marks
        self._number = number
        self.name = name
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="turn", daemon=True)

    def begin(self) -> None:
        """Beat from now on."""
        self._thread.start()

    def held(self) -> bool:
        """Whether nobody has taken the turn after this one; raises StoreError."""
        return not self._marks.exists("turns", _named(self._number + 1))

    def end(self) -> None:
        """Let the next one have the turn at once."""
        self._ended.set()
        self._thread.join()
        self._mark(ended=True)

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            self._mark(ended=False)

    def _mark(self, *, ended: bool) -> None:
        try:
            self._marks.put("beats", _named(self._number), _said(self.name, ended=ended))
        except StoreError as error:  # then another may take the turn too early, and do no harm
            _log.info("no beat: %s", error)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only run of a store on this machine; raises AlreadyRunning, StoreError. The lock ends with its holder."""
    try:
        private_folder(folder)
        descriptor = os.open(folder / "running.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{folder} cannot be used: {error.strerror}; {make_usable(folder)}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning("another run of this store has not ended; what is due waits for the next") from None
        yield
    finally:
        os.close(descriptor)


@contextmanager
def turn(marks: WatchMarks, name: str | None = None) -> Iterator[Turn | None]:
    """Take the turn among machines; None where the store does not take marks now. Raises Elsewhere."""
    name = name or f"{socket.gethostname()[:60]}-{os.getpid()}"
    try:
        mine = _taken(marks, name)
    except StoreError as error:
        _log.warning("whether another machine runs cannot be told: %s", error)
        yield None
        return
    mine.begin()
    try:
        yield mine
    finally:
        mine.end()


def _taken(marks: WatchMarks, name: str) -> Turn:
    numbers = sorted(number for mark in marks.names("turns") if (number := _number(mark)) is not None)
    last = numbers[-1] if numbers else 0
    if last and (holder := _holder(marks, last)) is not None:
        raise Elsewhere(holder)
    if not marks.put_if_absent("turns", _named(last + 1), _said(name, ended=False)):
        raise Elsewhere("another machine")
    for number in numbers[:-1]:
        with contextlib.suppress(StoreError):
            marks.delete("turns", _named(number))
            marks.delete("beats", _named(number))
    return Turn(marks, last + 1, name)


def _holder(marks: WatchMarks, number: int) -> str | None:
    """Return who has a turn that is not over, by the time that the store gave the last mark: clocks differ."""
    kinds: tuple[MarkKind, ...] = ("beats", "turns")
    for kind in kinds:
        with suppress(ObjectMissing, ValueError, KeyError):
            said = parsed_object(marks.get(kind, _named(number)))
            if said.get("ended") is True or _age(marks, kind, number, from_iso(text_of(said["at"]))) > SILENCE:
                return None
            return text_of(said["by"])
    return None


def _age(marks: WatchMarks, kind: MarkKind, number: int, said: datetime) -> timedelta:
    """Return how old a mark is by the store's clock, or if that gives no time, by what its machine said."""
    age = None if is_rehearsed() else marks.age(kind, _named(number))
    return abs(now() - said) if age is None else age


def _said(name: str, *, ended: bool) -> bytes:
    return json.dumps({"by": name, "at": iso(now()), "ended": ended}).encode() + b"\n"


def _named(number: int) -> str:
    return f"{number:010}"


def _number(name: str) -> int | None:
    digits = name.rpartition("/")[2]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None
