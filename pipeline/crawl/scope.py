"""What a run follows: depth, scope, patterns, and the marks of endless sites."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from archive.formats import untracked, urlkey
from pipeline.capture.http.failures import Failure
from pipeline.capture.http.urls import WebUrl, checked_url

_DEEPEST_PATH = 25  # segments
_MOST_REPEATS = 3  # of one segment in a path: /a/b/a/b/a/b/… has no end
_MOST_QUERIES = 200  # of one path in a run: calendars, facets, sort orders
_LONGEST = 1500  # characters
_SESSION_IN_PATH = re.compile(r";jsessionid=[0-9a-z]{32}|(?<=/)\((?:[a-z]\()?[0-9a-z]{24}\)?\)(?=/)", re.IGNORECASE)
_SESSION = re.compile(
    r"(?:(?:jsessionid|phpsessid|sid)=[0-9a-z]{32}|aspsessionid[a-z]{8}=[a-z]{24}|cfid=|cftoken=)", re.IGNORECASE
)
_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]\Z")


class Scope(StrEnum):
    """How far from a seed links are followed."""

    PAGE = "page"
    PREFIX = "prefix"
    HOST = "host"
    DOMAIN = "domain"


class RobotsPolicy(StrEnum):
    """For which URLs robots.txt is asked."""

    DISCOVERED = "discovered"
    ALL = "all"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a run follows beyond the URLs that were named."""

    depth: int = 0
    scope: Scope = Scope.PREFIX
    limit: int = 1000  # pages that were found, not named
    include: tuple[re.Pattern[str], ...] = ()
    exclude: tuple[re.Pattern[str], ...] = ()
    requisites: bool = True
    embeds: bool = False
    linked_pdfs: bool = False
    robots: RobotsPolicy = RobotsPolicy.DISCOVERED
    agent: str = "onrecord"
    keep_tracking: bool = False  # addresses that differ by what marks a visit are several pages
    conditional: bool = True
    most_not_modified: int = 10  # answers 304 in a row, after which a full answer is requested,
    full_after: timedelta = timedelta(days=7)  # as it is when the last full answer is so old
    browser: bool = False  # pages are visited, not fetched
    seed_time: float | None = None  # seconds after which nothing more is fetched that one seed led to

    def excluded(self, url: str) -> str | None:
        """Which pattern keeps a URL out, or None."""
        for pattern in self.exclude:
            if pattern.search(url):
                return f"--exclude {pattern.pattern}"
        if self.include and not any(pattern.search(url) for pattern in self.include):
            return "no --include pattern matches it"
        return None


def within(url: WebUrl, root: WebUrl, scope: Scope) -> bool:
    """Whether a URL lies within the scope that a seed spans; http and https are one, as are www.host and host."""
    if scope == Scope.PAGE:
        return False
    if scope == Scope.DOMAIN:
        return registrable(url.host) == registrable(root.host)
    if (_bare(url.host), _port(url)) != (_bare(root.host), _port(root)):
        return False
    return scope == Scope.HOST or url.path.startswith(root.path.partition("?")[0].rpartition("/")[0] + "/")


def _bare(host: str) -> str:
    return host.removeprefix("www.")


def _port(url: WebUrl) -> int | None:
    return None if url.port == {"http": 80, "https": 443}[url.scheme] else url.port


@lru_cache(maxsize=4096)
def registrable(host: str) -> str:
    """Return the domain that one registrant answers for, by the public-suffix list.

    The host itself without one.
    """
    from tld import get_fld

    return get_fld(f"http://{host}/", fail_silently=True) or host


def page_key(url: str, *, keep_tracking: bool = False) -> str:
    """Return one key for the addresses of one page: tracking parameters, www, scheme and order are put aside.

    Paths and values that differ by case, or by an escape that is no spelling of the same byte, have keys of their own:
    to the key of the index, which is the same for them, their spelling is added: path and query as written, without
    what marks a visit, parameters in order, plain escapes undone.
    With `keep_tracking`, parameters that mark a visit count as well.
    What a user named may be no URL at all; it is its own key, and ends with its own outcome.
    """
    try:
        url = written = url if keep_tracking else untracked(url)
        parts = urlsplit(url)
        if parts.query:
            url = urlunsplit(parts._replace(query=urlencode(parse_qsl(parts.query, True))))
        key = urlkey(url)
        with suppress(Failure):
            written = str(checked_url(written))
        parts = urlsplit(written)
    except ValueError:
        return url
    path = _SESSION_IN_PATH.sub("", parts.path)
    path = "/".join(piece for piece in path.split("/") if piece not in {"", "."})
    kept = "&".join(sorted(pair for pair in parts.query.split("&") if pair and not _SESSION.match(pair)))
    return f"{key} {_ESCAPE.sub(_plain_escape, f'{path}?{kept}')}"


def _plain_escape(found: re.Match[str]) -> str:
    """Undo the escape of an unreserved character, and write others in capitals (RFC 3986 §6.2.2)."""
    character = chr(int(found[1], 16))
    return character if _UNRESERVED.match(character) else found[0].upper()


def trap_in(url: WebUrl, queries: Counter[tuple[str, str]]) -> str | None:
    """Return why a URL looks like one of an endless number, or None.

    Such are paths that repeat themselves, and paths with more queries than a reader would follow: `queries` counts
    those of the run by authority and path.
    """
    path, _, query = url.path.partition("?")
    segments = [segment for segment in path.split("/") if segment]
    if len(url.path) > _LONGEST:
        return f"it is longer than {_LONGEST:,} characters"
    if len(segments) > _DEEPEST_PATH:
        return f"its path is deeper than {_DEEPEST_PATH} segments"
    if segments and max(Counter(segments).values()) > _MOST_REPEATS:
        return "its path repeats itself"
    if query:
        queries[url.authority, path] += 1
        if queries[url.authority, path] > _MOST_QUERIES:
            return f"more than {_MOST_QUERIES} queries of {path[:100]}"
    return None
