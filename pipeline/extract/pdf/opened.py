"""A PDF file, opened by PDFium as it is or after a repair."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from pipeline.extract.pdf.repair import Repaired, repaired


class NotOpened(Exception):
    """PDFium opens the file neither as it is nor repaired; `outcome` is the name of the outcome that says why."""

    def __init__(self, outcome: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome


@contextmanager
def opened(data: bytes) -> Iterator[tuple[Any, Repaired | None]]:
    """Open a file, and give the repair that it took, None without one; raises NotOpened."""
    document, repair = _document(data)
    try:
        yield document, repair
    finally:
        document.close()


def _document(data: bytes) -> tuple[Any, Repaired | None]:
    reason = "it has no pages"
    try:
        document = pypdfium2.PdfDocument(data)
        if len(document):
            return document, None
        document.close()
    except pypdfium2.PdfiumError as error:
        code = getattr(error, "err_code", None)
        if code == pdfium.FPDF_ERR_PASSWORD:
            raise NotOpened("password", "the document opens only with a password") from error
        if code == pdfium.FPDF_ERR_SECURITY:
            raise NotOpened("password", "the document is encrypted in a way that cannot be read here") from error
        reason = str(error)
    fixed = repaired(data)
    if fixed is not None:
        try:
            document = pypdfium2.PdfDocument(fixed.data)
            if len(document):
                return document, fixed
            document.close()
        except pypdfium2.PdfiumError as error:
            reason = str(error)
    raise NotOpened("extraction-failed", f"the PDF file is damaged, and no page was found in it ({reason})")
