"""Cookies of one chain of redirects (RFC 6265): set by its answers, sent back within it, forgotten at its end."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from ipaddress import ip_address

from archive.model import Headers
from archive.times import now
from pipeline.capture.http.urls import WebUrl

_MOST = 50  # cookies a host may have; RFC 6265 §6.1 asks for as many
_LONGEST = 4096  # bytes of one cookie, by the same clause
_LONGEST_HEADER = 8192  # bytes of the request's header: servers refuse more
_SENDABLE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie, and where it goes; `host_only` says that it goes to `domain` itself and no host below it."""

    name: str
    value: str
    domain: str
    path: str
    host_only: bool
    secure: bool
    expired: bool

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what tells it from other cookies (RFC 6265 §5.3)."""
        return self.name, self.domain, self.path

    def goes_to(self, url: WebUrl) -> bool:
        """Return whether a request of a URL has it (§5.4)."""
        same = url.host == self.domain if self.host_only else _within(url.host, self.domain)
        return same and _path_matches(_path_of(url), self.path) and (url.scheme == "https" or not self.secure)


class ChainCookies:
    """What the answers of one chain set; it begins with those of the reader's session."""

    def __init__(self, session: Iterable[Cookie] = ()) -> None:
        self._cookies: dict[tuple[str, str, str], Cookie] = {cookie.key: cookie for cookie in session}

    def take(self, url: WebUrl, headers: Headers) -> None:
        """Keep what the answer of a URL sets; what it may not set is ignored (RFC 6265 §5.3)."""
        for name, value in headers:
            cookie = _parsed(value, url) if name.lower() == "set-cookie" else None
            if cookie is None:
                continue
            if cookie.expired:
                self._cookies.pop(cookie.key, None)
            elif cookie.key in self._cookies or self._count(cookie.domain) < _MOST:
                self._cookies[cookie.key] = cookie  # in its first place: creation orders them

    def header(self, url: WebUrl) -> str:
        """Return the value of Cookie for a request of a URL, longer paths first (§5.4); or ""."""
        due = sorted((each for each in self._cookies.values() if each.goes_to(url)), key=lambda each: -len(each.path))
        pairs = []
        length = 0
        for cookie in due:
            pair = f"{cookie.name}={cookie.value}"
            length += len(pair) + 2
            if length <= _LONGEST_HEADER:
                pairs.append(pair)
        return "; ".join(pairs)

    def added(self, headers: Headers, url: WebUrl) -> Headers:
        """Return a request's headers with the chain's cookies, which replace those of a target by the same name."""
        ours = self.header(url)
        if not ours:
            return headers
        names = {_name_of(pair) for pair in ours.split("; ")}
        others = [
            pair.strip()
            for name, value in headers
            if name.lower() == "cookie"
            for pair in value.split(";")
            if pair.strip() and _name_of(pair) not in names
        ]
        rest = tuple((name, value) for name, value in headers if name.lower() != "cookie")
        return (*rest, ("Cookie", "; ".join([*others, ours])))

    def _count(self, domain: str) -> int:
        return sum(each.domain == domain for each in self._cookies.values())


def _parsed(text: str, url: WebUrl) -> Cookie | None:
    pair, *rest = text.split(";")
    name, equals, value = (part.strip(" \t") for part in pair.partition("="))
    if not equals or not name or not _SENDABLE.match(name + value) or len(name) + len(value) > _LONGEST:
        return None
    attributes = {}
    for each in rest:  # the last one counts
        key, _, written = each.partition("=")
        attributes[key.strip(" \t").lower()] = written.strip(" \t")
    domain = _domain(attributes.get("domain", ""), url.host)
    secure = "secure" in attributes
    path = attributes.get("path", "")
    if domain is None or (secure and url.scheme != "https") or not _keeps_its_prefix(name, attributes, secure):
        return None
    return Cookie(
        name,
        value,
        domain or url.host,
        path if path.startswith("/") else _default_path(_path_of(url)),
        host_only=not domain,
        secure=secure,
        expired=_expired(attributes),
    )


def _keeps_its_prefix(name: str, attributes: dict[str, str], secure: bool) -> bool:
    """Whether a name that promises how its cookie was set keeps that (RFC 6265bis §4.1.3)."""
    if name.lower().startswith("__host-"):
        return secure and not attributes.get("domain") and attributes.get("path") == "/"
    return secure or not name.lower().startswith("__secure-")


def _domain(written: str, host: str) -> str | None:
    """Return the domain whose hosts have the cookie, "" for the host alone, None where it may not be set."""
    domain = written.lower().removeprefix(".")
    if not domain or (domain == host and (_is_address(host) or _is_public_suffix(host))):
        return ""
    return domain if _within(host, domain) and not _is_public_suffix(domain) else None


def _within(host: str, domain: str) -> bool:
    return host == domain or (host.endswith(f".{domain}") and not _is_address(host))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_public_suffix(domain: str) -> bool:
    """Whether strangers register names below a domain: by the public-suffix list, and any name without a dot."""
    from tld import get_fld

    below = f"a.{domain}"
    return "." not in domain or get_fld(f"http://{below}/", fail_silently=True, search_private=True) == below


def _path_of(url: WebUrl) -> str:
    return url.path.partition("?")[0]


def _default_path(path: str) -> str:
    return path[: path.rfind("/")] or "/"


def _path_matches(path: str, wanted: str) -> bool:
    return path == wanted or (path.startswith(wanted) and (wanted.endswith("/") or path[len(wanted)] == "/"))


def _expired(attributes: dict[str, str]) -> bool:
    age = attributes.get("max-age", "")
    if re.fullmatch(r"-?[0-9]{1,20}", age):
        return int(age) <= 0
    try:
        moment = parsedate_to_datetime(attributes.get("expires", "")[:100])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) <= now()
    except (ValueError, OverflowError):  # no date, or none that a clock can show: it lasts as long as the chain
        return False


def _name_of(pair: str) -> str:
    return pair.partition("=")[0].strip()
