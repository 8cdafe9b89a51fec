"""Manifests of runs that two stores hold: read, put into a copy, and distinguished where they differ."""

from __future__ import annotations

from collections.abc import Sequence

from archive import object_keys
from archive.access.signed_redactions import Excused
from archive.coordination.leases import check_listed, committing
from archive.errors import IntegrityError
from archive.formats import manifest
from archive.model import Manifest
from archive.verified_put import put_verified, read_or_none
from archive.verify.run_check import Files
from storage.base import ObjectStore


def put_manifest(store: ObjectStore, data: bytes, found: Manifest) -> None:
    """Make a run exist whose files are there, or give it back its manifest; raises StoreError."""
    run = found.run
    digest_key, key = (
        object_keys.run_key(run, object_keys.MANIFEST_DIGEST),
        object_keys.run_key(run, object_keys.MANIFEST),
    )
    if read_small(store, digest_key) != manifest.digest_file(data):
        store.put(digest_key, manifest.digest_file(data))
    if read_small(store, key) == data:
        return
    with committing(store, found):
        check_listed(store, found)
        store.put(object_keys.loose_key(run), b"")  # before the run exists, or a reader of the merged index misses it
        put_verified(store, key, data)
    check_listed(store, found)


def replace_manifest(store: ObjectStore, data: bytes, run: str) -> None:
    """Put another manifest in the place of a committed run's; raises StoreError.

    No claim is needed: nobody clears a committed run away, and who was killed here must not keep others from finishing.
    """
    key = object_keys.run_key(run, object_keys.MANIFEST)
    store.put(object_keys.run_key(run, object_keys.MANIFEST_DIGEST), manifest.digest_file(data))
    store.put(object_keys.loose_key(run), b"")  # what the merged index says of it is of before
    put_verified(store, key, data)


def read_small(store: ObjectStore, key: str) -> bytes | None:
    """Return an object that is small, None if it is missing; raises StoreError."""
    return read_or_none(store, key, manifest.LONGEST)


def same_manifest(one: ObjectStore, other: ObjectStore, run: str) -> bool:
    """Whether two stores hold the very same manifest of a run; raises StoreError."""
    data = read_small(one, object_keys.run_key(run, object_keys.MANIFEST))
    return data is not None and data == read_small(other, object_keys.run_key(run, object_keys.MANIFEST))


def manifest_of(stores: Sequence[ObjectStore], run: str) -> tuple[bytes, Manifest | None]:
    """Return a run's manifest and its bytes, of the first of an archive's stores that has it sound.

    None when it is missing, damaged or another run's.
    """
    first = b""
    for store in stores:
        data = read_small(store, object_keys.run_key(run, object_keys.MANIFEST)) or b""
        first = first or data
        try:
            found = manifest.parse(data)
        except IntegrityError:
            continue
        if found.run == run:
            return data, found
    return first, None


def named_in(stores: Sequence[ObjectStore], files: Files) -> set[str]:
    """Return the hashes that the sound manifests of an archive's stores name as their parents."""
    found = (manifest_of(stores, run)[1] for run, paths in files.items() if object_keys.MANIFEST in paths)
    return {parent for entry in found if entry is not None for parent in entry.parents}


def true_manifest(
    run: str, target: ObjectStore, sources: Sequence[ObjectStore], named: set[str], said: Excused
) -> tuple[bytes, Manifest] | str:
    """Return the manifest that a run is mended by, or why none can be chosen.

    Of two that differ, a later run's word decides, else the digest file beside each; one that was redacted since is
    never chosen.
    """
    current = set(said.replaced.values())
    candidates = []
    redacted = False
    for stores in ((target,), sources):
        data, found = manifest_of(stores, run)
        if found is not None and found.hash in said.replaced:
            redacted = True  # it is not brought back
        elif found is not None:
            vouched = read_small(
                stores[0], object_keys.run_key(run, object_keys.MANIFEST_DIGEST)
            ) == manifest.digest_file(data)
            candidates.append((found.hash in named or found.hash in current, vouched, data, found))
    if not candidates and redacted:
        return "it was redacted, and neither store holds it as it is since; finish with: onrecord redact --finish"
    if not candidates:
        return f"neither store holds a sound {object_keys.MANIFEST}; try another copy with --from"
    best = max(candidates, key=lambda candidate: candidate[:2])
    rivals = {data for *rank, data, _ in candidates if tuple(rank) == best[:2]}
    if len(rivals) > 1:
        return f"the stores hold two different runs of that name, and nothing tells which one is true; see {target.url}"
    return best[2], best[3]
