"""What signed statements excuse: manifests that were replaced, and runs that are about to be. Others excuse nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from archive import object_keys
from archive.access.redaction_statement import Signed, Statement
from archive.access.rule_store import Notices
from archive.crypto.signed_note import PublicKey
from archive.digests import digest_of
from archive.errors import IntegrityError
from archive.formats import manifest
from archive.local_cache import Cache
from archive.times import iso
from storage.base import ObjectStore
from storage.errors import ObjectMissing

_NOBODY = (
    "nobody who is known here signed it, so it excuses nothing; if you know who did, name the key in the setting "
    "trusted_keys"
)


@dataclass(frozen=True, slots=True)
class Excused:
    """What the redactions of a store say, as far as somebody who is known here says it.

    `replaced` names the hash that a manifest has now; `unfinished` the files of a run on their way, by path
    and hash; `notes` a line for each redaction of a run; `unknown` the runs that somebody else says were redacted.
    """

    replaced: Mapping[str, str] = field(default_factory=dict)
    unfinished: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)

    def stands(self, digest: str, hashes: Collection[str]) -> bool:
        """Whether a manifest that is named is there, or one that replaced it."""
        return digest in hashes or any(each in hashes for each in successors(digest, self.replaced))


NOTHING = Excused()


def successors(digest: str, replaced: Mapping[str, str]) -> Iterator[str]:
    """Yield the hashes of the manifests that replaced one, each the one before it: a run may be redacted many times."""
    seen = {digest}
    while (digest := replaced.get(digest, digest)) not in seen:
        seen.add(digest)
        yield digest


def is_behind(old: str, new: str, statements: Iterable[Statement]) -> bool:
    """Whether statements lead from one manifest's hash to another one's, by whichever of several that replace one."""
    following: dict[str, set[str]] = {}
    for each in (each for statement in statements for each in statement.replaced):
        following.setdefault(each.old, set()).add(each.new)
    seen, left = {old}, [old]
    while left:
        more = following.get(left.pop(), set()) - seen
        seen |= more
        left += more
    return new in seen


def replaced_by(store: ObjectStore, statements: Iterable[Statement]) -> dict[str, str]:
    """By the hash of each manifest that a redaction replaces, the hash of the one in its place; raises StoreError.

    Of several that replace one, it is that of the redaction which the run, as it is, names.
    """
    replaced: dict[str, str] = {}
    for statement in statements:
        for each in statement.replaced:
            if each.old not in replaced or statement.id in _carried_out(store, each.run):
                replaced[each.old] = each.new
    return replaced


def _carried_out(store: ObjectStore, run: str) -> tuple[str, ...]:
    try:
        return manifest.parse(store.get(object_keys.run_key(run, object_keys.MANIFEST))).redactions
    except (ObjectMissing, IntegrityError):
        return ()


def excused(store: ObjectStore, known: Iterable[PublicKey]) -> tuple[Excused, list[tuple[str, str]]]:
    """Return what is excused in a store, and what is wrong with statements: each one's key, and a line.

    Raises StoreError.
    """
    unfinished: dict[str, dict[str, str]] = {}
    notes: dict[str, tuple[str, ...]] = {}
    unknown: dict[str, str] = {}
    found, faults = Notices(store, Cache(None)).readable_statements(tuple(known))
    for signed in found:
        statement = signed.statement
        if not signed.signers:
            key = object_keys.redaction_key(statement.id)
            faults.append((key, _NOBODY))
            unknown |= {each.run: key for each in statement.replaced}
            continue
        for each in statement.replaced:
            notes[each.run] = (*notes.get(each.run, ()), _note(signed))
            files = _aside(store, statement.id, each.run, each.new)
            if files and statement.id not in _carried_out(store, each.run):
                unfinished[each.run] = files
    replaced = replaced_by(store, [each.statement for each in found if each.signers])
    return Excused(replaced, unfinished, notes, unknown), faults


def _note(signed: Signed) -> str:
    statement = signed.statement
    return (
        f"redacted by {signed.by} on {iso(statement.at)}: {statement.reason} "
        f"({len(statement.records):,} records, {object_keys.redaction_key(statement.id)})"
    )


def _aside(store: ObjectStore, name: str, run: str, new: str) -> dict[str, str]:
    """Return the files of a run that lie aside, by path and hash, where their manifest is the one that was signed."""
    try:
        data = store.get_range(object_keys.redacting_key(name, run, object_keys.MANIFEST), 0, manifest.LONGEST)
        found = manifest.parse(data)
    except (ObjectMissing, IntegrityError):
        return {}
    if digest_of(data) != new:
        return {}
    return {resource.path: resource.hash for resource in found.resources}
