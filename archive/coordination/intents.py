"""Intents: who is about to commit an uncommitted run, and who is about to remove its files, each said in the store.

A process may stop between any two calls to the store, for days, and a delete that it then sends cannot be fenced off.
There is no lock either. But each side says what it is about to do first, under a key of its own, and then looks at what
the other side says (as in Dekker's algorithm), so that of the two at least one sees the other:

- A writer puts `intents/commit/RUN/ID`, then looks for intents to remove. If there is one, it puts no manifest. Else it
  lists the run's files, puts again what is missing, puts the manifest, and withdraws its intent.
- Garbage collection puts `intents/remove/RUN/ID`, then looks for intents to commit and for the manifest. If there is
  either, it deletes nothing. It withdraws its intent once none of its deletes is under way any more.

A generation of the merged index, which exists by its description, is made and removed in the same way.

So no file is deleted of a run whose manifest is, or is about to be, in the store, however long a process sleeps. An
intent to remove that is an hour old, by the store's clock, is that of a process that sleeps or was killed: then the
writer publishes what lies in its spool under another name. Nobody ever takes an intent for void.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from archive import object_keys
from storage.base import ObjectInfo, ObjectStore
from storage.errors import StoreError, StoreUnavailable

_log = logging.getLogger("onrecord.archive")

ASLEEP = timedelta(hours=1)  # without an end, after which a removal is not waited for


class RunRemoved(StoreUnavailable):
    """Garbage collection that does not end holds the run's name: the run needs another one."""


@contextmanager
def to_commit(store: ObjectStore, run: str) -> Iterator[None]:
    """Say that a run is about to be committed, while its manifest is put.

    Raises StoreUnavailable where its files are being removed, RunRemoved where the removal does not end, StoreError.
    """
    mine = object_keys.commit_intent(run, secrets.token_hex(4))
    store.put(mine, b"")
    failure = None
    try:
        if removals := list(store.list(object_keys.remove_intent(run, ""))):
            raise _held_up(store, run, removals)
        yield
    except StoreError as error:  # the run may never be tried again: then its files are to be removed
        failure = error
    try:
        store.delete(mine)
    except StoreError as error:  # garbage collection removes it once the run is committed
        _log.info("%s stays: %s", mine, error)
    if failure is not None:
        raise failure


@contextmanager
def to_remove(store: ObjectStore, run: str, manifest: str | None = None) -> Iterator[Callable[[], bool]]:
    """Say that an uncommitted run's files are about to be removed; gives a function that says whether they may be.

    It is to be asked before each delete. `manifest` is the key by which what has that name exists, where it is no run.
    When a delete raises StoreError the intent stays, because an answer that was lost says nothing of when the delete is
    done.
    """
    manifest = manifest or object_keys.run_key(run, object_keys.MANIFEST)
    mine = object_keys.remove_intent(run, secrets.token_hex(4))
    store.put(mine, b"")

    def may_be_removed() -> bool:
        begun = next(iter(store.list(object_keys.commit_intent(run, ""))), None)
        return begun is None and store.head(manifest) is None

    yield may_be_removed
    store.delete(mine)


def _held_up(store: ObjectStore, run: str, removals: list[ObjectInfo]) -> StoreUnavailable:
    """Return the error of a run whose files are being removed: RunRemoved where that does not end."""
    present = store.now()
    if any(info.modified is not None and present - info.modified > ASLEEP for info in removals):
        return RunRemoved(
            f"garbage collection of run {run} in {store.url} began and does not end; if no `onrecord gc` runs on any "
            f"machine, delete {removals[0].key} from the store"
        )
    return StoreUnavailable(f"garbage collection is removing old files of run {run} from {store.url}: run again later")
