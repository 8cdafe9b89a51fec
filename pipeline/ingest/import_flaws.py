"""What of an imported file was left out, or is odd: each named with its place, as many as suit the file's size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from archive.importers import Flaw
from archive.model import Outcome
from archive.runs import Session
from archive.times import iso, now

_MOST = 1_000  # flaws of one part that are named one by one
_LONGEST = 500  # characters of a reason
_FREE = 8 << 10  # bytes of outcomes that a file may leave behind,
_TIMES = 4  # and besides for a byte of the file


@dataclass(frozen=True, slots=True)
class Left:
    """Something of a file that was not taken, or is odd: the part of the file, the byte in it, and why."""

    file: str
    part: str
    offset: int | None
    reason: str
    taken: bool = False  # all the same
    clashes: bool = False  # with a record that has its id and other bytes

    @property
    def place(self) -> str:
        """Where it is, in words."""
        at = f" at byte {self.offset:,}" if self.offset is not None else ""
        return f"{self.file}{f' {self.part}' if self.part else ''}{at}"


Told = Callable[[Left], None]


class Flaws:
    """Names the flaws of one file; what was left out becomes an outcome of the run, which stays for good.

    After 1,000 of a part, or more than suits a file of `size` bytes, flaws are counted, and the number is named.
    """

    def __init__(self, file: str, size: int, session: Session, told: Told) -> None:
        self._file = file
        self._session = session
        self._told = told
        self._left_bytes = self._most_bytes = _FREE + _TIMES * size  # of outcomes
        self._named: Counter[tuple[str, bool]] = Counter()  # by part, and whether it was taken all the same
        self._unnamed: Counter[tuple[str, bool]] = Counter()
        self.left = 0  # what was left out,
        self.notes = 0  # or is odd,
        self.clashes = 0  # and has the id of another record

    @property
    def written(self) -> int:
        """Bytes of outcomes that were written."""
        return self._most_bytes - self._left_bytes

    def add(self, part: str, offset: int | None, reason: str, *, taken: bool = False, clashes: bool = False) -> None:
        """Name something that is left out, or odd."""
        self._add(Left(self._file, part, offset, reason, taken, clashes), part)

    def of_container(self, flaws: Iterable[Flaw]) -> None:
        """Name what is wrong with the parts of a container."""
        for flaw in flaws:
            self._add(Left(self._file, flaw.part, None, flaw.reason, flaw.taken), "")

    def end(self, part: str = "") -> None:
        """Name how many more there were of a part than were named one by one; "" is the file itself."""
        for taken in (False, True):
            more = self._unnamed.pop((part, taken), 0)
            if more and part and self._left_bytes <= 0:  # one line for all such parts
                self._unnamed["", taken] += more
            elif more:
                what = "more odd records or places that were taken" if taken else "more that were left out"
                self._name(Left(self._file, part, None, f"and {more:,} {what}", taken))

    def _add(self, left: Left, group: str) -> None:
        self.notes += left.taken
        self.left += not left.taken
        self.clashes += left.clashes
        self._named[group, left.taken] += 1
        if self._named[group, left.taken] <= _MOST and self._left_bytes > 0:
            self._name(left)
        else:
            self._unnamed[group, left.taken] += 1

    def _name(self, left: Left) -> None:
        left = replace(left, reason=left.reason[:_LONGEST])
        if not left.taken:
            error = f"{left.place}: {left.reason}"
            outcome = Outcome(self._file, "not-imported", iso(now()), error=error, role="record")
            self._left_bytes -= len(self._session.add_outcome(outcome))
        self._told(left)
