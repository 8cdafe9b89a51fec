"""The chain of runs, from its heads: what was deleted, replaced, moved or dated back since a later run or signature.

Each manifest names by hash the newest manifests its writer saw, so whatever a later run builds on cannot go or change
unnoticed. The newest runs, on which nothing builds, are held by the log of runs, and that by its checkpoints; best by
one kept where nobody who can write to the store can reach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from archive import object_keys
from archive.access.signed_redactions import successors
from archive.coordination.clock import noted_of
from archive.digests import digest_of
from archive.errors import IntegrityError
from archive.evidence.run_log import Entries
from archive.formats import manifest
from archive.model import Manifest
from archive.times import is_rehearsed, iso
from storage.base import ObjectStore
from storage.errors import ObjectMissing

SKEW = timedelta(minutes=15)  # by which the clocks of two machines may differ; servers of S3 refuse more
_READERS = 16
_MOST = 16 << 20  # bytes of a manifest
_FEW = 4  # runs that are named in a line


@dataclass(frozen=True, slots=True)
class Link:
    """A run of the store as the chain sees it: where it lies, the hash of its manifest, and what that says."""

    place: str
    hash: str
    manifest: Manifest | None  # None where it cannot be read


def links(store: ObjectStore, runs: Iterable[str]) -> list[Link]:
    """Read the manifests of runs, afresh; raises StoreError."""

    def read(run: str) -> Link | None:
        try:
            data = store.get_range(object_keys.run_key(run, object_keys.MANIFEST), 0, _MOST)
        except ObjectMissing:  # gone since it was listed
            return None
        try:
            return Link(run, digest_of(data), manifest.parse(data))
        except IntegrityError:
            return Link(run, digest_of(data), None)

    with ThreadPoolExecutor(_READERS) as pool:
        return [link for link in pool.map(read, sorted(runs)) if link is not None]


def broken(
    found: Sequence[Link],
    entries: Entries | None = None,
    replaced: Mapping[str, str] | None = None,
    put_at: Callable[[str], datetime | None] | None = None,
    notes: list[tuple[str, str]] | None = None,
) -> Iterator[tuple[str, str]]:
    """Each fault of the chain: the run it concerns, and a line that says what was done.

    `put_at` says when a run's manifest was put, by the store's clock. What that, or a run's own note, shows to be a
    wrong clock rather than a date that was changed is added to `notes`, and is no fault.

    `entries` is the log of runs. `replaced` gives, by the hash of a manifest that was replaced by right, the hash of
    the one in its place; the caller has checked who signed that.
    """
    chain = _Chain(found, entries or Entries(), replaced or {}, put_at or _unknown, notes if notes is not None else [])
    for link in found:
        yield from ((link.place, fault) for fault in chain.faults(link))
    yield from chain.logged()


class _Chain:
    def __init__(
        self,
        found: Sequence[Link],
        entries: Entries,
        replaced: Mapping[str, str],
        put_at: Callable[[str], datetime | None],
        notes: list[tuple[str, str]],
    ) -> None:
        self._put_at = put_at
        self._notes = notes
        self._by_hash = {link.hash: link for link in found}
        self._by_place = {link.place: link for link in found}
        self._named = {parent for link in found if link.manifest for parent in link.manifest.parents}
        self._was = entries.run_of()
        self._newest = entries.newest()
        self._replaced = replaced

    def faults(self, link: Link) -> Iterator[str]:
        found = link.manifest
        if found is None:  # told where its bytes are looked at
            return
        if found.run != link.place:
            yield f"it holds the manifest of run {found.run}: runs were moved, or change places"
            return
        named = object_keys.started(link.place)
        started = found.started or named
        if abs(started - named) > SKEW:
            yield f"its name says that it was begun at another time than its manifest, {iso(started)}: one was altered"
        if started - found.ahead_at_start - _ended(found) > SKEW and not self._was_ahead(link.place, started):
            yield f"it says that it ended at {iso(found.created)}, before it began: it was dated back"
        for parent in found.parents:
            yield from self._parent(link.place, found, parent)

    def _was_ahead(self, place: str, dated: datetime) -> bool:
        """Whether a run's date lies after its manifest was put: then its clock was wrong, and nobody dated it back."""
        put = self._put_at(place)
        if put is None or dated - put <= SKEW:
            return False
        self._notes.append((place, f"it is dated {iso(dated)} and was put at {iso(put)}: its clock was ahead"))
        return True

    def _parent(self, place: str, found: Manifest, parent: str) -> Iterator[str]:
        earlier = next((self._by_hash[each] for each in self._since(parent) if each in self._by_hash), None)
        if earlier is None:
            yield from self._lost(parent)
        elif earlier.manifest is not None:
            ahead = _ahead(earlier.manifest, found)
            if ahead is not None and not self._excused(earlier, place, found):
                yield (
                    f"it says that it ended at {iso(found.created)}, yet it builds on run {earlier.place} of "
                    f"{iso(ahead)}: it was dated back, or the runs were put in another order"
                )

    def _excused(self, earlier: Link, place: str, later: Manifest) -> bool:
        """Whether the earlier run's clock was ahead: it is dated after it was put, or after the later one was put."""
        assert earlier.manifest is not None, "the caller looked"
        dated, put = earlier.manifest.created, self._put_at(earlier.place)
        if put is not None and put - _ended(later) <= SKEW and self._was_ahead(earlier.place, dated):
            return True
        after = self._put_at(place)
        if after is None or _ended(earlier.manifest) - after <= SKEW:
            return False
        self._notes.append(
            (
                earlier.place,
                f"it is dated {iso(dated)}, after run {place} that builds on it was put: its clock was ahead",
            )
        )
        return True

    def _since(self, digest: str) -> list[str]:
        """Return the hash of a manifest, and those of its successors that a known key signed.

        The last ones may be yet to come: a redaction is stated before it is carried out.
        """
        return [digest, *successors(digest, self._replaced)]

    def _lost(self, digest: str) -> Iterator[str]:
        """Yield a fault for an earlier run whose manifest is missing, unless the log has it and names it there."""
        run = self._was.get(digest)
        if run is None:
            yield f"the earlier run whose manifest is {digest} was deleted{self._suspects()}"
        elif self._newest[run] != digest and run not in self._by_place:
            yield f"run {run}, on which it builds, was deleted"
        elif self._newest[run] != digest:
            yield f"run {run}, on which it builds, was replaced: its manifest was {digest}"

    def _suspects(self) -> str:
        """Return the runs on which nothing builds, though they are not the newest: an altered one is among them."""
        heads = [place for place, link in self._by_place.items() if link.hash not in self._named]
        older = sorted(heads)[:-1]
        if not 0 < len(older) <= _FEW:
            return " or altered"
        return f", or altered, if it is {' or '.join(older)}, on which no run builds any more"

    def logged(self) -> Iterator[tuple[str, str]]:
        """Yield runs that the log names and that are not there as they were."""
        for run, digest in self._newest.items():
            there = self._by_place.get(run)
            if there is None:
                yield run, f"it was deleted: the log of runs has it, with the manifest {digest}"
            elif there.hash not in self._since(digest):
                yield run, f"it was replaced: its manifest is {there.hash}, and the log of runs has it with {digest}"


def _ahead(earlier: Manifest, later: Manifest) -> datetime | None:
    """Return the time at which an earlier run ended, where that is after a run that builds on it."""
    return earlier.created if _ended(earlier) - _ended(later) > SKEW else None


def _ended(found: Manifest) -> datetime:
    """When a run ended, by the store's clock as far as the run notes that."""
    return found.created - found.ahead


def _unknown(_run: str) -> datetime | None:
    """No store is asked when a manifest was put."""
    return None


def put_times(store: ObjectStore) -> Callable[[str], datetime | None]:
    """Return a function that asks the store when a run's manifest was put; it raises StoreError."""

    def put_at(run: str) -> datetime | None:
        if is_rehearsed():  # a clock that the store does not know
            return None
        key = object_keys.run_key(run, object_keys.MANIFEST)
        info = store.head(key)
        if info is None or not (ahead := noted_of(store, run)):
            return info.modified if info else None
        return manifest.parse(store.get(key)).created - ahead  # a copy, or a run that was redacted since

    return put_at
