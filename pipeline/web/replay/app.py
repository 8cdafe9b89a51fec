"""The second origin: captured pages at /DIGITS/URL, each answer walled in by its headers.

A captured page may hold anything. The policy for browsers: no script, no form, no plugin, nothing from elsewhere, an
origin that is nobody's (CSP `sandbox`), no cookie, no service worker. The rewriting makes pages show; these headers
make them harmless, whatever the rewriting missed.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from archive.errors import EntityError, IntegrityError, NoSuchSnapshot, Withheld
from archive.model import Snapshot
from archive.times import from_stamp, stamp
from pipeline.extract.encoding import decode
from pipeline.web.common.archive_reader import Reading
from pipeline.web.common.media_types import TEXT, content_type, destination_of, is_picture_markup
from pipeline.web.common.responses import Streamed, withheld_status
from pipeline.web.common.safe_text import visible
from pipeline.web.replay.content_types import HTML, SHEETS, kind_of
from pipeline.web.replay.css import rewrite_css
from pipeline.web.replay.html import rewrite_html
from pipeline.web.replay.replay_urls import BYTES, FRAME, SHEET, Place, asked_of, base_of, replay_path
from storage.errors import OnrecordError

_LARGEST_PAGE = 32 << 20  # bytes of a page or style sheet that is written again
_LARGEST = 4 << 30  # bytes of anything, decoded: only a bomb meets this
_HELD = 8 << 20  # bytes that are checked before the first is sent
_PIECES = {"image", "style", "font", "script", "audio", "video", "track", "object", "embed", "manifest"}
_HOST = re.compile(r"\A([a-zA-Z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(?::\d{1,5})?\Z")
_DEFAULT_HOST = "127.0.0.1"
# What is read as text and written again, in UTF-8; the header says so, and is believed over the page.
_READ: dict[str, Callable[[str, Place], str]] = {HTML: rewrite_html, SHEETS: rewrite_css, TEXT: lambda text, _: text}


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request for a captured page, understood."""

    url: str
    at: datetime
    kind: str
    piece: bool  # of a page, not the page
    destination: str  # what the browser wants it for


def create_replay(reading: Reading, interface: int | str) -> Starlette:
    """Return the replay application; `interface` is the port, or the whole origin, of the pages that may frame it."""
    replay = _Replay(reading, interface)
    return Starlette(
        routes=[Route("/{path:path}", replay.answer, methods=["GET", "HEAD"])],
        exception_handlers={405: replay.refuse},
    )


def host_of(request: Request) -> str:
    """Return the host name that a request was sent to, without port; the loopback's where it is not valid."""
    match = _HOST.match(request.headers.get("host", ""))
    return match[1].lower() if match else _DEFAULT_HOST


def origin_of(request: Request, where: int | str) -> str:
    """Return the origin at a port of the host that was asked, or the one that is named."""
    return where if isinstance(where, str) else f"{request.url.scheme}://{host_of(request)}:{where}"


class _Replay:
    def __init__(self, reading: Reading, interface: int | str) -> None:
        self._reading = reading
        self._interface = interface

    async def answer(self, request: Request) -> Response:
        """Any request; what goes wrong is a small page with one line."""
        try:
            response = await run_in_threadpool(self._found, request)
        except Withheld as error:
            response = _line(withheld_status(error), "Not shown", str(error))
        except NoSuchSnapshot as error:
            response = _line(404, "Not in this archive", str(error))
        except EntityError as error:
            response = _line(422, "This cannot be shown", str(error))
        except IntegrityError as error:
            response = _line(502, "Damaged", str(error))
        except OnrecordError as error:
            response = _line(503, "The archive cannot be read now", str(error))
        parts = _parts(request)
        framed = parts is not None and parts[1] == FRAME
        response.headers.update(_walls(None if framed else origin_of(request, self._interface)))
        if request.headers.get("sec-fetch-dest") == "font":  # which no script can say of its own request, or read
            response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    async def refuse(self, request: Request, _: Exception) -> Response:
        """Any method that would send something."""
        response = _line(405, "Refused", "captured pages are read, and nothing is sent to them")
        response.headers.update(_walls(origin_of(request, self._interface)))
        return response

    def _found(self, request: Request) -> Response:
        if request.headers.get("service-worker"):
            return _line(403, "Refused", "nothing that was captured becomes a service worker")
        asked = _asked(request)
        if asked is None:
            return _line(404, "No such address", "ask for /20261124000000/https://host/path")
        if asked.kind == BYTES:
            return self._bytes(self._reading.snapshot(asked.url, asked.at))
        snapshot = self._reading.nearest(asked.url, asked.at, standing=asked.piece)
        return self._shown(snapshot, asked)

    def _bytes(self, snapshot: Snapshot) -> Response:
        """Return the payload as it is, to be saved."""
        _, pieces = self._reading.body(snapshot, _LARGEST)
        name = re.sub(r"[^a-zA-Z0-9.-]+", "_", snapshot.url.rpartition("://")[2])[:100].strip("._") or "capture"
        response = _streamed(pieces, 200, "application/octet-stream")
        response.headers["Content-Disposition"] = f'attachment; filename="{stamp(snapshot.timestamp)}-{name}"'
        response.headers["Memento-Datetime"] = _http_date(snapshot.timestamp)
        return response

    def _shown(self, snapshot: Snapshot, asked: _Asked) -> Response:
        kind, named, pieces = self._kind(snapshot, asked)
        status = snapshot.status if 200 <= snapshot.status < 600 and snapshot.status not in {204, 205, 304} else 200
        if kind in _READ:
            text, _ = decode(b"".join(pieces), named)
            written = _READ[kind](text, Place(stamp(snapshot.timestamp), base_of(snapshot.url)))
            body = written.encode("utf-8", "replace")
            response = Response(body, status, headers={"Content-Type": f"{kind}; charset=utf-8"})
        elif is_picture_markup(kind) and asked.destination != "image":
            response = _pictured(snapshot, status)
        else:
            response = _streamed(pieces, status, kind)
        response.headers["Memento-Datetime"] = _http_date(snapshot.timestamp)
        return response

    def _kind(self, snapshot: Snapshot, asked: _Asked) -> tuple[str, str, Iterator[bytes]]:
        """Return what a capture is served as, its own Content-Type, and its body, bounded where it is written again."""
        head, pieces = self._reading.body(snapshot, _LARGEST)
        first = next(pieces, b"")
        named = content_type(head.headers)
        sheet = asked.kind == SHEET
        kind = SHEETS if sheet else kind_of(named, first, piece=asked.piece, destination=asked.destination)
        pieces = chain([first], pieces)
        return kind, named, _bounded(pieces) if kind in _READ else pieces


def _parts(request: Request) -> tuple[str, str, str] | None:
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    return asked_of(raw.decode("latin-1"), request.scope["query_string"].decode("latin-1"))


def _asked(request: Request) -> _Asked | None:
    parts = _parts(request)
    if parts is None:
        return None
    digits, kind, url = parts
    try:
        at = from_stamp(digits)
    except ValueError:
        return None
    destination = destination_of(request.headers)
    return _Asked(url, at, kind, kind == SHEET or destination in _PIECES, destination)


def _bounded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > _LARGEST_PAGE:
            raise EntityError(f"the page is larger than {_LARGEST_PAGE >> 20} MB; take its bytes with `onrecord get`")
        yield piece


def _streamed(pieces: Iterator[bytes], status: int, kind: str) -> Response:
    """Return a body in pieces; one of a few megabytes is checked to its end before its first byte is sent."""
    held, size = [], 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size > _HELD:
            return Streamed(chain(held, pieces), status, headers={"Content-Type": kind})
    return Response(b"".join(held), status, headers={"Content-Type": kind})


def _pictured(snapshot: Snapshot, status: int) -> Response:
    """Return a page that holds nothing but a picture: one that is markup could frame other hosts as a document."""
    source = html.escape(replay_path(snapshot.url, stamp(snapshot.timestamp)))
    body = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Picture</title><img src="{source}" alt="">'
    return Response(body, status, media_type="text/html; charset=utf-8")


def _http_date(moment: datetime) -> str:
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")


def _line(status: int, title: str, message: str) -> Response:
    """Return a page of one line, in no need of anything."""
    text = html.escape(visible(message))
    body = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>:root{{color-scheme:light dark}}body{{font:1.05em/1.5 system-ui,sans-serif;"
        f"max-width:36em;margin:18vh auto;padding:0 1em;overflow-wrap:anywhere}}h1{{font-size:1.3em}}</style>"
        f"<h1>{title}</h1><p><bdi>{text}</bdi></p></html>"
    )
    return Response(body, status, media_type="text/html; charset=utf-8")


def _walls(interface: str | None) -> dict[str, str]:
    """Return the headers of every answer of this origin.

    Pages in a sandbox have an origin of their own that equals no other, so what they need must be open to all origins:
    nothing here is a secret of a user, and no other site can read it, for no answer but a font's allows that (CORS).
    For the same reason no `frame-ancestors` can name the page that a frame within a page stands in: there `interface`
    is None. Such a frame has nothing that could be clicked to anyone's harm.
    """
    policy = (
        "sandbox; default-src 'none'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline' data:; "
        "font-src 'self' data:; media-src 'self' data: blob:; frame-src 'self'; script-src 'none'; connect-src 'none'; "
        "object-src 'none'; worker-src 'none'; base-uri 'none'; form-action 'none'"
    )
    if interface is not None:
        policy += f"; frame-ancestors 'self' {interface}"
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "X-DNS-Prefetch-Control": "off",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), fullscreen=()",
        "Cache-Control": "private, no-store",
    }
