"""From what a user or a server wrote to a URL that can be fetched, in the form browsers give it (WHATWG URL §4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import quote, unquote_to_bytes

import idna

from archive.formats import dotted_quad, joined_url
from pipeline.capture.http.failures import Failure

_MAX_URL = 8192  # bytes; longer ones are traps or mistakes
_PARTS = re.compile(r"(?i)(https?):[/\\]{2}([^/\\?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?\Z")
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?\Z")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# What stays as it is: everything that is legal in the part, and escapes that are there already.
_PATH_SAFE = "%/:@!$&'()*+,;=-._~[]|^"
_QUERY_SAFE = _PATH_SAFE + "?\\{}`"


@dataclass(frozen=True, slots=True)
class WebUrl:
    """A checked URL taken apart; `host` is a name, dotted IPv4, or IPv6 without brackets."""

    scheme: str
    host: str
    port: int
    path: str  # with query, as the request line has it

    @property
    def authority(self) -> str:
        """Host and port as the Host header and the URL have them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


@lru_cache(maxsize=4096)  # asked for when a target is queued, and again when its turn comes
def checked_url(text: str) -> WebUrl:
    """Take a URL apart; raises Failure named "invalid-url" or "unsupported-scheme"."""
    url = text.strip(" ")
    if not url:
        raise Failure("invalid-url", "the URL is empty; write https://host/path")
    if _CONTROL.search(url):
        raise Failure(
            "invalid-url", "the URL holds control characters or line breaks; percent-encode them if they are meant"
        )
    if len(url) > _MAX_URL:
        raise Failure("invalid-url", f"the URL is longer than {_MAX_URL:,} characters")
    match = _PARTS.match(url)
    if match is None:
        raise _unusable(url)
    scheme = match[1].lower()
    host, port = _authority(match[2], scheme)
    try:
        path = _path(match[3]) + quote(match[4] or "", safe=_QUERY_SAFE)
    except UnicodeEncodeError as error:
        raise Failure("invalid-url", "the URL holds half a character") from error
    return WebUrl(scheme, host, port, path)


def redirected_url(base: WebUrl, location: str) -> WebUrl:
    """Where a Location leads (RFC 9110 §10.2.2); raises Failure that says that a redirect led there."""
    try:
        text = location.encode("latin-1").decode("utf-8")
    except UnicodeError:
        text = quote(location.encode("latin-1", "replace"), safe=_QUERY_SAFE + "#")
    try:
        if _CONTROL.search(text.strip(" ")):
            raise Failure("invalid-url", "the address holds control characters or line breaks")
        text = text.strip(" ")
        return checked_url(text if _SCHEME.match(text) else joined_url(str(base), text))
    except ValueError as error:
        raise Failure("invalid-url", f"redirected to no URL: {error}") from error
    except Failure as failure:
        raise Failure(failure.verdict.name, f"redirected to {text[:200]!r}: {failure.verdict.error}") from failure


def _unusable(url: str) -> Failure:
    scheme = _SCHEME.match(url)
    if scheme and scheme[1].lower() not in _DEFAULT_PORTS and not re.match(r"[^/]+:\d+(/|\Z)", url):
        return Failure("unsupported-scheme", f"{scheme[1].lower()}: cannot be captured; only http and https can")
    if scheme:
        return Failure("invalid-url", "the URL names no host; write https://host/path")
    return Failure("invalid-url", f"the URL has no scheme; write https://{url[:100]}")


def _authority(text: str, scheme: str) -> tuple[str, int]:
    if "@" in text:
        raise Failure("invalid-url", "credentials in a URL would be archived with it; take them out")
    host, port_text = text, ""
    if text.startswith("["):
        host, bracket, rest = text.partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise Failure("invalid-url", "the IPv6 address is not closed by ]")
        port_text = rest[1:]
        host = _ipv6(host[1:])
    else:
        name, _, port_text = text.partition(":")
        host = _host(name)
    return host, _port(port_text, scheme)


def _port(text: str, scheme: str) -> int:
    if not text:
        return _DEFAULT_PORTS[scheme]
    number = text.lstrip("0")  # as many as anybody likes
    if not (number.isascii() and number.isdigit() and len(number) < 6 and int(number) < 65536):
        raise Failure("invalid-url", f"no such port: {text[:20]!r}")
    return int(number)


def _ipv6(text: str) -> str:
    try:
        return IPv6Address(text).compressed if "%" not in text else _no_zone()
    except AddressValueError as error:
        raise Failure("invalid-url", f"no IPv6 address: {error}") from error


def _no_zone() -> str:
    raise Failure("invalid-url", "an IPv6 address with a zone is of this machine alone")


@lru_cache(maxsize=1024)  # a run asks for few hosts, many times
def _host(text: str) -> str:
    try:
        name = unquote_to_bytes(text).decode()
        if not name.isascii():
            name = idna.encode(name, uts46=True, transitional=False).decode()
    except (UnicodeError, idna.IDNAError) as error:
        raise Failure("invalid-url", f"no host name: {text[:100]!r}: {error}") from error
    name = name.lower()
    if not name:
        raise Failure("invalid-url", "the URL names no host; write https://host/path")
    if not _HOST.match(name) or len(name) > 253:
        raise Failure("invalid-url", f"no host name: {text[:100]!r}")
    last = name.rstrip(".").rpartition(".")[2]
    if last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last):
        dotted = dotted_quad(name.rstrip("."))
        if dotted is None:
            raise Failure("invalid-url", f"no IPv4 address: {text[:100]!r}")
        return dotted
    return name


def _path(text: str) -> str:
    segments: list[str] = []
    parts = quote(text.replace("\\", "/"), safe=_PATH_SAFE).split("/")[1:] or [""]
    for number, segment in enumerate(parts):
        plain = segment.lower().replace("%2e", ".")
        if plain == "..":
            del segments[-1:]
        if plain not in {".", ".."}:
            segments.append(segment)
        elif number == len(parts) - 1:
            segments.append("")
    return "/" + "/".join(segments)
