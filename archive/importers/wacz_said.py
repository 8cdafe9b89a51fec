"""What a WACZ says beside its records, as records: its pages with titles and texts, its manifest, its signature."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from archive.checked_json import parsed_object
from archive.crypto.wacz_signature import check_signature
from archive.digests import digest_of
from archive.errors import IntegrityError
from archive.importers.dates import moment_of
from archive.importers.lenient_reader import ForeignRecord
from archive.importers.made_records import made_record
from archive.importers.wacz_manifest import DIGEST, NAME, PAGES, ZIP_ERRORS, Package, lines_of, small_file
from archive.model import Block

_LONGEST = 8_192  # characters of an address


def signature_of(package: Package, names: set[str]) -> str | None:
    """Return what the signature of a package says and whether it holds, in words; None where it has no signature."""
    if not {NAME, DIGEST} <= names:
        return None
    try:
        data, signed = small_file(package, NAME), parsed_object(small_file(package, DIGEST)).get("signedData")
        if not isinstance(signed, dict):
            return None
        signer = check_signature(signed, digest_of(data))
    except IntegrityError as error:
        return f"its signature proves nothing: {error}"
    except (ValueError, *ZIP_ERRORS) as error:
        return f"its signature cannot be read: {error}"
    return f"datapackage.json is signed by {signer}"


def package_records(package: Package, changed: datetime) -> Iterator[ForeignRecord]:
    """Yield the manifest, its digest and signature, and each page of the lists, as metadata records.

    Of packages that this program wrote, only what is signed: their pages are made again from their records. What cannot
    be read is passed over: `check_manifest` and the lists' readers name it.
    """
    names = {entry.filename for entry in package.infolist()}
    said = _object(package, NAME, names)
    created = moment_of(str(said.get("created") or "")) or changed
    own = str(said.get("software") or "").startswith("onrecord")
    signed = "signedData" in _object(package, DIGEST, names)
    for name in (NAME, DIGEST):
        if name in names and (signed or not own):
            yield from _file(package, name, created)
    for name in PAGES:
        if name in names and not own:
            yield from _pages(package, name, created)


def _object(package: Package, name: str, names: set[str]) -> dict[str, Any]:
    try:
        return parsed_object(small_file(package, name)) if name in names else {}
    except (ValueError, *ZIP_ERRORS):
        return {}


def _file(package: Package, name: str, created: datetime) -> Iterator[ForeignRecord]:
    try:
        data = small_file(package, name)
    except (ValueError, *ZIP_ERRORS):
        return
    yield made_record("metadata", f"urn:wacz:{name}", created, "application/json", Block.of(data), digest_of(data))


def _pages(package: Package, name: str, created: datetime) -> Iterator[ForeignRecord]:
    try:
        for line in lines_of(package, name):
            if found := _page(line):
                url, date = found
                block = Block.of(line)
                yield made_record("metadata", url, date or created, "application/json", block, digest_of(line))
    except (ValueError, *ZIP_ERRORS):
        return


def _page(line: bytes) -> tuple[str, datetime | None] | None:
    try:
        page = json.loads(line)
    except (ValueError, RecursionError):
        return None
    url = page.get("url") if isinstance(page, dict) else None
    if not isinstance(url, str) or not url or len(url) > _LONGEST:
        return None
    said = page.get("ts")
    if isinstance(said, int) and 0 < said < 1 << 42:  # milliseconds, as some write
        return url, datetime.fromtimestamp(said // 1000, UTC)
    return url, moment_of(str(said or ""))
