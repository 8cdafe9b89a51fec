"""Claims: what programs of version 0.4 look at before they commit an old run late, or clear one away.

Of two that put a claim, one has it; one that is more than a day old is taken over. That is not safe against a process
that sleeps: intents are, and decide (`archive.coordination.intents`). Claims are put beside them as long as an older
program may write to the same store.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from archive import object_keys
from archive.coordination import intents
from archive.digests import self_digested
from archive.model import Manifest
from archive.times import iso, now
from storage.base import ObjectStore
from storage.errors import StoreError, StoreUnavailable

_log = logging.getLogger("onrecord.archive")

OLD = timedelta(days=1)  # from this age on a run is committed under a claim only
_FORGOTTEN = timedelta(days=1)


@contextmanager
def claimed(store: ObjectStore, run: str) -> Iterator[bool]:
    """Whether this process has the claim to a run, which it lets go of at the end; raises StoreError."""
    mine = _claim(store, run)
    try:
        yield mine
    finally:
        if mine:
            try:
                store.delete(object_keys.claim_key(run))
            except StoreError as error:  # it is forgotten in a day
                _log.info("the claim to %s stays: %s", run, error)


def _claim(store: ObjectStore, run: str) -> bool:
    key = object_keys.claim_key(run)
    data = self_digested({"run": run, "at": iso(now())})
    if store.put_if_absent(key, data):
        return True
    held = store.head(key)
    if held is not None and (held.modified is None or now() - held.modified < _FORGOTTEN):
        return False
    store.delete(key)
    return store.put_if_absent(key, data)


@contextmanager
def committing(store: ObjectStore, found: Manifest) -> Iterator[None]:
    """Hold off others from removing a run's files while they are listed and the manifest is put.

    Raises StoreUnavailable where somebody does: to be tried again; RunRemoved as `intents.to_commit`.
    """
    with intents.to_commit(store, found.run):
        if now() - object_keys.started(found.run) < OLD:
            yield
            return
        with claimed(store, found.run) as mine:
            if not mine:
                raise StoreUnavailable(
                    f"run {found.run} is being cleared away, or brought by another process, in {store.url}: try again "
                    "later"
                )
            yield


def check_listed(store: ObjectStore, found: Manifest) -> None:
    """Raise StoreUnavailable unless the store lists every file of a run with its size."""
    listed = {info.key: info.size for info in store.list(object_keys.run_key(found.run, ""))}
    for resource in found.resources:
        if listed.get(object_keys.run_key(found.run, resource.path)) != resource.bytes:
            raise StoreUnavailable(f"{store.url} does not list {resource.path} of run {found.run} as it was put")
