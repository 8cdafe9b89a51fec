"""What compaction leaves behind goes: marks of runs that a generation holds, and generations that were replaced."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from archive import object_keys
from archive.coordination.intents import to_remove
from archive.formats.generation import Generation
from archive.index.catalog import Catalog
from archive.index.merged_index import Generations
from storage.base import ObjectStore

_GRACE = timedelta(hours=1)  # how long a generation stays for its readers once it is replaced
UNFINISHED = timedelta(days=2)  # after which nobody is still writing one


def tidy(store: ObjectStore, catalog: Catalog, committed: frozenset[str]) -> None:
    """Remove marks where a generation holds the run, and what was replaced or never finished once it is old enough."""
    generations = catalog.generations
    existing = generations.existing()
    covered = {run for generation in existing.standing for run in generations.runs_of(generation)}
    marked = set(generations.marked())
    for run in committed - covered - marked:  # of a writer that knew no marks
        store.put(object_keys.loose_key(run), b"")
    for run in marked & covered:
        store.delete(object_keys.loose_key(run))
    _clear(store, generations, existing.replaced)


def _clear(store: ObjectStore, generations: Generations, replaced: Mapping[str, Generation]) -> None:
    """Delete generations that were replaced, or never finished, long ago by the store's own clock."""
    put = generations.last_put()
    doubtful = [name for name, (files, _) in put.items() if name in replaced or object_keys.GENERATION not in files]
    if not doubtful:
        return
    present = store.now()

    def age(name: str) -> timedelta:
        last = put[name][1] if name in put else None
        return present - last if last else timedelta()

    for name in doubtful:
        if name in replaced:
            if age(replaced[name].name) > _GRACE:
                # Its description goes first: it exists no more from then on.
                for file in sorted(put[name][0], key=lambda file: file != object_keys.GENERATION):
                    store.delete(object_keys.generation_key(name, file))
        elif age(name) > UNFINISHED:
            with to_remove(store, name, object_keys.generation_key(name, object_keys.GENERATION)) as may_be_removed:
                for file in sorted(put[name][0]):
                    if may_be_removed():
                        store.delete(object_keys.generation_key(name, file))
