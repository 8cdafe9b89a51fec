"""Captured bytes: a response as it was, and the WARC files that hold the records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from archive.archive import Reader
from archive.errors import NoSuchSnapshot
from archive.formats import http_date, links_around
from archive.model import Snapshot
from archive.times import from_stamp, stamp
from pipeline.web.common.addresses import of
from pipeline.web.common.media_types import BYTES, as_document, content_type, destination_of, essence
from pipeline.web.common.responses import CAPTURED, KEPT_A_WHILE, PLAIN, Streamed, line
from storage.errors import ObjectMissing

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z")
_NOT_IN_A_TAG = re.compile(r"[^!#-~]")  # RFC 9110 §8.8.3
_KEPT = {"content-encoding", "content-language"}
_READER = "document"  # what a browser asks for that opens it; programs ask for nothing, or "empty"
_ORIGINAL = 100  # headers of the response that are passed on


def target_of(request: Request, prefix: str) -> str:
    """Return the URL that follows a prefix in the path, its query with it, as it was sent."""
    raw = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.split(b"?", 1)[0].decode("latin-1")
    url = path[path.index(prefix) + len(prefix) :]
    query = request.scope["query_string"].decode("latin-1")
    url = re.sub(r"\A(https?):/+(?=[^/])", r"\1://", url, flags=re.IGNORECASE)
    if not url or len(url) + len(query) > 8192:
        raise ValueError("the path names no page, or a very long one")
    return f"{url}?{query}" if query else url


def memento(request: Request, archive: Reader, base: str, *, raw: bool) -> Response:
    """Return a capture as it was (RFC 7089 §4.5), at the time that the path names; raises NoSuchSnapshot."""
    asks = request.headers.get("sec-fetch-dest", "")
    if asks not in {"", "empty", _READER} or request.headers.get("service-worker"):
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
        "Vary": "Sec-Fetch-Dest, Accept, User-Agent",
        "ETag": f'"{_NOT_IN_A_TAG.sub("", snapshot.place.replace(" ", ":"))}"',
    }
    return _response(archive, snapshot, headers, base, read=destination_of(request.headers) not in {"", "empty"})


def neighbours(archive: Reader, snapshot: Snapshot) -> tuple[Snapshot | None, Snapshot | None]:
    """Return the snapshots of the same URL before and after one, among those that may be shown."""
    earlier = _back(archive, snapshot)
    later = archive.snapshots(snapshot.url, start=snapshot.timestamp)
    after = (other for other in later if other.timestamp > snapshot.timestamp and not other.withheld)
    return next(earlier, None), next(after, None)


def _back(archive: Reader, snapshot: Snapshot) -> Iterator[Snapshot]:
    before = next(archive.back(snapshot.url, snapshot.timestamp), None)
    while before is not None:
        if not before.withheld:
            yield before
        before = next(archive.back(snapshot.url, before.timestamp), None)


def _response(archive: Reader, snapshot: Snapshot, headers: dict[str, str], base: str, *, read: bool) -> Response:
    """Return a capture's body with its headers; `read` is true when a browser may show it."""
    head, _, entity = archive.payload(snapshot)
    for name, value in head.headers[:_ORIGINAL]:
        if _NAME.match(name):
            headers[f"X-Archive-Orig-{name}"] = _harmless(value)
    for name in _KEPT:  # however often, and in whatever case: one of each goes out
        values = [value for key, value in head.headers if key.lower() == name]
        if values:
            headers[name.title()] = _harmless(", ".join(values))
    named = content_type(head.headers)
    headers["Content-Type"] = as_document(essence(named)) if read else _harmless(named) or BYTES
    status = head.status if 200 <= head.status <= 599 and head.status not in {204, 205, 304} else 200
    if snapshot.is_redirect and snapshot.location is not None:
        headers["Location"] = _ascii(f"{base}/web/{stamp(snapshot.timestamp)}id_/{snapshot.location}")
    first = next(entity, b"")  # what is damaged is told before a status is sent
    return Streamed(_rest(first, entity), status, headers=headers)


def _harmless(value: str) -> str:
    return re.sub(r"[^\x20-\x7e]", lambda found: quote(found[0]), value)[:8192]


def _rest(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others


def _ascii(url: str) -> str:
    return "".join(
        each if "!" <= each <= "~" else "".join(f"%{byte:02X}" for byte in each.encode("utf-8", "replace"))
        for each in url
    )


def warc(request: Request, archive: Reader) -> Response:
    """Return a run's WARC file, or the range of it that is asked for (RFC 9110 §14); nothing else of the store."""
    key = request.path_params["key"]
    try:
        size = archive.warc_size(key)
    except ValueError:
        return line("only the WARC files of runs are given out: /warc/runs/RUN/archive/NAME", 404)
    if size is None:
        raise ObjectMissing(f"there is no {key}")
    headers = CAPTURED | {"Content-Type": "application/warc", "Accept-Ranges": "bytes", "Cache-Control": KEPT_A_WHILE}
    start, end, status = 0, size, 200
    if match := _RANGE.match(request.headers.get("range", "")):
        start, end = _span(match[1], match[2], size)
        if start >= end:
            return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    pieces = archive.warc_range(key, start, end)
    headers["Content-Length"] = str(end - start)
    return Streamed(iter(()) if request.method == "HEAD" else pieces, status, headers=headers)


def _span(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        return (max(size - int(last), 0), size) if last else (0, size)
    return int(first), min(int(last) + 1, size) if last else size
