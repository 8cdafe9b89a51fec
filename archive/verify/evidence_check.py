"""What `verify` says of the chain of runs, the log of runs, its checkpoints and their tokens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from archive.crypto.rfc3161 import check_token
from archive.errors import IntegrityError
from archive.evidence.checkpoint import Checkpoint, Place, disagreement, places, read_checkpoint, signers
from archive.evidence.run_log import Entries, Log
from archive.evidence.stored_timestamps import by_checkpoint, read_token
from archive.local_cache import Cache
from archive.verify.manifest_chain import broken, links, put_times
from archive.verify.run_check import Finding
from storage.base import ObjectStore

EVIDENCE = "evidence"
_READERS = 16


def audit(
    store: ObjectStore,
    runs: Iterable[str],
    held: Mapping[str, Checkpoint] | None = None,
    replaced: Mapping[str, str] | None = None,
) -> Iterator[Finding]:
    """Yield a finding for each run of which the chain or the log tells something, and one for the evidence itself.

    `held` are checkpoints that are kept elsewhere, by the names to tell them by. `replaced` is as in `chain.broken`.
    Raises StoreError.
    """
    entries = Log(store, Cache(None)).read()
    found: defaultdict[str, list[str]] = defaultdict(list)
    notes: list[tuple[str, str]] = []
    for run, fault in broken(links(store, runs), entries, replaced, put_times(store), notes):
        found[run].append(fault)
    for run, note in dict.fromkeys(notes):
        yield Finding(run, committed=False, notes=(note,))
    for run, faults in sorted(found.items()):
        yield Finding(run, faults=tuple(dict.fromkeys(faults)), committed=False)
    faults = evidence_faults(store, held, entries)
    if faults:
        yield Finding(EVIDENCE, faults=tuple(faults), committed=False)


def evidence_faults(
    store: ObjectStore, held: Mapping[str, Checkpoint] | None = None, entries: Entries | None = None
) -> list[str]:
    """Return what is wrong with the log, its checkpoints and their tokens, whatever the runs are; raises StoreError."""
    entries = entries or Log(store, Cache(None)).read()
    return [*([entries.fault] if entries.fault else []), *_checkpoints(store, entries, held or {})]


def _checkpoints(store: ObjectStore, entries: Entries, held: Mapping[str, Checkpoint]) -> Iterator[str]:
    found = places(store)
    roots = entries.roots({place.size for place in found} | {checkpoint.size for checkpoint in held.values()})
    known, stamps = signers(store), by_checkpoint(store)

    def faults(place: Place) -> list[str]:
        try:
            checkpoint = read_checkpoint(store, place, known)
        except IntegrityError as error:
            return [f"{place.key}: {error}"]
        fault = disagreement(checkpoint, entries, roots)
        told = [f"{place.key}: {fault}"] if fault else []
        return [*told, *_tokens(store, stamps.get(place.key, ()), checkpoint)]

    with ThreadPoolExecutor(_READERS) as pool:
        for told in pool.map(faults, found):
            yield from told
    for key in sorted(stamps.keys() - {place.key for place in found}):
        yield f"{key} is missing, and there are time stamps over it: it was deleted"
    for name, checkpoint in held.items():
        yield from _held(store, name, checkpoint, entries, roots)


def _held(
    store: ObjectStore, name: str, checkpoint: Checkpoint, entries: Entries, roots: Mapping[int, bytes]
) -> Iterator[str]:
    try:
        origin = Log(store, Cache(None)).origin()
    except IntegrityError as error:
        yield str(error)
        return
    if checkpoint.origin != origin:
        yield f"{name} is a checkpoint of another archive, {checkpoint.origin}; this one is {origin}"
    elif fault := disagreement(checkpoint, entries, roots):
        yield f"{name}: {fault}"


def _tokens(store: ObjectStore, names: Iterable[str], checkpoint: Checkpoint) -> Iterator[str]:
    for name in names:
        try:
            check_token(read_token(store, name), checkpoint.note.encode())
        except IntegrityError as error:
            yield f"{name}: {error}"
