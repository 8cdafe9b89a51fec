"""The collections of users, and one of them: its snapshots with labels, notes and citations."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from archive.annotations import Words
from archive.errors import IntegrityError, NoSuchAnnotation, NoSuchSnapshot
from archive.model import Snapshot
from archive.states import Judged
from pipeline.web.common.archive_reader import Reading
from pipeline.web.pages.citation import citation_of
from pipeline.web.pages.page import Frame, number_of
from pipeline.web.pages.snapshot_state import State, shown_state

_PAGE = 50  # snapshots on one page
_MOST = 20_000  # snapshots of a collection, with a text or withheld
_LINES = 200_000  # captures that are looked at for these


@dataclass(frozen=True, slots=True)
class Member:
    """A snapshot of a collection: its state, what is known of its page since, and, unless it is withheld, the rest."""

    snapshot: Snapshot
    state: State | None
    since: list[str]
    words: Words = field(default_factory=Words)
    citation: str = ""


def routes(frame: Frame) -> list[BaseRoute]:
    """Return the list of collections, and the page of one."""
    return [
        frame.route("/collections", lambda request: _collections(frame, request)),
        frame.route("/collection", lambda request: _collection(frame, request)),
    ]


def _collections(frame: Frame, request: Request) -> Response:
    said = frame.reading.fresh().annotations.said()
    named = [(name, max(each.added for each in said.in_collection(name))) for name in said.collections]
    return frame.render(request, "collections.html", {"collections": named})


def _collection(frame: Frame, request: Request) -> Response:
    name = request.query_params.get("name", "")
    try:
        found, whole = members(frame.reading, name)
    except NoSuchAnnotation as error:
        raise NoSuchSnapshot("there is no such collection; /collections lists what there is") from error
    pages = max(-(-len(found) // _PAGE), 1)
    page = number_of(request.query_params.get("page", "1"), pages)
    shown = [member_of(frame.reading, each) for each in found[(page - 1) * _PAGE : page * _PAGE]]
    values = {"name": name, "members": shown, "count": len(found), "whole": whole, "page": page, "pages": pages}
    return frame.render(request, "collection.html", values)


def members(reading: Reading, name: str) -> tuple[list[Snapshot], bool]:
    """Return the snapshots of a collection that have a text or are withheld, newest first, and whether these are all.

    Raises NoSuchAnnotation.
    """
    looked_at = 0
    found = []
    for snapshot in islice(reading.fresh().collection(name), _LINES):
        looked_at += 1
        if (snapshot.document or snapshot.withheld) and not snapshot.url.lower().startswith("urn:"):
            found.append(snapshot)
        if len(found) == _MOST:
            break
    whole = looked_at < _LINES and len(found) < _MOST
    return sorted(found, key=lambda each: (each.timestamp, each.url), reverse=True), whole


def member_of(reading: Reading, snapshot: Snapshot) -> Member:
    """Return a snapshot as its collection shows it."""
    if snapshot.withheld:
        return Member(snapshot, State("withheld", "▨", str(snapshot.withheld)), [])
    words = reading.archive.annotations.said().of(snapshot)
    try:
        dated = reading.dated(snapshot)
        document = reading.document(snapshot)
    except IntegrityError as error:
        return Member(snapshot, None, [str(error)], words)
    state = shown_state(Judged(snapshot, dated.state)) if dated.state else None
    return Member(snapshot, state, dated.notes(), words, citation_of(snapshot, document))
