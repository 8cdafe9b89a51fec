"""What came of an import of an outside tool's file, beside our own capture of the same pages."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from archive.archive import Archive
from archive.errors import ArchiveError
from archive.formats.surt import urlkey
from archive.model import Snapshot
from archive.warc.content_coding import decoded
from storage.location import open_store

_LIMIT = 1 << 24  # bytes of one body


@dataclass
class Page:
    """One page as an archive has it: the last snapshot of its URL."""

    status: int
    body: str  # SHA-256 of the decoded body
    text: str
    stamp: float
    note: str = ""


@dataclass
class Comparison:
    """Pages that both have, by what is the same in them."""

    pages: int = 0
    missing: list[str] = field(default_factory=list)
    status: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    time: list[str] = field(default_factory=list)

    def line(self) -> str:
        """Return the comparison in one line."""
        parts = [f"{self.pages - len(self.missing)} of {self.pages} pages"]
        for name in ("missing", "status", "body", "text", "time"):
            if paths := getattr(self, name):
                shown = ", ".join(paths[:8]) + (f" and {len(paths) - 8} more" if len(paths) > 8 else "")
                parts.append(f"{'' if name == 'missing' else 'other '}{name}: {shown}")
        return "; ".join(parts) + ("" if len(parts) > 1 else ", all with the same status, bytes, text and time")


def pages_of(store: Path) -> dict[str, Page]:
    """Return the pages of an archive by path and query, as the index spells them."""
    archive = Archive(open_store(str(store)), spool=store.parent / "no-spool")
    found: dict[str, Page] = {}
    for snapshot in archive.every():
        if (snapshot.method or "GET") != "GET":
            continue
        path = urlkey(snapshot.url).partition(")")[2]
        if path not in found or snapshot.timestamp.timestamp() >= found[path].stamp:
            found[path] = _page(archive, snapshot)
    return found


def _page(archive: Archive, snapshot: Snapshot) -> Page:
    stamp = snapshot.timestamp.timestamp()
    try:
        head, _, pieces = archive.page_body(snapshot)
        body = hashlib.sha256(b"".join(decoded(pieces, head.content_encoding, _LIMIT))).hexdigest()
        document = archive.document(snapshot)
    except (ArchiveError, ValueError) as error:
        return Page(snapshot.status, "", "", stamp, str(error))
    return Page(snapshot.status, body, document.article.text if document else "", stamp)


def compared(ours: dict[str, Page], theirs: dict[str, Page], seconds: float) -> Comparison:
    """Compare every page of ours; times may differ by as many seconds as the tools ran apart."""
    result = Comparison(len(ours))
    for path, page in ours.items():
        other = theirs.get(path)
        if other is None:
            result.missing.append(path)
            continue
        if other.status != page.status:
            result.status.append(f"{path} ({other.status} for {page.status})")
        if other.body != page.body:
            result.body.append(path)
        if other.text != page.text:
            result.text.append(path)
        if abs(other.stamp - page.stamp) > seconds:
            result.time.append(path)
    return result
