"""Signed notes: lines of text, and below them who signed them, as C2SP signed-note has it, by Ed25519 (RFC 8032)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import platform
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from archive.errors import IntegrityError, KeyFileError
from storage.private import private_folder

_ED25519 = b"\x01"  # the algorithm's byte in keys and key ids
_NAME = re.compile(r"[^\s+]{1,200}\Z")
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")  # for a name in a command that is pasted
_SEED = 32  # bytes of a private key
_PRIVATE = "PRIVATE+KEY+"
_DASH = "\u2014"  # before each signature
_MOST_SIGNATURES = 100


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Who may have signed: a name without spaces or plus signs, and the 32 bytes of an Ed25519 key."""

    name: str
    raw: bytes

    @property
    def id(self) -> bytes:
        """The four bytes by which a signature names its key."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.raw).digest()[:4]

    def __str__(self) -> str:
        """Return the key as it is handed on: name, id and key, joined by plus signs."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.raw).decode()}"

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """Read what `str` wrote; raises KeyFileError."""
        name, _, rest = text.strip().partition("+")
        _, _, encoded = rest.partition("+")
        try:
            data = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            data = b""
        key = cls(name, data[1:])
        if not _NAME.match(name) or data[:1] != _ED25519 or len(data) != 1 + _SEED or str(key) != text.strip():
            raise KeyFileError(f"{text.strip()[:80]!r} is no key to check signatures by; it has the form NAME+ID+KEY")
        return key

    def signed(self, text: str, signature: bytes) -> bool:
        """Whether this key signed a text."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer:
    """A private key and the name it signs by."""

    def __init__(self, name: str, seed: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = PublicKey(name, self._key.public_key().public_bytes_raw())

    @classmethod
    def load(cls, path: Path) -> Signer:
        """Return the key in a file; raises KeyFileError for a file without a key that can be read."""
        try:
            text = path.read_text("ascii").strip()
        except (FileNotFoundError, NotADirectoryError) as error:
            name = _UNFIT.sub("-", platform.node()) or "onrecord"
            raise KeyFileError(
                f"there is no signing key at {path}; make one: onrecord evidence key --new {name}"
            ) from error
        except (OSError, ValueError) as error:
            raise KeyFileError(f"the signing key {path} cannot be read: {error}") from error
        name, _, rest = text.removeprefix(_PRIVATE).partition("+")
        identity, _, encoded = rest.partition("+")
        try:
            data = base64.b64decode(encoded, validate=True)
            signer = cls(name, data[1:]) if data[:1] == _ED25519 and _NAME.match(name) else None
        except (binascii.Error, ValueError):
            signer = None
        if signer is None or not text.startswith(_PRIVATE) or signer.public.id.hex() != identity:
            raise KeyFileError(f"{path} holds no signing key; name another file, or make one: onrecord evidence key")
        return signer

    @classmethod
    def create(cls, path: Path, name: str) -> Signer:
        """Make a key and keep it in a new file that nobody else can read; raises KeyFileError."""
        if not _NAME.match(name):
            raise KeyFileError(f"{name!r} cannot be a signer's name: no spaces, no plus signs; write clinic.example")
        seed = secrets.token_bytes(_SEED)
        signer = cls(name, seed)
        encoded = base64.b64encode(_ED25519 + seed).decode()
        try:
            private_folder(path.parent, may_be_shared=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(f"{_PRIVATE}{name}+{signer.public.id.hex()}+{encoded}\n")
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError as error:
            raise KeyFileError(f"there is a key at {path} already; it is left as it is") from error
        except OSError as error:
            raise KeyFileError(f"the signing key {path} cannot be written: {error.strerror or error}") from error
        return signer

    def sign(self, text: str) -> str:
        """Return a signed note of a text, which ends with a newline; raises ValueError where it does not."""
        if not text.endswith("\n") or any(ord(letter) < 32 and letter != "\n" for letter in text):
            raise ValueError("a note is lines of text, without controls, each ended by a newline")
        signature = base64.b64encode(self.public.id + self._key.sign(text.encode())).decode()
        return f"{text}\n{_DASH} {self.public.name} {signature}\n"


def open_note(note: str, keys: Iterable[PublicKey]) -> tuple[str, list[PublicKey]]:
    """Return a note's text, and those of the keys that signed it.

    Raises IntegrityError where one signed something else.
    """
    text, signatures = _split(note)
    known = {(key.name, key.id): key for key in keys}
    signers = []
    for name, identity, signature in signatures:
        key = known.get((name, identity))
        if key is None:  # of somebody else: that is no fault
            continue
        if not key.signed(text, signature):
            raise IntegrityError(
                f"the signature of {name} is not over this text: the text was altered, or the signature"
            )
        if key not in signers:
            signers.append(key)
    return text, signers


def _split(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    text, blank, below = note.rpartition("\n\n")
    lines = below.removesuffix("\n").split("\n")
    if not blank or not below.endswith("\n") or len(lines) > _MOST_SIGNATURES:
        raise IntegrityError("this is no signed note: it has no signatures below its text")
    found = []
    for line in lines:
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        try:
            data = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            data = b""
        if dash != _DASH or not _NAME.match(name) or len(data) < 5 or base64.b64encode(data).decode() != encoded:
            raise IntegrityError("this is no signed note: a line below its text is no signature")
        found.append((name, data[:4], data[4:]))
    return f"{text}\n", found
