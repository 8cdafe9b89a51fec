"""An archive: read through the guard, written, and its stores kept whole."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from archive import object_keys
from archive.access.rule_store import Notices
from archive.access.unfinished_redactions import unfinished
from archive.annotations import Words
from archive.coordination import clock
from archive.coordination.watch_marks import WatchMarks
from archive.copies import Copied, ReplicaSet
from archive.errors import IntegrityError, KeyFileError
from archive.index.catalog import Catalog
from archive.index.lookup import Index
from archive.local_cache import Cache
from archive.reader import Reader, UnguardedReader
from archive.runs.known_stores import KnownStores
from archive.runs.session import Session
from archive.runs.spool import Spool, SpooledRun
from archive.runs.warc_files import RunSettings
from archive.times import now

if TYPE_CHECKING:  # what signs, verifies and clears away is imported when it does: a capture does nothing of it
    from archive.crypto.signed_note import PublicKey, Signer
    from archive.evidence.checkpoint import Checkpoint
    from archive.evidence.sign_checkpoint import Made
    from archive.index.compaction import Merged
    from archive.model import Manifest
    from archive.runs.garbage import Orphan
    from archive.verify.history import Readings
    from archive.verify.run_check import Finding
    from archive.verify.verification import Verification
    from storage.base import ObjectStore

__all__ = ["Archive", "Reader", "UnguardedReader"]

_log = logging.getLogger("onrecord.archive")

_MANY_RUNS = 16  # that are in no generation: each costs a lookup a request

_Found = TypeVar("_Found")


class Archive(Reader):
    """The runs of one archive, in its primary store and its replicas, and the spool where this machine's runs wait.

    It is read as a `Reader` reads it: what its rules withhold is asked for by `unguarded`.
    """

    def __init__(
        self,
        primary: ObjectStore,
        replicas: Sequence[ObjectStore] = (),
        *,
        spool: Path,
        cache: Path | None = None,
        kept_blocks: int = 0,
        read_back: bool = True,
        known: KnownStores | None = None,
    ) -> None:
        """`kept_blocks` is how many bytes of the index's blocks may be kept in the cache.

        `read_back` says that a run's local copy goes only when every byte was read from the stores and compared.
        """
        self.known = known or KnownStores()
        stores, kept = ReplicaSet(primary, replicas, self.known), Cache(cache)
        catalog = Catalog(stores.view, kept)
        blocks = Cache(cache / "blocks" if cache and kept_blocks else None, kept_blocks)
        super().__init__(stores, catalog, Index(stores.view, catalog, blocks), Notices(stores.view, kept), kept)
        self.spool = Spool(spool, stores.url)
        self.prepare = stores.prepare  # makes the primary an archive unless it is one
        self._read_back = read_back
        self.signer: Callable[[], Signer | None] = lambda: None  # who signs what is said of a run

    # Writing

    def _publish(self, spooled: SpooledRun) -> Manifest:
        """Put a sealed run into the stores, and beside it what its user says of it; raises StoreError."""
        found = self._stores.publish(spooled, read_back=self._read_back)
        if said := spooled.settings().get("said"):  # the run stays in the spool until this is kept too
            self.annotations.add_of_run(found.run, Words.taken(dict(said)), self._signer_of(found.run))
        return found

    def _signer_of(self, run: str) -> Signer | None:
        """Return who signs what is said of a run: nobody, with a warning, where the key is damaged."""
        try:
            return self.signer()
        except KeyFileError as error:  # it must not keep runs from their store
            _log.warning("what is said of run %s is kept without a signature: %s", run, error)
            return None

    def session(self, settings: RunSettings) -> Session:
        """Begin a run."""
        started = now()
        kept = {**asdict(settings), "started": started.isoformat(), "clock": clock.mark(), "methods": True}
        spooled = self.spool.create(object_keys.new_run_id(started), kept)
        return Session(self._store, self._catalog, spooled, settings, publish=self._publish)

    def recover(self) -> Iterator[Session]:
        """Yield the runs that wait in the spool for a writer that is gone; the caller commits or closes each.

        One whose journal cannot be understood stays where it is, with a warning: it must not keep others from theirs.
        """
        for spooled in self.spool.waiting():
            try:
                session = Session.resume(self._store, self._catalog, spooled, publish=self._publish)
            except (IntegrityError, ValueError, KeyError, TypeError) as error:
                _log.warning("run %s in the spool cannot be taken up (%s); see %s", spooled.run, error, spooled.folder)
                spooled.close()
                continue
            yield session

    def merge(self, *, whole: bool = False, rebuild: bool = False) -> Merged:
        """Bring all runs into the merged index, that a lookup need not ask each; raises StoreError."""
        self.require()
        try:
            return self._stores.merge(self._cache, self.spool.scratch, whole=whole, rebuild=rebuild)
        finally:
            self.refresh()

    def merge_if_many(self) -> Merged | None:
        """Merge where so many runs are in no generation that lookups suffer; raises StoreError, ArchiveError."""
        return self.merge() if len(self._catalog.parts().runs) >= _MANY_RUNS else None

    def unfinished_redactions(self) -> dict[str, list[tuple[str, str]]]:
        """Return the redactions whose files lie aside, oldest first, with run and path of each; raises StoreError."""
        return unfinished(self._store)

    @property
    def marks(self) -> WatchMarks:
        """The marks by which machines that watch the same pages agree who does what."""
        return WatchMarks(self._store)

    # Its stores, one by one

    @property
    def has_replicas(self) -> bool:
        """Whether the archive has more than its primary store."""
        return bool(self._stores.replicas)

    def each_store(self, act: Callable[[ObjectStore], Iterable[_Found]]) -> Iterator[tuple[ObjectStore, _Found]]:
        """Yield what is found in each store, with the store, the primary first: each is an archive of its own."""
        return self._stores.each(act)

    def lacking(self) -> Iterator[tuple[ObjectStore, Finding]]:
        """Yield a finding for each run that one store holds and another lacks; raises StoreError."""
        return self._stores.lacking()

    def collect_garbage(self, age: timedelta, *, dry: bool = False) -> Iterator[tuple[ObjectStore, Orphan]]:
        """Remove what nobody needs and is older than `age` from each store; with `dry`, only say what would go.

        Raises StoreError, IntegrityError.
        """
        from archive.runs.garbage import Orphans

        return self._stores.each(lambda store: Orphans(store, self._cache, age).collect(dry=dry))

    def replicate_to(self, targets: Iterable[ObjectStore], known: Collection[PublicKey]) -> Iterator[Copied]:
        """Put every run that another store lacks there, one store after the other.

        Raises FormatError when a target is another archive, StoreError when a store fails meanwhile.
        """
        return self._stores.replicate_to(targets, self.spool.scratch, known)

    def replicate(self, known: Collection[PublicKey]) -> Iterator[Copied]:
        """Put every run that one of the archive's stores lacks there, from the others; raises as `replicate_to`."""
        return self._stores.level(self.spool.scratch, known)

    def repair_from(
        self, source: Sequence[ObjectStore], known: Collection[PublicKey], runs: Collection[str] = ()
    ) -> Iterator[Copied]:
        """Put what is damaged or missing, from the stores of a copy, its primary first; raises as `replicate_to`."""
        return self._stores.repair_from(ReplicaSet(source[0], source[1:]), self.spool.scratch, known, runs)

    def repair(self, known: Collection[PublicKey], runs: Collection[str] = ()) -> Iterator[Copied]:
        """Put what is damaged or missing in one of the archive's stores, from the others; raises as `replicate_to`."""
        return self._stores.repair(self.spool.scratch, known, runs)

    def begin_restore(self, target: ObjectStore) -> bool | None:
        """Mark an empty store as one into which this archive is being restored; see `archive.copies`."""
        return self._stores.begin_restore(target)

    def finish_restore(self, target: ObjectStore) -> None:
        """Say that the archive is whole there: it is an archive like any other from now on."""
        self._stores.finish_restore(target)

    # Verification

    def verification(
        self,
        readings: Readings,
        *,
        deep: bool,
        since: datetime | None = None,
        end: float | None = None,
        held: Mapping[str, Checkpoint] | None = None,
        known: Iterable[PublicKey] = (),
    ) -> Verification:
        """Return a look at all runs, which reads with `deep` those that were not read since a time.

        `known` as in `verify`.
        """
        from archive.verify.verification import Verification

        return Verification(self._store, self._catalog, readings, deep, since, end, held, tuple(known))

    def verify(
        self,
        runs: list[str] | None = None,
        held: Mapping[str, Checkpoint] | None = None,
        known: Iterable[PublicKey] = (),
    ) -> Iterator[Finding]:
        """Check every byte of the named runs, or of all; raises StoreError when the store fails meanwhile.

        Of all, the chain of runs and what is signed of it too; `held` are checkpoints that are kept elsewhere, by name.
        That a run was redacted is no fault where one of the `known` keys signed the statement.
        """
        from archive.verify.history import Readings

        self.require()
        yield from self.verification(Readings(), deep=True, held=held, known=known).findings(runs)

    # Evidence

    def checkpoint(self, signer: Signer, remembered: Path, *, everything: bool = True) -> Made | None:
        """Enter new runs into the log of runs and sign it; `archive.evidence.sign_checkpoint` says what it raises.

        A run that was redacted is entered again where this very key signed that.
        """
        from archive.access.signed_redactions import excused
        from archive.evidence.sign_checkpoint import make_checkpoint

        self.require()
        self.forget()  # manifests that were read before a redaction
        said, _ = excused(self._store, [signer.public])
        return make_checkpoint(
            self._store, self._catalog, self._cache, signer, remembered, said.replaced, everything=everything
        )

    def timestamp_authorities(self, checkpoint: str) -> set[str]:
        """Return whose time stamps over a checkpoint there are, by `mark_of`; `checkpoint` is its key."""
        from archive.evidence.stored_timestamps import authorities

        return authorities(self._store, checkpoint)

    def keep_timestamp(self, checkpoint: str, authority: str, data: bytes) -> None:
        """Keep a time stamp beside the checkpoint that it is about; raises StoreError."""
        from archive.evidence.stored_timestamps import keep_token

        keep_token(self._store, checkpoint, authority, data)
