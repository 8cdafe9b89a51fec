"""What a file of another program is, by its first bytes, and the WARC files in it: a WACZ has several."""

from __future__ import annotations

import json
import re
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from archive.errors import FormatError
from archive.importers.arc_lines import begins_with_arc
from archive.importers.captures import LONGEST_URL
from archive.importers.compressed import MAGIC
from archive.importers.cut_zip import CutZip
from archive.importers.kinds import Kind, saved_kind
from archive.importers.lenient_reader import indexable
from archive.importers.mhtml import page_of
from archive.importers.plain_bytes import first_bytes
from archive.importers.wacz_manifest import NAME, PAGES, ZIP_ERRORS, Flaw, Package, check_manifest, lines_of
from archive.importers.wacz_said import signature_of

_PIECE = 1 << 18
_BEGINNING = 1 << 16  # bytes by which a file is known
_MOST = 100_000  # entries of a zip
_FREE = 256 << 20  # bytes of an entry before its ratio counts
_RATIO = 400
_PACKERS = {
    b"\x04\x22\x4d\x18": "LZ4", b"BZh": "bzip2", b"\xfd7zXZ": "xz",
}  # fmt: skip
_DAMAGED = (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OverflowError)
_INNER_FREE = 1 << 20  # bytes of a WACZ in another one before its ratio counts
_INNER_RATIO = 4
_WARC = re.compile(r"\.(?:warc|arc)(?:\.gz|\.zst)?\Z", re.IGNORECASE)


@dataclass(slots=True)
class Container:
    """The parts of a file that hold records, what is wrong with the others, and the pages that it names, if it does."""

    parts: list[str]  # names in the file; "" is the file itself
    flaws: list[Flaw] = field(default_factory=list)
    pages: frozenset[str] | None = None
    packages: dict[str, tuple[Package, str]] = field(default_factory=dict)  # by part: the zip, and the name in it
    kinds: dict[str, Kind] = field(default_factory=dict)  # of parts that hold no records
    zips: list[Package] = field(default_factory=list)
    checked: dict[str, str] = field(default_factory=dict)  # what was compared in a WACZ, and whether it holds, in words


@contextmanager
def opened(path: Path) -> Iterator[Container]:
    """Yield what is in a file; raises FormatError for what is no archive, OSError."""
    with path.open("rb") as file:
        first = file.read(16)
    packer = next((name for magic, name in _PACKERS.items() if first.startswith(magic)), None)
    if not first:
        raise FormatError(f"{path} is empty: it has 0 bytes; name a file that holds records")
    if first.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        try:
            with ExitStack() as stack:
                yield _package(path, stack)
        except _DAMAGED as error:
            raise FormatError(f"{path} is a damaged zip: {error}") from error
    elif packer is not None:
        raise FormatError(
            f"{path} is packed with {packer}, which is not read here: unpack it and import what was in it"
        )
    elif kind := saved_kind(beginning := first_bytes(path, _BEGINNING)):
        page = page_of(beginning) if kind is Kind.MHTML else None
        yield Container([""], kinds={"": kind}, pages=frozenset({indexable(page)}) if page else None)
    elif first.startswith(b"\x1f\x8b") or MAGIC.match(first) or begins_with_arc(beginning) or _has_record(path):
        yield Container([""])
    else:
        raise FormatError(
            f"{path} is neither WACZ, WARC, ARC, HAR, MHTML nor a page saved by SingleFile: name a file that is"
        )


def _package(path: Path, stack: ExitStack, depth: int = 0) -> Container:
    """Return what is in a zip, which stays open until the stack is closed; raises FormatError, what `zipfile` does."""
    try:
        return _wacz(path, stack.enter_context(zipfile.ZipFile(path)), stack, depth)
    except zipfile.BadZipFile:
        cut = CutZip(path)
        if not cut.infolist():
            raise
    found = _wacz(path, cut, stack, depth)
    found.flaws.insert(0, Flaw("", "the zip breaks off before the list of its entries; what is there is read"))
    return found


def _has_record(path: Path) -> bool:
    """Whether a record begins somewhere near the beginning: what is damaged there may be sound further on."""
    with path.open("rb") as file:
        return re.search(rb"(?:\A(?:\xef\xbb\xbf)?|\n)WARC/\d", file.read(1 << 20), re.IGNORECASE) is not None


def pieces(path: Path, container: Container, part: str) -> Iterator[bytes]:
    """Yield a part's bytes; raises FormatError where its zip is damaged."""
    package, name = container.packages.get(part, (None, ""))
    try:
        with path.open("rb") if package is None else package.open(name) as stream:
            while piece := stream.read(_PIECE):
                yield piece
    except (ValueError, *ZIP_ERRORS) as error:
        raise FormatError(f"it is damaged in its zip: {error}") from error


def _wacz(path: Path, package: Package, stack: ExitStack, depth: int) -> Container:
    entries = package.infolist()
    found = Container([])
    if sum(entry.compress_size for entry in entries) > path.stat().st_size:
        raise FormatError(f"{path} is a bomb: its entries share their bytes")
    if len(entries) > _MOST:
        raise FormatError(f"{path} has {len(entries):,} entries: no WACZ has so many")
    seen: set[str] = set()
    inner: list[str] = []
    for entry in entries:
        why = _refused(entry, seen)
        seen.add(entry.filename)
        if why:
            found.flaws.append(Flaw(entry.filename, why))
        elif _WARC.search(entry.filename):
            found.parts.append(entry.filename)
            found.packages[entry.filename] = package, entry.filename
        elif entry.filename.lower().endswith(".wacz"):
            inner.append(entry.filename)
    if not found.parts and not found.flaws and not inner:
        raise FormatError(f"{path} is a zip without WARC files: no WACZ")
    found.parts.sort()
    _check(package, seen, found)
    found.pages = _pages(package, seen, found)
    for name in sorted(inner):
        _take_inner(package, name, found, stack, depth)
    return found


def _check(package: Package, names: set[str], found: Container) -> None:
    """Compare what a package's manifest, digest and signature say with what is there."""
    flaws = check_manifest(package, names - {flaw.part for flaw in found.flaws}, names, found.parts)
    found.zips.append(package)
    found.flaws += flaws
    if NAME in names:
        found.checked["hashes"] = f"{len(flaws):,} of them do not hold" if flaws else "all of them hold"
    if signature := signature_of(package, names):
        found.checked["signature"] = signature


def _take_inner(package: Package, name: str, found: Container, stack: ExitStack, depth: int) -> None:
    """Add what is in a WACZ that lies in another one, as multi-WACZ packages have it."""
    entry = package.getinfo(name)
    try:
        if depth:
            raise FormatError("a WACZ in a WACZ in a WACZ is not read: unpack it and import what was in it")
        if entry.file_size > _INNER_FREE and entry.file_size > _INNER_RATIO * entry.compress_size:
            raise FormatError("it is a bomb: no WACZ can be packed so much")
        copy = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="onrecord-"))) / "inner.wacz"
        with package.open(name) as stream, copy.open("wb") as file:
            shutil.copyfileobj(stream, file, _PIECE)
        held = _package(copy, stack, depth + 1)
    except (FormatError, *ZIP_ERRORS) as error:
        found.flaws.append(Flaw(name, f"it cannot be read: {error}"))
        return
    for part in held.parts:
        found.parts.append(f"{name}/{part}")
        found.packages[f"{name}/{part}"] = held.packages[part]
    found.flaws += [replace(flaw, part=f"{name}/{flaw.part}".rstrip("/")) for flaw in held.flaws]
    found.zips += held.zips
    found.checked |= {f"{what} of {name}": result for what, result in held.checked.items()}
    both_named = found.pages is not None or not found.packages.keys() - {f"{name}/{part}" for part in held.parts}
    named = held.pages is not None and both_named
    found.pages = (found.pages or frozenset()) | (held.pages or frozenset()) if named else None


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


def _pages(package: Package, names: set[str], found: Container) -> frozenset[str] | None:
    """Return the URLs that lists of pages name; None where there is no list."""
    urls: set[str] = set()
    for name in PAGES:
        if name not in names:
            continue
        try:
            for line in lines_of(package, name):
                try:
                    url = json.loads(line).get("url")
                except (ValueError, AttributeError, RecursionError):
                    continue
                urls.update([indexable(url)] if isinstance(url, str) and len(url) <= LONGEST_URL else [])
        except (ValueError, *ZIP_ERRORS) as error:
            found.flaws.append(Flaw(name, f"it cannot be read to its end: {error}", taken=True))
    return frozenset(urls) or None
