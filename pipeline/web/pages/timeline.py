"""A URL's snapshots over time: bars by month, and a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from archive.model import Snapshot
from pipeline.web.pages.frame import Frame
from pipeline.web.pages.reading import MOST_SNAPSHOTS, asked_url
from pipeline.web.pages.states import Entry, entries_of, texts_of

_LISTED = 200  # snapshots on one page, unless a year or a month is chosen
_NEIGHBOURS = 2_000  # captures of a host that are looked through for other pages
_LEVELS = 5  # heights of bars
_RANK = (
    "withheld",
    "same",
    "moved",
    "new",
    "changed",
    "wall",
    "gone",
)  # what a month is coloured by, the last one wins


@dataclass(frozen=True, slots=True)
class Bar:
    """A month: how many snapshots, how high its bar (0 to 5), and its most telling state."""

    key: str  # "2026-11"
    month: str
    count: int
    level: int
    state: str
    words: str


def routes(frame: Frame) -> list[BaseRoute]:
    """The timeline."""
    return [frame.route("/url", lambda request: _timeline(frame, request))]


def _timeline(frame: Frame, request: Request) -> Response:
    url = asked_url(request.query_params.get("url", ""))
    snapshots = frame.reading.snapshots(url)
    if not snapshots:
        neighbours = _neighbours(frame.reading.snapshots(url, match="host", limit=_NEIGHBOURS))
        return frame.render(request, "nothing.html", {"url": url, "neighbours": neighbours}, status=404)
    entries = entries_of(snapshots)
    chosen = request.query_params.get("in", "")[:7]
    listed = [entry for entry in entries if f"{entry.snapshot.timestamp:%Y-%m}".startswith(chosen)][::-1]
    texts = texts_of(snapshots)
    titled = next((it.title for it in reversed(snapshots) if it.title), None)
    values = {
        "url": url,
        "title": titled,
        "entries": listed[:_LISTED],
        "left_out": max(len(listed) - _LISTED, 0),
        "chosen": chosen,
        "years": years_of(entries),
        "count": len(snapshots),
        "bounded": len(snapshots) == MOST_SNAPSHOTS,
        "first": snapshots[0],
        "last": snapshots[-1],
        "texts": texts,
        "urls": sorted({it.url for it in snapshots}),
        "newest_text": texts[-1] if texts else None,
    }
    return frame.render(request, "timeline.html", values)


def _neighbours(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """The newest snapshot of each page of a host that has a text."""
    found = {it.url: it for it in snapshots if it.document is not None}
    return sorted(found.values(), key=lambda it: it.timestamp, reverse=True)[:50]


def years_of(entries: list[Entry]) -> list[tuple[str, list[Bar]]]:
    """Every year between the first snapshot and the last, newest first, with twelve bars each."""
    months: dict[str, list[Entry]] = {}
    for entry in entries:
        months.setdefault(f"{entry.snapshot.timestamp:%Y-%m}", []).append(entry)
    most = max(map(len, months.values()), default=1)
    years = sorted({key[:4] for key in months}, reverse=True)
    return [(year, [_bar(f"{year}-{number:02d}", months, most) for number in range(1, 13)]) for year in years]


_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def _bar(key: str, months: dict[str, list[Entry]], most: int) -> Bar:
    held = months.get(key, [])
    level = -(-len(held) * _LEVELS // most)
    states = {entry.state.name for entry in held}
    state = max(states, key=_RANK.index, default="none")
    tally = Counter(entry.state.words for entry in held)
    words = ", ".join(f"{number} {word}" for word, number in tally.most_common())
    return Bar(key, _MONTHS[int(key[5:]) - 1], len(held), level, state, words)
