"""A page of a PDF file as a PNG picture, drawn in a worker process."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import pypdfium2

from pipeline.extract.pdf.opened import NotOpened, opened
from pipeline.extract.pdf.picture_task import SIGNATURE, PictureTask

_MOST_PIXELS = 8_000_000
_TALLEST = 20_000  # pixels
_LEVEL = 6  # of compression


def drawn(task: PictureTask) -> bytes | None:
    """Return the picture of a page as PNG; None where there is no such page, or none that can be drawn."""
    try:
        with opened(task.data) as (document, _):
            if not 1 <= task.page <= len(document):
                return None
            document.init_forms()  # without it, the fields of a form are blank
            page = document[task.page - 1]
            try:
                width, height = page.get_size()
                return _png(page, _scale(width, height, task.width))
            finally:
                page.close()
    except (NotOpened, pypdfium2.PdfiumError):
        return None


def _scale(width: float, height: float, wanted: int) -> float:
    """Return pixels per point, so that the picture is as wide as wanted, or smaller where it would be too large."""
    scale = wanted / max(width, 1.0)
    scale = min(scale, _TALLEST / max(height, 1.0))
    pixels = width * height * scale * scale
    return scale if pixels <= _MOST_PIXELS else float(scale * (_MOST_PIXELS / pixels) ** 0.5)


def _png(page: Any, scale: float) -> bytes:
    bitmap = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=False)
    try:
        width, height, stride = bitmap.width, bitmap.height, bitmap.stride
        pixels = memoryview(bitmap.buffer).cast("B")
        rows = b"".join(
            b"\0" + bytes(pixels[at : at + 3 * width]) for at in range(0, height * stride, stride)
        )  # PNG 1.2 §6: each row of pixels behind the number of its filter
    finally:
        bitmap.close()
    head = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(rows, _LEVEL)
    return SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + name + data + struct.pack("!I", zlib.crc32(name + data))
