"""The pages as routes, for the application that serves them."""

from __future__ import annotations

from importlib.resources import files

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.web.pages import board, compare, home, reader_view, timeline
from pipeline.web.pages.frame import Frame, walls
from pipeline.web.pages.reading import Reading

_STATIC = {"onrecord.css": "text/css", "compare.js": "text/javascript", "mark.svg": "image/svg+xml"}


def routes(reading: Reading, replay: int | str) -> list[BaseRoute]:
    """The pages; `replay` is the port, or the whole origin, at which captured pages are shown."""
    frame = Frame(reading, replay)
    rooms = (home, timeline, reader_view, compare, board)
    return [route for room in rooms for route in room.routes(frame)] + [_static()]


def create_pages(reading: Reading, replay: int | str) -> Starlette:
    """The pages alone, as an application of their own."""
    frame = Frame(reading, replay)

    def nowhere(request: Request, error: Exception) -> Response:
        values = {"title": "No such page", "message": "there is nothing at this address; begin at the first page"}
        return frame.render(request, "error.html", values, status=getattr(error, "status_code", 404))

    return Starlette(routes=routes(reading, replay), exception_handlers={404: nowhere, 405: nowhere})


def _static() -> BaseRoute:
    """The few files that pages load: read once."""
    folder = files("pipeline.web") / "static"
    held = {name: (folder / name).read_bytes() for name in _STATIC}

    async def static(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in held:
            return Response(b"", 404, headers=walls())
        kind = _STATIC[name] + ("; charset=utf-8" if _STATIC[name].startswith("text/") else "")
        return Response(held[name], headers=walls() | {"Content-Type": kind, "Cache-Control": "max-age=300"})

    return Route("/static/{name}", static, methods=["GET", "HEAD"])
