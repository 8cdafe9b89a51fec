"""What a file of one part holds: records, or a page that a browser saved in a format of its own. Its bytes decide."""

from __future__ import annotations

from enum import StrEnum

from archive.importers.har import BEGINNING
from archive.importers.mhtml import is_mhtml
from archive.importers.saved_html import saved_page


class Kind(StrEnum):
    """How a part is read."""

    RECORDS = "records"  # of WARC or ARC
    HAR = "har"
    MHTML = "mhtml"
    HTML = "html"


def saved_kind(first: bytes) -> Kind | None:
    """Return in which format a browser saved a page, by the first bytes of the file; None for other files."""
    if BEGINNING.match(first):
        return Kind.HAR
    if is_mhtml(first):
        return Kind.MHTML
    return Kind.HTML if saved_page(first) else None
