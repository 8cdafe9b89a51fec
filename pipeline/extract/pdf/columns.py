"""From rows to lines in reading order: gutters between columns, bands, tables."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from statistics import median

from pipeline.extract.pdf.sheet import Box, Rows, Word, is_from_right

UNSPACED = re.compile("[\u2e80-\u2fdf\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
_FAR = 1e9


@dataclass(slots=True)
class Line:
    """Words that stand on one baseline in one column of page `page`, from left to right."""

    words: list[Word]
    page: int
    x0: float = field(init=False)
    x1: float = field(init=False)
    base: float = field(init=False)
    size: float = field(init=False)  # of most of its letters
    from_right: bool = field(init=False)

    def __post_init__(self) -> None:
        self.x0 = min(word.x0 for word in self.words)
        self.x1 = max(word.x1 for word in self.words)
        self.size = commonest_size(self.words)
        letters = "".join([word.text for word in self.words])
        self.from_right = not letters.isascii() and is_from_right(letters)
        main = [word.base for word in self.words if abs(word.size - self.size) <= 0.6]
        self.base = median(main or [word.base for word in self.words])

    @property
    def begin(self) -> float:
        """Return where it begins, in the direction in which it is read."""
        return -self.x1 if self.from_right else self.x0

    @property
    def end(self) -> float:
        """Return where it ends, in the direction in which it is read."""
        return -self.x0 if self.from_right else self.x1

    @property
    def box(self) -> Box:
        """Return the box around its words, on the turned page."""
        return self.x0, min(word.y0 for word in self.words), self.x1, max(word.y1 for word in self.words)


@dataclass(slots=True)
class Block:
    """Lines of one column from its top; with `tabular` the cells of one row of a table."""

    lines: list[Line]
    tabular: bool = False


def commonest_size(words: list[Word]) -> float:
    """Return the size that most letters have, to half a point."""
    counts: Counter[float] = Counter()
    for word in words:
        counts[round(word.size * 2) / 2] += len(word.text)
    return counts.most_common(1)[0][0]


# Gutters


@dataclass(frozen=True, slots=True)
class _Gutter:
    x: float
    begin: int
    end: int


def _gutters(rows: Rows, width: float, known: set[int]) -> list[_Gutter]:
    """Return strips at least 5 points wide that nearly no row crosses, with text on both sides.

    Where earlier pages have a gutter (`known`), a line on either side is enough: the last columns may be short.
    """
    if len(rows) < 6:
        return []
    points = int(width) + 2
    crossed, left, right = [0] * (points + 1), [0] * (points + 1), [0] * (points + 1)
    for row in rows:
        for begin, end in _ink(row, points):
            crossed[begin] += 1
            crossed[end] -= 1
        left[min(max(int(row[0].x0 + 3) + 1, 0), points)] += 1
        right[0] += 1
        right[min(max(int(max(word.x1 for word in row) - 3), 0), points)] -= 1
    most = 0.12 * len(rows) + 0.5
    least = max(5, 0.3 * len(rows))
    open_, sides = [], []
    counts = zip(accumulate(crossed), accumulate(left), accumulate(right), strict=True)
    for at, (cross, before, behind) in enumerate(counts):
        open_.append(cross <= most)
        sides.append(min(before, behind) >= (1 if at in known else least))
    found, x = [], 0
    while x < points:
        if not (open_[x] and sides[x]):
            x += 1
            continue
        begin = x
        while x < points and open_[x]:
            x += 1
        if x - begin >= 5 and x < points:
            found.append(_Gutter((begin + x) / 2, begin, x))
    return found


def _ink(row: list[Word], points: int) -> list[tuple[int, int]]:
    """Return what a row covers, gaps between its words included, in whole points."""
    found: list[tuple[int, int]] = []
    last: Word | None = None
    for word in row:
        begin, end = max(0, int(word.x0 + 0.3)), min(points - 1, int(word.x1 + 0.7))
        if last is not None and word.x0 - last.x1 < _gap(last, word):
            before, reached = found[-1]
            found[-1] = (before, max(reached, end))
        else:
            found.append((begin, max(begin, end)))
        last = word if last is None or word.x1 > last.x1 else last
    return found


def _gap(one: Word, other: Word) -> float:
    return max(4.5, 0.45 * min(one.size, other.size))


# Columns


def blocks_of(rows: Rows, width: float, page: int, known: set[int]) -> list[Block]:
    """Return the lines of a page in reading order: bands between lines that span it, column by column in each.

    `known` are the points where earlier pages have gutters; those of this page are added.
    """
    gutters = _gutters(rows, width, known)
    if gutters and _is_tabular(rows, gutters):
        if len(gutters) > 1 and len(rows) > 5:
            return _cells(rows, gutters, page)
        gutters = []
    if gutters:
        known.update(point for gutter in gutters for point in range(int(gutter.x) - 2, int(gutter.x) + 3))
        return _banded(rows, gutters, page)
    wide = sum(any(_is_wide(one, other) for one, other in pairwise(row)) for row in rows)
    if wide >= max(4, 0.15 * len(rows)):
        return _pieces(rows, page)
    return [Block([Line(row, page) for row in rows])] if rows else []


def _is_tabular(rows: Rows, gutters: list[_Gutter]) -> bool:
    """Whether half of the columns hold too few letters a line for prose."""
    edges = [-1.0, *(gutter.x for gutter in gutters), _FAR]
    few = 0
    for begin, end in pairwise(edges):
        counts = [
            sum(len(word.text) if UNSPACED.match(word.text) else 5 for word in row if begin <= word.x0 < end)
            for row in rows
        ]
        counts = [count for count in counts if count]
        few += bool(counts) and median(counts) < (16 if len(gutters) > 1 else 10)
    return 2 * few >= len(edges) - 1


def _cells(rows: Rows, gutters: list[_Gutter], page: int) -> list[Block]:
    """Return a table: the pieces of its rows in the order in which the file draws them, which is cell by cell."""
    found: list[tuple[int, list[Word]]] = []
    for row in rows:
        found += _parted(row, gutters).items()
    found.sort(key=lambda part: part[1][0].order)
    return _table([(column, Line(words, page)) for column, words in found])


def _parted(row: list[Word], gutters: list[_Gutter]) -> dict[int, list[Word]]:
    """Return the words of a row by their columns."""
    parts: dict[int, list[Word]] = {}
    for word in row:
        parts.setdefault(sum(word.x0 >= gutter.x - 1 for gutter in gutters), []).append(word)
    return parts


def _table(cells: list[tuple[float, Line]]) -> list[Block]:
    """Return a block for each row of a table: a row ends where the next cell stands further left, or higher."""
    found: list[Block] = []
    place, last = 0.0, None
    for column, line in cells:
        if last is not None and column >= place and line.base < last.base + 3 * last.size:
            found[-1].lines.append(line)
        else:
            found.append(Block([line], tabular=True))
        place, last = column, line
    return found


def _is_wide(one: Word, other: Word) -> bool:
    return other.x0 - one.x1 > 1.5 * one.size


def _pieces(rows: Rows, page: int) -> list[Block]:
    """Return rows with wide gaps and no gutters: their pieces as the file draws them."""
    found = []
    for row in rows:
        part = [row[0]]
        for one, other in pairwise(row):
            if _is_wide(one, other):
                found.append(part)
                part = []
            part.append(other)
        found.append(part)
    found.sort(key=lambda part: min(word.order for word in part))
    return _table([(part[0].x0 + 3, Line(part, page)) for part in found])


def _banded(rows: Rows, gutters: list[_Gutter], page: int) -> list[Block]:
    blocks: list[tuple[Block, bool]] = []  # with whether they span the columns
    columns: list[list[Line]] = [[] for _ in range(len(gutters) + 1)]

    def flush() -> None:
        blocks.extend((Block(list(lines)), False) for lines in columns if lines)
        for lines in columns:
            lines.clear()

    for row in rows:
        if not any(_crosses(row, gutter) for gutter in gutters):
            for place, words in _parted(row, gutters).items():
                columns[place].append(Line(words, page))
            continue
        flush()
        if blocks and blocks[-1][1]:
            blocks[-1][0].lines.append(Line(row, page))
        else:
            blocks.append((Block([Line(row, page)]), True))
    flush()
    return [block for block, _ in blocks]


def _crosses(row: list[Word], gutter: _Gutter) -> bool:
    x = gutter.x
    if any(word.x0 < x - 1 and word.x1 > x + 1 for word in row):
        return True
    before = [word for word in row if word.x1 <= x + 1]
    behind = [word for word in row if word.x0 >= x - 1]
    return bool(before and behind) and behind[0].x0 - before[-1].x1 < max(4.5, 0.45 * behind[0].size)
