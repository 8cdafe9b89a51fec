"""Which runs exist, and what their manifests say: read once, then kept in a local cache, for neither ever changes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from archive import keys, manifest
from archive.digests import digest_of
from archive.errors import IntegrityError
from archive.index.zipnum import BlockIndex
from archive.model import Manifest
from storage.base import ObjectStore
from storage.errors import ObjectMissing

_READERS = 16  # requests at once when many runs are new to this machine


class Cache:
    """Immutable objects of one store in a local folder, or nowhere when there is no folder to keep them in."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, key: str) -> bytes | None:
        """The bytes kept for a key, or None."""
        if self._folder is None:
            return None
        try:
            return (self._folder / key).read_bytes()
        except OSError:
            return None

    def put(self, key: str, data: bytes) -> None:
        """Keep bytes; a cache that cannot be written is no fault."""
        if self._folder is None:
            return
        path = self._folder / key
        part = path.with_name(f"{path.name}.{threading.get_ident()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)


class Catalog:
    """The committed runs of a store."""

    def __init__(self, store: ObjectStore, cache: Cache) -> None:
        self._store = store
        self._cache = cache
        self._manifests: dict[str, Manifest] = {}
        self._indexes: dict[str, BlockIndex] = {}

    def runs(self) -> list[str]:
        """The names of all runs that exist now, oldest first: those whose manifest does."""
        return sorted(run for run, path, _ in self._objects() if path == keys.MANIFEST)

    def _objects(self) -> Iterator[tuple[str, str, int]]:
        for info in self._store.list(keys.RUNS_PREFIX):
            if parts := keys.split_run_key(info.key):
                yield parts[0], parts[1], info.size

    def files(self) -> dict[str, dict[str, int]]:
        """Every file under every run, committed or not, with its size in bytes."""
        found: dict[str, dict[str, int]] = {}
        for run, path, size in self._objects():
            found.setdefault(run, {})[path] = size
        return found

    def load(self, runs: list[str]) -> None:
        """Read the manifests and index heads of several runs at once."""
        missing = [run for run in runs if run not in self._indexes]
        if len(missing) > 1:
            with ThreadPoolExecutor(_READERS) as pool:
                list(pool.map(self.block_index, missing))

    def manifest(self, run: str) -> Manifest:
        """A run's manifest; raises ObjectMissing when the run does not exist, IntegrityError when it is damaged."""
        if run not in self._manifests:
            key = keys.run_key(run, keys.MANIFEST)
            found = manifest.parse(self._cached(key))
            if found.run != run:
                raise IntegrityError(f"{key} names another run, {found.run}")
            self._manifests[run] = found
        return self._manifests[run]

    def block_index(self, run: str) -> BlockIndex:
        """A run's ZipNum index, checked against its manifest; raises IntegrityError."""
        if run not in self._indexes:
            expected = self.manifest(run).resource(keys.IDX).hash
            key = keys.run_key(run, keys.IDX)
            data = self._cached(key, expected)
            self._indexes[run] = BlockIndex(data)
        return self._indexes[run]

    def _cached(self, key: str, expected: str | None = None) -> bytes:
        data = self._cache.get(key)
        if data is not None and (expected is None or digest_of(data) == expected):
            return data
        try:
            data = self._store.get(key)
        except ObjectMissing as error:
            if expected is None:
                raise
            raise IntegrityError(
                f"{key} is missing although its run's manifest names it; run `onrecord verify`"
            ) from error
        if expected is not None and digest_of(data) != expected:
            raise IntegrityError(f"{key} is not the file its run's manifest names; run `onrecord verify`")
        self._cache.put(key, data)
        return data

    def heads(self) -> list[str]:
        """The hashes of the manifests that no other manifest names as its parent: where the next run joins on."""
        runs = self.runs()
        self.load(runs)
        manifests = [self.manifest(run) for run in runs]
        named = {parent for entry in manifests for parent in entry.parents}
        return sorted(entry.hash for entry in manifests if entry.hash not in named)
