"""Copies of an archive: runs brought to another store, and damage mended from there.

Nothing is believed because it was sent: every file is hashed on its way and held against its run's manifest, and what
was put is read back and hashed again. The order is that of a commit: files, digest file, mark, manifest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from archive import object_keys
from archive.access.replicate_rules import Copied, carry_notices
from archive.access.signed_redactions import NOTHING, excused
from archive.coordination.clock import note_beside
from archive.copies.annotations import carry_annotations
from archive.copies.manifests import (
    manifest_of,
    named_in,
    put_manifest,
    read_small,
    replace_manifest,
    same_manifest,
    true_manifest,
)
from archive.crypto.signed_note import PublicKey
from archive.digests import digest_of, digest_of_stream, self_digested
from archive.errors import FormatError, IntegrityError
from archive.formats import manifest
from archive.index.catalog import Catalog
from archive.local_cache import Cache
from archive.model import Resource
from archive.runs.store_identity import identity, make_copy
from archive.verified_put import is_held, put_file_verified
from archive.verify.run_check import Files
from storage.base import ObjectStore
from storage.errors import ObjectMissing, StoreError, StoreMissing, StoreUnavailable
from storage.private import private_folder

_REDO = "finish there with onrecord redact --finish, replicate to it from where that was done, or redact it again"


class Replica:
    """Brings the runs of one store to another, by way of a local folder."""

    def __init__(
        self,
        source: ObjectStore,
        target: ObjectStore,
        scratch: Path,
        known: Iterable[PublicKey] = (),
        *,
        stores: Sequence[ObjectStore] = (),
    ) -> None:
        """`known` are the keys by which it is believed that a run was redacted.

        `stores` are those that the source reads as one: a file that one has damaged is looked for in the next.
        """
        self._source = source
        self._stores = tuple(stores) or (source,)
        self._sources = (source, *self._stores[1:])  # where a manifest is looked for
        self._target = target
        self._scratch = scratch
        self._known = tuple(known)
        self._said = NOTHING

    def replicate(self) -> Iterator[Copied]:
        """Put every run that the target does not hold; a damaged one is named and not passed on.

        Raises FormatError when the target is another archive, StoreError when a store fails meanwhile.
        """
        self._prepare()
        yield from self._notices()
        there = _files(self._target)
        for run, paths in sorted(_files(self._source).items()):
            if object_keys.MANIFEST not in paths:
                continue
            held = there.get(run, {})
            if copied := self._redacted(run):
                yield copied
            elif any(held.get(path) != size for path, size in paths.items()):
                yield self._copied(run, held)
        yield from self._annotations(repair=False)
        yield from self._evidence(repair=False)

    def _evidence(self, *, repair: bool) -> Iterator[Copied]:
        """Yield the log of runs, its checkpoints and time stamps, after the runs that they are about."""
        from archive.copies.evidence import copy_evidence

        files, size, faults = copy_evidence(self._source, self._target, repair=repair)
        if files or faults:
            yield Copied(object_keys.EVIDENCE_PREFIX, files, size, tuple(faults))

    def _annotations(self, *, repair: bool) -> Iterator[Copied]:
        """Yield what users said of the runs, after the runs."""
        files, size, faults = carry_annotations(self._source, self._target, self._known, repair=repair)
        if files or faults:
            yield Copied(object_keys.ANNOTATIONS_PREFIX, files, size, tuple(faults))

    def _notices(self) -> Iterator[Copied]:
        """Put what is not to be shown before anything that could be: a copy without it would show everything."""
        copied = carry_notices(self._source, self._target, self._known)
        if copied.files or copied.faults:
            yield copied
        self._said, _ = excused(self._target, self._known)

    def redact(self, runs: Iterable[str]) -> Iterator[Copied]:
        """Remove from the target's runs, or the named ones, what was removed from the source's; raises StoreError."""
        yield from self._notices()
        for run in runs:
            if copied := self._redacted(run):
                yield copied

    def _redacted(self, run: str) -> Copied | None:
        """Take out of the target's run what was taken out of the source's; None where there is nothing to do."""
        if run not in self._said.notes and run not in self._said.unknown:
            return None
        data, found = manifest_of(self._sources, run)
        there = read_small(self._target, object_keys.run_key(run, object_keys.MANIFEST))
        if found is None or there is None or there == data:
            return None
        if run in self._said.unknown:
            return Copied(run, faults=(self._doubt(run),))
        if not self._said.stands(digest_of(there), {found.hash}):
            return None
        lacking = (resource for resource in found.resources if not self._holds(run, resource))
        files, size, faults = self._brought(run, lacking)
        if not faults:  # the manifest last: until then all of it is done again
            for name, parts in Catalog(self._target, Cache(None)).generations.files().items():
                for file in sorted(parts, key=lambda file: file != object_keys.GENERATION):  # titles stand in it
                    self._target.delete(object_keys.generation_key(name, file))
            note_beside(self._source, self._target, found)
            replace_manifest(self._target, data, run)
        return Copied(run, files, size, tuple(faults))

    def _doubt(self, run: str) -> str:
        return (
            f"{self._said.unknown[run]} says it was redacted, and nobody who is known here signed that: name the key "
            "in the setting trusted_keys if you know it, or delete the statement"
        )

    def _prepare(self) -> None:
        make_copy(self._source, self._target)

    def _copied(self, run: str, held: dict[str, int]) -> Copied:
        data, found = manifest_of(self._sources, run)
        if found is None:
            return Copied(run, faults=(f"{object_keys.MANIFEST} is damaged; run `onrecord verify {run}`",))
        if (
            object_keys.MANIFEST in held
            and read_small(self._target, object_keys.run_key(run, object_keys.MANIFEST)) != data
        ):
            return Copied(
                run, faults=("the replica holds another run of that name; `onrecord repair` there tells which is true",)
            )
        if found.hash in self._said.replaced:  # it is not brought on
            return Copied(run, faults=(f"it was redacted, and {self._source.url} holds it as it was before: {_REDO}",))
        begun = (
            object_keys.MANIFEST not in held
        )  # a copy that broke off: it may have been redacted since, at the same sizes
        lacking = [
            resource
            for resource in found.resources
            if held.get(resource.path) != resource.bytes or (begun and not self._holds(run, resource))
        ]
        files, size, faults = self._brought(run, lacking)
        if faults:
            return Copied(run, files, size, tuple(faults))
        note_beside(self._source, self._target, found)
        put_manifest(self._target, data, found)
        return Copied(run, files + 2, size + len(data))

    def _holds(self, run: str, resource: Resource) -> bool:
        """Whether the target's file, read whole, is the one that the manifest names; raises StoreError."""
        return is_held(self._target, object_keys.run_key(run, resource.path), (resource.hash, resource.bytes))

    def _brought(self, run: str, resources: Iterable[Resource]) -> tuple[int, int, list[str]]:
        """Put files; returns how many, their bytes, and what is wrong with the others."""
        files, size, faults = 0, 0, []
        for resource in resources:
            fault = self._bring(run, resource)
            if fault is None:
                files, size = files + 1, size + resource.bytes
            else:
                faults.append(fault)
        return files, size, faults

    def _bring(self, run: str, resource: Resource) -> str | None:
        """Put one file and read it back; returns what is wrong, if anything is. Raises StoreError."""
        key = object_keys.run_key(run, resource.path)
        try:
            private_folder(self._scratch)
            with TemporaryDirectory(dir=self._scratch) as folder:
                path = Path(folder) / "file"
                if fault := self._sound(resource, key, path):
                    return fault
                put_file_verified(self._target, key, path, (resource.hash, resource.bytes))
        except OSError as error:
            raise StoreUnavailable(f"cannot write in {self._scratch}: {error.strerror or error}") from error
        return None

    def _sound(self, resource: Resource, key: str, path: Path) -> str | None:
        """Bring a file from the first of the source's stores that holds it as it should be; returns what is wrong."""
        fault = None
        out_of_reach: StoreError | None = None
        for source in self._stores:
            try:
                if _fetched(source, key, path) == (resource.hash, resource.bytes):
                    return None
                fault = fault or f"{resource.path} of {source.url} is not the file its manifest names"
            except ObjectMissing:
                fault = fault or f"{resource.path} is missing in {source.url}"
            except StoreError as error:
                out_of_reach = out_of_reach or error
        if out_of_reach:
            raise out_of_reach
        return fault

    def repair(self, runs: Collection[str] = ()) -> Iterator[Copied]:
        """Read every file of the target's runs, or the named ones, and put what is damaged or missing, runs too.

        Raises FormatError when the stores are of two archives, StoreError.
        """
        here, there = _files(self._source), _files(self._target)
        self._mend_identity(here, there)
        yield from self._notices()
        known = {run for files in (here, there) for run, paths in files.items() if object_keys.MANIFEST in paths}
        named = named_in(self._sources, here) | named_in([self._target], there)
        for run in sorted(runs or known):
            yield self._mended(run, named) if run in known else Copied(run, faults=("neither store holds such a run",))
        if not runs:
            yield from self._annotations(repair=True)
            yield from self._evidence(repair=True)

    def _mend_identity(self, here: Files, there: Files) -> None:
        """Repair the store's own description, which may be damaged, or was lost and made again by a later capture."""
        described = self._source.get(object_keys.STORE_KEY)
        wanted = identity(self._source)
        try:
            if identity(self._target) == wanted:
                return
            common = any(same_manifest(self._source, self._target, run) for run in here.keys() & there.keys())
        except (ObjectMissing, StoreMissing, IntegrityError):
            common = True
        if not common:
            raise FormatError(f"{self._source.url} holds another archive: nothing can be mended from it")
        self._target.put(object_keys.STORE_KEY, described)

    def _mended(self, run: str, named: set[str]) -> Copied:
        if run in self._said.unknown:
            return Copied(run, faults=(self._doubt(run),))
        chosen = true_manifest(run, self._target, self._sources, named, self._said)
        if isinstance(chosen, str):
            return Copied(run, faults=(chosen,))
        data, found = chosen
        lacking = (resource for resource in found.resources if not self._holds(run, resource))
        files, size, faults = self._brought(run, lacking)
        if not faults:
            whole = {object_keys.MANIFEST: data, object_keys.MANIFEST_DIGEST: manifest.digest_file(data)}
            lost = [
                text for path, text in whole.items() if read_small(self._target, object_keys.run_key(run, path)) != text
            ]
            files, size = files + len(lost), size + sum(map(len, lost))
            for store in (self._target, self._source):
                note_beside(store, self._target, found)
            put_manifest(self._target, data, found)
        return Copied(run, files, size, tuple(faults))


def begin_restore(source: ObjectStore, target: ObjectStore) -> bool | None:
    """Mark an empty store as one into which the archive is being restored; whether it was so marked already.

    None when the store holds something else. Raises StoreError.
    """
    mark = self_digested({"restoring": identity(source)})
    try:
        taken = next(iter(target.list()), None)
    except StoreMissing:
        taken = None  # a directory that is yet to be made
    if taken is not None:
        return True if read_small(target, object_keys.RESTORING) == mark else None
    target.put(object_keys.RESTORING, mark)
    return False


def finish_restore(target: ObjectStore) -> None:
    """Mark the archive as whole there: from now on it is an archive like any other."""
    target.delete(object_keys.RESTORING)


def _files(store: ObjectStore) -> Files:
    return Catalog(store, Cache(None)).files()


def _fetched(store: ObjectStore, key: str, path: Path) -> tuple[str, int]:
    """Write an object into a file; returns its digest and size. Raises ObjectMissing, OSError."""
    with path.open("wb") as file:

        def written(pieces: Iterable[bytes]) -> Iterator[bytes]:
            for piece in pieces:
                file.write(piece)
                yield piece

        return digest_of_stream(written(store.stream(key)))
