"""The new files of a redacted run, made from the old ones and put aside under `redacting/`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from archive import object_keys
from archive.access.redaction_statement import Replaced
from archive.checked_json import parsed_object
from archive.coordination.redaction_turns import movers
from archive.crypto.merkle import Growing
from archive.digests import digest_of, digest_of_file
from archive.errors import IntegrityError
from archive.formats import manifest
from archive.formats.cdxj import parse_line, snapshot_of
from archive.formats.zipnum import BlockIndex, decode_block
from archive.model import Resource, Snapshot
from archive.redaction.rewrite import blanked_index, blanked_outcomes, blanked_pages, blanked_record, places_of
from archive.warc.gzip_members import walk_members
from archive.warc.record_tree import records_root, warcs_of
from storage.base import ObjectStore
from storage.errors import StoreUnavailable

_PIECE = 1 << 20
_REWRITTEN = frozenset({object_keys.PAGES, object_keys.OUTCOMES, object_keys.CDX})


@dataclass(frozen=True, slots=True)
class Aside:
    """One redaction: its name, the places of what goes, and of captures whose text goes with it."""

    store: ObjectStore
    name: str
    places: Collection[str]
    texts: Collection[str]
    scratch: Path
    work: Path

    def put(self, run: str) -> Replaced:
        """Make the new files of a run and put them beside it; raises IntegrityError, OSError, StoreError."""
        data = self.store.get(object_keys.run_key(run, object_keys.MANIFEST))
        old = manifest.parse(data)
        hashes: dict[str, str] = {}
        tree = Growing()
        warcs = warcs_of(old.resources)
        for resource in [*warcs, *(each for each in old.resources if each.path in _REWRITTEN)]:
            source, path = self._fetched(run, resource), self.work / "file"
            key = object_keys.run_key(run, resource.path)
            if resource in warcs:
                changed = _blanked_warc(key, source, self.places, self.name, path)
                for _ in walk_members(_pieces(path if changed else source), tree.append):
                    pass
            else:
                changed = self._blanked_file(run, resource.path, source, path)
            if not changed:
                continue
            hashes[resource.path], size = digest_of_file(path)
            if size != resource.bytes:
                raise IntegrityError(f"{key} would have another size: it is left as it is; please report this")
            self.store.put_file(object_keys.redacting_key(self.name, run, resource.path), path)
        package = parsed_object(data)
        for entry in package["resources"]:
            entry["hash"] = hashes.get(entry["path"], entry["hash"])
        if old.records is not None:
            package["records"]["root"] = records_root(tree).root
        package["redactions"] = [*package.get("redactions", []), self.name]
        new = json.dumps(package, ensure_ascii=False, indent=2).encode("utf-8", "replace") + b"\n"
        self.store.put(object_keys.redacting_key(self.name, run, object_keys.MANIFEST), new)
        return Replaced(run, old.hash, digest_of(new))

    def _fetched(self, run: str, resource: Resource) -> Path:
        """Bring a file of the run to this disk; raises StoreUnavailable where another redaction moves it just now."""
        path = self.work / "source"
        with path.open("wb") as file:
            for piece in self.store.stream(object_keys.run_key(run, resource.path)):
                file.write(piece)
        if digest_of_file(path)[0] != resource.hash and self._is_in_other_hands(run):
            raise StoreUnavailable(
                f"run {run} is being redacted by another process: run `onrecord redact --finish`, then again"
            )
        return path

    def _is_in_other_hands(self, run: str) -> bool:
        if movers(self.store, self.scratch, run):
            return True
        found = (object_keys.split_redacting_key(info.key) for info in self.store.list(object_keys.REDACTING_PREFIX))
        return any(parts is not None and parts[1] == run and parts[0] != self.name for parts in found)

    def _blanked_file(self, run: str, name: str, source: Path, path: Path) -> bool:
        data = source.read_bytes()
        if name == object_keys.PAGES:
            made = blanked_pages(data, self.places, self.texts)
        elif name == object_keys.OUTCOMES:
            made = blanked_outcomes(data, self.places, self.texts)
        else:
            idx = self.store.get(object_keys.run_key(run, object_keys.IDX))
            made = blanked_index(run, data, idx, self.places, self.texts)
        path.write_bytes(made)
        return made != data


def lines_of(store: ObjectStore, run: str) -> Iterator[Snapshot]:
    """Every line of a run's own index, as it stands there; raises IntegrityError, StoreError."""
    cdx = store.get(object_keys.run_key(run, object_keys.CDX))
    for block in BlockIndex(store.get(object_keys.run_key(run, object_keys.IDX))):
        for line in decode_block(cdx[block.offset : block.offset + block.length]):
            yield snapshot_of(parse_line(line), run)


def _blanked_warc(key: str, source: Path, wanted: Collection[str], name: str, path: Path) -> bool:
    """Write a WARC file without the content of the records; False where it holds none of them."""
    places = [place for place in places_of(key, _pieces(source)) if place.place in wanted]
    if not places:
        return False
    with source.open("rb") as old, path.open("wb") as file:
        for place in places:
            _copy(old, place.offset - old.tell(), file)
            try:
                for piece in blanked_record(place, name):
                    file.write(piece)
            except ValueError as error:
                raise IntegrityError(f"{key}: {error}") from error
            old.seek(place.offset + place.length)
        _copy(old, source.stat().st_size - old.tell(), file)
    return True


def _copy(source: BinaryIO, size: int, target: BinaryIO) -> None:
    while size > 0 and (piece := source.read(min(size, _PIECE))):
        target.write(piece)
        size -= len(piece)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(_PIECE), b"")
