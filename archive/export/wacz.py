"""Writing a WACZ 1.1.1 file: WARC files and index stored, pages and their text, the manifest and its digest.

Facts that readers hold to, though the standard does not say so: `profile` is "data-package"; the first line of
`pages.jsonl` is always a header; WARC files and `index.cdx.gz` lie uncompressed in the zip; a `cdx.gz` needs its idx,
with a first line that names its format; blocks of 300 lines; `filename` of an index line is a bare name.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO, Self

from archive.digests import digest_of
from archive.export.warc_records import Out
from archive.formats.cdxj import REVISIT
from archive.formats.manifest import WACZ_VERSION
from archive.formats.method_query import method_url
from archive.formats.surt import urlkey
from archive.formats.surt_wabac import js_urlkey
from archive.formats.zipnum import encode
from archive.model import Article, Document, Snapshot
from archive.states import SnapshotState
from archive.times import iso, stamp

if TYPE_CHECKING:
    from archive.crypto.wacz_signature import WaczSigner

_BLOCK_LINES = 300
_META = b'!meta 0 {"format":"cdxj-gzip-1.0","filename":"index.cdx.gz"}\n'
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of a zip entry: the same captures make the same bytes
# A time stamp of 1980. Where the zip's directory has no such field, wabac.js takes it that there is none before the
# file either, and that is where the sizes of large files stand.
_MARK = struct.pack("<HHBl", 0x5455, 5, 1, 315_532_800)


class Package:
    """A WACZ file being written to an open, seekable file (WACZ 1.1.1 §4)."""

    def __init__(self, file: BinaryIO, *, software: str, created: datetime) -> None:
        self._zip = zipfile.ZipFile(file, "w", allowZip64=True)
        self._software = software
        self._created = created
        self._resources: list[dict[str, object]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    @contextmanager
    def entry(self, path: str, *, stored: bool) -> Iterator[Hashing]:
        """Open a file of the package for writing; it is listed in the manifest once it is written."""
        info = zipfile.ZipInfo(path, _EPOCH)
        info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        info.extra = _MARK
        with self._zip.open(info, "w", force_zip64=True) as file:
            hashing = Hashing(file)
            yield hashing
        name = path.rpartition("/")[2].lower()
        self._resources.append(
            {"name": name, "path": path, "hash": f"sha256:{hashing.hash.hexdigest()}", "bytes": hashing.tell()}
        )

    def index(self, outs: Iterable[Out]) -> None:
        """Write the index (WACZ 1.1.1 §5.3), each capture under both forms of its key where they differ.

        A request that is no GET is looked up by its method and its body (`archive.formats.method_query`).
        """
        cdx, idx = encode([line for out in outs for line in _lines(out)], _BLOCK_LINES)
        for path, data in (("indexes/index.cdx.gz", cdx), ("indexes/index.idx", _META + idx)):
            with self.entry(path, stored=True) as file:
                file.write(data)

    def pages(
        self, documents: Iterable[tuple[Snapshot, Document, SnapshotState | None]]
    ) -> tuple[int, Snapshot | None]:
        """Write the pages with their texts (WACZ 1.1.1 §5.2); returns how many, and the first."""
        count, first = 0, None
        with self.entry("pages/pages.jsonl", stored=False) as file:
            file.write(b'{"format":"json-pages-1.0","id":"pages","title":"All Pages","hasText":true}\n')
            for snapshot, document, state in documents:
                file.write(_page_line(snapshot, document.article, state))
                count, first = count + 1, first or snapshot
        return count, first

    def finish(self, *, title: str, main: Snapshot | None, signer: WaczSigner | None = None) -> None:
        """Write the manifest and its digest (WACZ 1.1.1 §5.1), signed where there is a signer."""
        package: dict[str, object] = {
            "profile": "data-package",
            "wacz_version": WACZ_VERSION,
            "title": title,
            "created": iso(self._created),
            "software": self._software,
            "resources": self._resources,
        }
        if main is not None:
            package |= {"mainPageUrl": main.url, "mainPageDate": iso(main.timestamp)}
        data = json.dumps(package, ensure_ascii=False, indent=2).encode("utf-8", "replace") + b"\n"
        digest: dict[str, object] = {"path": "datapackage.json", "hash": digest_of(data)}
        if signer is not None:
            digest["signedData"] = signer.sign(digest_of(data), self._created, self._software)
        digest_file = json.dumps(digest, indent=2).encode() + b"\n"
        for path, content in (("datapackage.json", data), ("datapackage-digest.json", digest_file)):
            info = zipfile.ZipInfo(path, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            self._zip.writestr(info, content)


class Hashing:
    """A file being written, hashed and counted as it passes."""

    def __init__(self, file: object) -> None:
        self._file = file
        self.hash = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes) -> int:
        """Write bytes."""
        self._file.write(data)  # type: ignore[attr-defined] # a zip's entry or a file
        self.hash.update(data)
        self._size += len(data)
        return len(data)

    def tell(self) -> int:
        """Bytes written so far."""
        return self._size


def _lines(out: Out) -> Iterator[str]:
    snapshot = out.snapshot
    fields = {
        "url": snapshot.url,
        "mime": REVISIT if snapshot.revisit else snapshot.mime,
        "status": str(snapshot.status),
        "digest": snapshot.digest,
        "length": str(out.length),
        "offset": str(out.offset),
        "filename": out.filename,
        "recordId": snapshot.record_id,
    }
    if snapshot.location:
        fields["redirect"] = snapshot.location
    if out.query is None:
        yield from _keyed(snapshot, snapshot.url, fields)
        return
    for query in out.query.forms():
        method = {"method": out.query.method, "requestBody": query}
        yield from _keyed(snapshot, method_url(snapshot.url, out.query.method, query), fields | method)


def _keyed(snapshot: Snapshot, url: str, fields: dict[str, str]) -> Iterator[str]:
    """Yield a capture's line under each form of the key of a URL."""
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    for key in dict.fromkeys((urlkey(url), js_urlkey(url))):
        yield f"{key.replace(' ', '%20')} {stamp(snapshot.timestamp)} {text}"


def _page_line(snapshot: Snapshot, article: Article, state: SnapshotState | None) -> bytes:
    entry = {
        "id": hashlib.sha256(snapshot.place.encode()).hexdigest()[:32],
        "url": snapshot.url,
        "ts": iso(snapshot.timestamp),
        "title": article.title or snapshot.url,
        "text": article.text or "",
        "author": article.author,
        "date": article.date,
        "sitename": article.sitename,
        "description": article.description,
        "language": article.language,
        "availability": article.availability,
        "recovered_from": snapshot.recovered,
        "session": snapshot.session,
        "record": snapshot.record_id,
        "digest": snapshot.digest,
        "extractor": article.extractor,
        **(state.fields() if state else {}),
    }
    kept = {name: value for name, value in entry.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
