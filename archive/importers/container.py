"""What a file of another program is, by its first bytes, and the WARC files in it: a WACZ has several."""

from __future__ import annotations

import json
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from archive.checked_json import parsed_object
from archive.errors import FormatError
from archive.importers.captures import LONGEST_URL
from archive.importers.lenient_reader import indexable

_PIECE = 1 << 18
_MOST = 100_000  # entries of a zip
_PAGES = 256 << 20  # bytes of a list of pages,
_PAGES_FREE = 1 << 20  # and of a list, or a manifest, before its ratio counts
_PAGES_RATIO = 100
_PAGE = 8 << 20  # bytes of a line
_FREE = 256 << 20  # bytes of an entry before its ratio counts
_RATIO = 400
_PACKERS = {
    b"\x28\xb5\x2f\xfd": "Zstandard", b"\x5d\x2a\x4d\x18": "Zstandard", b"\x04\x22\x4d\x18": "LZ4", b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
}  # fmt: skip
# What `zipfile` raises for damaged files; one that names a place before the file is an OSError.
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)
_WARC = re.compile(r"\.(?:warc|arc)(?:\.gz)?\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a part of a file; `taken` where it is read all the same."""

    part: str
    reason: str
    taken: bool = False


@dataclass(slots=True)
class Container:
    """The parts of a file that hold records, what is wrong with the others, and the pages that it names, if it does."""

    parts: list[str]  # names in the file; "" is the file itself
    flaws: list[Flaw] = field(default_factory=list)
    pages: frozenset[str] | None = None


@contextmanager
def opened(path: Path) -> Iterator[tuple[Container, zipfile.ZipFile | None]]:
    """A file and what is in it; raises FormatError for what is no archive, OSError."""
    with path.open("rb") as file:
        first = file.read(16)
    if first.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        try:
            with zipfile.ZipFile(path) as package:
                yield _wacz(path, package), package
        except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OverflowError) as error:
            raise FormatError(f"{path} is a damaged zip: {error}") from error
    elif first.startswith((b"\x1f\x8b", b"filedesc:")) or _has_record(path):
        yield Container([""]), None
    elif packer := next((name for magic, name in _PACKERS.items() if first.startswith(magic)), None):
        raise FormatError(
            f"{path} is packed with {packer}, which is not read here: unpack it and import what was in it"
        )
    else:
        raise FormatError(f"{path} is neither WACZ, WARC nor ARC: name a file that is")


def _has_record(path: Path) -> bool:
    """Whether a record begins somewhere near the beginning: what is damaged there may be sound further on."""
    with path.open("rb") as file:
        return re.search(rb"(?:\A|\n)WARC/\d", file.read(1 << 20), re.IGNORECASE) is not None


def pieces(path: Path, package: zipfile.ZipFile | None, part: str) -> Iterator[bytes]:
    """A part's bytes; raises FormatError where its zip is damaged."""
    try:
        with path.open("rb") if package is None else package.open(part) as stream:
            while piece := stream.read(_PIECE):
                yield piece
    except (ValueError, *_ZIP_ERRORS) as error:
        raise FormatError(f"it is damaged in its zip: {error}") from error


def _wacz(path: Path, package: zipfile.ZipFile) -> Container:
    entries = package.infolist()
    found = Container([])
    if sum(entry.compress_size for entry in entries) > path.stat().st_size:
        raise FormatError(f"{path} is a bomb: its entries share their bytes")
    if len(entries) > _MOST:
        raise FormatError(f"{package.filename} has {len(entries):,} entries: no WACZ has so many")
    seen: set[str] = set()
    for entry in entries:
        why = _refused(entry, seen)
        seen.add(entry.filename)
        if why:
            found.flaws.append(Flaw(entry.filename, why))
        elif _WARC.search(entry.filename):
            found.parts.append(entry.filename)
    if not found.parts and not found.flaws:
        raise FormatError(f"{package.filename} is a zip without WARC files: no WACZ")
    found.parts.sort()
    _check_manifest(package, seen, found)
    found.pages = _pages(package, seen, found)
    return found


def _refused(entry: zipfile.ZipInfo, seen: set[str]) -> str | None:
    """Why an entry is not looked at: nothing is unpacked here, and what tries to lead elsewhere is no honest file."""
    name = entry.filename
    if name.startswith(("/", "\\")) or "\\" in name or ".." in PurePosixPath(name).parts or ":" in name[:3]:
        return "its name leads out of the file"
    if name in seen:
        return "another entry has its name"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "it is a symbolic link"
    if entry.flag_bits & 1:
        return "it is encrypted"
    if entry.file_size > _FREE and entry.file_size > _RATIO * max(entry.compress_size, 1):
        return f"it is a bomb: {entry.file_size:,} bytes in {entry.compress_size:,}"
    return None


def _check_manifest(package: zipfile.ZipFile, names: set[str], found: Container) -> None:
    if "datapackage.json" not in names:
        found.flaws.append(Flaw("datapackage.json", "it is missing", taken=True))
        return
    try:
        listed = parsed_object(_bounded(package, "datapackage.json", 16 << 20)).get("resources", [])
        paths = {resource["path"] for resource in listed}
    except (ValueError, KeyError, TypeError, AttributeError, *_ZIP_ERRORS) as error:
        found.flaws.append(Flaw("datapackage.json", f"it cannot be read: {error}", taken=True))
        return
    for part in found.parts:
        if part not in paths:
            found.flaws.append(Flaw(part, "the manifest does not name it", taken=True))
    for path in sorted(str(path) for path in paths - names):
        found.flaws.append(Flaw(path, "the manifest names it, and it is not there"))


def _pages(package: zipfile.ZipFile, names: set[str], found: Container) -> frozenset[str] | None:
    """The URLs that lists of pages name; None where there is no list."""
    urls: set[str] = set()
    for name in ("pages/pages.jsonl", "pages/extraPages.jsonl"):
        if name not in names:
            continue
        try:
            for line in _lines(package, name):
                try:
                    url = json.loads(line).get("url")
                except (ValueError, AttributeError, RecursionError):
                    continue
                urls.update([indexable(url)] if isinstance(url, str) and len(url) <= LONGEST_URL else [])
        except (ValueError, *_ZIP_ERRORS) as error:
            found.flaws.append(Flaw(name, f"it cannot be read to its end: {error}", taken=True))
    return frozenset(urls) or None


def _lines(package: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """The lines of an entry that are not blank; raises ValueError where there is too much, what `zipfile` raises."""
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


def _limit(package: zipfile.ZipFile, name: str, most: int) -> int:
    return min(most, _PAGES_FREE + _PAGES_RATIO * package.getinfo(name).compress_size)


def _bounded(package: zipfile.ZipFile, name: str, most: int) -> bytes:
    limit = _limit(package, name, most)
    with package.open(name) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"it is larger than {limit:,} bytes")
    return data
