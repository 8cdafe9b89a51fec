"""The CDX server API: captures as lines, asked for as the Internet Archive's and pywb's servers are asked.

A request looks at a million captures at most; the rest is had by a resumption key. Answers to other requests than GET
are found under the URL with the request's method and body behind it, as replay tools ask (`__wb_method=POST&…`); a
plain URL finds answers to GET alone, a prefix, host or domain finds all.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator
from itertools import islice
from urllib.parse import quote_plus

from archive.archive import Reader
from archive.formats import MethodQuery, method_url, urlkey, without_method
from archive.index import REVISIT
from archive.model import Snapshot
from archive.times import stamp
from pipeline.web.api.cdx_query import FIELDS, MOST, Line, Query

LOOKED_AT = 1_000_000  # captures a request looks at
_SECONDS = 60.0  # it may take


def line_of(snapshot: Snapshot, request: MethodQuery | None = None) -> Line:
    """Return a capture's fields, `-` left to the writer where one is not known; `request` is that of no GET."""
    fields = {
        "urlkey": urlkey(method_url(snapshot.url, request.method, request.query) if request else snapshot.url),
        "timestamp": stamp(snapshot.timestamp),
        "original": snapshot.url,
        "mimetype": REVISIT if snapshot.revisit else snapshot.mime,
        "statuscode": str(snapshot.status),
        "digest": snapshot.digest,
        "length": str(snapshot.record.length),
        "redirect": snapshot.location or "",
        "offset": str(snapshot.record.offset),
        "filename": snapshot.record.key,
        "recordid": snapshot.record_id,
        "title": snapshot.title or "",
        "recovered": snapshot.recovered or "",
        "method": request.method if request else "",
        "requestBody": request.query if request else "",
    }
    return {name: value for name, value in fields.items() if value}


class Answer:
    """The lines that answer a query, and whether more are left; `key` resumes after the last line given."""

    def __init__(self, archive: Reader, query: Query) -> None:
        self._archive = archive
        self._query = query
        self._seen = 0
        self._until = time.monotonic() + _SECONDS
        self._last: tuple[str, Line] | None = None  # the key of its URL alone, and the line
        base = without_method(query.url) if query.match == "exact" else None
        self._asked = urlkey(query.url) if base else None  # of a request that is no GET
        self._url = base or query.url
        self.cut = False  # more was to be looked at than a request may

    def lines(self) -> Iterator[Line]:
        """Yield the lines in their order; raises IntegrityError, StoreError."""
        query = self._query
        matching = islice(self._matching(), query.offset + self._skipped(), None)
        if query.limit < 0:
            yield from (line for _, line in deque(matching, maxlen=min(-query.limit, MOST)))
            return
        most = query.page_size if query.page is not None else MOST
        for self._last in islice(matching, min(query.limit, most)):
            yield self._last[1]

    def _skipped(self) -> int:
        return self._query.page * self._query.page_size if self._query.page is not None else 0

    @property
    def key(self) -> str | None:
        """Where to go on, when there may be more."""
        if self._last is None:
            return None
        key, line = self._last
        return quote_plus(f"{key} {line['timestamp']} {_place_of(line)}")

    def pages(self) -> int:
        """How many pages there are."""
        count = sum(1 for _ in self._matching())
        return -(-count // self._query.page_size)

    def _line(self, snapshot: Snapshot) -> Line | None:
        """Return a capture's line, None where it answers another request than the one that is asked for."""
        if self._asked is None:
            known = MethodQuery(snapshot.method, snapshot.request_body or "") if snapshot.method else None
            return None if known and self._query.match == "exact" else line_of(snapshot, known)
        request = self._archive.method_query(snapshot)
        if request is None or self._asked not in map(urlkey, request.urls(snapshot.url)):
            return None
        return {**line_of(snapshot, request), "urlkey": self._asked}

    def _matching(self) -> Iterator[tuple[str, Line]]:
        query = self._query
        before: list[str] | None = None
        for snapshot in self._snapshots():
            self._seen += 1
            if self._seen > LOOKED_AT or time.monotonic() > self._until:
                self.cut = True
                return
            line = self._line(snapshot)
            if line is None or not all(each.passes(line) for each in query.filters):
                continue
            if query.collapse:
                same = [line.get(name, "-")[: length or None] for name, length in query.collapse]
                if same == before:
                    continue
                before = same
            yield urlkey(snapshot.url), line

    def _snapshots(self) -> Iterator[Snapshot]:
        query, archive = self._query, self._archive
        if query.closest is not None:
            found = archive.around(self._url, query.closest)
        elif query.reverse:
            found = archive.back(self._url)
        elif query.resume is not None:
            found = _beyond(archive.snapshots_after(self._url, query.match, *query.resume[:2]), query.resume)
        else:
            found = archive.snapshots(self._url, match=query.match, start=query.start, end=query.end)
        return (snapshot for snapshot in found if _within(snapshot, query) and not snapshot.withheld)


def _place_of(line: Line) -> str:
    """Return what distinguishes a line from others of its second."""
    return f"{line['filename']}:{line['offset']}"


def _within(snapshot: Snapshot, query: Query) -> bool:
    late = query.end is not None and snapshot.timestamp > query.end
    early = query.start is not None and snapshot.timestamp < query.start
    return not late and not early


def _beyond(snapshots: Iterator[Snapshot], resume: tuple[str, str, str]) -> Iterator[Snapshot]:
    """Yield what comes after the capture that was given last; all of its second again when that is not found."""
    second: list[Snapshot] = []
    for snapshot in snapshots:
        if (urlkey(snapshot.url), stamp(snapshot.timestamp)) != resume[:2]:
            yield from second
            yield snapshot
            yield from snapshots
            return
        second = [] if _place_of(line_of(snapshot)) == resume[2] else [*second, snapshot]
    yield from second


def text_of(query: Query, answer: Answer) -> Iterator[str]:
    """Yield the answer in the form that was asked for, in pieces."""
    if query.count_pages:
        yield f"{answer.pages()}\n"
        return
    writers = {"text": _plain, "json": _json, "cdxj": _cdxj}
    yield from writers[query.output](query, answer)


def _plain(query: Query, answer: Answer) -> Iterator[str]:
    for line in answer.lines():
        yield " ".join(line.get(name, "-").replace(" ", "%20") for name in query.fields or FIELDS) + "\n"
    if answer.key and (query.show_resume or answer.cut):
        yield f"\n{answer.key}\n"


def _json(query: Query, answer: Answer) -> Iterator[str]:
    names = query.fields or FIELDS
    begun = False
    for line in answer.lines():
        yield "" if begun else f"[{json.dumps(names)}"
        begun = True
        yield ",\n" + json.dumps([line.get(name, "-") for name in names])
    if answer.key and (query.show_resume or answer.cut):
        yield f",\n[],\n{json.dumps([answer.key])}"
    yield "]\n" if begun else "[]\n"


def _cdxj(query: Query, answer: Answer) -> Iterator[str]:
    """Lines as pywb reads them from a remote index."""
    names = {"original": "url", "mimetype": "mime", "statuscode": "status"}
    for line in answer.lines():
        chosen = {name: value for name, value in line.items() if name not in {"urlkey", "timestamp"}}
        if query.fields:
            chosen = {name: value for name, value in chosen.items() if name in query.fields}
        fields = {names.get(name, name): value for name, value in chosen.items()}
        yield f"{line['urlkey']} {line['timestamp']} {json.dumps(fields)}\n"
