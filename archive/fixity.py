"""Verification: every file of every run against its manifest, every gzip member and record to its last byte.

Other checkers stop silently at the first damaged member, or accept a file that breaks off; here what was consumed is
compared with the file's size, and what the index names with what the records are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from archive import keys, manifest
from archive.cache import Cache
from archive.digests import digest_of_stream
from archive.errors import ArchiveError, IntegrityError
from archive.foreign.records import indexable
from archive.generations import Generations
from archive.index.cdxj import parse_line, snapshot_of
from archive.index.generation import Generation
from archive.index.zipnum import BlockIndex, BlockRef, decode_block
from archive.merkle import Growing
from archive.model import Manifest, Resource, Snapshot
from archive.recordtree import records_root
from archive.text import HEADER, decode_document, whole_lines
from archive.warc.reader import Record, walk_records
from storage.base import ObjectStore
from storage.errors import ObjectMissing

_MADE_AGAIN = "make it again with: onrecord compact --rebuild"

Files = dict[str, dict[str, int]]  # run -> path -> bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """One run looked at: what it holds, and one line for each fault."""

    run: str
    bytes: int = 0
    records: int = 0
    faults: tuple[str, ...] = ()
    committed: bool = True


def verify(store: ObjectStore, files: Files, runs: list[str] | None = None) -> Iterator[Finding]:
    """A finding for each of the named runs, or of all, oldest first; raises StoreError when the store fails meanwhile.

    A run without a manifest does not exist: it is named as not committed, which is no fault.
    """
    committed = [run for run, paths in files.items() if keys.MANIFEST in paths]
    for run in sorted(files if runs is None else runs):
        if run not in files:
            yield Finding(run, faults=(f"there is no run {run}",))
        elif run not in committed:
            yield Finding(run, sum(files[run].values()), committed=False)
        else:
            yield _RunCheck(store, run, files).finding()


def verify_generations(store: ObjectStore, files: Files) -> Iterator[Finding]:
    """A finding for each generation of the merged index that is read, and for each run that it hides.

    A damaged generation is no loss. `files` was listed before: a run of it is marked as loose, or in a generation, now.
    """
    generations = Generations(store, Cache(None))  # as they are in the store, not as they were
    marked = generations.marked()  # before the generations, as a reader does
    existing = generations.existing()
    for name, error in existing.damaged.items():
        if name not in existing.replaced:
            yield Finding(keys.GENERATIONS_PREFIX + name, faults=(f"{error}; {_MADE_AGAIN}",), committed=False)
    for generation in existing.standing:
        faults = []
        size = 0
        for file, expected in generation.files.items():
            try:
                found = digest_of_stream(store.stream(generation.key(file)))
            except ObjectMissing:
                found = ("", 0)
            size += found[1]
            if found != expected:
                faults.append(f"{file} is not the file that {keys.GENERATION} names; {_MADE_AGAIN}")
        yield Finding(keys.GENERATIONS_PREFIX + generation.name, size, 0, tuple(faults), committed=False)
    if existing.standing and not existing.damaged:
        yield from _hidden(
            generations, existing.standing, {run for run in files if keys.MANIFEST in files[run]}, marked
        )


def _hidden(
    generations: Generations, standing: Iterable[Generation], committed: set[str], marked: Iterable[str]
) -> Iterator[Finding]:
    """Runs that no lookup asks: neither in a generation nor marked as loose."""
    try:
        held = {run for generation in standing for run in generations.runs_of(generation)}
    except (IntegrityError, ObjectMissing):  # told already
        return
    for run in sorted(committed.difference(held, marked)):
        fault = "no lookup finds what it holds: it is neither in the merged index nor marked; run `onrecord compact`"
        yield Finding(run, faults=(fault,), committed=False)


class _Hashed:
    """A file's bytes on their way to a reader, hashed and counted as they pass."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._hash = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._hash.update(piece)
            self.size += len(piece)
            yield piece

    def finish(self) -> tuple[str, int]:
        """The digest and size of the whole file, whatever its reader left unread."""
        for _ in self:
            pass
        return f"sha256:{self._hash.hexdigest()}", self.size


@dataclass
class _RunCheck:
    store: ObjectStore
    run: str
    files: Files
    faults: list[str] = field(default_factory=list)
    bytes: int = 0
    records: int = 0
    tree: Growing = field(default_factory=Growing)
    snapshots: dict[str, dict[int, Snapshot]] = field(default_factory=dict)  # WARC key -> offset -> line

    def finding(self) -> Finding:
        found = self._manifest()
        if found is not None:
            self._named(found)
            self._index()
            for resource in found.resources:
                self._resource(resource)
            self._root(found)
        return Finding(self.run, self.bytes, self.records, tuple(dict.fromkeys(self.faults)))

    def _manifest(self) -> Manifest | None:
        data = self.store.get(keys.run_key(self.run, keys.MANIFEST))
        self.bytes += len(data)
        try:
            found = manifest.parse(data)
        except IntegrityError as error:
            self.faults.append(f"{keys.MANIFEST}: {error}")
            return None
        if found.run != self.run:
            self.faults.append(f"{keys.MANIFEST} is that of another run, {found.run}")
        try:
            named = self.store.get(keys.run_key(self.run, keys.MANIFEST_DIGEST))
        except ObjectMissing:
            named = b""
        if named != manifest.digest_file(data):
            self.faults.append(f"{keys.MANIFEST} is not the file that {keys.MANIFEST_DIGEST} names")
        return found

    def _named(self, found: Manifest) -> None:
        """Files that the manifest names must be there, and no file besides."""
        named = {resource.path for resource in found.resources} | {keys.MANIFEST, keys.MANIFEST_DIGEST}
        for path in sorted(self.files[self.run].keys() - named):
            self.faults.append(f"{path} is not named by the manifest")

    def _index(self) -> None:
        """Read the index's lines, so that each record can be held against its own."""
        try:
            blocks = BlockIndex(self.store.get(keys.run_key(self.run, keys.IDX)))
            end = 0
            last = ""
            for block in blocks:
                if block.offset != end:
                    raise IntegrityError(f"{keys.IDX} names blocks that do not lie one behind the other")
                data = self.store.get_range(keys.run_key(self.run, keys.CDX), block.offset, block.length)
                last = self._block(block, decode_block(data), last)
                end = block.offset + block.length
            if end != self.files[self.run].get(keys.CDX):
                self.faults.append(f"{keys.CDX} holds bytes that {keys.IDX} does not name")
        except (ArchiveError, ObjectMissing) as error:
            self.faults.append(f"the index: {error}")

    def _block(self, block: BlockRef, lines: list[str], last: str) -> str:
        """Look at a block's lines, which a lookup finds only in their order; returns the last one."""
        if block.first != " ".join(lines[0].split(" ", 2)[:2]):
            self.faults.append(f"{keys.IDX} names {block.first!r} where {keys.CDX} has another line")
        for line in lines:
            if line < last:
                self.faults.append(f"{keys.CDX} is out of order: what it holds may not be found")
            last = line
            self._line(snapshot_of(parse_line(line), self.run))
        return last

    def _line(self, snapshot: Snapshot) -> None:
        of_file = self.snapshots.setdefault(snapshot.record.key, {})
        if snapshot.record.offset in of_file:
            self.faults.append(f"the index names the record of {snapshot.url} twice")
        of_file[snapshot.record.offset] = snapshot
        for what, ref in (("payload", snapshot.payload.record), ("document", snapshot.document)):
            if ref is None:
                continue
            parts = keys.split_run_key(ref.key)
            size = self.files.get(parts[0], {}).get(parts[1]) if parts else None
            if size is None or ref.offset + ref.length > size:
                self.faults.append(
                    f"the {what} of {snapshot.url} should lie in {ref.key}, which is missing or too short"
                )

    def _resource(self, resource: Resource) -> None:
        """Read a file once: its hash, and what it holds, to its last byte."""
        key = keys.run_key(self.run, resource.path)
        pieces = _Hashed(self.store.stream(key))
        try:
            if resource.path.startswith("archive/"):
                self._warc(key, pieces)
            elif resource.path == keys.PAGES:
                self._pages(pieces)
        except ArchiveError as error:
            self.faults.append(f"{resource.path}: {error}")
        except ObjectMissing:
            self.faults.append(f"{resource.path} is missing")
            return
        try:
            digest, size = pieces.finish()
        except ObjectMissing:
            self.faults.append(f"{resource.path} is missing")
            return
        self.bytes += size
        if size != resource.bytes:
            self.faults.append(f"{resource.path} has {size:,} bytes, its manifest names {resource.bytes:,}")
        elif digest != resource.hash:
            self.faults.append(f"{resource.path} is not the file that its manifest names: its hash differs")

    def _warc(self, key: str, pieces: _Hashed) -> None:
        expected = dict(self.snapshots.get(key, {}))
        for record in walk_records(pieces, self.tree.append):
            self.records += 1
            offset = record.member.offset
            snapshot = expected.pop(offset, None)
            if keys.is_foreign(key):
                self._foreign(record, snapshot)
                continue
            if record.kind == "response":
                for _ in record.http()[2]:
                    pass
            record.drain()
            record.member.drain()
            if record.kind in {"response", "revisit", "resource"}:
                self._compare(record, snapshot)
        for offset, snapshot in expected.items():
            self.faults.append(
                f"{key}: the index names a record of {snapshot.url} at byte {offset:,} that is not there"
            )

    def _root(self, found: Manifest) -> None:
        """The root by which one record alone is proved; where a WARC file is damaged, that is what is told."""
        if found.records is not None and not self.faults and found.records != records_root(self.tree):
            self.faults.append(f"{keys.MANIFEST} names another root over the run's records than theirs")

    def _compare(self, record: Record, snapshot: Snapshot | None) -> None:
        if snapshot is None:
            self.faults.append(f"{record.record_id} is not in the index")
        elif (snapshot.url, snapshot.digest, snapshot.record_id, snapshot.record.length, snapshot.revisit) != (
            record.url,
            record.header("WARC-Payload-Digest"),
            record.record_id,
            record.member.length,
            record.kind == "revisit",
        ):
            self.faults.append(f"{record.record_id} is not what the index says of it")

    def _foreign(self, record: Record, snapshot: Snapshot | None) -> None:
        """A record of another program: what it says of itself is its own; what the index says of it must be true."""
        if snapshot is not None and record.kind in {"response", "resource"}:
            for _ in replace(record, payload_digest=snapshot.digest).http()[2]:
                pass
        record.drain()
        record.member.drain()
        if snapshot is not None and (snapshot.url, snapshot.record_id, snapshot.record.length, snapshot.revisit) != (
            indexable(record.url or ""),
            record.record_id,
            record.member.length,
            record.kind == "revisit",
        ):
            self.faults.append(f"{record.record_id} is not what the index says of it")

    def _pages(self, pieces: _Hashed) -> None:
        first = True
        for line in whole_lines(pieces):
            if first and line != HEADER:
                raise IntegrityError("line 1 is not the header of a pages file")
            if not first:
                decode_document(line)
            first = False
        if first:
            raise IntegrityError("it is empty")
