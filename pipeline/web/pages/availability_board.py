"""The availability board: the pages that are gone, walled off, or have changed when they were last seen."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from archive.errors import IntegrityError
from archive.model import Snapshot
from archive.states import Certainty, Name
from archive.states import State as Availability
from pipeline.web.common.archive_reader import Reading
from pipeline.web.pages.page import Frame, number_of
from pipeline.web.pages.snapshot_state import State, shown_page, shown_state

_RUNS = 50  # the newest that are looked through,
_LINES = 20_000  # so many lines of each one's index
_PAGE = 50  # URLs
_KINDS = ("gone", "wall", "changed")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a page stands: its newest snapshot, what that is, and the last one that showed the page."""

    url: str
    host: str
    newest: Snapshot
    state: State
    last_good: Snapshot | None


@dataclass(frozen=True, slots=True)
class Board:
    """The pages that need a look, and how many were looked at in how many runs of how many."""

    standings: tuple[Standing, ...]
    looked_at: int
    runs: int
    of_runs: int
    whole: bool


class Boards:
    """Boards, each made once for the runs it is about."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._lock = threading.Lock()
        self._made: tuple[object, Board] | None = None

    def board(self) -> Board:
        """Return the board of the archive as it is now."""
        with self._lock:
            runs = self._reading.runs()
            made_from = (runs, self._reading.archive.shown_mark())
            if self._made is None or self._made[0] != made_from:
                self._made = (made_from, board_of(self._reading, runs))
            return self._made[1]


def board_of(reading: Reading, runs: tuple[str, ...]) -> Board:
    """Where each page stands, from the index lines of the newest runs; a page is what ever had a text there."""
    pages: dict[str, list[Snapshot]] = {}
    whole = len(runs) <= _RUNS
    for run in runs[-_RUNS:]:
        try:
            lines = reading.captures(run, _LINES)
        except IntegrityError:
            whole = False
            continue
        whole = whole and len(lines) < _LINES
        for snapshot in lines:
            pages.setdefault(snapshot.url, []).append(snapshot)
    held = [sorted(found, key=lambda it: it.timestamp) for found in pages.values() if any(it.document for it in found)]
    standings = [standing for found in held if (standing := _standing(reading, found))]
    standings.sort(key=lambda it: (it.host, _KINDS.index(it.state.name), it.url))
    return Board(tuple(standings), len(held), min(len(runs), _RUNS), len(runs), whole)


def _standing(reading: Reading, found: list[Snapshot]) -> Standing | None:
    """Return a page's standing, or None where its newest snapshot is what it was before."""
    page = reading.history(found)
    newest = page.judged[-1]
    waits = page.state is not None and page.state.certainty == Certainty.PENDING and page.state.name != Name.BACK
    away = page.state is not None and page.state.name != Availability.OK and not newest.state.shows_page
    state = shown_page(page.state) if page.state and (waits or away) else shown_state(newest)
    if state.name not in _KINDS:
        return None
    good = [it.snapshot for it in page.judged[:-1] if it.state.shows_page]
    host = urlsplit(newest.snapshot.url).netloc
    return Standing(newest.snapshot.url, host, newest.snapshot, state, good[-1] if good else None)


def routes(frame: Frame) -> list[BaseRoute]:
    """Return the board."""
    boards = Boards(frame.reading)
    return [frame.route("/board", lambda request: _board(frame, boards, request))]


def _board(frame: Frame, boards: Boards, request: Request) -> Response:
    board = boards.board()
    kind = request.query_params.get("state", "")
    kind = kind if kind in _KINDS else ""
    host = request.query_params.get("host", "").strip().lower()
    named = [it for it in board.standings if host in it.host.lower()]
    chosen = [it for it in named if not kind or it.state.name == kind]
    page = number_of(request.query_params.get("page", "1"), max(-(-len(chosen) // _PAGE), 1))
    shown = chosen[(page - 1) * _PAGE : page * _PAGE]
    values = {
        "board": board,
        "groups": [(name, list(group)) for name, group in groupby(shown, key=lambda it: it.host)],
        "tally": Counter(it.state.name for it in named),
        "total": len(named),
        "kind": kind,
        "host": host,
        "page": page,
        "pages": max(-(-len(chosen) // _PAGE), 1),
        "count": len(chosen),
    }
    return frame.render(request, "board.html", values)
