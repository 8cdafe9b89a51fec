"""Answers: what every one carries, and what an error becomes."""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Send

from archive.errors import FormatError, IntegrityError, NoSuchSnapshot, Withheld
from archive.search import SearchUnavailable
from storage.errors import ObjectMissing, OnrecordError

_log = logging.getLogger("onrecord.web")

# What was captured is a stranger's: it may run nothing here, load nothing, and reach nobody. What is kept is the
# reader's alone: no page of another origin, and no page that is replayed on another port, may read it.
CAPTURED = {
    "Content-Security-Policy": "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PLAIN = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
KEPT_A_WHILE = "public, max-age=600"  # no capture changes, but one may be withheld, and caches are to forget it then


class Streamed(StreamingResponse):
    """A body in pieces. What is found damaged on the way ends the connection before the body does, and is logged."""

    async def stream_response(self, send: Send) -> None:
        """Send it; the end is not sent where it was not reached, so that nobody takes a part for the whole."""
        try:
            await super().stream_response(send)
        except OnrecordError as error:
            _log.warning("an answer broke off: %s: %s", type(error).__name__, error)


def line(text: str, status: int = 200) -> PlainTextResponse:
    """One line of plain text."""
    return PlainTextResponse(" ".join(text.split())[:1000] + "\n", status, headers=PLAIN)


def status_of(error: Exception) -> int:
    """Return the HTTP status that an error becomes."""
    if isinstance(error, Withheld):
        return withheld_status(error)
    if isinstance(error, NoSuchSnapshot | ObjectMissing):
        return 404
    if isinstance(error, IntegrityError | FormatError):
        return 502
    if isinstance(error, SearchUnavailable):
        return 400
    if isinstance(error, OnrecordError):
        return 503
    return 400 if isinstance(error, ValueError) else 500


def withheld_status(error: Withheld) -> int:
    """403 where it ends at a time, else 451 (RFC 7725)."""
    return 403 if error.until is not None else 451


async def refuse(_request: Request, error: Exception) -> Response:
    """Return an error as one line; what is no fault of the asker's is logged."""
    status = status_of(error)
    if status >= 500:
        _log.warning("%s: %s", type(error).__name__, error, exc_info=error if status == 500 else None)
    said = "a fault in onrecord; see its log" if status == 500 else str(error)
    return line(said, status)
