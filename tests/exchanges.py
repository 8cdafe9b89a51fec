"""Exchanges made by hand, for tests that need no network."""

from __future__ import annotations

from datetime import UTC, datetime

from archive.model import Article, Block, Document, Exchange, Snapshot, Truncation
from archive.warc.http_message import parse_head

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def an_exchange(
    url: str = "http://example.org/a",
    body: bytes = b"<p>hello</p>",
    *,
    at: datetime = NOON,
    status: int = 200,
    head: bytes = b"Content-Type: text/html\r\n",
    truncated: Truncation | None = None,
    notes: tuple[str, ...] = (),
) -> Exchange:
    raw = b"HTTP/1.1 %d Status\r\n%s\r\n" % (status, head)
    return Exchange(
        url=url,
        started=at,
        request=b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
        response=Block.of(raw + body),
        head_length=len(raw),
        status=status,
        headers=parse_head(raw).headers,
        ip="192.0.2.1",
        truncated=truncated,
        notes=notes,
    )


def a_document(snapshot: Snapshot, text: str = "hello", title: str = "A title") -> Document:
    article = Article(title=title, text=text, extractor="test 1")
    return Document(
        snapshot.url,
        snapshot.timestamp,
        snapshot.record_id,
        snapshot.digest,
        snapshot.record.key,
        snapshot.record.offset,
        article,
    )
