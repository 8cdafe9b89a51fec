"""Tokens in a store: beside the checkpoint they are about, each under a name that holds its own hash."""

from __future__ import annotations

import hashlib
from collections import defaultdict

from archive import object_keys
from archive.crypto.rfc3161 import LIMIT
from archive.errors import IntegrityError
from storage.base import ObjectStore

_SHORT = 16  # hex digits by which an authority's address is told from another
_LONG = 32  # hex digits of a token's hash


def by_checkpoint(store: ObjectStore) -> dict[str, list[str]]:
    """Return the keys of all tokens, by the key of the checkpoint that they are about; raises StoreError."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for info in store.list(object_keys.TOKENS_PREFIX):
        found[
            object_keys.CHECKPOINTS_PREFIX + info.key.removeprefix(object_keys.TOKENS_PREFIX).partition("/")[0]
        ].append(info.key)
    return dict(found)


def authorities(store: ObjectStore, checkpoint: str) -> set[str]:
    """Whose tokens over a checkpoint there are, by `mark_of`; raises StoreError."""
    return {info.key.rpartition("/")[2].partition("-")[0] for info in store.list(object_keys.tokens_prefix(checkpoint))}


def read_token(store: ObjectStore, key: str) -> bytes:
    """Return a token; raises IntegrityError where it is not the one that was put, StoreError."""
    data = store.get_range(key, 0, LIMIT + 1)
    if key.rpartition("-")[2] != hashlib.sha256(data).hexdigest()[:_LONG]:
        raise IntegrityError("it is not the token that was put there: restore it from a copy")
    return data


def mark_of(authority: str) -> str:
    """Return what tells an authority's address from another.

    The address itself, which may hold a secret, is not kept.
    """
    return hashlib.sha256(authority.encode()).hexdigest()[:_SHORT]


def keep_token(store: ObjectStore, checkpoint: str, authority: str, data: bytes) -> str:
    """Put a token beside the checkpoint it is about; returns its key. Raises StoreError."""
    key = f"{object_keys.tokens_prefix(checkpoint)}{mark_of(authority)}-{hashlib.sha256(data).hexdigest()[:_LONG]}"
    store.put_if_absent(key, data)
    return key
