"""The stores of one archive: a primary, which decides, and replicas, each of which holds everything as well.

Each store is an archive of its own. So whatever is decided by looking is done store by store, here and nowhere else:
publishing a run, merging the index, repairing, redacting, verifying, clearing away. What only reads, and the small
objects that can be made again, go through `view`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from archive import object_keys
from archive.access.replicate_rules import Copied, carry_notices
from archive.copies.failover import FailoverStore
from archive.errors import ArchiveError
from archive.formats import manifest
from archive.index.catalog import Catalog
from archive.local_cache import Cache
from archive.model import Manifest
from archive.runs import store_identity
from archive.runs.commit import publish, sealed
from archive.runs.known_stores import KnownStores
from archive.runs.spool import SpooledRun
from archive.verified_put import read_or_none
from storage.base import ObjectStore
from storage.errors import StoreError, StoreUnavailable

if TYPE_CHECKING:  # what merges, copies and verifies is imported when it does: a capture does nothing of it
    from archive.copies.replicate import Replica
    from archive.crypto.signed_note import PublicKey
    from archive.index.compaction import Merged
    from archive.verify.run_check import Finding

_log = logging.getLogger("onrecord.archive")

_Found = TypeVar("_Found")


class ReplicaSet:
    """One primary store and any number of replicas."""

    def __init__(
        self, primary: ObjectStore, replicas: Sequence[ObjectStore] = (), known: KnownStores | None = None
    ) -> None:
        """`known` is what this machine remembers of its stores; nothing by default."""
        self.primary = primary
        self.replicas = tuple(replicas)
        self.stores: tuple[ObjectStore, ...] = (primary, *replicas)
        self.known = known or KnownStores()
        # All stores as one: reads go on with a replica where the primary does not answer, small puts reach all.
        # No run is put by it: see `publish`.
        self.view: ObjectStore = FailoverStore(self.stores) if replicas else primary
        self.url = self.view.url  # the address of all of them, as `storage.location.open_stores` reads it

    def each(self, act: Callable[[ObjectStore], Iterable[_Found]]) -> Iterator[tuple[ObjectStore, _Found]]:
        """Yield what is found in each store, with the store, the primary first."""
        for store in self.stores:
            for found in act(store):
                yield store, found

    # Writing

    def prepare(self) -> None:
        """Make the primary an archive unless it is one; raises StoreError, FormatError for a newer layout.

        Raises StoreUnavailable where it is empty and a replica is not: its disk may not be mounted.
        Raises StoreChanged where a store held another archive, or one at all, when this machine last used it.
        """
        if self.replicas:  # one of them may say better what is wrong with the primary
            store_identity.check_not_emptied(self.primary, self.replicas)
        self.known.check(self.primary)
        store_identity.prepare(self.primary)
        self.known.remember(self.primary)

    def publish(self, spooled: SpooledRun, *, read_back: bool = True) -> Manifest:
        """Put a sealed run into every store, and see that it is there; raises StoreError when that cannot be done now.

        The run exists once the primary has it, and is published once all stores have it; `read_back` is as in
        `archive.runs.commit`.
        """
        if not self.replicas:
            return publish(self.primary, spooled, self.known, read_back=read_back)
        data, found = sealed(spooled)
        self.prepare()
        publish(self.primary, spooled, self.known, read_back=read_back)
        if read_or_none(self.primary, object_keys.run_key(spooled.run, object_keys.MANIFEST), manifest.LONGEST) != data:
            raise StoreError(  # what was taken out of it there is not brought to the others from here
                f"run {found.run} is another one in {self.primary.url} since it was put there: if `onrecord verify` "
                "says that it was redacted, bring it to the others with onrecord replicate, and remove "
                f"{spooled.folder}"
            )
        lacking = []
        for replica in self.replicas:
            try:
                self.known.check(replica)
                store_identity.make_copy(self.primary, replica)
                self.known.remember(replica)
                carry_notices(self.primary, replica)  # one that lacked them would show what is not to be shown
                publish(replica, spooled, self.known, read_back=read_back)
            except (StoreError, ArchiveError) as error:
                lacking.append(f"{replica.url} ({error})")
        if lacking:
            raise StoreUnavailable(f"run {found.run} is in {self.primary.url} and not yet in {'; '.join(lacking)}")
        return found

    def merge(self, cache: Cache, work: Path, *, whole: bool = False, rebuild: bool = False) -> Merged:
        """Merge the index of each store, which is of the runs that the store holds; raises StoreError of the primary.

        A replica that cannot be merged now is warned of.
        """
        from archive.index.compaction import merge

        merged = merge(self.primary, Catalog(self.primary, cache), work, whole=whole, rebuild=rebuild)
        for replica in self.replicas:
            try:
                merge(replica, Catalog(replica, cache), work, whole=whole, rebuild=rebuild)
            except StoreError as error:
                _log.warning("the index was not merged in %s: %s", replica.url, error)
        return merged

    def redact_replicas(self, runs: Collection[str], scratch: Path, known: Collection[PublicKey]) -> None:
        """Take out of the replicas' runs what was taken out of the primary's; what fails is warned of.

        Each replica is redacted as it is: it may lack a run that the primary holds.
        """
        for replica in self.replicas:
            try:
                done = list(self._replica(replica, scratch, known, source=self.primary).redact(runs))
                faults = [fault for copied in done for fault in copied.faults]
            except (StoreError, ArchiveError) as error:
                faults = [str(error)]
            for fault in faults:
                _log.warning("%s is not redacted yet (%s): do it with onrecord replicate", replica.url, fault)

    # Bringing one store what another holds

    def replicate_to(
        self, targets: Iterable[ObjectStore], scratch: Path, known: Collection[PublicKey]
    ) -> Iterator[Copied]:
        """Put every run that another store lacks there, one store after the other; see `Replica.replicate`."""
        for target in targets:
            self.known.check(target)
            yield from self._replica(target, scratch, known).replicate()
            self.known.remember(target)

    def repair_from(
        self, source: ReplicaSet, scratch: Path, known: Collection[PublicKey], runs: Collection[str] = ()
    ) -> Iterator[Copied]:
        """Put what is damaged or missing in each store, from another archive's stores; see `Replica.repair`."""
        for store in self.stores:
            yield from source._replica(store, scratch, known).repair(runs)
            self.known.remember(store)

    def level(self, scratch: Path, known: Collection[PublicKey]) -> Iterator[Copied]:
        """Put every run that one of the stores lacks there, from each of the others; see `Replica.replicate`."""
        for source, target in self._pairs():
            self.known.check(target)
            yield from self._replica(target, scratch, known, source=source).replicate()
            self.known.remember(target)

    def repair(self, scratch: Path, known: Collection[PublicKey], runs: Collection[str] = ()) -> Iterator[Copied]:
        """Put what is damaged or missing in one of the stores, from each of the others; see `Replica.repair`."""
        for source, target in self._pairs():
            yield from self._replica(target, scratch, known, source=source).repair(runs)
            self.known.remember(target)

    def begin_restore(self, target: ObjectStore) -> bool | None:
        """Mark an empty store as one into which this archive is restored; see `archive.copies.replicate`."""
        from archive.copies.replicate import begin_restore

        return begin_restore(self.view, target)

    def finish_restore(self, target: ObjectStore) -> None:
        """Say that the archive is whole there."""
        from archive.copies.replicate import finish_restore

        finish_restore(target)
        self.known.remember(target)

    def _replica(
        self, target: ObjectStore, scratch: Path, known: Iterable[PublicKey], source: ObjectStore | None = None
    ) -> Replica:
        """Return what brings a store what another one holds, or all of the archive's read as one."""
        from archive.copies.replicate import Replica

        if source is not None:
            return Replica(source, target, scratch, known)
        return Replica(self.view, target, scratch, known, stores=self.stores)

    def _pairs(self) -> Iterator[tuple[ObjectStore, ObjectStore]]:
        """Every two stores, one as the source, the other as the target."""
        return ((source, target) for target in self.stores for source in self.stores if source is not target)

    # Looking at them

    def lacking(self) -> Iterator[tuple[ObjectStore, Finding]]:
        """Yield a finding for each run that one store holds and another lacks; raises StoreError."""
        from archive.verify.run_check import Finding

        if not self.replicas:
            return
        held = [set(Catalog(store, Cache(None)).runs()) for store in self.stores]
        for store, runs in zip(self.stores, held, strict=True):
            for run in sorted(set().union(*held) - runs):
                fault = "another member of the mirror holds this run: bring it here with onrecord replicate"
                yield store, Finding(run, faults=(fault,), read=False)
