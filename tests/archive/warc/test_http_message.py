"""Entity bodies out of stored messages: framing and codings undone, in bounded memory."""

from __future__ import annotations

import gzip
import io
import zlib

import pytest

from archive.errors import EntityError, EntityTooLarge
from archive.warc.http_message import decoded, parse_head, read_entity, read_head

BODY = b"some words, and more of them. " * 5000


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


RAW = zlib.compressobj(wbits=-15)
CODINGS = {
    "gzip": gzip.compress(BODY),
    "x-gzip": gzip.compress(BODY[:70_000]) + gzip.compress(BODY[70_000:]),
    "deflate": zlib.compress(BODY),
    "Deflate": RAW.compress(BODY) + RAW.flush(),
    "gzip, gzip": gzip.compress(gzip.compress(BODY)),
    "identity": BODY,
    "": BODY,
    "gzip ": gzip.compress(BODY) + b"\0" * 512,
}


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("size", [1, 7, 65_536])
def test_codings_are_undone_however_they_are_cut(coding: str, size: int) -> None:
    data = CODINGS[coding]
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert b"".join(decoded(pieces, coding, len(BODY))) == BODY


def test_what_breaks_off_is_had_as_far_as_it_goes() -> None:
    got = b"".join(decoded([gzip.compress(BODY)[:-20]], "gzip", 10**9))
    assert got
    assert BODY.startswith(got)


def test_limits_and_faults_are_named() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    seen = 0
    pieces = decoded([bomb], "gzip", 1_000_000)
    while seen + 65_536 <= 1_000_000:
        seen += len(next(pieces))
    with pytest.raises(EntityTooLarge):
        next(pieces)
    with pytest.raises(EntityTooLarge):
        list(decoded([BODY], None, 100))
    with pytest.raises(EntityError, match="br"):
        list(decoded([b"x"], "br", 100))
    with pytest.raises(EntityError, match="not in its content coding"):
        list(decoded([b"plain text"], "gzip", 100))
