"""bundle.json: which record of a bundle lies where, and the proofs. Whatever a stranger's says, one error comes out.

{"format", "version", "runs": [{"run", "entry", "proof"}], "records": [{"file", "run", "leaf", "proof"}]}

and, where it was asked for, "consistency": {"size", "root", "proof"}: another checkpoint of the same log.

Version 2 has "shown" besides: {"title", "text", "extractor", "record", "picture"}, of what `index.html` is made: the
digest of `text.txt`, the number of the record that the text was made of, and that of the picture or null.

An entry is a number in the log, a leaf one among a run's records, a proof a list of hashes in hex. A record of a run
that has no root over its records has "offset" and "length" in its WARC file instead of "leaf" and "proof".
"""

from __future__ import annotations

import json
from typing import Any

from archive.checked_json import parsed_object, size_of, text_of, texts_of
from archive.crypto import merkle
from archive.errors import IntegrityError

FORMAT = "onrecord evidence"
VERSION = 2
_FIELDS = {"format", "version", "runs", "records"}


def encode(body: object) -> bytes:
    """Return the bytes of bundle.json: one form for what it says."""
    return json.dumps(body, indent=1).encode("ascii") + b"\n"


def hex_of(proof: merkle.Proof) -> list[str]:
    """Return a proof as it is written."""
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
        version = body.get("version")
        if version not in {1, VERSION} or isinstance(version, bool):
            raise ValueError(f"version {str(version)[:20]}, this program knows 1 and {VERSION}: upgrade onrecord")
        expected = _FIELDS if version == 1 else _FIELDS | {"shown"}
        if body.keys() - {"consistency"} != expected or encode(body) != data:
            raise ValueError("it is not as this program writes it")
    return body


def entries_of(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return a list of objects in it; raises IntegrityError."""
    entries = body[name]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise IntegrityError(f"bundle.json cannot be understood: {name} is no list of objects")
    return entries


def proof_of(value: object) -> merkle.Proof:
    """Read a proof back; raises ValueError."""
    texts = texts_of(value)
    found = tuple(map(bytes.fromhex, texts))
    if any(len(each) != merkle.SIZE for each in found) or tuple(hex_of(found)) != texts:
        raise ValueError("a proof of other hashes")
    return found


def head_of(said: Any) -> tuple[int, bytes]:
    """Read the size and the root of another checkpoint back; raises IntegrityError."""
    with Understood():
        if set(said) != {"size", "root", "proof"}:
            raise ValueError("consistency is not as this program writes it")
        return size_of(said["size"]), bytes.fromhex(text_of(said["root"]))
