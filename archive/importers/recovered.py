"""Records of what another archive gave back: a capture of its own time, labelled with the address that it came from.

The label is the header WARC-Source-URI, which other recorders of archives write too, with WARC-Creation-Date for the
time at which the record was made.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from archive.digests import digest_of
from archive.importers.lenient_reader import ForeignRecord, indexable
from archive.importers.made_records import made_record, one_line
from archive.model import Block, Headers, Truncation
from archive.times import iso

SOURCE = "WARC-Source-URI"
_LONGEST_HOST = 260  # characters of a host and its port
_MEMORY = 1 << 20  # bytes of a block that is held in memory


@dataclass(frozen=True, slots=True)
class Recovered:
    """What an archive gave back of a URL.

    `source` is the address that it gave it at, `date` the time of the original capture, `made` the time at which it
    was fetched. With `head`, the status line and headers of the original response, it becomes a `response`; without,
    a `resource` of the media type `mime`. `notes` say what is not as it was captured.
    """

    url: str
    source: str
    date: datetime
    made: datetime
    mime: str
    head: bytes | None = None
    truncated: Truncation | None = None
    notes: tuple[str, ...] = ()


def source_host(header: str | None) -> str | None:
    """Return the host, with its port, of the archive that WARC-Source-URI names, by the header's value; None without.

    A source that is no web address has no host: then the whole of it, as far as it is printable, is the name.
    """
    written = (header or "").strip().strip("<>")
    if not written:
        return None
    try:
        host = urlsplit(written).netloc.rpartition("@")[2].lower()
    except ValueError:
        host = ""
    return indexable(host or written)[:_LONGEST_HOST]


def recovered_record(found: Recovered, body: Iterable[bytes], folder: Path) -> ForeignRecord:
    """Return the record of what an archive gave back (WARC 1.1 §6.3, §6.4); large blocks lie in `folder`."""
    whole, payload = hashlib.sha256(), hashlib.sha256()
    with tempfile.SpooledTemporaryFile(_MEMORY) as held:
        if found.head is not None:
            whole.update(found.head)
            held.write(found.head)
        for piece in body:
            whole.update(piece)
            payload.update(piece)
            held.write(piece)
        size = held.tell()
        held.seek(0)
        if size <= _MEMORY:
            block = Block.of(held.read())
        else:
            with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
                while piece := held.read(_MEMORY):
                    file.write(piece)
            block = Block(size, None, Path(file.name))
    more: list[tuple[str, str]] = [(SOURCE, indexable(found.source)), ("WARC-Creation-Date", iso(found.made))]
    more.append(("WARC-Payload-Digest", f"sha256:{payload.hexdigest()}"))
    more += [("WARC-Truncated", found.truncated.value)] if found.truncated else []
    kind, content = (
        ("resource", found.mime) if found.head is None else ("response", "application/http; msgtype=response")
    )
    digest = f"sha256:{whole.hexdigest()}"
    return made_record(kind, found.url, found.date, content, block, digest, tuple(more), seed=found.source)


def description(found: Recovered, record: ForeignRecord, headers: Headers) -> ForeignRecord:
    """Return the metadata record of a recovered one: where and when it was had, and the archive's own headers."""
    fields = [("via", found.source), ("fetched", iso(found.made))]
    fields += [("note", note) for note in found.notes]
    fields += [("archive-header", f"{name}: {value}") for name, value in headers]
    data = "".join(f"{name}: {one_line(value)}\r\n" for name, value in fields).encode("utf-8", "replace")
    more = (("WARC-Concurrent-To", record.record_id),)
    kind = "application/warc-fields"
    return made_record("metadata", found.url, found.date, kind, Block.of(data), digest_of(data), more)
