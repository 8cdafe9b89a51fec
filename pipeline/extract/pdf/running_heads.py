"""What recurs at the edges of pages, running heads and page numbers, and the numbers of lines: no part of the text."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from pipeline.extract.pdf.sheet import Rows, Sheet, Word

_NUMBER = re.compile(r"\d+|\b[ivxlc]+\b", re.IGNORECASE)
_PAGE_NUMBER = re.compile(
    r"[-\u2013\u2014\s]*(?:page|seite|p\.|s\.)?\s*(\d{1,4})\s*(?:(?:of|/|von|de|sur)\s*\d+)?[-\u2013\u2014\s]*",
    re.IGNORECASE,
)
_LINES = 8  # of a page that open with a number before these are taken for line numbers
_LINES_LATER = 3  # on later pages of the same file

_Key = tuple[str, int]  # a text without its numbers, and the height at which it stands


@dataclass(frozen=True, slots=True)
class _Candidate:
    page: int
    row: list[Word]
    key: _Key
    number: int | None
    is_large: bool  # larger than most of the page


class RunningHeads:
    """Finds what recurs; what it has seen on earlier pages counts for later ones."""

    def __init__(self, pages: int) -> None:
        self._least = max(2.0, min(4.0, 0.25 * pages))
        self._single = pages == 1
        self._pages = pages
        self._seen: defaultdict[_Key, set[int]] = defaultdict(set)
        self._numbers: Counter[int] = Counter()
        self._numbered = False  # whether lines have numbers

    def removed(self, sheets: list[Sheet]) -> None:
        """Take running heads, page numbers and the numbers of lines out of the rows of sheets."""
        found = [candidate for sheet in sheets for candidate in _candidates(sheet)]
        for each in found:
            text, height = each.key
            for near in (-1, 0, 1):
                self._seen[text, height + near].add(each.page)
            if each.number is not None:
                self._numbers[each.number - each.page] += 1
        gone = {id(each.row) for each in found if self._recurs(each)}
        emptied = sum(bool(sheet.rows) and all(id(row) in gone for row in sheet.rows) for sheet in sheets)
        if 2 * emptied > len(sheets):  # pages of one line, all alike: it is what they say
            gone = {id(each.row) for each in found if each.number is not None and id(each.row) in gone}
        for sheet in sheets:
            sheet.rows = self._without_numbers([row for row in sheet.rows if id(row) not in gone])

    def _recurs(self, each: _Candidate) -> bool:
        if each.number is not None and (self._single or self._numbers[each.number - each.page] >= 2):
            return True
        least = max(4.0, 0.4 * self._pages) if each.is_large else self._least  # headings may stand at the top of a page
        return not self._single and len(self._seen[each.key]) >= least

    def _without_numbers(self, rows: Rows) -> Rows:
        """Return rows without the numbers that count them, where they have such."""
        found = [
            (at, int(row[0].text))
            for at, row in enumerate(rows)
            if len(row) > 1 and row[0].text.isascii() and row[0].text.isdigit() and len(row[0].text) < 7
            and row[1].x0 - row[0].x1 > 0.6 * row[1].size
        ]  # fmt: skip
        rising = sum(after - before == 1 for (_, before), (_, after) in pairwise(found))
        if len(found) >= (_LINES_LATER if self._numbered else _LINES) and rising >= 0.8 * (len(found) - 1):
            self._numbered = True
            counted = {at for at, _ in found}
            return [row[1:] if at in counted else row for at, row in enumerate(rows)]
        return rows


def _candidates(sheet: Sheet) -> Iterator[_Candidate]:
    """Up to three rows at each edge, as long as they stand off from what follows: by a gap, or in another size."""
    rows = sheet.rows
    gaps = [one[0].base - other[0].base for one, other in pairwise(rows)]
    pitch = median(gaps) if gaps else 0.0
    usual = median(row[0].size for row in rows) if rows else 0.0
    taken: set[int] = set()
    for side in (rows, rows[::-1]):
        waiting: list[list[Word]] = []
        stands_off = False
        for row, following in zip(side[:3], [*side[1:4], None], strict=False):
            if 0.25 < row[0].base / sheet.height < 0.75:
                break
            waiting.append(row)
            if following is None or stands_off or _apart(row, following, pitch):
                stands_off = True
                for each in waiting:
                    if id(each) not in taken:
                        taken.add(id(each))
                        yield _candidate(sheet.number, each, usual)
                waiting = []


def _apart(row: list[Word], following: list[Word], pitch: float) -> bool:
    gap = abs(row[0].base - following[0].base)
    return gap >= 1.2 * pitch or abs(row[0].size - following[0].size) > 0.8


def _candidate(page: int, row: list[Word], usual: float) -> _Candidate:
    text = " ".join(word.text for word in row)
    match = _PAGE_NUMBER.fullmatch(text)
    key = (_NUMBER.sub("#", text), round(row[0].base / 3))
    return _Candidate(page, row, key, int(match[1]) if match else None, row[0].size > 1.1 * usual)
