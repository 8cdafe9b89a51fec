"""The Merkle tree over a run's records, by whose root a manifest vouches for each of them alone.

A leaf is the gzip member of a record, byte for byte; leaves lie in the order of the files' paths and of the offsets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from archive.crypto.merkle import LEAF, Growing
from archive.errors import RecordError
from archive.model import RecordsRoot, Resource
from archive.warc.gzip_members import walk_members

FOLDER = "archive/"  # of a run: its WARC files
_PIECE = 1 << 20


def records_root(tree: Growing) -> RecordsRoot:
    """How a manifest names a tree."""
    return RecordsRoot(tree.size, "sha256:" + tree.root().hex())


def root_of_files(warcs: Iterable[tuple[Path, Sequence[int]]]) -> RecordsRoot | None:
    """Return the root over WARC files in their order, each with the ends of its members as far as they are known.

    A file whose ends are not all known is walked. None where one is damaged: then its records have no root. Raises
    OSError.
    """
    tree = Growing()
    for path, ends in warcs:
        if path.stat().st_size == (ends[-1] if ends else 0):
            cut(_pieces(path), ends, tree.append)
            continue
        try:
            for _ in walk_members(_pieces(path), tree.append):
                pass
        except RecordError:
            return None
    return records_root(tree)


def warcs_of(resources: Iterable[Resource]) -> list[Resource]:
    """Return the WARC files among a run's files, in the order of the tree."""
    return sorted((each for each in resources if each.path.startswith(FOLDER)), key=lambda each: each.path)


def cut(pieces: Iterable[bytes], ends: Sequence[int], leaf: Callable[[bytes], None]) -> None:
    """Hash a file's leaves, given by their ends, as its pieces pass."""
    found = hashlib.sha256(LEAF)
    at = number = 0
    for piece in pieces:
        view = memoryview(piece)
        while number < len(ends) and ends[number] - at <= len(view):
            found.update(view[: ends[number] - at])
            view = view[ends[number] - at :]
            at = ends[number]
            number += 1
            leaf(found.digest())
            found = hashlib.sha256(LEAF)
        found.update(view)
        at += len(view)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(partial(file.read, _PIECE), b"")
