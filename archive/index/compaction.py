"""Merging: the lines of runs and of smaller generations become one new generation.

Nobody is asked and nobody waits. A generation is put whole, its description last; what it replaces stays an hour for
those who read it. Two writers that merge at once make two generations that overlap: a line that is in both is one line,
and the next merging joins them. A run is never lost from sight: it is listed among all runs here, marked as loose
before it exists, and the mark goes only when a generation that holds it is there.
"""

from __future__ import annotations

import gzip
import heapq
import logging
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from archive import object_keys
from archive.access.rule_store import epoch_of
from archive.coordination.clock import note_put
from archive.coordination.intents import to_commit
from archive.digests import digest_of_stream
from archive.errors import ArchiveError, IntegrityError
from archive.formats.cdxj import LAST_KEY, home_of, merged_line, parse_line
from archive.formats.generation import Generation, encode_generation, encode_runs, groups_of_idx
from archive.formats.zipnum import BlockRef, decode_block, write
from archive.index.catalog import Catalog
from archive.index.cleanup import UNFINISHED, tidy
from archive.index.merged_index import Existing
from archive.times import now
from storage.base import ObjectStore
from storage.errors import ObjectMissing, StoreUnavailable
from storage.private import private_folder

_log = logging.getLogger("onrecord.archive")

_FACTOR = 4  # a generation is merged with what is newer once that is at least this part of its size
_WORK = "merging-"
_READ = 1 << 20  # bytes of blocks read at once
_AT_ONCE = 256  # indexes read side by side


@dataclass(frozen=True, slots=True)
class Merged:
    """What merging did: the new generation if one was made, and how many generations and runs went into it."""

    generation: Generation | None
    generations: int = 0
    runs: int = 0
    left_out: tuple[str, ...] = ()  # runs whose index is damaged: they are asked by themselves


@dataclass(frozen=True, slots=True)
class _Held:
    """A generation that may go into a new one, and the runs whose lines it holds."""

    generation: Generation
    runs: frozenset[str]


class _Damaged(Exception):
    """A run whose index cannot be read to its last line."""


def merge(store: ObjectStore, catalog: Catalog, folder: Path, *, whole: bool = False, rebuild: bool = False) -> Merged:
    """Bring every run into the merged index, and join generations of like size; with `whole`, all of them into one.

    With `rebuild` the generations that exist are not read: everything is made again from the runs. `folder` is where
    the new files are written first. Raises StoreError; a run whose index is damaged is left out, with a warning.
    """
    epoch = epoch_of(store)  # before anything is read
    existing = catalog.generations.existing()  # before the runs are listed: what these hold is among those, then
    put = catalog.committed()
    committed = frozenset(put)
    held = [] if rebuild else _usable(catalog, existing, committed)
    loose = sorted(committed.difference(*(entry.runs for entry in held)))
    for found in catalog.manifests(loose):
        note_put(store, found, put[found.run])
    chosen = held if whole else _of_like_size(held, sum(_index_size(catalog, run) for run in loose))
    merged = Merged(None)
    if loose or len(chosen) > 1:
        untouched = {entry.generation.name for entry in held if entry not in chosen}
        replaces = {generation.name for generation in existing.sound}.union(existing.damaged) - untouched
        try:
            merged = _Merging(store, catalog, chosen, loose, replaces, epoch).merge(folder)
        except IntegrityError as error:
            if not held:
                raise
            _log.warning("%s; the merged index is made again from the runs", error)
            return merge(store, catalog, folder, rebuild=True)
    tidy(store, catalog, committed)
    return merged


def _usable(catalog: Catalog, existing: Existing, committed: frozenset[str]) -> list[_Held]:
    """Return the generations that may be built on: those that can be read and hold no run that is gone."""
    found = []
    for generation in existing.standing:
        try:
            runs = frozenset(catalog.generations.runs_of(generation))
            for _ in catalog.generations.blocks(generation, "", LAST_KEY):
                pass
        except (IntegrityError, ObjectMissing) as error:
            _log.warning("%s; what it holds is merged again from the runs", error)
            continue
        if runs <= committed:
            found.append(_Held(generation, runs))
    return found


def _of_like_size(held: list[_Held], size: int) -> list[_Held]:
    """Return the smallest generations, while each is not much larger than those it joins, and what overlaps."""
    chosen: list[_Held] = []
    for entry in sorted(held, key=lambda entry: entry.generation.cdx[1]):
        overlaps = any(entry.runs & other.runs for other in held if other is not entry)
        if overlaps or (size and entry.generation.cdx[1] <= _FACTOR * size):
            chosen.append(entry)
            size += entry.generation.cdx[1]
    return chosen


def _index_size(catalog: Catalog, run: str) -> int:
    try:
        return catalog.manifest(run).resource(object_keys.CDX).bytes
    except (ArchiveError, ObjectMissing, KeyError):
        return 0


class _Merging:
    """One new generation on its way."""

    def __init__(
        self,
        store: ObjectStore,
        catalog: Catalog,
        chosen: list[_Held],
        loose: list[str],
        replaces: set[str],
        epoch: str,
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._chosen = chosen
        self._loose = loose
        self._replaces = replaces
        self._lines = 0
        self._epoch = epoch

    def merge(self, folder: Path) -> Merged:
        """Write, put and describe it; raises StoreError."""
        damaged: list[str] = []
        while self._loose or self._chosen:
            try:
                _make_folder(folder)
                with TemporaryDirectory(dir=folder, prefix=_WORK) as work:
                    generation = self._put(object_keys.new_run_id(now()), Path(work))
            except _Damaged as error:
                (run,) = error.args
                _log.warning("the index of run %s is left out: %s; run `onrecord verify --deep`", run, error.__cause__)
                # No generation holds it: readers must find it by its mark.
                self._store.put(object_keys.loose_key(run), b"")
                self._loose.remove(run)
                damaged.append(run)
                continue
            except OSError as error:
                raise StoreUnavailable(f"the index cannot be merged in {folder}: {error.strerror or error}") from error
            with to_commit(self._store, generation.name):
                self._check_standing(generation)
                self._store.put_if_absent(generation.key(object_keys.GENERATION), encode_generation(generation))
            try:
                self._check_standing(generation)
            except StoreUnavailable:
                for file in (object_keys.GENERATION, *generation.files):  # it exists no more from the first on
                    self._store.delete(generation.key(file))
                raise
            return Merged(generation, len(self._chosen), len(self._loose), tuple(damaged))
        return Merged(None, left_out=tuple(damaged))

    def _put(self, name: str, work: Path) -> Generation:
        self._lines = 0
        runs = set(self._loose).union(*(entry.runs for entry in self._chosen))
        with (work / object_keys.GENERATION_CDX).open("wb") as cdx:
            idx = write(self._counted(_joined(_spilled(self._sources(), work))), cdx)
        (work / object_keys.GENERATION_IDX).write_bytes(idx)
        (work / object_keys.GENERATION_RUNS).write_bytes(encode_runs(runs))
        heads, parents = self._chain()
        return Generation(
            name=name,
            lines=self._lines,
            runs=len(runs),
            cdx=self._file(name, work / object_keys.GENERATION_CDX),
            idx=self._file(name, work / object_keys.GENERATION_IDX),
            names=self._file(name, work / object_keys.GENERATION_RUNS),
            groups=groups_of_idx(idx),
            heads=heads,
            parents=parents,
            replaces=tuple(sorted(self._replaces)),
        )

    def _check_standing(self, generation: Generation) -> None:
        """Raise StoreUnavailable where a redaction came between, which removes every index: titles stand in them."""
        prefix = generation.key("")
        listed = {info.key.removeprefix(prefix): info.size for info in self._store.list(prefix)}
        if any(listed.get(path) != size for path, (_, size) in generation.files.items()):
            raise StoreUnavailable(f"files of the new index were removed from {self._store.url} meanwhile: run again")
        if epoch_of(self._store) != self._epoch:
            raise StoreUnavailable(f"runs of {self._store.url} were redacted while the index was made: run again")

    def _sources(self) -> list[Iterator[bytes]]:
        old = [_lines_of_generation(self._store, self._catalog, entry.generation) for entry in self._chosen]
        return old + [_lines_of_run(self._store, self._catalog, run) for run in self._loose]

    def _counted(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        for line in lines:
            self._lines += 1
            yield line

    def _file(self, name: str, path: Path) -> tuple[str, int]:
        self._store.put_file(object_keys.generation_key(name, path.name), path)
        with path.open("rb") as file:
            return digest_of_stream(iter(partial(file.read, 1 << 20), b""))

    def _chain(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the manifests of the runs that none of them names as its parent, and the parents they name besides."""
        manifests = self._catalog.manifests(self._loose)
        hashes = {found.hash for found in manifests}
        named = {parent for found in manifests for parent in found.parents}
        # A generation's own inner parents are forgotten: they are no heads, and are named by nothing from outside.
        hashes.update(head for entry in self._chosen for head in entry.generation.heads)
        named.update(parent for entry in self._chosen for parent in entry.generation.parents)
        return tuple(sorted(hashes - named)), tuple(sorted(named - hashes))


def _make_folder(folder: Path) -> None:
    private_folder(folder)
    for left in folder.glob(f"{_WORK}*"):
        if datetime.now(UTC).timestamp() - left.stat().st_mtime > UNFINISHED.total_seconds():
            shutil.rmtree(left, ignore_errors=True)  # of a merging that was killed


def _spilled(sources: list[Iterator[bytes]], work: Path) -> list[Iterator[bytes]]:
    """No more sources than may be read at once: the rest is merged into files first."""
    while len(sources) > _AT_ONCE:
        path = work / f"part-{len(list(work.iterdir())):05d}.gz"
        with gzip.open(path, "wb", compresslevel=1) as file:
            file.writelines(line + b"\n" for line in heapq.merge(*sources[:_AT_ONCE], key=_place))
        sources = [*sources[_AT_ONCE:], _lines_of_file(path)]
    return sources


def _lines_of_file(path: Path) -> Iterator[bytes]:
    with gzip.open(path, "rb") as file:
        for line in file:
            yield line[:-1]


def _joined(sources: list[Iterator[bytes]]) -> Iterator[bytes]:
    """All lines by key, time, then the run whose index has them; what two sources have is one line."""
    for _, lines in groupby(heapq.merge(*sources, key=_place), key=_place):
        same = set(lines)
        yield from sorted(same, key=_order) if len(same) > 1 else same


def _place(line: bytes) -> bytes:
    """Return the key and timestamp of a line."""
    return line[: line.index(b" ") + 15]


def _order(line: bytes) -> tuple[str, bytes]:
    return home_of(parse_line(line.decode())), line


def _lines_of_run(store: ObjectStore, catalog: Catalog, run: str) -> Iterator[bytes]:
    try:
        for line in _lines(store, object_keys.run_key(run, object_keys.CDX), iter(catalog.block_index(run))):
            yield merged_line(line, run).encode("utf-8", "replace")
    except (IntegrityError, ObjectMissing) as error:
        raise _Damaged(run) from error


def _lines_of_generation(store: ObjectStore, catalog: Catalog, generation: Generation) -> Iterator[bytes]:
    blocks = catalog.generations.blocks(generation, "", LAST_KEY)
    return (line.encode() for line in _lines(store, generation.key(object_keys.GENERATION_CDX), blocks))


def _lines(store: ObjectStore, key: str, blocks: Iterator[BlockRef]) -> Iterator[str]:
    """Yield the lines of an index, its blocks read several at a time; raises RecordError, ObjectMissing."""
    group: list[BlockRef] = []
    for ref in blocks:
        if group and ref.offset + ref.length - group[0].offset > _READ:
            yield from _lines_at(store, key, group)
            group = []
        group.append(ref)
    if group:
        yield from _lines_at(store, key, group)


def _lines_at(store: ObjectStore, key: str, group: list[BlockRef]) -> Iterator[str]:
    start = group[0].offset
    data = store.get_range(key, start, group[-1].offset + group[-1].length - start)
    for ref in group:
        yield from decode_block(data[ref.offset - start : ref.offset - start + ref.length])
