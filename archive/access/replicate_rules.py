"""What a replica gets before any run: its identity, and the access rules."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from archive import object_keys
from archive.access.redaction_statement import LONGEST, read_statement
from archive.access.rule_store import verify_notices
from archive.crypto.signed_note import PublicKey
from archive.errors import IntegrityError
from archive.verified_put import put_verified
from storage.base import ObjectStore


@dataclass(frozen=True, slots=True)
class Copied:
    """What was done for one run: how many files and bytes were put, and one line for each fault."""

    run: str
    files: int = 0
    bytes: int = 0
    faults: tuple[str, ...] = ()


def carry_notices(source: ObjectStore, target: ObjectStore, known: Collection[PublicKey] | None = None) -> Copied:
    """Put every rule and redaction of one store into another that lacks it, or holds it damaged; raises StoreError.

    A damaged one is named, and put as it is into a store that lacks it, which would else show what it hides.
    With `known`, those that differ are looked at too: a redaction that one of these keys signed takes the place of
    what nobody signed.
    """
    files, size, faults = 0, 0, []
    damaged = dict(verify_notices(target))
    unsound = dict(verify_notices(source))
    there = {info.key for info in target.list(object_keys.NOTICES_PREFIX)}
    for info in source.list(object_keys.NOTICES_PREFIX):
        if info.key in unsound:
            faults.append(f"{info.key}: {unsound[info.key]}")
            if info.key in there:
                continue
        if not object_keys.split_notice_key(info.key):
            continue
        is_wanted = info.key not in there or info.key in damaged
        if not is_wanted and (known is None or source.get(info.key) == target.get(info.key)):
            continue
        if not (is_wanted or _is_truer(source, target, info.key, known or ())):
            faults.append(f"{info.key} is another one in each store; `onrecord verify` at both tells which is true")
            continue
        data = source.get_range(info.key, 0, LONGEST + 1)
        put_verified(target, info.key, data)
        files, size = files + 1, size + len(data)
    return Copied(object_keys.NOTICES_PREFIX, files, size, tuple(faults))


def _is_truer(source: ObjectStore, target: ObjectStore, key: str, known: Collection[PublicKey]) -> bool:
    """Whether the source's redaction is signed by somebody who is known, and the target's by nobody."""
    kind, name = object_keys.split_notice_key(key) or ("", "")

    def is_signed(store: ObjectStore) -> bool:
        try:
            return bool(read_statement(store.get(key), name, known).signers)
        except IntegrityError:
            return False

    return kind == "redaction" and is_signed(source) and not is_signed(target)
