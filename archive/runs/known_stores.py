"""Which archive each store held when this machine last used it: a disk that is not mounted is not taken for a new one.

One small file a store, in this machine's state folder: the store's address and the archive's id. It can be lost: then
the next use of the store writes it again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from archive import object_keys
from archive.checked_json import parsed_object
from archive.digests import read_self_digested
from archive.runs.store_identity import check_layout, described
from storage.base import ObjectStore
from storage.errors import StoreError, StoreMissing
from storage.private import private_folder, write_private

_FRESH = 3600  # seconds for which a bucket that was looked at is not asked again

_log = logging.getLogger("onrecord.archive")


class StoreChanged(StoreMissing):
    """A store holds no archive any more, or another one than when this machine last used it."""


@dataclass(frozen=True, slots=True)
class KnownStores:
    """What this machine remembers of the stores that it has used; nothing without a folder."""

    folder: Path | None = None
    expected: str | None = None  # the id that every store must have
    anew: bool = False  # a store may hold any archive, or none

    def check_any(self, stores: Sequence[ObjectStore]) -> None:
        """Raise StoreChanged where none of several stores that hold the same holds it still; StoreError."""
        changed: StoreChanged | None = None
        for store in stores:
            try:
                self.check(store)
            except StoreChanged as error:
                changed = changed or error
            except StoreError:  # what is read says so
                return
            else:
                return
        if changed:
            raise changed

    def look(self, store: ObjectStore) -> None:
        """Do as `check`, and see that this program knows the store's layout; a bucket is asked once an hour.

        Raises StoreChanged, FormatError for a newer layout, IntegrityError for a damaged description, StoreError.
        """
        if store.url.startswith("s3:") and self._is_fresh(store):
            return
        self.check(store)
        data = described(store)
        if data is not None:
            check_layout(data)
            self.remember(store)

    def _is_fresh(self, store: ObjectStore) -> bool:
        if self.folder is None or self.expected is not None:
            return False
        with suppress(OSError):
            return 0 <= time.time() - self._path(self.folder, store).stat().st_mtime < _FRESH
        return False

    def check(self, store: ObjectStore) -> None:
        """Raise StoreChanged where a store that was used before holds no archive, or another one; StoreError."""
        wanted = self.expected or self._remembered(store)
        if wanted is None or self.anew:
            return
        data = described(store)
        if data is None:
            if next(iter(_runs(store)), None) is None:
                raise StoreChanged(
                    f"{store.url} held the archive {wanted} when it was last used and holds none now: mount its disk "
                    "or correct the address, then run again; to begin a new archive there, add --new-store"
                )
            return
        found = _id_in(data)
        if found is not None and found != wanted:
            raise StoreChanged(
                f"{store.url} held the archive {wanted} when it was last used and holds {found} now: mount the right "
                "disk or correct the address, then run again; to use the archive that is there, add --new-store"
            )

    def id_of(self, store: ObjectStore) -> str | None:
        """Return the id of the archive that a store holds, or None; raises as `check`."""
        self.check(store)
        data = described(store)
        return None if data is None else _id_in(data)

    def remember(self, store: ObjectStore) -> None:
        """Remember which archive a store holds; raises StoreError."""
        if self.folder is None:
            return
        data = described(store)
        found = None if data is None else _id_in(data)
        if found is None:
            return
        path = self._path(self.folder, store)
        try:
            if found == self._remembered(store):
                path.touch()
                return
            private_folder(path.parent)
            part = path.with_suffix(".part")
            write_private(part, json.dumps({"url": store.url, "id": found}).encode() + b"\n")
            part.replace(path)
        except OSError as error:  # then a store that is not there is not noticed: no reason to lose a capture
            _log.info("%s cannot be written: %s", path, error)

    def _remembered(self, store: ObjectStore) -> str | None:
        if self.folder is None:
            return None
        with suppress(OSError, ValueError):
            found = parsed_object(self._path(self.folder, store).read_bytes()).get("id")
            return found if isinstance(found, str) else None
        return None

    @staticmethod
    def _path(folder: Path, store: ObjectStore) -> Path:
        return folder / f"{hashlib.sha256(store.url.encode()).hexdigest()[:16]}.json"


def _id_in(data: bytes) -> str | None:
    """Return the id in a store's description, or None if that is damaged, which other commands say."""
    try:
        return str(read_self_digested(data)["id"])
    except (ValueError, KeyError):
        return None


def _runs(store: ObjectStore) -> list[str]:
    with suppress(StoreMissing):
        return [info.key for info, _ in zip(store.list(object_keys.RUNS_PREFIX), range(1), strict=False)]
    return []
