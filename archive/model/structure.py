"""What a document that is no web page has besides its text: pages, places of paragraphs, outline, form values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph: the characters from `start` up to, not including, `end` of the document's text.

    `kind` is "text", "heading", "field" (of a form: "name: value") or "note". `boxes` says where it is printed, one box
    for each column and page that it stands in: the page's number from 1, then left, top, right and bottom in points
    from the left and the top of the page as it is shown.
    """

    kind: str
    start: int
    end: int
    boxes: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """An entry of a document's outline (its bookmarks); levels count from 1, pages too."""

    level: int
    title: str
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Structure:
    """The structure of a document of the format `format`: "pdf", "docx" or "odt".

    `pages` are the width and height of each page in points, as it is shown; those formats that flow have none.
    `properties` are names and values as the file states them, those of an XMP packet with "xmp:" before the name.
    `lacks_text` is the name of the outcome where no text could be had.
    """

    format: str
    pages: tuple[tuple[float, float], ...] = ()
    paragraphs: tuple[Passage, ...] = ()
    outline: tuple[OutlineEntry, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()  # names and values of a form
    properties: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()  # of the extractor: "repaired: 6 pages found"
    lacks_text: str | None = None
