"""The commit protocol: a run is sealed in the spool, then put under its keys, the manifest last and only if absent.

Every step may be repeated: a sealed run never changes, so a second attempt puts the same bytes under the same keys, and
finds its own manifest when the first one did arrive.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from archive import keys, manifest
from archive.digests import digest_of, digest_of_stream
from archive.errors import IntegrityError
from archive.index.zipnum import encode
from archive.model import Manifest, Resource
from archive.spool import SpooledRun
from archive.text import HEADER
from storage.base import ObjectStore
from storage.errors import ObjectMissing, StoreError, StoreUnavailable

_SENDERS = 4  # objects on their way at once


def is_sealed(spooled: SpooledRun) -> bool:
    """Whether the run has its manifest, and with it every other file."""
    return spooled.path(keys.MANIFEST).exists()


def seal(spooled: SpooledRun, lines: list[str], make_manifest: Callable[[list[Resource]], bytes]) -> None:
    """Write the index, the digest file and the manifest into the spool: from here on the run never changes."""
    for name, empty in ((keys.PAGES, HEADER), (keys.OUTCOMES, b"")):
        if not spooled.path(name).exists():
            spooled.write(name, empty)
    cdx, idx = encode(lines)
    spooled.write(keys.CDX, cdx)
    spooled.write(keys.IDX, idx)
    warcs = sorted(f"archive/{path.name}" for path in spooled.path("archive").glob("*.warc.gz"))
    names = [*warcs, keys.PAGES, keys.CDX, keys.IDX, keys.OUTCOMES]
    data = make_manifest([_resource(spooled, name) for name in names])
    spooled.write(keys.MANIFEST_DIGEST, manifest.digest_file(data))
    spooled.write(keys.MANIFEST, data)


def publish(store: ObjectStore, spooled: SpooledRun) -> Manifest:
    """Put a sealed run into its store; raises StoreError when the store cannot take it now."""
    data, found = _sealed(spooled)
    key = keys.run_key(spooled.run, keys.MANIFEST)
    if store.head(key) is None:
        with ThreadPoolExecutor(_SENDERS) as pool:
            list(pool.map(lambda resource: _put(store, spooled, resource.path), found.resources))
        _put(store, spooled, keys.MANIFEST_DIGEST)
        _check_sizes(store, found)
        store.put(keys.loose_key(spooled.run), b"")  # before the run exists, or a reader of the merged index misses it
        store.put_if_absent(key, data)
    try:
        kept = store.get(key)  # an answer is not believed: the local copy goes after this
    except ObjectMissing:
        raise StoreUnavailable(f"{store.url} does not give {key} back as it was put; try again") from None
    if digest_of(kept) != found.hash:
        raise StoreError(f"another run has taken the name {spooled.run}; what was captured stays in {spooled.folder}")
    return found


def _sealed(spooled: SpooledRun) -> tuple[bytes, Manifest]:
    try:
        data = spooled.path(keys.MANIFEST).read_bytes()
        return data, manifest.parse(data)
    except (OSError, IntegrityError) as error:
        raise StoreError(
            f"run {spooled.run} in the spool has no sound manifest ({error}): see {spooled.folder}"
        ) from error


def _put(store: ObjectStore, spooled: SpooledRun, name: str) -> None:
    store.put_file(keys.run_key(spooled.run, name), spooled.path(name))


def _check_sizes(store: ObjectStore, found: Manifest) -> None:
    """See the files where they were put before the run is declared to exist."""
    listed = {info.key: info.size for info in store.list(keys.run_key(found.run, ""))}
    for resource in found.resources:
        if listed.get(keys.run_key(found.run, resource.path)) != resource.bytes:
            raise StoreUnavailable(
                f"the store does not list {resource.path} of run {found.run} as it was put; "
                "the run waits in the spool for the next invocation"
            )


def _resource(spooled: SpooledRun, name: str) -> Resource:
    path = spooled.path(name)
    try:
        with path.open("rb") as file:
            digest, size = digest_of_stream(iter(lambda: file.read(1 << 20), b""))
    except OSError as error:
        raise StoreUnavailable(f"cannot read {path}: {error.strerror or error}") from error
    return Resource(name, digest, size)
