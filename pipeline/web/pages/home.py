"""The first page, and the answers to a search."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from itertools import islice

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from archive.errors import IntegrityError, NoSuchSnapshot, Withheld
from archive.model import Snapshot
from archive.search import Hit, SearchUnavailable
from archive.states import Judged
from archive.times import stamp
from pipeline.web.common.addresses import address
from pipeline.web.common.archive_reader import BadQuestion, Question, Reading
from pipeline.web.common.safe_text import visible
from pipeline.web.pages.page import Frame, moment_of, number_of, walls
from pipeline.web.pages.snapshot_state import State, shown_state

_NEWEST = 12  # captures on the first page,
_RUNS = 8  # from the newest runs,
_LINES = 2_000  # and so many lines of the index of each
_COUNTED = 2_000  # runs whose manifests are added up
_HITS = 20  # a page of answers
_LAST_PAGE = 25
_ADDRESS = re.compile(r"(?:https?://|urn:)\S+\Z|(?:\*\.[\w.-]+|[\w-]+(?:\.[\w-]+)+)(?::\d+)?(?:/\S*)?\Z", re.IGNORECASE)
_ASKED = ("q", "title", "author", "site", "collection", "from", "to")
_FOUND = re.compile("\x02([^\x02\x03]*)\x03")


@dataclass(frozen=True, slots=True)
class Counts:
    """How much an archive holds; `whole` is false where there are more runs than were added up."""

    runs: int
    captures: int
    texts: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Card:
    """A capture on the first page, its state, and what is known of its page since."""

    snapshot: Snapshot
    state: State | None
    since: list[str]


def routes(frame: Frame) -> list[BaseRoute]:
    """Return the first page and the search."""
    return [
        frame.route("/", lambda request: _home(frame, request)),
        frame.route("/search", lambda request: _search(frame, request)),
    ]


def _home(frame: Frame, request: Request) -> Response:
    if not frame.reading.runs():
        return frame.render(request, "empty.html", {"store": shlex.quote(frame.reading.archive.url)})
    values = {"counts": counts_of(frame.reading), "newest": newest(frame.reading), "asked": _nothing_asked()}
    return frame.render(request, "home.html", values)


def _nothing_asked() -> dict[str, str]:
    return dict.fromkeys(_ASKED, "")


def counts_of(reading: Reading) -> Counts:
    """Return what the manifests of the newest runs say together."""
    runs = reading.runs()
    captures = texts = 0
    for run in runs[-_COUNTED:]:
        try:
            manifest = reading.manifest(run)
        except IntegrityError:  # `verify` tells; the page is for reading
            continue
        captures += manifest.counts.get("captures", 0) if manifest else 0
        texts += manifest.counts.get("documents", 0) if manifest else 0
    return Counts(len(runs), captures, texts, len(runs) <= _COUNTED)


def newest(reading: Reading) -> list[Card]:
    """Return the newest captures that have a text, each URL once: of a few runs, and of the beginning of each."""
    found: dict[str, Snapshot] = {}
    for run in reversed(reading.runs()[-_RUNS:]):
        try:
            captures = reading.captures(run, _LINES)
        except IntegrityError:
            continue
        for snapshot in captures:
            held = found.get(snapshot.url)
            if snapshot.document is not None and (held is None or held.timestamp < snapshot.timestamp):
                found[snapshot.url] = snapshot
    ordered = sorted(found.values(), key=lambda it: it.timestamp, reverse=True)
    return [_card(reading, snapshot) for snapshot in islice(ordered, _NEWEST)]


def _card(reading: Reading, snapshot: Snapshot) -> Card:
    try:
        dated = reading.dated(snapshot)
    except IntegrityError:  # `verify` says so; the page is for reading
        return Card(snapshot, None, [])
    return Card(snapshot, shown_state(Judged(snapshot, dated.state)) if dated.state else None, dated.notes())


def _search(frame: Frame, request: Request) -> Response:
    asked = _nothing_asked() | {name: value.strip() for name, value in request.query_params.items() if name in _ASKED}
    if elsewhere := _led_on(asked):
        return _redirect(elsewhere)
    page = number_of(request.query_params.get("page", "1"), _LAST_PAGE)
    start = moment_of(asked["from"], "from") if asked["from"] else None
    end = moment_of(_last_second(asked["to"]), "to") if asked["to"] else None
    try:
        where = asked["site"] or None, asked["collection"] or None
        question = Question(asked["q"], asked["title"], asked["author"], *where, start, end)
        hits, faults = frame.reading.search(question, page * _HITS + 1)
    except SearchUnavailable as error:
        raise BadQuestion(str(error)) from error
    shown = hits[(page - 1) * _HITS : page * _HITS]
    said = [(hit, _marked(hit.snippet), stamp(hit.timestamp), _since(frame.reading, hit)) for hit in shown]
    pages: dict[str, list[tuple[Hit, Markup, str, list[str]]]] = {}
    for each in said:
        pages.setdefault(each[0].url, []).append(each)
    values = {
        "asked": asked,
        "hits": [(first, others) for first, *others in pages.values()],
        "found": len(shown),
        "faults": faults,
        "page": page,
        "more": len(hits) > page * _HITS and page < _LAST_PAGE,
        "first": (page - 1) * _HITS,
    }
    return frame.render(request, "search.html", values)


def _since(reading: Reading, hit: Hit) -> list[str]:
    """Return what is known of a hit's page since, and what stands in its place where the text is not its own."""
    try:
        dated = reading.dated(reading.snapshot(hit.url, hit.timestamp))
    except (IntegrityError, NoSuchSnapshot, Withheld):
        return []
    instead = [dated.state.words] if dated.state and not dated.state.shows_page else []
    return [*instead, *dated.notes()]


def _led_on(asked: dict[str, str]) -> str | None:
    """Where a question leads that has no words to search for: a page that it names, a site's pages, the start."""
    given = {name for name, value in asked.items() if value}
    if given == {"q"} and _ADDRESS.match(asked["q"]):
        return address("/url", url=asked["q"])
    if given & {"q", "title", "author"}:
        return None
    if asked["collection"]:
        return address("/collection", name=asked["collection"])
    return address("/pages", url=asked["site"], match="domain") if asked["site"] else "/"


def _redirect(where: str) -> Response:
    return RedirectResponse(where, 303, headers=walls())


def _last_second(text: str) -> str:
    """Return a day, as date fields send it, is meant whole."""
    return f"{text}T23:59:59" if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text


def _marked(snippet: str) -> Markup:
    """Return a snippet with what was found in it marked."""
    parts: list[Markup] = []
    position = 0
    for match in _FOUND.finditer(snippet):
        parts.append(Markup("{}<mark>{}</mark>").format(visible(snippet[position : match.start()]), visible(match[1])))
        position = match.end()
    return Markup("").join(parts) + visible(snippet[position:])
