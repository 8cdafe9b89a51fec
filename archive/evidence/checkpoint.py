"""Checkpoints of the log, as C2SP tlog-checkpoint has them: its name, its size and its root, in a signed note."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from archive import object_keys
from archive.crypto import merkle
from archive.crypto.signed_note import PublicKey, Signer, open_note
from archive.errors import IntegrityError, KeyFileError
from archive.evidence.run_log import Entries
from storage.base import ObjectStore
from storage.errors import ObjectMissing

_MOST = 1 << 20  # bytes of a note


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's name, how many entries it has, and the root over them; and the note that says so."""

    origin: str
    size: int
    root: bytes
    note: str

    @property
    def head(self) -> tuple[int, bytes]:
        """Size and root."""
        return self.size, self.root

    @classmethod
    def parse(cls, data: bytes) -> Checkpoint:
        """Read a note, by any signer; raises IntegrityError for what is no checkpoint."""
        try:
            note = data.decode("utf-8")
            text, _ = open_note(note, ())
            origin, size, root, *more = text.removesuffix("\n").split("\n")
            found = cls(origin, int(size), base64.b64decode(root, validate=True), note)
        except (ValueError, binascii.Error) as error:
            raise IntegrityError(f"this is no checkpoint: {error}") from error
        if (
            not (origin and all(more))
            or found.size < 0
            or len(found.root) != merkle.SIZE
            or text_of(found, more) != text
        ):
            raise IntegrityError("this is no checkpoint: a name, a size and a root should stand in it, each on a line")
        return found

    def signers(self, known: Iterable[PublicKey]) -> list[PublicKey]:
        """Those of the keys that signed it; raises IntegrityError where one signed something else."""
        return open_note(self.note, known)[1]


def text_of(checkpoint: Checkpoint, more: Sequence[str] = ()) -> str:
    """Return what is signed."""
    root = base64.b64encode(checkpoint.root).decode()
    return "".join(f"{line}\n" for line in (checkpoint.origin, checkpoint.size, root, *more))


def signed(origin: str, entries: Entries, signer: Signer) -> Checkpoint:
    """Return a checkpoint of the log as it is."""
    leaves = entries.leaves()
    unsigned = Checkpoint(origin, len(leaves), merkle.root_of(leaves), "")
    return Checkpoint(origin, unsigned.size, unsigned.root, signer.sign(text_of(unsigned)))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a checkpoint lies in a store, and what its name says of it."""

    key: str
    size: int
    signer: str  # the id of the key


def places(store: ObjectStore) -> list[Place]:
    """Where the checkpoints of a store lie, the smallest first; raises StoreError."""
    named = (
        (info.key, object_keys.split_checkpoint_key(info.key)) for info in store.list(object_keys.CHECKPOINTS_PREFIX)
    )
    return [Place(key, *parts) for key, parts in named if parts is not None]


def read_checkpoint(store: ObjectStore, place: Place, known: Mapping[str, PublicKey]) -> Checkpoint:
    """Return a checkpoint, by the public keys of its store, by id.

    Raises IntegrityError where it is not the one it should be.

    Raises StoreError.
    """
    found = Checkpoint.parse(store.get_range(place.key, 0, _MOST))
    signer = known.get(place.signer)
    if signer is None:
        raise IntegrityError(
            f"its key is not under {object_keys.SIGNERS_PREFIX}, or is damaged: restore it from a copy"
        )
    if found.size != place.size or not found.signers([signer]):
        raise IntegrityError("it is not the checkpoint that its name says: it was altered, or another put in its place")
    return found


def signers(store: ObjectStore) -> dict[str, PublicKey]:
    """Return the public keys that a store names, by id: whose they are, the store cannot prove."""
    found = {}
    for info in store.list(object_keys.SIGNERS_PREFIX):
        try:
            data = store.get_range(info.key, 0, _MOST)
            key = PublicKey.parse(data.decode("utf-8", "replace"))
        except (KeyFileError, ObjectMissing):
            continue
        if info.key == object_keys.SIGNERS_PREFIX + key.id.hex() and data == f"{key}\n".encode():
            found[key.id.hex()] = key
    return found


def keep(store: ObjectStore, checkpoint: Checkpoint, signer: PublicKey) -> str:
    """Put a checkpoint, and the key to check it by; returns its object key. Raises StoreError."""
    store.put_if_absent(object_keys.SIGNERS_PREFIX + signer.id.hex(), f"{signer}\n".encode())
    key = object_keys.checkpoint_key(checkpoint.size, signer.id.hex())
    store.put_if_absent(key, checkpoint.note.encode())
    return key


def disagreement(checkpoint: Checkpoint, entries: Entries, roots: Mapping[int, bytes]) -> str | None:
    """How a log is not the one that a checkpoint was signed of, if it is not; by the roots that the log had.

    Consistent they are when the log's first entries have the checkpoint's root (RFC 6962 §2.1.2).
    """
    if checkpoint.size > len(entries.all):
        return (
            f"it covers {checkpoint.size:,} runs, and the log holds {len(entries.all):,}: its last entries were deleted"
            + (f" ({entries.fault})" if entries.fault else "")
        )
    if roots.get(checkpoint.size) != checkpoint.root:
        return f"the first {checkpoint.size:,} entries of the log are not those that were signed: the log was rewritten"
    return None
