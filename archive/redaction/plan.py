"""Redaction: what the law demands to be gone is taken out of the runs that hold it; who did it and why is kept, signed.

In this order, so that a kill anywhere leaves the old runs whole or the new ones: the new files are put aside under
`redacting/`; the signed statement is put, and with it the redaction is decided; the files are moved over those of the
runs, the manifests last; the merged index is made again and the old one deleted; what was put aside is deleted. From
the statement on, the next command can finish. No byte of what stays is moved (see `archive.redaction.rewrite`), so
that readers find it at every moment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from archive import object_keys
from archive.access.redaction_statement import Gone, Replaced, Statement
from archive.access.rules import subject_of
from archive.archive import Archive, UnguardedReader
from archive.coordination.redaction_turns import may_state
from archive.crypto.signed_note import PublicKey, Signer
from archive.digests import digest_of
from archive.errors import AmbiguousRecord, NoSuchSnapshot
from archive.formats.surt import urlkey
from archive.model import Snapshot
from archive.redaction.apply import finish, overtaken
from archive.redaction.aside import Aside, lines_of
from archive.redaction.rewrite import Place, places_of, together
from archive.times import iso, now
from storage.base import ObjectStore
from storage.errors import StoreError, StoreUnavailable
from storage.private import private_folder

_ATTEMPTS = 5


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
    """Return what is to go when captures of a run are redacted, by their URLs, record ids or places ("KEY OFFSET").

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
    """Return the capture of a run that a record id or a place names.

    Raises AmbiguousRecord where an id names several.
    """
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

    Where another redaction comes first in one of the runs, this one is made again behind it, and stated again. Raises
    ValueError for a reason that is no line of text, IntegrityError where a run cannot be rewritten, StoreError; what is
    decided by then is finished by `finish` and `finish_overtaken`.
    """
    statement = _decide(archive, what, signer, reason)
    finish(archive, [signer.public])
    finish_overtaken(archive, signer, [signer.public])
    return statement


def finish_overtaken(archive: Archive, signer: Signer, known: Iterable[PublicKey]) -> list[Statement]:
    """Make the redactions again that others came before, and state each again; returns the new statements.

    Raises IntegrityError where a run cannot be rewritten, StoreError.
    """
    known = (*known, signer.public)
    made: list[Statement] = []
    for _ in range(_ATTEMPTS):
        left = overtaken(archive, known)
        if not left:
            return made
        for statement, runs in left.items():
            what = _again(archive.unguarded(), statement, runs)
            made.append(_decide(archive, what, signer, statement.reason))
        finish(archive, known)
    raise StoreError("other redactions of the same runs come first again and again; run `onrecord redact --finish`")


def _again(reader: UnguardedReader, statement: Statement, runs: Collection[str]) -> Plan:
    """Return the plan of a redaction for runs that another one came before in.

    No byte of what stays was moved meanwhile.

    A statement of onrecord 0.4 has no places, and holds for all records of its ids in these runs.
    """
    gone = statement.gone or tuple(
        _gone(place)
        for run in runs
        for place in _places(reader.stores.view, run)
        if place.record_id in statement.records
    )
    places = {each.place for each in gone}
    records: dict[str, tuple[Gone, ...]] = {}
    for each in gone:
        home = (object_keys.split_run_key(each.key) or ("", ""))[0]
        records[home] = (*records.get(home, ()), each)
    repeats = [
        line
        for run in runs
        for line in lines_of(reader.stores.view, run)  # as they are: what the reader shows says nothing of these
        if line.refers_to is not None and line.refers_to.record.place in places and line.place not in places
    ]
    return Plan(records, (), tuple(repeats), tuple(runs))


def _decide(archive: Archive, what: Plan, signer: Signer, reason: str) -> Statement:
    """Put the new files of all runs aside, and the statement; from then on the redaction is decided."""
    name = object_keys.new_run_id(now())
    ids = tuple(each.record_id for each in what.gone)
    nothing = Replaced(what.runs[0], digest_of(b""), digest_of(b""))
    probe = Statement(name, now(), reason, (nothing,), ids, what.gone)
    probe.signed(signer)  # what is wrong with the reason is told before anything is put
    folder, stores = archive.spool.scratch, archive.unguarded().stores
    places, texts = what.places, frozenset(each.place for each in what.repeats)
    try:
        private_folder(folder)
        with TemporaryDirectory(dir=folder, prefix="redacting-") as work:
            aside = Aside(stores.primary, name, places, texts, folder, Path(work))
            replaced = tuple(map(aside.put, what.runs))
    except OSError as error:
        raise StoreUnavailable(f"cannot write in {folder}: {error.strerror or error}") from error
    statement = Statement(name, probe.at, reason, replaced, ids, what.gone)
    for each in replaced:
        if digest_of(stores.primary.get(object_keys.run_key(each.run, object_keys.MANIFEST))) != each.old:
            raise StoreError(f"run {each.run} was redacted by another one meanwhile; try again")
    if not may_state(stores.primary, name):
        raise StoreError("what was made for this redaction was cleared away meanwhile; try again")
    if not stores.view.put_if_absent(object_keys.redaction_key(name), statement.signed(signer)):
        raise StoreError(f"the name {name} was taken meanwhile; try again")
    return statement
