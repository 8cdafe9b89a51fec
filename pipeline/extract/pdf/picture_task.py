"""What the worker that draws pages is given, and how what it makes begins; PDFium is not loaded by naming it."""

from __future__ import annotations

from dataclasses import dataclass

SIGNATURE = b"\x89PNG\r\n\x1a\n"  # PNG 1.2 §3.1


@dataclass(frozen=True, slots=True)
class PictureTask:
    """A page of a file, counted from 1, to be drawn so many pixels wide."""

    data: bytes
    page: int
    width: int
