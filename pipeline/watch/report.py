"""What happened to pages: as lists, and as one HTML file, with a timeline for each page and what each edit did."""

from __future__ import annotations

import html
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from archive.archive import Reader
from archive.states import Availability, Certainty, Change, PageState, State, Transition, page_state
from archive.text_diff import Kind, compare
from archive.times import iso, now
from pipeline.outbound.plain_text import one_line
from pipeline.watch.edits import in_words, is_edit
from pipeline.watch.events import summary_of, texts_of
from pipeline.watch.history import Ledger
from pipeline.watch.watched_pages import News
from pipeline.watch.withheld import shown_history

AWAY = tuple(state for state in State if state != State.OK)
_MOST_QUIET = 1_000  # pages without news that are listed
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_LONGEST = 400  # characters of a URL or a title that are shown


@dataclass(frozen=True, slots=True)
class PageReport:
    """A page, its state, and what happened to it."""

    url: str
    now: Availability
    transitions: tuple[Transition, ...]

    @property
    def state(self) -> PageState | None:
        """Where it stands, or seems to until a second look; None where nothing is known."""
        return page_state(self.now)

    @property
    def title(self) -> str | None:
        """What it was called when it was last seen."""
        return self.now.good.title if self.now.good else None


def away(archive: Reader, ledger: Ledger, database: sqlite3.Connection) -> Iterator[PageReport]:
    """Yield the pages that are not there, or not for everybody, by URL: confirmed or still to be."""
    for url in ledger.urls(database, states=AWAY, waiting=True):
        where, transitions = shown_history(archive, ledger, database, url)
        page = PageReport(url, where, tuple(transitions))
        if page.state is not None and page.state.name in AWAY:
            yield page


def entry_of(page: PageReport) -> dict[str, Any]:
    """Return a page as plain values."""
    good, last = page.now.good, page.now.last
    return {
        "url": page.url,
        "title": page.title,
        "state": page.state and page.state.name,
        "since": page.state and iso(page.state.since),
        "confirmed": page.state is not None and page.state.certainty == Certainty.CERTAIN,
        "detail": last.detail if last else "",
        "last_good": good and {"timestamp": iso(good.at), "record_id": good.record_id},
        "last": last and {"timestamp": iso(last.at), "record_id": last.record_id},
    }


# The page


def report(
    archive: Reader, ledger: Ledger, database: sqlite3.Connection, urls: Iterable[str], news: News | None = None
) -> Iterator[str]:
    """Yield the report in pieces of HTML: pages with news first, then those that are as they were.

    `news` says which edits are no alerts.
    """
    told: list[PageReport] = []
    waiting = _Quiet(str(Certainty.PENDING).capitalize())
    quiet, unseen = _Quiet("As they were"), _Quiet("Never seen")
    for url in urls:
        where, transitions = shown_history(archive, ledger, database, url)
        page = PageReport(url, where, tuple(transitions))
        if page.transitions:
            told.append(page)
        else:
            (waiting if page.now.pending else quiet if page.now.good else unseen).add(page)
    told.sort(key=_newest, reverse=True)
    yield _HEAD.format(store=_text(archive.url), at=iso(now()), style=_STYLE)
    yield "<ul class=counts>"
    for state, count in ledger.counts(database).items():
        yield f'<li><b>{count:,}</b> <span class="state {_class(state)}">{_text(state)}</span></li>'
    yield "</ul>"
    yield from waiting.section()
    span = _span(told)
    for page in told:
        yield from _section(archive, page, span, news)
    yield from unseen.section()
    yield from quiet.section()
    if not (told or waiting.count or unseen.count or quiet.count):
        yield "<p>Nothing is known of any page yet.</p>"
    yield "</main></body></html>\n"


class _Quiet:
    """Pages of which nothing is told: how many there are, and the first of them."""

    def __init__(self, heading: str) -> None:
        self.count = 0
        self._heading = heading
        self._first: list[PageReport] = []

    def add(self, page: PageReport) -> None:
        """Count one."""
        self.count += 1
        if self.count <= _MOST_QUIET:
            self._first.append(page)

    def section(self) -> Iterator[str]:
        """Yield the list, unless it is empty."""
        if not self.count:
            return
        yield f"<section><h2>{self._heading}: {self.count:,}</h2><ul class=quiet>"
        for page in self._first:
            detail = f" <small>{_text(page.now.last.detail)}</small>" if page.now.last and page.now.last.detail else ""
            yield f"<li>{_badge(page)} {_link(page.url, page.title)}{detail}</li>"
        more = self.count - len(self._first)
        yield f"</ul>{f'<p>and {more:,} more</p>' if more else ''}</section>"


def _newest(page: PageReport) -> datetime:
    return page.transitions[-1].decided


def _span(pages: list[PageReport]) -> tuple[datetime, datetime]:
    firsts = [page.transitions[0].earlier.at for page in pages]
    return min(firsts, default=now()), now()


def _section(archive: Reader, page: PageReport, span: tuple[datetime, datetime], news: News | None) -> Iterator[str]:
    yield f"<section><h2>{_badge(page)} {_link(page.url, page.title)}</h2>"
    yield _timeline(page, span)
    yield "<ul class=told>"
    for each in reversed(page.transitions):
        why = news.no_alert(each) if news and is_edit(each) else None
        no_alert = f" <small>no alert: {_text(why)}</small>" if why else ""
        summary = f"{_timed(summary_of(each))}{no_alert}"
        yield f'<li><span class="state {_class(each.change)}">{in_words(each.change)}</span> {summary}'
        records = f"{_record('before', each.earlier.record_id)} {_record('after', each.later.record_id)}"
        yield f"<p class=records>{records}</p>"
        if is_edit(each) and (texts := texts_of(archive, each)):
            yield f"<details><summary>What changed</summary><p class=diff>{_diff(*texts)}</p></details>"
        yield "</li>"
    yield "</ul></section>"


def _badge(page: PageReport) -> str:
    """Return where a page stands as a coloured word: the state, or what waits for a second look and since when."""
    state = page.state
    if state is None:
        return '<span class="state unknown">unknown</span>'
    words = state.name if state.certainty == Certainty.CERTAIN else f"{state.short} since {iso(state.since)}"
    return f'<span class="state {_class(state.name)}">{_text(words)}</span>'


def _timeline(page: PageReport, span: tuple[datetime, datetime]) -> str:
    """Return a bar from the first to the last moment of the report, in the colours of the states.

    Edits are marks in it.
    """
    start, whole = span[0], max((span[1] - span[0]).total_seconds(), 1.0)

    def at(moment: datetime) -> float:
        return round(min(max((moment - start).total_seconds() / whole, 0.0), 1.0) * 1000, 1)

    parts, edits = [], []
    begin, state = page.transitions[0].earlier.at, page.transitions[0].before
    for each in page.transitions:
        if each.change == Change.CHANGED:
            mark = f'<rect class=edit x="{at(each.at)}" y=0 width=3 height=16>'
            edits.append(f"{mark}<title>edited: {iso(each.at)}</title></rect>")
            continue
        parts.append((begin, each.at, state))
        begin, state = each.at, each.after
    parts.append((begin, span[1], state))
    bars = "".join(
        f'<rect class="{_class(state)}" x="{at(one)}" y=3 width="{max(at(other) - at(one), 1.0)}" height=10>'
        f"<title>{state}: {iso(one)} to {iso(other)}</title></rect>"
        for one, other, state in parts
    )
    label = _text(
        f"{page.url}: " + "; ".join(f"{in_words(each.change)} {iso(each.at)}" for each in page.transitions), 2_000
    )
    return (
        f'<svg viewBox="0 0 1000 16" preserveAspectRatio=none role=img aria-label="{label}">'
        f"{bars}{''.join(edits)}</svg>"
        f"<p class=ends><span>{iso(span[0])}</span><span>{iso(span[1])}</span></p>"
    )


def _diff(before: str, after: str) -> str:
    tags = {Kind.SAME: "{}", Kind.DELETED: "<del>{}</del>", Kind.INSERTED: "<ins>{}</ins>"}
    return "".join(tags[piece.kind].format(html.escape(piece.text)) for piece in compare(before, after))


def _link(url: str, title: str | None) -> str:
    """Return a page's title and its address, as text: nobody is led to a page that may have become another's."""
    shown = f"{_text(title)} " if title else ""
    return f"{shown}<code>{_text(url)}</code>"


def _record(word: str, record_id: str | None) -> str:
    return f"{word} <code>{_text(record_id)}</code>" if record_id else f"{word}: nothing came"


def _text(text: str, limit: int = _LONGEST) -> str:
    return html.escape(one_line(text, limit))


def _timed(summary: str) -> str:
    """Return a sentence whose times are not broken over two lines."""
    return _TIME.sub(r"<time>\g<0></time>", _text(summary, 600))


def _class(state: str) -> str:
    return state if state.replace("-", "").isalnum() else "unknown"


_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>What became of the pages</title><style>{style}</style></head>
<body><header><h1>What became of the pages</h1><p>{store}, as of {at}</p></header><main>"""
_STYLE = """
:root{color-scheme:light dark;--ok:#2e7d4f;--gone:#b3261e;--hid:#a15c00;--far:#6b6f76;--edit:#2457c5;--line:#8884}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
h1{margin:0}h2{font-size:1.05rem;margin:0 0 .4rem;overflow-wrap:anywhere}code{font-size:.85em;overflow-wrap:anywhere}
section{border-top:1px solid var(--line);padding:1rem 0}.told{margin:.6rem 0 0}.told li{margin-bottom:.7rem}
time{white-space:nowrap}small{color:var(--far)}.quiet li{overflow-wrap:anywhere}
.counts,.quiet,.told{list-style:none;padding:0}.counts li{display:inline-block;margin-right:1.2rem}
.state{font-weight:600}.ok,.back{color:var(--ok);fill:var(--ok)}.gone,.soft-404{color:var(--gone);fill:var(--gone)}
.blocked,.paywalled,.text-incomplete{color:var(--hid);fill:var(--hid)}.unreachable,.unknown{color:var(--far);fill:var(--far)}
.changed,.edited,.moved,.edit{color:var(--edit);fill:var(--edit)}svg{width:100%;height:16px;display:block}
.ends{display:flex;justify-content:space-between;margin:0;font-size:.75rem;color:var(--far)}
.records{margin:.1rem 0;font-size:.85rem;color:var(--far)}.diff{white-space:pre-wrap;overflow-wrap:anywhere}
del{background:#e5484d33;text-decoration:line-through}ins{background:#30a46c33;text-decoration:none}
@media(prefers-color-scheme:dark){:root{--ok:#6cc493;--gone:#f2867f;--hid:#e0a458;--far:#a5abb5;--edit:#8db0ff}}
"""
