"""What the workers are given, and what they make of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from archive.model import Article, Headers
from pipeline.discover.outlinks import MOST, Findings

# Media types whose bodies hold a text; a body that names none is looked at.
EXTRACTABLE = frozenset({"text/html", "application/xhtml+xml", "text/plain", "unk"})
MAYBE_PAGES = EXTRACTABLE | {"text/xml", "application/xml"}  # XHTML by its root element, or else no page
# Outcomes of documents that came whole and have no text that could be had: they change when their bytes do.
NO_TEXT = frozenset({"no-text-layer", "no-unicode-map", "password"})
PDF = "application/pdf"
_PDF_NAMES = frozenset({PDF, "application/x-pdf", "application/acrobat", "text/pdf", "text/x-pdf"})
# Types that servers give to any file; what it is, its first bytes say.
GENERIC = frozenset(
    {"unk", "text/plain", "application/octet-stream", "binary/octet-stream", "application/x-octet-stream"}
    | {"application/binary", "application/download", "application/x-download", "application/force-download"}
    | {"application/x-force-download", "application/unknown", "application/save", "application/file", "unknown/unknown"}
)
_OFFICE_NAMES = {
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-word.document.macroenabled.12": "docx",
    "application/vnd.oasis.opendocument.text": "odt",
}
_NAMES = _PDF_NAMES | frozenset(_OFFICE_NAMES)
_PDF_HEADER = b"%PDF-"
_ZIP_HEADER = b"PK\3\4"
_ODT_MARK = b"mimetypeapplication/vnd.oasis.opendocument.text"  # its first part (ISO/IEC 26300-2 §3.3)
_DOCX_MARKS = (b"[Content_Types].xml", b"_rels/.rels", b"word/")
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|head|body)\b", re.IGNORECASE)
BEGINNING = 1024  # bytes that say what a body is: readers look for a PDF's header in so many


def document_format(mime: str, beginning: bytes) -> str | None:
    """Return the format of a body that is a document, "pdf", "docx" or "odt"; None for a page or anything else.

    `mime` is the media type without parameters, `beginning` the first bytes of the body. A page that a server calls a
    PDF is a page.
    """
    if beginning.lstrip(b"\xef\xbb\xbf\x00\t\r\n ").startswith(_PDF_HEADER):
        return "pdf" if mime in GENERIC | EXTRACTABLE | _PDF_NAMES else None
    if mime in _OFFICE_NAMES:
        return None if _MARKUP.match(beginning) else _OFFICE_NAMES[mime]
    if mime in GENERIC and beginning.startswith(_ZIP_HEADER):
        first = beginning[: len(_ODT_MARK) + 100]
        return "odt" if _ODT_MARK in first else "docx" if any(mark in first for mark in _DOCX_MARKS) else None
    if mime in _PDF_NAMES:
        return None if _MARKUP.match(beginning) and _PDF_HEADER not in beginning[:BEGINNING] else "pdf"
    return None


def holds_text(mime: str, beginning: bytes) -> bool:
    """Return whether a body of a media type, with these first bytes, is read for its text."""
    return mime in MAYBE_PAGES | _NAMES or document_format(mime, beginning) is not None


def may_hold_text(mime: str) -> bool:
    """Return whether bodies of a media type are read for their text, or may be when their first bytes are known."""
    return mime in MAYBE_PAGES | GENERIC | _NAMES


class Task(StrEnum):
    """What is to be made of a body."""

    ARTICLE = "article"  # of a page: its text and metadata, and what it names
    FRAME = "frame"  # of a page: what it names
    CSS = "css"
    FEED = "feed"
    SITEMAP = "sitemap"


@dataclass(frozen=True, slots=True)
class Page:
    """A body, its content codings undone, with the Content-Type it came with.

    `status` and `headers` are those of its answer; what a browser `rendered` has none of its own.
    """

    url: str
    body: bytes
    content_type: str | None
    task: Task = Task.ARTICLE
    most: int = MOST  # links of one kind that are taken from it
    status: int = 200
    headers: Headers = ()
    rendered: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What was made of a body: findings, and the article where one was asked for.

    `problem` says which part of the article is missing, because its extraction failed or as `outcome` names it; the
    rest is in the article.
    `notes` say what was passed over, one line each. `wall` names the outcome of a body that is a wall, and whose it is.
    `lacks` says what of the page's words its text lacks, where that is TEXT_INCOMPLETE.
    """

    findings: Findings
    article: Article | None = None
    problem: str | None = None
    notes: tuple[str, ...] = ()
    wall: tuple[str, str] | None = None
    lacks: str | None = None
    outcome: str = "extraction-failed"
