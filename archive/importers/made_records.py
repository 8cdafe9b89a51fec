"""WARC records made of what other formats hold: files in which browsers save pages have none."""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from archive.digests import digest_of
from archive.importers.lenient_reader import ForeignRecord, indexable
from archive.model import Block, Headers
from archive.times import iso

_NAMESPACE = uuid.UUID("0b8e2c57-93d4-5a55-8f0c-d7c6f1f1a2b9")  # of the ids that such records are given
_MEMORY = 1 << 20  # of a block that is held in memory


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file in which a browser saved a page, unpacked: where it lies, what it holds, and when it was last changed."""

    path: Path
    folder: Path  # for blocks too large for memory
    digest: str  # "sha256:…"
    size: int  # bytes
    changed: datetime  # of the file that was named

    def whole(self, urn: str, date: datetime, mime: str, notes: tuple[str, ...] = ()) -> ForeignRecord:
        """Return the file itself as a resource record under a name, so that nothing in it is dropped."""
        with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as copy, self.path.open("rb") as file:
            while piece := file.read(_MEMORY):
                copy.write(piece)
        block = Block(self.size, None, Path(copy.name))
        return made_record("resource", urn, date, mime, block, self.digest, notes=notes)


def kept_block(data: bytes, folder: Path) -> Block:
    """Return a block of these bytes, in memory where they are few, else in a file of the folder."""
    if len(data) <= _MEMORY:
        return Block.of(data)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        file.write(data)
    return Block(len(data), None, Path(file.name))


def made_record(
    kind: str,
    url: str | None,
    date: datetime,
    content_type: str,
    block: Block,
    digest: str,
    more: Headers = (),
    *,
    seed: str = "",
    notes: tuple[str, ...] = (),
) -> ForeignRecord:
    """Return a record (WARC 1.1 §5); its id is always the same for the same content, date and `seed`."""
    target = indexable(url) if url is not None else None
    name = uuid.uuid5(_NAMESPACE, f"{kind} {target} {iso(date)} {digest} {seed}")
    fields = [
        ("WARC-Type", kind),
        ("WARC-Record-ID", f"<{name.urn}>"),
        *([("WARC-Target-URI", target)] if target is not None else []),
        ("WARC-Date", iso(date)),
        *((name, one_line(value)) for name, value in more),
        ("WARC-Block-Digest", digest),
        ("Content-Type", one_line(content_type)),
        ("Content-Length", str(block.size)),
    ]
    head = "WARC/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
    return ForeignRecord(0, head.encode("utf-8", "replace"), tuple(fields), block, notes)


def warcinfo(date: datetime, fields: Iterable[tuple[str, str]], notes: tuple[str, ...] = ()) -> ForeignRecord:
    """Return the record that says how the others were made (WARC 1.1 §6.2)."""
    data = "".join(f"{name}: {one_line(value)}\r\n" for name, value in fields).encode("utf-8", "replace")
    return made_record("warcinfo", None, date, "application/warc-fields", Block.of(data), digest_of(data), notes=notes)


def one_line(text: str) -> str:
    """Return a text as a header can hold it."""
    return " ".join(text.split())


def payload_digest(data: bytes) -> str:
    """Return the digest of a payload, as WARC-Payload-Digest has it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
