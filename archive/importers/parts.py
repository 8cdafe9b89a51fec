"""The records of a part of a file, whichever kind the part is of: found, or made of what it holds."""

from __future__ import annotations

import hashlib
import itertools
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from archive.importers import har, mhtml, saved_html
from archive.importers.container import Container, pieces
from archive.importers.kinds import Kind
from archive.importers.lenient_reader import Fault, ForeignRecord, Found, read_records
from archive.importers.made_records import SavedFile
from archive.importers.plain_bytes import Damage, Plain
from archive.importers.wacz_said import package_records

_PIECE = 1 << 18
_MADE = {Kind.HAR: har.har_records, Kind.MHTML: mhtml.mhtml_records, Kind.HTML: saved_html.html_records}


def said_in(path: Path, container: Container) -> Iterator[ForeignRecord]:
    """Yield what a WACZ says beside its records, as records: its pages with their texts, its manifest, its signature.

    Its index and its logs are not among them.
    """
    changed = datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    for package in container.zips:
        yield from package_records(package, changed)


def records_of(path: Path, container: Container, part: str, folder: Path, most: int) -> Iterator[Found]:
    """Yield a part's records and faults, `most` of them; blocks too large for memory lie in `folder`.

    Raises FormatError where the part is damaged in its zip.
    """
    plain = Plain(pieces(path, container, part))
    kind = container.kinds.get(part, Kind.RECORDS)
    if kind is Kind.RECORDS:
        yield from read_records(plain, folder, most)
        return
    with tempfile.NamedTemporaryFile(dir=folder) as copy:
        hasher, damage = hashlib.sha256(), None
        try:
            while piece := plain.read(_PIECE):
                hasher.update(piece)
                copy.write(piece)
        except Damage as error:
            damage = Fault(error.offset, error.reason)
        copy.flush()
        changed = datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
        digest = f"sha256:{hasher.hexdigest()}"
        file = SavedFile(Path(copy.name), folder, digest, copy.tell(), changed)
        if damage is not None:
            yield damage
        found = _MADE[kind](file)
        yield from itertools.islice(found, most)
        for _ in found:
            yield Fault(0, "it has more records than so few bytes can hold: the rest is left out")
            break
