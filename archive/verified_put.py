"""The one way to put what must not be lost: it is read back and compared, and only then is it there."""

from __future__ import annotations

from pathlib import Path

from archive.digests import digest_of_stream
from storage.base import ObjectStore
from storage.errors import ObjectMissing, StoreUnavailable


def put_verified(store: ObjectStore, key: str, data: bytes) -> None:
    """Put bytes and read them back; raises StoreUnavailable where the store gives back others, StoreError."""
    store.put(key, data)
    if read_or_none(store, key, len(data) + 1) != data:
        raise not_as_put(store, key)


def put_file_verified(
    store: ObjectStore, key: str, path: Path, expected: tuple[str, int], *, read_back: bool = True
) -> None:
    """Put a file and hash what the store gives back; `expected` is the file's digest and its size in bytes.

    Without `read_back` only its size is asked. Raises StoreUnavailable where the store holds another one, StoreError.
    """
    store.put_file(key, path)
    if not is_held(store, key, expected, read_back=read_back):
        raise not_as_put(store, key)


def is_held(store: ObjectStore, key: str, expected: tuple[str, int], *, read_back: bool = True) -> bool:
    """Return whether a store holds the object that is expected, read whole with `read_back`; raises StoreError."""
    try:
        if read_back:
            return digest_of_stream(store.stream(key)) == expected
        info = store.head(key)
    except ObjectMissing:
        return False
    return info is not None and info.size == expected[1]


def read_or_none(store: ObjectStore, key: str, limit: int) -> bytes | None:
    """Return up to `limit` bytes of an object, None where there is no such object; raises StoreError."""
    try:
        return store.get_range(key, 0, limit)
    except ObjectMissing:
        return None


def not_as_put(store: ObjectStore, key: str) -> StoreUnavailable:
    """Return the error of a store that holds something else than what was put."""
    return StoreUnavailable(f"{store.url} does not give {key} back as it was put: look after that store, and try again")
