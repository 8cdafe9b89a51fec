"""Redaction: what the law demands to be gone is taken out of the runs that hold it; who did it and why is kept, signed.

In this order, so that a kill anywhere leaves the old runs whole or the new ones: the new files are put aside under
`redacting/`; the signed statement is put, and with it the redaction is decided; the files are moved over those of the
runs, the manifests last; the merged index is made again and the old one deleted; what was put aside is deleted. From
the statement on, whoever comes next can finish. No byte of what stays is moved (see `archive.redaction.rewrite`), so
that readers find it at every moment.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from archive import object_keys
from archive.access.redaction_statement import Gone, Replaced, Statement
from archive.access.rules import subject_of
from archive.archive import Archive, UnguardedReader
from archive.checked_json import parsed_object
from archive.crypto.merkle import Growing
from archive.crypto.signed_note import Signer
from archive.digests import digest_of, digest_of_file
from archive.errors import AmbiguousRecord, IntegrityError, NoSuchSnapshot
from archive.formats import manifest
from archive.formats.surt import urlkey
from archive.model import Snapshot
from archive.redaction.apply import finish
from archive.redaction.rewrite import (
    Place,
    blanked_index,
    blanked_outcomes,
    blanked_pages,
    blanked_record,
    places_of,
    together,
)
from archive.times import iso, now
from archive.warc.gzip_members import walk_members
from archive.warc.record_tree import records_root, warcs_of
from storage.base import ObjectStore
from storage.errors import StoreError, StoreUnavailable
from storage.private import private_folder

_log = logging.getLogger("onrecord.archive")

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """What a redaction would do.

    `records` are those whose content goes, by the run whose files hold them; `captures` those of them that an index
    names; `repeats` are captures whose payload lies with them, and goes too; `runs` are all that are rewritten, for
    one of these reasons or because they hold a text or a title of them.
    """

    records: dict[str, tuple[Gone, ...]]
    captures: tuple[Snapshot, ...]
    repeats: tuple[Snapshot, ...]
    runs: tuple[str, ...]

    @property
    def gone(self) -> tuple[Gone, ...]:
        """Return all records whose content goes, in the order of their places."""
        return tuple(sorted(each for records in self.records.values() for each in records))

    @property
    def places(self) -> frozenset[str]:
        """Return the places of all records whose content goes."""
        return frozenset(each.place for each in self.gone)


@dataclass
class _Found:
    """What is gathered over all runs, by place."""

    captures: dict[str, Snapshot] = field(default_factory=dict)
    repeats: dict[str, Snapshot] = field(default_factory=dict)
    runs: set[str] = field(default_factory=set)


def plan_redaction(archive: Archive, run: str, urls: Collection[str], records: Collection[str]) -> Plan:
    """What is to go when captures of a run are redacted, by their URLs, record ids or places ("KEY OFFSET").

    Reads the index of every run. Raises NoSuchSnapshot where the run holds no such capture, AmbiguousRecord where it
    holds several of one id, IntegrityError, StoreError.
    """
    reader = archive.unguarded()
    if run not in reader.runs():
        raise NoSuchSnapshot(f"there is no run {run}; `onrecord --json snapshots URL` names runs")
    wanted_keys = {urlkey(subject_of(url)) for url in urls}
    named = {record: _named(reader, run, record) for record in records}
    wanted = {each.place: each for each in named.values() if each is not None}
    if wanted_keys:
        captures = reader.captures_of(run)
        wanted |= {each.place: each for each in captures if urlkey(subject_of(each.url)) in wanted_keys}
    if not wanted or None in named.values():
        lacking = ", ".join(sorted(name for name, each in named.items() if each is None) or urls)
        raise NoSuchSnapshot(f"run {run} holds no capture {lacking}; `onrecord --json snapshots URL` names them")
    homes = sorted({each.run for each in wanted.values()})  # a run with texts made again names records of others
    held = {home: together(list(_places(reader.stores.view, home)), wanted) for home in homes}
    places = {place.place for records_of in held.values() for place in records_of}
    found = _everywhere(reader, places)
    return Plan(
        {home: tuple(sorted(map(_gone, records_of))) for home, records_of in held.items() if records_of},
        tuple(found.captures.values()),
        tuple(found.repeats.values()),
        tuple(sorted(found.runs | {home for home, records_of in held.items() if records_of})),
    )


def _named(reader: UnguardedReader, run: str, record: str) -> Snapshot | None:
    """The capture of a run that a record id or a place names; raises AmbiguousRecord where an id names several."""
    record_id = record if record.startswith("<") else f"<{record}>"
    captures = reader.captures_of(run)
    found = {each.place: each for each in captures if record == each.place or each.record_id in {record, record_id}}
    if len(found) > 1:
        there = "; ".join(f"{each.url} of {iso(each.timestamp)} at '{place}'" for place, each in found.items())
        raise AmbiguousRecord(
            f"{len(found)} captures of run {run} have the id {record}: {there}; name one by its place"
        )
    return next(iter(found.values()), None)


def _gone(place: Place) -> Gone:
    return Gone(place.key, place.offset, place.record_id)


def _everywhere(reader: UnguardedReader, wanted: Collection[str]) -> _Found:
    found = _Found()
    for run in reader.runs():
        for each in reader.captures_of(run):
            repeats = each.refers_to is not None and each.refers_to.record.place in wanted
            if each.place in wanted:
                found.captures[each.place] = each
            elif repeats:
                found.repeats[each.place] = each
            if each.place in wanted or repeats:
                found.runs.add(run)
    return found


def _places(store: ObjectStore, run: str) -> Iterator[Place]:
    for info in store.list(object_keys.run_key(run, "archive/")):
        yield from places_of(info.key, store.stream(info.key))


def redact(archive: Archive, what: Plan, signer: Signer, reason: str) -> Statement:
    """Take the content of a plan's records out of all runs, and keep a signed statement of it.

    Raises ValueError for a reason that is no line of text, IntegrityError where a run cannot be rewritten, StoreError;
    what is decided by then is finished by `finish`.
    """
    name = object_keys.new_run_id(now())
    ids = tuple(each.record_id for each in what.gone)
    nothing = Replaced(what.runs[0], digest_of(b""), digest_of(b""))
    probe = Statement(name, now(), reason, (nothing,), ids, what.gone)
    probe.signed(signer)  # what is wrong with the reason is told before anything is put
    folder, stores = archive.spool.scratch, archive.unguarded().stores
    try:
        private_folder(folder)
        with TemporaryDirectory(dir=folder, prefix="redacting-") as work:
            replaced = tuple(_put_aside(stores.primary, run, what, name, Path(work)) for run in what.runs)
    except OSError as error:
        raise StoreUnavailable(f"cannot write in {folder}: {error.strerror or error}") from error
    statement = Statement(name, probe.at, reason, replaced, ids, what.gone)
    for each in replaced:
        if digest_of(stores.primary.get(object_keys.run_key(each.run, object_keys.MANIFEST))) != each.old:
            raise StoreError(f"run {each.run} was redacted by another one meanwhile; try again")
    if not stores.view.put_if_absent(object_keys.redaction_key(name), statement.signed(signer)):
        raise StoreError(f"the name {name} was taken meanwhile; try again")
    finish(archive, [signer.public])
    return statement


def _put_aside(store: ObjectStore, run: str, what: Plan, name: str, work: Path) -> Replaced:
    """Make the new files of a run and put them beside it."""
    data = store.get(object_keys.run_key(run, object_keys.MANIFEST))
    old = manifest.parse(data)
    places, texts = what.places, frozenset(each.place for each in what.repeats)
    hashes: dict[str, str] = {}
    tree = Growing()
    warcs = warcs_of(old.resources)
    for resource in [*warcs, *(each for each in old.resources if each not in warcs)]:
        path = work / "file"
        key = object_keys.run_key(run, resource.path)
        if resource in warcs:
            changed = _blanked_warc(store, key, places, name, path)
            for _ in walk_members(_pieces(path) if changed else store.stream(key), tree.append):
                pass
        else:
            changed = _blanked_file(store, run, resource.path, (places, texts), path)
        if not changed:
            continue
        hashes[resource.path], size = digest_of_file(path)
        if size != resource.bytes:
            raise IntegrityError(f"{key} would have another size: it is left as it is; please report this")
        store.put_file(object_keys.redacting_key(name, run, resource.path), path)
    package = parsed_object(data)
    for entry in package["resources"]:
        entry["hash"] = hashes.get(entry["path"], entry["hash"])
    if old.records is not None:
        package["records"]["root"] = records_root(tree).root
    package["redactions"] = [*package.get("redactions", []), name]
    new = json.dumps(package, ensure_ascii=False, indent=2).encode("utf-8", "replace") + b"\n"
    store.put(object_keys.redacting_key(name, run, object_keys.MANIFEST), new)
    return Replaced(run, old.hash, digest_of(new))


def _blanked_warc(store: ObjectStore, key: str, wanted: Collection[str], name: str, path: Path) -> bool:
    """Write a WARC file without the content of the records; False where it holds none of them."""
    places = [place for place in places_of(key, store.stream(key)) if place.place in wanted]
    if not places:
        return False
    with path.open("wb") as file:
        at = 0
        for place in places:
            _copy(store, key, at, place.offset, file.write)
            try:
                for piece in blanked_record(place, name):
                    file.write(piece)
            except ValueError as error:
                raise IntegrityError(f"{key}: {error}") from error
            at = place.offset + place.length
        size = store.head(key)
        _copy(store, key, at, size.size if size else at, file.write)
    return True


def _copy(store: ObjectStore, key: str, start: int, end: int, write: Callable[[bytes], object]) -> None:
    while start < end and (piece := store.get_range(key, start, min(end - start, _PIECE))):
        write(piece)
        start += len(piece)


def _blanked_file(
    store: ObjectStore, run: str, name: str, what: tuple[Collection[str], Collection[str]], path: Path
) -> bool:
    places, texts = what
    if name not in {object_keys.PAGES, object_keys.OUTCOMES, object_keys.CDX}:
        return False
    data = store.get(object_keys.run_key(run, name))
    if name == object_keys.PAGES:
        made = blanked_pages(data, places, texts)
    elif name == object_keys.OUTCOMES:
        made = blanked_outcomes(data, places, texts)
    else:
        made = blanked_index(run, data, store.get(object_keys.run_key(run, object_keys.IDX)), places, texts)
    path.write_bytes(made)
    return made != data


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(_PIECE), b"")
