"""A WACZ file checked by itself: its signature, and that its files are those that were signed."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive.checked_json import parsed_object, text_of
from archive.crypto.wacz_signature import check_signature
from archive.digests import digest_of
from archive.errors import IntegrityError
from archive.evidence.bundle_verify import Step

_SMALL = 64 << 20  # bytes of a datapackage.json
_PIECE = 1 << 18
_RATIO = 100  # by which files may be larger than they are in it
_DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError)


def wacz_steps(path: Path) -> Iterator[Step]:
    """Look at a package's digest, signature and files (WACZ Signing and Verification 0.1.0); raises OSError."""
    try:
        with zipfile.ZipFile(path) as package:
            yield from _steps(package)
    except _DAMAGED as error:
        yield Step(False, f"it is no whole WACZ file: {' '.join(str(error).split())[:160]}")
    except IntegrityError as error:
        yield Step(False, str(error))


def _steps(package: zipfile.ZipFile) -> Iterator[Step]:
    try:
        data = _small(package, "datapackage.json")
        said = parsed_object(_small(package, "datapackage-digest.json"))
        resources = parsed_object(data)["resources"]
        named = {text_of(each["path"]): text_of(each["hash"]) for each in resources}
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise IntegrityError(
            f"its datapackage.json or datapackage-digest.json cannot be understood: {error}"
        ) from error
    digest = digest_of(data)
    if said.get("hash") != digest:
        yield Step(False, "datapackage.json is not the file whose hash datapackage-digest.json names: it was altered")
    yield _signed(said.get("signedData"), digest)
    yield from _files(package, named)


def _signed(signed: Any, digest: str) -> Step:
    if not isinstance(signed, dict):
        return Step(False, "it is not signed")
    try:
        key = check_signature(signed, digest)
    except IntegrityError as error:
        return Step(False, str(error))
    return Step(True, f"datapackage.json is signed by {key}; ask its holder whether it is theirs")


def _files(package: zipfile.ZipFile, named: dict[str, str]) -> Iterator[Step]:
    names = [info.filename for info in package.infolist() if not info.is_dir()]
    there = set(names)
    if len(there) < len(names):
        yield Step(False, "a name stands in it twice: readers may take either file")
    left = _Left(_RATIO * sum(info.compress_size for info in package.infolist()) + _SMALL)
    for path in sorted(there - named.keys() - {"datapackage.json", "datapackage-digest.json"}):
        yield Step(False, f"{path} is in it, and datapackage.json does not name it")
    whole = 0
    for path, expected in sorted(named.items()):
        if path not in there:
            yield Step(False, f"{path} is missing")
        elif _digest(package, path, left) != expected:
            yield Step(False, f"{path} is not the file that was signed: it was altered")
        else:
            whole += 1
    yield Step(
        True if whole == len(named) else None, f"{whole:,} of its {len(named):,} files are those that were signed"
    )


@dataclass(slots=True)
class _Left:
    """Bytes that a package's files may still hold when they are unpacked."""

    bytes: int


def _digest(package: zipfile.ZipFile, path: str, left: _Left) -> str | None:
    hasher = hashlib.sha256()
    try:
        with package.open(path) as file:
            while piece := file.read(_PIECE):
                hasher.update(piece)
                left.bytes -= len(piece)
                if left.bytes < 0:
                    raise IntegrityError("its files are far larger than it is: it is a bomb, or no package for people")
    except _DAMAGED:
        return None
    return f"sha256:{hasher.hexdigest()}"


def _small(package: zipfile.ZipFile, name: str) -> bytes:
    with package.open(name) as file:
        data = file.read(_SMALL + 1)
    if len(data) > _SMALL:
        raise IntegrityError(f"{name} is larger than that of any package")
    return data
