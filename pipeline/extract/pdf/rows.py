"""From words to rows: those that stand on one baseline, with the small, raised and lowered ones that touch them."""

from __future__ import annotations

from pipeline.extract.pdf.sheet import Rows, Word

_LETTERS = 8  # single letters that a row of nothing else has at most


def rows_of(words: list[Word]) -> Rows:
    """Return words by their baselines, from the top; small raised or lowered ones are in the row that they touch."""
    if not words:
        return []
    usual = sorted(word.size for word in words)[int(0.8 * len(words))]
    rows: list[tuple[Word, list[Word]]] = []
    small: list[Word] = []
    for word in sorted(words, key=lambda word: -word.base):
        if word.size < 0.8 * usual and len(word.text) < 5:
            small.append(word)
        else:
            _put(rows, word, strict=True)
    lower = [word for word in small if not _level(rows, word)]
    rest = [word for word in lower if not _touching(rows, word)]
    alone: list[tuple[Word, list[Word]]] = []
    for word in rest:
        home = next((row for first, row in rows if abs(first.base - word.base) < 0.22 * word.size), None)
        if home is not None:
            home.append(word)
        else:
            _put(alone, word, strict=False)
    rows = sorted([*_with_letters(rows), *alone], key=lambda row: -row[0].base)
    return [sorted(row, key=lambda word: word.x0) for _, row in rows]


def _with_letters(rows: list[tuple[Word, list[Word]]]) -> list[tuple[Word, list[Word]]]:
    """Return rows, those of lowered single letters, as logos have them, put into the rows that these touch."""
    found = []
    for first, row in rows:
        if len(row) < _LETTERS and all(len(word.text) == 1 for word in row):
            others = [each for each in rows if each[1] is not row and abs(each[0].base - first.base) < 0.4 * first.size]
            row[:] = [word for word in row if not _touching(others, word)]
        if row:
            found.append((first, row))
    return found


def _put(rows: list[tuple[Word, list[Word]]], word: Word, *, strict: bool) -> None:
    """Add a word to the last row, or as a new one."""
    if rows:
        first, row = rows[-1]
        if abs(first.base - word.base) < 0.22 * (min(word.size, first.size) if strict else word.size):
            row.append(word)
            return
    rows.append((word, [word]))


def _level(rows: list[tuple[Word, list[Word]]], word: Word) -> bool:
    """Add a word to the row of its size on whose baseline it stands, if there is one."""
    for first, row in rows:
        if abs(first.base - word.base) < 0.08 * word.size and abs(first.size - word.size) < 0.1 * word.size:
            row.append(word)
            return True
    return False


def _touching(rows: list[tuple[Word, list[Word]]], word: Word) -> bool:
    """Add a small word to the nearest row that it touches, if there is one."""
    best: tuple[float, list[Word]] | None = None
    for first, row in rows:
        above = word.base - first.base
        if -0.4 * first.size < above < 0.55 * first.size and (best is None or abs(above) < best[0]):
            reach = [0.4 * each.size for each in row]
            if any(
                abs(each.x1 - word.x0) < most or abs(each.x0 - word.x1) < most
                for each, most in zip(row, reach, strict=True)
            ):
                best = (abs(above), row)
    if best is not None:
        best[1].append(word)
    return best is not None
