"""A checkpoint made: runs entered into the log, its root signed, and what was signed remembered on this machine.

A log must never sign two checkpoints that disagree. So the last one is kept outside of the store too, and nothing is
signed where the store's log is not the one that was signed before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from archive.access.signed_redactions import successors
from archive.crypto.signed_note import Signer
from archive.errors import IntegrityError
from archive.evidence.checkpoint import Checkpoint, disagreement, keep, signed
from archive.evidence.run_log import Entry, Log
from archive.index.catalog import Catalog
from archive.local_cache import Cache
from storage.base import ObjectStore
from storage.durable import DurableTree
from storage.errors import StoreUnavailable
from storage.private import FILE, make_usable, private_folder

_SEE = "nothing is signed; run `onrecord verify`"


@dataclass(frozen=True, slots=True)
class Made:
    """A checkpoint, the key it was put under, and how many runs it is the first to cover."""

    key: str
    checkpoint: Checkpoint
    added: int


def make_checkpoint(
    store: ObjectStore,
    catalog: Catalog,
    cache: Cache,
    signer: Signer,
    remembered: Path,
    replaced: Mapping[str, str] | None = None,
    *,
    everything: bool = True,
) -> Made | None:
    """Enter the runs that the log does not have yet and sign it; None where there is no run.

    `remembered` is where this machine keeps its last checkpoint. Without `everything` the manifests of runs that the
    log has are not read again: after each of many thousand commits that would take long. Raises IntegrityError where
    the log is not what it was, or a run is not the one that was entered, StoreError.
    """
    log = Log(store, cache)
    before = log.read()
    known, changed = before.newest(), replaced or {}
    wanted = [run for run in catalog.runs() if everything or run not in known or known[run] in changed]
    manifests = catalog.manifests(wanted)
    found = [Entry(each.run, each.hash) for each in sorted(manifests, key=lambda each: (each.created, each.run))]
    for entry in found:
        entered = known.get(entry.run, entry.hash)
        if entered not in {entry.hash, *successors(entry.hash, changed)} and entry.hash not in successors(
            entered, changed
        ):
            raise IntegrityError(f"run {entry.run} is not the one that the log of runs has; {_SEE}")
    entries = log.append(found, changed)
    if not entries.all:
        return None
    last = remembered_checkpoint(remembered)
    if last is not None and (fault := disagreement(last, entries, entries.roots({last.size}))):
        raise IntegrityError(f"the checkpoint that this machine signed last is of another log: {fault}; {_SEE}")
    checkpoint = signed(log.origin(), entries, signer)
    if last is None or last.size < checkpoint.size:
        _remember(remembered, checkpoint)  # before anybody else can have it
    return Made(keep(store, checkpoint, signer.public), checkpoint, len(entries.all) - len(before.all))


def remembered_checkpoint(path: Path) -> Checkpoint | None:
    """Return the checkpoint that this machine signed last; None where none can be read."""
    try:
        return Checkpoint.parse(path.read_bytes())
    except (OSError, IntegrityError):
        return None


def _remember(path: Path, checkpoint: Checkpoint) -> None:
    try:
        private_folder(path.parent)
        DurableTree(path.parent, FILE).put(path, checkpoint.note.encode())
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be written ({error.strerror}): {make_usable(path)}") from error
