"""What a store says is not to be shown: its rules and its redactions, read together, and written by any number at once.

Every notice is an object of its own that never changes, so that no writer waits for another: a rule ends by a further
object. Readers of the store ask here first. What cannot be understood ends the reading: a rule that is passed over
would show what it was to withhold.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from archive import object_keys
from archive.access.redaction_statement import LONGEST as LONGEST_STATEMENT
from archive.access.redaction_statement import Signed, read_statement
from archive.access.rules import (
    LONGEST,
    NOTHING,
    Policy,
    Redacted,
    Rule,
    check_removal,
    decode_rule,
    encode_removal,
    encode_rule,
)
from archive.crypto.signed_note import PublicKey
from archive.errors import IntegrityError, NoSuchRule
from archive.local_cache import Cache
from archive.times import now
from storage.base import ObjectStore
from storage.errors import ObjectMissing, StoreError, StoreMissing

MOST = 10_000  # notices of a store
_SPARE = 100  # of these, left for what ends a rule, for redactions and for writers at the same time
_READERS = 16  # requests at once
_ATTEMPTS = 8
_KEYS = {"rule": object_keys.rule_key, "removal": object_keys.removal_key, "redaction": object_keys.redaction_key}


@dataclass(frozen=True, slots=True)
class Named:
    """A rule and the name it is removed by."""

    name: str
    rule: Rule


@dataclass(slots=True, eq=False)
class Notices:
    """The notices of one store. Safe for several threads."""

    _store: ObjectStore
    _cache: Cache
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _policy: Policy = NOTHING
    _made_from: dict[str, list[str]] = field(default_factory=dict)  # the names that the policy was made from
    _fresh: bool = False
    epoch: str = ""

    def refresh(self) -> None:
        """Look again at the next question."""
        self._fresh = False

    def policy(self) -> Policy:
        """Return what is not to be shown now; raises IntegrityError where a notice cannot be understood, StoreError."""
        with self._lock:
            if not self._fresh:
                found = self._listed()
                if found != self._made_from:
                    self._policy, self._made_from = self._made(found), found
                    self.epoch = _epoch(found.get("redaction", ()))
                self._fresh = True
            return self._policy

    def _made(self, found: dict[str, list[str]]) -> Policy:
        redacted = Redacted()
        for signed in self._read_statements(found.get("redaction", ())):
            said = signed.statement
            if said.gone:
                redacted.add_places(((each.place, each.record_id) for each in said.gone), said.withholding)
            else:
                redacted.add_ids((each.run for each in said.replaced), said.records, said.withholding)
        rules = [named.rule for named in self._read_rules(found)]
        return NOTHING if redacted.empty and not rules else Policy(rules, redacted)

    def rules(self) -> list[Named]:
        """Return the rules that were not removed, embargoes that are over among them, oldest first.

        Raises as `policy`.
        """
        return self._read_rules(self._listed())

    def statements(self, known: Iterable[PublicKey] = ()) -> list[Signed]:
        """Return the redactions, oldest first, and which of the known keys signed each; raises as `policy`."""
        return self._read_statements(self._listed().get("redaction", ()), tuple(known))

    def epoch_now(self) -> str:
        """Return the epoch as the store has it now, whatever its rules say; raises IntegrityError, StoreError."""
        return _epoch(self._listed().get("redaction", ()))

    def readable_statements(self, known: tuple[PublicKey, ...]) -> tuple[list[Signed], list[tuple[str, str]]]:
        """Return the redactions that can be understood, and of the others the key and what is wrong.

        Raises StoreError.
        """
        found, faults = [], []
        for name in sorted(self._listed().get("redaction", ())):
            try:
                found.append(self._statement(name, known))
            except IntegrityError as error:
                faults.append((object_keys.redaction_key(name), str(error)))
        return found, faults

    def faults(self) -> Iterator[tuple[str, str]]:
        """Each notice that cannot be understood, by its key, and what is wrong with it; raises StoreError."""
        for kind, names in self._listed().items():
            for name in names:
                try:
                    if kind == "rule":
                        self._rule(name)
                    elif kind == "redaction":
                        self._statement(name, ())
                    else:
                        check_removal(self._bytes(object_keys.removal_key(name), LONGEST), name)
                except IntegrityError as error:
                    yield _KEYS[kind](name), str(error)

    def _listed(self) -> dict[str, list[str]]:
        """Return the names of all notices, by what they are."""
        found: dict[str, list[str]] = {}
        count = 0
        try:
            for info in self._store.list(object_keys.NOTICES_PREFIX):
                count += 1
                if count > MOST:
                    raise IntegrityError(
                        f"the store holds more than {MOST:,} rules and redactions, so nothing is shown; "
                        f"remove what is not yours under {object_keys.NOTICES_PREFIX}"
                    )
                if parts := object_keys.split_notice_key(info.key):
                    found.setdefault(parts[0], []).append(parts[1])
        except StoreMissing:  # a directory that is yet to be made
            return {}
        return found

    def _read_rules(self, found: dict[str, list[str]]) -> list[Named]:
        standing = sorted(set(found.get("rule", ())) - set(found.get("removal", ())))
        with ThreadPoolExecutor(_READERS) as pool:
            return [Named(name, rule) for name, rule in zip(standing, pool.map(self._rule, standing), strict=True)]

    def _rule(self, name: str) -> Rule:
        key = object_keys.rule_key(name)
        try:
            data = self._bytes(key, LONGEST)
            rule = decode_rule(data)
        except IntegrityError as error:
            raise IntegrityError(
                f"{key}: {error}; nothing is shown until it is mended from a copy of the store, or removed with: "
                f"onrecord withhold remove {name}"
            ) from error
        self._cache.put(key, data)  # not before it is understood: what is mended in the store must be seen here
        return rule

    def _read_statements(self, names: Iterable[str], known: tuple[PublicKey, ...] = ()) -> list[Signed]:
        return [self._statement(name, known) for name in sorted(names)]

    def _statement(self, name: str, known: tuple[PublicKey, ...]) -> Signed:
        key = object_keys.redaction_key(name)
        try:
            data = self._bytes(key, LONGEST_STATEMENT)
            signed = read_statement(data, name, known)
        except IntegrityError as error:
            raise IntegrityError(
                f"{key}: {error}; repair it from a copy of the store: onrecord repair --from STORE"
            ) from error
        self._cache.put(key, data)
        return signed

    def _bytes(self, key: str, limit: int) -> bytes:
        """Return a notice's bytes, from this machine where it was read before: none ever changes."""
        kept = self._cache.get(key)
        if kept is not None:
            return kept
        try:
            data = self._store.get_range(key, 0, limit + 1)
        except ObjectMissing as error:
            raise IntegrityError("it was there when the store was listed, and is not now") from error
        if len(data) > limit:
            raise IntegrityError("it is larger than any that this program writes")
        return data

    # Writing

    def add(self, rule: Rule) -> str:
        """Keep a rule; returns its name. Raises ValueError for one that is too large, or one too many, StoreError."""
        data = encode_rule(rule)
        if sum(map(len, self._listed().values())) + _SPARE >= MOST:
            raise ValueError(
                f"the store holds all the rules and redactions that it can, {MOST:,} with those that are ended: put "
                "one rule in the place of many, by --match"
            )
        for _ in range(_ATTEMPTS):
            name = object_keys.new_run_id(now())
            if self._store.put_if_absent(object_keys.rule_key(name), data):
                self.refresh()
                return name
        raise StoreError(f"no name is free for a rule in {self._store.url}; try again")

    def remove(self, name: str, why: str | None = None) -> None:
        """End a rule, one that cannot be understood too; raises NoSuchRule, StoreError."""
        found = self._listed()
        if name not in found.get("rule", ()) or name in found.get("removal", ()):
            raise NoSuchRule(f"there is no rule {name}; `onrecord withhold list` names them")
        self._store.put_if_absent(object_keys.removal_key(name), encode_removal(name, why))
        self.refresh()


def _epoch(names: Iterable[str]) -> str:
    """Return a word that is another one after every redaction.

    What was kept of the runs until then is to be forgotten.
    """
    said = "\n".join(sorted(names))
    return hashlib.sha256(said.encode()).hexdigest()[:16] if said else ""


def epoch_of(store: ObjectStore) -> str:
    """Return the epoch of a store by its listing alone; raises StoreError."""
    parts = [object_keys.split_notice_key(info.key) for info in store.list(object_keys.NOTICES_PREFIX)]
    return _epoch(part[1] for part in parts if part and part[0] == "redaction")


def verify_notices(store: ObjectStore) -> Iterator[tuple[str, str]]:
    """Return what is wrong with a store's notices, read anew: each key, and a line for it; raises StoreError."""
    return Notices(store, Cache(None)).faults()
