"""A citation of a snapshot, in one line: who wrote what, where, when it was captured, and which record holds it."""

from __future__ import annotations

from archive.model import Document, Snapshot
from archive.times import iso
from pipeline.web.common.safe_text import visible

_LONGEST = 500  # characters of each part that comes from the page


def citation_of(snapshot: Snapshot, document: Document | None) -> str:
    """Return the citation: author, title, site, URL, when it was captured, record id and payload digest."""
    article = document.article if document else None
    title = (article and article.title) or snapshot.title
    parts = [
        article and article.author,
        title and f"“{' '.join(title.split())}”",
        article and article.sitename,
        article and article.date,
        snapshot.url,
        f"Captured {iso(snapshot.timestamp)}",
        snapshot.source and snapshot.source.capitalize(),
        f"Record {snapshot.record_id}",
        snapshot.digest,
    ]
    return ". ".join(visible(" ".join(part.split()))[:_LONGEST].rstrip(".") for part in parts if part) + "."
