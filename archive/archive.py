"""The facade: everything that is asked of an archive is asked here."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from archive import object_keys
from archive.access.guard import Gate
from archive.access.rule_store import Notices
from archive.access.signed_redactions import excused
from archive.crypto.signed_note import PublicKey
from archive.errors import IntegrityError, NoSuchSnapshot, Withheld
from archive.formats.pages_jsonl import decode_document, whole_lines
from archive.formats.surt import key_range, urlkey
from archive.index.catalog import Catalog
from archive.index.compaction import Merged, merge
from archive.index.lookup import Index
from archive.index.order import newest_first
from archive.local_cache import Cache
from archive.model import Document, Manifest, Reference, Snapshot
from archive.runs import clock, store_identity
from archive.runs.garbage import Orphans
from archive.runs.known_stores import KnownStores
from archive.runs.session import Session
from archive.runs.spool import Spool
from archive.runs.warc_files import RunSettings
from archive.times import iso, now
from archive.verify.history import Readings
from archive.verify.run_check import Finding, verify
from archive.verify.verification import Verification, besides
from archive.warc.http_message import Head
from archive.warc.reader import Record
from archive.warc.stored_record import payload_record, stored_record
from storage.base import ObjectStore
from storage.errors import ObjectMissing, StoreError, StoreMissing
from storage.mirror import members

if TYPE_CHECKING:  # what signs is imported when something is signed, or its signature checked
    from archive.crypto.signed_note import Signer
    from archive.evidence.checkpoint import Checkpoint
    from archive.evidence.sign_checkpoint import Made

_log = logging.getLogger("onrecord.archive")

_MAX_REDIRECTS = 20
_MANY_RUNS = 16  # that are in no generation: each costs a lookup a request


class Archive(Gate):
    """The runs of one store, and the spool where this machine's runs wait for it.

    What the store's notices withhold is not given out: see `Gate`.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        spool: Path,
        cache: Path | None = None,
        kept_blocks: int = 0,
        read_back: bool = True,
        known: KnownStores | None = None,
    ) -> None:
        """`kept_blocks` is how many bytes of the index's blocks may be kept in the cache.

        `read_back` says that a run's local copy goes only when every byte was read from the store and compared.
        """
        super().__init__(Notices(store, Cache(cache)))
        self.store = store
        self.known = known or KnownStores()
        self._clock = clock.StoreClock(store)
        self._read_back = read_back
        self.spool = Spool(spool, store.url)
        self._cache = Cache(cache)
        self.catalog = Catalog(store, self._cache)
        blocks = Cache(cache / "blocks" if cache and kept_blocks else None, limit=kept_blocks)
        self._index = Index(store, self.catalog, blocks)

    # Writing

    def prepare(self) -> None:
        """Make the store an archive unless it is one; raises StoreError, FormatError for a newer layout.

        Raises StoreChanged where it held another archive, or one at all, when this machine last used it.
        """
        first, *copies = members(self.store)
        if copies:  # one of them may say better what is wrong with the first
            store_identity.prepare(self.store)
        self.known.check(first)
        store_identity.prepare(self.store)
        self.known.remember(first)

    def session(self, settings: RunSettings) -> Session:
        """Begin a run."""
        started = now()
        kept = {**asdict(settings), "started": started.isoformat(), "clock": clock.mark()}
        spooled = self.spool.create(object_keys.new_run_id(started), kept)
        return Session(self.store, self.catalog, spooled, settings, read_back=self._read_back, known=self.known)

    def recover(self) -> Iterator[Session]:
        """The runs that wait in the spool for a writer that is gone; the caller commits or closes each.

        One whose journal cannot be understood stays where it is, with a warning: it must not keep others from theirs.
        """
        for spooled in self.spool.waiting():
            try:
                session = Session.resume(self.store, self.catalog, spooled, read_back=self._read_back, known=self.known)
            except (IntegrityError, ValueError, KeyError, TypeError) as error:
                _log.warning("run %s in the spool cannot be taken up (%s); see %s", spooled.run, error, spooled.folder)
                spooled.close()
                continue
            yield session

    def merge(self, *, whole: bool = False, rebuild: bool = False) -> Merged:
        """Bring all runs into the merged index, that a lookup need not ask each; raises StoreError."""
        self.require()
        first, *copies = members(self.store)
        work = self.spool.scratch
        try:
            merged = merge(first, Catalog(first, self._cache), work, whole=whole, rebuild=rebuild)
            for copy in copies:  # each member of a mirror has an index of its own, of the runs that it holds
                try:
                    merge(copy, Catalog(copy, self._cache), work, whole=whole, rebuild=rebuild)
                except StoreError as error:
                    _log.warning("the index was not merged in %s: %s", copy.url, error)
            return merged
        finally:
            self.refresh()

    def merge_if_many(self) -> Merged | None:
        """Merge where so many runs are in no generation that lookups suffer; raises StoreError, ArchiveError."""
        return self.merge() if len(self.catalog.parts().runs) >= _MANY_RUNS else None

    # Reading

    def refresh(self) -> None:
        """See runs, and notices, that were put since the last question."""
        self._index.refresh()
        self.notices.refresh()

    def forget(self) -> None:
        """Hold nothing that was read of the runs before the last redaction, in memory or in the cache's folder."""
        self._cache.forget_unless(self.notices.epoch_now())
        self.catalog.forget()
        self._index.forget()

    def snapshots(
        self, url: str, *, match: str = "exact", start: datetime | None = None, end: datetime | None = None
    ) -> Iterator[Snapshot]:
        """Every snapshot of a URL in a span of time, both ends included, by key, then time.

        `match` is "exact", "prefix", "host" or "domain". Raises IntegrityError, StoreError.
        """
        return self._marked(self._index.snapshots(url, match, start, end))

    def run_count(self) -> int:
        """How many runs a lookup knows of, without listing them all; those of two generations at once count twice."""
        parts = self._index.parts()
        return sum(generation.runs for generation in parts.generations) + len(parts.runs)

    def every(self) -> Iterator[Snapshot]:
        """Every snapshot there is, by key, then time; raises IntegrityError, StoreError."""
        return self._marked(self._index.every())

    def snapshots_after(self, url: str, match: str, key: str, timestamp: str) -> Iterator[Snapshot]:
        """What `snapshots` gives from a key and 14 digits on: where a reader broke off. Raises as that does."""
        return self._marked(self._index.after(url, match, key, timestamp))

    def back(self, url: str, before: datetime | None = None) -> Iterator[Snapshot]:
        """The snapshots of one URL from the newest, or the last one earlier than a time; raises as `snapshots`."""
        return self._marked(self._index.back(url, before))

    def around(self, url: str, at: datetime) -> Iterator[Snapshot]:
        """The snapshots of one URL, the nearest to a time first; raises as `snapshots`."""
        return self._nearest(url, at)

    @staticmethod
    def matches(snapshot: Snapshot, url: str, match: str) -> bool:
        """Whether a snapshot is one that `snapshots` would find for a URL."""
        start, end = key_range(url, match)
        return start <= f"{urlkey(snapshot.url)} " < end

    def closest(self, url: str, at: datetime | None = None) -> Snapshot:
        """The snapshot of a URL nearest to a time, redirects followed within the archive.

        Without a time, the newest one that is no tombstone (status 400 or more, or a page that says it is gone), and
        shows the page rather than a wall before it, if there is such a one; what is withheld is passed over. Raises
        NoSuchSnapshot, Withheld where the nearest is withheld or, without a time, all are.
        """
        return self._closest(url, at, set())

    def _closest(self, url: str, at: datetime | None, followed: set[str]) -> Snapshot:
        """A redirect is followed once: from http to https, say, it leads to the key that it lies under itself."""
        first = None
        for snapshot in self._standing(url) if at is None else self._nearest(url, at):
            if snapshot.record_id in followed:
                continue
            if first is None:
                self.checked(snapshot)
            elif snapshot.withheld:
                continue
            first = first or snapshot
            if not snapshot.is_redirect or len(followed) == _MAX_REDIRECTS:
                return snapshot
            followed.add(snapshot.record_id)
            try:
                assert snapshot.location is not None, "is_redirect says so"
                return self._closest(snapshot.location, at and snapshot.timestamp, followed)
            except Withheld:
                raise
            except NoSuchSnapshot:
                continue
        if first is None:
            self.require()
            raise NoSuchSnapshot(f"nothing is kept of {url}; capture it with: onrecord capture {url}")
        return first

    def _standing(self, url: str) -> Iterator[Snapshot]:
        """Those that show a page, newest first, then those that show a wall before it, then one that is withheld.

        Raises NoSuchSnapshot where there are only tombstones.
        """
        tombstone = withheld = None
        walls = []
        shown = False
        for snapshot in newest_first(self.back(url), self.present):
            if snapshot.withheld:
                withheld = withheld or snapshot
            elif snapshot.is_tombstone:
                tombstone = tombstone or snapshot
            elif snapshot.availability is not None:
                walls.append(snapshot)
            else:
                shown = True
                yield snapshot
        yield from walls
        if withheld and not shown and not walls:
            yield withheld
        elif tombstone and not shown and not walls:
            raise NoSuchSnapshot(
                f"only tombstones are kept of {url}, the newest {tombstone.availability or tombstone.status} of "
                f"{iso(tombstone.timestamp)}; name a time with --at to get one"
            )

    def near(self, url: str, at: datetime, *, shown: bool = False) -> Snapshot | None:
        """The snapshot of a URL nearest to a time, whatever it shows; None where there is none.

        Raises Withheld where that one is not to be shown; with `shown`, where none is, and the nearest other one is
        given else. Of those of one second it is that of this very URL; one that leads to this URL from another that has
        its key is the last choice.
        """
        first = withheld = None
        for _, entries in groupby(self._nearest(url, at), key=lambda snapshot: abs(snapshot.timestamp - at)):
            every = list(entries)
            as_near = [each for each in every if not each.withheld]
            if len(as_near) < len(every):
                withheld = withheld or next(each for each in every if each.withheld)
                if not shown:
                    self.checked(withheld)
            first = first or next(iter(as_near), None)
            pages = [each for each in as_near if each.url == url or each.location != url]
            if pages:
                return min(pages, key=lambda each: each.url != url)
        if first is None and withheld is not None:
            self.checked(withheld)
        return first

    def _nearest(self, url: str, at: datetime) -> Iterator[Snapshot]:
        """All, the nearest first; of two that are as near, the earlier one."""
        at = at.replace(microsecond=0)
        earlier = ((at - snapshot.timestamp, snapshot) for snapshot in self.back(url, at))
        later = ((snapshot.timestamp - at, snapshot) for snapshot in self.snapshots(url, start=at))
        return (snapshot for _, snapshot in heapq.merge(earlier, later, key=lambda pair: pair[0]))

    def present(self) -> datetime:
        """The present moment by the store's clock, or by this machine's where the store cannot say it now."""
        return self._clock.now()

    def newest_first(self, found: Sequence[Snapshot]) -> Iterator[Snapshot]:
        """Order snapshots that are in the order of their own times by when they were made, the newest first."""
        return newest_first(reversed(found), self.present)

    def ahead_of(self, run: str) -> timedelta:
        """How far the clock that dated a run was ahead; raises ObjectMissing, IntegrityError, StoreError."""
        return clock.ahead_of(self.store, self.manifest(run))

    def require(self) -> None:
        """Tell an empty archive from no archive; raises StoreMissing, StoreChanged."""
        first = members(self.store)[0]
        self.known.check_any(members(self.store))
        try:
            store_identity.check_layout(self.store.get(object_keys.STORE_KEY))
        except (ObjectMissing, StoreMissing) as error:
            if isinstance(error, ObjectMissing) and next(iter(self.store.list(object_keys.RUNS_PREFIX)), None):
                raise IntegrityError(
                    f"{object_keys.STORE_KEY} is missing in {self.store.url}, which holds runs: put it back from a "
                    "copy with onrecord repair --from STORE, or capture something, which makes it anew"
                ) from error
            raise StoreMissing(
                f"no archive at {self.store.url}; capture something into it first, or name another with --store"
            ) from error
        self.known.remember(first)

    def read(self, snapshot: Snapshot) -> Record:
        """The capture's own WARC record, checked as it is read; raises Withheld, IntegrityError, StoreError."""
        self.checked(snapshot)
        return stored_record(self.store, snapshot.record, snapshot.record_id)

    def payload(self, snapshot: Snapshot) -> tuple[Head, bytes, Iterator[bytes]]:
        """The response that holds a capture's payload: its head, the head's bytes, and the entity body in pieces.

        A revisit's payload is read from the earlier record. Raises as `read` does.
        """
        return self.payload_record(snapshot).http()

    def payload_record(self, snapshot: Snapshot) -> Record:
        """The record that holds a capture's payload: for a revisit, an earlier one. Raises as `read` does."""
        return payload_record(self.store, self.checked(snapshot))

    def page_body(self, snapshot: Snapshot, rendered: Reference | None = None) -> tuple[Head, bytes, Iterator[bytes]]:
        """What a page's text is made from: what scripts made of it, where that is named, else its payload.

        Raises as `read` does.
        """
        self.checked(snapshot)
        if rendered is None:
            return self.payload(snapshot)
        return stored_record(self.store, rendered.record, rendered.record_id).http()

    def document(self, snapshot: Snapshot) -> Document | None:
        """The clean text and metadata of a snapshot, or None when none were made; raises as `read` does."""
        ref = self.checked(snapshot).document
        if ref is None:
            return None
        try:
            return decode_document(self.store.get_range(ref.key, ref.offset, ref.length))
        except ObjectMissing as error:
            raise IntegrityError(f"{ref.key} is missing although the index names it; run `onrecord verify`") from error

    def captures_of(self, run: str) -> Iterator[Snapshot]:
        """Every line of one run's index, in its order; raises IntegrityError, StoreError."""
        return self._marked(self._index.of_run(run))

    def documents_of(self, run: str) -> Iterator[Document]:
        """Every document of one run that may be shown, in the order they were written.

        Raises IntegrityError, StoreError.
        """
        lines = whole_lines(self.store.stream(object_keys.run_key(run, object_keys.PAGES)))
        next(lines, None)  # the header
        policy = self._policy()
        for document in map(decode_document, lines):
            if policy.at(document.url, document.timestamp, document.record_id) is None:
                yield document

    def manifest(self, run: str) -> Manifest:
        """The manifest of a committed run; raises ObjectMissing, IntegrityError."""
        return self.catalog.manifest(run)

    def orphans(self, store: ObjectStore, age: timedelta) -> Orphans:
        """What nobody needs in this archive's store, or in a member of it, and is older than `age`."""
        return Orphans(store, self._cache, age)

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
        """A look at all runs, which reads with `deep` those that were not read since a time; `known` as in `verify`."""
        return Verification(self.store, self.catalog, readings, deep, since, end, held, tuple(known))

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
        self.require()
        said, wrong = excused(self.store, known)
        files = self.catalog.files()
        yield from verify(self.store, files, runs, said)
        if runs is None:
            yield from besides(self.store, files, held=held, said=said, wrong=wrong)

    # Evidence

    def checkpoint(self, signer: Signer, remembered: Path, *, everything: bool = True) -> Made | None:
        """Enter new runs into the log of runs and sign it; `archive.evidence.sign_checkpoint` says what it raises.

        A run that was redacted is entered again where this very key signed that.
        """
        from archive.evidence.sign_checkpoint import make_checkpoint

        self.require()
        self.forget()  # manifests that were read before a redaction
        said, _ = excused(self.store, [signer.public])
        return make_checkpoint(
            self.store, self.catalog, self._cache, signer, remembered, said.replaced, everything=everything
        )
