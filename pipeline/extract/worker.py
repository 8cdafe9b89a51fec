"""A worker's side: what it loads first, and one reading a page."""

from __future__ import annotations

import gc
import itertools
import logging

from pipeline.extract.article import read
from pipeline.extract.tasks import BEGINNING, Page, Reading, Task, document_format

_COLLECTED_AFTER = 50  # pages between two rounds of the garbage collector

_pages = itertools.count(1)


def warm() -> None:
    """Get ready for many pages; what only some of them need is loaded by the first that does."""
    logging.getLogger().addHandler(logging.NullHandler())  # what a library warns of is in the page's outcome
    gc.freeze()
    gc.disable()  # trees are freed by their reference counts; the collector would walk millions of live nodes


def load(page: Page) -> None:
    """Load what the reading of a page takes: a hundred times the work of a small page, and no fault of it."""
    if page.task != Task.ARTICLE:
        return
    mime = (page.content_type or "unk").partition(";")[0].strip().lower()
    if document_format(mime, page.body[:BEGINNING]) == "pdf":
        from pipeline.extract.pdf import read as _pdf  # noqa: F401 - PDFium
    else:
        import trafilatura.metadata  # noqa: F401 - and all that it needs


def work(page: Page) -> Reading:
    """`read` as a worker does it, again and again."""
    if next(_pages) % _COLLECTED_AFTER == 0:
        gc.collect()
    return read(page)
