"""Content codings undone as browsers undo them, whatever the header says, in bounded memory."""

from __future__ import annotations

import gzip
import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import brotli
import pytest

from archive.errors import EntityError, EntityTooLarge
from archive.warc.content_coding import decoded

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BODY = b"some words, and more of them. " * 5000
RAW = zlib.compressobj(wbits=-15)
RAW_BODY = RAW.compress(BODY) + RAW.flush()
SKIPPED = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
CODINGS = {
    "gzip": gzip.compress(BODY),
    "x-gzip": gzip.compress(BODY[:70_000]) + gzip.compress(BODY[70_000:]),
    "deflate": zlib.compress(BODY),
    "Deflate": RAW_BODY,
    "DEFLATE": gzip.compress(BODY),
    "gzip, gzip": gzip.compress(gzip.compress(BODY)),
    "identity": BODY,
    "": BODY,
    "gzip ": gzip.compress(BODY) + b"\0" * 512,
    "br": brotli.compress(BODY),
    " Br ,": brotli.compress(BODY, quality=1),
    "zstd": zstd.compress(BODY),
    "ZSTD": zstd.compress(BODY[:70_000]) + SKIPPED + zstd.compress(BODY[70_000:]),
    "zstd ": SKIPPED + zstd.compress(BODY) + b"\0" * 512,
    "gzip , BR,zstd": zstd.compress(brotli.compress(gzip.compress(BODY))),
}
WORDS = b"".join(b"%d " % number**3 for number in range(20_000))
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=1),
    "zstd": zstd.compress,
}
NOT_IN_IT = ["gzip", "x-gzip", "deflate", "br", "zstd", "utf-8", "UTF-8", "none", "binary", "8bit", "x-compress"]
PLAIN = {
    "page": b"<!doctype html><title>Berths</title>",
    "long page": b"<!doctype html><title>Berths</title>" + BODY,
    "robots": b"User-agent: *\nDisallow: /x\n",
    "sheet": b"p{color:red}",
    "word": b"plain",
    "letter": b"x",
    "looks like zlib": b"h$, and more text than that",
    "picture": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 30,
}


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("size", [1, 7, 65_536])
def test_codings_are_undone_however_they_are_cut(coding: str, size: int) -> None:
    notes: list[str] = []
    assert b"".join(decoded(cut(CODINGS[coding], size), coding, len(BODY), notes.append)) == BODY
    assert notes == []


@pytest.mark.parametrize("coding", NOT_IN_IT)
@pytest.mark.parametrize("body", PLAIN)
@pytest.mark.parametrize("size", [1, 65_536])
def test_a_body_that_is_plain_is_read_as_it_came_with_a_note(coding: str, body: str, size: int) -> None:
    notes: list[str] = []
    assert b"".join(decoded(cut(PLAIN[body], size), coding, 1 << 20, notes.append)) == PLAIN[body]
    assert len(notes) == 1
    assert repr(coding.lower()) in notes[0]


def test_a_list_is_undone_as_far_as_the_body_is_in_it() -> None:
    notes: list[str] = []
    assert b"".join(decoded([gzip.compress(BODY)], "gzip, utf-8, gzip", 1 << 20, notes.append)) == BODY
    assert len(notes) == 2


@pytest.mark.parametrize("coding", COMPRESS)
def test_what_breaks_off_is_had_as_far_as_it_goes(coding: str) -> None:
    words = b"".join(b"%d " % number**3 for number in range(20_000))
    made = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstd.compress}[coding](
        words
    )
    got = b"".join(decoded(cut(made[:-2000], 5000), coding, 10**9))
    assert got
    assert WORDS.startswith(got)


def until_too_large(pieces: Iterator[bytes], limit: int) -> tuple[int, int]:
    """Return how many bytes came out before the limit was met, and how much memory that took."""
    seen = 0
    tracemalloc.start()
    with pytest.raises(EntityTooLarge, match=f"{limit:,}"):  # noqa: PT012 - counts what comes before the error
        while True:
            seen += len(next(pieces))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return seen, peak


@pytest.mark.parametrize("coding", COMPRESS)
def test_a_bomb_ends_at_the_limit_in_little_memory(coding: str) -> None:
    bomb = COMPRESS[coding](b"\0" * 20_000_000)
    seen, peak = until_too_large(decoded([bomb], coding, 1_000_000), 1_000_000)
    assert 850_000 < seen <= 1_000_000
    assert peak < 5_000_000


def test_limits_and_faults_are_named() -> None:
    with pytest.raises(EntityTooLarge):
        list(decoded([BODY], None, 100))
    with pytest.raises(EntityTooLarge):
        list(decoded([BODY], "utf-8", 100))
    with pytest.raises(EntityError, match="compress"):
        list(decoded([b"\x1f\x9d\x90<\0\x01\x02"], "compress", 100))


@pytest.mark.parametrize("coding", COMPRESS)
def test_what_is_damaged_further_on_is_a_fault(coding: str) -> None:
    made = COMPRESS[coding](WORDS)
    damaged = made[:20_000] + b"\xff" * 5120 + made[25_120:]
    with pytest.raises(EntityError, match="not in its content coding"):
        list(decoded(cut(damaged, 5000), coding, 1 << 24))
