"""Which archive a store holds: its description `onrecord.json`, which is the same in every copy."""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Sequence

from archive import object_keys
from archive.digests import read_self_digested, self_digested
from archive.errors import FormatError, IntegrityError
from archive.formats.manifest import LAYOUT
from archive.times import iso, now
from storage.base import ObjectStore
from storage.errors import ObjectMissing, StoreMissing, StoreUnavailable


def check_not_emptied(primary: ObjectStore, replicas: Sequence[ObjectStore]) -> None:
    """Raise StoreUnavailable where a primary is empty and a replica of it is not: its disk may not be mounted."""
    if described(primary) is not None:
        return
    full = next((copy for copy in replicas if described(copy) is not None), None)
    if full is not None:
        raise StoreUnavailable(
            f"{primary.url} holds no archive and {full.url} of the same mirror does: see whether its disk is "
            f"mounted, or copy it there: " + shlex.join(["onrecord", "--store", full.url, "replicate", primary.url])
        )


def prepare(store: ObjectStore) -> None:
    """Make the store an archive unless it is one; raises StoreError, FormatError for a newer layout."""
    data = described(store)
    if data is None:
        fresh = self_digested({"layout": LAYOUT, "id": str(uuid.uuid4()), "created": iso(now())})
        if store.put_if_absent(object_keys.STORE_KEY, fresh):
            return
        data = store.get(object_keys.STORE_KEY)
    check_layout(data)


def described(store: ObjectStore) -> bytes | None:
    """Return a store's description, or None where it holds no archive; raises StoreError."""
    try:
        return store.get(object_keys.STORE_KEY)
    except (ObjectMissing, StoreMissing):
        return None


def check_layout(data: bytes) -> None:
    """Raise IntegrityError for a damaged description, FormatError for that of a newer layout."""
    try:
        layout = read_self_digested(data)["layout"]
    except (ValueError, KeyError) as error:
        raise IntegrityError(
            f"{object_keys.STORE_KEY} of the store is damaged: {error}; restore it from a copy"
        ) from error
    if layout != LAYOUT:
        raise FormatError(f"the store has layout {layout}, this program knows layout {LAYOUT}: upgrade onrecord")


def identity(store: ObjectStore) -> object:
    """Return the archive's id; raises ObjectMissing, StoreMissing, IntegrityError."""
    try:
        return read_self_digested(store.get(object_keys.STORE_KEY)).get("id")
    except ValueError as error:
        raise IntegrityError(f"{object_keys.STORE_KEY} of {store.url} is damaged: {error}") from error


def make_copy(source: ObjectStore, target: ObjectStore) -> None:
    """Make the target a copy of the source's archive unless it is; raises FormatError when it holds another."""
    data = source.get(object_keys.STORE_KEY)
    if not target.put_if_absent(object_keys.STORE_KEY, data) and identity(target) != identity(source):
        raise FormatError(f"{target.url} holds another archive; name an empty place, or a replica of this one")
