"""From lines to paragraphs: joined over lines, columns and pages as long as they go on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from statistics import median

from pipeline.extract.pdf.columns import UNSPACED, Block, Line
from pipeline.extract.pdf.sheet import Box
from pipeline.extract.pdf.spelling import HYPHENS, NOTE, Words, joined, mark_of, text_of

Shown = Callable[[int, Box], Box]  # a page's number and a box on its turned page: the box as it is shown

_END = re.compile('[.!?:;\u3002\uff01\uff1f\uff1a\uff1b\u201d"\u2019)\\]]\\Z|[.!?]\\d+\\Z')
_STOP = re.compile('[.!?\u3002\uff01\uff1f][\u201d"\u2019)\\]]*\\Z')
_LARGER = 1.12  # of the body's size, from which on a short paragraph is a heading
_LONGEST_HEADING = 250  # characters
_LONGEST = 50_000  # characters of a paragraph
_COUNTED = re.compile(r"([\[(]?)(\d{1,4})([\]).]{1,2})(?=\s|\Z)")  # how numbered paragraphs open


@dataclass(slots=True)
class Paragraph:
    """A paragraph with the boxes of its parts, one for each column and page that it stands in."""

    text: str
    size: float
    boxes: list[tuple[int, Box]] = field(default_factory=list)
    heading: bool = False


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where the lines of a block begin and end, and how far apart they are."""

    begin: float
    end: float
    pitch: float


class Paragraphs:
    """Takes blocks in reading order; `note` says that they are notes, each of which opens with its mark."""

    def __init__(self, words: Words, shown: Shown, *, note: bool) -> None:
        self._words = words
        self._shown = shown
        self._note = note
        self._before: Line | None = None
        self._room = 0.0  # between the end of the line before and that of its column
        self._aligned = False  # whether it ends where the one before it does
        self._tabular = False  # whether it was a row of a table
        self._counted = ("", 0, "")  # what the last numbered paragraph opens with
        self.found: list[Paragraph] = []

    def add(self, block: Block, body: float, marks: set[str]) -> None:
        """Take a block; `body` is the size of the text, `marks` are those of all notes so far."""
        shape = _shape(block.lines, body)
        for at, line in enumerate(block.lines):
            text = text_of(line, marks, note=self._note)
            if not text:
                continue
            last = self.found[-1] if self.found else None
            if last is None or len(last.text) > _LONGEST or self._begins(block, at, shape, body):
                heading = not self._note and line.size >= _LARGER * body and not block.tabular
                self.found.append(Paragraph(text, line.size, heading=heading))
                self._place(line, new=True)
                self._counted = _opening(text) or self._counted
            else:
                last.text = joined(last.text, text, self._words)
                last.heading = last.heading and len(last.text) < _LONGEST_HEADING
                self._place(line, new=at == 0)
            self._aligned = self._before is not None and abs(self._before.end - line.end) < body
            self._before = line
            alone = len(block.lines) == 1 and _STOP.search(text)  # nothing says how long its lines may be
            self._room = inf if alone else shape.end - line.end
        self._tabular = block.tabular

    def _place(self, line: Line, *, new: bool) -> None:
        boxes = self.found[-1].boxes
        box = self._shown(line.page, line.box)
        if new or not boxes or boxes[-1][0] != line.page:
            boxes.append((line.page, box))
            return
        last = boxes[-1][1]
        merged = (min(last[0], box[0]), min(last[1], box[1]), max(last[2], box[2]), max(last[3], box[3]))
        boxes[-1] = (line.page, merged)

    def _begins(self, block: Block, at: int, shape: _Shape, body: float) -> bool:
        """Whether a line begins a paragraph."""
        line, before = block.lines[at], self._before
        if before is None:
            return True
        if block.tabular or self._tabular:
            return at == 0
        if abs(line.size - before.size) > max(0.8, 0.1 * line.size) or self._ended(line, body) or self._is_next(line):
            return True
        indented = line.begin - shape.begin > 0.8 * body
        if at == 0:
            return indented and not self._note
        large = line.size >= 1.1 * body
        gap = block.lines[at - 1].base - line.base
        if gap > (1.5 * line.size if large else 1.3 * shape.pitch):
            return True
        return indented and line.begin - before.begin > 0.8 * body and not large

    def _ended(self, line: Line, body: float) -> bool:
        """Whether the line before ends a paragraph: the first word of this one would have had room in it."""
        first = line.words[-1] if line.from_right else line.words[0]
        width = line.size if UNSPACED.match(first.text) else first.x1 - first.x0
        if self._room < width + 0.3 * line.size + 0.3 * body:
            return False
        if _END.search(self.found[-1].text):
            return self._room > 1.5 * body
        return self._room > width + 4 * body and not self._aligned and self.found[-1].text[-1] not in HYPHENS

    def _is_next(self, line: Line) -> bool:
        """Whether a line opens with the mark of a note, or with the number that follows that of a paragraph before."""
        first = line.words[0]
        if self._note and NOTE.match(first.text):
            mark = mark_of(line) or ""
            small = first.size < 0.85 * line.size
            return small or not mark.isdigit() or int(mark) in {1, self._last_number() + 1}
        opening = _opening(first.text)
        before, number, behind = self._counted
        return not self._note and opening == (before, number + 1, behind)

    def _last_number(self) -> int:
        number = re.match(r"\[?(\d{1,4})", self.found[-1].text)
        return int(number[1]) if number else 0


def _opening(text: str) -> tuple[str, int, str] | None:
    match = _COUNTED.match(text)
    return (match[1], int(match[2]), match[3]) if match else None


def _shape(lines: list[Line], body: float) -> _Shape:
    gaps = [one.base - other.base for one, other in pairwise(lines)]
    pitch = median(gaps) if gaps else 0.0
    least = min((gap for gap in gaps if gap > 0.7 * body), default=0.0)
    end = sorted(line.end for line in lines)[int(0.9 * len(lines))]
    return _Shape(median(line.begin for line in lines), end, min(pitch, 1.4 * least) if least else pitch)
