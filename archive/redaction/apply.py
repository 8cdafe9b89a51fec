"""Redactions that were decided, carried out to their end: in the store, in its copies, and in what was made of it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from archive import object_keys
from archive.access.redaction_statement import Statement
from archive.archive import Archive
from archive.copies.manifests import replace_manifest
from archive.crypto.signed_note import PublicKey
from archive.digests import digest_of, digest_of_file
from archive.errors import IntegrityError
from archive.formats import manifest
from archive.index.catalog import Catalog
from archive.local_cache import Cache
from archive.verified_put import put_file_verified
from storage.base import ObjectStore
from storage.errors import ObjectMissing, StoreUnavailable
from storage.private import private_folder

_PREPARING = timedelta(days=1)  # how long files may lie aside without a statement: somebody is about to put one


def unfinished(store: ObjectStore) -> dict[str, list[tuple[str, str]]]:
    """Return the redactions whose files lie aside, oldest first, with the run and path of each; raises StoreError."""
    found: dict[str, list[tuple[str, str]]] = {}
    for info in store.list(object_keys.REDACTING_PREFIX):
        if parts := object_keys.split_redacting_key(info.key):
            found.setdefault(parts[0], []).append(parts[1:])
    return found


def finish(archive: Archive, known: Iterable[PublicKey]) -> list[Statement]:
    """Finish the redactions that were decided, by statements that a known key signed; returns these.

    Files that lie aside for a day without a statement are deleted. The primary is redacted, and the replicas follow as
    far as they answer. Raises IntegrityError where what lies aside is not what was signed, StoreError.
    """
    stores, known = archive.unguarded().stores, tuple(known)
    store = stores.primary
    aside = unfinished(store)
    if not aside:
        return []
    archive.notices.refresh()
    signed = {each.statement.id: each for each in archive.notices.statements(known)}
    done = []
    for name, files in aside.items():
        if name in signed and signed[name].signers:
            _move(archive, store, signed[name].statement, files)
            done.append(signed[name].statement)
        elif name not in signed and _is_forgotten(store, name):
            _delete(store, name, files)
    if done:
        archive.forget()
        runs = sorted({each.run for statement in done for each in statement.replaced})
        stores.redact_replicas(runs, archive.spool.scratch, known)
        forget_merged(archive)
        for statement in done:
            _delete(store, statement.id, aside[statement.id])
    return done


def _is_forgotten(store: ObjectStore, name: str) -> bool:
    """Whether what lies aside was put long ago, by the store's clock: somebody may be about to put its statement."""
    present = store.now()
    infos = list(store.list(f"{object_keys.REDACTING_PREFIX}{name}/"))
    return all(info.modified is not None and present - info.modified > _PREPARING for info in infos)


def _move(archive: Archive, store: ObjectStore, statement: Statement, files: list[tuple[str, str]]) -> None:
    for each in statement.replaced:
        paths = [path for run, path in files if run == each.run]
        there = store.get(object_keys.run_key(each.run, object_keys.MANIFEST))
        if digest_of(there) == each.new:  # it was the last of the run's files
            continue
        data = store.get(object_keys.redacting_key(statement.id, each.run, object_keys.MANIFEST)) if paths else b""
        if digest_of(data) != each.new or digest_of(there) != each.old:
            raise IntegrityError(
                f"run {each.run} cannot be redacted as {object_keys.redaction_key(statement.id)} says: what lies "
                "aside for it, or the run, is another one; mend the run from a copy, and redact it again"
            )
        found = manifest.parse(data)
        for path in sorted(paths, key=_order):
            if path != object_keys.MANIFEST:
                source = object_keys.redacting_key(statement.id, each.run, path)
                _move_file(
                    store, archive.spool.scratch, source, object_keys.run_key(each.run, path), found.resource(path).hash
                )
        replace_manifest(store, data, each.run)


def _order(path: str) -> tuple[bool, str]:
    """Records first, the index last: at every moment what it says of a record is true of it."""
    return path == object_keys.CDX, path


def _move_file(store: ObjectStore, scratch: Path, source: str, target: str, expected: str) -> None:
    try:
        private_folder(scratch)
        with TemporaryDirectory(dir=scratch, prefix="redacting-") as work:
            copy = Path(work) / "file"
            with copy.open("wb") as file:
                for piece in store.stream(source):
                    file.write(piece)
            found = digest_of_file(copy)
            if found[0] != expected:
                raise IntegrityError(f"{source} is not the file that was signed; mend it from a copy of the store")
            put_file_verified(store, target, copy, found)
    except OSError as error:
        raise StoreUnavailable(f"cannot write in {scratch}: {error.strerror or error}") from error


def forget_merged(archive: Archive) -> None:
    """Make the merged index again, and leave nothing of what it was: titles stand in it."""
    first = archive.unguarded().stores.primary
    generations = Catalog(first, Cache(None)).generations
    before = set(generations.files())
    if not before:
        return
    archive.merge(rebuild=True)
    for name, files in generations.files().items():
        if name in before:
            for file in sorted(files, key=lambda file: file != object_keys.GENERATION):
                first.delete(object_keys.generation_key(name, file))
    archive.refresh()


def _delete(store: ObjectStore, name: str, files: list[tuple[str, str]]) -> None:
    for run, path in sorted(files, key=lambda each: each[1] == object_keys.MANIFEST):
        with suppress(ObjectMissing):
            store.delete(object_keys.redacting_key(name, run, path))
