"""The log of runs: which manifest each run had when it was entered, in an order that only grows.

An entry is a line, `RUN sha256:HEX`, and a leaf of an RFC 6962 tree. Entries lie in objects that are named by the
number of their first entry and put only if absent: of two writers one goes first, and the other one after it. So
there is one order, without a lock, and what was entered is never taken back.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from archive import object_keys
from archive.access.signed_redactions import successors
from archive.crypto import merkle
from archive.digests import is_digest, read_self_digested
from archive.errors import IntegrityError
from archive.local_cache import Cache
from storage.base import ObjectStore
from storage.errors import ObjectMissing, StoreMissing, StoreUnavailable

_READERS = 16
_ID = re.compile(r"[!-~]{1,200}\Z")
_MOST = 64 << 20  # bytes of one object of entries: more than half a million runs
_AGAIN = 100  # writers that may go first, one after the other


@dataclass(frozen=True, slots=True)
class Entry:
    """A run and the hash that its manifest had."""

    run: str
    hash: str

    @property
    def line(self) -> bytes:
        """The entry as a leaf of the tree holds it."""
        return f"{self.run} {self.hash}".encode("ascii")

    @classmethod
    def parse(cls, line: bytes) -> Entry:
        """Read a line back; raises IntegrityError."""
        run, _, digest = line.decode("latin-1").partition(" ")
        if not object_keys.is_run_id(run) or not is_digest(digest):
            raise IntegrityError(f"{line[:80]!r} is no entry of the log")
        return cls(run, digest)


@dataclass(frozen=True, slots=True)
class Entries:
    """The log as it is now, as far as it can be read, and what is wrong with the rest."""

    all: tuple[Entry, ...] = ()
    fault: str | None = None

    def leaves(self) -> list[bytes]:
        """Return the hashes of its leaves."""
        return [merkle.leaf_hash(entry.line) for entry in self.all]

    def roots(self, sizes: Collection[int]) -> dict[int, bytes]:
        """Return the roots that it had at those of the sizes that it reached."""
        return merkle.roots_at(self.leaves(), sizes)

    def newest(self) -> dict[str, str]:
        """By run: the hash that was entered last."""
        return {entry.run: entry.hash for entry in self.all}

    def run_of(self) -> dict[str, str]:
        """By hash: the run."""
        return {entry.hash: entry.run for entry in self.all}


class Log:
    """The log of one store; what was read of it is kept, for it never changes."""

    def __init__(self, store: ObjectStore, cache: Cache) -> None:
        self._store = store
        self._cache = cache

    def origin(self) -> str:
        """Return the log's name (C2SP tlog-checkpoint), which is the archive's; raises IntegrityError, StoreError."""
        try:
            name = str(read_self_digested(self._store.get(object_keys.STORE_KEY))["id"])
            if not _ID.match(name):  # what is signed has a line for it: further ones would be signed as well
                raise ValueError("its id is not valid")
            return f"onrecord/{name}"
        except (ValueError, KeyError) as error:
            raise IntegrityError(
                f"{object_keys.STORE_KEY} of the store is damaged: {error}; restore it from a copy"
            ) from error
        except ObjectMissing as error:
            raise StoreMissing(f"no archive at {self._store.url}; name another with --store") from error

    def read(self) -> Entries:
        """All entries up to the first that is not sound; raises StoreError."""
        names = sorted(info.key for info in self._store.list(object_keys.LOG_PREFIX))
        entries: list[Entry] = []
        with ThreadPoolExecutor(_READERS) as pool:
            for first in range(0, len(names), _READERS):  # no more at once: their sizes are a stranger's
                part = names[first : first + _READERS]
                for name, data in zip(part, pool.map(self._part, part), strict=True):
                    if name != object_keys.log_key(len(entries)):
                        fault = f"the log has no entry {len(entries):,}, but {name}: some were deleted"
                        return Entries(tuple(entries), fault)
                    try:
                        entries += self._understood(name, data)
                    except IntegrityError as error:
                        return Entries(tuple(entries), str(error))
        return Entries(tuple(entries))

    def _part(self, name: str) -> bytes:
        kept = self._cache.get(name)
        return self._store.get_range(name, 0, _MOST) if kept is None else kept

    def _understood(self, name: str, data: bytes) -> list[Entry]:
        found = _parsed(name, data)
        self._cache.put(name, data)  # not before it is understood: what is mended in the store must be seen here
        return found

    def append(self, found: Iterable[Entry], replaced: Mapping[str, str] | None = None) -> Entries:
        """Enter runs that the log does not name yet; returns the log as it is then.

        A run whose manifest is another than was entered is left out, unless `replaced` leads to its new hash from the
        old: that is for `verify` to say. Raises IntegrityError where the log is damaged, StoreError.
        """
        wanted = list({entry.run: entry for entry in found}.values())
        for _ in range(_AGAIN):
            entries = self.read()
            if entries.fault:
                raise IntegrityError(f"{entries.fault}; nothing is added to it: restore it from a copy")
            new = _missing(entries, wanted, replaced or {})
            if not new:
                return entries
            data = b"".join(entry.line + b"\n" for entry in new)
            if self._store.put_if_absent(object_keys.log_key(len(entries.all)), data):
                return Entries((*entries.all, *new))
        raise StoreUnavailable("the log of runs grows faster than it can be read; try again")


def _missing(entries: Entries, wanted: Iterable[Entry], replaced: Mapping[str, str]) -> list[Entry]:
    known = entries.newest()
    return [entry for entry in wanted if entry.run not in known or entry.hash in successors(known[entry.run], replaced)]


def _parsed(name: str, data: bytes) -> list[Entry]:
    if not data.endswith(b"\n") or len(data) == _MOST:
        raise IntegrityError(f"{name} is no part of the log: it breaks off")
    try:
        return [Entry.parse(line) for line in data.removesuffix(b"\n").split(b"\n")]
    except IntegrityError as error:
        raise IntegrityError(f"{name}: {error}") from error
