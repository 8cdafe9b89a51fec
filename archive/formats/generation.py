"""A generation of the merged index: the lines of many runs in one ZipNum index, and what describes it.

Version 1. `index.cdx.gz` and `index.idx` are as those of a run, only that a line's `filename` is a whole object key and
that `by` names the run whose index held the line where that is not the run of its record. `runs.txt.gz` names the runs
whose lines are here. The description, `generation.json`, is put last, never changes, and names in `groups` the parts of
`index.idx`, so that one range of it is enough for a lookup.
"""

from __future__ import annotations

import gzip
import zlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from archive import object_keys
from archive.checked_json import size_of, text_of, texts_of
from archive.digests import digest_of, is_digest, read_self_digested, self_digested
from archive.errors import IntegrityError, RecordError
from archive.times import iso, now

VERSION = 1
GROUP_LINES = 128  # of the idx: some 10 kB, one range request
_MAX_RUNS = 256 << 20  # bytes of run names: ten million runs


@dataclass(frozen=True, slots=True)
class Group:
    """A part of the idx: its first line's key and timestamp, its byte range and digest."""

    first: str
    offset: int
    length: int
    digest: str


@dataclass(frozen=True, slots=True)
class Generation:
    """What a generation holds. `heads` and `parents` are hashes of manifests.

    `heads` are of its runs that none of its runs names as a parent; `parents` are named by its runs, and not theirs.
    `replaces` names the generations that are superfluous since this one exists.
    """

    name: str
    lines: int
    runs: int
    cdx: tuple[str, int]  # digest and bytes, as of the next two
    idx: tuple[str, int]
    names: tuple[str, int]
    groups: tuple[Group, ...]
    heads: tuple[str, ...]
    parents: tuple[str, ...]
    replaces: tuple[str, ...]

    def key(self, name: str) -> str:
        """Return the object key of one of its files."""
        return object_keys.generation_key(self.name, name)

    @property
    def files(self) -> dict[str, tuple[str, int]]:
        """Its files, each with its digest and bytes."""
        return {
            object_keys.GENERATION_CDX: self.cdx,
            object_keys.GENERATION_IDX: self.idx,
            object_keys.GENERATION_RUNS: self.names,
        }

    def groups_of(self, start: str, end: str) -> range:
        """Return the numbers of the groups that may name blocks with lines from `start` up to, not including, `end`."""
        firsts = [group.first for group in self.groups]
        return range(max(bisect_right(firsts, start) - 1, 0), bisect_left(firsts, end))


def groups_of_idx(idx: bytes) -> tuple[Group, ...]:
    """Return an idx cut into groups of `GROUP_LINES` lines."""
    lines = idx.splitlines(keepends=True)
    found = []
    offset = 0
    for number in range(0, len(lines), GROUP_LINES):
        part = b"".join(lines[number : number + GROUP_LINES])
        first = lines[number].split(b"\t", 1)[0].decode()
        found.append(Group(first, offset, len(part), digest_of(part)))
        offset += len(part)
    return tuple(found)


def encode_generation(generation: Generation) -> bytes:
    """Return the bytes of `generation.json`: one line that begins with its own digest."""
    return self_digested(
        {
            "version": VERSION,
            "generation": generation.name,
            "created": iso(now()),
            "lines": generation.lines,
            "runs": generation.runs,
            "cdx": generation.cdx,
            "idx": generation.idx,
            "names": generation.names,
            "groups": [[group.first, group.offset, group.length, group.digest] for group in generation.groups],
            "heads": generation.heads,
            "parents": generation.parents,
            "replaces": generation.replaces,
        }
    )


def decode_generation(data: bytes, name: str) -> Generation:
    """Read a description back; raises IntegrityError for one that is damaged, of another version or another name."""
    try:
        entry = read_self_digested(data)
        if entry["version"] != VERSION:
            raise ValueError(f"version {entry['version']!r}, this program knows {VERSION}: upgrade onrecord")
        if entry["generation"] != name:
            raise ValueError(f"it describes {entry['generation']!r}")
        return Generation(
            name=name,
            lines=size_of(entry["lines"]),
            runs=size_of(entry["runs"]),
            cdx=_file(entry["cdx"]),
            idx=_file(entry["idx"]),
            names=_file(entry["names"]),
            groups=_groups(entry["groups"], size_of(entry["idx"][1])),
            heads=texts_of(entry["heads"]),
            parents=texts_of(entry["parents"]),
            replaces=texts_of(entry["replaces"]),
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise IntegrityError(f"{object_keys.generation_key(name, object_keys.GENERATION)}: {error}") from error


def _file(entry: Any) -> tuple[str, int]:
    digest, size = entry
    if not is_digest(text_of(digest)):
        raise ValueError("a file without digest")
    return digest, size_of(size)


def _groups(entries: Any, size: int) -> tuple[Group, ...]:
    found = tuple(
        Group(text_of(first), size_of(offset), size_of(length), _file((digest, length))[0])
        for first, offset, length, digest in entries
    )
    ends = [0, *(group.offset + group.length for group in found)]
    if [group.offset for group in found] != ends[:-1] or ends[-1] != size:
        raise ValueError("its groups do not cover the idx")
    if any(one.first > other.first for one, other in pairwise(found)):
        raise ValueError("its groups are out of order")
    return found


def encode_runs(runs: set[str]) -> bytes:
    """Return the bytes of `runs.txt.gz`."""
    return gzip.compress("".join(f"{run}\n" for run in sorted(runs)).encode(), 6, mtime=0)


def decode_runs(data: bytes) -> set[str]:
    """Return the runs a generation covers; raises RecordError."""
    inflater = zlib.decompressobj(wbits=31)
    try:
        text = inflater.decompress(data, _MAX_RUNS).decode("ascii")
    except (zlib.error, UnicodeDecodeError) as error:
        raise RecordError(f"a generation's list of runs is damaged: {error}") from error
    runs = set(text.split())
    if not inflater.eof or not all(map(object_keys.is_run_id, runs)):
        raise RecordError("a generation's list of runs is damaged")
    return runs
