"""Which runs exist, and what their manifests say: read once, then kept in a local cache, for neither ever changes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from archive import object_keys
from archive.digests import digest_of
from archive.errors import IntegrityError, RecordError
from archive.formats import manifest
from archive.formats.generation import Generation
from archive.formats.zipnum import BlockIndex
from archive.index.merged_index import Generations
from archive.local_cache import Cache
from archive.model import Manifest
from storage.base import ObjectStore
from storage.errors import ObjectMissing

_log = logging.getLogger("onrecord.archive")

_READERS = 16  # requests at once when many runs are new to this machine
_MAX_INDEX = 256 << 20  # bytes of an index's head: that of a thousand million captures is smaller


@dataclass(frozen=True, slots=True)
class Parts:
    """What a lookup has to ask: generations of the merged index, and the runs that may not be in one, oldest first."""

    generations: tuple[Generation, ...]
    runs: tuple[str, ...]
    ahead: Mapping[str, int] = field(default_factory=dict)  # seconds by which clocks were that dated some runs
    put: Mapping[str, datetime | None] = field(default_factory=dict)  # when each of `runs` was, by the store's clock


class Catalog:
    """The committed runs of a store."""

    def __init__(self, store: ObjectStore, cache: Cache) -> None:
        self._store = store
        self._cache = cache
        self.generations = Generations(store, cache)
        self._manifests: dict[str, Manifest] = {}
        self._indexes: dict[str, BlockIndex] = {}

    def forget(self) -> None:
        """Hold nothing that was read: something was taken out of the store for good."""
        self._manifests = {}
        self._indexes = {}
        self.generations.forget()

    def runs(self, start: str = "") -> list[str]:
        """Return the names of all runs that exist now, oldest first: those whose manifest does.

        With `start`, those from that name, or the beginning of one, on.
        """
        return sorted(self.committed(start))

    def committed(self, start: str = "") -> dict[str, datetime | None]:
        """When the manifest of each run that exists now was put, by the store's clock; `start` is as in `runs`."""
        prefix = object_keys.RUNS_PREFIX
        found = {}
        for info in self._store.list(prefix, start_after=prefix + start if start else ""):
            parts = object_keys.split_run_key(info.key)
            if parts and parts[1] == object_keys.MANIFEST:
                found[parts[0]] = info.modified
        return found

    def _objects(self, start: str = "") -> Iterator[tuple[str, str, int]]:
        for info in self._store.list(
            object_keys.RUNS_PREFIX, start_after=object_keys.RUNS_PREFIX + start if start else ""
        ):
            if parts := object_keys.split_run_key(info.key):
                yield parts[0], parts[1], info.size

    def parts(self, *, merged: bool = True) -> Parts:
        """Return what is to be asked now; every run by itself where there is no merged index, or it cannot be read."""
        marked = self.generations.marked()
        try:
            found = self.generations.current() if merged else ()
        except IntegrityError as error:
            _log.warning("%s; every run is asked by itself: run `onrecord compact --rebuild`", error)
            found = ()
        if found:
            return Parts(found, marked, self.generations.ahead, self.generations.put)
        put = self.committed()
        return Parts((), tuple(sorted(put)), self.generations.ahead, put)

    def files(self) -> dict[str, dict[str, int]]:
        """Every file under every run, committed or not, with its size in bytes."""
        found: dict[str, dict[str, int]] = {}
        for run, path, size in self._objects():
            found.setdefault(run, {})[path] = size
        return found

    def load(self, runs: Iterable[str], *, indexes: bool = True) -> None:
        """Read the manifests of several runs at once, and the heads of their indexes; what is wrong is said later."""
        read: Callable[[str], object] = self.block_index if indexes else self.manifest
        known = self._indexes if indexes else self._manifests

        def attempt(run: str) -> None:
            with suppress(IntegrityError, ObjectMissing):
                read(run)

        unread = [run for run in runs if run not in known]
        if len(unread) > 1:
            with ThreadPoolExecutor(_READERS) as pool:
                list(pool.map(attempt, unread))

    def manifest(self, run: str) -> Manifest:
        """Return a run's manifest.

        Raises ObjectMissing when the run does not exist, IntegrityError when it is damaged.
        """
        if run not in self._manifests:
            self._manifests[run] = self._read_manifest(run)
        return self._manifests[run]

    def _read_manifest(self, run: str, *, afresh: bool = False) -> Manifest:
        key = object_keys.run_key(run, object_keys.MANIFEST)
        kept = None if afresh else self._cache.get(key)
        data = self._bounded(key, manifest.LONGEST) if kept is None else kept
        try:
            found = manifest.parse(data)
        except IntegrityError as error:
            raise IntegrityError(f"{key}: {error}; run `onrecord verify`") from error
        if found.run != run:
            raise IntegrityError(f"{key} names another run, {found.run}")
        if kept is None:  # not before it is known to be one: what is mended in the store must be seen here
            self._cache.put(key, data)
        return found

    def block_index(self, run: str) -> BlockIndex:
        """Return a run's ZipNum index, checked against its manifest; raises IntegrityError."""
        if run not in self._indexes:
            try:
                self._indexes[run] = self._read_index(run)
            except IntegrityError:  # what was wrong may be the manifest that is kept here
                self._manifests[run] = self._read_manifest(run, afresh=True)
                self._indexes[run] = self._read_index(run)
        return self._indexes[run]

    def _read_index(self, run: str) -> BlockIndex:
        key = object_keys.run_key(run, object_keys.IDX)
        try:
            expected = self.manifest(run).resource(object_keys.IDX).hash
        except KeyError as error:
            raise IntegrityError(f"the manifest of run {run} names no index; run `onrecord verify`") from error
        data = self._cache.get(key)
        if data is None or digest_of(data) != expected:
            data = self._from_store(key, expected)
        try:
            return BlockIndex(data)
        except RecordError as error:
            raise IntegrityError(f"{key}: {error}; run `onrecord verify`") from error

    def _from_store(self, key: str, expected: str) -> bytes:
        try:
            data = self._bounded(key, _MAX_INDEX)
        except ObjectMissing as error:
            raise IntegrityError(
                f"{key} is missing although its run's manifest names it; run `onrecord verify`"
            ) from error
        if digest_of(data) != expected:
            raise IntegrityError(f"{key} is not the file its run's manifest names; run `onrecord verify`")
        self._cache.put(key, data)
        return data

    def _bounded(self, key: str, limit: int) -> bytes:
        data = self._store.get_range(key, 0, limit + 1)
        if len(data) > limit:
            raise IntegrityError(f"{key} is larger than any that this program writes; run `onrecord verify`")
        return data

    def heads(self) -> list[str]:
        """Return the hashes of the manifests that no other manifest names as its parent: where the next run joins on.

        A manifest that is damaged is left out, with a warning: it must not keep new captures from their store.
        """
        parts = self.parts()
        manifests = self.manifests(parts.runs)
        merged = parts.generations
        named = {parent for found in manifests for parent in found.parents}
        named.update(parent for generation in merged for parent in generation.parents)
        hashes = {found.hash for found in manifests}
        hashes.update(head for generation in merged for head in generation.heads)
        return sorted(hashes - named)

    def manifests(self, runs: Iterable[str]) -> list[Manifest]:
        """Return the manifests of runs, of this list, that exist and are sound; log a warning for a damaged one."""
        wanted = list(runs)
        self.load(wanted, indexes=False)
        found = []
        for run in wanted:
            try:
                found.append(self.manifest(run))
            except IntegrityError as error:
                _log.warning("%s", error)
            except ObjectMissing:  # not committed, or gone since the runs were listed
                continue
        return found
