"""The CDX server API: captures as lines, asked for as the Internet Archive's and pywb's servers are asked.

Fields are named as the Internet Archive names them (original, mimetype, statuscode); pywb's names (url, mime, status)
are understood too. A request looks at a million captures at most; what is left is told by a resumption key.
"""

from __future__ import annotations

import json
import time
from calendar import monthrange
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from urllib.parse import quote_plus, unquote_plus

from archive.archive import Archive
from archive.formats.cdxj import REVISIT
from archive.formats.surt import urlkey
from archive.model import Snapshot
from archive.times import from_stamp, stamp

MOST = 150_000  # lines of an answer, where no limit is asked for
LOOKED_AT = 1_000_000  # captures a request looks at
_SECONDS = 60.0  # it may take
_PAGE = 10_000  # lines of a page, where pages are asked for
_NEAREST = 100  # lines by nearness

FIELDS = ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length")
_OTHERS = ("redirect", "offset", "filename", "recordid", "title")
_ALIASES = {"url": "original", "mime": "mimetype", "status": "statuscode"}
_MATCHES = ("exact", "prefix", "host", "domain")

Line = dict[str, str]


class BadQuery(ValueError):
    """A query that means nothing; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition on a field: a pattern for the whole value, or `=` its exact text, or `~` a pattern in it."""

    field: str
    pattern: object
    wanted: bool

    def passes(self, line: Line) -> bool:
        """Whether a line meets it."""
        value = line.get(self.field, "-")
        met = value == self.pattern if isinstance(self.pattern, str) else self.pattern(value)  # type: ignore[operator]
        return bool(met) is self.wanted


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for, understood."""

    url: str
    match: str
    start: datetime | None
    end: datetime | None
    closest: datetime | None
    reverse: bool
    limit: int
    offset: int
    filters: tuple[Filter, ...]
    collapse: tuple[tuple[str, int], ...]
    fields: tuple[str, ...]
    output: str
    resume: tuple[str, str, str] | None
    show_resume: bool
    page: int | None
    page_size: int
    count_pages: bool


def parse(params: Mapping[str, Sequence[str]], *, default_output: str = "text") -> Query:
    """Understand a query string's parameters; raises BadQuery."""

    def one(name: str, default: str = "") -> str:
        return params[name][-1] if params.get(name) else default

    url, match = _match(one("url"), one("matchType"))
    sort = one("sort")
    if sort not in {"", "default", "regular", "closest", "reverse"}:
        raise BadQuery("sort is closest or reverse")
    closest = _moment(one("closest"), "closest") if one("closest") and sort in {"", "closest"} else None
    if closest is not None and match != "exact":
        raise BadQuery("closest needs matchType=exact")
    if sort == "reverse" and match != "exact":
        raise BadQuery("sort=reverse needs matchType=exact")
    output = one("output", default_output)
    if output not in {"text", "json", "cdxj"}:
        raise BadQuery("output is text, json or cdxj")
    return Query(
        url=url,
        match=match,
        start=_moment(one("from"), "from") if one("from") else None,
        end=_last(one("to")) if one("to") else None,
        closest=closest,
        reverse=sort == "reverse",
        limit=_number(one("limit"), "limit", negative=True) or (_NEAREST if closest else MOST),
        offset=_number(one("offset"), "offset"),
        filters=tuple(_filter(text) for text in params.get("filter", ())),
        collapse=tuple(_collapse(text) for text in params.get("collapse", ())),
        fields=_fields(",".join(params.get("fl", ()))),
        output=output,
        resume=_resumption(one("resumeKey")) if one("resumeKey") else None,
        show_resume=one("showResumeKey") in {"true", "1"},
        page=_number(one("page"), "page") if one("page") else None,
        page_size=min(_number(one("pageSize"), "pageSize") or 1, 15) * _PAGE,
        count_pages=one("showNumPages") in {"true", "1"},
    )


def _match(url: str, match: str) -> tuple[str, str]:
    if not url or len(url) > 8192:
        raise BadQuery("name a page with url=")
    if match and match not in _MATCHES:
        raise BadQuery(f"matchType is one of {', '.join(_MATCHES)}")
    if not match and url.startswith("*."):
        return url[2:], "domain"
    if not match and url.endswith("*"):
        return url[:-1], "prefix"
    return url, match or "exact"


def _moment(digits: str, name: str) -> datetime:
    try:
        return from_stamp(digits)
    except ValueError:
        raise BadQuery(f"{name} is 4 to 14 digits: 20261123172500") from None


def _last(digits: str) -> datetime:
    """The last second that shortened digits mean."""
    first = _moment(digits, "to")
    given = len(digits)
    month = first.month if given > 4 else 12
    return first.replace(
        month=month,
        day=first.day if given > 6 else monthrange(first.year, month)[1],
        hour=first.hour if given > 8 else 23,
        minute=first.minute if given > 10 else 59,
        second=first.second if given > 12 else 59,
    )


def _number(text: str, name: str, *, negative: bool = False) -> int:
    if not text:
        return 0
    digits = text.removeprefix("-") if negative else text
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise BadQuery(f"{name} is a number")
    return int(text)


def _filter(text: str) -> Filter:
    import re2

    wanted = not text.startswith("!")
    text = text.removeprefix("!")
    kind = text[:1] if text[:1] in {"=", "~"} else ""
    name, colon, pattern = text[len(kind) :].partition(":")
    name = _ALIASES.get(name, name)
    if not colon or name not in {*FIELDS, *_OTHERS}:
        raise BadQuery("filter is [!]field:pattern, with a field of " + ", ".join((*FIELDS, *_OTHERS)))
    if kind == "=":
        return Filter(name, pattern, wanted)
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        compiled = re2.compile(pattern[:1000], options)
    except re2.error as error:
        raise BadQuery(f"filter: no pattern: {str(error)[:100]}") from None
    return Filter(name, compiled.search if kind == "~" else compiled.fullmatch, wanted)


def _collapse(text: str) -> tuple[str, int]:
    name, _, length = text.partition(":")
    name = _ALIASES.get(name, name)
    if name not in {*FIELDS, *_OTHERS}:
        raise BadQuery("collapse is field or field:N")
    return name, _number(length, "collapse")


def _fields(text: str) -> tuple[str, ...]:
    names = tuple(_ALIASES.get(name, name) for name in text.split(",") if name)
    if not set(names) <= {*FIELDS, *_OTHERS}:
        raise BadQuery(f"fl names fields of {', '.join((*FIELDS, *_OTHERS))}")
    return names


def _resumption(text: str) -> tuple[str, str, str]:
    parts = unquote_plus(text).split(" ")
    if len(parts) != 3 or not (len(parts[1]) == 14 and parts[1].isascii() and parts[1].isdigit()):
        raise BadQuery("resumeKey is not one that was given out")
    return parts[0], parts[1], parts[2]


def line_of(snapshot: Snapshot) -> Line:
    """A capture's fields, `-` left to the writer where one is not known."""
    fields = {
        "urlkey": urlkey(snapshot.url),
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
    }
    return {name: value for name, value in fields.items() if value}


class Answer:
    """The lines that answer a query, and whether more are left; `key` resumes after the last line given."""

    def __init__(self, archive: Archive, query: Query) -> None:
        self._archive = archive
        self._query = query
        self._seen = 0
        self._until = time.monotonic() + _SECONDS
        self._last: Line | None = None
        self.cut = False  # more was to be looked at than a request may

    def lines(self) -> Iterator[Line]:
        """The lines in their order; raises IntegrityError, StoreError."""
        query = self._query
        matching = islice(self._matching(), query.offset + self._skipped(), None)
        if query.limit < 0:
            yield from deque(matching, maxlen=min(-query.limit, MOST))
            return
        most = query.page_size if query.page is not None else MOST
        for line in islice(matching, min(query.limit, most)):
            self._last = line
            yield line

    def _skipped(self) -> int:
        return self._query.page * self._query.page_size if self._query.page is not None else 0

    @property
    def key(self) -> str | None:
        """Where to go on, when there may be more."""
        if self._last is None:
            return None
        return quote_plus(f"{self._last['urlkey']} {self._last['timestamp']} {_place_of(self._last)}")

    def pages(self) -> int:
        """How many pages there are."""
        count = sum(1 for _ in self._matching())
        return -(-count // self._query.page_size)

    def _matching(self) -> Iterator[Line]:
        query = self._query
        before: list[str] | None = None
        for snapshot in self._snapshots():
            self._seen += 1
            if self._seen > LOOKED_AT or time.monotonic() > self._until:
                self.cut = True
                return
            line = line_of(snapshot)
            if not all(each.passes(line) for each in query.filters):
                continue
            if query.collapse:
                same = [line.get(name, "-")[: length or None] for name, length in query.collapse]
                if same == before:
                    continue
                before = same
            yield line

    def _snapshots(self) -> Iterator[Snapshot]:
        query, archive = self._query, self._archive
        if query.closest is not None:
            found = archive.around(query.url, query.closest)
        elif query.reverse:
            found = archive.back(query.url)
        elif query.resume is not None:
            found = _beyond(archive.snapshots_after(query.url, query.match, *query.resume[:2]), query.resume)
        else:
            found = archive.snapshots(query.url, match=query.match, start=query.start, end=query.end)
        return (snapshot for snapshot in found if _within(snapshot, query) and not snapshot.withheld)


def _place_of(line: Line) -> str:
    """What tells a line from others of its second."""
    return f"{line['filename']}:{line['offset']}"


def _within(snapshot: Snapshot, query: Query) -> bool:
    late = query.end is not None and snapshot.timestamp > query.end
    early = query.start is not None and snapshot.timestamp < query.start
    return not late and not early


def _beyond(snapshots: Iterator[Snapshot], resume: tuple[str, str, str]) -> Iterator[Snapshot]:
    """What comes after the capture that was given last; all of its second again when that is not found."""
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
    """The answer in the form that was asked for, in pieces."""
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
