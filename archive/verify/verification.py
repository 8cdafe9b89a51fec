"""The story of a verification: every run is looked at, and read to its last byte where that is due.

A look takes the listing and a few small requests a run: its manifest, digest file and index head, the sizes of its
files, the earlier runs that it names. It reads no WARC file, text or index line. What is due to be read whole is read
in the order of need: never read first, then longest ago; between two runs the time is asked, so that a reading can be
done in slices.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from archive import object_keys
from archive.access.rule_store import verify_notices
from archive.access.signed_redactions import NOTHING, Excused, excused
from archive.annotations.annotation_store import annotation_faults
from archive.crypto.signed_note import PublicKey
from archive.index.catalog import Catalog
from archive.times import now
from archive.verify.history import Readings
from archive.verify.index_check import verify_generations
from archive.verify.manifest_chain import links
from archive.verify.run_check import Files, Finding, check_run, committed_in
from storage.base import ObjectStore

if TYPE_CHECKING:  # what signs is imported when a signature is checked
    from archive.evidence.checkpoint import Checkpoint

_AT_ONCE = 16  # runs looked at side by side
_WINDOW = 256  # findings held


@dataclass
class Verification:
    """One verification of one store: with `deep` every run is read that was not read whole since `since`.

    `end` is when no further run is begun to be read, by the monotonic clock. `held` are checkpoints that are kept
    elsewhere, by name.
    """

    store: ObjectStore
    catalog: Catalog
    readings: Readings
    deep: bool = False
    since: datetime | None = None
    end: float | None = None
    held: Mapping[str, Checkpoint] | None = None
    known: tuple[PublicKey, ...] = ()  # whose word it is believed by that a run was redacted
    said: Excused = NOTHING
    unread: list[str] = field(default_factory=list)  # due, and not reached in time

    def findings(self, runs: list[str] | None = None) -> Iterator[Finding]:
        """Yield a finding for each of the named runs or of all, and for each generation of the merged index.

        Raises StoreError when the store fails meanwhile.
        """
        self.said, wrong = excused(self.store, self.known)
        files = self.catalog.files()
        wanted = sorted(files if runs is None else runs)
        due = self._due([run for run in wanted if object_keys.MANIFEST in files.get(run, ())])
        waiting = set(due)
        yield from self._look([run for run in wanted if run not in waiting], files)
        for number, run in enumerate(due):
            if self._is_over():
                self.unread = due[number:]
                break
            at = now()
            finding = check_run(self.store, run, files, whole=True, said=self.said)
            self.readings.note(finding, at)
            yield finding
        yield from self._look(self.unread, files)
        if runs is None:
            whole = self.deep and not self.unread
            yield from besides(self.store, files, held=self.held, whole=whole, said=self.said, wrong=wrong)
            yield from _annotations(self.store, self.known)

    def _due(self, runs: list[str]) -> list[str]:
        """Return the runs to be read whole, those that need it most first."""
        if not self.deep:
            return []
        last = {link.place: self.readings.last(link.hash) for link in links(self.store, runs)}
        found = [run for run, at in last.items() if at is None or self.since is None or at < self.since]
        return sorted(found, key=lambda run: (at.timestamp() if (at := last[run]) else 0.0, run))

    def _look(self, runs: list[str], files: Files) -> Iterator[Finding]:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for first in range(0, len(runs), _WINDOW):
                part = runs[first : first + _WINDOW]
                yield from pool.map(lambda run: check_run(self.store, run, files, whole=False, said=self.said), part)

    def _is_over(self) -> bool:
        return self.end is not None and time.monotonic() >= self.end


def besides(
    store: ObjectStore,
    files: Files,
    *,
    held: Mapping[str, Checkpoint] | None = None,
    whole: bool = True,
    said: Excused = NOTHING,
    wrong: Iterable[tuple[str, str]] = (),
) -> Iterator[Finding]:
    """Yield what is to be said of all runs together: the merged index, the chain and what is signed of it, the notices.

    `held` are checkpoints that are kept elsewhere, by name; `said` and `wrong` are what `excused` gives. Raises
    StoreError.
    """
    from archive.verify.evidence_check import audit

    yield from verify_generations(store, files, whole=whole)
    for finding in audit(store, committed_in(files), held, said.replaced):
        yield replace(finding, read=False)
    faults = tuple(
        f"{key}: {fault.removeprefix(f'{key}: ')}" for key, fault in dict([*wrong, *verify_notices(store)]).items()
    )
    if faults:
        yield Finding(object_keys.NOTICES_PREFIX, faults=faults, committed=False, read=False)


def _annotations(store: ObjectStore, known: Iterable[PublicKey]) -> Iterator[Finding]:
    """Yield a finding for the annotations that are damaged, or are not what a known key signed; raises StoreError."""
    faults = tuple(f"{key}: {fault}" for key, fault in annotation_faults(store, known))
    if faults:
        yield Finding(object_keys.ANNOTATIONS_PREFIX, faults=faults, committed=False, read=False)
