"""Redactions on their way: files that lie aside until a statement is carried out."""

from __future__ import annotations

from archive import object_keys
from storage.base import ObjectStore


def unfinished(store: ObjectStore) -> dict[str, list[tuple[str, str]]]:
    """Return the redactions whose files lie aside, oldest first, with the run and path of each; raises StoreError."""
    found: dict[str, list[tuple[str, str]]] = {}
    for info in store.list(object_keys.REDACTING_PREFIX):
        if parts := object_keys.split_redacting_key(info.key):
            found.setdefault(parts[0], []).append(parts[1:])
    return found
