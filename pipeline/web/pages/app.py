"""The pages as routes, for the application that serves them."""

from __future__ import annotations

from importlib.resources import files

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.web.common.archive_reader import Reading
from pipeline.web.pages import (
    availability_board,
    collections,
    compare,
    evidence,
    help_page,
    home,
    listing,
    reader_view,
    timeline,
)
from pipeline.web.pages.page import Frame, walls

_STATIC = {
    "onrecord.css": "text/css",
    "compare.js": "text/javascript",
    "copy.js": "text/javascript",
    "print.js": "text/javascript",
    "mark.svg": "image/svg+xml",
}


def routes(frame: Frame) -> list[BaseRoute]:
    """Return the pages."""
    rooms = (
        home, timeline, listing, reader_view, evidence, compare, availability_board, collections, help_page,
    )  # fmt: skip
    return [route for room in rooms for route in room.routes(frame)] + [_static()]


def nowhere(frame: Frame, request: Request, status: int) -> Response:
    """Return a page for an address without a page."""
    values = {"title": "No such page", "message": "there is nothing at this address; begin at the first page"}
    return frame.render(request, "error.html", values, status=status)


def create_pages(reading: Reading, replay: int | str) -> Starlette:
    """Return the pages alone, as an application of their own; `replay` is the port, or origin, of captured pages."""
    frame = Frame(reading, replay)

    def lost(request: Request, error: Exception) -> Response:
        return nowhere(frame, request, getattr(error, "status_code", 404))

    return Starlette(routes=routes(frame), exception_handlers={404: lost, 405: lost})


def _static() -> BaseRoute:
    """Return the few files that pages load: read once."""
    folder = files("pipeline.web") / "static"
    held = {name: (folder / name).read_bytes() for name in _STATIC}

    async def static(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in held:
            return Response(b"", 404, headers=walls())
        kind = _STATIC[name] + ("; charset=utf-8" if _STATIC[name].startswith("text/") else "")
        return Response(held[name], headers=walls() | {"Content-Type": kind, "Cache-Control": "max-age=300"})

    return Route("/static/{name}", static, methods=["GET", "HEAD"])
