"""Entity bodies out of stored messages: their heads and their framing."""

from __future__ import annotations

import io

import pytest

from archive.warc.http_message import parse_head, read_entity, read_head


def entity(head: bytes, body: bytes) -> bytes:
    stream = io.BytesIO(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + body)
    parsed, _ = read_head(stream)
    return b"".join(read_entity(stream, parsed))


CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;a=b\r\nhello\r\n 1 \r\n!\r\n0\r\nX: y\r\n\r\n", b"hello!"),
        (b"5\nhello\n0\n\n", b"hello"),
        (b"5\r\nhel", b"hel"),
        (b"5\r\nhello\r\n", b"hello"),
        (b"5\r\nhello\r\nzz\r\nmore", b"hello"),
        (b"5\r\nhelloX\r\n0\r\n\r\n", b"hello"),
        (b"not chunked at all", b"not chunked at all"),
        (b"", b""),
    ],
)
def test_chunk_framing(body: bytes, expected: bytes) -> None:
    assert entity(CHUNKED, body) == expected


def test_heads_are_read_leniently() -> None:
    head = parse_head(b"HTTP/1.1 404  Not  Found \nA: 1\nno header\n B folded\r\nb : 2\r\n\r\n")
    assert (head.status, head.reason) == (404, "Not  Found")
    assert head.headers == (("A", "1 B folded"), ("b", "2"))
    assert parse_head(b"220 ready\r\n").status == 0
    listed = parse_head(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\ncontent-encoding: br\r\n\r\n")
    assert listed.content_encoding == "gzip, br"
