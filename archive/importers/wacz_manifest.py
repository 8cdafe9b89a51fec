"""What the manifest of a WACZ says of its files, compared with them (WACZ 1.1.1 §5.2, §5.2.3)."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from archive.checked_json import parsed_object
from archive.importers.cut_zip import CutZip
from archive.importers.declared_digests import declared

NAME = "datapackage.json"
DIGEST = "datapackage-digest.json"
PAGES = ("pages/pages.jsonl", "pages/extraPages.jsonl")
_MANIFEST = 16 << 20  # bytes
_PIECE = 1 << 18
_PAGES = 256 << 20  # bytes of a list of pages,
_PAGES_FREE = 1 << 20  # and of a list, or a manifest, before its ratio counts
_PAGES_RATIO = 100
_PAGE = 8 << 20  # bytes of a line
# What `zipfile` raises for damaged files; one that names a place before the file is an OSError.
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)

Package = zipfile.ZipFile | CutZip


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a part of a file; `taken` where it is read all the same."""

    part: str
    reason: str
    taken: bool = False


def check_manifest(
    package: Package, readable: Collection[str], names: Collection[str], parts: Collection[str]
) -> list[Flaw]:
    """Return what a package's manifest says that is not so: files it does not name, or names and are not there."""
    if NAME not in names:
        return [Flaw(NAME, "it is missing", taken=True)]
    try:
        data = small_file(package, NAME)
        listed = parsed_object(data).get("resources", [])
        hashes = {str(resource["path"]): resource.get("hash") for resource in listed}
    except (ValueError, KeyError, TypeError, AttributeError, *ZIP_ERRORS) as error:
        return [Flaw(NAME, f"it cannot be read: {error}", taken=True)]
    flaws = [Flaw(part, "the manifest does not name it", taken=True) for part in parts if part not in hashes]
    flaws += [Flaw(path, "the manifest names it, and it is not there") for path in sorted(hashes.keys() - set(names))]
    for path in sorted(hashes.keys() & set(readable)):
        if _differs(package, path, hashes[path]):
            flaws.append(Flaw(path, "its bytes are not those that the manifest's hash names", taken=True))
    if DIGEST in readable:
        flaws += _check_digest(package)
    return flaws


def _check_digest(package: Package) -> list[Flaw]:
    try:
        said = parsed_object(small_file(package, DIGEST))
    except (ValueError, *ZIP_ERRORS) as error:
        return [Flaw(DIGEST, f"it cannot be read: {error}", taken=True)]
    if _differs(package, NAME, said.get("hash")):
        return [Flaw(NAME, f"its bytes are not those that the hash in {DIGEST} names", taken=True)]
    return []


def _differs(package: Package, name: str, said: Any) -> bool:
    """Return whether an entry can be read and has another digest; False for a digest of a kind that is not known."""
    expected = declared(said if isinstance(said, str) else None)
    if expected is None:
        return False
    hasher = expected.hash()
    try:
        with package.open(name) as stream:
            while piece := stream.read(_PIECE):
                hasher.update(piece)
    except (ValueError, *ZIP_ERRORS):  # reading the entry names that
        return False
    return hasher.digest() != expected.value


def lines_of(package: Package, name: str) -> Iterator[bytes]:
    """Yield an entry's lines that are not blank; raises ValueError where it is too large, what `zipfile` raises."""
    limit = _limit(package, name, _PAGES)
    waiting = b""
    with package.open(name) as stream:
        while piece := stream.read(_PIECE):
            limit -= len(piece)
            *lines, waiting = (waiting + piece).split(b"\n")
            yield from filter(bytes.strip, lines)
            if limit < 0 or len(waiting) > _PAGE:
                raise ValueError("it, or a line of it, is larger than any honest one")
    yield from filter(bytes.strip, [waiting])


def _limit(package: Package, name: str, most: int) -> int:
    return min(most, _PAGES_FREE + _PAGES_RATIO * package.getinfo(name).compress_size)


def small_file(package: Package, name: str) -> bytes:
    """Return a manifest or its digest; raises ValueError where it is too large, what `zipfile` raises."""
    limit = _limit(package, name, _MANIFEST)
    data = b""
    with package.open(name) as stream:
        while len(data) <= limit and (piece := stream.read(_PIECE)):
            data += piece
    if len(data) > limit:
        raise ValueError(f"it is larger than {limit:,} bytes")
    return data
