"""A bundle of evidence checked, step by step, by nothing but itself and what its reader trusts: a key, and roots.

A bundle comes from a stranger. Nothing in it is believed: every step is made again, and what does not hold is said in
one line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archive import object_keys
from archive.checked_json import size_of, text_of
from archive.crypto import merkle
from archive.crypto.rfc3161 import LIMIT, Stamp, check_token
from archive.crypto.signed_note import PublicKey
from archive.digests import digest_of, digest_of_stream
from archive.errors import IntegrityError, KeyFileError
from archive.evidence.bundle_layout import Understood, body_of, entries_of, head_of, proof_of
from archive.evidence.bundle_page import NAME
from archive.evidence.bundle_page_check import page_fault
from archive.evidence.bundle_shown import about, in_bundle
from archive.evidence.bundle_text import READMES
from archive.evidence.bundle_zip import Packed, part_of
from archive.evidence.checkpoint import Checkpoint
from archive.evidence.run_log import Entry
from archive.formats import manifest
from archive.model import Manifest
from archive.times import iso
from archive.warc.reader import Record, read_record

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_SMALL = 1 << 20
_LARGE = 16 << 20  # bytes of a manifest, or of bundle.json
_UNPACKED = 16 << 30  # bytes that a bundle's records may hold in all
_PIECE = 1 << 16
_TEXT = 512 << 20  # bytes of the text, and of the page
_REVISIT = "revisit"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was looked at: whether it holds, and one line about it; None where it can only be said."""

    holds: bool | None
    text: str


@dataclass(slots=True)
class _Seen:
    """A record of the bundle that was read."""

    name: str
    record: Record
    payload: str | None  # the digest of its payload, made again


@dataclass(slots=True)
class Checking:
    """One bundle being checked; `steps` gives what was found, and afterwards the rest says what it was about."""

    path: Path
    key: PublicKey | None = None
    roots: Sequence[Certificate] = ()
    other: Checkpoint | None = None  # that its reader has
    stamps: list[Stamp] = field(default_factory=list)
    broken: int = 0
    _manifests: dict[str, Manifest] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)
    _left: int = _UNPACKED
    _signer: str = ""
    _seen: list[_Seen] = field(default_factory=list)

    def steps(self) -> Iterator[Step]:
        """Look at everything in turn; what is wrong is a step that does not hold. Raises OSError."""
        try:
            packed = Packed(self.path)
        except IntegrityError as error:
            yield self._no(str(error))
            return
        try:
            yield from self._all(packed)
        except IntegrityError as error:
            yield self._no(str(error))
        finally:
            packed.close()

    def _no(self, text: str) -> Step:
        self.broken += 1
        return Step(False, text)

    def _all(self, packed: Packed) -> Iterator[Step]:
        body = body_of(self._read(packed, "bundle.json", _LARGE))
        if self._read(packed, "README.txt", _SMALL) != READMES[body["version"]].encode():
            yield self._no("README.txt is not the one of this version: it was altered")
        note = self._read(packed, "checkpoint", _SMALL)
        checkpoint = Checkpoint.parse(note)
        yield from self._signature(packed, checkpoint)
        yield from self._consistency(checkpoint, body.get("consistency"))
        for entry in entries_of(body, "runs"):
            yield from self._run(packed, entry, checkpoint)
        yield from self._records(packed, entries_of(body, "records"))
        yield from self._tokens(packed, note)
        if body["version"] != 1:
            yield from self._page(packed, body["shown"], checkpoint, entries_of(body, "runs")[0]["run"])
        unused = sorted(set(packed.sizes) - self._used)
        if unused:
            yield self._no(f"{unused[0]} is in it, and nothing says what for")
        packed.compare()
        yield Step(True, f"the file is packed as version {body['version']} says, and every byte of it is accounted for")

    def _read(self, packed: Packed, name: str, limit: int) -> bytes:
        self._used.add(name)
        return packed.read(name, limit)

    def _signature(self, packed: Packed, checkpoint: Checkpoint) -> Iterator[Step]:
        names = [name for name in packed.sizes if name.startswith("keys/")]
        if len(names) != 1:
            raise IntegrityError("one key should be in it")
        data = self._read(packed, names[0], _SMALL)
        try:
            key = PublicKey.parse(data.decode("utf-8", "replace"))
        except KeyFileError as error:
            raise IntegrityError(f"{names[0]}: {error}") from error
        if names[0] != f"keys/{key.id.hex()}" or data != f"{key}\n".encode():
            yield self._no(f"{names[0]} holds another key than its name says")
        trusted = self.key or key
        self._signer = key.name
        try:
            is_signed = trusted in checkpoint.signers([trusted])
        except IntegrityError as error:
            yield self._no(f"checkpoint: {error}")
            return
        if not is_signed:
            yield self._no(f"checkpoint: it is not signed by {trusted.name}+{trusted.id.hex()}")
            return
        said = "which you named" if self.key else f"which came with it: {key}"
        what = f"the log {checkpoint.origin}, of {checkpoint.size:,} runs, is signed by {trusted.name}, by a key {said}"
        yield Step(True, what)

    def _consistency(self, checkpoint: Checkpoint, said: Any) -> Iterator[Step]:
        """Another checkpoint of the log: the larger of the two must have added to the smaller, and no more."""
        there = (checkpoint.size, checkpoint.root) if said is None else head_of(said)
        proof: merkle.Proof = ()
        if said is not None:
            with Understood():
                proof = proof_of(said["proof"])
        old, new = sorted((there, checkpoint.head))
        if not merkle.extends(old, new, proof):
            yield self._no(f"the proof that its log agrees with one of {there[0]:,} runs does not hold")
        elif self.other is None:
            yield from [] if said is None else [Step(None, f"it agrees with a checkpoint of {there[0]:,} runs")]
        elif self.other.origin != checkpoint.origin:
            yield self._no(f"the checkpoint that you named is of another log, {self.other.origin[:80]}")
        elif self.other.head != there:
            yield self._no("it holds no proof that its log is that of the checkpoint that you named")
        else:
            yield Step(True, f"its log is that of the checkpoint that you named, of {there[0]:,} runs: nothing went")

    def _run(self, packed: Packed, said: dict[str, Any], checkpoint: Checkpoint) -> Iterator[Step]:
        with Understood():
            run, number, proof = text_of(said["run"]), size_of(said["entry"]), proof_of(said["proof"])
        if not object_keys.is_run_id(run) or set(said) != {"run", "entry", "proof"} or run in self._manifests:
            raise IntegrityError("bundle.json names a run in a way that no bundle does")
        data = self._read(packed, f"runs/{run}/{object_keys.MANIFEST}", _LARGE)
        found = manifest.parse(data)
        leaf = merkle.leaf_hash(Entry(run, digest_of(data)).line)
        if found.run != run:
            yield self._no(f"the manifest of run {run} is that of {found.run}")
        elif not merkle.included(leaf, number, checkpoint.size, proof, checkpoint.root):
            yield self._no(f"run {run}: its manifest is not in the log that was signed: it was altered, or the proof")
        else:
            self._manifests[run] = found
            yield Step(True, f"run {run}, which says that it ended at {iso(found.created)}, is entry {number:,} of it")

    # Records

    def _records(self, packed: Packed, said: list[dict[str, Any]]) -> Iterator[Step]:
        seen = self._seen
        for entry in said:
            with Understood():
                name, run = text_of(entry["file"]), text_of(entry["run"])
            if run not in self._manifests:
                yield self._no(f"{name}: its run {run[:40]} is not proved to be in the log")
                continue
            whole = "offset" in entry
            yield from self._whole(packed, name, run, entry) if whole else self._leaf(packed, name, run, entry)
            one = self._record(packed, name, entry if whole else None)
            seen.append(one)
            yield Step(True, f"{name} is {about(one.record)}")
        if not seen:
            raise IntegrityError("no record is in it")
        yield from self._payload(seen)

    def _leaf(self, packed: Packed, name: str, run: str, said: dict[str, Any]) -> Iterator[Step]:
        """Yield a record by itself: its leaf, and the proof that leads to the root in the manifest."""
        with Understood():
            number, proof = size_of(said["leaf"]), proof_of(said["proof"])
        if set(said) != {"file", "run", "leaf", "proof"} or not name.startswith("records/"):
            raise IntegrityError("bundle.json names a record in a way that no bundle does")
        self._used.add(name)
        leaf = hashlib.sha256(merkle.LEAF)
        for piece in packed.stream(name):
            leaf.update(piece)
        root = self._manifests[run].records
        if root is None:
            yield self._no(f"{name}: the manifest of run {run} vouches for whole files only, and this is none")
        elif not merkle.included(leaf.digest(), number, root.count, proof, bytes.fromhex(root.root[7:])):
            yield self._no(f"{name} is no record of run {run} as it is here: it was altered, or the proof")
        else:
            yield Step(True, f"{name} is record {number:,} of the {root.count:,} of run {run}, byte for byte")

    def _whole(self, packed: Packed, name: str, run: str, said: dict[str, Any]) -> Iterator[Step]:
        """Yield a record of a run without a root: its whole file, by the hash in the manifest."""
        parts = object_keys.split_run_key(name)
        if set(said) != {"file", "run", "offset", "length"} or parts is None or parts[0] != run:
            raise IntegrityError("bundle.json names a record in a way that no bundle does")
        if name in self._used:
            return
        self._used.add(name)
        try:
            expected = self._manifests[run].resource(parts[1]).hash
        except KeyError:
            expected = ""
        if digest_of_stream(packed.stream(name))[0] != expected:
            yield self._no(f"{name} is not the file that the manifest of its run names: it was altered")
        else:
            yield Step(True, f"{name} is the whole file of that name of run {run}, byte for byte")

    def _record(self, packed: Packed, name: str, said: dict[str, Any] | None) -> _Seen:
        """Read a record to its last byte, its digests made again."""
        pieces = packed.stream(name)
        size = packed.sizes[name]
        if said is not None:
            with Understood():
                offset, size = size_of(said["offset"]), size_of(said["length"])
            pieces = part_of(pieces, offset, size)
        record = read_record(pieces)
        payload = self._digest(record) if record.kind in {"response", "resource"} else None
        for _ in self._counted(iter(lambda: record.block.read(_PIECE), b"")):
            pass
        record.member.drain()
        if record.member.length != size:
            raise IntegrityError(f"{name}: bytes follow the record")
        return _Seen(name, record, payload)

    def _digest(self, record: Record) -> str:
        _, _, entity = record.http()
        return digest_of_stream(self._counted(entity))[0]

    def _counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._left -= len(piece)
            if self._left < 0:
                raise IntegrityError(f"its records hold more than {_UNPACKED >> 30} GiB when they are unpacked")
            yield piece

    def _payload(self, seen: list[_Seen]) -> Iterator[Step]:
        """Yield a revisit says that its payload is another record's, which must be in the bundle, with that payload."""
        first = seen[0].record
        if first.kind != _REVISIT:
            yield Step(True, f"what is proved is {about(first)}")
            return
        digest, referred = first.header("WARC-Payload-Digest"), first.header("WARC-Refers-To")
        held = [one for one in seen if one.record.record_id == referred]
        if not held:
            yield self._no(f"the record that holds its payload, {str(referred)[:80]}, is not in it")
        elif digest is None or not (held := [one for one in held if one.payload == digest]):
            yield self._no("the record that should hold its payload holds another one")
        else:
            yield Step(True, f"what is proved is {about(first)}, its payload that of {about(held[0].record)}")

    def _page(self, packed: Packed, said: Any, checkpoint: Checkpoint, run: str) -> Iterator[Step]:
        """Yield the page for readers is what this program makes of the rest; its picture is that of a record."""
        records = [(in_bundle(one.name, one.record), one.payload) for one in self._seen]
        data = self._read(packed, f"runs/{run}/{object_keys.MANIFEST}", _LARGE)
        stamps = [(stamp.time, stamp.authority) for stamp in self.stamps]

        def read(name: str) -> bytes:
            return self._read(packed, name, _TEXT)

        def digest(name: str) -> str:
            self._used.add(name)
            return digest_of_stream(packed.stream(name))[0]

        fault = page_fault(read, digest, packed.sizes, said, records, checkpoint, self._signer, stamps, data)
        if fault is not None:
            yield self._no(fault)
            return
        made = f"its text is said to be that of {records[said['record']][0].file}, and is no part of what is signed"
        yield Step(True, f"{NAME} shows what is in it; {made}")

    def _tokens(self, packed: Packed, note: bytes) -> Iterator[Step]:
        for name in packed.sizes:
            if not name.startswith("tokens/"):
                continue
            try:
                stamp = check_token(self._read(packed, name, LIMIT), note, roots=self.roots)
            except IntegrityError as error:
                yield self._no(f"{name}: {error}")
                continue
            self.stamps.append(stamp)
            root = "leads to a root that you named" if stamp.is_trusted else "leads to no root that you named"
            yield Step(
                stamp.is_trusted or None, f"{name}: stamped at {iso(stamp.time)} by {stamp.authority}; it {root}"
            )
