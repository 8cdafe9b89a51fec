"""ZipNum: sorted CDXJ lines in gzip blocks, and a small index that names each block's first line.

An idx line is `key timestamp TAB part TAB offset TAB length TAB number`, as pywb and ReplayWeb.page read it.
"""

from __future__ import annotations

import io
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from archive.checked_json import size_of
from archive.errors import RecordError

try:
    from isal import isal_zlib as _fast
except ImportError:  # no wheel for this processor: the standard library reads the same format, slower
    _fast = None  # type: ignore[assignment]  # a module or None

_FAULTS: tuple[type[Exception], ...] = (zlib.error, getattr(_fast, "error", zlib.error))

BLOCK_LINES = 1000
_BLOCK_BYTES = 1 << 20  # after which a block ends too: a site may make every line long, with long redirects
_MAX_BLOCK = 64 << 20  # bytes a block may have, packed or not: ours have less than a tenth
_MAX_LINES = 100_000  # of a block of another writer
PART = "index.cdx.gz"
_HEADER = 10  # bytes of a gzip member before what is packed
_EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"  # of deflate, stored: RFC 1951 §3.2.4
_ROOM = 12  # such blocks in a roomy block of the index,
_LINES_OF_ROOM = 5  # and one more for so many lines


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A gzip block: the first line's key and timestamp, and the block's byte range."""

    first: str
    offset: int
    length: int


def encode(lines: Iterable[str], block_lines: int = BLOCK_LINES, *, roomy: bool = False) -> tuple[bytes, bytes]:
    """Return the two files of an index, `index.cdx.gz` and `index.idx`, from lines in any order.

    A block that is `roomy` may be rewritten in its place: lines that are alike pack so well that one which says less
    may take more bytes.
    """
    cdx = io.BytesIO()
    idx = write(sorted(line.encode("utf-8", "replace") for line in lines), cdx, block_lines, roomy=roomy)
    return cdx.getvalue(), idx


def write(ordered: Iterable[bytes], cdx: BinaryIO, block_lines: int = BLOCK_LINES, *, roomy: bool = False) -> bytes:
    """Write lines that are in order as blocks, in bounded memory; returns the idx."""
    idx: list[bytes] = []
    offset = 0
    for number, group in enumerate(_groups(ordered, block_lines)):
        block = zlib.compress(b"\n".join(group) + b"\n", 6, 31)
        if roomy:
            filling = _EMPTY_BLOCK * (_ROOM + len(group) // _LINES_OF_ROOM)
            block = block[:_HEADER] + filling + block[_HEADER:]
        first = b" ".join(group[0].split(b" ", 2)[:2])
        idx.append(b"%s\t%s\t%d\t%d\t%d\n" % (first, PART.encode(), offset, len(block), number + 1))
        cdx.write(block)
        offset += len(block)
    return b"".join(idx)


def _groups(lines: Iterable[bytes], most: int) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    size = 0
    for line in lines:
        if group and (len(group) >= most or size + len(line) > _BLOCK_BYTES):
            yield group
            group, size = [], 0
        group.append(line)
        size += len(line)
    if group:
        yield group


def decode_block(data: bytes) -> list[str]:
    """Return the lines of one gzip block; raises RecordError."""
    inflater = (_fast or zlib).decompressobj(wbits=31)
    try:
        plain: bytes = inflater.decompress(data, _MAX_BLOCK)
    except _FAULTS as error:
        raise RecordError(f"a block of the index is damaged: {error}") from error
    if not inflater.eof or inflater.unused_data:
        raise RecordError("a block of the index is not whole")
    if plain.count(b"\n") > _MAX_LINES:
        raise RecordError("a block of the index holds more lines than any writer puts into one")
    try:
        return plain.decode().rstrip("\n").split("\n")
    except UnicodeDecodeError as error:
        raise RecordError("a block of the index is not UTF-8") from error


class BlockIndex:
    """An idx file in memory: which blocks can hold the lines of a range of keys; raises RecordError."""

    def __init__(self, idx: bytes) -> None:
        try:
            lines = idx.decode().split("\n")
        except UnicodeDecodeError as error:
            raise RecordError("the ZipNum index is not UTF-8") from error
        self._blocks = [_parse(line) for line in lines if line and not line.startswith("!meta")]
        self._firsts = [block.first for block in self._blocks]

    def __len__(self) -> int:
        return len(self._blocks)

    def __iter__(self) -> Iterator[BlockRef]:
        return iter(self._blocks)

    def blocks(self, start: str, end: str) -> list[BlockRef]:
        """Return the blocks that lines from `start` up to, not including, `end` may lie in."""
        low = max(bisect_right(self._firsts, start) - 1, 0)
        high = bisect_left(self._firsts, end)
        return self._blocks[low:high]


def _parse(line: str) -> BlockRef:
    try:
        first, _part, offset, length, *_ = line.split("\t")
        return BlockRef(first, size_of(offset), size_of(length, _MAX_BLOCK))
    except ValueError as error:
        raise RecordError(f"not a line of a ZipNum index: {line[:80]!r}") from error
