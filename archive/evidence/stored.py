"""Tokens in a store: beside the checkpoint they are about, each under a name that holds its own hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from archive import keys
from archive.errors import IntegrityError
from archive.evidence.token import LIMIT
from storage.base import ObjectStore

_SHORT = 16  # hex digits by which an authority's address is told from another
_LONG = 32  # hex digits of a token's hash


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token and the key that it lies under."""

    key: str
    data: bytes

    @property
    def authority(self) -> str:
        """What tells the address that was asked from another, which is not kept itself."""
        return self.key.rpartition("/")[2].partition("-")[0]

    def intact(self) -> bytes:
        """The token; raises IntegrityError where it is not the one that was put."""
        if self.key.rpartition("-")[2] != hashlib.sha256(self.data).hexdigest()[:_LONG]:
            raise IntegrityError("it is not the token that was put there: restore it from a copy")
        return self.data


def tokens(store: ObjectStore, checkpoint: str) -> Iterator[StoredToken]:
    """The tokens over a checkpoint, by its key; raises StoreError."""
    for info in store.list(keys.tokens_prefix(checkpoint)):
        yield StoredToken(info.key, store.get_range(info.key, 0, LIMIT + 1))


def mark_of(authority: str) -> str:
    """What tells an authority's address from another."""
    return hashlib.sha256(authority.encode()).hexdigest()[:_SHORT]


def keep_token(store: ObjectStore, checkpoint: str, authority: str, data: bytes) -> str:
    """Put a token beside the checkpoint it is about; returns its key. Raises StoreError."""
    key = f"{keys.tokens_prefix(checkpoint)}{mark_of(authority)}-{hashlib.sha256(data).hexdigest()[:_LONG]}"
    store.put_if_absent(key, data)
    return key
