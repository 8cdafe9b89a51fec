"""What no committed run, and no reader, needs any more: found, looked at again, and removed.

- files of runs that were never committed: their writer was killed, or waits in a spool and will put them all again
- marks of runs that do not exist, claims that were forgotten
- generations of the merged index that were replaced, or never finished
- what broken puts left: temporary files of a directory, uploads in parts of a bucket

Nothing goes that is younger than the safe age, by the store's clock and never by this machine's, or whose run was begun
within it. That a run goes is said in the store before its first file does, and not done where a writer says that it is
about to commit it (`archive.coordination.intents`); before each delete that is looked at again. A run that was
committed once, as a generation, a later run or this machine's cache knows, is damaged, and no orphan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import groupby

from archive import object_keys
from archive.checked_json import parsed_object
from archive.coordination.intents import to_remove
from archive.coordination.leases import claimed
from archive.errors import IntegrityError
from archive.index.catalog import Catalog
from archive.local_cache import Cache
from storage.base import KeepsLeftovers, Leftover, ObjectInfo, ObjectStore
from storage.errors import ObjectMissing

SAFE = timedelta(days=7)
LEAST = timedelta(days=2)  # claims are asked for from one day on: less would not be safe

_AHEAD = timedelta(hours=1)  # by which a name may be dated after the store's clock and still count as young

_BEGUN = (
    "its commit was begun: start onrecord on the machine that captured it, or finish a copy with onrecord replicate; "
    "if neither can ever be, delete what lies under {} in the store and run onrecord gc again"
)

RUN, MARK, CLAIM, INTENT, GENERATION, BROKEN = "run", "mark", "claim", "intent", "generation", "broken-put"


@dataclass(frozen=True, slots=True)
class Orphan:
    """Something to remove, or that was: how many objects and bytes, and why it stays if it does."""

    kind: str
    name: str
    objects: int
    bytes: int
    stays: str | None = None
    damaged: bool = False  # it stays because it was committed, and has lost its manifest


class Orphans:
    """The orphans of one store, none of them younger than `age`."""

    def __init__(self, store: ObjectStore, cache: Cache, age: timedelta = SAFE) -> None:
        if age < LEAST:
            raise ValueError(f"not safe: {age}")
        self._store = store
        self._cache = cache
        self._catalog = Catalog(store, cache)
        self._age = age

    @cached_property
    def _present(self) -> datetime:
        return self._store.now()

    @property
    def _before(self) -> datetime:
        return self._present - self._age

    def collect(self, *, dry: bool = False) -> Iterator[Orphan]:
        """Each orphan, once it is removed, or with `dry` as it is found; raises StoreError, IntegrityError."""
        yield from self._runs(dry=dry)
        for kind, prefix in ((MARK, object_keys.LOOSE_PREFIX), (CLAIM, object_keys.CLAIMS_PREFIX)):
            yield from self._marks(kind, prefix, dry=dry)
        yield from self._intents(dry=dry)
        yield from self._generations(dry=dry)
        if isinstance(self._store, KeepsLeftovers):
            yield from self._broken(self._store, dry=dry)

    # Runs that were never committed

    def _runs(self, *, dry: bool) -> Iterator[Orphan]:
        candidates = []
        for run, group in groupby(self._objects(), key=lambda pair: pair[0]):
            found = [info for _, info in group]
            if self._is_old_and_open(run, found):
                candidates.append((run, found))
        if not candidates:
            return
        known = self._known([run for run, _ in candidates])
        for run, found in candidates:
            size = sum(info.size for info in found)
            if run in known:
                why = "it was committed and has lost its manifest: bring it back with onrecord repair --from STORE"
                yield Orphan(RUN, run, len(found), size, stays=why, damaged=True)
            elif dry:
                yield Orphan(RUN, run, len(found), size)
            else:
                yield self._clear_run(run)

    def _objects(self) -> Iterator[tuple[str, ObjectInfo]]:
        for info in self._store.list(object_keys.RUNS_PREFIX):
            if parts := object_keys.split_run_key(info.key):
                yield parts[0], info

    def _is_old_and_open(self, run: str, found: list[ObjectInfo]) -> bool:
        if any(info.key == object_keys.run_key(run, object_keys.MANIFEST) for info in found):
            return False
        return self._is_past(run) and all(self._is_old(info) for info in found)

    def _is_past(self, name: str) -> bool:
        """Whether the name, by its writer's clock, does not keep a run or generation: a clock may have been ahead."""
        begun = object_keys.started(name)
        return begun < self._before or self._present + _AHEAD < begun < object_keys.NO_TIME

    def _is_old(self, info: ObjectInfo) -> bool:
        return info.modified is not None and info.modified < self._before

    def _known(self, runs: list[str]) -> set[str]:
        """Those that were committed once: a generation or a later run names them, or this machine has read them."""
        generations = self._catalog.generations
        existing = generations.existing()
        if existing.damaged:
            raise IntegrityError("the merged index is damaged, and tells what was committed: run `onrecord compact`")
        covered = {run for found in existing.standing for run in generations.runs_of(found)}
        named = {parent for found in existing.standing for parent in (*found.parents, *found.heads)}
        hashes = {run: self._hash_of(run) for run in runs}
        if any(hashes.values()):
            every = self._catalog.manifests(self._catalog.runs())
            named.update(parent for found in every for parent in found.parents)
        return {
            run
            for run in runs
            if run in covered
            or hashes[run] in named
            or self._cache.get(object_keys.run_key(run, object_keys.MANIFEST)) is not None
        }

    def _hash_of(self, run: str) -> str | None:
        """Return the hash of a run's manifest by its digest file, which is put before it."""
        try:
            data = self._store.get_range(object_keys.run_key(run, object_keys.MANIFEST_DIGEST), 0, 4096)
            return str(parsed_object(data).get("hash"))
        except (ObjectMissing, ValueError):
            return None

    def _clear_run(self, run: str) -> Orphan:
        objects = size = 0
        with claimed(self._store, run) as mine:  # what writers of version 0.4 look at
            if not mine:
                return Orphan(RUN, run, 0, 0, stays="another process has the claim to it")
            with to_remove(self._store, run) as may_be_removed:
                while found := list(self._store.list(object_keys.run_key(run, ""))):
                    if not may_be_removed():
                        return Orphan(RUN, run, objects, size, stays=_BEGUN.format(object_keys.commit_intent(run, "")))
                    if not self._is_old_and_open(run, found):
                        return Orphan(RUN, run, objects, size, stays="its writer has come back to it")
                    self._store.delete(found[0].key)
                    objects, size = objects + 1, size + found[0].size
                if may_be_removed():
                    self._store.delete(object_keys.loose_key(run))
        return Orphan(RUN, run, objects, size)

    # What can be made again

    def _marks(self, kind: str, prefix: str, *, dry: bool) -> Iterator[Orphan]:
        for info in list(self._store.list(prefix)):
            run = info.key.removeprefix(prefix)
            if not object_keys.is_run_id(run) or not self._is_old(info) or not self._is_past(run):
                continue
            gone = dry or self._delete(info) if kind == CLAIM else self._clear_mark(run, info, dry=dry)
            if gone:
                yield Orphan(kind, run, 1, info.size)

    def _intents(self, *, dry: bool) -> Iterator[Orphan]:
        """Intents to commit whose run is committed: their writer was killed behind the manifest."""
        for info in list(self._store.list(object_keys.COMMIT_INTENTS_PREFIX)):
            run = info.key.removeprefix(object_keys.COMMIT_INTENTS_PREFIX).partition("/")[0]
            if (
                not object_keys.is_run_id(run)
                or self._store.head(object_keys.run_key(run, object_keys.MANIFEST)) is None
            ):
                continue
            if dry or self._delete(info):
                yield Orphan(INTENT, run, 1, info.size)

    def _clear_mark(self, run: str, info: ObjectInfo, *, dry: bool) -> bool:
        """Remove the mark of a run of which nothing is left."""
        if next(self._store.list(object_keys.run_key(run, "")), None) is not None:
            return False
        if dry:
            return True
        with claimed(self._store, run) as mine:
            if not mine:
                return False
            with to_remove(self._store, run) as may_be_removed:
                nothing = next(self._store.list(object_keys.run_key(run, "")), None) is None
                return nothing and may_be_removed() and self._delete(info)

    def _delete(self, info: ObjectInfo) -> bool:
        found = self._store.head(info.key)
        if found is None or not self._is_old(found):
            return False
        self._store.delete(info.key)
        return True

    def _generations(self, *, dry: bool) -> Iterator[Orphan]:
        replaced = self._catalog.generations.existing().replaced
        groups: dict[str, list[ObjectInfo]] = {}
        for info in self._store.list(object_keys.GENERATIONS_PREFIX):
            if parts := object_keys.split_generation_key(info.key):
                groups.setdefault(parts[0], []).append(info)
        for name, found in groups.items():
            described = object_keys.generation_key(name, object_keys.GENERATION)
            others = groups.get(replaced[name].name, []) if name in replaced else []
            done_with = bool(others) and all(map(self._is_old, others))
            open_ended = all(info.key != described for info in found) and all(map(self._is_old, found))
            if not (done_with or (open_ended and self._is_past(name))):
                continue
            if not dry and done_with:
                for info in sorted(found, key=lambda info: info.key != described):  # it exists no more from then on
                    self._store.delete(info.key)
            elif not dry:
                with to_remove(self._store, name, described) as may_be_removed:
                    if not all(may_be_removed() and self._delete(info) for info in found):
                        continue
            yield Orphan(GENERATION, name, len(found), sum(info.size for info in found))

    def _broken(self, store: KeepsLeftovers, *, dry: bool) -> Iterator[Orphan]:
        found: list[Leftover] = list(store.leftovers(self._before))
        for leftover in found:
            if not dry:
                store.clear(leftover)
            yield Orphan(BROKEN, leftover.name, 1, leftover.size)
