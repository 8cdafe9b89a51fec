"""Whether a page is a picture of text: a scan, alone or with the text that a program read in it."""

from __future__ import annotations

import ctypes
from typing import Any

import pypdfium2.raw as pdfium

_MOST = 400  # objects of a page that are looked at
_COVERED = 0.5  # of the page
_INVISIBLE = 3  # a text's rendering mode (ISO 32000-2 §9.3.6)


def is_picture(page: Any) -> bool:
    """Return whether images cover more than half of a page."""
    width, height = page.get_size()
    left, foot, right, top = (ctypes.c_float() for _ in range(4))
    covered = 0.0
    for at in range(min(pdfium.FPDFPage_CountObjects(page.raw), _MOST)):
        found = pdfium.FPDFPage_GetObject(page.raw, at)
        if pdfium.FPDFPageObj_GetType(found) == pdfium.FPDF_PAGEOBJ_IMAGE:
            bounds = (ctypes.byref(value) for value in (left, foot, right, top))
            if pdfium.FPDFPageObj_GetBounds(found, *bounds):
                covered += abs((right.value - left.value) * (top.value - foot.value))
    return bool(covered > _COVERED * width * height)


def is_blank(page: Any) -> bool:
    """Return whether nothing is drawn on a page, or nothing that could be read."""
    return bool(pdfium.FPDFPage_CountObjects(page.raw) == 0)


def has_unseen_text(page: Any) -> bool:
    """Return whether the first text of a page is drawn invisibly, as that of scans is."""
    for at in range(min(pdfium.FPDFPage_CountObjects(page.raw), _MOST)):
        found = pdfium.FPDFPage_GetObject(page.raw, at)
        if pdfium.FPDFPageObj_GetType(found) == pdfium.FPDF_PAGEOBJ_TEXT:
            return bool(pdfium.FPDFTextObj_GetTextRenderMode(found) == _INVISIBLE)
    return False
