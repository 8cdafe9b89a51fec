"""Verification: every file of every run against its manifest, every gzip member and record to its last byte.

Other checkers stop silently at the first damaged member, or accept a file that breaks off; here what was consumed is
compared with the file's size, and what the index names with what the records are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from archive import object_keys
from archive.access.signed_redactions import NOTHING, Excused
from archive.coordination.clock import clock_note
from archive.crypto.merkle import Growing
from archive.digests import digest_of, digest_of_stream
from archive.errors import ArchiveError, IntegrityError
from archive.formats import manifest
from archive.formats.cdxj import parse_line, snapshot_of
from archive.formats.pages_jsonl import HEADER, decode_document, whole_lines
from archive.formats.zipnum import BlockIndex, BlockRef, decode_block
from archive.importers.lenient_reader import indexable
from archive.model import Manifest, Resource, Snapshot
from archive.warc.reader import Record, walk_records
from archive.warc.record_tree import records_root
from storage.base import ObjectStore
from storage.errors import ObjectMissing

Files = dict[str, dict[str, int]]  # run -> path -> bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """One run looked at: what it holds, and one line for each fault.

    `read` says that every byte was read; else `bytes` are those that its files are listed with, and no record was seen.
    """

    run: str
    bytes: int = 0
    records: int = 0
    faults: tuple[str, ...] = ()
    committed: bool = True
    read: bool = True
    manifest: str | None = None  # its hash
    notes: tuple[str, ...] = ()  # what a signed statement says of it


def committed_in(files: Files) -> list[str]:
    """Return the runs that have a manifest."""
    return [run for run, paths in files.items() if object_keys.MANIFEST in paths]


def check_run(store: ObjectStore, run: str, files: Files, *, whole: bool, said: Excused = NOTHING) -> Finding:
    """Look at a run: at every byte with `whole`, else at its manifest, the sizes of its files and its index's head."""
    if run not in files:
        return Finding(run, faults=(f"there is no run {run}",), read=whole)
    if object_keys.MANIFEST not in files[run]:
        return Finding(run, sum(files[run].values()), committed=False, read=whole)
    check = _RunCheck(store, run, files, said)
    return check.finding() if whole else check.glance()


def file_of(store: ObjectStore, key: str, expected: tuple[str, int], *, whole: bool) -> tuple[str, int]:
    """Return a file's digest and size; its digest is believed unless it is read."""
    try:
        if whole:
            return digest_of_stream(store.stream(key))
        info = store.head(key)
    except ObjectMissing:
        info = None
    return (expected[0], info.size) if info else ("", 0)


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
        """Return the digest and size of the whole file, whatever its reader left unread."""
        for _ in self:
            pass
        return f"sha256:{self._hash.hexdigest()}", self.size


@dataclass
class _RunCheck:
    store: ObjectStore
    run: str
    files: Files
    said: Excused = NOTHING
    hash: str | None = None
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
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
        return self._found(read=True)

    def glance(self) -> Finding:
        """Return what can be seen without reading what was captured."""
        found = self._manifest()
        if found is not None:
            self._named(found)
            for resource in found.resources:
                self._size(resource)
        self.bytes = sum(self.files[self.run].values())
        return self._found(read=False)

    def _found(self, *, read: bool) -> Finding:
        notes = self.said.notes.get(self.run, ())
        if self.run in self.said.unfinished:
            notes = (*notes, "the redaction was begun and not finished: run `onrecord redact --finish`")
        notes = (*notes, *self.notes)
        faults = tuple(dict.fromkeys(self.faults))
        return Finding(self.run, self.bytes, self.records, faults, read=read, manifest=self.hash, notes=notes)

    def _size(self, resource: Resource) -> None:
        size = self.files[self.run].get(resource.path)
        if size is None:
            self.faults.append(f"{resource.path} is missing")
        elif size != resource.bytes:
            self.faults.append(f"{resource.path} has {size:,} bytes, its manifest names {resource.bytes:,}")
        elif resource.path == object_keys.IDX and file_of(
            self.store, object_keys.run_key(self.run, object_keys.IDX), (resource.hash, size), whole=True
        ) != (resource.hash, size):
            self.faults.append(f"{resource.path} is not the file that its manifest names: its hash differs")

    def _manifest(self) -> Manifest | None:
        data = self.store.get(object_keys.run_key(self.run, object_keys.MANIFEST))
        self.bytes += len(data)
        self.hash = digest_of(data)
        try:
            found = manifest.parse(data)
        except IntegrityError as error:
            self.faults.append(f"{object_keys.MANIFEST}: {error}")
            return None
        if found.ahead_at_start:
            self.notes.append(clock_note(found.ahead_at_start))
        if found.run != self.run:
            self.faults.append(f"{object_keys.MANIFEST} is that of another run, {found.run}")
        try:
            named = self.store.get(object_keys.run_key(self.run, object_keys.MANIFEST_DIGEST))
        except ObjectMissing:
            named = b""
        if named != manifest.digest_file(data) and self.run not in self.said.unfinished:
            self.faults.append(f"{object_keys.MANIFEST} is not the file that {object_keys.MANIFEST_DIGEST} names")
        return found

    def _named(self, found: Manifest) -> None:
        """Files that the manifest names must be there, and no file besides."""
        named = {resource.path for resource in found.resources} | {object_keys.MANIFEST, object_keys.MANIFEST_DIGEST}
        for path in sorted(self.files[self.run].keys() - named):
            self.faults.append(f"{path} is not named by the manifest")

    def _index(self) -> None:
        """Read the index's lines, so that each record can be held against its own."""
        try:
            blocks = BlockIndex(self.store.get(object_keys.run_key(self.run, object_keys.IDX)))
            end = 0
            last = ""
            for block in blocks:
                if block.offset != end:
                    raise IntegrityError(f"{object_keys.IDX} names blocks that do not lie one behind the other")
                data = self.store.get_range(object_keys.run_key(self.run, object_keys.CDX), block.offset, block.length)
                last = self._block(block, decode_block(data), last)
                end = block.offset + block.length
            if end != self.files[self.run].get(object_keys.CDX):
                self.faults.append(f"{object_keys.CDX} holds bytes that {object_keys.IDX} does not name")
        except (ArchiveError, ObjectMissing) as error:
            self.faults.append(f"the index: {error}")

    def _block(self, block: BlockRef, lines: list[str], last: str) -> str:
        """Look at a block's lines, which a lookup finds only in their order; returns the last one."""
        if block.first != " ".join(lines[0].split(" ", 2)[:2]):
            self.faults.append(f"{object_keys.IDX} names {block.first!r} where {object_keys.CDX} has another line")
        for line in lines:
            place = " ".join(line.split(" ", 2)[:2])  # what follows it may be redacted, and is no part of the order
            if place < last:
                self.faults.append(f"{object_keys.CDX} is out of order: what it holds may not be found")
            last = place
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
            parts = object_keys.split_run_key(ref.key)
            size = self.files.get(parts[0], {}).get(parts[1]) if parts else None
            if size is None or ref.offset + ref.length > size:
                self.faults.append(
                    f"the {what} of {snapshot.url} should lie in {ref.key}, which is missing or too short"
                )

    def _resource(self, resource: Resource) -> None:
        """Read a file once: its hash, and what it holds, to its last byte."""
        key = object_keys.run_key(self.run, resource.path)
        pieces = _Hashed(self.store.stream(key))
        try:
            if resource.path.startswith("archive/"):
                self._warc(key, pieces)
            elif resource.path == object_keys.PAGES:
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
        elif digest not in {resource.hash, self.said.unfinished.get(self.run, {}).get(resource.path)}:
            self.faults.append(f"{resource.path} is not the file that its manifest names: its hash differs")

    def _warc(self, key: str, pieces: _Hashed) -> None:
        expected = dict(self.snapshots.get(key, {}))
        for record in walk_records(pieces, self.tree.append, own=not object_keys.is_foreign(key)):
            self.records += 1
            offset = record.member.offset
            snapshot = expected.pop(offset, None)
            if object_keys.is_foreign(key):
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
        """Check the root by which one record alone is proved; a damaged WARC file is reported instead."""
        if self.run in self.said.unfinished:  # some of the records are the new ones, others the old
            return
        if found.records is not None and not self.faults and found.records != records_root(self.tree):
            self.faults.append(f"{object_keys.MANIFEST} names another root over the run's records than theirs")

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
        """Check a record of another program: its own claims are not ours; what the index says of it must be true."""
        if snapshot is not None and record.kind in {"response", "resource"}:
            for _ in replace(record, payload_digest=snapshot.digest).http()[2]:
                pass
        record.drain()
        record.member.drain()
        if record.kind == "metadata":  # what was redacted: no index names another one
            return
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
