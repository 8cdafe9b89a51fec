"""Exports, from top to bottom: choose captures, copy their records, write what goes with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, BinaryIO

from archive.archive import Reader
from archive.errors import NoSuchSnapshot, Withheld
from archive.export import Hashing, Out, Package, copy_records, copy_warc, write_csv, write_parquet, write_warcinfo
from archive.formats import urlkey
from archive.model import Document, Manifest, Snapshot
from archive.page_history import States
from archive.states import SnapshotState
from archive.times import now
from pipeline.export.selection import Needs, Wanted, runs_of, wanted_captures, with_referents
from pipeline.extract.extractor_pool import ExtractorPool
from pipeline.extract.rereading import same_text
from pipeline.version import software

if TYPE_CHECKING:
    from archive.export import WaczSigner

TableRow = tuple[Snapshot, Document | None, SnapshotState | None]
TableWriter = Callable[[Iterable[TableRow], BinaryIO, Callable[[str], str | None]], int]

_CHOSEN = "captures.warc.gz"  # records that were chosen one by one


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export holds: captures, those that were added because others need them, and pages with a text.

    `withheld` counts the captures that were asked for or needed, and are left out.
    """

    captures: int
    added: int = 0
    pages: int = 0
    withheld: int = 0


def export_wacz(archive: Reader, wanted: Wanted, file: BinaryIO, signer: WaczSigner | None = None) -> Exported:
    """Write a WACZ 1.1.1 file that replays by itself; raises NoSuchSnapshot, IntegrityError, StoreError."""
    with Package(file, software=software(), created=now()) as package:
        if wanted.whole_runs:
            outs, added, withheld = _whole_runs(archive, wanted, package)
        else:
            chosen, added, withheld = _chosen(archive, wanted)
            with package.entry(f"archive/{_CHOSEN}", stored=True) as warc:
                write_warcinfo(warc, _CHOSEN, now(), software())
                outs = list(copy_records(archive, chosen, warc, _CHOSEN))
        package.index(replace(out, query=archive.method_query(out.snapshot, whole=True)) for out in outs)
        asked = outs if wanted.url is None else _asked(outs, wanted, archive)
        pages, first = package.pages(_documents(archive, (out.snapshot for out in asked)))
        package.finish(title=_title(wanted), main=first if wanted.url is not None else None, signer=signer)
    return Exported(len(outs) - added, added, pages, withheld)


def _asked(outs: list[Out], wanted: Wanted, archive: Reader) -> list[Out]:
    """Return the pages that were asked for, and those to which redirects lead from there, not those in frames."""
    assert wanted.url is not None, "pages were asked for by their URL"
    named = [out for out in outs if archive.matches(out.snapshot, wanted.url, wanted.match)]
    places = {out.snapshot.place for out in named}
    ahead = [out.snapshot.location for out in named if out.snapshot.is_redirect]
    seen: set[str | None] = set()
    by_key: dict[str, list[Out]] = {}
    for out in outs:
        by_key.setdefault(urlkey(out.snapshot.url), []).append(out)
    while ahead:
        location = ahead.pop()
        for out in by_key.get(urlkey(location or ""), ()) if location not in seen else ():
            places.add(out.snapshot.place)
            ahead += [out.snapshot.location] if out.snapshot.is_redirect else []
        seen.add(location)
    return [out for out in outs if out.snapshot.document is not None and out.snapshot.place in places]


def _title(wanted: Wanted) -> str:
    return wanted.collection or wanted.url or (", ".join(wanted.runs) if wanted.runs else "An archive of commentary")


def _whole_runs(archive: Reader, wanted: Wanted, package: Package) -> tuple[list[Out], int, int]:
    """Return the WARC files of runs as they are, with every record, and records of other runs that revisits need.

    Of a run with captures that are withheld, the records of the others.
    """
    outs: list[Out] = []
    withheld = 0
    for run in runs_of(archive, wanted):
        found = archive.manifest(run)
        captures = [snapshot for snapshot in archive.captures_of(run) if snapshot.run == run]
        shown = [snapshot for snapshot in captures if not snapshot.withheld]
        withheld += len(captures) - len(shown)
        if len(shown) < len(captures):
            name = _name(run, _CHOSEN)
            with package.entry(f"archive/{name}", stored=True) as warc:
                write_warcinfo(warc, name, now(), software())
                outs += copy_records(archive, shown, warc, name)
            continue
        for path in _warcs(found):
            with package.entry(f"archive/{_name(run, path)}", stored=True) as warc:
                copy_warc(archive, found, path, warc)
        outs += [_in_place(snapshot) for snapshot in shown]
    _require(outs, withheld)
    held = {out.snapshot.place for out in outs}
    others = [each for each in with_referents(archive, (out.snapshot for out in outs)) if each.place not in held]
    if others:
        with package.entry(f"archive/{_CHOSEN}", stored=True) as warc:
            write_warcinfo(warc, _CHOSEN, now(), software())
            outs += copy_records(archive, others, warc, _CHOSEN)
    return outs, len(others), withheld


def _warcs(found: Manifest) -> Iterator[str]:
    return (resource.path for resource in found.resources if resource.path.startswith("archive/"))


def _require(kept: Sized, withheld: int) -> None:
    if withheld and not kept:
        raise Withheld("there is nothing to export: what was asked for is withheld", "withheld")
    if not kept:
        raise NoSuchSnapshot("there is nothing to export: no capture is kept in what was asked for")


def _in_place(snapshot: Snapshot) -> Out:
    record = snapshot.record
    return Out(snapshot, _name(snapshot.run, record.key), record.offset, record.length)


def _name(run: str, path: str) -> str:
    return f"{run.lower()}-{path.rpartition('/')[2]}"


def _chosen(archive: Reader, wanted: Wanted) -> tuple[list[Snapshot], int, int]:
    found = list(wanted_captures(archive, wanted))
    asked = [snapshot for snapshot in found if not snapshot.withheld]
    withheld = len(found) - len(asked)
    _require(asked, withheld)
    with ExtractorPool(1) as pool:
        needs = Needs(archive, pool)
        if wanted.url is not None or wanted.collection is not None:
            needed = list(needs.of(asked))
        else:
            needed = [made for page in asked for made in needs.made_of(page)]
        withheld += needs.withheld
    chosen = with_referents(archive, [*asked, *needed])
    return chosen, len(chosen) - len({snapshot.place for snapshot in asked}), withheld


def export_warc(archive: Reader, wanted: Wanted, file: BinaryIO) -> Exported:
    """Write one WARC file, each record a gzip member as it is kept; raises as `export_wacz` does."""
    out = Hashing(file)
    if wanted.whole_runs:
        return _runs_in_one(archive, wanted, out)
    chosen, added, withheld = _chosen(archive, wanted)
    write_warcinfo(out, _CHOSEN, now(), software())
    for _ in copy_records(archive, chosen, out, _CHOSEN):
        pass
    return Exported(len(chosen) - added, added, withheld=withheld)


def _runs_in_one(archive: Reader, wanted: Wanted, out: Hashing) -> Exported:
    captures = withheld = 0
    for run in runs_of(archive, wanted):
        found = archive.manifest(run)
        if archive.shown_ranges(run) is None:
            for path in _warcs(found):
                copy_warc(archive, found, path, out)
            captures += found.counts.get("captures", 0)
            continue
        own = [snapshot for snapshot in archive.captures_of(run) if snapshot.run == run]
        shown = [snapshot for snapshot in own if not snapshot.withheld]
        captures, withheld = captures + len(shown), withheld + len(own) - len(shown)
        if shown:
            write_warcinfo(out, _CHOSEN, now(), software())
            for _ in copy_records(archive, shown, out, _CHOSEN):
                pass
    _require(range(out.tell()), withheld)
    return Exported(captures, withheld=withheld)


def export_parquet(archive: Reader, wanted: Wanted, file: BinaryIO) -> Exported:
    """Write a table with a row for each capture; raises as `export_wacz` does, FormatError without pyarrow."""
    return _table(archive, wanted, file, write_parquet)


def export_csv(archive: Reader, wanted: Wanted, file: BinaryIO) -> Exported:
    """Write a table for spreadsheets, with a row for each capture, without the texts; raises as `export_wacz` does."""
    return _table(archive, wanted, file, write_csv)


def _table(archive: Reader, wanted: Wanted, file: BinaryIO, write: TableWriter) -> Exported:
    withheld = 0
    states = States(archive, same_text)

    def captures() -> Iterator[tuple[Snapshot, Document | None, SnapshotState | None]]:
        nonlocal withheld
        for each in wanted_captures(archive, wanted):
            if each.withheld:
                withheld += 1
            else:
                yield each, archive.document(each) if each.document else None, states.of(each)

    count = write(captures(), file, _registered)
    _require(range(count), withheld)
    return Exported(count, withheld=withheld)


def _documents(
    archive: Reader, snapshots: Iterator[Snapshot]
) -> Iterator[tuple[Snapshot, Document, SnapshotState | None]]:
    states = States(archive, same_text)
    for snapshot in snapshots:
        document = archive.document(snapshot)
        if document is not None and not snapshot.url.startswith("urn:"):  # those cannot be replayed
            yield snapshot, document, states.of(snapshot)


@lru_cache(maxsize=4096)
def _registered(host: str) -> str | None:
    from tld import get_fld

    found = get_fld(f"http://{host}", fail_silently=True)
    return found if isinstance(found, str) else None
