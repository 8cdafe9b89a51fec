"""Targets between threads: what was named, read from a source that may block, and what was found meanwhile."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from archive.model import Role, Target

_LAST_READ = 1.0  # seconds that a source may take to give the target that it is asked for at the end
_AHEAD = 1000  # named targets read before those in front are fetched


@dataclass(slots=True, eq=False)
class TargetQueue:
    """An iterator over targets that ends when every target handed out is done and no source has more.

    Safe for threads. Requisites go before pages, so that a page and what it shows are of one time.
    """

    _named: Iterable[Target]
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _requisites: deque[Target] = field(default_factory=deque)
    _others: deque[Target] = field(default_factory=deque)
    _under_way: int = 0  # queued or handed out, and not done
    _reading: bool = True
    _closed: bool = False
    _error: BaseException | None = None

    def add(self, target: Target) -> None:
        """Queue a target that was found."""
        with self._changed:
            self._append(target)
            self._changed.notify_all()

    def done(self) -> None:
        """One target is dealt with, and so is all that it led to."""
        with self._changed:
            self._under_way -= 1
            self._changed.notify_all()

    def close(self) -> None:
        """Hand out no more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def left(self) -> list[Target]:
        """Return what is queued; to be asked once it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: not self._reading, _LAST_READ)
            return [*self._requisites, *self._others]

    def __iter__(self) -> Iterator[Target]:
        # The source is read in a thread of its own; nobody waits for it: it may never give another line.
        threading.Thread(target=self._read, name="named targets", daemon=True).start()
        while True:
            with self._changed:
                while not self._requisites and not self._others:
                    if self._error is not None:
                        raise self._error
                    if self._closed or (not self._reading and not self._under_way):
                        return
                    self._changed.wait()
                target = (self._requisites or self._others).popleft()
                self._changed.notify_all()
                if self._closed:
                    return
            yield target

    def _append(self, target: Target) -> None:
        self._under_way += 1
        (self._requisites if target.role == Role.REQUISITE else self._others).append(target)

    def _read(self) -> None:
        try:
            for target in self._named:
                with self._changed:
                    while len(self._others) >= _AHEAD and not self._closed:
                        self._changed.wait()
                    self._append(target)
                    self._changed.notify_all()
                    if self._closed:
                        break
        except BaseException as error:  # noqa: BLE001 - raised again in the consumer's thread
            self._error = error
        with self._changed:
            self._reading = False
            self._changed.notify_all()
