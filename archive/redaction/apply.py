"""Redactions that were decided, carried out to their end: in the store, in its copies, and in what was made of it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta

from archive import object_keys
from archive.access.redaction_statement import Statement
from archive.access.unfinished_redactions import unfinished
from archive.archive import Archive
from archive.coordination.redaction_turns import may_clear, movers
from archive.crypto.signed_note import PublicKey
from archive.index.catalog import Catalog
from archive.local_cache import Cache
from archive.redaction.moves import Moves
from storage.base import ObjectStore
from storage.errors import ObjectMissing

_ROUNDS = 3
_PREPARING = timedelta(days=1)  # how long files may lie aside without a statement: somebody is about to put one


def finish(archive: Archive, known: Iterable[PublicKey]) -> list[Statement]:
    """Finish the redactions that were decided, by statements that a known key signed; returns these.

    Files that lie aside for a day without a statement are deleted. The primary is redacted, and the replicas follow as
    far as they answer. What another redaction came before stays for `archive.redaction.plan.finish_overtaken`. Raises
    IntegrityError where what lies aside is not what was signed, StoreError.
    """
    known = tuple(known)
    done: dict[str, Statement] = {}
    seen: set[str] = set()
    for _ in range(_ROUNDS):  # one that others decided meanwhile may be the one behind these
        store = archive.unguarded().stores.primary
        aside = unfinished(store)
        if aside.keys() <= seen:
            break
        seen |= aside.keys()
        archive.notices.refresh()
        signed = {each.statement.id: each for each in archive.notices.statements(known)}
        found = _carried_out(archive, [each.statement for each in signed.values() if each.signers], aside)
        for name, files in aside.items():
            if name not in signed and _is_forgotten(store, name) and may_clear(store, name):
                _delete(store, name, files)
        if found:
            _take_out_elsewhere(archive, found, known)
            for statement in found:
                _clear(archive, statement, aside[statement.id])
        done |= {each.id: each for each in found}
    return list(done.values())


def overtaken(archive: Archive, known: Iterable[PublicKey]) -> dict[Statement, list[str]]:
    """Return the signed redactions that others came before, with the runs in which they are to be made again.

    Raises IntegrityError, StoreError.
    """
    store = archive.unguarded().stores.primary
    aside = unfinished(store)
    archive.notices.refresh()
    signed = [each.statement for each in archive.notices.statements(tuple(known)) if each.signers]
    moves = Moves(store, archive.spool.scratch, signed)
    found = {}
    for statement in signed:
        if statement.id in aside and (
            runs := [it.run for it in statement.replaced if moves.is_overtaken(statement, it)]
        ):
            found[statement] = runs
    return found


def kept_for(archive: Archive) -> list[str]:
    """Return the keys by which other machines say that they move files that lie aside; raises StoreError."""
    store = archive.unguarded().stores.primary
    runs = {run for files in unfinished(store).values() for run, _ in files}
    return [key for run in sorted(runs) for key in movers(store, archive.spool.scratch, run)]


def _carried_out(
    archive: Archive, statements: list[Statement], aside: dict[str, list[tuple[str, str]]]
) -> list[Statement]:
    """Move the files of each redaction; returns those that are done. The one that a run has first is moved first."""
    moves = Moves(archive.unguarded().stores.primary, archive.spool.scratch, statements)
    waits = sorted((each for each in statements if each.id in aside), key=lambda each: each.id)
    left = waits
    for _ in range(_ROUNDS):
        left = [each for each in left if not moves.carry_out(each, aside[each.id])]
    return [each for each in waits if each not in left]


def _take_out_elsewhere(archive: Archive, done: list[Statement], known: tuple[PublicKey, ...]) -> None:
    archive.forget()
    runs = sorted({each.run for statement in done for each in statement.replaced})
    archive.unguarded().stores.redact_replicas(runs, archive.spool.scratch, known)
    forget_merged(archive)


def _clear(archive: Archive, statement: Statement, files: list[tuple[str, str]]) -> None:
    """Delete what lies aside for a redaction that is done, unless a process that sleeps may yet undo it."""
    store = archive.unguarded().stores.primary
    if not any(movers(store, archive.spool.scratch, each.run) for each in statement.replaced):
        _delete(store, statement.id, files)


def _is_forgotten(store: ObjectStore, name: str) -> bool:
    """Whether what lies aside was put long ago, by the store's clock: somebody may be about to put its statement."""
    present = store.now()
    infos = list(store.list(f"{object_keys.REDACTING_PREFIX}{name}/"))
    return all(info.modified is not None and present - info.modified > _PREPARING for info in infos)


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
