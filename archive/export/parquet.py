"""Captures as rows of Parquet: the columns of Common Crawl's index, then the text and what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from archive.errors import FormatError
from archive.formats.surt import dotted_quad, urlkey
from archive.model import Document, Snapshot
from archive.states import SnapshotState
from storage.extras import install_command

_ROWS = 10_000  # of a row group, or fewer:
_CHARACTERS = 64 << 20  # of text in one

Row = tuple[Snapshot, Document | None, SnapshotState | None]
Registered = Callable[[str], str | None]  # the registered domain of a host name, by the public suffix list


def write_parquet(captures: Iterable[Row], file: BinaryIO, registered: Registered) -> int:
    """Write a row for each capture, in bounded memory; returns how many. Raises FormatError without pyarrow."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise FormatError(f"Parquet needs pyarrow; install it: {install_command('parquet')}") from None
    types = {"string": pa.string(), "int": pa.int64(), "short": pa.int32(), "time": pa.timestamp("ms", tz="UTC")}
    types["strings"] = pa.list_(pa.string())
    schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    rows = iter(captures)
    count = 0
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        while group := _group(rows, registered):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
            count += len(group)
    return count


def _group(captures: Iterable[Row], registered: Registered) -> list[dict[str, Any]]:
    group = []
    held = 0
    for snapshot, document, state in islice(captures, _ROWS):
        row = row_of(snapshot, document, state, registered)
        group.append(row)
        held += len(row["text"] or "")
        if held > _CHARACTERS:
            break
    return group


COLUMNS = {
    "url_surtkey": "string",
    "url": "string",
    "url_host_name": "string",
    "url_host_tld": "string",
    "url_host_2nd_last_part": "string",
    "url_host_3rd_last_part": "string",
    "url_host_4th_last_part": "string",
    "url_host_5th_last_part": "string",
    "url_host_registry_suffix": "string",
    "url_host_registered_domain": "string",
    "url_protocol": "string",
    "url_port": "short",
    "url_path": "string",
    "url_query": "string",
    "fetch_time": "time",
    "fetch_status": "short",
    "fetch_redirect": "string",
    "content_digest": "string",
    "content_mime_type": "string",
    "content_mime_detected": "string",
    "content_charset": "string",
    "content_languages": "string",
    "content_truncated": "string",
    "warc_filename": "string",
    "warc_record_offset": "int",
    "warc_record_length": "int",
    "warc_segment": "string",
    "record_id": "string",
    "revisit_of": "string",
    "availability": "string",
    "recovered_from": "string",
    "state": "string",
    "state_detail": "string",
    "state_certainty": "string",
    "title": "string",
    "author": "string",
    "date": "string",
    "sitename": "string",
    "description": "string",
    "language": "string",
    "tags": "strings",
    "links": "strings",
    "text": "string",
    "comments": "string",
    "extractor": "string",
}


def row_of(
    snapshot: Snapshot, document: Document | None, state: SnapshotState | None, registered: Registered
) -> dict[str, Any]:
    """One row; `warc_filename` is the object key below the store, `warc_segment` the run."""
    article = document.article if document else None
    return {
        "url_surtkey": urlkey(snapshot.url),
        "url": snapshot.url,
        **_parts(snapshot.url, registered),
        "fetch_time": snapshot.timestamp,
        "fetch_status": snapshot.status,
        "fetch_redirect": snapshot.location,
        "content_digest": snapshot.digest,
        "content_mime_type": snapshot.mime,
        "content_mime_detected": None,
        "content_charset": article.encoding if article else None,
        "content_languages": article.language if article else None,
        "content_truncated": snapshot.truncated,
        "warc_filename": snapshot.record.key,
        "warc_record_offset": snapshot.record.offset,
        "warc_record_length": snapshot.record.length,
        "warc_segment": snapshot.run,
        "record_id": snapshot.record_id,
        "revisit_of": snapshot.refers_to.record_id if snapshot.refers_to else None,
        "availability": snapshot.availability,
        "recovered_from": snapshot.recovered,
        "state": state and state.name,
        "state_detail": state.detail or None if state else None,
        "state_certainty": state and state.certainty,
        "title": snapshot.title,
        **{name: getattr(article, name, None) for name in _TEXTS},
        "tags": list(article.tags) if article else None,
        "links": list(article.links) if article else None,
    }


_TEXTS = ("author", "date", "sitename", "description", "language", "text", "comments", "extractor")


def _parts(url: str, registered: Registered) -> dict[str, Any]:
    """Return a URL taken apart as Common Crawl does."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return {}
    labels = [] if host is None or ":" in host or dotted_quad(host) else host.split(".")[::-1]
    domain = registered(host) if host and labels else None
    names = ("2nd", "3rd", "4th", "5th")
    return {
        "url_host_name": host,
        "url_host_tld": labels[0] if labels else None,
        **{f"url_host_{name}_last_part": label for name, label in zip(names, labels[1:], strict=False)},
        "url_host_registry_suffix": domain.partition(".")[2] if domain else None,
        "url_host_registered_domain": domain,
        "url_protocol": parts.scheme,
        "url_port": port,
        "url_path": parts.path,
        "url_query": parts.query or None,
    }
