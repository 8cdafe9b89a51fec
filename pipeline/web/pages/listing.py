"""The pages of a site, or of a part of it: each with how it stands, and how many snapshots there are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, islice

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from archive.formats import urlkey
from archive.model import Snapshot
from pipeline.web.common.archive_reader import BadQuestion, Reading, asked_url, host_or_prefix
from pipeline.web.pages.page import Frame
from pipeline.web.pages.snapshot_state import State, entries_of

MATCHES = {"prefix": "begins so", "host": "this host", "domain": "this host and those below it"}
_PAGE = 100  # URLs on one page
_LINES = 20_000  # captures that are looked at for one page


@dataclass(frozen=True, slots=True)
class Listed:
    """A URL: its newest snapshot, what that is, a title of it, and how many snapshots, or more, were counted."""

    newest: Snapshot
    state: State
    title: str | None
    count: int


def routes(frame: Frame) -> list[BaseRoute]:
    """Return the list of pages."""
    return [frame.route("/pages", lambda request: _pages(frame, request))]


def _pages(frame: Frame, request: Request) -> Response:
    asked = request.query_params
    written, meant = host_or_prefix(asked.get("url", ""))
    match = asked.get("match") or meant or "prefix"
    if match not in MATCHES:
        raise BadQuestion(f"match is one of {', '.join(MATCHES)}")
    url = asked_url(written)
    everything = asked.get("all") == "1"
    pages, after = pages_of(frame.reading, url, match, asked.get("after", "")[:16_384], everything=everything)
    values = {
        "url": url,
        "match": match,
        "matches": MATCHES,
        "everything": everything,
        "pages": pages,
        "begun": bool(asked.get("after")),
        "after": after,
    }
    return frame.render(request, "listing.html", values)


def pages_of(
    reading: Reading, url: str, match: str, after: str, *, everything: bool
) -> tuple[list[Listed], str | None]:
    """URLs by key, from after one on, and the key to go on after, if there are more.

    Those that ever had a text, or, with `everything`, pictures and style sheets too.
    """
    found: list[Listed] = []
    looked, last = 0, ""
    for key, group in groupby(reading.walk(url, match, after), key=lambda it: urlkey(it.url)):
        if len(found) == _PAGE:
            return found, last
        held = list(islice(group, _LINES))
        looked, last = looked + len(held), key
        if everything or any(it.document for it in held):
            found.append(_listed(reading, held))
        if looked >= _LINES:
            return found, last
    return found, None


def _listed(reading: Reading, held: list[Snapshot]) -> Listed:
    newest = entries_of(reading, held)[-1]
    title = next((it.title for it in reversed(held) if it.title), None)
    return Listed(newest.snapshot, newest.state, title, len(held))
