"""The commit protocol: a run is sealed in the spool, then put under its keys, the manifest last and only if absent.

Every step may be repeated: a sealed run never changes, so a second attempt puts the same bytes under the same keys, and
finds its own manifest when the first one did arrive. What the store holds is read back and compared before the local
copy may go; a store that gives back something else leaves the run in the spool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from archive import object_keys
from archive.access.replicate_rules import carry_notices
from archive.digests import digest_of, digest_of_stream
from archive.errors import ArchiveError, IntegrityError
from archive.formats import manifest
from archive.formats.pages_jsonl import HEADER
from archive.formats.zipnum import encode
from archive.model import Manifest, RecordsRoot, Resource
from archive.runs.leases import committing
from archive.runs.spool import SpooledRun
from archive.runs.store_identity import make_copy, prepare
from archive.warc.record_tree import root_of_files
from storage.base import ObjectStore
from storage.errors import ObjectMissing, StoreError, StoreUnavailable
from storage.mirror import members

_SENDERS = 4  # objects on their way at once
_MAX_MANIFEST = 16 << 20  # bytes


def is_sealed(spooled: SpooledRun) -> bool:
    """Whether the run has its manifest, and with it every other file."""
    return spooled.path(object_keys.MANIFEST).exists()


def seal(
    spooled: SpooledRun,
    lines: list[str],
    make_manifest: Callable[[list[Resource], RecordsRoot | None], bytes],
    ends: Mapping[str, Sequence[int]],
) -> None:
    """Write the index, the digest file and the manifest into the spool: from here on the run never changes.

    `ends` says where the records of a WARC file end, as far as that is known.
    """
    for name, empty in ((object_keys.PAGES, HEADER), (object_keys.OUTCOMES, b"")):
        if not spooled.path(name).exists():
            spooled.write(name, empty)
    cdx, idx = encode(lines)
    spooled.write(object_keys.CDX, cdx)
    spooled.write(object_keys.IDX, idx)
    warcs = sorted(f"archive/{path.name}" for path in spooled.path("archive").glob("*.warc.gz"))
    names = [*warcs, object_keys.PAGES, object_keys.CDX, object_keys.IDX, object_keys.OUTCOMES]
    data = make_manifest([_resource(spooled, name) for name in names], _records(spooled, warcs, ends))
    spooled.write(object_keys.MANIFEST_DIGEST, manifest.digest_file(data))
    spooled.write(object_keys.MANIFEST, data)


def _records(spooled: SpooledRun, warcs: list[str], ends: Mapping[str, Sequence[int]]) -> RecordsRoot | None:
    try:
        return root_of_files((spooled.path(name), ends.get(name, ())) for name in warcs)
    except OSError as error:
        raise StoreUnavailable(f"cannot read {spooled.folder}: {error.strerror or error}") from error


def publish(store: ObjectStore, spooled: SpooledRun, *, read_back: bool = True) -> Manifest:
    """Put a sealed run into its store, and see that it is there; raises StoreError when that cannot be done now.

    With `read_back` every file is read from the store and hashed before the manifest is put; the manifest always is
    read. In a mirror the run exists once the first member has it, and is published once all of them have.
    """
    data, found = _sealed(spooled)
    first, *copies = members(store)
    if copies:
        prepare(store)
    _publish(first, spooled, found, data, read_back=read_back)
    if copies and _read(first, object_keys.run_key(spooled.run, object_keys.MANIFEST)) != data:
        raise StoreError(  # what was taken out of it there is not brought to the others from here
            f"run {found.run} is another one in {first.url} since it was put there: if `onrecord verify` says that it "
            f"was redacted, bring it to the others with onrecord replicate, and remove {spooled.folder}"
        )
    lacking = []
    for copy in copies:
        try:
            make_copy(first, copy)
            carry_notices(first, copy)  # a copy that lacked them would show what is not to be shown
            _publish(copy, spooled, found, data, read_back=read_back)
        except (StoreError, ArchiveError) as error:
            lacking.append(f"{copy.url} ({error})")
    if lacking:
        raise StoreUnavailable(f"run {found.run} is in {first.url} and not yet in {'; '.join(lacking)}")
    return found


def _publish(store: ObjectStore, spooled: SpooledRun, found: Manifest, data: bytes, *, read_back: bool) -> None:
    if spooled.is_proven(store.url):
        return
    key = object_keys.run_key(spooled.run, object_keys.MANIFEST)
    kept = _read(store, key)
    if kept != data and kept is not None and _is_manifest(kept):
        raise _taken(spooled)
    with ThreadPoolExecutor(_SENDERS) as pool:
        bring = partial(_bring, store, spooled, read_back=read_back, there=kept is not None)
        list(pool.map(bring, _files(found, data)))
    if kept != data:
        with committing(store, found):
            store.put(
                object_keys.loose_key(spooled.run), b""
            )  # before the run exists, or readers of a generation miss it
            if kept is None:
                store.put_if_absent(key, data)
            else:  # what is no manifest is what became of this one
                store.put(key, data)
        kept = _read(store, key)
    if kept != data:
        raise _taken(spooled) if _is_manifest(kept or b"") else _not_as_put(store, key)
    spooled.note_proven(store.url)


def _read(store: ObjectStore, key: str) -> bytes | None:
    try:
        return store.get_range(key, 0, _MAX_MANIFEST)
    except ObjectMissing:
        return None


def _taken(spooled: SpooledRun) -> StoreError:
    return StoreError(f"another run has taken the name {spooled.run}; what was captured stays in {spooled.folder}")


def _files(found: Manifest, data: bytes) -> list[Resource]:
    digest_file = manifest.digest_file(data)
    return [*found.resources, Resource(object_keys.MANIFEST_DIGEST, digest_of(digest_file), len(digest_file))]


def _bring(store: ObjectStore, spooled: SpooledRun, resource: Resource, *, read_back: bool, there: bool) -> None:
    """Put a file, unless the run exists in the store and holds it, and read it back."""
    key = object_keys.run_key(spooled.run, resource.path)
    if there and _is_held(store, key, resource, read_back=read_back):
        return
    store.put_file(key, spooled.path(resource.path))
    if not _is_held(store, key, resource, read_back=read_back):
        raise _not_as_put(store, key)


def _is_held(store: ObjectStore, key: str, resource: Resource, *, read_back: bool) -> bool:
    try:
        if read_back:
            return digest_of_stream(store.stream(key)) == (resource.hash, resource.bytes)
        info = store.head(key)
    except ObjectMissing:
        return False
    return info is not None and info.size == resource.bytes


def _not_as_put(store: ObjectStore, key: str) -> StoreError:
    return StoreUnavailable(f"{store.url} does not give {key} back as it was put: look after that store")


def _is_manifest(data: bytes) -> bool:
    try:
        manifest.parse(data)
    except IntegrityError:
        return False
    return True


def _sealed(spooled: SpooledRun) -> tuple[bytes, Manifest]:
    try:
        data = spooled.path(object_keys.MANIFEST).read_bytes()
        return data, manifest.parse(data)
    except (OSError, IntegrityError) as error:
        raise StoreError(
            f"run {spooled.run} in the spool has no sound manifest ({error}): see {spooled.folder}"
        ) from error


def _resource(spooled: SpooledRun, name: str) -> Resource:
    path = spooled.path(name)
    try:
        with path.open("rb") as file:
            digest, size = digest_of_stream(iter(lambda: file.read(1 << 20), b""))
    except OSError as error:
        raise StoreUnavailable(f"cannot read {path}: {error.strerror or error}") from error
    return Resource(name, digest, size)
