"""A comparison in rows: a line of the earlier text beside the later one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from archive.text_diff import Kind, Piece

_AROUND = 2  # unchanged lines that are shown on each side of a change

Cell = list[tuple[str, str]]  # kinds ("same", "deleted", "inserted") and texts


@dataclass(slots=True)
class Row:
    """A line of both texts."""

    before: Cell = field(default_factory=list)
    after: Cell = field(default_factory=list)
    ended: bool = False  # with whole lines that only one of the texts has

    @property
    def changed(self) -> bool:
        """Whether anything in it is not in both texts."""
        return any(kind != Kind.SAME for kind, _ in (*self.before, *self.after))


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows that follow each other; those far from any change are folded."""

    rows: tuple[Row, ...]
    folded: bool


def rows_of(pieces: Iterable[Piece]) -> list[Row]:
    """Return the rows of a comparison: one ends where both texts begin a new line."""
    rows = [Row()]
    for piece in pieces:
        if piece.kind != Kind.SAME:
            _changed(rows[-1], piece)
        else:
            if rows[-1].ended:
                rows.append(Row())
            first, *others = piece.text.split("\n")
            _same(rows[-1], first)
            for line in others:
                rows.append(Row())
                _same(rows[-1], line)
    return [row for row in rows if row.before or row.after]


def _changed(row: Row, piece: Piece) -> None:
    whole = piece.text.endswith("\n") and all(kind != Kind.SAME for kind, _ in row.before)
    text = piece.text.removesuffix("\n") if whole else piece.text
    (row.before if piece.kind == Kind.DELETED else row.after).append((piece.kind, text))
    row.ended = row.ended or whole


def _same(row: Row, text: str) -> None:
    if text:
        row.before.append((Kind.SAME, text))
        row.after.append((Kind.SAME, text))


def folded(rows: list[Row]) -> list[Stretch]:
    """Rows in stretches: changes with what stands around them, and between them what did not change."""
    near = {
        number + offset for number, row in enumerate(rows) if row.changed for offset in range(-_AROUND, _AROUND + 1)
    }
    stretches: list[Stretch] = []
    current: list[Row] = []
    for number, row in enumerate(rows):
        far = number not in near
        if current and far != (number - 1 not in near):
            stretches.append(_stretch(current, folded=not far))
            current = []
        current.append(row)
    if current:
        stretches.append(_stretch(current, folded=len(rows) - 1 not in near))
    return stretches


def _stretch(rows: list[Row], *, folded: bool) -> Stretch:
    return Stretch(tuple(rows), folded and len(rows) > 1)


def counted(pieces: Iterable[Piece]) -> tuple[int, int]:
    """How many words went and how many came; in scripts without spaces, runs of characters."""
    words = {Kind.DELETED: 0, Kind.INSERTED: 0, Kind.SAME: 0}
    for piece in pieces:
        words[piece.kind] += len(piece.text.split())
    return words[Kind.DELETED], words[Kind.INSERTED]
