"""The text of lines, and how lines are joined: marks of notes, hyphens, scripts without spaces, right to left."""

from __future__ import annotations

import re
from collections import Counter

from pipeline.extract.pdf.columns import UNSPACED, Line
from pipeline.extract.pdf.sheet import Word, is_from_right

NOTE = re.compile(r"\[?\d{1,4}\]?[.)]?\Z|\d{1,4}(?=[^\W\d]|[\"\u201c(])|[*\u2020\u2021\u00a7\u00b6]{1,3}(?!\d)")
_MARK = re.compile(r"\[?(\d{1,4})(?!\d)|([*\u2020\u2021\u00a7\u00b6]{1,3})")
_RAISED = re.compile(r"\d{1,4}|[*\u2020\u2021\u00a7\u00b6]{1,3}")
_GLUED = re.compile(r"(.*(?:[^\W\d]{2}|[^\W\d][.,;:)\]\u201d\"\u2019]+))(\d{1,4})\Z")
_GLUED_SIGN = re.compile(r"(.*[\w.,;:)\]\u201d\"\u2019])([*\u2020\u2021\u00a7\u00b6]{1,3})\Z")
_OPENING_NUMBER = re.compile(r"(\d{1,4})(?=[^\W\d]|[\"\u201c(])")
_NAME = re.compile(r"[^\W\d]{3}|[.,;:)\]\u201d\"\u2019!?]\Z")
HYPHENS = "-\u2010\u00ad"
_HYPHENED = re.compile(rf"(\S+)[{HYPHENS}]\Z")
_SUPERSCRIPT = str.maketrans("0123456789", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
_AROUND = '.,;:()[]"\u201c\u201d'
_KEPT_HYPHENS = frozenset({"non", "self", "well"})
_MOST_WORDS = 300_000  # different ones that are counted


class Words:
    """How often each word stands in a file: tells hyphens that belong to a word from those of a line's end."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, lines: list[Line]) -> None:
        """Count the words of lines."""
        if len(self._counts) < _MOST_WORDS:
            self._counts.update(word.text.strip(_AROUND).lower() for line in lines for word in line.words)

    def keeps_hyphen(self, first: str, second: str) -> bool:
        """Return whether two halves of a word, parted at a line's end, have a hyphen between them elsewhere."""
        if "-" in first or first.lower() in _KEPT_HYPHENS:
            return True
        whole = (first + second).lower().strip(_AROUND)
        hyphened = f"{first}-{second}".lower().strip(_AROUND)
        return self._counts[hyphened] > self._counts[whole]


def mark_of(line: Line) -> str | None:
    """Return the number or sign that a note's first line opens with."""
    match = _MARK.match(line.words[0].text)
    return match[match.lastindex or 0] if match else None


def text_of(line: Line, marks: set[str], *, note: bool) -> str:
    """Return the text of a line. Marks of notes are left out of the body; a note's own mark stands alone before it."""
    words = line.words
    if line.from_right:
        words = _from_right(words)
    text, before = "", None
    for word in words:
        written = word.text
        if note:
            written = _OPENING_NUMBER.sub(r"\1 ", written, count=1) if word is words[0] else written
        elif before is not None and _is_raised(word, line):
            if written in marks or _NAME.search(before.text):
                before = word
                continue
            text += written.translate(_SUPERSCRIPT)
            before = word
            continue
        else:
            written = _without_mark(written, marks)
        text += _space(text, word, before) + written
        before = word
    return text


def _is_raised(word: Word, line: Line) -> bool:
    small = word.size < 0.82 * line.size and word.base > line.base + 0.12 * line.size
    return small and _RAISED.fullmatch(word.text) is not None


def _without_mark(text: str, marks: set[str]) -> str:
    """Return a word without the mark of a note that is drawn as large as the word itself."""
    if not marks or text[-1:].isalpha():
        return text
    match = _GLUED.match(text) or _GLUED_SIGN.match(text)
    return match[1] if match and match[2] in marks else text


def _space(text: str, word: Word, before: Word | None) -> str:
    if not text or before is None:
        return ""
    if abs(word.base - before.base) > 0.01 * word.size and word.x0 - before.x1 < 0.08 * min(word.size, before.size):
        return ""  # a letter that is raised or lowered within a word
    together = UNSPACED.match(text[-1]) and UNSPACED.match(word.text) and word.x0 - before.x1 < 0.4 * word.size
    return "" if together else " "


def _from_right(words: list[Word]) -> list[Word]:
    """Return words in the order of a right-to-left line; runs of left-to-right words keep theirs."""
    found: list[Word] = []
    run: list[Word] = []
    for word in reversed(words):
        if is_from_right(word.text) or not any(letter.isalnum() for letter in word.text):
            found += [*reversed(run), word]
            run = []
        else:
            run.append(word)
    return found + run[::-1]


def joined(before: str, text: str, words: Words) -> str:
    """Return two lines of one paragraph as one; a hyphen that only parted a word goes."""
    if before[-1:] in HYPHENS and text[:1].isalpha():
        first = _HYPHENED.search(before)
        second = re.match(r"\w+", text)
        if first is None or second is None:
            return before + text
        capitals = first[1][-1].isupper() and second[0].isupper() and len(second[0]) > 1
        if not (text[0].islower() or capitals):
            return before[:-1] + "-" + text
        soft = before[-1] == "\u00ad"
        kept = not soft and words.keeps_hyphen(first[1], second[0])
        return before[:-1] + ("-" if kept else "") + text
    if UNSPACED.match(before[-1]) and UNSPACED.match(text[0]):
        return before + text
    return f"{before} {text}"
