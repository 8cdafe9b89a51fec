"""What signed statements excuse: manifests that were replaced, and runs that are about to be. Others excuse nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from archive import object_keys
from archive.access.redaction_statement import Signed
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

    `replaced` names the hash that stands for a manifest's now; `unfinished` the files of a run on their way, by path
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


def excused(store: ObjectStore, known: Iterable[PublicKey]) -> tuple[Excused, list[tuple[str, str]]]:
    """What is excused in a store, and what is wrong with statements: each one's key, and a line; raises StoreError."""
    replaced: dict[str, str] = {}
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
            replaced[each.old] = each.new
            notes[each.run] = (*notes.get(each.run, ()), _note(signed))
            if files := _aside(store, statement.id, each.run, each.new):
                unfinished[each.run] = files
    return Excused(replaced, unfinished, notes, unknown), faults


def _note(signed: Signed) -> str:
    statement = signed.statement
    return (
        f"redacted by {signed.by} on {iso(statement.at)}: {statement.reason} "
        f"({len(statement.records):,} records, {object_keys.redaction_key(statement.id)})"
    )


def _aside(store: ObjectStore, name: str, run: str, new: str) -> dict[str, str]:
    """The files of a run that lie aside, by path and hash, where their manifest is the one that was signed."""
    try:
        data = store.get_range(object_keys.redacting_key(name, run, object_keys.MANIFEST), 0, manifest.LONGEST)
        found = manifest.parse(data)
    except (ObjectMissing, IntegrityError):
        return {}
    if digest_of(data) != new:
        return {}
    return {resource.path: resource.hash for resource in found.resources}
