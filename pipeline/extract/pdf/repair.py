"""What a damaged file lacks before PDFium opens it, added at its end: then PDFium finds the objects by itself."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

_OBJECT = re.compile(rb"(?<!\d)(\d{1,8})\s+\d{1,5}\s+obj\b")
_PAGE = re.compile(rb"/Type\s*/Page\b(?!s)")
_PAGES = re.compile(rb"/Type\s*/Pages\b")
_PAGE_COUNT = re.compile(rb"/Count\s+(\d{1,7})\b")
_OBJECT_STREAM = re.compile(rb"/Type\s*/ObjStm\b")
_STREAM = re.compile(rb"\bstream\r?\n")
_FIRST = re.compile(rb"/First\s+(\d{1,9})")
_COUNT = re.compile(rb"/N\s+(\d{1,7})")
_INFLATED = 64 << 20  # bytes of all object streams of a file
_MOST = 2_000_000  # objects


@dataclass(frozen=True, slots=True)
class Repaired:
    """A file that was completed, how many pages were found in it, and how many it says that it has."""

    data: bytes
    pages: int
    stated: int | None


def repaired(data: bytes) -> Repaired | None:
    """Return a file with a page tree of the pages that are in it, a catalog and a trailer; None if it has no page.

    Objects of object streams (ISO 32000-2 §7.5.7) are written out, for the table that says where they lie is lost.
    """
    starts = [
        (int(match[1]), match.end(), match.start())
        for _, match in zip(range(_MOST), _OBJECT.finditer(data), strict=False)
    ]
    starts.append((0, len(data), len(data)))
    pages: dict[int, None] = {}
    written: list[bytes] = []
    highest = stated = 0
    left = _INFLATED
    for (number, begin, _), (_, _, end) in pairwise(starts):
        highest = max(highest, number)
        body = data[begin:end]
        stream = _STREAM.search(body)
        head = body[: stream.start()] if stream else body
        if _PAGE.search(head):
            pages[number] = None
        stated = max(stated, _stated(head))
        if stream and _OBJECT_STREAM.search(head):
            for inner, text in _objects(head, body[stream.end() :], left):
                highest = max(highest, inner)
                left -= len(text)
                written.append(b"%d 0 obj\n%b\nendobj\n" % (inner, text))
                stated = max(stated, _stated(text))
                if _PAGE.search(text):
                    pages[inner] = None
    if not pages:
        return None
    tree, catalog = highest + 1, highest + 2
    kids = b" ".join(b"%d 0 R" % page for page in pages)
    written += [
        b"%d 0 obj\n<</Type/Pages/Count %d/Kids[%b]/MediaBox[0 0 612 792]>>\nendobj\n" % (tree, len(pages), kids),
        b"%d 0 obj\n<</Type/Catalog/Pages %d 0 R>>\nendobj\n" % (catalog, tree),
        b"trailer\n<</Root %d 0 R/Size %d>>\nstartxref\n0\n%%%%EOF\n" % (catalog, catalog + 1),
    ]
    return Repaired(data + b"\nendstream\nendobj\n" + b"".join(written), len(pages), stated or None)


def _stated(text: bytes) -> int:
    """Return the pages that an object says it has, if it is a node of a page tree; else 0."""
    count = _PAGES.search(text) and _PAGE_COUNT.search(text)
    return int(count[1]) if count else 0


def _objects(head: bytes, stream: bytes, most: int) -> Iterator[tuple[int, bytes]]:
    """Yield the numbers and texts of the objects of an object stream, as far as it can be inflated."""
    first, count = _FIRST.search(head), _COUNT.search(head)
    if first is None or count is None:
        return
    if b"FlateDecode" in head:
        inflater, text = zlib.decompressobj(), b""
        with suppress(zlib.error):
            text = inflater.decompress(stream, max(most, 1))
        stream = text
    begin = int(first[1])
    numbers = [int(word) for word in stream[:begin].split()[: 2 * int(count[1])] if word.isdigit() and len(word) < 9]
    places = [*zip(numbers[::2], numbers[1::2], strict=False), (0, len(stream) - begin)]
    for (number, offset), (_, end) in pairwise(places):
        if text := stream[begin + offset : begin + end]:
            yield number, text
