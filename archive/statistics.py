"""What an archive holds, counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from archive import object_keys
from archive.archive import Reader
from archive.model import TEXT_INCOMPLETE, Snapshot

_LACKING = frozenset({TEXT_INCOMPLETE, "needs-scripts"})  # the state text-incomplete of a page


@dataclass(slots=True)
class HostStock:
    """The captures of one host."""

    host: str
    captures: int = 0
    revisits: int = 0
    tombstones: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None

    def add(self, snapshot: Snapshot) -> None:
        """Count a capture."""
        self.captures += 1
        self.revisits += snapshot.revisit
        self.tombstones += snapshot.is_tombstone
        self.oldest = min(self.oldest or snapshot.timestamp, snapshot.timestamp)
        self.newest = max(self.newest or snapshot.true_time, snapshot.true_time)


@dataclass(frozen=True, slots=True)
class Stock:
    """Totals; `total` and `hosts` count captures of web addresses, and sizes are bytes in the store."""

    runs: int
    uncommitted: int  # runs that were begun in the store and do not exist
    documents: int
    warc_bytes: int
    index_bytes: int  # of the runs and of the merged index
    other_bytes: int
    total: HostStock
    hosts: tuple[HostStock, ...]  # those with most captures first
    text_incomplete: int = 0  # URLs of pages that are there, and whose text was not had whole when last seen


def stock_of(archive: Reader) -> Stock:
    """Count everything: reads every manifest and the whole index; raises IntegrityError, StoreError."""
    unguarded = archive.unguarded()  # counted, not shown
    catalog = unguarded.catalog
    files = catalog.files()
    committed = [run for run, paths in files.items() if object_keys.MANIFEST in paths]
    sizes = {"archive/": 0, "indexes/": 0, "": 0}
    for run in committed:
        for path, size in files[run].items():
            kind = next(prefix for prefix in sizes if path.startswith(prefix))
            sizes[kind] += size
    merged = sum(size for parts in catalog.generations.files().values() for size in parts.values())
    total = HostStock("")
    hosts: dict[str, HostStock] = {}
    incomplete: set[str] = set()
    for snapshot in unguarded.every():
        host = _host(snapshot.url)
        if host is None:  # made of a page, not received
            continue
        total.add(snapshot)
        hosts.setdefault(host, HostStock(host)).add(snapshot)
        if snapshot.availability in _LACKING:
            incomplete.add(snapshot.url)
        elif not snapshot.is_behind_wall and not snapshot.is_tombstone:
            incomplete.discard(snapshot.url)
    return Stock(
        runs=len(committed),
        uncommitted=len(files) - len(committed),
        documents=sum(found.counts.get("documents", 0) for found in catalog.manifests(committed)),
        warc_bytes=sizes["archive/"],
        index_bytes=sizes["indexes/"] + merged,
        other_bytes=sizes[""],
        total=total,
        hosts=tuple(sorted(hosts.values(), key=lambda each: (-each.captures, each.host))),
        text_incomplete=len(incomplete),
    )


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
