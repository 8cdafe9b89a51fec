"""What is signed of an archive, brought to its copies: it cannot be made again from the runs."""

from __future__ import annotations

from collections.abc import Iterator

from archive import object_keys
from archive.digests import digest_of_stream
from archive.verified_put import put_verified
from archive.verify.evidence_check import evidence_faults
from storage.base import ObjectStore
from storage.errors import ObjectMissing

_MOST = 64 << 20  # bytes of an object


def copy_evidence(source: ObjectStore, target: ObjectStore, *, repair: bool = False) -> tuple[int, int, list[str]]:
    """Put what the target lacks; returns how many objects, their bytes, and a line for each that differs.

    With `repair`, what differs is replaced where the source's evidence holds and the target's does not. Raises
    StoreError.
    """
    there = {info.key: info.size for info in target.list(object_keys.EVIDENCE_PREFIX)}
    different = [key for key, size in _listed(source) if key in there and not _same(source, target, key, size)]
    is_repaired = repair and bool(different) and not evidence_faults(source) and bool(evidence_faults(target))
    wanted = [key for key, _ in _listed(source) if key not in there or (is_repaired and key in different)]
    size = 0
    for key in wanted:
        data = source.get_range(key, 0, _MOST)
        put_verified(target, key, data)
        size += len(data)
    told = "is another one in each store; `onrecord verify` at both tells which is true"
    return len(wanted), size, [] if is_repaired else [f"{key} {told}" for key in different]


def _listed(store: ObjectStore) -> Iterator[tuple[str, int]]:
    return ((info.key, info.size) for info in store.list(object_keys.EVIDENCE_PREFIX))


def _same(source: ObjectStore, target: ObjectStore, key: str, size: int) -> bool:
    try:
        theirs = digest_of_stream(target.stream(key))
        return theirs[1] == size and digest_of_stream(source.stream(key)) == theirs
    except ObjectMissing:
        return False
