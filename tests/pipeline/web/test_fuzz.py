"""Whatever is sent to either port, over a real socket: no fault of ours, no traceback; nor where the archive is damaged."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.archive import Archive
from storage.memory import MemoryStore
from tests.pipeline.web.pages.library import COURT, PICTURE, STYLE, TAX, Library, Served, at, furnish, served
from tests.torture.scale import examples

STAMP = "20240302090000"
_PAGES = [
    *("/", "/search?q=court", "/board", "/help", "/static/onrecord.css", "/static/compare.js", "/static/copy.js"),
    *("/collections", "/feed.atom?site=gazette.example&limit=9", "/feed.json?kind=gone&q=court"),
]
_ABOUT = ["/url?url=", "/pages?match=host&url=", "/read?url=", "/page?url=", "/compare?url="]
_PROGRAMS = [
    "/cdx?url=",
    "/cdx/search/cdx?output=json&url=",
    "/index?url=",
    "/timegate/",
    "/timemap/link/",
    "/timemap/json/",
]
_CAPTURES = [
    f"/web/{STAMP}/",
    f"/web/{STAMP}id_/",
    "/web/",
    f"/{STAMP}/",
    f"/{STAMP}id_/",
    f"/{STAMP}cs_/",
    f"/{STAMP}if_/",
]
ROUTES = [*_PAGES, *(path + url for path in [*_ABOUT, *_PROGRAMS, *_CAPTURES] for url in (COURT, TAX, PICTURE, STYLE))]


class _Complaints(logging.Handler):
    """What a server logs of an exception that nobody expected."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.tracebacks: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info or "Traceback" in record.getMessage():
            self.tracebacks.append(self.format(record))


@pytest.fixture
def complaints() -> Iterator[_Complaints]:
    handler = _Complaints()
    logging.getLogger().addHandler(handler)
    logging.getLogger("uvicorn.error").addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)
    logging.getLogger("uvicorn.error").removeHandler(handler)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    library = Library.empty(tmp_path_factory.mktemp("archive"))
    furnish(library)
    with served(library, tmp_path_factory.mktemp("served")) as running:
        yield running


def _answered(base: str, request: bytes) -> tuple[int, bytes]:
    """The status of an answer, 0 where the connection is closed without one, and what was sent."""
    with socket.create_connection(("127.0.0.1", int(base.rpartition(":")[2])), timeout=30) as connection:
        connection.sendall(request)
        data = b""
        while piece := connection.recv(1 << 16):
            data += piece
    words = data.split(b" ", 2)
    return (int(words[1]) if len(words) > 1 else 0), data


def _get(base: str, path: str) -> tuple[int, bytes]:
    return _answered(base, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())


def test_every_route_is_one(both: Served) -> None:
    for base, paths in ((both.pages, [path for path in ROUTES if path[1:2] != "2"]), (both.replay, ROUTES[-16:])):
        statuses = [_get(base, path)[0] for path in paths]
        assert set(statuses) <= {200, 301, 302, 303, 404, 410, 422}, dict(zip(paths, statuses, strict=True))
        assert statuses.count(200) > len(statuses) // 2


_TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
_TARGET = st.one_of(
    st.sampled_from(ROUTES),
    st.tuples(st.sampled_from(ROUTES), _TEXT).map(lambda two: two[0] + quote(two[1], safe="/:?&=%#")),
    st.tuples(st.sampled_from(["/", "/web/", "/timegate/", "/warc/", "/static/", "/20", "//", "/.."]), _TEXT).map(
        lambda two: two[0] + quote(two[1], safe="/:?&=%.")
    ),
    st.binary(max_size=40).map(lambda data: "/" + data.decode("latin-1")),
)
_VALUE = st.one_of(
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=40),
    st.sampled_from(
        [
            *(
                "127.0.0.1",
                "evil.example",
                "[::1",
                "a:b:c",
                "x;y z",
                "http://127.0.0.1",
                "null",
                "text/html",
                "*/*;q=x",
            ),
            *(
                "Thu, 01 Jan 1970 00:00:00 GMT",
                "Mon, 99 Foo 2026",
                "bytes=0-",
                "bytes=-0",
                "bytes=9-1",
                "bytes=0-0,5-6",
            ),
            *(
                "bytes=99999999999999999999-",
                '"a"',
                "*",
                'W/"x"',
                "a=b; c",
                "iframe",
                "script",
                "document",
                "gzip;q=0",
                "0",
            ),
        ]
    ),
)
_NAMES = (
    "Host Accept-Datetime Range If-Range If-None-Match If-Match If-Modified-Since Cookie Origin Accept Sec-Fetch-Dest "
    "Service-Worker Accept-Encoding X-Forwarded-Host Content-Length Transfer-Encoding Expect Upgrade Referer Forwarded"
).split()
_HEADERS = st.lists(st.tuples(st.sampled_from(_NAMES), _VALUE), max_size=4)
_METHODS = st.sampled_from("GET GET GET HEAD POST PUT DELETE OPTIONS TRACE PATCH CONNECT get BREW".split())


@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
@given(method=_METHODS, target=_TARGET, headers=_HEADERS, body=st.binary(max_size=20), replay=st.booleans())
def test_no_request_is_a_fault_of_ours(
    both: Served,
    complaints: _Complaints,
    method: str,
    target: str,
    headers: list[tuple[str, str]],
    body: bytes,
    replay: bool,
) -> None:
    given = {"Host": "127.0.0.1", **dict(headers), "Connection": "close"}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    request = f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1", "replace") + body
    status, data = _answered(both.replay if replay else both.pages, request)
    kept = {503} if "open-court" in target else set()  # a capture of a server's error is given with its status
    assert status < 500 or status in {501, *kept}, (request, data[:500])
    assert b"Traceback" not in data
    assert complaints.tracebacks == [], request


# The archive damaged: an object of each kind, in each way


def _damaged(data: bytes, how: str) -> bytes | None:
    if how == "gone":
        return None
    middle = len(data) // 2
    if not data:
        return data
    return data[:middle] if how == "cut" else data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


KINDS = [
    "archive/00000.warc.gz",
    "pages/pages.jsonl",
    "index.cdx.gz",
    "index.idx",
    "outcomes.jsonl",
    "datapackage.json",
]
KINDS += ["datapackage-digest.json", "onrecord.json", "index/"]


@contextmanager
def _copy(library: Library, kind: str, how: str, folder: Path) -> Iterator[Served]:
    """The archive again, every object of a kind damaged."""
    store = MemoryStore()
    for info in library.archive.unguarded().stores.primary.list(""):
        data: bytes | None = library.archive.unguarded().stores.primary.get(info.key)
        if info.key.endswith(kind) or (kind.endswith("/") and info.key.startswith(kind)):
            data = _damaged(data or b"", how)
        if data is not None:
            store.put(info.key, data)
    with served(Library(Archive(store, spool=folder / "spool", cache=folder / "cache")), folder) as running:
        yield running


@pytest.mark.full
@pytest.mark.parametrize("how", ["flipped", "cut", "gone"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_archive_is_named_and_no_fault_of_ours(
    both: Served, complaints: _Complaints, tmp_path: Path, kind: str, how: str
) -> None:
    with _copy(both.library, kind, how, tmp_path) as running:
        for path in ROUTES:
            base = running.replay if path.startswith(f"/{STAMP}") else running.pages
            status, data = _get(base, path)
            assert status in {200, 302, 303, 400, 404, 410, 422, 502, 503}, (path, data[:300])
            assert b"Traceback" not in data
            assert complaints.tracebacks == [], path


@pytest.mark.full
def test_damage_behind_the_beginning_breaks_an_answer_off_and_is_logged(
    complaints: _Complaints, tmp_path: Path
) -> None:
    store = MemoryStore()
    library = Library.empty(tmp_path, store)
    body = os.urandom(12 << 20)
    (kept,) = library.keep((PICTURE, at("2024-03-02T09:00:00"), {"body": body, "kind": "image/png"}))
    data = store.get(kept.record.key)
    end = kept.record.offset + kept.record.length - 1000
    store.put(kept.record.key, data[:end] + bytes(100) + data[end + 100 :])
    with served(library, tmp_path) as running:
        for base, path in ((running.replay, f"/{STAMP}/{PICTURE}"), (running.pages, f"/web/{STAMP}id_/{PICTURE}")):
            status, sent = _get(base, path)
            assert (status, sent.endswith(b"\r\n0\r\n\r\n")) == (200, False), "it is not taken for whole"
            assert len(sent) > 8 << 20
    assert complaints.tracebacks == []
