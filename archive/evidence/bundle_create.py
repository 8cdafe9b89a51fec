"""A bundle of evidence made: one snapshot, and everything that proves it, in a file that needs no archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from archive import object_keys
from archive.crypto import merkle
from archive.digests import digest_of
from archive.errors import IntegrityError, NothingSigned, Withheld
from archive.evidence.bundle_layout import FORMAT, VERSION, encode, hex_of
from archive.evidence.bundle_shown import InBundle, in_bundle, shown_parts
from archive.evidence.bundle_text import READMES
from archive.evidence.bundle_zip import Opened, pack
from archive.evidence.checkpoint import Checkpoint, Place, disagreement, places, read_checkpoint, signers
from archive.evidence.run_log import Entries, Entry, Log
from archive.evidence.stored_timestamps import by_checkpoint, read_token
from archive.formats import manifest
from archive.local_cache import Cache
from archive.model import Document, Manifest, RecordRef, Snapshot
from archive.warc.gzip_members import Member
from archive.warc.reader import Record, walk_records
from archive.warc.record_tree import records_root, warcs_of
from storage.base import ObjectStore
from storage.errors import ObjectMissing

_WINDOW = 8 << 20


@dataclass(frozen=True, slots=True)
class Created:
    """What a bundle holds, and its size in bytes."""

    records: int
    tokens: int
    runs: int  # that the checkpoint covers
    whole: tuple[str, ...]  # WARC files that had to be put in whole
    bytes: int
    left: int = 0  # captures beside the snapshot that no checkpoint as early covers


@dataclass(slots=True)
class _Found:
    """A record of a run, by its number among them all and its place."""

    number: int
    key: str
    member: Member
    kind: str
    said: InBundle  # its file is named when it is known

    @property
    def place(self) -> RecordRef:
        return RecordRef(self.key, self.member.offset, self.member.length)


@dataclass(slots=True)
class _Run:
    """A run with what is wanted of it, read from its WARC files from the first to the last."""

    run: str
    data: bytes
    manifest: Manifest
    tree: merkle.Growing = field(default_factory=merkle.Growing)
    leaves: list[bytes] = field(default_factory=list)
    found: list[_Found] = field(default_factory=list)


def create(
    store: ObjectStore,
    snapshot: Snapshot,
    file: BinaryIO,
    may_be_whole: Callable[[str], bool] = lambda _: True,
    other: Checkpoint | None = None,
    beside: Sequence[Snapshot] = (),
    document: Document | None = None,
) -> Created:
    """Write the bundle of a snapshot, by the earliest checkpoint that has a time stamp, else by the earliest.

    `beside` are captures that are proved too: what the page needs, what was made of it, redirects that led to it;
    `document` is its text. `may_be_whole` says whether everything in a run may be given out. With another checkpoint
    the bundle proves that both are of one log. Raises NothingSigned where no checkpoint covers the snapshot,
    FormatError where it is too large, Withheld, IntegrityError, StoreError.
    """
    wanted = _places([snapshot])
    runs = [_opened(store, run) for run in wanted]
    entries = Log(store, Cache(None)).read()
    chosen, checkpoint, tokens = _chosen(store, entries, runs)
    covered = _covered(store, entries, chosen.size, beside)
    for name, places_there in _places(covered).items():
        runs += [_opened(store, name)] if name not in wanted else []
        wanted.setdefault(name, []).extend(places_there)
    _check_withheld(runs, may_be_whole)
    for run in runs:
        _walk(store, run, wanted[run.run])
    files, records, whole, placed = _records(store, runs, snapshot)
    key = signers(store)[chosen.signer]
    leaves = entries.leaves()[: chosen.size]
    listed = [_entry(run, entries, leaves) for run in runs]
    body: dict[str, object] = {"format": FORMAT, "version": VERSION, "runs": listed, "records": records}
    body["shown"], parts_shown = shown_parts(store, placed, document, checkpoint, tokens, runs[0].data, key.name)
    if other is not None:
        body["consistency"] = _consistency(entries, checkpoint, other)
    parts: list[tuple[str, Opened]] = [
        ("README.txt", _whole(READMES[VERSION].encode())),
        *((name, _whole(data)) for name, data in parts_shown),
        ("bundle.json", _whole(encode(body))),
        ("checkpoint", _whole(checkpoint.note.encode())),
        (f"keys/{chosen.signer}", _whole(f"{key}\n".encode())),
        *((f"tokens/{number}.tsr", _whole(token)) for number, token in enumerate(tokens)),
        *((f"runs/{run.run}/{object_keys.MANIFEST}", _whole(run.data)) for run in runs),
        *files,
    ]
    return Created(len(records), len(tokens), chosen.size, tuple(whole), pack(file, parts), len(beside) - len(covered))


def _places(captures: Iterable[Snapshot]) -> dict[str, list[str]]:
    """Return the places of captures and of their payloads, by their runs."""
    found: dict[str, list[str]] = {}
    for each in captures:
        for ref in (each.record, each.payload.record):
            found.setdefault(_run_of(ref), []).append(ref.place)
    return found


def _covered(store: ObjectStore, entries: Entries, size: int, captures: Iterable[Snapshot]) -> list[Snapshot]:
    """Return the captures whose runs are among the first so many entries: the others would need a later checkpoint."""
    known = set(entries.all[:size])
    there: dict[str, bool] = {}

    def is_there(run: str) -> bool:
        if run not in there:
            there[run] = Entry(run, digest_of(_opened(store, run).data)) in known
        return there[run]

    return [each for each in captures if all(map(is_there, _places([each])))]


def _check_withheld(runs: Iterable[_Run], may_be_whole: Callable[[str], bool]) -> None:
    for run in runs:
        if run.manifest.records is None and not may_be_whole(run.run):
            raise Withheld(
                f"run {run.run} has no root over its records and holds a capture that is withheld: the whole file that "
                "would prove this one is not given out",
                "withheld",
            )


def _run_of(ref: RecordRef) -> str:
    parts = object_keys.split_run_key(ref.key)
    if parts is None:
        raise IntegrityError(f"{ref.key} lies in no run; run `onrecord verify`")
    return parts[0]


def _opened(store: ObjectStore, run: str) -> _Run:
    try:
        data = store.get_range(object_keys.run_key(run, object_keys.MANIFEST), 0, manifest.LONGEST)
    except ObjectMissing as error:
        raise IntegrityError(f"the manifest of run {run} is missing; run `onrecord verify`") from error
    return _Run(run, data, manifest.parse(data))


def _chosen(store: ObjectStore, entries: Entries, runs: Iterable[_Run]) -> tuple[Place, Checkpoint, list[bytes]]:
    """Return the checkpoint to prove runs by, and its tokens."""
    least = 0
    for run in runs:
        entry = Entry(run.run, digest_of(run.data))
        if entry not in entries.all:
            raise NothingSigned(f"run {run.run} is in no checkpoint as it is; sign it: onrecord evidence checkpoint")
        least = max(least, entries.all.index(entry) + 1)
    stamps, known = by_checkpoint(store), signers(store)
    found = [place for place in places(store) if place.size >= least]
    roots = entries.roots({place.size for place in found})
    for place in sorted(found, key=lambda place: (place.key not in stamps, place.size)):
        try:
            checkpoint = read_checkpoint(store, place, known)
            tokens = [read_token(store, key) for key in stamps.get(place.key, ())]
        except IntegrityError:  # `verify` tells it; another one may do
            continue
        if disagreement(checkpoint, entries, roots) is None:
            return place, checkpoint, tokens
    raise NothingSigned("no sound checkpoint covers that snapshot; sign the log: onrecord evidence checkpoint")


def _walk(store: ObjectStore, run: _Run, places: list[str]) -> None:
    """Find records by their places, and what was written with them: the request, metadata, the file's description."""
    wanted, ids, info = set(places), set[str](), set[str]()
    for resource in warcs_of(run.manifest.resources):
        key = object_keys.run_key(run.run, resource.path)
        descriptions: dict[str, _Found] = {}
        for record in walk_records(store.stream(key), run.leaves.append, own=not object_keys.is_foreign(key)):
            entry = _Found(len(run.leaves), key, record.member, record.kind, in_bundle("", record))
            if record.kind == "warcinfo":
                descriptions[record.record_id] = entry
            elif _belongs(record, entry.place.place in wanted, ids):
                run.found.append(entry)
                info.update(_values(record, "WARC-Warcinfo-ID"))
        run.found += [entry for name, entry in descriptions.items() if name in info]
    for leaf in run.leaves:
        run.tree.append(leaf)
    if run.manifest.records not in {None, records_root(run.tree)}:
        raise IntegrityError(
            f"the records of run {run.run} are not those that its manifest names; run `onrecord verify`"
        )
    missing = wanted - {entry.place.place for entry in run.found}
    if missing:
        raise IntegrityError(f"run {run.run} does not hold {min(missing)}; run `onrecord verify`")


def _belongs(record: Record, is_wanted: bool, ids: set[str]) -> bool:
    about = _values(record, "WARC-Concurrent-To")
    if is_wanted or (record.record_id in ids and record.kind in {"request", "metadata"}):
        ids.update([record.record_id, *about] if is_wanted else about)
        return True
    return record.kind in {"request", "metadata"} and bool(ids.intersection(about))


def _values(record: Record, name: str) -> list[str]:
    return [value.strip() for key, value in record.headers if key.lower() == name.lower()]


def _records(
    store: ObjectStore, runs: list[_Run], snapshot: Snapshot
) -> tuple[list[tuple[str, Opened]], list[dict[str, object]], list[str], list[InBundle]]:
    """Return the files of records, what bundle.json says of each, the WARC files taken whole, what each record is."""
    first = (snapshot.place, snapshot.payload.record.place)
    order = sorted(
        ((run, entry) for run in runs for entry in run.found),
        key=lambda pair: first.index(pair[1].place.place) if pair[1].place.place in first else len(first),
    )
    files: dict[str, Opened] = {}
    said: list[dict[str, object]] = []
    whole: list[str] = []
    placed: list[InBundle] = []
    for run, entry in order:
        name = entry.key if run.manifest.records is None else f"records/{len(said):02}.warc.gz"
        placed.append(replace(entry.said, file=name, place=entry.place))
        if run.manifest.records is None:
            if entry.key not in files:
                files[entry.key] = _streamed(store, entry.key)
                whole.append(entry.key)
            said.append(
                {"file": entry.key, "run": run.run, "offset": entry.member.offset, "length": entry.member.length}
            )
            continue
        files[name] = _ranged(store, entry.place)
        said.append(
            {
                "file": name,
                "run": run.run,
                "leaf": entry.number,
                "proof": hex_of(merkle.inclusion(run.leaves, entry.number)),
            }
        )
    return list(files.items()), said, whole, placed


def _entry(run: _Run, entries: Entries, leaves: list[bytes]) -> dict[str, object]:
    number = entries.all.index(Entry(run.run, digest_of(run.data)))
    return {"run": run.run, "entry": number, "proof": hex_of(merkle.inclusion(leaves, number))}


def _consistency(entries: Entries, checkpoint: Checkpoint, other: Checkpoint) -> dict[str, object]:
    """Return the proof that of two checkpoints the larger one only added to the smaller."""
    if other.origin != checkpoint.origin:
        raise IntegrityError(f"the checkpoint that was named is of another archive, {other.origin[:80]}")
    if fault := disagreement(other, entries, entries.roots({other.size})):
        raise IntegrityError(f"the checkpoint that was named and this archive do not agree: {fault}")
    smaller, larger = sorted((other.size, checkpoint.size))
    proof = merkle.consistency(entries.leaves()[:larger], smaller)
    return {"size": other.size, "root": other.root.hex(), "proof": hex_of(proof)}


def _whole(data: bytes) -> Opened:
    return lambda: iter([data])


def _streamed(store: ObjectStore, key: str) -> Opened:
    return lambda: store.stream(key)


def _ranged(store: ObjectStore, ref: RecordRef) -> Opened:
    def pieces() -> Iterator[bytes]:
        for at in range(ref.offset, ref.offset + ref.length, _WINDOW):
            yield store.get_range(ref.key, at, min(_WINDOW, ref.offset + ref.length - at))

    return pieces
