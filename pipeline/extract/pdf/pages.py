"""The pages of an opened PDF, one after the other, within limits: their text, links, and what they lack."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pypdfium2

from pipeline.discover.outlinks import Collector, Hop
from pipeline.extract.pdf.layout import Layout
from pipeline.extract.pdf.links import links_of
from pipeline.extract.pdf.paragraphs import Paragraph
from pipeline.extract.pdf.pictured import has_unseen_text, is_blank, is_picture
from pipeline.extract.pdf.sheet import sheet_of

_MOST_PAGES = 10_000
_MOST_CHARACTERS = 20_000_000
SECONDS = 50.0  # after which no further page is begun: less than a page of the web may take
_MOST_FAILED = 100  # pages in a row that cannot be read: the file only says that it has them
_FEW = 20  # characters that a page without a text layer may have: a stamp, a number
_LOOKED_AT = 3  # pages with a text, for whether it is that of a scan


@dataclass(slots=True)
class Read:
    """What was read in the pages of a document of `count` pages; numbers of pages count from 1."""

    count: int
    sizes: list[tuple[float, float]] = field(default_factory=list)
    text: list[Paragraph] = field(default_factory=list)
    notes: list[Paragraph] = field(default_factory=list)
    scans: list[int] = field(default_factory=list)
    blank: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    characters: int = 0
    unmapped: int = 0
    has_ocr: bool = False
    cut: str | None = None  # why the last pages were not read


def read_pages(document: Any, links: Collector) -> Read:
    """Read the pages of a document; the addresses that they link to go to `links`."""
    found = Read(len(document))
    layout = Layout(found.count)
    deadline = time.monotonic() + SECONDS
    looked_at = in_a_row = 0
    for index in range(found.count):
        found.cut = _limit(found, index, deadline, in_a_row)
        if found.cut:
            break
        try:
            page = document[index]
        except pypdfium2.PdfiumError:
            found.failed.append(index + 1)
            found.sizes.append((0.0, 0.0))
            in_a_row += 1
            continue
        in_a_row = 0
        try:
            sheet = sheet_of(page, index + 1)
            found.sizes.append((round(sheet.shown[0], 1), round(sheet.shown[1], 1)))
            found.characters += sheet.characters
            found.unmapped += sheet.unmapped
            if sheet.characters <= _FEW:
                _without_text(found, page, index + 1)
            elif looked_at < _LOOKED_AT:
                looked_at += 1
                found.has_ocr |= has_unseen_text(page) and is_picture(page)
            for address in links_of(document, page):
                links.add(address, Hop.LINK, "pdf/URI")
            layout.add(sheet)
        finally:
            page.close()
    found.text, found.notes = layout.finish()
    return found


def _without_text(found: Read, page: Any, number: int) -> None:
    if is_picture(page):
        found.scans.append(number)
    elif is_blank(page):
        found.blank.append(number)


def _limit(found: Read, index: int, deadline: float, in_a_row: int) -> str | None:
    """Return the limit that is met before the page of an index; None where there is none."""
    if index >= _MOST_PAGES:
        return f"no more than {_MOST_PAGES:,} pages are read"
    if found.characters > _MOST_CHARACTERS:
        return f"no more than {_MOST_CHARACTERS:,} characters are read"
    if in_a_row >= _MOST_FAILED:
        return f"{in_a_row} pages in a row cannot be read"
    return f"{SECONDS:g} s were over" if time.monotonic() > deadline else None
