"""Two texts of a URL side by side, and a slider that steps through all of them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from archive.errors import NoSuchSnapshot
from archive.model import Snapshot
from archive.text_diff import compare
from archive.times import iso
from pipeline.web.common.archive_reader import asked_url
from pipeline.web.common.safe_text import harmless
from pipeline.web.pages.diff_rows import counted, folded, rows_of
from pipeline.web.pages.page import Frame, moment_of
from pipeline.web.pages.snapshot_state import entries_of, texts_of

_LONGEST = 400_000  # characters of each text that are compared
_MOST = 500  # texts that can be stepped through: the newest


def routes(frame: Frame) -> list[BaseRoute]:
    """Return the comparison."""
    return [frame.route("/compare", lambda request: _compare(frame, request))]


def _compare(frame: Frame, request: Request) -> Response:
    url = asked_url(request.query_params.get("url", ""))
    every = texts_of(entries_of(frame.reading, frame.reading.snapshots(url)))
    texts = every[-_MOST:]
    if not texts:
        raise NoSuchSnapshot(f"no text is kept of {url}, so there is nothing to compare")
    before, after = _pair(texts, request)
    old, new = _text(frame, texts[before]), _text(frame, texts[after])
    pieces = compare(old[:_LONGEST], new[:_LONGEST])
    rows = rows_of(pieces)
    values = {
        "url": url,
        "title": texts[after].title,
        "texts": texts,
        "left_out": len(every) - len(texts),
        "before": before,
        "after": after,
        "old": texts[before],
        "new": texts[after],
        "stretches": folded(rows),
        "changed": any(row.changed for row in rows),
        "counts": counted(pieces),
        "cut": max(len(old), len(new)) > _LONGEST,
    }
    return frame.render(request, "compare.html", values)


def _pair(texts: list[Snapshot], request: Request) -> tuple[int, int]:
    """Which two texts: step N is what text N changed; or those nearest to `from` and `to`; else the newest change."""
    last = len(texts) - 1
    step = request.query_params.get("step", "")
    if step.isascii() and step.isdigit() and len(step) < 6:
        after = min(int(step), last)
        return max(after - 1, 0), after
    after = _nearest(texts, request.query_params.get("to", ""), "to", last)
    if after == 0 and not request.query_params.get("from"):  # before the first there is none: what became of it
        return 0, min(1, last)
    before = _nearest(texts, request.query_params.get("from", ""), "from", max(after - 1, 0))
    return min(before, after), max(before, after)


def _nearest(texts: list[Snapshot], text: str, name: str, otherwise: int) -> int:
    if not text:
        return otherwise
    moment = moment_of(text, name)
    return min(range(len(texts)), key=lambda number: abs(texts[number].timestamp - moment))


def _text(frame: Frame, snapshot: Snapshot) -> str:
    document = frame.reading.document(snapshot)
    if document is None or not document.article.text:
        raise NoSuchSnapshot(f"the snapshot of {iso(snapshot.timestamp)} has no text to compare")
    return harmless(document.article.text).strip("\n") + "\n"
