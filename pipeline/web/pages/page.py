"""What every page shares: templates, headers, errors that are pages."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import jinja2
from markupsafe import Markup, escape
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from archive.errors import EntityError, IntegrityError, NoSuchSnapshot, Withheld
from archive.model import Snapshot
from archive.times import iso, parse_time, stamp
from pipeline.web.common.addresses import address, of
from pipeline.web.common.archive_reader import BadQuestion, Reading
from pipeline.web.common.responses import withheld_status
from pipeline.web.common.safe_text import visible
from pipeline.web.replay.app import origin_of
from pipeline.web.replay.replay_urls import BYTES, replay_path
from storage.errors import OnrecordError

_STATUS: tuple[tuple[type[OnrecordError], int, str], ...] = (
    (BadQuestion, 400, "That cannot be asked so"),
    (NoSuchSnapshot, 404, "Not in this archive"),
    (EntityError, 422, "This cannot be shown"),
    (IntegrityError, 502, "Damaged"),
)
_ISO = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_UNREADABLE = (503, "The archive cannot be read now")


def moment_of(text: str, name: str) -> datetime:
    """Return the time that a parameter names; raises BadQuestion."""
    try:
        return parse_time(text)
    except (ValueError, OverflowError) as error:
        raise BadQuestion(f"{name}: {error}") from error


def number_of(text: str, most: int) -> int:
    """Return the number of a page of a list, from 1 to `most`; 1 for what is no number."""
    return min(max(int(text), 1), most) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def _shown(value: Any) -> Any:
    """Return what a template prints: strings with what cannot be seen made visible."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _time(moment: datetime) -> Markup:
    """Return a time as a <time> element: the day in words, the minute, UTC."""
    return Markup('<time datetime="{}">{} <span class="minute">{} UTC</span></time>').format(
        iso(moment), _day(moment), f"{moment:%H:%M:%S}"
    )


def _minute(moment: datetime) -> str:
    return f"{_day(moment)}, {moment:%H:%M}"


def _second(moment: datetime) -> str:
    return f"{_day(moment)}, {moment:%H:%M:%S}"


def _dates(words: str) -> Markup:
    """Return words with the ISO times in them as people write them."""
    pieces: list[str] = []
    position = 0
    for match in _ISO.finditer(words):
        try:
            moment = parse_time(match[0])
        except (ValueError, OverflowError):
            continue
        written = Markup('<time datetime="{}">{} UTC</time>').format(match[0], _minute(moment))
        pieces += [escape(visible(words[position : match.start()])), written]
        position = match.end()
    return Markup("").join([*pieces, escape(visible(words[position:]))])


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pipeline.web", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals |= {"address": address, "of": of, "stamp": stamp, "iso": iso}
    environment.filters |= {"day": _day, "time": _time, "minute": _minute, "second": _second, "dates": _dates}
    return environment


def _status(error: OnrecordError) -> tuple[int, str]:
    """Return the HTTP status that an error becomes, and the heading of its page."""
    if isinstance(error, Withheld):
        return withheld_status(error), "Not shown"
    return next(((code, text) for kind, code, text in _STATUS if isinstance(error, kind)), _UNREADABLE)


class Frame:
    """Renders templates, with the headers that wall a page in, and with the replay origin that it may frame."""

    def __init__(self, reading: Reading, replay: int | str, *, writes: bool = False) -> None:
        self.reading = reading
        self.writes = writes  # whether pages can be saved here
        self._replay = replay
        self._environment = _environment()

    def route(self, path: str, page: Callable[[Request], Response]) -> BaseRoute:
        """Return a page at a path; it may block. What it raises becomes a page with one line."""

        @functools.wraps(page)
        async def answer(request: Request) -> Response:
            try:
                return await run_in_threadpool(page, request)
            except OnrecordError as error:
                status, title = _status(error)
                return self.render(request, "error.html", {"title": title, "message": str(error)}, status=status)

        return Route(path, answer, methods=["GET", "HEAD"], name=path.strip("/") or "home")

    def render(
        self, request: Request, template: str, values: Mapping[str, object], *, status: int = 200
    ) -> HTMLResponse:
        """Return a template as a response."""
        origin = origin_of(request, self._replay)

        def shown(snapshot: Snapshot, kind: str = "") -> str:
            return origin + replay_path(snapshot.url, stamp(snapshot.timestamp), kind)

        body = self._environment.get_template(template).render(
            path=request.url.path,
            writes=self.writes,
            replayed=shown,
            as_bytes=lambda snapshot: shown(snapshot, BYTES),
            **values,
        )
        # A lone half of a character can be in what was asked; no encoding has it.
        response = HTMLResponse(body.encode("utf-8", "replace"), status)
        response.headers.update(walls(f"frame-src {origin};"))
        return response


def walls(more: str = "") -> dict[str, str]:
    """Return the headers of every page of the interface: only its own content, no frames, no referrer."""
    return {
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
            f"{more} form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Cache-Control": "private, no-cache",
    }
