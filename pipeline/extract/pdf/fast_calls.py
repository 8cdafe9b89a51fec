"""PDFium's functions about single characters, for millions of calls: bare addresses in place of checked pointers.

Through pypdfium2's own declarations a call takes three times as long, most of it to check the types of its arguments.
A text page is given by `address_of`; it is good as long as the page's object is. Results are as PDFium's headers say.
"""

from __future__ import annotations

import ctypes
from typing import Any

import pypdfium2.raw as pdfium

_PAGE, _AT, _OUT = ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p  # a text page, a character's number, where to write


def address_of(pointer: Any) -> int:
    """Return the address of a function, or of a text page from its raw handle."""
    address = ctypes.cast(pointer, ctypes.c_void_p).value
    assert address is not None, "what was loaded has one"
    return address


def _bare(function: Any, result: Any, *arguments: Any) -> Any:
    # The interpreter's lock is kept: none of these calls takes long, or calls back.
    return ctypes.PYFUNCTYPE(result, *arguments)(address_of(function))


unicode_of = _bare(pdfium.FPDFText_GetUnicode, ctypes.c_uint, _PAGE, _AT)
loose_box = _bare(pdfium.FPDFText_GetLooseCharBox, ctypes.c_int, _PAGE, _AT, _OUT)
origin = _bare(pdfium.FPDFText_GetCharOrigin, ctypes.c_int, _PAGE, _AT, _OUT, _OUT)
angle = _bare(pdfium.FPDFText_GetCharAngle, ctypes.c_float, _PAGE, _AT)
matrix = _bare(pdfium.FPDFText_GetMatrix, ctypes.c_int, _PAGE, _AT, _OUT)
font_size = _bare(pdfium.FPDFText_GetFontSize, ctypes.c_double, _PAGE, _AT)
is_unmapped = _bare(pdfium.FPDFText_HasUnicodeMapError, ctypes.c_int, _PAGE, _AT)
