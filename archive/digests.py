"""One digest form everywhere: "sha256:" and 64 lower-case hexadecimal digits."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from archive.checked_json import parsed_object

_FORM = re.compile(r"sha256:[0-9a-f]{64}\Z")

EMPTY = "sha256:" + hashlib.sha256(b"").hexdigest()


def digest_of(data: bytes | memoryview) -> str:
    """Return the digest of bytes in memory."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def digest_of_stream(chunks: Iterable[bytes]) -> tuple[str, int]:
    """Return the digest of a stream and its size in bytes, in bounded memory."""
    hasher = hashlib.sha256()
    size = 0
    for chunk in chunks:
        hasher.update(chunk)
        size += len(chunk)
    return "sha256:" + hasher.hexdigest(), size


def digest_of_file(path: Path) -> tuple[str, int]:
    """Return the digest of a file and its size in bytes, in bounded memory; raises OSError."""
    with path.open("rb", buffering=0) as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest(), file.tell()


def text_digest(words: Iterable[str]) -> str:
    """Return the digest of a text by its words.

    How they are spaced, and how letters with marks are coded, is left out.
    """
    return digest_of(unicodedata.normalize("NFC", " ".join(words)).encode("utf-8", "surrogatepass"))


def is_digest(text: str) -> bool:
    """Whether the text has the one form."""
    return _FORM.match(text) is not None


_PREFIX = b'{"hash":"'


def self_digested(entry: Mapping[str, object]) -> bytes:
    """Return a JSON object as one line whose first field is the digest of all that follows it in the line."""
    rest = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")[1:] + b"\n"
    return _PREFIX + digest_of(rest).encode() + b'",' + rest


def read_self_digested(line: bytes) -> dict[str, Any]:
    """Read such a line back; raises ValueError when it is not as it was written."""
    digest, separator, rest = line[len(_PREFIX) :].partition(b'",')
    if not line.startswith(_PREFIX) or not separator or digest.decode("latin-1") != digest_of(rest):
        raise ValueError("its digest is not that of its bytes")
    return parsed_object(b"{" + rest)
