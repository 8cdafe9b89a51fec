"""Pages in, paragraphs out: a window of pages at a time, so that a file of thousands needs no more memory than one."""

from __future__ import annotations

from collections import Counter

from pipeline.extract.pdf.columns import Block, blocks_of
from pipeline.extract.pdf.paragraphs import Paragraph, Paragraphs
from pipeline.extract.pdf.rows import rows_of
from pipeline.extract.pdf.running_heads import RunningHeads
from pipeline.extract.pdf.sheet import Box, Placing, Sheet
from pipeline.extract.pdf.spelling import NOTE, Words, mark_of

_WINDOW = 48  # pages that are looked at together
_SMALLER = 0.93  # of the text's size, up to which a note is printed
_FIRST = 6  # rows of a page that say how large its text is: its notes may be longer than the rest


class Layout:
    """Takes pages one by one; `finish` gives the paragraphs of the text and the notes."""

    def __init__(self, pages: int) -> None:
        self._heads = RunningHeads(pages)
        self._words = Words()
        self._sizes: Counter[float] = Counter()
        self._marks: set[str] = set()
        self._places: dict[int, Placing] = {}
        self._text = Paragraphs(self._words, self._shown, note=False)
        self._notes = Paragraphs(self._words, self._shown, note=True)
        self._noted = -1  # the last page that had notes
        self._gutters: set[int] = set()
        self._asides: set[str] = set()
        self._waiting: list[Sheet] = []

    def add(self, sheet: Sheet) -> None:
        """Take a page."""
        sheet.rows = [] if sheet.vertical is not None else rows_of(sheet.words)
        sheet.words = []
        self._waiting.append(sheet)
        if len(self._waiting) >= _WINDOW:
            self._read()

    def finish(self) -> tuple[list[Paragraph], list[Paragraph]]:
        """Return the paragraphs of the text, and the notes."""
        self._read()
        return self._text.found, self._notes.found

    def _shown(self, page: int, box: Box) -> Box:
        return self._places[page].shown(box)

    def _read(self) -> None:
        sheets, self._waiting = self._waiting, []
        self._places = {sheet.number: sheet.place for sheet in sheets}
        self._heads.removed(sheets)
        blocks = []
        for sheet in sheets:
            for row in sheet.rows[:_FIRST]:
                for word in row:
                    self._sizes[round(word.size * 2) / 2] += len(word.text)
            found = blocks_of(sheet.rows, sheet.width, sheet.number, self._gutters)
            for block in found:
                self._words.add(block.lines)
            blocks.append(found)
            sheet.rows = []
        body = self._sizes.most_common(1)[0][0] if self._sizes else 10.0
        parted = [self._parted(page, body) for page in blocks]
        for sheet, (text, notes) in zip(sheets, parted, strict=True):
            for block in text:
                self._text.add(block, body, self._marks)
            for block in notes:
                self._notes.add(block, body * 0.85, self._marks)
            self._others(sheet)

    def _parted(self, blocks: list[Block], body: float) -> tuple[list[Block], list[Block]]:
        """Return a page's text and its notes: from a column's foot upwards, what is smaller than the text."""
        text, notes = [], []
        for block in blocks:
            at = len(block.lines)
            while at and block.lines[at - 1].size <= _SMALLER * body and not block.tabular:
                at -= 1
            below = block.lines[at:]
            if below and self._are_notes(block, at, last=block is blocks[-1]):
                self._noted = below[0].page
                self._marks.update(mark for line in below if NOTE.match(line.words[0].text) and (mark := mark_of(line)))
                notes.append(Block(below))
                if at:
                    text.append(Block(block.lines[:at]))
            else:
                text.append(block)
        return text, notes

    def _are_notes(self, block: Block, at: int, *, last: bool) -> bool:
        line = block.lines[at]
        before = 0 <= line.page - self._noted <= 1 and self._noted > 0
        if at == 0 and not (before or last):
            return False
        first = line.words[0]
        return before or NOTE.match(first.text) is not None or first.text[0].isdigit() or first.size < 0.85 * line.size

    def _others(self, sheet: Sheet) -> None:
        """Take what has no lines: a page that is written downwards, and what is written along its edge, once."""
        whole = (0.0, 0.0, round(sheet.shown[0], 1), round(sheet.shown[1], 1))
        if sheet.vertical is not None:
            for line in sheet.vertical.splitlines():
                if line.strip():
                    self._text.found.append(Paragraph(line.strip(), 0.0, [(sheet.number, whole)]))
        aside = " ".join(sheet.aside.split())
        if len(aside) > 3 and aside not in self._asides:
            self._asides.add(aside)
            self._text.found.append(Paragraph(aside, 0.0, [(sheet.number, whole)]))
