"""Digests as other programs declare them: `sha1:` in Base32, `sha256:` in hex, `md5:`, in either case."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Protocol

_SIZES = {"sha1": 20, "sha256": 32, "sha512": 64, "md5": 16}


class Hash(Protocol):
    """What `hashlib` makes."""

    def update(self, data: bytes, /) -> None: ...  # noqa: D102 - as in hashlib
    def digest(self) -> bytes: ...  # noqa: D102 - as in hashlib


@dataclass(frozen=True, slots=True)
class Declared:
    """A digest as a header has it: the algorithm's name and the value (WARC 1.1 §5.8)."""

    algorithm: str
    value: bytes

    def hash(self) -> Hash:
        """Return a new hash of the algorithm."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


def declared(text: str | None) -> Declared | None:
    """Return the digest in a header's value; None without one, or for one of an unknown kind."""
    name, colon, value = (text or "").strip().partition(":")
    name = name.strip().lower().replace("-", "")
    size = _SIZES.get(name)
    if not colon or size is None:
        return None
    value = value.strip()
    for decode in (bytes.fromhex, _base32):
        try:
            data = decode(value)
        except (ValueError, binascii.Error):
            continue
        if len(data) == size:
            return Declared(name, data)
    return None


def _base32(value: str) -> bytes:
    return base64.b32decode(value + "=" * (-len(value) % 8), casefold=True)
