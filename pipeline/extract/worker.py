"""A worker's side: what it loads first, and one reading a page."""

from __future__ import annotations

import gc
import itertools
import logging

from pipeline.extract.article import read
from pipeline.extract.tasks import Page, Reading

_COLLECTED_AFTER = 50  # pages between two rounds of the garbage collector

_pages = itertools.count(1)


def warm() -> None:
    """Load what the first page would wait for."""
    logging.getLogger().addHandler(logging.NullHandler())  # what a library warns of is in the page's outcome
    gc.freeze()
    gc.disable()  # trees are freed by their reference counts; the collector would walk millions of live nodes
    body = "A first sentence that warms the parsers, dates such as 3 March 2019 among them. " * 20
    sample = f"<html><body><article><h1>T</h1><p class='date'>3 mars 2019</p><p>{body}</p></article></body></html>"
    read(Page("http://warm.invalid/2019/", sample.encode(), "text/html"))


def work(page: Page) -> Reading:
    """`read` as a worker does it, again and again."""
    if next(_pages) % _COLLECTED_AFTER == 0:
        gc.collect()
    return read(page)
