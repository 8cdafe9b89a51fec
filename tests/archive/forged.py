"""Runs as a hostile or broken writer would make them: any bytes in any file, under a manifest that vouches for them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime

from archive import object_keys
from archive.digests import digest_of, self_digested
from archive.formats import manifest
from archive.formats.pages_jsonl import HEADER
from archive.formats.zipnum import encode
from archive.model import Resource
from storage.base import ObjectStore

RUN = "20261123T120000Z-00000000"
URL = "http://example.org/a"
KEY = "org,example)/a"

DEEP = b"[" * 200_000


def forge(store: ObjectStore, *, run: str = RUN, lines: Iterable[str] = (), **files: bytes) -> str:
    """Put a run whose index holds these lines; `cdx`, `idx`, `pages`, `outcomes` and `warc` replace a file's bytes."""
    if store.head(object_keys.STORE_KEY) is None:
        store.put(object_keys.STORE_KEY, self_digested({"layout": 1}))
    cdx, idx = encode(lines)
    kept = {
        object_keys.warc_path(0): files.get("warc", b""),
        object_keys.PAGES: files.get("pages", HEADER),
        object_keys.CDX: files.get("cdx", cdx),
        object_keys.IDX: files.get("idx", idx),
        object_keys.OUTCOMES: files.get("outcomes", b""),
    }
    resources = [Resource(path, digest_of(data), len(data)) for path, data in kept.items()]
    started = datetime.strptime(run[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    data = manifest.build(run, started, started, resources, parents=[], counts={}, software="test/1", settings={})
    kept |= {object_keys.MANIFEST_DIGEST: manifest.digest_file(data), object_keys.MANIFEST: data}
    for path, content in kept.items():
        store.put(object_keys.run_key(run, path), content)
    return run


def line(key: str = KEY, stamp: str = "20261123120000", **fields: object) -> str:
    """A line of an index; fields that are None are left out."""
    known: dict[str, object] = {
        "url": URL,
        "mime": "text/html",
        "status": "200",
        "digest": "sha256:" + "0" * 64,
        "length": "10",
        "offset": "0",
        "filename": "00000.warc.gz",
        "recordId": "<urn:uuid:1>",
    }
    kept = {name: value for name, value in (known | fields).items() if value is not None}
    return f"{key} {stamp} {json.dumps(kept)}"


def block(*lines: str | bytes) -> tuple[bytes, bytes]:
    """The two files of an index of one block that holds these lines as they are, in this order."""
    plain = b"".join((each if isinstance(each, bytes) else each.encode()) + b"\n" for each in lines)
    data = zlib.compress(plain, 9, 31)
    return data, b"%s 20261123120000\tindex.cdx.gz\t0\t%d\t1\n" % (KEY.encode(), len(data))


def member(data: bytes, level: int = 9) -> bytes:
    """Bytes as a gzip member."""
    return zlib.compress(data, level, 31)
