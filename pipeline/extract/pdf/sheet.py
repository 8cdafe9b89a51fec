"""A page's words as PDFium places them, turned so that the text reads upright."""

from __future__ import annotations

import ctypes
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pypdfium2.raw as pdfium

from pipeline.extract.pdf import fast_calls

Box = tuple[float, float, float, float]

_HYPHEN = 0x2010
_SOFT_BREAK = 2
_HYPHENS = frozenset({_SOFT_BREAK, 0xFFFE, 0xFFFF})  # what PDFium gives for a hyphen at a line's end
_WHITE = frozenset({0, 9, 32, 0xA0, 0x3000})
_LAST_WHITE = 0x3000
_BREAKS = frozenset({10, 13})  # PDFium makes them up, at times within a word
_SAMPLES = 60  # characters whose angle is looked at
_IDEOGRAPHS = 0x2E80
_FROM_RIGHT = 0x590  # the first letter of a script that is written from the right
_MOST = 200_000  # characters of one page; more is no page
_LIGATURES = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "ft", "\ufb06": "st"}
)


@dataclass(slots=True)
class Word:
    """Characters that stand together; x from the left, y from the foot of the turned page, in points."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    base: float  # y of the baseline
    order: int  # in which the file draws it
    unmapped: bool = False  # whether the font does not say which letters they are
    steps: int = 0  # letters of scripts from the right that stand right of the one before, less those left of it


Rows = list[list[Word]]


@dataclass(slots=True)
class Sheet:
    """One page. `number` counts from 1; `shown` is its size as a reader sees it, `width` that of the turned page."""

    number: int
    shown: tuple[float, float]
    width: float
    height: float
    words: list[Word]
    place: Placing
    vertical: str | None = None  # the text of a page that is written downwards, as PDFium has it
    aside: str = ""  # what is written in another direction than the rest
    unmapped: int = 0  # characters of which the font does not say what they are
    characters: int = 0
    rows: Rows = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Placing:
    """How the turned page lies on the page as it is shown: media box and crop box in points, quarter turns."""

    media: Box
    crop: Box
    rotation: int  # degrees clockwise by which the page is shown turned
    turn: int  # quarter turns of its text

    @property
    def size(self) -> tuple[float, float]:
        """Return the width and height of the turned page."""
        width, height = self.media[2] - self.media[0], self.media[3] - self.media[1]
        return (height, width) if self.turn % 2 else (width, height)

    def upright(self, x0: float, y0: float, x1: float, y1: float) -> Box:
        """Return a box of the file's on the turned page."""
        left, foot, right, top = self.media
        if self.turn == 1:
            return top - y1, x0 - left, top - y0, x1 - left
        if self.turn == 2:
            return right - x1, top - y1, right - x0, top - y0
        if self.turn == 3:
            return y0 - foot, right - x1, y1 - foot, right - x0
        return x0 - left, y0 - foot, x1 - left, y1 - foot

    def shown(self, box: Box) -> Box:
        """Return a box of the turned page in points from the left and the top of the page as it is shown."""
        x0, y0, x1, y1 = self._in_file(box)
        left, foot, right, top = self.crop
        if self.rotation == 90:
            found = (y0 - foot, x0 - left, y1 - foot, x1 - left)
        elif self.rotation == 180:
            found = (right - x1, y0 - foot, right - x0, y1 - foot)
        elif self.rotation == 270:
            found = (top - y1, right - x1, top - y0, right - x0)
        else:
            found = (x0 - left, top - y1, x1 - left, top - y0)
        return tuple(round(value, 1) for value in found)  # type: ignore[return-value] # four of four

    def _in_file(self, box: Box) -> Box:
        a0, b0, a1, b1 = box
        left, foot, right, top = self.media
        if self.turn == 1:
            return b0 + left, top - a1, b1 + left, top - a0
        if self.turn == 2:
            return right - a1, top - b1, right - a0, top - b0
        if self.turn == 3:
            return right - b1, a0 + foot, right - b0, a1 + foot
        return a0 + left, b0 + foot, a1 + left, b1 + foot


def sheet_of(page: Any, number: int) -> Sheet:
    """Return the words of a pypdfium2 page, which counts as page `number`."""
    text = page.get_textpage()  # its raw handle is good as long as this object is
    try:
        address = fast_calls.address_of(text.raw)
        count = min(pdfium.FPDFText_CountChars(text.raw), _MOST)
        angles = [
            round(fast_calls.angle(address, at) / 1.5708) % 4
            for at in range(0, count, max(1, count // _SAMPLES))
            if fast_calls.unicode_of(address, at) > 32
        ]
        turn = Counter(angles).most_common(1)[0][0] if angles else 0
        media = page.get_mediabox()
        place = Placing(media, _inside(page.get_cropbox(), media), page.get_rotation() % 360, turn)
        width, height = place.size
        sheet = Sheet(number, page.get_size(), width, height, [], place)
        _Characters(address, count, sheet).read()
        if sheet.vertical is not None:
            sheet.vertical = text.get_text_range()
        return sheet
    finally:
        text.close()


def _inside(crop: Box, media: Box) -> Box:
    """Return the part of a crop box that lies on the page; all of the page where that is nothing."""
    box = (max(crop[0], media[0]), max(crop[1], media[1]), min(crop[2], media[2]), min(crop[3], media[3]))
    return box if box[0] < box[2] and box[1] < box[3] else media


class _Characters:
    """The characters of one page, put together into words."""

    def __init__(self, text_page: int, count: int, sheet: Sheet) -> None:
        self._text_page = text_page
        self._count = count
        self._sheet = sheet
        self._rect, self._matrix = pdfium.FS_RECTF(), pdfium.FS_MATRIX()
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self._pairs = self._down = 0  # ideographs behind one another, and those that step downwards
        self._before: tuple[float, float] | None = None
        self._turned: list[str] = []
        self.characters = 0
        self._at_matrix = ctypes.addressof(self._matrix)
        self._at_origin = (ctypes.addressof(self._x), ctypes.addressof(self._y))

    def read(self) -> None:  # noqa: C901 - a call more for each character would cost a third of the time
        """Fill the sheet."""
        text_page, rect, place, words = self._text_page, self._rect, self._sheet.place, self._sheet.words
        upright, turn, (left, bottom, _, _) = place.upright, place.turn, place.media
        at_rect = ctypes.addressof(rect)
        unicode_of, loose_box = fast_calls.unicode_of, fast_calls.loose_box
        word: Word | None = None
        foot = top = gap = same = 0.0  # of the character before; of its word
        for at in range(self._count):
            code = unicode_of(text_page, at)
            if code <= _LAST_WHITE and (code in _BREAKS or code in _WHITE):
                if code in _WHITE:
                    word = None
                    self._white(code)
                continue
            if not loose_box(text_page, at, at_rect):
                continue
            if turn:
                x0, y0, x1, y1 = upright(rect.left, rect.bottom, rect.right, rect.top)
            else:
                x0, y0, x1, y1 = rect.left - left, rect.bottom - bottom, rect.right - left, rect.top - bottom
            if code > _IDEOGRAPHS or code == _SOFT_BREAK:
                code = self._special(code, at, x0, y1 - y0)
            self.characters += 1
            if word is not None and (-gap < x0 - word.x1 < gap or (word.x0 - x1 < gap and x0 < word.x1)):
                level = -same < y0 - foot < same and -same < y1 - top < same
                if level or abs(self._base(at) - word.base) < 0.13 * word.size:
                    word.text += chr(code)
                    if code >= _FROM_RIGHT:
                        word.steps += 1 if x1 > word.x1 else -1
                        word.x0 = min(x0, word.x0)
                    if x1 > word.x1:
                        word.x1 = x1
                    elif x0 < word.x0:
                        word.x0 = x0
                    foot, top = y0, y1
                    continue
            foot, top = y0, y1
            word = self._begun(at, code, (x0, y0, x1, y1))
            if word is not None:
                words.append(word)
                gap, same = 0.3 * word.size, 0.02 * word.size
        self._finish()

    def _white(self, code: int) -> None:
        self._sheet.unmapped += code == 0
        if self._turned and self._turned[-1] != " ":
            self._turned.append(" ")

    def _finish(self) -> None:
        sheet = self._sheet
        sheet.characters += self.characters
        for word in sheet.words:
            if word.unmapped:
                sheet.unmapped += len(word.text)
                sheet.characters -= len(word.text)
                word.text = "\ufffd" * len(word.text)
            if not word.text.isascii():
                word.text = _letters(word.text)
                if word.steps > 0 and is_from_right(word.text):
                    word.text = word.text[::-1]  # the file has its letters as they stand, not as they are read
        sheet.words = [word for word in sheet.words if _on_page(sheet, word)]
        sheet.aside = "".join(self._turned)
        if self._pairs > 20 and self._down > 0.5 * self._pairs:
            sheet.vertical = ""

    def _begun(self, at: int, code: int, box: Box) -> Word | None:
        """Return a new word; None for a character that is written in another direction than the page."""
        turn = fast_calls.angle(self._text_page, at) / 1.5708 - self._sheet.place.turn
        if abs((turn + 2) % 4 - 2) > 0.2:
            self._turned.append(chr(code))
            return None
        fast_calls.matrix(self._text_page, at, self._at_matrix)
        size = fast_calls.font_size(self._text_page, at) * math.hypot(self._matrix.c, self._matrix.d)
        if size < 2:
            size = (box[3] - box[1]) * 0.8
        word = Word(chr(code), *box, size, self._base(at), at)
        word.unmapped = fast_calls.is_unmapped(self._text_page, at) == 1
        return word

    def _base(self, at: int) -> float:
        fast_calls.origin(self._text_page, at, *self._at_origin)
        x, y = self._x.value, self._y.value
        return self._sheet.place.upright(x, y, x, y)[1]

    def _special(self, code: int, at: int, x0: float, height: float) -> int:
        if code in _HYPHENS:
            return _HYPHEN
        if 0xE000 <= code <= 0xF8FF or code == 0xFFFD:
            self._sheet.unmapped += 1
        elif code < 0xFB00 or code > 0xFB06:
            y = self._base(at)
            if self._before is not None:
                self._pairs += 1
                step = self._before[1] - y
                self._down += abs(x0 - self._before[0]) < 0.3 * height and 0.5 * height < step < 2 * height
            self._before = (x0, y)
        return code


def _letters(text: str) -> str:
    """Return a word without halves of characters, and with the letters of its ligatures."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.translate(_LIGATURES)


def is_from_right(text: str) -> bool:
    """Return whether more than two fifths of the letters of a text are of scripts that are written from the right."""
    count = sum(
        0x590 <= code <= 0x8FF or 0xFB1D <= code <= 0xFDFF or 0xFE70 <= code <= 0xFEFF for code in map(ord, text)
    )
    return count > 0.4 * len(text)


def _on_page(sheet: Sheet, word: Word) -> bool:
    """Return whether the middle of a word lies on the page as it is shown."""
    if sheet.place.crop == sheet.place.media:
        x, y, width, height = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2, sheet.width, sheet.height
    else:
        left, top, right, foot = sheet.place.shown((word.x0, word.y0, word.x1, word.y1))
        x, y, (width, height) = (left + right) / 2, (top + foot) / 2, sheet.shown
    return -1 <= x <= width + 1 and -1 <= y <= height + 1
