"""A URL's snapshots over time: bars by month, the days of a month, and a list."""

from __future__ import annotations

import re
from calendar import Calendar
from collections import Counter
from dataclasses import dataclass
from itertools import islice

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from archive.model import Snapshot
from archive.times import iso
from pipeline.web.common.addresses import address
from pipeline.web.common.archive_reader import MOST_SNAPSHOTS, Reading, asked_url, host_or_prefix
from pipeline.web.pages.listing import MATCHES
from pipeline.web.pages.page import Frame, number_of, walls
from pipeline.web.pages.snapshot_state import Entry, entries_of, shown_page, texts_of

_LISTED = 100  # snapshots on one page
_NEIGHBOURS = 2_000  # captures of a host that are looked through for other pages
_LEVELS = 5  # heights of bars
_CHOSEN = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-\d\d)?)?\Z", re.ASCII)  # a year, a month or a day
_RANK = ("withheld", "same", "moved", "new", "changed", "wall", "gone")  # what colours a month: the last one wins


@dataclass(frozen=True, slots=True)
class Bar:
    """A month or a day: how many snapshots, how high its bar (0 to 5), and its most important state."""

    key: str  # "2026-11", "2026-11-24"
    name: str
    count: int
    level: int
    state: str
    words: str


def routes(frame: Frame) -> list[BaseRoute]:
    """Return the timeline."""
    return [frame.route("/url", lambda request: _timeline(frame, request))]


def _timeline(frame: Frame, request: Request) -> Response:
    written, meant = host_or_prefix(request.query_params.get("url", ""))
    match = meant or request.query_params.get("match")
    if match in MATCHES:
        return RedirectResponse(address("/pages", url=written, match=match), 303, headers=walls())
    url = asked_url(written)
    snapshots = frame.reading.snapshots(url)
    if not snapshots:
        near = _neighbours(frame.reading, url)
        return frame.render(request, "nothing.html", {"url": url, "neighbours": near}, status=404)
    entries = entries_of(frame.reading, snapshots)
    chosen = request.query_params.get("in", "")
    chosen = chosen if _CHOSEN.match(chosen) else ""
    listed = [entry for entry in entries if iso(entry.snapshot.timestamp).startswith(chosen)][::-1]
    pages = max(-(-len(listed) // _LISTED), 1)
    page = number_of(request.query_params.get("page", "1"), pages)
    texts = texts_of(entries)
    stands = frame.reading.history(snapshots).state
    titled = next((it.title for it in reversed(snapshots) if it.title), None)
    values: dict[str, object] = {
        "url": url,
        "title": titled,
        "entries": listed[(page - 1) * _LISTED : page * _LISTED],
        "page": page,
        "pages": pages,
        "chosen": chosen,
        "month": chosen[:7] if len(chosen) > 4 else None,
        "month_name": f"{MONTHS[int(chosen[5:7]) - 1]} {chosen[:4]}" if len(chosen) > 4 else "",
        "weeks": weeks_of(entries, chosen[:7]) if len(chosen) > 4 else [],
        "years": years_of(entries),
        "count": len(snapshots),
        "bounded": len(snapshots) == MOST_SNAPSHOTS,
        "first": snapshots[0],
        "last": snapshots[-1],
        "texts": texts,
        "stands": shown_page(stands) if stands else None,
        "urls": sorted({it.url for it in snapshots}),
        "newest_text": texts[-1] if texts else None,
    }
    return frame.render(request, "timeline.html", values)


def _neighbours(reading: Reading, url: str) -> list[Snapshot]:
    """Return the newest snapshot of each page of a host that has a text."""
    looked_at = islice(reading.walk(url, "host"), _NEIGHBOURS)
    found = {it.url: it for it in looked_at if it.document is not None}
    return sorted(found.values(), key=lambda it: it.timestamp, reverse=True)[:50]


def years_of(entries: list[Entry]) -> list[tuple[str, list[Bar]]]:
    """Every year of which there is a snapshot, newest first, with twelve bars each."""
    months = _held(entries, len("2026-11"))
    most = max(map(len, months.values()), default=1)
    years = sorted({key[:4] for key in months}, reverse=True)
    numbers = range(1, 13)
    return [
        (year, [_bar(f"{year}-{number:02d}", MONTHS[number - 1], months, most) for number in numbers]) for year in years
    ]


def weeks_of(entries: list[Entry], month: str) -> list[list[Bar | None]]:
    """Return the days of a month, a list for each week from Monday on; None where a day is another month's."""
    days = _held(entries, len("2026-11-24"))
    year, number = int(month[:4]), int(month[5:])
    if not year:
        return []
    weeks = Calendar().monthdayscalendar(year, number)
    return [[_bar(f"{month}-{day:02d}", str(day), days, 1) if day else None for day in week] for week in weeks]


MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def _held(entries: list[Entry], length: int) -> dict[str, list[Entry]]:
    """Entries by the first characters of their times."""
    held: dict[str, list[Entry]] = {}
    for entry in entries:
        held.setdefault(iso(entry.snapshot.timestamp)[:length], []).append(entry)
    return held


def _bar(key: str, name: str, spans: dict[str, list[Entry]], most: int) -> Bar:
    held = spans.get(key, [])
    level = min(-(-len(held) * _LEVELS // most), _LEVELS)
    states = {entry.state.name for entry in held}
    state = max(states, key=_RANK.index, default="none")
    tally = Counter(entry.state.words for entry in held)
    words = ", ".join(f"{number} {word}" for word, number in tally.most_common())
    return Bar(key, name, len(held), level, state, words)
