"""Captured bytes: a response as it was, and the WARC files that hold the records."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from archive import object_keys
from archive.archive import Archive
from archive.checked_json import LARGEST
from archive.errors import NoSuchSnapshot, Withheld
from archive.formats.memento_links import http_date, links_around
from archive.model import Snapshot
from archive.times import from_stamp, stamp
from pipeline.web.common.responses import CAPTURED, KEPT_A_WHILE, PLAIN, Streamed, line
from pipeline.web.pages.page import of
from storage.errors import ObjectMissing

_PIECE = 4 << 20
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z")
_NOT_IN_A_TAG = re.compile(r"[^!#-~]")  # RFC 9110 §8.8.3
_KEPT = {"content-type", "content-encoding", "content-language"}
_READER = "document"  # the Sec-Fetch-Dest of one who opens it in a browser; programs send none, or "empty"
_MARKUP = re.compile(r"\s*(?:text/|multipart/|application/xml|[^;]{0,100}\+xml)", re.IGNORECASE)
_ORIGINAL = 100  # headers of the response that are passed on


def target_of(request: Request, prefix: str) -> str:
    """The URL that follows a prefix in the path, its query with it, as it was sent."""
    raw = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.split(b"?", 1)[0].decode("latin-1")
    url = path[path.index(prefix) + len(prefix) :]
    query = request.scope["query_string"].decode("latin-1")
    url = re.sub(r"\A(https?):/+(?=[^/])", r"\1://", url, flags=re.IGNORECASE)
    if not url or len(url) + len(query) > 8192:
        raise ValueError("the path names no page, or a very long one")
    return f"{url}?{query}" if query else url


def memento(request: Request, archive: Archive, base: str, *, raw: bool) -> Response:
    """A capture as it was (RFC 7089 §4.5), at the time that the path names; raises NoSuchSnapshot."""
    asks = request.headers.get("sec-fetch-dest", "empty")
    if asks not in {"empty", _READER} or request.headers.get("service-worker"):
        return line("what was captured is read or looked at here, not run: it is no part of a page of this origin", 403)
    digits = request.path_params["digits"]
    url = target_of(request, f"/web/{digits}{'id_' if raw else ''}/")
    at = from_stamp(digits)
    snapshot = archive.near(url, at)
    if snapshot is None:
        raise NoSuchSnapshot(f"nothing is kept of {url}")
    if stamp(snapshot.timestamp) != digits:
        place = f"{base}/web/{stamp(snapshot.timestamp)}{'id_' if raw else ''}/{snapshot.url}"
        return RedirectResponse(_ascii(place), 302, headers=PLAIN)
    if asks == _READER and not raw:
        return RedirectResponse(of("/page", snapshot), 303, headers=PLAIN | {"Vary": "Sec-Fetch-Dest"})
    headers = CAPTURED | {
        "Memento-Datetime": http_date(snapshot.timestamp),
        "Link": links_around(base, snapshot, *neighbours(archive, snapshot)),
        "Cache-Control": KEPT_A_WHILE,
        "Vary": "Sec-Fetch-Dest",
        "ETag": f'"{_NOT_IN_A_TAG.sub("", snapshot.place.replace(" ", ":"))}"',
    }
    response = _response(archive, snapshot, headers, base)
    if asks == _READER and _MARKUP.match(response.headers["content-type"]):
        response.headers["Content-Type"] = "text/plain"  # its source: a browser shown markup connects to whom it frames
    return response


def neighbours(archive: Archive, snapshot: Snapshot) -> tuple[Snapshot | None, Snapshot | None]:
    """The snapshots of the same URL before and after one, of those that may be shown."""
    earlier = _back(archive, snapshot)
    later = archive.snapshots(snapshot.url, start=snapshot.timestamp)
    after = (other for other in later if other.timestamp > snapshot.timestamp and not other.withheld)
    return next(earlier, None), next(after, None)


def _back(archive: Archive, snapshot: Snapshot) -> Iterator[Snapshot]:
    before = next(archive.back(snapshot.url, snapshot.timestamp), None)
    while before is not None:
        if not before.withheld:
            yield before
        before = next(archive.back(snapshot.url, before.timestamp), None)


def _response(archive: Archive, snapshot: Snapshot, headers: dict[str, str], base: str) -> Response:
    head, _, entity = archive.payload(snapshot)
    for name, value in head.headers[:_ORIGINAL]:
        if not _NAME.match(name):
            continue
        harmless = re.sub(r"[^\x20-\x7e]", lambda found: quote(found[0]), value)[:8192]
        if name.lower() in _KEPT:
            headers[name] = harmless
        headers[f"X-Archive-Orig-{name}"] = harmless
    status = head.status if 200 <= head.status <= 599 and head.status not in {204, 205, 304} else 200
    if snapshot.is_redirect and snapshot.location is not None:
        headers["Location"] = _ascii(f"{base}/web/{stamp(snapshot.timestamp)}id_/{snapshot.location}")
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/octet-stream"
    first = next(entity, b"")  # what is damaged is told before a status is sent
    return Streamed(_rest(first, entity), status, headers=headers)


def _rest(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others


def _ascii(url: str) -> str:
    return "".join(
        each if "!" <= each <= "~" else "".join(f"%{byte:02X}" for byte in each.encode("utf-8", "replace"))
        for each in url
    )


def warc(request: Request, archive: Archive) -> Response:
    """A run's WARC file, or the range of it that is asked for (RFC 9110 §14); nothing else of the store."""
    key = request.path_params["key"]
    parts = object_keys.split_run_key(key)
    if parts is None or not re.fullmatch(r"archive/[A-Za-z0-9][A-Za-z0-9._-]{0,100}", parts[1]):
        return line("only the WARC files of runs are given out: /warc/runs/RUN/archive/NAME", 404)
    info = archive.store.head(key)
    if info is None or archive.store.head(object_keys.run_key(parts[0], object_keys.MANIFEST)) is None:
        raise ObjectMissing(f"there is no {key}")
    ranges = archive.shown_ranges(parts[0])
    headers = CAPTURED | {"Content-Type": "application/warc", "Accept-Ranges": "bytes", "Cache-Control": KEPT_A_WHILE}
    start, end, status = 0, info.size, 200
    if match := _RANGE.match(request.headers.get("range", "")):
        start, end = _span(match[1], match[2], info.size)
        if start >= end:
            return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{info.size}"})
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{info.size}"
    if ranges is not None and not _within(ranges.get(key, []), start, end):
        raise Withheld("captures of this run are withheld: ask for the byte range of a record that is not", "withheld")
    headers["Content-Length"] = str(end - start)
    body = () if request.method == "HEAD" else _pieces(archive, key, start, end)
    return Streamed(iter(body), status, headers=headers)


def _within(ranges: list[tuple[int, int]], start: int, end: int) -> bool:
    """Whether bytes lie in one of the ranges, which are in order."""
    place = bisect_right(ranges, (start, LARGEST))
    return place > 0 and start >= ranges[place - 1][0] and end <= ranges[place - 1][1]


def _span(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        return (max(size - int(last), 0), size) if last else (0, size)
    return int(first), min(int(last) + 1, size) if last else size


def _pieces(archive: Archive, key: str, start: int, end: int) -> Iterator[bytes]:
    while start < end:
        piece = archive.store.get_range(key, start, min(end - start, _PIECE))
        if not piece:
            return
        yield piece
        start += len(piece)
