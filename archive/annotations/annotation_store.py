"""The additions of one store: each an object of its own under `annotations/`, so that any number write at once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from archive import object_keys
from archive.annotations.additions import (
    LONGEST,
    Addition,
    Subject,
    Words,
    check_removal,
    decode_addition,
    encode_addition,
    encode_removal,
)
from archive.annotations.said import Said
from archive.crypto.signed_note import PublicKey, Signer
from archive.errors import IntegrityError, NoSuchAnnotation
from archive.local_cache import Cache
from archive.times import now
from storage.base import ObjectStore
from storage.errors import ObjectMissing, StoreError, StoreMissing

_log = logging.getLogger("onrecord.archive")

_UNREADABLE = "annotations that cannot be read: %d, %s the first (%s); repair them: onrecord repair --from STORE"
MOST = 100_000  # objects of annotations in a store
_READERS = 16  # requests at once
_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Signed:
    """An addition, whether it has a signature, and those of the keys that were asked about which signed it."""

    addition: Addition
    is_signed: bool
    signers: tuple[PublicKey, ...]

    @property
    def by(self) -> str:
        """Return in words who signed it."""
        if self.signers:
            return "signed by " + ", ".join(key.name for key in self.signers)
        return "signed by an unknown key" if self.is_signed else "not signed"


@dataclass(slots=True, eq=False)
class Annotations:
    """The annotations of one store. Safe for several threads."""

    _store: ObjectStore
    _cache: Cache
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _said: Said | None = None
    _made_from: frozenset[str] = frozenset()
    _fresh: bool = False

    def refresh(self) -> None:
        """Look again at the next question."""
        self._fresh = False

    def said(self) -> Said:
        """Return what is said now; what cannot be understood is left out with a warning. Raises StoreError."""
        with self._lock:
            if not self._fresh:
                names = frozenset(_standing(self._listed()))
                if names != self._made_from or self._said is None:
                    found, faults = self._read(names, ())
                    if faults:
                        _log.warning(_UNREADABLE, len(faults), *faults[0])
                    self._said, self._made_from = Said(each.addition for each in found), names
                self._fresh = True
            assert self._said is not None, "it was just read"
            return self._said

    def additions(self, known: Iterable[PublicKey] = ()) -> tuple[list[Signed], list[tuple[str, str]]]:
        """Return the additions that were not removed, oldest first, and the key and the fault of each unreadable one.

        `known` are the keys that are asked whether they signed. Raises StoreError.
        """
        return self._read(_standing(self._listed()), tuple(known))

    def faults(self, known: Iterable[PublicKey] = ()) -> Iterator[tuple[str, str]]:
        """Yield the key of each annotation that is damaged, and what is wrong; raises StoreError."""
        keys = tuple(known)
        for name, is_removal in sorted(self._listed()):
            try:
                if is_removal:
                    check_removal(self._bytes(object_keys.annotation_removal_key(name)), name, keys)
                else:
                    decode_addition(self._bytes(object_keys.annotation_key(name)), name, keys)
            except IntegrityError as error:
                key = object_keys.annotation_removal_key(name) if is_removal else object_keys.annotation_key(name)
                yield key, str(error)

    def _listed(self) -> set[tuple[str, bool]]:
        """Return the names of all additions and removals; raises IntegrityError where there are too many."""
        found: set[tuple[str, bool]] = set()
        try:
            for info in self._store.list(object_keys.ANNOTATIONS_PREFIX):
                if parts := object_keys.split_annotation_key(info.key):
                    found.add(parts)
                if len(found) > MOST:
                    raise IntegrityError(f"the store holds more than {MOST:,} annotations")
        except StoreMissing:  # a directory that is yet to be made
            return set()
        return found

    def _read(self, names: Iterable[str], known: tuple[PublicKey, ...]) -> tuple[list[Signed], list[tuple[str, str]]]:
        found, faults = [], []
        ordered = sorted(names)
        with ThreadPoolExecutor(_READERS) as pool:
            for name, each in zip(ordered, pool.map(lambda name: self._one(name, known), ordered), strict=True):
                if isinstance(each, Signed):
                    found.append(each)
                else:
                    faults.append((object_keys.annotation_key(name), each))
        return found, faults

    def _one(self, name: str, known: tuple[PublicKey, ...]) -> Signed | str:
        """Return an addition, or what is wrong with it."""
        key = object_keys.annotation_key(name)
        try:
            data = self._bytes(key)
            addition, is_signed, signers = decode_addition(data, name, known)
        except IntegrityError as error:
            return str(error)
        self._cache.put(key, data)
        return Signed(addition, is_signed, tuple(signers))

    def _bytes(self, key: str) -> bytes:
        """Return an object's bytes, from this machine where it was read before: none ever changes."""
        kept = self._cache.get(key)
        if kept is not None:
            return kept
        try:
            data = self._store.get_range(key, 0, LONGEST + 1)
        except ObjectMissing as error:
            raise IntegrityError("it was there when the store was listed, and is not now") from error
        if len(data) > LONGEST:
            raise IntegrityError("it is larger than any that this program writes")
        return data

    # Writing

    def add(self, subject: Subject, words: Words, signer: Signer | None) -> Addition:
        """Keep what a user says; raises ValueError for what is too large, or one too many, StoreError."""
        if len(self._listed()) >= MOST:
            raise ValueError(f"the store holds all the annotations that it can, {MOST:,}")
        for _ in range(_ATTEMPTS):
            made = Addition(object_keys.new_run_id(now()), subject, words, now())
            if self._store.put_if_absent(object_keys.annotation_key(made.id), encode_addition(made, signer)):
                self.refresh()
                return made
        raise StoreError(f"no name is free for an annotation in {self._store.url}; try again")

    def add_of_run(self, run: str, words: Words, signer: Signer | None) -> None:
        """Keep what was said when a run was made, under the run's own name: done again, it changes nothing.

        Raises ValueError for what is too large, StoreError.
        """
        made = Addition(run, Subject(run=run), words, now())
        self._store.put_if_absent(object_keys.annotation_key(run), encode_addition(made, signer))
        self.refresh()

    def remove(self, name: str, why: str | None, signer: Signer | None) -> None:
        """End an addition, one that cannot be understood too; raises NoSuchAnnotation, StoreError."""
        if name not in _standing(self._listed()):
            raise NoSuchAnnotation(f"there is no annotation {name}; `onrecord annotate` lists them")
        self._store.put_if_absent(object_keys.annotation_removal_key(name), encode_removal(name, why, now(), signer))
        self.refresh()


def _standing(listed: set[tuple[str, bool]]) -> set[str]:
    """Return the names of the additions that were not removed."""
    return {name for name, is_removal in listed if not is_removal and (name, True) not in listed}


def annotation_faults(store: ObjectStore, known: Iterable[PublicKey] = ()) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a store's annotations, read anew: each key, and a line for it; raises StoreError."""
    return Annotations(store, Cache(None)).faults(known)
