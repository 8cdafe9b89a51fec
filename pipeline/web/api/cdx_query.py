"""A query of the CDX server API: what its parameters mean.

Fields are named as the Internet Archive names them (original, mimetype, statuscode); pywb's names (url, mime, status)
are understood too.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote_plus

from archive.times import from_stamp

MOST = 150_000  # lines of an answer, where no limit is asked for
_PAGE = 10_000  # lines of a page, where pages are asked for
_NEAREST = 100  # lines by nearness

FIELDS = ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length")
_OTHERS = ("redirect", "offset", "filename", "recordid", "title", "recovered", "method", "requestBody")
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
    """Return the last second that shortened digits mean."""
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
    """Return the fields that are asked for, each once: a short query may not make long answers."""
    names = tuple(dict.fromkeys(_ALIASES.get(name, name) for name in text.split(",") if name))
    if not set(names) <= {*FIELDS, *_OTHERS}:
        raise BadQuery(f"fl names fields of {', '.join((*FIELDS, *_OTHERS))}")
    return names


def _resumption(text: str) -> tuple[str, str, str]:
    parts = unquote_plus(text).split(" ")
    if len(parts) != 3 or not (len(parts[1]) == 14 and parts[1].isascii() and parts[1].isdigit()):
        raise BadQuery("resumeKey is not one that was given out")
    return parts[0], parts[1], parts[2]
