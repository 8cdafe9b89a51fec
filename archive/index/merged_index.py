"""The merged index as it is in the store now: which generations there are, and the parts of them a lookup asks for."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from archive import object_keys
from archive.digests import digest_of
from archive.errors import IntegrityError, RecordError
from archive.formats.generation import Generation, decode_generation, decode_runs
from archive.formats.zipnum import BlockIndex, BlockRef
from archive.local_cache import Cache
from storage.base import ObjectStore
from storage.errors import ObjectMissing, StoreUnavailable

_MAX_DESCRIPTION = 64 << 20  # bytes: of a thousand million captures it has five
_ENOUGH_GROUPS = 16  # after which the rest of an idx is read at once: from then on a lookup needs no more of it
_PREFIX = object_keys.GENERATIONS_PREFIX
_AGAIN = 5  # times a list is read anew because what it named was replaced meanwhile


@dataclass(frozen=True, slots=True)
class Existing:
    """The generations that have a description, and what is wrong with those whose description is damaged."""

    sound: tuple[Generation, ...]
    damaged: dict[str, IntegrityError]
    replaced: dict[str, Generation]  # by name: the one that replaces it
    standing: tuple[Generation, ...]  # the sound ones that no other replaces


@dataclass(slots=True, eq=False)
class Generations:
    """The generations of one store, their descriptions kept at hand. Safe for several threads."""

    _store: ObjectStore
    _cache: Cache
    _read: dict[str, Generation] = field(default_factory=dict)
    _groups: dict[str, dict[int, BlockIndex]] = field(default_factory=partial(defaultdict, dict))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    # As `marked` saw them last, by run: the seconds of its note on a clock, and when it was marked.
    ahead: dict[str, int] = field(default_factory=dict)
    put: dict[str, datetime | None] = field(default_factory=dict)

    def forget(self) -> None:
        """Hold nothing that was read."""
        with self._lock:
            self._read.clear()
            self._groups.clear()

    def marked(self) -> tuple[str, ...]:
        """Return the runs that may not be in a generation yet, oldest first.

        Ask for these before `current`: a run's mark goes only once a generation that holds the run is there.
        """
        infos = list(self._store.list(object_keys.LOOSE_PREFIX))
        self.ahead = dict(parts for info in infos if (parts := object_keys.split_clock_key(info.key)))
        self.put = {info.key.removeprefix(object_keys.LOOSE_PREFIX): info.modified for info in infos}
        return tuple(sorted(filter(object_keys.is_run_id, self.put)))

    def files(self) -> dict[str, dict[str, int]]:
        """Every file of every generation, whole or not, with its size in bytes."""
        found: dict[str, dict[str, int]] = {}
        for info in self._store.list(_PREFIX):
            if parts := object_keys.split_generation_key(info.key):
                found.setdefault(parts[0], {})[parts[1]] = info.size
        return found

    def last_put(self) -> dict[str, tuple[frozenset[str], datetime | None]]:
        """Every generation, whole or not: its files, and when the last of them was put, by the store's clock."""
        found: dict[str, tuple[frozenset[str], datetime | None]] = {}
        for info in self._store.list(_PREFIX):
            if parts := object_keys.split_generation_key(info.key):
                files, last = found.get(parts[0], (frozenset[str](), info.modified))
                last = max(last, info.modified) if last and info.modified else None
                found[parts[0]] = (files | {parts[1]}, last)
        return found

    def existing(self) -> Existing:
        """All generations that have their description, replaced ones too."""
        for _ in range(_AGAIN):
            listed = [object_keys.split_generation_key(info.key) for info in self._store.list(_PREFIX)]
            names = sorted(parts[0] for parts in listed if parts and parts[1] == object_keys.GENERATION)
            sound, damaged = [], {}
            try:
                for name in names:
                    try:
                        sound.append(self._generation(name))
                    except IntegrityError as error:
                        damaged[name] = error
                replaced = {name: generation for generation in sound for name in generation.replaces}
                standing = tuple(generation for generation in sound if generation.name not in replaced)
                return Existing(tuple(sound), damaged, replaced, standing)
            except ObjectMissing:  # replaced, and removed, since the list was read
                continue
        raise StoreUnavailable(f"{_PREFIX} changes faster than it can be read; try again")

    def current(self) -> tuple[Generation, ...]:
        """Return the generations that no other replaces; raises IntegrityError when one of them is damaged."""
        existing = self.existing()
        for name, error in existing.damaged.items():
            if name not in existing.replaced:
                raise error
        return existing.standing

    def _generation(self, name: str) -> Generation:
        if name not in self._read:
            key = object_keys.generation_key(name, object_keys.GENERATION)
            kept = self._cache.get(key)
            if kept is None:
                data = self._store.get_range(key, 0, _MAX_DESCRIPTION)
                self._read[name] = decode_generation(data, name)
                self._cache.put(key, data)
            else:
                self._read[name] = decode_generation(kept, name)
        return self._read[name]

    def runs_of(self, generation: Generation) -> set[str]:
        """Return the runs whose lines a generation holds; raises ObjectMissing, IntegrityError."""
        key = generation.key(object_keys.GENERATION_RUNS)
        try:
            return decode_runs(self._checked(key, 0, generation.names[1], generation.names[0]))
        except RecordError as error:
            raise IntegrityError(f"{key}: {error}") from error

    def blocks(self, generation: Generation, start: str, end: str, *, reverse: bool = False) -> Iterator[BlockRef]:
        """Yield the blocks in which lines from `start` up to, not including, `end` may be, in order or from the last.

        Raises ObjectMissing, IntegrityError.
        """
        numbers = generation.groups_of(start, end)
        for number in reversed(numbers) if reverse else numbers:
            found = self._group(generation, number).blocks(start, end)
            yield from reversed(found) if reverse else found

    def _group(self, generation: Generation, number: int) -> BlockIndex:
        with self._lock:
            held = self._groups[generation.name]
            if number not in held:
                if len(held) == _ENOUGH_GROUPS:
                    held.update(self._whole(generation))
                else:
                    held[number] = self._one(generation, number)
            return held[number]

    def _one(self, generation: Generation, number: int) -> BlockIndex:
        group = generation.groups[number]
        key = generation.key(object_keys.GENERATION_IDX)
        place = f"{key}.{number}"
        data = self._cache.get(place)
        if data is None or digest_of(data) != group.digest:
            data = self._checked(key, group.offset, group.length, group.digest)
            self._cache.put(place, data)
        return _block_index(data, key)

    def _whole(self, generation: Generation) -> dict[int, BlockIndex]:
        key = generation.key(object_keys.GENERATION_IDX)
        digest, size = generation.idx
        data = self._cache.get(key)
        if data is None or digest_of(data) != digest:
            data = self._checked(key, 0, size, digest)
            self._cache.put(key, data)
        parts = (data[group.offset : group.offset + group.length] for group in generation.groups)
        return {number: _block_index(part, key) for number, part in enumerate(parts)}

    def _checked(self, key: str, offset: int, length: int, digest: str) -> bytes:
        data = self._store.get_range(key, offset, length)
        if digest_of(data) != digest:
            raise IntegrityError(f"{key} is not the file its {object_keys.GENERATION} names")
        return data


def _block_index(data: bytes, key: str) -> BlockIndex:
    try:
        return BlockIndex(data)
    except RecordError as error:
        raise IntegrityError(f"{key}: {error}") from error
