"""Verification of the merged index, which is a cache of the runs: what is damaged in it is no loss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archive import object_keys
from archive.errors import IntegrityError
from archive.formats.generation import Generation
from archive.index.merged_index import Generations
from archive.local_cache import Cache
from archive.verify.run_check import Files, Finding, committed_in, file_of
from storage.base import ObjectStore
from storage.errors import ObjectMissing

_MADE_AGAIN = "make it again with: onrecord compact --rebuild"


def verify_generations(store: ObjectStore, files: Files, *, whole: bool = True) -> Iterator[Finding]:
    """Yield a finding for each generation of the merged index that is read, and for each run that it hides.

    A damaged generation is no loss. `files` was listed before: a run of it is marked as loose, or in a generation, now.
    Without `whole` no more is seen of a generation's lines than how many bytes there are.
    """
    generations = Generations(store, Cache(None))  # as they are in the store, not as they were
    marked = generations.marked()  # before the generations, as a reader does
    existing = generations.existing()
    for name, error in existing.damaged.items():
        if name not in existing.replaced:
            yield Finding(object_keys.GENERATIONS_PREFIX + name, faults=(f"{error}; {_MADE_AGAIN}",), committed=False)
    for generation in existing.standing:
        faults = []
        size = 0
        for file, expected in generation.files.items():
            found = file_of(store, generation.key(file), expected, whole=whole or file != object_keys.GENERATION_CDX)
            size += found[1]
            if found != expected:
                faults.append(f"{file} is not the file that {object_keys.GENERATION} names; {_MADE_AGAIN}")
        yield Finding(
            object_keys.GENERATIONS_PREFIX + generation.name, size, 0, tuple(faults), committed=False, read=whole
        )
    if existing.standing and not existing.damaged:
        yield from _hidden(generations, existing.standing, set(committed_in(files)), marked)


def _hidden(
    generations: Generations, standing: Iterable[Generation], committed: set[str], marked: Iterable[str]
) -> Iterator[Finding]:
    """Yield runs that no lookup asks: neither in a generation nor marked as loose."""
    try:
        held = {run for generation in standing for run in generations.runs_of(generation)}
    except (IntegrityError, ObjectMissing):  # told already
        return
    for run in sorted(committed.difference(held, marked)):
        fault = "no lookup finds what it holds: it is neither in the merged index nor marked; run `onrecord compact`"
        yield Finding(run, faults=(fault,), committed=False, read=False)
