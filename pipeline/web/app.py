"""The routes: which path asks for what."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from archive.archive import Reader
from archive.errors import NoSuchSnapshot
from archive.formats import from_http_date, http_date, link, memento_url, timemap, uri
from archive.times import now, stamp
from pipeline.web.api import cdx, raw, timestamps
from pipeline.web.api.cdx_query import parse
from pipeline.web.api.feeds import Feeds
from pipeline.web.common.archive_reader import Reading
from pipeline.web.common.responses import PLAIN, Streamed, line, refuse
from pipeline.web.pages.app import nowhere, routes
from pipeline.web.pages.page import Frame
from pipeline.web.write.routes import Writing
from pipeline.web.write.routes import routes as writing_routes
from storage.errors import OnrecordError

_MOST_PARAMETERS = 100

Answering = Callable[[Request, Reader, str], Response]


def create_app(
    reading: Reading, replay: int | str, *, writing: Writing | None = None, feeds: Feeds | None = None
) -> Starlette:
    """Return the archive over HTTP, with its feeds if there are any.

    `replay` is the port, or the whole origin, at which captured pages are shown. Only with `writing` are there routes
    by which anything is written.
    """

    def route(path: str, answer: Answering, methods: tuple[str, ...] = ("GET", "HEAD")) -> Route:
        def endpoint(request: Request) -> Response:
            return answer(request, reading.fresh(), str(request.base_url).rstrip("/"))

        return Route(path, endpoint, methods=list(methods))

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException), "it was registered for these"
        if "text/html" in request.headers.get("accept", ""):  # someone with a browser
            return nowhere(frame, request, error.status_code)
        return line(f"{error.detail}; see /help for what can be asked", error.status_code)

    timestamps.register()
    frame = Frame(reading, replay, writes=writing is not None)
    lines = ("GET", "HEAD", "POST")
    return Starlette(
        routes=[
            *routes(frame),
            *(writing_routes(frame, writing) if writing else ()),
            *([route("/feed.atom", feeds.atom), route("/feed.json", feeds.json)] if feeds else []),
            route("/cdx", _cdx, lines),
            route("/cdx/search/cdx", _cdx, lines),
            route("/index", _index, lines),
            route("/timegate/{url:path}", _timegate),
            route("/timemap/link/{url:path}", _timemap),
            route("/timemap/json/{url:path}", _timemap_json),
            route("/web/{digits:stamp}id_/{url:path}", lambda *given: raw.memento(*given, raw=True)),
            route("/web/{digits:stamp}/{url:path}", lambda *given: raw.memento(*given, raw=False)),
            route("/web/{url:path}", _timegate_web),
            route("/warc/{key:path}", lambda request, archive, _: raw.warc(request, archive)),
        ],
        exception_handlers={HTTPException: refused, OnrecordError: refuse, ValueError: refuse, Exception: refuse},
    )


def _cdx(request: Request, archive: Reader, _base: str) -> Response:
    return _answered(request, archive, "text")


def _index(request: Request, archive: Reader, _base: str) -> Response:
    return _answered(request, archive, "cdxj")


def _answered(request: Request, archive: Reader, output: str) -> Response:
    params: dict[str, list[str]] = defaultdict(list)
    text = request.scope["query_string"].decode("latin-1")
    for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS):
        params[name].append(value)
    query = parse(params, default_output=output)
    answer = cdx.Answer(archive, query)
    if query.page is not None and not query.count_pages and query.page and query.page >= answer.pages():
        return line(f"there is no page {query.page}", 400)
    kind = "application/json" if query.output == "json" else "text/plain; charset=utf-8"
    pieces = cdx.text_of(query, cdx.Answer(archive, query))
    first = next(pieces, "")  # what is wrong is told before a status is sent
    return Streamed(_from(first, pieces), media_type=kind, headers=PLAIN)


def _from(first: str, others: Iterator[str]) -> Iterator[bytes]:
    """Yield the pieces as they are sent: an index may hold half a character."""
    yield first.encode("utf-8", "replace")
    yield from (piece.encode("utf-8", "replace") for piece in others)


def _timegate(request: Request, archive: Reader, base: str, prefix: str = "/timegate/") -> Response:
    """Lead to the capture nearest to Accept-Datetime, or the newest (RFC 7089 §4.1)."""
    url = raw.target_of(request, prefix)
    wanted = request.headers.get("accept-datetime")
    try:
        at = from_http_date(wanted) if wanted else None
    except ValueError as error:
        return line(f"Accept-Datetime: {error}", 400)
    found = archive.near(url, at or now(), shown=True)
    if found is None:
        raise NoSuchSnapshot(f"nothing is kept of {url}")
    links = [
        link(url, "original"),
        link(f"{base}/timemap/link/{url}", "timemap") + '; type="application/link-format"',
        link(memento_url(base, found), "memento", found.timestamp),
    ]
    headers = PLAIN | {"Vary": "accept-datetime", "Link": ", ".join(links)}
    return RedirectResponse(uri(memento_url(base, found)), 302, headers=headers)


def _timegate_web(request: Request, archive: Reader, base: str) -> Response:
    return _timegate(request, archive, base, "/web/")


def _timemap(request: Request, archive: Reader, base: str) -> Response:
    url = raw.target_of(request, "/timemap/link/")
    pieces = timemap(base, url, archive.shown(archive.snapshots(url)))
    first = next(pieces, None)
    if first is None:
        raise NoSuchSnapshot(f"nothing is kept of {url}")
    return Streamed(_from(first, pieces), media_type="application/link-format", headers=PLAIN)


def _timemap_json(request: Request, archive: Reader, base: str) -> Response:
    url = raw.target_of(request, "/timemap/json/")
    mementos = [
        {"datetime": http_date(each.timestamp), "timestamp": stamp(each.timestamp), "uri": memento_url(base, each),
         "status": each.status, "digest": each.digest}
        for each in archive.shown(archive.snapshots(url))
    ]  # fmt: skip
    if not mementos:
        raise NoSuchSnapshot(f"nothing is kept of {url}")
    found = {
        "original_uri": url,
        "timegate_uri": f"{base}/timegate/{url}",
        "timemap_uri": {"link_format": f"{base}/timemap/link/{url}", "json_format": f"{base}/timemap/json/{url}"},
        "mementos": {"list": mementos, "first": mementos[0], "last": mementos[-1]},
    }
    text = json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")
    return Response(text, media_type="application/json", headers=PLAIN)
