"""The commit protocol: a run is sealed in the spool, then put under its keys, the manifest last and only if absent.

Every step may be repeated: a sealed run never changes, so a second attempt puts the same bytes under the same keys, and
finds its own manifest when the first one did arrive. What the store holds is read back and compared before the local
copy may go, and its files are listed once more after the manifest was read: what another process removed or lost
meanwhile is put again. A store that gives back something else leaves the run in the spool. How this goes together with
garbage collection: `archive.coordination.intents`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

from archive import object_keys
from archive.access.rule_store import Notices
from archive.access.signed_redactions import replaced_by, successors
from archive.coordination.leases import committing
from archive.digests import digest_of, digest_of_file
from archive.errors import IntegrityError
from archive.formats import manifest
from archive.formats.pages_jsonl import HEADER
from archive.formats.zipnum import encode
from archive.local_cache import Cache
from archive.model import Manifest, RecordsRoot, Resource
from archive.runs.known_stores import KnownStores
from archive.runs.spool import SpooledRun
from archive.verified_put import is_held, not_as_put, put_file_verified, read_or_none
from archive.warc.record_tree import root_of_files
from storage.base import ObjectStore
from storage.errors import StoreError, StoreUnavailable

_SENDERS = 4  # objects on their way at once
_ROUNDS = 3  # times that files which disappeared are put again


class MakesManifest(Protocol):
    """Make a manifest's bytes of a run's files, and of the root over its records."""

    def __call__(self, resources: list[Resource], /, *, records: RecordsRoot | None) -> bytes: ...  # noqa: D102 - as above


def is_sealed(spooled: SpooledRun) -> bool:
    """Whether the run has its manifest, and with it every other file."""
    return spooled.path(object_keys.MANIFEST).exists()


def seal(
    spooled: SpooledRun,
    lines: list[str],
    make_manifest: MakesManifest,
    ends: Mapping[str, Sequence[int]],
) -> None:
    """Write the index, the digest file and the manifest into the spool: from here on the run never changes.

    `make_manifest` is `archive.formats.manifest.build` with all that the files do not say; `ends` says where the
    records of a WARC file end, as far as that is known.
    """
    for name, empty in ((object_keys.PAGES, HEADER), (object_keys.OUTCOMES, b"")):
        if not spooled.path(name).exists():
            spooled.write(name, empty)
    cdx, idx = encode(lines, roomy=True)
    spooled.write(object_keys.CDX, cdx)
    spooled.write(object_keys.IDX, idx)
    warcs = sorted(f"archive/{path.name}" for path in spooled.path("archive").glob("*.warc.gz"))
    names = [*warcs, object_keys.PAGES, object_keys.CDX, object_keys.IDX, object_keys.OUTCOMES]
    try:
        resources = [Resource(name, *digest_of_file(spooled.path(name))) for name in names]
        records = root_of_files((spooled.path(name), ends.get(name, ())) for name in warcs)
    except OSError as error:
        raise StoreUnavailable(f"cannot read {spooled.folder}: {error.strerror or error}") from error
    data = make_manifest(resources, records=records)
    spooled.write(object_keys.MANIFEST_DIGEST, manifest.digest_file(data))
    spooled.write(object_keys.MANIFEST, data)


def publish(
    store: ObjectStore, spooled: SpooledRun, known: KnownStores | None = None, *, read_back: bool = True
) -> Manifest:
    """Put a sealed run into one store, and see that it is there; raises StoreError when that cannot be done now.

    With `read_back` every file is read from the store and hashed before the manifest is put; the manifest always is
    read. A store that has given the whole run back is not asked again. Raises StoreChanged where the store holds
    another archive than before, RunRemoved where garbage collection holds the run's name and does not end: the run
    needs another one.
    """
    data, found = sealed(spooled)
    (known or KnownStores()).check(store)  # its disk may have gone since the run was begun
    if spooled.is_proven(store.url):
        return found
    key = object_keys.run_key(spooled.run, object_keys.MANIFEST)
    kept = read_or_none(store, key, manifest.LONGEST)
    if kept != data and kept is not None and _is_manifest(kept):
        _check_redacted(store, spooled, found, kept)
        return found
    digest_file = manifest.digest_file(data)
    files = [*found.resources, Resource(object_keys.MANIFEST_DIGEST, digest_of(digest_file), len(digest_file))]
    with ThreadPoolExecutor(_SENDERS) as pool:
        bring = partial(_bring, store, spooled, read_back=read_back, committed=found if kept == data else None)
        list(pool.map(bring, files))
    if kept != data:
        with committing(store, found):
            _put_back(store, spooled, found, files, read_back=read_back)
            # before the run exists, or readers of a generation miss it
            store.put(object_keys.loose_key(spooled.run), b"")
            if kept is None:
                store.put_if_absent(key, data)
            else:  # what is no manifest is what became of this one
                store.put(key, data)
        kept = read_or_none(store, key, manifest.LONGEST)
    if kept != data and _is_manifest(kept or b""):
        _check_redacted(store, spooled, found, kept or b"")
        return found
    if kept != data:
        raise not_as_put(store, key)
    _put_back(store, spooled, found, files, read_back=read_back)
    spooled.note_proven(store.url)
    return found


def _put_back(
    store: ObjectStore, spooled: SpooledRun, found: Manifest, files: list[Resource], *, read_back: bool
) -> None:
    """List the run's files, and put again what is missing or has another size; raises StoreUnavailable."""
    for _ in range(_ROUNDS):
        listed = {info.key: info.size for info in store.list(object_keys.run_key(found.run, ""))}
        lacking = [it for it in files if listed.get(object_keys.run_key(found.run, it.path)) != it.bytes]
        if not lacking:
            return
        for resource in lacking:
            _bring(store, spooled, resource, read_back=read_back, committed=found)
    path = lacking[0].path
    raise StoreUnavailable(f"{store.url} does not list {path} of run {found.run} as it was put: see who deletes there")


def _check_redacted(store: ObjectStore, spooled: SpooledRun, found: Manifest, kept: bytes) -> None:
    """Accept that the committed run was redacted since: its local copy may go. Raises StoreError for another run."""
    now_there = manifest.parse(kept)
    if now_there.hash not in {found.hash, *successors(found.hash, _replaced(store))}:
        raise _taken(spooled)
    spooled.note_proven(store.url)


def _replaced(store: ObjectStore) -> dict[str, str]:
    """By the hash of each manifest that a redaction of this store replaces, the hash of the one in its place."""
    statements, _ = Notices(store, Cache(None)).readable_statements(())
    return replaced_by(store, [signed.statement for signed in statements])


def _taken(spooled: SpooledRun) -> StoreError:
    return StoreError(f"another run has taken the name {spooled.run}; what was captured stays in {spooled.folder}")


def _bring(
    store: ObjectStore, spooled: SpooledRun, resource: Resource, *, read_back: bool, committed: Manifest | None
) -> None:
    """Put a file, unless the run is committed and the store holds it, and read it back."""
    key, expected = object_keys.run_key(spooled.run, resource.path), (resource.hash, resource.bytes)
    if committed is not None:
        if is_held(store, key, expected, read_back=read_back):
            return
        if committed.hash in _replaced(store):  # the file is the new one, or on its way
            raise StoreUnavailable(f"run {spooled.run} is being redacted: run `onrecord redact --finish`, then again")
    put_file_verified(store, key, spooled.path(resource.path), expected, read_back=read_back)


def _is_manifest(data: bytes) -> bool:
    try:
        manifest.parse(data)
    except IntegrityError:
        return False
    return True


def sealed(spooled: SpooledRun) -> tuple[bytes, Manifest]:
    """Return the manifest of a sealed run, its bytes first; raises StoreError where it is damaged."""
    try:
        data = spooled.path(object_keys.MANIFEST).read_bytes()
        return data, manifest.parse(data)
    except (OSError, IntegrityError) as error:
        raise StoreError(
            f"run {spooled.run} in the spool has no sound manifest ({error}): see {spooled.folder}"
        ) from error
