"""bundle.json: which record of a bundle lies where, and the proofs. Whatever a stranger's says, one error comes out.

{"format", "version", "runs": [{"run", "entry", "proof"}], "records": [{"file", "run", "leaf", "proof"}]}

and, where it was asked for, "consistency": {"size", "root", "proof"}: another checkpoint of the same log.

An entry is a number in the log, a leaf one among a run's records, a proof a list of hashes in hex. A record of a run
that has no root over its records has "offset" and "length" in its WARC file instead of "leaf" and "proof".
"""

from __future__ import annotations

import json
from typing import Any

from archive.checked_json import parsed_object, texts_of
from archive.crypto import merkle
from archive.errors import IntegrityError

FORMAT = "onrecord evidence"
VERSION = 1


def encode(body: object) -> bytes:
    """The bytes of bundle.json: one form for what it says."""
    return json.dumps(body, indent=1).encode("ascii") + b"\n"


def hex_of(proof: merkle.Proof) -> list[str]:
    """A proof as it is written."""
    return [each.hex() for each in proof]


class Understood:
    """What of bundle.json is of the wrong type or missing is an IntegrityError."""

    def __enter__(self) -> None:
        """Nothing is held."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, KeyError | ValueError | TypeError):
            raise IntegrityError(f"bundle.json cannot be understood: {type(error).__name__} {error}") from error


def body_of(data: bytes) -> dict[str, Any]:
    """Read bundle.json back; raises IntegrityError."""
    with Understood():
        body = parsed_object(data)
        if body.get("format") != FORMAT:
            raise ValueError("it is of another format")
        if body.get("version") != VERSION:
            raise ValueError(f"version {str(body.get('version'))[:20]}, this program knows {VERSION}: upgrade onrecord")
        if body.keys() - {"consistency"} != {"format", "version", "runs", "records"} or encode(body) != data:
            raise ValueError("it is not as this program writes it")
    return body


def entries_of(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of objects in it; raises IntegrityError."""
    entries = body[name]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise IntegrityError(f"bundle.json cannot be understood: {name} is no list of objects")
    return entries


def proof_of(value: object) -> merkle.Proof:
    """Read a proof back; raises ValueError."""
    found = tuple(bytes.fromhex(text) for text in texts_of(value))
    if any(len(each) != merkle.SIZE for each in found):
        raise ValueError("a proof of other hashes")
    return found
