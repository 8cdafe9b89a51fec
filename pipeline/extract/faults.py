"""Exceptions that the extraction libraries catch themselves, so that a page without text differs from a failure.

trafilatura catches what its steps raise, logs a warning and returns nothing, as it does for a page that has no text.
Its warnings are logged while the exception is being handled: a handler sees it.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lxml import etree

_LONGEST = 300  # characters of a message
_here = threading.local()


@contextmanager
def caught_inside() -> Iterator[list[str]]:
    """Collect the exceptions that trafilatura catches in this thread while the context is open, as one line each."""
    outer = getattr(_here, "found", None)
    found: list[str] = []
    _here.found = found
    try:
        yield found
    finally:
        _here.found = outer


def one_line(error: BaseException) -> str:
    """Return an exception's name and message."""
    return " ".join(f"{type(error).__name__}: {error}"[:_LONGEST].split())


class _Collector(logging.Handler):
    """Takes the exception that is being handled, whatever the record says of it."""

    def emit(self, _: logging.LogRecord) -> None:
        found = getattr(_here, "found", None)
        error = sys.exc_info()[1]
        # A page with too little text ends in a bare ValueError, and an empty document in a ParserError: no failures.
        if found is None or error is None or isinstance(error, etree.ParserError):
            return
        if error.args or type(error) is not ValueError:
            found.append(one_line(error))


logging.getLogger("trafilatura").addHandler(_Collector(logging.WARNING))
